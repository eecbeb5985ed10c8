"""Count the word table that questions and sentences are cut with: ``python qa/models/words.py TEXT... --out words.tsv.gz``.

A line of the table is a word and the share of text pieces it stands in, as -log: rare words weigh more. Words come
from jieba's dictionary (needed here only, never to answer); law text is thinned, so that reports and everyday
prose count as much.
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


def pieces(paths: list[Path], seed: int = 0) -> Iterator[str]:
    """Stretches of about ``PIECE`` characters of every file: Markdown as text, JSON lines by their passage."""
    draw = random.Random(seed)  # noqa: S311 - a sample, not a secret
    for path in paths:
        for file in sorted(path.rglob("*.md")) if path.is_dir() else [path]:
            if file.name.endswith(".jsonl.gz"):
                with gzip.open(file, "rt", encoding="utf-8") as lines:
                    texts = list(dict.fromkeys(json.loads(line)["positive"] for line in lines))
            elif "laws" in file.parts and draw.random() > LAW_SHARE:
                continue
            else:
                texts = file.read_text(encoding="utf-8").splitlines()
            buffer = ""
            for text in texts:
                buffer += text.strip()
                while len(buffer) >= PIECE:
                    yield buffer[:PIECE]
                    buffer = buffer[PIECE:]
            yield buffer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--least", type=int, default=4, help="pieces a word must stand in")
    args = parser.parse_args()

    import jieba

    count: Counter[str] = Counter()
    total = 0
    for piece in pieces(args.paths):
        total += 1
        count.update({w for w in jieba.cut(piece, HMM=False) if HAN_WORD.fullmatch(w)})
    kept = sorted((w, n) for w, n in count.items() if n >= (args.least if len(w) > 1 else 1))
    with args.out.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as out:
        out.writelines(f"{word}\t{math.log(total / n):.2f}\n".encode() for word, n in kept)
    sys.stderr.write(f"{total} pieces, {len(kept)} words\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
