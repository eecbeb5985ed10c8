"""The server around the page: one origin, one policy on every route, nobody let in who was not meant to be."""

from __future__ import annotations

import gzip
import ipaddress
import re
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from index.records import GazetteError
from page.gate import Gate, Login, Reply
from page.startup import without_stubs

if TYPE_CHECKING:
    import gradio as gr
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from page.desk import Desk

# gradio compiles its HTML templates with Function(), so scripts need 'unsafe-eval'; inline ones need a nonce that
# changes with every page, so markup that slipped in could still not run. Its components set inline styles.
POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; media-src 'self' data: blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - named so as to be refused
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
ASSETS = {"style.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"}
MAX_FILE = "25mb"
SESSIONS = 500  # tabs whose conversation is kept; the one longest unused is dropped first


class Exposed(GazetteError):  # noqa: N818 - it says what happened
    """The page cannot be served as asked: open to other machines without a password, or an address that is taken."""


def is_loopback(host: str) -> bool:
    """True where only this machine can reach the host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_exposure(host: str, login: Login | None, *, no_auth: bool) -> None:
    """Refuse to show the page to other machines without a password, unless that was said in so many words.

    Raises:
        Exposed: saying what to add.
    """
    if not is_loopback(host) and login is None and not no_auth:
        raise Exposed(
            f"{host} 会让其他机器也能打开这个页面：请加 --auth 用户:密码文件，或明确加 --no-auth"
            f" (other machines could open it: add --auth USER:PASSWORD-FILE, or say --no-auth)"
        )


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address.

    Raises:
        Exposed: if the address cannot be had, with the reason.
    """
    if not 0 <= port < 65536:  # getaddrinfo would take it modulo 65536
        raise Exposed(f"没有 {port} 这个端口：--port 在 1 到 65535 之间")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise Exposed(
            f"无法在 {host}:{port} 提供页面（{error.strerror}）：换一个 --port，或关掉占用它的程序"
        ) from error
    return listener


def place(host: str, port: int) -> str:
    """Host and port as they stand in a link."""
    shown = "127.0.0.1" if host in WILDCARDS else host
    return f"[{shown}]:{port}" if ":" in shown else f"{shown}:{port}"


def import_meanwhile() -> None:
    """Import gradio in another thread: reading its files and opening the index wait for the disk in turn."""

    def load() -> None:
        with without_stubs():
            import gradio  # noqa: F401

    threading.Thread(target=load, daemon=True).start()


def mount(
    page: gr.Blocks,
    desk: Desk,
    *,
    host: str,
    port: int,
    names: Collection[str] = (),
    login: Login | None = None,
    mcp: bool = False,
) -> FastAPI:
    """The page as a server application, with its own files, and the guard in front of all of it.

    ``names`` are further host names under which it may be asked for. On an address other machines can reach it may
    also be asked for by number: a forged name is how another site reaches in, a number is not.
    """
    import gradio
    from fastapi import FastAPI

    from page.completions import serve_completions

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    for name, media in ASSETS.items():
        app.add_route(f"/page/{name}", _asset(files("page").joinpath(name).read_bytes(), media))

    serve_completions(app, desk, login)
    page.state_session_capacity = SESSIONS
    gradio.mount_gradio_app(
        app,
        page,
        path="/",
        server_name=host,
        server_port=port,
        footer_links=[],
        run_history=False,
        show_error=False,
        theme=_theme(),
        max_file_size=MAX_FILE,
        mcp_server=mcp,
        ssr_mode=False,
        pwa=False,
        enable_monitoring=False,
    )
    inner = Login("", secrets.token_urlsafe(32))
    if mcp:
        _answer_tools_from(f"http://{place(host, port)}/", page, inner)
    allowed = frozenset(name.lower() for name in (*LOOPBACK, *names, host) if name not in WILDCARDS)
    gate = Gate(login, inner, _version()) if login else None
    app.add_middleware(Guard, hosts=allowed, by_number=not is_loopback(host), version=_version(), gate=gate)
    return app


