"""Citations: from a stretch of a source to the nouns and the strings a reader can paste."""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from index.records import Document, Gazette, Source
from index.text import readable
from qa.records import Citation

Style = Literal["gbt", "plain", "markdown", "bibtex"]


def cite(
    n: int, source: Source, gazette: Gazette, document: Document, start: int, end: int, answer: tuple[int, int] | None
) -> Citation:
    """The citation of ``source.text[start:end]``, white space at its ends left out.

    ``answer`` is the span of the answering words, as offsets into the source text, or None where the answer is not in
    the quote's own words (yes/no, computed).

    Raises:
        ValueError: if the stretch is empty or the answer is not inside it.
    """
    text = source.text
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start >= end:
        raise ValueError(f"nothing to quote between {start} and {end} of {source.name}")
    quote = readable(text[start:end])
    answer_start = answer_end = 0
    if answer is not None:
        if not start <= answer[0] < answer[1] <= end:
            raise ValueError(f"the answer {answer} is not inside the quote ({start}, {end})")
        wanted = readable(text[answer[0] : answer[1]])
        # The same words may stand twice in a quote: search from where they are, less what readable() closed up.
        answer_start = quote.find(wanted, max(0, len(readable(text[start : answer[0]])) - 1))
        if answer_start < 0:
            answer_start = quote.index(wanted)
        answer_end = answer_start + len(wanted)
    paragraph = next((p for p in document.paragraphs if p.start <= start < p.end), None)
    page = source.page_at(start)
    article = paragraph.article if paragraph else None
    return Citation(
        n=n,
        quote=quote,
        answer_start=answer_start,
        answer_end=answer_end,
        source=source.name,
        source_id=source.id,
        issue=gazette.issue,
        document=document.title,
        document_id=document.id,
        headings=paragraph.headings if paragraph else (),
        article=article,
        paragraph=paragraph.n if paragraph else 1,
        page=page,
        start=start,
        end=end,
        reference=_gbt(document.organ or gazette.organ, document.title, gazette, page, article),
        organ=document.organ or gazette.organ,
        gazette=gazette.title,
        year=gazette.year,
        number=gazette.number,
    )


def _gbt(organ: str | None, title: str, gazette: Gazette, page: int | None, article: str | None) -> str:
    """GB/T 7714-2015, document type Z: 责任者. 题名[Z]. 公报名, 年(期): 页, 条."""
    parts = [f"{organ}. " if organ else "", f"{title}[Z]"]
    if gazette.title != title:
        parts.append(f". {gazette.title}")
    if gazette.year is not None:
        parts.append(f", {gazette.year}" + (f"({gazette.number})" if gazette.number is not None else ""))
    if page is not None:
        parts.append(f": {page}")
    if article:
        parts.append(f", {article}")
    return "".join(parts) + "."


def reference(citation: Citation, style: Style = "gbt") -> str:
    """The citation as text: GB/T 7714 line, a plain sentence, a Markdown block quote, or a BibTeX entry.

    Raises:
        ValueError: on an unknown style.
    """
    place = "，".join(
        p
        for p in (
            f"第{citation.page}页" if citation.page is not None else "",
            citation.article or (citation.headings[-1] if citation.headings else ""),
            f"第{citation.paragraph}段",
        )
        if p
    )
    if style == "gbt":
        return citation.reference
    if style == "plain":
        return f"“{citation.quote}”——《{citation.document}》，{citation.issue}，{place}"
    if style == "markdown":
        return f"> {_markdown(citation.quote)}\n>\n> — {_markdown(citation.reference)} {_markdown(place)}"
    if style == "bibtex":
        key = hashlib.sha256(f"{citation.source_id}:{citation.start}:{citation.end}".encode()).hexdigest()[:8]
        fields = {
            "author": f"{{{_bibtex(citation.organ)}}}" if citation.organ else "",
            "title": _bibtex(citation.document),
            "howpublished": _bibtex(citation.issue),
            "year": str(citation.year) if citation.year is not None else "",
            "number": str(citation.number) if citation.number is not None else "",
            "pages": str(citation.page) if citation.page is not None else "",
            "note": _bibtex(f"{place}：{citation.quote}"),
        }
        body = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
        return f"@misc{{gazette-{key},\n{body}\n}}"
    raise ValueError(f"unknown citation style {style!r}: use gbt, plain, markdown or bibtex")


def _markdown(text: str) -> str:
    """Text that stays text in Markdown: its special characters, raw HTML included, escaped."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~&])", r"\\\1", text).replace("\n", " ")


def _bibtex(text: str | None) -> str:
    """Text that stays text in a BibTeX field: braces balanced by leaving them out, TeX's own characters escaped."""
    plain = re.sub(r"[{}\\]", "", text or "")
    return re.sub(r"([$&%#_^~])", r"\\\1", plain)
