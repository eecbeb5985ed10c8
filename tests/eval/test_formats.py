"""Public benchmark files are read in all the forms they are found in."""

import gzip
import json
from pathlib import Path

import pytest

from eval.formats import FormatError, read_corpus, read_qrels, read_queries, read_reading, write_run


def test_corpus_and_queries_in_both_spellings(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl.gz"
    lines = ['{"_id": "1", "title": "民法典", "text": "第一条\u2028\x85"}', "", '{"id": 2, "text": "甲"}']
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    assert [(t.id, t.title, t.text) for t in read_corpus(path)] == [
        ("1", "民法典", "第一条\u2028\x85"),
        ("2", "", "甲"),
    ]
    queries = tmp_path / "queries.jsonl"
    queries.write_text('\ufeff{"_id": "q", "text": "多少？"}\n', encoding="utf-8")
    assert read_queries(queries) == {"q": "多少？"}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("query-id\tcorpus-id\tscore\nq 1\td1\t1\nq 1\td2\t0\n", id="BEIR with header, space in an id"),
        pytest.param("q 1\td1\t1.0\r\nq 1\td2\t0\n", id="no header, decimal grade, CRLF"),
        pytest.param("q 1\t0\td1\t1\nq 1\t0\td2\t0\n", id="TREC"),
        pytest.param("\ufeffq 1\td1\t1\n\nq 1\td2\t0\n", id="byte order mark, empty line"),
    ],
)
def test_qrels(content: str, tmp_path: Path) -> None:
    path = tmp_path / "qrels.tsv"
    path.write_text(content, encoding="utf-8")
    assert read_qrels(path) == {"q 1": {"d1": 1, "d2": 0}}


def test_qrels_as_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text('{"query-id": 1, "corpus-id": "d1", "score": 1.0}\n{"qid": "1", "pid": 2, "score": 0}\n')
    assert read_qrels(path) == {"1": {"d1": 1, "2": 0}}
    path.write_text('{"query-id": 1, "score": 1}\n')
    with pytest.raises(FormatError, match="1: 'query-id', 'corpus-id' and 'score' were expected"):
        read_qrels(path)


@pytest.mark.parametrize(
    ("record", "entry"),
    [
        pytest.param('{"_id": 7, "title": null, "text": "甲"}', ("7", "", "甲"), id="number as id, no title"),
        pytest.param('{"id": " a/1 ", "text": ["甲", "乙"]}', ("a/1", "", "甲\n乙"), id="padded id, paragraphs"),
        pytest.param('{"_id": "a b", "contents": 12}', ("a b", "", "12"), id="space in an id, number as text"),
        pytest.param('{"_id": "a\\ud800", "text": "甲\\udc00"}', ("a\ufffd", "", "甲\ufffd"), id="lone surrogates"),
        pytest.param(
            '{"_id": "a", "text": "\\ud83d\\ude00"}', ("a", "", "😀"), id="a pair of surrogates is a character"
        ),
    ],
)
def test_odd_entries(record: str, entry: tuple[str, str, str], tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(gzip.compress(record.encode()))  # packed, whatever it is called
    assert [(t.id, t.title, t.text) for t in read_corpus(path)] == [entry]


def test_run_with_a_space_in_an_id_has_tabs(tmp_path: Path) -> None:
    assert write_run(tmp_path / "out.trec", {"q": [("d 2", 1.5)]})
    assert (tmp_path / "out.trec").read_text() == "q\tQ0\td 2\t1\t1.500000\tgazette-qa\n"


def test_run_is_trec(tmp_path: Path) -> None:
    assert not write_run(tmp_path / "out.trec", {"q": [("d2", 1.5), ("d1", 0.25)]})
    assert (tmp_path / "out.trec").read_text() == "q Q0 d2 1 1.500000 gazette-qa\nq Q0 d1 2 0.250000 gazette-qa\n"


SQUAD = {"data": [{"title": "T", "paragraphs": [{"context": "甲乙丙", "qas": [
    {"id": "1", "question": "谁？", "answers": [{"text": "甲", "answer_start": 0}, {"text": "甲", "answer_start": 0}]},
    {"id": "2", "question": "何？", "is_impossible": True, "answers": [], "plausible_answers": [{"text": "乙"}]},
]}]}]}  # fmt: skip
CMRC = [{"context_id": "c", "context_text": "甲乙丙", "title": "T", "qas": [
    {"query_id": "1", "query_text": "谁？", "answers": ["甲", "甲"]}, {"query_id": "2", "query_text": "何？", "answers": []},
]}]  # fmt: skip
FLAT = [{"query": "谁？", "positive": "甲乙丙", "answer": "甲", "title": "T"},
        {"query": "何？", "positive": "甲乙丙", "answer": "", "title": "T"}]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("squad.json", json.dumps(SQUAD), id="SQuAD 2.0"),
        pytest.param("cmrc.json", json.dumps(CMRC), id="CMRC 2018"),
        pytest.param("flat.jsonl", "\n".join(map(json.dumps, FLAT)), id="lines"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_reading_files(name: str, content: str, packed: bool, tmp_path: Path) -> None:
    path = tmp_path / (name + ".gz" if packed else name)
    path.write_bytes(gzip.compress(content.encode()) if packed else content.encode())
    read = read_reading(path)
    assert [(q.text, q.context, q.title, q.answers) for q in read] == [
        ("谁？", "甲乙丙", "T", ("甲",)),
        ("何？", "甲乙丙", "T", ()),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("{", "not JSON", id="cut off"),
        pytest.param('{"version": "1"}', "not a SQuAD-style file: KeyError 'data'", id="no data"),
        pytest.param('{"data": []}', "no questions", id="empty"),
        pytest.param("[1]", "not a SQuAD-style file", id="a list of numbers"),
    ],
)
def test_what_is_no_reading_file_is_named(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(FormatError, match=message):
        read_reading(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param('{"text": "甲"}', "neither '_id' nor 'id'", id="no id"),
        pytest.param('{"_id": "1"}\n{"_id": "1"}', "2: id '1' stands twice", id="twice"),
        pytest.param("[]", "JSON object", id="not an object"),
        pytest.param('{"_id": "1"}\n{bad', "2: not JSON", id="not JSON"),
        pytest.param('{"_id": "1", "n": ' + "1" * 5000 + "}", "1: not JSON", id="a number without end"),
        pytest.param("[" * 200_000, "1: not JSON", id="brackets without end"),
    ],
)
def test_a_broken_corpus_is_named(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FormatError, match=message):
        list(read_corpus(path))
    with pytest.raises(FormatError, match="cannot be read"):
        list(read_corpus(tmp_path / "missing.jsonl"))
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b'{"_id": "1"}' * 99)[:30])
    with pytest.raises(FormatError, match="cannot be read"):
        list(read_corpus(tmp_path / "cut.jsonl.gz"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("a\tb\tscore\nq\td\tx\n", "2: grade 'x' is no number", id="grade"),
        pytest.param("q\td\t1\nq\td\tinf\n", "2: grade 'inf' is no number", id="no end"),
        pytest.param("q\td\t1\nq\td\n", "2: 3 or 4 columns were expected, found 2", id="columns"),
        pytest.param("query-id,corpus-id,score\nq,d,1\n", "commas do not part them", id="commas"),
    ],
)
def test_broken_qrels_are_named(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "qrels.tsv").write_text(content)
    with pytest.raises(FormatError, match=message):
        read_qrels(tmp_path / "qrels.tsv")
