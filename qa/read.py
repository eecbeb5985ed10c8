"""Passages found -> the words that answer, the quotes that prove them and how sure that is; or an abstention.

Sentences of the passages and their neighbours are ranked, then spans inside the best ones; both scorers are boosted
trees fitted by models/train.py. What a single span cannot say (lists, yes and no, sums, sources that differ, articles
by their number) is put together in ``qa.compose`` and ``qa.articles``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from index.embed import Encoder, load_encoder
from index.records import Hit
from qa import articles, compose, confidence
from qa.candidates import DocumentSentences, Sentence, context_sentences
from qa.evidence import Choice, Reading
from qa.features import Matrix, Pool, WordRows, ask, span_features
from qa.question import Question, analyse
from qa.trees import Trees
from qa.words import flat

if TYPE_CHECKING:
    from index.store import Index

MODELS = Path(__file__).with_name("models")
SENTENCES_READ = 4  # spans are looked for in the best few only
MOST_SENTENCES = 160
KEPT_DOCUMENTS = 256
GREETING = "您好，我是公报问答助手，只回答公报里写了的内容，例如数字、日期、人员、文件和条文，并给出原文出处。"


class Reader:
    """The scorers and what they need, loaded once; ``read`` may be called from several threads."""

    def __init__(self, encoder: Encoder | None = None) -> None:
        # The scorers learned from the shipped encoder's vectors; another index encoder finds passages, not spans.
        self.encoder = encoder or load_encoder()
        self._sentence_trees = Trees.load(MODELS / "sentence.safetensors")
        self._span_trees = Trees.load(MODELS / "span.safetensors")
        self._words = WordRows()
        self._documents: OrderedDict[str, DocumentSentences] = OrderedDict()
        self._vectors: WeakKeyDictionary[Sentence, Matrix] = WeakKeyDictionary()
        self._lock = Lock()

    def read(self, index: Index, question: Question, hits: Sequence[Hit]) -> Reading:
        """The answer that the hits hold, or an abstention with its reason."""
        if question.is_chatter:
            return Reading(reason=GREETING)
        place = articles.resolve(index, question, hits)
        if isinstance(place, Reading):
            return place
        made = self.consider(index, question, hits, place)
        if made is None:
            return Reading(reason=confidence.nothing_found(question))
        pool, choices, reading = made
        return confidence.judge(reading, pool, choices, index)

    def consider(
        self, index: Index, question: Question, hits: Sequence[Hit], place: articles.Place | None = None
    ) -> tuple[Pool, list[Choice], Reading] | None:
        """What would be answered, sure or not, with what it was chosen from; None where nothing can be read."""
        if not question.topics:
            return None
        with self._lock:
            sentences, scores = self._gather(index, () if place else hits, place)
            if not sentences:
                return None
            homes = {i: flat(index.gazette(i).issue) for i in {s.source_id for s in sentences}}
            pool = self._pool(question, sentences, scores, homes)
            choices = choose(pool, self._sentence_trees.score, self._span_trees.score)
            if not choices:
                return None
            return pool, choices, compose.compose(pool, choices, lambda i: self._document(index, i))

    def read_context(self, question: str, context: str) -> tuple[str, float]:
        """The words of the context that answer, verbatim, and how sure that is; ("", p) where nothing fits."""
        asked = analyse(question)
        sentences = context_sentences(context)
        if not sentences:
            return "", 0.0
        with self._lock:
            pool = self._pool(asked, sentences, [1.0] * len(sentences))
            choices = choose(pool, self._sentence_trees.score, self._span_trees.score)
        if not choices:
            return "", 0.0
        best = choices[0]
        start, end = best.sentence.source_span(best.span.start, best.span.end)
        return context[start:end], confidence.probability(confidence.features(pool, choices))

    def _document(self, index: Index, document_id: str) -> DocumentSentences:
        if document_id not in self._documents:
            document = index.documents[document_id]
            self._documents[document_id] = DocumentSentences(document, index.source(document.source_id).text)
            while len(self._documents) > KEPT_DOCUMENTS:
                self._documents.popitem(last=False)
        self._documents.move_to_end(document_id)
        return self._documents[document_id]

    def _gather(
        self, index: Index, hits: Sequence[Hit], article: articles.Place | None
    ) -> tuple[list[Sentence], list[float]]:
        """Sentences of the hits and of the paragraphs beside them, in the order of the text, each with 1 / rank."""
        ranked: dict[tuple[str, int], float] = {}
        if article is not None:
            for i in article.paragraphs:
                ranked[article.document_id, i] = 1.0
        for rank, hit in enumerate(hits, 1):
            document = self._document(index, hit.passage.document_id)
            inside = document.between(hit.passage.start, hit.passage.end)
            for i in inside:
                key = (hit.passage.document_id, i)
                ranked[key] = max(ranked.get(key, 0.0), 1.0 / rank)
            if inside:
                for i in (inside[0] - 1, inside[-1] + 1):
                    ranked.setdefault((hit.passage.document_id, i), 0.5 / rank)
        return self._sentences(index, ranked)

    def _sentences(self, index: Index, ranked: dict[tuple[str, int], float]) -> tuple[list[Sentence], list[float]]:
        kept: list[tuple[str, int]] = []
        n = 0
        for key in sorted(ranked, key=lambda k: -ranked[k]):
            n += len(self._document(index, key[0]).paragraph(key[1]))
            if kept and n > MOST_SENTENCES:
                break
            kept.append(key)
        sentences: list[Sentence] = []
        scores: list[float] = []
        for key in sorted(kept):
            made = self._document(index, key[0]).paragraph(key[1])
            sentences.extend(made)
            scores.extend([ranked[key]] * len(made))
        return sentences, scores

    def _pool(
        self,
        question: Question,
        sentences: Sequence[Sentence],
        scores: Sequence[float],
        homes: Mapping[str, str] | None = None,
    ) -> Pool:
        new = [s for s in sentences if s not in self._vectors]
        if new:
            self._vectors.update(zip(new, self.encoder.encode_document([s.text for s in new]), strict=True))
        vectors = np.stack([self._vectors[s] for s in sentences])
        query = self.encoder.encode_query([question.text])[0]
        return Pool(ask(question), list(sentences), vectors, query, self._words, list(scores), homes or {})


def choose(
    pool: Pool, score_sentences: Callable[[Matrix], Matrix], score_spans: Callable[[Matrix], Matrix]
) -> list[Choice]:
    """The best span of each of the ``SENTENCES_READ`` best sentences, best first."""
    rows = pool.features()
    scores = score_sentences(rows)
    order = np.argsort(-scores, kind="stable")[:SENTENCES_READ]
    top = float(scores[order[0]])
    parts = [
        (int(i), span_features(pool, pool.sentences[i], float(scores[i]), top - float(scores[i]), rank))
        for rank, i in enumerate(order)
        if pool.sentences[i].spans_for(pool.asked.question.kind)
    ]
    if not parts:
        return []
    values = score_spans(np.concatenate([x for _, x in parts]))
    choices: list[Choice] = []
    at = 0
    for i, x in parts:
        mine = values[at : at + len(x)]
        at += len(x)
        best = np.argsort(-mine, kind="stable")
        spans = pool.sentences[i].spans_for(pool.asked.question.kind)
        choices.append(
            Choice(
                pool.sentences[i],
                i,
                spans[int(best[0])],
                float(scores[i]),
                float(mine[best[0]]),
                tuple(spans[int(j)] for j in best[1:6]),
                rows[i],
            )
        )
    return sorted(choices, key=lambda c: -c.value)


@lru_cache(maxsize=1)
def default_reader() -> Reader:
    """The reader over the shipped encoder, loaded on first use."""
    return Reader()


def read(index: Index, question: Question, hits: Sequence[Hit]) -> Reading:
    """What the hits answer to the question; see ``Reader.read``."""
    return default_reader().read(index, question, hits)


def read_context(question: str, context: str, encoder: Encoder | None = None) -> tuple[str, float]:
    """The words of one text that answer, verbatim, and how sure that is (reading-comprehension sets)."""
    reader = default_reader() if encoder is None or encoder is default_reader().encoder else Reader(encoder)
    return reader.read_context(question, context)
