"""What Milvus holds of an index, and the way there: connection, collections, nouns and passages as rows.

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
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from index.filters import day
from index.generations import IndexDamaged, WriteFailed
from index.lexical import VERSION as TERMS_VERSION
from index.lexical import terms
from index.records import Document, Gazette, GazetteError, Passage
from index.rows import Item, SourceEntry, issue_of, to_row
from index.text import fold

if TYPE_CHECKING:
    pass

SCHEMA = f"2.{TERMS_VERSION}"
ALIAS = "gazettes"
_FIELD_BYTES = 65_535
_CHUNK = 60_000  # characters of base64 in one row
MOST_HITS = 16_384
BATCH = 256  # rows sent at once


class StoreUnreachable(GazetteError):  # noqa: N818 - it says what happened
    """Milvus does not answer, or pymilvus is not installed."""


def tag_of(value: str) -> str:
    """A value as it is filtered by: 32 hex digits, so that no value can become part of an expression."""
    return hashlib.blake2b(value.encode(errors="replace"), digest_size=16).hexdigest()


def analysed(found: Sequence[str]) -> str:
    """Terms as one text that Milvus's tokenizer parts into the same terms."""
    # Milvus's standard tokenizer parts words at anything but letters and digits: a decimal point must be one.
    return " ".join(found).replace(".", "点")


@contextmanager
def worded(uri: str) -> Iterator[None]:
    """Failures of Milvus as one line that says what to do."""
    from pymilvus.exceptions import MilvusException

    try:
        yield
    except MilvusException as error:
        raise StoreUnreachable(
            f"{uri}：Milvus 出错（{str(error.message).splitlines()[0]}）；请检查地址和服务"
        ) from error


def connect(uri: str) -> Any:
    """A client.

    Raises:
        StoreUnreachable: if it cannot be had.
    """
    try:
        pymilvus = importlib.import_module("pymilvus")
    except ImportError as error:
        raise StoreUnreachable('没有安装 pymilvus；请运行 pip install ".[milvus]"') from error
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it logs each failure with its whole traceback
    with worded(uri):
        return pymilvus.MilvusClient(uri, timeout=10)


def create_collections(client: Any, suffix: str, dimensions: int) -> tuple[str, str]:
    """New, empty collections of passages and of nouns."""
    pymilvus = importlib.import_module("pymilvus")
    kinds = pymilvus.DataType
    passages, nouns = f"{ALIAS}_passages_{suffix}", f"{ALIAS}_nouns_{suffix}"

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


def collections_of(client: Any) -> tuple[str, str] | None:
    """The collections the alias leads to, None where nothing was built yet."""
    from pymilvus.exceptions import MilvusException

    try:
        passages = str(client.describe_alias(ALIAS)["collection_name"])
    except MilvusException:
        return None
    found = passages, passages.replace("_passages_", "_nouns_")
    for collection in found:
        client.load_collection(collection)  # a Milvus Lite file that was opened again has let go of them
    return found


def packed(type_: str, own: str, source: str, place: int, value: object) -> Iterator[dict[str, Any]]:
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


def rows_of(client: Any, collection: str, expression: str, wanted: list[str]) -> list[dict[str, Any]]:
    """All rows that match, however many."""
    found: list[dict[str, Any]] = []
    pages = client.query_iterator(
        collection, filter=expression, output_fields=wanted, batch_size=1000, consistency_level="Strong"
    )
    while page := pages.next():
        found.extend(page)
    pages.close()
    return found


def unpacked(client: Any, nouns: str, expression: str) -> list[tuple[str, Any]]:
    """(type, value) of the nouns that match, by place."""
    chunks: dict[tuple[int, str, str], dict[int, str]] = defaultdict(dict)
    for row in rows_of(client, nouns, expression, ["type", "own", "place", "chunk", "packed"]):
        chunks[row["place"], row["type"], row["own"]][row["chunk"]] = row["packed"]
    found = []
    for (_, type_, _), parts in sorted(chunks.items()):
        text = "".join(parts[n] for n in sorted(parts))
        found.append((type_, json.loads(zlib.decompress(base64.b64decode(text)).decode("utf-8", "surrogatepass"))))
    return found


def card_of_index(client: Any, uri: str, nouns: str) -> dict[str, Any]:
    """What the index says of itself: schema, encoder, the next place, and a stamp of the last change.

    Raises:
        IndexDamaged: if it is not whole, or another version wrote it.
    """
    found = unpacked(client, nouns, 'type == "card"')
    if not found or found[0][1]["schema"] != SCHEMA:
        raise IndexDamaged(f"{uri}：没有完整的索引，或由另一个版本写成；请用 gazette-index build 重建")
    card: dict[str, Any] = found[0][1]
    return card


def noun_rows(item: Item, place: int) -> list[dict[str, Any]]:
    """The rows of a source, its gazette and its documents."""
    source, gazette, tag = item.source, item.gazette, tag_of(item.source.id)
    entry = fields_of(SourceEntry(source.id, source.name, item.path, source.sha256, issue_of(gazette)))
    documents = [document.id for document in gazette.documents]
    rows = [
        *packed("name", tag, tag, place, entry),
        *packed("source", tag, tag, place, {"row": to_row(source), "text": source.text}),
        *packed("gazette", tag, tag, place, {"row": to_row(gazette), "documents": documents}),
    ]
    for document in gazette.documents:
        value = {"row": to_row(document), "paragraphs": [to_row(paragraph) for paragraph in document.paragraphs]}
        rows.extend(packed("document", tag_of(document.id), tag, place, value))
    return rows


def fields_of(value: Any) -> dict[str, Any]:
    """The fields of a frozen dataclass by name."""
    return {name: getattr(value, name) for name in value.__slots__}


def passage_row(
    passage: Passage, document: Document, gazette: Gazette, place: int, vector: npt.NDArray[np.float32]
) -> dict[str, Any]:
    """The row of a passage.

    Raises:
        WriteFailed: if it is longer than a field holds.
    """
    noun = json.dumps(to_row(passage), ensure_ascii=False)
    if len(noun.encode()) > _FIELD_BYTES:
        raise WriteFailed(
            f"{passage.id}：一段有 {len(noun.encode()):,} 字节，Milvus 的一个字段最多 {_FIELD_BYTES:,} 字节"
        )
    organ = document.organ or gazette.organ
    return {
        "pk": tag_of(passage.id),
        "source": tag_of(passage.source_id),
        "document": tag_of(passage.document_id),
        "kind": tag_of(document.kind),
        "organ": tag_of(fold(organ)) if organ else "",
        "speaker": tag_of(fold(document.speaker)) if document.speaker else "",
        "year": gazette.year or 0,
        "day": day(document.date) or 0,
        "place": place,
        "noun": noun,
        "vector": [float(x) for x in vector],
        "body": _bounded(analysed(terms(passage.text))),
        "head": _bounded(analysed(terms(passage.context))),
    }


def _bounded(text: str) -> str:
    """As much of it as one field holds."""
    data = text.encode()
    return text if len(data) <= _FIELD_BYTES else data[: _FIELD_BYTES - 64].decode(errors="ignore").rpartition(" ")[0]
