"""A document at a glance, in its own words: 一句话、要点、数字、要求与期限, each with its citation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from index.embed import load_encoder
from index.figures import find_figures, find_undertakings
from index.records import GazetteError
from index.statements import sentences
from index.text import fold
from qa.cite import cite
from qa.keypoints import FRAME, POINTS, Point, pick, points_of, telling
from qa.records import Citation

if TYPE_CHECKING:
    from index.records import Document, Gazette, Source
    from index.statements import Figure, Undertaking


class Shelf(Protocol):
    """What is needed of an open index."""

    documents: Mapping[str, Document]

    @property
    def gazettes(self) -> tuple[Gazette, ...]: ...
    def gazette(self, source_id: str) -> Gazette: ...
    def source(self, source_id: str) -> Source: ...


FIGURES, DEMANDS = 8, 6
_PER_SENTENCE = 3  # figures: one sentence that lists twenty must not take every place
_DEMAND = re.compile(
    r"不得|严禁|禁止|必须|应(?!急|用|对|届|邀|聘)|不超过|不少于|不低于|不早于|一票否决|(?<![重主需必只摘概])要(?![求素点闻员件地])"
)
_DEMANDING = ("决定", "决议", "条例", "办法", "规定", "法律", "审议意见", "意见", "通知")


@dataclass(frozen=True, slots=True)
class Counted:
    """A figure of the document: what is counted, and how it is printed."""

    indicator: str
    printed: str
    period: str
    scope: str
    citation: Citation


@dataclass(frozen=True, slots=True)
class Demand:
    """What is to be done; ``deadline`` as printed and ``due`` its last day, both "" where no day is set."""

    task: str  # the clause of the citation that says it
    citation: Citation
    deadline: str = ""
    due: str = ""
    responsible: str = ""


@dataclass(frozen=True, slots=True)
class Digest:
    """A document at a glance. Every word shown stands in a citation, numbered through all four parts."""

    document_id: str
    document: str
    issue: str
    gist: Citation | None  # None of a document without a sentence: a list, a table
    points: tuple[Citation, ...]
    figures: tuple[Counted, ...]
    demands: tuple[Demand, ...]

    def to_json(self) -> dict[str, Any]:
        """The record, ready for ``json.dumps``."""
        return asdict(self)


def digest(document_id: str, index: Shelf) -> Digest:
    """A document at a glance.

    Raises:
        KeyError: if the index has no such document.
    """
    document = index.documents[document_id]
    source, gazette = index.source(document.source_id), index.gazette(document.source_id)
    points = points_of(document, source.text)
    said = sentences(replace(gazette, documents=(document,)), source)
    cited: dict[tuple[int, int], Citation] = {}

    def citation(start: int, end: int) -> Citation:
        if (start, end) not in cited:
            cited[start, end] = cite(len(cited) + 1, source, gazette, document, start, end, None)
        return cited[start, end]

    gist: Citation | None = None
    best: list[Point] = []
    scores = np.zeros(0)
    if points:
        encoder = load_encoder()  # the shipped one, whatever the index was made with: the weights were set with it
        vectors = encoder.encode_document([point.text for point in points])
        scores = telling(points, document.kind, vectors)
        title = encoder.encode_document([document.title])[0]
        framed = [-np.inf if FRAME.search(point.text) else 0.0 for point in points]
        first = int(np.argmax(scores + 1.5 * (vectors @ title) + framed))
        gist = citation(*points[first].span)
        others = [i for i in pick(points, scores, vectors, POINTS + 1) if i != first]
        best = [points[i] for i in sorted(others[:POINTS])]
    chosen = tuple(citation(*point.span) for point in best)
    figures = tuple(
        Counted(f.indicator, f.printed, f.period, f.scope, citation(f.said.start, f.said.end))
        for f in _figures(find_figures(said, source), points, scores)
    )
    due = find_undertakings(said, source)[:DEMANDS]
    demands = tuple(Demand(u.task, citation(u.said.start, u.said.end), u.deadline, u.due, u.responsible) for u in due)
    more = _demands(document, points, scores, due)
    demands += tuple(Demand(point.text, citation(*point.span)) for point in more[: DEMANDS - len(demands)])
    return Digest(document.id, document.title, gazette.issue, gist, chosen, figures, demands)


def find_document(title: str, index: Shelf) -> str:
    """The id of the document of this title, or of the only one whose title holds these words.

    Raises:
        GazetteError: if there is none, or more than one.
    """
    wanted = fold(title)
    titles = [(document.id, document.title) for gazette in index.gazettes for document in gazette.documents]
    found = [(i, t) for i, t in titles if fold(t) == wanted] or [(i, t) for i, t in titles if wanted in fold(t)]
    if not found or not wanted:
        raise GazetteError(f"没有标题含“{title}”的文件：用 gazette-index list 看有哪些")
    if len(found) > 1:
        listed = "\n".join(f"  {t}" for _, t in found[:10])
        raise GazetteError(f"有 {len(found)} 份文件的标题含“{title}”，请写得更全：\n{listed}")
    return found[0][0]


def shown(digest: Digest) -> str:
    """The digest as a person reads it in a terminal."""
    lines = [f"《{digest.document}》 {digest.issue}"]
    if digest.gist:
        lines += ["", "一句话", f"  {_quote(digest.gist)}"]
    if digest.points:
        lines += ["", "要点", *(f"  · {_quote(point)}" for point in digest.points)]
    if digest.figures:
        lines += ["", "数字"]
        lines += [f"  · {f.period} {f.indicator}：{f.printed} [{f.citation.n}]" for f in digest.figures]
    if digest.demands:
        lines += ["", "要求与期限"]
        lines += [f"  · {d.task}{f'（{d.deadline}）' if d.deadline else ''} [{d.citation.n}]" for d in digest.demands]
    return "\n".join(lines) if len(lines) > 1 else f"{lines[0]}\n\n这份文件没有可摘的句子（可能是名单或表格）。"


def _quote(citation: Citation) -> str:
    return f"{citation.quote.replace('**', '')} [{citation.n}]"


def _figures(found: Sequence[Figure], points: Sequence[Point], scores: np.ndarray[Any, Any]) -> list[Figure]:
    """The figures of the most telling sentences, those that say what they count, in order of the text."""
    worth = {point.span[1]: float(score) for point, score in zip(points, scores, strict=True)}
    ranked = sorted((f for f in found if f.indicator), key=lambda f: -_worth(f.said.start, f.said.end, points, worth))
    chosen: list[Figure] = []
    for figure in ranked:
        alike = [f for f in chosen if f.said.start == figure.said.start]
        if len(alike) < _PER_SENTENCE and all(f.printed != figure.printed for f in alike):
            chosen.append(figure)
        if len(chosen) == FIGURES:
            break
    return sorted(chosen, key=found.index)


def _worth(start: int, end: int, points: Sequence[Point], worth: dict[int, float]) -> float:
    """How telling a stretch is: as the best point inside it."""
    return max((worth[p.span[1]] for p in points if start <= p.span[0] < end), default=0.0)


def _demands(
    document: Document, points: Sequence[Point], scores: np.ndarray[Any, Any], due: Sequence[Undertaking]
) -> list[Point]:
    """Sentences that demand something, of a document that may, most telling first; none that a deadline stands in."""
    if document.kind not in _DEMANDING:
        return []
    order = sorted(range(len(points)), key=lambda i: -scores[i])
    return [
        points[i]
        for i in order
        if _DEMAND.search(points[i].text) and not any(u.said.start <= points[i].span[0] < u.said.end for u in due)
    ]
