"""How sure an answer is, whether to give it, and what to say when not.

The probability comes from boosted trees over what the scorers and the question's own words tell, mapped to observed
shares of right answers (isotonic regression); both are fitted by models/calibrate.py on questions held out in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file

from qa.evidence import Choice, Reading
from qa.features import SENTENCE_FEATURES, Matrix, Pool, coverage
from qa.question import KINDS, Question
from qa.trees import Trees
from qa.words import flat, formality, rarity

if TYPE_CHECKING:
    from index.store import Index

MODELS = Path(__file__).with_name("models")
THRESHOLD = 0.35
FEATURES = (
    "value", "value_gap", "score", "score_gap", "cover", "cover_near", "cover_all", "grams", "soft", "soft_all", "dense", "missing",
    "missing_formal", "missing_formal_sum", "missing_place", "years", "figures", "quoted", "fits", "unit", "typed", "kind", "topics", "longest",
    "precision", "agree", "in_passage", "focus", "second_cover", "length", "expects", "cover_paragraph", "span_length",
)  # fmt: skip
_PLACE_ENDS = "省市县区镇乡村"


def features(pool: Pool, choices: Sequence[Choice]) -> Matrix:
    """(1, FEATURES) of the best choice against the question and its rivals."""
    best = choices[0]
    second = choices[1] if len(choices) > 1 else None
    asked, question = pool.asked, pool.asked.question
    row = dict(zip(SENTENCE_FEATURES, best.row, strict=True))
    near = pool.near(best.index)
    gaps = [(1.0 - c) for c in coverage(asked, near)]
    formal = [g * formality(w) * rarity(w) for g, w in zip(gaps, asked.words, strict=True)]
    places = [
        g for g, w in zip(gaps, asked.words, strict=True) if len(w) > 1 and w[-1] in _PLACE_ENDS and formality(w) > 0
    ]
    return np.array(
        [[
            best.value, best.value - second.value if second else 3.0, best.score, best.score - second.score if second else 3.0,
            row["cover"], row["cover_near"], row["cover_all"], row["cover_grams"], row["soft"], row["soft_all"], row["dense"],
            row["missing"], max(formal, default=0.0), sum(formal), max(places, default=0.0), row["years"], row["figures"], row["quoted"],
            best.span.type in asked.expected, bool(best.span.unit and best.span.unit in question.units), row["typed"],
            KINDS.index(question.kind), len(asked.words), row["longest"], row["precision"],
            sum("".join(c.text.split()) == "".join(best.text.split()) for c in choices), row["in_passage"], row["focus"],
            second.row[SENTENCE_FEATURES.index("cover_all")] if second else 0.0, len(question.flat), bool(asked.expected),
            row["cover_paragraph"], best.span.end - best.span.start,
        ]],
        dtype=np.float32,
    )  # fmt: skip


@lru_cache(maxsize=1)
def _model() -> tuple[Trees, Matrix, Matrix]:
    curve = load_file(MODELS / "curve.safetensors")
    return Trees.load(MODELS / "confidence.safetensors"), curve["x"], curve["y"]


def probability(row: Matrix) -> float:
    """The calibrated chance that the answer is right."""
    trees, x, y = _model()
    return float(np.interp(trees.score(row)[0], x, y))


def judge(reading: Reading, pool: Pool, choices: Sequence[Choice], index: Index) -> Reading:
    """The reading with its confidence, or an abstention that says what is missing."""
    question = pool.asked.question
    if not choices or not reading.proofs:
        return Reading(reason=nothing_found(question))
    chance = probability(features(pool, choices))
    if chance >= THRESHOLD:
        return replace(reading, confidence=chance)
    return Reading(confidence=chance, reason=_missing(pool, choices[0], index))


def nothing_found(question: Question) -> str:
    about = "、".join(question.topics[:4])
    return (
        f"公报中没有找到与“{about}”有关的内容。" if about else "请问一个关于公报内容的问题，例如“全市有多少所小学？”。"
    )


def _missing(pool: Pool, best: Choice, index: Index) -> str:
    """One line: which of the question's words the nearest place lacks, and whether the gazette has them at all."""
    question = pool.asked.question
    near = pool.near(best.index)
    lacking = sorted(
        (w for w, c in zip(pool.asked.words, coverage(pool.asked, near), strict=True) if c < 0.5 and len(w) > 1),
        key=lambda w: -formality(w) * rarity(w),
    )
    title = best.sentence.document
    if not lacking:
        return f"公报中没有找到确切的回答；最接近的内容在《{title}》。"
    text = flat("".join(index.source(best.sentence.source_id).text.split())) if best.sentence.source_id else ""
    absent = [w for w in lacking if w not in text]
    topics = "".join(w for w in question.topics if w not in lacking)[:16]
    if absent:
        return f"公报未提到“{absent[0]}”" + (f"，没有找到与“{topics}”一起的说法。" if topics else "。")
    return f"公报没有把“{lacking[0]}”与“{topics or question.topics[0]}”放在一起说；最接近的内容在《{title}》。"
