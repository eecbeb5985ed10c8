"""A document's text as HTML: paragraphs as printed, quotes marked at their offsets, page joins shown softly."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from index.records import Document, Paragraph, ParagraphKind, Source
from index.text import is_invisible, is_wide
from page.markup import bold_marks, hit_words, safe, tag
from page.strings import Language, say
from qa.records import Citation

WINDOW = 60_000  # characters of one sheet; a longer document is shown in stretches, or the browser stalls


@dataclass(frozen=True, slots=True)
class Mark:
    """A quoted stretch of the source text, and the answering words in it (equal offsets where there are none)."""

    n: int
    start: int
    end: int
    hit_start: int = 0
    hit_end: int = 0
    focus: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a document that is shown, as offsets; ``earlier`` and ``later`` say where the next ones begin."""

    start: int
    end: int
    earlier: int | None
    later: int | None


def mark(citation: Citation, text: str, *, focus: bool = False) -> Mark:
    """The mark of a citation in its source text.

    Quotes close white space up, so the answer is found by counting visible characters, not by its words: the same
    number may stand twice in a quote.
    """
    hit_start = hit_end = 0
    if citation.answer_start < citation.answer_end:
        visible = [i for i in range(citation.start, citation.end) if _visible(text[i])]
        before = sum(map(_visible, citation.quote[: citation.answer_start]))
        length = sum(map(_visible, citation.quote[citation.answer_start : citation.answer_end]))
        if length and before + length <= len(visible):
            hit_start, hit_end = visible[before], visible[before + length - 1] + 1
    return Mark(citation.n, citation.start, citation.end, hit_start, hit_end, focus)


