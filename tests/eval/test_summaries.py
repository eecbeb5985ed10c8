"""What a local model is worth: the figures are those of its summaries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from eval.summaries import Writing, Written, lines
from qa.records import Answer, Summary, SummarySentence, Timings

TRUE = SummarySentence("全市有12座。", (1,), "verbatim")
FALSE = SummarySentence("全市有13座。", (), "unsupported")


class Told:
    """An assistant with a summary made elsewhere."""

    def __init__(self, summary: Summary | None) -> None:
        self.summary = summary

    def ask(self, question: str, **options: Any) -> Answer:
        assert options["summary"] == "model"
        return replace(Answer(question, question, "answered", summary=self.summary), timings=Timings(summarise=2000))


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        (Summary("m", (TRUE, FALSE)), [Written(2, 1, True, 14, 2.0, "")]),
        (Summary("extract", (TRUE, TRUE, FALSE), "没有支持"), [Written(1, 0, False, 7, 2.0, "没有支持")]),
        (None, []),
    ],
)
def test_a_summary_is_counted(summary: Summary | None, expected: list[Written]) -> None:
    writing = Writing(Told(summary))  # type: ignore[arg-type]
    assert writing.ask("有几座？").summary == summary
    assert writing.written == expected


def test_figures_as_read() -> None:
    said = "\n".join(lines([Written(2, 1, True, 14, 2.0, ""), Written(2, 0, False, 14, 5.0, "没有支持")]))
    assert [
        w
        for w in ("2 份", f"{1 / 2:.2f}", "4 句", f"{1 / 4:.2f}", "3.5 秒", "4.0 字", "1 次：没有支持")
        if w not in said
    ] == []
    assert "没有可写" in lines([])[0]
