"""Questions to begin with, made from the index's own documents: what any of them can surely answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.records import Document, Gazette
from page.strings import Language, say

OFFERED = 5
_TITLE_LIMIT = 30  # a longer title makes a question nobody reads
_PROBLEMS = re.compile(r"(?:存在|面临)\S{0,6}(?:问题|困难|不足)")
_REPORT = re.compile(r"^关于(?:我市|全市|我省|全省|我县|全县|我区|全区)?(.{2,16}?)(?:工作)?(?:情况|进展)的报告$")


def examples(gazettes: Sequence[Gazette], language: Language) -> list[str]:
    """At most ``OFFERED`` questions, no two of one kind, the newest gazettes first. Empty for an empty index."""
    newest = sorted(gazettes, key=lambda g: (-(g.year or 0), -(g.number or 0)))
    documents = [d for g in newest for d in g.documents if d.kind != "封面"]
    made = (
        _session(documents, language),
        _problems(documents, language),
        _speaker(documents, language),
        _article(documents, language),
        _decisions(newest, language),
    )
    return [question for question in made if question][:OFFERED]


def _session(documents: Sequence[Document], language: Language) -> str | None:
    session = next((d.session for d in documents if d.session and d.date), None)
    if session is None:
        return None
    # 第三十四次会议 is how people say it; the term and the organ before it are how it is printed.
    short = re.search(r"第[一二三四五六七八九十百]+次会议", session)
    return say(language, "example_session", session=short.group() if short else session)


def _problems(documents: Sequence[Document], language: Language) -> str | None:
    for document in documents:
        topic = _REPORT.match(re.sub(r"\s+", "", document.title))
        headings = (heading for p in document.paragraphs for heading in p.headings)
        if topic and any(_PROBLEMS.search(heading) for heading in headings):
            return say(language, "example_problem", topic=topic.group(1))
    return None


def _speaker(documents: Sequence[Document], language: Language) -> str | None:
    title = next((d.title for d in documents if d.speaker and len(d.title) <= _TITLE_LIMIT), None)
    return say(language, "example_speaker", document=title) if title else None


def _article(documents: Sequence[Document], language: Language) -> str | None:
    for document in documents:
        articles = {p.article for p in document.paragraphs if p.article}
        number = next((n for n in "三二四一" if f"第{n}条" in articles), None)
        if number and len(document.title) <= _TITLE_LIMIT * 2:
            return say(language, "example_article", document=document.title, article=number)
    return None


def _decisions(gazettes: Sequence[Gazette], language: Language) -> str | None:
    for gazette in gazettes:
        if gazette.organ and any(d.kind in ("决定", "决议") for d in gazette.documents):
            return say(language, "example_decision", organ=gazette.organ)
    return None
