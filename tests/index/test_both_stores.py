"""What holds for every store: the index folder and Milvus (here a Milvus Lite file)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index.chunks import split_passages
from index.lexical import terms
from index.records import Filter, Gazette, GazetteError, Passage, Source
from index.store import (
    EncoderMismatch,
    Index,
    IndexDamaged,
    add,
    build,
    build_from_passages,
    matches,
    open_index,
    remove,
    verify,
)

Place = Callable[[Path], Path]
STORES = ["folder", pytest.param("milvus", marks=pytest.mark.slow)]


def _place(store: str, folder: Path) -> Path:
    if store == "folder":
        return folder / "index"
    pytest.importorskip("milvus_lite", reason='needs pip install ".[milvus]"')
    return Path(f"milvus+{folder}/index.db")


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return _place(request.param, tmp_path)


@pytest.fixture(scope="module", params=STORES)
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sample_index: Index) -> Any:
    """The real gazette in each store."""
    if request.param == "folder":
        return sample_index
    place = _place(request.param, tmp_path_factory.mktemp("milvus"))
    sample = Path(__file__).parents[2] / "data"
    build([sample], place, encoder=sample_index.encoder)
    return open_index(place, encoder=sample_index.encoder)


def _write(folder: Path, name: str, topic: str, body: str) -> Path:
    path = folder / name
    path.write_text(f"# 关于{topic}情况的报告\n\n{body}\n", encoding="utf-8")
    return path


def test_everything_comes_back(index: Index, sample_source: Source, sample_gazette: Gazette) -> None:
    assert index.source(sample_source.id) == sample_source
    assert index.gazettes == (sample_gazette,)
    assert list(index.documents) == [document.id for document in sample_gazette.documents]
    assert all(index.documents[document.id] == document for document in sample_gazette.documents)
    expected = split_passages(sample_gazette, sample_source)
    assert len(index) == len(expected)
    assert [passage for d in sample_gazette.documents for passage in index.passages(d.id)] == expected
    assert index.passage(expected[7].id) == expected[7]
    assert index.source_names == {sample_source.id: sample_source.name}
    assert index.latest() is index


@pytest.mark.parametrize("unknown", ["", "没有", '" or pk != "', "'; DROP TABLE passages; --"])
def test_what_is_not_there_is_a_key_error(index: Index, unknown: str) -> None:
    for get in (index.passage, index.source, index.gazette, index.documents.__getitem__):
        with pytest.raises(KeyError):
            get(unknown)
    assert index.passages(unknown) == []
    assert index.dense("教育", 3, Filter(organ=unknown)) == []


def _filters(index: Index) -> list[Filter]:
    document = next(d for d in index.documents.values() if d.speaker and d.organ)
    gazette = index.gazette(document.source_id)
    year = gazette.year or 0
    return [
        Filter(),
        Filter(gazette=gazette.source_id),
        Filter(document=document.id),
        Filter(kind="决定"),
        Filter(organ=document.organ),
        Filter(organ=f" {gazette.organ} "),
        Filter(speaker=document.speaker),
        Filter(year_from=year, year_to=year),
        Filter(year_from=year + 1),
        Filter(year_to=year - 1),
        Filter(date_from="2021-06-01"),
        Filter(date_to="2021-06"),
        Filter(date_from="2021", date_to="2021-05-31", kind="报告"),
        Filter(kind=document.kind, speaker=document.speaker, year_from=year),
    ]


@pytest.mark.parametrize("question", ["义务教育学校有多少所", "预算调整方案"])
def test_filters_are_never_ignored(index: Index, question: str) -> None:
    passages = [passage for document in index.documents for passage in index.passages(document)]
    for where in _filters(index):
        allowed = {
            passage.id
            for passage in passages
            if matches(where, index.documents[passage.document_id], index.gazette(passage.source_id))
        }
        assert {hit.passage.id for hit in index.dense(question, 9999, where)} == allowed, where
        having = {p.id for p in passages if set(terms(question)) & {*terms(p.text), *terms(p.context)}}
        assert {hit.passage.id for hit in index.lexical(question, 9999, where)} == allowed & having, where
        for hits in (index.dense(question, 5, where), index.lexical(question, 5, where)):
            assert len(hits) <= 5
            assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@pytest.mark.parametrize("question", ["", "，", "\ud800", "the", "教" * 3000])
@pytest.mark.parametrize("k", [-1, 0, 1, 10**9])
def test_any_question_and_k_is_answered(index: Index, question: str, k: int) -> None:
    for leg in (index.dense, index.lexical):
        assert len(leg(question, k)) <= max(0, min(k, len(index)))


def test_weights_count(index: Index) -> None:
    light = index.lexical([("教育", 1.0), ("海关", 0.25)], 1)[0].passage
    heavy = index.lexical([("教育", 0.25), ("海关", 4.0)], 1)[0].passage
    assert "教育" in light.text
    assert "海关" in heavy.text


def test_add_replace_remove(place: Path, tmp_path: Path, tiny_encoder: Any) -> None:
    a, b = _write(tmp_path, "a.md", "教育", "教育经费增长。"), _write(tmp_path, "b.md", "海洋", "渔业产值一百万元。")
    build([a], place, encoder=tiny_encoder)
    opened = open_index(place, encoder=tiny_encoder)
    assert [r.outcome for r in add([a, b], place, encoder=tiny_encoder)] == ["unchanged", "indexed"]
    opened = opened.latest()
    assert list(opened.source_names.values()) == ["a.md", "b.md"]
    _write(tmp_path, "b.md", "海洋", "渔业产值两百万元。")
    add([b], place, encoder=tiny_encoder)
    opened = opened.latest()
    assert ["两百万元" in hit.passage.text for hit in opened.lexical("渔业产值一百万元", 5)] == [True]
    copy = Path(shutil.copy(a, tmp_path / "c.md"))
    assert [r.outcome for r in add([copy], place, encoder=tiny_encoder)] == ["duplicate"]
    assert [r.outcome for r in remove(["b.md", "d.md"], place)] == ["removed", "skipped"]
    opened = opened.latest()
    assert opened.lexical("渔业", 5) == []
    assert {hit.passage.document for hit in opened.dense("渔业", 9)} == {"关于教育情况的报告"}
    build([b], place, encoder=tiny_encoder)  # anew, in place of what was there
    opened = opened.latest()
    assert list(opened.source_names.values()) == ["b.md"]
    assert opened.lexical("教育经费", 5) == []
    assert verify(place) == []


@pytest.mark.parametrize(
    ("replace", "left", "note"),
    [
        pytest.param("file", 2, True, id="another file stands beside"),
        pytest.param("issue", 1, False, id="the same issue is replaced"),
        pytest.param("none", 2, False, id="nothing is replaced"),
    ],
)
def test_another_copy_of_the_same_issue(
    place: Path, tmp_path: Path, sample_path: Path, tiny_encoder: Any, replace: Any, left: int, note: bool
) -> None:
    build([sample_path], place, encoder=tiny_encoder)
    newer = tmp_path / "newer.md"
    newer.write_text(sample_path.read_text(encoding="utf-8").replace("206所", "208所"), encoding="utf-8")
    (report,) = add([newer], place, encoder=tiny_encoder, replace=replace)
    assert any("同一期" in line for line in report.notes) == note
    opened = open_index(place, encoder=tiny_encoder)
    assert len(opened.source_names) == left
    found = " ".join(hit.passage.text for hit in opened.lexical("义务教育阶段学校 206 208", 20))
    assert ("206所" in found, "208所" in found) == (left == 2, True)


def test_nothing_to_index_leaves_the_old_index(place: Path, tmp_path: Path, tiny_encoder: Any) -> None:
    build([_write(tmp_path, "a.md", "教育", "教育经费增长。")], place, encoder=tiny_encoder)
    assert [r.outcome for r in build([tmp_path / "missing"], place, encoder=tiny_encoder)] == ["skipped"]
    assert len(open_index(place, encoder=tiny_encoder)) == 1


def test_another_encoder_is_refused(place: Path, tmp_path: Path, tiny_encoder: Any) -> None:
    build([_write(tmp_path, "a.md", "教育", "教育经费增长。")], place, encoder=tiny_encoder)
    other = type(tiny_encoder)("other", 32)
    with pytest.raises(EncoderMismatch, match=r"tiny（64 维.*other（32 维.*gazette-index build"):
        open_index(place, encoder=other)
    with pytest.raises(EncoderMismatch):
        add([_write(tmp_path, "b.md", "交通", "道路。")], place, encoder=other)


def test_bare_passages(place: Path, tiny_encoder: Any) -> None:
    passages = [
        Passage(f'id "{n}"', f"s{n}", f"d{n}", "题", (), 0, len(text), text)
        for n, text in enumerate(["教育经费增长。", "渔业产值8.5亿元。", "道路交通。"])
    ]
    build_from_passages(passages, place, encoder=tiny_encoder)
    opened = open_index(place, encoder=tiny_encoder)
    assert opened.passage('id "1"') == passages[1]
    assert [hit.passage.id for hit in opened.lexical("8.5", 3)] == ['id "1"']
    assert [hit.passage.id for hit in opened.dense("渔业产值", 3, Filter(gazette="s2"))] == ['id "2"']


def test_no_index_is_said_so(place: Path) -> None:
    with pytest.raises(IndexDamaged, match="gazette-index build"):
        open_index(place)
    with pytest.raises(IndexDamaged):
        remove(["a"], place)


@pytest.mark.slow
def test_no_server_is_one_line() -> None:
    pytest.importorskip("pymilvus", reason='needs pip install ".[milvus]"')
    with pytest.raises(GazetteError, match="Milvus") as raised:
        open_index(Path("milvus+http://127.0.0.1:9"))
    assert "\n" not in str(raised.value)


@pytest.mark.slow
def test_both_stores_agree(sample_index: Index, tmp_path: Path) -> None:
    """The same first passage for at least 95 % of the development questions, in each leg."""
    place = _place("milvus", tmp_path)
    build([Path(__file__).parents[2] / "data"], place, encoder=sample_index.encoder)
    other = open_index(place, encoder=sample_index.encoder)
    file = Path(__file__).parents[2] / "eval" / "questions" / "sample_dev.jsonl"
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    questions = [record["question"] for record in records if "question" in record]
    for leg in ("dense", "lexical"):
        firsts = [[getattr(one, leg)(question, 1) for question in questions] for one in (sample_index, other)]
        same = [[h.passage.id for h in a] == [h.passage.id for h in b] for a, b in zip(*firsts, strict=True)]
        assert sum(same) / len(same) >= 0.95, (leg, sum(same) / len(same))
