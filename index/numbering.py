"""Chinese numbers, dates and the numerals that open headings: 一、 （一） 1. 一是 第三章 第九条.

Heading marks (#, ##, ####) are OCR guesses: in one report 一、 is "##" and 三、 is "###". Rank comes from the numeral,
in the order of GB/T 9704 (一、 （一） 1. （1）) below the parts of a statute (编 章 节).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_DIGITS = {
    c: i
    for i, group in enumerate(("〇零○ＯO", "一壹", "二贰两", "三叁", "四", "五", "六", "七", "八", "九"))
    for c in group
}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000}
_NUMERIC = frozenset((*_DIGITS, *_UNITS, *"0123456789"))

# A view of a text as the patterns see it: one character for each, so offsets hold. Full-width forms become ASCII,
# odd spaces and zero-width characters a space, and the traditional characters that open or close structure simple.
_WIDE = {c: chr(ord(c) - 0xFEE0) for c in "０１２３４５６７８９（）［］：；，．！？＃＊｜％＜＞－＋／＝"}
_SPACES = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    "\u200c\u200d\u200e\u200f\u202f\u205f\u2060\u3000\ufeff\0"
)
_TRADITIONAL = (
    "條會議報錄決辦號總員長書發審見紀單關於為鄉縣區歲節編項兩萬檢證機構財務規則細聽説說過實開時產經團選舉務門處廳導黨組稱職屆擬訂準違罰",
    "条会议报录决办号总员长书发审见纪单关于为乡县区岁节编项两万检证机构财务规则细听说说过实开时产经团选举务门处厅导党组称职届拟订准违罚",
)
_VIEW = {**_WIDE, **dict.fromkeys(_SPACES, " "), **dict(zip(*_TRADITIONAL, strict=True))}
_VIEWED = re.compile(f"[{re.escape(''.join(_VIEW))}]")


def view(text: str) -> str:
    """The text as the structure patterns see it, as long as the text itself, so that offsets are the same."""
    # One character in twenty is met, so this takes a third of the time of str.translate, which looks at each.
    return _VIEWED.sub(lambda found: _VIEW[found[0]], text)


def parse_number(text: str) -> int | None:
    """The value of a Chinese or Arabic whole number: 三十四 → 34, 二〇二一 → 2021, １２ → 12; None if it is none."""
    text = "".join(view(text).split())
    if not text or len(text) > 16:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    chars = set(text)
    if not chars <= _NUMERIC:
        return None
    if chars.isdisjoint(_UNITS):  # positional, as in years
        return int("".join(str(_DIGITS.get(c, c)) for c in text))
    total = section = digit = 0
    for char in text:
        if char in _UNITS:
            unit = _UNITS[char]
            if unit == 10_000:
                total, section = total + max(section + digit, 1) * unit, 0
            else:
                section += max(digit, 1) * unit  # 十二 has no digit before 十
            digit = 0
        else:
            digit = _DIGITS.get(char, int(char) if char.isdigit() else 0)
    return total + section + digit


_NUMBER = "[0-9〇零○一二三四五六七八九十]"
DATE = re.compile(
    rf"(?P<year>[12][0-9]\s?[0-9]\s?[0-9]|[一二][〇零○ＯO一二三四五六七八九]{{3}})\s*年\s*"
    rf"(?P<month>{_NUMBER}{{1,3}})\s*月\s*(?P<day>{_NUMBER}{{1,3}})\s*日"
)
_DOTTED_DATE = re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)[-./](?P<month>\d{1,2})[-./](?P<day>\d{1,2})(?!\d)")


def iso_date(text: str) -> str | None:
    """The first full date in a text as ISO: 2021 年 6 月 10 日 → 2021-06-10, 二〇二一年六月十日 alike; None if none."""
    seen = view(text)
    for pattern in (DATE, _DOTTED_DATE):
        for match in pattern.finditer(seen):
            year, month, day = (parse_number(match[part]) for part in ("year", "month", "day"))
            if year and month and day and month <= 12 and day <= 31:
                return f"{year:04d}-{month:02d}-{day:02d}"
    return None


NumeralKind = Literal["附件", "编", "章", "节", "条", "部分", "一、", "（一）", "1.", "（1）", "①", "一是"]

RANKS: dict[NumeralKind, int] = {
    "附件": -4, "编": -3, "章": -2, "节": -1, "条": 0, "部分": 0, "一、": 1, "（一）": 2, "1.": 3, "（1）": 4, "①": 5, "一是": 6,
}  # fmt: skip
"""Depth of each numeral: smaller is further out."""


@dataclass(frozen=True, slots=True)
class Numeral:
    """The numeral that opens a line; ``end`` is where the words after it begin (an offset into the line)."""

    kind: NumeralKind
    value: int | None
    end: int

    @property
    def rank(self) -> int:
        return RANKS[self.kind]


_HAN = "[〇零○一二三四五六七八九十百千]"
_UNIT_OF_TEXT = re.compile(
    rf"第\s?((?:{_HAN}\s?){{1,7}}|[0-9]{{1,4}})\s?(编|章|节|条|部分)(之[一二三四五六七八九十]{{1,2}})?"
)
_OPENERS: tuple[tuple[NumeralKind, re.Pattern[str]], ...] = (
    (
        "附件",
        re.compile(r"附\s{0,4}件\s{0,2}([0-9]{1,2}|[一二三四五六七八九十]{1,3})?\s{0,2}(?=[:\s、.]|$|[^0-9，。的中])"),
    ),
    # 一、二年级 and 一、二、三产业 count things, they open nothing
    ("一、", re.compile(r"([一二三四五六七八九十百]{1,4})\s?[、.](?![一二三四五六七八九十]{1,2}[年、级产季期])\s*")),
    ("（一）", re.compile(r"\(\s?([一二三四五六七八九十百]{1,4})\s?\)\s*")),
    ("1.", re.compile(r"([0-9]{1,3})\s?[.、](?![0-9])\s*")),
    ("（1）", re.compile(r"(?:\(\s?)?([0-9]{1,3})\s?\)\s*")),
    ("①", re.compile(r"([①-⑳])\s*")),
    (
        "一是",
        re.compile(
            r"(?:第?([一二三四五六七八九十]{1,2})(?:是|要(?!素|点|件|事))|第([一二三四五六七八九十]{1,2})[,，、:])"
        ),
    ),
)


def read_numeral(line: str) -> Numeral | None:
    """The numeral that opens a line (a view, without marks), or None.

    A line that begins 第五条规定… or 第八条第二款 speaks of an article, it does not open one: see ``opens_article``.
    """
    head = line[:40]
    unit = _UNIT_OF_TEXT.match(head)
    if unit:
        kind: NumeralKind = unit[2]  # type: ignore[assignment]  # the pattern allows these five only
        return Numeral(kind, parse_number(unit[1]), unit.end()) if _opens_unit(kind, head, unit.end()) else None
    for kind, pattern in _OPENERS:
        match = pattern.match(head)
        if match:
            number = next((g for g in match.groups() if g), "")
            value = ord(number) - 0x245F if kind == "①" else parse_number(number)
            return Numeral(kind, value, match.end())
    return None


# What follows 第三条 where a sentence speaks of the article
_SPEAKS_OF = re.compile(r"\s?(?:第|规定|所|的|中|至|到|和|或|及|与|、|款|项|,|修改|删|增加|关于|明确|以|是|共)")


def _opens_unit(kind: NumeralKind, head: str, end: int) -> bool:
    rest = head[end:]
    if not rest.strip():
        return True
    if kind == "条":
        return rest[0] in " *\t:" or not _SPEAKS_OF.match(rest)
    return rest[0] in " *\t:、" or not _SPEAKS_OF.match(rest)


def heading_rank(line: str) -> int | None:
    """The rank of a line's numeral, 1 for 一、, 2 for （一）, smaller is further out; None where it opens with none.

    Marks of Markdown around it (#, **) say nothing and are passed over.
    """
    numeral = read_numeral(view(line).lstrip("#*> \t"))
    return numeral.rank if numeral else None
