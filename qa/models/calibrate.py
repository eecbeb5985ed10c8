"""Fit how sure an answer is: ``python -m qa.models.calibrate DATA_FOLDER INDEX QUESTIONS.jsonl...``.

DATA_FOLDER is that of train.py: the questions it kept from the scorers are answered as they are, without the sentence
that answers, and without its passage. QUESTIONS are development questions over the gazettes in INDEX, answerable and not. Writes
confidence.safetensors beside this file; figures by cross-validation go to stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from index.store import open_index
from qa import articles, confidence
from qa.evidence import Choice, Reading
from qa.features import Pool
from qa.models.train import examples
from qa.question import analyse
from qa.read import Reader, default_reader
from qa.retrieve import retrieve

HERE = Path(__file__).parent
OWN_WEIGHT = 6.0  # a development question on a gazette against a held-out one from elsewhere
ROBBED_WEIGHT = 2.0
HELD = 200  # questions of each file
FOLDS = 10


@dataclass(frozen=True)
class Rows:
    """Answers to questions: features, what speaks against, whether each is right, whether the question has an answer."""

    features: NDArray[np.float32]
    against: NDArray[np.float32]
    right: NDArray[np.bool_]
    answerable: NDArray[np.bool_]
    robbed: NDArray[np.bool_]  # an answerable question whose answer was hidden


def held_rows(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Features of the answers to held-out questions, whole and robbed twice, and whether each is right."""
    reader = default_reader()
    rows: list[NDArray[np.float32]] = []
    right: list[bool] = []
    for e in examples(folder, (), limit=0, held=HELD):
        mine = {e.pool.sentences[i].document_id for i in map(int, np.flatnonzero(e.truth > 0))}
        for missing in ("nothing", "sentence", "passage"):
            keep = [
                i
                for i, s in enumerate(e.pool.sentences)
                if missing == "nothing" or not (e.truth[i] > 0 if missing == "sentence" else s.document_id in mine)
            ]
            pool = _only(e.pool, keep)
            choices = reader.choose(pool) if keep else []
            if choices:
                rows.append(confidence.features(choices))
                right.append(missing == "nothing" and bool(e.truth[keep[choices[0].index]] > 0.5))
    return np.concatenate(rows), np.array(right)


def _only(pool: Pool, keep: list[int]) -> Pool:
    return replace(
        pool, sentences=[pool.sentences[i] for i in keep], passage_scores=[pool.passage_scores[i] for i in keep]
    )


def own_rows(folder: Path, files: list[Path]) -> Rows:
    """The development questions over the index, and the answerable ones once more, robbed of their answer."""
    rows: list[tuple[NDArray[np.float32], float, bool, bool, bool]] = []
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
                speaks = confidence.against(pool, choices, text, reading)
                rows.append((confidence.features(choices), speaks, good, record["answerable"], False))
                if record["answerable"] and (rest := _robbed(reader, pool, record)):
                    speaks = confidence.against(*rest, text, Reading("answered", rest[1][0].text))
                    rows.append((confidence.features(rest[1]), speaks, False, False, True))
    columns = list(zip(*rows, strict=True))
    return Rows(
        np.concatenate(columns[0]),
        np.array(columns[1], dtype=np.float32),
        *(np.array(c, dtype=bool) for c in columns[2:]),
    )


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    parser.add_argument("index", type=Path)
    parser.add_argument("questions", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=HERE)
    args = parser.parse_args()
    held_x, held_y = held_rows(args.data)
    own = own_rows(args.index, args.questions)
    fold = np.cumsum(~own.robbed) * 7 % FOLDS  # a robbed question goes with its whole one; neighbours are spread
    whole = ~own.robbed
    odds = np.zeros(len(fold), dtype=np.float32)
    for k in range(FOLDS):
        weights = _weights(held_x, held_y, own, fold != k)
        odds[fold == k] = confidence.score(own.features[fold == k], weights) - own.against[fold == k]
    sure = np.zeros(len(fold))
    for k in range(FOLDS):
        slope, constant = _curve(odds[(fold != k) & whole], own.right[(fold != k) & whole])
        sure[fold == k] = 1 / (1 + np.exp(-(slope * odds[fold == k] + constant)))
    _say(own.right[whole], own.answerable[whole], odds[whole].astype(np.float64), sure[whole])
    weights = _weights(held_x, held_y, own, np.ones(len(fold), dtype=bool))
    curve = _curve(odds[whole], own.right[whole])
    save_file({"weights": weights, "curve": np.array(curve, dtype=np.float32)}, args.out / "confidence.safetensors")
    for name, value in zip((*confidence.FEATURES, "constant"), weights, strict=True):
        sys.stderr.write(f"  {name} {value:.2f}\n")
    return 0


def _weights(
    held_x: NDArray[np.float32], held_y: NDArray[np.bool_], own: Rows, train: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Of each feature and the constant. What speaks against is no feature here: its weights are not learned."""
    x = np.concatenate([held_x, own.features[train]])
    y = np.concatenate([held_y, own.right[train]])
    weight = np.concatenate([np.ones(len(held_x)), np.where(own.robbed[train], ROBBED_WEIGHT, OWN_WEIGHT)])
    scale = x.std(axis=0)
    model = LogisticRegression(C=0.1, max_iter=1000).fit(x / scale, y, sample_weight=weight / weight.mean())
    found: NDArray[np.float32] = np.concatenate([model.coef_[0] / scale, model.intercept_]).astype(np.float32)
    return found


def _curve(odds: NDArray[np.float32], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and constant of the logistic curve through the observed shares (Platt, 1999)."""
    model = LogisticRegression(C=1.0, max_iter=1000).fit(odds[:, None], right)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


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
