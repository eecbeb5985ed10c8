"""Word vectors: how well a passage's words match a question's, also where they are other words.

A question word scores its weight times the squared cosine of the nearest word of the passage; cosines under
``FLOOR`` count nothing, the same word counts 1. This is the late interaction of ColBERT (Khattab and Zaharia, SIGIR
2020) with one vector a word instead of one a token in context, so a passage needs no encoding of its own: only to be
cut into words, by the cutter of the shipped encoder. Vectors and weights are trained by ``index/encoder/train.py``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from index.embed import SHIPPED, TOKENIZER, shipped_cutter, shipped_tokenizer

Words: TypeAlias = npt.NDArray[np.uint16]  # numbers of words in the order of the text, END where a sentence ends
Floats: TypeAlias = npt.NDArray[np.float32]

FLOOR = 0.4
END = 0  # the number of the unknown word: it has no vector, so it marks the end of a sentence
_ENDS = "。！？；!?;"
_MARK = np.array([END], dtype=np.uint16)


@dataclass(frozen=True, slots=True)
class Match:
    """How the words of one question are found in n passages: arrays of n shares of the question's weight, 0 to 1.

    ``passage`` is what the whole passage matches, ``sentence`` what its best sentence alone does, ``exact`` what the
    passage matches with the very same words, ``head`` what title and headings match, ``both`` each word at its best.
    """

    passage: Floats
    sentence: Floats
    exact: Floats
    head: Floats
    both: Floats

    def only(self, rows: npt.NDArray[np.intp]) -> Match:
        """The same of some of the passages."""
        return Match(self.passage[rows], self.sentence[rows], self.exact[rows], self.head[rows], self.both[rows])


class WordVectors:
    """The vectors and weights of the shipped words.

    Raises:
        OSError, SafetensorError: if a file is missing or damaged.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        from safetensors.numpy import load_file

        arrays = load_file(folder / "words.safetensors")
        self._rows: npt.NDArray[np.int8] = arrays["vectors"]
        self._scales: Floats = arrays["scales"].astype(np.float32)
        self.weights: Floats = arrays["weights"].astype(np.float32)
        self._neighbours: Words = arrays["neighbours"]
        self._cosines: npt.NDArray[np.float16] = arrays["cosines"]
        self._tokenizer = shipped_tokenizer(folder)
        self._cutter = shipped_cutter(folder)
        self._ends = np.zeros(len(self._rows), dtype=bool)
        for mark in _ENDS:
            if (number := self._tokenizer.token_to_id(mark)) is not None:
                self._ends[number] = True
        self._known = self.weights > 0
        cutting = hashlib.sha256((folder / TOKENIZER).read_bytes() + np.packbits(self._known).tobytes())
        self.fingerprint = np.frombuffer(cutting.digest()[:16], np.uint32)
        """Equal where the same texts are cut into the same numbers."""

    def __len__(self) -> int:
        return len(self._rows)

    def cut(self, texts: Sequence[str]) -> list[Words]:
        """Each text's words by number, those without a vector left out, ``END`` at the ends of sentences."""
        ids, lengths = self._cutter.cut(texts)
        marked = np.where(self._ends[ids], np.uint16(END), ids)
        kept = self._known[ids] | (marked == END)
        ends = np.concatenate([[0], np.cumsum(kept)])[np.cumsum(lengths)].tolist()  # of what is kept
        words = marked[kept]
        return [words[begin:end] for begin, end in pairwise([0, *ends])]

    def word(self, number: int) -> str:
        """The word of a number, as it was trained: folded."""
        return self._tokenizer.id_to_token(number) or ""

    def vectors(self, numbers: npt.NDArray[np.integer]) -> Floats:
        """(n, dimensions) unit rows."""
        rows: Floats = self._rows.take(numbers, axis=0).astype(np.float32)
        rows *= self._scales[numbers][:, None]
        return rows

    def match(self, question: Words, passages: Sequence[Words], heads: Sequence[Words]) -> Match:
        """How the question's words, each counted once, are found in each passage and in its title and headings.

        Raises:
            ValueError: if there are not as many heads as passages.
        """
        if len(heads) != len(passages):
            raise ValueError(f"{len(passages)} passages but {len(heads)} heads")
        asked = np.unique(question[question != END])
        weights = self.weights[asked]
        if not len(passages) or not weights.sum():
            nothing = np.zeros(len(passages), dtype=np.float32)
            return Match(nothing, nothing, nothing, nothing, nothing)
        share = weights / weights.sum()
        # A mark before each: then none is empty, and the first sentence of each begins with it.
        body, bodies = _marked(passages)
        head, heads_at = _marked(heads)
        near, closeness = self._near(asked, body, head)
        # Few words are near one that is asked for, so only those are compared.
        found = np.flatnonzero(near[body])
        matched = near[body[found]]
        sentences = np.flatnonzero(body == END)
        in_sentence = _best(closeness[:, matched], sentences, found)
        first = np.searchsorted(sentences, bodies)
        in_passage = np.maximum.reduceat(in_sentence, first, axis=1)
        found_head = np.flatnonzero(near[head])
        in_head = _best(closeness[:, near[head[found_head]]], heads_at, found_head)
        same = asked[:, None] == body[found]
        exact = _best(same.astype(np.float32), bodies, found)
        return Match(
            passage=share @ in_passage,
            sentence=np.maximum.reduceat(share @ in_sentence, first),
            exact=share @ exact,
            head=share @ in_head,
            both=share @ np.maximum(in_passage, in_head),
        )

    def _near(self, asked: Words, *texts: Words) -> tuple[npt.NDArray[np.intp], Floats]:
        """For each word of the texts its column, 0 where it is near no word asked for; and the columns.

        A column has the squared cosines with the words asked for, from ``FLOOR`` up, and 1 for the same word.
        """
        seen = np.zeros(len(self), dtype=bool)  # np.unique sorts, which takes ten times as long
        for words in texts:
            seen[words] = True
        seen[END] = False
        present = np.flatnonzero(seen)
        rows: Floats = self._rows.take(present, axis=0).astype(np.float32)  # their scale is left for the product
        cosine = _product(rows, self.vectors(asked)) * self._scales[present][:, None]
        closeness = np.where(cosine >= FLOOR, cosine**2, 0).astype(np.float32)
        same = present[:, None] == asked[None, :]
        closeness[same] = np.maximum(closeness[same], 1)
        some = np.flatnonzero(closeness.any(axis=1))
        columns = np.zeros(len(self), dtype=np.intp)
        columns[present[some]] = np.arange(1, len(some) + 1)
        return columns, np.concatenate([np.zeros_like(closeness[:1]), closeness[some]]).T

    def nearest(self, number: int, k: int) -> list[tuple[int, float]]:
        """The k words nearest to one with their cosines, best first, itself left out; at most 8 are known."""
        pairs = zip(self._neighbours[number, :k], self._cosines[number, :k], strict=True)
        return [(int(other), float(cosine)) for other, cosine in pairs]


