"""The page with everything real but the reading: a gazette of our own beside the sample, answers from a table."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from index.chunks import split_passages
from index.gazette import parse_gazette
from index.records import Document, Filter, Gazette, Hit, Passage, Source
from index.sources import read_source
from page.desk import Desk
from page.library import Library
from qa.cite import cite
from qa.records import Answer, Citation, Turn

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Locator, Request

    from qa.generate import Model

HAIZHOU = """# 海州市人民代表大会常务委员会公报

2022 年
第 1 号
(总第 40 期)

## 目 录

1. 关于全市图书馆建设情况的报告…………… 1
2. 海州市人民代表大会常务委员会关于加强图书馆建设的决定…………… 3

# 关于全市图书馆建设情况的报告

——2022年3月8日在海州市第九届人民代表大会常务委员会第十二次会议上

海州市人民政府副市长 周 宁

主任、各位副主任，秘书长，各位委员：

## 一、基本情况

全市现有公共图书馆12座，藏书共计86万册，其中少儿图书馆3座。全年接待读者41万人次。

## 二、存在的主要问题

一是分布不均，山区乡镇没有图书馆。二是经费不足，年购书经费仅有180万元。

# 海州市人民代表大会常务委员会关于加强图书馆建设的决定

（2022年3月8日海州市第九届人民代表大会常务委员会第十二次会议通过）

第一条 市人民政府应当在2025年底前新建图书馆6座。

第二条 年购书经费不低于300万元，由市财政局负责落实。
"""


@dataclass(frozen=True)
class Said:
    """One row of the fake reader's table: quotes with their answering words, found in the sources by their words."""

    quotes: tuple[tuple[str, str], ...] = ()
    answer: str = ""
    status: str = "answered"
    confidence: float = 0.9
    reason: str = ""
    resolved: str = ""
    expansions: tuple[tuple[str, str], ...] = ()


class FakeIndex:
    """An index in memory: parsed gazettes and their passages, searched by shared characters."""

    def __init__(self, sources: Sequence[Source], folder: Path = Path("nowhere")) -> None:
        self.folder = folder
        self._sources = {s.id: s for s in sources}
        self.gazettes: tuple[Gazette, ...] = tuple(parse_gazette(s) for s in sources)
        self.documents: Mapping[str, Document] = {d.id: d for g in self.gazettes for d in g.documents}
        self.source_names = {s.id: s.name for s in sources}
        self._passages = [p for g, s in zip(self.gazettes, sources, strict=True) for p in split_passages(g, s)]

    def source(self, source_id: str) -> Source:
        return self._sources[source_id]

    def gazette(self, source_id: str) -> Gazette:
        return next(g for g in self.gazettes if g.source_id == source_id)

    def passages(self, document_id: str) -> list[Passage]:
        return [p for p in self._passages if p.document_id == document_id]

    def search(self, question: str, k: int, where: Filter) -> list[Hit]:
        words = {question[i : i + 2] for i in range(len(question) - 1)}
        kinds = {d.id: d.kind for d in self.documents.values()}
        years = {g.source_id: g.year for g in self.gazettes}
        hits = [
            Hit(p, sum(w in p.text for w in words) / (len(words) or 1))
            for p in self._passages
            if where.gazette in (None, p.source_id)
            and where.kind in (None, kinds[p.document_id])
            and where.year_from in (None, years[p.source_id])
        ]
        return sorted(hits, key=lambda h: -h.score)[:k]

    def close(self) -> None:
        """Nothing is held open."""


