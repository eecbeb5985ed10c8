"""What the page does, apart from how it looks: a visit's turns, its filter, and the place that is open."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from index.records import Filter, GazetteError
from page.answers import conversation
from page.examples import examples
from page.ledgers import ledger_pane
from page.library import Library, Shelved
from page.reader import Place, cover_pane, document_pane, notice_pane
from page.strings import Language, say
from qa.records import Answer, Turn

SummaryMode = Literal["off", "extract", "model"]

QUESTION_LIMIT = 500  # characters; beyond it a question is a document pasted by mistake
TURNS_KEPT = 40  # of one visit; a browser tab left open for weeks must not grow without end


class Refused(GazetteError):  # noqa: N818 - it says what happened
    """An action the page does not do; the message is for the reader, in the page's language."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Everything one visitor's page holds."""

    language: Language = "zh"
    turns: tuple[Turn, ...] = ()
    dropped: int = 0  # earlier turns that are no longer kept
    where: Filter = field(default_factory=Filter)
    summary: SummaryMode = "off"
    place: Place | None = None
    cover: str | None = None  # the gazette whose cover is open, when no document is
    ledger: str = "votes"
    ledger_gazette: str | None = None  # None for the newest
    ledgers_open: bool = False  # they are made when first looked at
    message: str = ""  # shown in the pane when the place asked for is not there


@dataclass
class _Examples:
    """The example questions found so far, by language, and the index they were made of."""

    index: Shelved | None
    questions: dict[Language, list[str]] = field(default_factory=dict)


class Desk:
    """Answers a visit's actions out of the shared library and the visitor's own files."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._example_lock = threading.Lock()
        self._examples = _Examples(None)

    def examples(self, language: Language) -> list[str]:
        """Questions to begin with, out of the shared library; found once for each state of it, in some tenths of a second."""
        shared = self.library.shared
        with self._example_lock:
            if self._examples.index is not shared.index:
                self._examples = _Examples(shared.index)
            found = self._examples.questions
            if language not in found:
                index = shared.index
                found[language] = examples(index.gazettes, index.source, lambda q: shared.ask(q), language)
            return found[language]

    def examples_at_hand(self, language: Language) -> list[str]:
        """The same, but none where they would have to be found first."""
        known = self._examples
        return known.questions.get(language, []) if known.index is self.library.shared.index else []

    def ask(self, question: str, visit: Visit, visitor: str) -> Visit:
        """The visit with one more turn, opened at its first citation.

        Raises:
            Refused: if there is no question, or it is too long.
        """
        asked = checked(question, visit.language)
        answer = self.answer(asked, visit.turns, visit.where, visitor)
        if visit.summary == "extract":
            answer = self.library.key_points(answer, visitor)
        turns = (*visit.turns, Turn(asked, answer))
        dropped = max(0, len(turns) - TURNS_KEPT)
        turns = turns[dropped:]
        place = visit.place
        if answer.citations:
            first = answer.citations[0]
            place = Place(first.document_id, len(turns) - 1, first.n)
        elif place is not None and place.turn is not None:
            place = replace(place, turn=None, n=None)  # no marks of an earlier answer beside this one
        return replace(visit, turns=turns, dropped=visit.dropped + dropped, place=place, message="")

    def answer(self, question: str, turns: tuple[Turn, ...], where: Filter, visitor: str, k: int = 10) -> Answer:
        """The answer from the library and the visitor's own files: the surer of the two, one found before none."""
        assistants = self.library.assistants(visitor, where.gazette)
        answers = [a.ask(question, turns=turns, k=k, where=where) for a in assistants]
        best = max(answers, key=lambda a: (a.status != "not_found", a.confidence))
        if len(answers) > 1:
            hits = sorted((h for a in answers for h in a.passages), key=lambda h: -h.score)[:k]
            best = replace(best, passages=tuple(hits))
        return replace(best, where=where)

    def open(self, wanted: Mapping[str, Any], visit: Visit, visitor: str) -> Visit:
        """The visit with the wanted place open: a citation, a passage found, a document, a cover, or a link's place.

        A place that is not there opens a message that says so.
        """
        try:
            return self._open(wanted, visit, visitor)
        except (ValueError, TypeError, IndexError, KeyError):
            # Everything in ``wanted`` comes from the browser, where links are cut and pages outlive their index.
            return replace(visit, place=None, cover=None, message=say(visit.language, "bad_link"))

    def _open(self, wanted: Mapping[str, Any], visit: Visit, visitor: str) -> Visit:
        if wanted.get("gazette"):
            known = {g.source_id for g in self.library.gazettes(visitor)}
            cover = str(wanted["gazette"])
            return replace(visit, place=None, cover=cover if cover in known else None, message="")
        if wanted.get("turn") is not None and "document" not in wanted:
            place = _in_turn(visit, int(wanted["turn"]), wanted)
        elif wanted.get("s"):
            start, _, end = str(wanted.get("at", "")).partition("-")
            found = self.library.document_at(str(wanted["s"]), int(start), visitor)
            if found is None:
                gone = say(visit.language, "gone", source=str(wanted["s"])[:40])
                return replace(visit, place=None, cover=None, message=gone)
            place = Place(found.id, at=int(start), end=max(int(start), int(end or start)))
        else:
            at = int(wanted["at"]) if wanted.get("at") is not None else None
            place = Place(str(wanted["document"]), at=at, glance=bool(wanted.get("glance")))
            if visit.place and visit.place.document_id == place.document_id and at is not None:
                place = replace(place, turn=visit.place.turn)
        return replace(visit, place=place, message="")

    def pane(self, visit: Visit, visitor: str) -> str:
        """The reading pane of the visit as HTML."""
        if visit.message:
            return notice_pane(visit.message)
        gazettes = self.library.gazettes(visitor)
        if visit.place is None:
            cover = next((g for g in gazettes if g.source_id == visit.cover), None)
            return cover_pane(gazettes, cover, visit.language)
        found = self.library.document(visit.place.document_id, visitor)
        if found is None:
            source = visit.place.document_id.rpartition("-")[0] or visit.place.document_id
            return notice_pane(say(visit.language, "gone", source=source[:40]))
        gazette, document = found
        source_text = self.library.source(document.source_id, visitor)
        turn = visit.place.turn
        answer = visit.turns[turn].answer if turn is not None and turn < len(visit.turns) else None
        glance = self._glance(document.id, visit, visitor) if visit.place.glance else ""
        return document_pane(source_text, gazette, document, visit.place, answer, visit.language, glance)

    def _glance(self, document_id: str, visit: Visit, visitor: str) -> str:
        """The document at a glance as HTML."""
        from page.glance import glance
        from qa.digest import digest

        shelves = (assistant.index for assistant in self.library.assistants(visitor))
        return glance(digest(document_id, next(s for s in shelves if document_id in s.documents)), visit.language)

    def talk(self, visit: Visit, visitor: str) -> str:
        """The conversation of the visit as HTML; empty before the first question."""
        return conversation(visit.turns, visit.language, self.scopes(visitor), visit.dropped)

    def ledgers(self, visit: Visit, visitor: str) -> str:
        """The chosen ledger of the chosen gazette as HTML."""
        gazettes = self.library.gazettes(visitor)
        if not gazettes:
            return ""
        chosen = self.ledger_gazette(visit, visitor)
        gazette = next(g for g in gazettes if g.source_id == chosen)
        return ledger_pane(gazettes, gazette, self.library.facts(chosen, visitor), visit.ledger, visit.language)

    def ledger_gazette(self, visit: Visit, visitor: str) -> str:
        """The id of the gazette whose ledgers are shown: the one chosen, the one being read, or the newest.

        Raises:
            ValueError: if there is no gazette.
        """
        gazettes = self.library.gazettes(visitor)
        known = {g.source_id for g in gazettes}
        read = visit.place.document_id.rpartition("-")[0] if visit.place else None
        for wanted in (visit.ledger_gazette, read):
            if wanted in known:
                return str(wanted)
        return max(gazettes, key=lambda g: (g.year or 0, g.number or 0)).source_id

    def scopes(self, visitor: str) -> dict[str, str]:
        """Source id -> issue, for words about what was searched."""
        return {g.source_id: g.issue for g in self.library.gazettes(visitor)}


def checked(question: str, language: Language) -> str:
    """The question without white space around it.

    Raises:
        Refused: if nothing is left, or more than ``QUESTION_LIMIT`` characters.
    """
    text = question.strip()
    if not text:
        raise Refused(say(language, "empty"))
    if len(text) > QUESTION_LIMIT:
        raise Refused(say(language, "too_long", n=len(text), limit=QUESTION_LIMIT))
    return text


def _in_turn(visit: Visit, turn: int, wanted: Mapping[str, Any]) -> Place:
    """The place of a turn's citation ``n`` or passage ``rank``.

    Raises:
        IndexError, KeyError: if there is no such turn, citation or passage.
    """
    if turn < 0:
        raise IndexError(turn)
    answer = visit.turns[turn].answer
    if "rank" in wanted:
        passage = answer.passages[int(wanted["rank"])].passage
        return Place(passage.document_id, turn, at=passage.start, end=passage.end)
    citation = {c.n: c for c in answer.citations}[int(wanted["n"])]
    return Place(citation.document_id, turn, citation.n)
