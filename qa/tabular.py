"""Answers out of tables: the cell where the asked row and column meet, the row that has the most, names in a grid."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from qa.candidates import ASKS_FIGURE, Sentence, Span
from qa.features import Asked, Pool, coverage
from qa.numbers import value
from qa.question import Question

LEAST_ROW = 0.34  # of the question's weight, the column's name left out, that a row's name must hold
_MOST = re.compile(r"最(多|高|大|好)|第一")
_LEAST = re.compile(r"最(少|低|小|差)|倒数第一|垫底")
_BARE_FIGURE = re.compile(r"[\d.,，%％\s-]+")  # a head row names its columns
_NOTE = re.compile(r"[（(][^（）()]*[)）]$")  # 投资（万元）
_ORDER = re.compile(r"序号|编号|号|No\.?|")
_HOLDS = {
    "person": re.compile(r"姓名|名字|负责人|责任人|联系人|领导$|[区市县院局]长$|主任$"),
    "organisation": re.compile(r"单位$|部门$|机关$|主体$"),
    "date": re.compile(r"时间$|日期$|时限$"),
    "duration": re.compile(r"期限$|时限$|工期$"),
    "amount": re.compile(r"投资|金额|资金|经费|预算|金$|额$"),
    "percent": re.compile(r"率$|比例$|比重$|占比$|增[长幅速]"),
    "place": re.compile(r"地点$|地址$|位置$|所在"),
}
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
    if head is None or len(rows) < 2 or any(_BARE_FIGURE.fullmatch(head.text(n)) for n in range(1, len(head.cells))):
        return None
    names = [_NOTE.sub("", re.sub(r"\s", "", head.text(n))) for n in range(len(head.cells))]
    body = [r for r in rows if r is not head and len(r.cells) == len(names)]
    named = 1 if _ORDER.fullmatch(names[0]) and len(names) > 2 else 0  # the cell that says what the row is about
    column = _column(asked.question, names, named)
    if column is None or not body:
        return None
    extreme = max if _MOST.search(question) else min if _LEAST.search(question) else None
    if extreme is not None:
        valued = [(v, r) for r in body if (v := _figure(r, column, asked)) is not None]
        if not valued:
            return None
        _, row = extreme(valued, key=lambda p: p[0])
        return Found(row, Span(*_trimmed(row, named), "cell"), names[column], 0.8)
    column_words = set(names[column])
    weights = [w for word, w in zip(asked.words, asked.weights, strict=True) if not set(word) <= column_words]
    best = max(body, key=lambda r: _named(asked, r, column_words, named))
    share = _named(asked, best, column_words, named) / (sum(weights) or 1.0)
    if share < LEAST_ROW:
        return None
    return Found(best, _cell_span(asked, best, column), names[column], min(1.0, share + 0.2))


def column(asked: Asked, sentences: Sequence[Sentence]) -> list[tuple[Sentence, Span]]:
    """The cells of the column that the question names, one a row of a table; [] where it names none, or a row as well."""
    rows = [Row(s, cells(s.text)) for s in sentences]
    if len(rows) < 3:
        return []
    names = [_NOTE.sub("", re.sub(r"\s", "", rows[0].text(n))) for n in range(len(rows[0].cells))]
    named = [(len(name), -n) for n, name in enumerate(names) if len(name) > 1 and name in asked.question.flat]
    body = [r for r in rows[1:] if len(r.cells) == len(names)]
    if not named or not body:
        return []
    at = -max(named)[1]
    if any(
        _named(asked, r, set(names[at]), n) >= LEAST_ROW * asked.weight for r in body for n in range(min(2, len(names)))
    ):
        return []
    return [(r.sentence, Span(*_trimmed(r, at), "cell")) for r in body if r.text(at)]


def _column(question: Question, names: Sequence[str], first: int) -> int | None:
    """The column behind ``first`` that the question names; else the only one whose head says that it holds what the question asks for."""
    named = [(len(name), -n) for n, name in enumerate(names) if n > first and len(name) > 1 and name in question.flat]
    if named:
        return -max(named)[1]
    fitting, focus = _HOLDS.get(question.kind), question.focus
    for fits in (
        [n for n, name in enumerate(names) if n > first and len(focus) > 1 and name.endswith(focus)],
        [n for n, name in enumerate(names) if n > first and fitting and fitting.search(name)],
    ):
        if len(fits) == 1:
            return fits[0]
    return None


def _named(asked: Asked, row: Row, column: set[str], cell: int) -> float:
    """How much of the question, the column's words left out, the cell that names the row holds; all of it where the question
    says the whole name, of which the words may be unknown."""
    said = row.sentence.flat[slice(*row.cells[cell])]
    shares = coverage(asked, said)
    name = said.strip()
    whole = asked.weight if len(name) > 1 and name in asked.question.flat and not set(name) <= column else 0.0
    return (
        whole
        + sum(w * c for word, w, c in zip(asked.words, asked.weights, shares, strict=True) if not set(word) <= column)
        + 0.1 * sum(w for gram, w in asked.grams.items() if gram in said)
    )


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
    if kind not in ASKS_FIGURE and sum(s.end - s.start for s in plain) * 2 < b - a:  # 氨氮（超标0.31倍）
        return Span(a, b, "cell")
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
