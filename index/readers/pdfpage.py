"""What one PDF page shows: its visible characters as runs, its straight rules, and whether it is only an image.

Works in the child process of ``index.readers.pdf``, on PDFium's raw interface: the text that its helpers give holds
hidden characters too, and does not say where they stand.
"""

from __future__ import annotations

import ctypes
import math
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from index.readers import Unreadable
from index.readers.layout import Page, Rule, Run, glue
from index.readers.pdfpaint import Box, Color, Painted, painted

_INVISIBLE_MODES = {3, 7}  # neither filled nor stroked: PDF 32000-1:2008, table 106
_FILLING_MODES = {0, 2, 4, 6}
_SMALLEST = 1.0  # point: text below it is not there to be read
_FEW_CHARACTERS = 60
_PASSWORD = 4
_MOST_CHARACTERS = 300_000  # on one page; a newspaper's has 30,000
_FURTHEST = 1e5  # points: the largest page of the format is 14,400
_GAP_OF_SPACE = {" ": 0.1, "": 0.35}  # em; a justified line has gaps that look like spaces to PDFium
_UPRIGHT, _DOWN, _OVER, _UP, _SLANTED = range(5)  # where a baseline runs, as the page is displayed


@dataclass(frozen=True, slots=True)
class _Frame:
    """From page space (upwards) to the page as displayed (downwards from the top left), /Rotate applied."""

    box: Box
    rotation: int

    @property
    def width(self) -> float:
        return self.box[3] - self.box[1] if self.rotation in (90, 270) else self.box[2] - self.box[0]

    @property
    def height(self) -> float:
        return self.box[2] - self.box[0] if self.rotation in (90, 270) else self.box[3] - self.box[1]

    def at(self, x: float, y: float) -> tuple[float, float]:
        left, bottom, right, top = self.box
        if self.rotation == 90:
            return y - bottom, x - left
        if self.rotation == 180:
            return right - x, y - bottom
        if self.rotation == 270:
            return top - y, right - x
        return x - left, top - y

    def turned(self, x: float, y: float, way: int) -> tuple[float, float]:
        """A displayed point after turning the page so that a baseline running that way is level."""
        if way == _DOWN:
            return y, self.width - x
        if way == _UP:
            return self.height - y, x
        if way == _OVER:
            return self.width - x, self.height - y
        return x, y


@dataclass(frozen=True, slots=True)
class _Ink:
    """What the characters of one text object share."""

    hidden: bool
    size: float
    way: int
    color: Color | None
    address: int


@dataclass(frozen=True, slots=True)
class _Character:
    char: str  # " " for any white space, "" for a space that PDFium made up
    box: Box  # in page space, as wide as its advance
    origin: tuple[float, float]
    ink: _Ink


@contextmanager
def open_document(data: bytes, most_pages: int) -> Iterator[pdfium.PdfDocument]:
    """The document, with at least one page.

    Raises:
        Unreadable: if it is encrypted, damaged, empty of pages, or has more than ``most_pages``.
    """
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD:
            raise Unreadable("PDF 有密码保护；请解除密码后再试") from error
        raise Unreadable("PDF 已损坏或没有页面，无法打开；请重新下载或用阅读器另存") from error
    try:
        if len(document) == 0:
            raise Unreadable("PDF 里没有页面")
        if len(document) > most_pages:
            raise Unreadable(f"PDF 有 {len(document)} 页，超过上限 {most_pages} 页；请拆成几个文件")
        yield document
    finally:
        document.close()


