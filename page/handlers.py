"""What each event of the page does: browser values in, HTML and the changed visit out."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from index.records import FileReport, GazetteError
from page import export
from page.desk import Desk, SummaryMode, Visit
from page.feedback import Feedback
from page.frame import header, scope_bar, welcome
from page.ledgers import csv_of
from page.library import NotAllowed
from page.markup import button
from page.shelves import adding, file_reports, shelves
from page.startup import without_stubs
from page.strings import Language, say
from qa.generate import SECONDS, Model
from qa.records import Answer, Summary, Turn

with without_stubs():
    import gradio as gr

Html = str
KEPT = ("language", "where", "summary", "ledger", "ledger_gazette", "ledgers_open")  # in a new conversation
PARTS = 14  # of the page, with words on them: ``app.Parts.everything``


class Handlers:
    """The events of one page; the visit travels through them as a value, one per browser tab."""

    def __init__(self, desk: Desk, feedback: Feedback, model: Model | None = None, seconds: float = SECONDS) -> None:
        self.desk = desk
        self.feedback = feedback
        self.model = model
        self.seconds = seconds  # for one summary
        self._built = desk.library.shared.index  # what the page as first sent shows
        self._writing: dict[str, threading.Event] = {}  # visitor -> set to stop their summary

    # the whole page

    def arrive(self, told: str, visit: Visit, request: gr.Request) -> tuple[Any, ...]:
        """On load: the language remembered in the browser, and the question and place of a link."""
        who = _visitor(request)
        wanted = _told(told)
        as_built = self.desk.library.shared.index is self._built and visit.language == _language(wanted.get("language"))
        if as_built and not wanted.keys() & {"q", "s"}:
            # Nothing new, and nothing is sent: a question asked before this event ends must not be wiped out by it.
            return (gr.skip(),) * PARTS
        visit = replace(visit, language=_language(wanted.get("language")))
        if wanted.get("q"):
            try:
                visit = self.desk.ask(str(wanted["q"]), visit, who)
            except GazetteError as error:
                gr.Warning(str(error))
        if wanted.get("s"):
            visit = self._open_linked(wanted, visit, who)
        return self._everything(visit, who)

    def suggest(self, visit: Visit, request: gr.Request) -> Html:
        """The welcome with its example questions, once they are found."""
        offered = self.desk.examples(visit.language)
        return welcome(self.desk.library.gazettes(_visitor(request)), offered, visit.language)

    def _open_linked(self, wanted: dict[str, Any], visit: Visit, who: str) -> Visit:
        """The place of a link: as a citation of the answer just given where it is one, else by itself."""
        if visit.turns:
            for citation in visit.turns[-1].answer.citations:
                if (citation.source_id, f"{citation.start}-{citation.end}") == (wanted["s"], wanted.get("at")):
                    return self.desk.open({"turn": len(visit.turns) - 1, "n": citation.n}, visit, who)
        return self.desk.open(wanted, visit, who)

    def speak(self, visit: Visit, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """The whole page in the other language."""
        visit = replace(visit, language=_language(event._data.get("language")))
        return self._everything(visit, _visitor(request))

    def restart(self, visit: Visit, request: gr.Request) -> tuple[Any, ...]:
        """A new conversation; language, filter and files stay."""
        visit = replace(Visit(), **{name: getattr(visit, name) for name in KEPT})
        return self._everything(visit, _visitor(request))

    def _everything(self, visit: Visit, who: str) -> tuple[Any, ...]:
        """Values for every part of the page, in the order of ``app.Parts.everything``."""
        language = visit.language
        return (
            header(language),
            self._welcome(visit, who),
            self.desk.talk(visit, who),
            self._scope(visit, who),
            gr.Textbox(placeholder=say(language, "ask_placeholder"), label=say(language, "ask_label")),
            gr.Tab(label=say(language, "tab_read")),
            gr.Tab(label=say(language, "tab_ledgers")),
            gr.Tab(label=say(language, "tab_library")),
            self.desk.pane(visit, who),
            self.desk.ledgers(visit, who) if visit.ledgers_open else "",
            adding(self.desk.library, language),
            gr.File(label=say(language, "add")),
            shelves(self.desk.library, who, language),
            visit,
        )

    def _welcome(self, visit: Visit, who: str) -> Html:
        offered = self.desk.examples_at_hand(visit.language)
        return welcome(self.desk.library.gazettes(who), offered, visit.language)

    def _scope(self, visit: Visit, who: str) -> Html:
        gazettes = self.desk.library.gazettes(who)
        return scope_bar(gazettes, visit.where, visit.summary, self.model is not None, visit.language)

    def nothing(self) -> None:
        """For page.js, which asks for the stream that any event opens."""

    # asking and reading

    def ask(self, question: str, visit: Visit, request: gr.Request) -> tuple[Any, ...]:
        """A turn more: question box emptied, conversation, pane, visit."""
        who = _visitor(request)
        try:
            visit = self.desk.ask(question, visit, who)
        except GazetteError as error:
            gr.Warning(str(error))
            return gr.skip(), gr.skip(), gr.skip(), gr.skip()
        return "", self.desk.talk(visit, who), self.desk.pane(visit, who), visit

    def open(self, visit: Visit, event: gr.EventData, request: gr.Request) -> tuple[Html, Visit]:
        """The place a chip, a passage, the catalogue or an arrow points to."""
        who = _visitor(request)
        visit = self.desk.open(event._data or {}, visit, who)
        return self.desk.pane(visit, who), visit

    def ledger(self, visit: Visit, request: gr.Request) -> tuple[Html, Visit]:
        """The ledgers, when their tab is opened."""
        visit = replace(visit, ledgers_open=True)
        return self.desk.ledgers(visit, _visitor(request)), visit

    def choose_ledger(self, visit: Visit, event: gr.EventData, request: gr.Request) -> tuple[Html, Visit]:
        """Another ledger, or the ledgers of another gazette."""
        field, value = event._data.get("field"), str(event._data.get("value"))
        visit = replace(visit, ledger_gazette=value) if field == "gazette" else replace(visit, ledger=value)
        return self.desk.ledgers(visit, _visitor(request)), visit

    def narrow(self, visit: Visit, event: gr.EventData, request: gr.Request) -> tuple[Html, Visit]:
        """One choice of the bar above the question box."""
        field, value = str(event._data.get("field")), str(event._data.get("value") or "") or None
        if field == "summary":
            modes: dict[str | None, SummaryMode] = {"extract": "extract", "model": "model"}
            visit = replace(visit, summary=modes.get(value, "off"))
        elif field == "year":
            year = int(value) if value and value.isdecimal() else None
            visit = replace(visit, where=replace(visit.where, year_from=year, year_to=year))
        elif field == "gazette":
            visit = replace(visit, where=replace(visit.where, gazette=value))
        elif field == "kind":
            visit = replace(visit, where=replace(visit.where, kind=value))
        elif field == "organ":
            visit = replace(visit, where=replace(visit.where, organ=value))
        return self._scope(visit, _visitor(request)), visit

    def write(self, visit: Visit, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """The model's summary of the last answer, a sentence at a time; nothing unless that is switched on."""
        if visit.summary != "model" or self.model is None or not visit.turns or not visit.turns[-1].answer.citations:
            yield gr.skip(), gr.skip(), gr.skip()  # without a yield gradio would empty the conversation
            return
        from qa.summarise import Draft

        who = _visitor(request)
        stop = self._writing[who] = threading.Event()
        answer = self.desk.library.key_points(visit.turns[-1].answer, who)
        draft = Draft(answer, self.model, stop, self.seconds)
        halt = button(say(visit.language, "stop"), class_="tool", data_act="halt")
        yield halt, gr.skip(), gr.skip()
        try:
            for _ in draft.write():
                visit = _with_summary(visit, answer, draft.summary)
                yield halt, self.desk.talk(visit, who), visit  # with each: a browser may miss one
        finally:
            # Also when the visitor left or pressed stop: the model is told, so that its worker is free again.
            stop.set()
            self._writing.pop(who, None)
        visit = _with_summary(visit, answer, draft.summary)
        yield "", self.desk.talk(visit, who), visit

    def halt(self, visit: Visit, request: gr.Request) -> str:
        """Tell the model to stop; what was written stays."""
        writing = self._writing.get(_visitor(request))
        if writing is not None:
            writing.set()
        gr.Info(say(visit.language, "stopped"))
        return ""

    # taking along

    def carry(self, visit: Visit, event: gr.EventData, request: gr.Request) -> str:
        """The conversation, or a ledger, as a file for the browser to save: JSON with name, type and base64 data."""
        if event._data.get("format") == "csv":
            facts = self.desk.library.facts(self.desk.ledger_gazette(visit, _visitor(request)), _visitor(request))
            return export.parcel_of(f"{visit.ledger}.csv", "text/csv", csv_of(facts, visit.ledger))
        if not visit.turns:
            gr.Warning(say(visit.language, "nothing_to_export"))
            return ""
        who = _visitor(request)
        names = self.desk.library.names(who)
        form = str(event._data.get("format"))
        return export.parcel(visit.turns, form, visit.language, names, str(request.headers.get("origin", "")))

    def rate(self, visit: Visit, event: gr.EventData) -> None:
        """Right, wrong, wrong citation; kept in a file on this machine."""
        said = event._data or {}
        turn = int(said.get("turn", -1))
        if 0 <= turn < len(visit.turns):
            self.feedback.keep(visit.turns[turn].answer, str(said.get("verdict")), str(said.get("note") or ""))
            gr.Info(say(visit.language, "thanks"))

    # the library

    def upload(self, files: list[str] | None, visit: Visit, request: gr.Request) -> Iterator[tuple[Any, ...]]:
        """Index what was dropped, one report a file as they come; the box is emptied."""
        who, language = _visitor(request), visit.language
        reports: list[FileReport] = []
        paths = [Path(f) for f in files or []]
        if not paths:
            return
        yield gr.skip(), file_reports(reports, language, len(paths), working=True), gr.skip(), gr.skip(), gr.skip()
        try:
            for report in self.desk.library.add(paths, who, language):
                reports.append(report)
                listing = file_reports(reports, language, len(paths), working=True)
                yield gr.skip(), listing, shelves(self.desk.library, who, language), gr.skip(), gr.skip()
        except GazetteError as error:
            gr.Warning(str(error))
        yield (
            None,
            file_reports(reports, language, len(paths)),
            shelves(self.desk.library, who, language),
            self._scope(visit, who),
            self._welcome(visit, who),
        )

    def remove(self, visit: Visit, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Take a gazette out of the library; the list then offers to put it back."""
        who, source_id = _visitor(request), _source(event)
        try:
            self.desk.library.remove(source_id, who)
        except NotAllowed:
            gr.Warning(say(visit.language, "not_allowed"))
        except KeyError:  # somebody else was quicker; the list made anew shows it
            pass
        except GazetteError as error:
            gr.Warning(str(error))
        if visit.where.gazette == source_id:
            visit = replace(visit, where=replace(visit.where, gazette=None))
        return self._changed_library(visit, who)

    def restore(self, visit: Visit, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Put back a gazette that this visitor took out."""
        who = _visitor(request)
        try:
            self.desk.library.restore(_source(event), who)
        except KeyError:  # pressed twice
            pass
        except GazetteError as error:
            gr.Warning(str(error))
        return self._changed_library(visit, who)

    def _changed_library(self, visit: Visit, who: str) -> tuple[Any, ...]:
        return (
            shelves(self.desk.library, who, visit.language),
            self._scope(visit, who),
            self._welcome(visit, who),
            self.desk.pane(visit, who),
            visit,
        )

    def leave(self, request: gr.Request) -> None:
        """The tab was closed: the visitor's own files go."""
        who = _visitor(request)
        if writing := self._writing.get(who):
            writing.set()
        self.desk.library.forget(who)


def _with_summary(visit: Visit, answer: Answer, summary: Summary) -> Visit:
    turn = Turn(visit.turns[-1].question, replace(answer, summary=summary))
    return replace(visit, turns=(*visit.turns[:-1], turn))


def _source(event: gr.EventData) -> str:
    return str((event._data or {}).get("source"))


def _visitor(request: gr.Request) -> str:
    """Who is asking: the tab's session, which only that tab knows. Empty outside of a browser or client session."""
    return request.session_hash or ""


def _language(said: object) -> Language:
    return "en" if said == "en" else "zh"


def _told(told: str) -> dict[str, Any]:
    """What the browser says on load; nothing where it says something else."""
    try:
        value = json.loads(told or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
