"""PDF: what can be seen, in the order it is read, as paragraphs."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from index.readers import Limits, Reading, Unreadable, ocr
from index.readers.pdf import read
from index.readers.pdfpage import open_document, read_page

FONT = "STSong-Light"
LIMITS = Limits()
LONG = "市政府高度重视教育事业，始终坚持把教育作为经济社会发展和增进民生福祉的基础工程来抓，围绕制约发展的关键问题，先后制定出台一系列政策。"


def drawn(*pages: Callable[[Canvas], object]) -> bytes:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1)
    for page in pages:
        canvas.setFont(FONT, 12)
        page(canvas)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def put(canvas: Canvas, x: float, y: float, text: str, size: float = 12) -> None:
    canvas.setFont(FONT, size)
    canvas.drawString(x, y, text)


def wrapped(canvas: Canvas, text: str, x: float, y: float, width: int, indent: bool = True) -> float:
    """Set a paragraph in lines of ``width`` characters, the first set in by two; gives the y below it."""
    first = width - 2 if indent else width
    lines = [text[:first], *(text[at : at + width] for at in range(first, len(text), width))]
    for n, line in enumerate(lines):
        put(canvas, x + (24 if n == 0 and indent else 0), y, line)
        y -= 18
    return y


def text_of(*pages: Callable[[Canvas], object]) -> str:
    return read(drawn(*pages), LIMITS).text


def test_lines_become_paragraphs() -> None:
    def page(canvas: Canvas) -> None:
        put(canvas, 250, 780, "关于某事的报告", 18)
        y = wrapped(canvas, LONG, 72, 740, 36)
        y = wrapped(canvas, "一、基本情况", 72, y, 36)
        wrapped(canvas, LONG, 72, y, 36)

    assert text_of(page).split("\n\n") == ["关于某事的报告", LONG, "一、基本情况", LONG]


def test_a_paragraph_goes_on_over_a_column_and_a_page() -> None:
    halves = LONG[:34], LONG[34:]  # 16 + 18 characters fill two lines of 18

    def first(canvas: Canvas) -> None:
        y = wrapped(canvas, LONG, 50, 780, 18)
        wrapped(canvas, halves[0], 50, y, 18)
        y = wrapped(canvas, halves[1], 320, 780, 18, indent=False)
        y = wrapped(canvas, LONG, 320, y, 18)
        wrapped(canvas, halves[0], 320, y, 18)

    def second(canvas: Canvas) -> None:
        y = wrapped(canvas, halves[1], 50, 780, 18, indent=False)
        wrapped(canvas, LONG, 50, y, 18)
        wrapped(canvas, LONG, 320, 780, 18)

    reading = read(drawn(first, second), LIMITS)
    assert reading.text.split("\n\n") == [LONG] * 6
    assert reading.page_starts == (0, reading.text.index(halves[1], 3 * (len(LONG) + 2)))


def test_two_columns_written_line_by_line_across() -> None:
    """The order in the file is not the order of reading."""

    def page(canvas: Canvas) -> None:
        for n in range(6):
            put(canvas, 50, 700 - 18 * n, f"左{n}" + "一" * 16)
            put(canvas, 320, 700 - 18 * n, f"右{n}" + "一" * 16)

    text = text_of(page)
    assert [text.index(mark) for mark in ("左0", "左5", "右0", "右5")] == sorted(
        text.index(mark) for mark in ("左0", "左5", "右0", "右5")
    )


def test_running_heads_and_page_numbers_are_dropped() -> None:
    def page(number: int) -> Callable[[Canvas], None]:
        def draw(canvas: Canvas) -> None:
            put(canvas, 200, 810, "某市人大常委会公报", 9)
            put(canvas, 290, 30, f"— {number} —", 9)
            wrapped(canvas, f"第{number}段。" + LONG, 72, 740, 36)

        return draw

    assert text_of(*map(page, range(1, 5))).split("\n\n") == [f"第{n}段。{LONG}" for n in range(1, 5)]


def ruled(canvas: Canvas) -> None:
    """A table of three columns, a cell of two lines in it, its own text close to the next cell's."""
    for y in (700, 660, 620):
        canvas.line(72, y, 372, y)
    for x in (72, 200, 280, 372):
        canvas.line(x, 700, x, 620)
    put(canvas, 75, 685, "关于义务教育工作情")
    put(canvas, 75, 668, "况的报告")
    put(canvas, 205, 676, "33 票")
    put(canvas, 285, 676, "5 票")
    put(canvas, 75, 640, "合计")
    put(canvas, 285, 640, "5 票")


