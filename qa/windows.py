"""What the pointer reads at once: a stretch of one paragraph, with what it stands under said before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qa.candidates import Sentence

LONGEST = 220  # characters of a stretch, unless one sentence alone is longer
_TITLE, _HEADING, _LEAD = 32, 24, 40  # characters of what is said before it


@dataclass(frozen=True, slots=True)
class Window:
    """Consecutive sentences of a paragraph as one text; ``starts`` says where each begins in it."""

    above: str
    text: str
    first: int  # index of the first sentence among those that the windows were made of
    starts: tuple[int, ...]


def windows_of(sentences: Sequence[Sentence], longest: int = LONGEST) -> list[Window]:
    """All sentences, in order, in stretches of one paragraph each."""
    out: list[Window] = []
    begin = 0
    while begin < len(sentences):
        home = sentences[begin]
        starts, length, end = [0], len(home.text), begin + 1
        while end < len(sentences) and _same_paragraph(home, sentences[end]):
            if length + len(sentences[end].text) > longest:
                break
            starts.append(length)
            length += len(sentences[end].text)
            end += 1
        text = "".join(s.text for s in sentences[begin:end])
        out.append(Window(above(home), text, begin, tuple(starts)))
        begin = end
    return out


def above(sentence: Sentence) -> str:
    """Title, nearest heading, the line of its list or the head of its table, and the topic it goes on with; cut short."""
    heading = sentence.headings[-1] if sentence.headings else ""
    parts = (
        sentence.document[-_TITLE:],
        heading[:_HEADING],
        (sentence.lead or sentence.head)[-_LEAD:],
        sentence.topic[:_HEADING],
    )
    return "；".join(dict.fromkeys(part for part in parts if part))


def _same_paragraph(one: Sentence, other: Sentence) -> bool:
    return (
        one.paragraph == other.paragraph
        and one.document_id == other.document_id
        and one.kind != "table"  # each row is a text of its own
    )
