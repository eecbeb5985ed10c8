"""Question files are read into nouns, and their faults are found before anything is scored by them."""

import json
from pathlib import Path

import pytest

from eval.__main__ import main
from eval.questions import QuestionFileError, check_files, fold_answer, load_questions

TEXT = "全市现有义务\n\n教育阶段学校 206所，其中初中７１所。\n李　强被任命为主任。"
GOOD = {
    "id": "q1", "question": "全市有多少所学校？", "type": "number", "style": "lexical",
    "answers": ["206所"], "evidence": ["全市现有义务教育阶段学校206所"], "answerable": True,
}  # fmt: skip
TURN = {"question": "初中呢？", "standalone": "初中有多少所？", "answers": ["71所"], "evidence": ["其中初中７１所"]}


def write(folder: Path, *records: dict[str, object]) -> Path:
    path = folder / "questions.jsonl"
    path.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in records), encoding="utf-8")
    return path


@pytest.mark.parametrize(("text", "folded"), [
    pytest.param("２０６ 所", "206所", id="full width digits, space"),
    pytest.param("李　强\n", "李强", id="ideographic space and line break"),
    pytest.param("LED（一）", "led(一)", id="case and brackets"),
    pytest.param("206所", "206所", id="nothing to do"),
])  # fmt: skip
def test_fold_answer(text: str, folded: str) -> None:
    assert fold_answer(text) == folded


@pytest.mark.parametrize(("change", "message"), [
    pytest.param({}, None, id="sound"),
    pytest.param({"type": "colour"}, "type 'colour' is none of", id="unknown type"),
    pytest.param({"style": ""}, "style '' is none of", id="no style"),
    pytest.param({"evidence": ["全市现有学校206所"]}, "evidence 1 does not stand", id="evidence reworded"),
    pytest.param({"evidence": []}, "no evidence", id="no evidence"),
    pytest.param({"answers": ["207所"]}, "none stands in the evidence", id="answer not in evidence"),
    pytest.param({"answers": []}, "neither answers nor all_of", id="no answers"),
    pytest.param({"answerable": False}, "marked unanswerable", id="unanswerable with answers"),
    pytest.param({"kind": "near miss"}, "answerable, but has kind", id="answerable with a kind"),
    pytest.param({"answers": [], "all_of": [["206所"], ["九所"]]}, "group 2: none stands", id="one group missing"),
    pytest.param({"source": "other.md"}, "source 'other.md' is not among", id="unknown source"),
    pytest.param({"within": "a.md"}, None, id="within its source"),
    pytest.param({"within": "other.md"}, "source 'other.md' is not among", id="within an unknown source"),
    pytest.param({"within": "a.md", "source": "b.md"}, "but its source is 'b.md'", id="evidence beside what is searched"),
    pytest.param({"answers": "206所"}, "must be a list", id="answers as a string"),
    pytest.param({"question": " "}, "'question' is missing", id="nothing asked"),
])  # fmt: skip
def test_one_fault_is_found(tmp_path: Path, change: dict[str, object], message: str | None) -> None:
    problems = check_files([write(tmp_path, {**GOOD, **change})], {"a.md": TEXT})
    if message is None:
        assert problems == []
    else:
        assert any(message in p.message and p.is_error for p in problems), problems


@pytest.mark.parametrize(("change", "message"), [
    pytest.param({}, None, id="sound"),
    pytest.param({"kind": "near miss", "absent": ["高中", "幼儿园"]}, None, id="its words are not in the text"),
    pytest.param({"kind": "hard"}, "kind 'hard' is none of near miss", id="unknown kind"),
    pytest.param({"absent": ["高中", "教育 阶段学校"]}, "absent 2 does stand in the text", id="a word is in the text"),
    pytest.param({"absent": "高中"}, "must be a list", id="absent as a string"),
])  # fmt: skip
def test_what_has_no_answer_is_checked_too(tmp_path: Path, change: dict[str, object], message: str | None) -> None:
    asked = {"id": "u1", "question": "高中有几所？", "type": "number", "style": "lexical", "answerable": False}
    problems = check_files([write(tmp_path, {**asked, **change})], {"a.md": TEXT})
    assert [message in p.message and p.is_error for p in problems if message] == [True] * bool(message)
    assert message or not problems


