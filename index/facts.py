"""The ledgers of a gazette: appointments, votes, figures, undertakings, links, status, self-check; and their rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from index.chains import find_links, find_statuses
from index.checks import find_checks
from index.figures import find_figures, find_undertakings
from index.people import find_appointments, find_votes
from index.records import Gazette, Source
from index.statements import Appointment, Check, Figure, Link, Statement, Status, Undertaking, Vote, sentences

LedgerKind = Literal["appointments", "votes", "figures", "undertakings", "links", "status", "checks"]
KINDS: tuple[LedgerKind, ...] = get_args(LedgerKind)


@dataclass(frozen=True, slots=True)
class Ledgers:
    """What a gazette states, by kind, each record with its sentence and offsets."""

    appointments: tuple[Appointment, ...] = ()
    votes: tuple[Vote, ...] = ()
    figures: tuple[Figure, ...] = ()
    undertakings: tuple[Undertaking, ...] = ()
    links: tuple[Link, ...] = ()
    status: tuple[Status, ...] = ()
    checks: tuple[Check, ...] = ()  # all comparisons made

    @property
    def alarms(self) -> tuple[Check, ...]:
        """The comparisons that do not agree."""
        return tuple(check for check in self.checks if not check.consistent)


def ledgers(gazette: Gazette, source: Source) -> Ledgers:
    """All ledgers of a gazette, read in one pass over its sentences."""
    found = sentences(gazette, source)
    voted = find_votes(found, source)
    linked = find_links(gazette, found, source)
    return Ledgers(
        appointments=tuple(find_appointments(found, source)),
        votes=tuple(voted),
        figures=tuple(find_figures(found, source)),
        undertakings=tuple(find_undertakings(found, source)),
        links=tuple(linked),
        status=tuple(find_statuses(gazette, found, source)),
        checks=tuple(find_checks(gazette, found, voted, linked, source)),
    )


def appointments(gazette: Gazette, source: Source) -> list[Appointment]:
    """Who was given an office and who left one."""
    return find_appointments(sentences(gazette, source), source)


def votes(gazette: Gazette, source: Source) -> list[Vote]:
    """Counts of votes, and of those present and absent with their names."""
    return find_votes(sentences(gazette, source), source)


def figures(gazette: Gazette, source: Source) -> list[Figure]:
    """The numbers of running text with unit, period and scope."""
    return find_figures(sentences(gazette, source), source)


def undertakings(gazette: Gazette, source: Source) -> list[Undertaking]:
    """What is to be done by a day after the document's own."""
    return find_undertakings(sentences(gazette, source), source)


def links(gazette: Gazette, source: Source) -> list[Link]:
    """Which document answers, explains, approves or examines which."""
    return find_links(gazette, sentences(gazette, source), source)


def status(gazette: Gazette, source: Source) -> list[Status]:
    """What comes into force, is provisional, amended or repealed."""
    return find_statuses(gazette, sentences(gazette, source), source)


def self_check(gazette: Gazette, source: Source) -> list[Check]:
    """Where the gazette does not agree with itself, both places cited."""
    return list(ledgers(gazette, source).alarms)


# ---- rows -----------------------------------------------------------------------------------------------------------


def facts_rows(kind: str, gazette: Gazette, source: Source) -> list[dict[str, str]]:
    """A ledger as rows of one set of columns, for a table or CSV; cells are as found, see ``safe_cell``.

    Raises:
        ValueError: if there is no such ledger.
    """
    if kind == "appointments":
        return [
            _row(a.said, source, person=a.person, action=a.action, post=a.post) for a in appointments(gazette, source)
        ]
    if kind == "votes":
        return [
            _row(v.said, source, subject=v.subject, option=v.option, count=str(v.count), unit=v.unit,
                 percent="" if v.percent is None else f"{v.percent:g}", names="、".join(v.names))
            for v in votes(gazette, source)
        ]  # fmt: skip
    if kind == "figures":
        return [
            _row(f.said, source, indicator=f.indicator, value=f"{f.value:.12g}", printed=f.printed, unit=f.unit,
                 qualifier=f.qualifier, period=f.period, scope=f.scope)
            for f in figures(gazette, source)
        ]  # fmt: skip
    if kind == "undertakings":
        return [
            _row(u.said, source, task=u.task, deadline=u.deadline, due=u.due, responsible=u.responsible)
            for u in undertakings(gazette, source)
        ]
    if kind == "links":
        titles = {d.id: d.title for d in gazette.documents}
        return [
            _row(
                link.said,
                source,
                relation=link.relation,
                target=link.target,
                found=titles.get(link.target_id or "", ""),
            )
            for link in links(gazette, source)
        ]
    if kind == "status":
        return [
            _row(s.said, source, subject=s.subject, state=s.state, date=s.date or "", number=s.number)
            for s in status(gazette, source)
        ]
    if kind == "checks":
        return [
            _row(check.said[0], source, kind=check.kind, message=check.message,
                 other="；".join(f"{s.document}：{s.sentence}" for s in check.said[1:]))
            for check in self_check(gazette, source) if check.said
        ]  # fmt: skip
    raise ValueError(f"没有“{kind}”这种台账；可选：{'、'.join(KINDS)}")


def _row(said: Statement, source: Source, **cells: str) -> dict[str, str]:
    page = source.page_at(said.start)
    place = {
        "source": source.name,
        "document": said.document,
        "page": "" if page is None else str(page),
        "start": str(said.start),
        "end": str(said.end),
        "sentence": said.sentence,
    }
    return {**cells, **place}


def safe_cell(cell: str) -> str:
    """A cell that a spreadsheet shows and does not run: one that begins with = + - @ or a control gets a ' before it.

    Source: OWASP, CSV Injection.
    """
    return (
        f"'{cell}"
        if cell.lstrip(" \u3000\ufeff")[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠") and cell
        else cell
    )


def safe_rows(rows: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Rows whose cells are all safe."""
    return [{column: safe_cell(cell) for column, cell in row.items()} for row in rows]
