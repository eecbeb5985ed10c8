"""What an open index can be asked, whichever store holds it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from index.filters import EVERYTHING
from index.lexical import HEAD_WEIGHT, terms
from index.records import Document, Filter, Gazette, Hit, Passage, Source
from index.wordvectors import Words, cut_once

if TYPE_CHECKING:
    from index.embed import Encoder
    from index.generations import EncoderCard

Keyed: TypeAlias = list[tuple[int, float]]
"""Passages found, best first: the number each has in its store, and its score. Reading them takes longer."""


def milvus_uri(folder: Path) -> str | None:
    """The address in a place such as ``milvus+http://host:19530`` or ``milvus+file.db``; None for an index folder."""
    text = str(folder)
    if not text.startswith("milvus+"):
        return None
    return re.sub(r"^(\w+):/(?!/)", r"\1://", text.removeprefix("milvus+"))  # a Path makes one slash of two


class Documents(Mapping[str, Document]):
    """Documents by id, read when asked for."""

    def __init__(self, get: Callable[[str], Document | None], ids: Callable[[], Sequence[str]]) -> None:
        self._get = lru_cache(maxsize=128)(get)
        self._ids = ids

    def __getitem__(self, document_id: str) -> Document:
        document = self._get(document_id)
        if document is None:
            raise KeyError(document_id)
        return document

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids())

    def __len__(self) -> int:
        return len(self._ids())


class Index(ABC):
    """An index open for asking, from any number of threads; what it answers stays the same while it is open."""

    folder: Path
    documents: Mapping[str, Document]

    @abstractmethod
    def __len__(self) -> int:
        """How many passages."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; nothing can be asked afterwards."""

    @abstractmethod
    def latest(self) -> Index:
        """The newest state: this index itself, or another one if something was written since it was opened.

        Ask for it before each question. This one stays open for whoever still uses it.
        """

    @property
    @abstractmethod
    def card(self) -> EncoderCard:
        """Which encoder made the vectors."""

    @property
    @abstractmethod
    def encoder(self) -> Encoder:
        """The encoder that made the vectors.

        Raises:
            EncoderMismatch: if the one of this name has changed since.
        """

    @property
    @abstractmethod
    def source_names(self) -> dict[str, str]:
        """Source id -> file name, in the order they were added."""

    @property
    @abstractmethod
    def gazettes(self) -> tuple[Gazette, ...]:
        """All gazettes with their documents, in the order they were added."""

    @abstractmethod
    def gazette(self, source_id: str) -> Gazette:
        """The gazette found in a source. Raises KeyError."""

    @abstractmethod
    def source(self, source_id: str) -> Source:
        """The source with its text. Raises KeyError."""

    @abstractmethod
    def passage(self, passage_id: str) -> Passage:
        """A passage by its id. Raises KeyError."""

    @abstractmethod
    def passages(self, document_id: str) -> list[Passage]:
        """The passages of a document in order; none for an unknown document."""

    @abstractmethod
    def nearest(self, vector: npt.NDArray[np.float32], k: int, where: Filter = EVERYTHING) -> Keyed:
        """The k passages nearest to a unit vector, best first; none for a vector of zeros."""

    @abstractmethod
    def weighted(
        self, query: Sequence[tuple[str, float]], k: int, where: Filter = EVERYTHING, head_weight: float = HEAD_WEIGHT
    ) -> Keyed:
        """The k best passages by BM25 for (term, weight) pairs; see ``lexical``."""

    @abstractmethod
    def by_key(self, keys: Sequence[int]) -> list[Passage]:
        """The passages of keys that were found, in the order of the keys."""

    def cuts(self, keys: Sequence[int]) -> list[tuple[Words, Words]]:
        """For each key its passage's words by number, and those of title and headings; see ``index.wordvectors``."""
        passages = self.by_key(keys)
        contexts = [passage.context for passage in passages]
        texts = cut_once([(passage.id, passage.text) for passage in passages])
        return list(zip(texts, cut_once(list(zip(contexts, contexts, strict=True))), strict=True))

    def dense(self, question: str, k: int, where: Filter = EVERYTHING) -> list[Hit]:
        """The k passages nearest to the question by inner product of unit vectors, best first."""
        return [Hit(passage, score, dense=score) for passage, score in self._read(self.dense_keys(question, k, where))]

    def dense_keys(self, question: str, k: int, where: Filter = EVERYTHING) -> Keyed:
        """What ``dense`` finds, not read yet."""
        # Half a surrogate pair, from a terminal or JSON, is no text a tokenizer takes.
        text = question.encode(errors="replace").decode()
        return self.nearest(self.encoder.encode_query([text])[0], k, where)

    def lexical(
        self,
        question: str | Sequence[tuple[str, float]],
        k: int,
        where: Filter = EVERYTHING,
        *,
        head_weight: float = HEAD_WEIGHT,
    ) -> list[Hit]:
        """The k best passages by BM25 for a question, or for (term, weight) pairs made with ``index.lexical.terms``.

        Only passages with one of the terms, best first. ``head_weight`` scales terms found in title and headings.
        """
        found = self._read(self.lexical_keys(question, k, where, head_weight=head_weight))
        return [Hit(passage, score, lexical=score) for passage, score in found]

    def lexical_keys(
        self,
        question: str | Sequence[tuple[str, float]],
        k: int,
        where: Filter = EVERYTHING,
        *,
        head_weight: float = HEAD_WEIGHT,
    ) -> Keyed:
        """What ``lexical`` finds, not read yet."""
        query = [(term, 1.0) for term in terms(question)] if isinstance(question, str) else question
        return self.weighted(query, k, where, head_weight)

    def _read(self, found: Keyed) -> Iterator[tuple[Passage, float]]:
        return zip(self.by_key([key for key, _ in found]), [score for _, score in found], strict=True)

    def _handing_over_to(self, newer: Index) -> Index:
        """A newer state of the index, with the encoder that is loaded here if it is the same one."""
        if "encoder" in self.__dict__ and newer.card == self.card:
            newer.__dict__["encoder"] = self.encoder
        return newer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
