"""What a visit's actions do: asking, opening, links that still lead somewhere and links that do not."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from index.records import Filter, Source
from page.desk import QUESTION_LIMIT, TURNS_KEPT, Desk, Refused, Visit
from page.library import Asked, Library
from page.reader import Place
from page.strings import say


@pytest.fixture
def desk(assistant: Asked) -> Desk:
    return Desk(Library(assistant))


@pytest.fixture
def two_quotes(desk: Desk) -> Visit:
    return desk.ask("海州市有几座图书馆？", Visit(), "")


def test_an_answer_opens_at_its_first_quote(desk: Desk, two_quotes: Visit) -> None:
    assert two_quotes.place is not None
    assert (two_quotes.place.turn, two_quotes.place.n) == (0, 1)
    pane = desk.pane(two_quotes, "")
    assert re.search(r'<mark class="quote is-focus" data-n="1"[^>]*>全市现有公共图书馆<strong[^>]*>12座</strong>', pane)
    assert "引文 1/2" in pane


def test_the_next_quote_is_in_another_document(desk: Desk, two_quotes: Visit) -> None:
    opened = desk.open({"turn": "0", "n": "2"}, two_quotes, "")
    pane = desk.pane(opened, "")
    assert "引文 2/2" in pane
    assert re.search(r'is-focus" data-n="2"[^>]*>市人民政府应当', pane)


def test_all_quotes_of_the_answer_are_marked_in_a_document(desk: Desk) -> None:
    visit = desk.ask("年购书经费是多少？", Visit(), "")
    assert desk.pane(visit, "").count("<mark") == 1
    visit = desk.open({"turn": 0, "n": 2}, visit, "")
    assert re.findall(r"<mark[^>]*data-n=\"(\d)\"", desk.pane(visit, "")) == ["2"]


def test_a_passage_found_can_be_opened(desk: Desk) -> None:
    visit = desk.ask("今年的税收是多少？", Visit(), "")
    opened = desk.open({"turn": 0, "rank": 1}, visit, "")
    passage = visit.turns[0].answer.passages[1].passage
    assert opened.place == Place(passage.document_id, 0, at=passage.start, end=passage.end)
    assert "is-focus" in desk.pane(opened, "")


def test_a_link_opens_its_place(desk: Desk, haizhou: Source) -> None:
    at = haizhou.text.index("年购书经费不低于")
    visit = desk.open({"s": haizhou.id, "at": f"{at}-{at + 12}"}, Visit(), "")
    assert re.search(r'is-focus"[^>]*>年购书经费不低于300万', desk.pane(visit, ""))


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"turn": 7, "n": 1}, id="no such turn"),
        pytest.param({"turn": -1, "n": 1}, id="negative turn"),
        pytest.param({"turn": 0, "n": 9}, id="no such citation"),
        pytest.param({"turn": 0, "rank": 99}, id="no such passage"),
        pytest.param({"turn": "x", "n": []}, id="not numbers"),
        pytest.param({"s": "{source}", "at": "abc"}, id="broken offsets"),
        pytest.param({"document": "1", "at": "x"}, id="document with a broken offset"),
    ],
)
def test_a_broken_link_says_so(desk: Desk, two_quotes: Visit, haizhou: Source, wanted: Mapping[str, object]) -> None:
    wanted = {k: haizhou.id if v == "{source}" else v for k, v in wanted.items()}
    visit = desk.open(wanted, two_quotes, "")
    assert say("zh", "bad_link") in desk.pane(visit, "")
    assert visit.turns == two_quotes.turns


@pytest.mark.parametrize("wanted", [{"s": "0" * 16, "at": "0-9"}, {"document": "0000-03"}])
def test_a_gazette_that_is_gone_is_said_to_be(desk: Desk, wanted: Mapping[str, object]) -> None:
    assert "已不在资料库里" in desk.pane(desk.open(wanted, Visit(), ""), "")


@pytest.mark.parametrize("question", ["", "  \n ", "长" * (QUESTION_LIMIT + 1)])
def test_questions_that_are_none(desk: Desk, question: str) -> None:
    with pytest.raises(Refused):
        desk.ask(question, Visit(), "")


def test_the_filter_is_part_of_the_answer(desk: Desk) -> None:
    where = Filter(year_from=2021, year_to=2021)
    visit = desk.ask("海州市有几座图书馆？", Visit(where=where), "")
    assert visit.turns[0].answer.status == "not_found"
    assert visit.turns[0].answer.to_json()["filter"] == {"year_from": 2021, "year_to": 2021}


def test_a_visit_does_not_grow_without_end(desk: Desk) -> None:
    visit = Visit()
    for _ in range(TURNS_KEPT + 3):
        visit = desk.ask("海州市有几座图书馆？", visit, "")
    assert len(visit.turns) == TURNS_KEPT
    assert visit.place is not None
    assert visit.place.turn == TURNS_KEPT - 1


def test_covers(desk: Desk, haizhou: Source) -> None:
    shelf = desk.pane(Visit(), "")
    assert shelf.count("data-gazette") == 2
    cover = desk.pane(desk.open({"gazette": haizhou.id}, Visit(), ""), "")
    assert "海州市人民代表大会常务委员会公报" in cover
    assert "关于全市图书馆建设情况的报告" in cover


def test_a_document_at_a_glance_leads_to_its_places(desk: Desk, haizhou: Source) -> None:
    document = next(
        d for g in desk.library.gazettes("") if g.source_id == haizhou.id for d in g.documents if "图书馆" in d.title
    )
    visit = desk.open({"document": document.id, "glance": "1"}, Visit(), "")
    pane = desk.pane(visit, "")
    shown = pane.split('<section class="glance"')[1].split("</section>")[0]
    assert "全市现有公共图书馆12座" in shown
    assert 'data-document="' + document.id + '" aria-pressed="true"' in pane
    source, at = re.search(r'data-s="(\w+)" data-at="(\d+-\d+)"', shown).groups()  # type: ignore[union-attr]
    place = desk.open({"s": source, "at": at}, visit, "").place
    assert place is not None
    assert (place.document_id, place.glance) == (document.id, False)
    start, end = map(int, at.split("-"))
    assert "图书馆" in haizhou.text[start:end]
    assert '<section class="glance"' not in desk.pane(desk.open({"document": document.id}, visit, ""), "")
