"""The nouns between reading and the answer: a chosen span, a quote that proves, and what was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from qa.candidates import Sentence, Span
from qa.features import Matrix
from qa.records import Status

Made = Literal[
    "span", "field", "yesno", "cell", "names", "list", "speaker", "date", "difference", "conflict", "article", "section"
]


@dataclass(frozen=True, slots=True)
class Choice:
    """The best span of one of the best sentences."""

    sentence: Sentence
    index: int  # of the sentence, in its pool
    span: Span
    score: float  # of the sentence
    value: float  # of the span; comparable among the spans of one question
    others: tuple[Span, ...]  # the next best spans of the same sentence
    row: Matrix  # the sentence's features
    pointed: float = 0.0  # the pointer's score of the span; 0 is as likely as "not here"
    here: float = 0.0  # its best score of any stretch of the sentence

    @property
    def text(self) -> str:
        return self.sentence.text[self.span.start : self.span.end]


@dataclass(frozen=True, slots=True)
class Proof:
    """A stretch of a source that proves, by offsets into its text, and the answering words inside it (or None)."""

    source_id: str
    document_id: str
    start: int
    end: int
    answer: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read. Without proofs it is an abstention and ``reason`` says why."""

    status: Status = "not_found"
    answer: str = ""
    sentence: str = ""
    confidence: float = 0.0
    reason: str = ""
    proofs: tuple[Proof, ...] = ()
    made: Made = "span"  # how the answer was put together
