"""The lines of a printed page in reading order: columns found, table rows kept, lengths in points from the top left.

The input is runs of characters with their place, from a PDF's text layer or from OCR; both take the same way.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

# In units of the character size (em).
WORD_GAP = 0.5  # white this wide is a space even between Han characters: 金 莉
PUNCTUATION = frozenset("，。、；：！？（）《》〈〉“”‘’「」『』【】〔〕…—·")
CELL_GAP = 1.8  # and this wide parts two cells, or two columns
GUTTER = 0.5  # a line may hang over its column's edge by less
COLUMN_WIDTH = 8.0
SAME_LINE = 0.45
_BETWEEN_COLUMNS = 0.4  # white that runs down through a whole table may be narrower than between two cells of a row

# A page made to take all time has more of everything; above these it is read line by line.
_MOST_PIECES = 5_000
_MOST_EDGES = 30
_MOST_RULES = 500
_MOST_IN_CELL = 20  # lines
_ROWS_ABOVE = 8  # in which a row's columns are looked for

_NUMBERED = re.compile(r"^(第[一二三四五六七八九十百零〇\d]+[条章节编]|[（(]?[一二三四五六七八九十\d]+[)）、.．])")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """Characters set side by side on one baseline; ``base`` grows downwards."""

    text: str
    left: float
    right: float
    base: float
    size: float
    order: int = 0  # in the file, from 1; 0 where there is no such order


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line drawn on the page, level or upright."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on a page. ``scanned`` is a page that is only an image; its runs are then OCR's or none."""

    width: float
    height: float
    runs: tuple[Run, ...] = ()
    rules: tuple[Rule, ...] = ()
    scanned: bool = False

    @property
    def size(self) -> float:
        """The size that most characters have: the body text's."""
        sizes: Counter[float] = Counter()
        for run in self.runs:
            sizes[round(run.size * 2) / 2] += len(run.text)
        return sizes.most_common(1)[0][0] if sizes else 12.0


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line, with the margins of the column it stands in. ``row`` is a table row, cells parted by tabs."""

    text: str
    left: float
    right: float
    base: float
    size: float
    margins: tuple[float, float] = (0.0, 0.0)
    region: int = 0  # counts the columns of a page in reading order
    row: bool = False
    order: int = 0


def is_wide(char: str) -> bool:
    """True for Han characters and the punctuation set with them: nothing is put between two of them."""
    return char >= "\u2e80" or char in "“”‘’—…·"


def glue(before: str, after: str, gap: float) -> str:
    """What to put between two pieces of a line, ``gap`` in em: nothing, or a space."""
    if not before or not after:
        return ""
    if is_wide(before[-1]) or is_wide(after[0]):
        # Punctuation of full width brings white of its own, up to a character between two such.
        marked = before[-1] in PUNCTUATION or after[0] in PUNCTUATION
        return " " if gap >= (1.1 if marked else WORD_GAP) else ""
    return " " if gap >= 0.15 else ""


def across(before: str, after: str) -> str:
    """What to put where a line ended between two pieces: a space between words, nothing within Chinese or a figure."""
    if not before or not after or is_wide(before[-1]) or is_wide(after[0]):
        return ""
    within_figure = before[-1] in "0123456789.," and after[0].isdigit()
    closes = not after[0].isalnum() and after[0] not in "([<"
    return "" if within_figure or closes or before[-1] in "-/(" else " "


def lines_of(page: Page) -> list[Line]:
    """The page's lines in reading order, not yet parted into columns: runs on one baseline become one piece."""
    uprights = [rule for rule in _merged(page.rules) if rule.bottom - rule.top > rule.right - rule.left]
    runs = sorted(_without_doubles(page.runs), key=lambda run: (run.base, run.left))
    pieces: list[Line] = []
    for group in _baselines(runs):
        current: Line | None = None
        order = 0
        for run in sorted(group, key=lambda run: run.left):
            if current and _goes_on(current, run, order, uprights):
                size = max(run.size, current.size)
                text = current.text + glue(current.text, run.text, (run.left - current.right) / size) + run.text
                current = replace(current, text=text, right=max(current.right, run.right), size=size)
            else:
                if current:
                    pieces.append(current)
                current = Line(run.text, run.left, run.right, run.base, run.size, order=run.order)
            order = run.order
        if current:
            pieces.append(current)
    return pieces


