"""Fit how sure an answer is: ``python qa/models/calibrate.py DATA_FOLDER INDEX QUESTIONS.jsonl...``.

DATA_FOLDER is that of train.py: the questions it kept from the scorers are answered as they are, without the sentence
that answers, and without its passage. QUESTIONS are development questions over the gazettes in INDEX, answerable and not. Writes
confidence.safetensors and curve.safetensors beside this file; figures by cross-validation go to stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from train import examples  # beside this file

from index.store import open_index
from qa import articles, confidence, trees
from qa.evidence import Choice, Reading
from qa.features import Pool
from qa.question import analyse
from qa.read import Reader, default_reader
from qa.retrieve import retrieve

HERE = Path(__file__).parent
OWN_WEIGHT = 12.0  # a development question on a gazette against a held-out one from elsewhere
ROBBED_WEIGHT = 4.0
HELD = 200  # questions of each file
FOLDS = 10
ROUNDS = 90
SETTINGS: dict[str, Any] = {
    "objective": "binary", "learning_rate": 0.06, "num_leaves": 9, "min_data_in_leaf": 60, "feature_fraction": 0.5,
    "bagging_fraction": 0.8, "bagging_freq": 1, "lambda_l2": 20.0, "verbosity": -1, "seed": 1, "num_threads": 1,
    "use_missing": False, "deterministic": True, "force_row_wise": True,
}  # fmt: skip
# A better match never makes an answer less sure; more missing never makes it surer.
RISING = {
    "value",
    "value_gap",
    "score",
    "cover",
    "cover_near",
    "cover_all",
    "grams",
    "soft",
    "soft_all",
    "figures",
    "quoted",
    "fits",
    "unit",
    "years",
    "in_passage",
    "agree",
}
FALLING = {"missing", "missing_formal", "missing_formal_sum", "missing_place"}


@dataclass(frozen=True)
class Rows:
    """Answers to questions: features, signals, whether each is right, whether the question has an answer."""

    features: NDArray[np.float32]
    signals: NDArray[np.float32]
    right: NDArray[np.bool_]
    answerable: NDArray[np.bool_]
    robbed: NDArray[np.bool_]  # an answerable question whose answer was hidden


def held_rows(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Features of the answers to held-out questions, whole and robbed twice, and whether each is right."""
    reader = default_reader()
    rows: list[NDArray[np.float32]] = []
    right: list[bool] = []
    for e in examples(folder, (), limit=0, held=HELD):
        mine = {e.pool.sentences[i].document_id for i in np.flatnonzero(e.truth > 0)}
        for missing in ("nothing", "sentence", "passage"):
            keep = [
                i
                for i, s in enumerate(e.pool.sentences)
                if missing == "nothing" or not (e.truth[i] > 0 if missing == "sentence" else s.document_id in mine)
            ]
            pool = _only(e.pool, keep)
            choices = reader.choose(pool) if keep else []
            if choices:
                rows.append(confidence.features(pool, choices))
                right.append(missing == "nothing" and bool(e.truth[keep[choices[0].index]] > 0.5))
    return np.concatenate(rows), np.array(right)


def _only(pool: Pool, keep: list[int]) -> Pool:
    return replace(
        pool, sentences=[pool.sentences[i] for i in keep], passage_scores=[pool.passage_scores[i] for i in keep]
    )


def own_rows(folder: Path, files: list[Path]) -> Rows:
    """The development questions over the index, and the answerable ones once more, robbed of their answer."""
    rows: list[tuple[NDArray[np.float32], NDArray[np.float32], bool, bool, bool]] = []
    reader = default_reader()
    with open_index(folder) as index:
        for file in files:
            for line in file.read_text(encoding="utf-8").splitlines():
                record = json.loads(line)
                if "turns" in record:
                    continue
                question = analyse(record["question"])
                if question.is_chatter or question.article_text:
                    continue
                hits = retrieve(index, question.search or record["question"], 10)
                place = articles.resolve(index, question, hits)
                if isinstance(place, Reading):
                    continue
                made = reader.consider(index, question, hits, place)
                if made is None:
                    continue
                pool, choices, reading = made
                text = reader.source_text(index, choices[0].sentence.source_id)
                good = record["answerable"] and is_right(record, reading.answer + " " + reading.sentence)
                rows.append((*_row(pool, choices, text), good, record["answerable"], False))
                if record["answerable"] and (rest := _robbed(reader, pool, record)):
                    rows.append((*_row(*rest, text), False, False, True))
    columns = list(zip(*rows, strict=True))
    return Rows(np.concatenate(columns[0]), np.concatenate(columns[1]), *(np.array(c, dtype=bool) for c in columns[2:]))


