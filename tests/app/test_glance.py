"""A document at a glance: what a document says stays text, and every line leads to its place."""

from __future__ import annotations

import pytest

from page.glance import glance
from page.strings import say
from qa.digest import Counted, Demand, Digest
from qa.records import Citation

HOSTILE = '"><script>fired</script><img src=x onerror=fired>&amp;\u202e'


def citation(quote: str) -> Citation:
    return Citation(1, quote, 0, 0, quote, 's"1', quote, quote, "s-1", (), None, 1, None, 5, 9, quote)


def test_what_a_document_says_stays_text() -> None:
    bad = citation(HOSTILE)
    figures = (Counted(HOSTILE, HOSTILE, HOSTILE, HOSTILE, bad),)
    html = glance(Digest("d", HOSTILE, HOSTILE, bad, (bad,), figures, (Demand(HOSTILE, bad, HOSTILE),)), "zh")
    assert not any(sign in html for sign in ("<script", "<img", "\u202e", '"">'))
    assert html.count("&lt;script&gt;") == 7
    assert html.count('data-s="s&quot;1" data-at="5-9"') == 4


@pytest.mark.parametrize(("language", "heading"), [("zh", "要点"), ("en", "Key points")])
def test_parts_with_nothing_in_them_are_left_out(language: str, heading: str) -> None:
    one = glance(Digest("d", "t", "i", None, (citation("**全市**有图书馆12座。"),), (), ()), language)  # type: ignore[arg-type]
    assert one.count("<h4>") == 1
    assert heading in one
    assert "全市有图书馆12座。" in one
    none = glance(Digest("d", "t", "i", None, (), (), ()), language)  # type: ignore[arg-type]
    assert say(language, "glance_none") in none  # type: ignore[arg-type]
