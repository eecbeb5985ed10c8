"""Reading comprehension on a public set: a question and its context -> the words that answer, and figures."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from eval.formats import ReadingQuestion
from eval.metrics import Estimate, bootstrap_mean, exact_match, f1

if TYPE_CHECKING:
    from index.embed import Encoder

Prediction = tuple[str, float]  # the words, and the probability that they answer


@dataclass(frozen=True, slots=True)
class ReadingFigures:
    """Figures over a file. Where nothing in it is unanswerable, abstaining is not asked for and not done."""

    threshold: float  # below it the prediction is an abstention
    exact_match: Estimate
    f1: Estimate
    forced_exact_match: Estimate  # over answerable questions, the best words whatever the confidence
    forced_f1: Estimate
    abstained: Estimate  # of the unanswerable
    false_abstentions: Estimate  # of the answerable


def read_all(
    questions: Sequence[ReadingQuestion],
    *,
    encoder: str | None = None,
    workers: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> list[Prediction]:
    """What is read for each question, in order, by several processes."""
    predictions = []
    read = partial(_read, encoder=encoder)
    pairs = [(question.text, question.context) for question in questions]
    with ProcessPoolExecutor(workers or os.cpu_count() or 1, multiprocessing.get_context("spawn")) as pool:
        for prediction in pool.map(read, pairs, chunksize=16):
            predictions.append(prediction)
            if progress is not None:
                progress(1)
    return predictions


def score(
    questions: Sequence[ReadingQuestion], predictions: Sequence[Prediction], threshold: float, *, seed: int = 0
) -> ReadingFigures:
    """EM and F1 as CMRC's script has them, with and without the right to abstain.

    An abstention is right exactly where there are no accepted answers (SQuAD 2.0).
    """
    may_abstain = any(not question.answers for question in questions)
    given = [words if sure >= threshold or not may_abstain else "" for words, sure in predictions]
    answerable = [bool(question.answers) for question in questions]
    golds = [question.answers for question in questions]

    def over(values: Sequence[float], chosen: Sequence[bool] | None = None) -> Estimate:
        kept = [v for v, c in zip(values, chosen or [True] * len(values), strict=True) if c]
        return bootstrap_mean(kept, [""] * len(kept), seed=seed)

    forced = [words for words, _ in predictions]
    silent = [float(not words) for words in given]
    return ReadingFigures(
        threshold,
        over([exact_match(words, gold) for words, gold in zip(given, golds, strict=True)]),
        over([f1(words, gold) for words, gold in zip(given, golds, strict=True)]),
        over([exact_match(words, gold) for words, gold in zip(forced, golds, strict=True)], answerable),
        over([f1(words, gold) for words, gold in zip(forced, golds, strict=True)], answerable),
        over(silent, [not possible for possible in answerable]),
        over(silent, answerable),
    )


def lines(figures: ReadingFigures) -> list[list[str]]:
    """Figures as rows for printing; what does not apply is left out."""
    named = {
        "EM": figures.exact_match,
        "F1": figures.f1,
        "EM, always answering": figures.forced_exact_match,
        "F1, always answering": figures.forced_f1,
        "abstained on unanswerable": figures.abstained,
        "abstained on answerable": figures.false_abstentions,
    }
    return [[name, f"{e.value:.4f}", f"[{e.low:.3f}, {e.high:.3f}]", f"n={e.n}"] for name, e in named.items() if e.n]


@lru_cache(maxsize=1)
def _encoder(name: str) -> Encoder:
    from index.embed import load_encoder

    return load_encoder(name)


def _read(pair: tuple[str, str], *, encoder: str | None) -> Prediction:
    from qa.read import read_context

    return read_context(*pair, _encoder(encoder) if encoder else None)
