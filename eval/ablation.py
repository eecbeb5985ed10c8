"""What each part of retrieval adds: every leg alone, together, ranked, expanded; over all questions and by style."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from eval.metrics import bootstrap_mean
from eval.questions import Question, without_space
from eval.report import CUTOFFS, Slice, ranked_values
from index.records import Hit

if TYPE_CHECKING:
    from index.store import Index

Search = Callable[[str, int], list[Hit]]


def run(index: Index, questions: Sequence[Question], *, seed: int = 0) -> list[Slice]:
    """A slice for every variant over all answerable questions, then one for every variant and style."""
    asked = [question for question in questions if question.answerable and question.evidence]
    found = {name: relevant_ranks(search, asked) for name, search in variants(index).items()}
    rows = [_slice(name, asked, ranks, seed) for name, ranks in found.items()]
    for style in sorted({question.style for question in asked}):
        part = [question for question in asked if question.style == style]
        rows += [_slice(f"{style}: {name}", part, ranks, seed) for name, ranks in found.items()]
    return rows


def relevant_ranks(search: Search, questions: Sequence[Question]) -> dict[str, tuple[int, ...]]:
    """For each question the ranks, among the first ten passages, of those that hold an evidence quote.

    What is searched for is what the assistant searches for: of an English question, the Chinese words.
    """
    from qa.question import analyse

    ranks: dict[str, tuple[int, ...]] = {}
    for question in questions:
        quotes = [without_space(quote) for quote in question.evidence]
        texts = [
            without_space(hit.passage.text)
            for hit in search(analyse(question.text).search or question.text, max(CUTOFFS))
        ]
        ranks[question.id] = tuple(n for n, text in enumerate(texts, 1) if any(quote in text for quote in quotes))
    return ranks


def variants(index: Index) -> dict[str, Search]:
    """The ways of searching that are compared: each leg, both, then what is added to them; the last is as shipped."""
    from qa.retrieve import DEFAULT, Weights, retrieve

    def search(weights: Weights) -> Search:
        return lambda question, k: retrieve(index, question, k, weights=weights)

    weights = replace(DEFAULT, soft=0.0, neighbours=0, expansion=0.0, ranker=False)
    found: dict[str, Search] = {
        "vectors alone": index.dense,
        "BM25 alone": index.lexical,
        "BM25 + vectors": search(weights),
    }
    parts: dict[str, dict[str, Any]] = {
        "+ word vectors": {"soft": DEFAULT.soft, "neighbours": DEFAULT.neighbours},
        "+ expansion": {"expansion": DEFAULT.expansion},
        "+ ranker": {"ranker": DEFAULT.ranker},
    }
    for name, part in parts.items():
        if any(part.values()):  # what is not shipped cannot be measured here
            weights = replace(weights, **part)
            found[name] = search(weights)
    return found


def _slice(name: str, questions: Sequence[Question], ranks: Mapping[str, Sequence[int]], seed: int) -> Slice:
    values = ranked_values({question.id: ranks[question.id] for question in questions})
    styles = [question.style for question in questions]
    figures = {
        measure: bootstrap_mean([found[question.id] for question in questions], styles, seed=seed)
        for measure, found in values.items()
    }
    return Slice(name, len(questions), figures)
