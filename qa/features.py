"""What the scorers see of a question beside a sentence, and of a question beside a span of that sentence."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from index.wordvectors import shipped_words
from qa.candidates import SPAN_TYPES, Sentence, Span, bigrams
from qa.question import KINDS, Question
from qa.vocabulary import shipped_vocabulary
from qa.words import FUNCTION, cut, rarity

Matrix = NDArray[np.float32]

NEAR = 0.4  # cosine from which another word counts as a match, by its square (as in index.wordvectors)

_FIT: dict[str, frozenset[str]] = {
    "number": frozenset({"number", "amount", "percent", "cell"}),
    "amount": frozenset({"amount"}),
    "percent": frozenset({"percent"}),
    "date": frozenset({"date", "time"}),
    "duration": frozenset({"duration"}),
    "person": frozenset({"person", "cell"}),
    "document": frozenset({"document"}),
    "article": frozenset({"article", "ordinal"}),
    "penalty": frozenset({"amount", "clause", "tail"}),
}
"""Span types that a kind of question accepts; kinds left out accept any words."""

_ORGAN = re.compile(
    r"(局|委|委员会|办|办公室|厅|部|部门|院|会|公司|集团|银行|中心|学校|大学|政府|海关|机构|机关|协会|小组|处|科|站|支队|馆|企业|单位|组织|医院|党组|协调会|会议)$"
)
_PLACE = re.compile(
    r"(国|省|市|区|县|镇|乡|村|街道|路|街|山|港|岛|州|湖|河|海|洲|城|园|广场|楼|地区|大道|号|院|寺|站|店|景区)$"
)
_POST = re.compile(r"(长|书记|主任|委员|主席|代表|秘书长|院长|局长|教授|员|官|总理|总统|部长|经理|师|职)$")
_CUE_REASON = re.compile(r"因为|由于|为了|因|原因|所以|因此|目的|导致|为(?=.{4,})|以便|鉴于|缺乏|不足|受.{1,12}影响")
_CUE_DEFINITION = re.compile(r"是指|即|指的是|以下简称|称为|就是|包括|叫做?|是一|所称")
_DENIAL = re.compile(r"不|未|无|没有|禁止|严禁|非")
_PERMIT = re.compile(r"不得|严禁|禁止|可以|应当|必须|不能|允许|要|须")
_ASKING = re.compile(
    r"(?:第)?(?:多少|几)个?[\u4e00-\u9fff]?|什么时候|啥时候|什么时间|何时|何地|何处|何人|哪里|哪儿|哪(?:一|些|几)?[\u4e00-\u9fff]?|什么|啥|谁|为什么|为何|怎么样?|怎样|如何|咋|多[久长大高远]|\bhow (?:many|much)|\bwho|\bwhen|\bwhat|\bwhere|\bwhich"
)
_LEFT = ["^", "，,。；;", "：:", "（(", '“"「', "、", "为是有", "达到至在于", "由被把将", "的", "与和及或", "第"]
_RIGHT = ["$", "，,", "。；;！", "：:", "）)", '”"」', "、", "的", "是为", "与和及或", "等"]


@dataclass(frozen=True)
class Asked:
    """A question ready to be matched: its content words and character pairs with their weight."""

    question: Question
    words: tuple[str, ...]
    weights: tuple[float, ...]
    grams: dict[str, float]
    expected: frozenset[str]
    left: tuple[str, ...]  # content words before the asking word, nearest first
    right: tuple[str, ...]
    official: tuple[tuple[tuple[str, float], ...], ...] = ()  # for each word, what officials say for it, and how surely

    @property
    def weight(self) -> float:
        return sum(self.weights) or 1.0


def ask(question: Question) -> Asked:
    """The question with weights; a word counts as rare as the word table says, the asked noun and figures included."""
    words = question.topics
    grams: dict[str, float] = {}
    for word, _ in cut(question.flat):
        if word in FUNCTION:
            continue
        for gram in bigrams(word) or ([word] if len(word) == 1 else []):
            grams[gram] = max(grams.get(gram, 0.0), rarity(word) / max(1, len(word) - 1))
    for gram in bigrams(question.flat):  # pairs across words: 市|本 级|预 tell phrases apart
        if gram not in grams and not any(c in FUNCTION for c in gram):
            grams[gram] = 1.5
    asking = _ASKING.search(question.flat)
    before = [w for w, _ in cut(question.flat[: asking.start()] if asking else question.flat) if w not in FUNCTION]
    after = [w for w, _ in cut(question.flat[asking.end() :] if asking else "") if w not in FUNCTION]
    return Asked(
        question, words, tuple(rarity(w) for w in words), grams, _FIT.get(question.kind, frozenset()),
        tuple(reversed(before))[:3], tuple(after)[:3], _official(question, words),
    )  # fmt: skip


def _official(question: Question, words: Sequence[str]) -> tuple[tuple[tuple[str, float], ...], ...]:
    """For each word the official words that the vocabulary has for a reader's phrase with it."""
    found = shipped_vocabulary().expand(question.flat)
    return tuple(tuple((e.official, e.weight) for e in found if word in e.lay) for word in words)


