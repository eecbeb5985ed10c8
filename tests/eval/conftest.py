"""Outcomes and reports made by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from eval.report import Setting
from eval.run import Outcome


@pytest.fixture
def setting() -> Setting:
    return Setting("ours", ("a.jsonl",), "0" * 64, "gazettes", 402, "static", "f" * 64, 0, "run", "2025", "here")


@pytest.fixture
def right() -> Outcome:
    """A question answered in full, its evidence second among the passages."""
    return Outcome(
        id="q1", question="问", resolved_question="问", type="number", style="lexical", turn=0, answerable=True,
        expected=(("206所",),), evidence=("学校206所",), document="报告", status="answered", answer="206所",
        sentence="学校206所", confidence=0.9, reason="", relevant_ranks=(2,), top_passage="", short=True, shown=True,
        citations=1, verbatim=1, proving=1, cause="", milliseconds=5.0,
        relevant=2, covered=1,
    )  # fmt: skip


@pytest.fixture
def wrong(right: Outcome) -> Outcome:
    return replace(right, short=False, shown=False, proving=0, covered=0, cause="retrieved, not read", confidence=0.7)


@pytest.fixture
def refused(wrong: Outcome) -> Outcome:
    return replace(
        wrong, status="not_found", answer="", sentence="", citations=0, verbatim=0, relevant_ranks=(),
        cause="wrongly refused", confidence=0.1,
    )  # fmt: skip


@pytest.fixture
def hundred(right: Outcome, wrong: Outcome) -> Callable[[int], list[Outcome]]:
    """A hundred outcomes, of which so many are right."""
    return lambda count: [replace(right if n < count else wrong, id=f"q{n}") for n in range(100)]
