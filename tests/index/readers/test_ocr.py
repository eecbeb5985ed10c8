"""Scanned pages: what is done around the recogniser, and a small page read by it."""

from __future__ import annotations

import io
import math
from pathlib import Path

import pytest

from index.readers import Limits, ocr
from index.readers.pdf import read

pytestmark = pytest.mark.skipif(not ocr.is_installed(), reason="the ocr extra is not installed")

FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")


def box(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def test_skew_is_that_of_the_long_lines() -> None:
    slope = math.tan(math.radians(2))
    slanted = [
        [(0.0, y), (400.0, y + 400 * slope), (400.0, y + 12 + 400 * slope), (0.0, y + 12.0)] for y in (50, 80, 110)
    ]
    assert math.degrees(ocr._skew([*slanted, box(0, 200, 8, 212), box(0, 230, 8, 242)])) == pytest.approx(2, abs=0.01)
    assert ocr._skew([]) == 0.0


def test_sizes_are_evened_out_within_a_paragraph() -> None:
    lines = [(box(0, 0, 200, 15), "一" * 20), (box(0, 18, 206, 34), "二" * 20), (box(0, 36, 31, 50), "三三三")]
    title = (box(50, -40, 200, -18), "关于某事的报告题")
    sizes = {run.text[0]: run.size for run in ocr._runs([*lines, title])}
    assert sizes["一"] == sizes["二"] == sizes["三"] == pytest.approx(10.15)
    assert sizes["关"] == pytest.approx(150 / 8)


@pytest.mark.parametrize(
    ("text", "mended"),
    [("<某市条例>", "〈某市条例〉"), ("a<b>c", "a<b>c"), ("<办法》", "〈办法》"), ("（试行）>", "（试行）〉")],
)
def test_half_width_angle_brackets_beside_han(text: str, mended: str) -> None:
    assert ocr._brackets(text) == mended


def test_straight_lines_are_found_and_text_is_not() -> None:
    import numpy as np

    image = np.full((1400, 1000, 3), 255, np.uint8)
    image[200:203, 100:900] = 0
    image[200:600, 100:103] = 0
    for at in range(150, 900, 30):  # strokes as short as those of characters
        image[300:304, at : at + 20] = 0
    found = {(round(ax, -1), round(ay, -1), round(bx, -1), round(by, -1)) for (ax, ay), (bx, by) in ocr._drawn(image)}
    assert found == {(100, 200, 900, 200), (100, 200, 100, 600)}


def test_a_box_over_two_columns_is_parted_where_others_begin() -> None:
    import numpy as np

    image = np.full((400, 1000, 3), 255, np.uint8)
    boxes = []
    for row in range(6):
        top = 20 + 50 * row
        image[top : top + 20, 50:450:4] = 0
        image[top : top + 20, 500:900:4] = 0
        if row == 3:
            boxes.append(box(40, top - 5, 910, top + 25))
        else:
            boxes += [box(40, top - 5, 460, top + 25), box(490, top - 5, 910, top + 25)]
    fitted = list(ocr._fitted(np.array(boxes, np.float32), image))
    assert len(fitted) == 12
    assert {round(float(part[0][0])) for part in fitted} == {47, 497}


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.skipif(not FONT.exists(), reason="needs the Noto CJK font")
def test_a_skewed_page_with_a_table() -> None:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", (1654, 2339), 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(str(FONT), 36)
    for n, line in enumerate(("全市现有义务教育阶段学校二百零六所，其中公办一百九十七所，", "民办九所。")):
        draw.text((272 - 72 * n, 400 + 60 * n), line, font=font, fill=0)
    for x in (200, 700, 1100):
        draw.line((x, 700, x, 900), fill=0, width=3)
    for y in (700, 800, 900):
        draw.line((200, y, 1100, y), fill=0, width=3)
    for x, y, text in (
        (220, 725, "调整后总支出"),
        (720, 725, "八十八万元"),
        (220, 825, "其中教育"),
        (720, 825, "十二万元"),
    ):
        draw.text((x, y), text, font=font, fill=0)
    out = io.BytesIO()
    image.rotate(1.0, fillcolor=255).save(out, format="PDF", resolution=200)
    reading = read(out.getvalue(), Limits())
    assert reading.page_starts == (0,)
    text = reading.text.replace(",", "，")
    assert "全市现有义务教育阶段学校二百零六所，其中公办一百九十七所，民办九所" in text
    assert "调整后总支出\t八十八万元\n其中教育\t十二万元" in text
