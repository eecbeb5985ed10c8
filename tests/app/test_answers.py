"""The conversation: answers in their quotes, both sides of a conflict, refusals with their reason, all of it text."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from index.records import Filter
from page.answers import _cut, confidence_key, conversation, link, scope_text
from page.library import Asked
from page.markup import NAME, short
from page.strings import LANGUAGES, STRINGS, say
from qa.records import Answer, Summary, SummarySentence, Turn

ROOT = Path(__file__).parents[2]


def html_of(answer: Answer) -> str:
    return conversation([Turn(answer.question, answer)], "zh", {})


def asked(assistant: Asked, question: str) -> Answer:
    return assistant.ask(question)


def test_short_answer_is_emphasised_in_its_sentence(assistant: Asked) -> None:
    html = html_of(asked(assistant, "全市义务教育阶段学校有多少所？"))
    assert re.search(r'全市现有义务教育阶段学校<strong class="hit is-short">206所</strong>（公办197所', html)
    assert re.search(r'<button[^>]*class="chip"[^>]*data-n="1"[^>]*>\[1\]</button>', html)
    assert say("zh", "sure") in html


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        pytest.param((5, 7), '<b class="article">第二条</b>由市<strong class="hit is-short">政府', id="apart"),
        pytest.param((0, 5), '<strong class="hit is-short">第二条由市</strong>', id="part of the answer"),
        pytest.param((0, 0), '<b class="article">第二条</b>由市政府负责。', id="no answering words"),
    ],
)
def test_an_article_number_stands_apart(assistant: Asked, span: tuple[int, int], expected: str) -> None:
    answer = asked(assistant, "全市义务教育阶段学校有多少所？")
    citation = replace(
        answer.citations[0], quote="第二条由市政府负责。", article="第二条", answer_start=span[0], answer_end=span[1]
    )
    assert expected in html_of(replace(answer, citations=(citation,)))


def test_both_sides_of_a_conflict(assistant: Asked) -> None:
    html = html_of(asked(assistant, "年购书经费是多少？"))
    assert say("zh", "conflict") in html
    assert re.findall(r'<p class="lead">(.*?)</p>', html) == ["180万元", "300万元"]


def test_refusal_says_why_and_what_is_near(assistant: Asked) -> None:
    html = html_of(asked(assistant, "今年的税收是多少？"))
    assert "所收公报没有谈到这件事" in html
    assert say("zh", "near") in html
    assert html.count('class="near-open"') == 4
    assert 'class="chip"' not in html


def test_an_english_page_says_why_in_english(assistant: Asked) -> None:
    answer = replace(asked(assistant, "今年的税收是多少？"), reason="公报未提到“税收”；最接近的内容在《决定》。")
    html = conversation([Turn(answer.question, answer)], "en", {})
    assert "The gazette does not mention “税收”. The nearest is in 《决定》." in html
    assert "未提到" not in html


def test_how_the_question_was_understood(assistant: Asked) -> None:
    assert "理解为：海州市少儿图书馆有几座？" in html_of(asked(assistant, "其中少儿图书馆呢？"))
    assert "按“义务教育”理解“上学”" in html_of(asked(assistant, "上学的学校有几所"))
    narrowed = replace(
        asked(assistant, "海州市有几座图书馆？"), where=Filter(year_from=2022, year_to=2022, kind="报告")
    )
    assert "范围：2022年 · 报告" in html_of(narrowed)


def test_unsupported_sentences_are_struck_out(assistant: Asked) -> None:
    sentences = (SummarySentence("有206所。", (1,), "consistent"), SummarySentence("都很好。", (), "unsupported"))
    html = html_of(replace(asked(assistant, "全市义务教育阶段学校有多少所？"), summary=Summary("m", sentences)))
    assert "<del>都很好。</del>" in html
    assert say("zh", "unsupported") in html
    assert "<del>有206所。" not in html


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(0.97, "sure"), (0.85, "sure"), (0.84, "fairly"), (0.6, "fairly"), (0.59, "unsure"), (0.0, "unsure")],
)
def test_confidence_in_words(confidence: float, words: str) -> None:
    assert confidence_key(confidence) == words


@pytest.mark.parametrize(
    ("text", "span", "limit", "expected"),
    [
        pytest.param("短句。", (0, 2), 10, ("短句。", 0, 2), id="nothing cut"),
        pytest.param("0123456789答案0123456789", (10, 12), 6, ("…89答案01…", 3, 5), id="cut on both sides"),
        pytest.param("答案0123456789", (0, 2), 6, ("答案0123…", 0, 2), id="answer at the beginning"),
        pytest.param("0123456789答案", (10, 12), 6, ("…6789答案", 5, 7), id="answer at the end"),
        pytest.param(
            "0" + "答" * 20, (1, 21), 6, ("…" + "答" * 20, 1, 21), id="an answer longer than the limit is whole"
        ),
    ],
)
def test_long_quotes_are_cut_around_the_answer(
    text: str, span: tuple[int, int], limit: int, expected: tuple[str, int, int]
) -> None:
    assert _cut(text, *span, limit) == expected


def listed(assistant: Asked, count: int) -> Answer:
    """An answer of as many items, each the answering words of a quote of its own."""
    answer = asked(assistant, "全市义务教育阶段学校有多少所？")
    items = [f"第{n}类学校、幼儿园和其他教育机构及其主管部门" for n in range(1, count + 1)]
    citations = tuple(
        replace(
            answer.citations[0],
            n=n,
            quote=f"（{n}）{item}；",
            answer_start=len(f"（{n}）"),
            answer_end=len(f"（{n}）{item}"),
        )
        for n, item in enumerate(items, 1)
    )
    return replace(answer, answer="；".join(items), sentence="", citations=citations)


def test_a_short_list_is_read_in_its_quotes(assistant: Asked) -> None:
    html = html_of(listed(assistant, 3))
    assert 'class="lead' not in html
    assert html.count('class="proof"') == 3
    assert '<details class="more"' not in html


def test_a_long_list_is_a_list_with_a_chip_each(assistant: Asked) -> None:
    html = html_of(listed(assistant, 10))
    items = re.findall(r"<li>(第\d+类[^<]*)<button[^>]*data-n=\"(\d+)\"", html)
    assert [int(n) for _, n in items] == list(range(1, 11))
    assert html.index('class="proof"') < html.index(say("zh", "more_quotes", n=9))


def test_a_document_is_named_once_for_quotes_in_a_row(assistant: Asked) -> None:
    html = html_of(listed(assistant, 3))
    assert html.count("<cite") == 1
    assert html.count("2021年第3号</span>") == 1
    other = asked(assistant, "海州市有几座图书馆？")
    assert html_of(other).count("<cite") == 2


def test_a_long_name_keeps_its_beginning_and_end(assistant: Asked) -> None:
    name = "关于" + "进一步贯彻落实有关规定" * 12 + "情况的审议意见"
    assert short("短名") == "短名"
    assert len(short(name)) <= NAME + 1
    answer = asked(assistant, "全市义务教育阶段学校有多少所？")
    html = html_of(replace(answer, citations=(replace(answer.citations[0], document=name),)))
    assert re.search(rf'<cite title="{name}">关于进一步[^<]*…[^<]*审议意见</cite>', html)


def test_what_only_the_summary_rests_on_is_no_proof_of_the_answer(assistant: Asked) -> None:
    for question, sides in (("全市义务教育阶段学校有多少所？", 1), ("年购书经费是多少？", 2)):
        answer = asked(assistant, question)
        more = replace(answer.citations[0], n=9, quote="另有一句。", answer_start=0, answer_end=0)
        sentences = (SummarySentence("另有一句。", (9,), "verbatim"),)
        html = html_of(replace(answer, citations=(*answer.citations, more), summary=Summary("extract", sentences)))
        assert html.count('class="proof"') == sides
        assert html.count('data-n="9"') == 1


def test_every_work_cited_is_copied_once(assistant: Asked) -> None:
    html = html_of(listed(assistant, 3))
    (gbt, *_) = re.findall(r'data-copy="([^"]*)"', html)
    assert gbt.count("[Z]") == 1
    (gbt, *_) = re.findall(r'data-copy="([^"]*)"', html_of(asked(assistant, "海州市有几座图书馆？")))
    assert gbt.count("[Z]") == 2


def test_heading_marks_are_no_words_of_a_passage(assistant: Asked) -> None:
    answer = asked(assistant, "今年的税收是多少？")
    hit = answer.passages[0]
    marked = replace(hit, passage=replace(hit.passage, text="附件2\n\n## 出缺席情况\n\n> 出席"))
    assert "附件2 出缺席情况 出席" in html_of(replace(answer, passages=(marked,)))


def test_everything_said_is_text(assistant: Asked) -> None:
    bad = '"><img src=x onerror=alert(1)>'
    answer = asked(assistant, "全市义务教育阶段学校有多少所？")
    citation = replace(answer.citations[0], quote=bad, document=bad, headings=(bad,), issue=bad, reference=bad)
    html = html_of(
        replace(
            answer, question=bad, resolved_question=bad + "2", answer=bad, citations=(citation,),
            expansions=((bad, bad),), where=Filter(organ=bad),
            summary=Summary(bad, (SummarySentence(bad, (1,), "consistent"),)),
        )
    )  # fmt: skip
    assert "<img" not in html
    assert html_of(replace(answer, status="not_found", reason=bad, citations=())).count("<img") == 0


def test_a_link_keeps_question_and_place_out_of_requests() -> None:
    assert link("有多少所？", "1d69", 3, 9) == "#q=%E6%9C%89%E5%A4%9A%E5%B0%91%E6%89%80%EF%BC%9F&s=1d69&at=3-9"


def test_scope_in_words() -> None:
    assert scope_text(Filter(gazette="a", year_from=2020, year_to=2021), "zh", {"a": "公报"}) == "公报 · 2020–2021年"
    assert scope_text(Filter(), "zh", {}) == ""


def test_every_string_is_used() -> None:
    parts = [Path("app.py"), *Path("page").glob("*.py")]
    source = "".join((ROOT / p).read_text("utf-8") for p in parts if p.name != "strings.py")
    composed = re.compile(r"(?:export|all|summary|ledger|cell)_\w+|verbatim|consistent|unsupported")
    assert [k for k in STRINGS if f'"{k}"' not in source and f"'{k}'" not in source and not composed.fullmatch(k)] == []


def test_strings_take_the_same_values_in_both_languages() -> None:
    for key, texts in STRINGS.items():
        assert len(texts) == len(LANGUAGES), key
        assert len({frozenset(re.findall(r"\{(\w+)\}", text)) for text in texts}) == 1, key
