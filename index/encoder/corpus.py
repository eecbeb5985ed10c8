"""What the shipped encoder learns from: public texts, and pairs of a question and the passage that answers it."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OWN = Path(__file__).parent / "data"  # questions written for this project, shipped beside the script


@dataclass(frozen=True, slots=True)
class Pairs:
    """Questions and the passages that answer them, row by row; ``share`` is how often one is drawn against another."""

    name: str
    share: float
    questions: tuple[str, ...]
    passages: tuple[str, ...]


def is_held_out(passage: str) -> bool:
    """True for the fifth of the passages whose everyday questions are kept for measuring."""
    return int(hashlib.sha256(passage.encode()).hexdigest(), 16) % 5 == 0


def documents(data: Path) -> Iterator[str]:
    """The statutes and reports in the archives, by name, then every paragraph that questions were asked about."""
    for archive in ("laws.tar.xz", "gov_reports.tar.xz"):
        with tarfile.open(data / archive) as members:
            named = {member.name: member for member in members if member.isfile()}
            for name in sorted(named):
                if (file := members.extractfile(named[name])) is not None:
                    yield file.read().decode("utf-8", errors="replace")
    for name in ("cmrc2018_train", "drcd_dev_s"):
        yield from dict.fromkeys(str(row["positive"]) for row in rows(data / f"{name}.jsonl.gz"))


def everyday(data: Path) -> list[dict[str, Any]]:
    """The everyday questions: those given with the data and those of our own."""
    found = list(rows(data / "lay_questions.jsonl.gz"))
    for path in sorted(OWN.glob("*.jsonl.gz")):
        found += rows(path)
    return found


def pairs(data: Path) -> list[Pairs]:
    """All training pairs by kind, held-out passages left out.

    Everyday questions are few, so they are drawn often: bare, and with the title before the passage as in an index.
    """
    lay = [row for row in everyday(data) if not is_held_out(row["positive"])]
    words = [line.split("\t")[:2] for line in (data / "lay_official.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    kinds = [
        _pairs("everyday", 4.0, [(row["query"], row["positive"]) for row in lay]),
        _pairs("everyday, titled", 2.5, [(row["query"], f"{row['title']} {row['positive']}") for row in lay]),
        _pairs("words", 1.0, [(pair[0], pair[1]) for pair in words]),
    ]
    for name, share in (
        ("laws_template_qa", 0.7),
        ("laws_heading_article", 0.2),
        ("cmrc2018_train", 2.0),
        ("drcd_dev_s", 2.0),
    ):
        kinds.append(_pairs(name, share, [(r["query"], r["positive"]) for r in rows(data / f"{name}.jsonl.gz")]))
    return kinds


def sentences_and_rest(data: Path, seed: int) -> Pairs:
    """Up to two sentences of each passage, each paired with the passage that it was taken out of."""
    names = ("laws_heading_article", "gov_report_heading_body", "cmrc2018_train", "drcd_dev_s")
    passages = dict.fromkeys(str(r["positive"]) for name in names for r in rows(data / f"{name}.jsonl.gz"))
    draw = random.Random(seed)  # noqa: S311 - not a secret
    found = []
    for passage in passages:
        cut = [s for s in re.split(r"(?<=[。；！？\n])", passage) if len(s) > 8]
        if len(cut) > 1:
            found += [(sentence, passage.replace(sentence, "", 1)) for sentence in draw.sample(cut, 2)]
    return _pairs("sentences", 1.0, found)


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The records of a gzipped JSON Lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _pairs(name: str, share: float, found: Sequence[tuple[str, str]]) -> Pairs:
    return Pairs(name, share, tuple(q for q, _ in found), tuple(p for _, p in found))