def _goes_on(piece: Line, run: Run, order: int, uprights: Sequence[Rule]) -> bool:
    """True if a run stands so near after a piece that both are one; ``order`` is that of the piece's last run."""
    size = min(run.size, piece.size)
    gap = (run.left - piece.right) / size
    # A column may begin nearly as near as a word; but the file writes it elsewhere, and OCR boxes whole lines.
    near = 0.8 if not run.order else 1.2 if run.order - order in (0, 1) else 0.3
    return gap < near and not _parted(uprights, piece, run)


def _parted(uprights: Sequence[Rule], piece: Line, run: Run) -> bool:
    """True if an upright rule stands between two pieces of a line: they are in two cells."""
    level = run.base - 0.3 * run.size
    return any(
        piece.right - 0.3 * run.size < rule.left < run.left + 0.3 * run.size and rule.top < level < rule.bottom
        for rule in uprights
    )


def _without_doubles(runs: Iterable[Run]) -> Iterator[Run]:
    """Runs less those printed twice with a tiny shift, which is how some programs make bold."""
    seen: set[tuple[str, int, int]] = set()
    for run in runs:
        row, column = round(run.base / 4), round(run.left / max(0.3 * run.size, 0.1))
        if not any((run.text, row, column + shift) in seen for shift in (-1, 0, 1)):
            yield run
        seen.add((run.text, row, column))


def _baselines(runs: Sequence[Run]) -> Iterator[list[Run]]:
    group: list[Run] = []
    for run in runs:
        if group and run.base - group[0].base > SAME_LINE * max(min(run.size, group[0].size), 1.0):
            yield group
            group = []
        group.append(run)
    if group:
        yield group


def gutter(page: Page, pieces: Sequence[Line]) -> float | None:
    """The left edge of the right-hand column, None for a page of one column."""
    tables, rest = _tables(page, pieces)
    return _gutter([*rest, *tables], page.size)


def ordered(page: Page, pieces: Sequence[Line], usual: float | None = None) -> list[Line]:
    """The pieces in reading order as whole lines: tables as rows, columns one after the other, margins set.

    ``usual`` is the gutter of most other pages: short lines alone (a catalogue) do not show that they are columns.
    """
    tables, rest = _tables(page, pieces)
    regions = list(_regions([*rest, *tables], page.size, usual))
    found: list[Line] = []
    for number, region in enumerate(regions):
        lines = _rows(region)
        margins = _margins(lines)
        found.extend(replace(line, region=number, margins=margins) for line in lines)
    return found


_REACH = 4.0  # points between the ends of rules that meet


# --- ruled tables -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Grid:
    columns: tuple[float, ...]  # x of the upright rules
    rows: tuple[float, ...]  # y of the level rules

    def cell(self, piece: Line) -> tuple[int, int] | None:
        """Row and column of the cell a piece stands in, None outside."""
        x, y = (piece.left + piece.right) / 2, piece.base - 0.35 * piece.size
        row = sum(edge <= y for edge in self.rows) - 1
        column = sum(edge <= x for edge in self.columns) - 1
        inside = 0 <= row < len(self.rows) - 1 and 0 <= column < len(self.columns) - 1
        return (row, column) if inside else None


def _grids(rules: Sequence[Rule]) -> list[_Grid]:
    """Ruled tables: groups of rules that touch, with at least two columns."""
    groups: list[list[Rule]] = []
    for rule in _merged(rules):
        touching = [g for g in groups if any(_touch(rule, other) for other in g)]
        groups = [g for g in groups if g not in touching]
        groups.append([rule, *(r for g in touching for r in g)])
    grids = []
    for group in groups:
        columns = _distinct([r.left for r in group if r.bottom - r.top > r.right - r.left])
        rows = _distinct([r.top for r in group if r.bottom - r.top < r.right - r.left])
        if len(columns) >= 3 and len(rows) >= 2:
            grids.append(_Grid(columns, rows))
    return grids


