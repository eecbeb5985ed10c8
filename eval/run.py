"""Ask every question of a set and score what comes back, one outcome a question."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, Protocol

from eval.metrics import is_right, rouge_l, shown
from eval.questions import SHOWN_LIMIT, Question, QuestionFileError, QuestionSet, without_space
from index.records import Filter
from index.text import is_invisible
from qa.records import Answer, Citation, Turn

if TYPE_CHECKING:
    from index.records import Passage
    from index.store import Index
    from qa.ask import Assistant

Cause = Literal[
    "", "evidence cut", "not retrieved", "ranked low", "retrieved, not read", "wrong span", "long form only",
    "wrongly refused", "answered unanswerable",
]  # fmt: skip
"""The step that lost a question, guessed from what came back; "" when none did. "evidence cut": no passage holds a
whole evidence quote, so it could not be hit. "ranked low": found, but behind ``NEAR``, and another sentence was taken.
"long form only": the sentence is right, the short answer is not."""

RETRIEVED = 10  # passages a question is asked with and scored by
NEAR = 5  # ranks in which evidence is near enough to be read before others


class Asks(Protocol):
    """What is evaluated: ``qa.ask.Assistant``, a baseline, or a fake in a test."""

    def ask(
        self, question: str, *, turns: Sequence[Turn] = (), k: int = RETRIEVED, where: Filter | None = None
    ) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Summarising:
    """An assistant that adds to every answer a summary in the gazette's own words."""

    assistant: Assistant

    def ask(
        self, question: str, *, turns: Sequence[Turn] = (), k: int = RETRIEVED, where: Filter | None = None
    ) -> Answer:
        return self.assistant.ask(question, turns=turns, k=k, where=where, summary="extract")


class Sources(Protocol):
    """Where the texts are: an open index, or a fake in a test."""

    def text(self, source_id: str) -> str: ...

    def source_id(self, name: str) -> str: ...

    def passages(self) -> Iterable[Passage]: ...


