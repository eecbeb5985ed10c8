"""The page in a real browser: what a visitor does, and sees."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from index.building import build
from index.records import GazetteError, Source
from index.store import open_index
from page.desk import Desk
from page.gate import Login
from page.library import FILE_BYTES, Library
from page.stores import IndexStore
from qa.ask import Assistant
from qa.records import Answer

if TYPE_CHECKING:
    from conftest import FakeAssistant, OpenTab, Served, ServingPage, Tab

pytestmark = pytest.mark.browser

SCHOOLS = "全市义务教育阶段学校有多少所？"
LIBRARIES = "海州市有几座图书馆？"
FUNDS = "年购书经费是多少？"


def test_answer_chip_and_marked_source(tab: Tab) -> None:
    turn = tab.ask(SCHOOLS)
    assert turn.locator(".hit").inner_text() == "206所"
    assert "把握大" in turn.inner_text()
    focus = "#reader mark.is-focus"
    assert tab.in_sight(focus)
    assert "206所" in tab.page.locator(focus).inner_text()
    tab.page.locator("#reader .paper").evaluate("paper => paper.scrollTo(0, 99999)")
    assert not tab.in_sight(focus)
    turn.locator(".chip").click()
    assert tab.in_sight(focus)


def test_quotes_in_two_documents(tab: Tab) -> None:
    turn = tab.ask(LIBRARIES)
    turn.locator(".chip").nth(1).click()
    tab.page.wait_for_selector("#reader mark.is-focus:has-text('新建图书馆6座')")
    assert tab.in_sight("#reader mark.is-focus")
    assert tab.page.locator(".count").inner_text() == "引文 2/2"
    tab.page.click("[aria-label='上一处引文']")
    tab.page.wait_for_selector("#reader mark.is-focus:has-text('12座')")


def test_follow_up(tab: Tab) -> None:
    tab.ask(LIBRARIES)
    turn = tab.ask("其中少儿图书馆呢？")
    assert "理解为：海州市少儿图书馆有几座？" in turn.inner_text()


def test_filter_is_seen_and_kept(tab: Tab) -> None:
    tab.page.select_option("select[data-field=year]", "2021")
    tab.page.wait_for_selector("select[data-field=year].is-set")
    assert "公报里没有找到答案" in tab.ask(LIBRARIES).inner_text()
    assert "范围：2021年" in tab.page.locator("#turns .notes").inner_text()
    tab.page.select_option("select[data-field=year]", "")
    tab.page.wait_for_selector("select[data-field=year]:not(.is-set)")
    assert "12座" in tab.ask(LIBRARIES).inner_text()


def test_conflict(tab: Tab) -> None:
    turn = tab.ask(FUNDS)
    assert "来源说法不一" in turn.inner_text()
    assert turn.locator(".side .lead").all_inner_texts() == ["180万元", "300万元"]


def test_refusal_and_a_passage_near_it(tab: Tab) -> None:
    turn = tab.ask("今年的税收是多少？")
    assert "所收公报没有谈到这件事" in turn.inner_text()
    turn.locator(".near-open").first.click()
    assert tab.in_sight("#reader mark.is-focus")


def test_catalogue_and_turning_documents(tab: Tab) -> None:
    tab.page.click(".shelf button:has-text('2021年第3号')")
    tab.page.click(".cover-contents button:has-text('关于我市义务教育工作情况的报告')")
    assert tab.page.locator("#reader h2.is-title").inner_text() == "关于我市义务教育工作情况的报告"
    tab.page.click(".turnings .next")
    tab.page.wait_for_selector("#reader h2.is-title:has-text('决定')")
    tab.page.click(".bar >> text=目录")
    tab.page.locator("#reader .contents button[aria-current]").wait_for()
    tab.page.click("#reader .contents button:has-text('会议议程')")
    tab.page.wait_for_selector("#reader h2.is-title:has-text('议程')")


# The server says that it closes the stream of answers, and on a busy machine the browser reads that late.
_LATE_CLOSE = """
const plain = window.fetch;
window.fetch = async (...request) => {
    const response = await plain(...request);
    if (!String(request[0].url || request[0]).includes("/queue/data")) return response;
    const late = new TransformStream({
        async transform(chunk, out) {
            const text = new TextDecoder().decode(chunk);
            const at = text.indexOf('data: {"msg":"close_stream"');
            if (at < 0) return out.enqueue(chunk);
            const bytes = new TextEncoder();
            if (at) out.enqueue(bytes.encode(text.slice(0, at)));
            await new Promise((done) => setTimeout(done, 600));
            window.closedLate = (window.closedLate || 0) + 1;
            out.enqueue(bytes.encode(text.slice(at)));
        },
    });
    return new Response(response.body.pipeThrough(late), { status: response.status, headers: response.headers });
};
"""


def test_a_question_asked_while_the_stream_of_answers_closes_is_answered(open_tab: OpenTab, served: Served) -> None:
    tab = open_tab(served.url)
    tab.context.add_init_script(_LATE_CLOSE)
    tab.open(served.url)
    for question in (SCHOOLS, LIBRARIES, FUNDS):
        tab.ask(question)
    assert tab.page.evaluate("window.closedLate") > 0, "the stream closed late, else this tests nothing"


def test_examples_can_be_asked(
    open_tab: OpenTab, assistant: FakeAssistant, tmp_path: Path, serving_page: ServingPage
) -> None:
    with serving_page(Desk(Library(assistant)), tmp_path / "f.jsonl") as page:
        tab = open_tab(page.url)
        example = tab.page.locator(".example").first
        asked = example.inner_text()
        example.click()
        tab.page.locator("#turns .turn").wait_for()
        assert tab.page.locator(".asked").inner_text() == asked


def test_export(tab: Tab) -> None:
    tab.ask(SCHOOLS)
    tab.page.click("summary:has-text('导出')")
    with tab.page.expect_download() as download:
        tab.page.click("[data-format=md]")
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert download.value.suggested_filename.endswith(".md")
    assert "> 全市现有义务教育阶段学校206所" in text
    assert tab.url in text


def test_language_is_switched_and_remembered(tab: Tab) -> None:
    tab.ask(SCHOOLS)
    tab.page.click("text=English")
    tab.page.wait_for_selector("text=Confident")
    assert tab.page.locator("#question textarea").get_attribute("placeholder") == (
        "Ask something these gazettes can answer…"
    )
    assert tab.page.locator("[role=tab]").all_inner_texts() == ["Text", "Ledgers", "Library"]
    assert tab.page.evaluate("document.documentElement.lang") == "en"
    tab.open(tab.url)
    tab.page.wait_for_selector("text=Ask the gazettes")
    tab.page.click("text=中文")
    tab.page.wait_for_selector("text=答案逐字有出处")


def test_dark_is_remembered(tab: Tab) -> None:
    assert tab.page.evaluate("document.documentElement.dataset.theme") == "light"
    tab.page.click("[data-theme=toggle]")
    tab.open(tab.url)
    assert tab.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert tab.page.evaluate("document.body.classList.contains('dark')")


def test_a_link_reopens_question_and_place(tab: Tab) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=tab.url)
    tab.ask(LIBRARIES)
    tab.page.locator(".chip").nth(1).click()
    tab.page.wait_for_selector("#reader mark.is-focus:has-text('6座')")
    tab.page.click(".bar-tools >> text=复制链接")
    link = tab.page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(tab.url)
    tab.page.goto("about:blank")
    tab.open(link)
    tab.page.wait_for_selector(f".asked:has-text('{LIBRARIES}')")
    tab.page.wait_for_selector("#reader mark.is-focus:has-text('6座')")
    assert tab.in_sight("#reader mark.is-focus")


def test_a_link_followed_where_the_page_is_open_keeps_the_conversation(tab: Tab, haizhou: Source) -> None:
    tab.ask(SCHOOLS)
    at = haizhou.text.index("年购书经费不低于")
    place = {"q": LIBRARIES, "s": haizhou.id, "at": f"{at}-{at + 12}"}
    tab.page.evaluate("link => { location.hash = link; }", urlencode(place))
    tab.page.wait_for_selector(f".asked:has-text('{LIBRARIES}')")
    tab.page.wait_for_selector("#reader mark.is-focus:has-text('年购书经费不低于')")
    assert tab.page.locator("#turns .turn").count() == 2
    assert tab.page.evaluate("location.hash") == ""
    at = haizhou.text.index("山区乡镇")
    tab.page.evaluate("link => { location.hash = link; }", urlencode({"s": haizhou.id, "at": f"{at}-{at + 4}"}))
    tab.page.wait_for_selector("#reader mark.is-focus:has-text('山区乡镇')")
    assert tab.page.locator("#turns .turn").count() == 2


def test_a_link_outlives_signing_in(
    open_tab: OpenTab, assistant: FakeAssistant, tmp_path: Path, serving_page: ServingPage
) -> None:
    with serving_page(Desk(Library(assistant)), tmp_path / "f.jsonl", login=Login("anna", "pw")) as page:
        tab = open_tab(f"{page.url}/#" + urlencode({"q": LIBRARIES}), bare=True)
        tab.url = page.url
        tab.strangers.clear()
        tab.page.get_by_label("用户名").fill("anna")
        tab.page.get_by_label("密码").fill("wrong")
        tab.page.keyboard.press("Enter")
        tab.page.get_by_role("alert").wait_for()
        assert tab.in_sight("[name=password]")
        tab.page.get_by_label("用户名").fill("anna")
        tab.page.get_by_label("密码").fill("pw")
        tab.page.keyboard.press("Enter")
        tab.page.wait_for_selector(f".asked:has-text('{LIBRARIES}')")
        assert "12座" in tab.page.locator("#turns .turn").inner_text()


def test_copy_a_citation(tab: Tab) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=tab.url)
    turn = tab.ask(SCHOOLS)
    turn.locator("summary:has-text('复制引用')").click()
    turn.locator("text=GB/T 7714").click()
    assert "[Z]" in tab.page.evaluate("navigator.clipboard.readText()")
    assert tab.page.locator("#note.is-shown").inner_text() == "已复制"


def test_feedback(tab: Tab, served: Served) -> None:
    turn = tab.ask(FUNDS)
    turn.locator("summary:has-text('评价')").click()
    turn.locator("text=出处不对").click()
    turn.locator("[name=note]").fill("看第二条")
    turn.locator("[type=submit]").click()
    tab.page.wait_for_selector("text=已记在本机")
    assert turn.locator("summary:has-text('评价')").evaluate("it => it === document.activeElement")
    line = json.loads(served.feedback.read_text(encoding="utf-8").splitlines()[-1])
    assert (line["verdict"], line["note"], line["question"]) == ("wrong_citation", "看第二条", FUNDS)


def test_ledgers_lead_to_their_sentences(tab: Tab) -> None:
    tab.page.click("[role=tab]:has-text('台账')")
    tab.page.select_option("#ledgers select", label="营口市人民代表大会常务委员会公报 2021年第3号")
    tab.page.locator(".stack").first.wait_for()
    tab.page.click(".kind-choice:has-text('承诺')")
    row = tab.page.locator(".ledger tbody tr").first
    row.locator(".linklike").click()
    assert tab.in_sight("#reader mark.is-focus")


def test_ledgers_stay_when_the_language_changes(tab: Tab) -> None:
    tab.page.click("[role=tab]:has-text('台账')")
    tab.page.locator("#ledgers .kinds").wait_for()
    tab.page.click("text=English")
    tab.page.locator("#ledgers .kind-choice:has-text('Votes')").wait_for()
    tab.page.click("text=New conversation")
    tab.page.wait_for_timeout(500)
    assert tab.page.locator("#ledgers .kind-choice:has-text('Votes')").is_visible()


def test_a_menu_at_the_foot_of_the_window_is_whole(open_tab: OpenTab, served: Served) -> None:
    tab = open_tab(served.url, viewport={"width": 1280, "height": 520})
    turn = tab.ask(LIBRARIES)
    foot = turn.locator(".foot")
    foot.evaluate("foot => foot.scrollIntoView({ block: 'end', behavior: 'instant' })")
    turn.locator("summary:has-text('评价')").click()
    form = turn.locator(".rate")
    box, floor = form.bounding_box(), tab.page.locator("#composer").bounding_box()
    assert box
    assert floor
    assert box["y"] > 0
    assert box["y"] + box["height"] <= floor["y"]
    verdict = form.locator("[value=wrong]")
    verdict.check()
    assert verdict.evaluate("it => getComputedStyle(it).appearance") != "none", "what is chosen is seen"


class Thinking:
    """An assistant that takes its time."""

    def __init__(self, inner: FakeAssistant) -> None:
        self.index = inner.index
        self.inner = inner

    def ask(self, question: str, **options: object) -> Answer:
        time.sleep(1.5 if question == LIBRARIES else 0)
        return self.inner.ask(question, **options)  # type: ignore[arg-type]


def test_a_slow_answer_gives_a_sign_of_life(
    open_tab: OpenTab, assistant: FakeAssistant, tmp_path: Path, serving_page: ServingPage
) -> None:
    with serving_page(Desk(Library(Thinking(assistant))), tmp_path / "f.jsonl") as page:
        tab = open_tab(page.url)
        tab.page.wait_for_selector("body:not(.is-waiting)")
        tab.page.fill("#question textarea", LIBRARIES)
        tab.page.press("#question textarea", "Enter")
        tab.page.wait_for_selector("body.is-waiting", timeout=1400)
        tab.page.locator("#turns .turn").wait_for()
        tab.page.wait_for_selector("body:not(.is-waiting)")


class Failing(Thinking):
    """An assistant that meets what nobody thought of, or what can be said."""

    def ask(self, question: str, **options: object) -> Answer:
        if question == LIBRARIES:
            raise ValueError("unthought of")
        if question == FUNDS:
            raise GazetteError("索引 build/x 的文件不全：请重新建立")
        return self.inner.ask(question, **options)  # type: ignore[arg-type]


def test_what_went_wrong_is_said(
    open_tab: OpenTab, assistant: FakeAssistant, tmp_path: Path, serving_page: ServingPage
) -> None:
    with serving_page(Desk(Library(Failing(assistant))), tmp_path / "f.jsonl") as page:
        tab = open_tab(page.url)
        for question, said in ((LIBRARIES, "没能完成，请再试"), (FUNDS, "文件不全：请重新建立")):
            tab.page.fill("#question textarea", question)
            tab.page.press("#question textarea", "Enter")
            tab.page.wait_for_selector(f"text={said}")
            assert tab.page.input_value("#question textarea") == question, "it can be asked again"
        assert "Warning" not in tab.page.locator("body").inner_text(), "no headline in gradio's own language"
        assert "206所" in tab.ask(SCHOOLS).inner_text()
        tab.page.route("**/queue/join*", lambda route: route.abort())
        tab.page.fill("#question textarea", SCHOOLS)
        tab.page.press("#question textarea", "Enter")
        tab.page.wait_for_selector("#note.is-shown:has-text('连不上')")
        tab.errors.clear()  # gradio's own word of the same


def test_files_that_would_be_refused_do_not_travel(
    open_tab: OpenTab, real: Path, tmp_path: Path, serving_page: ServingPage
) -> None:
    (tmp_path / "桥.md").write_text("# 关于桥梁情况的报告\n\n全市现有桥梁88座。\n", "utf-8")
    (tmp_path / "<img src=x>.png").write_bytes(b"\x89PNG\r\n")
    (tmp_path / "大.txt").write_bytes(b"0" * (FILE_BYTES + 1))
    with serving_page(Desk(Library(Assistant(open_index(real)), IndexStore())), tmp_path / "f.jsonl") as page:
        tab = open_tab(page.url)
        sent: list[str] = []
        tab.page.on("response", lambda r: sent.extend(r.json()) if "/upload?" in r.url else None)
        tab.page.click("[role=tab]:has-text('资料库')")
        assert tab.page.locator("#files button").first.get_attribute("aria-label") == "添加公报"
        names = ("桥.md", "<img src=x>.png", "大.txt")
        tab.page.set_input_files("#files input[type=file]", [tmp_path / name for name in names])
        tab.page.wait_for_selector(".reports .is-indexed:has-text('桥.md')")
        refused = tab.page.locator("#refused li").all_inner_texts()
        assert refused[0].startswith("<img src=x>.png\n不支持的格式；可用 .docx")
        assert refused[1] == "大.txt\n文件有 25,000,001 字节，上限是 25,000,000 字节；请拆开或压缩后再加"
        assert [Path(name).name for name in sent] == ["桥.md"]
        tab.page.click("text=English")
        tab.page.wait_for_selector("text=Add gazettes")
        dropped = tab.page.evaluate_handle(
            "() => { const all = new DataTransfer(); all.items.add(new File(['x'], 'a.exe')); return all; }"
        )
        tab.page.dispatch_event("#files button", "drop", {"dataTransfer": dropped})
        tab.page.wait_for_selector("#refused:has-text('not a supported format')")
        assert tab.page.locator("#refused li").count() == 1
        assert len(sent) == 1


def test_phone(open_tab: OpenTab, served: Served) -> None:
    tab = open_tab(served.url, viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
    turn = tab.ask(LIBRARIES)
    assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert tab.in_sight("#turns .turn .lead")
    turn.locator(".chip").nth(1).tap()
    tab.page.wait_for_selector("#reader mark.is-focus:has-text('6座')")
    assert tab.in_sight("#reader mark.is-focus")
    assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.page.tap("[aria-label='回到问答']")
    assert tab.in_sight("#turns .turn .asked")
    tab.page.tap("text=English")
    tab.page.wait_for_selector("text=Export")
    assert tab.in_sight("[data-act=language]"), "the way back to Chinese is not cut off"
    tab.page.mouse.move(200, 300)
    before = tab.page.evaluate("scrollY")
    tab.page.mouse.wheel(0, 400)
    tab.page.wait_for_function("before => scrollY > before", arg=before)
    assert tab.in_sight("[data-act=language]"), "the head stays in sight"


def test_keyboard_only(tab: Tab) -> None:
    page = tab.page
    keys = page.keyboard
    focused = "document.activeElement"
    page.evaluate(f"{focused}.blur()")
    keys.press("/")
    keys.insert_text(LIBRARIES)
    keys.press("Enter")
    page.locator("#turns .chip").first.wait_for()
    for _ in range(60):
        if page.evaluate(f"{focused}.matches('#reader .paper')"):
            break
        keys.press("Tab")
    before = page.locator("#reader .paper").evaluate("paper => paper.scrollTop")
    keys.press("End")
    page.wait_for_function("top => document.querySelector('#reader .paper').scrollTop !== top", arg=before)
    page.focus("#question textarea")
    for _ in range(60):
        if page.evaluate(f"{focused}.matches('#turns .turn .chip')"):
            break
        keys.press("Shift+Tab")
    assert page.evaluate(f"{focused}.textContent") == "[2]"
    keys.press("Enter")
    page.wait_for_selector("#reader mark.is-focus:has-text('6座')")
    page.wait_for_function(f"{focused}.matches('mark.is-focus')")
    keys.press("[")
    page.wait_for_selector("#reader mark.is-focus:has-text('12座')")
    keys.press("]")
    page.wait_for_selector("#reader mark.is-focus:has-text('6座')")
    keys.press("t")
    page.wait_for_function(f"{focused}.matches('.contents button[aria-current]')")
    keys.press("Tab")
    keys.press("Shift+Tab")
    keys.press("Escape")
    page.wait_for_selector("#reader .contents", state="hidden")
    keys.press("Escape")
    keys.press("Escape")
    assert page.evaluate(f"{focused}.matches('#question textarea')")


def test_enter_that_ends_a_composition_does_not_ask(tab: Tab) -> None:
    tab.page.fill("#question textarea", "haizhou")
    tab.page.locator("#question textarea").evaluate(
        "box => box.dispatchEvent(new KeyboardEvent('keydown', "
        "{key: 'Enter', code: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
    )
    time.sleep(0.4)
    assert tab.page.locator("#turns .turn").count() == 0
    assert tab.page.input_value("#question textarea") == "haizhou"


def test_everything_that_can_be_used_has_a_name(tab: Tab) -> None:
    tab.ask(FUNDS)
    for name in ("原文", "台账", "资料库"):
        tab.page.click(f"[role=tab]:has-text('{name}')")
        nameless = tab.page.evaluate(
            """() => [...document.querySelectorAll('button, input, select, textarea, summary, [role=button]')]
                .filter((e) => e.checkVisibility() && !e.closest('[aria-hidden=true]'))
                .filter((e) => !(e.ariaLabel || e.textContent.trim() || e.title || e.labels?.[0]?.textContent.trim()))
                .map((e) => e.outerHTML.slice(0, 200))"""
        )
        assert nameless == []


def test_those_who_hear_the_page_find_its_parts(tab: Tab) -> None:
    page = tab.page
    tab.ask(LIBRARIES)
    assert page.get_by_role("banner").locator("h1").inner_text() == "公\n公报问答"
    assert page.get_by_role("region", name="问答").locator("#question").count() == 1
    assert page.get_by_role("region", name="公报原文").locator("#reader").count() == 1
    assert page.get_by_role("log").locator(".turn").count() == 1, "an answer that comes is read out"
    page.evaluate("document.querySelector('#top .skip').focus()")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.matches('#question textarea')")


class SlowModel:
    """A model that says two true sentences and a false one, then waits to be stopped."""

    name = "slow"
    context = 4096

    def __init__(self) -> None:
        self.stopped = threading.Event()

    def count(self, text: str) -> int:
        return len(text)

    def generate(self, prompt: str, *, max_tokens: int = 400, stop: threading.Event | None = None) -> Iterator[str]:
        yield "全市现有公共图书馆12座[1]。"
        yield "全市现有公共图书馆99座[1]。"
        yield "市人民政府应当在2025年底前新建图书馆6座[2]。"
        yield "接着"
        assert stop is not None
        if stop.wait(60):  # as long as a busy machine needs to get as far as the button
            self.stopped.set()


def test_summary_by_a_local_model_and_stop(
    open_tab: OpenTab, assistant: FakeAssistant, tmp_path: Path, serving_page: ServingPage
) -> None:
    model = SlowModel()
    with serving_page(Desk(Library(assistant)), tmp_path / "f.jsonl", model=model) as page:
        tab = open_tab(page.url)
        tab.page.select_option("select[data-field=summary]", "model")
        tab.page.wait_for_selector("select[data-field=summary].is-set")
        turn = tab.ask(LIBRARIES)
        turn.locator(".summary li").nth(1).wait_for(state="attached")
        assert not turn.locator(".summary del").is_visible(), "what is struck is seen on demand"
        turn.locator(".summary .struck > summary").click()
        assert "99座" in turn.locator(".summary del").inner_text()
        assert "原文不支持" in turn.locator(".summary .is-unsupported").inner_text()
        other = open_tab(page.url)
        began = time.perf_counter()
        other.ask(SCHOOLS)
        assert time.perf_counter() - began < 5, "finding waits for no model"
        tab.page.click("#stop button")
        assert model.stopped.wait(5)
        tab.page.wait_for_selector("#stop button", state="detached")
        assert "12座" in turn.locator(".summary").inner_text()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, sample_path: Path) -> Path:
    folder = tmp_path_factory.mktemp("real") / "index"
    build([sample_path], folder)
    return folder


def test_upload_ask_and_remove(open_tab: OpenTab, real: Path, tmp_path: Path, serving_page: ServingPage) -> None:
    (tmp_path / "养老.md").write_text("# 关于养老服务工作情况的报告\n\n全市现有养老机构47家，床位6120张。\n", "utf-8")
    (tmp_path / "坏.md").write_bytes(b"\x00\x01\x02" * 99)
    library = Library(Assistant(open_index(real)), IndexStore())
    with serving_page(Desk(library), tmp_path / "f.jsonl") as page:
        tab = open_tab(page.url)
        tab.page.click("[role=tab]:has-text('资料库')")
        tab.page.set_input_files("#files input[type=file]", [tmp_path / "养老.md", tmp_path / "坏.md"])
        tab.page.wait_for_selector(".reports .is-indexed:has-text('养老.md')")
        tab.page.wait_for_selector(".reports .is-skipped:has-text('坏.md')")
        tab.page.wait_for_selector("text=我的文件")
        tab.page.wait_for_selector("#files button")
        assert tab.page.locator("#files").bounding_box()["height"] > 100, "more can be added"  # type: ignore[index]
        assert "47家" in tab.ask("全市现有养老机构多少家？").inner_text()
        assert tab.in_sight("#reader mark.is-focus")
        assert "206所" in tab.ask(SCHOOLS).inner_text()
        other = open_tab(page.url)
        assert "47家" not in other.ask("全市现有养老机构多少家？").inner_text()
        tab.page.click("[role=tab]:has-text('资料库')")
        tab.page.click("#shelves >> text=移出")
        tab.page.wait_for_selector("text=我的文件", state="detached")
        assert "47家" not in tab.ask("全市现有养老机构有多少家？").inner_text()
        tab.page.click("[role=tab]:has-text('资料库')")
        tab.page.click("#shelves >> text=撤销移出")
        tab.page.wait_for_selector("text=我的文件")
        assert "47家" in tab.ask("全市现有养老机构多少家？").inner_text()
    uploads = list(Path(tmp_path).glob("**/gradio/**/*养老*"))
    assert uploads == []
