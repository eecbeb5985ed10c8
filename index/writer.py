"""Writes generations of an index folder: fill, compact, derive, publish; all of it or nothing."""

from __future__ import annotations

import hashlib
import logging
import shutil
import sqlite3
from collections.abc import Container, Iterable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index import cuts, generations, lexical, vectors
from index.cuts import CutsWriter
from index.generations import (
    EncoderCard,
    Generation,
    IndexBusy,
    IndexDamaged,
    Manifest,
    Reference,
    SegmentEntry,
    WriteFailed,
)
from index.lexical import LexicalIndex, LexicalWriter
from index.records import GazetteError
from index.rows import Item, SourceEntry, content_key, embedded_text
from index.tables import LAYOUT, Segment, SegmentWriter

if TYPE_CHECKING:
    from index.embed import Encoder

SCHEMA = f"1.{LAYOUT}.{lexical.VERSION}"
"""The format version: an index of another one is refused and has to be built again."""

LEXICAL = "lexical"
SEGMENT_FILES = (".sqlite", ".faiss", ".keys.npy")
_LATER_FILES = (cuts.WORDS, cuts.CUTS)  # older segments have none: their passages are cut when they are found

_SMALL = 2_000  # passages up to which a removal writes everything anew: well under half a second
_MOST_SEGMENTS = 8  # more are merged; a question looks into each of them
_MOST_DEAD = 0.25  # share of a segment's passages that may be removed before it is written anew
_BATCH = 1024  # passages embedded and stored at once
_KEPT = 8_192  # passages after which an interrupted build need not read again

log = logging.getLogger("index")


class EncoderMismatch(GazetteError):  # noqa: N818 - it says what happened
    """The index was made with another encoder."""


