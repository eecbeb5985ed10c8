"""The conversation as HTML: each answer in its quoted sentence, with chips, confidence in words and what it rests on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from index.records import Filter
from index.text import fold, readable
from page.markup import button, hit_words, safe, short, tag, without_bold
from page.strings import Language, say
from qa.cite import Style, reference
from qa.reasons import in_english
from qa.records import Answer, Citation, Summary, Turn

STYLES: tuple[Style, ...] = ("gbt", "plain", "markdown", "bibtex")
QUOTE_SHOWN = 260  # characters of a quote in the bubble; the reader pane always has all of it
PROOFS_SHOWN = 3
NEAR_SHOWN = 4
LEAD = 40  # a longer answer is read in its quote, not above it


def conversation(turns: Sequence[Turn], language: Language, scopes: Mapping[str, str], dropped: int = 0) -> str:
    """All turns, oldest first; ``scopes`` names source ids for the reader. Empty when nothing was asked.

    ``dropped`` is how many turns stood before these: with it each keeps its number, by which the browser knows it.
    """
    return "".join(_turn(i, i + dropped, turn.answer, language, scopes) for i, turn in enumerate(turns))


def link(question: str, source_id: str, start: int, end: int) -> str:
    """The part after ``#`` that reopens a question and a place. After ``#`` it stays in the browser, out of logs."""
    return "#" + urlencode({"q": question, "s": source_id, "at": f"{start}-{end}"})


def confidence_key(confidence: float) -> str:
    """The string key of the words for a confidence."""
    return "sure" if confidence >= 0.85 else "fairly" if confidence >= 0.6 else "unsure"


def scope_text(where: Filter, language: Language, scopes: Mapping[str, str]) -> str:
    """The filter in words; empty where nothing is narrowed."""
    parts = []
    if where.gazette:
        parts.append(scopes.get(where.gazette, where.gazette))
    years = [y for y in (where.year_from, where.year_to) if y is not None]
    if years:
        parts.append(say(language, "year_value", year="–".join(map(str, dict.fromkeys(years)))))
    parts.extend(p for p in (where.kind, where.organ, where.speaker) if p)
    return " · ".join(parts)


def _turn(i: int, number: int, answer: Answer, language: Language, scopes: Mapping[str, str]) -> str:
    asked = tag("h3", safe(answer.question), class_="asked")
    body = {"answered": _answered, "conflict": _conflict, "not_found": _not_found}[answer.status](i, answer, language)
    notes = _notes(answer, language, scopes)
    summary = _summary(answer.summary, answer, i, language) if answer.summary else ""
    foot = tag("div", _confidence(answer, language) + _tools(i, answer, language), class_="foot")
    inside = tag("div", notes + body + summary + foot, class_=f"answer is-{answer.status}")
    return tag("section", asked + inside, class_="turn", data_number=number)


def understood(answer: Answer, language: Language, scopes: Mapping[str, str]) -> list[str]:
    """How the question was understood, in words: completed from the dialogue, widened by official words, narrowed."""
    lines = []
    if answer.resolved_question and answer.resolved_question != answer.question:
        lines.append(say(language, "resolved", question=answer.resolved_question))
    lines.extend(say(language, "expanded", word=word, official=official) for word, official in answer.expansions)
    if not answer.where.is_empty:
        lines.append(say(language, "scope", scope=scope_text(answer.where, language, scopes)))
    return lines


def _notes(answer: Answer, language: Language, scopes: Mapping[str, str]) -> str:
    items = "".join(tag("li", safe(line)) for line in understood(answer, language, scopes))
    return tag("ul", items, class_="notes") if items else ""


def _answered(i: int, answer: Answer, language: Language) -> str:
    cited = _proving(answer)
    proofs = [_proof(i, c, language, b) for b, c in zip((None, *cited), cited, strict=False)]
    lead, items = _lead(answer), _items(answer.answer, cited)
    in_sight = PROOFS_SHOWN
    if items and len(items) <= PROOFS_SHOWN:
        lead = ""  # its quotes say it all
    elif items:
        lines = (tag("li", safe(item) + chip(i, c, language)) for item, c in zip(items, cited, strict=True))
        lead, in_sight = tag("ol", "".join(lines), class_="lead is-list"), 1
    shown, rest = proofs[:in_sight], proofs[in_sight:]
    count = say(language, "more_quotes", n=len(rest))
    more = tag("details", tag("summary", safe(count)) + "".join(rest), class_="more") if rest else ""
    return lead + "".join(shown) + more


