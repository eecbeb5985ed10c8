"""Question to passages, best first: the lexical and the dense leg, fused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from index.records import Filter, Hit, Passage

if TYPE_CHECKING:
    from index.store import Index

POOL = 100  # candidates drawn from each leg
DENSE_WEIGHT = 0.8  # of a cosine, against a lexical score brought to 1 for the best passage


def retrieve(index: Index, question: str, k: int = 10, *, where: Filter = Filter()) -> list[Hit]:
    """The k best passages for a question, best first; ``score`` is the fused score.

    A leg may find nothing; the other then decides alone.
    """
    if k <= 0:
        return []
    lexical = {hit.passage.id: hit for hit in index.lexical(question, max(k, POOL), where)}
    dense = {hit.passage.id: hit for hit in index.dense(question, max(k, POOL), where)}
    top = max((hit.score for hit in lexical.values()), default=0.0) or 1.0
    floor = min((hit.score for hit in dense.values()), default=0.0)  # what a passage outside the dense leg has at most
    passages: dict[str, Passage] = {id_: hit.passage for id_, hit in (*lexical.items(), *dense.items())}
    hits = []
    for id_, passage in passages.items():
        bm25 = lexical[id_].score if id_ in lexical else None
        cosine = dense[id_].score if id_ in dense else None
        score = (bm25 or 0.0) / top + DENSE_WEIGHT * (floor if cosine is None else cosine)
        hits.append(Hit(passage, score, dense=cosine, lexical=bm25))
    hits.sort(key=lambda hit: (-hit.score, hit.passage.id))
    return hits[:k]
