"""Who is let in and what every reply carries."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from page.desk import Desk
from page.gate import Gate, Login, sign_in_page
from page.library import Asked, Library
from page.serve import Exposed, Guard, check_exposure, is_loopback, listen, password_of, place, tidy

if TYPE_CHECKING:
    from conftest import Served, ServingPage

ROUTES = (
    "/", "/config", "/theme.css", "/gradio_api/info", "/gradio_api/startup-events", "/page/style.css", "/page/page.js",
    "/page/icon.svg", "/v1/models", "/v1/chat/completions", "/nothing/here", "/gradio_api/file=/etc/passwd",
    "/gradio_api/upload", "/robots.txt", "/static/img/logo.svg", "/docs", "/openapi.json", "/gradio_api/mcp/schema",
)  # fmt: skip


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_every_reply_carries_the_policy(served: Served, route: str, method: str) -> None:
    reply = httpx.request(method, served.url + route)
    policy = reply.headers["content-security-policy"]
    for part in ("default-src 'self'", "img-src 'self' data: blob:", "frame-ancestors 'none'", "object-src 'none'"):
        assert part in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert "root:" not in reply.text


@pytest.mark.parametrize("name", ["style.css", "page.js", "icon.svg"])
def test_a_request_has_no_say_in_what_our_files_hold(served: Served, name: str) -> None:
    plain = httpx.get(f"{served.url}/page/{name}")
    assert plain.headers["content-encoding"] == "gzip"
    for query in ("content=alert(1)&media=text/html", "request=1", "1"):
        asked = httpx.get(f"{served.url}/page/{name}?{query}", headers={"accept-encoding": "identity"})
        assert asked.content == plain.content
        assert asked.headers["content-type"] == plain.headers["content-type"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"host": "127.0.0.1:7860"}, 200, id="own address"),
        pytest.param({"host": "localhost"}, 200, id="own name"),
        pytest.param({"host": "[::1]:7860"}, 200, id="own address, version 6"),
        pytest.param({"host": "evil.example"}, 400, id="forged host"),
        pytest.param({"host": "127.0.0.1.evil.example"}, 400, id="forged host that begins like ours"),
        pytest.param({"host": "192.168.0.9"}, 400, id="another number"),
        pytest.param({"host": ""}, 400, id="no host"),
        pytest.param({"host": "localhost", "origin": "http://localhost"}, 200, id="own origin"),
        pytest.param({"host": "localhost", "origin": "http://evil.example"}, 403, id="foreign origin"),
        pytest.param({"host": "localhost", "origin": "null"}, 403, id="origin of a sandbox or a file"),
        pytest.param({"host": "localhost", "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 403,
                     id="embedded by another site"),
        pytest.param({"host": "localhost", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 200,
                     id="a link on another site"),
    ],
)  # fmt: skip
def test_hosts_and_origins(served: Served, headers: dict[str, str], status: int) -> None:
    reply = httpx.get(served.url + "/", headers=headers)
    assert reply.status_code == status
    if headers["host"] == "evil.example":
        assert "--allow-host evil.example" in reply.text, "what was met, and what to do"


def test_an_open_address_takes_numbers_and_named_hosts_only() -> None:
    guard = Guard(lambda *_: None, hosts={"localhost", "gazette.lan"}, by_number=True, version="1")  # type: ignore[arg-type,return-value]
    allowed = [h for h in ("10.0.0.7:7860", "gazette.lan", "evil.example") if not guard._refusal({"host": h})]
    assert allowed == ["10.0.0.7:7860", "gazette.lan"]


def test_the_page_names_no_other_machine(served: Served) -> None:
    html = httpx.get(served.url + "/").text
    head = re.sub(r"<script.*?</script>", "", html, flags=re.S)
    assert not re.findall(r"https?://(?!127\.0\.0\.1)[\w.]+", head)
    assert "fonts.g" not in html
    assert html.count("<script") == html.count("<script nonce=")


def test_each_page_has_its_own_nonce(served: Served) -> None:
    nonces = set()
    for _ in range(2):
        reply = httpx.get(served.url + "/")
        (nonce,) = set(re.findall(r'<script nonce="([^"]+)"', reply.text))
        assert f"'nonce-{nonce}'" in reply.headers["content-security-policy"]
        nonces.add(nonce)
    assert len(nonces) == 2


def test_it_can_be_asked_without_a_server(assistant: Asked) -> None:
    from fastapi.testclient import TestClient

    from app import build_app
    from page.serve import mount

    desk = Desk(Library(assistant))
    app = mount(build_app(assistant, desk=desk), desk, host="127.0.0.1", port=1)
    with TestClient(app, base_url="http://localhost") as client:
        assert "海州市" in client.get("/").text
        assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_tidy_leaves_words_of_the_config_alone() -> None:
    html = '<html lang="en"><head><script>window.c = {"a": "\\u003cscript\\u003e"};</script></head>'
    assert tidy(html, "n", "v").count("nonce=") == 2  # gradio's and ours


@pytest.mark.parametrize(
    ("host", "login", "no_auth", "refused"),
    [
        ("127.0.0.1", None, False, False),
        ("localhost", None, False, False),
        ("::1", None, False, False),
        ("0.0.0.0", None, False, True),  # noqa: S104
        ("::", None, False, True),
        ("192.168.1.2", None, False, True),
        ("my.host", None, False, True),
        ("0.0.0.0", Login("a", "b"), False, False),  # noqa: S104
        ("0.0.0.0", None, True, False),  # noqa: S104
    ],
)
def test_exposure(host: str, login: Login | None, no_auth: bool, refused: bool) -> None:
    assert is_loopback(host) == (host in ("127.0.0.1", "localhost", "::1"))
    if refused:
        with pytest.raises(Exposed, match="--no-auth"):
            check_exposure(host, login, no_auth=no_auth)
    else:
        check_exposure(host, login, no_auth=no_auth)


def test_a_taken_port_is_said_in_a_line() -> None:
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        with pytest.raises(Exposed, match="--port"):
            listen("127.0.0.1", taken.getsockname()[1])
    with pytest.raises(Exposed, match="--port"):
        listen("127.0.0.1", 99999)


def test_links_to_the_page() -> None:
    assert place("0.0.0.0", 1) == "127.0.0.1:1"  # noqa: S104
    assert place("::1", 7860) == "[::1]:7860"


def test_password_files(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("geheim:1\nnote\n", encoding="utf-8")
    login = password_of(f"anna:{tmp_path / 'pw'}")
    assert login.admits("anna", "geheim:1")
    assert not login.admits("anna", "geheim")
    assert not login.admits("bob", "geheim:1")
    for spec in ("anna", "anna:", ":x", f"anna:{tmp_path / 'none'}"):
        with pytest.raises(Exposed):
            password_of(spec)


def test_with_a_login_nothing_is_told_before_it(assistant: Asked, tmp_path: Path, serving_page: ServingPage) -> None:
    with serving_page(Desk(Library(assistant)), tmp_path / "f.jsonl", login=Login("anna", "pw")) as page:
        html = httpx.get(page.url + "/").text
        assert "海州市" not in html
        assert 'type="password"' in html
        for route in ROUTES:
            if not route.startswith(("/page/", "/v1/")):
                for method in ("GET", "POST"):
                    reply = httpx.request(method, page.url + route)
                    assert reply.status_code == 401, route
                    assert "海州市" not in reply.text
                    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
        body = {"messages": [{"role": "user", "content": "海州市有几座图书馆？"}]}
        assert httpx.post(page.url + "/v1/chat/completions", json=body).status_code == 401
        assert httpx.post(page.url + "/v1/chat/completions", json=body, auth=("anna", "no")).status_code == 401
        assert httpx.post(page.url + "/v1/chat/completions", json=body, auth=("anna", "pw")).status_code == 200
        bearer = {"authorization": "Bearer anna:pw"}
        assert httpx.get(page.url + "/v1/models", headers=bearer).status_code == 200
        with httpx.Client(base_url=page.url) as client:
            assert client.post("/login", data={"username": "anna", "password": "no"}).status_code == 401
            assert client.get("/config").status_code == 401
            assert client.post("/login", data={"username": "anna", "password": "pw"}).status_code == 200
            assert "海州市" in client.get("/").text
            assert client.get("/config", headers={"cookie": "gazette-session=x"}).status_code == 401


def test_programs_pass_the_login(assistant: Asked, tmp_path: Path, serving_page: ServingPage) -> None:
    from gradio_client import Client

    feedback = tmp_path / "f.jsonl"
    with serving_page(Desk(Library(assistant)), feedback, login=Login("anna", "pw"), mcp=True) as page:
        client = Client(page.url, auth=("anna", "pw"), verbose=False, analytics_enabled=False)
        assert client.predict("海州市有几座图书馆？", api_name="/ask")["answer"] == "12座"
        client.close()

        def tool(**headers: str) -> httpx.Response:
            call = {"name": "ask", "arguments": {"question": "海州市有几座图书馆？"}}
            return httpx.post(
                page.url + "/gradio_api/mcp/",
                json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
                headers={"accept": "application/json, text/event-stream", **headers},
                timeout=20,
            )

        assert tool().status_code == 401
        assert "12座" in tool(authorization="Bearer anna:pw").text
        assert "12座" in tool(authorization="Bearer anna:pw", **{"x-forwarded-host": "127.0.0.1:9"}).text


def test_sessions_end_and_bodies_are_short() -> None:
    async def signed_in(gate: Gate, body: bytes) -> str:
        messages = iter([{"body": body[:5], "more_body": True}, {"body": body[5:]}])

        async def receive() -> dict[str, object]:
            return next(messages)

        reply = await gate.answer("POST", "/", {}, receive)  # type: ignore[arg-type]
        assert reply is not None
        return dict(reply.headers).get("set-cookie", "").partition(";")[0]

    async def known(gate: Gate, cookie: str) -> bool:
        return await gate.answer("GET", "/config", {"cookie": cookie}, None) is None  # type: ignore[arg-type]

    async def story() -> None:
        gate = Gate(Login("a", "b"), Login("", "inner"))
        first = await signed_in(gate, b"username=a&password=b")
        assert await known(gate, first)
        for _ in range(1000):
            last = await signed_in(gate, b"username=a&password=b")
        assert not await known(gate, first), "the oldest of many"
        assert await known(gate, last)
        assert await known(gate, f"other=1; {last}")
        assert not await known(gate, 'gazette-session="')
        assert await signed_in(gate, b"username=a&password=" + b"b" * 20_000) == ""

    asyncio.run(story())


def test_the_sign_in_page_says_nothing_of_what_is_inside() -> None:
    html = sign_in_page("1", wrong=True)
    assert "用户名或密码不对" in html
    assert "<script>" not in html
    assert 'action="' not in html, "it posts to its own address: a link's place outlives it"