def test_a_ruled_table_gives_its_cells() -> None:
    assert text_of(ruled) == "关于义务教育工作情况的报告\t33 票\t5 票\n合计\t\t5 票"


def test_names_in_rows_without_rules() -> None:
    def page(canvas: Canvas) -> None:
        for n, names in enumerate((("李 强", "徐 启", "车轲轶"), ("于晓光", "王大鹏", "李 青"))):
            for column, name in enumerate(names):
                put(canvas, 72 + 100 * column, 700 - 20 * n, name)

    assert text_of(page) == "李 强\t徐 启\t车轲轶\n于晓光\t王大鹏\t李 青"


COLUMNS = (72, 196, 260, 340)
SHORTFALL = [
    ("指标", "单位", "上半年", "增长%"),
    ("地区生产总值", "亿元", "286.4", "4.2"),
    ("社会消费品零售总额", "亿元", "118.6", "2.1"),  # ends less than two characters before the next column
    ("一般公共预算收入", "亿元", "", "-3.4"),
]


def unruled(canvas: Canvas) -> None:
    y = wrapped(canvas, LONG, 72, 760, 36)
    for row in SHORTFALL:
        y -= 20
        for x, cell in zip(COLUMNS, row, strict=True):
            put(canvas, x, y, cell)
    wrapped(canvas, LONG, 72, y - 30, 36)


def test_a_table_without_rules_keeps_its_columns_and_empty_cells() -> None:
    rows = [line for line in text_of(unruled).split("\n") if "\t" in line]
    assert rows == ["\t".join(row) for row in SHORTFALL]


def test_a_page_measured_from_its_far_corner() -> None:
    data = drawn(lambda canvas: put(canvas, 72, 700, "全市现有水库31座。"))
    assert data.count(b"[ 0 0 595.2756 841.8898 ]") == 1
    turned = data.replace(b"[ 0 0 595.2756 841.8898 ]", b"[ 595.2756 841.8898 0 0 ]")
    assert read(turned, LIMITS).text == "全市现有水库31座。"


def two_tables(canvas: Canvas) -> None:
    for y, names in ((700, ("王建国", "张敏", "陈志伟")), (680, ("黄丽娟", "吴迪", "徐静"))):
        for n, name in enumerate(names):
            put(canvas, 72 + 90 * n, y, name)
    for y, number in ((650, 27), (630, 26)):
        put(canvas, 110, y, "报告")
        put(canvas, 370, y, f"赞成{number}票")


def test_tables_of_other_columns_are_not_mixed() -> None:
    rows = [line.split("\t") for line in text_of(two_tables).split("\n") if line]
    assert rows == [
        ["王建国", "张敏", "陈志伟"],
        ["黄丽娟", "吴迪", "徐静"],
        ["报告", "赞成27票"],
        ["报告", "赞成26票"],
    ]


def in_mode(canvas: Canvas, mode: int) -> None:
    words = canvas.beginText(72, 600)
    words.setTextRenderMode(mode)
    words.textLine("藏")
    canvas.drawText(words)


def white(canvas: Canvas) -> None:
    canvas.setFillColorRGB(1, 1, 1)
    put(canvas, 72, 600, "藏")


def nearly_white(canvas: Canvas) -> None:
    canvas.setFillColorRGB(0.98, 0.98, 0.97)
    put(canvas, 72, 600, "藏")


