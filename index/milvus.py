"""The second store: gazettes in Milvus, behind the interface of the index folder.

For more than one machine holds. A place ``milvus+http://host:19530`` (``/name`` for a database of its own) is a server
or a cluster, ``milvus+/path/to/file.db`` a Milvus Lite file; both may stand wherever an index folder may.

Two collections hold everything. Passages have their vector, the terms of text and headings for Milvus's BM25 function
(our own terms, so that both stores count the same ones), and tags to filter by. The other keeps the nouns: sources
with their text, gazettes, documents. A build fills new collections and moves an alias; add and remove change them in
place. Documented limits: 65,535 bytes a field, 16,384 hits a question; Milvus Lite is opened by one process at a time
and counts document frequencies by segment, so its scores differ slightly from a server's.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import logging
import time
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from index.filters import EVERYTHING, day, days
from index.generations import EncoderCard, IndexDamaged, WriteFailed
from index.interface import Documents, Index, milvus_uri
from index.lexical import HEAD_WEIGHT, terms
from index.lexical import VERSION as TERMS_VERSION
from index.records import Document, Filter, Gazette, GazetteError, Hit, Paragraph, Passage, Source
from index.rows import Item, SourceEntry, embedded_text, from_row, issue_of, to_row
from index.text import fold
from index.writer import matching_encoder

if TYPE_CHECKING:
    from index.embed import Encoder

SCHEMA = f"2.{TERMS_VERSION}"
_ALIAS = "gazettes"
_FIELD_BYTES = 65_535
_CHUNK = 60_000  # characters of base64 in one row
_MOST_HITS = 16_384
_BATCH = 256  # rows sent at once


class StoreUnreachable(GazetteError):  # noqa: N818 - it says what happened
    """Milvus does not answer, or pymilvus is not installed."""


def _tag(value: str) -> str:
    """A value as it is filtered by: 32 hex digits, so that no value can become part of an expression."""
    return hashlib.blake2b(value.encode(errors="replace"), digest_size=16).hexdigest()


def _analysed(found: Sequence[str]) -> str:
    # Milvus's standard tokenizer parts words at anything but letters and digits: a decimal point must be one.
    return " ".join(found).replace(".", "点")


@contextmanager
def _worded(uri: str) -> Iterator[None]:
    """Failures of Milvus as one line that says what to do."""
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except MilvusException as error:
        raise StoreUnreachable(
            f"{uri}：Milvus 出错（{str(error.message).splitlines()[0]}）；请检查地址和服务"
        ) from error


def _connect(uri: str) -> Any:
    """A client.

    Raises:
        StoreUnreachable: if it cannot be had.
    """
    try:
        pymilvus = importlib.import_module("pymilvus")
    except ImportError as error:
        raise StoreUnreachable('没有安装 pymilvus；请运行 pip install ".[milvus]"') from error
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it logs each failure with its whole traceback
    with _worded(uri):
        return pymilvus.MilvusClient(uri, timeout=10)


# --- collections


def _create(client: Any, suffix: str, dimensions: int) -> tuple[str, str]:
    """New, empty collections of passages and of nouns."""
    pymilvus = importlib.import_module("pymilvus")
    kinds = pymilvus.DataType
    passages, nouns = f"{_ALIAS}_passages_{suffix}", f"{_ALIAS}_nouns_{suffix}"

    schema = client.create_schema(auto_id=False)
    schema.add_field("pk", kinds.VARCHAR, is_primary=True, max_length=64)
    for name in ("source", "document", "kind", "organ", "speaker"):
        schema.add_field(name, kinds.VARCHAR, max_length=64)
    for name in ("year", "day", "place"):
        schema.add_field(name, kinds.INT64)
    schema.add_field("noun", kinds.VARCHAR, max_length=_FIELD_BYTES)
    schema.add_field("vector", kinds.FLOAT_VECTOR, dim=dimensions)
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type="FLAT", metric_type="IP")
    for name in ("body", "head"):
        analyser = {"tokenizer": "standard"}
        schema.add_field(name, kinds.VARCHAR, max_length=_FIELD_BYTES, enable_analyzer=True, analyzer_params=analyser)
        schema.add_field(f"{name}_terms", kinds.SPARSE_FLOAT_VECTOR)
        schema.add_function(pymilvus.Function(name, pymilvus.FunctionType.BM25, [name], [f"{name}_terms"]))
        bm25 = {"bm25_k1": 1.2, "bm25_b": 0.75}
        indexes.add_index(f"{name}_terms", index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params=bm25)
    client.create_collection(passages, schema=schema, index_params=indexes)

    schema = client.create_schema(auto_id=False)
    schema.add_field("pk", kinds.VARCHAR, is_primary=True, max_length=128)
    for name in ("type", "own", "source"):
        schema.add_field(name, kinds.VARCHAR, max_length=64)
    schema.add_field("place", kinds.INT64)
    schema.add_field("chunk", kinds.INT64)
    schema.add_field("packed", kinds.VARCHAR, max_length=_FIELD_BYTES)
    schema.add_field("vector", kinds.FLOAT_VECTOR, dim=2)  # a collection must have one
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type="FLAT", metric_type="IP")
    client.create_collection(nouns, schema=schema, index_params=indexes)
    return passages, nouns


def _collections(client: Any) -> tuple[str, str] | None:
    """The collections the alias leads to, None where nothing was built yet."""
    from pymilvus.exceptions import MilvusException

    try:
        passages = str(client.describe_alias(_ALIAS)["collection_name"])
    except MilvusException:
        return None
    found = passages, passages.replace("_passages_", "_nouns_")
    for collection in found:
        client.load_collection(collection)  # a Milvus Lite file that was opened again has let go of them
    return found


def _packed(type_: str, own: str, source: str, place: int, value: object) -> Iterator[dict[str, Any]]:
    """A value as rows of the nouns' collection."""
    data = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    text = base64.b64encode(zlib.compress(data)).decode()
    for chunk in range(0, len(text), _CHUNK):
        yield {
            "pk": f"{type_}:{own}:{chunk // _CHUNK}",
            "type": type_,
            "own": own,
            "source": source,
            "place": place,
            "chunk": chunk // _CHUNK,
            "packed": text[chunk : chunk + _CHUNK],
            "vector": [1.0, 0.0],
        }


