"""Fit how sure an answer is: ``python -m qa.models.calibrate TEXTS=QUESTIONS.jsonl[.gz]... [--apart TEXTS=QUESTIONS...]``.

TEXTS is a folder of texts, and each question is asked of an index of the text that it names (``within`` in the question
format of eval/questions, ``document`` in that of qa/models/data), of one over all of them if it names none; or TEXTS is
the folder of an index, with development questions over it, which count double. About half of the questions have no answer
there. Writes confidence.safetensors beside this file. Figures go to stderr: by cross-validation, a text or a tenth of
the development questions left out at a time, and with the weights written for the questions ``--apart``, which nothing
was fitted on.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from index.building import build
from index.store import Index, open_index
from qa import articles, confidence
from qa.evidence import Reading
from qa.question import analyse
from qa.read import Reader, default_reader
from qa.retrieve import retrieve

HERE = Path(__file__).parent
OWN_WEIGHT = 4.0  # a development question over a whole gazette, or twenty laws, against one on a single text
UNANSWERABLE = 0.3  # unanswerable questions beside an answerable one that readers are taken to ask
STRENGTH = 0.1  # inverse of the penalty on large weights
FOLDS = 10  # of the development questions


@dataclass(frozen=True)
class Rows:
    """Answers to questions: their signals, whether each is right, whether there is one, and what it is left out with."""

    signals: NDArray[np.float32]
    right: NDArray[np.bool_]
    answerable: NDArray[np.bool_]
    fold: NDArray[np.str_]
    weight: NDArray[np.float32]


Row = tuple[NDArray[np.float32], bool, bool, str, float]


def read_lines(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    return [json.loads(line) for line in text.splitlines() if line]


def considered(index: Index, reader: Reader, record: dict[str, Any]) -> tuple[NDArray[np.float32], bool] | None:
    """The signals of what would be answered and whether it is right; None where nothing would be read at all."""
    question = analyse(record["question"])
    if question.is_chatter or question.article_text:
        return None
    hits = retrieve(index, question.search or record["question"], 10)
    place = articles.resolve(index, question, hits)
    if isinstance(place, Reading):
        return None
    made = reader.consider(index, question, hits, place)
    if made is None or not made[2].proofs:
        return None
    pool, choices, reading = made
    text = reader.source_text(index, choices[0].sentence.source_id)
    good = record["answerable"] and is_right(record, reading.answer + " " + reading.sentence)
    return confidence.signals(pool, choices, text, reading), good


def rows_of(texts: Path, questions: Path) -> Iterator[Row]:
    """The questions over an index, or each over an index of the text it names, or of all texts if it names none."""
    if (texts / "CURRENT").exists():
        yield from _rows_of_index(texts, questions)
        return
    by_text: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in read_lines(questions):
        by_text[_text_named(record)].append(record)
    places = {path.name: path for path in sorted(texts.rglob("*.md"))}
    reader = default_reader()
    for name, records in by_text.items():
        with TemporaryDirectory() as folder:
            build([places[name]] if name else list(places.values()), Path(folder) / "index")
            with open_index(Path(folder) / "index") as index:
                for record in records:
                    if found := considered(index, reader, record):
                        yield (*found, record["answerable"], name or "several texts", 1.0)


def _text_named(record: dict[str, Any]) -> str:
    """The file that a question is asked of; "" where it is asked of all texts.

    A ``document`` is a file's name in qa/models/data and a title in eval/questions.
    """
    document: str = record.get("document", "")
    return str(record.get("within") or (document if document.endswith(".md") else ""))


def _rows_of_index(folder: Path, questions: Path) -> Iterator[Row]:
    reader = default_reader()
    n = 0
    with open_index(folder) as index:
        for record in (r for r in read_lines(questions) if "turns" not in r):
            n += 7  # neighbours are spread
            if found := considered(index, reader, record):
                yield (*found, record["answerable"], f"own {n % FOLDS}", OWN_WEIGHT)


def gathered(sets: Sequence[str]) -> Rows:
    """The rows of all sets, each TEXTS=QUESTIONS."""
    pairs = [s.split("=", 1) for s in sets]
    made = [row for texts, questions in pairs for row in rows_of(Path(texts), Path(questions))]
    signals, right, answerable, fold, weight = zip(*made, strict=True)
    return Rows(
        np.stack(signals), np.array(right), np.array(answerable), np.array(fold), np.array(weight, dtype=np.float32)
    )


def is_right(record: dict[str, Any], text: str) -> bool:
    said = _bare(text)
    if record.get("all_of"):
        return all(any(_bare(a) in said for a in group) for group in record["all_of"])
    return any(_bare(a) in said for a in record["answers"])


def _bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).lower().split())


def fitted(rows: Rows, train: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The weight of each signal, and the constant, of a logistic regression."""
    scale = StandardScaler().fit(rows.signals[train])
    model = LogisticRegression(C=STRENGTH, max_iter=3000)
    model.fit(scale.transform(rows.signals[train]), rows.right[train], sample_weight=rows.weight[train])
    weights = model.coef_[0] / scale.scale_
    found: NDArray[np.float32] = np.append(weights, model.intercept_ - weights @ scale.mean_).astype(np.float32)
    return found


