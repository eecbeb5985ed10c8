"""The parts of the page around answers and documents: header, welcome with examples, the bar that narrows."""

from __future__ import annotations

from collections.abc import Sequence

from index.records import Filter, Gazette
from page.answers import menu
from page.markup import button, safe, tag
from page.strings import Language, say

FORMATS = ("md", "html", "json", "docx")


def header(language: Language) -> str:
    """Title, and what concerns the whole page: new conversation, export, keys, theme, language."""
    mark = tag("span", "公", class_="seal", aria_hidden="true")
    title = tag("h1", mark + tag("span", safe(say(language, "title"))))
    exports = "".join(
        button(say(language, f"export_{f}"), class_="item", data_act="export", data_format=f) for f in FORMATS
    )
    keys = tag(
        "details",
        tag("summary", "?", aria_label=say(language, "keys"), title=say(language, "keys"))
        + tag("div", tag("p", safe(say(language, "keys_text"))), class_="menu-items"),
        class_="menu is-keys",
    )
    theme = button(
        "", class_="icon", data_theme="toggle", aria_label=say(language, "theme"), title=say(language, "theme")
    )
    other: Language = "en" if language == "zh" else "zh"
    switch = button(
        say(language, "language"),
        class_="tool",
        data_act="language",
        data_language=other,
        lang="en" if other == "en" else "zh-CN",
        aria_label=say(language, "language_label"),
    )
    new = button(say(language, "new"), class_="tool", data_act="restart")
    skip = button(say(language, "skip"), class_="tool skip", data_toggle="question")
    tools = new + menu(say(language, "export"), exports) + keys + theme + switch
    return tag(
        "div",
        skip + title + tag("div", tools, class_="top-tools"),
        class_="top",
        data_language=language,
        data_ask=say(language, "ask"),
        data_failed=say(language, "failed"),
        data_offline=say(language, "offline"),
        data_signed_out=say(language, "signed_out"),
        data_copied=say(language, "copied"),
        data_copy_failed=say(language, "copy_failed"),
        data_conversation=say(language, "conversation"),
        data_reader=say(language, "reader"),
    )


def welcome(gazettes: Sequence[Gazette], offered: Sequence[str], language: Language) -> str:
    """What stands in the conversation before the first question: what is here, and questions to begin with."""
    documents = sum(d.kind != "封面" for g in gazettes for d in g.documents)
    head = tag("h2", safe(say(language, "tagline")))
    holds = tag("p", safe(say(language, "holds", gazettes=len(gazettes), documents=documents)), class_="holds")
    rows = "".join(tag("li", button(q, class_="example", data_ask=q)) for q in offered)
    tries = tag("h3", safe(say(language, "try"))) + tag("ul", rows, class_="examples") if rows else ""
    return tag("div", head + holds + tries, class_="welcome")


def scope_bar(gazettes: Sequence[Gazette], where: Filter, summary: str, has_model: bool, language: Language) -> str:
    """Where to search, as four native choices, always in sight; and the summary switch."""
    documents = [d for g in gazettes for d in g.documents if d.kind != "封面"]
    years = sorted({g.year for g in gazettes if g.year is not None}, reverse=True)
    kinds = sorted({d.kind for d in documents})
    organs = sorted({o for o in [*(d.organ for d in documents), *(g.organ for g in gazettes)] if o})
    chosen_year = str(where.year_from) if where.year_from is not None else ""
    fields: list[tuple[str, list[tuple[str, str]], str]] = [
        ("gazette", [(g.source_id, g.issue) for g in gazettes], where.gazette or ""),
        ("year", [(str(y), say(language, "year_value", year=y)) for y in years], chosen_year),
        ("kind", [(k, k) for k in kinds], where.kind or ""),
        ("organ", [(o, o) for o in organs], where.organ or ""),
    ]
    selects = "".join(
        _select(name, [("", say(language, f"all_{name}s")), *options], value, say(language, name))
        for name, options, value in fields
    )
    modes = ["off", "extract", *(["model"] if has_model else [])]
    switch = _select("summary", [(m, say(language, f"summary_{m}")) for m in modes], summary, say(language, "summary"))
    group = tag("div", selects, class_="scope-group", role="group", aria_label=say(language, "filters"))
    return tag("div", group + switch, class_="scope")


def _select(name: str, options: Sequence[tuple[str, str]], value: str, label: str) -> str:
    items = "".join(tag("option", safe(text), value=v, selected=v == value) for v, text in options)
    changed = bool(value) and value != "off"
    return tag(
        "select",
        items,
        data_act="narrow",
        data_field=name,
        aria_label=label,
        title=label,
        class_="is-set" if changed else None,
    )
