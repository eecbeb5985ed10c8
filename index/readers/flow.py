"""Paragraphs and table rows in their order, as HTML and Word give them, and the plain text they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LONG_CELL = 300
_MANY_PARAGRAPHS = 20


@dataclass(frozen=True, slots=True)
class Item:
    """A paragraph or table row, and the part of the page it stands in."""

    text: str
    row: bool = False
    heading: bool = False
    frame: bool = False  # navigation and the like
    main: bool = False
    link: bool = False  # most of it leads to other pages


def row_items(cells: Sequence[Sequence[Item]]) -> list[Item]:
    """What a table row comes to: one line, cells parted by tabs; the paragraphs, where it only lays out the page."""
    filled = [cell for cell in cells if cell]
    if len(filled) == 1 or any(map(_lays_out, filled)):
        return [item for cell in filled for item in cell]
    if not filled:
        return []
    text = "\t".join(" ".join(item.text.replace("\n", " ") for item in cell) for cell in cells).rstrip("\t")
    first = filled[0][0]
    return [Item(text, row=True, frame=first.frame, main=first.main)]


def _lays_out(cell: Sequence[Item]) -> bool:
    """True for a cell that holds a part of the page, not a value: another table, or long text in paragraphs."""
    if len(cell) > _MANY_PARAGRAPHS or any(item.row for item in cell):
        return True
    return len(cell) > 2 and sum(len(item.text) for item in cell) > _LONG_CELL


def plain_text(items: Iterable[Item]) -> str:
    """The items as plain text: a blank line between paragraphs, none between rows of a table."""
    out: list[str] = []
    previous: Item | None = None
    for item in items:
        if previous is not None:
            out.append("\n" if previous.row and item.row else "\n\n")
        out.append(item.text)
        previous = item
    return "".join(out)
