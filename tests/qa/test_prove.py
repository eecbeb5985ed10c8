"""The support check: forgeries made mechanically from the real gazette are refused, true words are not."""

from __future__ import annotations

import random
import re
from itertools import pairwise
from pathlib import Path

import pytest

from index.text import folded, readable
from qa.prove import carries, find_quote, support

SCHOOLS = "全市现有义务教育阶段学校206所（公办197所、民办9所），其中，小学120所，在校学生11.5万人"
RULES = "学校不得安排学生提前到校参加统一的教育教学活动，严禁学生将手机带入课堂"
PEOPLE = "会议由张渤主持，李强做了总结讲话。"


@pytest.mark.parametrize(
    ("sentence", "quote", "level"),
    [
        pytest.param("小学120所", SCHOOLS, "verbatim", id="its own words"),
        pytest.param("小学１２０ 所。", SCHOOLS, "verbatim", id="width, spaces and the full stop do not count"),
        pytest.param("义务教育阶段学校共206所", SCHOOLS, "consistent", id="shortened, a function word added"),
        pytest.param("义务教育阶段学校共205所", SCHOOLS, "unsupported", id="a digit changed"),
        pytest.param("6所", SCHOOLS, "unsupported", id="the end of a figure"),
        pytest.param("11.5", SCHOOLS, "unsupported", id="a figure cut from its 万"),
        pytest.param("公办9所、民办197所", SCHOOLS, "unsupported", id="figures exchanged"),
        pytest.param("义务教育阶段学校206人", SCHOOLS, "unsupported", id="another unit"),
        pytest.param("学校不得安排学生提前到校", RULES, "verbatim", id="a prohibition kept"),
        pytest.param("安排学生提前到校", RULES, "unsupported", id="quoted from behind its 不得"),
        pytest.param("学校可以安排学生提前到校", RULES, "unsupported", id="a prohibition turned round"),
        pytest.param("学生将手机带入课堂", RULES, "unsupported", id="quoted from behind its 严禁"),
        pytest.param("会议由张渤主持", PEOPLE, "verbatim", id="a name with its act"),
        pytest.param("张渤做了总结讲话", PEOPLE, "unsupported", id="a name with another's act"),
        pytest.param("会议由李强主持，张渤做了总结讲话", PEOPLE, "unsupported", id="two names exchanged"),
        pytest.param("本办法共14条", "《办法》共十四条", "consistent", id="one number in two writings"),
        pytest.param("本办法共15条", "《办法》共十四条", "unsupported", id="another number in another writing"),
        pytest.param("", PEOPLE, "unsupported", id="nothing said"),
        pytest.param("会议很成功", PEOPLE, "unsupported", id="something of its own"),
        pytest.param("的了是", PEOPLE, "unsupported", id="function words alone"),
    ],
)
def test_support(sentence: str, quote: str, level: str) -> None:
    assert support(sentence, [quote]) == level


def test_nothing_is_supported_by_no_quotes() -> None:
    assert support("小学120所", []) == "unsupported"


@pytest.fixture(scope="module")
def gazette_text() -> str:
    (path,) = (Path(__file__).parents[2] / "data").glob("*公报*.md")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sentences(gazette_text: str) -> list[str]:
    paragraphs = [readable(p) for p in gazette_text.split("\n\n")]
    return [s for p in paragraphs for s in re.split(r"(?<=[。；])", p) if 12 <= len(s) <= 200]


def accepted(forgeries: list[tuple[str, str]]) -> float:
    assert len(forgeries) >= 40, "too few forgeries to say anything"
    return sum(support(forged, [quote]) != "unsupported" for forged, quote in forgeries) / len(forgeries)


def test_true_quotes_and_their_clauses_are_accepted(sentences: list[str]) -> None:
    clauses = [(c, s) for s in sentences for c in s.split("，") if len(c) >= 4]
    assert accepted([(s, s) for s in sentences]) == 1.0
    assert accepted(clauses) >= 0.99


def test_a_changed_digit_is_refused(sentences: list[str]) -> None:
    rng = random.Random(7)
    forgeries = []
    for quote in sentences:
        for at in [m.start() for m in re.finditer(r"\d", quote)]:
            other = rng.choice([d for d in "0123456789" if d != quote[at]])
            forgeries.append((quote[:at] + other + quote[at + 1 :], quote))
    assert accepted(forgeries) <= 0.01


def test_a_changed_digit_is_refused_when_the_other_figure_is_quoted_too(sentences: list[str]) -> None:
    forgeries = []
    for quote in sentences:
        figures = list(re.finditer(r"\d+(?:\.\d+)?", quote))
        for a, b in pairwise(figures):
            if a.group() != b.group():
                forgeries.append((quote[: a.start()] + b.group() + quote[a.end() :], quote))
    assert accepted(forgeries) <= 0.01


