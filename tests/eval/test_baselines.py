"""BM25 by hand, and its parts against a second implementation."""

import math
import random

import bm25s
import numpy as np
import pytest

from eval.baselines import bm25


def test_bm25_by_hand() -> None:
    texts = [["a", "b"], ["a", "a", "c", "c"], ["d"]]
    idf = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    average = 7 / 3
    expected = [
        idf * 1 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / average)),
        idf * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 4 / average)),
        0.0,
    ]
    assert bm25(["a", "a", "unknown"], texts) == pytest.approx(expected)
    assert bm25(["a"], []) == []


def test_bm25_agrees_with_bm25s() -> None:
    chance = random.Random(3)
    texts = [[chance.choice("abcdefghij") for _ in range(chance.randint(1, 30))] for _ in range(60)]
    retriever = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    retriever.index(texts, show_progress=False)
    other = retriever.get_scores(["a", "b"])
    ours = np.array(bm25(["a", "b"], texts))
    # The library leaves out the constant factor k1 + 1, which changes no order.
    assert ours == pytest.approx(other * 2.2, rel=1e-4)
