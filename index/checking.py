"""Is every file of an index whole, and do they say the same?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from index import generations
from index.cuts import Cuts
from index.generations import MANIFEST, Generation, IndexDamaged, SegmentEntry
from index.lexical import LexicalIndex
from index.records import Source
from index.tables import Segment
from index.vectors import Nearest
from index.writer import LEXICAL, SCHEMA


def problems(folder: Path) -> list[str]:
    """What is wrong with an index, one line each, without mending it; empty if nothing is.

    Raises:
        IndexDamaged: if there is no index at all.
    """
    references = generations.candidates(folder)
    if not references:
        raise IndexDamaged(f"{folder}：这里没有索引；请先用 gazette-index build 建立")
    found = [] if generations.read_pointer(folder) else ["CURRENT：丢失或损坏"]
    for place, reference in enumerate(references):
        name = reference.name
        generation = generations.hold(folder, reference)
        if generation is None:
            found.append(f"{name}/{MANIFEST}：丢失或损坏")
            continue
        try:
            broken = [f"{name}/{file}：丢失或损坏" for file in generation.damaged(thorough=True)]
            broken += [f"{name}/{file}：不在清单里" for file in _strays(generation)]
            # Hash before parse: a file with a wrong hash is not opened to see what else is wrong with it.
            found += broken or ([] if place else [f"{name}：{line}" for line in _disagreements(generation)])
        finally:
            generation.release()
    return found


def _strays(generation: Generation) -> Iterator[str]:
    for path in sorted(generation.folder.rglob("*")):
        name = path.relative_to(generation.folder).as_posix()
        if path.is_file() and name != MANIFEST and name not in generation.manifest.files:
            yield name


def _disagreements(generation: Generation) -> Iterator[str]:
    manifest = generation.manifest
    if manifest.schema != SCHEMA:
        yield "是另一个版本写的索引"
        return
    live: list[int] = []
    for entry in manifest.segments:
        rows = Segment(generation.folder / f"{entry.name}.sqlite")
        try:
            inside = [f"{entry.name}.sqlite：{line}" for line in rows.problems()]
            yield from inside or _segment_disagreements(generation.folder, entry, rows, live)
        except sqlite3.Error as error:
            yield f"{entry.name}.sqlite：{error}"
        finally:
            rows.close()
    if len(live) != manifest.passages:
        yield f"清单说有 {manifest.passages} 段，实有 {len(live)} 段"
    if LexicalIndex(generation.folder / LEXICAL).keys() != sorted(live):
        yield f"{LEXICAL}：词项索引与段落不一致"


def _segment_disagreements(folder: Path, entry: SegmentEntry, rows: Segment, live: list[int]) -> Iterator[str]:
    """What a segment's text, passages and vectors contradict each other in; its live keys are added to ``live``."""
    source: Source | None = None
    wrong = 0
    for key, passage in rows.keyed_passages():
        if passage.source_id not in entry.removed:
            live.append(key)
        if source is None or source.id != passage.source_id:
            source = rows.source(passage.source_id)
        wrong += source is None or source.text[passage.start : passage.end] != passage.text
    if wrong:
        yield f"{entry.name}.sqlite：{wrong} 段与原文不符"
    nearest = Nearest(folder, entry.name)
    if not _same_vectors(nearest, rows):
        yield f"{entry.name}.faiss：向量与 {entry.name}.sqlite 不一致"
    cuts = Cuts.of(folder, entry.name)
    if cuts and (len(cuts) != len(nearest) or not cuts.whole):
        yield f"{entry.name}.cuts.npy：词的位置与段落不一致"


def _same_vectors(nearest: Nearest, rows: Segment) -> bool:
    at = 0
    for keys, vectors in rows.vector_rows():
        if not np.array_equal(nearest.keys[at : at + len(keys)], keys):
            return False
        if not np.allclose(nearest.vectors(at, len(keys)), vectors, atol=nearest.tolerance):
            return False
        at += len(keys)
    return at == len(nearest)
