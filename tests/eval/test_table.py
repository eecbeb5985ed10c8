"""The README's table comes out of reports, goes between its marks, and is the same each time."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from eval import baseline
from eval.__main__ import main
from eval.questions import read_json_lines
from eval.report import Setting, load_outcomes, make_slice, summarise
from eval.run import Outcome
from eval.table import BEGIN, END, Results, markdown, replaced
from index.records import GazetteError


def test_figures_stand_in_their_cells(
    hundred: Callable[[int], list[Outcome]], refused: Outcome, setting: Setting
) -> None:
    unanswerable = [replace(refused, id=f"u{n}", answerable=False, expected=(), evidence=()) for n in range(4)]
    setting = replace(setting, commit="abc+")
    report = summarise([*hundred(80), *unanswerable, replace(hundred(1)[0], id="d", turn=1)], setting)
    other = make_slice("bm25", hundred(50), 0)
    lines = markdown(Results({"sample_test": report, "mine": report}, [other])).splitlines()
    assert lines[0] == "|  | gazette, test | mine |"
    assert lines[2] == "| questions: answerable, not | 100, 4 | 100, 4 |"
    shown = next(line for line in lines if line.startswith("| shown answer right"))
    assert shown.startswith("| shown answer right | 0.80 [0.7")
    assert "| unanswerable refused | 1.00 | 1.00 |" in lines, "no interval where nothing varies"
    assert "| dialogue turns shown right | 1.00 (1) | 1.00 (1) |" in lines
    assert lines[-1] == "Made with code at abc with changes, encoder static (ffffffff), seed 0."
    assert lines[-4:-2] == [
        "| **ours** | 0.00 | 1.00 | 0.39 | 0.80 | 0.80 | 1.00 | 0.00 |",
        "| bm25 | 0.00 | 1.00 | 0.39 | 0.50 | 0.50 | – | 0.00 |",
    ]


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    document = f"# A\n\n{BEGIN}\nold\n{END}\n\nend\n"
    assert replaced(document, "new") == f"# A\n\n{BEGIN}\nnew\n{END}\n\nend\n"
    assert replaced(replaced(document, "new"), "old") == document


@pytest.mark.parametrize("document", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}\n{BEGIN}\n{END}"])
def test_without_marks_nothing_is_written(document: str) -> None:
    with pytest.raises(GazetteError, match="needs one line"):
        replaced(document, "new")


def test_the_same_numbers_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Six questions about the laws, with a baseline; byte for byte the same."""
    asked = [record for _, record in read_json_lines(baseline.QUESTIONS / "laws_dev.jsonl")]
    file = tmp_path / "laws_dev.jsonl"
    file.write_text("\n".join(json.dumps(record) for record in [*asked[:5], asked[-1]]), encoding="utf-8")
    (tmp_path / "laws").symlink_to(baseline.QUESTIONS / "laws")
    document = tmp_path / "README.md"
    document.write_text(f"# Results\n{BEGIN}\n{END}\n", encoding="utf-8")
    command = ["table", str(document), str(file), "--baselines", "dense", "--out", str(tmp_path / "reports")]
    assert main(command) == 0
    once = document.read_bytes()
    assert main(command) == 0
    assert document.read_bytes() == once
    assert "| **ours** |" in capsys.readouterr().out
    outcomes, _ = load_outcomes(tmp_path / "reports" / "laws_dev")
    assert len(outcomes) == 5 + len(asked[-1]["turns"])
    (tmp_path / "README.md").write_text("# no marks\n", encoding="utf-8")
    assert main(command) == 1
