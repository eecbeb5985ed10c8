"""A local model's summary of an answer: each sentence proved by the quotes it cites, or struck out.

``Summary.text`` leaves out what is struck. Where nothing is left, or the model fails, the 要点 of ``qa.keypoints``
stand in its place with a line that says why: a reader never gets less than without a model.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from index.text import fold
from qa.generate import MOST_TOKENS, SECONDS, Model, ModelError, OutOfTime, reply
from qa.prompt import NOTHING, prompt_of
from qa.prove import carries
from qa.records import Answer, Citation, Summary, SummarySentence, Support

MOST_SENTENCES = 8
_REPEATS = 2  # of one sentence: a model that says it a third time will not stop
_SHORTEST = 4  # characters of a sentence that says something
_LONGEST = 600  # characters without an end: no sentence of a summary
_MARK = re.compile(r"[\[【［](\d{1,3})[\]】］]")
_MARKS = r"(?:\s*[\[【［]\d{1,3}[\]】］])*"
# A mark may follow its full stop: a sentence is whole once the next one has begun.
_WHOLE = re.compile(rf"\s*(.+?(?:[。！？!?\n]|(?<=[a-z\])])\.(?=\s)){_MARKS})(?=\s*[^\s\[【［])", re.DOTALL)
_THOUGHT = re.compile(r"\s*<think>.*?</think>", re.DOTALL)
_RANK: dict[Support, int] = {"verbatim": 2, "consistent": 1, "unsupported": 0}


@dataclass
class Draft:
    """What a model writes about an answer with its 要点, sentence by sentence, and in the end how it went."""

    answer: Answer  # with the summary of ``qa.keypoints``: its citations are what the model is shown
    model: Model
    stop: threading.Event | None = None
    seconds: float = SECONDS
    sentences: list[SummarySentence] = field(default_factory=list)
    note: str = ""  # why the model's words are not all there, or not there at all; for the reader
    failed: bool = False  # what was written counts for nothing

    @property
    def stands(self) -> bool:
        """Whether anything that the model wrote may reach the reader as said."""
        return not self.failed and any(s.support != "unsupported" for s in self.sentences)

    @property
    def summary(self) -> Summary:
        """The model's where anything of it stands; else the 要点, and behind them what was struck."""
        if self.stands:
            return Summary(self.model.name, tuple(self.sentences), self.note)
        points = self.answer.summary.sentences if self.answer.summary else ()
        struck = tuple(s for s in self.sentences if s.support == "unsupported")
        return Summary("extract", (*points, *struck), self.note)

    def write(self) -> Iterator[SummarySentence]:
        """The model's sentences, each as soon as it is whole, with its level of support. Raises nothing."""
        try:
            for sentence in self._written():
                self.sentences.append(sentence)
                yield sentence
        except OutOfTime as error:
            self.note = f"模型在 {error}"
        except ModelError as error:
            self.failed, self.note = True, f"模型没有写成：{error}"
        if self.stop is not None and self.stop.is_set():
            self.note = "已停止"
        if not self.stands and not self.failed:
            self.note = self._why_nothing()

    def _written(self) -> Iterator[SummarySentence]:
        if self.answer.status == "not_found" or not self.answer.citations:
            return
        prompt = prompt_of(self.answer, self.model.count, self.model.context - MOST_TOKENS)
        shown = tuple(c for c in self.answer.citations if c.n in prompt.shown)
        if not shown:
            return
        said: dict[str, int] = {}
        for written in _sentences(reply(self.model, prompt.text, stop=self.stop, seconds=self.seconds)):
            key = fold(_MARK.sub("", written))
            said[key] = said.get(key, 0) + 1
            if said[key] > _REPEATS or len(self.sentences) >= MOST_SENTENCES or len(written) > _LONGEST:
                self.note = "模型写个不停，已截断"
                return
            if said[key] == 1:
                yield from _checked(written, shown, self.answer.answer)

    def _why_nothing(self) -> str:
        said = "".join(s.text for s in self.sentences)
        if any(fold(nothing) == fold(said) for nothing in NOTHING.values()):
            return "模型认为所引原文没有回答这个问题"
        nothing = f"模型写的 {len(self.sentences)} 句都没有原文支持，已全部删去" if self.sentences else ""
        return "；".join(filter(None, (self.note, nothing))) or "模型没有写出话来"


def summarise(answer: Answer, model: Model, *, stop: threading.Event | None = None, seconds: float = SECONDS) -> Answer:
    """An answer with its 要点 -> the same with the model's summary, or with the reason why the 要点 stay.

    An abstention is given back as it is. ``timings.summarise`` is filled.
    """
    if answer.status == "not_found" or not answer.citations:
        return answer
    began = time.perf_counter()
    draft = Draft(answer, model, stop, seconds)
    for _ in draft.write():
        pass
    spent = (time.perf_counter() - began) * 1000
    timings = replace(answer.timings, summarise=spent, total=answer.timings.total + spent)
    return replace(answer, summary=draft.summary, timings=timings)


def _sentences(pieces: Iterator[str]) -> Iterator[str]:
    """The sentences of a reply as they become whole, marks and all; a model's thoughts are left out."""
    pending, begun = "", False
    for piece in pieces:
        pending += piece
        if not begun:
            head = pending.lstrip()
            if head.startswith("<think>") or (head and "<think>".startswith(head)):
                if "</think>" not in pending:
                    continue
                pending = _THOUGHT.sub("", pending, count=1)
            begun = bool(pending.strip())
        while whole := _WHOLE.match(pending):
            pending = pending[whole.end() :]
            yield whole.group(1)
        if len(pending) > _LONGEST:
            yield pending  # too long to be one: the caller ends it
            return
    if begun or not pending.lstrip().startswith("<think>"):
        yield pending


def _checked(written: str, shown: tuple[Citation, ...], short: str) -> Iterator[SummarySentence]:
    """One sentence as written -> itself without its marks, with the citations that carry it.

    A citation that names a quote is taken at its word: only that quote may carry the sentence. One that is missing, or
    names a quote that is not there, is repaired where one quote holds the sentence word for word. A scrap of a quote
    says nothing, unless it counts something or is the ``short`` answer: 县。
    """
    text = _MARK.sub("", written).strip()
    bare = re.sub(r"\W", "", text)
    if not bare:
        return
    if len(bare) < _SHORTEST and not re.search(r"\d", bare) and fold(bare) not in fold(short):
        yield SummarySentence(text, (), "unsupported")
        return
    numbers = {int(mark) for mark in _MARK.findall(written)}
    named = [c for c in shown if c.n in numbers]
    if not named:
        holder = next((c for c in shown if carries(c.quote, text) == "verbatim"), None)
        found: Support = "verbatim" if holder else "unsupported"
        yield SummarySentence(text, (holder.n,) if holder else (), found)
        return
    levels = {c.n: carries(c.quote, text) for c in named}
    best = max(levels.values(), key=_RANK.__getitem__)
    carriers = tuple(n for n, level in levels.items() if level == best)
    yield SummarySentence(text, carriers if best != "unsupported" else (), best)
