"""The words of passages, as stored and as cut when they are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index import cuts
from index.records import Passage
from index.store import Index, add, build, open_index, remove, verify
from index.wordvectors import END, shipped_words


def _keys(index: Index) -> list[int]:
    """The keys of all passages, found by a search as a question finds them."""
    vector = np.ones(index.encoder.dimensions, np.float32)
    return [key for key, _ in index.nearest(vector, len(index))]


def _differences(index: Index) -> int:
    """How many passages have other words than a cutter gives that is asked anew."""
    keys, cutter = _keys(index), shipped_words()
    passages = index.by_key(keys)
    expected = zip(cutter.cut([p.text for p in passages]), cutter.cut([p.context for p in passages]), strict=True)
    found = index.cuts(keys)
    assert len(found) == len(passages) == len(index)
    return sum(
        not (np.array_equal(text, wanted) and np.array_equal(head, above))
        for (text, head), (wanted, above) in zip(found, expected, strict=True)
    )


@pytest.fixture
def folder(tmp_path: Path, sample_path: Path, tiny_encoder: Any) -> Path:
    build([sample_path], tmp_path / "index", encoder=tiny_encoder)
    return tmp_path / "index"


def _file(folder: Path, suffix: str) -> Path:
    return next(max((folder / "generations").iterdir()).glob(f"*{suffix}"))


def test_stored_words_are_those_of_the_cutter(
    folder: Path, tmp_path: Path, tiny_encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_index(folder, encoder=tiny_encoder) as index:
        monkeypatch.delattr("index.interface.cut_once")  # none of them is cut again
        assert _differences(index) == 0
        monkeypatch.undo()
    for n in range(12):  # more segments than are kept apart
        file = tmp_path / f"{n}.md"
        file.write_text(
            f"# 第{n}号决定\n\n会议决定，第{n}条自{n + 1}月起施行。\n\n停车场按规定收费。", encoding="utf-8"
        )
        add([file], folder, encoder=tiny_encoder)
    with open_index(folder, encoder=tiny_encoder) as index:
        assert _differences(index) == 0
    remove(["3.md", "7.md"], folder)
    with open_index(folder, encoder=tiny_encoder) as index:
        assert _differences(index) == 0
    assert verify(folder) == []


def test_words_cut_by_another_version_are_cut_again(folder: Path, tiny_encoder: Any) -> None:
    file = _file(folder, cuts.CUTS)
    places = np.load(file)
    places[0] += 1
    np.save(file, places)
    stored = cuts.Cuts(file.parent, file.name.removesuffix(cuts.CUTS))
    assert not stored.current
    assert cuts.Cuts.of(file.parent, file.name.removesuffix(cuts.CUTS)) is None


def test_an_index_without_stored_words_answers_all_the_same(folder: Path, tiny_encoder: Any) -> None:
    with open_index(folder, encoder=tiny_encoder) as index:
        keys = _keys(index)
        expected = [(text.tolist(), head.tolist()) for text, head in index.cuts(keys)]
    with open_index(folder, encoder=tiny_encoder) as index:
        _file(folder, cuts.CUTS).unlink()
        assert [(text.tolist(), head.tolist()) for text, head in index.cuts(keys)] == expected


def test_places_outside_the_file_are_noticed(folder: Path) -> None:
    file = _file(folder, cuts.CUTS)
    stored = cuts.Cuts(file.parent, file.name.removesuffix(cuts.CUTS))
    assert stored.whole
    words = _file(folder, cuts.WORDS)
    words.write_bytes(words.read_bytes()[:-2])
    assert not cuts.Cuts(file.parent, file.name.removesuffix(cuts.CUTS)).whole


def test_passages_without_words(tmp_path: Path) -> None:
    passage = Passage("a:0-1", "a", "a-01", "", (), 0, 1, "龘")
    assert shipped_words().cut([passage.text])[0].tolist() in ([], [END])
    cuts.write(tmp_path, "s", [passage] * 3, 3)
    assert len(cuts.Cuts(tmp_path, "s").rows([0, 2])) == 2
