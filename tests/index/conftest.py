"""The real gazette exported to the forms gazettes come in."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import docx
import pypdfium2
import pytest
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, Table

FONT = "STSong-Light"
HEAD = "人民代表大会常务委员会公报"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph of the gazette as exported; ``level`` is its heading mark's, ``cells`` a table row's."""

    text: str
    level: int = 0
    cells: tuple[str, ...] = ()


def blocks(markdown: str) -> Iterator[Block]:
    """The lines that say something, without marks of Markdown."""
    for raw in markdown.split("\n"):
        mark = re.match(r"#+ ", raw)
        text = raw.strip().lstrip("# ").strip("* ")
        if "\t" in raw.strip():
            yield Block(text, cells=tuple(cell.strip() for cell in raw.strip().split("\t")))
        elif text:
            yield Block(text, level=len(mark.group()) - 1 if mark else 0)


def grouped(found: Sequence[Block]) -> Iterator[list[Block]]:
    """Rows of one table together, everything else alone."""
    rows: list[Block] = []
    for block in found:
        if block.cells:
            rows.append(block)
            continue
        if rows:
            yield rows
            rows = []
        yield [block]
    if rows:
        yield rows


def to_text(found: Sequence[Block]) -> bytes:
    return "\n\n".join("\n".join("\t".join(b.cells) or b.text for b in group) for group in grouped(found)).encode()


def to_html(found: Sequence[Block]) -> bytes:
    out = ['<html><head><meta charset="gb18030"><title>公报</title></head><body><nav>首页 机构 公报</nav><article>']
    for group in grouped(found):
        if group[0].cells:
            rows = ("".join(f"<td>{html.escape(cell)}</td>" for cell in block.cells) for block in group)
            out.append("<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>")
        else:
            tag = f"h{group[0].level}" if group[0].level else "p"
            out.append(f"<{tag}>{html.escape(group[0].text)}</{tag}>")
    return "\n".join([*out, "</article><footer>版权所有</footer></body></html>"]).encode("gb18030")


def to_docx(found: Sequence[Block]) -> bytes:
    document = docx.Document()
    for group in grouped(found):
        if group[0].cells:
            table = document.add_table(len(group), max(len(block.cells) for block in group))
            for block, row in zip(group, table.rows, strict=True):
                for text, cell in zip(block.cells, row.cells, strict=False):
                    cell.text = text
        elif group[0].level:
            document.add_heading(group[0].text, min(group[0].level, 4))
        else:
            document.add_paragraph(group[0].text)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def to_pdf(found: Sequence[Block], columns: int) -> bytes:
    """Set in one or two columns, first lines set in, with a running head and page numbers, tables ruled."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    width = 470 if columns == 1 else 240
    body = ParagraphStyle("b", fontName=FONT, fontSize=10.5, leading=17, firstLineIndent=21, wordWrap="CJK")
    title = ParagraphStyle("t", fontName=FONT, fontSize=16, leading=24, alignment=1, wordWrap="CJK", spaceBefore=12)
    cell = ParagraphStyle("c", fontName=FONT, fontSize=9, leading=12, wordWrap="CJK")
    story: list[Flowable] = []
    for group in grouped(found):
        if group[0].cells:
            count = max(len(block.cells) for block in group)
            rows = [[Paragraph(html.escape(text), cell) for text in block.cells] for block in group]
            rows = [row + [Paragraph("", cell)] * (count - len(row)) for row in rows]
            first = 0.45 * width if count < 6 else width / count
            widths = [first] + [(width - first) / (count - 1)] * (count - 1)
            story.append(Table(rows, colWidths=widths, style=[("GRID", (0, 0), (-1, -1), 0.5, colors.black)]))
        else:
            numbered = re.match(r"[一二三四五六七八九十]+、|[（(]", group[0].text)
            style = title if 1 <= group[0].level <= 2 and not numbered else body
            story.append(Paragraph(html.escape(group[0].text), style))

    def furniture(canvas: Canvas, document: BaseDocTemplate) -> None:
        canvas.setFont(FONT, 9)
        canvas.drawCentredString(A4[0] / 2, A4[1] - 40, HEAD)
        canvas.line(60, A4[1] - 45, A4[0] - 60, A4[1] - 45)
        canvas.drawCentredString(A4[0] / 2, 30, f"- {document.page} -")

    frames = [Frame(50 + i * 255, 60, width + 12, A4[1] - 120) for i in range(columns)]
    out = io.BytesIO()
    document = BaseDocTemplate(out, pagesize=A4, invariant=1)
    document.addPageTemplates(PageTemplate(frames=frames, onPage=furniture))
    document.build(story)
    return out.getvalue()


def to_images(data: bytes, numbers: Sequence[int]) -> bytes:
    """Pages of a PDF as a scanner gives them: 200 dpi, grey, no text."""
    document = pypdfium2.PdfDocument(data)
    images = [document[number - 1].render(scale=200 / 72).to_pil().convert("L") for number in numbers]
    out = io.BytesIO()
    images[0].save(out, format="PDF", save_all=True, append_images=images[1:], resolution=200)
    return out.getvalue()


@pytest.fixture(scope="session")
def exports(sample_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the gazette as text, web page, Word document, PDF of one and of two columns, and scanned pages."""
    folder = tmp_path_factory.mktemp("exports")
    found = list(blocks(sample_path.read_text(encoding="utf-8")))
    two = to_pdf(found, 2)
    (folder / "gazette.txt").write_bytes(to_text(found))
    (folder / "gazette.html").write_bytes(to_html(found))
    (folder / "gazette.docx").write_bytes(to_docx(found))
    (folder / "gazette.pdf").write_bytes(to_pdf(found, 1))
    (folder / "columns.pdf").write_bytes(two)
    (folder / "scanned.pdf").write_bytes(to_images(two, [3, 4]))
    return folder
