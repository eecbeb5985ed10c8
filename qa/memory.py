"""What a model will need before it is loaded: parameters and memory from its files, and what this machine has left."""

from __future__ import annotations

import json
import math
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BYTES = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2}  # what is not here takes one byte
_LONGEST_HEADER = 100_000_000  # bytes, as the safetensors library allows
_AROUND = 400_000_000  # bytes: torch and transformers themselves; measured 376 MB with a model of 20,000 weights
GB = 1e9


@dataclass(frozen=True, slots=True)
class Footprint:
    """The size of a model as its files tell it."""

    parameters: int
    stored: int  # bytes of its weights on disk
    cache: int  # numbers kept for each token of the context

    def needs(self, width: int, context: int) -> int:
        """Bytes of memory it takes with ``width`` bytes a number and a full context."""
        return self.parameters * width + self.cache * context * width + _AROUND


def footprint(folder: Path) -> Footprint:
    """The size of the model in a folder, from the headers of its safetensors files; no weight is read.

    Raises:
        ValueError: if there are none, or one is damaged.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ValueError("没有 .safetensors 权重")
    parameters = stored = 0
    for file in files:
        for entry in _header(file).values():
            numbers = math.prod(entry["shape"])
            parameters += numbers
            stored += numbers * _BYTES.get(entry["dtype"], 1)
    return Footprint(parameters, stored, _cache(_config(folder)))


def _header(file: Path) -> dict[str, Any]:
    """The tensors of a file by name. Source: the safetensors format, 8 bytes of length, then JSON."""
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _LONGEST_HEADER:
                raise ValueError(length)
            header: dict[str, Any] = json.loads(stream.read(length))
        header.pop("__metadata__", None)
        spans = [(entry["data_offsets"], entry["shape"], entry["dtype"]) for entry in header.values()]
        end = max((offsets[1] for offsets, _, _ in spans), default=0)
    except (OSError, ValueError, struct.error, LookupError, TypeError) as error:
        raise ValueError(f"{file.name} 已损坏") from error
    if file.stat().st_size < 8 + length + end:
        raise ValueError(f"{file.name} 不完整，请重新下载")
    return header


def _config(folder: Path) -> Mapping[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError("没有可读的 config.json") from error
    if not isinstance(config, dict):
        raise ValueError("config.json 不是一个对象")
    inner = config.get("text_config")
    return inner if isinstance(inner, dict) else config


def _cache(config: Mapping[str, Any]) -> int:
    """Keys and values of one token over all layers; 0 where the configuration does not say."""
    try:
        heads = int(config["num_attention_heads"])
        size = int(config.get("head_dim") or int(config["hidden_size"]) // heads)
        return 2 * int(config["num_hidden_layers"]) * int(config.get("num_key_value_heads") or heads) * size
    except (LookupError, TypeError, ValueError, ZeroDivisionError):
        return 0


def available(group: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes of memory that can be taken without swapping, no more than the container (a cgroup v2) allows."""
    import psutil

    free = int(psutil.virtual_memory().available)
    try:
        allowed = int((group / "memory.max").read_text()) - int((group / "memory.current").read_text())
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        allowed += int(stat.get("inactive_file", 0))  # files read once and kept: given up before anything is refused
    except (OSError, ValueError):  # no such limit here
        return free
    return max(0, min(free, allowed))


def bandwidth() -> float:
    """Bytes a second one pass over memory reads, measured in some hundredths of a second.

    Every token needs one pass over all weights, so this bounds how fast a model can write on a processor.
    """
    import numpy as np

    block = np.ones(16_000_000, np.float32)
    best = math.inf
    for _ in range(3):
        began = time.perf_counter()
        block.sum()
        best = min(best, time.perf_counter() - began)
    return float(block.nbytes / best)
