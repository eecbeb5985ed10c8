"""The reading pane: a document with the quotes of an answer, its gazette's catalogue, and the way between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.records import Document, Gazette, Source
from page.answers import copy_menu, link
from page.markup import button, safe, short, tag
from page.sheet import Mark, body, mark, window
from page.strings import Language, say
from qa.records import Answer, Citation


@dataclass(frozen=True, slots=True)
class Place:
    """What the pane shows: a document, and either a citation of a turn or a bare offset in it."""

    document_id: str
    turn: int | None = None
    n: int | None = None  # the citation in focus
    at: int | None = None  # an offset into the source text
    end: int | None = None  # with ``at``: the stretch a link or a passage points to
    glance: bool = False  # what the document says in short stands above it


def document_pane(
    source: Source,
    gazette: Gazette,
    document: Document,
    place: Place,
    answer: Answer | None,
    language: Language,
    glance: str = "",
) -> str:
    """The pane for one document: bar, catalogue, and the text with all quotes of the answer that stand in it.

    ``glance`` is the document at a glance, as HTML.
    """
    cited = answer.citations if answer else ()
    focus = next((c for c in cited if c.n == place.n), None)
    at = focus.start if focus else place.at if place.at is not None else document.start
    marks = [mark(c, source.text, focus=c is focus) for c in cited if c.source_id == source.id and _meets(c, document)]
    if focus is None and place.at is not None and place.end is not None:
        marks.append(Mark(0, place.at, place.end, focus=True))
    shown = window(document, source.text, at)
    earlier = later = ""
    if shown.earlier is not None:
        earlier = button(
            say(language, "earlier"),
            class_="stretch",
            data_act="open",
            data_document=document.id,
            data_at=shown.earlier,
        )
    if shown.later is not None:
        later = button(
            say(language, "later"), class_="stretch", data_act="open", data_document=document.id, data_at=shown.later
        )
    text = _head(gazette, document) + glance + earlier + body(source, document, marks, language, shown) + later
    sheet = tag(
        "article",
        text + _turnings(gazette, document, language),
        class_="paper",
        lang="zh-CN",
        tabindex=0,
        aria_label=document.title,
    )
    quotes = _quotes(cited, focus, place.turn, answer, language)
    bar = _bar(document.title, gazette, language, quotes, _glance_button(document, place, language))
    return _pane(bar + contents(gazette, document.id, language) + sheet, document=document.id, turn=place.turn)


def cover_pane(gazettes: Sequence[Gazette], gazette: Gazette | None, language: Language) -> str:
    """The pane before anything is opened: one gazette's cover with its catalogue, or the shelf of all gazettes."""
    if gazette is None and len(gazettes) == 1:
        gazette = gazettes[0]
    if gazette is None:
        hint = tag("p", safe(say(language, "nothing_indexed" if not gazettes else "read_hint")), class_="hint")
        shelf = "".join(
            tag(
                "li",
                tag(
                    "button",
                    tag("b", safe(g.issue)) + tag("span", safe(g.organ or "")),
                    type="button",
                    data_act="open",
                    data_gazette=g.source_id,
                ),
            )
            for g in sorted(gazettes, key=lambda g: (-(g.year or 0), -(g.number or 0), g.title))
        )
        return _pane(tag("article", hint + tag("ol", shelf, class_="shelf"), class_="paper is-cover", tabindex=0))
    card = [
        tag("p", safe(gazette.organ or ""), class_="cover-organ") if gazette.organ else "",
        tag("h2", safe(gazette.title), class_="cover-title"),
        tag(
            "p",
            safe(gazette.issue.removeprefix(gazette.title).strip())
            + (tag("span", f"总第 {gazette.total_number} 期") if gazette.total_number else ""),
            class_="cover-issue",
        ),
        tag("p", safe(say(language, "read_hint")), class_="hint"),
    ]
    listing = tag("h3", safe(say(language, "contents"))) + _items(gazette, None, language)
    return _pane(
        tag(
            "article",
            tag("header", "".join(card))
            + tag("nav", listing, class_="cover-contents", aria_label=say(language, "contents")),
            class_="paper is-cover",
            lang="zh-CN",
            tabindex=0,
            aria_label=gazette.issue,
        ),
        gazette=gazette.source_id,
    )


def notice_pane(text: str) -> str:
    """The pane with one sentence, for a place that cannot be shown."""
    return _pane(tag("article", tag("p", safe(text), class_="hint"), class_="paper is-cover", tabindex=0))


