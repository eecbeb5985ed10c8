"""Two runs are told apart where they differ by more than chance, also when only their scores were kept."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from eval import compare as comparing
from eval.questions import load_questions
from eval.report import ReportError, Setting, save, summarise
from eval.run import IndexTexts, Outcome, run
from eval.scores import load_scores, save_scores, scores_of
from index.store import build, open_index
from qa.ask import Assistant
from qa.retrieve import Weights

ROOT = Path(__file__).parents[2]


def test_a_loss_is_told_from_chance(hundred: Callable[[int], list[Outcome]], refused: Outcome) -> None:
    def words(before: Sequence[Outcome], after: Sequence[Outcome]) -> dict[str, str]:
        found = comparing.compare(scores_of(before), scores_of(after))
        return {d.measure: "loss" if d.is_loss else "gain" if d.is_gain else "" for d in found}

    assert words(hundred(80), hundred(60))["shown"] == "loss"
    assert words(hundred(60), hundred(80))["shown"] == "gain"
    assert words(hundred(80), hundred(75))["shown"] == "", "five of five lost: p = 1/16"
    assert words(hundred(80), hundred(74))["shown"] == "loss", "six of six lost: p = 1/32"
    assert words(hundred(80), hundred(80))["hit@1"] == ""
    more_refused = [replace(refused, id=o.id) if n < 20 else o for n, o in enumerate(hundred(80))]
    assert words(hundred(80), more_refused)["false_refusal"] == "loss", "more is worse there"
    table = comparing.table(comparing.compare(scores_of(hundred(80)), scores_of(hundred(60))))
    assert "LOSS" in table
    assert "0.000" in table


def test_what_is_no_right_or_wrong_is_told_by_its_interval(hundred: Callable[[int], list[Outcome]]) -> None:
    """Half an answer more in twenty of a hundred questions: char_f1 takes any value, so McNemar does not apply."""
    half = [replace(o, answer="206所学校建设") if n < 20 else o for n, o in enumerate(hundred(80))]
    found = {d.measure: d for d in comparing.compare(scores_of(half), scores_of(hundred(80)))}
    assert found["char_f1"].p is None
    assert found["char_f1"].is_gain
    assert found["shown"].p == 1


def test_only_the_same_questions_are_compared(right: Outcome) -> None:
    with pytest.raises(ReportError, match="share no question"):
        comparing.compare(scores_of([right]), scores_of([replace(right, id="other")]))
    with pytest.raises(ReportError, match="worded differently"):
        comparing.compare(scores_of([right]), scores_of([replace(right, question="另一问")]))


def test_kept_scores_are_compared_like_the_report(
    hundred: Callable[[int], list[Outcome]], refused: Outcome, setting: Setting, tmp_path: Path
) -> None:
    outcomes = [*hundred(80), replace(refused, id="u1", answerable=False, expected=(), evidence=())]
    save(summarise(outcomes, setting), tmp_path / "report.json")
    save_scores(scores_of(outcomes), asdict(setting), tmp_path / "kept" / "scores.json")
    full, said = load_scores(tmp_path)
    kept, said_too = load_scores(tmp_path / "kept" / "scores.json")
    assert said == said_too
    assert (kept.wordings, kept.strata) == (full.wordings, full.strata)
    assert all(d.difference.value == 0 for d in comparing.compare(full, kept))
    assert kept.values["mrr@10"] == full.values["mrr@10"]
    thirds = scores_of([replace(o, relevant_ranks=(3,)) for o in hundred(80)])
    save_scores(thirds, asdict(setting), tmp_path / "thirds.json")
    assert not any(d.is_gain or d.is_loss for d in comparing.compare(load_scores(tmp_path / "thirds.json")[0], thirds))
    text = (tmp_path / "kept" / "scores.json").read_text(encoding="utf-8")
    assert "学校" not in text, "no words of questions or answers"
    assert len(re.findall(r'^  "[qu]\d+": \[.*\],?$', text, re.MULTILINE)) == 101, "a line a question"


@pytest.mark.parametrize(
    "content", ['{"format": 2, "setting": {}, "questions": {"q": []}}', '{"format": 2, "setting": {}, "questions": 1}']
)
def test_what_are_no_scores_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "scores.json").write_text(json.dumps({**json.loads(content), "measures": ["shown"]}))
    with pytest.raises(ReportError, match="not the scores of a run"):
        load_scores(tmp_path / "scores.json")


@pytest.mark.slow
def test_a_ranker_broken_on_purpose_is_caught(sample_path: Path, tmp_path: Path) -> None:
    """The worst of the candidates first, on a part of the development questions."""
    everything = load_questions([ROOT / "eval" / "questions" / "sample_dev.jsonl"])
    questions = replace(everything, questions=everything.questions[:24], dialogues=())
    build([sample_path], tmp_path / "index")

    def worst_first(question: str, passages: Sequence[str]) -> list[float]:
        return list(np.arange(len(passages), dtype=float))

    with open_index(tmp_path / "index") as index:
        sound = scores_of(run(questions, Assistant(index), IndexTexts(index)))
        worst = Assistant(index, reranker=worst_first, weights=Weights(reranked=100))
        broken = scores_of(run(questions, worst, IndexTexts(index)))
    losses = {d.measure for d in comparing.compare(sound, broken) if d.is_loss}
    assert {"hit@1", "hit@5", "mrr@10", "shown"} <= losses
    assert not any(d.is_loss for d in comparing.compare(broken, sound))
