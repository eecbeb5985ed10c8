"""An OpenAI-compatible server (Ollama, llama.cpp, vLLM, LM Studio), asked with the ``openai`` client."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from qa.generate import CONTEXT, MOST_TOKENS, ModelError, roughly

_CONNECT_SECONDS, _SILENCE_SECONDS = 5.0, 120.0


class ServedModel:
    """A model behind an address. No request leaves this machine, but to a host the operator named.

    Raises:
        ModelError: if the address is elsewhere, no model is named, or the client is not installed.
    """

    context = CONTEXT

    def __init__(self, url: str, name: str, *, hosts: Sequence[str] = (), key: str | None = None) -> None:
        host = urlsplit(url).hostname or ""
        if not _is_loopback(host) and host not in hosts:
            raise ModelError(
                f"模型服务 {url} 不在本机：请用 127.0.0.1 或 localhost 的地址；"
                f"确要把问题和原文发到那台机器，加 --model-host {host or 'HOST'}"
            )
        if not name:
            raise ModelError(f"没有写模型名：openai:{url}#模型名")
        try:
            from openai import DefaultHttpxClient, OpenAI, Timeout
        except ImportError as error:
            raise ModelError('没有安装 openai 客户端：pip install "gazette-qa[served]"') from error
        self.url, self.name = url.rstrip("/"), name
        # trust_env off: a proxy from the environment would carry the question elsewhere; so would a redirect.
        client = DefaultHttpxClient(
            timeout=Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS), trust_env=False, follow_redirects=False
        )
        # A key is always given, else the client would take the one meant for another service from the environment.
        self._client = OpenAI(
            base_url=self.url, api_key=key or "none", organization="", project="", max_retries=0, http_client=client
        )

    def count(self, text: str) -> int:
        return roughly(text)

    def generate(
        self, prompt: str, *, max_tokens: int = MOST_TOKENS, stop: threading.Event | None = None
    ) -> Iterator[str]:
        """The reply, piece by piece, as the server streams it.

        Raises:
            ModelError: if the server does not answer, answers with an error, or breaks off.
        """
        from openai import APIStatusError

        finished = False
        try:
            with self._client.chat.completions.create(
                model=self.name,
                messages=[{"role": "user", "content": prompt}],
                max_tokens=max_tokens,
                temperature=0,
                seed=0,
                stream=True,
                # Read by vLLM and llama.cpp, passed over by the others: Qwen3 would think for minutes on a laptop.
                extra_body={"chat_template_kwargs": {"enable_thinking": False}},
            ) as stream:
                for chunk in stream:
                    if stop is not None and stop.is_set():
                        return
                    for choice in chunk.choices or ():
                        if choice.delta and isinstance(choice.delta.content, str):
                            yield choice.delta.content
                        finished = finished or bool(choice.finish_reason)
        except APIStatusError as error:
            raise ModelError(f"模型服务 {self.url} 返回状态 {error.status_code}：请看它的日志") from error
        except Exception as error:  # what a broken stream raises depends on the client's own client
            raise ModelError(f"模型服务 {self.url} 连不上或中断（{type(error).__name__}）：它在运行吗？") from error
        if not finished:
            raise ModelError(f"模型服务 {self.url} 中断：回答没有结束")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