@dataclass
class FakeAssistant:
    """Answers from a table; what is not in it is not found."""

    index: FakeIndex
    table: dict[str, Said] = field(default_factory=dict)

    def ask(
        self,
        question: str,
        *,
        turns: Sequence[Turn] = (),
        k: int = 10,
        where: Filter = Filter(),  # noqa: B008 - frozen
        summary: str = "off",
    ) -> Answer:
        hits = tuple(self.index.search(question, k, where))
        said = self.table.get(question, Said(status="not_found", confidence=0.1, reason="所收公报没有谈到这件事"))
        citations = tuple(
            c for c in (self._cite(n, *q) for n, q in enumerate(said.quotes, 1)) if c and _within(c, where, self.index)
        )
        if not citations:
            return Answer(
                question,
                said.resolved or question,
                "not_found",
                reason=said.reason or "检索范围内没有谈到这件事",
                passages=hits,
            )
        return Answer(
            question=question,
            resolved_question=said.resolved or question,
            status=said.status,  # type: ignore[arg-type]
            answer=said.answer or said.quotes[0][1],
            sentence="".join(c.quote for c in citations),
            confidence=said.confidence,
            citations=citations,
            passages=hits,
            expansions=said.expansions,
        )

    def _cite(self, n: int, quote: str, answer: str) -> Citation | None:
        """The first place in the sources where the quote's words stand, white space aside."""
        pattern = re.compile(r"\s*".join(map(re.escape, re.sub(r"\s", "", quote))))
        for gazette in self.index.gazettes:
            source = self.index.source(gazette.source_id)
            for document in gazette.documents:
                found = pattern.search(source.text, document.start, document.end)
                if found:
                    at = source.text.find(answer, found.start(), found.end()) if answer else -1
                    span = (at, at + len(answer)) if at >= 0 else None
                    return cite(n, source, gazette, document, found.start(), found.end(), span)
        return None


def _within(citation: Citation, where: Filter, index: FakeIndex) -> bool:
    kind = index.documents[citation.document_id].kind
    return (
        where.gazette in (None, citation.source_id)
        and where.kind in (None, kind)
        and where.year_from in (None, citation.year)
    )


TABLE = {
    "全市义务教育阶段学校有多少所？": Said(
        (("全市现有义务教育阶段学校206所（公办197所、民办9所）", "206所"),), confidence=0.93
    ),
    "上学的学校有几所": Said(
        (("全市现有义务教育阶段学校206所（公办197所、民办9所）", "206所"),),
        expansions=(("上学", "义务教育"),),
        confidence=0.7,
    ),
    "海州市有几座图书馆？": Said(
        (
            ("全市现有公共图书馆12座，藏书共计86万册，其中少儿图书馆3座。", "12座"),
            ("市人民政府应当在2025年底前新建图书馆6座。", "6座"),
        ),
        confidence=0.88,
    ),
    "其中少儿图书馆呢？": Said(
        (("全市现有公共图书馆12座，藏书共计86万册，其中少儿图书馆3座。", "3座"),), resolved="海州市少儿图书馆有几座？"
    ),
    "年购书经费是多少？": Said(
        (
            ("二是经费不足，年购书经费仅有180万元。", "180万元"),
            ("年购书经费不低于300万元，由市财政局负责落实。", "300万元"),
        ),
        answer="180万元；300万元",
        status="conflict",
        confidence=0.64,
    ),
}


Build = Callable[[Source], "FakeAssistant"]


@pytest.fixture(scope="session")
def build() -> Build:
    """An assistant over one source, that finds a quote for one question: how much is heated."""

    def built(source: Source) -> FakeAssistant:
        said = Said((("全市供热面积是0万平方米。", "0万平方米"),))
        return FakeAssistant(FakeIndex([source]), {"全市供热面积是多少？": said})

    return built


@pytest.fixture(scope="session")
def haizhou(tmp_path_factory: pytest.TempPathFactory) -> Source:
    path = tmp_path_factory.mktemp("gazette") / "海州市公报-2022年第1号.md"
    path.write_text(HAIZHOU, encoding="utf-8")
    return read_source(path)


@pytest.fixture(scope="session")
def assistant(sample_source: Source, haizhou: Source) -> FakeAssistant:
    return FakeAssistant(FakeIndex([sample_source, haizhou]), dict(TABLE))


# ---- the page, served ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Served:
    """A page on loopback: where it is, and what it acts on."""

    url: str
    desk: Desk
    feedback: Path


