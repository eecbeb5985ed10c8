"""Fit how sure an answer is: ``python qa/models/calibrate.py HOLDOUT.npz INDEX QUESTIONS.jsonl...``.

HOLDOUT.npz comes from train.py: answers to questions kept from the scorers, each with its passage found and with it
missing. QUESTIONS are development questions over the gazettes in INDEX, answerable and not. Writes
confidence.safetensors and curve.safetensors beside this file; figures by cross-validation go to stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import roc_auc_score

from index.store import open_index
from qa import confidence, trees
from qa.question import analyse
from qa.read import default_reader
from qa.retrieve import retrieve

HERE = Path(__file__).parent
OWN_WEIGHT = 12.0  # a development question on a gazette against a held-out one from elsewhere
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
    "dense",
    "figures",
    "quoted",
    "fits",
    "unit",
    "years",
    "in_passage",
    "agree",
}
FALLING = {"missing", "missing_formal", "missing_formal_sum", "missing_place"}


def own_rows(folder: Path, files: list[Path]) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """Features of the answers to the development questions, whether each is right, whether it could be."""
    rows, right, answerable = [], [], []
    reader = default_reader()
    with open_index(folder) as index:
        for file in files:
            for line in file.read_text(encoding="utf-8").splitlines():
                record = json.loads(line)
                if "turns" in record:
                    continue
                question = analyse(record["question"])
                made = reader.consider(index, question, retrieve(index, record["question"], 10))
                if made is None:
                    continue
                pool, choices, reading = made
                rows.append(confidence.features(pool, choices)[0])
                right.append(record["answerable"] and is_right(record, reading.answer + " " + reading.sentence))
                answerable.append(record["answerable"])
    return np.array(rows), np.array(right), np.array(answerable)


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
    parser.add_argument("holdout", type=Path)
    parser.add_argument("index", type=Path)
    parser.add_argument("questions", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()
    held = np.load(args.holdout)
    x, y = held["rows"], held["right"]
    own_x, own_y, answerable = own_rows(args.index, args.questions)
    fold = np.arange(len(own_x)) * 7 % FOLDS  # questions come in the order of the gazette: spread neighbours
    raw = np.zeros(len(own_x))
    weights = np.ones(len(x))
    for k in range(FOLDS):
        train = fold != k
        model = fit(
            np.concatenate([x, own_x[train]]),
            np.concatenate([y, own_y[train]]),
            np.concatenate([weights, np.full(train.sum(), OWN_WEIGHT)]),
        )
        raw[~train] = model.predict(own_x[~train], raw_score=True)
    sure = np.zeros(len(own_x))
    for k in range(FOLDS):
        train = fold != k
        sure[~train] = _curve(raw[train], own_y[train]).predict(raw[~train])
    _say(own_y, answerable, raw, sure)
    final = fit(
        np.concatenate([x, own_x]),
        np.concatenate([y, own_y]),
        np.concatenate([weights, np.full(len(own_x), OWN_WEIGHT)]),
    )
    trees.save(args.out / "confidence.safetensors", final)
    curve = _curve(raw, own_y)
    save_file(
        {"x": curve.X_thresholds_.astype(np.float32), "y": curve.y_thresholds_.astype(np.float32)},
        args.out / "curve.safetensors",
    )
    for feature, gain in sorted(
        zip(confidence.FEATURES, final.feature_importance("gain"), strict=True), key=lambda p: -p[1]
    ):
        sys.stderr.write(f"  {feature} {gain:.0f}\n")
    return 0


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
