"""Lists whole and in order: items under a lead, a series 一是…二是…, names in a grid."""

from __future__ import annotations

import re
from collections.abc import Callable

from qa import tabular
from qa.candidates import DocumentSentences, Sentence
from qa.evidence import Choice, Reading
from qa.features import Pool
from qa.numbers import HAN_NUMERAL
from qa.quoting import SHOWN_LIMIT, proof, size

_SERIES = re.compile(rf"^[（(]?([{HAN_NUMERAL}]{{1,3}})(?:是|要|[)）])")
_NUMBERED = re.compile(
    rf"^\s*(?:[（(][{HAN_NUMERAL}\d]{{1,3}}[)）]|\d{{1,2}}\s*[.．、]|[{HAN_NUMERAL}]{{1,3}}(?:[、]|是|要))\s*"
)
_JOINED = re.compile(r"、|和|及|与|以及|；")


def gather(pool: Pool, best: Choice, documents: Callable[[str], DocumentSentences]) -> Reading | None:
    """All items in order: names in lines of nothing else, the items under a lead, or a series 一是…二是….

    None where the chosen span already lists them, or nothing around it is a list.
    """
    sentence = best.sentence
    if not sentence.document_id:
        return None
    view = documents(sentence.document_id)
    own = sentence.paragraph - 1
    if made := _names(view, own, sentence):
        return made
    question = pool.asked.question
    if question.kind == "person" or ("、" in best.text and _JOINED.search(best.text)):
        return None
    items = _under_lead(view, own, sentence) or _series(view, own, sentence)
    if len(items) < 2:
        return None
    heads = [_head(s.text) for s in items]
    answer = "；".join(heads)
    shown = sentence.text if sentence not in items else (items[0].lead or items[0].text)
    room = SHOWN_LIMIT - size(answer)
    return Reading(
        status="answered",
        made="list",
        answer=answer,
        sentence=shown if size(shown) <= room else "",
        proofs=tuple(
            proof(s, 0, len(s.text), (s.text.index(h), s.text.index(h) + len(h)))
            for s, h in zip(items, heads, strict=True)
        ),
    )


def _names(view: DocumentSentences, own: int, sentence: Sentence) -> Reading | None:
    """The names in the lines under the lead that the sentence is, or that it stands under."""
    ends = sentence.text.rstrip().endswith(("：", ":"))
    at = own + 1 if ends else own
    lines = [s for s in view.paragraph(at) if s.lead]
    if not lines or (ends and lines[0].lead != sentence.text):
        return None
    found = [(s, tabular.names(s, view.raw(s))) for s in lines]
    if not all(names for _, names in found):
        return None
    lead = lines[0].lead
    answer = "、".join(name for _, names in found for name in names)
    shown = lead if size(answer) + size(lead) <= SHOWN_LIMIT else ""
    return Reading(
        "answered", answer, shown, proofs=tuple(proof(s, 0, len(s.text), (0, len(s.text))) for s, _ in found)
    )


def _head(item: str) -> str:
    """What an item is about: its words up to the first stop, its number left out."""
    bare = _NUMBERED.sub("", item).strip()
    cut_at = re.search(r"[。；;！]|(?<=.{12})[，：]", bare)
    return (bare[: cut_at.start()] if cut_at else bare).strip("，。；: ：") or item.strip()


def _under_lead(view: DocumentSentences, own: int, sentence: Sentence) -> list[Sentence]:
    """The items under the line ending in a colon that the sentence is, or that it stands under."""
    paragraphs = view.document.paragraphs
    start = own + 1 if sentence.text.rstrip().endswith(("：", ":")) else own
    if start == own:
        if not sentence.lead:
            return []
        while start > 0 and view.paragraph(start - 1) and view.paragraph(start - 1)[0].lead == sentence.lead:
            start -= 1
    first = view.paragraph(start)
    lead = first[0].lead if first else ""
    items: list[Sentence] = []
    for i in range(start, len(paragraphs)):
        made = view.paragraph(i)
        if not made or made[0].lead != lead or not lead:
            break
        items.extend(made if paragraphs[i].kind == "table" else made[:1])
    return items


def lead_of(view: DocumentSentences, item: Sentence) -> Sentence | None:
    """The sentence ending in a colon that an item stands under; None where none above it is its lead."""
    for i in range(item.paragraph - 2, -1, -1):
        last = next(reversed(view.paragraph(i)), None)
        if last and last.text.endswith(("：", ":")):
            # a lead is the end of its paragraph, which may hold more than the sentence, or less of a long one
            return last if item.lead and (item.lead.endswith(last.text) or last.text.endswith(item.lead)) else None
    return None


def _series(view: DocumentSentences, own: int, sentence: Sentence) -> list[Sentence]:
    """The sentences that begin 一是, 二是, … around this one, in its paragraph and the paragraphs beside it."""
    mark = _SERIES.match(sentence.text)
    if not mark:
        return []
    kind = sentence.text[mark.end() - 1]
    near = [s for i in range(own - 6, own + 7) for s in view.paragraph(i) if s.headings == sentence.headings]
    series = [s for s in near if (m := _SERIES.match(s.text)) and s.text[m.end() - 1] == kind]
    at = series.index(sentence) if sentence in series else 0
    start = max((i for i in range(at + 1) if series[i].text.startswith(("一", "（一", "(一"))), default=at)
    out: list[Sentence] = []
    for s in series[start:]:
        if out and s.text.startswith(("一", "（一", "(一")) and not s.text.startswith(("一十",)):
            break
        out.append(s)
    return out