def _has(word: str, text: str) -> float:
    """How much of a word stands in a text: 1 whole, the share of its character pairs otherwise."""
    if word in text:
        return 1.0
    if len(word) < 3 or word.isascii():
        return 0.0
    pairs = [word[i : i + 2] for i in range(len(word) - 1)]
    return 0.8 * sum(p in text for p in pairs) / len(pairs)


def coverage(asked: Asked, text: str) -> list[float]:
    """For each content word of the question, how much of it stands in the text."""
    return [
        max([_has(word, text), *(0.9 * weight for official, weight in others if official in text)])
        for word, others in zip(asked.words, asked.official, strict=True)
    ]


def longest_common(question: str, text: str) -> int:
    """Length of the longest stretch of the question that stands in the text."""
    best = start = 0
    while start + best < len(question):
        if question[start : start + best + 1] in text:
            best += 1
        else:
            start += 1
    return best


class WordRows:
    """Vectors of words as ``qa.words`` cuts them, each made once from the shipped word vectors."""

    def __init__(self) -> None:
        self._shipped = shipped_words()
        self._known: dict[str, int] = {}
        self._rows = np.zeros((0, self._shipped.vectors(np.zeros(1, np.int64)).shape[1]), dtype=np.float32)

    def __call__(self, words: Sequence[str]) -> Matrix:
        """(n, d) unit rows; zeros for a word with no part known."""
        new = [w for w in dict.fromkeys(words) if w not in self._known]
        if new:
            made = np.stack([self._vector(numbers) for numbers in self._shipped.cut(new)])
            for word in new:
                self._known[word] = len(self._known)
            self._rows = np.concatenate([self._rows, made])
        return self._rows[[self._known[w] for w in words]] if words else self._rows[:0]

    def _vector(self, numbers: NDArray[np.uint16]) -> Matrix:
        total: Matrix = (
            self._shipped.vectors(numbers).sum(axis=0) if len(numbers) else np.zeros(self._rows.shape[1], np.float32)
        )
        norm = float(np.linalg.norm(total))
        return total / np.float32(norm) if norm > 0 else total


SENTENCE_FEATURES = (
    "kind", "cover", "cover_near", "cover_context", "cover_all", "cover_grams", "cover_grams_near", "missing", "covered_rarest",
    "precision", "longest", "soft", "soft_all", "typed", "typed_n", "unit", "unit_near", "years", "figures",
    "quoted", "focus", "cue_reason", "cue_definition", "denial", "permit", "length", "position", "is_heading", "is_table",
    "is_item", "in_passage", "words_n", "cover_rank", "cover_gap", "grams_rank", "grams_gap", "soft_gap", "cover_next", "left_word", "right_word", "organ", "place", "cover_paragraph", "title_cover", "wants_all", "unmet",
)  # fmt: skip


