"""Lines of a text without their marks, each with its offsets: what the structure is read from."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from index.numbering import Numeral, read_numeral, view

_LINE = re.compile(r"[^\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
_MARKS = re.compile(r"(?:[ \t]|#(?=[# \t*]|[^\x00-\x7f])|>(?=\s))*")
_NO_WORDS = re.compile(r"[-*_=|:\s]+|!\[[^\]]*\]\([^)]*\)|<!--.*-->|```\w*")  # rules, table rules, images, comments
_PAGE_NUMBER = re.compile(r"[-·•~―—–─\s]*(?:第\s?)?\d{1,4}(?:\s?页)?[-·•~―—–─\s]*")
_SPACE = re.compile(r"\s+")
_BLANKS = re.compile(r"[ \u3000]{2,}")
_LONGEST_ROW = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A line's words: ``start`` to ``end`` in the source text, without #, > and bold marks around them.

    ``text`` is the view (see ``numbering.view``) of that stretch, of the same length.
    """

    start: int
    end: int
    text: str
    mark: int  # how many # stood before it
    bold: bool  # the whole line stood between **
    indent: int  # spaces before it, a full-width one counts 2
    gap: bool  # an empty line, or the beginning of the text, stood before it
    numeral: Numeral | None  # that opens it, behind bold marks
    aligned: bool = False  # a table row whose cells are set apart by blanks

    @property
    def squeezed(self) -> str:
        """The words without white space; only the first 400 characters, since what is longer is no title."""
        return _SPACE.sub("", self.text[:400])

    @property
    def cells(self) -> list[str]:
        """The cells of a table row, [] where the line is none."""
        return _BLANKS.split(self.text) if self.aligned else table_cells(self.text)


def read_lines(text: str) -> list[Line]:
    """The lines of a text that hold words: empty ones, rules, images and comments are left out. Linear in its length."""
    lines: list[Line] = []
    gap, before = True, 0
    for match in _LINE.finditer(text):
        between = text[before : match.start()]
        gap = gap or len(between.replace("\r\n", "\n")) > 1
        before = match.end()
        seen = view(match[0])
        lead = _MARKS.match(seen)
        start = lead.end() if lead else 0
        end = len(seen.rstrip())
        if end <= start:
            gap = True
            continue
        words = seen[start:end]
        if len(words) < 400 and _NO_WORDS.fullmatch(words):
            gap = True
            continue
        mark = min(seen[:start].count("#"), 6)
        bold = len(words) > 4 and words.startswith("**") and words.find("**", 2) in (len(words) - 2, -1)
        if bold or (words.startswith("**") and len(words) < 60 and "**" not in words[2:]):
            start += 2
        if (bold or "**" not in words[:-2]) and words.endswith("**"):
            end -= 2  # a bold stretch over two lines: "**营口市" and "人民代表大会**"
            bold = True
        start, end = _trim(seen, start, end)
        if end > start:
            raw_indent = match[0][: len(match[0]) - len(match[0].lstrip())]
            indent = sum(2 if c == "\u3000" else 4 if c == "\t" else 1 for c in raw_indent[:40])
            at = match.start()
            words = seen[start:end]
            numeral = read_numeral(words[:60].lstrip("*"))
            lines.append(Line(at + start, at + end, words, mark, bold, indent, gap, numeral))
            gap = False
    return _with_aligned(lines)


def _with_aligned(lines: list[Line]) -> list[Line]:
    """The lines, those marked that are a table set with blanks: at least two with as many cells, figures among them."""
    at = 0
    while at < len(lines):
        parts = _aligned_cells(lines[at])
        end = at + 1
        figures = sum(map(_is_figure, parts[1:]))
        while parts and end < len(lines) and not lines[end].gap:
            following = _aligned_cells(lines[end])
            if len(following) != len(parts):
                break
            figures += sum(map(_is_figure, following[1:]))
            end += 1
        if end - at > 1 and figures >= end - at - 1:
            lines[at:end] = [replace(line, aligned=True) for line in lines[at:end]]
        at = end
    return lines


def _aligned_cells(line: Line) -> list[str]:
    """Three cells or more with blanks between them, [] where the line has none."""
    if line.mark or line.end - line.start > _LONGEST_ROW or "\t" in line.text or line.text[-1] in "。;":
        return []
    parts = _BLANKS.split(line.text)
    return parts if len(parts) > 2 else []


def _is_figure(cell: str) -> bool:
    return bool(re.match(r"[-+]?\d", cell))


def _trim(seen: str, start: int, end: int) -> tuple[int, int]:
    while start < end and seen[start].isspace():
        start += 1
    while end > start and seen[end - 1].isspace():
        end -= 1
    return start, end


def row_cells(words: str) -> list[str]:
    """The cells of a line known to be a table row: parted by tabs, pipes, or else by blanks."""
    return table_cells(words) or _BLANKS.split(words.strip())


def table_cells(words: str) -> list[str]:
    """The cells of a line made of tabs or pipes (or an HTML table's), [] where it is no table row."""
    if words[:7].lower().startswith(("<table", "<tr", "<td", "</table", "</tr", "<tbody", "<thead")):
        return [words]
    if words.startswith("|") and words.count("|", 1) >= 1:
        return [cell.strip() for cell in words.strip("| ").split("|")]
    parts = words.split("\t")
    if len(parts) < 2 or sum(1 for part in parts if part.strip()) < 2:
        return []
    # A tab in a sentence is OCR noise, a row of a table has short cells
    return [part.strip() for part in parts] if words[-1] not in "。;" or len(words) < 80 else []


def is_page_number(line: Line) -> bool:
    """True for a printed page number that stands alone: - 12 -, 第3页."""
    return line.end - line.start < 16 and bool(_PAGE_NUMBER.fullmatch(line.text)) and not line.mark


def is_running_head(line: Line, title: str) -> bool:
    """True for the gazette's title printed again over a page, with or without year, number and page."""
    if line.end - line.start > len(title) + 40 or line.mark:
        return False
    words = line.squeezed
    return title in words and not re.sub(r"[0-9年第号期总页()·.\-—]", "", words.replace(title, "", 1))
