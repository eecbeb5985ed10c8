"""Word documents: made by python-docx where it can, by hand where it cannot."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress

import docx
import pytest
from docx.oxml import OxmlElement
from docx.shared import RGBColor
from hypothesis import given, settings
from hypothesis import strategies as st

from index.readers import Limits, Unreadable
from index.readers.docx import read
from index.readers.numbering import chinese

LIMITS = Limits()
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def made(build: Callable[[docx.document.Document], object]) -> bytes:
    document = docx.Document()
    build(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def by_hand(body: str, **parts: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("word/document.xml", f"<w:document {W}><w:body>{body}</w:body></w:document>")
        for name, xml in parts.items():
            package.writestr(f"word/{name}.xml", xml)
    return out.getvalue()


def p(text: str, properties: str = "", run: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:rPr>{run}</w:rPr><w:t>{text}</w:t></w:r></w:p>"


def text_of(body: str, **parts: str) -> str:
    return read(by_hand(body, **parts), LIMITS).text


def test_paragraphs_headings_and_tables() -> None:
    def build(document: docx.document.Document) -> None:
        document.add_heading("关于某事的报告", 1)
        document.add_paragraph("全市现有学校").add_run("206所").bold = True
        table = document.add_table(2, 2)
        for row, texts in zip(table.rows, (("报告", "满意"), ("甲", "33 票")), strict=True):
            for cell, text in zip(row.cells, texts, strict=True):
                cell.text = text
        document.add_paragraph("完")

    assert read(made(build), LIMITS).text == "关于某事的报告\n\n全市现有学校206所\n\n报告\t满意\n甲\t33 票\n\n完"


def test_hidden_and_white_text_is_left_out_and_counted() -> None:
    def build(document: docx.document.Document) -> None:
        paragraph = document.add_paragraph("看得见")
        paragraph.add_run("隐藏").font.hidden = True
        paragraph.add_run("白字").font.color.rgb = RGBColor(255, 255, 255)

    reading = read(made(build), LIMITS)
    assert reading.text == "看得见"
    assert reading.notes == ("略去 4 个看不见的字符（隐藏文字）",)


def test_white_text_on_a_shaded_cell_is_seen() -> None:
    def build(document: docx.document.Document) -> None:
        cell = document.add_table(1, 1).rows[0].cells[0]
        cell.paragraphs[0].add_run("表头").font.color.rgb = RGBColor(255, 255, 255)
        shade = OxmlElement("w:shd")
        shade.set(docx.oxml.ns.qn("w:fill"), "1F4E79")
        cell._tc.get_or_add_tcPr().append(shade)

    assert read(made(build), LIMITS).text == "表头"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param("<w:p><w:ins><w:r><w:t>插入</w:t></w:r></w:ins></w:p>", "插入", id="inserted"),
        pytest.param("<w:p><w:moveTo><w:r><w:t>移来</w:t></w:r></w:moveTo></w:p>", "移来", id="moved here"),
        pytest.param("<w:p><w:moveFrom><w:r><w:t>移走</w:t></w:r></w:moveFrom></w:p>", "", id="moved away"),
        pytest.param("<w:p><w:del><w:r><w:delText>删</w:delText></w:r></w:del></w:p>", "", id="deleted"),
        pytest.param(
            p("甲", "<w:rPr><w:del/></w:rPr>") + p("乙") + p("丙"), "甲乙\n\n丙", id="a deleted paragraph mark joins"
        ),
        pytest.param(
            f"<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc>{p('旧')}</w:tc></w:tr>"
            f"<w:tr><w:tc>{p('甲')}</w:tc><w:tc>{p('乙')}</w:tc></w:tr></w:tbl>",
            "甲\t乙",
            id="a deleted row",
        ),
        pytest.param(p("新", "", '<w:rPrChange><w:rPr><w:vanish/></w:rPr></w:rPrChange>'), "新", id="an old property"),
        pytest.param(p("字", "", '<w:vanish w:val="0"/>'), "字", id="vanish switched off"),
        pytest.param("<w:p><w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:t>3</w:t></w:r></w:p>", "3", id="fields"),
        pytest.param("<w:p><w:r><w:t>标题</w:t><w:tab/><w:t>5</w:t></w:r></w:p>", "标题\t5", id="a tab"),
        pytest.param("<w:p><w:r><w:t>上</w:t><w:br/><w:t>下</w:t></w:r></w:p>", "上\n下", id="a line break"),
        pytest.param(
            '<w:p><w:r><mc:AlternateContent xmlns:mc="x"><mc:Choice><w:txbxContent>'
            + p("框中") + "</w:txbxContent></mc:Choice><mc:Fallback>" + p("框中") + "</mc:Fallback></mc:AlternateContent>"
            "<w:t>框外</w:t></w:r></w:p>",
            "框中\n\n框外",
            id="a text box, once",
        ),
        pytest.param(
            f"<w:tbl><w:tr><w:tc>{p('题')}<w:tbl><w:tr><w:tc>{p('甲')}</w:tc><w:tc>{p('乙')}</w:tc></w:tr></w:tbl>"
            "</w:tc></w:tr></w:tbl>",
            "题\n\n甲\t乙",
            id="a table within a layout table",
        ),
    ],
)  # fmt: skip
def test_marks_of_word(body: str, text: str) -> None:
    assert text_of(body) == text


def test_a_hidden_style_hides_what_is_based_on_it() -> None:
    styles = (
        f'<w:styles {W}><w:style w:styleId="h"><w:rPr><w:vanish/></w:rPr></w:style>'
        '<w:style w:styleId="k"><w:basedOn w:val="h"/></w:style></w:styles>'
    )
    assert text_of(p("藏", '<w:pStyle w:val="k"/>') + p("见"), styles=styles) == "见"


def test_footnotes_follow_their_paragraph() -> None:
    reference = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    notes = f'<w:footnotes {W}><w:footnote w:id="-1">{p("线")}</w:footnote><w:footnote w:id="2">{p("注文")}</w:footnote></w:footnotes>'
    body = f"<w:p><w:r><w:t>正文</w:t></w:r>{reference}</w:p>" + p("下段")
    assert text_of(body, footnotes=notes) == "正文\n\n[1] 注文\n\n下段"


def level(at: int, form: str, pattern: str, start: int = 1) -> str:
    return (
        f'<w:lvl w:ilvl="{at}"><w:start w:val="{start}"/><w:numFmt w:val="{form}"/>'
        f'<w:lvlText w:val="{pattern}"/></w:lvl>'
    )


def item(text: str, at: int = 0, number: int = 1) -> str:
    return p(text, f'<w:numPr><w:ilvl w:val="{at}"/><w:numId w:val="{number}"/></w:numPr>')


def test_list_numbers_are_counted_as_word_counts_them() -> None:
    numbering = (
        f'<w:numbering {W}><w:abstractNum w:abstractNumId="7">'
        + level(0, "chineseCountingThousand", "第%1条")
        + level(1, "chineseCounting", "（%2）")
        + level(2, "decimal", "%1.%3.")
        + '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>'
        + '<w:num w:numId="2"><w:abstractNumId w:val="7"/>'
        + '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/></w:lvlOverride></w:num></w:numbering>'
    )
    body = item("甲") + item("一", 1) + item("二", 1) + item("乙") + item("一", 1) + item("深", 2) + item("戊", 0, 2)
    assert text_of(body, numbering=numbering).split("\n\n") == [
        "第一条 甲", "（一）一", "（二）二", "第二条 乙", "（一）一", "二.1. 深", "第五条 戊",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (21, "二十一"), (100, "一百"), (105, "一百零五"),
     (110, "一百一十"), (1001, "一千零一"), (0, "0"), (10_000, "10000")],
)  # fmt: skip
def test_chinese_numbers(number: int, words: str) -> None:
    assert chinese(number) == words


def test_entities_open_no_file_and_do_not_grow() -> None:
    body = '<!DOCTYPE d [<!ENTITY f SYSTEM "file:///etc/hostname"><!ENTITY g "藏">]>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr(
            "word/document.xml", f"{body}<w:document {W}><w:p><w:r><w:t>前&f;后</w:t></w:r></w:p></w:document>"
        )
    assert read(out.getvalue(), LIMITS).text == "前后"


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        pytest.param(Limits(characters=3), "超过上限 3 字", id="characters"),
        pytest.param(Limits(paragraphs=1), "段落超过上限 1 个", id="paragraphs"),
        pytest.param(Limits(nesting=4), "嵌套超过 4 层", id="nesting"),
        pytest.param(Limits(unpacked_bytes=10), "压缩炸弹", id="unpacked size"),
        pytest.param(Limits(members=1), "超过 1 个", id="members"),
    ],
)
def test_limits(limits: Limits, reason: str) -> None:
    data = made(lambda document: [document.add_paragraph("甲乙") for _ in range(3)])
    with pytest.raises(Unreadable, match=reason):
        read(data, limits)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_documents_are_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(by_hand(item("甲") + p("乙") * 3))
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Unreadable):
        read(bytes(whole[: data.draw(st.integers(0, len(whole)))]), LIMITS)


_TAGS = st.sampled_from(
    "w:p w:r w:t w:tbl w:tr w:tc w:del w:ins w:pPr w:rPr w:numPr w:numId w:vanish w:sdt w:footnote".split()
)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(
            "<w:p><w:r><w:p><w:pPr><w:r>字</w:r></w:pPr></w:p><w:t>乙</w:t></w:r></w:p>", id="a run inside a property"
        ),
        pytest.param(
            "<w:p><w:pPr><w:r><w:t>乙</w:t><w:br/></w:r></w:pPr></w:p>", id="marks of a run that never opened"
        ),
    ],
)
def test_elements_out_of_place_close_only_what_they_opened(body: str) -> None:
    read(by_hand(body + "<w:p><w:r><w:t>正文</w:t></w:r></w:p>"), LIMITS)


@st.composite
def _xml(draw: st.DrawFn, depth: int = 0) -> str:
    tag = draw(_TAGS)
    inner = "".join(draw(st.lists(_xml(depth + 1), max_size=3))) if depth < 4 else "字"
    return f'<{tag} w:val="{draw(st.sampled_from(["", "1", "x", "9999999999"]))}">{inner}</{tag}>'


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(_xml())
def test_any_order_of_elements_is_read(body: str) -> None:
    read(by_hand(body), LIMITS)
