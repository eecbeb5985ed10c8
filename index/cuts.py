"""The words of each passage by number, stored beside its vectors: cutting them took longer than the rest of a question.

Row i belongs to the i-th passage of the segment by key. ``name.words`` holds numbers of words one after the other;
a row of ``name.cuts.npy`` says where those of a passage begin and end and where those of its title and headings do.
Its first row is the fingerprint of what cut them: words cut by another version are cut again when they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from index.generations import WriteFailed
from index.records import Passage
from index.wordvectors import Words, shipped_words

Places: TypeAlias = npt.NDArray[np.uint32]

WORDS, CUTS = ".words", ".cuts.npy"
_BATCH = 1024  # passages cut at once


class CutsWriter:
    """Writes both files for the passages of a segment, given in the order of their keys."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._cutter = shipped_words()
        self._places = [self._cutter.fingerprint[None, :]]
        self._words = (folder / f"{name}{WORDS}").open("wb")
        self._at = 0

    @property
    def count(self) -> int:
        """How many passages were added."""
        return sum(map(len, self._places)) - 1

    def add(self, passages: Sequence[Passage]) -> None:
        """Cut some more passages."""
        if not passages:
            return
        contexts = [passage.context for passage in passages]
        heads = {context: n for n, context in enumerate(dict.fromkeys(contexts))}  # neighbours share theirs
        cut = self._cutter.cut([*heads, *(passage.text for passage in passages)])
        lengths = [len(words) for words in cut]
        ends = self._at + np.cumsum(lengths)
        begins = ends - lengths
        of = [heads[context] for context in contexts]
        texts = slice(len(heads), None)
        self._places.append(np.stack([begins[texts], ends[texts], begins[of], ends[of]], axis=1).astype(np.uint32))
        self._words.write(np.concatenate(cut).tobytes())
        self._at = int(ends[-1])

    def finish(self, count: int) -> None:
        """Complete both files, which are to hold so many passages.

        Raises:
            OSError, WriteFailed: if it cannot be written, or what was read back is not what was written.
        """
        self.close()
        np.save(self._folder / f"{self._name}{CUTS}", np.concatenate(self._places))
        again = Cuts(self._folder, self._name)
        if len(again) != count or not again.whole:
            path = self._folder / f"{self._name}{CUTS}"
            raise WriteFailed(f"{path} 应有 {count} 段的词，读回 {len(again)} 段；磁盘是否已满？")

    def close(self) -> None:
        """Add no more."""
        self._words.close()


def write(folder: Path, name: str, passages: Iterable[Passage], count: int) -> None:
    """Write both files for all passages of a segment.

    Raises:
        OSError, WriteFailed: as ``CutsWriter.finish`` does.
    """
    writer = CutsWriter(folder, name)
    remaining = iter(passages)
    while batch := list(islice(remaining, _BATCH)):
        writer.add(batch)
    writer.finish(count)


class Cuts:
    """The stored words of a segment, open for reading."""

    def __init__(self, folder: Path, name: str) -> None:
        path = folder / f"{name}{WORDS}"
        self._places: Places = np.load(folder / f"{name}{CUTS}", mmap_mode="r", allow_pickle=False).view(np.ndarray)
        empty = not path.stat().st_size  # a file of nothing cannot be mapped
        self._words: Words = np.zeros(0, np.uint16) if empty else np.memmap(path, np.uint16, "r").view(np.ndarray)

    @classmethod
    def of(cls, folder: Path, name: str) -> Cuts | None:
        """Those of a segment; None where there are none, or they were cut by another version."""
        if not (folder / f"{name}{CUTS}").exists():
            return None
        cuts = cls(folder, name)
        return cuts if cuts.current else None

    def __len__(self) -> int:
        return len(self._places) - 1

    @property
    def current(self) -> bool:
        """Were they cut by the words that are shipped now?"""
        return bool(np.array_equal(self._places[0], shipped_words().fingerprint))

    @property
    def whole(self) -> bool:
        """Does every row lie inside the file?"""
        rows = self._places[1:]
        return bool((rows[:, ::2] <= rows[:, 1::2]).all() and (rows <= len(self._words)).all())

    def rows(self, numbers: Sequence[int] | npt.NDArray[np.intp]) -> list[tuple[Words, Words]]:
        """For each row the words of the text, and those of title and headings."""
        words = self._words
        return [
            (words[begin:end], words[head_begin:head_end])
            for begin, end, head_begin, head_end in self._places[np.asarray(numbers, np.intp) + 1].tolist()
        ]
