"""The nouns of the index: what a file, a gazette, a document, a passage and a hit are.

All offsets are code points into ``Source.text``; ``start`` is inside, ``end`` is not.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "报告", "决定", "决议", "条例", "办法", "规定", "法律", "说明", "审议意见", "意见", "纪要", "议程", "名单",
    "通知", "公告", "封面", "其他",
]  # fmt: skip
"""What a gazette document is: report, decision, resolution, regulation, measure, rules, law, explanation, deliberation
opinion, opinion, minutes, agenda, list, notice, announcement; the front matter (cover, catalogue); anything else."""

ParagraphKind = Literal["title", "heading", "text", "item", "table", "byline", "note"]


class GazetteError(Exception):
    """Something a user can act on; the message says what was met, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file as read: its text exactly as found (or as its format's reader gave it) and how it was decoded."""

    id: str  # the first 16 hex digits of sha256: the same bytes are the same source under any name
    name: str  # the file's name, for people; never used as a path
    text: str
    sha256: str  # of the file's bytes
    encoding: str = "utf-8"
    page_starts: tuple[int, ...] = ()  # where each page begins; empty where the format has no pages
    notes: tuple[str, ...] = ()  # what a reader should know: "3 个字节损坏，已替换"

    def page_at(self, offset: int) -> int | None:
        """The page of an offset, counted from 1, or None where the format has no pages."""
        return bisect_right(self.page_starts, offset) or None if self.page_starts else None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph of a document, whole: a page or column change inside it is in ``joins``, not a new paragraph."""

    n: int  # counts within the document, from 1
    start: int
    end: int
    kind: ParagraphKind = "text"
    headings: tuple[str, ...] = ()  # the headings above it, outermost first: ("二、主要做法", "（一）强化政策引领")
    article: str | None = None  # 第九条, where it stands in one (without spaces, 條 as 条)
    joins: tuple[int, ...] = ()  # offsets of cuts that were bridged


@dataclass(frozen=True, slots=True)
class Document:
    """One item of a gazette: a report, a decision, the minutes, ... with the paragraphs of its body."""

    id: str  # source id + ordinal, "3f2a…-07": stable over rebuilds
    source_id: str
    n: int  # order in the gazette, from 1; the front matter is 0
    title: str
    kind: Kind
    start: int
    end: int
    paragraphs: tuple[Paragraph, ...] = ()
    organ: str | None = None  # who issued or made it: 营口市人民政府
    speaker: str | None = None  # who delivered it, without padding: 金莉
    date: str | None = None  # ISO, 2021-06-10
    session: str | None = None  # 第十六届…第三十四次会议, as printed


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """A line of the catalogue 目录: what the gazette says it holds."""

    n: int
    title: str
    page: int | None  # as printed
    document_id: str | None  # the document found for it, None if its body was not found


@dataclass(frozen=True, slots=True)
class Gazette:
    """One issue: its card (organ, year, numbers), its catalogue and its documents in order."""

    source_id: str
    title: str  # 营口市人民代表大会常务委员会公报; the file's name where the text has no card
    organ: str | None = None  # 营口市人民代表大会常务委员会
    year: int | None = None
    number: int | None = None  # 第3号
    total_number: int | None = None  # 总第31期
    catalogue: tuple[CatalogueItem, ...] = ()
    documents: tuple[Document, ...] = ()

    @property
    def issue(self) -> str:
        """The issue as one writes it: 营口市人民代表大会常务委员会公报 2021年第3号."""
        year = f"{self.year}年" if self.year is not None else ""
        number = f"第{self.number}号" if self.number is not None else ""
        return f"{self.title} {year}{number}".strip()


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one document, small enough to embed and to quote: ``source.text[start:end] == text``."""

    id: str  # stable: source id + offsets, so citations outlive a rebuild
    source_id: str
    document_id: str
    document: str  # the document's title
    headings: tuple[str, ...]
    start: int
    end: int
    text: str
    article: str | None = None
    paragraph: int = 1  # of its first character, within the document
    page: int | None = None

    @property
    def context(self) -> str:
        """Title and headings: put before the text for searching, never for quoting."""
        return " ".join((self.document, *self.headings))


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question. ``dense`` and ``lexical`` are the scores of the legs that found it."""

    passage: Passage
    score: float
    dense: float | None = None
    lexical: float | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """What to search in; None is no limit. Applied in both legs, before ranking."""

    gazette: str | None = None  # source id
    year_from: int | None = None
    year_to: int | None = None
    kind: str | None = None
    organ: str | None = None
    speaker: str | None = None
    document: str | None = None  # document id
    date_from: str | None = None  # ISO, of the document: 2021-06-10
    date_to: str | None = None

    @property
    def is_empty(self) -> bool:
        return self == Filter()


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one input file."""

    name: str
    outcome: Literal["indexed", "unchanged", "duplicate", "skipped", "removed"]
    reason: str = ""  # why it was skipped, or whose duplicate it is
    source_id: str | None = None
    documents: int = 0
    passages: int = 0
    notes: tuple[str, ...] = field(default=())
