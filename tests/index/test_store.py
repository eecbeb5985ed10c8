"""The index folder: what is put in comes out, is found in both legs, changes, and stays apart for its readers."""

from __future__ import annotations

import itertools
import random
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index import building, vectors, writer
from index.chunks import split_passages
from index.lexical import terms
from index.records import Filter, Gazette, GazetteError, Hit, Passage, Source
from index.rows import embedded_text
from index.store import (
    EncoderMismatch,
    Index,
    IndexBusy,
    IndexDamaged,
    add,
    build,
    build_from_passages,
    matches,
    open_index,
    remove,
    verify,
)

REPORT = "# 关于{topic}情况的报告\n\n{body}\n"


def _write(folder: Path, name: str, topic: str, body: str) -> Path:
    path = folder / name
    path.write_text(REPORT.format(topic=topic, body=body), encoding="utf-8")
    return path


def _keys(hits: Sequence[Hit]) -> list[tuple[str, float]]:
    return [(hit.passage.id, round(hit.score, 4)) for hit in hits]


def test_everything_comes_back(sample_index: Index, sample_source: Source, sample_gazette: Gazette) -> None:
    index = sample_index
    assert index.source(sample_source.id) == sample_source
    assert index.gazettes == (sample_gazette,)
    assert index.gazette(sample_source.id) == sample_gazette
    assert list(index.documents) == [document.id for document in sample_gazette.documents]
    assert all(index.documents[document.id] == document for document in sample_gazette.documents)
    expected = split_passages(sample_gazette, sample_source)
    assert len(index) == len(expected)
    assert [index.passage(passage.id) for passage in expected] == expected
    assert [passage for d in sample_gazette.documents for passage in index.passages(d.id)] == expected
    assert index.source_names == {sample_source.id: sample_source.name}


@pytest.mark.parametrize("unknown", ["", "没有", "'; DROP TABLE passages; --"])
def test_what_is_not_there_is_a_key_error(sample_index: Index, unknown: str) -> None:
    for get in (sample_index.passage, sample_index.source, sample_index.gazette, sample_index.documents.__getitem__):
        with pytest.raises(KeyError):
            get(unknown)
    assert sample_index.passages(unknown) == []


