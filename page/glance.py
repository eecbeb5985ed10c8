"""A document at a glance as HTML, above its text: every line a way to the place it was taken from."""

from __future__ import annotations

from page.markup import safe, tag, without_bold
from page.strings import Language, say
from qa.digest import Digest
from qa.records import Citation


def glance(digest: Digest, language: Language) -> str:
    """One sentence, key points, figures, demands; parts with nothing in them are left out."""
    parts = []
    if digest.gist:
        parts.append(_part("glance_gist", [_line(digest.gist, language)], language))
    parts.append(_part("glance_points", [_line(point, language) for point in digest.points], language))
    figures = [
        _line(f.citation, language, " ".join(filter(None, (f.period, f.indicator))), f.printed) for f in digest.figures
    ]
    parts.append(_part("glance_figures", figures, language))
    demands = [_line(d.citation, language, d.task, d.deadline) for d in digest.demands]
    parts.append(_part("glance_demands", demands, language))
    shown = "".join(parts) or tag("p", safe(say(language, "glance_none")), class_="hint")
    return tag("section", shown, class_="glance", aria_label=say(language, "glance"))


def _part(name: str, lines: list[str], language: Language) -> str:
    if not lines:
        return ""
    return tag("h4", safe(say(language, name))) + tag("ul", "".join(tag("li", line) for line in lines))


def _line(citation: Citation, language: Language, said: str = "", value: str = "") -> str:
    """A button with the words, that opens the quote in the text; ``value`` is set apart behind them."""
    words = tag("span", safe(without_bold(said or citation.quote)[0]))
    return tag(
        "button",
        words + (tag("b", safe(value)) if value else ""),
        type="button",
        data_act="open",
        data_s=citation.source_id,
        data_at=f"{citation.start}-{citation.end}",
        title=say(language, "glance_open"),
    )
