"""Text to HTML that stays text: everything a document, a file name, a question or a model wrote passes here."""

from __future__ import annotations

from html import escape

from index.text import is_invisible

SHORT = 12


def safe(text: object) -> str:
    """Escaped for HTML text and quoted attributes, without invisible and direction-changing characters."""
    return escape("".join(c for c in str(text) if c in "\n\t" or not is_invisible(c)))


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


def hit_words(content: str) -> str:
    """The answering words, emphasised; a short answer (12所) is kept on one line."""
    return tag("strong", content, class_="hit is-short" if len(content) <= SHORT else "hit")