def window(document: Document, text: str, at: int) -> Window:
    """The stretch of the document around an offset, whole blocks, about ``WINDOW`` characters."""
    starts = [b.start for b in _blocks(document, text)] or [document.start]
    if document.end - document.start <= WINDOW:
        return Window(document.start, document.end, None, None)
    # A third before the place and the rest after it: what is asked for is read on from.
    begin = max((s for s in starts if s <= max(document.start, at - WINDOW // 3)), default=document.start)
    end = min((s for s in starts if s >= begin + WINDOW), default=document.end)
    earlier = max(document.start, begin - WINDOW // 2) if begin > starts[0] else None
    return Window(begin, end, earlier, end if end < document.end else None)


def body(source: Source, document: Document, marks: Sequence[Mark], language: Language, shown: Window) -> str:
    """The document's text between the window's offsets. Every character that can be seen is in it."""
    printed = _Printed(source.text, tuple(marks), language)
    out: list[str] = []
    inside = [b for b in _blocks(document, source.text) if b.start < shown.end and b.end > shown.start]
    for is_table, group in groupby(inside, key=lambda b: b.kind == "table"):
        if is_table:
            rows = "".join(printed.row(row) for b in group for row in _rows(source.text, b))
            out.append(tag("div", tag("table", tag("tbody", rows)), class_="table", tabindex=0))
        else:
            out.extend(printed.block(b) for b in group)
    return "".join(out)


def _blocks(document: Document, text: str) -> list[Paragraph]:
    """The document's paragraphs, and whatever visible text lies between them, in order."""
    blocks: list[Paragraph] = []
    edge = document.start
    for paragraph in (*document.paragraphs, Paragraph(0, document.end, document.end)):
        if paragraph.start > edge:
            blocks.extend(_gap(text, edge, paragraph.start))
        if paragraph.end > max(edge, paragraph.start):
            blocks.append(paragraph)
        edge = max(edge, paragraph.end)
    return blocks


def _gap(text: str, start: int, end: int) -> Iterator[Paragraph]:
    """Text in no paragraph (a file without structure, a rule between pages), cut at empty lines."""
    for match in re.finditer(r"\S(?:.|\n(?![ \t]*\n))*", text[start:end]):
        if any(c.isalnum() for c in match.group()):  # not "---", nor the marks of an empty heading
            yield Paragraph(0, start + match.start(), start + match.end())


_TABLE_TAG = re.compile(r"</?(table|thead|tbody|tfoot|tr|td|th)\b[^<>]*>", re.I)
_RULE = re.compile(r"[\s|:\-]*")  # the line under a Markdown table's head

Span = tuple[int, int]


def _rows(text: str, block: Paragraph) -> Iterator[list[Span]]:
    """The cells of a table's rows, parted by tabs, pipes or HTML's own tags; all its words are in some cell."""
    if _TABLE_TAG.search(text, block.start, block.end):
        yield from _html_rows(text, block)
        return
    for line in re.finditer(r"[^\n]+", text[block.start : block.end]):
        start, end = block.start + line.start(), block.start + line.end()
        if line[0].lstrip().startswith("|"):
            if _RULE.fullmatch(line[0]):
                continue
            edges = [i for i in range(start, end) if text[i] == "|"]
            edges += [end] if text[edges[-1] + 1 : end].strip() else []
        else:
            edges = [start - 1, *(i for i in range(start, end) if text[i] == "\t"), end]
        yield [(a + 1, b) for a, b in pairwise(edges)]


def _html_rows(text: str, block: Paragraph) -> Iterator[list[Span]]:
    row: list[Span] = []
    at = block.start
    for found in (*_TABLE_TAG.finditer(text, block.start, block.end), None):
        end = found.start() if found else block.end
        opens_cell = found is not None and found[1].lower() in ("td", "th") and found[0][1] == "/"
        if text[at:end].strip() or opens_cell:
            row.append((at, end))
        if found is None or found[1].lower() == "tr":
            if row:
                yield row
            row = []
        at = found.end() if found else end


_ARTICLE = re.compile(r"[ \t]*(?:#{1,6}[ \t]+)?(?:\*\*)?第\s*[〇零一二三四五六七八九十百千\d]+\s*条")
_TAGS: dict[ParagraphKind, str] = {"title": "h2", "heading": "h3"}
# Heading marks and quote bars of Markdown are not words of the gazette.
_MARKS = re.compile(r"^[ \t]*(?:#{1,6}(?=[ \t])|>)[ \t]*", re.M)


@dataclass(frozen=True)
class _Printed:
    """Stretches of one source text as HTML, with the same marks over all of them."""

    text: str
    marks: tuple[Mark, ...]
    language: Language

    def block(self, block: Paragraph) -> str:
        """A paragraph, heading or title; an article's number stands out."""
        keep_lines = block.kind in ("title", "byline", "note")
        skip = {i for m in _MARKS.finditer(self.text, block.start, block.end) for i in range(*m.span())}
        skip |= bold_marks(self.text, block.start, block.end)
        chars = list(_shown(self.text, block.start, block.end, skip, keep_lines=keep_lines))
        number = _ARTICLE.match(self.text, block.start, block.end) if block.article else None
        after = bisect_left(chars, (number.end(), "")) if number else 0
        label = tag("b", self.inline(chars[:after], ()), class_="article") if after else ""
        level = min(3, len(block.headings) + 1) if block.kind == "heading" else None
        content = label + self.inline(chars[after:], block.joins)
        return tag(
            _TAGS.get(block.kind, "p"), content, class_=f"is-{block.kind}", data_level=level, data_at=block.start
        )

    def row(self, cells: list[Span]) -> str:
        """A table's row."""
        shown = (_shown(self.text, start, end, bold_marks(self.text, start, end)) for start, end in cells)
        return tag("tr", "".join(tag("td", self.inline(list(chars), ())) for chars in shown))

    def inline(self, chars: Sequence[tuple[int, str]], joins: Sequence[int]) -> str:
        """(offset, character) pairs, escaped, with their marks and joins."""
        if not chars:
            return ""
        here = [m for m in self.marks if m.start <= chars[-1][0] and m.end > chars[0][0]]
        cuts = sorted(j for j in joins if chars[0][0] < j <= chars[-1][0])
        if not here:
            return self._words(chars, cuts)
        out: list[str] = []
        for top, stretch in groupby(chars, key=lambda pair: _top(here, pair[0])):
            parts: list[str] = []
            for hit, group in groupby(stretch, key=lambda pair: _is_hit(top, pair[0])):
                words = self._words(list(group), cuts)
                parts.append(hit_words(words) if hit else words)
            content = "".join(parts)
            if top is not None:
                kind = "quote is-focus" if top.focus else "quote"
                content = tag("mark", content, class_=kind, data_n=top.n, tabindex=-1)
            out.append(content)
        return "".join(out)

    def _words(self, chars: Sequence[tuple[int, str]], cuts: list[int]) -> str:
        """Characters under one mark, escaped; joins that stand before or in them are taken from ``cuts``."""
        out: list[str] = []
        begin = 0
        while cuts and cuts[0] <= chars[-1][0]:
            at = bisect_left(chars, (cuts.pop(0), ""))
            out += [safe("".join(c for _, c in chars[begin:at])), _join(self.language)]
            begin = at
        out.append(safe("".join(c for _, c in chars[begin:])))
        return "".join(out).replace("\n", "<br>")


def _join(language: Language) -> str:
    return tag("span", class_="join", title=say(language, "join"), role="note", aria_label=say(language, "join"))


def _top(marks: Sequence[Mark], offset: int) -> Mark | None:
    """The mark a character is shown in, the one in focus before others."""
    over = [m for m in marks if m.start <= offset < m.end]
    return next((m for m in over if m.focus), over[0] if over else None)


def _is_hit(mark: Mark | None, offset: int) -> bool:
    return mark is not None and mark.hit_start <= offset < mark.hit_end


def _shown(text: str, start: int, end: int, skip: set[int], *, keep_lines: bool = False) -> Iterator[tuple[int, str]]:
    """(offset, character) as read: white space between Han characters closed, invisible characters dropped."""
    last, gap = "", ""
    for i in range(start, end):
        char = text[i]
        if i in skip or is_invisible(char):
            continue
        if char.isspace():
            gap = "\n" if char == "\n" and keep_lines else gap or ("\t" if char == "\t" else " ")
            continue
        if gap and last and (gap != " " or not (is_wide(last) or is_wide(char))):
            yield i, gap
        gap, last = "", char
        yield i, char


def _visible(char: str) -> bool:
    return not char.isspace() and not is_invisible(char)
