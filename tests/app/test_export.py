"""Exports: each format holds the answer and its quote, its citations reopen the place, and words stay words."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit
from zipfile import ZipFile

import pytest
from docx import Document

from index.records import Filter
from page.desk import Desk, Visit
from page.export import MEDIA, markdown, parcel, records, web_page, word
from page.library import Asked, Library
from qa.records import Summary, SummarySentence, Turn

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
BASE = "http://127.0.0.1:7860"


@pytest.fixture
def turns(assistant: Asked) -> tuple[Turn, ...]:
    asked = ("全市义务教育阶段学校有多少所？", "年购书经费是多少？", "今年的税收是多少？")
    return tuple(Turn(q, assistant.ask(q)) for q in asked)


@pytest.fixture
def hostile(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    bad = "<script>alert(1)</script>![x](http://evil.example/)\u202e\x08"
    citation = replace(turns[0].answer.citations[0], quote=bad, document=bad, reference=bad)
    return (Turn(bad, replace(turns[0].answer, question=bad, answer=bad, citations=(citation,))),)


def test_markdown(turns: tuple[Turn, ...]) -> None:
    text = markdown(turns, "zh", BASE, NOW)
    assert "## 全市义务教育阶段学校有多少所？" in text
    assert "**206所**" in text
    assert "来源说法不一" in text
    assert "公报里没有找到答案：所收公报没有谈到这件事" in text


def test_what_must_be_known_beside_the_words_is_in_the_file(turns: tuple[Turn, ...]) -> None:
    answer = replace(
        turns[0].answer,
        resolved_question="全市呢？",
        where=Filter(year_from=2021, year_to=2021),
        summary=Summary(
            "m", (SummarySentence("有206所。", (1,), "consistent"), SummarySentence("都好。", (), "unsupported"))
        ),
    )
    narrowed = (Turn(answer.question, answer),)
    document = Document(io.BytesIO(word(narrowed, "zh", BASE, NOW)))
    for text in (
        markdown(narrowed, "zh", BASE, NOW).replace("\\", ""),
        web_page(narrowed, "zh", BASE, NOW),
        "\n".join(p.text for p in document.paragraphs),
    ):
        for said in ("理解为：全市呢？", "范围：2021年", "把握大", "有206所。 [1]"):
            assert said in text
        assert "都好" not in text


def test_web_page_fetches_and_runs_nothing(turns: tuple[Turn, ...]) -> None:
    html = web_page(turns, "en", BASE, NOW)
    assert "<strong>206所</strong>（公办197所" in html
    assert "default-src 'none'" in html
    assert "<script" not in html
    assert re.findall(r'(?:src|href)="(?!http://127\.0\.0\.1:7860/#)', html) == []


def test_records_are_answer_records_with_links(turns: tuple[Turn, ...]) -> None:
    found = json.loads(records(turns, {}, BASE))
    assert [r["status"] for r in found] == ["answered", "conflict", "not_found"]
    assert found[0]["citations"][0]["url"].startswith(f"{BASE}/#q=")


def test_word(turns: tuple[Turn, ...]) -> None:
    text = "\n".join(p.text for p in Document(io.BytesIO(word(turns, "zh", BASE, NOW))).paragraphs)
    assert "全市现有义务教育阶段学校206所" in text
    assert f"{BASE}/#q=" in text


@pytest.mark.parametrize("form", list(MEDIA))
def test_an_exported_citation_reopens_its_passage(turns: tuple[Turn, ...], assistant: Asked, form: str) -> None:
    file = json.loads(parcel(turns, form, "zh", {}, BASE))
    assert file["name"].endswith(f".{form}")
    data = base64.b64decode(file["data"])
    if form == "docx":
        data = ZipFile(io.BytesIO(data)).read("word/document.xml")
    url = re.search(r"http://127\.0\.0\.1:7860/#q=[^\s>\"<]+", data.decode())
    assert url
    link = parse_qs(urlsplit(url.group().replace("&amp;", "&")).fragment)
    desk = Desk(Library(assistant))
    pane = desk.pane(desk.open({"s": link["s"][0], "at": link["at"][0]}, Visit(), ""), "")
    assert re.search(r"is-focus[^>]*>全市现有义务教育阶段学校206所", pane)


def test_words_stay_words(hostile: tuple[Turn, ...]) -> None:
    text = markdown(hostile, "zh", BASE, NOW)
    assert "<script" not in text.replace("\\<", "")
    assert "![" not in text.replace("\\!", "")
    assert "<script" not in web_page(hostile, "zh", BASE, NOW)
    assert "\x08" not in text
    assert Document(io.BytesIO(word(hostile, "zh", BASE, NOW))).paragraphs


def test_an_unknown_format_is_named(turns: tuple[Turn, ...]) -> None:
    with pytest.raises(ValueError, match="exe"):
        parcel(turns, "exe", "zh", {}, BASE)
