"""What an assistant is told: widen the search or not, and what the reader is told of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from index.store import Index
from index.text import fold
from qa.__main__ import main
from qa.ask import Assistant


def test_official_words_that_widened_the_search_are_told(shipped_index: Index) -> None:
    question = "看病报销的比例是多少？"
    widened = Assistant(shipped_index).ask(question)
    text = fold(" ".join(hit.passage.context + hit.passage.text for hit in widened.passages))
    assert widened.expansions
    assert all(lay in question and official in text for lay, official in widened.expansions)
    assert Assistant(shipped_index, expand=False).ask(question).expansions == ()


def test_a_line_that_cannot_be_asked_does_not_end_the_batch(
    shipped_index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        {"id": "a", "question": " "},
        {"id": "b", "question": "问" * 3000},
        {"id": "c", "question": "会议由谁主持？"},
    ]
    batch = tmp_path / "batch.jsonl"
    batch.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    assert main(["--batch", str(batch), "--json", "--index", str(shipped_index.folder)]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [r["id"] for r in records] == ["a", "b", "c"]
    assert [bool(r["reason"]) for r in records[:2]] == [True, True]
    assert records[2]["passages"]
