"""Plain text and Markdown: which encoding the bytes are in, and their text exactly as found."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import lru_cache

from index.readers import Limits, Reading, Unreadable

SAMPLE_BYTES = 400_000  # enough to tell encodings apart; the whole is decoded once only

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"\x84\x31\x95\x33", "gb18030"),
)
_NAMES = {"utf-8": "UTF-8", "gb18030": "GB18030", "cp950": "Big5", "big5hkscs": "Big5-HKSCS"}
# The characters half of any Chinese text is made of, in both scripts: random bytes read as Chinese rarely hit them.
_FREQUENT = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    "這為個國來們對會發動產種說後學經與業關長進現機開實體條報議員縣區辦處應務審決"
    "业关长进现机开实体条报议员县区办处应务审决市政府委常第十月日，。、；：（）《》“”"
)
_BAD_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_UNSEEN = re.compile("[\0\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_FEW_CONTROLS = 3
_BINARY_SHARE = 0.02  # of characters; a stray NUL in a text is damage, one in fifty is another kind of file
_PLAUSIBLE = 0.6  # share of common characters among those beyond ASCII; real text has over 0.9, mojibake under 0.5
_ERROR_COST = 2.0


@dataclass(frozen=True, slots=True)
class Guess:
    """An encoding with how well the bytes fit it: 2 is flawless Chinese prose, below 0.6 nothing believable."""

    encoding: str
    score: float


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    """The characters of GB 2312 level 1 and Big5 level 1, the Latin letters and the punctuation met in both."""
    chars: set[str] = set()
    for lead in range(0xB0, 0xD8):
        chars.update(bytes((lead, trail)).decode("gb2312", "ignore") for trail in range(0xA1, 0xFF))
    for lead in range(0xA4, 0xC7):
        for trail in (*range(0x40, 0x7F), *range(0xA1, 0xFF)):
            chars.update(bytes((lead, trail)).decode("big5", "ignore"))
    for low, high in ((0x3000, 0x3016), (0xFF01, 0xFF5F), (0x2010, 0x2027), (0x2460, 0x2474)):
        chars.update(map(chr, range(low, high)))
    chars.update("·×÷°§±℃％‰—…“”‘’㎡")
    return frozenset(chars)


def _score(text: str) -> float:
    """How believable a decoded text is: common characters plus frequent ones, less replacements, per non-ASCII one."""
    beyond = [char for char in text if char > "\x7f"]
    if not beyond:
        return 2.0
    common = _common()
    good = sum(char in common for char in beyond) + sum(char in _FREQUENT for char in beyond)
    return (good - _ERROR_COST * beyond.count("\ufffd")) / len(beyond)


def _without_mark(data: bytes) -> str | None:
    """UTF-16 or UTF-32 without a byte order mark, told by where zero bytes (of ASCII, line ends) stand."""
    head = data[:SAMPLE_BYTES]
    head = head[: len(head) // 4 * 4]
    if len(head) < 8 or b"\0" not in head:
        return None
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        try:
            text = head.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _score(text) >= 1.0 and not _BAD_CONTROL.search(text[:1000]):
            return encoding
    return None


def guess(data: bytes, declared: str | None = None) -> Guess:
    """The encoding of the bytes. A mark wins, then strict UTF-8, then what makes the best Chinese.

    ``declared`` (an HTML charset) is one more candidate, preferred when it fits as well as another.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return Guess(encoding, 2.0)
    wide = _without_mark(data)
    if wide:
        return Guess(wide, 2.0)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return Guess("utf-8", 2.0)
    sample = data[:SAMPLE_BYTES]
    # HKSCS is Big5 with rare characters for most free codes, and so for most damage: only where clearly better.
    preference = {"utf-8": 0.0, "gb18030": 0.0, "cp950": 0.0, "big5hkscs": -0.02}
    if len(data) % 2 == 0:
        preference |= {"utf-16-le": 0.0, "utf-16-be": 0.0}
    name = _codec(declared)
    if name:
        preference[name] = 0.1
    guesses = [Guess(encoding, _score(_decode(sample, encoding)) + extra) for encoding, extra in preference.items()]
    return max(guesses, key=lambda g: g.score)


def _codec(name: str | None) -> str | None:
    """The codec of a charset name, widened to the superset that web pages mean by it; None if there is none."""
    if not name:
        return None
    try:
        found = codecs.lookup(name.strip("\"' ")).name
    except (LookupError, ValueError):
        return None
    if not codecs.lookup(found)._is_text_encoding:
        return None
    return {"gb2312": "gb18030", "gbk": "gb18030", "big5": "cp950", "utf-8-sig": "utf-8"}.get(found, found)


def _decode(data: bytes, encoding: str) -> str:
    return data.decode(encoding, "replace")


def decode(data: bytes, declared: str | None = None) -> Reading:
    """The text of the bytes, a byte order mark dropped; damaged bytes become U+FFFD and are counted in a note.

    Raises:
        Unreadable: if no known encoding makes believable text of them, or they are not text at all.
    """
    found = guess(data, declared)
    for mark, encoding in _MARKS:
        if encoding == found.encoding and data.startswith(mark):
            data = data[len(mark) :]
            break
    text = _decode(data, found.encoding)
    if found.score < _PLAUSIBLE:
        raise Unreadable("认不出文字编码（不是 UTF-8、UTF-16/32、GB18030 或 Big5 文本）；请另存为 UTF-8 后再试")
    controls = len(_BAD_CONTROL.findall(text))
    if controls > _FEW_CONTROLS + _BINARY_SHARE * len(text):
        raise Unreadable("不是文本文件（二进制内容）；可读取 .md .txt .html .docx .pdf .zip")
    return Reading(text, found.encoding, notes=tuple(_notes(data, text, found.encoding)))


def _notes(data: bytes, text: str, encoding: str) -> list[str]:
    notes = []
    if encoding != "utf-8":
        notes.append(f"编码 {_NAMES.get(encoding, encoding.upper())}")
    bad = text.count("\ufffd")
    if bad:
        original = data.count(b"\xef\xbf\xbd") if encoding == "utf-8" else 0
        first = text.count("\n", 0, text.index("\ufffd")) + 1
        if bad > original:
            notes.append(f"{bad - original} 处字节损坏，已替换为 �（首处在第 {first} 行）")
        if original:
            notes.append(f"原文含 {original} 个 �（此前已损坏的字符）")
    unseen = len(_UNSEEN.findall(text))
    if unseen:
        notes.append(f"含 {unseen} 个看不见的字符（零宽、双向控制、NUL 等），检索和显示时略去")
    return notes


def read(data: bytes, limits: Limits) -> Reading:
    """The text of a plain text or Markdown file; see ``decode``."""
    reading = decode(data)
    if len(reading.text) > limits.characters:
        raise Unreadable(f"文本 {len(reading.text):,} 字，超过上限 {limits.characters:,} 字；请拆成几个文件")
    return reading
