"""要点 without a model: the few sentences that tell most of a document, or most about a question, word for word.

Of a document, those are the sentences that open a part, that count or rule something, that name what is wrong, and
that are near to what the rest says. What was compared, with figures: docs/models.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from index.text import fold
from qa.candidates import DocumentSentences, Sentence
from qa.cite import cite
from qa.orders import addresses_a_model
from qa.records import Answer, Citation, Summary, SummarySentence
from qa.words import content, cut, flat, rarity

if TYPE_CHECKING:
    from index.records import Document, Kind
    from index.store import Index

Scores = npt.NDArray[np.float64]

POINTS = 5  # more no longer fit a glance, nor a small model's attention
SHORTEST, LONGEST = 14, 160  # characters: below it is a label, above it no one reads it at a glance
HITS = 5  # passages that the points of an answer are taken from
ABOUT, AGAIN = 0.5, 0.3  # the least share of a question in a point of its answer; the worth of a word said before
_RULING: frozenset[Kind] = frozenset({"决定", "决议", "条例", "办法", "规定", "法律"})
# What numbers a sentence or ties it to the one before, and is no part of what it says.
_LEAD = re.compile(
    r"(?:\*\*|第[一二三四五六七八九十百]+条|[（(]?[一二三四五六七八九十\d]{1,3}[）)、.．]|[一二三四五六七八九十][是要]|"
    r"(?:其中|另外|此外)[，,]|同时[，,]?|\s)+"
)
_FIGURE = re.compile(r"\d+(?:\.\d+)?")
_NO_FIGURE = re.compile(r"\d{4}年|\d{1,2}月|\d{1,2}日|〔\d+〕|第\d+|《[^《》]*》")
_TOTAL = re.compile(r"全市|我市|全年|累计|共|总|三年|现有|调整后|以来")
_WRONG = re.compile(r"不足|不够|不高|不强|单一|紧缺|薄弱|有待|差距|问题|弱|难")
_RULE = re.compile(r"不得|应当?|必须|不超过|不低于|不早于|达到|分为|内(?!容)|施行|废止|确保")
_SLOGAN = re.compile(
    r"高度重视|习近平|总书记|上下功夫|始终坚持|紧紧围绕|提高政治站位|指导意见|我们将|庆祝|再立新功|新的贡献|常抓"
)
_HANGING = re.compile(r"(?:这|该|此|其|他|它|对此|以上|为此|因此|并|但|（)")
FRAME = re.compile(r"请予审议|各位|(?:报告|汇报)如下|说明如下|列席|按照会议安排|^附|听取汇报|[:：]$")


@dataclass(frozen=True)
class Point:
    """A sentence without what numbers it: ``start`` is where it begins to say something."""

    sentence: Sentence
    start: int
    part: str  # the outermost heading it stands under

    @cached_property
    def text(self) -> str:
        return self.sentence.text[self.start :].replace("**", "")

    @property
    def span(self) -> tuple[int, int]:
        """Where it stands in the source."""
        return self.sentence.source_span(self.start, len(self.sentence.text))

    @cached_property
    def words(self) -> frozenset[str]:
        return _words(self.text)


def points_of(document: Document, text: str) -> list[Point]:
    """The sentences of a document that could be a point, in order; ``text`` is the source's.

    Headings, tables and signatures are none, nor is any sentence of a paragraph that speaks to a language model.
    """
    sentences = DocumentSentences(document, text)
    return [
        point
        for i, paragraph in enumerate(document.paragraphs)
        if paragraph.kind in ("text", "item")
        for point in _points(sentences.paragraph(i))
    ]


def telling(points: Sequence[Point], kind: Kind, vectors: npt.NDArray[np.float32]) -> Scores:
    """How much of its document each point tells; ``vectors`` are unit rows, one a point.

    The weights were set on the seven development documents of eval/gold/keypoints.jsonl.
    """
    opened: set[str] = set()
    scores = []
    for point in points:
        text, sentence = point.text, point.sentence
        figures = len(_FIGURE.findall(_NO_FIGURE.sub("", text)))
        about_faults = any("问题" in heading or "不足" in heading for heading in sentence.headings)
        scores.append(
            0.6 * (point.part not in opened)
            + 0.3 * (sentence.position == 0)
            + 1.2 * min(3, figures) / 3
            + 0.4 * (figures > 0 and bool(_TOTAL.search(text)))
            + 0.6 * (about_faults and bool(_WRONG.search(text)))
            + 0.6 * (kind in _RULING and bool(_RULE.search(text)))
            - 0.8 * bool(_SLOGAN.search(text))
            - 0.8 * bool(_HANGING.match(text))
            - 3.0 * bool(FRAME.search(text))
            - 0.6 * (len(text) < 25)
            - 0.3 * (len(text) > 110)
        )
        opened.add(point.part)
    return np.array(scores) + centrality(vectors)


def centrality(vectors: npt.NDArray[np.float32], damping: float = 0.85) -> Scores:
    """How near each row is to the rest, 1 for the nearest: the stationary weights of a walk along the similarities.

    Source: Erkan & Radev, LexRank, JAIR 2004 (continuous LexRank).
    """
    n = len(vectors)
    similar = np.clip(vectors @ vectors.T, 0, None).astype(np.float64)
    np.fill_diagonal(similar, 0)
    steps = similar / np.maximum(similar.sum(axis=1, keepdims=True), 1e-9)
    weights = np.full(n, 1 / max(n, 1))
    for _ in range(50):
        weights = (1 - damping) / max(n, 1) + damping * (steps.T @ weights)
    return np.asarray(weights / max(weights.max(initial=0), 1e-9))


def pick(points: Sequence[Point], scores: Scores, vectors: npt.NDArray[np.float32], limit: int = POINTS) -> list[int]:
    """Indices of at most ``limit`` points, best first, each less what is like one chosen before it or of its part.

    Source: Carbonell & Goldstein, maximal marginal relevance, SIGIR 1998.
    """
    chosen: list[int] = []
    taken: dict[str, int] = {}
    while len(chosen) < min(limit, len(points)):
        like = np.max(vectors @ vectors[chosen].T, axis=1) if chosen else np.zeros(len(points))
        crowd = np.array([taken.get(point.part, 0) for point in points])
        left = scores - 0.5 * like - 0.5 * crowd
        left[chosen] = -np.inf
        best = int(np.argmax(left))
        chosen.append(best)
        taken[points[best].part] = taken.get(points[best].part, 0) + 1
    return chosen


def key_points(answer: Answer, index: Index, limit: int = POINTS) -> Answer:
    """The answer with a summary of at most ``limit`` sentences: its own citations and others from its passages.

    Those are chosen by the rarity of the question's words they hold, a word that was said before counting less; a
    sentence with little of the question is none. Each gets a citation after the answer's own; the summary is in the
    order of the text. An abstention is given back as it is.
    """
    if answer.status == "not_found" or not answer.citations:
        return answer
    asked = {w: rarity(w) for w in content([w for w, _ in cut(flat(answer.resolved_question))])}
    citations = list(answer.citations)
    quoted = [_words(c.quote) for c in citations]
    said = set().union(*quoted)
    found = [
        point
        for point in _near(answer, index)
        if sum(v for w, v in asked.items() if w in point.words) >= ABOUT * sum(asked.values())
        and not any(_meets(point, c.source_id, c.start, c.end) for c in citations)
        and not any(_alike(point.words, words) for words in quoted)
    ]
    more: list[Point] = []
    while len(citations) + len(more) < limit and found:
        gains = [sum(v * (AGAIN if w in said else 1) for w, v in asked.items() if w in p.words) for p in found]
        more.append(found.pop(max(range(len(found)), key=gains.__getitem__)))
        said |= more[-1].words
        found = [p for p in found if not _alike(p.words, more[-1].words)]
    for point in sorted(more, key=lambda p: (p.sentence.source_id, p.span)):
        source = index.source(point.sentence.source_id)
        document = index.documents[point.sentence.document_id]
        citations.append(cite(len(citations) + 1, source, index.gazette(source.id), document, *point.span, None))
    return replace(answer, citations=tuple(citations), summary=Summary("extract", tuple(_said(citations[:limit]))))


def _said(citations: Sequence[Citation]) -> list[SummarySentence]:
    """The quotes in the order of the text, each once, with all citations that hold it word for word."""
    held: dict[str, list[Citation]] = {}
    for citation in sorted(citations, key=lambda c: (c.source_id, c.start)):
        held.setdefault(fold(citation.quote), []).append(citation)
    return [SummarySentence(same[0].quote, tuple(c.n for c in same), "verbatim") for same in held.values()]


def _near(answer: Answer, index: Index) -> list[Point]:
    """The points that stand in the answer's first passages, each once, best passage first."""
    found: dict[tuple[str, tuple[int, int]], Point] = {}
    for hit in answer.passages[:HITS]:
        passage = hit.passage
        document = index.documents[passage.document_id]
        sentences = DocumentSentences(document, index.source(passage.source_id).text)
        for i in sentences.between(passage.start, passage.end):
            if document.paragraphs[i].kind in ("text", "item"):
                for point in _points(sentences.paragraph(i)):
                    if _meets(point, passage.source_id, passage.start, passage.end):
                        found.setdefault((passage.source_id, point.span), point)
    return list(found.values())


def _points(sentences: Sequence[Sentence]) -> Iterable[Point]:
    if any(addresses_a_model(sentence.text) for sentence in sentences):
        return
    for sentence in sentences:
        lead = _LEAD.match(sentence.text)
        point = Point(sentence, lead.end() if lead else 0, sentence.headings[0] if sentence.headings else "")
        if SHORTEST <= len(point.text) <= LONGEST:
            yield point


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether two sentences of these words say the same: an opinion often repeats the report it was made from."""
    return len(one & other) > 0.7 * len(one | other)


def _words(text: str) -> frozenset[str]:
    return frozenset(content([word for word, _ in cut(flat(text))]))


def _meets(point: Point, source_id: str, start: int, end: int) -> bool:
    a, b = point.span
    return point.sentence.source_id == source_id and a < end and start < b