def test_the_same_files_give_the_same_bytes(tmp_path: Path, sample_path: Path, tiny_encoder: Any) -> None:
    for name in ("a", "b"):
        build([sample_path], tmp_path / name, encoder=tiny_encoder)
    one, two = ([*(tmp_path / name).rglob("*.sqlite"), *(tmp_path / name).rglob("*.faiss")] for name in ("a", "b"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def _brute_force(index: Index, question: str) -> list[tuple[Passage, float]]:
    """Every passage with its inner product, best first."""
    passages = [passage for document in index.documents for passage in index.passages(document)]
    vectors = index.encoder.encode_document([embedded_text(passage) for passage in passages])
    scores = vectors @ index.encoder.encode_query([question])[0]
    return [(passages[i], float(scores[i])) for i in np.argsort(-scores, kind="stable")]


def _lies_in(index: Index, where: Filter, passage: Passage) -> bool:
    return matches(where, index.documents[passage.document_id], index.gazette(passage.source_id))


def _filters(index: Index) -> list[Filter]:
    """Every field by itself, and pairs of them, with values that are there and one that is not."""
    document = next(d for d in index.documents.values() if d.speaker and d.organ)
    gazette = index.gazette(document.source_id)
    single: list[dict[str, Any]] = [
        {"gazette": gazette.source_id},
        {"document": document.id},
        {"kind": "决定"},
        {"kind": document.kind},
        {"organ": document.organ},
        {"organ": gazette.organ},
        {"speaker": document.speaker},
        {"year_from": gazette.year},
        {"year_to": gazette.year},
        {"year_to": (gazette.year or 0) - 1},
        {"organ": "没有"},
        {"date_from": "2021-06-01"},
        {"date_to": "2021-06"},
        {"date_from": "2021", "date_to": "2021-05-31"},
    ]
    pairs = [one | two for one, two in itertools.combinations(single, 2)]
    return [Filter(), *(Filter(**fields) for fields in (*single, *pairs))]


def test_dense_equals_brute_force(sample_index: Index) -> None:
    for question in ("义务教育学校有多少所", "预算调整方案"):
        everything = _brute_force(sample_index, question)
        for where in _filters(sample_index):
            expected = [(passage.id, score) for passage, score in everything if _lies_in(sample_index, where, passage)]
            for k in (1, 5, 1000):
                found = _keys(sample_index.dense(question, k, where))
                assert [score for _, score in found] == pytest.approx([s for _, s in expected[:k]], abs=2e-4), where
                assert {passage_id for passage_id, _ in found} <= {passage_id for passage_id, _ in expected}


@pytest.mark.parametrize(("float32", "float16"), [(0, 10**9), (0, 0)], ids=["float16", "lists"])
def test_larger_kinds_of_vector_file_equal_brute_force(
    tmp_path: Path, sample_path: Path, tiny_encoder: Any, monkeypatch: pytest.MonkeyPatch, float32: int, float16: int
) -> None:
    """Made small for the test; of 33 lists all are looked into, so the lists lose nothing."""
    monkeypatch.setattr(vectors, "FLOAT32_BYTES", float32)
    monkeypatch.setattr(vectors, "FLOAT16_BYTES", float16)
    build([sample_path], tmp_path / "index", encoder=tiny_encoder)
    assert verify(tmp_path / "index") == []
    with open_index(tmp_path / "index", encoder=tiny_encoder) as index:
        test_dense_equals_brute_force(index)


def test_lexical_equals_brute_force(sample_index: Index) -> None:
    """A filter leaves those of the unfiltered ranking that match, with their scores."""
    for question in ("义务教育学校有多少所", "预算调整方案", "医疗保障"):
        everything = sample_index.lexical(question, len(sample_index))
        assert {hit.passage.id for hit in everything} == {
            passage.id
            for document in sample_index.documents
            for passage in sample_index.passages(document)
            if set(terms(question)) & set(terms(passage.text) + terms(passage.context))
        }
        for where in _filters(sample_index):
            expected = [hit for hit in everything if _lies_in(sample_index, where, hit.passage)]
            assert _keys(sample_index.lexical(question, 1000, where)) == _keys(expected), where


@pytest.mark.parametrize("limit", ["soon", "2021-6-1", "2021年", ""])
def test_a_limit_that_is_no_date_is_said_so(sample_index: Index, limit: str) -> None:
    for leg in (sample_index.dense, sample_index.lexical):
        with pytest.raises(ValueError, match="不是日期"):
            leg("教育", 3, Filter(date_to=limit))


@pytest.mark.parametrize("question", ["", "，", "\ud800", "\x00", "the", "教" * 5000])
@pytest.mark.parametrize("k", [-1, 0, 1, 10**9])
def test_any_question_and_k_is_answered(sample_index: Index, question: str, k: int) -> None:
    for leg in (sample_index.dense, sample_index.lexical):
        assert len(leg(question, k)) <= max(0, min(k, len(sample_index)))


def test_opened_without_the_encoder_it_is_loaded_by_name(tmp_path: Path, tiny_encoder: Any) -> None:
    build([_write(tmp_path, "a.md", "教育", "教育经费增长。")], tmp_path / "index", encoder=tiny_encoder)
    with open_index(tmp_path / "index") as index:
        assert [hit.passage.document for hit in index.lexical("教育", 1)] == ["关于教育情况的报告"]  # needs no encoder
        with pytest.raises(GazetteError, match="tiny"):
            index.dense("教育", 1)


def test_an_encoder_is_loaded_once(tmp_path: Path, tiny_encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transformer takes seconds to load: the next generation takes it over."""
    folder, loaded = tmp_path / "index", []
    build([_write(tmp_path, "a.md", "教育", "教育经费增长。")], folder, encoder=tiny_encoder)
    monkeypatch.setattr("index.embed.load_encoder", lambda name: loaded.append(name) or tiny_encoder)
    with open_index(folder) as index:
        assert index.dense("教育", 1)
        add([_write(tmp_path, "b.md", "海洋", "渔业。")], folder, encoder=tiny_encoder)
        assert index.latest().dense("渔业", 1)[0].passage.document == "关于海洋情况的报告"
    assert loaded == ["tiny"]


def test_another_encoder_is_refused(tmp_path: Path, tiny_encoder: Any) -> None:
    build([_write(tmp_path, "a.md", "教育", "教育经费增长。")], tmp_path / "index", encoder=tiny_encoder)
    other = type(tiny_encoder)("other", 32)
    with pytest.raises(EncoderMismatch, match=r"tiny（64 维.*other（32 维.*gazette-index build"):
        open_index(tmp_path / "index", encoder=other)
    with pytest.raises(EncoderMismatch):
        add([_write(tmp_path, "b.md", "交通", "道路。")], tmp_path / "index", encoder=other)


def test_add_replace_remove(tmp_path: Path, tiny_encoder: Any) -> None:
    folder = tmp_path / "index"
    a, b = _write(tmp_path, "a.md", "教育", "教育经费增长。"), _write(tmp_path, "b.md", "海洋", "渔业产值一百万元。")
    outcomes = lambda reports: [(report.name, report.outcome) for report in reports]  # noqa: E731
    assert outcomes(build([a], folder, encoder=tiny_encoder)) == [("a.md", "indexed")]
    first = open_index(folder, encoder=tiny_encoder)
    assert first.latest() is first

    assert outcomes(add([a, b], folder, encoder=tiny_encoder)) == [("a.md", "unchanged"), ("b.md", "indexed")]
    second = first.latest()
    assert list(second.source_names.values()) == ["a.md", "b.md"]
    assert second.lexical("渔业", 5)
    assert not first.lexical("渔业", 5), "a reader keeps its generation"

    _write(tmp_path, "b.md", "海洋", "渔业产值两百万元。")
    assert outcomes(add([b], folder, encoder=tiny_encoder)) == [("b.md", "indexed")]
    third = second.latest()
    assert [("两百万元" in hit.passage.text) for hit in third.lexical("渔业产值一百万元", 5)] == [True]
    assert "一百万元" in second.lexical("渔业产值一百万元", 1)[0].passage.text

    assert outcomes(remove(["b.md", "c.md"], folder)) == [("b.md", "removed"), ("c.md", "skipped")]
    fourth = third.latest()
    assert not fourth.lexical("渔业", 5)
    assert all(
        hit.passage.source_id != third.lexical("渔业", 1)[0].passage.source_id for hit in fourth.dense("渔业", 9)
    )
    assert verify(folder) == []


ISSUE = """**海州市人民代表大会常务委员会公报**

**{year}年 第{number}号**

# 关于全市学校情况的报告

全市共有学校{schools}所，比上年增加两所，办学条件明显改善。
"""


@pytest.mark.parametrize(
    ("replace", "found"),
    [
        pytest.param("file", {"101所", "102所", "103所", "90所"}, id="beside each other"),
        pytest.param("issue", {"103所", "90所"}, id="the newest of an issue alone"),
        pytest.param("none", {"101所", "102所", "103所", "90所"}, id="nothing is replaced"),
    ],
)
def test_versions_of_an_issue_by_choice(tmp_path: Path, tiny_encoder: Any, replace: Any, found: set[str]) -> None:
    """Three versions of one issue and another issue: which of their figures can still be found, and what is said."""
    folder = tmp_path / "index"
    notes: list[str] = []
    for name, year, number, schools in (
        ("a", 2021, 2, 90), ("b", 2021, 3, 101), ("c", 2021, 3, 102), ("d", 2021, 3, 103),
    ):  # fmt: skip
        file = tmp_path / f"{name}.md"
        file.write_text(ISSUE.format(year=year, number=number, schools=schools), encoding="utf-8")
        change = add if folder.exists() else build
        (report,) = change([file], folder, encoder=tiny_encoder, **({"replace": replace} if folder.exists() else {}))
        notes += report.notes
    with open_index(folder, encoder=tiny_encoder) as index:
        texts = [hit.passage.text for hit in (*index.lexical("全市学校", 20), *index.dense("全市学校", 20))]
    assert {figure for figure in ("90所", "101所", "102所", "103所") if any(figure in t for t in texts)} == found
    beside = ["b.md", "b.md", "c.md"] if replace == "file" else []
    assert notes == [f"与 {other} 是同一期，两者并存" for other in beside]
    assert verify(folder) == []


def test_only_new_text_is_embedded(tmp_path: Path, tiny_encoder: Any) -> None:
    folder = tmp_path / "index"
    a, b = _write(tmp_path, "a.md", "教育", "教育经费增长。"), _write(tmp_path, "b.md", "海洋", "渔业。")
    build([a], folder, encoder=tiny_encoder)
    before = tiny_encoder.embedded
    build([a], folder, encoder=tiny_encoder)
    assert tiny_encoder.embedded == before
    new_passages = add([a, b], folder, encoder=tiny_encoder)[1].passages
    assert tiny_encoder.embedded == before + new_passages
    a.write_text(a.read_text(encoding="utf-8") + "\n二、问题\n\n经费不足。\n", encoding="utf-8")
    with open_index(folder, encoder=tiny_encoder) as index:
        old = {embedded_text(p) for d in index.documents for p in index.passages(d)}
    add([a], folder, encoder=tiny_encoder)
    with open_index(folder, encoder=tiny_encoder) as index:
        new = {embedded_text(p) for d in index.documents for p in index.passages(d)}
    assert tiny_encoder.embedded == before + new_passages + len(new - old)


def test_the_same_bytes_are_indexed_once(tmp_path: Path, tiny_encoder: Any) -> None:
    a = _write(tmp_path, "a.md", "教育", "教育经费增长。")
    copy = Path(shutil.copy(a, tmp_path / "b.md"))
    reports = build([a, copy], tmp_path / "index", encoder=tiny_encoder)
    assert [(r.name, r.outcome, r.reason) for r in reports] == [
        ("a.md", "indexed", ""),
        ("b.md", "duplicate", "与 a.md 内容相同"),
    ]
    assert [r.outcome for r in add([copy], tmp_path / "index", encoder=tiny_encoder)] == ["duplicate"]


def test_two_files_of_one_name_are_two_sources(tmp_path: Path, tiny_encoder: Any) -> None:
    for year in ("2020", "2021"):
        (tmp_path / year).mkdir()
        _write(tmp_path / year, "公报.md", "教育", f"{year}年教育经费。")
    folder = tmp_path / "index"
    build([tmp_path / "2020"], folder, encoder=tiny_encoder)
    add([tmp_path / "2021"], folder, encoder=tiny_encoder)
    with open_index(folder, encoder=tiny_encoder) as index:
        assert list(index.source_names.values()) == ["公报.md", "公报.md"]
    # A new version of a file that has moved takes the place of the old one.
    shutil.rmtree(tmp_path / "2021")
    (tmp_path / "new").mkdir()
    add([_write(tmp_path / "new", "公报.md", "教育", "2021年教育经费，改。")], folder, encoder=tiny_encoder)
    with open_index(folder, encoder=tiny_encoder) as index:
        texts = [p.text for d in index.documents for p in index.passages(d)]
    assert sorted("改" in text for text in texts) == [False, True]
    assert not any("2021年教育经费。" in text for text in texts)


def test_bad_files_are_named_and_the_rest_is_indexed(tmp_path: Path, tiny_encoder: Any) -> None:
    good = _write(tmp_path, "a.md", "教育", "教育经费增长。")
    empty, binary = tmp_path / "empty.md", tmp_path / "binary.md"
    empty.write_bytes(b"")
    binary.write_bytes(bytes(range(256)) * 64)
    reports = build([empty, binary, tmp_path / "missing.md", good], tmp_path / "index", encoder=tiny_encoder)
    assert [report.outcome for report in reports] == ["skipped", "skipped", "skipped", "indexed"]
    assert all(report.reason for report in reports[:3])


def test_nothing_to_index_leaves_the_old_index(tmp_path: Path, tiny_encoder: Any) -> None:
    folder = tmp_path / "index"
    build([_write(tmp_path, "a.md", "教育", "教育经费增长。")], folder, encoder=tiny_encoder)
    assert [report.outcome for report in build([tmp_path / "missing"], folder, encoder=tiny_encoder)] == ["skipped"]
    with open_index(folder, encoder=tiny_encoder) as index:
        assert len(index) == 1


def test_removing_everything_leaves_an_empty_index(tmp_path: Path, tiny_encoder: Any) -> None:
    folder = tmp_path / "index"
    build([_write(tmp_path, "a.md", "教育", "教育经费增长。")], folder, encoder=tiny_encoder)
    remove(["a.md"], folder)
    with open_index(folder, encoder=tiny_encoder) as index:
        assert (len(index), index.gazettes, index.dense("教育", 3), index.lexical("教育", 3)) == (0, (), [], [])
    assert verify(folder) == []
    add([tmp_path / "a.md"], folder, encoder=tiny_encoder)
    with open_index(folder, encoder=tiny_encoder) as index:
        assert len(index) == 1


def test_removed_text_is_gone_from_the_folder(tmp_path: Path, tiny_encoder: Any) -> None:
    folder = tmp_path / "index"
    removed = "渔业产值一百万元"
    build([_write(tmp_path, "a.md", "教育", "教育经费增长。")], folder, encoder=tiny_encoder)
    add([_write(tmp_path, "b.md", "海洋", removed)], folder, encoder=tiny_encoder)
    remove(["b.md"], folder)
    for path in folder.rglob("*"):
        if path.is_file():
            assert removed.encode() not in path.read_bytes()
            assert "渔业".encode() not in path.read_bytes()


def test_no_index_is_said_so(tmp_path: Path) -> None:
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(IndexDamaged, match="gazette-index build"):
            open_index(folder)
        with pytest.raises(IndexDamaged):
            verify(folder)
        with pytest.raises(IndexDamaged):
            remove(["a"], folder)
    assert not (tmp_path / "none").exists()


def test_a_second_writer_leaves_at_once(tmp_path: Path, tiny_encoder: Any) -> None:
    folder = tmp_path / "index"
    a = _write(tmp_path, "a.md", "教育", "教育经费增长。")
    build([a], folder, encoder=tiny_encoder)
    with building.generations.writing(folder):
        for change in (
            lambda: build([a], folder, encoder=tiny_encoder),
            lambda: add([a], folder, encoder=tiny_encoder),
            lambda: remove(["a.md"], folder),
        ):
            with pytest.raises(IndexBusy, match="另一个进程"):
                change()
        with open_index(folder, encoder=tiny_encoder) as index:  # readers do not wait
            assert len(index) == 1


# --- passages from elsewhere


def _bare(source: str, *texts: str) -> list[Passage]:
    passages, start = [], 0
    for n, text in enumerate(texts):
        end = start + len(text)
        passages.append(Passage(f"{source}-{n}", source, f"{source}-d", f"题 {source}", (), start, end, text))
        start = end + 1
    return passages


def test_bare_passages(tmp_path: Path, tiny_encoder: Any) -> None:
    passages = _bare("x", "教育经费增长。", "渔业产值。") + _bare("y", "道路交通\ud800。")
    build_from_passages(iter(passages), tmp_path / "index", encoder=tiny_encoder)
    with open_index(tmp_path / "index", encoder=tiny_encoder) as index:
        assert index.passage("x-1") == passages[1]
        assert [hit.passage.id for hit in index.lexical("渔业", 3)] == ["x-1"]
        assert index.dense("渔业产值", 1)[0].passage.id == "x-1"
        assert [hit.passage.id for hit in index.dense("渔业产值", 3, Filter(gazette="y"))] == ["y-0"]
        source = index.source("x")
        assert all(source.text[p.start : p.end] == p.text for p in passages[:2])
    assert verify(tmp_path / "index") == []


@pytest.mark.parametrize(
    "passages",
    [
        pytest.param([], id="none"),
        pytest.param(_bare("x", "甲") + _bare("x", "乙"), id="one id twice, texts contradict"),
        pytest.param(_bare("x", "甲") + _bare("y", "乙") + _bare("x", "甲"), id="one source in two places"),
    ],
)
def test_bare_passages_that_make_no_sense(tmp_path: Path, tiny_encoder: Any, passages: list[Passage]) -> None:
    with pytest.raises(GazetteError):
        build_from_passages(passages, tmp_path / "index", encoder=tiny_encoder)
    with pytest.raises(IndexDamaged):
        open_index(tmp_path / "index")


# --- many changes


@pytest.mark.parametrize("small", [2000, 0], ids=["written anew at once", "removed by mark"])
def test_random_changes_equal_a_rebuild(
    tmp_path: Path, tiny_encoder: Any, monkeypatch: pytest.MonkeyPatch, small: int
) -> None:
    monkeypatch.setattr(writer, "_SMALL", small)
    _changes_equal_a_rebuild(tmp_path, tiny_encoder, rounds=25, exact=bool(small))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_thousand_random_changes_equal_a_rebuild(
    tmp_path: Path, tiny_encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_SMALL", 20)
    _changes_equal_a_rebuild(tmp_path, tiny_encoder, rounds=1000, exact=False)


def _changes_equal_a_rebuild(tmp_path: Path, encoder: Any, rounds: int, exact: bool) -> None:
    """Files come, change and go; in the end the index answers as one built from what is left."""
    random_ = random.Random(6)
    words = ["教育", "海洋", "交通", "医疗", "预算", "选举", "渔业", "扶贫", "环境", "住房"]
    files, folder = tmp_path / "files", tmp_path / "index"
    files.mkdir()

    def write(name: str) -> Path:
        body = "\n\n".join(
            "，".join(random_.choices(words, k=30)) + f"{random_.randint(1, 999)}万元。" for _ in range(4)
        )
        return _write(files, name, random_.choice(words), body)

    build([write("0.md"), write("1.md")], folder, encoder=encoder)
    names = {"0.md", "1.md"}
    for _ in range(rounds):
        if len(names) > 3 and random_.random() < 0.45:
            name = random_.choice(sorted(names))
            assert [report.outcome for report in remove([name], folder)] == ["removed"]
            (files / name).unlink()
            names.discard(name)
        else:
            name = f"{random_.randint(0, 15)}.md"
            assert [report.outcome for report in add([write(name)], folder, encoder=encoder)] == ["indexed"]
            names.add(name)
    assert verify(folder) == []
    build([files], tmp_path / "again", encoder=encoder)
    with open_index(folder, encoder=encoder) as one, open_index(tmp_path / "again", encoder=encoder) as two:
        assert set(one.source_names.values()) == names
        assert len(one) == len(two)
        assert set(one.documents) == set(two.documents)
        assert {g.source_id: g for g in one.gazettes} == {g.source_id: g for g in two.gazettes}
        for question in ("教育经费", "渔业产值万元", "选举和预算"):
            assert sorted(_keys(one.dense(question, 999))) == sorted(_keys(two.dense(question, 999)))
            mine, theirs = one.lexical(question, 999), two.lexical(question, 999)
            assert {hit.passage for hit in mine} == {hit.passage for hit in theirs}
            if exact:
                assert sorted(_keys(mine)) == sorted(_keys(theirs))


def test_eight_threads_answer_as_one(sample_index: Index) -> None:
    questions = [
        "义务教育学校有多少所",
        "预算调整方案",
        "医疗保障",
        "会议是哪天召开的",
        "扶贫产业",
        "停车管理",
        "海关",
        "任免",
    ]
    ask: Callable[[str], Any] = lambda q: (_keys(sample_index.dense(q, 10)), _keys(sample_index.lexical(q, 10)))  # noqa: E731
    expected = {question: ask(question) for question in questions}
    wrong: list[str] = []

    def work(seed: int) -> None:
        for question in random.Random(seed).choices(questions, k=50):
            if ask(question) != expected[question]:
                wrong.append(question)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
