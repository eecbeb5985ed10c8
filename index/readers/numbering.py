"""The numbers that Word sets before paragraphs: 第一条, （二）, 3. are not in their text but counted from a list."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lxml import etree

_DIGITS = "〇一二三四五六七八九"
_LEGAL = str.maketrans("一二三四五六七八九十百千", "壹贰叁肆伍陆柒捌玖拾佰仟")
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"))
_ROMAN_SMALL = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
_PLACE = re.compile(r"%([1-9])")


def chinese(number: int) -> str:
    """一, 十, 十二, 二十, 一百零五 for 1, 10, 12, 20, 105; plain digits from 10,000 on."""
    if not 0 < number < 10_000:
        return str(number)
    text, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            text += ("零" if gap and text else "") + _DIGITS[digit] + name
            gap = False
        else:
            gap = True
    return text.removeprefix("一") if 10 <= number < 20 else text


def _roman(number: int) -> str:
    if not 0 < number < 4000:
        return str(number)
    text = ""
    for value, letters in (*_ROMAN, *_ROMAN_SMALL):
        count, number = divmod(number, value)
        text += letters * count
    return text


def _letters(number: int) -> str:
    """a ... z, aa, bb, as Word counts."""
    return chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, 9) if number > 0 else "0"


def _circled(number: int) -> str:
    return chr(0x2460 + number - 1) if 0 < number <= 20 else str(number)


def _spelt(number: int) -> str:
    return "".join(_DIGITS[int(digit)] for digit in str(abs(number)))


_FORMATS: Mapping[str, Callable[[int], str]] = {
    "decimal": str,
    "decimalZero": lambda n: f"{n:02}",
    "decimalFullWidth": lambda n: str(n).translate({48 + i: 0xFF10 + i for i in range(10)}),
    "decimalEnclosedCircle": _circled,
    "decimalEnclosedCircleChinese": _circled,
    "upperRoman": lambda n: _roman(n).upper(),
    "lowerRoman": _roman,
    "upperLetter": lambda n: _letters(n).upper(),
    "lowerLetter": _letters,
    "chineseCounting": chinese,
    "chineseCountingThousand": chinese,
    "japaneseCounting": chinese,
    "taiwaneseCounting": chinese,
    "taiwaneseCountingThousand": chinese,
    "ideographDigital": _spelt,
    "taiwaneseDigital": _spelt,
    "chineseLegalSimplified": lambda n: chinese(n).translate(_LEGAL),
    "bullet": lambda _: "",
    "none": lambda _: "",
}


@dataclass(frozen=True, slots=True)
class _Level:
    start: int = 1
    format: str = "decimal"
    pattern: str = ""


@dataclass(slots=True)
class Numbering:
    """The lists of a document, and how far each has counted."""

    lists: dict[str, tuple[str, dict[int, _Level]]] = field(default_factory=dict)  # numId -> (abstract id, levels)
    counts: dict[str, dict[int, int]] = field(default_factory=dict)

    def label(self, number_id: str, level: int) -> str:
        """The number before the next paragraph of that list, "" for bullets and unknown lists."""
        if number_id not in self.lists:
            return ""
        abstract, levels = self.lists[number_id]
        counts = self.counts.setdefault(abstract, {})
        own = levels.get(level, _Level())
        counts[level] = counts.get(level, own.start - 1) + 1
        for deeper in [n for n in counts if n > level]:
            del counts[deeper]

        def shown(match: re.Match[str]) -> str:
            at = int(match.group(1)) - 1
            place = levels.get(at, _Level())
            return _FORMATS.get(place.format, str)(counts.setdefault(at, place.start))

        if own.format in ("bullet", "none"):
            return ""
        text = _PLACE.sub(shown, own.pattern)
        return text + " " if text and (text[-1].isalnum() or text[-1] in ".．") else text


def read_numbering(root: etree._Element | None) -> Numbering:
    """The lists of word/numbering.xml."""
    found = Numbering()
    if root is None:
        return found
    abstracts = {
        _value(abstract, "abstractNumId"): dict(map(_level, abstract.findall("{*}lvl")))
        for abstract in root.findall("{*}abstractNum")
    }
    for num in root.findall("{*}num"):
        abstract = _value(num.find("{*}abstractNumId"), "val")
        levels = dict(abstracts.get(abstract, {}))
        for override in num.findall("{*}lvlOverride"):
            at = _integer(_value(override, "ilvl"), 0)
            replaced = override.find("{*}lvl")
            if replaced is not None:
                levels[at] = _level(replaced)[1]
            start = override.find("{*}startOverride")
            if start is not None:
                old = levels.get(at, _Level())
                levels[at] = _Level(_integer(_value(start, "val"), 1), old.format, old.pattern)
                abstract = f"{abstract}/{_value(num, 'numId')}"  # counts for itself
        found.lists[_value(num, "numId")] = (abstract, levels)
    return found


def _level(element: etree._Element) -> tuple[int, _Level]:
    return (
        _integer(_value(element, "ilvl"), 0),
        _Level(
            _integer(_value(element.find("{*}start"), "val"), 1),
            _value(element.find("{*}numFmt"), "val") or "decimal",
            _value(element.find("{*}lvlText"), "val")[:40],
        ),
    )


def _value(element: etree._Element | None, name: str) -> str:
    """An attribute by its local name; "" without."""
    if element is None:
        return ""
    for key, value in element.attrib.items():
        if str(key).rpartition("}")[2] == name:
            return str(value)
    return ""


def _integer(text: str, default: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 8 else default
