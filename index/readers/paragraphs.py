"""Printed lines -> plain text: running heads dropped, lines joined into paragraphs across columns and pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from index.readers.layout import Line, Page, across, gutter, lines_of, ordered

_PAGE_NUMBER = re.compile(
    r"^[-—–·•~|]{0,2}(第?\d{1,4}页?|第?[ivxlcIVXLC]{1,6}页?|第\d{1,4}页[/,，、]?共\d{1,4}页|\d{1,4}/\d{1,4})[-—–·•~|]{0,2}$"
)
_MARGIN = 0.13  # of the page height: where running heads and page numbers stand
_ENDED = re.compile(r"[。！？；：…!?;:.][”’』」）)]*$")
_OPENING = "（《〈“‘「『【〔([{"
_CLOSING = "，。、；：！？）》〉”’」』】〕,.;:!?)]}"
# What begins a paragraph of its own after a full line that ended a sentence.
_HEADING = re.compile(
    r"^(第[一二三四五六七八九十百零〇\d]+[条章节编部]|[一二三四五六七八九十]+、|[（(][一二三四五六七八九十\d]+[)）]|\d{1,2}[、.．](?!\d)|附件|目\s*录$)"
)
_LEADER = re.compile(
    r"(…{2,}|\.{4,}|·{4,}|—{4,}|_{4,}|-{4,})\s*[(（]?\d{1,4}[)）]?$"
)  # a catalogue line's dots and page number
_WIDEST_LEADING = 2.5  # em: more is white between paragraphs
_LONG = 0.6  # of the column's width
_DIGITS = re.compile(r"\d+")
_TOKEN = re.compile(r"[A-Za-z0-9.,%‰/:@~-]+")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a file sets its paragraphs: its usual leading, whether first lines are set in, how lines are broken."""

    leading: float  # in em
    indents: bool
    count: int = 0  # of characters in a full line, where lines are broken by number and not by width; 0 if not
    ragged: bool = False  # lines end where a word does, far from the margin


def plain_text(pages: Sequence[Page]) -> tuple[str, tuple[int, ...]]:
    """The text of the pages, one paragraph a line with a blank line between, and where each page begins in it."""
    pieces = _without_furniture(pages, [lines_of(page) for page in pages])
    usual = _usual_gutter(pages, pieces)
    lines = [_with_margins(ordered(page, found, usual)) for page, found in zip(pages, pieces, strict=True)]
    lines = _borrow_margins(lines, max((page.width for page in pages), default=0.0))
    manner = _manner(lines)
    out: list[str] = []
    length = 0
    starts: list[int] = []
    previous: Line | None = None
    for page_lines in lines:
        first = True
        for line in page_lines:
            joint = _joint(previous, line, manner, new_page=first)
            if first:
                starts.append(length + len(joint))
                first = False
            out += (joint, line.text)
            length += len(joint) + len(line.text)
            previous = line
        if first:  # an empty page begins where the next one does
            starts.append(-1)
    following = length
    for i in range(len(starts) - 1, -1, -1):
        following = starts[i] = starts[i] if starts[i] >= 0 else following
    return "".join(out), tuple(starts)


# --- running heads and page numbers -------------------------------------------------------------------------------


def _without_furniture(pages: Sequence[Page], pieces: list[list[Line]]) -> list[list[Line]]:
    """The pieces less page numbers and what stands in the same place in the margin of at least three pages."""
    seen: Counter[tuple[str, bool]] = Counter()
    for page, found in zip(pages, pieces, strict=True):
        seen.update({_key(page, piece) for piece in found if _in_margin(page, piece)})
    enough = 3 if len(pages) > 2 else 2
    kept = []
    for page, found in zip(pages, pieces, strict=True):
        repeated = {id(p) for p in found if _in_margin(page, p) and len(pages) > 1 and seen[_key(page, p)] >= enough}
        levels = _levels(found)
        for outermost in (1, -1):
            levels = levels[::outermost]
            levels = levels[_apart(levels, repeated) :][::outermost]
        kept.append(_without_number(page, [piece for level in levels for piece in level]))
    return kept


def _levels(pieces: Sequence[Line]) -> list[list[Line]]:
    """The pieces by baseline, from top to bottom."""
    levels: list[list[Line]] = []
    for piece in sorted(pieces, key=lambda piece: piece.base):
        if levels and piece.base - levels[-1][0].base < 3:
            levels[-1].append(piece)
        else:
            levels.append([piece])
    return levels


