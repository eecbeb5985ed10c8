"""The real gazette, read and parsed once; a small encoder, and an index made with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from index.gazette import parse_gazette
from index.lexical import terms
from index.records import Gazette, Source
from index.sources import read_source
from index.store import Index, build, open_index

DATA = Path(__file__).parent.parent / "data"


@pytest.fixture(scope="session")
def sample_path() -> Path:
    return next(path for path in sorted(DATA.glob("*.md")) if path.name != "README.md")


@pytest.fixture(scope="session")
def sample_source(sample_path: Path) -> Source:
    return read_source(sample_path)


@pytest.fixture(scope="session")
def sample_gazette(sample_source: Source) -> Gazette:
    return parse_gazette(sample_source)


class TinyEncoder:
    """Terms hashed into signed buckets: the same everywhere, near for texts that share terms, and fast."""

    def __init__(self, name: str = "tiny", dimensions: int = 64) -> None:
        self.name = name
        self.dimensions = dimensions
        self.fingerprint = hashlib.sha256(f"{name} {dimensions}".encode()).hexdigest()
        self.embedded = 0  # documents it was asked for

    def encode_query(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for term in terms(text):
                digest = hashlib.blake2b(term.encode(), digest_size=4).digest()
                row[int.from_bytes(digest[:3]) % self.dimensions] += 1 - 2 * (digest[3] & 1)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(norms > 0, norms, 1)

    def encode_document(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.embedded += len(texts)
        return self.encode_query(texts)


@pytest.fixture
def tiny_encoder() -> TinyEncoder:
    return TinyEncoder()


@pytest.fixture(scope="session")
def sample_index(tmp_path_factory: pytest.TempPathFactory, sample_path: Path) -> Iterator[Index]:
    """The real gazette, indexed with the small encoder; for reading only."""
    encoder = TinyEncoder()
    folder = tmp_path_factory.mktemp("sample") / "index"
    build([sample_path], folder, encoder=encoder)
    with open_index(folder, encoder=encoder) as index:
        yield index
