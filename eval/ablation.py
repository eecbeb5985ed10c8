"""What each part adds: of retrieval every leg alone, together and weighed otherwise, of reading each part left out."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from eval.metrics import bootstrap_mean
from eval.questions import Question, QuestionSet, without_space
from eval.report import CUTOFFS, Slice, make_slice, ranked_values
from index.records import Filter, GazetteError, Hit

if TYPE_CHECKING:
    from eval.run import Asks, Sources
    from index.store import Index

Search = Callable[[str, int, Filter], list[Hit]]

LENGTHS = (150, 450)  # characters of a passage, beside the shipped 300
# The parts of reading that can be left out, by the weights that they stand on.
READING: Mapping[str, Mapping[str, Mapping[str, float]]] = {
    "pointer": {"qa.read": {"POINTER": 0.0}},
    "all but the best sentence": {"qa.read": {"SENTENCES_READ": 1}},
    "rules on lines": {"qa.priors": {"HOLLOW": 0.0, "FIELD": 0.0, "FIGURELESS": 0.0, "TENSE": 0.0}},
    "rules on types": {"qa.priors": {"NO_NAME": 0.0, "OTHER_TYPE": 0.0, "SAME_UNIT": 0.0, "OTHER_UNIT": 0.0}},
    "refusing": {"qa.confidence": {"THRESHOLD": 0.0}},
}


def run(index: Index, questions: Sequence[Question], *, seed: int = 0) -> list[Slice]:
    """A slice for every way of searching over all answerable questions, then one for each way and style, then one for
    every way of answering over all questions."""
    asked = [question for question in questions if question.answerable and question.evidence]
    from eval.run import IndexTexts

    found = {name: relevant_ranks(search, asked, IndexTexts(index)) for name, search in variants(index).items()}
    with TemporaryDirectory() as folder:
        for name, other in rebuilt(index, Path(folder)):
            found[name] = relevant_ranks(_as_shipped(other), asked, IndexTexts(index))
    rows = [_slice(name, asked, ranks, seed) for name, ranks in found.items()]
    for style in sorted({question.style for question in asked}):
        part = [question for question in asked if question.style == style]
        rows += [_slice(f"{style}: {name}", part, ranks, seed) for name, ranks in found.items()]
    return rows + answering(index, questions, seed=seed)


def answering(index: Index, questions: Sequence[Question], *, seed: int = 0) -> list[Slice]:
    """A slice for the assistant as shipped, and for it with each part left out."""
    from eval.run import IndexTexts, run
    from qa.ask import Assistant
    from qa.retrieve import Weights

    asked = QuestionSet((), "", tuple(questions), ())
    texts = IndexTexts(index)

    def row(name: str, assistant: Asks) -> Slice:
        return make_slice(f"answers: {name}", run(asked, assistant, texts), seed)

    rows = [
        row("as shipped", Assistant(index)),
        row("without lay words", Assistant(index, expand=False)),
        row("without ranker", Assistant(index, weights=Weights(ranker=False))),
    ]
    for name, weights in READING.items():
        with ExitStack() as stack:
            for module, values in weights.items():
                stack.enter_context(weighed(module, values))
            rows.append(row(f"without {name}", Assistant(index)))
    with passages_alone():
        rows.append(row("without neighbouring paragraphs", Assistant(index)))
    return rows


@contextmanager
def weighed(module: str, values: Mapping[str, float]) -> Iterator[None]:
    """Weights of a module set otherwise for a while.

    Raises:
        GazetteError: if the module has no such weight: the part it stood for was renamed or is gone.
    """
    of = importlib.import_module(module)
    missing = [name for name in values if not hasattr(of, name)]
    if missing:
        raise GazetteError(f"{module} has no {', '.join(missing)}: eval/ablation.py names a part that is not there")
    before = {name: getattr(of, name) for name in values}
    try:
        for name, value in values.items():
            setattr(of, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(of, name, value)


@contextmanager
def passages_alone() -> Iterator[None]:
    """For a while, only sentences that begin inside a passage found are read, none of the paragraphs beside it."""
    from qa.read import Reader

    gather = Reader._gather

    def inside(self: Reader, index: Index, hits: Sequence[Hit], article: Any) -> Any:
        sentences, scores = gather(self, index, hits, article)
        if article is not None:
            return sentences, scores
        spans = [(hit.passage.source_id, hit.passage.start, hit.passage.end) for hit in hits]
        kept = [
            (sentence, score)
            for sentence, score in zip(sentences, scores, strict=True)
            if any(sentence.source_id == s and a <= sentence.source_span(0, 1)[0] < b for s, a, b in spans)
        ]
        return [sentence for sentence, _ in kept], [score for _, score in kept]

    Reader._gather = inside  # type: ignore[method-assign]
    try:
        yield
    finally:
        Reader._gather = gather  # type: ignore[method-assign]


class HashedBigrams:
    """What an encoder is without training: pairs of characters hashed into signed places, of length 1."""

    name = "hashed bigrams"
    dimensions = 256
    fingerprint = hashlib.sha256(b"hashed bigrams 256").hexdigest()

    def encode_query(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for pair in pairwise(text):
                digest = hashlib.blake2b("".join(pair).encode(), digest_size=4).digest()
                row[int.from_bytes(digest[:3]) % self.dimensions] += 1 - 2 * (digest[3] & 1)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        rows /= np.where(norms > 0, norms, 1)
        return rows

    def encode_document(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return self.encode_query(texts)


def rebuilt(index: Index, folder: Path) -> Iterator[tuple[str, Index]]:
    """The same texts with passages of other lengths, then with an untrained encoder; each index is open while it is out."""
    from index.chunks import PASSAGE_LENGTH, split_passages
    from index.store import build_from_passages, open_index

    makings: list[tuple[str, int, Any]] = [
        *((f"passages of {length}", length, index.encoder) for length in LENGTHS),
        ("untrained encoder", PASSAGE_LENGTH, HashedBigrams()),
    ]
    for n, (name, length, encoder) in enumerate(makings):
        passages = [
            passage
            for source_id in index.source_names
            for passage in split_passages(index.gazette(source_id), index.source(source_id), length=length)
        ]
        build_from_passages(passages, folder / str(n), encoder=encoder)
        with open_index(folder / str(n), encoder=encoder) as other:
            yield name, other


def relevant_ranks(search: Search, questions: Sequence[Question], sources: Sources) -> dict[str, tuple[int, ...]]:
    """For each question the ranks, among the first ten passages, of those that hold an evidence quote.

    What is searched for is what the assistant searches for: of an English question, the Chinese words.
    """
    from eval.run import where_of
    from qa.question import analyse

    ranks: dict[str, tuple[int, ...]] = {}
    for question in questions:
        quotes = [without_space(quote) for quote in question.evidence]
        texts = [
            without_space(hit.passage.text)
            for hit in search(
                analyse(question.text).search or question.text,
                max(CUTOFFS),
                where_of(question, sources) or Filter(),
            )
        ]
        ranks[question.id] = tuple(n for n, text in enumerate(texts, 1) if any(quote in text for quote in quotes))
    return ranks


def variants(index: Index) -> dict[str, Search]:
    """The ways of searching that are compared: each leg, both, then what is added to them; the last of these is as
    shipped, and after it come other weights of its sum."""
    from qa.retrieve import DEFAULT, Weights, retrieve

    def search(weights: Weights) -> Search:
        return lambda question, k, where: retrieve(index, question, k, where=where, weights=weights)

    weights = replace(DEFAULT, soft=0.0, neighbours=0, expansion=0.0, ranker=False)
    found: dict[str, Search] = {
        "vectors alone": index.dense,
        "BM25 alone": index.lexical,
        "BM25 + vectors": search(weights),
    }
    parts: dict[str, dict[str, Any]] = {
        "+ word vectors": {"soft": DEFAULT.soft, "neighbours": DEFAULT.neighbours},
        "+ expansion": {"expansion": DEFAULT.expansion},
        "+ ranker": {"ranker": DEFAULT.ranker},
    }
    for name, part in parts.items():
        if any(part.values()):  # what is not shipped cannot be measured here
            weights = replace(weights, **part)
            found[name] = search(weights)
    found["vectors halved"] = search(replace(DEFAULT, dense=DEFAULT.dense / 2))
    found["vectors doubled"] = search(replace(DEFAULT, dense=DEFAULT.dense * 2))
    found["word vectors a third"] = search(replace(DEFAULT, soft=DEFAULT.soft / 3))
    return found


def _as_shipped(index: Index) -> Search:
    from qa.retrieve import retrieve

    return lambda question, k, where: retrieve(index, question, k, where=where)


def _slice(name: str, questions: Sequence[Question], ranks: Mapping[str, Sequence[int]], seed: int) -> Slice:
    values = ranked_values({question.id: ranks[question.id] for question in questions})
    styles = [question.style for question in questions]
    figures = {
        measure: bootstrap_mean([found[question.id] for question in questions], styles, seed=seed)
        for measure, found in values.items()
    }
    return Slice(name, len(questions), figures)