def read_page(document: pdfium.PdfDocument, index: int) -> tuple[Page, int]:
    """The page, and how many characters a reader cannot see were left out.

    A page that PDFium cannot load counts as empty: one bad page does not lose the others.
    """
    try:
        page = document[index]
    except pdfium.PdfiumError:
        return Page(595.0, 842.0), 0
    try:
        frame = _frame(page)
        objects = painted(page)
        characters, hidden, unmapped = _characters(page, objects)
    finally:
        page.close()
    area = max(frame.width * frame.height, 1.0)
    count = sum(bool(character.char.strip()) for character in characters)
    garbled = unmapped > 0.3 * max(count, 1)
    pictured = objects.image_area > 0.7 * area or objects.paths > 500
    scanned = garbled or (count <= _FEW_CHARACTERS and pictured) or (not count and objects.image_area > 0.02 * area)
    ways = Counter(character.ink.way for character in characters if character.char.strip())
    way = ways.most_common(1)[0][0] if ways else _UPRIGHT
    runs = () if garbled else tuple(_all_runs(characters, frame, way))
    upright = way in (_UPRIGHT, _OVER)
    return (
        Page(
            width=frame.width if upright else frame.height,
            height=frame.height if upright else frame.width,
            runs=runs,
            rules=tuple(_rule(b, frame, way) for b in objects.rules if all(abs(edge) < _FURTHEST for edge in b)),
            scanned=scanned,
        ),
        hidden,
    )


def _frame(page: pdfium.PdfPage) -> _Frame:
    """The visible part of the page. PDFium's own bounding box is that of the page turned, its characters' are not."""
    media, crop = _upright(page.get_mediabox()), _upright(page.get_cropbox())
    box = (max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3]))
    return _Frame(box if box[0] < box[2] and box[1] < box[3] else media, page.get_rotation())


def _upright(box: Box) -> Box:
    """The box by its lower left and upper right corner: a file may name any two opposite ones."""
    return min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])


def _rule(box: Box, frame: _Frame, way: int) -> Rule:
    a = frame.turned(*frame.at(box[0], box[1]), way)
    b = frame.turned(*frame.at(box[2], box[3]), way)
    return Rule(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))


# --- characters ---------------------------------------------------------------------------------------------------


def _characters(page: pdfium.PdfPage, objects: Painted) -> tuple[list[_Character], int, int]:
    """(visible characters in the order of the file, number hidden, number without a known character)."""
    text = page.get_textpage()
    found: list[_Character] = []
    hidden = unmapped = 0
    inks: dict[int, _Ink] = {}
    frame = _frame(page)
    x, y, box = ctypes.c_double(), ctypes.c_double(), raw.FS_RECTF()
    high = 0
    try:
        count = raw.FPDFText_CountChars(text.raw)
        if count > _MOST_CHARACTERS:
            raise Unreadable(f"一页上有 {count:,} 个字符，超过上限 {_MOST_CHARACTERS:,} 个")
        for i in range(count):
            item = raw.FPDFText_GetTextObject(text.raw, i)
            if not item:
                # A space or line end that PDFium made up: some programs write no spaces, only gaps.
                if found and raw.FPDFText_GetUnicode(text.raw, i) == 0x20:
                    found.append(replace(found[-1], char=""))
                continue
            address = ctypes.addressof(item.contents)
            ink = inks.get(address)
            if ink is None:
                ink = inks[address] = _ink(text.raw, i, item, address, frame)
            code = raw.FPDFText_GetUnicode(text.raw, i)
            if 0xD800 <= code < 0xDC00:
                high = code
                continue
            if 0xDC00 <= code < 0xE000:
                code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00) if high else 0xFFFD
            high = 0
            char = _clean(code)
            if not char:
                unmapped += code in (0, 0xFFFD)
                continue
            raw.FPDFText_GetLooseCharBox(text.raw, i, box)
            raw.FPDFText_GetCharOrigin(text.raw, i, x, y)
            place = (box.left, box.bottom, box.right, box.top)
            if char != " " and (ink.hidden or _unseen(objects, place, ink, frame.box)):
                hidden += 1
                continue
            unmapped += 0xE000 <= code < 0xF900
            found.append(_Character(char, place, (x.value, y.value), ink))
    finally:
        text.close()
    return found, hidden, unmapped


def _clean(code: int) -> str:
    """The character of a code: "" for controls, " " for white space; a Han radical as the ideograph it stands for."""
    if code > 0x10FFFF or code in (0xAD, 0xFFFD, 0xFFFE, 0xFFFF):
        return ""
    char = chr(code)
    if char.isspace():
        return " "
    if unicodedata.category(char) in {"Cc", "Cs", "Cn"}:
        return ""
    if 0x2E80 <= code < 0x2FE0:  # what fonts without a proper table give for 人 and 一
        return unicodedata.normalize("NFKC", char)
    return char


