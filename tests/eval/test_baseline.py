"""Every change is measured against the committed scores."""

import json
import sys
from pathlib import Path

import pytest

from eval import baseline
from eval.__main__ import SCORES, main
from eval.questions import load_questions, read_json_lines
from eval.scores import load_scores

DEVELOPMENT = baseline.QUESTIONS / "sample_dev.jsonl"


def test_the_committed_scores_are_of_the_questions_there_are() -> None:
    scores, setting = load_scores(SCORES)
    questions = load_questions(baseline.FILES)
    asked = {question.id for file in baseline.FILES for question in baseline.chosen(file).asked}
    assert set(scores.wordings) == asked, f"renew them: {baseline.RENEW}"
    assert setting["questions_sha256"] == questions.sha256, f"renew them: {baseline.RENEW}"
    assert SCORES.stat().st_size < 100_000


def test_of_a_large_file_every_third_question_is_asked() -> None:
    """Both kinds are among them, and every type; a file that is named is asked as a whole."""
    large = baseline.FILES[2]
    part, whole = baseline.chosen(large).questions, baseline.chosen(large, {}).questions
    assert part == whole[::3]
    assert 0.4 < sum(question.answerable for question in part) / len(part) < 0.6
    assert {question.type for question in part} == {question.type for question in whole}
    assert len(baseline.chosen(baseline.FILES[0]).asked) == len(load_questions(baseline.FILES[:1]).asked)


@pytest.mark.slow
@pytest.mark.serial
def test_nothing_has_become_worse_than_the_committed_scores(capsys: pytest.CaptureFixture[str]) -> None:
    """Asks the parts for measuring; only figures are shown. A loss that is meant is renewed by one command."""
    code = main(["baseline"])
    told = capsys.readouterr()
    with capsys.disabled():
        sys.stdout.write(f"\n{told.out}")
    assert code == 0, f"{told.out}\n{told.err}"
    assert "shown" in told.out


def test_a_loss_fails_and_says_how_to_renew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twelve questions, then the same with answers that nothing can give: what a broken reader looks like."""
    file, scores = tmp_path / "few.jsonl", tmp_path / "scores.json"
    asked = [record for _, record in read_json_lines(DEVELOPMENT) if record.get("answers")][:12]
    file.write_text("\n".join(json.dumps(record) for record in asked), encoding="utf-8")
    arguments = ["baseline", str(file), "--scores", str(scores)]
    assert main([*arguments, "--renew"]) == 0
    assert main(arguments) == 0, "what has not changed is no loss"
    told = capsys.readouterr()
    assert "LOSS" not in told.out
    assert not [row for row in told.out.splitlines() if "shown" in row and "+0.000" not in row]
    lost = [{**record, "answers": ["无人会说的答案"]} for record in asked]
    file.write_text("\n".join(json.dumps(record) for record in lost), encoding="utf-8")
    assert main(arguments) == 1
    told = capsys.readouterr()
    assert "LOSS" in told.out
    assert f"if it is meant: {baseline.RENEW}" in told.err
