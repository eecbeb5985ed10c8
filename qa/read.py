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

import numpy as np

from index.embed import Encoder
from index.records import Hit
from qa import articles, compose, confidence, priors
from qa.candidates import DocumentSentences, Sentence, Span, context_sentences
from qa.evidence import Choice, Reading
from qa.features import Matrix, Pool, WordRows, ask, span_features
from qa.pointer import Pointing, shipped_pointer
from qa.question import Question, analyse
from qa.trees import Trees
from qa.windows import windows_of
from qa.words import flat

if TYPE_CHECKING:
    from index.store import Index

MODELS = Path(__file__).with_name("models")
SENTENCES_READ = 4  # spans are looked for in the best few only
MOST_SENTENCES = 160
BESIDE = 200  # characters before and behind a passage that are read with it where its paragraph is too long
KEPT_DOCUMENTS = 256
KEPT_SOURCES = 32
# Weight of the pointer's log odds beside the trees' score: 0.4 gave more right short answers than 0.3, 0.5 and 0.65 on
# the development questions taken together; its scores beyond the range say no more.
POINTER, POINTER_RANGE = 0.4, (-12.0, 8.0)
GREETING = "您好，我是公报问答助手，只回答公报里写了的内容，例如数字、日期、人员、文件和条文，并给出原文出处。"


class Reader:
    """The scorers and what they need, loaded once; ``read`` may be called from several threads."""

    def __init__(self) -> None:
        self._sentence_trees = Trees.load(MODELS / "sentence.safetensors")
        self._span_trees = Trees.load(MODELS / "span.safetensors")
        self._words = WordRows()
        self._documents: OrderedDict[str, DocumentSentences] = OrderedDict()
        self._texts: OrderedDict[str, str] = OrderedDict()
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
        return confidence.judge(reading, pool, choices, self.source_text(index, choices[0].sentence.source_id))

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
            choices = self.choose(pool)
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
            choices = self.choose(pool)
        if not choices:
            return "", 0.0
        # The text is given and short, so the pointer reads all of it: more answers are exact than by the chosen sentences
        # (0.20 against 0.15 of CMRC 2018's trial questions), which win where many passages compete.
        start, end = _pointed_at(asked, sentences) or choices[0].sentence.source_span(
            choices[0].span.start, choices[0].span.end
        )
        text = "".join(flat(context).split())
        reading = Reading("answered", context[start:end])
        return reading.answer, confidence.probability(confidence.signals(pool, choices, text, reading))

    def choose(self, pool: Pool) -> list[Choice]:
        """The best span of each of the best sentences of a pool, best first."""
        return choose(pool, self._sentence_trees.score, self._span_trees.score)

    def source_text(self, index: Index, source_id: str) -> str:
        """A source as compared, without white space."""
        text = self._texts.get(source_id)
        if text is None:
            text = "".join(flat(index.source(source_id).text).split())
            with self._lock:  # another thread may be making room at this moment
                self._texts[source_id] = text
                while len(self._texts) > KEPT_SOURCES:
                    self._texts.popitem(last=False)
        return text

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
        return self._sentences(index, ranked, hits)

    def _sentences(
        self, index: Index, ranked: dict[tuple[str, int], float], hits: Sequence[Hit]
    ) -> tuple[list[Sentence], list[float]]:
        made: dict[tuple[str, int], Sequence[Sentence]] = {}
        n = 0
        for key in sorted(ranked, key=lambda k: -ranked[k]):
            sentences = self._document(index, key[0]).paragraph(key[1])
            if len(sentences) > MOST_SENTENCES:  # a text without paragraphs: what was found of it, and what is beside
                near = [
                    (p.start - BESIDE, p.end + BESIDE) for p in (h.passage for h in hits) if p.document_id == key[0]
                ]
                found = (s for s in sentences if any(a < s.offsets[-1] and s.offsets[0] < b for a, b in near))
                sentences = tuple(found) or sentences[:MOST_SENTENCES]
            n += len(sentences)
            if made and n > MOST_SENTENCES:
                break
            made[key] = sentences
        scored = [(s, ranked[key]) for key in sorted(made) for s in made[key]]
        return [s for s, _ in scored], [score for _, score in scored]

    def _pool(
        self,
        question: Question,
        sentences: Sequence[Sentence],
        scores: Sequence[float],
        homes: Mapping[str, str] | None = None,
    ) -> Pool:
        return Pool(ask(question), list(sentences), self._words, list(scores), homes or {})


