"""Answers are scored one by one: rank of the evidence, rightness, citations, and a guess at why it was missed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from eval.questions import Dialogue, Question, QuestionSet
from eval.run import Outcome, is_verbatim, run
from index.records import Filter, Hit, Passage
from qa.records import Answer, Citation, Status, Turn

TEXT = "全市义务教育\n阶段学校206所。其中初中71所。会议由李 强主持。\n到会委员38人。"
CUTS = (0, 16, 24, len(TEXT))  # three passages


def passage(n: int) -> Passage:
    start, end = CUTS[n], CUTS[n + 1]
    return Passage(f"s:{start}", "s", "s-01", "关于学校的报告", (), start, end, TEXT[start:end])


def citation(start: int, end: int, quote: str | None = None) -> Citation:
    text = TEXT[start:end] if quote is None else quote
    return Citation(1, text, 0, 0, "a.md", "s", "公报", "报告", "s-01", (), None, 1, None, start, end, "")


class Text:
    def text(self, source_id: str) -> str:
        return TEXT

    def source_id(self, name: str) -> str:
        return {"a.md": "s", "b.md": "t"}[name]

    def passages(self) -> Iterable[Passage]:
        return [passage(n) for n in range(3)]


class Fixed:
    """Gives the answers it was made with, by question, and keeps the turns it was given."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.turns: list[tuple[str, ...]] = []
        self.wheres: list[Filter | None] = []

    def ask(self, question: str, *, turns: Sequence[Turn] = (), k: int = 10, where: Filter | None = None) -> Answer:
        self.turns.append(tuple(turn.question for turn in turns))
        self.wheres.append(where)
        return self.answers[question]


def answer(
    text: str, found: Sequence[int], cited: Sequence[tuple[int, int]], sentence: str = "", status: Status = "answered"
) -> Answer:
    hits = tuple(Hit(passage(n), 1.0) for n in found)
    return Answer("q", "q", status, text, sentence, 0.8, citations=tuple(citation(*c) for c in cited), passages=hits)


NOT_FOUND = answer("", [0, 1], [], status="not_found")
SCHOOLS = Question("q", "q", "number", "lexical", ("206所",), evidence=("全市义务教育阶段学校206所",))


def outcome(question: Question, given: Answer) -> Outcome:
    return run(QuestionSet(("f",), "", (question,), ()), Fixed(q=given), Text())[0]


@pytest.mark.parametrize(
    ("given", "ranks", "is_shown", "short", "proving", "cause"),
    [
        pytest.param(answer("206所", [0], [(0, 16)]), (1,), True, True, 1, "", id="right"),
        pytest.param(answer("206所", [1, 2, 0], [(0, 16)]), (3,), True, True, 1, "", id="evidence third"),
        pytest.param(
            answer("71所", [0, 1], [(16, 24)]), (1,), False, False, 0, "retrieved, not read", id="other place"
        ),
        pytest.param(
            answer("学校", [0], [(7, 11)]), (1,), False, False, 1, "wrong span", id="right place, wrong words"
        ),
        pytest.param(
            answer("学校", [0], [(0, 16)], sentence="学校206所"), (1,), True, False, 1, "long form only", id="long form"
        ),
        pytest.param(answer("71所", [1, 2], [(16, 24)]), (), False, False, 0, "not retrieved", id="not retrieved"),
        pytest.param(NOT_FOUND, (1,), False, False, 0, "wrongly refused", id="refused though found"),
        pytest.param(
            answer("", [1], [], status="not_found"), (), False, False, 0, "not retrieved", id="refused, unfound"
        ),
    ],
)
def test_an_answerable_question(
    given: Answer, ranks: tuple[int, ...], is_shown: bool, short: bool, proving: int, cause: str
) -> None:
    scored = outcome(SCHOOLS, given)
    assert (scored.relevant_ranks, scored.shown, scored.short) == (ranks, is_shown, short)
    assert (scored.proving, scored.verbatim, scored.cause) == (proving, scored.citations, cause)


def test_an_unanswerable_question() -> None:
    question = Question("q", "q", "number", "lexical", answerable=False)
    assert outcome(question, NOT_FOUND).cause == ""
    assert outcome(question, NOT_FOUND).right
    wrong = outcome(question, answer("71所", [1], [(16, 24)]))
    assert (wrong.cause, wrong.right, wrong.shown) == ("answered unanswerable", False, False)


def test_evidence_over_two_passages_cannot_be_hit() -> None:
    question = Question("q", "q", "number", "lexical", ("71所",), evidence=("206所。其中初中71所",))
    assert outcome(question, answer("38人", [0, 1, 2], [(34, 42)])).cause == "evidence cut"
    assert outcome(question, answer("71所", [0, 1], [(16, 24)])).proving == 1


@pytest.mark.parametrize(("within", "where", "relevant"), [
    pytest.param("", None, 1, id="of the whole index"),
    pytest.param("a.md", Filter(gazette="s"), 1, id="of its own source"),
    pytest.param("b.md", Filter(gazette="t"), 0, id="of another one, which has no such passage"),
])  # fmt: skip
def test_a_question_is_asked_within_its_source(within: str, where: Filter | None, relevant: int) -> None:
    assistant = Fixed(q=answer("206所", [0], [(0, 16)]))
    asked = QuestionSet(("f",), "", (replace(SCHOOLS, within=within),), ())
    scored = run(asked, assistant, Text())[0]
    assert assistant.wheres == [where]
    assert scored.relevant == relevant


def test_a_citation_proves_by_overlap_at_its_own_place() -> None:
    question = Question("q", "q", "person", "lexical", ("李强",), evidence=("会议由李强主持",))
    assert outcome(question, answer("李强", [2], [(24, 33)])).proving == 1
    assert outcome(question, answer("李强", [2], [(32, 40)])).proving == 0, "ends before it, or begins after it"


@pytest.mark.parametrize(
    ("given", "verbatim"),
    [
        pytest.param(citation(0, 16), True, id="as it stands"),
        pytest.param(citation(0, 16, "全市义务教育阶段学校206所。"), True, id="line break closed"),
        pytest.param(citation(0, 16, "全市义务教育阶段学校207所。"), False, id="a digit changed"),
        pytest.param(citation(1, 16, "全市义务教育阶段学校206所。"), False, id="offset by one"),
        pytest.param(citation(0, 400, "全市"), False, id="beyond the text"),
    ],
)
def test_is_verbatim(given: Citation, verbatim: bool) -> None:
    assert is_verbatim(given, TEXT) is verbatim


def test_a_dialogue_is_asked_with_its_own_past() -> None:
    first = Question("d.1", "q", answers=("206所",), evidence=("学校206所",))
    second = Question("d.2", "那初中呢", answers=("71所",), evidence=("初中71所",), standalone="初中有多少所")
    right, wrong = answer("71所", [1], [(16, 24)]), answer("206所", [0], [(0, 16)])
    assistant = Fixed(q=wrong, 那初中呢=wrong, 初中有多少所=right)
    done: list[int] = []
    outcomes = run(
        QuestionSet(("f",), "", (), (Dialogue("d", (first, second)),)),
        assistant,
        Text(),
        progress=done.append,
    )
    assert assistant.turns == [(), ("q",), ()]
    assert [(o.turn, o.shown, o.alone) for o in outcomes] == [(1, True, None), (2, False, True)]
    assert done == [1, 1]
