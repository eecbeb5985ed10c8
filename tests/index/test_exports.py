"""The same gazette in every form gives the same titles and text, on the right pages."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

import pypdfium2
import pytest

from index.gazette import parse_gazette
from index.readers import ocr
from index.records import Gazette, Source
from index.sources import read_source
from index.text import fold

FORMS = ("gazette.txt", "gazette.html", "gazette.docx", "gazette.pdf", "columns.pdf")


def bare(text: str) -> str:
    return fold(re.sub(r"[#*]", "", text))


@cache
def read_export(path: Path) -> Source:
    return read_source(path)


def titles(gazette: Gazette) -> list[str]:
    return [bare(document.title) for document in gazette.documents]


@pytest.mark.parametrize("form", FORMS)
def test_titles_and_text_are_the_same(form: str, exports: Path, sample_source: Source, sample_gazette: Gazette) -> None:
    source = read_export(exports / form)
    gazette = parse_gazette(source)
    assert titles(gazette) == titles(sample_gazette)
    assert [item.title for item in gazette.catalogue] == [item.title for item in sample_gazette.catalogue]
    # Every character is there and in its place: more than the 99 % asked for.
    assert bare(source.text) == bare(sample_source.text)


@pytest.mark.parametrize("form", ["gazette.pdf", "columns.pdf"])
def test_each_page_begins_where_it_says(form: str, exports: Path) -> None:
    source = read_export(exports / form)
    document = pypdfium2.PdfDocument(exports / form)
    assert len(source.page_starts) == len(document)
    assert source.page_starts[0] == 0
    for number, page in enumerate(document, start=1):
        printed = bare(page.get_textpage().get_text_range())
        starts = source.page_starts[number - 1]
        end = source.page_starts[number] if number < len(document) else len(source.text)
        text = bare(source.text[starts:end])
        # PDFium's own text has the running head and page number as well, and its own order of the same characters.
        assert sorted(text) == sorted(
            printed.replace(bare("人民代表大会常务委员会公报"), "", 1).replace(f"-{number}-", "", 1)
        )
        assert source.page_at(starts) == number
        assert source.page_at(end - 1) == number


def test_running_heads_and_page_numbers_are_gone(exports: Path) -> None:
    text = read_export(exports / "columns.pdf").text
    assert not re.search(r"^- \d+ -$", text, re.M)
    assert not re.search(r"^人民代表大会常务委员会公报$", text, re.M)


def test_a_table_keeps_its_rows(exports: Path) -> None:
    for form in FORMS:
        rows = [line.split("\t") for line in read_export(exports / form).text.split("\n") if "88.25" in line]
        assert [[bare(cell) for cell in row] for row in rows] == [
            ["关于我市义务教育工作情况的报告", "33票88.25%", "5票12.5%", "0票"]
        ], form


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not ocr.is_installed(), reason="the ocr extra is not installed")
def test_scanned_pages_are_read_by_ocr(exports: Path) -> None:
    scanned = read_export(exports / "scanned.pdf")
    printed = read_export(exports / "columns.pdf")
    expected = bare(printed.text[printed.page_starts[2] : printed.page_starts[4]])
    assert SequenceMatcher(None, expected, bare(scanned.text), autojunk=False).ratio() >= 0.98
    assert len(scanned.page_starts) == 2
    # A sentence of the second page is cited with it.
    second = scanned.text.find("教育强国") if "教育强国" in scanned.text else scanned.page_starts[1]
    assert scanned.page_at(second) == 2
    assert any("OCR" in note for note in scanned.notes)
