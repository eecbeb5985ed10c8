"""What is painted on a PDF page besides its characters, as far as it says which of them can be seen."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field

import pypdfium2 as pdfium
import pypdfium2.raw as raw

_MOST_OBJECTS = 20_000
_MOST_SHAPES = 400
_MOST_SEGMENTS = 2_000
_DEEPEST = 8  # forms within forms
_THIN = 3.0  # points: a filled rectangle thinner than this is a rule
_CONTRAST = 14  # of 255: less difference between ink and ground is not seen
_WHITE = (255, 255, 255)

Box = tuple[float, float, float, float]  # left, bottom, right, top in page space
Color = tuple[int, int, int]
Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Shape:
    """A filled area; ``color`` is None where it is an image or a shading, so anything."""

    order: int
    box: Box
    color: Color | None
    opaque: bool

    def covers(self, box: Box) -> bool:
        """True if the box's inner part lies within: ink may reach a little beyond."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return self.box[0] <= x <= self.box[2] and self.box[1] <= y <= self.box[3]


@dataclass(slots=True)
class Painted:
    """The shapes and rules of a page, and when each text object is painted among them."""

    shapes: list[Shape] = field(default_factory=list)
    rules: list[Box] = field(default_factory=list)
    text_order: dict[int, int] = field(default_factory=dict)  # address of the object -> order
    image_area: float = 0.0
    paths: int = 0

    def hides(self, box: Box, ink: Color, address: int) -> bool:
        """True if ink of that colour cannot be seen there: its ground has the same colour, or it is painted over."""
        order = self.text_order.get(address)
        ground: Color | None = _WHITE
        for shape in self.shapes:
            if not shape.covers(box):
                continue
            if order is not None and shape.order > order:
                if shape.opaque:
                    return True
            elif shape.opaque or shape.color is None:
                ground = shape.color
        return ground is not None and all(abs(a - b) < _CONTRAST for a, b in zip(ink, ground, strict=True))


def painted(page: pdfium.PdfPage) -> Painted:
    """The painted objects of the page, those inside forms too, in painting order."""
    found = Painted()
    for order, (item, matrix) in enumerate(_objects(page)):
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            found.text_order[ctypes.addressof(item.contents)] = order
        elif kind == raw.FPDF_PAGEOBJ_PATH:
            found.paths += 1
            _add_path(found, item, matrix, order)
        elif kind in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING):
            box = _bounds(item, matrix)
            found.image_area += (box[2] - box[0]) * (box[3] - box[1])
            opaque = not raw.FPDFPageObj_HasTransparency(item)
            found.shapes.append(Shape(order, box, None, opaque))
    if len(found.shapes) > _MOST_SHAPES:
        found.shapes.sort(key=lambda shape: (shape.box[0] - shape.box[2]) * (shape.box[3] - shape.box[1]))
        found.shapes = sorted(found.shapes[:_MOST_SHAPES], key=lambda shape: shape.order)
    return found


def _objects(page: pdfium.PdfPage) -> Iterator[tuple[ctypes._Pointer[ctypes.Structure], Matrix]]:
    """(object, matrix from its coordinates to the page's), forms opened, not more than a page could need."""
    left = _MOST_OBJECTS
    form = raw.FPDF_PAGEOBJ_FORM
    top = (raw.FPDFPage_GetObject(page.raw, i) for i in range(raw.FPDFPage_CountObjects(page.raw)))
    stack: list[tuple[Iterator[ctypes._Pointer[ctypes.Structure]], Matrix]] = [(top, _IDENTITY)]
    while stack and left > 0:
        items, matrix = stack[-1]
        item = next(items, None)
        if item is None:
            stack.pop()
            continue
        left -= 1
        if raw.FPDFPageObj_GetType(item) == form and len(stack) < _DEEPEST:
            inner = (raw.FPDFFormObj_GetObject(item, i) for i in range(raw.FPDFFormObj_CountObjects(item)))
            stack.append((inner, _times(_matrix(item), matrix)))
        else:
            yield item, matrix


def _matrix(item: ctypes._Pointer[ctypes.Structure]) -> Matrix:
    m = raw.FS_MATRIX()
    return (m.a, m.b, m.c, m.d, m.e, m.f) if raw.FPDFPageObj_GetMatrix(item, m) else _IDENTITY


def _times(a: Matrix, b: Matrix) -> Matrix:
    """First a, then b."""
    return (
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    )


def _at(m: Matrix, x: float, y: float) -> tuple[float, float]:
    return m[0] * x + m[2] * y + m[4], m[1] * x + m[3] * y + m[5]


def _bounds(item: ctypes._Pointer[ctypes.Structure], matrix: Matrix) -> Box:
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not raw.FPDFPageObj_GetBounds(item, left, bottom, right, top):
        return (0.0, 0.0, 0.0, 0.0)
    a = _at(matrix, left.value, bottom.value)
    b = _at(matrix, right.value, top.value)
    return (min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))


def _add_path(found: Painted, item: ctypes._Pointer[ctypes.Structure], matrix: Matrix, order: int) -> None:
    """Sort a path into rules and filled areas; a path may be both."""
    box = _bounds(item, matrix)
    width, height = box[2] - box[0], box[3] - box[1]
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(item, fill, stroke)
    if _is_rule(width, height):
        found.rules.append(box)
        return
    if fill.value:
        channels = [ctypes.c_uint() for _ in range(4)]
        if raw.FPDFPageObj_GetFillColor(item, *channels):
            red, green, blue, alpha = (channel.value for channel in channels)
            opaque = alpha > 250 and not raw.FPDFPageObj_HasTransparency(item)
            found.shapes.append(Shape(order, box, (red, green, blue), opaque))
    if stroke.value:
        found.rules.extend(_stroked(item, matrix))


def _is_rule(width: float, height: float) -> bool:
    return (height <= _THIN and width >= 8.0) or (width <= _THIN and height >= 5.0)


def _stroked(item: ctypes._Pointer[ctypes.Structure], matrix: Matrix) -> Iterator[Box]:
    """The level and upright lines of a stroked path: a whole table may be one."""
    own = _times(_matrix(item), matrix)
    x, y = ctypes.c_float(), ctypes.c_float()
    start = last = (0.0, 0.0)
    for i in range(min(raw.FPDFPath_CountSegments(item), _MOST_SEGMENTS)):
        segment = raw.FPDFPath_GetPathSegment(item, i)
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        point = _at(own, x.value, y.value)
        kind = raw.FPDFPathSegment_GetType(segment)
        ends = []
        if kind == raw.FPDF_SEGMENT_MOVETO:
            start = point
        elif kind == raw.FPDF_SEGMENT_LINETO:
            ends.append((last, point))
        if raw.FPDFPathSegment_GetClose(segment):
            ends.append((point, start))
        last = point
        for (ax, ay), (bx, by) in ends:
            line = (min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))
            if _is_rule(line[2] - line[0], line[3] - line[1]):
                yield line
