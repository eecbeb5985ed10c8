"""A corpus becomes passages, hits become a ranking of its documents."""

from eval.formats import CorpusText
from eval.retrieval import best_documents, corpus_passages, figures, matrix
from index.records import Hit, Passage


def hit(document: str, score: float) -> Hit:
    return Hit(Passage(f"{document}-{score}", document, document, "", (), 0, 1, "甲"), score)


def test_long_entries_are_cut_and_empty_ones_left_out() -> None:
    long = "\n".join(f"  第{n}段，{'内容' * 40}。" for n in range(20))
    corpus = [CorpusText("a/1", "标题", long), CorpusText("b", "只有标题", " "), CorpusText("c", "", "")]
    passages = list(corpus_passages(corpus))
    assert {p.source_id for p in passages} == {"a/1", "b"}
    assert all(p.text == long[p.start : p.end] for p in passages if p.source_id == "a/1")
    covered = {i for p in passages if p.source_id == "a/1" for i in range(p.start, p.end)}
    assert all(char.isspace() for i, char in enumerate(long) if i not in covered)
    assert [p.text for p in passages if p.source_id == "b"] == ["只有标题"]


def test_a_document_counts_as_its_best_passage() -> None:
    hits = [hit("a", 3), hit("b", 2), hit("a", 2), hit("c", 2), hit("d", 5), hit("e", 0)]
    ranking = best_documents(hits, 4)
    assert [document for document, _ in ranking] == ["a", "b", "c", "d"]
    scores = [score for _, score in ranking]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 4


def test_figures_by_hand() -> None:
    qrels = {"q1": {"a": 1}, "q2": {"b": 1, "c": 1}}
    table = figures(qrels, {"q1": [("x", 2.0), ("a", 1.0)], "q2": [("b", 1.0)]})
    assert table["recall@1"].value == (0 + 1 / 2) / 2
    assert table["recall@10"].value == (1 + 1 / 2) / 2
    assert table["mrr@10"].value == (1 / 2 + 1) / 2
    assert [row[0] for row in matrix(table)] == ["", "recall", "  95 %", "mrr", "  95 %", "ndcg", "  95 %"]