def blue_on_blue(canvas: Canvas) -> None:
    canvas.setFillColorRGB(0, 0, 0.5)
    canvas.rect(60, 590, 200, 30, stroke=0, fill=1)
    put(canvas, 72, 600, "藏")


def painted_over(canvas: Canvas) -> None:
    put(canvas, 72, 600, "藏")
    canvas.setFillColorRGB(0, 0, 0)
    canvas.rect(60, 590, 200, 30, stroke=0, fill=1)


def transparent(canvas: Canvas) -> None:
    canvas.setFillAlpha(0)
    put(canvas, 72, 600, "藏")


@pytest.mark.parametrize(
    "hide",
    [
        pytest.param(lambda c: in_mode(c, 3), id="render mode 3"),
        pytest.param(lambda c: in_mode(c, 7), id="clipping only"),
        pytest.param(white, id="white on white"),
        pytest.param(nearly_white, id="nearly white"),
        pytest.param(blue_on_blue, id="of the colour of its ground"),
        pytest.param(painted_over, id="painted over"),
        pytest.param(transparent, id="transparent"),
        pytest.param(lambda c: put(c, 72, 600, "藏", 0.2), id="no size"),
        pytest.param(lambda c: put(c, -500, 600, "藏"), id="off the page"),
        pytest.param(lambda c: (c.translate(200, 300), c.rotate(45), put(c, 0, 0, "藏", 40)), id="a slanted watermark"),
    ],
)
def test_what_cannot_be_seen_is_left_out(hide: Callable[[Canvas], object]) -> None:
    def page(canvas: Canvas) -> None:
        put(canvas, 72, 700, "看得见的一行")
        hide(canvas)

    assert "藏" not in text_of(page)
    assert "看得见的一行" in text_of(page)


def white_on_blue(canvas: Canvas) -> None:
    canvas.setFillColorRGB(0, 0, 0.5)
    canvas.rect(60, 590, 200, 30, stroke=0, fill=1)
    canvas.setFillColorRGB(1, 1, 1)
    put(canvas, 72, 600, "字")


def under_marker(canvas: Canvas) -> None:
    put(canvas, 72, 600, "字")
    canvas.setFillColorRGB(1, 1, 0)
    canvas.setFillAlpha(0.4)
    canvas.rect(60, 590, 200, 30, stroke=0, fill=1)


@pytest.mark.parametrize(
    "show",
    [
        pytest.param(white_on_blue, id="white on a dark ground"),
        pytest.param(under_marker, id="under a highlight"),
        pytest.param(lambda c: (c.scale(12, 12), put(c, 6, 50, "字", 1)), id="small but scaled up"),
        pytest.param(lambda c: in_mode(c, 1), id="outlined"),
    ],
)
def test_what_can_be_seen_is_kept(show: Callable[[Canvas], object]) -> None:
    text = text_of(show)
    assert "字" in text or "藏" in text


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_turned_page_is_read_as_displayed(rotation: int) -> None:
    width, height = A4

    def page(canvas: Canvas) -> None:
        canvas.translate(*{0: (0, 0), 90: (width, 0), 180: (width, height), 270: (0, height)}[rotation])
        canvas.rotate(rotation)
        put(canvas, 72, 500, "上面一行字")
        put(canvas, 72, 400, "下面一行字")

    document = pypdfium2.PdfDocument(drawn(page))
    document[0].set_rotation(rotation)
    out = io.BytesIO()
    document.save(out)
    assert read(out.getvalue(), LIMITS).text == "上面一行字\n\n下面一行字"


def test_a_table_set_sideways() -> None:
    def page(canvas: Canvas) -> None:
        canvas.translate(A4[0], 0)
        canvas.rotate(90)
        put(canvas, 72, 500, "横排的第一行")
        put(canvas, 72, 400, "横排的第二行")

    assert text_of(page) == "横排的第一行\n\n横排的第二行"


def test_bold_by_printing_twice_counts_once() -> None:
    def page(canvas: Canvas) -> None:
        for shift in (0, 0.3):
            put(canvas, 72 + shift, 700, "公公报报")

    assert text_of(page) == "公公报报"