def _row(pool: Pool, choices: list[Choice], text: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return confidence.features(pool, choices), confidence.signals(pool, choices, text)


def _robbed(reader: Reader, pool: Pool, record: dict[str, Any]) -> tuple[Pool, list[Choice]] | None:
    """The question with every sentence left out that holds its answer: one more that cannot be answered."""
    wanted = [_bare(a) for a in (*(record.get("answers") or ()), *(a for g in record.get("all_of") or () for a in g))]
    keep = [i for i, s in enumerate(pool.sentences) if not any(a in _bare(s.text) for a in wanted)]
    if not keep or len(keep) == len(pool.sentences):
        return None
    rest = _only(pool, keep)
    choices = reader.choose(rest)
    return (rest, choices) if choices else None


def is_right(record: dict[str, Any], text: str) -> bool:
    said = _bare(text)
    if record.get("all_of"):
        return all(any(_bare(a) in said for a in group) for group in record["all_of"])
    return any(_bare(a) in said for a in record["answers"])


def _bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def fit(x: NDArray[np.float32], y: NDArray[np.bool_], w: NDArray[np.float64]) -> lgb.Booster:
    signs = [1 if f in RISING else -1 if f in FALLING else 0 for f in confidence.FEATURES]
    data = lgb.Dataset(x, y.astype(int), weight=w, feature_name=list(confidence.FEATURES))
    return lgb.train(SETTINGS | {"monotone_constraints": signs}, data, num_boost_round=ROUNDS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("index", type=Path)
    parser.add_argument("questions", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()
    held_x, held_y = held_rows(args.data)
    own = own_rows(args.index, args.questions)
    weight = np.where(own.robbed, ROBBED_WEIGHT, OWN_WEIGHT)
    fold = np.cumsum(~own.robbed) * 7 % FOLDS  # a robbed question goes with its whole one; neighbours are spread

    def trees_on(train: NDArray[np.bool_]) -> lgb.Booster:
        return fit(
            np.concatenate([held_x, own.features[train]]),
            np.concatenate([held_y, own.right[train]]),
            np.concatenate([np.ones(len(held_x)), weight[train]]),
        )

    raw = np.zeros(len(fold))
    for k in range(FOLDS):
        raw[fold == k] = trees_on(fold != k).predict(own.features[fold == k], raw_score=True)
    odds = np.zeros(len(fold))
    sure = np.zeros(len(fold))
    whole = ~own.robbed
    for k in range(FOLDS):
        train = fold != k
        odds[~train] = confidence.combine(
            raw[~train].astype(np.float32), own.signals[~train], _weights(raw, own, train).astype(np.float32)
        )
    for k in range(FOLDS):
        train = (fold != k) & whole
        sure[fold == k] = _curve(odds[train], own.right[train]).predict(odds[fold == k])
    _say(own.right[whole], own.answerable[whole], odds[whole], sure[whole])
    weights = _weights(raw, own, np.ones(len(fold), dtype=bool))
    curve = _curve(odds[whole], own.right[whole])
    final = trees_on(np.ones(len(fold), dtype=bool))
    trees.save(args.out / "confidence.safetensors", final)
    save_file(
        {
            "weights": weights.astype(np.float32),
            "x": curve.X_thresholds_.astype(np.float32),
            "y": curve.y_thresholds_.astype(np.float32),
        },
        args.out / "curve.safetensors",
    )
    for name, value in zip(("trees", *confidence.SIGNALS, "constant"), weights, strict=True):
        sys.stderr.write(f"  {name} {value:.2f}\n")
    order = sorted(zip(confidence.FEATURES, final.feature_importance("gain"), strict=True), key=lambda p: -p[1])
    sys.stderr.write("  " + ", ".join(f"{feature} {gain:.0f}" for feature, gain in order) + "\n")
    return 0


def _weights(raw: NDArray[np.float64], own: Rows, train: NDArray[np.bool_]) -> NDArray[np.float64]:
    x = np.column_stack([raw, own.signals])
    weight = np.where(own.robbed, ROBBED_WEIGHT / OWN_WEIGHT, 1.0)
    model = LogisticRegression(C=0.5, max_iter=1000).fit(x[train], own.right[train], sample_weight=weight[train])
    found: NDArray[np.float64] = np.concatenate([model.coef_[0], model.intercept_])
    found[1:-2] = np.minimum(found[1:-2], 0.0)  # a signal speaks against; the last one only tells kinds apart
    return found


def _curve(raw: NDArray[np.float64], right: NDArray[np.bool_]) -> IsotonicRegression:
    """Observed share of right answers by score; a few pseudo-observations keep both ends from 0 and 1."""
    spread = np.array([raw.min() - 1, raw.max() + 1])
    return IsotonicRegression(y_min=0.01, y_max=0.97, out_of_bounds="clip").fit(
        np.concatenate([raw, spread]), np.concatenate([right, [False, True]])
    )


def _say(
    right: NDArray[np.bool_], answerable: NDArray[np.bool_], raw: NDArray[np.float64], sure: NDArray[np.float64]
) -> None:
    say = sys.stderr.write
    say(f"{len(right)} questions: right {right.mean():.3f}, AUC {roc_auc_score(right, raw):.3f}, ")
    say(f"answerable against not {roc_auc_score(answerable, raw):.3f}\n")
    for t in (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5):
        shown = sure >= t
        say(
            f"  threshold {t:.2f}: refused {(~shown)[~answerable].mean():.3f} false refusals {(~shown)[answerable].mean():.3f} "
        )
        say(f"right of answerable {(right & shown)[answerable].mean():.3f}, of shown {right[shown].mean():.3f}\n")
    edges = np.linspace(0, 1, 11)
    bins = np.clip(np.digitize(sure, edges) - 1, 0, 9)
    ece = sum(abs(sure[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in set(bins))
    say(f"  expected calibration error {ece:.3f}\n")


if __name__ == "__main__":
    raise SystemExit(main())