def _marked(texts: Sequence[Words]) -> tuple[Words, npt.NDArray[np.intp]]:
    """The words of all texts one after the other, a mark before each text; and where the marks are."""
    parts = [_MARK] * (2 * len(texts))
    parts[1::2] = texts
    return np.concatenate(parts), np.cumsum([0, *[len(words) + 1 for words in texts[:-1]]])


def _best(values: Floats, starts: npt.NDArray[np.intp], at: npt.NDArray[np.intp]) -> Floats:
    """(rows, len(starts)): the greatest value of each row between one start and the next, 0 where there is none.

    Column i of the values stands at ``at[i]``, which rises.
    """
    best = np.zeros((len(values), len(starts)), dtype=np.float32)
    if len(at):
        owners = np.searchsorted(starts, at, side="right") - 1
        begins = np.flatnonzero(np.diff(owners, prepend=-1))
        best[:, owners[begins]] = np.maximum.reduceat(values, begins, axis=1)
    return best


_UNTHREADED = 260_000  # multiplications up to which OpenBLAS stays on one thread


def _product(left: Floats, right: Floats) -> Floats:
    """left @ right.T in pieces too small to be shared among threads.

    Waiting for a second thread on two busy cores made one question take 150 ms instead of 1.
    """
    out = np.empty((len(left), len(right)), dtype=np.float32)
    step = max(1, _UNTHREADED // max(1, right.size))
    for first in range(0, len(left), step):
        np.matmul(left[first : first + step], right.T, out=out[first : first + step])
    return out


@lru_cache(maxsize=1)
def shipped_words() -> WordVectors:
    """The word vectors that come with the package."""
    return WordVectors()


# The same passages are met again and again. A passage's id names its text for good, so what was cut stays true.
_KEPT = 50_000  # of some 400 bytes
_kept: dict[str, Words] = {}


def cut_once(named: Sequence[tuple[str, str]]) -> list[Words]:
    """The words of (name, text) pairs; a name met before is not cut again."""
    global _kept
    kept = _kept
    if len(kept) > _KEPT:
        kept = _kept = {}  # another thread may still read the old one
    missing = {name: text for name, text in named if name not in kept}
    if missing:
        kept.update(zip(missing, shipped_words().cut(list(missing.values())), strict=True))
    return [kept[name] for name, _ in named]
