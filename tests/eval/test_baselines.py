"""BM25 by hand and against a second implementation; every baseline that is installed quotes what it found."""

import math
import random

import bm25s
import numpy as np
import pytest

from eval.baselines import BASELINES, Baseline, bm25, chosen, found, jieba_terms
from eval.run import is_verbatim
from index.records import Filter, GazetteError, Hit, Passage
from index.store import Index


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


@pytest.mark.parametrize("name", BASELINES)
def test_what_a_baseline_finds_stands_at_its_place(name: str, sample_index: Index) -> None:
    if not BASELINES[name].is_there:
        pytest.skip(f"{BASELINES[name].needs} is not installed")
    answer = BASELINES[name].make(sample_index).ask("全市义务教育阶段学校有多少所？", k=5)
    assert 1 <= len(answer.passages) <= 5
    for hit in answer.passages:
        passage = hit.passage
        assert sample_index.source(passage.source_id).text[passage.start : passage.end] == passage.text
    assert [is_verbatim(c, sample_index.source(c.source_id).text) for c in answer.citations] == [True]
    scores = [hit.score for hit in answer.passages]
    assert scores == sorted(scores, reverse=True)


def test_one_source_is_picked_from_a_longer_ranking() -> None:
    hits = [Hit(Passage(str(n), "ab"[n % 2], "d", "", (), 0, 1, "字"), -n) for n in range(40)]

    def search(question: str, k: int) -> list[Hit]:
        return hits[:k]

    assert found(search, "问", 3, None) == hits[:3]
    assert found(search, "问", 3, Filter()) == hits[:3]
    assert found(search, "问", 3, Filter(gazette="b")) == [hits[1], hits[3], hits[5]]


def test_jieba_keeps_words_and_drops_marks() -> None:
    pytest.importorskip("jieba")
    assert jieba_terms("营口市有206所学校。") == ["营口市", "有", "206", "所", "学校"]


def test_baselines_are_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(chosen(["dense", "bm25-bigrams"])) == ["dense", "bm25-bigrams"]
    assert {"bm25-bigrams", "dense"} <= set(chosen([])) <= set(BASELINES)
    with pytest.raises(GazetteError, match="no baseline 'bm26': there are bm25-bigrams"):
        chosen(["bm26"])
    absent = Baseline(BASELINES["dense"].make, "a_module_that_is_not_there")
    monkeypatch.setattr("eval.baselines.BASELINES", {"other": absent, "dense": BASELINES["dense"]})
    assert list(chosen([])) == ["dense"]
    with pytest.raises(GazetteError, match=r"pip install -e \"\.\[baselines\]\""):
        chosen(["other"])
