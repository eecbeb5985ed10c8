"""How sure an answer is, whether to give it, and what to say when not.

Three steps, all fitted by models/calibrate.py on questions held out in turn: boosted trees over what the scorers tell;
a logistic regression that adds what speaks against an answer by itself (a place or year the question names and the
gazette does not say with it, an answer of another type, a word of print the gazette never uses); and the observed share
of right answers at that score (isotonic regression).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from qa.candidates import ASKS_FIGURE
from qa.evidence import Choice, Reading
from qa.features import SENTENCE_FEATURES, Matrix, Pool, coverage
from qa.question import KINDS, Question
from qa.trees import Trees
from qa.words import formality, rarity

MODELS = Path(__file__).with_name("models")
THRESHOLD = 0.35
FEATURES = (
    "value", "value_gap", "score", "score_gap", "cover", "cover_near", "cover_all", "grams", "soft", "soft_all", "missing",
    "missing_formal", "missing_formal_sum", "missing_place", "years", "figures", "quoted", "fits", "unit", "typed", "kind", "topics", "longest",
    "precision", "agree", "in_passage", "focus", "second_cover", "length", "expects", "cover_paragraph", "span_length", "pointed", "here", "here_best", "here_gap",
)  # fmt: skip
SIGNALS = (
    "unmet",
    "other_type",
    "other_unit",
    "no_person",
    "absent",
    "absent_sum",
    "no_head",
    "no_cue",
    "echo",
    "open",
)
_PLACE_ENDS = "省市县区镇乡村"


def features(pool: Pool, choices: Sequence[Choice]) -> Matrix:
    """(1, FEATURES) of the best choice against the question and its rivals."""
    best = choices[0]
    second = choices[1] if len(choices) > 1 else None
    asked, question = pool.asked, pool.asked.question
    row = dict(zip(SENTENCE_FEATURES, best.row, strict=True))
    gaps = [1.0 - c for c in coverage(asked, pool.near(best.index))]
    formal = [g * formality(w) * rarity(w) for g, w in zip(gaps, asked.words, strict=True)]
    places = [
        g for g, w in zip(gaps, asked.words, strict=True) if len(w) > 1 and w[-1] in _PLACE_ENDS and formality(w) > 0
    ]
    return np.array(
        [[
            best.value, best.value - second.value if second else 3.0, best.score, best.score - second.score if second else 3.0,
            row["cover"], row["cover_near"], row["cover_all"], row["cover_grams"], row["soft"], row["soft_all"],
            row["missing"], max(formal, default=0.0), sum(formal), max(places, default=0.0), row["years"], row["figures"], row["quoted"],
            best.span.type in asked.expected, bool(best.span.unit and best.span.unit in question.units), row["typed"],
            KINDS.index(question.kind), len(asked.words), row["longest"], row["precision"],
            sum("".join(c.text.split()) == "".join(best.text.split()) for c in choices), row["in_passage"], row["focus"],
            second.row[SENTENCE_FEATURES.index("cover_all")] if second else 0.0, len(question.flat), bool(asked.expected),
            row["cover_paragraph"], best.span.end - best.span.start, best.pointed, best.here, max(c.here for c in choices),
            best.here - max((c.here for c in choices[1:]), default=-12.0),
        ]],
        dtype=np.float32,
    )  # fmt: skip


def signals(pool: Pool, choices: Sequence[Choice], text: str) -> Matrix:
    """(1, SIGNALS): what speaks against the best choice; ``text`` is its source, as compared, without white space."""
    best, question, asked = choices[0], pool.asked.question, pool.asked
    near = pool.near(best.index)
    absent = [
        formality(w) * min(rarity(w), 9.0) * (1.0 - c)
        for w, c in zip(asked.words, coverage(asked, near), strict=True)
        if w not in text and not w.isascii()
    ]
    heads = [w for w in (*asked.left[:1], *asked.right[:1], question.focus) if len(w) > 1]
    return np.array(
        [[
            min(2, len(pool.unmet(best.index))),
            question.kind in ASKS_FIGURE and best.span.type not in asked.expected,
            bool(question.units) and best.span.unit not in question.units,
            question.kind == "person" and best.span.type != "person",
            max(absent, default=0.0) / 9.0,
            min(3.0, sum(absent) / 9.0),
            max((formality(w) for w in heads if w not in near), default=0.0),
            question.kind == "reason" and not any(c in near for c in ("因", "由于", "为了", "为", "导致", "不足", "缺")),
            best.text in question.flat,
            question.kind in {"other", "procedure"},
        ]],
        dtype=np.float32,
    )  # fmt: skip


@lru_cache(maxsize=1)
def _model() -> tuple[Trees, dict[str, Matrix]]:
    return Trees.load(MODELS / "confidence.safetensors"), load_file(MODELS / "curve.safetensors")


def probability(row: Matrix, against: Matrix) -> float:
    """The calibrated chance that the answer with these features and signals is right."""
    trees, curve = _model()
    score = combine(trees.score(row), against, curve["weights"])[0]
    return float(np.interp(score, curve["x"], curve["y"]))


def combine(raw: Matrix, against: Matrix, weights: Matrix) -> Matrix:
    """(n,) log odds: weights are those of the trees' score, of each signal, and a constant."""
    out: Matrix = (np.column_stack([raw, against, np.ones(len(raw))]) @ weights).astype(np.float32)
    return out


def judge(reading: Reading, pool: Pool, choices: Sequence[Choice], text: str) -> Reading:
    """The reading with its confidence, or an abstention that says what is missing from the source ``text``."""
    if not choices or not reading.proofs:
        return Reading(reason=nothing_found(pool.asked.question))
    chance = probability(features(pool, choices), signals(pool, choices, text))
    if chance >= THRESHOLD:
        return replace(reading, confidence=chance)
    return Reading(confidence=chance, reason=_missing(pool, choices[0], text))


def nothing_found(question: Question) -> str:
    """The reason where no passage has anything to do with the question."""
    about = "、".join(question.topics[:4])
    return (
        f"公报中没有找到与“{about}”有关的内容。" if about else "请问一个关于公报内容的问题，例如“全市有多少所小学？”。"
    )


def _missing(pool: Pool, best: Choice, text: str) -> str:
    """One line: what the question says that the nearest place does not, and whether the gazette says it at all."""
    question = pool.asked.question
    near = pool.near(best.index)
    title = best.sentence.document
    lacking = sorted(
        (w for w, c in zip(pool.asked.words, coverage(pool.asked, near), strict=True) if c < 0.5 and len(w) > 1),
        key=lambda w: -formality(w) * rarity(w),
    )
    lacking = list(dict.fromkeys([*pool.unmet(best.index), *lacking]))
    if not lacking:
        return f"公报中没有找到确切的回答；最接近的内容在《{title}》。"
    topics = "".join(w for w in question.topics if w not in lacking and not w.isdigit())[:16]
    absent = [w for w in lacking if w not in text]
    if absent and topics:
        return (
            f"公报未提到“{absent[0]}”的{topics}。"
            if absent[0] in pool.unmet(best.index)
            else f"公报未提到“{absent[0]}”，只有与“{topics}”相近的内容，在《{title}》。"
        )
    if absent:
        return f"公报未提到“{absent[0]}”。"
    return f"公报没有把“{lacking[0]}”与“{topics or question.topics[0]}”放在一起说；最接近的内容在《{title}》。"
