"""Chinese numbers, dates, and the numerals that open headings."""

from __future__ import annotations

import pytest

from index.numbering import heading_rank, iso_date, parse_number, read_numeral, view


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("三十四", 34, id="tens and ones"),
        pytest.param("十", 10, id="ten alone"),
        pytest.param("十二", 12, id="no digit before ten"),
        pytest.param("一百零五", 105, id="zero inside"),
        pytest.param("两万三千", 23_000, id="ten thousands"),
        pytest.param("二〇二一", 2021, id="a year, digit by digit"),
        pytest.param("二○二一", 2021, id="a circle for zero"),
        pytest.param("１２", 12, id="full width"),
        pytest.param(" 3 ", 3, id="padded"),
        pytest.param("第三", None, id="not a number"),
        pytest.param("", None, id="nothing"),
        pytest.param("九" * 40, None, id="longer than any number of a gazette"),
    ],
)
def test_parse_number(text: str, value: int | None) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize(
    ("text", "date"),
    [
        pytest.param("——2021年6月10日在某市第十六届…会议上", "2021-06-10", id="in a byline"),
        pytest.param("2021 年 6 月 10 日", "2021-06-10", id="padded by OCR"),
        pytest.param("二○二三年十二月三十一日", "2023-12-31", id="in characters"),
        pytest.param("２０２３年１月５日", "2023-01-05", id="full width"),
        pytest.param("2023-01-05", "2023-01-05", id="already ISO"),
        pytest.param("2021年6月", None, id="no day"),
        pytest.param("2021年13月10日", None, id="no such month"),
        pytest.param("2021年13月10日，后改为2021年10月13日", "2021-10-13", id="the first that exists"),
    ],
)
def test_iso_date(text: str, date: str | None) -> None:
    assert iso_date(text) == date


@pytest.mark.parametrize(
    ("line", "rank"),
    [
        pytest.param("## 一、基本情况", 1, id="chinese numeral"),
        pytest.param("### 三、存在的主要问题", 1, id="same rank, other heading mark"),
        pytest.param("## (二) 紧抓产业振兴，推动高质量发展", 2, id="half-width brackets"),
        pytest.param("### （三）创新带动模式，增强减贫能力", 2, id="full-width brackets"),
        pytest.param("1、全面推动思政一体化工作。", 3, id="arabic and comma"),
        pytest.param("23．市人大常委会将", 3, id="arabic and full-width point"),
        pytest.param("（1）公办学校", 4, id="arabic in brackets"),
        pytest.param("①小学", 5, id="circled"),
        pytest.param("一是狠抓教育教学改革。", 6, id="run-in ordinal"),
        pytest.param("二要注重产业的后续培育，", 6, id="run-in ordinal of a demand"),
        pytest.param("第三章　法律责任", -2, id="chapter"),
        pytest.param("第二节 管理", -1, id="section of a chapter"),
        pytest.param("**第一条** 为进一步加强", 0, id="bold article"),
        pytest.param("第 三 条　为了", 0, id="article with spaces"),
        pytest.param("第一條 為了", 0, id="traditional characters"),
        pytest.param("附件 1", -4, id="attachment"),
        pytest.param("编辑 石鹏飞", None, id="not a heading"),
        pytest.param("一、二年级不留作业，", None, id="counts school years"),
        pytest.param("2.08亿元，直接带动", None, id="a decimal fraction"),
        pytest.param("12.4宪法宣传日", None, id="a date with a point"),
        pytest.param("2021年，全市", None, id="a year"),
        pytest.param("第五条规定的情形", None, id="speaks of an article"),
        pytest.param("第八条第二款", None, id="cites an article"),
        pytest.param("附件中的名单", None, id="speaks of an attachment"),
        pytest.param("", None, id="empty"),
    ],
)
def test_heading_rank(line: str, rank: int | None) -> None:
    assert heading_rank(line) == rank


def test_numeral_value_and_end() -> None:
    numeral = read_numeral("第二十三条之一 本条")
    assert numeral is not None
    assert (numeral.kind, numeral.value, numeral.end) == ("条", 23, len("第二十三条之一"))


def test_view_keeps_offsets() -> None:
    text = "（１）　條\u200b例：“甲”…𠮷"
    assert len(view(text)) == len(text)
    assert view(text)[:4] == "(1) "
