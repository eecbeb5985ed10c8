"""The ledgers of a gazette as tables, each row with a way to its sentence, and pictures of votes and figures."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.facts import KINDS, LedgerKind, Ledgers, facts_rows, ledgers, safe_rows
from index.records import Gazette, Source
from index.statements import Figure, Statement, Vote
from page.markup import button, safe, tag
from page.strings import Language, say

ROWS_SHOWN = 300  # of one table; the file that can be saved has all
BARS_SHOWN = 12

_CELLS: dict[LedgerKind, tuple[str, ...]] = {
    "appointments": ("person", "action", "post"),
    "votes": ("subject", "option", "count", "percent"),
    "figures": ("indicator", "printed", "period", "scope"),
    "undertakings": ("task", "deadline", "due", "responsible"),
    "links": ("relation", "target", "found"),
    "status": ("subject", "state", "date", "number"),
    "checks": ("kind", "message", "other"),
}


@dataclass(frozen=True)
class Facts:
    """The ledgers of one gazette and their rows; made once, since it takes some tenths of a second."""

    held: Ledgers
    rows: Mapping[LedgerKind, list[dict[str, str]]]


def facts_of(gazette: Gazette, source: Source) -> Facts:
    """All ledgers of a gazette."""
    return Facts(ledgers(gazette, source), {kind: facts_rows(kind, gazette, source) for kind in KINDS})


def ledger_pane(gazettes: Sequence[Gazette], gazette: Gazette, facts: Facts, kind: str, language: Language) -> str:
    """One ledger of a gazette: which gazette, which ledger, its picture where there is one, its table."""
    chosen: LedgerKind = next((k for k in KINDS if k == kind), "votes")
    choice = ""
    if len(gazettes) > 1:
        options = "".join(
            tag("option", safe(g.issue), value=g.source_id, selected=g.source_id == gazette.source_id) for g in gazettes
        )
        choice = tag(
            "select", options, data_act="ledger", data_field="gazette", aria_label=say(language, "column_gazette")
        )
    tabs = "".join(_tab(k, len(facts.rows[k]), k == chosen, language) for k in KINDS)
    save = button("CSV", class_="tool", data_act="export", data_format="csv", title=say(language, "save_csv"))
    head = tag("header", choice + tag("div", tabs, class_="kinds", role="group") + save)
    note = tag("p", safe(say(language, f"ledger_{chosen}_note")), class_="hint")
    table = _table(gazette.source_id, facts.rows[chosen], chosen, language)
    return tag("div", head + note + _picture(facts.held, chosen, language) + table, class_="ledgers")


def csv_of(facts: Facts, kind: str) -> bytes:
    """A ledger as CSV that a spreadsheet opens as UTF-8 and none of whose cells it runs; empty for an unknown one."""
    rows = safe_rows(next((facts.rows[k] for k in KINDS if k == kind), []))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]) if rows else ["sentence"])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def _tab(kind: LedgerKind, count: int, current: bool, language: Language) -> str:
    label = safe(say(language, f"ledger_{kind}")) + tag("small", str(count))
    return tag(
        "button", label, type="button", class_="kind-choice", data_act="ledger", data_field="kind", data_value=kind,
        aria_pressed="true" if current else "false",
    )  # fmt: skip


def _table(source_id: str, rows: Sequence[dict[str, str]], kind: LedgerKind, language: Language) -> str:
    if not rows:
        return tag("p", safe(say(language, "ledgers_none")), class_="hint")
    columns = _CELLS[kind]
    heads = (*(say(language, f"cell_{c}") for c in columns), say(language, "cell_sentence"))
    head = tag("tr", "".join(tag("th", safe(h), scope="col") for h in heads))
    body = "".join(
        tag("tr", "".join(tag("td", safe(row[c])) for c in columns) + tag("td", _place(source_id, row, language)))
        for row in rows[:ROWS_SHOWN]
    )
    more = ""
    if len(rows) > ROWS_SHOWN:
        more = tag("p", safe(say(language, "ledger_more", shown=ROWS_SHOWN, total=len(rows))), class_="hint")
    table = tag("table", tag("thead", head) + tag("tbody", body), class_="shelf-table ledger")
    return tag("div", table, class_="table", tabindex=0) + more


def _place(source_id: str, row: dict[str, str], language: Language) -> str:
    """The sentence as a button that opens it in its document."""
    sentence = row["sentence"]
    shown = sentence if len(sentence) <= 60 else sentence[:58] + "…"
    return button(
        shown, class_="linklike", data_act="open", data_s=source_id, data_at=f"{row['start']}-{row['end']}",
        title=say(language, "open_passage", document=row["document"]),
    )  # fmt: skip


def _picture(held: Ledgers, kind: LedgerKind, language: Language) -> str:
    if kind == "votes":
        return _votes(held.votes)
    if kind == "figures":
        return _series(held.figures, language)
    return ""


def _votes(votes: Sequence[Vote]) -> str:
    """One bar a subject, its options side by side; only where votes were counted, not heads."""
    subjects: dict[str, list[Vote]] = defaultdict(list)
    for vote in votes:
        if vote.unit == "票":
            subjects[vote.subject].append(vote)
    bars = []
    for subject, options in list(subjects.items())[:BARS_SHOWN]:
        total = sum(v.count for v in options)
        if total <= 0:
            continue
        parts = "".join(
            tag("span", safe(f"{v.option} {v.count}"), class_=f"part is-{min(n, 3)}", style=f"flex-grow:{v.count}",
                title=f"{v.option} {v.count}{v.unit}")
            for n, v in enumerate(options) if v.count
        )  # fmt: skip
        said = "，".join(f"{v.option}{v.count}{v.unit}" for v in options)
        bar = tag("div", parts, class_="stack", role="img", aria_label=f"{subject}：{said}")
        bars.append(tag("figure", tag("figcaption", _to(options[0].said, subject)) + bar))
    return tag("div", "".join(bars), class_="picture") if bars else ""


def _series(figures: Sequence[Figure], language: Language) -> str:
    """Indicators that are stated for several years, a bar a year."""
    groups: dict[tuple[str, str, str], dict[int, Figure]] = defaultdict(dict)
    for figure in figures:
        year = re.search(r"(?:19|20)\d\d", figure.period)
        if year and figure.indicator and figure.value > 0:
            groups[figure.indicator, figure.unit, figure.scope].setdefault(int(year.group()), figure)
    drawn = []
    for (indicator, unit, _), years in groups.items():
        if len(years) < 2:
            continue
        top = max(f.value for f in years.values())
        rows = "".join(
            tag("div", tag("span", safe(say(language, "year_value", year=year)))
                + tag("i", "", style=f"width:{max(1, round(60 * f.value / top))}%") + _to(f.said, f.printed))
            for year, f in sorted(years.items())
        )  # fmt: skip
        drawn.append(tag("figure", tag("figcaption", safe(f"{indicator}（{unit}）" if unit else indicator)) + rows))
    return tag("div", "".join(drawn[:BARS_SHOWN]), class_="picture is-years") if drawn else ""


def _to(said: Statement, label: str) -> str:
    """Words of a picture that open the sentence they were taken from."""
    source_id = said.document_id.rpartition("-")[0]
    return button(label, class_="linklike", data_act="open", data_s=source_id, data_at=f"{said.start}-{said.end}")