def test_what_is_asked_within_a_source_is_checked_against_it_alone(tmp_path: Path) -> None:
    texts = {"a.md": TEXT, "b.md": "全市有高中9所。"}
    asked = {"id": "u1", "question": "高中有几所？", "type": "number", "style": "lexical", "answerable": False}
    absent = {"kind": "near miss", "absent": ["高中"]}
    assert check_files([write(tmp_path, {**asked, **absent, "within": "a.md"})], texts) == []
    both = check_files([write(tmp_path, {**asked, **absent})], texts)
    assert [p.message for p in both] == ["absent 1 does stand in the text"]
    astray = check_files([write(tmp_path, {**GOOD, "within": "b.md"})], texts)
    assert [p.message for p in astray] == ["evidence 1 does not stand in the text word for word"]


def test_two_sources_may_be_asked_the_same(tmp_path: Path) -> None:
    here = {**GOOD, "within": "a.md"}
    texts = {"a.md": TEXT, "b.md": TEXT}
    assert check_files([write(tmp_path, here, {**here, "id": "q2", "within": "b.md"})], texts) == []
    twice = check_files([write(tmp_path, here, {**here, "id": "q2"})], texts)
    assert [p.message for p in twice] == ["asked before, as q1"]


def test_computed_answers_only_warn(tmp_path: Path) -> None:
    path = write(tmp_path, {**GOOD, "type": "multi_hop", "answers": ["135所"]})
    assert [p.is_error for p in check_files([path], {"a.md": TEXT})] == [False]


def test_ids_and_wordings_stand_once(tmp_path: Path) -> None:
    same_id = write(tmp_path, GOOD, {**GOOD, "question": "另一个问题"})
    assert [p.message for p in check_files([same_id], {"a.md": TEXT})] == ["this id stands twice"]
    with pytest.raises(QuestionFileError, match="'q1' stands twice"):
        load_questions([same_id])
    same_words = write(tmp_path, GOOD, {**GOOD, "id": "q2", "question": "全市有多少所 学校!"})
    assert [p.message for p in check_files([same_words], {"a.md": TEXT})] == ["asked before, as q1"]


def test_a_question_of_another_part_is_not_asked_again(tmp_path: Path) -> None:
    turn = {**TURN, "question": "全市有多少所学校", "standalone": "全市有多少所学校", "answers": ["71所"]}
    dialogue: dict[str, object] = {"id": "d1", "turns": [turn, TURN]}
    assert check_files([write(tmp_path, GOOD, dialogue)], {"a.md": TEXT}) == [], "in one part a dialogue may start so"
    (tmp_path / "other").mkdir()
    parts = [write(tmp_path, GOOD), write(tmp_path / "other", dialogue)]
    parts[1] = parts[1].rename(tmp_path / "held.jsonl")
    assert [(p.id, p.message) for p in check_files(parts, {"a.md": TEXT})] == [
        ("d1.1", "asked before, as q1 in questions.jsonl")
    ]


def test_dialogue_turns_are_questions(tmp_path: Path) -> None:
    path = write(tmp_path, {"id": "d1", "turns": [{**GOOD, "standalone": "全市有多少所学校？"}, TURN]})
    assert check_files([path], {"a.md": TEXT}) == []
    questions = load_questions([path])
    assert [turn.id for turn in questions.dialogues[0].turns] == ["d1.1", "d1.2"]
    assert questions.asked[1].groups == (("71所",),)
    single = write(tmp_path, {"id": "d1", "turns": [{k: v for k, v in TURN.items() if k != "standalone"}]})
    assert [p.message for p in check_files([single], {"a.md": TEXT})] == [
        "a dialogue needs at least two turns",
        "turn has no 'standalone' wording",
    ]


@pytest.mark.parametrize(("content", "message"), [
    pytest.param("{", "not JSON", id="cut off"),
    pytest.param("[1]", "JSON object was expected", id="a list"),
    pytest.param("\n\n", "no questions", id="blank"),
    pytest.param('{"question": "x"}', "'id' is missing", id="no id"),
])  # fmt: skip
def test_unusable_files_are_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(QuestionFileError, match=message):
        load_questions([path])


def test_check_command_exits_1_on_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "gazette.md"
    source.write_text(TEXT, encoding="utf-8")
    path = write(tmp_path, GOOD)
    assert main(["check", str(path), "--source", str(source)]) == 0
    assert "1 questions, 0 dialogues" in capsys.readouterr().out
    path = write(tmp_path, {**GOOD, "evidence": ["没有的话"]})
    assert main(["check", str(path), "--source", str(source)]) == 1
    assert "questions.jsonl:1: error: [q1] evidence 1" in capsys.readouterr().out
