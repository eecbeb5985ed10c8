from decimal import Decimal

import pytest

from qa.numbers import from_han, plain, to_han, value


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("十", 10),
        ("十四", 14),
        ("二十三", 23),
        ("一百零五", 105),
        ("两千", 2000),
        ("一〇五", 105),
        ("三万二千", 32000),
        ("12", 12),
        ("", None),
        ("甲", None),
    ],
)
def test_from_han(text: str, number: int | None) -> None:
    assert from_han(text) == number


def test_to_han_is_undone_by_from_han() -> None:
    assert all(from_han(to_han(n)) == n for n in range(1, 1000))


def test_to_han_refuses_what_no_statute_has() -> None:
    with pytest.raises(ValueError, match="1000"):
        to_han(1000)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("11.5万人", Decimal(115000)),
        ("1,008,658万元", Decimal(1008658) * 10000),
        ("2.08亿元", Decimal(208000000)),
        ("二十三条", Decimal(23)),
        ("没有数字", None),
    ],
)
def test_value(text: str, number: Decimal | None) -> None:
    assert value(text) == number


def test_plain_has_no_exponent() -> None:
    assert plain(Decimal("5530E1")) == "55300"
    assert plain(Decimal("1.50")) == "1.5"
