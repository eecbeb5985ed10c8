"""Every measure against values worked out by hand."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from eval.metrics import (
    answer_exact,
    area_under_risk,
    bootstrap_mean,
    brier,
    calibration_bins,
    calibration_error,
    char_f1,
    citation_precision,
    citation_recall,
    cmrc_segments,
    exact_match,
    f1,
    is_right,
    mcnemar,
    paired_difference,
    rank_measures,
    resamples,
    risk_coverage,
    rouge_l,
    shown,
)


def test_rank_measures_by_hand() -> None:
    qrels = {"q1": {"a": 1, "b": 1}, "q2": {"c": 1}, "q3": {"z": 1}, "no relevant": {"a": 0}}
    run = {"q1": ["x", "a", "y", "b"], "q2": ["c"], "unjudged": ["a"]}
    values = rank_measures(qrels, run, ("hit", "mrr", "recall", "ndcg"), (1, 5))
    assert values["hit@1"] == {"q1": 0, "q2": 1, "q3": 0}
    assert values["hit@5"] == {"q1": 1, "q2": 1, "q3": 0}
    assert values["mrr@5"] == {"q1": 1 / 2, "q2": 1, "q3": 0}
    assert values["recall@5"]["q1"] == 2 / 2
    ideal = 1 + 1 / math.log2(3)
    assert values["ndcg@5"]["q1"] == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / ideal)


def test_rank_measures_keep_the_order_given() -> None:
    """Many documents in an order that is not that of their ids: scores must not tie."""
    names = [f"d{i:03}" for i in range(100)]
    qrels = {"q": {names[-1]: 1}}
    assert rank_measures(qrels, {"q": names}, ("mrr",), (100,))["mrr@100"]["q"] == pytest.approx(1 / 100)
    assert rank_measures(qrels, {"q": names[::-1]}, ("mrr",), (100,))["mrr@100"]["q"] == 1


def test_rank_measures_without_a_run() -> None:
    assert rank_measures({"q": {"a": 1}}, {}, ("hit",), (1,)) == {"hit@1": {"q": 0.0}}


@pytest.mark.parametrize(
    ("text", "groups", "right"),
    [
        pytest.param("共有206所学校", [["206所"]], True, id="contained"),
        pytest.param("共有２０６ 所", [["206所"]], True, id="width and space"),
        pytest.param("LED屏", [["led"]], True, id="case"),
        pytest.param("共有207所", [["206所"]], False, id="another number"),
        pytest.param("33票赞成", [["34票", "33票"]], True, id="one of several"),
        pytest.param("张三、李四", [["张三"], ["李四", "李 四"]], True, id="all groups"),
        pytest.param("张三", [["张三"], ["李四"]], False, id="one group missing"),
        pytest.param("张三", [], False, id="nothing accepted"),
    ],
)
def test_is_right(text: str, groups: list[list[str]], right: bool) -> None:
    assert is_right(text, groups) is right


def test_shown_looks_at_300_characters() -> None:
    assert is_right(shown("甲" * 10, "乙" * 287 + "206"), [["206"]])
    assert not is_right(shown("甲" * 10, "乙" * 288 + "206"), [["206"]])
    assert not is_right(shown("甲" * 300, "206"), [["206"]])
    assert not is_right(shown("共2", "06所"), [["206所"]]), "an answer must not arise where two texts meet"


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        pytest.param("二〇一三年", ["二", "〇", "一", "三", "年"], id="Han one by one"),
        pytest.param("共3,500人，约1.5亿", ["共", "3,500", "人", "约", "1.5", "亿"], id="numbers whole, marks dropped"),
        pytest.param("Nexon Games公司", ["nexon", "games", "公", "司"], id="Latin words, lower case"),
        pytest.param("", [], id="empty"),
    ],
)
def test_cmrc_segments(text: str, segments: list[str]) -> None:
    assert cmrc_segments(text) == segments


@pytest.mark.parametrize(
    ("prediction", "answers", "em", "best_f1"),
    [
        pytest.param("韩国Nexon", ["韩国Nexon"], 1, 1, id="equal"),
        pytest.param("《泡泡堂》", ["泡泡堂"], 1, 1, id="marks do not count"),
        pytest.param("由韩国开发", ["韩国"], 0, 2 * (2 / 5) * 1 / (2 / 5 + 1), id="too long: P 2/5, R 1"),
        pytest.param("踢爆", ["水", "被踢爆"], 0, 2 * 1 * (2 / 3) / (1 + 2 / 3), id="best of several"),
        pytest.param("甲乙丙丁", ["甲丙乙丁"], 0, 1 / 4, id="only an unbroken stretch counts"),
        pytest.param("甲", ["乙"], 0, 0, id="nothing shared"),
        pytest.param("", ["乙"], 0, 0, id="no answer given"),
        pytest.param("", [], 1, 1, id="rightly abstained"),
        pytest.param("甲", [], 0, 0, id="answered the unanswerable"),
    ],
)
def test_exact_match_and_f1(prediction: str, answers: list[str], em: float, best_f1: float) -> None:
    assert exact_match(prediction, answers) == em
    assert f1(prediction, answers) == pytest.approx(best_f1)


def test_calibration_by_hand() -> None:
    confidence, right = [0.95, 0.85, 0.85, 0.15], [1, 1, 0, 0]
    bins = calibration_bins(confidence, right)
    assert [(b.count, b.accuracy) for b in bins] == [(1, 0.0), (2, 0.5), (1, 1.0)]
    assert calibration_error(confidence, right) == pytest.approx((1 * 0.15 + 2 * 0.35 + 1 * 0.05) / 4)
    assert brier(confidence, right) == pytest.approx((0.05**2 + 0.15**2 + 0.85**2 + 0.15**2) / 4)
    assert calibration_error([1.0, 0.0], [1, 0]) == 0, "the ends fall into the outer bins"
    assert math.isnan(calibration_error([], []))
    with pytest.raises(ValueError, match=r"within 0\.\.1"):
        calibration_bins([1.2], [1])
    with pytest.raises(ValueError, match="2 confidences but 1"):
        calibration_bins([0.1, 0.2], [1])


def test_risk_coverage_by_hand() -> None:
    curve = risk_coverage([0.9, 0.8, 0.8, 0.3], [1, 1, 0, 0], asked=5)
    assert curve == [(0.9, 1 / 5, 0), (0.8, 3 / 5, 1 / 3), (0.3, 4 / 5, 2 / 4)]
    assert area_under_risk(curve) == pytest.approx((0 * 1 / 5 + 2 / 5 * 1 / 3 + 1 / 5 * 1 / 2) / (4 / 5))
    assert math.isnan(area_under_risk([]))


def test_resamples_keep_strata_and_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eval.metrics._BLOCK", 15 * 7)
    strata = ["a"] * 6 + ["c", "d"] * 2 + ["b"] * 5

    def drawn(seed: int) -> NDArray[np.intp]:
        return np.concatenate(list(resamples(strata, 50, seed)))

    assert drawn(7).shape == (50, 15), "blocks of seven rows, the last one shorter"
    ordered = np.sort(drawn(7), axis=1)
    assert (ordered[:, :10] < 10).all(), "ten of every row come from a, the largest, and the few of c and d"
    assert (ordered[:, 10:] >= 10).all(), "five from b"
    assert len({int((row < 6).sum()) for row in ordered}) > 1, "how many of them are of a differs"
    assert (drawn(7) == drawn(7)).all()
    assert (drawn(7) != drawn(8)).any()


def test_bootstrap_interval_is_that_of_a_proportion() -> None:
    values = [1.0] * 80 + [0.0] * 20
    estimate = bootstrap_mean(values, [""] * 100)
    error = 1.96 * math.sqrt(0.8 * 0.2 / 100)
    assert (estimate.value, estimate.n) == (0.8, 100)
    assert estimate.low == pytest.approx(0.8 - error, abs=0.02)
    assert estimate.high == pytest.approx(0.8 + error, abs=0.02)
    halves = bootstrap_mean([1.0] * 5 + [0.0] * 5, ["a"] * 5 + ["b"] * 5)
    assert (halves.low, halves.high) == (0.5, 0.5), "all alike within each stratum"
    assert bootstrap_mean([1.0, 0.0], ["a", "b"]).low == 0, "two strata of one are drawn together"
    assert math.isnan(bootstrap_mean([], []).value)


def test_paired_difference_cancels_what_is_hard_for_both() -> None:
    before = [float(i % 2) for i in range(100)]
    assert paired_difference(before, before, [""] * 100).high == 0
    after = [1.0] * 10 + before[10:]
    difference = paired_difference(before, after, [""] * 100)
    assert difference.value == pytest.approx(5 / 100)
    assert difference.low > 0
    with pytest.raises(ValueError, match="not the same questions"):
        paired_difference([1.0], [1.0, 0.0], [""])


@pytest.mark.parametrize(
    ("prediction", "groups", "exact", "f1"),
    [
        pytest.param("206所", [["206所"]], 1, 1, id="equal"),
        pytest.param("２０６ 所。", [["206所"]], 1, 1, id="width, space and marks"),
        pytest.param("共206所", [["206所"]], 0, 2 * 4 / (5 + 4), id="one letter too many"),
        pytest.param("0417-2656109", [["2656109", "0417-2656109"]], 1, 1, id="the longest string that is there"),
        pytest.param("李青、张渤和姚明", [["姚明"], ["李青"], ["张渤"]], 1, 2 * 6 / (7 + 6), id="a list in any order"),
        pytest.param("李青、姚明", [["姚明"], ["李青"], ["张渤"]], 0, 2 * 4 / (4 + 6), id="one item missing"),
        pytest.param("甲甲乙", [["甲乙丙"]], 0, 2 * 2 / (3 + 3), id="counted as often as it stands in both"),
        pytest.param("97%以上", [["97%"]], 0, 2 * 2 / (4 + 2), id="no mark: above"),
        pytest.param("", [["甲"]], 0, 0, id="refused"),
    ],
)
def test_exact_and_char_f1(prediction: str, groups: list[list[str]], exact: float, f1: float) -> None:
    assert answer_exact(prediction, groups) == exact
    assert char_f1(prediction, groups) == pytest.approx(f1)


@pytest.mark.parametrize(
    ("candidate", "reference", "value"),
    [
        pytest.param("甲乙丙", "甲乙丙", 1, id="equal"),
        pytest.param("甲丙丁", "甲乙丙", 2 * 2 / (3 + 3), id="a gap in between"),
        pytest.param("丙乙甲", "甲乙丙", 2 * 1 / (3 + 3), id="order counts"),
        pytest.param("甲，乙。", "甲乙丙丁", 2 * 2 / (2 + 4), id="marks left out"),
        pytest.param("", "甲", 0, id="nothing said"),
    ],
)
def test_rouge_l(candidate: str, reference: str, value: float) -> None:
    assert rouge_l(candidate, reference) == pytest.approx(value)
    assert rouge_l(reference, candidate) == pytest.approx(value)


def test_citations_by_hand() -> None:
    assert citation_recall(1, 2, all_needed=True) == 1 / 2
    assert citation_recall(1, 2, all_needed=False) == 1, "each quote proves the answer by itself"
    assert citation_recall(0, 2, all_needed=False) == 0
    assert math.isnan(citation_recall(0, 0, all_needed=False))
    assert citation_precision(2, 3) == 2 / 3
    assert math.isnan(citation_precision(0, 0))


@pytest.mark.parametrize(
    ("before", "after", "p"),
    [
        pytest.param([1, 1, 0, 0], [1, 0, 1, 0], 1, id="one lost, one won"),
        pytest.param([1] * 5, [0] * 5, 2 * 1 / 2**5, id="five lost"),
        pytest.param([0] * 6, [1] * 6, 2 * 1 / 2**6, id="six won: two-sided"),
        pytest.param([1] * 8 + [0], [0] * 8 + [1], 2 * (1 + 9) / 2**9, id="eight lost, one won"),
        pytest.param([1, 0], [1, 0], 1, id="nothing changed"),
    ],
)
def test_mcnemar(before: list[int], after: list[int], p: float) -> None:
    assert mcnemar(before, after) == pytest.approx(p)
    assert mcnemar(after, before) == pytest.approx(p)


def test_mcnemar_is_for_right_and_wrong() -> None:
    with pytest.raises(ValueError, match="right"):
        mcnemar([0.5], [1])
    with pytest.raises(ValueError, match="1 before, 2 after"):
        mcnemar([1], [1, 0])
