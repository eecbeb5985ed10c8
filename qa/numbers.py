"""Chinese and Arabic figures: 十四 -> 14, 1.3万 -> 13000, and back where an answer is computed."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SMALL = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10_000, "亿": 100_000_000}
HAN_NUMERAL = "零〇一二三四五六七八九十百千万亿两"
_FIGURE = re.compile(r"(\d[\d,，]*(?:\.\d+)?)\s*([百千万亿]*)")


def from_han(text: str) -> int | None:
    """The whole number that Chinese numerals or digits spell, or None: 二十三 -> 23, 一〇五 -> 105, 10 -> 10."""
    if text.isdecimal():
        return int(text)
    if not text or any(c not in DIGITS and c not in _SMALL and c not in _LARGE for c in text):
        return None
    if all(c in DIGITS for c in text):
        return int("".join(str(DIGITS[c]) for c in text))
    total = section = digit = 0
    for char in text:
        if char in DIGITS:
            digit = DIGITS[char]
        elif char in _SMALL:
            section += (digit or 1) * _SMALL[char]
            digit = 0
        else:
            total = (total + section + digit) * _LARGE[char]
            section = digit = 0
    return total + section + digit


def to_han(number: int) -> str:
    """1..999 in the numerals that articles are counted with: 14 -> 十四, 105 -> 一百零五.

    Raises:
        ValueError: for a number outside 1..999.
    """
    if not 1 <= number <= 999:
        raise ValueError(f"条文编号应在 1 到 999 之间，得到 {number}")
    names = "零一二三四五六七八九"
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    out = f"{names[hundreds]}百" if hundreds else ""
    if tens:
        out += ("" if tens == 1 and not hundreds else names[tens]) + "十"
    elif hundreds and ones:
        out += "零"
    return out + (names[ones] if ones else "")


def value(text: str) -> Decimal | None:
    """The value of the first figure in the text, 万 and 亿 multiplied out: 11.5万人 -> 115000; None if there is none."""
    match = _FIGURE.search(text)
    if match:
        try:
            number = Decimal(match[1].replace(",", "").replace("，", ""))
        except InvalidOperation:
            return None
        for char in match[2]:
            number *= _LARGE.get(char) or _SMALL[char]
        return number
    match = re.search(rf"[{HAN_NUMERAL}]+", text)
    whole = from_han(match[0]) if match else None
    return None if whole is None else Decimal(whole)


def plain(number: Decimal) -> str:
    """A figure as one writes it: no exponent, no trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