@dataclass(frozen=True, slots=True)
class IndexTexts:
    """The texts of an open index."""

    index: Index

    def text(self, source_id: str) -> str:
        return self.index.source(source_id).text

    def source_id(self, name: str) -> str:
        """The id of the source with this file name.

        Raises:
            QuestionFileError: if the index has none.
        """
        for source_id, own in self.index.source_names.items():
            if own == name:
                return source_id
        raise QuestionFileError(f"no source {name!r} in {self.index.folder}, but a question is asked within it")

    def passages(self) -> Iterable[Passage]:
        for document_id in self.index.documents:
            yield from self.index.passages(document_id)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question, what came back, and what that is worth."""

    id: str
    question: str
    resolved_question: str
    type: str
    style: str
    turn: int  # of a dialogue, from 1; 0 for a single question
    answerable: bool
    expected: tuple[tuple[str, ...], ...]
    evidence: tuple[str, ...]
    document: str
    status: str
    answer: str
    sentence: str
    confidence: float
    reason: str
    relevant_ranks: tuple[int, ...]  # of the first passages, those with an evidence quote; ranks from 1
    top_passage: str  # document and text of the first passage, cut short, for reading misses
    short: bool
    shown: bool
    citations: int
    verbatim: int  # citations that equal the source at their offsets
    proving: int  # citations that overlap an evidence quote in the source
    cause: Cause
    milliseconds: float
    alone: bool | None = None  # a dialogue's turn asked by itself, fully worded: was it shown right
    kind: str = ""  # of an unanswerable question: near miss, false premise, ...
    relevant: int = 0  # passages with an evidence quote, among all that the question is asked of
    covered: int = 0  # evidence quotes that a citation overlaps
    summary_rouge: float | None = None  # ROUGE-L of the summary against the evidence, where one was made

    @property
    def refused(self) -> bool:
        return self.status == "not_found"

    @property
    def right(self) -> bool:
        """Shown right, or rightly refused."""
        return self.shown if self.answerable else self.refused

    @property
    def too_long(self) -> bool:
        """Answer and sentence together pass the limit, so that their end was not looked at."""
        return len(self.answer) + len(self.sentence) > SHOWN_LIMIT


def run(
    questions: QuestionSet, assistant: Asks, sources: Sources, *, progress: Callable[[int], object] | None = None
) -> list[Outcome]:
    """Every question asked once, then every dialogue turn by turn with the assistant's own answers as its past.

    ``progress(1)`` is called after each question. Dialogue turns are also asked alone in their full wording,
    which tells what is lost in completing them from what is lost in answering.
    """
    score = _Scorer(sources)
    outcomes: list[Outcome] = []

    def add(outcome: Outcome) -> None:
        outcomes.append(outcome)
        if progress is not None:
            progress(1)

    for question in questions.questions:
        answer, milliseconds = _timed(assistant, question.text, (), where_of(question, sources))
        add(score(question, answer, milliseconds))
    for dialogue in questions.dialogues:
        turns: list[Turn] = []
        for turn, question in enumerate(dialogue.turns, 1):
            where = where_of(question, sources)
            answer, milliseconds = _timed(assistant, question.text, turns, where)
            alone = None
            if question.standalone and turns:
                alone = score(question, assistant.ask(question.standalone, k=RETRIEVED, where=where), 0.0).right
            add(score(question, answer, milliseconds, turn=turn, alone=alone))
            turns.append(Turn(question.text, answer))
    return outcomes


def where_of(question: Question, sources: Sources) -> Filter | None:
    """What retrieval is limited to: the source that the question is asked within."""
    return Filter(gazette=sources.source_id(question.within)) if question.within else None


def is_verbatim(citation: Citation, text: str) -> bool:
    """True when the quote equals the source at its offsets, white space and invisible characters aside.

    The answer's offsets must lie inside the quote.
    """
    if not (0 <= citation.start < citation.end <= len(text)):
        return False
    if not (0 <= citation.answer_start <= citation.answer_end <= len(citation.quote)):
        return False
    return _bare(citation.quote) == _bare(text[citation.start : citation.end])


def _timed(assistant: Asks, question: str, turns: Sequence[Turn], where: Filter | None) -> tuple[Answer, float]:
    begun = time.perf_counter()
    answer = assistant.ask(question, turns=tuple(turns), k=RETRIEVED, where=where)
    return answer, (time.perf_counter() - begun) * 1000


def _places(text: str, quote: str) -> Iterator[int]:
    """Where the quote begins in the text; nowhere if it is empty."""
    at = text.find(quote) if quote else -1
    while at >= 0:
        yield at
        at = text.find(quote, at + 1)


def _bare(text: str) -> str:
    return "".join(char for char in text if not (char.isspace() or is_invisible(char)))


class _Scorer:
    """Scores answers against one set of sources, whose texts are folded once."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._folded = lru_cache(maxsize=64)(self._fold)

    def __call__(
        self,
        question: Question,
        answer: Answer,
        milliseconds: float,
        *,
        turn: int = 0,
        alone: bool | None = None,
    ) -> Outcome:
        quotes = [without_space(quote) for quote in question.evidence]
        passages = [without_space(hit.passage.text) for hit in answer.passages[:RETRIEVED]]
        refused = answer.status == "not_found"
        top = answer.passages[0].passage if answer.passages else None
        summary = answer.summary.text if answer.summary else ""
        outcome = Outcome(
            id=question.id,
            question=question.text,
            resolved_question=answer.resolved_question,
            type=question.type,
            style=question.style,
            turn=turn,
            answerable=question.answerable,
            expected=question.groups,
            evidence=question.evidence,
            document=question.document,
            status=answer.status,
            answer=answer.answer,
            sentence=answer.sentence,
            confidence=answer.confidence,
            reason=answer.reason,
            relevant_ranks=tuple(n for n, text in enumerate(passages, 1) if any(quote in text for quote in quotes)),
            top_passage=f"{top.document}：{top.text[:80]}" if top else "",
            short=not refused and is_right(answer.answer, question.groups),
            shown=not refused and is_right(shown(answer.answer, answer.sentence), question.groups),
            citations=len(answer.citations),
            verbatim=sum(is_verbatim(c, self._sources.text(c.source_id)) for c in answer.citations),
            proving=sum(self._proves(citation, quotes) for citation in answer.citations),
            cause="",
            milliseconds=milliseconds,
            alone=alone,
            kind=question.kind,
            relevant=self._holding(quotes, question.within),
            covered=sum(any(self._proves(c, [quote]) for c in answer.citations) for quote in quotes),
            summary_rouge=rouge_l(summary, "".join(quotes)) if summary and quotes else None,
        )
        return replace(outcome, cause=self._cause(outcome, quotes))

    def _cause(self, outcome: Outcome, quotes: Sequence[str]) -> Cause:
        if not outcome.answerable:
            return "" if outcome.refused else "answered unanswerable"
        if outcome.shown:
            return "" if outcome.short else "long form only"
        # The answer may be cited from a passage that does not hold the whole evidence quote.
        if not outcome.relevant_ranks and not outcome.proving:
            return "not retrieved" if outcome.relevant else "evidence cut"
        if outcome.refused:
            return "wrongly refused"
        if outcome.proving:
            return "wrong span"
        return "ranked low" if min(outcome.relevant_ranks) > NEAR else "retrieved, not read"

    @cached_property
    def _passages(self) -> tuple[str, list[int], list[str]]:
        """All passages in one text, parted by NUL, where each of them begins, and its source."""
        passages = list(self._sources.passages())
        texts = [without_space(passage.text) for passage in passages]
        begins = [0, *accumulate(len(text) + 1 for text in texts)]
        return "\0".join(texts), begins, [passage.source_id for passage in passages]

    def _holding(self, quotes: Sequence[str], within: str) -> int:
        """How many passages hold a quote, of the index or of the source named."""
        text, begins, sources = self._passages
        found = {bisect_right(begins, at) - 1 for quote in quotes for at in _places(text, quote)}
        wanted = self._sources.source_id(within) if within else ""
        return sum(not within or sources[n] == wanted for n in found)

    def _proves(self, citation: Citation, quotes: Sequence[str]) -> bool:
        """True when the citation's place overlaps a place where an evidence quote stands."""
        text, offsets = self._folded(citation.source_id)
        start, end = bisect_left(offsets, citation.start), bisect_left(offsets, citation.end)
        for quote in quotes:
            # A quote that begins before the citation and reaches into it begins at most its own length earlier.
            at = text.find(quote, max(0, start - len(quote) + 1))
            if quote and 0 <= at < end:
                return True
        return False

    def _fold(self, source_id: str) -> tuple[str, list[int]]:
        text = self._sources.text(source_id)
        offsets = [i for i, char in enumerate(text) if not char.isspace()]
        return "".join(text[i] for i in offsets), offsets
