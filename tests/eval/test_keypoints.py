"""Key points are scored by characters and figures; what ships is at least as good as what it was compared with."""

from __future__ import annotations

import pytest

from eval.keypoints import Gold, compare, figures_held, read_gold, score, table, tokens
from index.records import Gazette, Source
from index.text import fold


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("全市206所，占62.5%。", ["全", "市", "206", "所", "占", "62.5", "%"]),
        ("ＤＩＰ付费", ["dip", "付", "费"]),
        ("，。！", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "figures", "share"),
    [
        ("学校206所，学生11.5万人", ["206所", "11.5万人"], 1.0),
        ("学校1206所，学生5.68万人", ["206所", "68万人"], 0.0),
        ("学校２０６所", ["206所", "9所"], 1 / 2),
        ("没有数字", [], 1.0),
    ],
)
def test_figures_held(text: str, figures: list[str], share: float) -> None:
    assert figures_held(text, figures) == share


def test_rouge_is_that_of_characters() -> None:
    """Of the gold's four characters the choice holds two, of its own four two: F1 is 1/2; one of three pairs: 1/3."""
    made = score("甲乙戊己", Gold("dev", "某", "", ("甲乙丙丁",), ()))
    assert (made.rouge1, made.rouge2, made.rouge_l) == pytest.approx((1 / 2, 1 / 3, 1 / 2))
    assert (made.figures, made.characters) == (1.0, 4)


def test_what_ships_is_the_best_of_what_was_compared(sample_gazette: Gazette, sample_source: Source) -> None:
    texts = {fold(d.title): (d, sample_source.text) for d in sample_gazette.documents}
    scores = compare(texts, read_gold())
    means = {
        name: [sum(getattr(row, field) for row in rows) / len(rows) for field in ("rouge1", "rouge_l", "figures")]
        for name, rows in scores.items()
    }
    best = means.pop("shipped")
    assert all(ours >= theirs for other in means.values() for ours, theirs in zip(best, other, strict=True))
    assert table(scores).count("\n") == 1 + len(scores)
