"""Point at the answer: a small convolutional reader that gives each stretch of a passage a score, and "not here" one.

Trained by models/train_pointer.py with torch; run here in numpy, so asking loads no framework.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from index.embed import shipped_tokenizer
from qa.question import AnswerType

Floats = NDArray[np.float32]

WEIGHTS = Path(__file__).with_name("models") / "pointer.safetensors"
KINDS = {kind: n for n, kind in enumerate(get_args(AnswerType))}
WIDTH = 128
FEATURES = 9
_STOPS = frozenset("。！？；")
_TABLES = frozenset({"fine.weight", "kind.weight"})  # rows by number
DILATIONS = (1, 2, 4, 1, 2, 4, 8)
FUSED_AT = 3  # the layer before which the passage attends to the question
QUESTION_TOKENS = 48
LONGEST = 60  # tokens of an answer
FREQUENT = 4000  # tokens by number that have a trained vector of their own: the vocabulary is in order of frequency


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text as tokens: their numbers, and where each stands in the text."""

    ids: NDArray[np.int64]
    spans: tuple[tuple[int, int], ...]

    def __getitem__(self, part: slice) -> Tokens:
        return Tokens(self.ids[part], self.spans[part])

    def after(self, other: Tokens) -> Tokens:
        """The other's tokens and then these; where the other's stand is not kept, they are in another text."""
        return Tokens(np.concatenate([other.ids, self.ids]), ((0, 0),) * len(other.ids) + self.spans)


