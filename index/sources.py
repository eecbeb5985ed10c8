"""Read a file: decode, hash, keep the text exactly as found."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.records import GazetteError, Source

SUFFIXES = frozenset({".md", ".markdown", ".txt"})


class Unreadable(GazetteError):
    """A file that cannot be read as a gazette; the message names the file and the reason."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused before it is parsed."""

    file_bytes: int = 50_000_000


def read_source(path: Path, *, limits: Limits = Limits()) -> Source:
    """The file's text exactly as found (UTF-8, a byte order mark dropped).

    Raises:
        Unreadable: if the file is missing, empty, too large, binary, not UTF-8, or of an unknown suffix.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise Unreadable(f"{path.name}: 不支持的格式“{path.suffix}”；可读取 {'、'.join(sorted(SUFFIXES))}")
    try:
        size = path.stat().st_size
        if size > limits.file_bytes:
            raise Unreadable(f"{path.name}: 文件 {size} 字节，超过上限 {limits.file_bytes} 字节")
        data = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path.name}: 无法读取（{error.strerror}）") from error
    if b"\0" in data:
        raise Unreadable(f"{path.name}: 不是文本文件（含有零字节）")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path.name}: 不是 UTF-8 编码（第 {error.start} 字节）；请转为 UTF-8 后再试") from error
    if not text.strip():
        raise Unreadable(f"{path.name}: 文件是空的")
    digest = hashlib.sha256(data).hexdigest()
    return Source(id=digest[:16], name=path.name, text=text, sha256=digest)


def find_sources(paths: Sequence[Path]) -> Iterator[Path]:
    """The readable files among the paths, folders searched in depth in name order; a file named outright is kept.

    Raises:
        Unreadable: if a path does not exist.
    """
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in SUFFIXES)
        elif path.exists():
            yield path
        else:
            raise Unreadable(f"{path}: 没有这个文件或文件夹；请检查路径")
