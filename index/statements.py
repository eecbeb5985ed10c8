"""The nouns of the ledgers: what a gazette says that can be put in a table, each with its sentence and place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from index.records import Document, Gazette, Paragraph, Source
from index.text import Folded, folded, readable


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of a document, as the proof of a fact. ``start`` and ``end`` are offsets into the source text."""

    document_id: str
    document: str  # title
    start: int
    end: int
    sentence: str  # as read: cuts of pages bridged


@dataclass(frozen=True, slots=True)
class Appointment:
    """Somebody is given an office or leaves it."""

    person: str
    action: str  # 任命, 决定任命, 免去, 接受辞职, 选举 …
    post: str
    said: Statement


@dataclass(frozen=True, slots=True)
class Vote:
    """A count of votes or of people present: how many chose ``option`` on ``subject``."""

    subject: str  # the report voted on; 会议 for attendance
    option: str  # 满意, 赞成, 出席, 请假, 实有 …
    count: int
    unit: str  # 票 or 人
    percent: float | None  # as printed
    names: tuple[str, ...]  # of those present or absent, where they are listed
    said: Statement


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its unit, and what, when and where it counts."""

    indicator: str  # 义务教育阶段学校
    value: float  # 206; in single units: 11.5万人 is 115000
    printed: str  # 206所
    unit: str  # 所
    qualifier: str  # 余, 近, 以上 … as printed, "" where the number is plain
    period: str  # 2019年以来, 目前, "" where none is said
    scope: str  # 全市, 某某区, "" where none is said
    said: Statement


@dataclass(frozen=True, slots=True)
class Undertaking:
    """Something to be done by a day."""

    task: str  # the clause
    deadline: str  # as printed: 2023年前
    due: str  # the last day of it, ISO: 2022-12-31 for 2023年前
    responsible: str  # who is named in the sentence; else who made the document
    said: Statement


@dataclass(frozen=True, slots=True)
class Link:
    """One document speaks of another: a report answers an opinion, an explanation explains a draft."""

    document_id: str
    relation: str  # 落实 审议 说明 批准 审查
    target: str  # title of the other document, as named
    target_id: str | None  # None where the gazette does not hold it
    said: Statement


@dataclass(frozen=True, slots=True)
class Status:
    """What holds: a regulation comes into force, is provisional, amended or repealed."""

    subject: str  # the title it is said of
    state: str  # 施行 试行 废止 修改
    date: str | None  # ISO
    number: str  # its document number: 某人发〔2019〕45号, "" where none is printed
    said: Statement


@dataclass(frozen=True, slots=True)
class Check:
    """Two places of a gazette that should agree."""

    kind: str  # 百分比 合计 名称 届次 目录 人数
    consistent: bool
    message: str  # ends in 请核对原文 where they do not agree
    said: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its folded view: no white space, half-width, so that patterns see 33票 for 33 票."""

    document: Document
    paragraph: Paragraph
    view: Folded = field(repr=False)
    start: int  # in ``view.text``
    end: int

    @property
    def text(self) -> str:
        return self.view.text[self.start : self.end]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the source text of [start, end) of ``text``."""
        return self.view.span(self.start + start, self.start + end)

    def statement(self, source: Source) -> Statement:
        start, end = self.view.span(self.start, self.end)
        sentence = readable(source.text[start:end]).replace("**", "")
        return Statement(self.document.id, self.document.title, start, end, sentence)

    def words(self, source: Source, start: int, end: int) -> str:
        """The source's own words for [start, end) of ``text``."""
        a, b = self.span(start, end)
        return readable(source.text[a:b]).replace("**", "")


_LONGEST = 2_000  # characters: what is longer is no sentence, and patterns would take long over it
_END = re.compile(r"[。!?]+[\"'”’」』)]*|$")


def sentences(gazette: Gazette, source: Source) -> list[Sentence]:
    """The sentences of all documents but the front matter, in order; a table is one sentence a row."""
    return [
        sentence
        for document in gazette.documents
        if document.kind != "封面"
        for paragraph in document.paragraphs
        for sentence in _sentences_of(document, paragraph, source)
    ]


def _sentences_of(document: Document, paragraph: Paragraph, source: Source) -> Iterator[Sentence]:
    if paragraph.kind == "table":
        at = paragraph.start
        for row in source.text[paragraph.start : paragraph.end].splitlines(keepends=True):
            view = folded(row, at)
            if view.text:
                yield Sentence(document, paragraph, view, 0, len(view.text))
            at += len(row)
        return
    view = folded(source.text[paragraph.start : paragraph.end], paragraph.start)
    start = 0
    for match in _END.finditer(view.text):
        for at in range(start, match.end(), _LONGEST):
            yield Sentence(document, paragraph, view, at, min(at + _LONGEST, match.end()))
        start = match.end()
