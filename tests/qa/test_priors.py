"""What speaks for a sentence or a span by itself: rules of language, each with a sentence it decides."""

from __future__ import annotations

import numpy as np
import pytest

from qa import priors
from qa.candidates import Sentence, context_sentences
from qa.features import ask
from qa.question import analyse


def _favoured(question: str, text: str) -> str:
    """The typed span that the rules alone put first; of those alike the first."""
    sentence = context_sentences(text)[0]
    spans = sentence.spans_for(analyse(question).kind)
    values = priors.of_spans(ask(analyse(question)), sentence)
    best = spans[int(np.argmax(values))]
    return sentence.text[best.start : best.end]


@pytest.mark.parametrize(
    ("question", "text", "words"),
    [
        pytest.param("基础养老金每月多少元", "基础养老金从98元提高到178元。", "178元", id="what it rose to"),
        pytest.param(
            "基础养老金原来每月多少元", "基础养老金从98元提高到178元。", "98元", id="unless what was before is asked"
        ),
        pytest.param(
            "2020年基础养老金是多少元", "基础养老金从2020年的98元提高到178元。", "98元", id="or its year is named"
        ),
        pytest.param(
            "对非洲出口增长百分之几", "对非洲、拉美市场出口分别增长20%、7.6%。", "20%", id="first of two set apart"
        ),
        pytest.param(
            "对拉美出口增长百分之几", "对非洲、拉美市场出口分别增长20%、7.6%。", "7.6%", id="second of two set apart"
        ),
        pytest.param(
            "规定哪天生效",
            "本规定2021年10月29日由市人大常委会通过，自2022年1月1日起施行。",
            "2022年1月1日起",
            id="in force, not passed",
        ),
        pytest.param(
            "规定哪天通过",
            "本规定2021年10月29日由市人大常委会通过，自2022年1月1日起施行。",
            "2021年10月29日",
            id="passed, where that is asked",
        ),
        pytest.param("一户能养几条狗", "违者处二百元罚款，每户限养3只。", "3只", id="a count, not money"),
        pytest.param("牵引带最多能多长", "每次罚款200元，牵引带不超过1.5米。", "1.5米", id="a length, not money"),
        pytest.param("满意票有几票", "测评36人，其中满意29票、基本满意6票、不满意1票。", "29票", id="by its label"),
        pytest.param("不满意的几票", "测评36人，其中满意29票、基本满意6票、不满意1票。", "1票", id="the longest label"),
        pytest.param("几位人大代表发问", "共有11位委员和4位市人大代表提出询问。", "4位", id="by what is counted"),
        pytest.param("检查组副组长是谁", "屠岸清任组长，副主任麦启航任副组长。", "麦启航", id="who holds the post"),
        pytest.param("哪天作的报告", "2021年的报告于2021年6月10日提交。", "2021年6月10日", id="a day, not its year"),
    ],
)
def test_figures(question: str, text: str, words: str) -> None:
    assert _favoured(question, text) == words


@pytest.mark.parametrize(
    ("question", "text"),
    [
        pytest.param("对亚洲出口增长百分之几", "对非洲、拉美市场出口分别增长20%、7.6%。", id="no item is named"),
        pytest.param("对非洲出口增长百分之几", "对非洲、拉美、北美市场出口分别增长20%、7.6%。", id="the counts differ"),
    ],
)
def test_where_nothing_is_paired_the_rules_are_silent(question: str, text: str) -> None:
    sentence = context_sentences(text)[0]
    values = priors.of_spans(ask(analyse(question)), sentence)
    assert len(set(values.tolist())) == 1


def test_the_class_that_is_asked_for_ends_the_name() -> None:
    sentence = context_sentences("站前区通过国家县（市、区）评估。")[0]
    question = ask(analyse("通过评估的是哪个区"))
    values = priors.of_spans(question, sentence)
    spans = sentence.spans_for(question.question.kind)
    by_text = {sentence.text[s.start : s.end]: float(v) for s, v in zip(spans, values, strict=True)}
    assert by_text["站前区"] > max(v for t, v in by_text.items() if not t.endswith("区"))


@pytest.mark.parametrize(
    ("question", "text", "rest"),
    [
        pytest.param("编辑是谁", "编辑 石鹏飞", "编辑部设在营口市，由办公室管理。", id="a line with a post and a name"),
        pytest.param(
            "什么是物业管理",
            "本条例所称物业管理，是指业主进行维修的活动。",
            "物业管理区域内业主组成业主大会。",
            id="a definition",
        ),
        pytest.param("办公室的电话是多少", "电话：0417-2656109", "办公室有电话5部。", id="a label"),
    ],
)
def test_the_sentence_that_is_asked_for_comes_first(question: str, text: str, rest: str) -> None:
    asked = ask(analyse(question))
    one, other = context_sentences(text)[0], context_sentences(rest)[0]
    assert priors.standing(one, asked) > priors.standing(other, asked)


@pytest.mark.parametrize(
    ("question", "heading", "against"),
    [
        ("今年计划改造农村公路多少公里", "一、2025年工作回顾", True),
        ("今年计划改造农村公路多少公里", "三、2026年重点工作", False),
        ("去年改造了多少公里农村公路", "三、2026年重点工作", True),
        ("改造农村公路多少公里", "三、2026年重点工作", False),
    ],
)
def test_plans_and_reviews_are_told_apart(question: str, heading: str, against: bool) -> None:
    text = "改造农村公路5500公里。"
    sentence = Sentence(text, tuple(range(len(text))), headings=(heading,))
    assert (priors.standing(sentence, ask(analyse(question))) < 0) is against
