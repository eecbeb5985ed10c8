"""Summaries: a model's words reach the reader only as far as the quotes carry them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import repeat
from typing import Any

import pytest

from qa.generate import ModelError
from qa.records import Answer, Summary, SummarySentence
from qa.summarise import Draft, summarise

Answering = Callable[..., Answer]


def written(answer: Answer, model: Any, **limits: Any) -> list[tuple[str, tuple[int, ...], str]]:
    return [(s.text, s.citations, s.support) for s in Draft(answer, model, **limits).write()]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(
            "全市现有图书馆12座[1]。", [("全市现有图书馆12座。", (1,), "verbatim")], id="mark before the stop"
        ),
        pytest.param("全市现有图书馆12座。[1]", [("全市现有图书馆12座。", (1,), "verbatim")], id="mark after the stop"),
        pytest.param("全市现有图书馆12座。【1】", [("全市现有图书馆12座。", (1,), "verbatim")], id="other brackets"),
        pytest.param("全市图书馆共12座[1]。", [("全市图书馆共12座。", (1,), "consistent")], id="other grammar"),
        pytest.param(
            "全市现有图书馆12座。", [("全市现有图书馆12座。", (1,), "verbatim")], id="no mark, word for word: repaired"
        ),
        pytest.param(
            "全市图书馆共12座。", [("全市图书馆共12座。", (), "unsupported")], id="no mark, other words: struck"
        ),
        pytest.param(
            "其中县级9座[99]。", [("其中县级9座。", (1,), "verbatim")], id="a quote that is not there: repaired"
        ),
        pytest.param("县级共有9座[99]。", [("县级共有9座。", (), "unsupported")], id="the same in other words: struck"),
        pytest.param("其中县级9座[2]。", [("其中县级9座。", (), "unsupported")], id="the wrong quote: struck"),
        pytest.param("其中县级9座[1][2]。", [("其中县级9座。", (1,), "verbatim")], id="one of two quotes carries it"),
        pytest.param("全市现有图书馆13座[1]。", [("全市现有图书馆13座。", (), "unsupported")], id="figure changed"),
        pytest.param("全市现有图书馆2座[1]。", [("全市现有图书馆2座。", (), "unsupported")], id="figure cut"),
        pytest.param("图书馆可以收取借阅费用[2]。", [("图书馆可以收取借阅费用。", (), "unsupported")], id="ban turned"),
        pytest.param("图书馆收取借阅费用[2]。", [("图书馆收取借阅费用。", (), "unsupported")], id="ban left out"),
        pytest.param("馆长是王五[1]。", [("馆长是王五。", (), "unsupported")], id="a name of its own"),
        pytest.param("县[1]。", [("县。", (), "unsupported")], id="a scrap of a quote says nothing"),
        pytest.param("12座[1]。", [("12座。", (1,), "verbatim")], id="a short answer that counts does"),
        pytest.param(
            "全市现有图书馆12座[1]。图书馆都很漂亮[1]。严禁收取借阅费用[2]。",
            [
                ("全市现有图书馆12座。", (1,), "verbatim"),
                ("图书馆都很漂亮。", (), "unsupported"),
                ("严禁收取借阅费用。", (2,), "verbatim"),
            ],
            id="each sentence on its own",
        ),
        pytest.param(
            "<think>要回答13座[1]。</think>\n全市现有图书馆12座[1]。",
            [("全市现有图书馆12座。", (1,), "verbatim")],
            id="thoughts are no sentences",
        ),
        pytest.param("<think>想不完", [], id="nothing but a thought"),
        pytest.param(
            "There are 12 libraries [1]. They are free [2].",
            [("There are 12 libraries .", (), "unsupported"), ("They are free .", (), "unsupported")],
            id="English cannot be proved by Chinese",
        ),
        pytest.param("。。！\n", [], id="nothing said"),
    ],
)
def test_each_sentence_is_proved(reply: str, expected: list[Any], scripted: Any, answering: Answering) -> None:
    for size in (1, 3, 500):
        assert written(answering(), scripted(reply, size)) == expected


def test_only_supported_sentences_are_the_summary_text(scripted: Any, answering: Answering) -> None:
    answer = summarise(answering(), scripted("全市现有图书馆12座[1]。市长叫王五[1]。"))
    assert answer.summary is not None
    assert (answer.summary.model, answer.summary.text) == ("scripted", "全市现有图书馆12座。")
    assert [s.text for s in answer.summary.sentences if s.support == "unsupported"] == ["市长叫王五。"]
    assert answer.citations == answering().citations
    assert answer.timings.total >= answer.timings.summarise > 0


def pointed(answer: Answer) -> Answer:
    """The answer with its 要点, as ``qa.keypoints`` leaves it."""
    return replace(
        answer,
        summary=Summary("extract", tuple(SummarySentence(c.quote, (c.n,), "verbatim") for c in answer.citations)),
    )


@pytest.mark.parametrize(
    ("reply", "note"),
    [
        pytest.param("市长叫王五[1]。全市现有图书馆13座[1]。", "2 句都没有原文支持", id="nothing is supported"),
        pytest.param("", "没有写出话来", id="nothing is written"),
        pytest.param("资料没有说明。", "没有回答这个问题", id="it says that the quotes do not answer"),
        pytest.param("The passages do not say.", "没有回答这个问题", id="the same in English"),
        pytest.param(["全市现有图书馆12座[1]。接", ModelError("中断了")], "中断了", id="the connection drops"),
        pytest.param(["全市现有图书馆12座[1]。接", ValueError("x")], "ValueError", id="the model breaks"),
        pytest.param(repeat("全市现有图书馆13座[1]。"), "写个不停", id="one false sentence for ever"),
        pytest.param(repeat("哈"), "写个不停", id="one sentence without an end"),
    ],
)
def test_the_extract_stands_with_the_reason(reply: Any, note: str, scripted: Any, answering: Answering) -> None:
    answer = pointed(answering())
    summary = summarise(answer, scripted(reply), seconds=20).summary
    assert summary is not None
    assert (summary.model, summary.text) == ("extract", answer.summary.text)  # type: ignore[union-attr]
    assert note in summary.note


@pytest.mark.serial
def test_a_model_that_repeats_itself_is_cut_off(scripted: Any, answering: Answering) -> None:
    began = time.monotonic()
    summary = summarise(answering(), scripted(repeat("全市现有图书馆12座[1]。其中县级9座[1]。"))).summary
    assert summary is not None
    assert summary.text == "全市现有图书馆12座。其中县级9座。"
    assert "截断" in summary.note
    assert time.monotonic() - began < 5


def test_a_model_that_counts_for_ever_is_cut_off(scripted: Any, answering: Answering) -> None:
    numbered = (f"第{n}点，全市现有图书馆12座[1]。" for n in range(10**9))
    assert len(written(answering(), scripted(numbered))) <= 8


@pytest.mark.serial
def test_what_was_proved_in_time_stays(scripted: Any, answering: Answering) -> None:
    def slow() -> Iterator[str]:
        yield "全市现有图书馆12座[1]。其中"
        time.sleep(5)

    began = time.monotonic()
    summary = summarise(answering(), scripted(slow()), seconds=0.3).summary
    assert time.monotonic() - began < 2
    assert summary is not None
    assert (summary.text, summary.model) == ("全市现有图书馆12座。", "scripted")
    assert "没有写完" in summary.note


def test_stopping_ends_the_model(scripted: Any, answering: Answering) -> None:
    stop = threading.Event()
    draft = Draft(answering(), scripted(repeat("全市现有图书馆12座[1]。")), stop)
    sentences = draft.write()
    next(sentences)
    stop.set()
    assert list(sentences) == []
    assert (draft.summary.text, draft.note) == ("全市现有图书馆12座。", "已停止")


def test_an_abstention_is_not_summarised(scripted: Any, answering: Answering) -> None:
    model = scripted("全市现有图书馆12座。")
    assert summarise(replace(answering(), status="not_found", citations=()), model).summary is None
    assert model.prompts == []