@dataclass
class Pool:
    """The sentences considered for one question, with what is computed once for all of them."""

    asked: Asked
    sentences: Sequence[Sentence]
    words: WordRows
    passage_scores: Sequence[float]  # of the passage each sentence was found in, best 1.0; neighbours lower
    homes: Mapping[str, str] = field(default_factory=dict)  # source id -> name and year of its gazette, as compared

    def near(self, i: int) -> str:
        """What sentence ``i`` is read with: its neighbours, title, headings and lead."""
        s = self.sentences[i]
        beside = [
            self.sentences[j].flat
            for j in range(max(0, i - 1), min(len(self.sentences), i + 2))
            if self.sentences[j].document_id == s.document_id and abs(self.sentences[j].paragraph - s.paragraph) <= 1
        ]
        return " ".join([*beside, s.context])

    def unmet(self, i: int) -> tuple[str, ...]:
        """The names, years and numbers that limit the question and that sentence ``i``, as read, does not have."""
        limits = self.asked.question.limits
        if not limits:
            return ()
        near = self.near(i) + self.homes.get(self.sentences[i].source_id, "")
        return tuple(limit for limit in limits if limit not in near)

    @cached_property
    def soft(self) -> tuple[Matrix, Matrix]:
        """For each sentence, the weighted mean over question words of the nearest word's cosine: (alone, with context)."""
        n = len(self.sentences)
        own = [{w for w, _ in s.words if w not in FUNCTION} for s in self.sentences]
        context = [{w for w, _ in s.context_words if w not in FUNCTION} for s in self.sentences]
        vocabulary = list(dict.fromkeys(w for words in (*own, *context) for w in words))
        if not self.asked.words or not vocabulary:
            return np.zeros(n, np.float32), np.zeros(n, np.float32)
        place = {w: i for i, w in enumerate(vocabulary)}
        weights = np.array(self.asked.weights, dtype=np.float32)
        weights /= weights.sum()
        cosine = self.words(self.asked.words) @ self.words(vocabulary).T
        near = np.where(cosine >= NEAR, cosine**2, 0.0).astype(np.float32)
        for row, word in enumerate(self.asked.words):
            if word in place:
                near[row, place[word]] = 1.0

        def share(words: set[str]) -> float:
            at = [place[w] for w in words]
            return float(near[:, at].max(axis=1) @ weights) if at else 0.0

        alone = np.array([share(w) for w in own], dtype=np.float32)
        both = np.array([share(w | c) for w, c in zip(own, context, strict=True)], dtype=np.float32)
        return alone, both

    def features(self) -> Matrix:
        """(sentences, SENTENCE_FEATURES)."""
        asked, question = self.asked, self.asked.question
        n = len(self.sentences)
        weights = np.array(asked.weights or (1.0,), dtype=np.float32)
        total = float(weights.sum())
        grams_total = sum(asked.grams.values()) or 1.0
        own = np.array([coverage(asked, s.flat) or [0.0] for s in self.sentences], dtype=np.float32)
        context = np.array([coverage(asked, s.context) or [0.0] for s in self.sentences], dtype=np.float32)
        title = {s.document: coverage(asked, s.flat_title) or [0.0] for s in self.sentences}
        before = self._shifted(own, 1)
        after = self._shifted(own, -1)
        near = np.maximum(own, np.maximum(before, 0.999 * after))
        whole = np.maximum(near, context)
        paragraph = self._paragraphs(own)
        grams = np.array(
            [sum(w for g, w in asked.grams.items() if g in s.flat) for s in self.sentences], dtype=np.float32
        ) / np.float32(grams_total)
        grams_near = np.maximum(grams, 0.5 * (grams + self._shifted(grams[:, None], 1)[:, 0]))
        cover = own @ weights / total
        soft, soft_all = self.soft
        order_cover, order_grams = self._ranks(cover), self._ranks(grams)
        out = np.zeros((n, len(SENTENCE_FEATURES)), dtype=np.float32)
        typed = [self._typed(s) for s in self.sentences]
        for i, s in enumerate(self.sentences):
            fits, unit = typed[i]
            unit_near = unit or (i > 0 and typed[i - 1][1])
            sentence_grams = len(s.bigrams) or 1
            missing = 1.0 - whole[i]
            out[i] = (
                KINDS.index(question.kind), cover[i], near[i] @ weights / total, context[i] @ weights / total,
                whole[i] @ weights / total, grams[i], grams_near[i], float((missing * weights).max()),
                float((own[i] * weights).max()), sum(g in asked.grams for g in s.bigrams) / sentence_grams,
                longest_common(question.flat, s.flat), soft[i], soft_all[i], fits > 0, fits, unit, unit_near,
                self._years(s), self._figures(s), self._quoted(s), bool(question.focus and question.focus in s.flat),
                bool(_CUE_REASON.search(s.text)), bool(_CUE_DEFINITION.search(s.text)), bool(_DENIAL.search(s.text)),
                bool(_PERMIT.search(s.text)), len(s.text), s.position, s.kind in {"heading", "title"}, s.kind == "table",
                s.kind == "item", self.passage_scores[i], len(asked.words), order_cover[i], cover.max() - cover[i],
                order_grams[i], grams.max() - grams[i], soft_all.max() - soft_all[i],
                after[i] @ weights / total, bool(asked.left and asked.left[0] in s.flat), bool(asked.right and asked.right[0] in s.flat),
                question.kind == "organisation" and any(_ORGAN.search(w) for w, _ in s.words),
                question.kind == "place" and any(_PLACE.search(w) for w, _ in s.words),
                paragraph[i] @ weights / total, np.array(title[s.document], dtype=np.float32) @ weights / total, question.wants_all,
                len(self.unmet(i)),
            )  # fmt: skip
        return out

    def _shifted(self, values: Matrix, by: int) -> Matrix:
        """The values of the sentence before (1) or after (-1), zeros where that is of another document."""
        out = np.zeros_like(values)
        for i, s in enumerate(self.sentences):
            j = i - by
            if 0 <= j < len(self.sentences):
                other = self.sentences[j]
                if other.document_id == s.document_id and abs(other.paragraph - s.paragraph) <= 1:
                    out[i] = values[j]
        return out

    def _paragraphs(self, values: Matrix) -> Matrix:
        """The best of the sentence's paragraph, word by word."""
        best: dict[tuple[str, int], Matrix] = {}
        for s, row in zip(self.sentences, values, strict=True):
            key = (s.document_id, s.paragraph)
            best[key] = np.maximum(best[key], row) if key in best else row
        return np.array([best[s.document_id, s.paragraph] for s in self.sentences], dtype=np.float32)

    @staticmethod
    def _ranks(values: Matrix) -> Matrix:
        """0 for the highest, then 1, 2, ...; ties in order."""
        ranks = np.empty(len(values), dtype=np.float32)
        ranks[np.argsort(-values, kind="stable")] = np.arange(len(values))
        return ranks

    def _typed(self, sentence: Sentence) -> tuple[int, bool]:
        """How many stretches have a type the question accepts, and whether one has the asked unit."""
        figures = sentence.typed
        return (
            sum(span.type in self.asked.expected for span in figures),
            any(span.unit in self.asked.question.units for span in figures if span.unit),
        )

    def _years(self, sentence: Sentence) -> float:
        """1 the asked year is there, -1 only another year is, 0 nothing to compare."""
        years = self.asked.question.years
        if not years:
            return 0.0
        if any(y in sentence.flat or y in sentence.context for y in years):
            return 1.0
        return -1.0 if re.search(r"(19|20)\d\d年", sentence.flat) else -0.5

    def _figures(self, sentence: Sentence) -> float:
        figures = self.asked.question.figures
        return sum(f in sentence.flat for f in figures) / len(figures) if figures else 0.0

    def _quoted(self, sentence: Sentence) -> float:
        quoted = self.asked.question.quoted
        return sum(q in sentence.flat for q in quoted) / len(quoted) if quoted else 0.0