def _ink(text: raw.FPDF_TEXTPAGE, i: int, item: raw.FPDF_PAGEOBJECT, address: int, frame: _Frame) -> _Ink:
    """What is common to the text object that character ``i`` belongs to."""
    m = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(text, i, m)
    size = raw.FPDFText_GetFontSize(text, i) * math.hypot(m.c, m.d)
    mode = raw.FPDFTextObj_GetTextRenderMode(item)
    channels = [ctypes.c_uint() for _ in range(4)]
    color: Color | None = None
    clear = False
    if mode in _FILLING_MODES and raw.FPDFText_GetFillColor(text, i, *channels):
        red, green, blue, alpha = (channel.value for channel in channels)
        color, clear = (red, green, blue), alpha < 8
    hidden = mode in _INVISIBLE_MODES or not _SMALLEST <= size < _FURTHEST or (clear and mode == 0)
    origin, along = frame.at(0.0, 0.0), frame.at(m.a, m.b)
    way = _way(along[0] - origin[0], along[1] - origin[1])
    return _Ink(hidden or way == _SLANTED, size, way, color, address)


def _way(dx: float, dy: float) -> int:
    """Where a displayed baseline runs; slanted is a watermark's."""
    if abs(dy) <= 0.2 * abs(dx):
        return _UPRIGHT if dx >= 0 else _OVER
    if abs(dx) <= 0.2 * abs(dy):
        return _DOWN if dy > 0 else _UP
    return _SLANTED


def _unseen(objects: Painted, place: Box, ink: _Ink, page: Box) -> bool:
    """True for a character off the page, painted over, or of the colour of its ground."""
    if not all(abs(edge) < _FURTHEST for edge in place):  # nor is nan
        return True
    x, y = (place[0] + place[2]) / 2, (place[1] + place[3]) / 2
    if not (page[0] <= x <= page[2] and page[1] <= y <= page[3]):
        return True
    return ink.color is not None and objects.hides(place, ink.color, ink.address)


# --- runs ---------------------------------------------------------------------------------------------------------


def _all_runs(characters: Sequence[_Character], frame: _Frame, way: int) -> Iterator[Run]:
    """The runs of the page turned to its main direction; text in another one (a table's stub) comes after them."""
    upright = way in (_UPRIGHT, _OVER)
    height = frame.height if upright else frame.width
    order = 0
    others = sorted({character.ink.way for character in characters} - {way})
    for n, direction in enumerate([way, *others]):
        for run in _runs([c for c in characters if c.ink.way == direction], frame, direction):
            order += 1
            yield replace(run, base=run.base + 2 * n * height, order=order)


def _runs(characters: Sequence[_Character], frame: _Frame, way: int) -> Iterator[Run]:
    parts: list[str] = []
    left = right = base = size = 0.0
    last_left = 0.0
    needed = math.inf
    address = 0
    for character in characters:
        if not character.char.strip():
            needed = min(needed, _GAP_OF_SPACE[character.char])
            continue
        a = frame.turned(*frame.at(character.box[0], character.box[1]), way)
        b = frame.turned(*frame.at(character.box[2], character.box[3]), way)
        start, end = min(a[0], b[0]), max(a[0], b[0])
        line = frame.turned(*frame.at(*character.origin), way)[1]
        em = character.ink.size
        gap = (start - right) / em
        reach = 1.2 if character.ink.address == address else 0.1  # two objects may be two cells: see layout
        if parts and abs(line - base) < 0.3 * em and abs(em - size) < 0.2 * em and -0.7 < gap < reach:
            if character.char == parts[-1] and abs(start - last_left) < 0.3 * (end - start):
                continue  # printed twice for bold
            joint = " " if gap > needed else glue(parts[-1], character.char, gap)
            parts += (joint, character.char) if joint else (character.char,)
        else:
            if parts:
                yield Run("".join(parts), left, right, base, size)
            parts, left, base, size = [character.char], start, line, em
        right, last_left, needed, address = end, start, math.inf, character.ink.address
    if parts:
        yield Run("".join(parts), left, right, base, size)
