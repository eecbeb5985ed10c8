"""The page asked by programs: gradio's client, and the same endpoints as MCP tools."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

if TYPE_CHECKING:
    from conftest import Served

TOOLS = {"ask", "search", "list_gazettes", "read_document", "digest", "cite", "ledger", "feedback"}


@pytest.fixture(scope="module")
def client(served: Served) -> Iterator[Client]:
    client = Client(served.url, verbose=False, analytics_enabled=False)
    yield client
    client.close()


def test_the_page_offers_its_actions_and_nothing_else(client: Client) -> None:
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {f"/{tool}" for tool in TOOLS}
    assert client.view_api(return_format="dict")["unnamed_endpoints"] == {}


def test_ask(client: Client) -> None:
    record = client.predict("海州市有几座图书馆？", api_name="/ask")
    assert (record["status"], record["answer"]) == ("answered", "12座")
    assert record["citations"][0]["source"] == "海州市公报-2022年第1号.md"
    assert len(record["passages"]) == 10


def test_ask_narrowed_and_after_a_question(client: Client) -> None:
    record = client.predict("海州市有几座图书馆？", year=2021, k=3, api_name="/ask")
    assert (record["status"], len(record["passages"])) == ("not_found", 3)
    record = client.predict("其中少儿图书馆呢？", earlier_questions=["海州市有几座图书馆？"], api_name="/ask")
    assert record["resolved_question"] == "海州市少儿图书馆有几座？"


def test_search_and_read(client: Client) -> None:
    hits = client.predict("图书馆", k=2, api_name="/search")
    assert [h["rank"] for h in hits] == [1, 2]
    gazettes = client.predict(api_name="/list_gazettes")
    document = next(d for g in gazettes for d in g["documents"] if d["title"] == "关于全市图书馆建设情况的报告")
    read = client.predict(document["id"], api_name="/read_document")
    assert "全市现有公共图书馆12座" in read["text"]
    assert read["next"] is None
    rest = client.predict(document["id"], start=read["end"] - 5, api_name="/read_document")
    assert rest["text"] == read["text"][-5:]


def test_digest(client: Client) -> None:
    gazettes = client.predict(api_name="/list_gazettes")
    document = next(d for g in gazettes for d in g["documents"] if d["title"] == "关于全市图书馆建设情况的报告")
    made = client.predict(document["id"], api_name="/digest")
    assert made["gist"]["quote"].startswith("全市现有公共图书馆12座")
    assert "12座" in [figure["printed"] for figure in made["figures"]]
    others = [
        client.predict(d["id"], api_name="/digest") for g in gazettes for d in g["documents"] if d["kind"] == "决定"
    ]
    assert "2025年底前" in [demand["deadline"] for other in others for demand in other["demands"]]


def test_cite_and_ledger(client: Client) -> None:
    assert client.predict("海州市有几座图书馆？", style="bibtex", api_name="/cite").startswith("@misc{")
    sample = next(g for g in client.predict(api_name="/list_gazettes") if g["year"] == 2021)
    assert client.predict("votes", gazette=sample["id"], api_name="/ledger")


@pytest.mark.parametrize(
    ("endpoint", "arguments", "message"),
    [
        ("/ask", ("",), "请先写下问题"),
        ("/read_document", ("nowhere",), "list_gazettes"),
        ("/digest", ("nowhere",), "list_gazettes"),
        ("/cite", ("海州市有几座图书馆？", 9), "no citation 9"),
        ("/cite", ("海州市有几座图书馆？", 1, "apa"), "unknown style"),
        ("/ledger", ("weather",), "no such ledger"),
        ("/feedback", ("海州市有几座图书馆？", "maybe"), "unknown verdict"),
    ],
)
def test_what_cannot_be_done_is_said(client: Client, endpoint: str, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(AppError, match=message):
        client.predict(*arguments, api_name=endpoint)


def test_feedback_is_kept_as_lines(client: Client, served: Served) -> None:
    client.predict("海州市有几座图书馆？", "wrong", "应当是13座", api_name="/feedback")
    line = json.loads(served.feedback.read_text(encoding="utf-8").splitlines()[-1])
    assert (line["verdict"], line["note"], line["answer"]) == ("wrong", "应当是13座", "12座")
    assert "passages" not in line


def test_the_same_actions_are_mcp_tools(served: Served) -> None:
    def call(method: str, params: dict[str, object]) -> dict[str, object]:
        reply = httpx.post(
            f"{served.url}/gradio_api/mcp/",
            json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params},
            headers={"accept": "application/json, text/event-stream"},
            follow_redirects=True,
            timeout=20,
        )
        data = next(line[5:] for line in reply.text.splitlines() if line.startswith("data:"))
        result: dict[str, object] = json.loads(data)["result"]
        return result

    tools = call("tools/list", {})["tools"]
    assert {tool["name"] for tool in tools} == TOOLS  # type: ignore[attr-defined]
    said = call("tools/call", {"name": "ask", "arguments": {"question": "海州市有几座图书馆？"}})
    assert "12座" in json.dumps(said, ensure_ascii=False)
