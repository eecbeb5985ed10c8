"""Colours that can be read: every text colour on every ground it is used on, in light and in dark."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

CSS = files("page").joinpath("style.css").read_text(encoding="utf-8")
PAIRS = [
    ("ink", "desk"), ("ink", "pane"), ("ink", "paper"), ("ink", "mark"), ("ink", "mark-focus"), ("soft", "desk"),
    ("soft", "pane"), ("soft", "paper"), ("faint", "desk"), ("faint", "pane"), ("faint", "paper"), ("seal", "desk"),
    ("seal", "paper"), ("seal", "seal-soft"), ("hit", "mark"), ("hit", "mark-focus"),
]  # fmt: skip


def palette(selector: str) -> dict[str, str]:
    block = CSS[CSS.index(selector) :]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block[: block.index("}")]))


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_luminance() -> None:
    assert luminance("#ffffff") == pytest.approx(1)
    assert luminance("#777777") == pytest.approx(0.184, abs=0.001)


@pytest.mark.parametrize("selector", [":root {", ':root[data-theme="dark"] {'], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_contrast(selector: str, text: str, ground: str) -> None:
    colours = palette(selector)
    lighter, darker = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def test_nothing_is_fetched() -> None:
    assert not re.findall(r"@import|url\((?![\"']?data:)", CSS)
