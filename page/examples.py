"""Questions to begin with, made from the index's own documents; only those it answers with some confidence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from index.figures import find_figures
from index.records import Document, Gazette, Source
from index.statements import sentences
from page.strings import Language, say
from qa.records import Answer

OFFERED = 5
TRIED = 4  # candidates of one kind that are asked before the kind is given up
SURE = 0.6  # less than this and the first thing a visitor sees would be a doubtful answer
_TITLE_LIMIT = 30  # a longer title makes a question nobody reads
_PROBLEMS = re.compile(r"(?:存在|面临)\S{0,6}(?:问题|困难|不足)")
_REPORT = re.compile(r"^关于(?:我[市省县区]|全[市省县区])?(.{2,16}?)(?:工作)?(?:情况|进展)的报告$")
_INDICATOR = re.compile(r"[一-鿿]{3,12}")


def examples(
    gazettes: Sequence[Gazette], source: Callable[[str], Source], ask: Callable[[str], Answer], language: Language
) -> list[str]:
    """At most ``OFFERED`` questions, no two of one kind, the newest gazettes first. Empty for an empty index."""
    newest = sorted(gazettes, key=lambda g: (-(g.year or 0), -(g.number or 0)))
    kinds = (_figures, _sessions, _problems, _speakers, _articles, _decisions)
    offered: list[str] = []
    for kind in kinds:
        if len(offered) < OFFERED:
            candidates = _once(q for g in newest for q in kind(g, source, language))
            answered = (q for q in islice(candidates, TRIED) if _is_sure(kind, ask(q)))
            offered.extend(islice(answered, 1))
    return offered


def _once(questions: Iterator[str]) -> Iterator[str]:
    """Each question once, drawn as it is asked for: of a thousand gazettes only the newest few are looked into."""
    seen: set[str] = set()
    for question in questions:
        if question not in seen:
            seen.add(question)
            yield question


def _is_sure(kind: object, answer: Answer) -> bool:
    """Answered with some confidence; and what is said of problems is quoted from where problems stand."""
    if kind is _problems and not all(any(map(_PROBLEMS.search, c.headings)) for c in answer.citations):
        return False
    return answer.status == "answered" and answer.confidence >= SURE


def _documents(gazette: Gazette) -> Iterator[Document]:
    return (d for d in gazette.documents if d.kind != "封面")


def _figures(gazette: Gazette, source: Callable[[str], Source], language: Language) -> Iterator[str]:
    """How many of something a report says there are: the first plain number of a section, where counts stand."""
    text = source(gazette.source_id)
    for figure in find_figures(sentences(gazette, text), text):
        plain = figure.scope and not figure.qualifier and not figure.period and figure.unit not in ("", "%", "人次")
        if plain and _INDICATOR.fullmatch(figure.indicator) and figure.value > 1:
            indicator = figure.indicator.removeprefix(figure.scope)
            yield say(language, "example_figure", scope=figure.scope, indicator=indicator, unit=figure.unit)


def _sessions(gazette: Gazette, source: Callable[[str], Source], language: Language) -> Iterator[str]:
    for document in _documents(gazette):
        # 第三十四次会议 is how people say it; the term and the organ before it are how it is printed.
        short = re.search(r"第[一二三四五六七八九十百]+次会议", document.session or "")
        if short and document.date:
            yield say(language, "example_session", session=short.group())


def _problems(gazette: Gazette, source: Callable[[str], Source], language: Language) -> Iterator[str]:
    for document in _documents(gazette):
        topic = _REPORT.match(re.sub(r"\s+", "", document.title))
        if topic and any(_PROBLEMS.search(heading) for p in document.paragraphs for heading in p.headings):
            yield say(language, "example_problem", topic=topic.group(1))


def _speakers(gazette: Gazette, source: Callable[[str], Source], language: Language) -> Iterator[str]:
    for document in _documents(gazette):
        if document.speaker and len(document.title) <= _TITLE_LIMIT:
            yield say(language, "example_speaker", document=document.title)


def _articles(gazette: Gazette, source: Callable[[str], Source], language: Language) -> Iterator[str]:
    for document in _documents(gazette):
        articles = dict.fromkeys(p.article for p in document.paragraphs if p.article)
        if len(document.title) <= 2 * _TITLE_LIMIT:
            for article in islice(articles, 1, 3):
                yield say(language, "example_article", document=document.title, article=article)


def _decisions(gazette: Gazette, source: Callable[[str], Source], language: Language) -> Iterator[str]:
    if gazette.organ and any(d.kind in ("决定", "决议") for d in gazette.documents):
        yield say(language, "example_decision", organ=gazette.organ)
