"""Read a file: choose the reader, hash, keep the text exactly as found."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.readers import LIMITS, Limits, Reading, Unreadable, archive, text
from index.records import Source
from index.text import is_invisible

__all__ = ["SUFFIXES", "Limits", "Member", "Unreadable", "find_sources", "read_source"]

SUFFIXES = frozenset({".md", ".markdown", ".txt", ".html", ".htm", ".docx", ".pdf", ".zip"})


_CONTENTS = {
    ".md": "文本",
    ".markdown": "文本",
    ".txt": "文本",
    ".html": "HTML",
    ".htm": "HTML",
    ".docx": "zip",
    ".pdf": "PDF",
    ".zip": "zip",
}
_OLD_WORD = frozenset({".doc", ".wps", ".dot", ".rtf"})
# What to do with a file of another format that gazettes come in, or are packed in.
_ADVICE = {
    **dict.fromkeys((".ofd", ".caj", ".ceb", ".xps", ".djvu"), "请用阅读器打开，另存（或打印）为 PDF"),
    **dict.fromkeys((".odt", ".docm", ".dotx", ".pages"), "请用 Word 或 WPS 打开，另存为 .docx"),
    **dict.fromkeys((".xls", ".xlsx", ".et", ".csv"), "请把表格粘贴到 Word 里，存为 .docx"),
    **dict.fromkeys((".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"), "请把图像合成一个 PDF；扫描页由 OCR 识别"),
    **dict.fromkeys((".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz"), "请先解压，或改用 zip"),
    **dict.fromkeys((".mht", ".mhtml", ".shtml", ".xhtml"), "请用浏览器打开，另存为 .html"),
}
_SIGNATURES = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "旧版 Office 文件"),
    (b"{\\rtf", "RTF"),
    (b"\x89PNG\r\n", "PNG 图像"),
    (b"\xff\xd8\xff", "JPEG 图像"),
    (b"GIF8", "GIF 图像"),
    (b"II*\0", "TIFF 图像"),
    (b"MM\0*", "TIFF 图像"),
    (b"Rar!\x1a\x07", "RAR 压缩包"),
    (b"7z\xbc\xaf\x27\x1c", "7z 压缩包"),
    (b"\x1f\x8b", "gzip 压缩包"),
    (b"\xfd7zXZ\0", "xz 压缩包"),
    (b"BZh", "bzip2 压缩包"),
    (b"\x7fELF", "程序"),
    (b"SQLite format 3\0", "SQLite 数据库"),
)


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside an archive: where the archive is, and the entries that lead to it (several for zip in zip)."""

    archive: Path
    entries: tuple[str, ...]
    name: str  # "公报.zip/2021/第3号.md", for people only


def read_source(path: Path | Member, *, limits: Limits = LIMITS) -> Source:
    """The text of a file or of a member of an archive, with its pages where the format has them.

    Markdown and plain text are kept exactly as found (a byte order mark dropped); other formats give one paragraph a
    line. ``Source.notes`` says what was replaced, left out or not read.

    Raises:
        Unreadable: naming the file, the reason and what to do.
    """
    name = path.name if isinstance(path, Member) else _display(path.name)
    try:
        data = _member_bytes(path, limits) if isinstance(path, Member) else _file_bytes(path, limits)
        reading = _read(name, data, limits)
        if not reading.text.strip():
            raise Unreadable("没有文字")
    except Unreadable as error:
        raise Unreadable(f"{name}: {error}") from error
    digest = hashlib.sha256(data).hexdigest()
    return Source(
        id=digest[:16],
        name=name,
        text=reading.text,
        sha256=digest,
        encoding=reading.encoding,
        page_starts=reading.page_starts,
        notes=reading.notes,
    )


def find_sources(paths: Sequence[Path], *, limits: Limits = LIMITS) -> Iterator[Path | Member]:
    """What could be a source among the paths, each with a ``name``: folders and archives in depth, in name order.

    A path that cannot be opened is given as it is, so that ``read_source`` names it with the reason and the rest
    goes on. Hidden files and read-mes inside folders are passed over; a file named outright never is.
    """
    seen: set[tuple[int, int]] = set()
    for path in paths:
        yield from _find(path, seen, limits)


def _find(path: Path, seen: set[tuple[int, int]], limits: Limits) -> Iterator[Path | Member]:
    try:
        status = path.stat()
    except (OSError, ValueError):
        yield path
        return
    if not stat.S_ISDIR(status.st_mode):
        if path.suffix.lower() == ".zip":
            yield from _find_in_archive(path, limits)
        else:
            yield path
        return
    if (status.st_dev, status.st_ino) in seen:  # a link to a folder above it, or a folder named twice
        return
    seen.add((status.st_dev, status.st_ino))
    try:
        children = sorted(path.iterdir())
    except OSError:
        yield path
        return
    for child in children:
        if not archive.is_litter(child.name):
            yield from _find(child, seen, limits)


