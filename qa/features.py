"""What the scorers see of a question beside a sentence, and of a question beside a span of that sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from index.wordvectors import shipped_words
from qa.candidates import SPAN_TYPES, Sentence, bigrams
from qa.question import KINDS, Question
from qa.vocabulary import shipped_vocabulary
from qa.words import FUNCTION, cut, rarity

Matrix = NDArray[np.float32]

FAR = 10**6  # characters
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

_ORGAN = frozenset(
    "局 委 委员会 办 办公室 厅 部 部门 院 会 公司 集团 银行 中心 学校 大学 政府 海关 机构 机关 协会 小组 处 科 站 支队 馆 企业 单位 组织 医院 党组 协调会 会议".split()
)
_PLACE = frozenset(
    "国 省 市 区 县 镇 乡 村 街道 路 街 山 港 岛 州 湖 河 海 洲 城 园 广场 楼 地区 大道 号 院 寺 站 店 景区".split()
)
_POST = frozenset("长 书记 主任 委员 主席 代表 秘书长 院长 局长 教授 员 官 总理 总统 部长 经理 师 职".split())
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

    @cached_property
    def pairs(self) -> tuple[tuple[str, ...], ...]:
        """For each word its pairs of characters; none for one too short to stand there in part, or not Chinese."""
        return tuple(() if len(w) < 3 or w.isascii() else tuple(a + b for a, b in pairwise(w)) for w in self.words)


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


def coverage(asked: Asked, text: str) -> list[float]:
    """For each content word of the question how much of it stands in the text: 1 whole, 0.8 of the share of its pairs of
    characters otherwise, or 0.9 of the weight of an official word for it."""
    out = []
    for word, pairs, others in zip(asked.words, asked.pairs, asked.official, strict=True):
        share = 1.0 if word in text else 0.8 * sum([p in text for p in pairs]) / len(pairs) if pairs else 0.0
        for official, weight in others:
            if share < 0.9 * weight and official in text:
                share = 0.9 * weight
        out.append(share)
    return out


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
        own = [s.content for s in self.sentences]
        context = {s.context: s.context_content for s in self.sentences}
        vocabulary = list(dict.fromkeys(w for words in (*own, *context.values()) for w in words))
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

        nearest = np.ascontiguousarray(near.T)

        def best(texts: Sequence[Sequence[str]]) -> Matrix:
            """(texts, words of the question): the nearest of each text's words."""
            out = np.zeros((len(texts), len(weights)), dtype=np.float32)
            full = [i for i, words in enumerate(texts) if words]
            if full:
                starts = np.cumsum([0, *(len(texts[i]) for i in full[:-1])])
                out[full] = np.maximum.reduceat(nearest[[place[w] for i in full for w in texts[i]]], starts)
            return out

        alone = best(own)
        number = {text: i for i, text in enumerate(context)}
        above = best(list(context.values()))[[number[s.context] for s in self.sentences]]
        return alone @ weights, np.maximum(alone, above) @ weights

    def features(self) -> Matrix:
        """(sentences, SENTENCE_FEATURES)."""
        asked, question = self.asked, self.asked.question
        n = len(self.sentences)
        weights = np.array(asked.weights or (1.0,), dtype=np.float32)
        total = float(weights.sum())
        grams_total = sum(asked.grams.values()) or 1.0
        own = np.array([coverage(asked, s.flat) or [0.0] for s in self.sentences], dtype=np.float32)
        contexts = {text: coverage(asked, text) or [0.0] for text in {s.context for s in self.sentences}}
        context = np.array([contexts[s.context] for s in self.sentences], dtype=np.float32)
        titles = {text: coverage(asked, text) or [0.0] for text in {s.flat_title for s in self.sentences}}
        title = np.array([titles[s.flat_title] for s in self.sentences], dtype=np.float32)
        before = self._shifted(own, 1)
        after = self._shifted(own, -1)
        near = np.maximum(own, np.maximum(before, 0.999 * after))
        whole = np.maximum(near, context)
        paragraph = self._paragraphs(own)
        grams = np.array(
            [sum(w for g, w in asked.grams.items() if g in s.flat) for s in self.sentences], dtype=np.float32
        ) / np.float32(grams_total)
        grams_near = np.maximum(grams, 0.5 * (grams + self._shifted(grams[:, None], 1)[:, 0]))
        cover, cover_near, cover_context, cover_all, cover_next, cover_paragraph, cover_title = (
            m @ weights / total for m in (own, near, context, whole, after, paragraph, title)
        )
        missing, rarest = ((1.0 - whole) * weights).max(axis=1), (own * weights).max(axis=1)
        soft, soft_all = self.soft
        order_cover, order_grams = self._ranks(cover), self._ranks(grams)
        cover_gap, grams_gap, soft_gap = cover.max() - cover, grams.max() - grams, soft_all.max() - soft_all
        out = np.zeros((n, len(SENTENCE_FEATURES)), dtype=np.float32)
        typed = [self._typed(s) for s in self.sentences]
        for i, s in enumerate(self.sentences):
            fits, unit = typed[i]
            unit_near = unit or (i > 0 and typed[i - 1][1])
            out[i] = (
                KINDS.index(question.kind), cover[i], cover_near[i], cover_context[i], cover_all[i], grams[i], grams_near[i],
                missing[i], rarest[i], len(s.bigrams & asked.grams.keys()) / (len(s.bigrams) or 1), longest_common(question.flat, s.flat), soft[i], soft_all[i], fits > 0, fits, unit, unit_near,
                self._years(s), self._figures(s), self._quoted(s), bool(question.focus and question.focus in s.flat),
                bool(_CUE_REASON.search(s.text)), bool(_CUE_DEFINITION.search(s.text)), bool(_DENIAL.search(s.text)),
                bool(_PERMIT.search(s.text)), len(s.text), s.position, s.kind in {"heading", "title"}, s.kind == "table",
                s.kind == "item", self.passage_scores[i], len(asked.words), order_cover[i], cover_gap[i], order_grams[i],
                grams_gap[i], soft_gap[i], cover_next[i], bool(asked.left and asked.left[0] in s.flat), bool(asked.right and asked.right[0] in s.flat),
                question.kind == "organisation" and _ends_so(s, _ORGAN),
                question.kind == "place" and _ends_so(s, _PLACE),
                cover_paragraph[i], cover_title[i], question.wants_all, len(self.unmet(i)),
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


def _ends_so(sentence: Sentence, endings: frozenset[str]) -> bool:
    """Whether a word of the sentence has such an ending."""
    return any(word[-k:] in endings for word, _ in sentence.words for k in range(1, len(word) + 1))


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
    mass = mass[:n]
    sums = np.concatenate([[0.0], np.cumsum(mass)])
    total = float(sums[-1]) or 1.0
    a, b = np.array([s.start for s in spans]), np.array([s.end for s in spans])
    words = np.array([at for _, at in sentence.words])
    first_word, end_word = np.searchsorted(words, a), np.searchsorted(words, b)
    clauses = np.array(sentence.clauses or [(0, n)])
    clause_a, clause_b = _clause(clauses, a)[:, 0], _clause(clauses, b - 1)[:, 1]
    inside = sums[b] - sums[a]
    left_gap, right_gap = _gaps(mass > 0)
    said = [text[s.start : s.end] for s in spans]
    types = [s.type for s in spans]
    units = [s.unit for s in spans]
    digits = _count(c.isdecimal() for c in text)
    has_digits = digits[b] > digits[a]
    titled = _count(c == "《" for c in text)
    negations = _count(c in "不未无" for c in text)
    stops = _count(c == "、" for c in text)
    functions = _count_at([at for word, at in sentence.words if word in FUNCTION], n)
    focus = question.focus
    near_focus, near_question = _similar(pool, sentence, first_word, end_word).T
    mean, rarest = _rarities([rarity(word) for word, _ in sentence.words], first_word, end_word)
    columns: dict[str, ArrayLike] = {
        "kind": KINDS.index(question.kind),
        "type": [SPAN_TYPES.index(t) for t in types],
        "fits": [t in asked.expected for t in types],
        "length": b - a,
        "words": end_word - first_word,
        "start": a / n,
        "inside": inside / total,
        "clause": (sums[clause_b] - sums[clause_a] - inside) / total,
        "left_gap": left_gap[a],
        "right_gap": right_gap[b],
        "left_mass": sums[a] - sums[np.maximum(a - 10, 0)],
        "right_mass": sums[np.minimum(b + 10, n)] - sums[b],
        "unit": [bool(u and u in question.units) for u in units],
        "other_unit": [bool(u and question.units and u not in question.units) for u in units],
        "echo_figure": _echoes(said, question.figures) if question.figures else 0,
        "left_mark": _marks(text, _LEFT)[a],
        "right_mark": _marks(text, _RIGHT)[b + 1],
        "clause_start": np.isin(a, clauses[:, 0]),
        "clause_end": np.isin(b, clauses[:, 1]),
        "organ": _ends(text, _ORGAN, b) <= b - a,
        "place": _ends(text, _PLACE, b) <= b - a,
        "post": _ends(text, _POST, b) <= b - a,
        "focus_end": [bool(focus) and stretch.endswith(focus) for stretch in said],
        "focus_after": [bool(focus) and text.startswith(focus, s.end) for s in spans],
        "near_focus": near_focus,
        "near_question": near_question,
        "same_type": [types.count(t) for t in types],
        "order": [types[: i + 1].count(t) for i, t in enumerate(types)],
        "has_digits": has_digits,
        "has_stop": stops[b] > stops[a],
        "wants_all": question.wants_all,
        "left_word_gap": _distance([end for _, end in _places(text, asked.left[:1])], a, -1),
        "right_word_gap": _distance([at for at, _ in _places(text, asked.right[:1])], b, 1),
        "left_word_gap2": _distance([end for _, end in _places(text, asked.left[1:2])], a, -1),
        "echo": [stretch in question.flat for stretch in said],
        "sentence_words": len(words),
        "of_sentence": (b - a) / n,
        "question_length": len(question.flat),
        "function_inside": functions[b] - functions[a],
        "is_title": titled[b] > titled[np.maximum(a - 1, 0)],
        "score": score,
        "gap": gap,
        "rank": rank,
        "figure_unitless": has_digits & np.array([not u for u in units]),
        "negated": negations[b] > negations[np.maximum(a - 3, 0)],
        "rarity": mean,
        "rarest": rarest,
    }
    out = np.empty((len(spans), len(SPAN_FEATURES)), dtype=np.float32)
    for i, name in enumerate(SPAN_FEATURES):
        out[:, i] = np.asarray(columns[name])
    return out


def _clause(clauses: NDArray[np.int64], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """The clause that holds each position, the first for a mark between two; rows of start and end."""
    i = np.maximum(np.searchsorted(clauses[:, 0], at, side="right") - 1, 0)
    return clauses[np.where(at < clauses[i, 1], i, 0)]


def _count(marks: Iterable[bool]) -> NDArray[np.int64]:
    """(n + 1,): how many of the first i are true."""
    return np.cumsum([0, *marks], dtype=np.int64)


def _count_at(places: Sequence[int], n: int) -> NDArray[np.int64]:
    """(n + 1,): how many of the places are before i."""
    marks = np.zeros(n + 1, dtype=np.int64)
    marks[np.array(places, dtype=np.int64) + 1] = 1
    return np.cumsum(marks)


def _rarities(
    rarities: Sequence[float], first: NDArray[np.int64], end: NDArray[np.int64]
) -> tuple[list[float], list[float]]:
    """Mean and highest rarity of the words [first, end) of each span: names are made of rare ones."""
    inside = [rarities[i:j] or (0.0,) for i, j in zip(first.tolist(), end.tolist(), strict=True)]
    return [sum(values) / len(values) for values in inside], [max(values) for values in inside]


def _gaps(matched: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n + 1,) each: distance from a position to the nearest matched character to its left, and to its right; at most 60."""
    n = len(matched)
    at = np.arange(n)
    last = np.maximum.accumulate(np.where(matched, at, -61))
    following = np.minimum.accumulate(np.where(matched, at, n + 60)[::-1])[::-1]
    left = np.concatenate([[60], np.minimum(at - last, 60)])
    return left, np.concatenate([np.minimum(following - at, 60), [60]])


def _similar(pool: Pool, sentence: Sentence, first: NDArray[np.int64], end: NDArray[np.int64]) -> Matrix:
    """(spans, 2): cosine of the words [first, end) of each span with the asked noun, and with the question."""
    words = sentence.words
    if not words:
        return np.zeros((len(first), 2), dtype=np.float32)
    vectors = pool.words([w for w, _ in words])
    sums = np.concatenate([np.zeros((1, vectors.shape[1]), np.float32), np.cumsum(vectors, axis=0)])
    means = sums[end] - sums[first]
    norms = np.linalg.norm(means, axis=1, keepdims=True)
    means = means / np.where(norms > 0, norms, 1.0)
    focus = pool.asked.question.focus
    target = pool.words([focus])[0] if focus else np.zeros(vectors.shape[1], np.float32)
    asked = pool.words(pool.asked.words).sum(axis=0)
    out: Matrix = np.stack([means @ target, means @ (asked / (np.linalg.norm(asked) or 1.0))], axis=1)
    return out


def _places(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    return [(m.start(), m.end()) for w in words for m in re.finditer(re.escape(w), text)]


def _distance(edges: Sequence[int], at: NDArray[np.int64], side: int) -> NDArray[np.int64]:
    """Characters from each position to the nearest edge on its left (side -1) or right (1); at most 60."""
    gaps = side * (np.array([*edges, -61 if side < 0 else 10**6])[None, :] - at[:, None])
    nearest: NDArray[np.int64] = np.where(gaps < 0, 60, gaps).min(axis=1)
    return np.minimum(nearest, 60)


def _marks(text: str, classes: Sequence[str]) -> NDArray[np.int64]:
    """(n + 2,): the class of the character before each position from 0 on; 0 at both ends, the number of classes for none."""
    known = {char: i for i, chars in reversed(list(enumerate(classes))) for char in chars}
    return np.array([0, *(known.get(char, len(classes)) for char in text), 0])


def _ends(text: str, endings: frozenset[str], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each position the length of the shortest ending that stands before it; ``FAR`` for none."""
    longest = max(map(len, endings))
    found = {
        end: next((k for k in range(1, min(longest, end) + 1) if text[end - k : end] in endings), FAR)
        for end in set(at.tolist())
    }
    return np.array([found[end] for end in at.tolist()])


def _echoes(said: Sequence[str], figures: Sequence[str]) -> list[bool]:
    """Whether each has figures, and none but the question's."""
    found = [re.findall(r"\d+(?:\.\d+)?", words) for words in said]
    return [bool(numbers) and all(f in figures for f in numbers) for numbers in found]
