"""The one pipeline: dialogue -> question -> retrieve -> read -> cite (-> summarise) -> Answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from index.embed import SHIPPED_NAME
from index.records import Filter, Hit
from index.text import fold
from qa.cite import cite
from qa.dialogue import complete
from qa.english import Rendering, is_english, render
from qa.evidence import Proof, Reading
from qa.generate import SECONDS
from qa.orders import without_orders
from qa.pinyin import names_in
from qa.question import analyse
from qa.read import GREETING, default_reader
from qa.reasons import in_english
from qa.records import Answer, Citation, Timings, Turn
from qa.retrieve import DEFAULT, Weights, retrieve
from qa.vocabulary import NO_VOCABULARY, shipped_vocabulary

if TYPE_CHECKING:
    from index.store import Index
    from qa.generate import Model
    from qa.rank import Reranker

SummaryKind = Literal["off", "extract", "model"]
READ = 5  # passages whose words decide which of a glossary's Chinese words the reader is asked with
MOST_CHARACTERS = 2000  # of a question; what is longer is a document pasted by mistake


class Assistant:
    """An open index that answers questions; safe to share among threads.

    ``model`` writes the summaries asked for with ``summary="model"``, in ``seconds`` at most; with ``rewrite`` it also
    completes follow-ups and words the search. ``reranker`` puts the first ten passages in its own order; without
    ``expand`` readers' words are not widened by official ones; ``weights`` are those of the search.
    """

    def __init__(
        self,
        index: Index,
        *,
        reranker: Reranker | None = None,
        model: Model | None = None,
        rewrite: bool = False,
        seconds: float = SECONDS,
        expand: bool = True,
        weights: Weights = DEFAULT,
    ) -> None:
        self.index = index
        self.model = model
        self.rewrite = rewrite
        self.seconds = seconds
        self.reranker = reranker
        self.vocabulary = shipped_vocabulary() if expand else NO_VOCABULARY
        self.weights = weights

    def over(self, index: Index) -> Assistant:
        """The same assistant over another index, or a newer state of its own."""
        other = copy(self)
        other.index = index
        return other

    def ask(
        self,
        question: str,
        *,
        turns: Sequence[Turn] = (),
        k: int = 10,
        where: Filter | None = None,
        summary: SummaryKind = "off",
        id: str = "",  # noqa: A002 - the record's own name for it
    ) -> Answer:
        """The answer with its citations and the ``k`` passages found, or an abstention with its reason.

        Raises:
            ValueError: if the question is empty or longer than ``MOST_CHARACTERS``, or ``k`` is below 1.
        """
        if not question.strip():
            raise ValueError("问题是空的：请输入一个问题")
        if len(question) > MOST_CHARACTERS:
            raise ValueError(f"问题有 {len(question)} 个字符，最多 {MOST_CHARACTERS} 个：请缩短后再问")
        if k < 1:
            raise ValueError(f"k 是 {k}，至少为 1")
        began = time.perf_counter()
        where = where or Filter()
        resolved = self._completed(question, turns)
        asked = analyse(resolved)
        english = self._rendered(resolved, where)
        search = english.search if english else resolved
        hits = [] if asked.is_chatter else self._found(search, max(k, 10), where)
        if english and not asked.is_chatter:
            asked = analyse(english.question("\n".join(hit.passage.context + hit.passage.text for hit in hits[:READ])))
        found = time.perf_counter()
        if english and english.missing:
            reading = Reading(reason=f"公报中没有读作“{english.missing[0]}”的名字。")
        else:
            reading = without_orders(default_reader().read(self.index, asked, hits), self.index)
        answer = Answer(
            question=question,
            resolved_question=resolved,
            status=reading.status,
            answer=reading.answer,
            sentence=reading.sentence,
            confidence=reading.confidence,
            reason=self._reason(reading, english),
            citations=self._citations(reading),
            passages=tuple(hits[:k]),
            where=where,
            expansions=self._expansions(search, hits[:k]),
            id=id,
        )
        done = time.perf_counter()
        answer = self._summarised(answer, summary)
        end = time.perf_counter()
        timings = Timings(
            retrieve=1e3 * (found - began),
            read=1e3 * (done - found),
            summarise=1e3 * (end - done),
            total=1e3 * (end - began),
        )
        return replace(answer, timings=timings)

    def _rendered(self, question: str, where: Filter) -> Rendering | None:
        """An English question in Chinese words, its names as the gazettes have them; None for any other."""
        if not is_english(question):
            return None
        return render(question, lambda words: names_in(self.index, words, where))

    def _reason(self, reading: Reading, english: Rendering | None) -> str:
        """The reason in the language of the question; to an English one it is said how it was looked for."""
        if english is None or not reading.reason:
            return reading.reason
        reason = in_english(reading.reason)
        if reading.reason == GREETING or self.index.encoder.name != SHIPPED_NAME:
            return reason
        unknown = ", ".join(english.unknown[:5])
        return (
            f"{reason} The encoder reads Chinese: of an English question only figures, names and the words of a glossary "
            f"are looked for{f', which lacks: {unknown}' if unknown else ''}. Asking in Chinese finds more."
        )

    def _completed(self, question: str, turns: Sequence[Turn]) -> str:
        if self.rewrite and self.model is not None and turns:
            from qa.rewrite import completed

            return completed(question, turns, self.model) or complete(question, turns)
        return complete(question, turns)

    def _found(self, question: str, k: int, where: Filter) -> list[Hit]:
        hits = self._retrieve(question, k, where)
        if self.rewrite and self.model is not None:
            from qa.rewrite import interleaved, official

            worded = official(question, self.model)
            return interleaved(hits, self._retrieve(worded, k, where), k) if worded else hits
        return hits

    def _retrieve(self, question: str, k: int, where: Filter) -> list[Hit]:
        return retrieve(
            self.index,
            question,
            k,
            where=where,
            vocabulary=self.vocabulary,
            reranker=self.reranker,
            weights=self.weights,
        )

    def _expansions(self, question: str, hits: Sequence[Hit]) -> tuple[tuple[str, str], ...]:
        """The official words that widened the search and stand in what it found, each with the reader's word."""
        found = fold("\n".join(hit.passage.context + hit.passage.text for hit in hits))
        return tuple((e.lay, e.official) for e in self.vocabulary.expand(question) if e.official in found)

    def _summarised(self, answer: Answer, summary: SummaryKind) -> Answer:
        if summary == "off" or not answer.citations:
            return answer
        from qa.keypoints import key_points
        from qa.summarise import summarise

        answer = key_points(answer, self.index)
        return summarise(answer, self.model, seconds=self.seconds) if summary == "model" and self.model else answer

    def _citations(self, reading: Reading) -> tuple[Citation, ...]:
        return tuple(self._cite(n, proof) for n, proof in enumerate(reading.proofs, 1))

    def _cite(self, n: int, proof: Proof) -> Citation:
        source = self.index.source(proof.source_id)
        document = self.index.documents[proof.document_id]
        return cite(n, source, self.index.gazette(proof.source_id), document, proof.start, proof.end, proof.answer)


def ask(question: str, index: Index | Path | None = None, **options: Any) -> Answer:
    """One answer from an index, or from the folder of one; the default index where none is given."""
    from index.store import open_index

    if index is None:
        from index.home import default_index

        index = default_index()
    if isinstance(index, Path):
        with open_index(index) as opened:
            return Assistant(opened).ask(question, **options)
    return Assistant(index).ask(question, **options)
