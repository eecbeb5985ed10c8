"""Scanned pages -> runs of text, by OCR on this machine; an optional extra (``pip install '.[ocr]'``).

RapidOCR brings its models in its package, so nothing is downloaded. It runs in a process of its own, like the PDF
parser: a page image can be built to take all memory. ``python -m index.readers.ocr`` is that process: the PDF on
standard input, the page numbers as arguments, one JSON line a page on standard output.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from index.readers import Limits
from index.readers.child import Child
from index.readers.layout import Page, Rule, Run, is_wide

if TYPE_CHECKING:
    import numpy as np
    import pypdfium2 as pdfium
    from onnxruntime import SessionOptions
    from rapidocr_onnxruntime import RapidOCR

Point = tuple[float, float]

_LONG_SIDE = 2000  # pixels of a rendered page: A4 at about 170 dpi, where 10 point characters are 24 pixels high
_PATIENCE = 8  # times the seconds of a text page: two busy cores take up to 20 s a page
_MEMORY = 1_500_000_000  # of address space, of which onnxruntime touches a fraction
_SURE = 0.5
_INK = 160  # of 255
_EDGE = 3.0  # pixels left white beside the ink
_ENOUGH_BEGIN = 4  # lines that begin at one place: a column does
_LONG_LINE = 6  # characters
_SAME_SIZE = 1.1
_FINDING_SIDE = 896  # pixels of the image in which lines are looked for
# For glibc, elsewhere without effect: give large blocks back at once, so that what finding lines took is free again.
# Smaller ones are kept, since asking for each of them anew takes three times as long.
_ALLOCATION = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "2000000",
    "MALLOC_TRIM_THRESHOLD_": "16000000",
}


def is_installed() -> bool:
    """True if scanned pages can be read here."""
    return find_spec("rapidocr_onnxruntime") is not None


def pages(data: bytes, numbers: Sequence[int], limits: Limits) -> Iterator[tuple[int, Page]]:
    """(page number, page with its text) for the numbered pages of a PDF, with a progress bar on a terminal.

    Raises:
        Unreadable: if the images cannot be read within memory and time.
    """
    from tqdm import tqdm

    from index.readers.pdf import page_of

    arguments = [str(number) for number in numbers]
    seconds = limits.seconds * _PATIENCE
    with (
        Child(
            "index.readers.ocr", arguments, data, seconds=seconds, pace=seconds, memory=_MEMORY, environment=_ALLOCATION
        ) as child,
        tqdm(total=len(numbers), desc="OCR", unit="页", disable=None) as bar,
    ):
        for number, record in zip(numbers, child.records(), strict=False):
            bar.update()
            yield number, page_of(record)


def recognise(page: pdfium.PdfPage, engine: RapidOCR) -> Page:
    """The page's text as OCR reads it from its image: skew taken out, what it is unsure of left out."""
    scale = _LONG_SIDE / max(*page.get_size(), 1.0)
    image = page.render(scale=scale).to_numpy()
    found = [([(x / scale, y / scale) for x, y in box], text) for box, text in _read_lines(image, engine)]
    angle = _skew([box for box, _ in found])
    lines = [(_turned(box, -angle), text) for box, text in found]
    rules = [_rule(_turned([(x / scale, y / scale) for x, y in ends], -angle)) for ends in _drawn(image)]
    width, height = page.get_size()
    return Page(width, height, tuple(_runs(lines)), tuple(rules), scanned=True)


def _read_lines(image: np.ndarray, engine: RapidOCR) -> Iterator[tuple[list[Point], str]]:
    """(corners in pixels, text) of each line. Lines are found in a smaller image than they are read in.

    Measured on two pages of two columns (3,200 characters): 99.4 % of the text, the reading process at 254 to 266 MB. With
    one image of 2,000 pixels for both it took 970 MB and read 0.3 % otherwise.
    """
    import cv2
    import numpy as np

    factor = _FINDING_SIDE / max(image.shape[:2])
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    boxes, _ = engine.auto_text_det(small)
    if boxes is None or len(boxes) == 0:
        return
    fitted = list(_fitted(np.array(boxes, dtype=np.float32) / factor, image))
    corners = np.array([box for box in fitted if not _is_inside(box, fitted)], dtype=np.float32)
    if not len(corners):
        return
    results, _ = engine.text_rec(engine.get_crop_img_list(image, corners), False)
    for box, (text, score, *_) in zip(corners, results, strict=True):
        if text.strip() and score >= _SURE:
            yield [(float(x), float(y)) for x, y in box], text.strip()


