"""Retrieval over the sample gazette with what is shipped."""

from __future__ import annotations

import numpy as np
import pytest

from index.store import Index
from qa.rank import FEATURES, features
from qa.retrieve import Weights, find_candidates, near_terms, retrieve, weighted_terms
from qa.vocabulary import NO_VOCABULARY, Expansion


@pytest.fixture
def index(shipped_index: Index) -> Index:
    return shipped_index


@pytest.mark.parametrize(
    ("question", "evidence"),
    [
        pytest.param("全市义务教育阶段学校有多少所？", "206所", id="its own words"),
        pytest.param("老师收钱补课会咋处理", "有偿补课", id="a reader's words"),
    ],
)
def test_the_evidence_is_among_the_first_five(index: Index, question: str, evidence: str) -> None:
    texts = ["".join(hit.passage.text.split()) for hit in retrieve(index, question, 5)]
    assert any(evidence in text for text in texts)


@pytest.mark.parametrize(
    "weights",
    [
        pytest.param(Weights(dense=0, soft=0, neighbours=0, ranker=False), id="lexical alone"),
        pytest.param(Weights(lexical=0, neighbours=0, ranker=False), id="dense and words"),
        pytest.param(Weights(ranker=False), id="without ranker"),
        pytest.param(Weights(), id="everything"),
    ],
)
def test_scores_fall_and_passages_are_different(index: Index, weights: Weights) -> None:
    hits = retrieve(index, "停车场怎么收费", 10, weights=weights)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert len({hit.passage.id for hit in hits}) == len(hits) == 10


@pytest.mark.parametrize("question", ["龘龘龘", "？？？", "x", "停" * 300])
def test_odd_questions_do_no_harm(index: Index, question: str) -> None:
    assert len(retrieve(index, question, 3)) <= 3


def test_none_are_asked_for(index: Index) -> None:
    assert retrieve(index, "停车", 0) == []


def test_a_reranker_decides_the_order_of_the_first_ten(index: Index) -> None:
    hits = retrieve(index, "停车场怎么收费", 10, reranker=lambda _, texts: [-len(text) for text in texts])
    assert {hit.passage.id for hit in hits} == {hit.passage.id for hit in retrieve(index, "停车场怎么收费", 10)}
    lengths = [len(f"{hit.passage.context}\n{hit.passage.text}") for hit in hits]
    assert lengths == sorted(lengths)


def test_the_vocabulary_can_be_switched_off(index: Index) -> None:
    question = "老师收钱补课会咋处理"
    assert retrieve(index, question, 3) != retrieve(index, question, 3, weights=Weights(expansion=0))
    assert retrieve(index, question, 3, vocabulary=NO_VOCABULARY) == retrieve(
        index, question, 3, weights=Weights(expansion=0)
    )


def test_weighted_terms_share_out_an_official_word() -> None:
    found = weighted_terms("驾照", [Expansion("驾照", "驾驶证", 0.5)], 0.4)
    assert found == [("驾照", 1.0), ("驾驶", pytest.approx(0.4 * 0.5 * 2 / 2)), ("驶证", pytest.approx(0.2))]


def test_near_terms_look_for_official_words() -> None:
    assert "就医" in dict(near_terms("看病", 5))


def test_features_have_a_column_each(index: Index) -> None:
    rows = features(find_candidates(index, "全市有多少所学校", 20))
    assert rows.shape[1] == len(FEATURES)
    assert np.isfinite(rows).all()
