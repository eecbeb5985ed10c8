"""The chat page: ``build_app`` lays it out and wires it, ``main`` opens the index and serves it."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from index.records import GazetteError
from index.sources import SUFFIXES
from page.startup import without_stubs
from page.strings import say

if TYPE_CHECKING:
    import gradio as gr

    from page.desk import Desk
    from page.feedback import Feedback
    from page.handlers import Handlers
    from page.library import Asked
    from qa.generate import Model

FIND = "find"  # concurrency ids: finding never waits behind a model that is writing
WRITE = "write"
FINDERS = 4
FEEDBACK = Path("build/feedback.jsonl")

# What a part may ask for; page.js sends it when an element with that data-act is used.
_WIRE = "gazette.wire(element, trigger, watch, props, {events});"


@dataclass(frozen=True)
class Parts:
    """The page's components."""

    top: gr.HTML
    welcome: gr.HTML
    talk: gr.HTML
    scope: gr.HTML
    question: gr.Textbox
    stop: gr.HTML
    read: gr.Tab
    ledgers: gr.Tab
    library: gr.Tab
    pane: gr.HTML
    ledger: gr.HTML
    adding: gr.HTML
    files: gr.File
    reports: gr.HTML
    shelves: gr.HTML
    parcel: gr.HTML
    told: gr.Textbox
    visit: gr.State

    @property
    def everything(self) -> list[Any]:
        """Every part with words on it, in the order of ``Handlers.arrive``."""
        return [
            self.top,
            self.welcome,
            self.talk,
            self.scope,
            self.question,
            self.read,
            self.ledgers,
            self.library,
            self.pane,
            self.ledger,
            self.adding,
            self.files,
            self.shelves,
            self.visit,
        ]


def build_app(
    assistant: Asked,
    *,
    desk: Desk | None = None,
    feedback: Feedback | None = None,
    model: Model | None = None,
    seconds: float | None = None,
) -> gr.Blocks:
    """The page over an assistant, or over a desk with a library that can be added to.

    ``page.serve.mount`` adds its style, its script and its safety, and makes it a server.
    """
    with without_stubs():
        import gradio as gr

    from page.api import offer
    from page.desk import Desk
    from page.feedback import Feedback
    from page.handlers import Handlers
    from page.library import Library
    from qa.generate import SECONDS

    desk = desk or Desk(Library(assistant))
    feedback = feedback or Feedback(FEEDBACK)

    with gr.Blocks(
        title=say("zh", "title"), fill_width=True, analytics_enabled=False, delete_cache=(600, 3600)
    ) as page:
        parts = _lay_out(desk, has_model=model is not None)
        offer(desk, feedback)  # before the page's own events, which have no names of their own
        _wire(page, parts, Handlers(desk, feedback, model, seconds or SECONDS))
    return page  # type: ignore[no-any-return]  # gradio's context manager is untyped


def _html(value: str, name: str, *events: str) -> gr.HTML:
    """A part made of our own HTML; the events are those its elements can ask for."""
    import gradio as gr

    return gr.HTML(value, elem_id=name, apply_default_css=False, js_on_load=_WIRE.format(events=list(events)))


