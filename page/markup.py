"""Text to HTML that stays text: everything a document, a file name, a question or a model wrote passes here."""

from __future__ import annotations

import re
from html import escape

from index.text import is_invisible

SHORT, LONG = 12, 48
# What is neither plain ASCII nor Han nor their punctuation is looked at one by one; the rest of a page is not.
_RARE = re.compile(r"[^\n\t\x20-\x7e\u2010-\u2026\u3000-\u303f\u4e00-\u9fa5\uff01-\uff5e]")


def safe(text: object) -> str:
    """Escaped for HTML text and quoted attributes, without invisible and direction-changing characters.

    A tab, which HTML would close up, becomes a wide space: in a quoted table row it parts the cells.
    """
    shown = _RARE.sub(lambda found: "" if is_invisible(found[0]) else found[0], str(text))
    return escape(shown).replace("\t", "\u3000")


def attributes(**values: object) -> str:
    """``data_turn=3, hidden=True`` -> `` data-turn="3" hidden``; None and False are left out, a last "_" dropped."""
    out = []
    for name, value in values.items():
        key = name.rstrip("_").replace("_", "-")
        if value is True:
            out.append(f" {key}")
        elif value is not None and value is not False:
            out.append(f' {key}="{safe(value)}"')
    return "".join(out)


def tag(name: str, content: str = "", /, **values: object) -> str:
    """An element around content that is HTML already."""
    return f"<{name}{attributes(**values)}>" + ("" if name == "input" else f"{content}</{name}>")


def button(label: str, /, **values: object) -> str:
    """A button with plain text on it."""
    return tag("button", safe(label), type="button", **values)


NAME = 64


def short(name: str, limit: int = NAME) -> str:
    """A long name by its beginning and its end, which tells a report from the opinion on it."""
    return name if len(name) <= limit else f"{name[: limit * 2 // 3]}…{name[-limit // 3 :]}"


def hit_words(content: str) -> str:
    """The answering words, emphasised: a short answer (12所) is kept on one line, a long one is not shouted."""
    size = " is-short" if len(content) <= SHORT else " is-long" if len(content) > LONG else ""
    return tag("strong", content, class_=f"hit{size}")


# Only where it opens after a gap: in 李**、王** it hides names.
_BOLD = re.compile(r"(?:^|(?<=[\s，。；：、（《“]))\*\*(?=[^*\s])(?:[^*\n]|\n(?!\s*\n)){1,200}?\*\*", re.M)


def bold_marks(text: str, start: int, end: int) -> set[int]:
    """Where Markdown's "**" stand that make words bold: they are for a printer, not for a reader."""
    found = (m.span() for m in _BOLD.finditer(text, start, end))
    return {i for a, b in found for i in (a, a + 1, b - 2, b - 1)}


def without_bold(text: str, *offsets: int) -> tuple[str, list[int]]:
    """The text without those marks, and the offsets moved along."""
    gone = bold_marks(text, 0, len(text))
    kept = "".join(c for i, c in enumerate(text) if i not in gone)
    return kept, [offset - sum(i < offset for i in gone) for offset in offsets]