def _query(client: Any, collection: str, expression: str, wanted: list[str]) -> list[dict[str, Any]]:
    """All rows that match, however many."""
    found: list[dict[str, Any]] = []
    pages = client.query_iterator(
        collection, filter=expression, output_fields=wanted, batch_size=1000, consistency_level="Strong"
    )
    while page := pages.next():
        found.extend(page)
    pages.close()
    return found


def _unpacked(client: Any, nouns: str, expression: str) -> list[tuple[str, Any]]:
    """(type, value) of the nouns that match, by place."""
    chunks: dict[tuple[int, str, str], dict[int, str]] = defaultdict(dict)
    for row in _query(client, nouns, expression, ["type", "own", "place", "chunk", "packed"]):
        chunks[row["place"], row["type"], row["own"]][row["chunk"]] = row["packed"]
    found = []
    for (_, type_, _), parts in sorted(chunks.items()):
        text = "".join(parts[n] for n in sorted(parts))
        found.append((type_, json.loads(zlib.decompress(base64.b64decode(text)).decode("utf-8", "surrogatepass"))))
    return found


def _card(client: Any, uri: str, nouns: str) -> dict[str, Any]:
    found = _unpacked(client, nouns, 'type == "card"')
    if not found or found[0][1]["schema"] != SCHEMA:
        raise IndexDamaged(f"{uri}：没有完整的索引，或由另一个版本写成；请用 gazette-index build 重建")
    card: dict[str, Any] = found[0][1]
    return card


# --- reading