def test_a_flipped_negation_is_refused(sentences: list[str]) -> None:
    forgeries = []
    for quote in sentences:
        forgeries += [
            (quote[: m.start()] + quote[m.end() :], quote)
            for m in re.finditer(r"不得|不(?=[能应可予超低])|未(?=[能经按])|严禁|禁止|没有", quote)
        ]
        forgeries += [
            (quote[: m.end()] + "不" + quote[m.end() :], quote)
            for m in re.finditer(r"(?<=[应可])(?=[当以向报])", quote)
        ]
        forgeries += [(quote.replace("要", "不得", 1), quote)] if "要加" in quote or "要完" in quote else []
    assert accepted(forgeries) <= 0.02


def test_a_swapped_name_is_refused(gazette_text: str, sentences: list[str]) -> None:
    roll = re.search(r"出席：\n\n(.+?)\n\n常委会", gazette_text, re.S)
    assert roll is not None
    names = [re.sub(r"\s", "", n) for n in re.split(r"[\t\n]", roll.group(1)) if n.strip()]
    rng = random.Random(7)
    forgeries = []
    for quote in sentences:
        for name in names:
            if name in quote:
                others = rng.sample([n for n in names if n != name], 6)
                forgeries += [(quote.replace(name, other, 1), quote) for other in others]
    assert accepted(forgeries) <= 0.02


def test_find_quote_prefers_the_place_it_was_taken_from() -> None:
    text = "一是甲地5票。\n二是乙地 5\n票。"
    second = text.index("二是")
    found = find_quote("5票", text, (second, len(text)))
    assert found is not None
    assert text[found[0] : found[1]] == "5\n票"
    assert find_quote("5票", text) == (4, 6)
    assert find_quote("6票", text) is None


def test_find_quote_is_right_for_short_quotes_all_over_the_gazette(gazette_text: str) -> None:
    rng = random.Random(7)
    view = folded(gazette_text)
    for _ in range(200):
        size = rng.randint(2, 5)
        at = rng.randrange(len(view.text) - size)
        span = view.span(at, at + size)
        found = find_quote(gazette_text[slice(*span)], view, span)
        assert found is not None
        assert found == span


LIBRARY = "图书馆每周开放不少于56小时，严禁收取借阅费用。"
CENSUS = "全市现有学校206所（公办197所），其中，小学120所，在校学生11.5万人。"
MEETING = "2021年6月10日，张渤主持会议，李强作总结讲话。"
LATE = "未按期完成的，由市政府通报批评；逾期三个月仍未完成的，依法处理。"
CHECKED = "2023年前，西市区、老边区通过验收；2025年前，大石桥市通过验收。"
SPENT = "近三年支出60.38亿元，参保率达90%以上，带动4100余户。"


@pytest.mark.parametrize(
    ("quote", "sentence", "expected"),
    [
        (CENSUS, "全市现有学校206所。", "verbatim"),
        (CENSUS, "全市学校共206所。", "consistent"),
        (CENSUS, "小学120所，在校学生11.5万人。", "verbatim"),
        pytest.param(
            CENSUS, "全市现有学校206所，在校学生11.5万人。", "unsupported", id="pupils of the 120, not of the 206"
        ),
        pytest.param(MEETING, "2021年6月10日，李强作总结讲话。", "unsupported", id="over what lies between"),
        (MEETING, "张渤主持会议，李强作总结讲话。", "verbatim"),
        pytest.param(MEETING, "李强主持会议，张渤作总结讲话。", "unsupported", id="names changed about"),
        pytest.param(CHECKED, "2023年前，大石桥市通过验收。", "unsupported", id="the day of another place"),
        pytest.param(CHECKED, "2025年前，西市区通过验收。", "unsupported", id="the place of another day"),
        (CHECKED, "2025年前，大石桥市通过验收。", "verbatim"),
        (CHECKED, "2023年前，西市区通过验收。", "consistent"),
        pytest.param(LATE, "未按期完成的，依法处理。", "unsupported", id="the case of another consequence"),
        pytest.param(LATE, "按期完成的，由市政府通报批评。", "unsupported", id="a denial left out"),
        (LATE, "逾期三个月仍未完成的，依法处理。", "verbatim"),
        pytest.param(LIBRARY, "图书馆每周开放56小时。", "unsupported", id="a bound left out in front"),
        pytest.param(SPENT, "参保率达90%。", "unsupported", id="a bound left out behind"),
        pytest.param(SPENT, "带动4100户。", "unsupported", id="余 left out"),
        (SPENT, "参保率达90%以上。", "verbatim"),
        pytest.param(LIBRARY, "严禁收取费用。", "unsupported", id="a ban made wider"),
        (LIBRARY, "严禁收取借阅费用。", "verbatim"),
        ("", "全市。", "unsupported"),
        (CENSUS, "", "unsupported"),
    ],
)
def test_what_a_model_put_together(quote: str, sentence: str, expected: str) -> None:
    assert carries(quote, sentence) == expected
