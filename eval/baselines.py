"""What a user would otherwise pick: passages by one way of search, and the sentence most like the question.

They never refuse. Those of other people's frameworks come with the extra ``[baselines]`` and use the index's encoder, so
that what differs is how the framework cuts and ranks.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from index.lexical import terms
from index.records import Filter, GazetteError, Hit, Passage
from index.text import readable
from qa.records import Answer, Citation, Turn

if TYPE_CHECKING:
    from eval.run import Asks
    from index.store import Index

ANSWER_LIMIT = 120  # characters of a short answer
PIECE, SHARED = 300, 50  # characters of a piece cut by length alone, and of what two pieces share
DEEP = 1000  # hits looked through for those of one source, by a search that knows no filter
READ = 4  # passages whose sentences are compared with the question by vector
_SENTENCE = re.compile(r"[^。！？；\n]+[。！？；]?")

Search = Callable[[str, int], list[Hit]]
Terms = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A way of answering: how it is made over an index, and the module it needs."""

    make: Callable[[Index], Asks]
    needs: str = ""

    @property
    def is_there(self) -> bool:
        return not self.needs or find_spec(self.needs) is not None


def chosen(names: Sequence[str]) -> dict[str, Callable[[Index], Asks]]:
    """The baselines of these names; of none, all whose modules are installed.

    Raises:
        GazetteError: if a name is unknown, or what it needs is not installed.
    """
    if not names:
        return {name: baseline.make for name, baseline in BASELINES.items() if baseline.is_there}
    for name in names:
        if name not in BASELINES:
            raise GazetteError(f"no baseline {name!r}: there are {', '.join(BASELINES)}")
        if not BASELINES[name].is_there:
            raise GazetteError(f'baseline {name} needs {BASELINES[name].needs}: pip install -e ".[baselines]"')
    return {name: BASELINES[name].make for name in names}


@dataclass(frozen=True, slots=True)
class Lexical:
    """Passages by a search that counts words, then BM25 among their sentences."""

    index: Index
    search: Search
    cut: Terms

    def ask(self, question: str, *, turns: Sequence[Turn] = (), k: int = 10, where: Filter | None = None) -> Answer:
        hits = found(self.search, question, k, where)
        places = [(hit.passage, match) for hit in hits for match in _SENTENCE.finditer(hit.passage.text)]
        scores = bm25(self.cut(question), [self.cut(match.group()) for _, match in places])
        if not scores or max(scores) == 0:
            return Answer(question, question, "not_found", reason="no sentence shares a term", passages=tuple(hits))
        passage, match = places[int(np.argmax(scores))]
        return _answer(question, hits, passage, match.start(), match.end(), self.index)


@dataclass(frozen=True, slots=True)
class Nearest:
    """Passages by a search, then of the first few the sentence nearest to the question by vector."""

    index: Index
    search: Search

    def ask(self, question: str, *, turns: Sequence[Turn] = (), k: int = 10, where: Filter | None = None) -> Answer:
        hits = found(self.search, question, k, where)
        places = [(hit.passage, match) for hit in hits[:READ] for match in _SENTENCE.finditer(hit.passage.text)]
        if not places:
            return Answer(question, question, "not_found", reason="nothing was found", passages=tuple(hits))
        wanted = self.index.encoder.encode_query([question])[0]
        nearest = self.index.encoder.encode_document([match.group() for _, match in places]) @ wanted
        passage, match = places[int(np.argmax(nearest))]
        return _answer(question, hits, passage, match.start(), match.end(), self.index)


def found(search: Search, question: str, k: int, where: Filter | None) -> list[Hit]:
    """The k best hits, of the one source that the filter names if it names one.

    Frameworks filter each in its own way, or not at all, so the source is picked from a longer ranking of each: what
    is compared stays the ranking.
    """
    if where is None or where.gazette is None:
        return search(question, k)
    return [hit for hit in search(question, DEEP) if hit.passage.source_id == where.gazette][:k]


def jieba_terms(text: str) -> list[str]:
    """The words jieba cuts a text into, marks left out."""
    import jieba

    jieba.setLogLevel("WARNING")  # it reports its dictionary's loading as it goes
    return [word for word in jieba.cut(text.lower()) if any(char.isalnum() for char in word)]


def by_jieba(index: Index) -> Lexical:
    """BM25 over jieba's words, with the index's own passages."""
    passages = [passage for name in index.documents for passage in index.passages(name)]
    texts = [jieba_terms(passage.text) for passage in passages]

    def search(question: str, k: int) -> list[Hit]:
        scores = bm25(jieba_terms(question), texts)
        order = sorted(range(len(scores)), key=lambda i: -scores[i])[:k]
        return [Hit(passages[i], scores[i], lexical=scores[i]) for i in order if scores[i] > 0]

    return Lexical(index, search, jieba_terms)


