"""A document's text as HTML: paragraphs as printed, quotes marked at their offsets, page joins shown softly."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from index.records import Document, Paragraph, ParagraphKind, Source
from index.text import is_invisible, is_wide
from page.markup import hit_words, safe, tag
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
    out: list[str] = []
    inside = [b for b in _blocks(document, source.text) if b.start < shown.end and b.end > shown.start]
    for is_table, group in groupby(inside, key=lambda b: b.kind == "table"):
        if is_table:
            rows = "".join(_row(source.text, row, marks, language) for b in group for row in _lines(source.text, b))
            out.append(tag("div", tag("table", tag("tbody", rows)), class_="table", tabindex=0))
        else:
            out.extend(_block(source.text, b, marks, language) for b in group)
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


_ARTICLE = re.compile(r"[ \t]*(?:#{1,6}[ \t]+)?(?:\*\*)?第\s*[〇零一二三四五六七八九十百千\d]+\s*条")
_TAGS: dict[ParagraphKind, str] = {"title": "h2", "heading": "h3"}


def _block(text: str, block: Paragraph, marks: Sequence[Mark], language: Language) -> str:
    keep_lines = block.kind in ("title", "byline", "note")
    start, label = block.start, ""
    number = _ARTICLE.match(text, block.start, block.end) if block.article else None
    if number:
        start = number.end()
        label = tag("b", _inline(text, block.start, start, (), marks, language), class_="article")
    inline = label + _inline(text, start, block.end, block.joins, marks, language, keep_lines=keep_lines)
    name = _TAGS.get(block.kind, "p")
    level = min(3, len(block.headings) + 1) if block.kind == "heading" else None
    return tag(name, inline, class_=f"is-{block.kind}", data_level=level, data_at=block.start)


def _lines(text: str, block: Paragraph) -> Iterator[tuple[int, int]]:
    for match in re.finditer(r"[^\n]*[^\s][^\n]*", text[block.start : block.end]):
        yield block.start + match.start(), block.start + match.end()


def _row(text: str, row: tuple[int, int], marks: Sequence[Mark], language: Language) -> str:
    """A table line. Readers of other formats and this one part cells by tabs."""
    edges = [row[0] - 1, *(i for i in range(*row) if text[i] == "\t"), row[1]]
    cells = (_inline(text, a + 1, b, (), marks, language) for a, b in pairwise(edges))
    return tag("tr", "".join(tag("td", cell) for cell in cells))


def _inline(
    text: str,
    start: int,
    end: int,
    joins: Iterable[int],
    marks: Sequence[Mark],
    language: Language,
    *,
    keep_lines: bool = False,
) -> str:
    """The stretch as read, escaped, with its marks and joins."""
    here = [m for m in marks if m.start < end and m.end > start]
    cuts = sorted(j for j in joins if start < j < end)
    out: list[str] = []
    chars = list(_shown(text, start, end, keep_lines=keep_lines))
    for top, stretch in groupby(chars, key=lambda pair: _top(here, pair[0])):
        parts: list[str] = []
        for hit, group in groupby(stretch, key=lambda pair: top is not None and top.hit_start <= pair[0] < top.hit_end):
            piece: list[str] = []
            for offset, char in group:
                while cuts and cuts[0] <= offset:
                    piece.append(_join(language))
                    cuts.pop(0)
                piece.append("<br>" if char == "\n" else safe(char))
            parts.append(hit_words("".join(piece)) if hit else "".join(piece))
        content = "".join(parts)
        if top is not None:
            kind = "quote is-focus" if top.focus else "quote"
            content = tag("mark", content, class_=kind, data_n=top.n, tabindex=-1)
        out.append(content)
    return "".join(out)


def _join(language: Language) -> str:
    return tag("span", class_="join", title=say(language, "join"), role="note", aria_label=say(language, "join"))


def _top(marks: Sequence[Mark], offset: int) -> Mark | None:
    """The mark a character is shown in, the one in focus before others."""
    over = [m for m in marks if m.start <= offset < m.end]
    return next((m for m in over if m.focus), over[0] if over else None)


# Heading marks and quote bars of Markdown are not words of the gazette. "**" goes only where it wraps whole lines:
# in 李** it hides a name.
_MARKS = re.compile(r"^[ \t]*(?:#{1,6}(?=[ \t])|>)[ \t]*", re.M)
_BOLD = re.compile(r"^[ \t]*(\*\*)(?=[^*\s])(?:[^*\n]|\n(?!\s*\n)){1,200}(\*\*)[ \t]*$", re.M)


def _shown(text: str, start: int, end: int, *, keep_lines: bool) -> Iterator[tuple[int, str]]:
    """(offset, character) as read: white space between Han characters closed, invisible characters dropped."""
    skip = {i for m in _MARKS.finditer(text, start, end) for i in range(*m.span())}
    skip |= {i for m in _BOLD.finditer(text, start, end) for group in (1, 2) for i in range(*m.span(group))}
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
