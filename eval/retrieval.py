"""Search on a public test collection: corpus -> passages -> index -> ranking of its documents -> figures."""

from __future__ import annotations

import math
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from eval.formats import CorpusText
from eval.metrics import Estimate, Qrels, bootstrap_mean, rank_measures
from index.chunks import split_passages
from index.records import Document, Gazette, Hit, Paragraph, Passage, Source

if TYPE_CHECKING:
    from index.store import Index
    from qa.rank import Reranker

CUTOFFS = (1, 5, 10, 100)
Ranking = list[tuple[str, float]]  # documents with their scores, best first
_PER_DOCUMENT = 3  # most passages asked for per document wanted; asked again with more where they were too few


def corpus_passages(corpus: Iterable[CorpusText]) -> Iterator[Passage]:
    """The passages of each corpus entry, cut as a gazette's are; ``source_id`` is the entry's id.

    An entry without text has its title as text; one without either is left out.
    """
    for entry in corpus:
        text = entry.text if entry.text.strip() else entry.title
        if not text.strip():
            continue
        paragraphs: list[Paragraph] = []
        at = 0
        for line in text.split("\n"):
            if line.strip():
                start = at + len(line) - len(line.lstrip())
                paragraphs.append(Paragraph(len(paragraphs) + 1, start, at + len(line.rstrip())))
            at += len(line) + 1
        document = Document(entry.id, entry.id, 1, entry.title, "其他", 0, len(text), tuple(paragraphs))
        gazette = Gazette(entry.id, entry.title, documents=(document,))
        yield from split_passages(gazette, Source(entry.id, entry.title, text, ""))


def best_documents(hits: Iterable[Hit], depth: int) -> Ranking:
    """Documents in the order of their best passage, with scores that fall strictly.

    A document counts as its best passage does (MaxP; Dai and Callan, SIGIR 2019). Scores that tie or rise are set
    just below the one before, since tools that read a run sort by score.
    """
    ranking: Ranking = []
    seen: set[str] = set()
    below = math.inf
    for hit in hits:
        if hit.passage.source_id in seen:
            continue
        seen.add(hit.passage.source_id)
        below = min(round(hit.score, 6), round(below - 1e-6, 6))  # as a run writes them
        ranking.append((hit.passage.source_id, below))
        if len(ranking) == depth:
            break
    return ranking


def rank(
    folder: Path,
    queries: Mapping[str, str],
    *,
    depth: int = max(CUTOFFS),
    workers: int | None = None,
    encoder: str | None = None,
    reranker: str | None = None,
    progress: Callable[[int], object] | None = None,
) -> dict[str, Ranking]:
    """Each query's first ``depth`` documents, best first, asked in several processes of one open index each."""
    workers = workers or os.cpu_count() or 1
    ask = partial(_rank_one, folder=folder, encoder=encoder, reranker=reranker, depth=depth)
    run: dict[str, Ranking] = {}
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        for name, ranking in zip(queries, pool.map(ask, queries.values(), chunksize=8), strict=True):
            run[name] = ranking
            if progress is not None:
                progress(1)
    return run


def figures(qrels: Qrels, run: Mapping[str, Ranking], *, seed: int = 0) -> dict[str, Estimate]:
    """recall, MRR and nDCG at 1, 5, 10, 100 with intervals, over the queries that have a relevant document."""
    documents = {query: [document for document, _ in ranking] for query, ranking in run.items()}
    values = rank_measures(qrels, documents, ("recall", "mrr", "ndcg"), CUTOFFS)
    return {name: bootstrap_mean(list(found.values()), [""] * len(found), seed=seed) for name, found in values.items()}


def matrix(table: Mapping[str, Estimate]) -> Sequence[Sequence[str]]:
    """Figures as rows for printing: a measure a row, a cutoff a column, intervals below the values."""
    rows = [["", *(f"@{k}" for k in CUTOFFS)]]
    for measure in ("recall", "mrr", "ndcg"):
        found = [table[f"{measure}@{k}"] for k in CUTOFFS]
        rows.append([measure, *(f"{e.value:.4f}" for e in found)])
        rows.append(["  95 %", *(f"{e.low:.3f}-{e.high:.3f}" for e in found)])
    return rows


@lru_cache(maxsize=1)
def _index(folder: Path, encoder: str | None) -> tuple[Index, float]:
    """The index of a worker process, opened at its first question, and how many passages a document has in it."""
    from index.embed import load_encoder
    from index.store import open_index

    index = open_index(folder, encoder=load_encoder(encoder))
    return index, len(index) / max(1, len(index.source_names))


@lru_cache(maxsize=1)
def _reranker(name: str) -> Reranker:
    """The reranker of a worker process."""
    from qa.rank import load_reranker

    return load_reranker(name)


def _rank_one(question: str, *, folder: Path, encoder: str | None, reranker: str | None, depth: int) -> Ranking:
    from qa.question import analyse
    from qa.retrieve import retrieve

    question = analyse(question).search or question
    index, per_document = _index(folder, encoder)
    # Passages cost time, and long documents rarely have all of theirs among the best.
    wanted = math.ceil(depth * min(per_document, _PER_DOCUMENT))
    while True:
        hits = retrieve(index, question, wanted, reranker=_reranker(reranker) if reranker else None)
        ranking = best_documents(hits, depth)
        if len(ranking) == depth or len(hits) < wanted:
            return ranking
        wanted *= 2
