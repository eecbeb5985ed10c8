"""gazette-ask: one answer, records in order, dialogues, and what is no question."""

import json
from pathlib import Path

import pytest

from index.store import Index
from qa.__main__ import main

FIELDS = {
    "id", "question", "resolved_question", "status", "answer", "sentence", "confidence", "reason", "citations", "passages",
    "summary", "timings_ms",
}  # fmt: skip


@pytest.fixture
def folder(shipped_index: Index) -> Path:
    return shipped_index.folder


def test_one_answer_as_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["全市义务教育阶段学校有多少所？", "--index", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "206所" in shown
    assert "[1] “" in shown
    assert "公报" in shown


def test_an_english_question_is_refused_in_english(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["How many zebras did the quagga herd count?", "--index", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Not found in the gazettes. ")
    assert "The nearest passages:" in shown


def test_one_answer_as_a_record(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["全市有多少所小学？", "--index", str(folder), "--json", "-k", "3"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert set(record) >= FIELDS
    assert len(record["passages"]) == 3
    assert "120所" in record["answer"]


def test_batch_keeps_order_and_numbers_turns(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        {"id": "q1", "question": "你好"},
        {"id": "d01", "turns": [{"question": "全市有多少所小学？"}, {"question": "那初中呢？"}]},
        {"id": "q2", "question": "会议由谁主持？"},
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(json.dumps(x, ensure_ascii=False) for x in lines) + "\n\n", encoding="utf-8")
    assert main(["--batch", str(file), "--json", "--index", str(folder)]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [r["id"] for r in records] == ["q1", "d01.1", "d01.2", "q2"]
    assert "初中" in records[2]["resolved_question"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not json", "第 1 行不是 JSON"),
        ("{}", "第 1 行既没有"),
        ('{"turns": [1]}', "第 1 行既没有"),
    ],
)
def test_a_bad_line_is_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, message: str
) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text(line + "\n", encoding="utf-8")
    assert main(["--batch", str(file), "--json", "--index", str(folder)]) == 1
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [[], ["问题", "--batch", "f", "--json"], ["--batch", "f"], ["问题", "-k", "0"]],
    ids=["none", "both", "text", "k"],
)
def test_wrong_usage_is_exit_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2


def test_a_missing_index_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["学校几所", "--index", str(tmp_path / "nowhere")]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
