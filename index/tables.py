"""The nouns as SQLite rows: one segment file holds whole sources with all that was found in them.

A segment is the truth about its sources: text, gazette, documents, paragraphs, passages and vectors. It is written
once, in one go, and never changed afterwards; everything else in the index folder can be made from it again.
"""

# ruff: noqa: S608 - the names put into statements are the fields of our own nouns, values are always bound
from __future__ import annotations

import hashlib
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from index.records import Document, Gazette, Paragraph, Passage, Source
from index.rows import COLUMNS, Item, SourceEntry, from_row, issue_of, to_row

T = TypeVar("T")
Vectors = np.ndarray[Any, np.dtype[np.float32]]


def _names(noun: type) -> str:
    return ", ".join(f'"{name}"' for name in COLUMNS[noun])


_TABLES = f"""
CREATE TABLE sources ({_names(Source)}, "path" TEXT, "first_key" INTEGER, "packed" BLOB, PRIMARY KEY ("id")) WITHOUT ROWID;
CREATE TABLE gazettes ({_names(Gazette)}, PRIMARY KEY ("source_id")) WITHOUT ROWID;
CREATE TABLE documents ({_names(Document)}, PRIMARY KEY ("id")) WITHOUT ROWID;
CREATE INDEX documents_of ON documents ("source_id", "n");
CREATE TABLE paragraphs ("document_id" TEXT, {_names(Paragraph)}, PRIMARY KEY ("document_id", "n")) WITHOUT ROWID;
CREATE TABLE passages ("key" INTEGER PRIMARY KEY, "vector" INTEGER, {_names(Passage)});
CREATE UNIQUE INDEX passages_by_id ON passages ("id");
CREATE INDEX passages_of ON passages ("document_id", "key");
CREATE TABLE vectors ("n" INTEGER PRIMARY KEY, "content" BLOB UNIQUE, "vector" BLOB);
"""
LAYOUT = hashlib.sha256(_TABLES.encode()).hexdigest()[:8]
"""Changes with any column: part of the format version."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many sources, documents and passages."""

    sources: int
    documents: int
    passages: int


def _chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    return (values[first : first + 1000] for first in range(0, len(values), 1000))  # SQLite takes 32,766 at most


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


