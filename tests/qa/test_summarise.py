"""Summaries: a model's words reach the reader only as far as the quotes carry them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from qa.generate import ModelError, load_model
from qa.records import Answer, Citation
from qa.summarise import stream, summarise

QUOTES = ("全市现有图书馆12座，其中县级9座。", "图书馆每周开放不少于56小时，严禁收取借阅费用。")


def citation(n: int, quote: str) -> Citation:
    return Citation(n, quote, 0, 0, "a.md", "s", "某公报", "某报告", "s-01", (), None, 1, None, 0, len(quote), "")


ANSWER = Answer(
    "图书馆有多少座？",
    "图书馆有多少座？",
    "answered",
    "12座",
    QUOTES[0],
    0.9,
    citations=tuple(citation(n, q) for n, q in enumerate(QUOTES, 1)),
)


class Fake:
    """A model that says what the test tells it to, a few characters at a time."""

    name = "fake"

    def __init__(self, reply: str, size: int = 3) -> None:
        self.reply, self.size, self.prompts = reply, size, list[str]()

    def generate(self, prompt: str, *, max_tokens: int = 400, stop: threading.Event | None = None) -> Iterator[str]:
        self.prompts.append(prompt)
        for at in range(0, len(self.reply), self.size):
            if stop is not None and stop.is_set():
                return
            yield self.reply[at : at + self.size]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(
            "全市现有图书馆12座[1]。", [("全市现有图书馆12座。", (1,), "verbatim")], id="mark before the stop"
        ),
        pytest.param("全市现有图书馆12座。[1]", [("全市现有图书馆12座。", (1,), "verbatim")], id="mark after the stop"),
        pytest.param("全市图书馆共12座。", [("全市图书馆共12座。", (1,), "consistent")], id="mark forgotten"),
        pytest.param("全市现有图书馆13座[1]。", [("全市现有图书馆13座。", (), "unsupported")], id="figure changed"),
        pytest.param("图书馆可以收取借阅费用[2]。", [("图书馆可以收取借阅费用。", (), "unsupported")], id="ban turned"),
        pytest.param(
            "全市现有图书馆12座[1]。图书馆都很漂亮[1]。严禁收取借阅费用[2]。",
            [
                ("全市现有图书馆12座。", (1,), "verbatim"),
                ("图书馆都很漂亮。", (), "unsupported"),
                ("严禁收取借阅费用。", (2,), "verbatim"),
            ],
            id="each sentence on its own",
        ),
        pytest.param("其中县级9座[7]。", [("其中县级9座。", (1,), "verbatim")], id="mark of a quote that is not there"),
        pytest.param("。。！\n", [], id="nothing said"),
    ],
)
def test_each_sentence_is_proved(reply: str, expected: list[tuple[str, tuple[int, ...], str]]) -> None:
    for size in (1, 3, 500):
        said = [(s.text, s.citations, s.support) for s in stream(ANSWER, Fake(reply, size))]
        assert said == expected


def test_only_supported_sentences_are_the_summary_text() -> None:
    answer = summarise(ANSWER, Fake("全市现有图书馆12座[1]。市长叫王五[1]。"))
    assert answer.summary is not None
    assert answer.summary.text == "全市现有图书馆12座。"
    assert answer.citations == ANSWER.citations
    assert answer.timings.total >= answer.timings.summarise > 0


def test_an_abstention_is_not_summarised() -> None:
    model = Fake("全市现有图书馆12座。")
    assert summarise(replace(ANSWER, status="not_found", citations=()), model).summary is None
    assert model.prompts == []


def test_stopping_ends_the_model() -> None:
    stop = threading.Event()
    sentences = stream(ANSWER, Fake("全市现有图书馆12座。" * 1000), stop)
    next(sentences)
    stop.set()
    assert len(list(sentences)) <= 1


def test_the_question_and_every_quote_are_in_the_prompt() -> None:
    model = Fake("")
    summarise(ANSWER, model)
    assert all(text in model.prompts[0] for text in (*QUOTES, ANSWER.question))


@pytest.mark.parametrize(
    "url", ["http://example.com/v1", "https://10.0.0.1/v1", "http://127.0.0.1.evil.cn/v1", "http:///v1"]
)
def test_a_server_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(ModelError, match="not on this machine"):
        load_model(url)


class _Server(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200 if asked["model"] == "small" else 404)
        self.end_headers()
        if asked["model"] == "small":
            for piece in ("全市现有图书馆", "12座[1]。"):
                chunk = {"choices": [{"delta": {"content": piece}}]}
                self.wfile.write(f": keep-alive\n\ndata: {json.dumps(chunk)}\n\n".encode())
            self.wfile.write(b"data: not json\n\ndata: [DONE]\n\n")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Server) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/v1"
        http.shutdown()


def test_a_server_on_this_machine_is_asked(server: str) -> None:
    summary = summarise(ANSWER, load_model(server, served_as="small")).summary
    assert summary is not None
    assert (summary.model, summary.text) == ("small", "全市现有图书馆12座。")


def test_a_server_that_fails_says_so(server: str) -> None:
    with pytest.raises(ModelError, match="status 404"):
        summarise(ANSWER, load_model(server, served_as="absent"))
    with pytest.raises(ModelError, match="cannot be reached"):
        summarise(ANSWER, load_model("http://127.0.0.1:9/v1"))


@pytest.mark.slow
def test_a_transformers_folder_is_loaded_and_asked(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    letters = sorted(set("".join(QUOTES) + ANSWER.question))
    tokenizer = Tokenizer(
        models.WordLevel({"[UNK]": 0, "[EOS]": 1} | {c: i for i, c in enumerate(letters, 2)}, "[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", eos_token="[EOS]")  # noqa: S106
    fast.save_pretrained(tmp_path)
    config = GPT2Config(vocab_size=len(fast), n_positions=512, n_embd=16, n_layer=1, n_head=2, eos_token_id=1)
    GPT2LMHeadModel(config).save_pretrained(tmp_path)
    # Random weights say nothing true: what matters is that it loads, ends, and is judged.
    summary = summarise(ANSWER, load_model(str(tmp_path))).summary
    assert summary is None or summary.text == ""


def test_a_folder_without_a_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="save_pretrained"):
        load_model(str(tmp_path / "absent"))
