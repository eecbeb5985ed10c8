"""Twins: one word of a question changed in the text that answers it."""

from __future__ import annotations

import random

import pytest

from qa.models.twins import of_its_kind, twin


@pytest.mark.parametrize(
    ("question", "text", "answer", "old", "new"),
    [
        pytest.param("2021年招了几人", "2021年招了5人", "5人", "2021", {"2018", "2019", "2020", "2022", "2023"}, id="year"),
        pytest.param("城镇有几所", "城镇有3所", "3所", "城镇", {"农村", "城乡"}, id="pair"),
        pytest.param("沙洲区有几所", "沙洲区有3所", "3所", "沙洲", None, id="made-up place"),
    ],
)  # fmt: skip
def test_a_word_of_the_question_is_changed(
    question: str, text: str, answer: str, old: str, new: set[str] | None
) -> None:
    made = [twin(question, text, answer, random.Random(n)) for n in range(20)]
    assert {pair[0] for pair in made if pair} == {old}
    assert all(pair[1] not in text for pair in made if pair)
    assert new is None or {pair[1] for pair in made if pair} <= new


def test_what_answers_is_never_changed() -> None:
    assert twin("哪一年是2021年", "2021年", "2021年", random.Random(0)) is None


def test_words_of_a_kind_are_near_and_not_the_same() -> None:
    assert "二等奖" not in of_its_kind("初中")
    assert "高中" in of_its_kind("初中")
    assert of_its_kind("此词不存在") == ()
