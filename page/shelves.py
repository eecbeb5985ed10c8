"""The library as HTML: what is indexed, and what became of the files that were dropped."""

from __future__ import annotations

from collections.abc import Sequence

from index.records import FileReport, Gazette
from index.sources import SUFFIXES
from page.library import FILE_BYTES, Library, Shelved
from page.markup import button, safe, tag
from page.strings import Language, say


def shelves(library: Library, visitor: str, language: Language) -> str:
    """Tables of the shared gazettes and of the visitor's own, with counts and, where allowed, a way to remove."""
    parts = []
    mine = library.mine(visitor)
    if mine is not None:
        parts.append(tag("h3", safe(say(language, "mine"))) + _table(mine.index, language, removable=True))
    shared = library.shared.index
    removable = library.shared_changes and library.can_add
    parts.append(tag("h3", safe(say(language, "library_intro"))) + _table(shared, language, removable=removable))
    if library.can_add:
        size = f"{FILE_BYTES // 1_000_000} MB"
        hint = say(language, "add_hint", suffixes=" ".join(sorted(SUFFIXES)), size=size)
        parts.append(tag("h3", safe(say(language, "add"))) + tag("p", safe(hint), class_="hint"))
    return tag("div", "".join(parts), class_="shelves")


def file_reports(reports: Sequence[FileReport], language: Language, total: int) -> str:
    """One line a file, and a bar while files are left."""
    bar = ""
    if len(reports) < total:
        bar = tag("progress", "", value=len(reports), max=total, aria_label=say(language, "adding"))
    lines = "".join(
        tag("li", tag("b", safe(r.name)) + tag("span", safe(_outcome(r, language))), class_=f"is-{r.outcome}")
        for r in reports
    )
    return tag("div", bar + tag("ul", lines, class_="reports"), role="status")


def _outcome(report: FileReport, language: Language) -> str:
    if report.outcome == "indexed":
        return say(language, "indexed", documents=report.documents, passages=report.passages)
    if report.outcome == "removed":
        return say(language, "removed", name=report.name)
    return say(language, report.outcome, reason=report.reason) if report.reason else say(language, "unchanged")


def _table(index: Shelved, language: Language, *, removable: bool) -> str:
    columns = ["column_gazette", "column_documents", "column_passages", "column_file", *([""] if removable else [])]
    head = tag("tr", "".join(tag("th", safe(say(language, c)) if c else "", scope="col") for c in columns))
    rows = "".join(_line(index, g, language, removable) for g in index.gazettes)
    return tag("table", tag("thead", head) + tag("tbody", rows), class_="shelf-table")


def _line(index: Shelved, gazette: Gazette, language: Language, removable: bool) -> str:
    documents = [d for d in gazette.documents if d.kind != "封面"]
    passages = sum(len(index.passages(d.id)) for d in gazette.documents)
    name = index.source_names[gazette.source_id]
    cells = [
        tag("td", button(gazette.issue, class_="linklike", data_act="open", data_gazette=gazette.source_id)),
        tag("td", str(len(documents)), class_="number"),
        tag("td", str(passages), class_="number"),
        tag("td", tag("bdi", safe(name)), class_="file"),
    ]
    if removable:
        cells.append(
            tag(
                "td",
                button(
                    say(language, "remove"),
                    class_="tool",
                    data_act="remove",
                    data_source=gazette.source_id,
                    aria_label=say(language, "remove_label", name=gazette.issue),
                ),
            )
        )
    return tag("tr", "".join(cells))
