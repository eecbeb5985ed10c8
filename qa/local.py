"""A causal language model run in this process with transformers: safetensors only, no code of its own, no download."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.generate import CONTEXT, MOST_TOKENS, ModelError
from qa.memory import GB, Footprint, available, bandwidth, footprint

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a model runs and with what numbers."""

    device: str  # cpu, cuda, mps
    dtype: torch.dtype
    width: int  # bytes a number
    free: int  # bytes of memory it may take


class TransformersModel:
    """The model in a folder, or of a name that was fetched ahead; see docs/models.md.

    Greedy, so the same prompt gives the same words. One reply at a time: a second waits for the first.

    Raises:
        ModelError: if it is not here, is broken, needs its own code, is no chat model, or does not fit in memory.
    """

    def __init__(self, name_or_folder: str, told: Callable[[str], object] = lambda line: None) -> None:
        folder = _folder(name_or_folder)
        self.name = Path(name_or_folder).name
        try:
            size = footprint(folder)
        except ValueError as error:
            raise ModelError(f"模型 {name_or_folder} 不能用：{error}") from error
        seat = _seat(size)
        need = size.needs(seat.width, CONTEXT)
        card = f"{size.parameters / 1e6:,.0f} 百万参数，预计占内存 {need / GB:.1f} GB，可用 {seat.free / GB:.1f} GB"
        if need > seat.free:
            raise ModelError(f"模型 {self.name} 放不下：{card}；请换小一些的模型")
        told(f"模型 {self.name}：{card}，{_place(seat, size)}")
        self._tokenizer, self._model = _load(folder, self.name, seat)
        limit = getattr(self._model.config, "max_position_embeddings", None)
        self.context = min(CONTEXT, int(limit)) if limit else CONTEXT
        self._one_at_a_time = threading.Lock()

    def count(self, text: str) -> int:
        return len(self._tokens(text)["input_ids"][0])

    def generate(
        self, prompt: str, *, max_tokens: int = MOST_TOKENS, stop: threading.Event | None = None
    ) -> Iterator[str]:
        """The reply, piece by piece.

        Raises:
            ModelError: if the prompt leaves no room for a reply, or the model fails while writing.
        """
        from transformers import StoppingCriteriaList, TextIteratorStreamer

        halt = stop or threading.Event()
        inputs = self._tokens(prompt)
        room = self.context - inputs["input_ids"].shape[1]
        if room < 1:
            raise ModelError(f"原文比 {self.name} 一次能读的（{self.context} 个词元）还长：请换大一些的模型")
        while not self._one_at_a_time.acquire(timeout=0.1):
            if halt.is_set():
                return
        streamer = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
        failed: list[Exception] = []
        asked = {
            **inputs.to(self._model.device),
            "streamer": streamer,
            "max_new_tokens": min(max_tokens, room),
            "do_sample": False,
            "stopping_criteria": StoppingCriteriaList([_Halt(halt)]),
        }
        worker = threading.Thread(target=self._write, args=(asked, streamer, failed), daemon=True)
        worker.start()
        yield from streamer
        if failed:
            raise ModelError(f"{self.name} 中断（{type(failed[0]).__name__}: {str(failed[0])[:200]}）") from failed[0]

    def _write(self, asked: dict[str, Any], streamer: Any, failed: list[Exception]) -> None:
        try:
            self._model.generate(**asked)
        except Exception as error:  # of a thread: torch raises many kinds; the reader gets one line
            failed.append(error)
            streamer.end()
        finally:
            self._one_at_a_time.release()

    def _tokens(self, prompt: str) -> Any:
        return self._tokenizer.apply_chat_template(
            [{"role": "user", "content": self._plain(prompt)}],
            add_generation_prompt=True,
            enable_thinking=False,  # read by the template of Qwen3, which would think for minutes on a laptop
            return_dict=True,
            return_tensors="pt",
        )

    def _plain(self, text: str) -> str:
        """The text with this model's own control tokens broken up, whatever they look like."""
        for token in self._tokenizer.all_special_tokens:
            if len(token) > 1:
                text = text.replace(token, token[0] + " " + token[1:])
        return text


class _Halt:
    """Ends a reply once the event is set; called by transformers after each token."""

    def __init__(self, halt: threading.Event) -> None:
        self._halt = halt

    def __call__(self, input_ids: torch.Tensor, scores: object, **_: object) -> torch.Tensor:
        import torch

        return torch.full((input_ids.shape[0],), self._halt.is_set(), dtype=torch.bool, device=input_ids.device)


def _folder(name_or_folder: str) -> Path:
    """The folder of a model: itself, or where the hub's cache keeps the model of this name."""
    folder = Path(name_or_folder).expanduser()
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name_or_folder, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError, ValueError) as error:
        raise ModelError(
            f"本机没有模型 {name_or_folder}：请给出 save_pretrained 存下的文件夹，或先下载（见 docs/models.md）；"
            "运行时不联网"
        ) from error


def _seat(size: Footprint) -> Seat:
    """The fastest place this model fits in."""
    import torch

    if torch.cuda.is_available():
        dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        seat = Seat("cuda", dtype, 2, int(torch.cuda.mem_get_info()[0]))
        if size.needs(2, CONTEXT) <= seat.free:
            return seat
    free = available()
    if torch.backends.mps.is_available():
        return Seat("mps", torch.float16, 2, free)
    # Without the processor's own bfloat16 every number is widened on the way: half the memory, but slower.
    if torch.cpu._is_avx512_bf16_supported() or size.needs(4, CONTEXT) > free:
        return Seat("cpu", torch.bfloat16, 2, free)
    return Seat("cpu", torch.float32, 4, free)


def _place(seat: Seat, size: Footprint) -> str:
    place = f"{seat.device} {str(seat.dtype).removeprefix('torch.')}"
    if seat.device != "cpu":
        return place
    return f"{place}，每秒至多约 {bandwidth() / max(1, size.parameters * seat.width):.0f} 个词元"


def _load(folder: Path, name: str, seat: Seat) -> tuple[Any, Any]:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    if not sys.stderr.isatty():
        logging.disable_progress_bar()
    here: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, **here)
        if not tokenizer.chat_template:
            raise ModelError(f"模型 {name} 没有对话模板：请选对话（chat、instruct）模型")
        model: Any = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True, dtype=seat.dtype, **here)
        model.to(seat.device).eval()
    except ModelError:
        raise
    except Exception as error:  # a broken folder fails in as many ways as it can be broken
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(f"模型 {name} 装不起来（{lines[0][:200]}）") from error
    # A checkpoint may come with sampling switched on; greedy takes none of its settings.
    for setting in ("temperature", "top_p", "top_k", "min_p"):
        setattr(model.generation_config, setting, None)
    return tokenizer, model