def _fitted(boxes: np.ndarray, image: np.ndarray) -> Iterator[np.ndarray]:
    """The boxes cut down to their ink; one that reaches over two columns parted.

    It is parted at a white gap right before a place where other boxes begin. A box's corners go round from the top
    left; cuts are upright, as boxes nearly are.
    """
    inks = [_ink_columns(box, image) for box in boxes]
    begins = sorted(float(ink[0]) for ink in inks if len(ink))
    for box, ink in zip(boxes, inks, strict=True):
        if not len(ink):
            continue
        em = 0.7 * (box[:, 1].max() - box[:, 1].min())
        cuts = [float(ink[0])]
        for before, after in pairwise(ink):
            others = sum(abs(place - after) < em for place in begins) if after - before > 0.8 * em else 0
            if others >= _ENOUGH_BEGIN:
                cuts += [float(before), float(after)]
        cuts.append(float(ink[-1]))
        for left, right in zip(cuts[::2], cuts[1::2], strict=True):
            part = box.copy()
            part[[0, 3], 0] = left - _EDGE
            part[[1, 2], 0] = right + _EDGE
            yield part


def _is_inside(box: np.ndarray, others: Sequence[np.ndarray]) -> bool:
    """True for what is left of a box that reached into its neighbour: a stretch which that one has already."""
    left, right, middle = box[:, 0].min(), box[:, 0].max(), box[:, 1].mean()
    return any(
        other is not box
        and other[:, 0].min() <= left + 2 * _EDGE
        and right - 2 * _EDGE <= other[:, 0].max()
        and other[:, 1].min() < middle < other[:, 1].max()
        and other[:, 0].max() - other[:, 0].min() > right - left
        for other in others
    )


def _ink_columns(box: np.ndarray, image: np.ndarray) -> np.ndarray:
    """The x of each pixel column of the box that holds ink; its upper and lower edge may hold the next line's."""
    top, bottom = float(box[:, 1].min()), float(box[:, 1].max())
    edge = 0.15 * (bottom - top)
    rows = slice(max(int(top + edge), 0), max(int(bottom - edge), 1))
    left = max(int(box[:, 0].min()), 0)
    strip = image[rows, left : max(int(box[:, 0].max()) + 1, 1)]
    columns: np.ndarray = (strip.min(axis=(0, 2)) < _INK).nonzero()[0] + left if strip.size else np.array([])
    return columns


