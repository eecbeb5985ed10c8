"""PDF -> text: the text layer page by page in a process of its own, scanned pages by OCR where it is installed.

A process of its own, because a parser of hostile input in C++ can take all memory, never end, or crash; then only it
is ended and the file is refused. ``python -m index.readers.pdf`` is that process: the file on standard input, one
JSON line a page on standard output.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict

from index.readers import Limits, Reading, Unreadable, ocr
from index.readers.child import Child, Crashed
from index.readers.layout import Page, Rule, Run
from index.readers.paragraphs import plain_text

_TAIL = 4096
_MOST_LOST = 3
_PACE = 0.25  # seconds a page; two busy cores take 0.05
_EMPTY = Page(595.0, 842.0)


def read(data: bytes, limits: Limits) -> Reading:
    """The text of a PDF with the page each part stands on; hidden text is left out, notes name pages not read.

    Raises:
        Unreadable: if it is encrypted, cut off, damaged, without pages, over a limit, or scanned without OCR.
    """
    if b"%%EOF" not in data[-_TAIL:]:
        raise Unreadable("PDF 不完整（缺少结尾，可能没有下载完）；请重新下载")
    pages, hidden, lost = _text_layer(data, limits)
    scanned = [number for number, page in enumerate(pages, start=1) if page.scanned]
    notes = []
    if hidden:
        notes.append(f"略去 {hidden} 个看不见的字符（隐藏文字）")
    if lost:
        notes.append(f"第{_ranges(lost)}页无法解析，未建索引")
    if scanned:
        notes += _recognised(data, pages, scanned, limits)
    text, starts = plain_text(pages)
    if len(text) > limits.characters:
        raise Unreadable(f"文本 {len(text):,} 字，超过上限 {limits.characters:,} 字；请拆成几个文件")
    return Reading(text, "pdf", starts, tuple(notes))


def _recognised(data: bytes, pages: list[Page], scanned: list[int], limits: Limits) -> list[str]:
    """Put what OCR reads in place of the scanned pages; what is to be said about them.

    Raises:
        Unreadable: if nothing but scanned pages is there, and none of them can be read.
    """
    if not ocr.is_installed():
        said = f"第{_ranges(scanned)}页是扫描图像，未建索引；用 pip install '.[ocr]' 安装 OCR 后可识别"
        if len(scanned) == len(pages):
            raise Unreadable(said)
        return [said]
    rest = list(scanned)
    notes = []
    try:
        for number, page in ocr.pages(data, scanned, limits):
            pages[number - 1] = page
            rest.remove(number)
    except Unreadable as error:
        said = f"第{_ranges(rest)}页是扫描图像，OCR 未能完成，未建索引（{error}）"
        if len(rest) == len(pages):
            raise Unreadable(said) from error
        notes.append(said)
    done = [number for number in scanned if number not in rest]
    return [*notes, *([f"第{_ranges(done)}页是扫描图像，文字由 OCR 识别，请核对原件"] if done else [])]


def _text_layer(data: bytes, limits: Limits) -> tuple[list[Page], int, list[int]]:
    """(the pages as the child process found them, number of hidden characters left out, pages that ended it)."""
    pages: list[Page] = []
    lost: list[int] = []
    hidden = pieces = 0
    while True:
        arguments = [str(limits.pages), str(len(pages))]
        try:
            with Child("index.readers.pdf", arguments, data, seconds=limits.seconds, pace=_PACE) as child:
                for record in child.records():
                    pages.append(page_of(record))
                    hidden += int(str(record["hidden"]))
                    pieces += len(pages[-1].runs)
                    if pieces > limits.paragraphs:
                        raise Unreadable(f"文字碎片超过上限 {limits.paragraphs:,} 段；请拆成几个文件")
        except Crashed:
            # One page that cannot be parsed does not lose the others; a file full of them is given up.
            pages.append(_EMPTY)
            lost.append(len(pages))
            if len(lost) > _MOST_LOST:
                raise
        else:
            if len(lost) == len(pages) > 0:
                raise Unreadable("没有一页能解析；文件可能已损坏，或是压缩炸弹")
            return pages, hidden, lost


def page_of(record: dict[str, object]) -> Page:
    """A page from the JSON line a child process wrote."""
    runs, rules = record["runs"], record["rules"]
    if not isinstance(runs, list) or not isinstance(rules, list):
        raise TypeError("a page's runs and rules are lists")
    return Page(
        width=float(str(record["width"])),
        height=float(str(record["height"])),
        runs=tuple(Run(**run) for run in runs),
        rules=tuple(Rule(**rule) for rule in rules),
        scanned=bool(record["scanned"]),
    )


def record_of(page: Page, hidden: int) -> dict[str, object]:
    """A page as one JSON line, and how many hidden characters it had."""
    return {**asdict(page), "hidden": hidden}


def _ranges(numbers: list[int]) -> str:
    """3–5、8 for [3, 4, 5, 8]."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return "、".join(f"{part[0]}–{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts)


def main() -> None:
    """Write a JSON line for each page of the PDF on standard input; a last line with ``error`` if it is refused."""
    from index.readers.child import limit_memory
    from index.readers.pdfpage import open_document, read_page

    limit_memory()

    def lines() -> Iterator[dict[str, object]]:
        try:
            with open_document(sys.stdin.buffer.read(), int(sys.argv[1])) as document:
                for index in range(int(sys.argv[2]), len(document)):
                    yield record_of(*read_page(document, index))
        except Unreadable as error:
            yield {"error": str(error)}

    for line in lines():
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
