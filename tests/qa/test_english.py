import pytest

from qa.english import gloss, is_english


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How many schools are there?", {"学校"}),
        ("Who chaired the meeting in 2021?", {"主持", "会议", "2021"}),
        ("the standing committee's gazette", {"常务委员会", "公报"}),
        ("Which companies built parking lots?", {"公司", "停车场"}),
    ],
)
def test_gloss(question: str, words: set[str]) -> None:
    assert is_english(question)
    assert words <= set(gloss(question).split())


@pytest.mark.parametrize("question", ["RCEP是什么", "全市有多少所学校", "DIP付费试点城市是哪些", ""])
def test_chinese_questions_are_left_alone(question: str) -> None:
    assert not is_english(question)
