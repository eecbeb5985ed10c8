"""Passages: verbatim at their offsets, inside one section, all paragraphs covered, the same every time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.chunks import PASSAGE_LENGTH, split_passages
from index.facts import ledgers
from index.gazette import parse_gazette
from index.records import Gazette, Passage, Source


@pytest.fixture(scope="module")
def passages(sample_gazette: Gazette, sample_source: Source) -> list[Passage]:
    return split_passages(sample_gazette, sample_source)


def split(text: str, length: int = PASSAGE_LENGTH) -> list[Passage]:
    source = Source(id="f" * 16, name="文件.md", text=text, sha256="f" * 64)
    return split_passages(parse_gazette(source), source, length=length)


def test_text_stands_at_its_offsets(passages: list[Passage], sample_source: Source) -> None:
    assert all(sample_source.text[p.start : p.end] == p.text and p.text == p.text.strip() for p in passages)


def test_bounded_and_in_order(passages: list[Passage]) -> None:
    assert max(len(p.text) for p in passages) <= PASSAGE_LENGTH
    assert all(before.end <= after.start for before, after in pairwise(passages))
    assert len({p.id for p in passages}) == len(passages)


def test_every_paragraph_is_covered(passages: list[Passage], sample_gazette: Gazette, sample_source: Source) -> None:
    covered = bytearray(len(sample_source.text))
    for passage in passages:
        covered[passage.start : passage.end] = b"\1" * (passage.end - passage.start)
    for document in sample_gazette.documents:
        for p in document.paragraphs:
            bare = [i for i in range(p.start, p.end) if not covered[i] and not sample_source.text[i].isspace()]
            assert not bare, (document.title, p)


def test_inside_one_document_and_article(passages: list[Passage], sample_gazette: Gazette) -> None:
    for passage in passages:
        document = next(d for d in sample_gazette.documents if d.id == passage.document_id)
        assert document.start <= passage.start < passage.end <= document.end
        inside = [p for p in document.paragraphs if p.start < passage.end and passage.start < p.end]
        assert len({p.article for p in inside if p.kind != "heading"}) <= 1
        assert inside[0].n == passage.paragraph


def test_same_every_time(passages: list[Passage], sample_gazette: Gazette, sample_source: Source) -> None:
    assert split_passages(sample_gazette, sample_source) == passages


def test_title_and_byline_are_found_together(passages: list[Passage]) -> None:
    head = next(p for p in passages if p.text.startswith("关于我市义务教育工作情况的报告"))
    assert "金 莉" in head.text
    assert "2021年6月10日" in head.text


@pytest.mark.parametrize(
    ("length", "pieces"),
    [
        pytest.param(40, 4, id="sentences apart"),
        pytest.param(80, 2, id="two sentences a piece"),
        pytest.param(300, 1, id="whole"),
    ],
)
def test_long_paragraph_is_cut_at_sentences(length: int, pieces: int) -> None:
    sentence = "全市新建学校四所，改扩建学校八十所，新建校舍三万平方米，投入三亿元。"
    passages = split(sentence * 4, length)
    assert len(passages) == pieces
    assert all(p.text.endswith("。") for p in passages)


def test_closing_quotation_mark_stays_with_its_sentence() -> None:
    passages = split(
        "他说：“这项工作十分重要，必须抓紧抓好，不能有任何松懈。”会议要求各县（市）区认真落实，按季度报告进展情况。", 40
    )
    assert [p.text[-1] for p in passages] == ["”", "。"]


def test_headings_go_with_the_text_under_them() -> None:
    passages = split(
        "# 关于某事的报告\n\n## 一、基本情况\n\n（一）数量\n\n全市有学校三所。\n\n## 二、问题\n\n投入不足。"
    )
    assert [p.text.split("\n")[0] for p in passages] == ["关于某事的报告", "一、基本情况", "二、问题"]
    assert [p.headings for p in passages] == [(), ("一、基本情况", "（一）数量"), ("二、问题",)]


def test_articles_are_never_packed_together() -> None:
    passages = split(
        "# 某市某条例\n\n第一条 为了某事。\n\n第二条 本市适用。\n\n（一）甲；\n\n（二）乙。\n\n第三条 施行。"
    )
    assert [p.article for p in passages] == [None, "第一条", "第二条", "第三条"]


def test_table_is_whole_or_cut_at_rows() -> None:
    row = "关于某项工作情况的报告\t33 票\t5 票\t0 票\n"
    assert len(split("报告\t满意\t基本满意\t不满意\n" + row * 8)) == 1
    passages = split("报告\t满意\t基本满意\t不满意\n" + row * 40)
    assert len(passages) > 1
    assert all(p.text.endswith("票") for p in passages)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("字" * 5000, id="no punctuation at all"),
        pytest.param("a\tb\n" * 2000, id="a long table of short rows"),
        pytest.param("# " + "长" * 4000, id="a heading longer than a passage"),
        pytest.param("\n\n".join(f"## {i}、标题" for i in range(500)), id="headings only"),
        pytest.param("。" * 3000, id="full stops only"),
    ],
)
def test_odd_text_is_covered_and_bounded(text: str) -> None:
    passages = split(text)
    assert max(len(p.text) for p in passages) <= PASSAGE_LENGTH
    shown = "".join("".join(p.text.split()) for p in passages)
    assert shown.replace("#", "") == "".join(text.split()).replace("#", "")


def test_length_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="40"):
        split("文", 10)


PIECES = st.sampled_from(
    ["# ", "## ", "**", "一、", "（一）", "1.", "第一条 ", "第二章 总则", "附件1", "目录", "\n", "\n\n", "\r\n", "\t", "|", "。", "，", "“", "”",
     "《", "》", "（", "）", "——", "…… 3", "2021年6月10日", "关于某事的报告", "某市人民政府", "市长 李 强", "审议通过", "全市有学校三所", "字" * 350,
     "\u3000\u3000", "\u200b", "\x00", "\ufeff", "𠮷", "<table><tr>", "---", "- 1 -", "公报", "第3号", "\x0c"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join))
def test_any_text_keeps_its_offsets_and_its_words(text: str) -> None:
    source = Source(id="f" * 16, name="文件.md", text=text, sha256="f" * 64)
    gazette = parse_gazette(source)
    passages = split_passages(gazette, source)
    assert all(text[p.start : p.end] == p.text and 0 < len(p.text) <= PASSAGE_LENGTH for p in passages)
    assert all(before.end <= after.start for before, after in pairwise(passages))
    covered = {i for p in passages for i in range(p.start, p.end)}
    for document in gazette.documents:
        for paragraph in document.paragraphs:
            assert all(i in covered or text[i].isspace() for i in range(paragraph.start, paragraph.end))
    assert ledgers(gazette, source) == ledgers(gazette, source)