def test_radicals_in_place_of_characters() -> None:
    assert text_of(lambda canvas: put(canvas, 72, 700, "⼈⺠代表")) in {"人民代表", "人⺠代表"}


def test_a_page_number_is_right_after_an_empty_page() -> None:
    reading = read(drawn(lambda c: put(c, 72, 700, "一"), lambda c: None, lambda c: put(c, 72, 700, "三")), LIMITS)
    assert reading == Reading("一\n\n三", "pdf", (0, 3, 3))


def test_pages_are_found_in_order() -> None:
    reading = read(drawn(*[lambda c, n=n: put(c, 72, 700, f"第{n}页的内容。") for n in range(30)]), LIMITS)
    assert all(a < b for a, b in pairwise(reading.page_starts))
    assert [reading.text[at : at + 6].strip() for at in reading.page_starts] == [
        f"第{n}页的内容"[:6] for n in range(30)
    ]


def test_scanned_pages_without_ocr_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "is_installed", lambda: False)

    def picture(canvas: Canvas) -> None:
        canvas.drawInlineImage(__import__("PIL.Image").Image.new("L", (50, 70), 200), 0, 0, *A4)

    def text(canvas: Canvas) -> None:
        put(canvas, 72, 700, LONG[:30])

    reading = read(drawn(text, picture, picture, text, picture), LIMITS)
    assert reading.notes == ("第2–3、5页是扫描图像，未建索引；用 pip install '.[ocr]' 安装 OCR 后可识别",)
    with pytest.raises(Unreadable, match="第1页是扫描图像"):
        read(drawn(picture), LIMITS)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        pytest.param(Limits(pages=1), "PDF 有 2 页，超过上限 1 页", id="pages"),
        pytest.param(Limits(characters=5), "超过上限 5 字", id="characters"),
        pytest.param(Limits(paragraphs=1), "碎片超过上限 1 段", id="pieces"),
    ],
)
def test_limits(limits: Limits, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read(drawn(*[lambda c: (put(c, 72, 700, LONG), put(c, 72, 500, LONG))] * 2), limits)


def with_stream(stream: bytes) -> bytes:
    packed = zlib.compress(stream, 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1<</Type/Font"
        b"/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed),
    ]
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (n, text) for n, text in enumerate(objects, start=1))
    return b"%PDF-1.4\n" + body + b"trailer<</Size 5/Root 1 0 R>>\n%%EOF\n"


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(b" " * 300_000_000, id="white space"),
        pytest.param(b"q " * 30_000_000, id="saved states"),
        pytest.param(b"BT /F1 12 Tf 72 700 Td (hello world) Tj ET\n" * 1_000_000, id="text"),
        pytest.param(b"0 0 m 100 100 l S\n" * 5_000_000, id="lines"),
        pytest.param(b"".join(b"%d %d 9 9 re f\n" % (n % 500, n % 700) for n in range(300_000)), id="rectangles"),
    ],
)
def test_a_page_made_to_take_all_is_given_up(stream: bytes) -> None:
    with suppress(Unreadable):
        read(with_stream(stream), Limits(seconds=20))


_OPERATORS = "q Q BT ET Tj TJ Td Tm Tf Tr Tz Tc re f S W n cm rg g Do l m c h BI ID EI ' ( ) [ ] < > 0 1 -1 1e9 /F1 (ab) [(a)-9(b)]"


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(_OPERATORS.split(" ")), max_size=60))
def test_any_content_stream_is_read(operators: list[str]) -> None:
    """In this process: starting one for each example would take minutes."""
    stream = "BT /F1 12 Tf 72 700 Td (ok) Tj ET " + " ".join(operators)
    with suppress(Unreadable), open_document(with_stream(stream.encode()), 10) as document:
        read_page(document, 0)


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_damaged_files_are_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(drawn(lambda c: put(c, 72, 700, LONG), ruled))
    for _ in range(data.draw(st.integers(1, 12))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Unreadable):
        read(bytes(whole), LIMITS)