def langchain(index: Index) -> Nearest:
    """LangChain: RecursiveCharacterTextSplitter and InMemoryVectorStore, the recipe of its tutorial."""
    from langchain_core.embeddings import Embeddings
    from langchain_core.vectorstores import InMemoryVectorStore

    class Ours(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [[float(x) for x in row] for row in index.encoder.encode_document(texts)]

        def embed_query(self, text: str) -> list[float]:
            return [float(x) for x in index.encoder.encode_query([text])[0]]

    pieces = {piece.id: piece for piece in langchain_pieces(index)}
    store = InMemoryVectorStore(Ours())
    store.add_texts([piece.text for piece in pieces.values()], ids=list(pieces))

    def search(question: str, k: int) -> list[Hit]:
        found = store.similarity_search_with_score(question, k=k)
        return [Hit(pieces[str(document.id)], float(score)) for document, score in found]

    return Nearest(index, search)


def llamaindex(index: Index) -> Nearest:
    """LlamaIndex: SentenceSplitter as it comes, but for pieces of our length, and VectorStoreIndex."""
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.core.embeddings import BaseEmbedding
    from llama_index.core.node_parser import SentenceSplitter

    class Ours(BaseEmbedding):  # type: ignore[misc, unused-ignore]
        def _get_query_embedding(self, query: str) -> list[float]:
            return [float(x) for x in index.encoder.encode_query([query])[0]]

        def _get_text_embedding(self, text: str) -> list[float]:
            return [float(x) for x in index.encoder.encode_document([text])[0]]

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    splitter = SentenceSplitter(chunk_size=PIECE, chunk_overlap=SHARED, tokenizer=list)
    documents = [Document(text=text, metadata={}, id_=source_id) for source_id, text in _texts(index).items()]
    nodes = splitter.get_nodes_from_documents(documents)
    retriever = VectorStoreIndex(nodes, embed_model=Ours())

    def search(question: str, k: int) -> list[Hit]:
        found = retriever.as_retriever(similarity_top_k=k).retrieve(question)
        return [
            Hit(_piece(index, node.node.ref_doc_id, node.node.start_char_idx, node.node.get_content()), node.score)
            for node in found
        ]

    return Nearest(index, search)


def haystack(index: Index) -> Nearest:
    """Haystack: RecursiveDocumentSplitter and InMemoryEmbeddingRetriever."""
    from haystack import Document
    from haystack.components.preprocessors import RecursiveDocumentSplitter
    from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    splitter = RecursiveDocumentSplitter(
        split_length=PIECE, split_overlap=SHARED, split_unit="char", separators=["\n\n", "\n", "。", "；"]
    )
    splitter.warm_up()
    texts = [Document(content=text, meta={"of": source_id}) for source_id, text in _texts(index).items()]
    cut = splitter.run(documents=texts)["documents"]
    vectors = index.encoder.encode_document([document.content for document in cut])
    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    store.write_documents(
        [
            Document(content=document.content, meta=document.meta, embedding=[float(x) for x in row])
            for document, row in zip(cut, vectors, strict=True)
        ]
    )
    retriever = InMemoryEmbeddingRetriever(store)

    def search(question: str, k: int) -> list[Hit]:
        wanted = [float(x) for x in index.encoder.encode_query([question])[0]]
        found = retriever.run(query_embedding=wanted, top_k=k)["documents"]
        return [Hit(_piece(index, d.meta["of"], d.meta["split_idx_start"], d.content), d.score) for d in found]

    return Nearest(index, search)


def txtai(index: Index) -> Nearest:
    """txtai: its Embeddings with keyword and vector search together, over pieces by length, for it has no cutter of text."""
    from txtai import Embeddings

    pieces = list(langchain_pieces(index))

    def vectors(texts: Iterable[str]) -> Any:
        return index.encoder.encode_document(list(texts))

    database = Embeddings(method="external", transform=vectors, hybrid=True)
    database.index((n, piece.text, None) for n, piece in enumerate(pieces))

    def search(question: str, k: int) -> list[Hit]:
        return [Hit(pieces[int(n)], float(score)) for n, score in database.search(question, k)]

    return Nearest(index, search)


def langchain_pieces(index: Index) -> Iterable[Passage]:
    """The raw texts cut by LangChain's ``RecursiveCharacterTextSplitter`` as it comes."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(chunk_size=PIECE, chunk_overlap=SHARED, add_start_index=True)
    for source_id, text in _texts(index).items():
        for piece in splitter.create_documents([text]):
            yield _piece(index, source_id, int(piece.metadata["start_index"]), piece.page_content)


BASELINES: Mapping[str, Baseline] = {
    "bm25-bigrams": Baseline(lambda index: Lexical(index, index.lexical, terms)),
    "bm25-jieba": Baseline(by_jieba, "jieba"),
    "dense": Baseline(lambda index: Nearest(index, index.dense)),
    "langchain": Baseline(langchain, "langchain_core"),
    "llamaindex": Baseline(llamaindex, "llama_index"),
    "haystack": Baseline(haystack, "haystack"),
    "txtai": Baseline(txtai, "txtai"),
}


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


def _texts(index: Index) -> dict[str, str]:
    """The text of every source."""
    return {source_id: index.source(source_id).text for source_id in index.source_names}


def _piece(index: Index, source_id: str, start: int, text: str) -> Passage:
    """A stretch of a source as a passage; its document is the source as a whole."""
    end = start + len(text)
    name = index.source_names[source_id]
    return Passage(f"{source_id}:{start}-{end}", source_id, source_id, name, (), start, end, text)


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