def _lay_out(desk: Desk, *, has_model: bool) -> Parts:
    """Conversation left, gazette right; style.css makes the two panes of it, one above the other on a phone."""
    import gradio as gr

    from page.desk import Visit
    from page.frame import header, scope_bar, welcome
    from page.shelves import adding, shelves

    first, gazettes = Visit(), desk.library.gazettes("")
    top = _html(header("zh"), "top", "export", "language", "restart", "stream")
    with gr.Row(elem_id="room"):
        with gr.Column(elem_id="talk"):
            # Two parts, of which style.css shows one: examples that come late must not wipe out an answer.
            first_words = _html(welcome(gazettes, [], "zh"), "welcome")
            talk = _html("", "turns", "open", "feedback")
            with gr.Column(elem_id="composer"):
                scope = _html(scope_bar(gazettes, first.where, first.summary, has_model, "zh"), "scope", "narrow")
                stop = _html("", "stop", "halt")
                question = gr.Textbox(
                    label=say("zh", "ask_label"),
                    placeholder=say("zh", "ask_placeholder"),
                    show_label=False,
                    lines=1,
                    max_lines=6,
                    submit_btn=True,
                    autofocus=True,
                    elem_id="question",
                    container=False,
                )
        with gr.Column(elem_id="side"), gr.Tabs(elem_id="tabs"):
            with gr.Tab(say("zh", "tab_read"), id="read") as read:
                pane = _html(desk.pane(first, ""), "reader", "open")
            with gr.Tab(say("zh", "tab_ledgers"), id="ledgers") as ledgers:
                ledger = _html("", "ledgers", "open", "ledger", "export")
            with gr.Tab(say("zh", "tab_library"), id="library") as library:
                # Above the list, which may be long: what became of a file must be in sight.
                add = _html(adding(desk.library, "zh"), "adding")
                files = gr.File(
                    label=say("zh", "add"),
                    file_count="multiple",
                    file_types=sorted(SUFFIXES),
                    elem_id="files",
                    height=140,
                    visible=desk.library.can_add,
                )
                reports = gr.HTML("", elem_id="reports", apply_default_css=False)
                listing = _html(shelves(desk.library, "", "zh"), "shelves", "open", "remove", "restore")
    # Nothing of these two is seen: a file on its way to the browser, and what the browser says on load.
    parcel = gr.HTML("", html_template="", elem_id="parcel", js_on_load="gazette.receive(props, watch);")
    told = gr.Textbox(visible="hidden", elem_id="told", label="told")
    return Parts(
        top,
        first_words,
        talk,
        scope,
        question,
        stop,
        read,
        ledgers,
        library,
        pane,
        ledger,
        add,
        files,
        reports,
        listing,
        parcel,
        told,
        gr.State(first),
    )


def _wire(page: gr.Blocks, parts: Parts, do: Handlers) -> None:
    """Events to handlers. None is an API: those are in page.api, without HTML."""
    p = parts
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    find: dict[str, Any] = {**quiet, "concurrency_id": FIND, "concurrency_limit": FINDERS}
    arrived = page.load(do.arrive, [p.told, p.visit], p.everything, js="() => [gazette.told()]", **find)
    arrived.then(None, js="() => gazette.arrived()")
    spoken = p.top.language(do.speak, [p.visit], p.everything, **find)
    restarted = p.top.restart(do.restart, [p.visit], p.everything, **find)
    asked = p.question.submit(do.ask, [p.question, p.visit], [p.question, p.talk, p.pane, p.visit], **find)
    if do.model is not None:
        asked.then(do.write, [p.visit], [p.stop, p.talk, p.visit], **quiet, concurrency_id=WRITE, concurrency_limit=1)
        p.stop.halt(do.halt, [p.visit], [p.stop], **quiet, queue=False)
    p.ledgers.select(do.ledger, [p.visit], [p.ledger, p.visit], **find)
    p.ledger.ledger(do.choose_ledger, [p.visit], [p.ledger, p.visit], **find, trigger_mode="always_last")
    for part in (p.talk, p.pane, p.shelves, p.ledger):
        part.open(do.open, [p.visit], [p.pane, p.visit], **find, trigger_mode="always_last")
    p.scope.narrow(do.narrow, [p.visit], [p.scope, p.visit], **find, trigger_mode="multiple")
    for part in (p.top, p.ledger):
        part.export(do.carry, [p.visit], [p.parcel], **find)
    p.top.stream(do.nothing, None, None, **quiet)
    p.talk.feedback(do.rate, [p.visit], None, **find)
    added = p.files.upload(
        do.upload,
        [p.files, p.visit],
        [p.files, p.reports, p.shelves, p.scope, p.welcome],
        **quiet,
        concurrency_id="index",
        concurrency_limit=1,
    )
    of_library = [p.shelves, p.scope, p.welcome, p.pane, p.visit]
    removed = p.shelves.remove(do.remove, [p.visit], of_library, **find)
    restored = p.shelves.restore(do.restore, [p.visit], of_library, **find)
    for event in (arrived, spoken, restarted, added, removed, restored):  # after each the examples may be others
        event.then(do.suggest, [p.visit], [p.welcome], **find)
    page.unload(do.leave)