SPAN_FEATURES = (
    "kind", "type", "fits", "length", "words", "start", "inside", "clause", "left_gap", "right_gap", "left_mass", "right_mass",
    "unit", "other_unit", "echo_figure", "left_mark", "right_mark", "clause_start", "clause_end", "organ", "place", "post", "focus_end",
    "focus_after", "near_focus", "near_question", "same_type", "order", "has_digits", "has_stop", "wants_all", "left_word_gap",
    "right_word_gap", "left_word_gap2", "echo", "sentence_words", "of_sentence", "question_length", "function_inside", "is_title",
    "score", "gap", "rank", "figure_unitless", "negated", "rarity", "rarest",
)  # fmt: skip


def span_features(pool: Pool, sentence: Sentence, score: float, gap: float, rank: int) -> Matrix:
    """(spans of the sentence for the question's kind, SPAN_FEATURES); the sentence's own score, its distance to the best and its rank are given."""
    asked, question = pool.asked, pool.asked.question
    text, spans = sentence.flat, sentence.spans_for(question.kind)
    n = len(text)
    mass = np.zeros(n + 1, dtype=np.float32)  # weight of question words, by character
    for word, weight in zip(asked.words, asked.weights, strict=True):
        at = text.find(word)
        while at >= 0:
            mass[at : at + len(word)] = np.maximum(mass[at : at + len(word)], weight / len(word))
            at = text.find(word, at + 1)
    for gram, weight in asked.grams.items():
        at = text.find(gram)
        while at >= 0:
            mass[at : at + len(gram)] = np.maximum(mass[at : at + len(gram)], 0.25 * weight)
            at = text.find(gram, at + 1)
    if sentence.words and asked.words:  # other words for the same: 孩子 beside 学生 tells where to look as well
        cosine = pool.words(asked.words) @ pool.words([w for w, _ in sentence.words]).T
        alike = np.where(cosine >= NEAR, cosine**2, 0.0) * np.array(asked.weights, dtype=np.float32)[:, None]
        for (word, at), weight in zip(sentence.words, alike.max(axis=0), strict=True):
            if weight > 0 and word not in FUNCTION:
                mass[at : at + len(word)] = np.maximum(mass[at : at + len(word)], weight / len(word))
    sums = np.concatenate([[0.0], np.cumsum(mass[:n])])
    total = float(sums[-1]) or 1.0
    left_gap, right_gap = _gaps(mass[:n])
    function = np.zeros(n + 1, dtype=np.int32)
    for word, at in sentence.words:
        if word in FUNCTION:
            function[at] = 1
    functions = np.concatenate([[0], np.cumsum(function[:n])])
    clause_of = np.zeros(n, dtype=np.int32)
    clauses = sentence.clauses or [(0, n)]
    for i, (a, b) in enumerate(clauses):
        clause_of[a:b] = i
    starts, ends = {a for a, _ in clauses}, {b for _, b in clauses}
    near = _similar(pool, sentence, spans)
    types: dict[str, int] = {}
    counts: dict[str, int] = {}
    for span in spans:
        counts[span.type] = counts.get(span.type, 0) + 1
    word_starts = [at for _, at in sentence.words]
    rarities = [rarity(word) for word, _ in sentence.words]
    left1 = _places(text, asked.left[:1])
    left2 = _places(text, asked.left[1:2])
    right1 = _places(text, asked.right[:1])
    out = np.zeros((len(spans), len(SPAN_FEATURES)), dtype=np.float32)
    for i, span in enumerate(spans):
        a, b = span.start, span.end
        said = text[a:b]
        first, last = clauses[clause_of[a]], clauses[clause_of[b - 1]]
        inside = float(sums[b] - sums[a])
        order = types[span.type] = types.get(span.type, 0) + 1
        figures = re.findall(r"\d+(?:\.\d+)?", said)
        out[i] = (
            KINDS.index(question.kind), SPAN_TYPES.index(span.type), span.type in asked.expected, b - a,
            bisect_left(word_starts, b) - bisect_left(word_starts, a), a / n, inside / total, float(sums[last[1]] - sums[first[0]] - inside) / total,
            left_gap[a], right_gap[b], float(sums[a] - sums[max(0, a - 10)]), float(sums[min(n, b + 10)] - sums[b]),
            bool(span.unit and span.unit in question.units), bool(question.units and span.unit and span.unit not in question.units),
            bool(figures) and all(f in question.figures for f in figures), _mark(text[a - 1 : a], _LEFT) if a else 0,
            _mark(text[b : b + 1], _RIGHT) if b < n else 0, a in starts, b in ends, bool(_ORGAN.search(said)), bool(_PLACE.search(said)),
            bool(_POST.search(said)), bool(question.focus) and said.endswith(question.focus),
            bool(question.focus) and text[b : b + len(question.focus)] == question.focus, near[i][0], near[i][1], counts[span.type], order,
            bool(figures), "、" in said, question.wants_all, _distance(left1, a, -1), _distance(right1, b, 1), _distance(left2, a, -1),
            said in question.flat, len(word_starts), (b - a) / n, len(question.flat), int(functions[b] - functions[a]),
            "《" in said or text[a - 1 : a] == "《", score, gap, rank, bool(figures) and not span.unit,
            bool(re.search(r"[不未无]", text[max(0, a - 3) : b])), *_rarities(rarities, word_starts, a, b),
        )  # fmt: skip
    return out