def _apart(levels: Sequence[Sequence[Line]], repeated: set[int]) -> int:
    """How many of the levels, from the edge of the page inwards, are repeated and set off from what follows.

    Set off by white or by size: pages that happen to begin alike do not lose their first line.
    """
    count = 0
    while count < len(levels) and all(id(piece) in repeated for piece in levels[count]):
        count += 1
    gaps = [abs(b[0].base - a[0].base) for a, b in pairwise(levels)]
    usual = median(gaps) if gaps else 0.0
    while 0 < count < len(levels):
        last, following = levels[count - 1][0], levels[count][0]
        if gaps[count - 1] > 1.3 * usual or abs(last.size - following.size) > 0.08 * following.size:
            break
        count -= 1
    return count


def _in_margin(page: Page, piece: Line) -> bool:
    """True for a piece at the top or bottom of the page, unless it is set as large as a title."""
    outside = piece.base < _MARGIN * page.height or piece.base > (1 - _MARGIN) * page.height
    return outside and piece.size < 1.25 * page.size


def _key(page: Page, piece: Line) -> tuple[str, bool]:
    """What makes two margin pieces one running head: their words less figures, and top or bottom."""
    return _DIGITS.sub("#", "".join(piece.text.split())), piece.base < page.height / 2


def _without_number(page: Page, pieces: list[Line]) -> list[Line]:
    """The pieces less a page number standing alone above or below everything else."""
    for outermost in (min, max):
        if not pieces:
            break
        edge = outermost(piece.base for piece in pieces)
        level = [piece for piece in pieces if abs(piece.base - edge) < 3]
        if len(level) == 1 and _in_margin(page, level[0]) and _PAGE_NUMBER.match("".join(level[0].text.split())):
            pieces = [piece for piece in pieces if piece is not level[0]]
    return pieces


def _usual_gutter(pages: Sequence[Page], pieces: Sequence[Sequence[Line]]) -> float | None:
    """The gutter that a third of the pages and at least two of them share, None without."""
    found = Counter(
        round(x / 4) for page, lines in zip(pages, pieces, strict=True) if (x := gutter(page, lines)) is not None
    )
    if not found:
        return None
    (at, count), *_ = found.most_common(1)
    return at * 4.0 if count >= max(2, len(pages) / 3) else None


# --- margins ------------------------------------------------------------------------------------------------------


def _with_margins(lines: list[Line]) -> list[Line]:
    """Short regions (a title over two columns, the end of a page) take the margins of their page's other lines."""
    known = sorted({line.margins for line in lines if line.margins != (0.0, 0.0)})
    if not known:
        return lines
    # A region as wide as several columns spans them all.
    outer = (min(left for left, _ in known), max(right for _, right in known))
    return [_within(line, known, outer) if line.margins == (0.0, 0.0) else line for line in lines]


def _within(line: Line, known: Sequence[tuple[float, float]], outer: tuple[float, float]) -> Line:
    fitting = [m for m in known if line.left >= m[0] - line.size and line.right <= m[1] + line.size]
    return replace(line, margins=min(fitting, key=lambda m: m[1] - m[0]) if fitting else outer)


def _borrow_margins(pages: list[list[Line]], width: float) -> list[list[Line]]:
    """Pages with too few lines to show margins take the file's usual ones; without any, the right is as the left."""
    known = Counter(
        (round(line.margins[0]), round(line.margins[1])) for lines in pages for line in lines if line.margins[1]
    )
    if not known:
        everything = [line for lines in pages for line in lines if not line.row]
        if not everything:
            return pages
        left = min(line.left for line in everything)
        usual = (left, max(width - left, *(line.right for line in everything)))
    else:
        (left, right), _ = known.most_common(1)[0]
        usual = (float(left), float(right))
    return [[line if line.margins[1] else replace(line, margins=usual) for line in lines] for lines in pages]


# --- paragraphs ---------------------------------------------------------------------------------------------------


def _manner(pages: Sequence[Sequence[Line]]) -> Manner:
    gaps, after_short = [], []
    for lines in pages:
        for above, line in pairwise(lines):
            if above.row or line.row or above.region != line.region:
                continue
            gaps.append((line.base - above.base) / max(line.size, 1.0))
            if _has_room(above, line) and not _is_centred(line) and not _has_room(line, line):
                after_short.append(line.left - line.margins[0] > 1.2 * line.size)
    indents = sum(after_short) >= 0.5 * len(after_short) if after_short else True
    long = [line for lines in pages for line in lines if not line.row and _fill(line) > _LONG]
    leading = min(median(gaps), _WIDEST_LEADING) if gaps else 1.5
    return Manner(leading, indents, _counted(long), _is_ragged(long))