@dataclass(frozen=True, slots=True)
class Pointing:
    """One text as pointed at: token spans, and start and end scores above those of "not here"."""

    spans: tuple[tuple[int, int], ...]
    starts: Floats
    ends: Floats

    def score(self, start: int, end: int) -> float:
        """The score of the stretch of characters [start, end); 0 is as likely as "not here", -20 for no stretch."""
        inside = [i for i, (a, b) in enumerate(self.spans) if a < end and b > start]
        return float(self.starts[inside[0]] + self.ends[inside[-1]]) if inside else -20.0

    def part(self, start: int, end: int) -> Pointing:
        """The same of the characters [start, end) alone, counted from there."""
        inside = [i for i, (a, b) in enumerate(self.spans) if a < end and b > start]
        spans = tuple((max(self.spans[i][0] - start, 0), min(self.spans[i][1], end) - start) for i in inside)
        return Pointing(spans, self.starts[inside], self.ends[inside])

    def best(self, k: int = 5) -> list[tuple[int, int, float]]:
        """The k best stretches as (start, end, score), best first; at most ``LONGEST`` tokens each."""
        n = len(self.spans)
        if not n:
            return []
        total = np.full((min(LONGEST, n), n), -np.inf, np.float32)  # tokens besides the first, first token
        for more in range(len(total)):
            total[more, : n - more] = self.starts[: n - more] + self.ends[more:]
        order = np.argsort(-total, axis=None, kind="stable")[:k]
        found = [(int(i) % n, int(i) // n) for i in order if np.isfinite(total.flat[i])]
        return [(self.spans[a][0], self.spans[a + more][1], float(total[more, a])) for a, more in found]


@dataclass(frozen=True, slots=True)
class _Question:
    rows: Floats  # word vectors
    hidden: Floats
    weights: Floats  # how much each token counts
    pooled: Floats
    kind: Floats


def cut(text: str) -> Tokens:
    """The text in the words of the shipped encoder; figures are split into digits."""
    encoding = shipped_tokenizer().encode(text, add_special_tokens=False)
    return Tokens(np.array(encoding.ids, dtype=np.int64), tuple(encoding.offsets))


@lru_cache(maxsize=1)
def _letters() -> list[str]:
    """Each token's text by number."""
    tokenizer = shipped_tokenizer()
    return [tokenizer.id_to_token(n) or "" for n in range(tokenizer.get_vocab_size())]


def match_features(question: Tokens, passage: Tokens, above: int = 0) -> Floats:
    """(tokens of the passage, FEATURES): same token, share of its characters asked, asked pair of characters, near a
    match before and after, a digit, how far into the passage, a constant where it begins a sentence, and one for the
    first ``above`` tokens, which only say what the passage stands under."""
    letters = _letters()
    words = [letters[n] for n in passage.ids.tolist()]
    asked_text = "".join(letters[n] for n in question.ids.tolist())
    pairs = {asked_text[i : i + 2] for i in range(len(asked_text) - 1)}
    text = "".join(words)
    ends = np.cumsum([len(w) for w in words], dtype=np.int64)
    starts = ends - [len(w) for w in words]
    content = np.array([w[:1].isalnum() for w in words], dtype=bool)
    same = _sums(c in asked_text for c in text)
    paired = _sums(text[i : i + 2] in pairs for i in range(len(text)))
    out = np.zeros((len(words), FEATURES), np.float32)
    out[:, 0] = content & np.isin(passage.ids, question.ids)
    out[:, 1] = content * (same[ends] - same[starts]) / np.maximum(ends - starts, 1)
    out[:, 2] = (ends > starts) & (paired[ends] > paired[np.maximum(starts - 1, 0)])  # with the letters beside it
    out[:, 5] = [w.isdigit() for w in words]
    out[1:, 7] = [w in _STOPS for w in words[:-1]]
    out[above : above + 1, 7] = 1
    near = (out[:, 0] * (ends - starts > 1)).tolist()
    for column, order in ((3, near), (4, near[::-1])):
        heat, heats = 0.0, []
        for value in order:
            heats.append(heat)
            heat = max(0.85 * heat, value)
        out[:, column] = heats if column == 3 else heats[::-1]
    body = len(words) - above
    out[above:, 6] = np.arange(body) / max(body, 1)
    out[:above, 8] = 1
    return out


def _sums(values: Iterable[bool]) -> NDArray[np.int64]:
    """(n + 1,): how many of the first i are true."""
    return np.cumsum([0, *values], dtype=np.int64)


class Pointer:
    """The trained reader.

    Raises:
        OSError, SafetensorError: if the weights are missing or damaged.
    """

    def __init__(self, path: Path = WEIGHTS) -> None:
        from safetensors.numpy import load_file

        arrays = load_file(path)
        self._words: NDArray[np.int8] = arrays.pop("words")
        self._scales = arrays.pop("words.scale").astype(np.float32)
        self._w: dict[str, Floats] = {name: np.ascontiguousarray(a.astype(np.float32)) for name, a in arrays.items()}
        for name, weight in self._w.items():  # (out, in) -> (in, out), and (out, in, places) -> (places x in, out)
            if weight.ndim == 3:
                weight = weight.transpose(2, 1, 0).reshape(-1, len(weight))
            elif name not in _TABLES:
                weight = weight.T
            self._w[name] = np.ascontiguousarray(weight)

    def point(self, question: str, kind: AnswerType, texts: Sequence[tuple[str, str]]) -> list[Pointing]:
        """How likely each stretch of each text is the answer; one ``Pointing`` a text, in order.

        A text comes with what it stands under (title, heading; see ``qa.windows``), which is read and never pointed at.
        """
        asked = cut(question)[:QUESTION_TOKENS]
        if not len(asked.ids):
            return [Pointing((), np.zeros(0, np.float32), np.zeros(0, np.float32)) for _ in texts]
        view = self._question(asked, self._w["kind.weight"][KINDS[kind]])
        return [self._point(asked, view, cut(above), cut(text)) for above, text in texts]

    def _point(self, asked: Tokens, view: _Question, above: Tokens, text: Tokens) -> Pointing:
        if not len(text.ids):
            return Pointing((), np.zeros(0, np.float32), np.zeros(0, np.float32))
        passage, first = text.after(above), len(above.ids)
        n = len(passage.ids)
        rows = self._rows(passage.ids)
        nearness: Floats = _unit(rows) @ _unit(view.rows).T * np.float32(8)
        aligned = _softmax(nearness) @ view.rows
        kind = np.broadcast_to(view.kind, (n, len(view.kind)))
        features = match_features(asked, passage, first)
        h = self._linear("passage_in", np.concatenate([rows, self._fine(passage.ids), aligned, features, kind], axis=1))
        h = np.maximum(h, 0) * (1 + self._linear("scale", view.pooled)) + self._linear("shift", view.pooled)
        covered = view.pooled
        for i, dilation in enumerate(DILATIONS):
            if i == FUSED_AT:
                met: Floats = h @ view.hidden.T / np.float32(WIDTH**0.5)
                seen = _softmax(met) @ view.hidden
                found = _softmax(np.ascontiguousarray(met.T)) @ h
                covered = view.weights @ self._covered(view.hidden, found)
                h = h + np.maximum(
                    self._linear("fuse", np.concatenate([h, seen, h * seen, h * view.pooled], axis=1)), 0
                )
                h = h + self._linear("shift_covered", covered)
            h = h + self._conv(f"convs.{i}", self._norm(f"norms.{i}", h), dilation)
        h = self._norm(f"norms.{len(DILATIONS)}", h)
        tilt = self._linear("out_question", view.pooled).reshape(2, WIDTH)
        logits = (self._linear("out", h) + h @ tilt.T / np.float32(WIDTH**0.5))[first:]
        best = h.max(axis=0)
        none = self._linear("none", np.concatenate([best, view.pooled, best * view.pooled, covered]))
        return Pointing(text.spans, logits[:, 0] - none, logits[:, 1] - none)

    def _covered(self, asked: Floats, found: Floats) -> Floats:
        """(tokens of the question, WIDTH): each beside what the passage has for it."""
        beside = np.concatenate([asked, found, asked * found, np.abs(asked - found)], axis=1)
        return np.maximum(self._linear("cover", beside), 0)

    def _question(self, asked: Tokens, kind: Floats) -> _Question:
        rows = self._rows(asked.ids)
        broad = np.broadcast_to(kind, (len(rows), len(kind)))
        h = np.maximum(self._linear("question_in", np.concatenate([rows, self._fine(asked.ids), broad], axis=1)), 0)
        h = h + self._conv("question_conv", h, 1)
        weights = _softmax(self._linear("question_pool", h)[:, 0][None])[0]
        return _Question(rows, h, weights, weights @ h, kind)

    def _rows(self, ids: NDArray[np.int64]) -> Floats:
        rows: Floats = self._words[ids].astype(np.float32) * self._scales[ids][:, None]
        return rows

    def _fine(self, ids: NDArray[np.int64]) -> Floats:
        return self._w["fine.weight"][np.minimum(ids, FREQUENT - 1)]

    def _linear(self, name: str, x: Floats) -> Floats:
        out: Floats = x @ self._w[f"{name}.weight"]
        out += self._w[f"{name}.bias"]
        return out

    def _norm(self, name: str, x: Floats) -> Floats:
        centred = x - x.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
        out: Floats = scaled * self._w[f"{name}.weight"] + self._w[f"{name}.bias"]
        return out

    def _conv(self, name: str, x: Floats, dilation: int) -> Floats:
        """A gated convolution over three places, zeros beyond both ends."""
        n, width = x.shape
        padded = np.zeros((n + 2 * dilation, width), np.float32)
        padded[dilation : dilation + n] = x
        y = np.concatenate([padded[:n], x, padded[2 * dilation :]], axis=1) @ self._w[f"{name}.weight"]
        y += self._w[f"{name}.bias"]
        half = y.shape[1] // 2
        out: Floats = y[:, :half] / (1 + np.exp(-np.clip(y[:, half:], -30, 30)))
        return out


def _softmax(x: Floats) -> Floats:
    raised = np.exp(x - x.max(axis=1, keepdims=True))
    out: Floats = raised / raised.sum(axis=1, keepdims=True)
    return out


def _unit(rows: Floats) -> Floats:
    out: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return out


@lru_cache(maxsize=1)
def shipped_pointer() -> Pointer:
    """The pointer that comes with the package."""
    return Pointer()
