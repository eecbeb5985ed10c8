"""Encodings: told by their bytes, damage counted, nothing turned into other characters unsaid."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opencc import OpenCC

from index.readers import Limits, Unreadable
from index.readers.text import decode, guess, read

LINE = "全市现有义务教育阶段学校206所（公办197所、民办9所），其中小学120所。"


@pytest.fixture(scope="module")
def simplified(sample_path: Path) -> list[str]:
    return [line for line in sample_path.read_text(encoding="utf-8").split("\n") if len(line) >= 8]


@pytest.fixture(scope="module")
def traditional(simplified: list[str]) -> list[str]:
    converter = OpenCC("s2t")
    return [converter.convert(line) for line in simplified]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030"])
def test_the_whole_gazette_in_each_encoding(encoding: str, sample_path: Path) -> None:
    text = sample_path.read_text(encoding="utf-8")
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16-le"])
def test_every_simplified_line_alone_is_read_right(encoding: str, simplified: list[str]) -> None:
    wrong = [line for line in simplified if decode(line.encode(encoding)).text != line]
    assert wrong == []


@pytest.mark.parametrize("encoding", ["big5", "gb18030"])
def test_every_traditional_line_alone_is_read_right(encoding: str, traditional: list[str]) -> None:
    encoded = [
        (line, data) for line in traditional if (data := line.encode(encoding, "ignore")).decode(encoding) == line
    ]
    assert len(encoded) > 200
    assert [line for line, data in encoded if decode(data).text != line] == []


def test_text_is_kept_exactly() -> None:
    text = "一\r\n二\r三\n\n\t四　五\u200b\u3000"
    assert decode(text.encode()).text == text


@pytest.mark.parametrize(
    ("data", "notes"),
    [
        pytest.param(LINE.encode(), (), id="clean UTF-8 needs no note"),
        pytest.param(LINE.encode("gbk"), ("编码 GB18030",), id="other encodings are named"),
        pytest.param(
            b"\xff" + LINE.encode() + b"\n\xe4\xb8",
            ("2 处字节损坏，已替换为 �（首处在第 1 行）",),
            id="damage is counted",
        ),
        pytest.param((LINE + "�").encode(), ("原文含 1 个 �（此前已损坏的字符）",), id="older damage is told apart"),
        pytest.param(
            (LINE + "\0\u202e").encode(),
            ("含 2 个看不见的字符（零宽、双向控制、NUL 等），检索和显示时略去",),
            id="invisible characters are counted",
        ),
    ],
)
def test_notes(data: bytes, notes: tuple[str, ...]) -> None:
    assert decode(data).notes == notes


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_damage_anywhere_leaves_the_rest_readable(encoding: str, sample_path: Path) -> None:
    text = sample_path.read_text(encoding="utf-8")
    data = bytearray(text.encode(encoding))
    dice = random.Random(5)
    for _ in range(40):
        data[dice.randrange(len(data))] = 0xFF
    reading = decode(bytes(data))
    assert reading.encoding == encoding
    assert 20 <= reading.text.count("\ufffd") <= 120
    assert len(set(text.split("\n")) - set(reading.text.split("\n"))) <= 80  # no line but the damaged ones and theirs


def test_a_declared_charset_is_believed_only_if_it_fits() -> None:
    assert decode(LINE.encode("gbk"), "gb2312").text == LINE
    assert decode(LINE.encode("gbk"), "utf-8").text == LINE
    assert decode(LINE.encode(), "big5").text == LINE
    assert decode(LINE.encode("gbk"), "no such charset").text == LINE
    assert decode(LINE.encode("gbk"), "base64").text == LINE


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("русский текст о законах".encode("cp1251"), id="Cyrillic"),
        pytest.param("Café à la crème".encode("latin-1"), id="Latin-1"),
        pytest.param(random.Random(1).randbytes(4000), id="random bytes"),
        pytest.param(bytes(4000), id="zeros"),
    ],
)
def test_what_is_no_chinese_text_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(data)


def test_too_many_characters_are_refused() -> None:
    with pytest.raises(Unreadable, match="超过上限 10 字"):
        read(LINE.encode(), Limits(characters=10))


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_any_utf8_text_comes_back(text: str) -> None:
    data = text.encode()
    if text[0] == "\ufeff" or data.startswith(b"\x84\x31\x95\x33"):
        return  # a byte order mark is dropped
    try:
        reading = decode(data)
    except Unreadable:
        return  # mostly controls
    if reading.encoding == "utf-8":
        assert reading.text == text


@pytest.mark.slow
@settings(max_examples=2000, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    assert guess(data).encoding
    with suppress(Unreadable):
        decode(data)