def code_fingerprint() -> str:
    """Changes with any line of this package: what another version has read from a file may be something else."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def card_of(encoder: Encoder) -> EncoderCard:
    """What the index keeps of an encoder."""
    return EncoderCard(encoder.name, int(encoder.dimensions), encoder.fingerprint)


def matching_encoder(folder: Path, card: EncoderCard, given: Encoder | None) -> Encoder:
    """The encoder that made the index: the one given, or loaded by its name.

    Raises:
        EncoderMismatch: if it is another one, saying what to do.
        EncoderNotFound: if it cannot be loaded.
    """
    from index.embed import load_encoder

    encoder = given if given is not None else load_encoder(card.name)
    if encoder.fingerprint == card.fingerprint:
        return encoder
    found = f"{encoder.name}（{encoder.dimensions} 维，{encoder.fingerprint[:8]}）"
    raise EncoderMismatch(
        f"{folder} 是用编码器 {card.name}（{card.dimensions} 维，{card.fingerprint[:8]}）建的，现在的是 {found}："
        f"请用 gazette-index build 重建索引，或换回原来的编码器"
    )


def whole_generation(folder: Path) -> Generation:
    """The generation to read, held and checked; see ``open_index``.

    Raises:
        IndexDamaged: if there is none.
    """
    while True:
        stamp = generations.pointer_stamp(folder)
        damage: list[str] = []
        for place, reference in enumerate(generations.candidates(folder)):
            name = reference.name
            generation = generations.hold(folder, reference)
            if generation is None:
                damage.append(f"{name}/{generations.MANIFEST}")
                continue
            if generation.manifest.schema != SCHEMA:
                generation.release()
                raise IndexDamaged(f"{folder} 是另一个版本写的索引；请用 gazette-index build 重建")
            broken = generation.damaged()
            if broken:
                damage.extend(f"{name}/{file}" for file in broken)
                repaired = _repaired(folder, generation, broken)
                generation.release()
                if repaired is None:
                    continue
                generation = repaired
            if place:
                log.warning("%s：当前的索引已损坏（%s），改用前一代 %s", folder, "、".join(damage[:3]), name)
            return generation
        if generations.pointer_stamp(folder) == stamp:  # else another generation was published meanwhile
            what = f"索引已损坏（{'、'.join(damage[:3])}）" if damage else "这里没有索引"
            raise IndexDamaged(f"{folder}：{what}；请用 gazette-index build 重建")


def _repaired(folder: Path, generation: Generation, broken: Sequence[str]) -> Generation | None:
    """A new generation with the broken files made again from the truth; None where the truth itself is broken."""
    if any(name.endswith(".sqlite") for name in broken):
        return None
    try:
        with generations.writing(folder):
            pointer = generations.read_pointer(folder)
            staging = generations.stage(folder)
            manifest = replace(generation.manifest, generation=generations.name_of(staging))
            for entry in manifest.segments:
                if any(name.startswith(f"{entry.name}.") for name in broken):
                    generations.link(generation.folder / f"{entry.name}.sqlite", staging / f"{entry.name}.sqlite")
                    _derive(staging, entry, manifest.encoder.dimensions)
                else:
                    _link_segment(generation.folder, staging, entry.name)
            if any(name.startswith(f"{LEXICAL}/") for name in broken):
                _write_lexical(staging, [_Part(staging, entry, 0) for entry in manifest.segments])
            else:
                _link_lexical(generation.folder, staging)
            sealed = generations.seal(staging, manifest, generation)
            generations.publish(folder, staging, sealed, pointer.fallback if pointer else None)
            log.warning("%s：%s 已损坏，已由原文重新生成", folder, "、".join(broken[:3]))
            return generations.hold(folder, generations.candidates(folder)[0])
    except (IndexBusy, OSError):
        return None


class _Filling:
    """A segment being filled: embeds what is new, takes over vectors that are known."""

    def __init__(
        self,
        path: Path,
        words: CutsWriter,
        encoder: Encoder | None,
        known: Sequence[Segment],
        next_key: int,
        terms: LexicalWriter | None,
        *,
        durable: bool,
    ) -> None:
        self._rows = SegmentWriter(path, durable=durable)
        self._words = words
        self._terms = terms
        self._encoder = encoder
        self._known = known
        self._waiting: list[Item] = []
        self._next_key = self._kept_key = max(next_key, self._rows.next_key())
        self._passages_waiting = 0

    def add(self, item: Item) -> None:
        self._waiting.append(item)
        self._passages_waiting += len(item.passages)
        if self._passages_waiting >= _BATCH:
            self._flush()

    def finish(self, wanted: Container[str] | None) -> None:
        """Store what is waiting; drop what an interrupted run left that is not wanted any more."""
        self._flush()
        if wanted is not None:
            self._rows.drop([source_id for source_id in self._rows.source_names() if source_id not in wanted])
        self._rows.finish()

    def close(self) -> None:
        """End without storing what is waiting."""
        self._rows.close()

    def _flush(self) -> None:
        keyed = [(item, [content_key(passage) for passage in item.passages]) for item in self._waiting]
        passages = {c: passage for item, contents in keyed for c, passage in zip(contents, item.passages, strict=True)}
        numbers = self._rows.numbers(list(passages))
        for segment in self._known:
            numbers |= self._rows.add_vectors(segment.vectors_of([c for c in passages if c not in numbers]))
        unknown = [content for content in passages if content not in numbers]
        if unknown and self._encoder is not None:
            vectors = self._encoder.encode_document([embedded_text(passages[content]) for content in unknown])
            rows = (row.tobytes() for row in np.ascontiguousarray(vectors, np.float32))
            numbers |= self._rows.add_vectors(dict(zip(unknown, rows, strict=True)))
        for item, contents in keyed:
            self._rows.add(item, self._next_key, [numbers[content] for content in contents])
            if self._terms is not None:
                _add_terms(self._terms, item, self._next_key)
            self._next_key += len(item.passages)
        # Just embedded, they are cut in a quarter of the time that it takes later.
        self._words.add([passage for item in self._waiting for passage in item.passages])
        self._waiting.clear()
        self._passages_waiting = 0
        if self._next_key - self._kept_key >= _KEPT:
            self._rows.commit()
            self._kept_key = self._next_key


def _add_terms(writer: LexicalWriter, item: Item, first_key: int) -> None:
    homes = {document.id: document for document in item.gazette.documents}
    bodies = item.terms or repeat(None)
    for key, (passage, body) in enumerate(zip(item.passages, bodies, strict=False), first_key):
        writer.add(key, passage, homes[passage.document_id], item.gazette, body)


@dataclass(frozen=True, slots=True)
class Change:
    """What makes the next generation out of the previous one."""

    items: Iterable[Item] = ()  # new sources
    carry: bool = False  # keep what the previous one holds,
    gone: Set[str] = frozenset()  # but not these sources; may grow while the items are drawn
    partial: Path | None = None  # where new sources are gathered, so that an interrupted run can be taken up again
    wanted: Container[str] | None = None  # asked at the end: what else the partial file holds is dropped


@dataclass(frozen=True, slots=True)
class _Part:
    """A segment that goes into the next generation, as it is or written anew."""

    folder: Path
    entry: SegmentEntry
    dead: int  # passages of removed sources in it

    @property
    def share_dead(self) -> float:
        return self.dead / (self.dead + self.entry.passages)


def write_generation(
    folder: Path, previous: Generation | None, change: Change, encoder: Encoder | None
) -> Manifest | None:
    """Write and publish the next generation; None, and nothing written, if nothing is new and nothing goes.

    Vectors are taken from the previous one where the same encoder made them. ``encoder`` may be None where nothing
    is new.

    Raises:
        WriteFailed: the disk is full or a file cannot be written; everything is as it was before.
    """
    staging = terms = None
    try:
        staging = generations.stage(folder)
        # The engine works beside the filling; what is added to an index waits until it is known what goes.
        terms = None if previous and change.carry else LexicalWriter(staging / LEXICAL)
        added = _filled(staging, previous, change, encoder, terms)
        if not added and not change.gone:
            if change.partial:
                change.partial.unlink()
            return None
        carried = _carried(previous, change.gone) if previous and change.carry else []
        card = previous.manifest.encoder if previous and encoder is None else card_of(_given(encoder))
        runs, purge = _plan([*carried, *added], bool(change.gone))
        parts, gone = [*carried, *added], frozenset[str]()
        if previous and change.carry and not purge:
            _link_lexical(previous.folder, staging)
            parts, gone = added, frozenset(change.gone)
        with ThreadPoolExecutor(1) as beside:  # terms are made in Python while words are cut outside of it
            terms_written = beside.submit(_write_lexical, staging, parts, gone, terms)
            entries = [_settle(staging, number, run, card.dimensions) for number, run in enumerate(runs)]
            terms_written.result()
        for part in added:
            if part.entry not in entries:  # merged into another
                _drop_segment(staging, part.entry.name)
        manifest = _manifest(staging, entries, card, previous.manifest.next_key if previous and change.carry else 0)
        found = len(LexicalIndex(staging / LEXICAL))
        if found != manifest.passages:
            raise WriteFailed(f"{folder}：词项索引应有 {manifest.passages} 段，读回 {found} 段；磁盘是否已满？")
        sealed = generations.seal(staging, manifest, previous)
        generations.publish(folder, staging, sealed, _fallback(previous, staging, entries))
        if change.partial:
            change.partial.unlink()
        return sealed
    except sqlite3.IntegrityError as error:
        raise GazetteError(f"{folder}：两个来源或两段的编号相同（{error}）；原来的索引没有改动") from error
    except (OSError, sqlite3.Error) as error:
        raise WriteFailed(f"{folder}：写索引失败（{error}）；原来的索引没有改动") from error
    finally:
        if terms is not None:
            terms.close()
        if staging is not None and staging.exists():
            shutil.rmtree(staging, ignore_errors=True)


def _given(encoder: Encoder | None) -> Encoder:
    if encoder is None:
        raise ValueError("an encoder is needed where there is no index yet")
    return encoder


def _carried(previous: Generation, gone: Set[str]) -> list[_Part]:
    parts = []
    for entry in previous.manifest.segments:
        rows = Segment(previous.folder / f"{entry.name}.sqlite")
        removed = tuple(s for s in rows.source_names() if s in gone or s in entry.removed)
        live, whole = rows.counts(removed), rows.counts()
        rows.close()
        if live.passages:
            entry = replace(entry, removed=removed, passages=live.passages)
            parts.append(_Part(previous.folder, entry, whole.passages - live.passages))
    return parts


def _filled(
    staging: Path,
    previous: Generation | None,
    change: Change,
    encoder: Encoder | None,
    terms: LexicalWriter | None,
) -> list[_Part]:
    """The new sources as a segment in the staging folder; no part where there are none."""
    known = []
    if previous and encoder and previous.manifest.encoder.fingerprint == encoder.fingerprint:
        known = [Segment(previous.folder / f"{entry.name}.sqlite") for entry in previous.manifest.segments]
    name = generations.name_of(staging)
    target = staging / f"{name}.sqlite"
    first_key = previous.manifest.next_key if previous and change.carry else 0
    words = CutsWriter(staging, name)
    durable = change.partial is not None
    filling = _Filling(change.partial or target, words, encoder, known, first_key, terms, durable=durable)
    try:
        for item in change.items:
            filling.add(item)
        filling.finish(change.wanted)
    finally:
        filling.close()
        words.close()
        for segment in known:
            segment.close()
    if change.partial:
        generations.link(change.partial, target)  # it stays until all is published: deriving takes its time too
    rows = Segment(target)
    passages = rows.counts().passages
    entry = SegmentEntry(name, passages, *(rows.key_range() if passages else (0, 0)))
    rows.close()
    if not passages:
        _drop_segment(staging, name)
    elif words.count == passages:  # else an interrupted run has left some, and all are cut when the rest is derived
        words.finish(passages)
    return [_Part(staging, entry, 0)] if passages else []


def _plan(parts: list[_Part], removing: bool) -> tuple[list[list[_Part]], bool]:
    """Which segments become one, and whether the lexical index must be written anew to be rid of removed text."""
    total = sum(part.entry.passages for part in parts)
    if removing and total <= _SMALL:
        return ([parts] if parts else []), True
    runs = [[part] for part in parts]
    while len(runs) > _MOST_SEGMENTS:
        # Neighbours, so that the keys of the segments stay apart; the smallest, so that a large one is rarely moved.
        sizes = [sum(part.entry.passages for part in run) for run in runs]
        at = min(range(len(runs) - 1), key=lambda i: sizes[i] + sizes[i + 1])
        runs[at : at + 2] = [runs[at] + runs[at + 1]]
    return runs, any(part.share_dead > _MOST_DEAD for part in parts)


def _settle(staging: Path, number: int, run: list[_Part], dimensions: int) -> SegmentEntry:
    """The segment of a run of parts in the staging folder: linked, or written anew without what was removed."""
    first = run[0]
    if len(run) == 1 and first.share_dead <= _MOST_DEAD and not (first.dead and first.entry.passages <= _SMALL):
        if first.folder == staging:
            _derive(staging, first.entry, dimensions)
        else:
            _link_segment(first.folder, staging, first.entry.name)
        return first.entry
    name = f"{generations.name_of(staging)}.{number}"
    rows = SegmentWriter(staging / f"{name}.sqlite")
    for part in run:
        rows.copy(part.folder / f"{part.entry.name}.sqlite", part.entry.removed)
    rows.finish()
    passages = sum(part.entry.passages for part in run)
    entry = SegmentEntry(name, passages, first.entry.first_key, run[-1].entry.last_key)
    _derive(staging, entry, dimensions)
    return entry


def _manifest(staging: Path, entries: Sequence[SegmentEntry], card: EncoderCard, next_key: int) -> Manifest:
    counts = []
    for entry in entries:
        rows = Segment(staging / f"{entry.name}.sqlite")
        counts.append(rows.counts(entry.removed))
        rows.close()
    return Manifest(
        schema=SCHEMA,
        generation=generations.name_of(staging),
        encoder=card,
        segments=tuple(entries),
        next_key=max([next_key, *(entry.last_key + 1 for entry in entries)]),
        sources=sum(count.sources for count in counts),
        documents=sum(count.documents for count in counts),
        passages=sum(count.passages for count in counts),
    )


def _fallback(previous: Generation | None, folder: Path, entries: Sequence[SegmentEntry]) -> Reference | None:
    """The previous generation, if it holds no source that the new one lacks."""
    if previous is None:
        return None
    before = _source_ids(previous.folder, previous.manifest.segments)
    return previous.reference if before <= _source_ids(folder, entries) else None


def _source_ids(folder: Path, entries: Sequence[SegmentEntry]) -> set[str]:
    found: set[str] = set()
    for entry in entries:
        rows = Segment(folder / f"{entry.name}.sqlite")
        found |= rows.source_names().keys() - set(entry.removed)
        rows.close()
    return found


def live_sources(generation: Generation) -> list[SourceEntry]:
    """The sources of a generation, in the order they were added."""
    found: list[SourceEntry] = []
    for entry in generation.manifest.segments:
        rows = Segment(generation.folder / f"{entry.name}.sqlite")
        found += [source for source in rows.sources() if source.id not in entry.removed]
        rows.close()
    return found


def _link_segment(source: Path, target: Path, name: str) -> None:
    for suffix in SEGMENT_FILES:
        generations.link(source / f"{name}{suffix}", target / f"{name}{suffix}")
    for suffix in _LATER_FILES:
        if (source / f"{name}{suffix}").exists():
            generations.link(source / f"{name}{suffix}", target / f"{name}{suffix}")


def _drop_segment(folder: Path, name: str) -> None:
    for suffix in (*SEGMENT_FILES, *_LATER_FILES):
        (folder / f"{name}{suffix}").unlink(missing_ok=True)


def _link_lexical(source: Path, target: Path) -> None:
    (target / LEXICAL).mkdir()
    for path in (source / LEXICAL).iterdir():
        # The engine replaces its lists of files and keeps its segments; only the latter may be shared.
        copy = shutil.copy2 if path.suffix == ".json" else generations.link
        copy(path, target / LEXICAL / path.name)


def _write_lexical(
    staging: Path, parts: Sequence[_Part], gone: Iterable[str] = (), begun: LexicalWriter | None = None
) -> None:
    """Add the passages of the parts to the lexical index of a staging folder, after removing what is gone.

    What was ``begun`` while they were read is only finished, unless an interrupted run had left some of them.
    """
    if begun is not None:
        if begun.count == sum(part.entry.passages for part in parts):
            begun.finish()
            return
        begun.close()
        shutil.rmtree(staging / LEXICAL)
    writer = LexicalWriter(staging / LEXICAL)
    writer.remove(gone)
    for part in parts:
        rows = Segment(part.folder / f"{part.entry.name}.sqlite")
        homes = {document.id: (document, gazette) for document, gazette, _, _ in rows.headers()}
        removed = frozenset(part.entry.removed)
        for key, passage in rows.keyed_passages():
            if passage.source_id not in removed:
                writer.add(key, passage, *homes[passage.document_id])
        rows.close()
    writer.finish()


def _derive(staging: Path, entry: SegmentEntry, dimensions: int) -> None:
    rows = Segment(staging / f"{entry.name}.sqlite")
    count = rows.counts().passages
    vectors.write(staging, entry.name, rows.vector_rows, count, dimensions)
    if not (staging / f"{entry.name}{cuts.CUTS}").exists():
        cuts.write(staging, entry.name, (passage for _, passage in rows.keyed_passages()), count)
    rows.close()
