"""An OpenAI-compatible ``/v1/chat/completions``, so that other chat clients can ask this assistant."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from index.records import Filter
from page.answers import link
from page.desk import Desk, Refused, checked
from page.export import escape_markdown
from page.strings import say
from qa.records import Answer, Turn

if TYPE_CHECKING:
    from page.gate import Login

MODEL = "gazette-qa"
BODY_BYTES = 1_000_000
MEMORY = 5  # earlier questions of the client that are asked again, so that a follow-up can be completed


class BadRequest(ValueError):  # noqa: N818 - OpenAI's clients know it by this name
    """The request cannot be answered; the message is for the client."""


def serve_completions(app: FastAPI, desk: Desk, login: Login | None) -> None:
    """Add the two routes to the application. With a login they take it as a Basic or a Bearer (``user:password``)."""

    async def models(request: Request) -> Response:
        if not _admitted(request, login):
            return _error("authentication is required", 401)
        return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "local"}]})

    async def completions(request: Request) -> Response:
        if not _admitted(request, login):
            return _error("authentication is required", 401)
        try:
            body = await _body(request)
            questions = _questions(body)
            answer = await run_in_threadpool(_answer, desk, questions)
        except (BadRequest, Refused) as error:
            return _error(str(error), 400)
        base = str(request.base_url).rstrip("/")
        content = message(answer, base)
        envelope = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": MODEL}
        if body.get("stream"):
            return StreamingResponse(_stream(envelope, content), media_type="text/event-stream")
        choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        record = answer.to_json(desk.library.names(""))
        return JSONResponse(
            {**envelope, "object": "chat.completion", "choices": [choice], "usage": usage, "gazette_answer": record}
        )

    app.add_api_route("/v1/models", models, methods=["GET"])
    app.add_api_route("/v1/chat/completions", completions, methods=["POST"])


def message(answer: Answer, base: str) -> str:
    """The answer as Markdown: the short answer, each quote with its number, then the references with their links."""
    if not answer.citations:
        return "：".join(part for part in (say("zh", "not_found"), answer.reason) if part)
    head = [say("zh", "conflict")] if answer.status == "conflict" else []
    head += [f"**{escape_markdown(answer.answer)}**"] if answer.answer else []
    quotes = [f"> {escape_markdown(c.quote)} [{c.n}]" for c in answer.citations]
    references = [
        f"[{c.n}] {escape_markdown(c.reference)} <{base}/{link(answer.question, c.source_id, c.start, c.end)}>"
        for c in answer.citations
    ]
    return "\n\n".join([*head, *quotes, *references])


def _answer(desk: Desk, questions: list[str]) -> Answer:
    turns: tuple[Turn, ...] = ()
    for earlier in questions[:-1]:
        turns = (*turns, Turn(earlier, desk.answer(earlier, turns, Filter(), "")))
    return desk.answer(questions[-1], turns, Filter(), "")


def _questions(body: dict[str, Any]) -> list[str]:
    """What the user said, oldest first, the last few only; what the assistant said is not needed.

    Raises:
        BadRequest: if there is no message of a user, or the last is not text.
    """
    messages = body.get("messages")
    if not isinstance(messages, list):
        raise BadRequest("messages must be a list")
    said = [_text(m.get("content")) for m in messages if isinstance(m, dict) and m.get("role") == "user"]
    if not said:
        raise BadRequest("messages holds nothing a user said")
    return [*(s for s in said[-MEMORY - 1 : -1] if s.strip()), checked(said[-1], "zh")]


def _text(content: object) -> str:
    """The text of a message: a string, or a list of parts as clients with images send it."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(str(p.get("text", "")) for p in content if isinstance(p, dict) and p.get("type") == "text")
    return ""


async def _body(request: Request) -> dict[str, Any]:
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > BODY_BYTES:
            raise BadRequest(f"the request is over {BODY_BYTES:,} bytes")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadRequest("the request is not JSON") from error
    if not isinstance(body, dict):
        raise BadRequest("the request must be a JSON object")
    return body


def _stream(envelope: dict[str, Any], content: str) -> Iterator[str]:
    """Paragraph by paragraph: the answer is there at once, only clients expect a stream."""
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in content.splitlines(keepends=True)]
    for delta in deltas:
        yield _event(envelope, delta, None)
    yield _event(envelope, {}, "stop")
    yield "data: [DONE]\n\n"


def _event(envelope: dict[str, Any], delta: dict[str, str], finish: str | None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {**envelope, "object": "chat.completion.chunk", "choices": [choice]}
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"


def _admitted(request: Request, login: Login | None) -> bool:
    return login is None or login.admits_header(request.headers.get("authorization", ""))


def _error(text: str, status: int) -> JSONResponse:
    kind = "authentication_error" if status == 401 else "invalid_request_error"
    return JSONResponse({"error": {"message": text, "type": kind, "code": None}}, status_code=status)
