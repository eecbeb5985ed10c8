"""Reading many files in several processes."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from index.lexical import terms
from index.reading import read_file, read_files
from index.records import Gazette, Source


class _Deadly(type(Path())):  # type: ignore[misc]
    """A file that ends the process it is read in: here, as soon as it is handed over."""

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (9,)


def _files(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"{n:02}.md" for n in range(count)]
    for n, path in enumerate(paths):
        path.write_text(f"# 关于第{n}项工作的报告\n\n完成{n}万元。\n", encoding="utf-8")
    return paths


@pytest.mark.slow
def test_processes_that_read_make_the_terms(tmp_path: Path) -> None:
    files = _files(tmp_path, 40)
    here, there = (list(read_files(files, frozenset(), workers)) for workers in (1, 2))
    for mine, theirs in zip(here, there, strict=True):
        assert mine.item is not None
        assert theirs.item is not None
        made = tuple(" ".join(terms(passage.text)) for passage in mine.item.passages)
        assert theirs.item == replace(mine.item, terms=made)


@pytest.mark.slow
def test_a_file_that_ends_its_reader_is_skipped(tmp_path: Path) -> None:
    files = _files(tmp_path, 40)
    files[17] = _Deadly(files[17])
    outcomes = list(read_files(files, frozenset(), workers=2))
    assert [outcome.name for outcome in outcomes] == [file.name for file in files]
    assert [n for n, outcome in enumerate(outcomes) if outcome.item is None] == [17]
    assert "崩溃" in outcomes[17].reason


def test_a_file_that_cannot_be_analysed_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(source: Source) -> Gazette:
        raise IndexError("list index out of range")

    monkeypatch.setattr("index.reading.parse_gazette", stumble)
    (file,) = _files(tmp_path, 1)
    outcome = read_file(file)
    assert outcome.item is None
    assert outcome.reason == "00.md: 无法分析（IndexError: list index out of range）"


def test_known_files_are_not_parsed(tmp_path: Path) -> None:
    (file,) = _files(tmp_path, 1)
    first = read_file(file)
    assert first.item is not None
    again = read_file(file, frozenset({first.item.source.id}))
    assert (again.item, again.source_id) == (None, first.item.source.id)
