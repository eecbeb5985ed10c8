"""Outcomes become figures by part, are saved and read back, compared, and shown without harm."""

import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from eval.page import render
from eval.report import Report, ReportError, Setting, interval_lines, load_outcomes, misses, save, summarise, table
from eval.run import Outcome


@pytest.fixture
def outcomes(right: Outcome, wrong: Outcome, refused: Outcome) -> list[Outcome]:
    """Two right, one wrong, one refused, one rightly refused, and a turn of a dialogue."""
    unanswerable = replace(refused, answerable=False, expected=(), evidence=(), document="", cause="", type="person",
                           kind="near miss")  # fmt: skip
    kinds = [right, right, wrong, refused, unanswerable]
    singles = [replace(o, id=f"q{n}", style="lexical" if n < 2 else "colloquial") for n, o in enumerate(kinds)]
    return [*singles, replace(right, id="d1.1", turn=1, style="", type="")]


@pytest.fixture
def report(outcomes: list[Outcome], setting: Setting) -> Report:
    return summarise(outcomes, setting)


def test_figures_by_hand(report: Report) -> None:
    everything = report.slice("all")
    assert everything is not None
    figures = {name: (e.value, e.n) for name, e in everything.figures.items()}
    assert figures["hit@1"] == (0, 4), "answerable questions only"
    assert figures["hit@3"] == (3 / 4, 4)
    assert figures["mrr@10"] == (3 / 4 / 2, 4)
    assert figures["shown"] == (2 / 4, 4)
    assert figures["proved"] == (2 / 3, 3), "of the answers given"
    assert figures["refused"] == (1, 1)
    assert figures["refusal_precision"] == (1 / 2, 2), "of the refusals"
    assert figures["exact"] == (3 / 4, 4)
    assert figures["char_f1"] == (3 / 4, 4)
    assert figures["covered"] == (2 / 4, 4)
    assert figures["recall@10"] == (3 / 4 / 2, 4), "the second passage with it was not found"
    found = 1 / math.log2(1 + 2) / (1 / math.log2(1 + 1) + 1 / math.log2(1 + 2))
    assert figures["ndcg@10"] == (pytest.approx(3 / 4 * found), 4)
    assert figures["false_refusal"] == (1 / 4, 4)
    assert figures["right"] == (3 / 5, 5)
    assert figures["sureness_error"] == (pytest.approx((2 * 0.1**2 + 0.7**2) / 3), 3), "of the answers given"
    assert report.calibration.error.value == pytest.approx((2 * abs(1 - 0.9) + 1 * 0.7) / 3)
    assert [part.name for part in report.slices] == [
        "all", "style: colloquial", "style: lexical", "type: number", "type: person", "unanswerable: near miss",
        "document: 报告", "dialogue turns", "turn 1",
    ]  # fmt: skip
    assert [o.id for o in misses(report)] == ["q2", "q3"]


def test_tables_are_lined_up(report: Report) -> None:
    lines = table(report.slices).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert re.search(r"type: person +1 .* - +1\.000 +-$", lines[5]), "a measure that does not apply is a dash"
    everything = report.slice("all")
    assert everything is not None
    assert "[0." in interval_lines(everything)


def test_a_report_is_read_back(report: Report, outcomes: list[Outcome], tmp_path: Path) -> None:
    save(report, tmp_path / "report.json")
    read, said = load_outcomes(tmp_path)
    assert read == outcomes
    assert said["questions"] == ["a.jsonl"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("{", id="cut off"),
        pytest.param("[]", id="a list"),
        pytest.param('{"format": 2, "outcomes": [{}], "setting": {}}', id="an outcome without fields"),
        pytest.param('{"format": 1, "outcomes": [], "setting": {}}', id="an older format"),
    ],
)
def test_what_is_no_report_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(ReportError, match=r"report\.json"):
        load_outcomes(tmp_path)


def test_the_page_draws_types_confidence_and_time(report: Report) -> None:
    page = render(report)
    assert page.count("<svg") == 4
    assert ">0.50 (4)</text>" in page, "number: two of four shown right"
    assert "毫秒（横）之内答完的题目比例（纵）" in page


def test_the_page_runs_nothing_and_fetches_nothing(outcomes: list[Outcome], wrong: Outcome, setting: Setting) -> None:
    evil = '<script>alert(1)</script><img src="http://x/y" onerror=alert(1)>"\'&'
    hostile = replace(
        wrong, id="q9", question=evil, answer=evil, sentence=evil, document=evil, top_passage=evil, reason=evil,
        expected=((evil,),), evidence=(evil,), style=evil, type=evil, resolved_question=evil + "2",
    )  # fmt: skip
    page = render(summarise([*outcomes, hostile], replace(setting, index=evil, command=evil)))
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"(?:src|href|url|@import)\s*[=(]", page.replace("src=&quot;", "")), "nothing to fetch"
    assert "default-src 'none'" in page
    assert "检索到但未选中" in page
