"""The OpenAI-compatible endpoint, asked as other chat clients ask it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from conftest import Served

ASKED = {"role": "user", "content": "海州市有几座图书馆？"}


def post(served: Served, **body: Any) -> httpx.Response:
    return httpx.post(f"{served.url}/v1/chat/completions", json=body)


def test_an_answer_with_its_citations(served: Served) -> None:
    reply = post(served, model="gazette-qa", messages=[{"role": "system", "content": "be brief"}, ASKED]).json()
    content = reply["choices"][0]["message"]["content"]
    assert content.startswith("**12座**")
    assert "> 全市现有公共图书馆12座" in content
    assert f"{served.url}/#q=" in content
    assert reply["object"] == "chat.completion"
    assert reply["gazette_answer"]["citations"][0]["n"] == 1


def test_a_stream_says_the_same(served: Served) -> None:
    whole = post(served, messages=[ASKED]).json()["choices"][0]["message"]["content"]
    lines = [line[6:] for line in post(served, messages=[ASKED], stream=True).text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    chunks = [json.loads(line)["choices"][0] for line in lines[:-1]]
    assert "".join(c["delta"].get("content", "") for c in chunks) == whole
    assert chunks[-1]["finish_reason"] == "stop"


def test_a_follow_up_knows_what_was_asked(served: Served) -> None:
    messages = [ASKED, {"role": "assistant", "content": "12座"}, {"role": "user", "content": "其中少儿图书馆呢？"}]
    assert post(served, messages=messages).json()["gazette_answer"]["resolved_question"] == "海州市少儿图书馆有几座？"


def test_parts_of_text_are_joined(served: Served) -> None:
    parts = [{"type": "text", "text": "海州市有几座"}, {"type": "image_url"}, {"type": "text", "text": "图书馆？"}]
    reply = post(served, messages=[{"role": "user", "content": parts}]).json()
    assert reply["gazette_answer"]["answer"] == "12座"


def test_an_abstention_is_said(served: Served) -> None:
    reply = post(served, messages=[{"role": "user", "content": "今年的税收是多少？"}]).json()
    assert reply["choices"][0]["message"]["content"] == "公报里没有找到答案：所收公报没有谈到这件事"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="not JSON"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(b"[]", id="not an object"),
        pytest.param(b'{"messages": "hello"}', id="messages not a list"),
        pytest.param(b'{"messages": [{"role": "system", "content": "x"}]}', id="nobody asked"),
        pytest.param(b'{"messages": [{"role": "user", "content": " "}]}', id="empty question"),
        pytest.param(b'{"messages": [{"role": "user", "content": 7}]}', id="not text"),
        pytest.param(b'{"messages": [' + b" " * 1_100_000 + b"]}", id="too large"),
    ],
)
def test_requests_that_cannot_be_answered(served: Served, body: bytes) -> None:
    reply = httpx.post(f"{served.url}/v1/chat/completions", content=body)
    assert reply.status_code == 400
    assert reply.json()["error"]["message"]


def test_models(served: Served) -> None:
    assert httpx.get(f"{served.url}/v1/models").json()["data"][0]["id"] == "gazette-qa"
