"""Zip archives: their members as bytes, never written to disk, with bombs refused before unpacking."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from index.readers import Limits, Unreadable
from index.readers.text import guess

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}  # LZMA allocates what its header asks for
_RATIO_FROM = 10_000_000
_CENTRAL = b"PK\x01\x02"


@contextmanager
def opened(data: bytes, limits: Limits) -> Iterator[zipfile.ZipFile]:
    """The archive of the bytes, its directory checked against the limits.

    Raises:
        Unreadable: if it is damaged, a bomb, or has too many members.
    """
    # Counted before zipfile makes an object of each: 50 MB can name a million members.
    if data.count(_CENTRAL) > 2 * limits.members:
        raise Unreadable(f"压缩包内文件超过 {limits.members} 个；请拆开")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OverflowError, EOFError, NotImplementedError, OSError) as error:
        raise Unreadable("压缩包已损坏或不完整；请重新下载或重新压缩") from error
    with archive:
        check(archive, limits)
        yield archive


def check(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Refuse an archive whose directory promises more than the limits.

    Raises:
        Unreadable: naming the limit.
    """
    infos = archive.infolist()
    if len(infos) > limits.members:
        raise Unreadable(f"压缩包内有 {len(infos)} 个文件，超过上限 {limits.members} 个；请拆开")
    total = sum(info.file_size for info in infos)
    if total > limits.unpacked_bytes:
        raise Unreadable(f"解压后有 {total:,} 字节，超过上限 {limits.unpacked_bytes:,} 字节（可能是压缩炸弹）")
    for info in infos:
        if info.file_size > _RATIO_FROM and info.file_size > limits.ratio * max(info.compress_size, 1):
            raise Unreadable(f"压缩比超过 {limits.ratio} : 1（可能是压缩炸弹），未解压")


def unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """The bytes of a member; no more than its directory entry promises are ever unpacked.

    Raises:
        Unreadable: if it is encrypted, damaged or packed by an unusual method.
    """
    if info.flag_bits & 1:
        raise Unreadable("有密码保护；请解密后再试")
    if info.compress_type not in _METHODS:
        raise Unreadable("压缩方法不支持；请用普通 zip 重新压缩")
    try:
        return archive.read(info)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise Unreadable("压缩数据已损坏（校验不符）；请重新下载或重新压缩") from error


def display_name(info: zipfile.ZipInfo) -> str:
    """A member's name for people: old Windows names decoded, ``..`` and drive letters gone. Never used as a path."""
    name = info.orig_filename
    if not info.flag_bits & 0x800:
        try:
            raw = name.encode("cp437")
        except UnicodeEncodeError:
            raw = name.encode("utf-8", "replace")
        name = raw.decode(guess(raw).encoding, "replace")
    parts = name.replace("\\", "/").split("/")
    return "/".join(part for part in parts if part not in {"", ".", ".."} and not part.endswith(":")) or "未命名"


def members(data: bytes, limits: Limits) -> list[tuple[str, str]]:
    """(entry, name for people) of each file in the archive, in directory order; folders and litter left out.

    Raises:
        Unreadable: as ``opened``.
    """
    with opened(data, limits) as archive:
        named = [(entry, display_name(info)) for entry, info in _entries(archive) if not info.is_dir()]
    return [(entry, name) for entry, name in named if not is_litter(name)]


def _entries(archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Each member with its entry: its name in the archive, and a number where an earlier one has the same name."""
    seen: Counter[str] = Counter()
    for info in archive.infolist():
        seen[info.filename] += 1
        count = seen[info.filename]
        yield info.filename if count == 1 else f"{info.filename}\0{count}", info  # no name holds a NUL


def is_litter(name: str) -> bool:
    """Files that systems leave about: hidden ones, resource forks, Word's lock files, a read-me of the folder."""
    parts = name.split("/")
    last = parts[-1]
    return (
        any(part.startswith(".") or part == "__MACOSX" for part in parts)
        or last.startswith("~$")
        or last.lower() in {"thumbs.db", "desktop.ini"}
        or last.lower().rsplit(".", 1)[0] == "readme"
    )


def member(data: bytes, entry: str, limits: Limits) -> bytes:
    """The bytes of one member by its entry.

    Raises:
        Unreadable: if it is not there or cannot be unpacked.
    """
    with opened(data, limits) as archive:
        info = dict(_entries(archive)).get(entry)
        if info is None:
            raise Unreadable("压缩包里没有这个文件")
        if info.file_size > limits.file_bytes:
            raise Unreadable(f"解压后有 {info.file_size:,} 字节，超过上限 {limits.file_bytes:,} 字节")
        return unpack(archive, info)
