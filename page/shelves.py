"""The library as HTML: what is indexed, and what became of the files that were dropped."""

from __future__ import annotations

from collections.abc import Sequence

from index.records import FileReport, Gazette
from index.sources import SUFFIXES
from page.library import FILE_BYTES, Library, Shelved
from page.markup import button, safe, tag
from page.strings import Language, say


def adding(library: Library, language: Language) -> str:
    """What can be added and how; page.js takes the limits from here, to refuse a file before it travels."""
    if not library.can_add:
        return ""
    suffixes, size = " ".join(sorted(SUFFIXES)), f"{FILE_BYTES // 1_000_000} MB"
    return tag(
        "div",
        tag("h3", safe(say(language, "add")))
        + tag("p", safe(say(language, "add_hint", suffixes=suffixes, size=size)), class_="hint"),
        class_="adding",
        data_suffixes=suffixes,
        data_limit=FILE_BYTES,
        data_bad_type=say(language, "bad_type", suffixes=suffixes),
        data_too_big=say(language, "too_big", size="{size}", limit=f"{FILE_BYTES:,}"),
        data_label=say(language, "add"),
    )


def shelves(library: Library, visitor: str, language: Language) -> str:
    """Tables of the shared gazettes and of the visitor's own, with counts and, where allowed, a way to remove."""
    parts = [_removed(library.removed(visitor), language)]
    mine = library.mine(visitor)
    if mine is not None and mine.index.gazettes:
        parts.append(tag("h3", safe(say(language, "mine"))) + _table(library, mine.index, language, removable=True))
    shared = library.shared.index
    removable = library.shared_changes and library.can_add
    parts.append(tag("h3", safe(say(language, "library_intro"))))
    if shared.gazettes:
        parts.append(_table(library, shared, language, removable=removable))
    else:
        parts.append(tag("p", safe(say(language, "nothing_indexed")), class_="hint"))
    return tag("div", "".join(parts), class_="shelves")


def _removed(gazettes: Sequence[Gazette], language: Language) -> str:
    """What was taken out, each with a way back."""
    lines = "".join(
        tag(
            "li",
            tag("span", safe(say(language, "removed", name=g.issue)))
            + button(
                say(language, "restore"),
                class_="tool",
                data_act="restore",
                data_source=g.source_id,
                aria_label=say(language, "restore_label", name=g.issue),
            ),
        )
        for g in gazettes
    )
    return tag("ul", lines, class_="removed", role="status") if lines else ""


def file_reports(reports: Sequence[FileReport], language: Language, total: int, *, working: bool = False) -> str:
    """One line a file; while files are left, a bar above them that says how many are done."""
    bar = ""
    if working:
        done = len(reports) if 1 < total > len(reports) else None  # without a value the bar moves by itself
        label = say(language, "adding") + (f" {len(reports)} / {total}" if total > 1 else "")
        bar = tag("p", safe(label), class_="hint") + tag(
            "progress", "", value=done, max=total if done is not None else None, aria_label=say(language, "adding")
        )
    lines = "".join(
        tag(
            "li",
            tag("b", safe(r.name)) + tag("span", safe(_outcome(r, language))) + _notes(r, language),
            class_=f"is-{r.outcome}",
        )
        for r in reports
    )
    return tag("div", bar + tag("ul", lines, class_="reports"), role="status")


def _notes(report: FileReport, language: Language) -> str:
    """What was replaced or not read in a file that was taken."""
    if not report.notes:
        return ""
    said = f"{say(language, 'document_notes')}：" if language == "zh" else f"{say(language, 'document_notes')}: "
    return tag("small", safe(said + "；".join(report.notes)))


def _outcome(report: FileReport, language: Language) -> str:
    if report.outcome == "indexed":
        return say(language, "indexed", documents=report.documents, passages=report.passages)
    if report.outcome == "removed":
        return say(language, "removed", name=report.name)
    reason = report.reason.removeprefix(f"{report.name}: ")  # the name stands above
    return say(language, report.outcome, reason=reason) if report.reason else say(language, "unchanged")


def _table(library: Library, index: Shelved, language: Language, *, removable: bool) -> str:
    columns = ["column_gazette", "column_documents", "column_passages", "column_file", *([""] if removable else [])]
    head = tag("tr", "".join(tag("th", safe(say(language, c)) if c else "", scope="col") for c in columns))
    rows = "".join(_line(library, index, g, language, removable) for g in index.gazettes)
    return tag("table", tag("thead", head) + tag("tbody", rows), class_="shelf-table")


def _line(library: Library, index: Shelved, gazette: Gazette, language: Language, removable: bool) -> str:
    documents = [d for d in gazette.documents if d.kind != "封面"]
    name = index.source_names[gazette.source_id]
    cells = [
        tag("td", button(gazette.issue, class_="linklike", data_act="open", data_gazette=gazette.source_id)),
        tag("td", str(len(documents)), class_="number"),
        tag("td", str(library.passages(index, gazette)), class_="number"),
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
