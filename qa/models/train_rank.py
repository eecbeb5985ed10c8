"""Fit the ranker: ``python -m qa.models.train_rank TEXTS=QUESTIONS.jsonl[.gz]...`` writes rank.safetensors beside it.

TEXTS is the folder of an index, or a folder of texts: then each question is asked of an index of the text that its
``document`` names, and of one with the texts beside it, as a gazette holds several documents. Each line of a question
file has ``question`` or ``query``, and ``evidence`` (a passage with one of these quotes answers) or ``positive`` (a
passage that is part of it, or holds it, answers). Leave out questions that the word vectors were trained on: what they
match there is memory. Figures are by five-fold cross-validation over passages; they go to stderr.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from index.building import build
from index.store import open_index
from qa import trees
from qa.rank import FEATURES, MODEL, Floats, features
from qa.retrieve import DEFAULT, best_of, find_candidates
from qa.vocabulary import shipped_vocabulary

FOLDS = 5
SEED = 7
PARAMETERS = {
    "objective": "lambdarank",
    "lambdarank_truncation_level": 10,
    "learning_rate": 0.05,
    "num_leaves": 7,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "seed": SEED,
    "deterministic": True,
    "num_threads": 1,
    "verbose": -1,
}
ROUNDS = 150  # with 250 the sample gazette lost at the first place what other texts won
SHELF = 12  # texts of one index


@dataclass(frozen=True)
class Group:
    """The candidates of one question in the order of the fused score, and which of them answer."""

    name: str  # of the set
    style: str
    fold: int
    rows: Floats
    labels: npt.NDArray[np.int32]


def _lines(path: Path) -> Iterator[dict[str, object]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record.get("answerable", True) and ("query" in record or "question" in record):
                yield record


def _bare(text: object) -> str:
    return "".join(str(text).split())


def _answers(record: dict[str, object], text: str) -> bool:
    text = _bare(text)
    if isinstance(evidence := record.get("evidence"), list):
        return any(_bare(quote) in text for quote in evidence)
    if "positive" in record:
        positive = _bare(record["positive"])
        return positive in text or (len(text) > 20 and text in positive and _bare(record.get("answer", "")) in text)
    return False


def collect_texts(texts: Path, questions: Path) -> list[Group]:
    """The groups of questions over texts, each alone and ``SHELF`` together."""
    by_text: dict[str, list[dict[str, object]]] = defaultdict(list)
    for record in _lines(questions):
        by_text[str(record["document"])].append(record)
    places = {path.name: path for path in texts.rglob("*.md")}
    names = sorted(by_text)
    groups = []
    for size in (1, SHELF):
        for start in range(0, len(names), size):
            shelf = names[start : start + size]
            with TemporaryDirectory() as folder:
                build([places[name] for name in shelf], Path(folder) / "index")
                records = [record for name in shelf for record in by_text[name]]
                groups += collect(Path(folder) / "index", records, f"{questions.name}, {size} a shelf")
    return groups


def collect(index_folder: Path, records: Iterable[dict[str, object]], name: str) -> list[Group]:
    """The groups of one set; questions whose passage is not among the candidates teach nothing and are left out."""
    groups = []
    with open_index(index_folder) as index:
        for record in records:
            question = str(record.get("question") or record["query"])
            words = shipped_vocabulary().expand(question)
            found = find_candidates(index, question, DEFAULT.pool, words=words)
            top = np.argsort(-found.fused, kind="stable")[: DEFAULT.ranked]
            chosen = best_of(found, top)
            labels = np.array([_answers(record, passage.text) for passage in chosen.passages], dtype=np.int32)
            key = _bare(record.get("document") or record.get("positive") or record["evidence"])
            fold = int(hashlib.sha256(key.encode()).hexdigest(), 16) % FOLDS
            groups.append(Group(name, str(record.get("style", "")), fold, features(chosen), labels))
    return groups


def fit(groups: Sequence[Group]) -> lgb.Booster:
    """Trees over the groups; every set weighs the same in all."""
    usable = [g for g in groups if 0 < g.labels.sum() < len(g.labels)]
    sizes = {name: sum(g.name == name for g in usable) for name in {g.name for g in usable}}
    weights = np.concatenate([np.full(len(g.labels), 1 / sizes[g.name] ** 0.5) for g in usable])
    data = lgb.Dataset(
        np.concatenate([g.rows for g in usable]),
        np.concatenate([g.labels for g in usable]),
        group=[len(g.labels) for g in usable],
        weight=weights / weights.mean(),
        feature_name=list(FEATURES),
    )
    return lgb.train(PARAMETERS, data, ROUNDS)


def ranks(groups: Sequence[Group], scores: Sequence[Floats]) -> npt.NDArray[np.int64]:
    """The rank of the first answering candidate, 99 where there is none."""
    out = []
    for group, score in zip(groups, scores, strict=True):
        ordered = group.labels[np.argsort(-score, kind="stable")]
        out.append(int(np.argmax(ordered)) + 1 if ordered.any() else 99)
    return np.array(out)


def cross_validate(groups: Sequence[Group]) -> None:
    """Say what the ranker does for questions it was not fitted on, set by set."""
    scores: list[Floats] = [np.zeros(0, dtype=np.float32)] * len(groups)
    for fold in range(FOLDS):
        booster = fit([g for g in groups if g.fold != fold])
        for i, group in enumerate(groups):
            if group.fold == fold:
                scores[i] = np.asarray(booster.predict(group.rows), dtype=np.float32)
    before = ranks(groups, [-np.arange(len(g.labels), dtype=np.float32) for g in groups])
    after = ranks(groups, scores)
    for name, style in sorted({(g.name, s) for g in groups for s in ("", g.style)}):
        here = np.array([g.name == name and style in {"", g.style} for g in groups])
        _say(f"{name} {style or 'all'}: {here.sum()} questions")
        for label, found in (("fused", before[here]), ("ranked", after[here])):
            shares = "  ".join(f"@{k} {np.mean(found <= k):.3f}" for k in (1, 3, 5, 10))
            _say(f"    {label:7s}{shares}")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "sets", nargs="+", metavar="TEXTS=QUESTIONS", help="an index folder, or one of texts, and questions over it"
    )
    parser.add_argument("--out", type=Path, default=MODEL)
    arguments = parser.parse_args()
    groups = []
    for pair in arguments.sets:
        folder, _, questions = pair.partition("=")
        if (Path(folder) / "CURRENT").exists():
            groups += collect(Path(folder), _lines(Path(questions)), questions)
        else:
            groups += collect_texts(Path(folder), Path(questions))
        _say(f"{pair}: {len(groups)} questions so far")
    cross_validate(groups)
    booster = fit(groups)
    trees.save(arguments.out, booster)
    gains = booster.feature_importance("gain")
    for i in np.argsort(-gains):
        _say(f"{FEATURES[i]:18s} {gains[i] / gains.sum():.3f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