def _skew(boxes: Sequence[Sequence[Point]]) -> float:
    """The angle, in radians, at which most of the text runs; long lines tell it best."""
    angles = [(math.hypot(b[0] - a[0], b[1] - a[1]), math.atan2(b[1] - a[1], b[0] - a[0])) for a, b, *_ in boxes]
    longest = sorted(angles, reverse=True)[: max(len(angles) // 3, 1)]
    return median(angle for _, angle in longest) if longest else 0.0


def _turned(points: Sequence[Point], angle: float) -> list[Point]:
    cos, sin = math.cos(angle), math.sin(angle)
    return [(x * cos - y * sin, x * sin + y * cos) for x, y in points]


def _height(box: Sequence[Point]) -> float:
    return (box[2][1] + box[3][1] - box[0][1] - box[1][1]) / 2


def _em(box: Sequence[Point], text: str) -> float:
    """The character size that fits the text into the width of its box."""
    units = sum(1.0 if is_wide(char) else 0.5 for char in text)
    return (box[1][0] - box[0][0]) / max(units, 1.0)


def _runs(lines: Sequence[tuple[list[Point], str]]) -> Iterator[Run]:
    """The lines as runs, sizes evened out: measured ones differ by a few per cent within one paragraph.

    The width of a long line tells its size well, its height badly; a short line takes the size of those as high.
    """
    long = sorted((_em(box, text), _height(box)) for box, text in lines if len(text) >= _LONG_LINE)
    groups: list[list[tuple[float, float]]] = []
    for measured in long:
        if groups and measured[0] < _SAME_SIZE * groups[-1][-1][0]:
            groups[-1].append(measured)
        else:
            groups.append([measured])
    sizes = [(median(em for em, _ in group), median(height for _, height in group)) for group in groups]
    for box, text in lines:
        em, height = _em(box, text), _height(box)
        if not sizes:
            size = min(em, height)
        elif len(text) >= _LONG_LINE:
            size = min(sizes, key=lambda known: abs(known[0] - em))[0]
        else:
            size = min(sizes, key=lambda known: abs(known[1] - height))[0]
        left, right = (box[0][0] + box[3][0]) / 2, (box[1][0] + box[2][0]) / 2
        yield Run(_brackets(text), left, right, sum(y for _, y in box) / 4 + 0.35 * size, size)


def _brackets(text: str) -> str:
    """Angle brackets beside Han characters are 〈 and 〉: the recogniser gives their half-width likes."""
    text = re.sub(r"<(?=[\u4e00-\u9fff])", "〈", text)
    return re.sub(r"(?<=[\u4e00-\u9fff）)》])>", "〉", text)


def _drawn(image: np.ndarray) -> Iterator[list[Point]]:
    """The ends of straight lines in the image, in pixels: what is left of it when opened with a long thin kernel."""
    import cv2
    import numpy as np

    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    ink = cv2.threshold(255 - grey, 100, 255, cv2.THRESH_BINARY)[1]
    for kernel in ((_LONG_SIDE // 40, 1), (1, _LONG_SIDE // 50)):
        opened = cv2.morphologyEx(ink, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_RECT, kernel))
        count, _, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(opened, np.ones((3, 3), np.uint8)))
        for x, y, width, height, _ in stats[1:count]:
            if min(width, height) <= _LONG_SIDE // 100:
                level = width > height
                middle = (y + height / 2) if level else (x + width / 2)
                ends = ((x, middle), (x + width, middle)) if level else ((middle, y), (middle, y + height))
                yield [(float(a), float(b)) for a, b in ends]


def _rule(ends: Sequence[Point]) -> Rule:
    (ax, ay), (bx, by) = ends
    return Rule(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))


def _engine() -> RapidOCR:
    """The recogniser, set to take little memory."""
    from rapidocr_onnxruntime import RapidOCR
    from rapidocr_onnxruntime.utils.infer_engine import OrtInferSession

    # RapidOCR has settings for neither: see _session_options.
    OrtInferSession._init_sess_opts = staticmethod(_session_options)
    # One line at a time: a batch pads all lines to its longest. No dilation: it closes narrow gutters. The smallest
    # side as good as none: otherwise the small image is enlarged again before lines are looked for.
    engine = RapidOCR(rec_batch_num=1, det_use_dilation=False, det_limit_side_len=32)
    del engine.text_cls  # tells which way up a line is; recognise() does not ask
    return engine


def _session_options(config: object) -> SessionOptions:
    """How onnxruntime runs a model, whichever it is."""
    from onnxruntime import SessionOptions

    options = SessionOptions()
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False  # sets memory aside for each width of line met
    # Threads that wait in a loop for each other: with anything else running on two cores, one is 1.7 times as fast.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return options


def main() -> None:
    """Write a JSON line for each page whose number is an argument; see the module."""
    from index.readers.child import limit_memory
    from index.readers.pdf import record_of
    from index.readers.pdfpage import open_document

    engine = _engine()
    limit_memory()
    with open_document(sys.stdin.buffer.read(), sys.maxsize) as document:
        for number in map(int, sys.argv[1:]):
            page = recognise(document[number - 1], engine)
            sys.stdout.write(json.dumps(record_of(page, 0)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
