"""Provisions by their number: 履职评议办法第九条第（二）项 -> its words, or the reason why there are none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.records import Document, Hit
from qa.candidates import clean
from qa.evidence import Proof, Reading
from qa.numbers import HAN_NUMERAL, from_han, to_han
from qa.question import Article, Question
from qa.words import flat, rarity

if TYPE_CHECKING:
    from index.store import Index

SHOWN = 120  # characters of an article in the short answer; its quote goes on
QUOTED = 170
_NUMBER = re.compile(rf"第\s*([{HAN_NUMERAL}\d]+)\s*条")
_COUNTED = re.compile(r"^\s*(\d{1,3})\s*[、.．]")
_ITEM = re.compile(rf"^\s*[（(]\s*([{HAN_NUMERAL}\d]{{1,3}})\s*[)）]")
_KIND_WORDS = ("条例", "办法", "决定", "决议", "规定", "细则", "规则", "通知", "法", "章程", "方案", "意见", "公约")


@dataclass(frozen=True, slots=True)
class Place:
    """The paragraphs of one article, by their indices in the document."""

    document_id: str
    paragraphs: tuple[int, ...]


def resolve(index: Index, question: Question, hits: Sequence[Hit]) -> Reading | Place | None:
    """What an addressed article gives: its words where they are asked for, its place where something in it is.

    None where the question addresses no article or no document found here has any.
    """
    address = question.article
    if address is None:
        return None
    found = _document(index, question, hits)
    if found is None:
        return None
    document, text, provisions = found
    if address.number not in provisions:
        last = max(provisions)
        counted = f"共{to_han(last)}条" if last < 1000 else f"共{last}条"
        return Reading(reason=f"《{document.title}》{counted}，没有第{_said(address.number)}条。", confidence=0.0)
    place = Place(document.id, tuple(provisions[address.number]))
    return _words(document, text, place, address) if question.article_text else place


def _said(number: int) -> str:
    return to_han(number) if 1 <= number < 1000 else str(number)


def provisions(document: Document, text: str) -> dict[int, list[int]]:
    """Number of an article -> indices of its paragraphs; 1、2、… counts where a decision prints no 第…条."""
    out: dict[int, list[int]] = {}
    for i, paragraph in enumerate(document.paragraphs):
        match = _NUMBER.search(paragraph.article or "")
        number = from_han(match[1]) if match else None
        if number is not None:
            out.setdefault(number, []).append(i)
    if out or document.kind not in {"决定", "决议", "条例", "办法"}:
        return out
    current = 0
    for i, paragraph in enumerate(document.paragraphs):
        counted = _COUNTED.match(text[paragraph.start : paragraph.end])
        if counted and int(counted[1]) == current + 1:
            current += 1
        elif paragraph.kind in {"heading", "title", "byline"}:
            continue
        if current:
            out.setdefault(current, []).append(i)
    return out if current >= 3 else {}


def _document(
    index: Index, question: Question, hits: Sequence[Hit]
) -> tuple[Document, str, dict[int, list[int]]] | None:
    """The document with articles whose title the question names best; the best hit's on a tie."""
    sources = list(dict.fromkeys(hit.passage.source_id for hit in hits))[:5]
    ranks = {hit.passage.document_id: -rank for rank, hit in reversed(list(enumerate(hits)))}
    best: tuple[tuple[float, float], Document, str, dict[int, list[int]]] | None = None
    for source_id in sources:
        text = index.source(source_id).text
        for document in index.gazette(source_id).documents:
            numbered = provisions(document, text)
            if not numbered:
                continue
            key = (_named(question, document.title), float(ranks.get(document.id, -100)))
            if best is None or key > best[0]:
                best = (key, document, text, numbered)
    return None if best is None else best[1:]


def _named(question: Question, title: str) -> float:
    """How well the question names the title: rarity of the topic words in it, and of its kind as the last word."""
    said = flat(title)
    score = sum(rarity(w) for w in question.topics if w in said)
    bare = re.sub(r"[（(][^（）()]*[)）]", "", said)
    asked = question.flat.split("条")[0]
    kind = next((k for k in _KIND_WORDS if k in asked), None)
    if kind:
        score += 6.0 if bare.endswith(kind) else -6.0
    return score


def _words(document: Document, text: str, place: Place, address: Article) -> Reading:
    """The article, clause or item in its own words."""
    paragraphs = [document.paragraphs[i] for i in place.paragraphs]
    ranges = [(p.start, p.end) for p in paragraphs]
    said = f"第{_said(address.number)}条"
    if address.clause is not None:
        whole = [r for r in ranges if not _ITEM.match(text[r[0] : r[1]])]
        if address.clause > len(whole):
            return Reading(reason=f"《{document.title}》{said}共{len(whole)}款，没有第{address.clause}款。")
        ranges = [whole[address.clause - 1]]
    if address.item is not None:
        items = {from_han(m[1]): r for r in ranges if (m := _ITEM.match(text[r[0] : r[1]]))}
        if address.item not in items:
            return Reading(reason=f"《{document.title}》{said}没有第（{_said(address.item)}）项。")
        ranges = [items[address.item]]
    quotes = [clean(text[a:b])[0] for a, b in ranges]
    joined = "".join(quotes)
    answer = _NUMBER.sub("", joined, count=1).strip() if _NUMBER.match(joined) else joined
    return Reading(
        status="answered",
        answer=_cut(answer, SHOWN),
        sentence=_cut(joined, QUOTED),
        confidence=0.97,
        proofs=tuple(
            Proof(document.source_id, document.id, a, b, _own(text, a, b) if n == 0 else None)
            for n, (a, b) in enumerate(ranges)
        ),
    )


def _own(text: str, start: int, end: int) -> tuple[int, int] | None:
    """The stretch after the number 第…条."""
    match = _NUMBER.match(text[start:end].lstrip("*# \n\t\u3000"))
    lead = len(text[start:end]) - len(text[start:end].lstrip("*# \n\t\u3000"))
    at = start + lead + (match.end() if match else 0)
    while at < end and (text[at].isspace() or text[at] in "*"):
        at += 1
    return (at, end) if at < end else None


def _cut(text: str, limit: int) -> str:
    """At most ``limit`` characters, cut after a mark of punctuation where there is one."""
    if len(text) <= limit:
        return text
    at = max((text.rfind(c, 0, limit - 1) for c in "。；，：、"), default=-1)
    return text[: at + 1 if at > limit // 2 else limit - 1] + "…"
