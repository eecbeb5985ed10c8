"""Reading the real gazette: what is cited stands there word for word, whatever is asked."""

import json
import unicodedata
from pathlib import Path

import pytest

from index.building import build
from index.store import Index, open_index
from index.text import readable
from qa.ask import Assistant
from qa.question import analyse
from qa.read import default_reader, read_context
from qa.records import Answer, Turn
from qa.retrieve import retrieve

QUESTIONS = Path(__file__).parents[2] / "eval" / "questions" / "sample_dev.jsonl"


@pytest.fixture(scope="module")
def assistant(sample_index: Index) -> Assistant:
    return Assistant(sample_index)


def _asked() -> list[str]:
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    return [row["question"] for row in rows if "question" in row]


def _check(answer: Answer, index: Index) -> None:
    assert (answer.status == "not_found") == (not answer.citations)
    assert 0.0 <= answer.confidence <= 1.0
    if answer.status == "not_found":
        assert answer.answer == ""
        assert answer.reason
        return
    assert answer.answer
    shown = "".join(unicodedata.normalize("NFKC", answer.answer + answer.sentence).split())
    assert len(shown) <= 300 or "；" in answer.answer or "、" in answer.answer, "only a list may be longer"
    for citation in answer.citations:
        source = index.source(citation.source_id).text
        assert citation.quote == readable(source[citation.start : citation.end])
        assert 0 <= citation.answer_start <= citation.answer_end <= len(citation.quote)


@pytest.mark.parametrize("part", range(4))
def test_every_citation_is_verbatim(assistant: Assistant, sample_index: Index, part: int) -> None:
    for question in _asked()[part::8]:
        _check(assistant.ask(question), sample_index)


@pytest.mark.parametrize(
    "question",
    [
        "？",
        "1",
        "a",
        "《",
        "第九条",
        "谁",
        "多少",
        "\u200b学校",
        "学校" * 400,
        "; drop table",
        "<b>学校</b>几所",
        "第0条是什么",
        "🙂",
    ],
)
def test_odd_questions_are_answered_soundly(assistant: Assistant, sample_index: Index, question: str) -> None:
    _check(assistant.ask(question), sample_index)


@pytest.mark.parametrize(("question", "message"), [("", "空"), ("长" * 3000, "3000"), ("   ", "空")])
def test_what_is_no_question_is_refused(assistant: Assistant, question: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        assistant.ask(question)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        pytest.param("履职评议办法第九条说了什么", "履职评议程序", id="han numeral"),
        pytest.param("履职评议办法第10条规定了什么", "三个等次", id="digits"),
        pytest.param("履职评议的办法十三条的内容", "解释", id="without 第"),
        pytest.param("履职评议办法第五条第（二）项是什么", "市中级人民法院副院长", id="item"),
    ],
)
def test_articles_by_address(assistant: Assistant, question: str, words: str) -> None:
    answer = assistant.ask(question)
    assert answer.status == "answered"
    assert words in answer.answer + answer.sentence
    assert answer.citations[0].article


def test_an_article_that_does_not_exist_is_refused_with_the_count(assistant: Assistant) -> None:
    answer = assistant.ask("履职评议办法第十五条规定了什么？")
    assert answer.status == "not_found"
    assert "共十四条" in answer.reason


def test_a_greeting_gets_a_sentence_on_what_this_is(assistant: Assistant) -> None:
    answer = assistant.ask("你好")
    assert answer.status == "not_found"
    assert "公报" in answer.reason
    assert not answer.passages


def test_a_cell_where_row_and_column_meet(assistant: Assistant) -> None:
    assert "33票" in assistant.ask("《关于我市义务教育工作情况的报告》测评得了多少张满意票？").answer
    assert "75%" in assistant.ask("全市产业扶贫工作情况的报告，满意的占百分之几").answer


def test_names_of_a_grid_stand_apart(assistant: Assistant) -> None:
    assert assistant.ask("常委会组成人员中谁请假了？").answer == "胡传新、李红"


def test_an_answer_over_a_page_break_is_whole(assistant: Assistant) -> None:
    answer = assistant.ask("2019年以来从部属高校“直招”了多少名高层次教师？")
    assert "21名" in answer.answer
    assert any("高校“直招”高层次教师21名" in c.quote for c in answer.citations)


def test_a_follow_up_is_completed(assistant: Assistant) -> None:
    first = assistant.ask("全市有多少所小学？")
    second = assistant.ask("那初中呢？", turns=[Turn("全市有多少所小学？", first)])
    assert "初中" in second.resolved_question
    assert "86所" in second.answer + second.sentence


@pytest.mark.parametrize(
    ("question", "context"),
    [
        ("红河大桥全长多少米？", "红河大桥于1998年建成通车，全长1200米，由省交通厅投资兴建。"),
        ("谁主持了会议？", "会议由李明主持，共有30人参加。"),
        ("什么也没有", "。"),
        ("空的", ""),
    ],
)
def test_reading_one_context_gives_its_own_words(question: str, context: str) -> None:
    words, chance = read_context(question, context)
    assert words in context
    assert 0.0 <= chance <= 1.0


def test_of_a_text_without_paragraphs_only_what_was_found_is_read(tmp_path: Path) -> None:
    filler = "".join(f"第{n}年度全市继续推进各项工作并取得新的成效。" for n in range(9000))
    path = tmp_path / "line.md"
    path.write_text(f"# 关于工作的报告\n\n{filler}全市现有小学77所。{filler}\n", "utf-8")
    build([path], tmp_path / "index")
    with open_index(tmp_path / "index") as index:
        question = analyse("全市现有小学多少所？")
        made = default_reader().consider(index, question, retrieve(index, question.text, 10))
        assert made is not None
        assert made[2].answer == "77所"
        assert len(made[0].sentences) < 1000
