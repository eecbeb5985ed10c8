"""Question to passages, best first: BM25 and vectors find candidates, word vectors and a ranker order them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from index.lexical import terms
from index.records import Filter, Hit
from index.wordvectors import END, shipped_words
from qa.rank import Candidates, Reranker, rank
from qa.vocabulary import Expansion, Vocabulary, shipped_vocabulary

if TYPE_CHECKING:
    from index.store import Index


@dataclass(frozen=True, slots=True)
class Weights:
    """What each part counts; 0 leaves it out. The defaults were measured: see docs/retrieval-log.md."""

    lexical: float = 1.0  # BM25, brought to 1 for the best passage
    dense: float = 1.0  # cosine of the encoder
    soft: float = 3.0  # share of the question's words matched, see index.wordvectors
    expansion: float = 0.3  # of an official word's terms beside the reader's own
    neighbours: int = 5  # words nearest to each word of the question that a leg of its own looks for; 0 leaves it out
    ranker: bool = True
    pool: int = 100  # candidates drawn from each leg
    ranked: int = 100  # of the best, put in order by the ranker
    reranked: int = 10  # of the first after that, put in order by a reranker where there is one


# Questions that search at the same time; others wait their turn. Half of a search is Python, so more of them only fight
# for the interpreter: eight threads, two cores, 31,000 passages took 8.8 ms a question, 6.3 with turns, one alone 7.8.
_AT_ONCE = BoundedSemaphore(2)

NEAR = 0.5  # the least cosine of a word that is looked for in place of another
DEFAULT = Weights()
EVERYWHERE = Filter()


def retrieve(
    index: Index,
    question: str,
    k: int = 10,
    *,
    where: Filter = EVERYWHERE,
    vocabulary: Vocabulary | None = None,
    reranker: Reranker | None = None,
    weights: Weights = DEFAULT,
) -> list[Hit]:
    """The k best passages for a question, best first.

    ``score`` falls from hit to hit; it is a fused score brought to the order of the ranker, so compare it within one
    question only. ``vocabulary`` is the shipped one where none is given; ``NO_VOCABULARY`` widens nothing.
    ``reranker`` puts the first ``weights.reranked`` in its own order and moves no passage across that line, so the first
    ten hold the same passages with it as without, and a cross-encoder reads ten a question. Either leg may find nothing; the other then decides alone.
    """
    if k <= 0:
        return []
    known = shipped_vocabulary() if vocabulary is None else vocabulary  # an empty one is false and still meant
    words = known.expand(question) if weights.expansion else ()
    pool, best = max(k, weights.pool), max(k, weights.ranked, weights.reranked)
    with _AT_ONCE:
        candidates = find_candidates(index, question, pool, where=where, words=words, weights=weights, best=best)
    if not candidates.passages:
        return []
    fused = candidates.fused
    order = np.arange(len(fused))
    if weights.ranker:
        order = _reordered(order, rank(best_of(candidates, order[: weights.ranked])))
    if reranker is not None:
        first = [candidates.passages[i] for i in order[: weights.reranked]]
        scores = np.asarray(reranker(question, [f"{p.context}\n{p.text}" for p in first]), dtype=np.float32)
        if scores.shape != (len(first),):
            raise ValueError(f"the reranker gave scores of shape {scores.shape} for {len(first)} passages: one each")
        order = _reordered(order, scores)
    falling = np.minimum.accumulate(fused[order])
    return [
        Hit(
            candidates.passages[i],
            float(score),
            dense=float(candidates.dense[i]) if candidates.dense_rank[i] else None,
            lexical=float(candidates.lexical[i]) if candidates.lexical_rank[i] else None,
        )
        for i, score in zip(order[:k], falling, strict=False)
    ]


def _reordered(order: npt.NDArray[np.intp], scores: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """The first of an order, as many as have a score, by falling score; equal ones and the rest stay as they are."""
    n = len(scores)
    return np.concatenate([order[:n][np.argsort(-scores, kind="stable")], order[n:]])


def weighted_terms(question: str, words: Sequence[Expansion], weight: float) -> list[tuple[str, float]]:
    """The terms BM25 is asked for: the question's at 1, each official word's at ``weight`` times its own, shared out.

    A long official word has many bigrams; shared out, it counts no more than a short one.
    """
    asked = [(term, 1.0) for term in terms(question)]
    for expansion in words:
        official = terms(expansion.official)
        asked.extend((term, weight * expansion.weight * 2 / max(2, len(official))) for term in official)
    return asked


def near_terms(question: str, k: int) -> list[tuple[str, float]]:
    """The terms of the question's words and of the k words nearest to each, by weight times squared cosine.

    What BM25 finds for them is only a candidate: it adds up what ``index.wordvectors`` takes the best of.
    """
    vectors = shipped_words()
    asked = vectors.cut([question])[0]
    weights: dict[str, float] = {}
    for number in dict.fromkeys(asked[asked != END].tolist()):
        for term, weight in _near(number, k):
            weights[term] = max(weights.get(term, 0.0), weight)
    return list(weights.items())


@lru_cache(maxsize=16_384)
def _near(number: int, k: int) -> tuple[tuple[str, float], ...]:
    """The terms of a word by its number and of the k words nearest to it, with what each counts."""
    vectors = shipped_words()
    own = float(vectors.weights[number])
    found = [(term, own) for term in terms(vectors.word(number))]
    for other, cosine in vectors.nearest(number, k):
        word = vectors.word(other)
        if cosine < NEAR or len(word) < 2:
            continue  # one character stands in too many words
        pieces = terms(word)
        found += [(term, own * cosine**2 * 2 / max(2, len(pieces))) for term in pieces]
    return tuple(found)


def find_candidates(
    index: Index,
    question: str,
    pool: int,
    *,
    where: Filter = EVERYWHERE,
    words: Sequence[Expansion] = (),
    weights: Weights = DEFAULT,
    best: int | None = None,
) -> Candidates:
    """The union of what the legs find, in the order of their first appearance; or the best of it alone, best first.

    Only what is given is read from the index: a third of what is found is never looked at.
    """
    asked = weighted_terms(question, words, weights.expansion)
    lexical = index.lexical_keys(asked, pool, where) if weights.lexical else []
    dense = index.dense_keys(question, pool, where) if weights.dense else []
    near = index.lexical_keys(near_terms(question, weights.neighbours), pool, where) if weights.neighbours else []
    keys = list(dict.fromkeys(key for key, _ in (*lexical, *dense, *near)))
    place = {key: i for i, key in enumerate(keys)}
    bm25, bm25_rank, cosine_rank = (np.zeros(len(keys), dtype=np.float32) for _ in range(3))
    cosine = np.full(len(keys), min((score for _, score in dense), default=0.0), dtype=np.float32)
    for leg, scores, ranks in ((lexical, bm25, bm25_rank), (dense, cosine, cosine_rank)):
        for number, (key, score) in enumerate(leg, 1):
            scores[place[key]] = score
            ranks[place[key]] = 1 / number
    cutter = shipped_words()
    cut = index.cuts(keys)
    soft = cutter.match(cutter.cut([question])[0], [text for text, _ in cut], [head for _, head in cut])
    fused = (
        weights.lexical * bm25 / max(float(bm25.max(initial=0)), 1e-9)
        + weights.dense * cosine
        + weights.soft * soft.both
    )
    rows = np.arange(len(keys)) if best is None else np.argsort(-fused, kind="stable")[:best]
    return Candidates(
        question,
        index.by_key([keys[i] for i in rows]),
        bm25[rows],
        cosine[rows],
        bm25_rank[rows],
        cosine_rank[rows],
        soft.only(rows),
        fused[rows],
        tuple(word.official for word in words),
    )


def best_of(candidates: Candidates, rows: npt.NDArray[np.intp]) -> Candidates:
    """Those candidates alone."""
    soft = candidates.soft
    return Candidates(
        candidates.question,
        [candidates.passages[i] for i in rows],
        candidates.lexical[rows],
        candidates.dense[rows],
        candidates.lexical_rank[rows],
        candidates.dense_rank[rows],
        soft.only(rows),
        candidates.fused[rows],
        candidates.official,
    )
