"""The second store: gazettes in Milvus, behind the interface of the index folder.

For more than one machine holds. A place ``milvus+http://host:19530`` (``/name`` for a database of its own) is a server
or a cluster, ``milvus+/path/to/file.db`` a Milvus Lite file; both may stand wherever an index folder may. What is kept
there, and how: ``index.milvus_rows``.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from index.filters import EVERYTHING, days
from index.generations import EncoderCard, IndexDamaged
from index.interface import Documents, Index, Keyed, milvus_uri
from index.lexical import HEAD_WEIGHT
from index.milvus_rows import (
    ALIAS,
    BATCH,
    MOST_HITS,
    SCHEMA,
    analysed,
    card_of_index,
    collections_of,
    connect,
    create_collections,
    fields_of,
    noun_rows,
    packed,
    passage_row,
    rows_of,
    tag_of,
    unpacked,
    worded,
)
from index.records import Document, Filter, Gazette, Paragraph, Passage, Source
from index.rows import Item, SourceEntry, embedded_text, from_row
from index.text import fold
from index.writer import matching_encoder

if TYPE_CHECKING:
    from index.embed import Encoder


class MilvusIndex(Index):
    """Gazettes in Milvus, open for asking."""

    def __init__(self, folder: Path, *, encoder: Encoder | None = None, client: Any = None) -> None:
        self.folder = folder
        self._uri = milvus_uri(folder) or str(folder)
        self._given_encoder = encoder
        self._client = client if client is not None else connect(self._uri)
        with worded(self._uri):
            collections = collections_of(self._client)
            if collections is None:
                raise IndexDamaged(f"{self._uri}：这里没有索引；请先用 gazette-index build 建立")
            self._passages, self._nouns = collections
            self._card = card_of_index(self._client, self._uri, self._nouns)
            count = self._client.query(
                self._passages, filter="", output_fields=["count(*)"], consistency_level="Strong"
            )
        self._count = int(count[0]["count(*)"])
        self._source = lru_cache(maxsize=256)(self._read_source)
        self._met: dict[int, Passage] = {}
        self._gazette = lru_cache(maxsize=256)(self._read_gazette)
        self.documents = Documents(self._document, self._document_ids)
        if encoder is not None:
            matching_encoder(folder, self.card, encoder)

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
        """Nothing to let go of: the connection is shared by all that were opened one after the other."""

    def latest(self) -> Index:
        with worded(self._uri):
            collections = collections_of(self._client)
            unchanged = collections == (self._passages, self._nouns) and (
                card_of_index(self._client, self._uri, self._nouns)["stamp"] == self._card["stamp"]
            )
        if unchanged:
            return self
        return self._handing_over_to(MilvusIndex(self.folder, encoder=self._given_encoder, client=self._client))

    @cached_property
    def card(self) -> EncoderCard:
        return EncoderCard(**self._card["encoder"])

    @cached_property
    def encoder(self) -> Encoder:
        return matching_encoder(self.folder, self.card, self._given_encoder)

    @property
    def source_names(self) -> dict[str, str]:
        return {entry.id: entry.name for entry in self.sources}

    @cached_property
    def sources(self) -> list[SourceEntry]:
        """Every source without its text, in the order they were added."""
        with worded(self._uri):
            return [SourceEntry(**value) for _, value in unpacked(self._client, self._nouns, 'type == "name"')]

    @cached_property
    def gazettes(self) -> tuple[Gazette, ...]:
        return tuple(self.gazette(entry.id) for entry in self.sources)

    def gazette(self, source_id: str) -> Gazette:
        return self._gazette(source_id)

    def source(self, source_id: str) -> Source:
        return self._source(source_id)

    def _noun(self, type_: str, own: str) -> Any:
        with worded(self._uri):
            found = unpacked(self._client, self._nouns, f'type == "{type_}" and own == "{tag_of(own)}"')
        return found[0][1] if found else None

    def _read_source(self, source_id: str) -> Source:
        value = self._noun("source", source_id)
        if value is None:
            raise KeyError(source_id)
        return from_row(Source, value["row"], text=value["text"])

    def _read_gazette(self, source_id: str) -> Gazette:
        value = self._noun("gazette", source_id)
        if value is None:
            raise KeyError(source_id)
        with worded(self._uri):
            found = unpacked(self._client, self._nouns, f'type == "document" and source == "{tag_of(source_id)}"')
        documents = {document.id: document for document in (_document(value) for _, value in found)}
        return from_row(Gazette, value["row"], documents=tuple(documents[own] for own in value["documents"]))

    def _document(self, document_id: str) -> Document | None:
        value = self._noun("document", document_id)
        return None if value is None else _document(value)

    def _document_ids(self) -> list[str]:
        with worded(self._uri):
            found = unpacked(self._client, self._nouns, 'type == "gazette"')
        return [document_id for _, value in found for document_id in value["documents"]]

    def passage(self, passage_id: str) -> Passage:
        found = self._rows(f'pk == "{tag_of(passage_id)}"')
        if not found:
            raise KeyError(passage_id)
        return found[0]

    def passages(self, document_id: str) -> list[Passage]:
        return self._rows(f'document == "{tag_of(document_id)}"')

    def _rows(self, expression: str) -> list[Passage]:
        with worded(self._uri):
            rows = rows_of(self._client, self._passages, expression, ["place", "noun"])
        return [_passage(row) for row in sorted(rows, key=lambda row: int(row["place"]))]

    def nearest(self, vector: npt.NDArray[np.float32], k: int, where: Filter = EVERYTHING) -> Keyed:
        if k <= 0 or not np.any(vector):
            return []
        found = self._search("vector", [float(x) for x in vector], k, where)
        return sorted(((place, row["distance"]) for place, row in found), key=lambda pair: (-pair[1], pair[0]))

    def weighted(
        self, query: Sequence[tuple[str, float]], k: int, where: Filter = EVERYTHING, head_weight: float = HEAD_WEIGHT
    ) -> Keyed:
        text = _repeated(query)
        if k <= 0 or not text:
            return []
        # Each field gives its own best; more are asked for than wanted, since the sums may order them otherwise.
        scores: dict[int, float] = defaultdict(float)
        for field, weight in (("body_terms", 1.0), ("head_terms", head_weight)):
            for place, row in self._search(field, text, 4 * k + 50, where) if weight > 0 else ():
                # Milvus Lite gives BM25 as a negative distance, a server as a positive score.
                scores[place] += weight * abs(row["distance"])
        return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[:k]

    def by_key(self, keys: Sequence[int]) -> list[Passage]:
        met = self._met
        missing = [key for key in dict.fromkeys(keys) if key not in met]
        for at in range(0, len(missing), BATCH):
            met.update((int(row["place"]), _passage(row)) for row in self._at(missing[at : at + BATCH]))
        return [met[key] for key in keys]

    def _at(self, places: Sequence[int]) -> list[dict[str, Any]]:
        with worded(self._uri):
            return rows_of(self._client, self._passages, f"place in {list(places)}", ["place", "noun"])

    def _search(self, field: str, query: object, k: int, where: Filter) -> list[tuple[int, dict[str, Any]]]:
        """Place and row of what is found; the passages come with it, since asking again takes longer."""
        with worded(self._uri):
            found = self._client.search(
                self._passages,
                data=[query],
                anns_field=field,
                limit=max(1, min(k, self._count, MOST_HITS)),
                filter=_expression(where),
                output_fields=["place", "noun"],
                consistency_level="Strong",
            )
        rows = [(int(row["entity"]["place"]), dict(row)) for row in found[0]]
        if len(self._met) > MOST_HITS:
            self._met = {}  # another thread may still read the old one
        met = self._met
        met.update((place, _passage(row["entity"])) for place, row in rows if place not in met)
        return rows


def _repeated(query: Sequence[tuple[str, float]]) -> str:
    """Weighted terms as a text in which a term stands as often as its weight has quarters."""
    weights: dict[str, float] = defaultdict(float)
    for term, weight in query:
        weights[term] += weight
    lightest = min((weight for weight in weights.values() if weight > 0), default=1.0)
    unit = 1.0 if all(weight % 1 == 0 for weight in weights.values()) else min(0.25, lightest)
    return analysed([term for term, weight in weights.items() for _ in range(round(weight / unit))])


def _expression(where: Filter) -> str:
    exact = {
        "source": where.gazette,
        "document": where.document,
        "kind": where.kind,
        "organ": None if where.organ is None else fold(where.organ),
        "speaker": None if where.speaker is None else fold(where.speaker),
    }
    parts = [f'{field} == "{tag_of(value)}"' for field, value in exact.items() if value is not None]
    for field, (low, high) in (("year", (where.year_from, where.year_to)), ("day", days(where))):
        if low is not None or high is not None:
            parts.append(f"{field} >= {max(1, int(low or 1))}")  # what has none is stored as 0
        if high is not None:
            parts.append(f"{field} <= {int(high)}")
    return " and ".join(parts)


def _document(value: Any) -> Document:
    paragraphs = tuple(from_row(Paragraph, row) for row in value["paragraphs"])
    return from_row(Document, value["row"], paragraphs=paragraphs)


def _passage(row: Any) -> Passage:
    return from_row(Passage, json.loads(row["noun"]))


def problems(folder: Path) -> list[str]:
    """What passages and nouns in Milvus contradict each other in; the files themselves are Milvus's to check.

    Raises:
        IndexDamaged, StoreUnreachable: if there is no index.
    """
    index = MilvusIndex(folder)
    found = []
    listed = {passage.id for document in index.documents for passage in index.passages(document)}
    if len(listed) != len(index):
        found.append(f"有 {len(index)} 段，其中 {len(listed)} 段属于一份文件")
    for entry in index.sources:
        source = index.source(entry.id)
        for document in index.gazette(entry.id).documents:
            for passage in index.passages(document.id):
                if source.text[passage.start : passage.end] != passage.text:
                    found.append(f"{entry.name}：{passage.id} 与原文不符")
    return found


class MilvusWriter:
    """Changes what is in Milvus: a new pair of collections, or the ones that hold."""

    def __init__(self, folder: Path, *, new: EncoderCard | None) -> None:
        """``new``: the encoder of an index to be built; None to change the one that is there."""
        self._uri = milvus_uri(folder) or str(folder)
        self._client = connect(self._uri)
        self._new = new is not None
        with worded(self._uri):
            self._before = collections_of(self._client)
            if new is not None:
                self._passages, self._nouns = create_collections(self._client, f"{time.time_ns():x}", new.dimensions)
                self._card: dict[str, Any] = {"schema": SCHEMA, "encoder": fields_of(new), "next": 0}
                return
            if self._before is None:
                raise IndexDamaged(f"{self._uri}：这里没有索引；请先用 gazette-index build 建立")
            self._passages, self._nouns = self._before
            self._card = card_of_index(self._client, self._uri, self._nouns)

    @property
    def card(self) -> EncoderCard:
        """Which encoder made the vectors."""
        return EncoderCard(**self._card["encoder"])

    @property
    def sources(self) -> list[SourceEntry]:
        """Every source that is there, in the order they were added."""
        with worded(self._uri):
            return [SourceEntry(**value) for _, value in unpacked(self._client, self._nouns, 'type == "name"')]

    def write(self, items: Iterable[Item], gone: Set[str], encoder: Encoder | None) -> bool:
        """Store new sources and delete those that are gone (which may grow while items are drawn).

        False, and everything as it was, if there was nothing to do.

        Raises:
            WriteFailed: a passage is longer than a field holds.
            StoreUnreachable: Milvus failed; new collections are dropped again, others may hold part of the change.
        """
        try:
            with worded(self._uri):
                written = sum(self._add(item, encoder) for item in items)
                for source_id in gone:
                    for collection in (self._passages, self._nouns):
                        self._client.delete(collection, filter=f'source == "{tag_of(source_id)}"')
                if not written and not gone:
                    self._drop_new()
                    return False
                self._finish()
        except BaseException:
            self._drop_new()
            raise
        return True

    def _add(self, item: Item, encoder: Encoder | None) -> int:
        if encoder is None:
            raise ValueError("an encoder is needed to add sources")
        first, homes = self._card["next"], {document.id: document for document in item.gazette.documents}
        vectors = encoder.encode_document([embedded_text(passage) for passage in item.passages])
        rows = [
            passage_row(passage, homes[passage.document_id], item.gazette, first + n, vector)
            for n, (passage, vector) in enumerate(zip(item.passages, vectors, strict=True))
        ]
        for collection, wanted in ((self._nouns, noun_rows(item, first)), (self._passages, rows)):
            for at in range(0, len(wanted), BATCH):
                self._client.upsert(collection, wanted[at : at + BATCH])
        self._card["next"] = first + len(item.passages)
        return 1

    def _finish(self) -> None:
        """Say what it is, and let the alias lead to it."""
        self._card["stamp"] = time.time_ns()
        self._client.upsert(self._nouns, list(packed("card", "card", "", -1, self._card)))
        if not self._new:
            return
        for collection in (self._passages, self._nouns):
            self._client.flush(collection)  # what is still in memory is searched without an index
        if self._before is None:
            self._client.create_alias(self._passages, ALIAS)
        else:
            self._client.alter_alias(self._passages, ALIAS)
            for collection in self._before:
                self._client.drop_collection(collection)
        self._new = False

    def _drop_new(self) -> None:
        if self._new:
            for collection in (self._passages, self._nouns):
                self._client.drop_collection(collection)
