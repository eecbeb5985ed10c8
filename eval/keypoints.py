"""Ways of choosing 要点, compared on key points written by hand: ``python -m eval.keypoints``.

ROUGE is Google's rouge-score (Lin 2004) over single characters, numbers whole: words would measure the cutter too.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from index.text import fold
from qa.keypoints import POINTS, Point, centrality, pick, points_of, telling
from qa.words import rarity

if TYPE_CHECKING:
    from index.embed import Vectors
    from index.records import Document

GOLD = Path(__file__).with_name("gold") / "keypoints.jsonl"
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[a-z]+|[\u3400-\u9fff%]")

Chooser = Callable[[Sequence[Point], "Document", "Vectors"], Sequence[int]]


@dataclass(frozen=True, slots=True)
class Gold:
    """What a reader wrote down of a document, without having seen what any method chose."""

    part: str  # dev: weights were set on it; test: looked at once
    document: str  # title
    gist: str  # 一句话
    points: tuple[str, ...]
    figures: tuple[str, ...]  # those a summary should hold


@dataclass(frozen=True, slots=True)
class Score:
    """One method's points of one document against the gold: F1 of ROUGE, the share of figures held, the length."""

    rouge1: float
    rouge2: float
    rouge_l: float
    figures: float
    characters: float


def read_gold(path: Path = GOLD) -> list[Gold]:
    """The documents with their key points, in order."""
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line)
    return [Gold(**{**row, "points": tuple(row["points"]), "figures": tuple(row["figures"])}) for row in rows]


def tokens(text: str) -> list[str]:
    """Han characters and % one by one, numbers and Latin words whole; punctuation counts for nothing."""
    return _TOKEN.findall(fold(text))


def figures_held(text: str, figures: Sequence[str]) -> float:
    """The share of the figures, each with its unit, that stand in the text; 1 of none.

    206所 does not stand in 1206所.
    """
    held = [re.search(rf"(?<![\d.]){re.escape(fold(figure))}", fold(text)) for figure in figures]
    return fmean(map(bool, held)) if held else 1.0


def score(chosen: str, gold: Gold) -> Score:
    """One document's points, joined, against the gold's."""
    found = _scorer().score("".join(gold.points), chosen)
    one, two, longest = (float(found[name].fmeasure) for name in ("rouge1", "rouge2", "rougeL"))
    return Score(one, two, longest, figures_held(chosen, gold.figures), len(chosen))


def first(points: Sequence[Point], document: Document, vectors: Vectors) -> list[int]:
    """The baseline: the first points."""
    return list(range(min(POINTS, len(points))))


def central(points: Sequence[Point], document: Document, vectors: Vectors) -> list[int]:
    """Those nearest to the rest (LexRank over the shipped encoder), less what is alike."""
    return pick(points, centrality(vectors), vectors)


def covering(points: Sequence[Point], document: Document, vectors: Vectors) -> list[int]:
    """Those whose words are the document's most frequent rare ones, each word counted once.

    Source: Lin & Bilmes, a class of submodular functions for document summarization, ACL 2011.
    """
    counts: dict[str, int] = {}
    for point in points:
        for word in point.words:
            counts[word] = counts.get(word, 0) + 1
    weights = {word: n**0.5 * min(rarity(word), 8.0) for word, n in counts.items() if n > 1}
    chosen: list[int] = []
    covered: set[str] = set()
    while len(chosen) < min(POINTS, len(points)):
        gains = [
            -np.inf if i in chosen else fsum(weights.get(w, 0.0) for w in p.words - covered) / len(p.text) ** 0.3
            for i, p in enumerate(points)
        ]
        chosen.append(int(np.argmax(gains)))
        covered |= points[chosen[-1]].words
    return chosen


def placed(points: Sequence[Point], document: Document, vectors: Vectors) -> list[int]:
    """Place, figures and rules alone: what ships, without centrality."""
    return pick(points, telling(points, document.kind, vectors) - centrality(vectors), vectors)


def shipped(points: Sequence[Point], document: Document, vectors: Vectors) -> list[int]:
    """``qa.keypoints.telling``."""
    return pick(points, telling(points, document.kind, vectors), vectors)


METHODS: Mapping[str, Chooser] = {
    "first": first, "centrality": central, "coverage": covering, "place and figures": placed, "shipped": shipped,
}  # fmt: skip


def compare(texts: Mapping[str, tuple[Document, str]], golds: Sequence[Gold]) -> dict[str, list[Score]]:
    """Each method's scores, one a gold document; ``texts`` are documents with their source's text, by folded title."""
    from index.embed import load_encoder

    encoder = load_encoder(None)
    out: dict[str, list[Score]] = {name: [] for name in METHODS}
    for gold in golds:
        document, text = texts[fold(gold.document)]
        points = points_of(document, text)
        vectors = encoder.encode_document([point.text for point in points])
        for name, choose in METHODS.items():
            chosen = sorted(choose(points, document, vectors))
            out[name].append(score("".join(points[i].text for i in chosen), gold))
    return out


def table(scores: Mapping[str, Sequence[Score]]) -> str:
    """Means over documents, one line a method, as Markdown."""
    lines = ["| method | ROUGE-1 | ROUGE-2 | ROUGE-L | figures held | characters |", "|---|---|---|---|---|---|"]
    for name, rows in scores.items():
        means = [fmean(getattr(row, field) for row in rows) for field in Score.__dataclass_fields__]
        lines.append(f"| {name} | " + " | ".join(f"{value:.3f}" for value in means[:-1]) + f" | {means[-1]:.0f} |")
    return "\n".join(lines)


def _scorer() -> Any:
    from rouge_score import rouge_scorer, tokenizers

    class Characters(tokenizers.Tokenizer):  # type: ignore[misc]  # the library has no types
        def tokenize(self, text: str) -> list[str]:
            return tokens(text)

    return rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=Characters())


def main() -> int:
    """Print the comparison on both parts."""
    from index.gazette import parse_gazette
    from index.sources import find_sources, read_source

    parser = argparse.ArgumentParser(prog="python -m eval.keypoints", description=__doc__)
    parser.add_argument("--source", type=Path, action="append", help="gazettes the gold is about (default data/)")
    args = parser.parse_args()
    texts: dict[str, tuple[Document, str]] = {}
    for path in find_sources(args.source or [Path("data")]):
        source = read_source(path)
        texts |= {fold(d.title): (d, source.text) for d in parse_gazette(source).documents}
    golds = read_gold()
    for part in ("dev", "test"):
        chosen = [gold for gold in golds if gold.part == part]
        print(f"{part}, {len(chosen)} documents\n\n{table(compare(texts, chosen))}\n")  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
