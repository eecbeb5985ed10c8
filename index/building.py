"""From files to an index: build, add, remove; each is one new generation, or leaves everything as it was."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from index import generations
from index.generations import EncoderCard, Generation, IndexDamaged
from index.intake import Intake, Progress, Reader, Replace
from index.interface import milvus_uri
from index.reading import place_of, read_files
from index.records import Document, FileReport, Gazette, GazetteError, Paragraph, Passage, Source
from index.rows import Item, SourceEntry
from index.tables import SegmentWriter
from index.writer import (
    SCHEMA,
    Change,
    card_of,
    code_fingerprint,
    live_sources,
    matching_encoder,
    whole_generation,
    write_generation,
)

if TYPE_CHECKING:
    from index.embed import Encoder

log = logging.getLogger("index")


def build(
    paths: Sequence[Path],
    folder: Path,
    *,
    encoder: Encoder | None = None,
    progress: Progress | None = None,
    workers: int = 1,
    reader: Reader | None = None,
) -> list[FileReport]:
    """A new index of files and folders (searched in depth), in place of what the folder held before.

    A file that cannot be read is reported as skipped with its reason, the rest is indexed; if nothing can be, the
    folder is left as it was. Vectors of passages that were indexed before are taken over, and a build that was
    interrupted is taken up where it stopped. With several ``workers`` many files are read in processes of their own
    (a script that asks for that needs the usual ``if __name__ == "__main__"``), or by a ``reader`` of one's own.

    Raises:
        IndexBusy: another process is writing to the folder.
        WriteFailed: the disk is full or a file cannot be written; the old index still answers.
    """
    encoder = encoder or _default_encoder()
    folder = Path(folder)
    reader = reader or _reader(workers)
    if milvus_uri(folder):
        reading = Intake(paths, progress, reader)
        _milvus_writer(folder, encoder).write(reading.items(), frozenset(), encoder)
        return reading.reports
    with generations.writing(folder):
        partial = _partial(folder, encoder)
        reading = Intake(paths, progress, reader, finished=_names_in(partial))
        change = Change(reading.items(), partial=partial, wanted=reading.wanted)
        with _previous(folder) as previous:
            write_generation(folder, previous, change, encoder)
        return reading.reports


def add(
    paths: Sequence[Path],
    folder: Path,
    *,
    encoder: Encoder | None = None,
    progress: Progress | None = None,
    workers: int = 1,
    replace: Replace = "file",
) -> list[FileReport]:
    """Add files to an index. One that is there already is left alone; a changed one replaces its older version.

    A file is an older version's successor if it comes from the same place, or has the same name and the older one is
    no longer where it was; with ``replace="issue"`` also if both hold the same issue of the same gazette. With "none"
    all versions stand beside each other.

    Raises:
        IndexDamaged, IndexBusy, EncoderMismatch, WriteFailed: nothing was changed.
    """
    folder = Path(folder)
    with changing(folder) as store:
        encoder = matching_encoder(folder, store.card, encoder)
        reading = Intake(paths, progress, _reader(workers), present=store.sources, replace=replace)
        store.write(reading.items(), reading.replaced, encoder)
        return reading.reports


def remove(names: Sequence[str], folder: Path) -> list[FileReport]:
    """Take sources out of an index, each named by its file name, its id, or the path it was indexed from.

    A name that several sources have takes out all of them; one that none has is reported as skipped.

    Raises:
        IndexDamaged, IndexBusy, WriteFailed: nothing was changed.
    """
    folder = Path(folder)
    with changing(folder) as store:
        sources = store.sources
        reports = []
        gone: set[str] = set()
        for wanted in names:
            place = place_of(Path(wanted))
            found = [s for s in sources if wanted in (s.id, s.name) or (s.path and s.path == place)]
            gone.update(source.id for source in found)
            reports += [FileReport(source.name, "removed", source_id=source.id) for source in found]
            if not found:
                reports.append(FileReport(wanted, "skipped", "索引里没有这个来源；gazette-index list 列出全部"))
        store.write((), gone, None)
        return reports


class Store(Protocol):
    """An index open for changing: the index folder or Milvus."""

    @property
    def card(self) -> EncoderCard:
        """Which encoder made the vectors."""

    @property
    def sources(self) -> list[SourceEntry]:
        """Every source, in the order they were added."""

    def write(self, items: Iterable[Item], gone: Set[str], encoder: Encoder | None) -> object:
        """Add items and remove sources; ``gone`` may grow while the items are drawn."""


@dataclass(frozen=True, slots=True)
class _FolderStore:
    folder: Path
    previous: Generation

    @property
    def card(self) -> EncoderCard:
        return self.previous.manifest.encoder

    @property
    def sources(self) -> list[SourceEntry]:
        return live_sources(self.previous)

    def write(self, items: Iterable[Item], gone: Set[str], encoder: Encoder | None) -> object:
        return write_generation(self.folder, self.previous, Change(items, carry=True, gone=gone), encoder)


def _milvus_writer(folder: Path, encoder: Encoder | None) -> Store:
    from index.milvus import MilvusWriter  # pymilvus takes seconds to import

    return MilvusWriter(folder, new=None if encoder is None else card_of(encoder))


@contextmanager
def changing(folder: Path) -> Iterator[Store]:
    """The index at this place, to be changed; a folder's meanwhile by nobody else, and by each ``write`` whole or not.

    Raises:
        IndexDamaged, IndexBusy, WriteFailed: nothing was changed.
        StoreUnreachable: Milvus does not answer.
    """
    if milvus_uri(folder):
        yield _milvus_writer(folder, None)
        return
    if not folder.is_dir():
        raise IndexDamaged(f"{folder}：没有这个索引；请先用 gazette-index build 建立")
    whole_generation(folder).release()  # mends what can be mended, which takes the right to write
    with generations.writing(folder):
        previous = whole_generation(folder)
        try:
            yield _FolderStore(folder, previous)
        finally:
            previous.release()


def _reader(workers: int) -> Reader:
    return lambda files, known: read_files(files, known, workers)


def _partial(folder: Path, encoder: Encoder) -> Path:
    """Where a build gathers what it has read; named after all that must be the same for taking it up again."""
    key = hashlib.sha256(f"{SCHEMA} {encoder.fingerprint} {code_fingerprint()}".encode()).hexdigest()[:16]
    path = folder / f"building-{key}.sqlite"
    for other in folder.glob("building-*"):
        if not other.name.startswith(path.name):  # its journal is kept with it
            other.unlink()
    generations.clear_staging(folder)
    if path.exists() and path.stat().st_nlink > 1:
        # Killed between publishing and tidying up: this is a published segment, which nobody may write to any more.
        path.unlink()
    return path


def _names_in(partial: Path) -> dict[str, str]:
    """The sources a build had finished before it was interrupted."""
    if not partial.exists():
        return {}
    try:
        rows = SegmentWriter(partial)
        names = rows.source_names()
        rows.close()
    except sqlite3.Error as error:
        log.warning("上次中断的构建无法接续（%s），从头开始", error)
        partial.unlink()
        return {}
    return names


def build_from_passages(passages: Iterable[Passage], folder: Path, *, encoder: Encoder | None = None) -> None:
    """A new index of passages that come from no gazette file, such as a benchmark's corpus.

    Passages of one source must come together. Each source's text is put together from its passages, by their offsets.

    Raises:
        GazetteError: if two passages have one id, or passages of one source contradict each other about its text.
    """
    storable = map(_storable, passages)
    items = (_stand_in(source_id, list(group)) for source_id, group in groupby(storable, lambda p: p.source_id))
    encoder = encoder or _default_encoder()
    folder = Path(folder)
    if milvus_uri(folder):
        if not _milvus_writer(folder, encoder).write(items, frozenset(), encoder):
            raise GazetteError("no passages were given: there is nothing to index")
        return
    with generations.writing(folder), _previous(folder) as previous:
        if write_generation(folder, previous, Change(items), encoder) is None:
            raise GazetteError("no passages were given: there is nothing to index")


def _storable(passage: Passage) -> Passage:
    """Half a surrogate pair, as JSON may hold, can be stored nowhere: it becomes a question mark."""
    try:
        (passage.text + passage.context).encode()
    except UnicodeEncodeError:
        mended = {field: getattr(passage, field).encode(errors="replace").decode() for field in ("text", "document")}
        return replace(passage, headings=(), **mended)
    return passage


def _stand_in(source_id: str, passages: list[Passage]) -> Item:
    """A source, gazette and documents for bare passages."""
    text = [" "] * max(p.end for p in passages)
    for passage in passages:
        text[passage.start : passage.end] = passage.text
    whole = "".join(text)
    documents = []
    for n, (document_id, group) in enumerate(groupby(passages, lambda p: p.document_id), 1):
        mine = list(group)
        if any(whole[p.start : p.end] != p.text for p in mine):
            raise GazetteError(f"passages of {source_id} contradict each other about its text: check start and end")
        paragraphs = tuple(Paragraph(i, p.start, p.end, headings=p.headings) for i, p in enumerate(mine, 1))
        start, end = min(p.start for p in mine), max(p.end for p in mine)
        documents.append(Document(document_id, source_id, n, mine[0].document, "其他", start, end, paragraphs))
    gazette = Gazette(source_id, passages[0].document, documents=tuple(documents))
    return Item(Source(source_id, passages[0].document or source_id, whole, ""), gazette, tuple(passages))


def _default_encoder() -> Encoder:
    from index.embed import load_encoder

    return load_encoder()


@contextmanager
def _previous(folder: Path) -> Iterator[Generation | None]:
    """The generation that is to be replaced, held; None where there is none that is whole."""
    try:
        generation = whole_generation(folder)
    except IndexDamaged:
        yield None
        return
    try:
        yield generation
    finally:
        generation.release()