@contextmanager
def serving(desk: Desk, feedback: Path, *, model: Model | None = None, **options: Any) -> Iterator[Served]:
    """The page in a thread of this process, as ``main`` serves it."""
    import uvicorn

    from app import build_app
    from page import serve
    from page.feedback import Feedback

    listener = serve.listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    app = serve.mount(
        build_app(desk.library.shared, desk=desk, feedback=Feedback(feedback), model=model),
        desk,
        host="127.0.0.1",
        port=port,
        **options,
    )
    config = uvicorn.Config(app, access_log=False, log_level="warning", server_header=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield Served(f"http://127.0.0.1:{port}", desk, feedback)
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="session")
def served(assistant: FakeAssistant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(Desk(Library(assistant)), tmp_path_factory.mktemp("page") / "feedback.jsonl", mcp=True) as page:
        yield page


ServingPage = Callable[..., AbstractContextManager[Served]]


@pytest.fixture(scope="session")
def serving_page() -> ServingPage:
    """``serving``, for tests that need a page of their own."""
    return serving


PageProcess = Callable[..., AbstractContextManager[str]]


@contextmanager
def running(log: Path, *arguments: str) -> Iterator[str]:
    """``app.py`` as a user starts it, on a free port; its address, once it answers."""
    import httpx

    from page import serve

    with serve.listen("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    root = Path(__file__).parents[2]
    temporary = log.with_name(log.name + "-tmp")
    temporary.mkdir()
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port), *arguments],
            cwd=root,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(temporary)},
        )
        try:
            deadline = time.monotonic() + 200
            while True:
                try:
                    httpx.get(f"http://127.0.0.1:{port}").raise_for_status()
                    break
                except httpx.ConnectError:
                    assert process.poll() is None, log.read_text("utf-8")
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            assert process.wait(20) == 0
    assert list(temporary.iterdir()) == [], "nothing is left behind"


@pytest.fixture(scope="session")
def page_process() -> PageProcess:
    """``running``, for tests of the command and of its speed."""
    return running


# ---- the page in a browser -------------------------------------------------------------------------------------------

CHROMIUM = "/usr/bin/chromium"
# No browser service of its own may talk to anyone, and no name but loopback is found: what is asked for is counted.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for one module: while playwright runs, no other event loop can run in this thread."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no {CHROMIUM} here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Tab:
    """A tab of the browser with the page in it, and what went wrong in it."""

    def __init__(self, browser: Browser, url: str, *, bare: bool = False, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        self.page = self.context.new_page()
        self.strangers: list[str] = []
        self.errors: list[str] = []
        self.dialogs: list[str] = []
        self.url = url
        self.page.on("request", self._asked)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", self._asked_of_the_reader)
        if bare:  # not our page, nothing to wait for
            self.page.goto(url, wait_until="commit")
        else:
            self.open(url)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.strangers.append(request.url)

    def _asked_of_the_reader(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def open(self, url: str) -> None:
        """The page at an address, ready to be used."""
        self.page.goto(url)
        self.page.wait_for_selector("body.is-arrived")

    def ask(self, question: str) -> Locator:
        """Type a question and press Enter; the turn that answers it."""
        last = self.page.locator("#turns .turn").last
        before = int(last.get_attribute("data-number") or 0) if last.count() else -1
        self.page.fill("#question textarea", question)
        self.page.press("#question textarea", "Enter")
        turn = self.page.locator(f"#turns .turn[data-number='{before + 1}']")
        turn.wait_for()
        return turn

    def in_sight(self, selector: str) -> bool:
        """Is the element inside the window, after what scrolls has come to rest?"""
        self.page.wait_for_selector(selector, state="attached")
        return bool(
            self.page.evaluate(
                """async (selector) => {
                    const box = () => document.querySelector(selector).getBoundingClientRect();
                    const seen = ({ top, bottom, left, right }) =>
                        top >= 0 && bottom <= innerHeight && left >= 0 && right <= innerWidth && bottom > top;
                    for (let last = null, i = 0; i < 100; i++) {
                        await new Promise((done) => setTimeout(done, 50));
                        const now = box();
                        if (seen(now) && last === now.top) return true;  // on a busy machine scrolling starts late
                        last = now.top;
                    }
                    return seen(box());
                }""",
                selector,
            )
        )


OpenTab = Callable[..., Tab]


@pytest.fixture
def open_tab(chromium: Browser) -> Iterator[OpenTab]:
    """Opens tabs; at the end none of them may have asked another machine for anything, nor have met an error."""
    tabs: list[Tab] = []

    def opened(url: str, **options: Any) -> Tab:
        tabs.append(Tab(chromium, url, **options))
        return tabs[-1]

    yield opened
    for tab in tabs:
        tab.context.close()
        assert tab.strangers == []
        assert tab.errors == []


@pytest.fixture
def tab(open_tab: OpenTab, served: Served) -> Tab:
    return open_tab(served.url)