def curve(odds: NDArray[np.float64], right: NDArray[np.bool_], weight: NDArray[np.float32]) -> tuple[float, float]:
    """Slope and constant of the logistic curve through the observed shares (Platt, 1999)."""
    model = LogisticRegression(C=1.0, max_iter=1000).fit(odds[:, None], right, sample_weight=weight)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sets", nargs="+", metavar="TEXTS=QUESTIONS")
    parser.add_argument("--apart", nargs="*", default=[], metavar="TEXTS=QUESTIONS")
    parser.add_argument("--out", type=Path, default=HERE / "confidence.safetensors")
    args = parser.parse_args()
    rows = gathered(args.sets)
    odds = np.zeros(len(rows.right))
    for name in sorted(set(rows.fold)):
        mine = rows.fold == name
        odds[mine] = confidence.score(rows.signals[mine], fitted(rows, ~mine))
    usual = np.where(
        rows.answerable, rows.weight, rows.weight * UNANSWERABLE * rows.answerable.sum() / (~rows.answerable).sum()
    )
    slope, constant = curve(odds, rows.right, usual.astype(np.float32))
    own = np.char.startswith(rows.fold, "own")
    for name, part in (("other texts", ~own), ("development", own)):
        sure = 1 / (1 + np.exp(-(slope * odds[part] + constant)))
        _say(name, rows.right[part], rows.answerable[part], sure)
    weights = fitted(rows, np.ones(len(rows.right), dtype=bool))
    for name in args.apart:
        left = gathered([name])
        sure = 1 / (1 + np.exp(-(slope * confidence.score(left.signals, weights) + constant)))
        _say(name.rpartition("/")[2], left.right, left.answerable, sure)
    save_file({"weights": weights, "curve": np.array([slope, constant], dtype=np.float32)}, args.out)
    spread = np.append(rows.signals.std(axis=0), 1.0)
    for k in np.argsort(-np.abs(weights * spread)):
        name = (*confidence.SIGNALS, "constant")[k]
        sys.stderr.write(f"  {name:14s} {weights[k]:7.2f}, of one spread {weights[k] * spread[k]:6.2f}\n")
    return 0


def _say(name: str, right: NDArray[np.bool_], answerable: NDArray[np.bool_], sure: NDArray[np.float64]) -> None:
    say = sys.stderr.write
    say(f"{name}: {len(right)} questions, right {right.mean():.3f}, AUC {roc_auc_score(right, sure):.3f}, ")
    say(f"answerable against not {roc_auc_score(answerable, sure):.3f}\n")
    for t in (0.3, 0.35, 0.4, confidence.THRESHOLD, 0.45, 0.5, 0.55):
        shown = sure >= t
        say(
            f"  threshold {t:.3f}: refused {(~shown)[~answerable].mean():.3f} false refusals {(~shown)[answerable].mean():.3f} "
        )
        say(f"right of answerable {(right & shown)[answerable].mean():.3f}, of shown {right[shown].mean():.3f}\n")
    bins = np.minimum((sure * 10).astype(int), 9)
    ece = sum(abs(sure[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in set(bins))
    say(f"  expected calibration error {ece:.3f}\n")


if __name__ == "__main__":
    raise SystemExit(main())