def _lead(answer: Answer) -> str:
    """The short answer alone, above its quote; one that no quote holds in one piece is shown whole."""
    verbatim = any(fold(answer.answer) in fold(c.quote) for c in answer.citations)
    if not answer.answer or (verbatim and len(answer.answer) > LEAD):
        return ""
    size = "lead" if len(answer.answer) <= LEAD else "lead is-long"
    return tag("p", safe(without_bold(answer.answer)[0]), class_=size)


def _proving(answer: Answer) -> Sequence[Citation]:
    """The citations of the answer itself: those that only its summary rests on stand there, beside its sentences."""
    summed = {n for s in answer.summary.sentences for n in s.citations} if answer.summary else set()
    said = _letters(answer.sentence)
    own = [c for c in answer.citations if c.n not in summed or _said(c) or _letters(c.quote) in said]
    return own or answer.citations


def _items(answer: str, cited: Sequence[Citation]) -> list[str]:
    """The things a long answer lists, one a citation; empty where it is not made of its citations' words."""
    if len(answer) <= LEAD or len(cited) < 2:
        return []
    for items in ([_said(c) for c in cited], [c.quote for c in cited]):
        if all(items) and _letters("".join(items)) == _letters(answer):
            return [without_bold(item)[0] for item in items]
    return []


def _letters(text: str) -> str:
    return "".join(c for c in fold(text) if c.isalnum())


def _said(citation: Citation) -> str:
    """The answering words of a citation."""
    return citation.quote[citation.answer_start : citation.answer_end]


def _conflict(i: int, answer: Answer, language: Language) -> str:
    head = tag("p", safe(say(language, "conflict")), class_="banner")
    sides = "".join(tag("div", _side_value(c) + _proof(i, c, language), class_="side") for c in _proving(answer))
    return head + tag("div", sides, class_="sides")


def _side_value(citation: Citation) -> str:
    value = _said(citation)
    return tag("p", safe(value), class_="lead") if value and len(value) <= LEAD else ""


def _not_found(i: int, answer: Answer, language: Language) -> str:
    head = tag("p", safe(say(language, "not_found")), class_="lead is-missing")
    why = in_english(answer.reason) if language == "en" else answer.reason
    reason = tag("p", safe(why), class_="reason") if why else ""
    near = "".join(
        tag(
            "li",
            tag(
                "button",
                tag("span", safe(short(hit.passage.document)), class_="near-title", title=hit.passage.document)
                + tag("span", safe(_cut(_lines(hit.passage.text), 0, 0, 90)[0]), class_="near-text"),
                type="button",
                class_="near-open",
                data_act="open",
                data_turn=i,
                data_rank=rank,
                aria_label=say(language, "open_passage", document=hit.passage.document),
            ),
        )
        for rank, hit in enumerate(answer.passages[:NEAR_SHOWN])
    )
    nearest = tag("h4", safe(say(language, "near"))) + tag("ol", near, class_="near") if near else ""
    return head + reason + nearest


def _proof(i: int, citation: Citation, language: Language, before: Citation | None = None) -> str:
    """A quote with the answering words emphasised, its chip, and where it stands.

    Below a quote of the same document, its name and issue are not said again.
    """
    quote, (start, end) = without_bold(citation.quote, citation.answer_start, citation.answer_end)
    quote, start, end = _cut(quote, start, end, QUOTE_SHOWN)
    article = citation.article or ""
    number = len(article) if quote.startswith(article) and (start >= end or start >= len(article)) else 0
    words = safe(quote[number:])
    if start < end:
        words = safe(quote[number:start]) + hit_words(safe(quote[start:end])) + safe(quote[end:])
    if number:  # 第二条 stands apart from what it rules, as in print
        words = tag("b", safe(article), class_="article") + words
    quoted = tag("blockquote", words + chip(i, citation, language))
    parts = [tag("span", safe(part)) for part in place(citation, language)]
    if before is not None and before.document_id == citation.document_id:
        parts = [tag("span", safe(part)) for part in place(citation, language) if part != citation.issue]
    else:
        parts.insert(0, tag("cite", safe(short(citation.document)), title=citation.document))
    where = "".join(parts)
    return tag("figure", quoted + tag("figcaption", where), class_="proof")


def chip(i: int, citation: Citation, language: Language) -> str:
    """The button [n] that opens the document at the citation's place."""
    label = say(language, "open_quote", n=citation.n, document=citation.document)
    return button(
        f"[{citation.n}]", class_="chip", data_act="open", data_turn=i, data_n=citation.n, aria_label=label, title=label
    )