class MilvusIndex(Index):
    """Gazettes in Milvus, open for asking."""

    def __init__(self, folder: Path, *, encoder: Encoder | None = None, client: Any = None) -> None:
        self.folder = folder
        self._uri = milvus_uri(folder) or str(folder)
        self._given_encoder = encoder
        self._client = client if client is not None else _connect(self._uri)
        with _worded(self._uri):
            collections = _collections(self._client)
            if collections is None:
                raise IndexDamaged(f"{self._uri}：这里没有索引；请先用 gazette-index build 建立")
            self._passages, self._nouns = collections
            self._card = _card(self._client, self._uri, self._nouns)
            count = self._client.query(
                self._passages, filter="", output_fields=["count(*)"], consistency_level="Strong"
            )
        self._count = int(count[0]["count(*)"])
        self._source = lru_cache(maxsize=256)(self._read_source)
        self._gazette = lru_cache(maxsize=256)(self._read_gazette)
        self.documents = Documents(self._document, self._document_ids)
        if encoder is not None:
            matching_encoder(folder, self.card, encoder)

    def __len__(self) -> int:
        return self._count

    def close(self) -> None:
        """Nothing to let go of: the connection is shared by all that were opened one after the other."""

    def latest(self) -> Index:
        with _worded(self._uri):
            collections = _collections(self._client)
            unchanged = collections == (self._passages, self._nouns) and (
                _card(self._client, self._uri, self._nouns)["stamp"] == self._card["stamp"]
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
        with _worded(self._uri):
            return [SourceEntry(**value) for _, value in _unpacked(self._client, self._nouns, 'type == "name"')]

    @cached_property
    def gazettes(self) -> tuple[Gazette, ...]:
        return tuple(self.gazette(entry.id) for entry in self.sources)

    def gazette(self, source_id: str) -> Gazette:
        return self._gazette(source_id)

    def source(self, source_id: str) -> Source:
        return self._source(source_id)

    def _noun(self, type_: str, own: str) -> Any:
        with _worded(self._uri):
            found = _unpacked(self._client, self._nouns, f'type == "{type_}" and own == "{_tag(own)}"')
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
        with _worded(self._uri):
            found = _unpacked(self._client, self._nouns, f'type == "document" and source == "{_tag(source_id)}"')
        documents = {document.id: document for document in (_document(value) for _, value in found)}
        return from_row(Gazette, value["row"], documents=tuple(documents[own] for own in value["documents"]))

    def _document(self, document_id: str) -> Document | None:
        value = self._noun("document", document_id)
        return None if value is None else _document(value)

    def _document_ids(self) -> list[str]:
        with _worded(self._uri):
            found = _unpacked(self._client, self._nouns, 'type == "gazette"')
        return [document_id for _, value in found for document_id in value["documents"]]

    def passage(self, passage_id: str) -> Passage:
        found = self._rows(f'pk == "{_tag(passage_id)}"')
        if not found:
            raise KeyError(passage_id)
        return found[0]

    def passages(self, document_id: str) -> list[Passage]:
        return self._rows(f'document == "{_tag(document_id)}"')

    def _rows(self, expression: str) -> list[Passage]:
        with _worded(self._uri):
            rows = _query(self._client, self._passages, expression, ["place", "noun"])
        return [_passage(row) for row in sorted(rows, key=lambda row: int(row["place"]))]

    def nearest(self, vector: npt.NDArray[np.float32], k: int, where: Filter = EVERYTHING) -> list[Hit]:
        if k <= 0 or not np.any(vector):
            return []
        found = self._search("vector", [float(x) for x in vector], k, where)
        best = sorted(found, key=lambda row: (-row["distance"], row["entity"]["place"]))
        return [Hit(_passage(row["entity"]), row["distance"], dense=row["distance"]) for row in best]

    def weighted(
        self, query: Sequence[tuple[str, float]], k: int, where: Filter = EVERYTHING, head_weight: float = HEAD_WEIGHT
    ) -> list[Hit]:
        text = _repeated(query)
        if k <= 0 or not text:
            return []
        # Each field gives its own best; more are asked for than wanted, since the sums may order them otherwise.
        scores: dict[str, float] = defaultdict(float)
        rows: dict[str, Any] = {}
        for field, weight in (("body_terms", 1.0), ("head_terms", head_weight)):
            for row in self._search(field, text, 4 * k + 50, where) if weight > 0 else ():
                # Milvus Lite gives BM25 as a negative distance, a server as a positive score.
                scores[row["pk"]] += weight * abs(row["distance"])
                rows[row["pk"]] = row["entity"]
        best = sorted(scores, key=lambda pk: (-scores[pk], rows[pk]["place"]))[:k]
        return [Hit(_passage(rows[pk]), scores[pk], lexical=scores[pk]) for pk in best]

    def _search(self, field: str, query: object, k: int, where: Filter) -> list[dict[str, Any]]:
        with _worded(self._uri):
            found = self._client.search(
                self._passages,
                data=[query],
                anns_field=field,
                limit=max(1, min(k, self._count, _MOST_HITS)),
                filter=_expression(where),
                output_fields=["place", "noun"],
                consistency_level="Strong",
            )
        return [dict(row) for row in found[0]]


def _repeated(query: Sequence[tuple[str, float]]) -> str:
    """Weighted terms as a text in which a term stands as often as its weight has quarters."""
    weights: dict[str, float] = defaultdict(float)
    for term, weight in query:
        weights[term] += weight
    lightest = min((weight for weight in weights.values() if weight > 0), default=1.0)
    unit = 1.0 if all(weight % 1 == 0 for weight in weights.values()) else min(0.25, lightest)
    return _analysed([term for term, weight in weights.items() for _ in range(round(weight / unit))])


def _expression(where: Filter) -> str:
    exact = {
        "source": where.gazette,
        "document": where.document,
        "kind": where.kind,
        "organ": None if where.organ is None else fold(where.organ),
        "speaker": None if where.speaker is None else fold(where.speaker),
    }
    parts = [f'{field} == "{_tag(value)}"' for field, value in exact.items() if value is not None]
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


# --- writing


class MilvusWriter:
    """Changes what is in Milvus: a new pair of collections, or the ones that hold."""

    def __init__(self, folder: Path, *, new: EncoderCard | None) -> None:
        """``new``: the encoder of an index to be built; None to change the one that is there."""
        self._uri = milvus_uri(folder) or str(folder)
        self._client = _connect(self._uri)
        self._new = new is not None
        with _worded(self._uri):
            self._before = _collections(self._client)
            if new is not None:
                self._passages, self._nouns = _create(self._client, f"{time.time_ns():x}", new.dimensions)
                self._card: dict[str, Any] = {"schema": SCHEMA, "encoder": _fields(new), "next": 0}
                return
            if self._before is None:
                raise IndexDamaged(f"{self._uri}：这里没有索引；请先用 gazette-index build 建立")
            self._passages, self._nouns = self._before
            self._card = _card(self._client, self._uri, self._nouns)

    @property
    def card(self) -> EncoderCard:
        """Which encoder made the vectors."""
        return EncoderCard(**self._card["encoder"])

    @property
    def sources(self) -> list[SourceEntry]:
        """Every source that is there, in the order they were added."""
        with _worded(self._uri):
            return [SourceEntry(**value) for _, value in _unpacked(self._client, self._nouns, 'type == "name"')]

    def write(self, items: Iterable[Item], gone: Set[str], encoder: Encoder | None) -> bool:
        """Store new sources and delete those that are gone (which may grow while items are drawn).

        False, and everything as it was, if there was nothing to do.

        Raises:
            WriteFailed: a passage is longer than a field holds.
            StoreUnreachable: Milvus failed; new collections are dropped again, others may hold part of the change.
        """
        try:
            with _worded(self._uri):
                written = sum(self._add(item, encoder) for item in items)
                for source_id in gone:
                    for collection in (self._passages, self._nouns):
                        self._client.delete(collection, filter=f'source == "{_tag(source_id)}"')
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
            _passage_row(passage, homes[passage.document_id], item.gazette, first + n, vector)
            for n, (passage, vector) in enumerate(zip(item.passages, vectors, strict=True))
        ]
        for collection, wanted in ((self._nouns, _noun_rows(item, first)), (self._passages, rows)):
            for at in range(0, len(wanted), _BATCH):
                self._client.upsert(collection, wanted[at : at + _BATCH])
        self._card["next"] = first + len(item.passages)
        return 1

    def _finish(self) -> None:
        """Say what it is, and let the alias lead to it."""
        self._card["stamp"] = time.time_ns()
        self._client.upsert(self._nouns, list(_packed("card", "card", "", -1, self._card)))
        if not self._new:
            return
        for collection in (self._passages, self._nouns):
            self._client.flush(collection)  # what is still in memory is searched without an index
        if self._before is None:
            self._client.create_alias(self._passages, _ALIAS)
        else:
            self._client.alter_alias(self._passages, _ALIAS)
            for collection in self._before:
                self._client.drop_collection(collection)
        self._new = False

    def _drop_new(self) -> None:
        if self._new:
            for collection in (self._passages, self._nouns):
                self._client.drop_collection(collection)


