"""What a user would otherwise pick: one leg of search and the sentence most like the question. They never refuse."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from index.lexical import terms
from index.records import Hit, Passage
from index.text import readable
from qa.records import Answer, Citation, Turn

if TYPE_CHECKING:
    from index.store import Index

ANSWER_LIMIT = 120  # characters of a short answer
_SENTENCE = re.compile(r"[^。！？；\n]+[。！？；]?")


def every(index: Index) -> list[tuple[str, LegAndSentence | PlainSplitter]]:
    """All baselines over one index, by name."""
    return [
        ("BM25 + sentence", LegAndSentence(index, "lexical")),
        ("vectors + sentence", LegAndSentence(index, "dense")),
        ("plain splitter + vectors", PlainSplitter(index)),
    ]


class LegAndSentence:
    """BM25 alone or dense alone for passages, then BM25 among their sentences for the answer."""

    def __init__(self, index: Index, leg: Literal["lexical", "dense"]) -> None:
        self._index = index
        self._search = index.lexical if leg == "lexical" else index.dense

    def ask(self, question: str, *, turns: Sequence[Turn] = (), k: int = 10) -> Answer:
        hits = self._search(question, k)
        places = [(hit.passage, match) for hit in hits for match in _SENTENCE.finditer(hit.passage.text)]
        scores = bm25(terms(question), [terms(match.group()) for _, match in places])
        if not scores or max(scores) == 0:
            return Answer(question, question, "not_found", reason="no sentence shares a term", passages=tuple(hits))
        passage, match = places[int(np.argmax(scores))]
        return _answer(question, hits, passage, match.start(), match.end(), self._index)


class PlainSplitter:
    """The common recipe: text cut by length alone, vectors, nearest pieces, and the sentence nearest by vector.

    Pieces are those of langchain-text-splitters' ``RecursiveCharacterTextSplitter`` as it comes (300 characters,
    50 shared), over the raw text, with the index's encoder; search is exact.
    """

    def __init__(self, index: Index) -> None:
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        splitter = RecursiveCharacterTextSplitter(chunk_size=300, chunk_overlap=50, add_start_index=True)
        self._index = index
        self._pieces: list[Passage] = []
        for source_id, name in index.source_names.items():
            for piece in splitter.create_documents([index.source(source_id).text]):
                start, text = int(piece.metadata["start_index"]), piece.page_content
                end = start + len(text)
                self._pieces.append(
                    Passage(f"{source_id}:{start}-{end}", source_id, source_id, name, (), start, end, text)
                )
        self._vectors = index.encoder.encode_document([piece.text for piece in self._pieces])

    def ask(self, question: str, *, turns: Sequence[Turn] = (), k: int = 10) -> Answer:
        wanted = self._index.encoder.encode_query([question])[0]
        scores = self._vectors @ wanted
        order = np.argsort(-scores, kind="stable")[:k]
        hits = [Hit(self._pieces[i], float(scores[i]), dense=float(scores[i])) for i in order]
        places = [(hit.passage, match) for hit in hits[:4] for match in _SENTENCE.finditer(hit.passage.text)]
        nearest = self._index.encoder.encode_document([match.group() for _, match in places]) @ wanted
        passage, match = places[int(np.argmax(nearest))]
        return _answer(question, hits, passage, match.start(), match.end(), self._index)


def bm25(query: Sequence[str], texts: Sequence[Sequence[str]], k1: float = 1.2, b: float = 0.75) -> list[float]:
    """The BM25 score of each text, with document frequencies counted among the texts themselves.

    sum over query terms of ln(1 + (N - n + 0.5) / (n + 0.5)) * tf (k1 + 1) / (tf + k1 (1 - b + b |text| / average)).
    Source: Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009, with Lucene's idf, never negative.
    """
    counts = [Counter(text) for text in texts]
    average = sum(map(len, texts)) / len(texts) if texts else 0.0
    wanted = set(query)
    holding = {term: sum(term in count for count in counts) for term in wanted}
    idf = {term: math.log(1 + (len(texts) - n + 0.5) / (n + 0.5)) for term, n in holding.items()}
    return [
        sum(
            idf[term] * count[term] * (k1 + 1) / (count[term] + k1 * (1 - b + b * len(text) / average))
            for term in wanted
            if count[term]
        )
        for count, text in zip(counts, texts, strict=True)
    ]


def _answer(question: str, hits: Sequence[Hit], passage: Passage, start: int, end: int, index: Index) -> Answer:
    quote = passage.text[start:end]
    sentence = readable(quote)
    citation = Citation(
        n=1,
        quote=quote,
        answer_start=0,
        answer_end=len(quote),
        source=index.source_names[passage.source_id],
        source_id=passage.source_id,
        issue="",
        document=passage.document,
        document_id=passage.document_id,
        headings=passage.headings,
        article=passage.article,
        paragraph=passage.paragraph,
        page=passage.page,
        start=passage.start + start,
        end=passage.start + end,
        reference="",
    )
    return Answer(
        question,
        question,
        "answered",
        sentence[:ANSWER_LIMIT],
        sentence,
        1.0,
        citations=(citation,),
        passages=tuple(hits),
    )