def _merged(rules: Sequence[Rule]) -> list[Rule]:
    """The rules with pieces of one line put together: cells drawn one by one give a rule for each of their sides."""
    found: list[Rule] = []
    lines: dict[tuple[bool, int], list[Rule]] = {}
    for rule in rules:
        level = rule.right - rule.left > rule.bottom - rule.top
        at = rule.top if level else rule.left
        lines.setdefault((level, round(at / _REACH)), []).append(rule)
    for (level, _), pieces in lines.items():
        current: Rule | None = None
        for piece in sorted(pieces, key=lambda rule: rule.left if level else rule.top):
            if current and _touch(current, piece):
                current = replace(
                    current, right=max(current.right, piece.right), bottom=max(current.bottom, piece.bottom)
                )
            else:
                if current:
                    found.append(current)
                current = piece
        if current:
            found.append(current)
    return found if len(found) <= _MOST_RULES else []


def _touch(a: Rule, b: Rule) -> bool:
    return (
        a.left <= b.right + _REACH
        and b.left <= a.right + _REACH
        and a.top <= b.bottom + _REACH
        and b.top <= a.bottom + _REACH
    )


def _distinct(values: Iterable[float]) -> tuple[float, ...]:
    kept: list[float] = []
    for value in sorted(values):
        if not kept or value - kept[-1] > _REACH:
            kept.append(value)
    return tuple(kept)


