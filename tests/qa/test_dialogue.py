"""Follow-ups completed from the dialogue; questions that stand alone left alone."""

from __future__ import annotations

import pytest

from qa.dialogue import complete
from qa.records import Answer, Turn


def turn(question: str, answer: str, sentence: str) -> Turn:
    return Turn(question, Answer(question, question, "answered" if answer else "not_found", answer, sentence, 0.9))


SCHOOLS = turn(
    "全市小学有多少所？", "120所", "其中，小学120所（公办115所），在校学生11.5万人；初中86所，在校学生5.68万人"
)
APPOINTED = turn("谁被任命为副市长？", "郑孝刚", "郑孝刚同志为营口市人民政府副市长")
OWN_MEASURE = turn("履职评议办法什么时候施行？", "自通过之日起", "本办法自通过之日起施行")
FUND = turn("预算调整增加了多少支出给城投公司？", "5亿元", "增加市城投公司支持中小企业发展和管理支出5亿元")
NO_ANSWER = turn("高中学校有多少所？", "", "")


@pytest.mark.parametrize(
    ("last", "question", "completed"),
    [
        pytest.param(SCHOOLS, "那初中呢？", "全市初中有多少所？", id="parallel word replaced"),
        pytest.param(SCHOOLS, "初中呢", "全市初中有多少所？", id="without 那"),
        pytest.param(SCHOOLS, "那么初中呢?", "全市初中有多少所？", id="那么, half-width mark"),
        pytest.param(
            turn("2020年共抽检食品多少批次？", "10263批次", ""),
            "那2019年呢？",
            "2019年共抽检食品多少批次？",
            id="year for year",
        ),
        pytest.param(
            turn("履职评议办法第九条讲什么？", "", ""),
            "第十条呢？",
            "履职评议办法第十条讲什么？",
            id="article for article",
        ),
        pytest.param(APPOINTED, "他是什么职务？", "郑孝刚是什么职务？", id="pronoun for the person answered"),
        pytest.param(
            turn("报告是谁作的？", "副市长金莉", "副市长金莉"),
            "她还说了什么问题？",
            "金莉还说了什么问题？",
            id="name after its post",
        ),
        pytest.param(OWN_MEASURE, "这个办法有几条？", "履职评议办法有几条？", id="noun finds its phrase"),
        pytest.param(OWN_MEASURE, "该办法由谁解释？", "履职评议办法由谁解释？", id="formal anaphor"),
        pytest.param(
            turn("2020年全市义务教育阶段学校有多少所？", "206所", ""),
            "其中小学呢？",
            "2020年小学有多少所？",
            id="a part of the whole",
        ),
        pytest.param(
            turn("2020年全市义务教育阶段学校有多少所？", "206所", ""),
            "其中小学多少所？",
            "2020年小学多少所？",
            id="a part, asked in full",
        ),
        pytest.param(
            turn("立体停车楼建了几座", "三座", ""),
            "建哪儿了",
            "立体停车楼建哪儿了",
            id="the verb of the count goes too",
        ),
        pytest.param(
            turn("初中生每天该睡多久？", "9小时", ""), "他们几点上课？", "初中生几点上课？", id="a group of people"
        ),
        pytest.param(
            turn("补贴的钱从哪来？", "超收收入", ""),
            "为什么要补？",
            "补贴的钱为什么要补？",
            id="where from is asked, not topic",
        ),
        pytest.param(FUND, "为什么？", "预算调整增加了支出给城投公司为什么？", id="bare why"),
        pytest.param(
            FUND, "这笔钱用来干什么？", "预算调整增加了支出给城投公司的钱用来干什么？", id="noun not named before"
        ),
    ],
)
def test_completes(last: Turn, question: str, completed: str) -> None:
    assert complete(question, [last]) == completed


@pytest.mark.parametrize(
    "question",
    [
        "机动车保有量达到多少？",
        "医保报销比例提高了多少？",
        "食品抽检不合格率是多少？",
        "营口海关出具了多少份证书？",
        "谁主持了第三十四次会议？",
        "任命郑孝刚担任什么职务？",
        "那转让房屋要提前多久通知？",
        "市长是谁？",
        "你好",
        "他",
    ],
)
def test_a_new_topic_does_not_drag_the_old_one_along(question: str) -> None:
    assert complete(question, [SCHOOLS]) == question


def test_without_a_dialogue_nothing_is_added() -> None:
    assert complete("那初中呢？", []) == "那初中呢？"


def test_a_completed_question_is_what_the_next_follow_up_builds_on() -> None:
    first = Answer("那初中呢？", "全市初中有多少所？", "answered", "86所", "初中86所", 0.9)
    assert "初中" in complete("为什么？", [SCHOOLS, Turn("那初中呢？", first)])


def test_any_text_is_taken() -> None:
    for question in ("", "？", "呢", "他", "它", "这个", "那", "a" * 10_000, "（" * 5_000 + "呢？", "\x00\u202e呢"):
        assert isinstance(complete(question, [SCHOOLS, NO_ANSWER]), str)
