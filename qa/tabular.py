"""Answers out of tables: the cell where the asked row and column meet, the row that has the most, names in a grid."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from qa.candidates import Sentence, Span
from qa.features import Asked, Pool, coverage
from qa.numbers import value

LEAST_ROW = 0.34  # of the question's weight, the column's name left out, that a row's name must hold
_MOST = re.compile(r"最(多|高|大|好)|第一")
_LEAST = re.compile(r"最(少|低|小|差)|倒数第一|垫底")
_HTML_CELL = re.compile(r"<t[dh][^>]*>(.*?)</t[dh]>", re.S | re.I)
_HAN_NAME = re.compile(r"[\u4e00-\u9fff·]{1,12}")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its sentence and its cells, by offsets into the sentence's text."""

    sentence: Sentence
    cells: tuple[tuple[int, int], ...]

    def text(self, n: int) -> str:
        a, b = self.cells[n]
        return self.sentence.text[a:b].strip()


@dataclass(frozen=True, slots=True)
class Found:
    """What a table answers: a span of a row, and what stands for it in the answer where that is not its own words."""

    row: Row
    span: Span
    column: str
    sureness: float  # how much of the question row and column hold, 0 to 1


def cells(text: str) -> tuple[tuple[int, int], ...]:
    """The cells of a table row made of tabs, pipes or HTML; one cell where it is none of these."""
    if "\t" in text:
        marks = [m.start() for m in re.finditer("\t", text)]
    elif text.count("|") >= 2:
        marks = [m.start() for m in re.finditer(r"\|", text)]
        edges = [-1, *marks, len(text)]
        found = [(a + 1, b) for a, b in pairwise(edges)]
        return tuple((a, b) for n, (a, b) in enumerate(found) if text[a:b].strip() or 0 < n < len(found) - 1)
    elif _HTML_CELL.search(text):
        return tuple(m.span(1) for m in _HTML_CELL.finditer(text))
    else:
        return ((0, len(text)),)
    edges = [-1, *marks, len(text)]
    return tuple((a + 1, b) for a, b in pairwise(edges))


def answer(pool: Pool) -> Found | None:
    """The cell or row that the tables among the pool's sentences answer with; None where no column is asked for."""
    tables: dict[tuple[str, int], list[Row]] = {}
    for s in pool.sentences:
        if s.kind == "table":
            tables.setdefault((s.document_id, s.paragraph), []).append(Row(s, cells(s.text)))
    found = [f for rows in tables.values() if (f := _ask(pool.asked, rows))]
    return max(found, key=lambda f: f.sureness, default=None)


def _ask(asked: Asked, rows: Sequence[Row]) -> Found | None:
    question = asked.question.flat
    head = next((r for r in rows if len(r.cells) > 1), None)
    if head is None or len(rows) < 2 or any(value(head.text(n)) is not None for n in range(1, len(head.cells))):
        return None
    names = [re.sub(r"\s", "", head.text(n)) for n in range(len(head.cells))]
    columns = [(len(name), -n) for n, name in enumerate(names) if n and len(name) > 1 and name in question]
    if not columns:
        return None
    column = -max(columns)[1]
    body = [r for r in rows if r is not head and len(r.cells) == len(names)]
    if not body:
        return None
    extreme = max if _MOST.search(question) else min if _LEAST.search(question) else None
    if extreme is not None:
        valued = [(v, r) for r in body if (v := _figure(r, column, asked)) is not None]
        if not valued:
            return None
        _, row = extreme(valued, key=lambda p: p[0])
        return Found(row, Span(*_trimmed(row, 0), "cell"), names[column], 0.8)
    column_words = set(names[column])
    weights = [w for word, w in zip(asked.words, asked.weights, strict=True) if not set(word) <= column_words]
    best = max(body, key=lambda r: _named(asked, r, column_words))
    share = _named(asked, best, column_words) / (sum(weights) or 1.0)
    if share < LEAST_ROW:
        return None
    return Found(best, _cell_span(asked, best, column), names[column], min(1.0, share + 0.2))


def _named(asked: Asked, row: Row, column: set[str]) -> float:
    said = row.sentence.flat[slice(*row.cells[0])]
    shares = coverage(asked, said)
    return sum(
        w * c for word, w, c in zip(asked.words, asked.weights, shares, strict=True) if not set(word) <= column
    ) + 0.1 * sum(w for gram, w in asked.grams.items() if gram in said)


def _trimmed(row: Row, n: int) -> tuple[int, int]:
    a, b = row.cells[n]
    text = row.sentence.text
    while a < b - 1 and text[a].isspace():
        a += 1
    while b > a + 1 and text[b - 1].isspace():
        b -= 1
    return a, b


def _cell_span(asked: Asked, row: Row, column: int) -> Span:
    """The figure of the cell that has the asked kind or unit; the first figure, or the whole cell, otherwise."""
    a, b = _trimmed(row, column)
    figures = [s for s in row.sentence.typed if a <= s.start and s.end <= b and s.type != "person"]
    kind, units = asked.question.kind, asked.question.units
    fitting = [s for s in figures if s.type == kind and kind == "percent"] or [s for s in figures if s.unit in units]
    plain = [s for s in figures if kind == "percent" or s.type != "percent"]
    return next(iter(fitting or plain or figures), Span(a, b, "cell"))


def _figure(row: Row, column: int, asked: Asked) -> Decimal | None:
    span = _cell_span(asked, row, column)
    return value(row.sentence.flat[span.start : span.end])


def names(sentence: Sentence, raw: str) -> list[str]:
    """The names of a line made of nothing but names: 胡传新 李 红 -> 胡传新, 李红; [] where it is no such line."""
    parts = raw.split("\t") if "\t" in raw else re.split(r"[\s、]+", raw.strip())
    out: list[str] = []
    for part in ("".join(p.split()) for p in parts):
        if not part:
            continue
        if not _HAN_NAME.fullmatch(part):
            return []
        if len(part) == 1 and out and len(out[-1]) == 1:
            out[-1] += part
        else:
            out.append(part)
    return out if len(out) > 1 and all(2 <= len(n) <= 4 or "·" in n for n in out) else []