def place(citation: Citation, language: Language) -> list[str]:
    """Where a citation stands inside its document, in words: heading or article, paragraph, page, issue."""
    parts = [citation.article or (citation.headings[-1] if citation.headings else "")]
    parts.append(say(language, "paragraph", n=citation.paragraph))
    if citation.page is not None:
        parts.append(say(language, "page", n=citation.page))
    parts.append(citation.issue)
    return [p for p in parts if p]


def _lines(text: str) -> str:
    """Text for a glance: its paragraphs on one line, a space between them."""
    unmarked = re.sub(r"(?m)^[ \t]*(?:#{1,6}|>)[ \t]*", "", text)
    return without_bold(" ".join(readable(p) for p in re.split(r"\n\s*\n", unmarked)))[0]


def _cut(text: str, start: int, end: int, limit: int) -> tuple[str, int, int]:
    """The text within ``limit`` characters around [start, end), with "…" where it was cut, and the moved span."""
    if len(text) <= limit:
        return text, start, end
    around = max(0, limit - (end - start)) // 2
    left = max(0, min(start - around, len(text) - limit))
    right = min(len(text), max(left + limit, end))
    head = "…" if left else ""
    tail = "…" if right < len(text) else ""
    return head + text[left:right] + tail, start - left + len(head), end - left + len(head)


def _confidence(answer: Answer, language: Language) -> str:
    if answer.status == "not_found":
        return ""
    percent = round(answer.confidence * 100)
    return tag(
        "p",
        safe(say(language, confidence_key(answer.confidence))),
        class_="confidence is-" + confidence_key(answer.confidence),
        title=say(language, "confidence_title", percent=percent),
    )


def _summary(summary: Summary, answer: Answer, i: int, language: Language) -> str:
    """The summary's sentences with their chips and support; what was struck is behind a fold, to be seen on demand."""
    by_n = {c.n: c for c in answer.citations}
    kept, struck = [], []
    for sentence in summary.sentences:
        chips = "".join(chip(i, by_n[n], language) for n in sentence.citations if n in by_n)
        support = tag("span", safe(say(language, sentence.support)), class_=f"support is-{sentence.support}")
        if sentence.support == "unsupported":
            struck.append(tag("li", tag("del", safe(sentence.text)) + support))
        else:
            kept.append(tag("li", tag("span", safe(without_bold(sentence.text)[0])) + chips + support))
    title = say(language, "summary_extract" if summary.model == "extract" else "summary_model")
    name = "" if summary.model == "extract" else tag("span", safe(summary.model), class_="model")
    note = tag("p", safe(summary.note), class_="note") if summary.note else ""
    listed = tag("ul", "".join(kept)) if kept else ""
    count = say(language, "struck", n=len(struck))
    folded = tag("details", tag("summary", safe(count)) + tag("ul", "".join(struck)), class_="struck") if struck else ""
    return tag("div", tag("h4", safe(title) + name) + listed + note + folded, class_="summary")


def copy_menu(citations: Sequence[Citation], language: Language) -> str:
    """A menu that copies what is cited in each style, each work once; the texts travel with the page."""
    items = ""
    for style in STYLES:
        works = dict.fromkeys(reference(c, style) for c in citations)
        items += button(say(language, style), class_="item", data_copy="\n".join(works))
    return menu(say(language, "copy"), items)


def menu(label: str, items: str, **values: object) -> str:
    """A small menu that opens below its label."""
    return tag("details", tag("summary", safe(label)) + tag("div", items, class_="menu-items"), class_="menu", **values)


def _tools(i: int, answer: Answer, language: Language) -> str:
    """Take along and rate: copy the citation, a link that reopens this, right or wrong."""
    parts = []
    if answer.citations:
        first = answer.citations[0]
        parts.append(copy_menu(answer.citations, language))
        parts.append(
            button(
                say(language, "link"),
                class_="tool",
                data_link=link(answer.question, first.source_id, first.start, first.end),
            )
        )
    verdicts = "".join(
        tag("label", tag("input", type="radio", name="verdict", value=v, required=True) + safe(say(language, v)))
        for v in ("right", "wrong", "wrong_citation")
    )
    note = tag(
        "input",
        type="text",
        name="note",
        maxlength=500,
        placeholder=say(language, "note"),
        aria_label=say(language, "note"),
    )
    save = tag("button", safe(say(language, "send")), type="submit", class_="tool")
    form = tag("form", verdicts + note + save, class_="rate", data_act="feedback", data_turn=i)
    parts.append(menu(say(language, "feedback"), form))
    return tag("div", "".join(parts), class_="tools")
