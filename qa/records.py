"""The nouns of an answer: citation, answer, and the turns of a dialogue."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from index.records import Filter, Hit

Status = Literal["answered", "conflict", "not_found"]
Support = Literal["verbatim", "consistent", "unsupported"]


@dataclass(frozen=True, slots=True)
class Citation:
    """Words of a source that prove an answer, and where they stand.

    ``start`` and ``end`` are code-point offsets into the source text; ``quote`` equals that slice once white space
    and invisible characters are removed. ``answer_start`` and ``answer_end`` are offsets into ``quote``
    (equal where the answer is not in the quote's own words, as for yes/no).
    """

    n: int  # counts from 1, as shown: [1]
    quote: str
    answer_start: int
    answer_end: int
    source: str  # the file's name
    source_id: str
    issue: str
    document: str
    document_id: str
    headings: tuple[str, ...]
    article: str | None
    paragraph: int
    page: int | None
    start: int
    end: int
    reference: str  # GB/T 7714
    organ: str | None = None  # the issuing body
    gazette: str = ""  # the gazette's name, without year and number
    year: int | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class SummarySentence:
    text: str
    citations: tuple[int, ...]
    support: Support


@dataclass(frozen=True, slots=True)
class Summary:
    model: str  # "extract" where the sentences are quotes
    sentences: tuple[SummarySentence, ...]
    note: str = ""  # why a model's words are not there, or not all of them; for the reader

    @property
    def text(self) -> str:
        """What may reach the reader: the supported sentences, joined."""
        return "".join(s.text for s in self.sentences if s.support != "unsupported")


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds."""

    retrieve: float = 0.0
    read: float = 0.0
    summarise: float = 0.0
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gazette says to a question. Without citations it is an abstention (``status == "not_found"``)."""

    question: str
    resolved_question: str
    status: Status
    answer: str = ""
    sentence: str = ""
    confidence: float = 0.0
    reason: str = ""
    citations: tuple[Citation, ...] = ()
    passages: tuple[Hit, ...] = ()
    summary: Summary | None = None
    timings: Timings = field(default_factory=Timings)
    expansions: tuple[tuple[str, str], ...] = ()  # (reader's word, official word) pairs that widened the search
    where: Filter = field(default_factory=Filter)  # what the search was narrowed to
    id: str = ""

    def to_json(self, source_names: dict[str, str] | None = None) -> dict[str, Any]:
        """The public answer record, ready for ``json.dumps``; ``source_names`` maps source ids to file names."""
        names = source_names or {}
        return {
            "id": self.id,
            "question": self.question,
            "resolved_question": self.resolved_question,
            "status": self.status,
            "answer": self.answer,
            "sentence": self.sentence,
            "confidence": round(self.confidence, 4),
            "reason": self.reason,
            "citations": [asdict(c) for c in self.citations],
            "passages": [
                {
                    "rank": rank,
                    "id": hit.passage.id,
                    "source": names.get(hit.passage.source_id, hit.passage.source_id),
                    "document": hit.passage.document,
                    "text": hit.passage.text,
                    "score": round(hit.score, 6),
                    "start": hit.passage.start,
                    "end": hit.passage.end,
                }
                for rank, hit in enumerate(self.passages, 1)
            ],
            "summary": None
            if self.summary is None
            else {
                "text": self.summary.text,
                "model": self.summary.model,
                "sentences": [asdict(s) for s in self.summary.sentences],
                "note": self.summary.note,
            },
            "expansions": [list(pair) for pair in self.expansions],
            "filter": {k: v for k, v in asdict(self.where).items() if v is not None},
            "timings_ms": {k: round(v, 3) for k, v in asdict(self.timings).items()},
        }


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier exchange of a dialogue: what was asked and what was answered."""

    question: str
    answer: Answer