def _asset(content: bytes, media: str) -> Callable[[Request], Response]:
    """One of the page's own files. Nothing of the request but its encoding has a say in what is sent."""
    from starlette.responses import Response

    zipped = gzip.compress(content, 9)
    headers = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}

    def asset(request: Request) -> Response:
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(zipped, media_type=media, headers={**headers, "content-encoding": "gzip"})
        return Response(content, media_type=media, headers=headers)

    return asset


def _answer_tools_from(url: str, page: gr.Blocks, inner: Login) -> None:
    """Have gradio's MCP tools ask this page, with a password of their own.

    Left alone it would ask whatever address the caller names in X-Forwarded-Host, and not get past a login.
    """
    from gradio_client import Client  # type: ignore[import-untyped]

    server: Any = page.mcp_server_obj

    def client() -> Client:
        if server._client_instance is None:
            server._client_instance = Client(
                url, download_files=False, verbose=False, analytics_enabled=False, _skip_components=False,
                headers={"x-gradio-user": "mcp", "authorization": f"Bearer :{inner.password}"},
            )  # fmt: skip
        return server._client_instance

    server._get_or_create_client = client


def run(app: FastAPI, listener: socket.socket) -> None:
    """Serve until interrupted or told to end. Requests are not logged: their addresses and bodies hold questions."""
    import uvicorn

    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=3,
    )
    # uvicorn raises the signal again once it has closed: as an exception, so that temporary folders are deleted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run([listener])


