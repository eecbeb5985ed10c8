"""Practice questions made from running text: a span is taken out of its sentence and asked for in a reader's words.

They teach the pointer which of several figures, names and phrases of a sentence belongs to the words around it, before
it sees the few questions that people wrote. After Lewis et al. (ACL 2019, unsupervised question answering by cloze
translation); words are dropped and exchanged for their neighbours or for readers' words, as readers seldom repeat them.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.embed import shipped_tokenizer
from index.wordvectors import shipped_words
from qa.candidates import Sentence, Span, context_sentences
from qa.vocabulary import shipped_vocabulary
from qa.words import FUNCTION, cut

SHORTEST, LONGEST = 14, 160  # characters of a sentence
DROPPED, EXCHANGED, LAY = 0.2, 0.12, 0.5
_ASKING: dict[str, tuple[str, ...]] = {
    "amount": ("多少钱", "多少", "多少资金", "多少{unit}"),
    "percent": ("多少", "百分之多少", "多大比例", "百分之几"),
    "date": ("什么时候", "何时", "哪天", "哪年", "啥时候", "到什么时候", "哪一年"),
    "time": ("几点", "什么时候"),
    "duration": ("多久", "多长时间", "多少{unit}", "几{unit}"),
    "number": ("多少{unit}", "几{unit}", "多少", "多少{unit}"),
    "ordinal": ("第几{unit}", "第几"),
    "person": ("谁", "哪位", "什么人", "哪个人"),
    "document": ("哪个文件", "什么文件", "哪部法规", "什么", "哪份报告"),
    "quoted": ("什么", "啥", "叫什么", "哪个"),
    "enumeration": ("哪些", "什么", "哪几个", "哪几类", "什么东西"),
    "clause": ("什么", "怎么样", "什么情况"),
    "tail": ("什么", "怎么做", "干什么", "哪些事"),
    "words": ("什么", "啥", "哪个"),
}
_ORGANISATION = re.compile(r"(?:局|委|厅|办|部|部门|公司|集团|法院|检察院|机关|单位|政府|委员会|中心|学校|银行)$")
_PLACE = re.compile(r"(?:省|市|县|区|镇|乡|村|街|路|港|湾|山|湖|岛)$")
_WHY = re.compile(r"^(?:为了?|由于|因为?)")
_KINDS = ("number", "amount", "percent", "date", "duration", "time", "ordinal", "person", "document", "quoted")


@dataclass(frozen=True, slots=True)
class Cloze:
    """A practice question, the stretch of text it is about, and where the answer stands in it."""

    question: str
    text: str
    start: int
    end: int
    without: str  # the text with the answer's sentence left out


def clozes(passage: str, rng: random.Random, most: int = 3) -> Iterator[Cloze]:
    """Up to ``most`` questions about a passage, each about another sentence."""
    sentences = [s for s in context_sentences(passage) if SHORTEST <= len(s.text) <= LONGEST]
    rng.shuffle(sentences)
    for sentence in sentences[:most]:
        span = _chosen(sentence, rng)
        if span is None:
            continue
        question = _question(sentence, span, rng)
        start, end = sentence.source_span(span.start, span.end)
        whole = sentence.source_span(0, len(sentence.text))
        if question:
            yield Cloze(question, passage, start, end, passage[: whole[0]] + passage[whole[1] :])


def _chosen(sentence: Sentence, rng: random.Random) -> Span | None:
    """A figure, name or title twice as often as a phrase; of phrases those that say something."""
    typed = [s for s in sentence.typed if s.type in _KINDS]
    if typed and rng.random() < 0.7:
        # 全部公办 beside 206所: a lone digit is no answer
        return rng.choice([s for s in typed if s.end - s.start > 1] or typed)
    free = [
        s
        for s in sentence.spans
        if s.type in {"quoted", "enumeration", "clause", "tail", "words"}
        and 2 <= s.end - s.start <= 0.6 * len(sentence.text)
        and (s.type != "words" or s.end - s.start >= 3)
    ]
    if not free:
        return None
    kind = rng.choice(sorted({s.type for s in free}))
    return rng.choice([s for s in free if s.type == kind])


def _question(sentence: Sentence, span: Span, rng: random.Random) -> str:
    """The words around the span, some left out or exchanged, with the span asked for; "" where too few are left."""
    text = sentence.flat
    clauses = sentence.clauses
    home = next((n for n, (a, b) in enumerate(clauses) if a <= span.start < b), 0)
    first = max(0, home - rng.choice((0, 0, 1, 1, 2)))
    last_end = max(clauses[home][1], span.end)
    after = clauses[home + 1][1] if home + 1 < len(clauses) and rng.random() < 0.25 else last_end
    begin = clauses[first][0]
    before_words = [text[begin : span.start]]
    before, behind = _reworded(before_words[0], rng), _reworded(text[span.end : max(after, span.end)], rng)
    if sum(len(w) for w in (*before, *behind)) < 3:
        return ""
    asking = _asking(text, span, rng)
    if asking in {"为什么", "为何", "为啥", "什么原因"}:
        return asking + "".join((*before, *behind))
    if rng.random() < 0.3:  # at the end: 小学在校学生是多少人
        return "".join((*before, *behind)) + rng.choice(("是", "", "有", "")) + asking
    return "".join((*before, asking, *behind))


def _asking(text: str, span: Span, rng: random.Random) -> str:
    said = text[span.start : span.end]
    if span.type in {"clause", "tail"} and _WHY.match(said):
        return rng.choice(("为什么", "为何", "为啥", "什么原因"))
    if span.type in {"words", "quoted", "clause"}:
        if _ORGANISATION.search(said):
            return rng.choice(("哪个部门", "谁", "哪个单位", "什么机构", "哪家单位"))
        if _PLACE.search(said):
            return rng.choice(("哪里", "哪个地方", "哪儿", "什么地方"))
    unit = span.unit or ("次" if span.type == "ordinal" else "")
    return rng.choice(_ASKING.get(span.type, ("什么",))).format(unit=unit)


def _reworded(text: str, rng: random.Random) -> list[str]:
    """The words of a stretch in order, punctuation gone, official words partly in readers' words."""
    out: list[str] = []
    at = 0
    lay = _lay_words()
    while at < len(text):
        official = next((text[at : at + n] for n in range(8, 1, -1) if text[at : at + n] in lay), "")
        if official and rng.random() < LAY:
            out.append(rng.choice(lay[official]))
            at += len(official)
            continue
        word = next((w for w, _ in cut(text[at : at + 8])), "")
        start = text.find(word, at) if word else -1
        if start < 0 or start > at:
            at = start if start > at else at + 1
            continue
        at += len(word)
        if word in FUNCTION and rng.random() < 0.5:
            continue
        roll = rng.random()
        if roll < DROPPED:
            continue
        out.append(_neighbour(word, rng) if roll < DROPPED + EXCHANGED else word)
    return out


def _neighbour(word: str, rng: random.Random) -> str:
    number = shipped_tokenizer().token_to_id(word)
    near = shipped_words().nearest(number, 4) if number is not None and len(word) > 1 else []
    near = [(n, c) for n, c in near if c >= 0.5]
    return shipped_words().word(rng.choice(near)[0]) if near else word


_reversed: dict[str, list[str]] = {}


def _lay_words() -> dict[str, list[str]]:
    """Official word -> readers' words for it."""
    if not _reversed:
        table = defaultdict(list)
        for entries in shipped_vocabulary().entries.values():
            for e in entries:
                table[e.official].append(e.lay)
        _reversed.update(table)
    return _reversed


def stretches(texts: Sequence[str], rng: random.Random, longest: int = 260) -> Iterator[str]:
    """Texts in stretches of whole sentences, each at most about ``longest`` characters and of a drawn length."""
    for text in texts:
        now, room = "", rng.randint(40, longest)
        for sentence in re.findall(r"[^。！？；\n]*[。！？；\n]|[^。！？；\n]+$", text):
            if now and len(now) + len(sentence) > room:
                yield now
                now, room = "", rng.randint(40, longest)
            now += sentence
        if now.strip():
            yield now
