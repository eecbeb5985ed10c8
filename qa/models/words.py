"""Count the word table that questions and sentences are cut with: ``python qa/models/words.py TEXT... --out words.tsv.gz``.

A line of the table is a word, the share of text pieces it stands in, as -log (rare words weigh more), and how much it is
a word of printed text against everyday questions, 0 to 1: 适龄儿童 is one, 娃 is not. Words come from jieba's dictionary (needed here only, never to answer); law text is thinned, so that reports and
everyday prose count as much.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PIECE = 160  # characters: about a passage's worth of neighbours
LAW_SHARE = 0.3  # laws are ten times the other text
HAN_WORD = re.compile(r"[\u4e00-\u9fff]{1,7}")


def pieces(paths: list[Path], seed: int = 0) -> Iterator[tuple[bool, str]]:
    """Stretches of about ``PIECE`` characters of every file, and whether they are printed text; of JSON lines the
    passages are, and the questions of everyday readers (lay_questions) are not.
    """
    draw = random.Random(seed)  # noqa: S311 - a sample, not a secret
    for path in paths:
        for file in sorted(path.rglob("*.md")) if path.is_dir() else [path]:
            if file.name.endswith(".jsonl.gz"):
                with gzip.open(file, "rt", encoding="utf-8") as lines:
                    rows = [json.loads(line) for line in lines]
                texts = list(dict.fromkeys(r["query" if "lay" in file.name else "positive"] for r in rows))
            elif "laws" in file.parts and draw.random() > LAW_SHARE:
                continue
            else:
                texts = file.read_text(encoding="utf-8").splitlines()
            buffer = ""
            for text in texts:
                buffer += text.strip()
                while len(buffer) >= PIECE:
                    yield "lay" not in file.name, buffer[:PIECE]
                    buffer = buffer[PIECE:]
            yield "lay" not in file.name, buffer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--least", type=int, default=4, help="pieces a word must stand in")
    args = parser.parse_args()

    import jieba

    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    totals: Counter[bool] = Counter()
    for printed, piece in pieces(args.paths):
        totals[printed] += 1
        counts[printed].update({w for w in jieba.cut(piece, HMM=False) if HAN_WORD.fullmatch(w)})
    count, total = counts[True] + counts[False], totals.total()
    kept = sorted((w, n) for w, n in count.items() if n >= (args.least if len(w) > 1 else 1))
    with args.out.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as out:
        for word, n in kept:
            share, other = ((counts[k][word] + 0.2) / totals[k] for k in (True, False))
            out.write(f"{word}\t{math.log(total / n):.2f}\t{share / (share + other):.2f}\n".encode())
    sys.stderr.write(f"{total} pieces, {len(kept)} words\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
