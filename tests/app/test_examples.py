"""Example questions come from the index's own documents, and only those it answers are offered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from index.records import Gazette, Source
from page.examples import OFFERED, SURE, examples
from qa.cite import cite
from qa.records import Answer

if TYPE_CHECKING:
    from conftest import FakeAssistant


def sure(question: str, confidence: float = SURE) -> Answer:
    return Answer(question, question, "answered", confidence=confidence)


def test_one_of_each_kind_from_the_documents(sample_gazette: Gazette, sample_source: Source) -> None:
    offered = examples([sample_gazette], lambda _: sample_source, sure, "zh")
    assert len(offered) == OFFERED
    assert "全市义务教育阶段学校有多少所？" in offered
    assert "第三十四次会议是哪天召开的？" in offered


def test_the_newest_gazette_comes_first(assistant: FakeAssistant) -> None:
    offered = examples(assistant.index.gazettes, assistant.index.source, sure, "zh")
    assert any("图书馆" in question for question in offered)


def test_a_large_library_is_not_read_through(sample_gazette: Gazette, sample_source: Source) -> None:
    read = []

    def source(source_id: str) -> Source:
        read.append(source_id)
        return sample_source

    many = [replace(sample_gazette, number=n) for n in range(50)]
    assert len(examples(many, source, sure, "zh")) == OFFERED
    assert len(read) == 1


def test_what_is_not_answered_is_not_offered(assistant: FakeAssistant) -> None:
    index = assistant.index
    assert examples(index.gazettes, index.source, lambda q: sure(q, SURE - 0.01), "zh") == []
    assert examples(index.gazettes, index.source, lambda q: Answer(q, q, "not_found", confidence=1), "en") == []


def test_problems_are_offered_only_where_problems_are_quoted(sample_gazette: Gazette, sample_source: Source) -> None:
    def ask(question: str, heading: str) -> Answer:
        document = sample_gazette.documents[3]
        at = document.paragraphs[-1]
        quoted = cite(1, sample_source, sample_gazette, document, at.start, at.end, None)
        return replace(sure(question), citations=(replace(quoted, headings=(heading,)),))

    for heading, offered in (("三、存在的主要问题", True), ("四、下一步工作", False)):
        questions = examples([sample_gazette], lambda _: sample_source, lambda q, h=heading: ask(q, h), "zh")
        assert any("还存在哪些问题" in q for q in questions) == offered


def test_an_empty_index_has_none() -> None:
    assert examples([], lambda _: Source("", "", "", ""), sure, "zh") == []
