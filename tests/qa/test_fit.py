"""Answers of another kind than is asked for."""

from __future__ import annotations

import pytest

from qa.candidates import Span, context_sentences
from qa.evidence import Choice
from qa.features import Pool, WordRows, ask
from qa.fit import misfit
from qa.question import analyse

WORDS = WordRows()


@pytest.mark.parametrize(
    ("question", "text", "words", "kind", "unit", "wrong"),
    [
        pytest.param("停车楼花了多少钱？", "建筑面积5905平方米", "5905平方米", "number", "平方米", True, id="an area is no money"),
        pytest.param("补助金是平均工资的多少钱", "补助金为工资的20倍", "20倍", "number", "倍", False, id="times a wage"),
        pytest.param("停车楼花了多少钱？", "投资3.7亿", "3.7亿", "number", "", False, id="money without 元"),
        pytest.param("占基金的比例是多少？", "由省政府规定", "由省政府规定", "clause", "", True, id="a clause is no share"),
        pytest.param("占基金的比例是多少？", "占三成", "三成", "number", "成", False, id="成 is a share"),
        pytest.param("多久检查一次？", "不少于15人", "15人", "number", "人", True, id="people are no time"),
        pytest.param("多久检查一次？", "每年一次", "每年一次", "words", "", False, id="每年 is a time"),
        pytest.param("营口海关关长是谁？", "关长担任领导小组组长", "领导小组", "words", "", False, id="as long as a name"),
        pytest.param("营口海关关长是谁？", "关长担任普法领导小组组长", "普法领导小组", "words", "", True, id="no name of a holder"),
        pytest.param("市教育局局长是谁？", "市财政局局长张丽杰", "张丽杰", "person", "", True, id="of another organ"),
        pytest.param("市财政局局长是谁？", "市财政局局长张丽杰", "张丽杰", "person", "", False, id="of that organ"),
        pytest.param("裴勇担任什么职务？", "高天鸿、裴勇", "高天鸿", "person", "", True, id="a name is no post"),
        pytest.param("新工坊开到了哪个国家？", "设在26个国家", "26个", "number", "个", True, id="a figure is no country"),
        pytest.param("依据哪部法律？", "接受俞伯言辞职", "俞伯言辞职", "words", "", True, id="no document"),
    ],
)  # fmt: skip
def test_misfit(question: str, text: str, words: str, kind: str, unit: str, wrong: bool) -> None:
    sentence = context_sentences(text)[0]
    pool = Pool(ask(analyse(question)), [sentence], WORDS, [1.0])
    at = text.index(words)
    span = Span(at, at + len(words), kind, unit)  # type: ignore[arg-type]
    choice = Choice(sentence, 0, span, 1.0, 1.0, (), pool.features()[0])
    assert misfit(analyse(question), choice, words) is wrong
