"""The nouns as rows of plain values, for whichever store keeps them.

A row has a value for each field of its noun but those that hold other nouns or the whole text; tuples become JSON. A
field added to a noun is stored without a line here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any, TypeVar

from index.records import CatalogueItem, Document, Gazette, Paragraph, Passage, Source

T = TypeVar("T")

_NESTED = {"paragraphs", "documents", "text"}  # rows of their own, or stored packed
COLUMNS: dict[type, tuple[str, ...]] = {
    noun: tuple(f.name for f in fields(noun) if f.name not in _NESTED)
    for noun in (Source, Gazette, Document, Paragraph)
}
COLUMNS[Passage] = tuple(f.name for f in fields(Passage))
_VALUES = {noun: attrgetter(*columns) for noun, columns in COLUMNS.items()}
_ITEM = attrgetter(*(f.name for f in fields(CatalogueItem)))
_TUPLES = {f.name for noun in COLUMNS for f in fields(noun) if str(f.type).startswith("tuple")}
_LISTS = {noun: [at for at, name in enumerate(columns) if name in _TUPLES] for noun, columns in COLUMNS.items()}
_WHOLE = {noun for noun, columns in COLUMNS.items() if len(columns) == len(fields(noun))}


@dataclass(frozen=True, slots=True)
class Item:
    """A source with everything found in it; ``path`` is where the file was, "" where there was none.

    ``terms`` are those of each passage's text, joined by spaces, where whoever read the file had time to make them.
    """

    source: Source
    gazette: Gazette
    passages: tuple[Passage, ...]
    path: str = ""
    terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """A source without its text; ``path`` is where its file was when it was indexed, "" where there was none."""

    id: str
    name: str
    path: str
    sha256: str
    issue: str = ""  # see ``issue_of``


def issue_of(gazette: Gazette) -> str:
    """The issue as one writes it, to know another copy of it by; "" where year or number are not printed."""
    return "" if gazette.year is None or gazette.number is None else gazette.issue


def embedded_text(passage: Passage) -> str:
    """What the encoder is given for a passage: title and headings, then its text."""
    return f"{passage.context}\n{passage.text}"


def content_key(passage: Passage) -> bytes:
    """16 bytes that are equal when what the encoder is given is equal."""
    return hashlib.blake2b(embedded_text(passage).encode("utf-8", "replace"), digest_size=16).digest()


def to_row(noun: object) -> list[Any]:
    """The row of a noun."""
    kind = type(noun)
    row = list(_VALUES[kind](noun))
    for at in _LISTS[kind]:
        row[at] = _listed(row[at])
    return row


def _listed(value: tuple[Any, ...]) -> str:
    if value and isinstance(value[0], CatalogueItem):
        return json.dumps([_ITEM(item) for item in value], ensure_ascii=False)
    return _dumped(value)


@lru_cache(maxsize=4096)
def _dumped(value: tuple[Any, ...]) -> str:
    return json.dumps(value, ensure_ascii=False)  # a section's passages and paragraphs share their headings


def from_row(noun: type[T], row: Sequence[Any], **nested: Any) -> T:
    """The noun of a row; what it holds besides is given by name."""
    values = list(row)
    for at in _LISTS[noun]:
        values[at] = () if values[at] == "[]" else _tuple(values[at])
    if noun in _WHOLE:
        return noun(*values)  # thousands of them for one question or gazette, so not by name
    named = dict(zip(COLUMNS[noun], values, strict=True))
    if "catalogue" in named:
        named["catalogue"] = tuple(CatalogueItem(*item) for item in named["catalogue"])
    return noun(**named, **nested)


@lru_cache(maxsize=4096)
def _tuple(text: str) -> tuple[Any, ...]:
    return tuple(json.loads(text))
