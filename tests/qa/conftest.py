"""Models for tests: scripted ones that say what they are told to, and a real one, small and of random weights."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from qa.records import Answer, Citation

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
QUOTES = ("全市现有图书馆12座，其中县级9座。", "图书馆每周开放不少于56小时，严禁收取借阅费用。")


def citation(n: int, quote: str) -> Citation:
    return Citation(n, quote, 0, 0, "a.md", "s", "某公报", "某报告", "s-01", (), None, 1, None, 0, len(quote), "")


def answer_of(*quotes: str, question: str = "图书馆有多少座？") -> Answer:
    """An answer that quotes these."""
    cited = tuple(citation(n, quote) for n, quote in enumerate(quotes, 1))
    return Answer(question, question, "answered", "12座", quotes[0], 0.9, citations=cited)


class Scripted:
    """A model that says what the test tells it to, a few characters at a time; an error in the script is raised."""

    name = "scripted"
    context = 4096

    def __init__(self, reply: str | Iterable[str | Exception] | Callable[[str], str], size: int = 3) -> None:
        self.reply, self.size = reply, size
        self.prompts: list[str] = []
        self.stopped = threading.Event()

    def count(self, text: str) -> int:
        return len(text)

    def generate(self, prompt: str, *, max_tokens: int = 400, stop: threading.Event | None = None) -> Iterator[str]:
        self.prompts.append(prompt)
        said = self.reply(prompt) if callable(self.reply) else self.reply
        pieces = (said[at : at + self.size] for at in range(0, len(said), self.size)) if isinstance(said, str) else said
        for piece in pieces:
            if stop is not None and stop.is_set():
                self.stopped.set()
                return
            if isinstance(piece, Exception):
                raise piece
            yield piece


def save_tiny_model(folder: Path, *, seed: int = 0, positions: int = 2048, template: str | None = TEMPLATE) -> Path:
    """A Llama of 20,000 random weights with one token a character, saved as a real one is."""
    import torch
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted({chr(c) for c in range(32, 127)} | set("\n。，、：；！？“”《》〈〉") | set("".join(QUOTES)))
    vocabulary = {"[UNK]": 0} | {letter: i for i, letter in enumerate(letters, 1)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", eos_token="<|im_end|>")  # noqa: S106
    fast.add_special_tokens({"additional_special_tokens": [AddedToken("<|im_start|>", special=True)]})
    fast.chat_template = template
    fast.save_pretrained(folder)
    torch.set_num_threads(1)  # for so small a model two threads spend their time waiting for each other
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(fast), hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=positions, eos_token_id=fast.eos_token_id,
        bos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("tiny") / "tiny-chat")


@pytest.fixture
def scripted() -> type[Scripted]:
    return Scripted


@pytest.fixture
def answering() -> Callable[..., Answer]:
    """``answer_of``; with no quotes, over two about libraries."""
    return lambda *quotes, **said: answer_of(*(quotes or QUOTES), **said)


@pytest.fixture
def save_model() -> Callable[..., Path]:
    return save_tiny_model