def main(arguments: list[str] | None = None) -> int:
    """Serve the page. Exit code 0; 1 where the work failed; 2 for wrong usage."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if args.allow_library_changes and args.index is None:
        parser.error("--allow-library-changes 需要 --index：缺省索引由 data/ 生成，页面上的更改会在重建时丢失")
    try:
        with TemporaryDirectory(prefix="gazette-page-") as uploads:  # nobody else's to read, and gone with the page
            os.environ["GRADIO_TEMP_DIR"] = uploads
            return _serve(args)
    except GazetteError as error:
        print(f"gazette-app: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    from qa.options import add_model_options

    parser = argparse.ArgumentParser(
        prog="gazette-app",
        description="公报问答页面：提问、看出处、读原文。 The chat page: ask, see the proof, read the gazette.",
        epilog="例: gazette-app --index build/gazettes --port 7860",
    )
    parser.add_argument("--index", type=Path, metavar="DIR", help="索引文件夹；缺省为 data/ 的索引，首次使用时建立")
    parser.add_argument("--host", default="127.0.0.1", help="监听地址（缺省 127.0.0.1，只有本机能打开）")
    parser.add_argument("--port", type=int, default=7860, help="端口（缺省 7860）")
    parser.add_argument("--auth", metavar="USER:FILE", help="登录用户名与密码文件（密码是文件的第一行）")
    parser.add_argument("--no-auth", action="store_true", help="允许其他机器不登录就打开（请只在可信网络中使用）")
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME", help="还接受以这个域名打开；可重复"
    )
    parser.add_argument("--allow-library-changes", action="store_true", help="页面上添加、移出的公报对所有人生效")
    parser.add_argument("--feedback", type=Path, default=FEEDBACK, metavar="FILE", help="评价存放处")
    parser.add_argument("--mcp", action="store_true", help="同时作为 MCP 服务（地址 /gradio_api/mcp/）")
    add_model_options(parser)
    return parser


def _serve(args: argparse.Namespace) -> int:
    gc.disable()  # until the page stands: collecting among a hundred thousand imported objects took 0.3 s of 2.4
    # Many small questions at once: one thread of arithmetic each. With 20 users on two cores the slowest twentieth
    # waited 2.4 s, with two threads each 4.7 s.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from page import serve

    login = serve.password_of(args.auth) if args.auth else None
    serve.check_exposure(args.host, login, no_auth=args.no_auth)
    listener = serve.listen(args.host, args.port)  # before the work of seconds: a port in use is said at once
    port = listener.getsockname()[1]  # --port 0 takes any
    serve.import_meanwhile()

    from index.store import open_index
    from page.desk import Desk
    from page.feedback import Feedback
    from page.library import Library
    from page.stores import IndexStore
    from qa.ask import Assistant
    from qa.options import model_or_none

    folder = args.index
    if folder is None:
        from index.home import default_index

        folder = default_index(told=lambda line: print(line, file=sys.stderr))
    model = model_or_none(args, "gazette-app")
    assistant = Assistant(open_index(folder), model=model, rewrite=args.rewrite, seconds=args.model_seconds)
    store = IndexStore(model, rewrite=args.rewrite)
    desk = Desk(Library(assistant, store, shared_changes=args.allow_library_changes))
    page = build_app(assistant, desk=desk, feedback=Feedback(args.feedback), model=model, seconds=args.model_seconds)
    app = serve.mount(page, desk, host=args.host, port=port, names=args.allow_host, login=login, mcp=args.mcp)
    # Examples are asked of the assistant, which also warms it: by the time a browser has drawn the page they are there.
    warming = threading.Thread(target=desk.examples, args=("zh",), daemon=True)
    warming.start()
    print(f"{say('zh', 'title')}: http://{serve.place(args.host, port)}/", flush=True)
    gc.freeze()
    gc.enable()
    try:
        serve.run(app, listener)
    finally:
        warming.join(10)  # a page ended at once: a thread inside C++ while the interpreter goes aborts the process
        desk.library.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
