"""The sheet shows every word of a document, marks where the offsets say, and lets no text become markup."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest

from index.gazette import parse_gazette
from index.records import Document, Gazette, Paragraph, Source
from index.text import fold
from page.sheet import WINDOW, Mark, body, mark, window
from qa.cite import cite


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def made(text: str, kind: str = "text", **values: object) -> tuple[Source, Document]:
    paragraph = Paragraph(1, 0, len(text), kind, **values)  # type: ignore[arg-type]
    return Source("s", "a.md", text, "0"), Document("s-01", "s", 1, "题", "报告", 0, len(text), (paragraph,))


def shown(source: Source, document: Document, *marks: Mark) -> str:
    return body(source, document, marks, "zh", window(document, source.text, document.start))


def test_every_word_of_the_real_gazette_is_shown(sample_source: Source, sample_gazette: Gazette) -> None:
    for document in sample_gazette.documents:
        printed = fold(text_of(shown(sample_source, document)))
        found = fold(sample_source.text[document.start : document.end])
        for line_mark in ("#", "*", "-", "_"):
            printed, found = printed.replace(line_mark, ""), found.replace(line_mark, "")
        assert printed == found, document.title


def test_a_mark_of_each_paragraph_holds_its_words(sample_source: Source, sample_gazette: Gazette) -> None:
    for document in sample_gazette.documents[1:]:
        for paragraph in document.paragraphs:
            html = shown(sample_source, document, Mark(1, paragraph.start, paragraph.end, focus=True))
            marked = "".join(re.findall(r"<mark[^>]*>(.*?)</mark>", html))
            wanted = fold(sample_source.text[paragraph.start : paragraph.end])
            assert fold(text_of(marked)).replace("*", "") == re.sub(r"[#*]", "", wanted)


def test_answering_words_are_found_by_place_not_by_their_characters(
    sample_source: Source, sample_gazette: Gazette
) -> None:
    document = sample_gazette.documents[3]
    quote = sample_source.text.index("初中86所（公办82所", document.start)
    second = sample_source.text.index("82所", quote)
    citation = cite(1, sample_source, sample_gazette, document, quote, second + 20, (second, second + 3))
    found = mark(citation, sample_source.text)
    assert (found.hit_start, found.hit_end) == (second, second + 3)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        pytest.param("## 一、基本情况", {"kind": "heading"}, "一、基本情况", id="heading marks are not words"),
        pytest.param("**第二条** 评议。", {"article": "第二条"}, "第二条评议。", id="bold marks are not words"),
        pytest.param("李**、王**参加。", {}, "李**、王**参加。", id="stars that hide names stay"),
        pytest.param("第一条  本办法", {"article": "第一条"}, "第一条本办法", id="article number"),
        pytest.param("从先后部属高校\n\n“直招”高层次教师", {}, "从先后部属高校“直招”高层次教师", id="page join closed"),
        pytest.param("GDP growth\nwas 3 %", {}, "GDP growth was 3 %", id="spaces between Latin words stay"),
        pytest.param("金\u200b莉\u202e副市长", {}, "金莉副市长", id="invisible and bidi characters go"),
    ],
)
def test_text_as_read(text: str, values: dict[str, str], expected: str) -> None:
    assert text_of(shown(*made(text, **values))) == expected


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        pytest.param("报 告\t满 意\n教育\t33 票", [["报告", "满意"], ["教育", "33票"]], id="tabs"),
        pytest.param("| 甲 | 乙 |\n|---|:-:|\n| 1 | |", [["甲", "乙"], ["1", ""]], id="pipes"),
        pytest.param(
            "<table><tr><th>甲</th><td>乙</td></tr><tr><td>1<td>2</table>", [["甲", "乙"], ["1", "2"]], id="html"
        ),
        pytest.param("<tr><td></td><td>2</td></tr>尾", [["", "2"], ["尾"]], id="empty cell and stray words"),
    ],
)
def test_tables(text: str, rows: list[list[str]]) -> None:
    html = shown(*made(text, "table"))
    found = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", html)]
    assert found == rows


def test_joins_are_shown_where_they_are() -> None:
    text = "就市人\n\n大常委会组织"
    html = shown(*made(text, joins=(3,)))
    assert re.search(r'就市人<span class="join"[^>]*></span>大常委会', html)


def test_words_outside_any_paragraph_are_shown_and_marked() -> None:
    source, document = made("第一段。\n\n漏掉的一段。\n\n---\n\n第三段。")
    bare = replace(document, paragraphs=(Paragraph(1, 0, 4),))
    html = shown(source, bare, Mark(1, 6, 11))
    assert text_of(html) == "第一段。漏掉的一段。第三段。"
    assert re.search(r"<mark[^>]*>漏掉的一段</mark>。", html)


def test_overlapping_marks_show_the_one_in_focus() -> None:
    source, document = made("甲乙丙丁戊")
    html = shown(source, document, Mark(1, 0, 4), Mark(2, 2, 5, focus=True))
    assert re.findall(r'data-n="(\d)"[^>]*>(.*?)</mark>', html) == [("1", "甲乙"), ("2", "丙丁戊")]


def test_markup_in_a_document_stays_text() -> None:
    html = shown(*made('<script>alert(1)</script><img src=x onerror="alert(2)">'))
    assert "<script" not in html
    assert "<img" not in html


def test_a_long_document_is_shown_in_stretches_that_cover_it() -> None:
    text = "\n\n".join(f"第{i}段" + "字" * 400 for i in range(600))
    source = Source("s", "long.md", text, "0")
    document = parse_gazette(source).documents[-1]
    at, seen, stretches = document.start, "", 0
    part = window(document, text, at)
    while True:
        stretches += 1
        assert part.end - part.start <= 2 * WINDOW
        seen += body(source, document, (), "zh", part)
        if part.later is None:
            break
        part = replace(window(document, text, part.later), start=part.end)
    assert stretches > 2
    assert fold(text_of(seen)) == fold(text[document.start : document.end])
