"""Soft matching against a plain loop, and what the shipped words know."""

from __future__ import annotations

import numpy as np
import pytest

from index.wordvectors import END, FLOOR, Words, WordVectors, shipped_words

PASSAGES = [
    "参保人员就医发生的医疗费用，由医疗保险基金按照规定支付。未参保的不予支付。",
    "机动车停车场应当按照规定收费。",
    "会议由主任主持。",
    "",
]
HEADS = ["关于医疗保障工作的报告", "停车管理条例", "会议纪要", ""]


@pytest.fixture(scope="module")
def vectors() -> WordVectors:
    return shipped_words()


def _plainly(vectors: WordVectors, question: Words, passage: Words) -> float:
    """The share of the question's weight that a passage matches, word by word."""
    asked = sorted({int(n) for n in question if n != END})
    total = sum(float(vectors.weights[n]) for n in asked)
    score = 0.0
    for n in asked:
        best = 0.0
        for other in {int(m) for m in passage if m != END}:
            if other == n:
                best = 1.0
                continue
            cosine = float((vectors.vectors(np.array([n])) @ vectors.vectors(np.array([other])).T)[0, 0])
            best = max(best, cosine**2 if cosine >= FLOOR else 0.0)
        score += float(vectors.weights[n]) * best
    return score / total


@pytest.mark.parametrize("question", ["看病报销怎么弄", "停车要交多少钱？", "谁主持会议"])
def test_match_equals_a_plain_loop(vectors: WordVectors, question: str) -> None:
    asked = vectors.cut([question])[0]
    passages, heads = vectors.cut(PASSAGES), vectors.cut(HEADS)
    match = vectors.match(asked, passages, heads)
    np.testing.assert_allclose(match.passage, [_plainly(vectors, asked, p) for p in passages], atol=1e-5)
    np.testing.assert_allclose(match.head, [_plainly(vectors, asked, h) for h in heads], atol=1e-5)
    whole = [np.concatenate([h, p]) for h, p in zip(heads, passages, strict=True)]
    np.testing.assert_allclose(match.both, [_plainly(vectors, asked, w) for w in whole], atol=1e-5)
    sentences = [
        max((_plainly(vectors, asked, s) for s in np.split(p, np.flatnonzero(p == END))), default=0.0) for p in passages
    ]
    np.testing.assert_allclose(match.sentence, sentences, atol=1e-5)
    assert (match.exact <= match.passage + 1e-6).all()


def test_the_question_itself_matches_whole(vectors: WordVectors) -> None:
    asked = vectors.cut(["全市义务教育阶段学校有多少所"])[0]
    match = vectors.match(asked, [asked], [asked[:0]])
    np.testing.assert_allclose([match.passage[0], match.exact[0]], 1, atol=1e-5)


def test_nothing_matches_nothing(vectors: WordVectors) -> None:
    nothing = vectors.cut([""])[0]
    assert vectors.match(nothing, vectors.cut(PASSAGES), vectors.cut(HEADS)).passage.tolist() == [0, 0, 0, 0]
    assert len(vectors.match(vectors.cut(["看病"])[0], [], []).passage) == 0


def test_passages_without_heads_are_refused(vectors: WordVectors) -> None:
    with pytest.raises(ValueError, match="1 passages but 0 heads"):
        vectors.match(vectors.cut(["看病"])[0], vectors.cut(["就医"]), [])


@pytest.mark.parametrize(
    ("own", "official"), [("看病", "就医"), ("上学", "入学"), ("工资", "劳动报酬"), ("警察", "公安机关")]
)
def test_readers_words_are_near_official_ones(vectors: WordVectors, own: str, official: str) -> None:
    first, second = (vectors.cut([word])[0] for word in (own, official))
    cosine = vectors.vectors(first) @ vectors.vectors(second).T
    assert cosine.max() >= FLOOR


def test_neighbours_are_the_nearest_rows(vectors: WordVectors) -> None:
    number = int(vectors.cut(["停车"])[0][0])
    everyone = vectors.vectors(np.arange(len(vectors)))
    cosines = everyone @ everyone[number]
    cosines[number] = -1
    found = vectors.nearest(number, 5)
    np.testing.assert_allclose([c for _, c in found], np.sort(cosines)[::-1][:5], atol=2e-3)


def test_words_of_asking_weigh_little(vectors: WordVectors) -> None:
    weight = {word: float(vectors.weights[vectors.cut([word])[0][0]]) for word in ("什么", "义务教育")}
    assert weight["什么"] < weight["义务教育"]