def _find_in_archive(path: Path, limits: Limits) -> Iterator[Path | Member]:
    try:
        data = _file_bytes(path, limits)
        found = list(_members(path, data, (), _display(path.name), limits))
    except Unreadable:
        yield path  # read_source says why
        return
    if found:
        yield from found
    else:
        yield path


def _members(path: Path, data: bytes, above: tuple[str, ...], shown: str, limits: Limits) -> Iterator[Member]:
    for entry, name in archive.members(data, limits):
        inner = Member(path, (*above, entry), f"{shown}/{_display(name)}")
        if name.lower().endswith(".zip") and len(inner.entries) < limits.archives:
            try:
                yield from _members(path, archive.member(data, entry, limits), inner.entries, inner.name, limits)
            except Unreadable:
                yield inner
        else:
            yield inner


def _member_bytes(member: Member, limits: Limits) -> bytes:
    data = _file_bytes(member.archive, limits)
    for entry in member.entries:
        data = archive.member(data, entry, limits)
    return data


def _file_bytes(path: Path, limits: Limits) -> bytes:
    """The bytes of a regular file within the limit.

    Raises:
        Unreadable: if it is missing, a folder, a pipe or device, too large, empty, or not to be opened.
    """
    try:
        # Looked at before it is opened: opening a pipe waits for a writer, reading a device may never end.
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            next(path.iterdir(), None)  # says why, if it cannot be opened
            raise Unreadable("是文件夹，里面没有可读的文件")
        if not stat.S_ISREG(mode):
            raise Unreadable("不是普通文件（管道、设备或套接字）")
        with path.open("rb") as file:
            data = file.read(limits.file_bytes + 1)
    except FileNotFoundError as error:
        raise Unreadable("没有这个文件或文件夹；请检查路径") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise Unreadable(f"无法打开（{reason}）") from error
    if len(data) > limits.file_bytes:
        raise Unreadable(f"文件超过上限 {limits.file_bytes:,} 字节；请拆成几个文件")
    if not data:
        raise Unreadable("文件是空的")
    return data


def _read(name: str, data: bytes, limits: Limits) -> Reading:
    """The reading of the bytes by the reader for the name's suffix, once their content is what the suffix says."""
    suffix = Path(name).suffix.lower()
    content = content_of(data)
    if suffix in _OLD_WORD:
        raise Unreadable(f"不支持旧格式 {suffix}；请用 Word 或 WPS 打开，另存为 .docx")
    if suffix and suffix not in SUFFIXES:
        advice = _ADVICE.get(suffix, f"可读取 {' '.join(sorted(SUFFIXES))}")
        raise Unreadable(f"不支持的格式“{suffix}”；{advice}")
    expected = _CONTENTS.get(suffix) or content
    if suffix == ".docx" and content == "旧版 Office 文件":
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise Unreadable("Word 文档有密码保护；请解除密码后再试")
        raise Unreadable("内容是旧版 Word 文件（.doc）；请用 Word 或 WPS 打开，另存为 .docx")
    if content != expected and not (expected == "HTML" and content == "文本"):
        raise Unreadable(f"后缀是“{suffix}”，内容却是{content}；请核对文件或改正后缀")
    # Imported where needed: a question asked of a ready index opens no PDF.
    if expected == "文本":
        return text.read(data, limits)
    if expected == "HTML":
        from index.readers import html

        return html.read(data, limits)
    if expected == "PDF":
        from index.readers import pdf

        return pdf.read(data, limits)
    if expected == "zip":
        return _read_package(suffix, data, limits)
    raise Unreadable(f"内容是{content}；可读取 {' '.join(sorted(SUFFIXES))}")


def _read_package(suffix: str, data: bytes, limits: Limits) -> Reading:
    """A .docx, which is an archive. Any other archive that comes here has no member that ``find_sources`` could give."""
    if suffix != ".zip":
        from index.readers import docx

        return docx.read(data, limits)
    inside = archive.members(data, limits)
    raise Unreadable("压缩包套得太深，或不是逐个文件给出的；请先解压" if inside else "压缩包里没有可读的文件")


def content_of(data: bytes) -> str:
    """What the bytes are by their first ones: "PDF", "zip", "HTML", "PNG 图像", ...; "文本" where nothing tells."""
    head = data[:1024]
    if b"%PDF-" in head:
        return "PDF"
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "HTML"
    if start.startswith(b"mime-version:") or b"\nmime-version:" in start:
        return "网页归档（MHT）"
    return "文本"


def _display(name: str) -> str:
    """A file name for people: undecodable bytes, controls and direction marks in it replaced."""
    shown = os.fsencode(name).decode("utf-8", "replace")
    return "".join("�" if is_invisible(char) or char in "\r\n\t" else char for char in shown)