def _noun_rows(item: Item, place: int) -> list[dict[str, Any]]:
    """The rows of a source, its gazette and its documents."""
    source, gazette, tag = item.source, item.gazette, _tag(item.source.id)
    entry = _fields(SourceEntry(source.id, source.name, item.path, source.sha256, issue_of(gazette)))
    documents = [document.id for document in gazette.documents]
    rows = [
        *_packed("name", tag, tag, place, entry),
        *_packed("source", tag, tag, place, {"row": to_row(source), "text": source.text}),
        *_packed("gazette", tag, tag, place, {"row": to_row(gazette), "documents": documents}),
    ]
    for document in gazette.documents:
        value = {"row": to_row(document), "paragraphs": [to_row(paragraph) for paragraph in document.paragraphs]}
        rows.extend(_packed("document", _tag(document.id), tag, place, value))
    return rows


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def _passage_row(
    passage: Passage, document: Document, gazette: Gazette, place: int, vector: npt.NDArray[np.float32]
) -> dict[str, Any]:
    noun = json.dumps(to_row(passage), ensure_ascii=False)
    if len(noun.encode()) > _FIELD_BYTES:
        raise WriteFailed(
            f"{passage.id}：一段有 {len(noun.encode()):,} 字节，Milvus 的一个字段最多 {_FIELD_BYTES:,} 字节"
        )
    organ = document.organ or gazette.organ
    return {
        "pk": _tag(passage.id),
        "source": _tag(passage.source_id),
        "document": _tag(passage.document_id),
        "kind": _tag(document.kind),
        "organ": _tag(fold(organ)) if organ else "",
        "speaker": _tag(fold(document.speaker)) if document.speaker else "",
        "year": gazette.year or 0,
        "day": day(document.date) or 0,
        "place": place,
        "noun": noun,
        "vector": [float(x) for x in vector],
        "body": _bounded(_analysed(terms(passage.text))),
        "head": _bounded(_analysed(terms(passage.context))),
    }


def _bounded(text: str) -> str:
    """As much of it as one field holds."""
    data = text.encode()
    return text if len(data) <= _FIELD_BYTES else data[: _FIELD_BYTES - 64].decode(errors="ignore").rpartition(" ")[0]
