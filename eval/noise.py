"""Reading among documents that do not answer, as RGB measures it: right despite noise, and silent where all is noise.

Source: Chen, Lin, Han, Sun, Benchmarking Large Language Models in Retrieval-Augmented Generation, AAAI 2024.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

from eval.formats import NoisyQuestion, ReadingQuestion
from eval.metrics import Estimate, bootstrap_mean, is_right
from eval.reading import Prediction

NOISE = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
DOCUMENTS = 5  # given with a question, as in the paper


def documents(question: NoisyQuestion, noise: float, count: int = DOCUMENTS, *, seed: int = 0) -> list[str]:
    """The documents given with a question, in an order drawn by lot; the share ``noise`` of them does not answer it.

    As in the paper's script: noise is rounded up to whole documents, one kind fills in where the other runs out, and
    where several facts are needed the first document of each comes first.
    """
    firsts = [facts[0] for facts in question.positive if facts]
    answering = [*firsts, *(text for facts in question.positive for text in facts[1:])]
    wanted = math.ceil(round(count * noise, 9))
    if noise < 1:
        wanted = min(len(question.negative), max(wanted, count - len(answering)))
    chosen = [*(answering[: count - wanted] if noise < 1 else []), *question.negative[:wanted]]
    random.Random(f"{seed} {question.id} {noise}").shuffle(chosen)  # noqa: S311
    return chosen


def contexts(
    questions: Sequence[NoisyQuestion], noise: float, count: int = DOCUMENTS, *, seed: int = 0
) -> list[ReadingQuestion]:
    """Each question with its documents as one context, a paragraph a document."""
    return [
        ReadingQuestion(
            q.id, q.text, "\n\n".join(documents(q, noise, count, seed=seed)), "", tuple(a for g in q.groups for a in g)
        )
        for q in questions
    ]


def score(
    questions: Sequence[NoisyQuestion],
    predictions: Mapping[float, Sequence[Prediction]],
    threshold: float,
    *,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Accuracy at each share of noise, and at 1 the share that was rejected, with intervals.

    Right is what holds one answer of every group, in any case of letters; below ``threshold`` nothing is answered, which
    is wrong wherever a document answers.
    """
    figures = {}
    for noise, given in predictions.items():
        said = [words if sure >= threshold else "" for words, sure in given]
        if noise == 1:
            values = [float(not words) for words in said]
        else:
            values = [float(is_right(words, q.groups)) for words, q in zip(said, questions, strict=True)]
        name = "rejected, noise 1.0" if noise == 1 else f"accuracy, noise {noise}"
        figures[name] = bootstrap_mean(values, [""] * len(values), seed=seed)
    return figures
