"""The door of a page with a password: a sign-in page of its own, a cookie for browsers, a header for programs."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from page.markup import safe, tag
from page.strings import say

if TYPE_CHECKING:
    from starlette.types import Receive

COOKIE = "gazette-session"
OPEN = ("/page/", "/v1/")  # the page's own style; and what asks for the password itself, in the words of its clients
BODY_BYTES = 10_000
SESSIONS = 1000  # signed in at once; the oldest has to sign in again
WRONG_SECONDS = 1.0  # before a wrong password is answered: none is found by trying


@dataclass(frozen=True, slots=True)
class Login:
    """Who may come in; None of the page's files says anything before."""

    user: str
    password: str

    def admits(self, user: str, password: str) -> bool:
        """Compared in constant time, both parts always."""
        return all(
            [
                secrets.compare_digest(user.encode(), self.user.encode()),
                secrets.compare_digest(password.encode(), self.password.encode()),
            ]
        )

    def admits_header(self, authorization: str) -> bool:
        """Is it a Basic or a Bearer (``user:password``) of this login?"""
        kind, _, value = authorization.partition(" ")
        if kind.lower() == "basic":
            try:
                value = base64.b64decode(value, validate=True).decode("utf-8")
            except (binascii.Error, UnicodeDecodeError):
                return False
        elif kind.lower() != "bearer":
            return False
        user, _, password = value.partition(":")
        return self.admits(user, password)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the door answers in place of the page."""

    status: int
    body: str
    media: str = "text/html"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Gate:
    """Lets in who is signed in, and signs in. Everything behind it is closed to others: page, API and MCP alike."""

    login: Login
    inner: Login  # of the page's own requests to itself
    version: str = ""  # of the page's own files
    _sessions: dict[str, None] = field(default_factory=dict, repr=False)

    async def answer(self, method: str, path: str, headers: Mapping[str, str], receive: Receive) -> Reply | None:
        """None for who may pass; else what to tell them."""
        if path.startswith(OPEN):
            return None
        if method == "POST" and path in ("/", "/login", "/login/"):
            # The sign-in page posts to its own address: so the place a link names after "#" outlives signing in.
            return await self._sign_in(path, receive)
        if self._is_known(headers):
            return None
        if method in ("GET", "HEAD") and path == "/":
            return Reply(401, sign_in_page(self.version))
        return Reply(401, json.dumps({"detail": "authentication is required"}), "application/json")

    def _is_known(self, headers: Mapping[str, str]) -> bool:
        said = headers.get("authorization", "")
        if self.login.admits_header(said) or self.inner.admits_header(said):
            return True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and cookie.value in self._sessions

    async def _sign_in(self, path: str, receive: Receive) -> Reply:
        form = parse_qs((await _body(receive)).decode("utf-8", "replace"))
        user, password = (form.get(name, [""])[0] for name in ("username", "password"))
        asked_by_program = path != "/"
        if not self.login.admits(user, password):
            await asyncio.sleep(WRONG_SECONDS)
            if asked_by_program:
                return Reply(401, json.dumps({"detail": "wrong user name or password"}), "application/json")
            return Reply(401, sign_in_page(self.version, wrong=True))
        token = secrets.token_urlsafe(32)
        self._sessions[token] = None
        while len(self._sessions) > SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        cookie = ("set-cookie", f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax")
        if asked_by_program:
            return Reply(200, json.dumps({"success": True}), "application/json", (cookie,))
        return Reply(303, "", headers=(cookie, ("location", "/")))


def sign_in_page(version: str, *, wrong: bool = False) -> str:
    """The page before the page, in both languages: nobody has chosen one yet. It tells nothing of what is inside."""
    both = {key: f"{say('zh', key)} · {say('en', key)}" for key in ("sign_in", "user", "password", "wrong_password")}
    title = say("zh", "title")
    error = tag("p", safe(both["wrong_password"]), class_="reason", role="alert") if wrong else ""
    fields = "".join(
        tag(
            "label",
            tag("span", safe(both[key]))
            + tag("input", type=kind, name=name, autocomplete=hint, required=True, autofocus=key == "user"),
        )
        for key, kind, name, hint in (
            ("user", "text", "username", "username"),
            ("password", "password", "password", "current-password"),
        )
    )
    form = tag("form", fields + error + tag("button", safe(both["sign_in"])), method="post")
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        # Under no-referrer a form is sent with the origin "null", which is nobody's.
        '<meta name="referrer" content="same-origin">'
        + tag("title", safe(title))
        + f'<link rel="icon" href="/page/icon.svg?{version}"><link rel="stylesheet" href="/page/style.css?{version}">'
        + f'<script src="/page/page.js?{version}"></script>'
    )
    main = tag("main", tag("h1", safe(title)) + form)
    return f'<!doctype html>\n<html lang="zh-CN"><head>{head}</head><body class="sign-in">{main}</body></html>\n'


async def _body(receive: Receive) -> bytes:
    data, more = b"", True
    while more and len(data) <= BODY_BYTES:
        message = await receive()
        data += message.get("body", b"")
        more = bool(message.get("more_body"))
    return data[:BODY_BYTES]
