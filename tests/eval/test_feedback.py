"""Feedback from the page becomes questions that a person still has to complete."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.feedback import drafts
from eval.questions import QuestionFileError, check_files
from page.feedback import Feedback
from qa.records import Answer, Citation

TEXT = "全市义务教育阶段学校206所。"
CITATION = Citation(1, TEXT, 10, 14, "a.md", "s", "公报", "教育报告", "s-01", (), None, 1, None, 0, 15, "")
ANSWERED = Answer("有多少所学校？", "全市有多少所学校？", "answered", "206所", TEXT, 0.9, citations=(CITATION,))
REFUSED = Answer("高中有多少所？", "高中有多少所？", "not_found", reason="未提到")


def kept(folder: Path, *judged: tuple[Answer, str, str]) -> list[dict[str, Any]]:
    path = folder / "feedback.jsonl"
    for answer, verdict, note in judged:
        Feedback(path).keep(answer, verdict, note)
    return drafts(path)


def test_each_verdict_asks_for_what_is_missing(tmp_path: Path) -> None:
    right, refused = kept(tmp_path, (ANSWERED, "right", ""), (REFUSED, "right", ""))
    assert (right["question"], right["answers"], right["evidence"]) == ("全市有多少所学校？", ["206所"], [TEXT])
    assert right["type"] == "number"
    assert refused["answerable"] is False
    (wrong,) = kept(tmp_path / "wrong", (ANSWERED, "wrong", "应为 208 所"))
    assert (wrong["answers"], wrong["evidence"]) == ([], [])
    assert "应为 208 所" in wrong["review"]
    (cited,) = kept(tmp_path / "cited", (ANSWERED, "wrong_citation", ""))
    assert (cited["answers"], cited["evidence"]) == (["206所"], [])


def test_the_last_verdict_counts_and_the_dispute_is_told(tmp_path: Path) -> None:
    (draft,) = kept(tmp_path, (ANSWERED, "wrong", ""), (ANSWERED, "right", ""))
    assert draft["answers"] == ["206所"]
    assert "意见不一（right、wrong）" in draft["review"]


def test_a_draft_is_sound_once_its_style_is_filled_in(tmp_path: Path) -> None:
    (draft,) = kept(tmp_path, (ANSWERED, "right", ""))
    path = tmp_path / "drafts.jsonl"
    path.write_text(json.dumps(draft), encoding="utf-8")
    assert ["style" in p.message for p in check_files([path], {"a.md": TEXT}) if p.is_error] == [True]
    path.write_text(json.dumps({**draft, "style": "lexical"}), encoding="utf-8")
    assert [p for p in check_files([path], {"a.md": TEXT}) if p.is_error] == []


def test_other_lines_are_named(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    path.write_text('{"question": "x"}\n')
    with pytest.raises(QuestionFileError, match=r"feedback\.jsonl:1: not a line of feedback"):
        drafts(path)
