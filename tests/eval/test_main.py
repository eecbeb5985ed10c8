"""The commands, on small files."""

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from eval.__main__ import main
from eval.report import Setting, load_outcomes, save, summarise
from eval.run import Outcome
from index.chunks import split_passages
from index.records import Gazette, Source
from index.store import Index, build

CORPUS = {
    "d1": "机动车停车场收费标准由市价格主管部门制定。",
    "d2": "学校应当保障学生午餐安全。",
    "d3": "代表应当出席会议。",
}


def collection(folder: Path) -> list[str]:
    """A BEIR folder of three documents; the arguments that name its files."""
    corpus = "\n".join(json.dumps({"_id": name, "title": "", "text": text}) for name, text in CORPUS.items())
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(corpus.encode()))
    (folder / "queries.jsonl").write_text('{"id": "q1", "text": "停车收费谁定"}\n{"id": "q2", "text": "学生午餐"}\n')
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\n")
    return ["--corpus", str(folder / "corpus.jsonl.gz"), "--queries", str(folder / "queries.jsonl")]


def test_retrieval_ranks_scores_and_writes_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["retrieval", *collection(tmp_path), "--workers", "1", "--keep", str(tmp_path / "index")]
    assert main([*arguments, "--qrels", str(tmp_path / "qrels.tsv"), "--run", str(tmp_path / "out.trec")]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[1].split() == ["recall", "1.0000", "1.0000", "1.0000", "1.0000"]
    run = [line.split() for line in (tmp_path / "out.trec").read_text().splitlines()]
    assert [(row[0], row[2]) for row in run if row[3] == "1"] == [("q1", "d1"), ("q2", "d2")]
    # Without qrels the index that was kept is used, and the run is written all the same.
    assert main([*arguments, "--run", str(tmp_path / "again.trec")]) == 0
    assert (tmp_path / "again.trec").read_bytes() == (tmp_path / "out.trec").read_bytes()
    (tmp_path / "other.tsv").write_text("q9\td1\t1\n")
    assert main([*arguments, "--qrels", str(tmp_path / "other.tsv")]) == 1
    assert "none of the 2 queries has a relevant document" in capsys.readouterr().err


def test_printed_figures_are_those_of_a_plain_loop(
    sample_gazette: Gazette, sample_source: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A collection as odd as they come: ids with spaces and slashes, numbers as ids, copies, grades 0 to 2, a query
    without judgments, judged documents that are not there, a document of many passages."""
    texts = [p.text for p in split_passages(sample_gazette, sample_source)][:90]
    entries = [{"_id": n if n % 3 else f"法 条/{n}", "title": "", "text": text} for n, text in enumerate(texts)]
    entries += [{"_id": f"copy-{n}", "text": texts[n]} for n in range(10)]
    entries.append({"id": "long", "title": "长文", "text": "\n".join(texts[:40])})
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, entries)))
    queries = {str(n): texts[n][-40:-5] for n in range(0, 90, 4)} | {"unjudged": "停车场"}
    (tmp_path / "queries.jsonl").write_text(
        "\n".join(json.dumps({"_id": int(q) if q.isdigit() else q, "text": text}) for q, text in queries.items())
    )
    qrels: dict[str, dict[str, int]] = {}
    for n in range(0, 90, 4):
        own = str(n) if n % 3 else f"法 条/{n}"
        qrels[str(n)] = {own: 2, f"copy-{n}": 1, "nowhere": n % 8 // 4, str(n + 1): 1, "long": 0}
    qrels["8"] = dict.fromkeys(qrels["8"], 0)  # nothing is relevant: left out
    rows = [f"{q}\t0\t{d}\t{grade}" for q, judged in qrels.items() for d, grade in judged.items()]
    (tmp_path / "qrels.tsv").write_text("\n".join(rows))
    names = [x for kind in ("corpus", "queries") for x in (f"--{kind}", str(tmp_path / f"{kind}.jsonl"))]
    trec = tmp_path / "out.trec"
    assert (
        main(["retrieval", *names, "--qrels", str(tmp_path / "qrels.tsv"), "--run", str(trec), "--workers", "1"]) == 0
    )
    out, err = capsys.readouterr()
    assert "tabs part its columns" in err
    lines = [line.split("\t") for line in trec.read_text().splitlines()]
    scores = {query: [float(row[4]) for row in lines if row[0] == query] for query in queries}
    assert all(found == sorted(set(found), reverse=True) for found in scores.values()), "strictly falling as written"
    ranked = {query: [row[2] for row in lines if row[0] == query] for query in queries}
    judged = [(ranked[q], grades) for q, grades in qrels.items() if any(grades.values())]

    def ndcg(found: list[str], grades: dict[str, int], k: int) -> float:
        gains = sum(grades.get(d, 0) / math.log2(rank + 1) for rank, d in enumerate(found[:k], 1))
        best = sorted(grades.values(), reverse=True)[:k]
        return gains / sum(grade / math.log2(rank + 1) for rank, grade in enumerate(best, 1))

    def recall(found: list[str], grades: dict[str, int], k: int) -> float:
        return sum(grades.get(d, 0) > 0 for d in found[:k]) / sum(grade > 0 for grade in grades.values())

    def mrr(found: list[str], grades: dict[str, int], k: int) -> float:
        return next((1 / rank for rank, d in enumerate(found[:k], 1) if grades.get(d, 0) > 0), 0.0)

    printed = {row[0]: row[1:] for row in (line.split() for line in out.splitlines()) if row}
    for name, measure in (("ndcg", ndcg), ("recall", recall), ("mrr", mrr)):
        means = [sum(measure(*pair, k) for pair in judged) / len(judged) for k in (1, 5, 10, 100)]
        assert [float(value) for value in printed[name]] == pytest.approx(means, abs=5.1e-5), name
    assert 0.5 < float(printed["ndcg"][2]) < 1
    assert f"n={len(judged)} queries with a relevant document, of {len(queries)}" in out


def test_only_judged_queries_are_asked_where_no_run_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = collection(tmp_path)
    (tmp_path / "qrels.tsv").write_text("q2\td2\t1\n")
    assert main(["retrieval", *arguments, "--qrels", str(tmp_path / "qrels.tsv"), "--workers", "1"]) == 0
    out, err = capsys.readouterr()
    assert "1 queries ranked" in err
    assert "n=1 queries with a relevant document, of 2" in out


def test_a_reranker_orders_a_collection_and_a_report(
    cross_encoder: Path, shipped_index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Random weights: other figures at 1, the same at 10. What is no model is told before anything is indexed."""
    arguments = ["retrieval", *collection(tmp_path), "--workers", "1", "--keep", str(tmp_path / "index")]
    assert main([*arguments, "--run", str(tmp_path / "plain.trec")]) == 0
    reranked = [*arguments, "--reranker", str(cross_encoder)]
    assert main([*reranked, "--run", str(tmp_path / "reranked.trec")]) == 0
    plain, other = (
        sorted(line.split()[:3] for line in (tmp_path / name).read_text().splitlines())
        for name in ("plain.trec", "reranked.trec")
    )
    assert plain == other
    assert (tmp_path / "plain.trec").read_text() != (tmp_path / "reranked.trec").read_text()
    (tmp_path / "mine.jsonl").write_text(json.dumps(QUESTIONS[0], ensure_ascii=False), encoding="utf-8")
    asked = ["run", str(tmp_path / "mine.jsonl"), "--index", str(shipped_index.folder), "--out", str(tmp_path)]
    assert main([*asked, "--reranker", str(cross_encoder)]) == 0
    assert str(cross_encoder) in json.loads((tmp_path / "report.json").read_text())["setting"]["command"]
    capsys.readouterr()
    missing = [*arguments[:-1], str(tmp_path / "never"), "--reranker", str(tmp_path / "nowhere")]
    assert main([*missing, "--run", str(tmp_path / "none.trec")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "never").exists()


QUESTIONS = [
    {"id": "q1", "question": "全市义务教育阶段学校有多少所？", "type": "number", "style": "lexical", "answers": ["206所"],
     "evidence": ["全市现有义务教育阶段学校206所"], "answerable": True},
    {"id": "u1", "question": "今天股市收盘多少点？", "type": "number", "style": "colloquial", "answerable": False},
    {"id": "d1", "turns": [
        {"question": "全市有多少所小学？", "answers": ["120所"], "evidence": ["小学120所"], "standalone": "全市有多少所小学？"},
        {"question": "初中呢？", "answers": ["86所"], "evidence": ["初中86所"], "standalone": "全市有多少所初中？"},
    ]},
]  # fmt: skip


def test_run_reports_on_the_real_gazette(sample_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text("\n".join(json.dumps(q, ensure_ascii=False) for q in QUESTIONS), encoding="utf-8")
    build([sample_path], tmp_path / "index")
    out = tmp_path / "report"
    arguments = ["run", str(file), "--index", str(tmp_path / "index"), "--out", str(out), "--ablation", "--baselines"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert all(words in printed for words in ("hit@5", "refused", "BM25 + vectors", "langchain", "dialogue turns (2)"))
    outcomes, setting = load_outcomes(out)
    assert [outcome.id for outcome in outcomes] == ["q1", "u1", "d1.1", "d1.2"]
    assert all(outcome.verbatim == outcome.citations for outcome in outcomes)
    assert outcomes[0].relevant_ranks, "asked in its own words, the evidence is among the first ten"
    assert setting["questions"] == ["mine.jsonl"]
    assert setting["encoder"] == "gazette-static-zh"
    assert setting["command"].startswith("gazette-eval run ")
    assert (out / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert main(["compare", str(out), str(out)]) == 0


def test_compare_exits_1_on_a_loss(
    hundred: Callable[[int], list[Outcome]], setting: Setting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, right in (("a", 80), ("b", 60)):
        (tmp_path / name).mkdir()
        save(summarise(hundred(right), setting), tmp_path / name / "report.json")
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b" / "report.json")]) == 1
    assert "LOSS" in capsys.readouterr().out
    assert main(["compare", str(tmp_path / "b"), str(tmp_path / "a")]) == 0
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "a")]) == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["run", "missing.jsonl"], 1, id="no such question file"),
        pytest.param(["compare", "missing", "missing"], 1, id="no such report"),
        pytest.param(["squad", "missing.json"], 1, id="no such reading file"),
        pytest.param(["feedback", "missing.jsonl"], 1, id="no such feedback"),
        pytest.param(["bench", "--passages", "10"], 1, id="nothing to mix passages from"),
    ],
)
def test_what_fails_says_so_in_one_line(
    arguments: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    message = capsys.readouterr().err
    assert message.startswith("gazette-eval: ")
    assert message.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unknown"],
        ["retrieval"],
        ["retrieval", "--corpus", "c", "--queries", "q"],
        ["compare", "one"],
        ["retrieval", "--corpus", "c", "--queries", "q", "--run", "r", "--depth", "0"],
        ["retrieval", "--corpus", "c", "--queries", "q", "--run", "r", "--workers", "-1"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: gazette-eval" in capsys.readouterr().err
