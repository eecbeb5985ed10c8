"""Readers' words to official words."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.vocabulary import NO_VOCABULARY, BadVocabulary, read_vocabulary, shipped_vocabulary

HEADER = "lay\tofficial\trelation\tfield\n"


def _written(folder: Path, *lines: str) -> Path:
    path = folder / "words.tsv"
    path.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("question", "pairs"),
    [
        pytest.param("驾照丢了怎么办", [("驾照", "机动车驾驶证")], id="found"),
        pytest.param("机动车驾驶证（驾照）丢了", [], id="the official word is there already"),
        pytest.param("学校放假吗", [], id="no reader's word"),
        pytest.param("驾照照片不合格", [("驾照照片", "证件照")], id="the longer word wins"),
        pytest.param("", [], id="empty"),
    ],
)
def test_expand(tmp_path: Path, question: str, pairs: list[tuple[str, str]]) -> None:
    path = _written(tmp_path, "驾照\t机动车驾驶证\tsame\t交通", "驾照照片\t证件照\trelated\t交通")
    assert [(e.lay, e.official) for e in read_vocabulary(path).expand(question)] == pairs


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("驾照\t机动车驾驶证", id="no relation"),
        pytest.param("驾照\t机动车驾驶证\tequal", id="unknown relation"),
        pytest.param("\t机动车驾驶证\tsame", id="no word"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(BadVocabulary, match="第 3 行"):
        read_vocabulary(_written(tmp_path, "看病\t就医\tsame\t医疗", line))


def test_the_shipped_table_is_whole() -> None:
    assert len(shipped_vocabulary()) > 5000
    assert next(e.official for e in shipped_vocabulary().expand("斑马线上不让人怎么罚")) == "人行横道"
    assert NO_VOCABULARY.expand("斑马线") == ()
