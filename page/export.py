"""A conversation to take along: Markdown, a web page, JSON or Word, each citation with a link that reopens it."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from index.text import is_invisible
from page.answers import confidence_key, link, understood
from page.markup import safe, tag
from page.strings import Language, say
from qa.reasons import in_english
from qa.records import Answer, Citation, SummarySentence, Turn

MEDIA = {
    "md": "text/markdown",
    "html": "text/html",
    "json": "application/json",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}

NAMELESS: Mapping[str, str] = {}

_STYLE = (
    "body{font:16px/1.8 'Songti SC','Noto Serif CJK SC',SimSun,serif;max-width:42em;margin:3em auto;padding:0 1em;"
    "color:#23262b}h1{font-size:1.3em}h2{font-size:1.1em;margin-top:2.4em}blockquote{margin:.6em 0;padding:.2em 1em;"
    "border-left:3px solid #b23a34}strong{color:#8e2a25}.reference,.meta{color:#666;font-size:.86em}"
)


def parcel(turns: Sequence[Turn], form: str, language: Language, names: Mapping[str, str], base: str) -> str:
    """The conversation in a format of ``MEDIA``, as JSON ``{name, type, data}`` with base64 data.

    Raises:
        ValueError: on an unknown format.
    """
    if form not in MEDIA:
        raise ValueError(f"unknown export format {form!r}: use one of {', '.join(MEDIA)}")
    now = datetime.now().astimezone()
    makers: dict[str, Callable[[], bytes]] = {
        "md": lambda: markdown(turns, language, base, now, names).encode(),
        "html": lambda: web_page(turns, language, base, now, names).encode(),
        "json": lambda: records(turns, names, base).encode(),
        "docx": lambda: word(turns, language, base, now, names),
    }
    return parcel_of(f"gazette-qa-{now:%Y%m%d-%H%M%S}.{form}", MEDIA[form], makers[form]())


def parcel_of(name: str, media: str, data: bytes) -> str:
    """A file on its way to the browser: JSON ``{name, type, data}`` with base64 data."""
    return json.dumps({"name": name, "type": media, "data": base64.b64encode(data).decode("ascii")})


def markdown(
    turns: Sequence[Turn], language: Language, base: str, now: datetime, names: Mapping[str, str] = NAMELESS
) -> str:
    """The conversation as Markdown; words of documents keep their characters and cannot become markup."""
    out = [f"# {say(language, 'title')}", "", say(language, "exported", time=f"{now:%Y-%m-%d %H:%M}"), ""]
    for turn in turns:
        answer = turn.answer
        out += [f"## {escape_markdown(answer.question)}", ""]
        out += [f"{escape_markdown(line)}  " for line in _remarks(answer, language, names)]
        out += [f"**{escape_markdown(answer.answer)}**", ""] if answer.answer else [""]
        for c in answer.citations:
            out += [
                f"> {escape_markdown(c.quote)}",
                ">",
                f"> [{c.n}] {escape_markdown(c.reference)} [↗](<{base}/{_href(answer, c)}>)",
                "",
            ]
        if answer.summary:
            out += [f"- {escape_markdown(_summed(s))}" for s in answer.summary.sentences if s.support != "unsupported"]
            out.append("")
    return "\n".join(out).rstrip() + "\n"


def web_page(
    turns: Sequence[Turn], language: Language, base: str, now: datetime, names: Mapping[str, str] = NAMELESS
) -> str:
    """The conversation as one HTML file without scripts or anything fetched."""
    parts = [
        tag("h1", safe(say(language, "title"))),
        tag("p", safe(say(language, "exported", time=f"{now:%Y-%m-%d %H:%M}")), class_="meta"),
    ]
    for turn in turns:
        answer = turn.answer
        parts.append(tag("h2", safe(answer.question)))
        parts.extend(tag("p", safe(line), class_="meta") for line in _remarks(answer, language, names))
        if answer.answer:
            parts.append(tag("p", tag("strong", safe(answer.answer))))
        for c in answer.citations:
            parts.append(tag("blockquote", _emphasised(c)))
            reopen = tag("a", "↗", href=f"{base}/{_href(answer, c)}")
            parts.append(tag("p", f"[{c.n}] {safe(c.reference)} {reopen}", class_="reference"))
        if answer.summary:
            items = (tag("li", safe(_summed(s))) for s in answer.summary.sentences if s.support != "unsupported")
            parts.append(tag("ul", "".join(items)))
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = (
        '<meta charset="utf-8">'
        + f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        + tag("title", safe(say(language, "title")))
        + tag("style", _STYLE)
    )
    lang = "zh-CN" if language == "zh" else "en"
    return f'<!doctype html>\n<html lang="{lang}"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def records(turns: Sequence[Turn], names: Mapping[str, str], base: str) -> str:
    """The conversation as a JSON list of answer records, each citation with the ``url`` that reopens it."""
    out: list[dict[str, Any]] = []
    for turn in turns:
        record = turn.answer.to_json(dict(names))
        for written, citation in zip(record["citations"], turn.answer.citations, strict=True):
            written["url"] = f"{base}/{_href(turn.answer, citation)}"
        out.append(record)
    return json.dumps(out, ensure_ascii=False, indent=1) + "\n"


def word(
    turns: Sequence[Turn], language: Language, base: str, now: datetime, names: Mapping[str, str] = NAMELESS
) -> bytes:
    """The conversation as a Word document."""
    from docx import Document

    document = Document()
    document.add_heading(say(language, "title"), 0)
    document.add_paragraph(say(language, "exported", time=f"{now:%Y-%m-%d %H:%M}"))
    for turn in turns:
        answer = turn.answer
        document.add_heading(_plain(answer.question), 1)
        for line in _remarks(answer, language, names):
            document.add_paragraph(_plain(line))
        if answer.answer:
            document.add_paragraph().add_run(_plain(answer.answer)).bold = True
        for c in answer.citations:
            document.add_paragraph(_plain(c.quote), style="Intense Quote")
            document.add_paragraph(_plain(f"[{c.n}] {c.reference} {base}/{_href(answer, c)}"))
        for sentence in answer.summary.sentences if answer.summary else ():
            if sentence.support != "unsupported":
                document.add_paragraph(_plain(_summed(sentence)), style="List Bullet")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _remarks(answer: Answer, language: Language, names: Mapping[str, str]) -> list[str]:
    """What the reader must know beside the words: how the question was understood and how sure the answer is, a
    conflict, an abstention and its reason."""
    lines = understood(answer, language, names)
    if answer.status == "not_found":
        why = in_english(answer.reason) if language == "en" else answer.reason
        return [*lines, (": " if language == "en" else "：").join(p for p in (say(language, "not_found"), why) if p)]
    if answer.status == "conflict":
        lines.append(say(language, "conflict"))
    return [*lines, say(language, confidence_key(answer.confidence))]


def _summed(sentence: SummarySentence) -> str:
    return f"{sentence.text} {''.join(f'[{n}]' for n in sentence.citations)}".rstrip()


def _href(answer: Answer, citation: Citation) -> str:
    return link(answer.question, citation.source_id, citation.start, citation.end)


def _emphasised(citation: Citation) -> str:
    start, end = citation.answer_start, citation.answer_end
    quote = citation.quote
    if start >= end:
        return safe(quote)
    return safe(quote[:start]) + tag("strong", safe(quote[start:end])) + safe(quote[end:])


def escape_markdown(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~&])", r"\\\1", _plain(text)).replace("\n", " ")


def _plain(text: str) -> str:
    """Without control characters, which XML does not allow, and direction marks."""
    return "".join(c for c in text if c in "\n\t" or not is_invisible(c))
