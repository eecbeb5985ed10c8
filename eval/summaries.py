"""What a local model is worth here: how much of what it writes is proved, how often the extract had to stand, how fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from eval.run import RETRIEVED

if TYPE_CHECKING:
    from index.records import Filter
    from qa.ask import Assistant
    from qa.records import Answer, Summary, Turn


@dataclass(frozen=True, slots=True)
class Written:
    """One summary: sentences written and proved, whether the model's words stood, characters, seconds, and the note."""

    sentences: int
    proved: int
    stood: bool
    characters: int
    seconds: float
    note: str


@dataclass
class Writing:
    """An assistant whose model writes a summary of every answer; ``written`` is what came of it."""

    assistant: Assistant
    written: list[Written] = field(default_factory=list)

    def ask(
        self, question: str, *, turns: Sequence[Turn] = (), k: int = RETRIEVED, where: Filter | None = None
    ) -> Answer:
        answer = self.assistant.ask(question, turns=turns, k=k, where=where, summary="model")
        if answer.summary is not None:
            self.written.append(_written(answer.summary, answer.timings.summarise / 1000))
        return answer


def _written(summary: Summary, seconds: float) -> Written:
    stood = summary.model != "extract"
    said = [s for s in summary.sentences if stood or s.support == "unsupported"]
    proved = sum(s.support != "unsupported" for s in said)
    return Written(len(said), proved, stood, sum(len(s.text) for s in said), seconds, summary.note)


def lines(written: Sequence[Written]) -> list[str]:
    """The figures as one reads them."""
    if not written:
        return ["模型摘要：没有可写的回答"]
    sentences, proved = sum(w.sentences for w in written), sum(w.proved for w in written)
    stood = sum(w.stood for w in written)
    seconds = sorted(w.seconds for w in written)
    spent = sum(seconds)
    out = [
        f"模型摘要 {len(written)} 份：{stood} 份用了模型的话（{stood / len(written):.2f}），其余退回原文要点",
        f"写了 {sentences} 句，{proved} 句有原文支持（{proved / max(1, sentences):.2f}），其余删去",
        f"每份 {median(seconds):.1f} 秒（中位），最长 {seconds[-1]:.1f} 秒，每秒 {sum(w.characters for w in written) / max(spent, 1e-9):.1f} 字",
    ]
    notes: dict[str, int] = {}
    for w in written:
        if w.note:
            notes[w.note] = notes.get(w.note, 0) + 1
    return out + [f"  {n} 次：{note}" for note, n in sorted(notes.items(), key=lambda item: -item[1])[:5]]
