"""Figures of a reading file, by hand."""

import math

import pytest

from eval.formats import ReadingQuestion
from eval.reading import lines, score

SURE = [("韩国", 0.9), ("盛大游戏", 0.8), ("甲", 0.2), ("乙", 0.7)]
POSSIBLE = [ReadingQuestion(str(n), "", "", "", (gold,)) for n, gold in enumerate(("韩国", "由盛大", "甲"))]
IMPOSSIBLE = ReadingQuestion("3", "", "", "", ())


def test_a_file_with_unanswerable_questions() -> None:
    figures = score([*POSSIBLE, IMPOSSIBLE], SURE, threshold=0.5)
    half = 2 * (2 / 4) * (2 / 3) / (2 / 4 + 2 / 3)  # 盛大 in 盛大游戏 and in 由盛大
    assert figures.exact_match.value == 1 / 4
    assert figures.f1.value == pytest.approx((1 + half) / 4)
    assert figures.forced_exact_match.value == 2 / 3
    assert figures.forced_f1.value == pytest.approx((1 + half + 1) / 3)
    assert (figures.abstained.value, figures.abstained.n) == (0, 1)
    assert (figures.false_abstentions.value, figures.false_abstentions.n) == (1 / 3, 3)
    assert score([*POSSIBLE, IMPOSSIBLE], SURE, threshold=0.75).abstained.value == 1


def test_a_file_without_them_asks_for_every_answer() -> None:
    figures = score(POSSIBLE, SURE[:3], threshold=0.5)
    assert figures.exact_match == figures.forced_exact_match
    assert figures.false_abstentions.value == 0
    assert math.isnan(figures.abstained.value)
    assert [row[0] for row in lines(figures)][-1] == "abstained on answerable"