def _tables(page: Page, pieces: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """(rows of ruled tables, the other pieces). A cell's lines are joined, an empty cell stays empty."""
    grids = _grids(page.rules)
    rest = list(pieces)
    rows: list[Line] = []
    for grid in grids:
        cells: dict[tuple[int, int], list[Line]] = {}
        outside = []
        for piece in rest:
            where = grid.cell(piece)
            if where is None:
                outside.append(piece)
            else:
                cells.setdefault(where, []).append(piece)
        if any(len(inside) > _MOST_IN_CELL for inside in cells.values()):
            continue  # a frame around columns of text
        rest = outside
        for number in range(len(grid.rows) - 1):
            texts = [_cell_text(cells.get((number, column), [])) for column in range(len(grid.columns) - 1)]
            if any(texts):
                bottom = grid.rows[number + 1]
                text = "\t".join(texts).rstrip("\t")
                first = min(p.order for (row, _), inside in cells.items() if row == number for p in inside)
                rows.append(Line(text, grid.columns[0], grid.columns[-1], bottom - 1, page.size, row=True, order=first))
    return rows, rest


def _cell_text(pieces: list[Line]) -> str:
    text = ""
    for piece in sorted(pieces, key=lambda piece: (piece.base, piece.left)):
        text += across(text, piece.text) + piece.text
    return text


# --- columns ------------------------------------------------------------------------------------------------------


def _regions(pieces: Sequence[Line], em: float, usual: float | None = None, depth: int = 0) -> Iterator[list[Line]]:
    """Stretches of one column each, in reading order."""
    x = _gutter(pieces, em) if depth < 4 else None
    known = x is None and usual is not None
    x = usual if known else x
    if x is None:
        if pieces:
            yield sorted(pieces, key=lambda piece: (piece.base, piece.left))
        return
    single: list[Line] = []
    for zone, across in _zones(pieces, x, em):
        left, right = _sides(zone, x, em)
        if _columnar(left, right, em) or (known and min(len(left), len(right)) >= 3):
            if single:
                yield single
                single = []
            yield from _regions(left, em, depth=depth + 1)
            yield from _regions(right, em, depth=depth + 1)
        else:
            single.extend(sorted(zone, key=lambda piece: (piece.base, piece.left)))
        single.extend(across)
    if single:
        yield single


def _gutter(pieces: Sequence[Line], em: float) -> float | None:
    """The left edge of a right-hand column, where most lines stand in two columns about it; None for one column."""
    if not 6 <= len(pieces) <= _MOST_PIECES:
        return None
    edges = Counter(round(piece.left) for piece in pieces)
    start = min(piece.left for piece in pieces)
    shared = [
        edge
        for edge, _ in edges.most_common(_MOST_EDGES)
        if edge >= start + COLUMN_WIDTH * em and sum(edges[edge + shift] for shift in (-1, 0, 1)) >= 2
    ]
    best, most = None, 0
    for edge in sorted(shared):
        count = 0
        for zone, _ in _zones(pieces, edge - 1.5, em):
            left, right = _sides(zone, edge - 1.5, em)
            if _columnar(left, right, em):
                count += len(zone)
        if count > most:
            best, most = edge - 1.5, count
    return best


def _sides(pieces: Iterable[Line], x: float, em: float) -> tuple[list[Line], list[Line]]:
    left: list[Line] = []
    right: list[Line] = []
    for piece in pieces:
        (right if piece.left >= x - GUTTER * em else left).append(piece)
    return left, right


def _zones(pieces: Iterable[Line], x: float, em: float) -> Iterator[tuple[list[Line], list[Line]]]:
    """(pieces beside a gutter, the pieces right after them that cross it), from top to bottom."""
    zone: list[Line] = []
    across: list[Line] = []
    for piece in sorted(pieces, key=lambda piece: (piece.base, piece.left)):
        crosses = piece.left < x - GUTTER * em and piece.right > x
        if crosses:
            across.append(piece)
        else:
            if across:
                yield zone, across
                zone, across = [], []
            zone.append(piece)
    yield zone, across


def _columnar(left: Sequence[Line], right: Sequence[Line], em: float) -> bool:
    """True if both sides read as columns of prose: wide, and most lines fill the width. Table cells do not."""
    sides = [side for side in (left, right) if side]
    if len(sides) < 2:
        return False
    counts = [len({round(piece.base) for piece in side}) for side in sides]
    widths = [max(p.right for p in side) - min(p.left for p in side) for side in sides]
    if max(counts) < 3 or min(widths) < COLUMN_WIDTH * em or min(widths) < 0.5 * max(widths):
        return False
    if _one_after_the_other(left, right):
        return True
    for side, count, width in zip(sides, counts, widths, strict=True):
        full = sum(piece.right - piece.left >= 0.8 * width or piece.row for piece in side)
        if full < 0.4 * len(side) or len(side) > 1.5 * count:
            return False
    return True


def _one_after_the_other(left: Sequence[Line], right: Sequence[Line]) -> bool:
    """True if the file writes all of one side before the other: columns it does, rows of a table come in turn."""
    if not all(piece.order for piece in (*left, *right)):
        return False
    sides = [side for _, side in sorted([(p.order, "left") for p in left] + [(p.order, "right") for p in right])]
    changes = sum(a != b for a, b in pairwise(sides))
    return changes <= 1 and min(len(left), len(right)) >= 3


# --- lines of a column --------------------------------------------------------------------------------------------


def _rows(region: Sequence[Line]) -> list[Line]:
    """The whole lines of one column: pieces on one baseline joined, by tabs where lines above or below have cells."""
    groups: list[list[Line]] = []
    for piece in sorted(region, key=lambda piece: (piece.base, piece.left)):
        last = groups[-1] if groups else None
        same = last and not piece.row and not last[0].row
        if last and same and piece.base - last[0].base <= SAME_LINE * max(min(piece.size, last[0].size), 1.0):
            last.append(piece)
        else:
            groups.append([piece])
    cells = [_cells(group) for group in groups]
    rows = []
    for i, parts in enumerate(cells):
        beside = [cells[j] for j in (i - 1, i + 1) if 0 <= j < len(cells) and _close(groups[i], groups[j])]
        is_row = len(parts) > 2 or (len(parts) > 1 and any(len(other) > 1 for other in beside))
        rows.append(is_row and not _NUMBERED.match(parts[0]))
    for first, end in _stretches(groups, rows):
        cells[first:end] = _aligned(groups[first:end]) or cells[first:end]
    return [
        Line(
            ("\t" if is_row else " ").join(parts).rstrip("\t"),
            min(piece.left for piece in group),
            max(piece.right for piece in group),
            group[0].base,
            max(piece.size for piece in group),
            row=group[0].row or is_row,
        )
        for group, parts, is_row in zip(groups, cells, rows, strict=True)
    ]


def _stretches(groups: Sequence[Sequence[Line]], rows: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """[first, end) of the rows that stand close one below the other in the same columns."""
    first = 0
    for i in range(1, len(groups) + 1):
        goes_on = i < len(groups) and rows[i - 1] and rows[i] and _close(groups[i - 1], groups[i])
        if not (goes_on and _in_line(groups[i], groups[max(first, i - _ROWS_ABOVE) : i])):
            if i - first > 1 and rows[first]:
                yield first, i
            first = i


def _in_line(row: Sequence[Line], above: Sequence[Sequence[Line]]) -> bool:
    """True if half of a row's pieces begin, end or have their middle where a piece of a row above does."""
    count = 0
    for piece in row:
        reach = 0.7 * piece.size
        count += any(
            min(
                abs(piece.left - other.left),
                abs(piece.right - other.right),
                abs(piece.left + piece.right - other.left - other.right) / 2,
            )
            < reach
            for others in above
            for other in others
        )
    return 2 * count >= len(row)


def _aligned(rows: Sequence[Sequence[Line]]) -> list[list[str]] | None:
    """The cells of rows without rules, by the white that runs down between their columns; an empty cell stays empty.

    None where that white does not part all that stands apart: then each row is taken by itself.
    """
    pieces = sorted((piece for row in rows for piece in row), key=lambda piece: piece.left)
    columns: list[tuple[float, float]] = []
    for piece in pieces:
        if columns and piece.left < columns[-1][1] + _BETWEEN_COLUMNS * piece.size:
            columns[-1] = (columns[-1][0], max(columns[-1][1], piece.right))
        else:
            columns.append((piece.left, piece.right))
    if len(columns) < max(len(_cells(row)) for row in rows):
        return None
    return [
        [" ".join(_cells([piece for piece in row if left <= piece.left <= right])) for left, right in columns]
        for row in rows
    ]


def _close(a: Sequence[Line], b: Sequence[Line]) -> bool:
    return abs(a[0].base - b[0].base) < 3.5 * max(a[0].size, b[0].size)


def _cells(group: Sequence[Line]) -> list[str]:
    """The texts of a line's pieces, those closer than a cell's gap joined."""
    parts: list[str] = []
    end = 0.0
    for piece in sorted(group, key=lambda piece: piece.left):
        gap = (piece.left - end) / piece.size
        if parts and gap < CELL_GAP:
            parts[-1] += glue(parts[-1], piece.text, gap) + piece.text
        else:
            parts.append(piece.text)
        end = piece.right
    return parts


def _margins(lines: Sequence[Line]) -> tuple[float, float]:
    """Where lines of a column begin and end; (0, 0) where there are too few to tell."""
    body = [line for line in lines if not line.row]
    if len(body) < 4:
        return (0.0, 0.0)
    em = median(line.size for line in body)
    lefts = sorted(line.left for line in body)
    # The smallest edge that several lines share: one line hanging out by a quotation mark is not the margin.
    left = next((a for a, b in pairwise(lefts) if b - a < 0.5 * em), lefts[0])
    # Of the lines that fill the width: some stop a character early, and a full stop may hang over the edge.
    furthest = max(line.right for line in body)
    return (left, median(line.right for line in body if line.right > furthest - 3 * em))
