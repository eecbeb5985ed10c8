"""English questions in Chinese words: dates and figures, what is asked for, the glossary, names in pinyin."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from index.store import Index
from qa.ask import Assistant
from qa.english import GLOSSARY, gloss, is_english, render
from qa.pinyin import names_in, syllables
from qa.question import analyse


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How many schools are there?", {"学校"}),
        ("Who chaired the meeting in 2021?", {"主持", "会议", "2021年"}),
        ("the standing committee's gazette", {"常务委员会", "公报"}),
        ("Which companies built parking lots?", {"公司", "停车场"}),
        ("What is the flow of the pumping station (西门泵站)?", {"西门泵站", "泵站", "流量"}),
    ],
)
def test_gloss(question: str, words: set[str]) -> None:
    assert is_english(question)
    assert words <= set(gloss(question).split())


@pytest.mark.parametrize("question", ["RCEP是什么", "全市有多少所学校", "DIP付费试点城市是哪些", ""])
def test_chinese_questions_are_left_alone(question: str) -> None:
    assert not is_english(question)


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        pytest.param("on August 30, 2021", "2021年8月30日", id="American date"),
        pytest.param("on 30 August 2021", "2021年8月30日", id="British date"),
        pytest.param("on the 3rd of Sept. 2021", "2021年9月3日", id="short month"),
        pytest.param("on 2021-08-30", "2021年8月30日", id="ISO date"),
        pytest.param("in May 2020", "2020年5月", id="month and year"),
        pytest.param("by May 5", "5月5日", id="month and day"),
        pytest.param("in 2021", "2021年", id="year"),
        pytest.param("the 34th meeting", "第三十四次会议", id="meeting"),
        pytest.param("the thirty-fourth session", "第三十四次会议", id="ordinal in words"),
        pytest.param("the sixteenth people's congress", "第十六届人民代表大会", id="congress"),
        pytest.param("the 14th Five-Year Plan", "“十四五”规划", id="plan"),
        pytest.param("under Article 9", "第九条", id="article"),
        pytest.param("issue 3", "第3号", id="issue"),
        pytest.param("12.5 million yuan", "1250万元", id="millions are counted in 万"),
        pytest.param("3.4 billion", "34亿", id="billions in 亿"),
        pytest.param("two million", "200万", id="figure in a word"),
        pytest.param("85 per cent", "85%", id="per cent"),
        pytest.param("the second quarter", "二季度", id="quarter"),
    ],
)
def test_dates_figures_and_ordinals(english: str, chinese: str) -> None:
    assert chinese in render(f"What was decided {english}?").search.split()


@pytest.mark.parametrize(
    ("english", "chinese", "kind"),
    [
        pytest.param(
            "How many schools are there in the city?", "多少所 学校 市？", "number", id="schools are counted by 所"
        ),
        pytest.param("How many people were injured?", "多少人 受伤？", "number", id="people"),
        pytest.param(
            "How many hectares of forest are there?", "多少公顷 森林？", "number", id="a unit is its own measure"
        ),
        pytest.param("How many cases were concluded?", "多少起 案件 审结？", "number", id="cases"),
        pytest.param("How long is the term of office?", "任期多长时间？", "duration", id="how long"),
        pytest.param("How much was invested?", "投入多少元？", "amount", id="how much"),
        pytest.param("What was the unemployment rate?", "失业率是多少？", "percent", id="what, of a figure"),
        pytest.param("What percentage is rural?", "农村占百分之多少？", "percent", id="percentage"),
        pytest.param("Who presided over the meeting?", "谁主持 会议？", "person", id="who"),
        pytest.param("When was the budget approved?", "什么时候 预算 批准？", "date", id="when"),
        pytest.param("Where is the library?", "在哪里 图书馆？", "place", id="where"),
        pytest.param(
            "Which department is responsible for sewage?", "哪个部门 负责 污水？", "organisation", id="department"
        ),
        pytest.param("Which laws are the legal basis?", "哪些法 法律依据？", "document", id="laws"),
        pytest.param("Which companies built it?", "哪些公司 建设？", "organisation", id="companies"),
        pytest.param("Which projects were completed?", "哪些项目 完成？", "list", id="which of many"),
        pytest.param("What are the main problems?", "主要问题有哪些？", "list", id="a list"),
        pytest.param("Why was the budget adjusted?", "为什么 预算？", "reason", id="why"),
        pytest.param("What is the definition of household waste?", "什么是 生活垃圾？", "definition", id="definition"),
        pytest.param("Are dogs allowed in parks?", "犬 允许 公园吗？", "yesno", id="yes or no"),
    ],
)
def test_what_is_asked_for(english: str, chinese: str, kind: str) -> None:
    said = render(english).question()
    assert said == chinese
    assert analyse(said).kind == kind


def test_a_choice_of_words_falls_to_what_was_found() -> None:
    rendered = render("How much medical insurance is paid?")
    assert {"医疗保险", "医保"} <= set(rendered.search.split())
    assert "医保" in rendered.question("医保基金支付")
    assert "医疗保险" in rendered.question("")


def test_words_not_known_are_told_and_function_words_are_not() -> None:
    assert render("Which of the zebras were there with the RCEP?").unknown == ("zebras",)
    assert "RCEP" in render("What does the RCEP say?").search


def test_the_glossary_is_sound() -> None:
    lines = [line for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    bad = [
        line
        for line in lines
        if not re.fullmatch(r"[a-z][a-z0-9' -]*\t[\u3400-\u9fff（）0-9]+( [\u3400-\u9fff（）0-9]+)*", line)
    ]
    assert not bad
    twice = [phrase for phrase, n in Counter(line.split("\t")[0] for line in lines).items() if n > 1]
    assert not twice
    assert len(lines) > 1500


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Zhang", ("zhang",)),
        ("Xiaoming", ("xiao", "ming")),
        ("Xi'an", ("xi", "an")),
        ("Yingkou", ("ying", "kou")),
        ("Lü", ("lv",)),
        ("Smith", ()),
        ("", ()),
    ],
)
def test_syllables(word: str, expected: tuple[str, ...]) -> None:
    assert syllables(word) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["Zhang", "Bo"], ["张渤"], id="a person"),
        pytest.param(["Shi", "Pengfei"], ["石鹏飞"], id="a given name of two characters"),
        pytest.param(["Pengfei", "Shi"], ["石鹏飞"], id="family name last"),
        pytest.param(["Yingkou"], ["营口"], id="a place"),
        pytest.param(["Zhang", "Chuanlong"], [], id="nobody of that name"),
        pytest.param(["Smith"], [], id="no pinyin"),
        pytest.param(["Bo"], [], id="one syllable is no name"),
    ],
)
def test_names_are_those_of_the_gazette(shipped_index: Index, words: list[str], expected: list[str]) -> None:
    assert names_in(shipped_index, words)[:1] == expected


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many primary schools are there in the city?", "120所"),
        ("Who presided over the 34th meeting of the standing committee?", "张渤"),
        ("What is the telephone number of the gazette?", "2656109"),
        ("How many high-level teachers were hired directly from universities since 2019?", "21名"),
        ("Where were the three multi-storey car park towers built?", "市民服务中心东侧"),
    ],
)
def test_answers_to_english_questions(shipped_index: Index, question: str, expected: str) -> None:
    answer = Assistant(shipped_index).ask(question)
    assert expected in answer.answer
    assert answer.resolved_question == answer.question == question


def test_a_name_that_is_nowhere_is_refused_in_english(shipped_index: Index) -> None:
    answer = Assistant(shipped_index).ask("Which position does Zhang Chuanlong hold?")
    assert answer.status == "not_found"
    assert answer.reason.startswith("No name in the gazettes reads like “Zhang Chuanlong”.")
    assert "The encoder reads Chinese" in answer.reason
    assert "\n" not in answer.reason


def test_what_the_glossary_lacks_is_told(shipped_index: Index) -> None:
    answer = Assistant(shipped_index).ask("How many zebras did the quagga herd count?")
    assert answer.status == "not_found"
    assert "which lacks: zebras, quagga, herd" in answer.reason