def _rarities(rarities: Sequence[float], starts: Sequence[int], a: int, b: int) -> tuple[float, float]:
    """Mean and highest rarity of the words that begin in [a, b): names are made of rare ones."""
    inside = rarities[bisect_left(starts, a) : bisect_left(starts, b)]
    return (sum(inside) / len(inside), max(inside)) if inside else (0.0, 0.0)


def _gaps(mass: Matrix) -> tuple[list[float], list[float]]:
    """Distance from each position to the nearest matched character to its left, and to its right; 60 for none."""
    n = len(mass)
    left, right = [60.0] * (n + 1), [60.0] * (n + 1)
    gap = 60.0
    for i in range(n):
        left[i] = gap
        gap = 0.0 if mass[i] > 0 else min(60.0, gap + 1)
    left[n] = gap
    gap = 60.0
    for i in range(n, 0, -1):
        right[i] = gap
        gap = 0.0 if mass[i - 1] > 0 else min(60.0, gap + 1)
    right[0] = gap
    return left, right


def _similar(pool: Pool, sentence: Sentence, spans: Sequence[Span]) -> Matrix:
    """(spans, 2): cosine with the asked noun, and with the question."""
    words = sentence.words
    if not words or not spans:
        return np.zeros((len(spans), 2), dtype=np.float32)
    vectors = pool.words([w for w, _ in words])
    sums = np.concatenate([np.zeros((1, vectors.shape[1]), np.float32), np.cumsum(vectors, axis=0)])
    starts = np.array([at for _, at in words])
    a = np.searchsorted(starts, [s.start for s in spans])
    b = np.searchsorted(starts, [s.end for s in spans])
    means = sums[b] - sums[a]
    norms = np.linalg.norm(means, axis=1, keepdims=True)
    means = means / np.where(norms > 0, norms, 1.0)
    focus = pool.asked.question.focus
    target = pool.words([focus])[0] if focus else np.zeros(vectors.shape[1], np.float32)
    asked = pool.words(pool.asked.words).sum(axis=0)
    out: Matrix = np.stack([means @ target, means @ (asked / (np.linalg.norm(asked) or 1.0))], axis=1)
    return out


def _places(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    return [(m.start(), m.end()) for w in words for m in re.finditer(re.escape(w), text)]


def _distance(places: Sequence[tuple[int, int]], at: int, side: int) -> float:
    """Characters from a span's edge to the nearest of the places on that side (-1 left, 1 right); 60 for none."""
    gaps = (
        [at - end for _, end in places if end <= at] if side < 0 else [start - at for start, _ in places if start >= at]
    )
    return float(min([*gaps, 60]))


def _mark(char: str, classes: Sequence[str]) -> int:
    return next((i for i, chars in enumerate(classes) if char in chars), len(classes))