class SegmentWriter:
    """Fills a new segment file, or goes on with one that was left unfinished.

    Only a file that is to be taken up again after a power cut has to be ``durable``, waiting for the disk at each
    commit; any other is thrown away, or flushed whole by its generation.
    """

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        new = not path.exists()
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript("PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;")
        self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
        if new:
            self._db.executescript(f"PRAGMA page_size = 8192; BEGIN; {_TABLES} COMMIT;")
        self._db.execute("BEGIN")

    def add(self, item: Item, first_key: int, vectors: Sequence[int]) -> None:
        """Add a source whole; its passages get the keys from ``first_key`` up, vectors as numbered by ``vector``."""
        source, gazette = item.source, item.gazette
        packed = zlib.compress(source.text.encode("utf-8", "surrogatepass"), 1)
        self._insert("sources", [[*to_row(source), item.path, first_key, packed]])
        self._insert("gazettes", [to_row(gazette)])
        self._insert("documents", [to_row(document) for document in gazette.documents])
        self._insert("paragraphs", ([d.id, *to_row(p)] for d in gazette.documents for p in d.paragraphs))
        numbered = zip(item.passages, vectors, strict=True)
        self._insert("passages", [[first_key + i, n, *to_row(p)] for i, (p, n) in enumerate(numbered)])

    def numbers(self, contents: Sequence[bytes]) -> dict[bytes, int]:
        """The numbers of the vectors that are stored under those content keys, where they are."""
        query = 'SELECT "content", "n" FROM vectors WHERE "content" IN (%s)'
        return dict(row for chunk in _chunks(contents) for row in self._db.execute(query % _marks(chunk), chunk))

    def add_vectors(self, vectors: Mapping[bytes, bytes]) -> dict[bytes, int]:
        """Store vectors (float32 bytes) under their content keys, and give their numbers."""
        first = int(self._db.execute('SELECT COALESCE(MAX("n"), 0) + 1 FROM vectors').fetchone()[0])
        rows = [(n, content, vector) for n, (content, vector) in enumerate(vectors.items(), first)]
        self._insert("vectors", rows)
        return {content: n for n, content, _ in rows}

    def source_names(self) -> dict[str, str]:
        """The sources that are here already: id -> name."""
        return dict(self._db.execute('SELECT "id", "name" FROM sources').fetchall())

    def next_key(self) -> int:
        """One more than the greatest key; 0 in an empty file."""
        return int(self._db.execute('SELECT COALESCE(MAX("key") + 1, 0) FROM passages').fetchone()[0])

    def drop(self, source_ids: Iterable[str]) -> None:
        """Take sources out again, and leave no trace of their text in the file."""
        self._db.execute("PRAGMA secure_delete = ON")
        gone = [(source_id,) for source_id in source_ids]
        inner = 'DELETE FROM paragraphs WHERE "document_id" IN (SELECT "id" FROM documents WHERE "source_id" = ?)'
        self._db.executemany(inner, gone)
        for table in ("passages", "documents", "gazettes"):
            self._db.executemany(f'DELETE FROM {table} WHERE "source_id" = ?', gone)
        self._db.executemany('DELETE FROM sources WHERE "id" = ?', gone)
        if gone:
            self._db.execute('DELETE FROM vectors WHERE "n" NOT IN (SELECT "vector" FROM passages)')

    def _insert(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        rows = list(rows)
        if rows:
            self._db.executemany(f"INSERT INTO {table} VALUES ({_marks(rows[0])})", rows)

    def copy(self, other: Path, without: Iterable[str]) -> None:
        """Take over all sources of another segment but some, with their keys and vectors."""
        self.commit()
        self._db.execute("COMMIT")
        self._db.execute("ATTACH ? AS other", (str(other),))
        self._db.execute("CREATE TEMP TABLE gone (id TEXT PRIMARY KEY)")
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO gone VALUES (?)", ((source_id,) for source_id in without))
        kept = '"source_id" NOT IN (SELECT id FROM gone)'
        columns = '"content", "vector"'
        self._db.execute(
            f'INSERT OR IGNORE INTO vectors ({columns}) SELECT {columns} FROM other.vectors WHERE "n" IN '
            f'(SELECT "vector" FROM other.passages WHERE {kept}) ORDER BY "n"'
        )
        self._db.execute('INSERT INTO sources SELECT * FROM other.sources WHERE "id" NOT IN (SELECT id FROM gone)')
        self._db.execute(f"INSERT INTO gazettes SELECT * FROM other.gazettes WHERE {kept}")
        self._db.execute(f"INSERT INTO documents SELECT * FROM other.documents WHERE {kept}")
        self._db.execute(
            "INSERT INTO paragraphs SELECT * FROM other.paragraphs WHERE "
            f'"document_id" IN (SELECT "id" FROM other.documents WHERE {kept})'
        )
        names = _names(Passage)
        qualified = ", ".join(f"p.{name}" for name in names.split(", "))
        self._db.execute(
            f'INSERT INTO passages ("key", "vector", {names}) SELECT p."key", mine."n", {qualified} '
            f'FROM other.passages p JOIN other.vectors v ON v."n" = p."vector" '
            f'JOIN vectors mine ON mine."content" = v."content" WHERE p.{kept} ORDER BY p."key"'
        )
        self._db.execute("COMMIT")
        self._db.execute("DROP TABLE gone")
        self._db.execute("DETACH other")
        self._db.execute("BEGIN")

    def commit(self) -> None:
        """Keep what was added so far, even if this process ends here."""
        self._db.execute("COMMIT")
        self._db.execute("BEGIN")

    def finish(self) -> None:
        """Keep everything and close the file."""
        self._db.execute("COMMIT")
        self._db.close()

    def close(self) -> None:
        """Close the file; what was not committed is lost."""
        self._db.close()


class Segment:
    """A finished segment file, open for reading; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        # immutable: SQLite then takes no locks and makes no files beside it, so a read-only folder works too.
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        self._db = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
        self._lock = threading.Lock()

    def close(self) -> None:
        self._db.close()

    def _all(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._db.execute(query, values).fetchall()

    def _one(self, query: str, value: str) -> Any:
        rows = self._all(query, (value,))
        return rows[0] if rows else None

    def sources(self) -> list[SourceEntry]:
        """Every source, in the order they were added."""
        query = (
            'SELECT s."id", s."name", s."path", s."sha256", g."title", g."year", g."number" FROM sources s '
            'JOIN gazettes g ON g."source_id" = s."id" ORDER BY s."first_key"'
        )
        return [
            SourceEntry(source_id, name, path, sha, issue_of(Gazette(source_id, title, year=year, number=number)))
            for source_id, name, path, sha, title, year, number in self._all(query)
        ]

    def source_names(self) -> dict[str, str]:
        """Every source's id with its name, in the order they were added."""
        return dict(self._all('SELECT "id", "name" FROM sources ORDER BY "first_key"'))

    def source(self, source_id: str) -> Source | None:
        """The source with its text, None if it is not here."""
        row = self._one(f'SELECT "packed", {_names(Source)} FROM sources WHERE "id" = ?', source_id)
        if row is None:
            return None
        return from_row(Source, row[1:], text=zlib.decompress(row[0]).decode("utf-8", "surrogatepass"))

    def gazette(self, source_id: str) -> Gazette | None:
        """The gazette found in a source with its documents, None if it is not here."""
        row = self._one(f'SELECT {_names(Gazette)} FROM gazettes WHERE "source_id" = ?', source_id)
        if row is None:
            return None
        query = f'SELECT {_names(Document)} FROM documents WHERE "source_id" = ? ORDER BY "n"'
        return from_row(Gazette, row, documents=tuple(map(self._document, self._all(query, (source_id,)))))

    def document(self, document_id: str) -> Document | None:
        """A document with its paragraphs, None if it is not here."""
        row = self._one(f'SELECT {_names(Document)} FROM documents WHERE "id" = ?', document_id)
        return None if row is None else self._document(row)

    def _document(self, row: Sequence[Any]) -> Document:
        query = f'SELECT {_names(Paragraph)} FROM paragraphs WHERE "document_id" = ? ORDER BY "n"'
        document_id = row[COLUMNS[Document].index("id")]
        return from_row(
            Document, row, paragraphs=tuple(from_row(Paragraph, p) for p in self._all(query, (document_id,)))
        )

    def headers(self) -> Iterator[tuple[Document, Gazette, int, int]]:
        """Every document without its paragraphs, its gazette without its documents, and its first and last key."""
        query = 'SELECT "document_id", MIN("key"), MAX("key") FROM passages GROUP BY 1'
        keys = {document_id: (first, last) for document_id, first, last in self._all(query)}
        gazettes = {
            gazette.source_id: gazette
            for gazette in (from_row(Gazette, row) for row in self._all(f"SELECT {_names(Gazette)} FROM gazettes"))
        }
        for row in self._all(f"SELECT {_names(Document)} FROM documents"):
            document = from_row(Document, row)
            if document.id in keys:
                yield document, gazettes[document.source_id], *keys[document.id]

    def document_ids(self) -> list[tuple[str, str]]:
        """(document id, source id) of every document, by source and place."""
        return [tuple(row) for row in self._all('SELECT "id", "source_id" FROM documents ORDER BY "source_id", "n"')]

    def passage(self, passage_id: str) -> Passage | None:
        """A passage by its id, None if it is not here."""
        row = self._one(f'SELECT {_names(Passage)} FROM passages WHERE "id" = ?', passage_id)
        return None if row is None else from_row(Passage, row)

    def passages(self, document_id: str) -> list[Passage]:
        """The passages of a document, in order."""
        query = f'SELECT {_names(Passage)} FROM passages WHERE "document_id" = ? ORDER BY "key"'
        return [from_row(Passage, row) for row in self._all(query, (document_id,))]

    def by_key(self, keys: Sequence[int]) -> dict[int, Passage]:
        """Passages by their keys."""
        query = f'SELECT "key", {_names(Passage)} FROM passages WHERE "key" IN (%s)'
        return {row[0]: from_row(Passage, row[1:]) for row in self._chosen(query, keys)}

    def _chosen(self, query: str, values: Sequence[Any]) -> Iterator[Any]:
        for chunk in _chunks(values):
            yield from self._all(query % _marks(chunk), chunk)

    def keyed_passages(self) -> Iterator[tuple[int, Passage]]:
        """Every passage with its key, by key; reads as it goes, so for one thread only."""
        for row in self._db.execute(f'SELECT "key", {_names(Passage)} FROM passages ORDER BY "key"'):
            yield row[0], from_row(Passage, row[1:])

    def vector_rows(self, block: int = 8192) -> Iterator[tuple[list[int], Vectors]]:
        """Keys and vectors of all passages, by key, some thousands at a time; for one thread only."""
        query = 'SELECT p."key", v."vector" FROM passages p JOIN vectors v ON v."n" = p."vector" ORDER BY p."key"'
        cursor = self._db.execute(query)
        while rows := cursor.fetchmany(block):
            joined = np.frombuffer(b"".join(vector for _, vector in rows), np.float32)
            yield [key for key, _ in rows], joined.reshape(len(rows), -1)

    def vectors_of(self, contents: Sequence[bytes]) -> dict[bytes, bytes]:
        """The stored vectors of those content keys that are here."""
        return dict(self._chosen('SELECT "content", "vector" FROM vectors WHERE "content" IN (%s)', contents))

    def counts(self, without: Iterable[str] = ()) -> Counts:
        """How much is here, some sources left aside."""
        sources, documents, passages = self._all(
            "SELECT (SELECT COUNT(*) FROM sources), (SELECT COUNT(*) FROM documents), (SELECT COUNT(*) FROM passages)"
        )[0]
        for source_id in without:
            here = self._all('SELECT COUNT(*) FROM sources WHERE "id" = ?', (source_id,))[0][0]
            sources -= here
            for (document_id,) in self._all('SELECT "id" FROM documents WHERE "source_id" = ?', (source_id,)):
                documents -= 1
                passages -= self._all('SELECT COUNT(*) FROM passages WHERE "document_id" = ?', (document_id,))[0][0]
        return Counts(sources, documents, passages)

    def key_range(self) -> tuple[int, int]:
        """The first and the last key."""
        first, last = self._all('SELECT MIN("key"), MAX("key") FROM passages')[0]
        return first, last

    def problems(self) -> list[str]:
        """What is wrong inside the file, by SQLite's own check and by what must hold between the tables."""
        found = [str(row[0]) for row in self._all("PRAGMA integrity_check(5)") if row[0] != "ok"]
        if found:
            return found
        checks = {
            "passages without a source": 'SELECT COUNT(*) FROM passages WHERE "source_id" NOT IN (SELECT "id" FROM sources)',
            "passages without a document": 'SELECT COUNT(*) FROM passages WHERE "document_id" NOT IN '
            '(SELECT "id" FROM documents)',
            "passages without a vector": 'SELECT COUNT(*) FROM passages WHERE "vector" NOT IN (SELECT "n" FROM vectors)',
            "sources without a gazette": 'SELECT COUNT(*) FROM sources WHERE "id" NOT IN (SELECT "source_id" FROM gazettes)',
        }
        return [f"{count} {what}" for what, query in checks.items() if (count := self._all(query)[0][0])]
