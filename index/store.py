"""The index folder, open for asking: ``open_index(folder)`` gives an ``Index``.

An ``Index`` is one generation (see ``index.generations``): whatever is written meanwhile, its answers stay the same
until ``latest()`` is asked for a newer one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from index import generations, writer
from index.cuts import Cuts
from index.filters import EVERYTHING, matches
from index.generations import EncoderCard, Generation, IndexBusy, IndexDamaged, Manifest, SegmentEntry
from index.interface import Documents, Index, Keyed, milvus_uri
from index.lexical import HEAD_WEIGHT, LexicalIndex
from index.records import Document, Filter, Gazette, GazetteError, Passage, Source
from index.tables import Segment
from index.vectors import Nearest, Selection
from index.wordvectors import Words
from index.writer import EncoderMismatch, matching_encoder

if TYPE_CHECKING:
    from index.building import add, build, build_from_passages, remove
    from index.embed import Encoder

__all__ = [
    "EncoderMismatch",
    "Index",
    "IndexBusy",
    "IndexDamaged",
    "add",
    "build",
    "build_from_passages",
    "matches",
    "open_index",
    "remove",
    "verify",
]


def __getattr__(name: str) -> object:
    # Asking needs nothing of reading files; whoever builds gets it here all the same.
    if name in {"add", "build", "build_from_passages", "remove"}:
        from index import building

        return getattr(building, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_MET_AT_MOST = 5_000  # passages kept in memory, of two kilobytes: those of the last twenty questions


class _Part:
    """A segment of the open index: its rows, its vectors once asked for, and what was removed from it."""

    def __init__(self, folder: Path, entry: SegmentEntry) -> None:
        self.rows = Segment(folder / f"{entry.name}.sqlite")
        self.removed = frozenset(entry.removed)
        self.entry = entry
        self._folder = folder

    @cached_property
    def nearest(self) -> Nearest:
        return Nearest(self._folder, self.entry.name)

    @cached_property
    def cuts(self) -> Cuts | None:
        return Cuts.of(self._folder, self.entry.name)

    @cached_property
    def headers(self) -> list[tuple[Document, Gazette, int, int]]:
        return list(self.rows.headers())

    def selection(self, where: Filter) -> Selection | None:
        """Which rows may be found; None where all may."""
        if where.is_empty and not self.removed:
            return None
        mask = np.zeros(len(self.nearest), np.bool_)
        for document, gazette, first, last in self.headers:
            if document.source_id not in self.removed and matches(where, document, gazette):
                low, high = np.searchsorted(self.nearest.keys, (first, last + 1))
                mask[low:high] = True
        return Selection.of(mask)


class FolderIndex(Index):
    """One generation of an index folder, open for asking."""

    def __init__(
        self, folder: Path, generation: Generation, stamp: tuple[int, int], encoder: Encoder | None = None
    ) -> None:
        self.folder = folder
        self.manifest: Manifest = generation.manifest
        self._generation = generation
        self._stamp = stamp
        self._given_encoder = encoder
        self._parts = [_Part(generation.folder, entry) for entry in self.manifest.segments]
        self._lexical = LexicalIndex(generation.folder / "lexical")
        self._homes = {
            source_id: (part, name)
            for part in self._parts
            for source_id, name in part.rows.source_names().items()
            if source_id not in part.removed
        }
        self._met: dict[int, Passage] = {}
        self._source = lru_cache(maxsize=64)(self._read_source)
        self._gazette = lru_cache(maxsize=64)(self._read_gazette)
        self._selections = lru_cache(maxsize=64)(lambda where: [part.selection(where) for part in self._parts])
        self.documents = Documents(self._document, self._document_ids)

    def __len__(self) -> int:
        return self.manifest.passages

    def close(self) -> None:
        for part in self._parts:
            part.rows.close()
        self._generation.release()

    def __del__(self) -> None:
        if hasattr(self, "_parts"):
            self.close()

    def latest(self) -> Index:
        if generations.pointer_stamp(self.folder) == self._stamp:
            return self
        return self._handing_over_to(open_index(self.folder, encoder=self._given_encoder))

    @property
    def card(self) -> EncoderCard:
        return self.manifest.encoder

    @cached_property
    def encoder(self) -> Encoder:
        return matching_encoder(self.folder, self.manifest.encoder, self._given_encoder)

    @property
    def source_names(self) -> dict[str, str]:
        return {source_id: name for source_id, (_, name) in self._homes.items()}

    @cached_property
    def gazettes(self) -> tuple[Gazette, ...]:
        return tuple(map(self.gazette, self._homes))

    def gazette(self, source_id: str) -> Gazette:
        return self._gazette(source_id)

    def source(self, source_id: str) -> Source:
        return self._source(source_id)

    def _read_source(self, source_id: str) -> Source:
        source = self._homes[source_id][0].rows.source(source_id)
        if source is None:
            raise KeyError(source_id)
        return source

    def _read_gazette(self, source_id: str) -> Gazette:
        gazette = self._homes[source_id][0].rows.gazette(source_id)
        if gazette is None:
            raise KeyError(source_id)
        return gazette

    def _document(self, document_id: str) -> Document | None:
        for part in self._parts:
            document = part.rows.document(document_id)
            if document is not None and document.source_id not in part.removed:
                return document
        return None

    def _document_ids(self) -> list[str]:
        return [
            document_id
            for part in self._parts
            for document_id, source_id in part.rows.document_ids()
            if source_id not in part.removed
        ]

    def passage(self, passage_id: str) -> Passage:
        for part in self._parts:
            passage = part.rows.passage(passage_id)
            if passage is not None and passage.source_id not in part.removed:
                return passage
        raise KeyError(passage_id)

    def passages(self, document_id: str) -> list[Passage]:
        for part in self._parts:
            passages = part.rows.passages(document_id)
            if passages and passages[0].source_id not in part.removed:
                return passages
        return []

    def nearest(self, vector: npt.NDArray[np.float32], k: int, where: Filter = EVERYTHING) -> Keyed:
        if k <= 0 or not np.any(vector):
            return []
        found = [
            pair
            for part, among in zip(self._parts, self._selections(where), strict=True)
            for pair in part.nearest.search(np.ascontiguousarray(vector, np.float32), k, among)
        ]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:k]

    def weighted(
        self, query: Sequence[tuple[str, float]], k: int, where: Filter = EVERYTHING, head_weight: float = HEAD_WEIGHT
    ) -> Keyed:
        return self._lexical.search(query, k, where, head_weight)

    def by_key(self, keys: Sequence[int]) -> list[Passage]:
        if len(self._met) > _MET_AT_MOST:
            self._met = {}  # another thread may still read the old one
        met = self._met
        missing = [key for key in keys if key not in met]
        for part in self._parts if missing else ():
            mine = [key for key in missing if part.entry.first_key <= key <= part.entry.last_key]
            if mine:
                met.update(part.rows.by_key(mine))
        return [met[key] for key in keys]

    def cuts(self, keys: Sequence[int]) -> list[tuple[Words, Words]]:
        numbers = np.array(keys, np.int64)
        found: list[tuple[Words, Words] | None] = [None] * len(keys)
        for part in self._parts:
            mine = np.flatnonzero((numbers >= part.entry.first_key) & (numbers <= part.entry.last_key))
            if len(mine) and part.cuts is not None:
                rows = np.searchsorted(part.nearest.keys, numbers[mine])
                for at, words in zip(mine.tolist(), part.cuts.rows(rows), strict=True):
                    found[at] = words
        if others := [at for at, words in enumerate(found) if words is None]:
            for at, words in zip(others, super().cuts([keys[at] for at in others]), strict=True):
                found[at] = words
        return [words for words in found if words is not None]


def open_index(folder: Path, *, encoder: Encoder | None = None) -> Index:
    """The index in a folder, or in Milvus (``milvus+http://host:19530``), ready to be asked.

    Every file is compared with its checksum before it is read (in large indexes those whose time changed). A damaged
    file that can be made again is made again; failing that, the generation before is opened, and a warning says so.

    Raises:
        IndexDamaged: if there is no index, it was written by another version, or nothing whole is left of it.
        EncoderMismatch: if the index was made with another encoder than the one given.
    """
    folder = Path(folder)
    if milvus_uri(folder):
        from index.milvus import MilvusIndex

        return MilvusIndex(folder, encoder=encoder)
    stamp = generations.pointer_stamp(folder)
    generation = writer.whole_generation(folder)
    if encoder is not None:
        try:
            matching_encoder(folder, generation.manifest.encoder, encoder)
        except GazetteError:
            generation.release()
            raise
    return FolderIndex(folder, generation, stamp, encoder)


def verify(folder: Path) -> list[str]:
    """What is wrong with an index, in words; an empty list if every file is whole and they agree.

    Raises:
        IndexDamaged: if there is no index at all.
    """
    if milvus_uri(folder):
        from index.milvus import problems as problems_in_milvus

        return problems_in_milvus(Path(folder))
    from index.checking import problems  # only this asks for it

    return problems(Path(folder))
