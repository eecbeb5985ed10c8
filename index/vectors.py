"""Nearest passages by FAISS: one file of vectors for each segment.

Row i of the file is the i-th passage of the segment by key; the keys stand beside it in a numpy file.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from index.generations import WriteFailed

Vectors = np.ndarray[Any, np.dtype[np.float32]]
Keys = npt.NDArray[np.int64]

EXACT_UP_TO = 50_000
"""Rows searched exactly; one question over 31,000 rows of 256 takes 1 ms on one core."""


def _faiss() -> Any:
    # Imported late: it costs 50 ms. Untyped: its stubs describe the C++ signatures, not the Python ones.
    return importlib.import_module("faiss")


def write(folder: Path, name: str, rows: Iterable[tuple[list[int], Vectors]], count: int, dimensions: int) -> None:
    """Write ``name.faiss`` and ``name.keys.npy`` from (keys, vectors) blocks, and read the former back.

    Raises:
        OSError, WriteFailed: if it cannot be written, or what was read back is not what was written.
    """
    faiss = _faiss()
    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(dimensions)
    keys = np.zeros(count, np.int64)
    for block_keys, vectors in rows:
        keys[index.ntotal : index.ntotal + len(block_keys)] = block_keys
        index.add(vectors)
    path = folder / f"{name}.faiss"
    # Through our own file: faiss.write_index reports success on a full disk.
    with path.open("wb") as file:
        try:
            faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))
        except RuntimeError as error:
            raise WriteFailed(f"写向量文件失败（{error}）") from error
    np.save(folder / f"{name}.keys.npy", keys)
    again = faiss.read_index(str(path))
    if again.ntotal != count or again.d != dimensions:
        raise WriteFailed(f"{path} 写入 {count} 个向量，读回 {again.ntotal} 个；磁盘是否已满？")


class Nearest:
    """A vector file, open for searching; safe to ask from several threads."""

    tolerance = 0.0  # how far a stored component may be from the vector's

    def __init__(self, folder: Path, name: str) -> None:
        self._faiss = faiss = _faiss()
        self.keys: Keys = np.load(folder / f"{name}.keys.npy", mmap_mode="r", allow_pickle=False)
        self._index = faiss.read_index(str(folder / f"{name}.faiss"), faiss.IO_FLAG_MMAP_IFC)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vector: Vectors, k: int, allowed: npt.NDArray[np.bool_] | None) -> list[tuple[int, float]]:
        """The k rows with the greatest inner product, as (key, score), best first; ``allowed`` masks the rows."""
        # FAISS's threads cost one question more than they give: 16 ms instead of 1 ms for 31,000 rows measured with
        # two threads on two busy cores. The setting belongs to the calling thread, so it is made here.
        self._faiss.omp_set_num_threads(1)
        k = min(k, len(self) if allowed is None else int(allowed.sum()))
        if k <= 0:
            return []
        params = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            params = self._faiss.SearchParameters(sel=self._faiss.IDSelectorBitmap(bits))
        scores, rows = self._index.search(vector.reshape(1, -1), k, params=params)
        return [(int(self.keys[row]), float(score)) for row, score in zip(rows[0], scores[0], strict=True) if row >= 0]

    def vectors(self, first: int, count: int) -> Vectors:
        """Some rows as stored."""
        count = min(count, len(self) - first)
        return np.asarray(self._index.reconstruct_n(first, count), np.float32)