def _fill(line: Line) -> float:
    """How much of its column's width the line takes."""
    return (line.right - line.left) / max(line.margins[1] - line.margins[0], 1.0)


def _counted(long: Sequence[Line]) -> int:
    """The number of characters that lines have where they are broken by number, 0 where by width."""
    if len(long) < 8:
        return 0
    (count, share), *_ = Counter(len(line.text) for line in long).most_common(1)
    # Figures and Latin letters are narrower: lines of one number of characters then differ in width.
    rooms = sorted((line.margins[1] - line.right) / line.size for line in long if len(line.text) == count)
    by_number = share >= 0.25 * len(long) and rooms[int(0.85 * share)] - rooms[int(0.15 * share)] > 1.0
    return count if by_number else 0


def _is_ragged(long: Sequence[Line]) -> bool:
    full = sum(line.right > line.margins[1] - 1.5 * line.size for line in long)
    return full < 0.6 * len(long)


def _is_short(line: Line, following: Line, manner: Manner) -> bool:
    """True if the line stops before its end, so that its paragraph does."""
    if manner.count:
        # White space at its beginning counts, and is seen only as its indent.
        return len(line.text) + round((line.left - line.margins[0]) / line.size) < manner.count - 1
    if not _has_room(line, following):
        return False
    open_ended = manner.ragged and _fill(line) > _LONG and not _ENDED.search(line.text)
    return not open_ended or bool(_HEADING.match(following.text))


def _has_room(line: Line, following: Line) -> bool:
    """True if the line ends before its margin although the next line's first word would have had room."""
    room = line.margins[1] - line.right
    token = _TOKEN.match(following.text)
    if token:
        needed = 0.55 * len(token.group())
    else:
        needed = 1.0
        head = following.text[:3]
        if head[:1] in _OPENING:
            needed += 1.0
            head = head[1:]
        if head[1:2] in _CLOSING and head[1:2]:
            needed += 1.0
    return room > (needed + 0.5) * line.size


def _is_centred(line: Line) -> bool:
    left, right = line.left - line.margins[0], line.margins[1] - line.right
    return left > 1.5 * line.size and abs(left - right) < 1.0 * line.size


def _joint(previous: Line | None, line: Line, manner: Manner, *, new_page: bool) -> str:
    """What goes between two lines: nothing or a space within a paragraph, a blank line between two."""
    if previous is None:
        return ""
    if previous.row and line.row:
        return "\n"
    if previous.row or line.row or _begins(previous, line, manner, new_page=new_page):
        return "\n\n"
    return across(previous.text, line.text)


def _begins(previous: Line, line: Line, manner: Manner, *, new_page: bool) -> bool:
    """True if the line begins a paragraph; the previous line is the one before it in reading order."""
    if line.text[0] in _CLOSING:
        return False
    if abs(previous.size - line.size) > 0.12 * max(previous.size, line.size):
        return True
    moved = new_page or previous.region != line.region
    if not moved:
        extra = (line.base - previous.base) / max(line.size, 1.0) - manner.leading
        if extra > (0.6 * manner.leading if manner.indents else 0.22):
            return True
    if _LEADER.search(previous.text):
        return True
    if _LEADER.match(line.text) or (line.text.isdigit() and _LEADER.search(previous.text + line.text)):
        return False
    ended = bool(_ENDED.search(previous.text))
    if _is_centred(line):
        return ended or not _goes_on(previous, line, manner)
    if _is_short(previous, line, manner):
        return True
    if line.left - line.margins[0] > 1.2 * line.size:
        return not _hangs(previous, line)
    # A full line that ended a sentence may end its paragraph too; where first lines are set in, this one is not first.
    if not ended or manner.indents:
        return False
    is_title = not _ENDED.search(line.text) and _is_short(line, line, manner)
    return moved or is_title or bool(_HEADING.match(line.text))


def _goes_on(previous: Line, line: Line, manner: Manner) -> bool:
    """True if a centred line goes on a title begun above it, which filled its line or named the organ only."""
    if _is_centred(previous):
        return line.text.startswith("关于") and not previous.text.startswith("关于")
    indent = line.left - line.margins[0]
    return not _is_short(previous, line, manner) and not 1.5 < indent / line.size < 2.5


def _hangs(previous: Line, line: Line) -> bool:
    """True for the second line of an item that is set in under its number."""
    indent = line.left - previous.left
    return (
        bool(_HEADING.match(previous.text))
        and previous.left - previous.margins[0] < 0.5 * previous.size
        and 1.0 < indent / line.size < 3.5
        and not _ENDED.search(previous.text)
        and not _HEADING.match(line.text)
    )