def choose(
    pool: Pool, score_sentences: Callable[[Matrix], Matrix], score_spans: Callable[[Matrix], Matrix]
) -> list[Choice]:
    """The best span of each of the ``SENTENCES_READ`` best sentences, best first."""
    rows = pool.features()
    scores = score_sentences(rows) + np.array(
        [priors.standing(s, pool.asked) for s in pool.sentences], dtype=np.float32
    )
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
    values += np.concatenate([priors.of_spans(pool.asked, pool.sentences[i]) for i, _ in parts])
    question = pool.asked.question
    pointings = _point(pool, [i for i, _ in parts])
    choices: list[Choice] = []
    at = 0
    for (i, x), pointing in zip(parts, pointings, strict=True):
        spans = pool.sentences[i].spans_for(question.kind)
        pointed, here = _pointed(pointing, spans)
        mine = values[at : at + len(x)] + POINTER * np.clip(pointed, *POINTER_RANGE)
        at += len(x)
        best = np.argsort(-mine, kind="stable")
        first = int(best[0])
        choices.append(
            Choice(
                pool.sentences[i], i, spans[first], float(scores[i]), float(mine[first]),
                tuple(spans[int(j)] for j in best[1:6]), rows[i], float(pointed[first]), here,
            )
        )  # fmt: skip
    return sorted(choices, key=lambda c: -c.value)


def _pointed_at(question: Question, sentences: Sequence[Sentence]) -> tuple[int, int] | None:
    """The stretch of the source that the pointer likes best of all sentences; None where it saw no word."""
    windows = windows_of(sentences)
    views = shipped_pointer().point(
        question.search or question.text, question.kind, [(w.above, w.text) for w in windows]
    )
    found = [(view.best(1)[0], window) for view, window in zip(views, windows, strict=True) if view.spans]
    if not found:
        return None
    (start, end, _), window = max(found, key=lambda f: f[0][2])
    read = sentences[window.first : window.first + len(window.starts)]
    offsets = [at for sentence in read for at in sentence.offsets]
    return offsets[start], offsets[end - 1] + 1


def _point(pool: Pool, chosen: Sequence[int]) -> list[Pointing]:
    """The pointer's view of each chosen sentence, read in its paragraph."""
    homes = {i: w for w in windows_of(pool.sentences) for i in range(w.first, w.first + len(w.starts))}
    windows = list({homes[i].first: homes[i] for i in chosen}.values())
    question = pool.asked.question
    views = shipped_pointer().point(
        question.search or question.text, question.kind, [(w.above, w.text) for w in windows]
    )
    seen = {w.first: view for w, view in zip(windows, views, strict=True)}
    out: list[Pointing] = []
    for i in chosen:
        start = homes[i].starts[i - homes[i].first]
        out.append(seen[homes[i].first].part(start, start + len(pool.sentences[i].text)))
    return out


def _pointed(pointing: Pointing, spans: Sequence[Span]) -> tuple[Matrix, float]:
    """The pointer's score of each span, and its best of any; the bottom of the range where it saw no word."""
    if not pointing.spans:
        return np.full(len(spans), POINTER_RANGE[0], dtype=np.float32), POINTER_RANGE[0]
    begins = np.array([a for a, _ in pointing.spans])
    ends = np.array([b for _, b in pointing.spans])
    last = len(begins) - 1
    first = np.minimum(np.searchsorted(ends, [s.start for s in spans], side="right"), last)
    final = np.maximum(np.searchsorted(begins, [s.end for s in spans], side="left") - 1, first)
    out: Matrix = (pointing.starts[first] + pointing.ends[final]).astype(np.float32)
    return out, float(np.max(pointing.starts + np.maximum.accumulate(pointing.ends[::-1])[::-1]))


@lru_cache(maxsize=1)
def default_reader() -> Reader:
    """The reader, loaded on first use."""
    return Reader()


def read(index: Index, question: Question, hits: Sequence[Hit]) -> Reading:
    """What the hits answer to the question; see ``Reader.read``."""
    return default_reader().read(index, question, hits)


def read_context(question: str, context: str, encoder: Encoder | None = None) -> tuple[str, float]:
    """The words of one text that answer, verbatim, and how sure that is (reading-comprehension sets).

    ``encoder`` changes nothing: the scorers need none. Callers that compare encoders may pass theirs.
    """
    return default_reader().read_context(question, context)