def contents(gazette: Gazette, current: str | None, language: Language) -> str:
    """The gazette's own catalogue as navigation; hidden until its button opens it."""
    head = tag(
        "header",
        tag("b", safe(gazette.issue))
        + button("×", class_="icon", data_toggle="contents", aria_label=say(language, "close")),
    )
    return tag(
        "nav",
        head + _items(gazette, current, language),
        class_="contents",
        hidden=True,
        aria_label=say(language, "contents"),
    )


def _items(gazette: Gazette, current: str | None, language: Language) -> str:
    printed = {item.document_id: item for item in gazette.catalogue if item.document_id}
    rows = []
    for document in gazette.documents:
        item = printed.get(document.id)
        title = say(language, "front_matter") if document.kind == "封面" else document.title
        label = tag("span", safe(title), class_="contents-title") + tag("span", safe(document.kind), class_="kind")
        if item and item.page is not None:
            label += tag("span", str(item.page), class_="contents-page")
        here = document.id == current
        rows.append(
            tag(
                "li",
                tag(
                    "button",
                    label,
                    type="button",
                    data_act="open",
                    data_document=document.id,
                    aria_current="true" if here else None,
                ),
            )
        )
    rows.extend(
        tag("li", tag("span", safe(item.title) + f" ({safe(say(language, 'no_body'))})", class_="missing"))
        for item in gazette.catalogue
        if item.document_id is None
    )
    return tag("ol", "".join(rows))


def _head(gazette: Gazette, document: Document) -> str:
    """A running head above the text: issue, kind, date."""
    parts = [gazette.issue, document.kind, document.date or ""]
    return tag("p", "".join(tag("span", safe(p)) for p in parts if p), class_="running-head")


def _bar(title: str, gazette: Gazette, language: Language, quotes: str, glance: str = "") -> str:
    toggle = button(say(language, "contents"), class_="tool", data_toggle="contents", aria_expanded="false")
    name = tag("span", safe(title), class_="bar-title", title=f"{title} — {gazette.issue}")
    back = button("↑", class_="icon back", data_toggle="back", aria_label=say(language, "to_conversation"))
    return tag("header", toggle + glance + name + quotes + back, class_="bar")


def _glance_button(document: Document, place: Place, language: Language) -> str:
    """Shows the document at a glance, or puts it away."""
    return button(
        say(language, "glance"),
        class_="tool",
        data_act="open",
        data_document=document.id,
        data_glance=None if place.glance else 1,
        aria_pressed="true" if place.glance else "false",
    )


def _quotes(
    cited: Sequence[Citation], focus: Citation | None, turn: int | None, answer: Answer | None, language: Language
) -> str:
    """Previous, next and count of the answer's quotes, over all documents; and what to do with the one in focus."""
    if focus is None or answer is None:
        return ""
    i = cited.index(focus)
    arrows = []
    for step, name, sign in ((-1, "previous_quote", "‹"), (1, "next_quote", "›")):
        other = cited[(i + step) % len(cited)]
        arrows.append(
            button(
                sign,
                class_="icon",
                data_act="open",
                data_turn=turn,
                data_n=other.n,
                data_step=step,
                aria_label=say(language, name),
                title=say(language, name),
                disabled=len(cited) == 1,
            )
        )
    count = tag(
        "span", safe(say(language, "quote_count", n=i + 1, total=len(cited))), class_="count", aria_live="polite"
    )
    href = link(answer.question, focus.source_id, focus.start, focus.end)
    tools = copy_menu((focus,), language) + button(say(language, "link"), class_="tool", data_link=href)
    return tag("span", arrows[0] + count + arrows[1], class_="quotes") + tag("span", tools, class_="bar-tools")


def _turnings(gazette: Gazette, document: Document, language: Language) -> str:
    """The documents before and after this one, at its foot."""
    i = next(i for i, d in enumerate(gazette.documents) if d.id == document.id)
    out = []
    for j, name in ((i - 1, "previous_document"), (i + 1, "next_document")):
        if 0 <= j < len(gazette.documents):
            other = gazette.documents[j]
            label = tag("small", safe(say(language, name))) + tag("span", safe(short(other.title)), title=other.title)
            out.append(
                tag(
                    "button",
                    label,
                    type="button",
                    class_=name.partition("_")[0],
                    data_act="open",
                    data_document=other.id,
                )
            )
    return tag("footer", "".join(out), class_="turnings")


def _meets(citation: Citation, document: Document) -> bool:
    return citation.start < document.end and citation.end > document.start


def _pane(content: str, **values: object) -> str:
    return tag("div", content, class_="pane", **{f"data_{k}": v for k, v in values.items()})
