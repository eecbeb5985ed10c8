"""Every action of the page for programs: gradio API endpoints, and with ``--mcp`` the same as MCP tools."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from index.records import Document, Filter, Gazette, GazetteError
from page.desk import Desk, checked
from page.feedback import Feedback
from page.startup import without_stubs
from qa.cite import Style, reference
from qa.records import Answer, Turn

with without_stubs():
    import gradio as gr
    from gradio.events import api as endpoint_of

DOCUMENT_CHARACTERS = 20_000  # of one read_document reply
PASSAGES = 50


class Api:
    """The endpoints. Docstrings are what a program, or a model using the tools, is told of them."""

    def __init__(self, desk: Desk, feedback: Feedback) -> None:
        self._desk = desk
        self._feedback = feedback

    def ask(
        self,
        question: str,
        earlier_questions: list[str] | None = None,
        gazette: str = "",
        year: int = 0,
        kind: str = "",
        organ: str = "",
        summary: str = "off",
        k: int = 10,
    ) -> dict[str, Any]:
        """Answer a question from the gazettes, quoting them word for word with citations; abstains when they are silent.

        Args:
            question: The question, in Chinese or English.
            earlier_questions: Questions asked before it in the same conversation, oldest first.
            gazette: Only this gazette, by its id from list_gazettes; empty for all.
            year: Only gazettes of this year; 0 for all.
            kind: Only documents of this kind (报告, 决定, 决议, 办法, ...); empty for all.
            organ: Only documents of this organ; empty for all.
            summary: "extract" adds key sentences taken from the passages; "off" adds none.
            k: How many passages to give with the answer.

        Returns:
            The answer record: status, answer, sentence, confidence, citations, passages.
        """
        where = _where(gazette, year, kind, organ)
        turns: tuple[Turn, ...] = ()
        for earlier in (earlier_questions or [])[-5:]:
            text = _question(earlier)
            turns = (*turns, Turn(text, self._desk.answer(text, turns, where, "")))
        answer = self._desk.answer(_question(question), turns, where, "", k=max(1, min(k, PASSAGES)))
        if summary == "extract":
            answer = self._desk.library.key_points(answer, "")
        return self._record(answer)

    def search(
        self, query: str, k: int = 10, gazette: str = "", year: int = 0, kind: str = "", organ: str = ""
    ) -> list[dict[str, Any]]:
        """Find the passages of the gazettes nearest to a query, best first, without answering it.

        Args:
            query: Words or a question.
            k: How many passages, at most 50.
            gazette: Only this gazette, by id; empty for all.
            year: Only gazettes of this year; 0 for all.
            kind: Only documents of this kind; empty for all.
            organ: Only documents of this organ; empty for all.

        Returns:
            Passages with rank, id, source, document, text, score, start and end.
        """
        where = _where(gazette, year, kind, organ)
        answer = self._desk.answer(_question(query), (), where, "", k=max(1, min(k, PASSAGES)))
        passages: list[dict[str, Any]] = self._record(answer)["passages"]
        return passages

    def list_gazettes(self) -> list[dict[str, Any]]:
        """List the gazettes that can be asked, each with its documents and their ids.

        Returns:
            Gazettes with id, title, year, number, organ, file and documents.
        """
        library = self._desk.library
        return [
            {
                "id": g.source_id,
                "issue": g.issue,
                "title": g.title,
                "organ": g.organ,
                "year": g.year,
                "number": g.number,
                "file": library.source(g.source_id, "").name,
                "documents": [_document(d) for d in g.documents],
            }
            for g in library.gazettes("")
        ]

    def read_document(self, document_id: str, start: int = 0) -> dict[str, Any]:
        """Read the text of one document of a gazette, word for word, at most 20,000 characters at a time.

        Args:
            document_id: The document's id, from list_gazettes or a citation.
            start: Where to begin, as an offset into the document's source; 0 for its beginning.

        Returns:
            The document's title, kind and text, with "next" for the rest (null at the end).
        """
        gazette, document = self._find(document_id)
        begin = max(document.start, min(start, document.end))
        end = min(document.end, begin + DOCUMENT_CHARACTERS)
        return {
            **_document(document),
            "issue": gazette.issue,
            "text": self._desk.library.source(document.source_id, "").text[begin:end],
            "start": begin,
            "end": end,
            "next": end if end < document.end else None,
        }

    def digest(self, document_id: str) -> dict[str, Any]:
        """Give a document at a glance, word for word: one sentence, key points, figures, and what is demanded by when.

        Args:
            document_id: The document's id, from list_gazettes or a citation.

        Returns:
            gist, points, figures and demands, each with its citation.
        """
        from qa.digest import digest

        self._find(document_id)
        shelves = (assistant.index for assistant in self._desk.library.assistants(""))
        return digest(document_id, next(s for s in shelves if document_id in s.documents)).to_json()

    def cite(self, question: str, n: int = 1, style: str = "gbt") -> str:
        """Give the citation of an answer as text to paste.

        Args:
            question: The question whose answer is cited.
            n: Which of the answer's citations, from 1.
            style: "gbt" (GB/T 7714), "plain", "markdown" or "bibtex".

        Returns:
            The citation.
        """
        answer = self._desk.answer(_question(question), (), Filter(), "")
        styles: dict[str, Style] = {"gbt": "gbt", "plain": "plain", "markdown": "markdown", "bibtex": "bibtex"}
        if style not in styles:
            raise gr.Error(f"unknown style {style!r}: use one of {', '.join(styles)}", print_exception=False)
        citation = next((c for c in answer.citations if c.n == n), None)
        if citation is None:
            raise gr.Error(f"this answer has no citation {n}", print_exception=False)
        return reference(citation, styles[style])

    def ledger(self, kind: str, gazette: str = "") -> list[dict[str, str]]:
        """List what a gazette states of one kind, each row with its sentence and place.

        Args:
            kind: "appointments", "votes", "figures", "undertakings", "links", "status" or "checks".
            gazette: The gazette's id from list_gazettes; empty for the first.

        Returns:
            Rows; empty where the gazette states nothing of the kind.
        """
        known = {g.source_id for g in self._desk.library.gazettes("")}
        source_id = gazette or next(iter(known), "")
        if source_id not in known:
            raise gr.Error("no gazette has this id: see list_gazettes", print_exception=False)
        rows = self._desk.library.facts(source_id, "").rows
        found = next((rows[k] for k in rows if k == kind), None)
        if found is None:
            raise gr.Error(f"no such ledger: use one of {', '.join(rows)}", print_exception=False)
        return found

    def feedback(self, question: str, verdict: str, note: str = "") -> str:
        """Record on this machine whether the answer to a question was right.

        Args:
            question: The question that was asked.
            verdict: "right", "wrong" or "wrong_citation".
            note: What should be known about it.

        Returns:
            "ok".
        """
        try:
            self._feedback.keep(self._desk.answer(_question(question), (), Filter(), ""), verdict, note)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from error
        return "ok"

    def _record(self, answer: Answer) -> dict[str, Any]:
        return answer.to_json(self._desk.library.names(""))

    def _find(self, document_id: str) -> tuple[Gazette, Document]:
        found = self._desk.library.document(document_id, "")
        if found is None:
            raise gr.Error("no document has this id: see list_gazettes", print_exception=False)
        return found


def offer(desk: Desk, feedback: Feedback) -> None:
    """Add the endpoints to the Blocks being built."""
    api = Api(desk, feedback)
    asked = (api.ask, api.search, api.list_gazettes, api.read_document, api.digest, api.cite, api.ledger, api.feedback)
    for endpoint in asked:
        endpoint_of(endpoint, api_name=endpoint.__name__, concurrency_id="find")


def _question(text: str) -> str:
    try:
        return checked(text, "zh")
    except GazetteError as error:
        raise gr.Error(str(error), print_exception=False) from error


def _where(gazette: str, year: int, kind: str, organ: str) -> Filter:
    return Filter(
        gazette=gazette or None, year_from=year or None, year_to=year or None, kind=kind or None, organ=organ or None
    )


def _document(document: Document) -> dict[str, Any]:
    record = asdict(document)
    del record["paragraphs"]
    return record
