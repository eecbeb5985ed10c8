"""Script and image payloads everywhere a stranger's words reach the page: none runs, none fetches anything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from index.sources import read_source
from page.desk import Desk
from page.library import Library
from qa.records import Answer, Summary, SummarySentence

if TYPE_CHECKING:
    from conftest import Build, FakeAssistant, OpenTab, ServingPage, Tab

pytestmark = pytest.mark.browser

# {n} tells them apart, {canary} is a server that must never be asked for anything.
SHAPES = (
    "<script>window.fired={n}</script>",
    "<script src={canary}/{n}.js></script>",
    "<SCRIPT>window.fired={n}</SCRIPT >",
    "<scr<script>ipt>window.fired={n}</scr</script>ipt>",
    "<script/x>window.fired={n}</script>",
    "<script type=module>window.fired={n}</script>",
    "<img src=x onerror=window.fired={n}>",
    '<img src="x" onerror="window.fired={n}">',
    "<img/src=x/onerror=window.fired={n}>",
    "<IMG SRC=x ONERROR=window.fired={n}>",
    "<img src={canary}/{n}.png>",
    "<img srcset='{canary}/{n}.png 1x'>",
    "<img src=`x` onerror=`window.fired={n}`>",
    '"><img src=x onerror=window.fired={n}>',
    "'><img src=x onerror=window.fired={n}>",
    "</td><img src=x onerror=window.fired={n}>",
    "</title><img src=x onerror=window.fired={n}>",
    "</textarea><img src=x onerror=window.fired={n}>",
    "</script><img src=x onerror=window.fired={n}>",
    "--><img src=x onerror=window.fired={n}>",
    "]]><img src=x onerror=window.fired={n}>",
    '" onmouseover="window.fired={n}" autofocus onfocus="window.fired={n}" x="',
    "' onfocus='window.fired={n}' autofocus tabindex=0 x='",
    "<svg onload=window.fired={n}>",
    "<svg><script>window.fired={n}</script></svg>",
    "<svg><animate onbegin=window.fired={n} attributeName=x dur=1s>",
    "<svg><image href={canary}/{n}.svg></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload=window.fired={n}>#x'></svg>",
    "<svg><style>@import '{canary}/{n}.css'</style></svg>",
    "<math><mtext><script>window.fired={n}</script></mtext></math>",
    "<body onload=window.fired={n}>",
    "<iframe src=javascript:parent.window.fired={n}></iframe>",
    "<iframe srcdoc='<script>parent.window.fired={n}</script>'></iframe>",
    "<iframe src={canary}/{n}></iframe>",
    "<object data={canary}/{n}></object>",
    "<embed src={canary}/{n}>",
    "<link rel=stylesheet href={canary}/{n}.css>",
    "<link rel=prefetch href={canary}/{n}>",
    "<style>@import url({canary}/{n}.css);</style>",
    "<style>*{{background:url({canary}/{n}.png)}}</style>",
    "<div style=background:url({canary}/{n}.png)>x</div>",
    "<base href={canary}/{n}/>",
    "<meta http-equiv=refresh content='0;url={canary}/{n}'>",
    "<video src={canary}/{n} onerror=window.fired={n} autoplay></video>",
    "<audio src={canary}/{n} onerror=window.fired={n}></audio>",
    "<video poster={canary}/{n}.png></video>",
    "<source src={canary}/{n} onerror=window.fired={n}>",
    "<input autofocus onfocus=window.fired={n}>",
    "<input type=image src={canary}/{n}.png>",
    "<select autofocus onfocus=window.fired={n}></select>",
    "<textarea autofocus onfocus=window.fired={n}></textarea>",
    "<details open ontoggle=window.fired={n}><summary>x</summary></details>",
    "<marquee onstart=window.fired={n}>x</marquee>",
    "<form action={canary}/{n}><button autofocus onfocus=window.fired={n}>x</button></form>",
    "<a href=javascript:window.fired={n} autofocus onfocus=window.fired={n}>x</a>",
    "![x]({canary}/{n}.png)",
    "[x](javascript:window.fired={n})",
    "[![x]({canary}/{n}.png)]({canary}/{n})",
    "$\\href{{javascript:window.fired={n}}}{{x}}$",
    "${{window.fired={n}}}",
    "`${{window.fired={n}}}`",
    "{{{{constructor.constructor('window.fired={n}')()}}}}",
    "&lt;img src=x onerror=window.fired={n}&gt;",
    "&#60;img src=x onerror=window.fired={n}&#62;",
    "\\u003cimg src=x onerror=window.fired={n}\\u003e",
    "＜img src=x onerror=window.fired={n}＞",
    "<im\u200bg src=x onerror=window.fired={n}><\u200bimg src=x onerror=window.fired={n}>",
    "\u202e<img src=x onerror=window.fired={n}>",
)


@dataclass
class Canary:
    url: str
    seen: list[str]


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    """A server on loopback that counts what it is asked for."""
    seen: list[str] = []

    class Counting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(404)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Canary(f"http://127.0.0.1:{server.server_port}", seen)
    server.shutdown()


@pytest.fixture(scope="module")
def payloads(canary: Canary) -> list[str]:
    return [shape.format(n=n, canary=canary.url) for n, shape in enumerate(SHAPES, 1)]


class Hostile:
    """An assistant whose sources, answers, reasons and summaries are all hostile."""

    def __init__(self, inner: FakeAssistant) -> None:
        self.index = inner.index
        self.inner = inner

    def ask(self, question: str, **options: object) -> Answer:
        answer = self.inner.ask("全市供热面积是多少？")
        bad = question
        citation = replace(answer.citations[0], headings=(bad,), reference=bad, article=bad, issue=bad, document=bad)
        summary = Summary(bad, (SummarySentence(bad, (1,), "consistent"), SummarySentence(bad, (), "unsupported")))
        if "<img" in question:  # some are refused, so that a reason is hostile too
            return replace(answer, question=question, status="not_found", reason=bad, citations=())
        return replace(
            answer, question=question, resolved_question=question + "？", answer=bad, citations=(citation,),
            summary=summary, expansions=((bad, bad),),
        )  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, payloads: list[str], build: Build) -> Hostile:
    """A gazette whose title, headings, table, names and paragraphs hold payloads, in a file named by one."""
    folder = tmp_path_factory.mktemp("hostile")
    path = folder / "<img src=x onerror=window.fired=1>公报.md"
    body = "\n\n".join(f"全市供热面积是{n}万平方米。{payload}" for n, payload in enumerate(payloads))
    rows = "\n".join(f"{payload}\t{n} 票\t{payload}" for n, payload in enumerate(payloads))
    titles = "\n\n".join(f"# 关于{payload}情况的报告\n\n市长 {payload}\n\n全市。" for payload in payloads[:8])
    text = f"# 关于供热工作情况的报告\n\n——2022年3月8日在第三次会议上\n\n## 一、{payloads[6]}\n\n{body}\n\n{rows}\n\n{titles}\n"
    path.write_text(text, encoding="utf-8")
    return Hostile(build(read_source(path)))


def fired(tab: Tab) -> object:
    tab.page.wait_for_timeout(300)
    return tab.page.evaluate("window.fired ?? null")


def visit_everything(tab: Tab, questions: list[str]) -> None:
    """Every document, ledger and list, and the questions, in both languages."""
    page = tab.page
    for name in ("台账", "资料库"):
        page.click(f"[role=tab]:has-text('{name}')")
        page.wait_for_timeout(500)
    page.click("[role=tab]:has-text('台账')")
    for choice in page.locator(".kind-choice").all():
        choice.click()
        page.wait_for_timeout(150)
    page.click("[role=tab]:has-text('原文')")
    count = page.locator(".cover-contents button").count()
    page.locator(".cover-contents button").first.click()
    page.wait_for_selector("#reader h2, #reader .paper p")
    for _ in range(count):
        forward = page.locator(".turnings .next")
        if not forward.count():
            break
        forward.click()
        page.wait_for_timeout(150)
    for question in questions:
        tab.ask(question)
    page.click("text=English")
    page.wait_for_selector("text=Export")


def test_nothing_runs_and_nothing_is_fetched(
    open_tab: OpenTab, hostile: Hostile, payloads: list[str], canary: Canary, tmp_path: Path, serving_page: ServingPage
) -> None:
    assert len(payloads) >= 60
    canary.seen.clear()
    with serving_page(Desk(Library(hostile)), tmp_path / "f.jsonl") as page:
        tab = open_tab(page.url)
        visit_everything(tab, payloads)
        assert tab.page.locator("#turns .turn").count() == 40, "the last forty turns are kept"
        assert fired(tab) is None
        assert tab.dialogs == []
        assert tab.page.locator("#turns img, #reader img, #turns script, #reader script, #reader svg").count() == 0
    assert canary.seen == []


def test_were_it_not_escaped_the_policy_would_hold(
    open_tab: OpenTab, hostile: Hostile, payloads: list[str], canary: Canary, tmp_path: Path,
    serving_page: ServingPage, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from page import answers

    canary.seen.clear()
    monkeypatch.setattr(answers, "safe", str)
    payload = payloads[7].replace("<img", "<IMG")
    with serving_page(Desk(Library(hostile)), tmp_path / "f.jsonl") as page:
        tab = open_tab(page.url)
        tab.ask(payload)
        assert tab.page.locator("#turns img").count() > 0, "this time the markup is there"
        assert fired(tab) is None
        tab.strangers.clear()  # asked for, and refused by the policy before it left
    assert canary.seen == []


def test_the_payloads_do_fire_where_nothing_stops_them(
    open_tab: OpenTab, payloads: list[str], canary: Canary, tmp_path: Path
) -> None:
    """The control: the same payloads as they are. If this fails, the tests above could not fail either."""
    canary.seen.clear()
    raw = tmp_path / "raw.html"
    raw.write_text(
        "<!doctype html><meta charset=utf-8>" + "\n".join(p for p in payloads if "refresh" not in p), "utf-8"
    )
    tab = open_tab(raw.as_uri(), bare=True)
    tab.page.wait_for_timeout(1500)
    assert tab.page.evaluate("window.fired ?? null") is not None
    assert len(canary.seen) > 10
    tab.strangers.clear()
    tab.errors.clear()