def _theme() -> Any:
    """A plain theme with the machine's own fonts: gradio's default asks Google for one."""
    import gradio as gr

    sans = ["system-ui", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif"]
    return gr.themes.Base(font=sans, font_mono=["ui-monospace", "Noto Sans Mono CJK SC", "monospace"])


def _version() -> str:
    """Changes with the page's own files, so that a browser keeps them exactly as long as they are right."""
    return sha256(b"".join(files("page").joinpath(n).read_bytes() for n in ASSETS)).hexdigest()[:12]


class Guard:
    """ASGI middleware: forged hosts and foreign origins refused, security headers on every reply, gradio's page tidied.

    A page on another site can make a browser send requests to 127.0.0.1; it cannot choose their Host or Origin.
    """

    def __init__(
        self, app: ASGIApp, *, hosts: Collection[str], by_number: bool, version: str, gate: Gate | None = None
    ) -> None:
        self.app = app
        self.hosts = hosts
        self.by_number = by_number
        self.version = version
        self.gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        nonce = secrets.token_urlsafe(16)
        refused = self._refusal(headers)
        if refused is None and self.gate is not None:
            refused = await self.gate.answer(scope["method"], scope["path"], headers, receive)
        if refused is not None:
            await _reply(send, refused, nonce)
            return
        if scope["path"] == "/" and scope["method"] in ("GET", "HEAD"):
            zipped = "gzip" in headers.get("accept-encoding", "")
            plain = [(k, v) for k, v in scope["headers"] if k.lower() != b"accept-encoding"]
            send = _Tidied(send, nonce, self.version, zipped=zipped)
            scope = {**scope, "headers": plain}
        await self.app(scope, receive, _with_headers(send, nonce))

    def _refusal(self, headers: Mapping[str, str]) -> Reply | None:
        """Why a request is not let in, and what to do; None where it is."""
        host = headers.get("host", "")
        name = _name(host)
        if name not in self.hosts and not (self.by_number and _is_number(name)):
            advice = f"start the page with --allow-host {name}" if name else "say which host is asked for"
            return Reply(400, f"This page does not go by the host name {name!r}: {advice}.\n", "text/plain")
        origin = headers.get("origin")
        embedded = headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate"
        if embedded or (origin is not None and origin.partition("://")[2] != host):
            return Reply(403, "Another site asked for this; open the page itself.\n", "text/plain")
        return None


def _name(host: str) -> str:
    """``[::1]:7860`` -> ``::1``, ``localhost:7860`` -> ``localhost``."""
    match = re.fullmatch(r"\[([0-9a-fA-F:.]+)\](?::\d+)?|([^:\[\]]+)(?::\d+)?", host)
    return (match.group(1) or match.group(2)).lower() if match else ""


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _with_headers(send: Send, nonce: str) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            ours = {**HEADERS, "content-security-policy": POLICY.format(nonce=nonce)}
            kept = [(k, v) for k, v in message.get("headers", []) if k.decode("latin-1").lower() not in ours]
            message = {**message, "headers": kept + [(k.encode(), v.encode()) for k, v in ours.items()]}
        await send(message)

    return guarded


async def _reply(send: Send, reply: Reply, nonce: str) -> None:
    guarded = _with_headers(send, nonce)
    body = reply.body.encode()
    said = {
        "content-type": f"{reply.media}; charset=utf-8",
        "content-length": str(len(body)),
        "cache-control": "no-store",
    }
    headers = [(k.encode(), v.encode()) for k, v in (*said.items(), *reply.headers)]
    await guarded({"type": "http.response.start", "status": reply.status, "headers": headers})
    await guarded({"type": "http.response.body", "body": body})


class _Tidied:
    """Collects gradio's index page, changes it (see ``tidy``) and sends it, zipped where the browser takes that."""

    def __init__(self, send: Send, nonce: str, version: str, *, zipped: bool) -> None:
        self.send, self.nonce, self.version, self.zipped = send, nonce, version, zipped
        self.start: Message = {}
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            return
        if message["type"] != "http.response.body":
            await self.send(message)
            return
        self.body += message.get("body", b"")
        if message.get("more_body"):
            return
        headers = [(k, v) for k, v in self.start["headers"] if k.lower() not in (b"content-length", b"vary")]
        if any(k.lower() == b"content-type" and v.startswith(b"text/html") for k, v in headers):
            self.body = tidy(self.body.decode(), self.nonce, self.version).encode()
            headers.append((b"cache-control", b"no-store"))
            if self.zipped:
                self.body = gzip.compress(self.body, 5)
                headers.append((b"content-encoding", b"gzip"))
        headers += [(b"content-length", str(len(self.body)).encode()), (b"vary", b"accept-encoding")]
        await self.send({**self.start, "headers": headers})
        await self.send({"type": "http.response.body", "body": self.body})


def tidy(html: str, nonce: str, version: str) -> str:
    """Gradio's index page with our style and script, its own scripts given the nonce, remote addresses left out.

    Nothing a document says can be taken for a script here: gradio writes its config with "<" escaped.
    """
    html = re.sub(r"<meta\s[^>]*(?:og:|twitter:)[^>]*>", "", html)
    html = html.replace('<link rel="manifest" href="/manifest.json" />', "")
    html = re.sub(r"<script\b", f'<script nonce="{nonce}"', html)
    html = html.replace('lang="en"', 'lang="zh-CN"', 1)
    ours = (
        f'<link rel="icon" href="/page/icon.svg?{version}"><link rel="stylesheet" href="/page/style.css?{version}">'
        f'<script nonce="{nonce}" src="/page/page.js?{version}"></script>'
    )
    return html.replace("</head>", ours + "</head>", 1)


def password_of(spec: str) -> Login:
    """``USER:FILE`` -> the login; the password is the file's first line, so that no process list shows it.

    Raises:
        Exposed: if the file cannot be read or is empty.
    """
    from pathlib import Path

    user, _, name = spec.partition(":")
    try:
        password = Path(name).read_text(encoding="utf-8").partition("\n")[0].strip() if user and name else ""
    except OSError as error:
        raise Exposed(f"--auth: cannot read {name} ({error.strerror})") from error
    if not password:
        raise Exposed("--auth takes USER:FILE, where the first line of FILE is the password")
    return Login(user, password)
