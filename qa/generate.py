"""Local language models that may word a summary: a transformers model on this machine, or a server on loopback.

Nothing they say is trusted: ``qa.summarise`` checks every sentence against its quotes before a reader sees it.
"""

from __future__ import annotations

import ipaddress
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from index.records import GazetteError

_CONNECT_SECONDS, _SILENCE_SECONDS = 5.0, 120.0


class ModelError(GazetteError):
    """A model that cannot be loaded or reached."""


class Model(Protocol):
    """Anything that continues a conversation of one message."""

    @property
    def name(self) -> str: ...

    def generate(self, prompt: str, *, max_tokens: int = 400, stop: threading.Event | None = None) -> Iterator[str]:
        """The reply, piece by piece; ends early once ``stop`` is set."""
        ...


def load_model(spec: str, *, served_as: str = "default", key: str | None = None) -> Model:
    """The model a user named: ``http://127.0.0.1:…/v1`` for a server on this machine, else a model's folder or name.

    Raises:
        ModelError: if the address is not on this machine, or no such model is here.
    """
    if spec.startswith(("http://", "https://")):
        return ServedModel(spec, served_as, key)
    return TransformersModel(spec)


class ServedModel:
    """An OpenAI-compatible server on this machine (llama.cpp, vLLM, Ollama). No request leaves loopback."""

    def __init__(self, url: str, model: str, key: str | None = None) -> None:
        if not _is_loopback(urlsplit(url).hostname or ""):
            raise ModelError(f"model server {url} is not on this machine: give an address on 127.0.0.1 or localhost")
        self.url = url.rstrip("/")
        self.name = model
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def generate(self, prompt: str, *, max_tokens: int = 400, stop: threading.Event | None = None) -> Iterator[str]:
        """The reply, piece by piece, as the server streams it.

        Raises:
            ModelError: if the server does not answer, or answers with an error.
        """
        import httpx

        body = {
            "model": self.name,
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": max_tokens,
            "temperature": 0,
            "stream": True,
        }
        timeout = httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS)
        # trust_env off: a proxy from the environment would carry the question off this machine.
        try:
            with (
                httpx.Client(timeout=timeout, trust_env=False, follow_redirects=False) as client,
                client.stream("POST", f"{self.url}/chat/completions", json=body, headers=self._headers) as reply,
            ):
                if reply.status_code != httpx.codes.OK:
                    raise ModelError(f"model server {self.url} answered with status {reply.status_code}: see its log")
                for line in reply.iter_lines():
                    if stop is not None and stop.is_set():
                        return
                    yield from _delta(line)
        except httpx.HTTPError as error:
            raise ModelError(f"model server {self.url} cannot be reached ({error}): is it running?") from error


def _delta(line: str) -> Iterator[str]:
    """The text in one line of a server-sent event stream; nothing for keep-alives and lines that are not JSON."""
    data = line.removeprefix("data:").strip()
    if not line.startswith("data:") or data == "[DONE]":
        return
    try:
        piece = json.loads(data)["choices"][0]["delta"].get("content")
    except (ValueError, LookupError, TypeError, AttributeError):
        return
    if isinstance(piece, str):
        yield piece


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class TransformersModel:
    """A causal language model in a folder (or the local hub cache), run in this process. Safetensors weights only."""

    def __init__(self, name_or_folder: str) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(name_or_folder, local_files_only=True)
            self._model: Any = AutoModelForCausalLM.from_pretrained(
                name_or_folder, local_files_only=True, use_safetensors=True
            )
        except (OSError, ValueError, KeyError) as error:
            reason = str(error).splitlines()[0]
            raise ModelError(
                f"no language model at {name_or_folder!r} ({reason}): give a folder saved by save_pretrained, "
                "or the address of a server on this machine"
            ) from error
        self._model.eval()
        self.name = Path(name_or_folder).name

    def generate(self, prompt: str, *, max_tokens: int = 400, stop: threading.Event | None = None) -> Iterator[str]:
        """The reply, piece by piece; greedy, so the same prompt gives the same words."""
        from transformers import StoppingCriteriaList, TextIteratorStreamer

        halt = stop or threading.Event()
        if self._tokenizer.chat_template:
            inputs = self._tokenizer.apply_chat_template(
                [{"role": "user", "content": prompt}], add_generation_prompt=True, return_dict=True, return_tensors="pt"
            )
        else:
            inputs = self._tokenizer(prompt, return_tensors="pt")
        room = getattr(self._model.config, "max_position_embeddings", None)
        if room is not None and inputs["input_ids"].shape[1] + 1 > room:
            raise ModelError(f"the passages are longer than {self.name} can read ({room} tokens): use a larger model")
        streamer = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
        worker = threading.Thread(
            target=self._model.generate,
            kwargs={
                **inputs,
                "streamer": streamer,
                "max_new_tokens": min(max_tokens, (room or max_tokens) - inputs["input_ids"].shape[1] or 1),
                "do_sample": False,
                "stopping_criteria": StoppingCriteriaList([lambda ids, scores, **_: halt.is_set()]),
            },
            daemon=True,
        )
        worker.start()
        try:
            yield from streamer
        finally:
            halt.set()  # a reader who left must not keep the processor busy
            worker.join()
