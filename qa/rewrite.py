"""A model may complete a follow-up and word a question as a gazette would; off unless asked for.

Neither can put words into an answer: a completed question may hold only what was said in the dialogue, and the
official wording is used for searching alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.records import Hit
from index.text import fold
from qa.generate import Model, ModelError, reply
from qa.prompt import plain
from qa.records import Turn
from qa.words import content, cut, flat

SECONDS = 30.0
_MOST_TOKENS = 100
_LONGEST = 200  # characters: a question, not an essay
_TURNS = 3  # earlier ones that are told
_THOUGHT = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL)
_COMPLETE = """下面是一段问答。把最后的问题改写成不看前文也能懂的一个问题，只用前文出现过的词语，不要回答它。
{dialogue}
最后的问题：{question}
改写后的问题："""
_REWORD = """把下面的问题改写成人大常委会公报里会用的正式说法，用于检索，不要回答它，只写一行。
问题：{question}
正式说法："""


def completed(question: str, turns: Sequence[Turn], model: Model) -> str | None:
    """The question as it would be asked without the dialogue; None where the model fails or adds words of its own."""
    dialogue = "\n".join(
        f"问：{plain(turn.answer.resolved_question or turn.question)}\n答：{plain(turn.answer.answer or '没有找到')}"
        for turn in turns[-_TURNS:]
    )
    text = _line(model, _COMPLETE.format(dialogue=dialogue, question=plain(question)))
    said = fold(f"{dialogue}{question}")
    return text if text and all(fold(word) in said for word in content([w for w, _ in cut(flat(text))])) else None


def official(question: str, model: Model) -> str | None:
    """The question in a gazette's words, to search with besides its own; None where the model fails."""
    text = _line(model, _REWORD.format(question=plain(question)))
    return text if text and fold(text) != fold(question) else None


def interleaved(first: Sequence[Hit], second: Sequence[Hit], k: int) -> list[Hit]:
    """The best ``k`` of two rankings, in turns, each passage once; the first ranking begins."""
    taken: dict[str, Hit] = {}
    for i in range(max(len(first), len(second))):
        for hit in (*first[i : i + 1], *second[i : i + 1]):
            taken.setdefault(hit.passage.id, hit)
    return list(taken.values())[:k]


def _line(model: Model, prompt: str) -> str:
    """The first line of a reply, without quotation marks; "" where there is none, or it is no question's length."""
    try:
        said = "".join(reply(model, prompt, max_tokens=_MOST_TOKENS, seconds=SECONDS))
    except ModelError:
        return ""
    lines = [line.strip(" \t\"“”'「」") for line in _THOUGHT.sub("", said).splitlines()]
    text = next((line for line in lines if line), "")
    return text if len(text) <= _LONGEST else ""
