"""Local language models that may word a summary: what one is, and a reply of it within a time limit.

Nothing they say is trusted: ``qa.summarise`` checks every sentence against its quotes before a reader sees it.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, Queue
from typing import Protocol

from index.records import GazetteError

MOST_TOKENS = 400  # of a reply: three sentences with their marks are about 150
CONTEXT = 4096  # tokens, prompt and reply together: more is read slowly on a laptop, and no summary needs it
SECONDS = (
    120.0  # for a summary: a laptop without a GPU writes three sentences in one minute; nobody waits longer than two
)
SERVED = "openai:"
_LOOK_UP = 0.1  # seconds between looks at the clock while a model is silent


class ModelError(GazetteError):
    """A model that cannot be loaded, reached, or asked."""


class OutOfTime(ModelError):  # noqa: N818 - it says what happened
    """The model did not finish in the time it was given."""


class Model(Protocol):
    """Anything that continues a conversation of one message."""

    @property
    def name(self) -> str: ...

    @property
    def context(self) -> int:
        """How many tokens it takes, prompt and reply together."""
        ...

    def count(self, text: str) -> int:
        """How many tokens a prompt has."""
        ...

    def generate(
        self, prompt: str, *, max_tokens: int = MOST_TOKENS, stop: threading.Event | None = None
    ) -> Iterator[str]:
        """The reply, piece by piece; ends early once ``stop`` is set."""
        ...


def load_model(
    spec: str, *, hosts: Sequence[str] = (), key: str | None = None, told: Callable[[str], object] = lambda line: None
) -> Model:
    """The model a user named: ``openai:URL#NAME`` for a server, else a model's folder or name.

    A server is asked only on this machine, or on one of ``hosts``. ``told`` gets a line with size, memory and speed
    before a model is loaded here.

    Raises:
        ModelError: if the address is not allowed, or no such model is here.
    """
    if spec.startswith(("http://", "https://")):
        raise ModelError(f"{spec}：模型服务请写成 {SERVED}{spec}#模型名")
    if spec.startswith(SERVED):
        from qa.served import ServedModel

        url, _, name = spec.removeprefix(SERVED).partition("#")
        return ServedModel(url, name, hosts=hosts, key=key)
    from qa.local import TransformersModel

    return TransformersModel(spec, told)


def roughly(text: str) -> int:
    """About how many tokens a text has, for a server that does not say; rather too many than too few.

    A Han character is one token or less in the tokenizers of today's Chinese models, other characters a third.
    """
    han = len(re.findall(r"[\u2e80-\uffff]", text))
    return han + -(-(len(text) - han) // 2)


def reply(
    model: Model,
    prompt: str,
    *,
    max_tokens: int = MOST_TOKENS,
    stop: threading.Event | None = None,
    seconds: float = SECONDS,
) -> Iterator[str]:
    """The model's reply, piece by piece; ends at once when ``stop`` is set, even while the model says nothing.

    Raises:
        OutOfTime: after ``seconds``.
        ModelError: if the model fails, in whatever way it does.
    """
    said: Queue[str | Exception | None] = Queue()
    halt = threading.Event()
    worker = threading.Thread(target=_speak, args=(model, prompt, max_tokens, halt, said), daemon=True)
    worker.start()
    until = time.monotonic() + seconds
    try:
        while True:
            if stop is not None and stop.is_set():
                return
            left = until - time.monotonic()
            if left <= 0:
                raise OutOfTime(f"{seconds:.0f} 秒内没有写完")
            try:
                item = said.get(timeout=min(_LOOK_UP, left))
            except Empty:
                continue
            if item is None:
                return
            if isinstance(item, ModelError):
                raise item
            if isinstance(item, Exception):
                raise ModelError(f"{model.name} 中断（{_first_line(item)}）") from item
            yield item
    finally:
        halt.set()  # a reader who left must not keep the processor busy


def _speak(
    model: Model, prompt: str, max_tokens: int, halt: threading.Event, said: Queue[str | Exception | None]
) -> None:
    try:
        for piece in model.generate(prompt, max_tokens=max_tokens, stop=halt):
            said.put(piece)
            if halt.is_set():
                break
        said.put(None)
    except Exception as error:  # of a thread: whatever it is, the reader gets one line and the extract
        said.put(error)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
