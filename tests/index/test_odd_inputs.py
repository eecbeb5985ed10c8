"""What happens to odd files: the table of docs/inputs.md, kept true.

Each case makes one file (or folder) and says what reading it comes to. None may crash, take 30 seconds, or lose the
files beside it. Print the table anew with ``python tests/index/test_odd_inputs.py``.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import docx
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from index.readers import ocr
from index.sources import Limits, Unreadable, find_sources, read_source

TABLE = Path(__file__).resolve().parents[2] / "docs" / "inputs.md"
TEXT = "第一条 全市现有义务教育阶段学校206所，其中公办197所、民办9所。\n"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8ffff3f0005fe02fea735810500"
    "00000049454e44ae426082"
)
LIMITS = Limits(file_bytes=3_000_000, unpacked_bytes=20_000_000, members=200, pages=50, nesting=10_000)


@dataclass(frozen=True, slots=True)
class Case:
    """An odd input: the name it gets, what is odd about it, how it is made."""

    name: str
    what: str
    make: Callable[[Path], object]


def pdf(draw: Callable[[Canvas], object], **options: object) -> bytes:
    if "STSong-Light" not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1, **options)
    canvas.setFont("STSong-Light", 12)
    draw(canvas)
    canvas.save()
    return out.getvalue()


def line(canvas: Canvas, text: str = TEXT.strip(), y: float = 700) -> None:
    canvas.drawString(72, y, text)


def raw_pdf(stream: bytes, pages: int = 1) -> bytes:
    """A PDF written by hand around one content stream."""
    kids = b" ".join(b"%d 0 R" % (4 + i) for i in range(pages))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages),
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(stream), stream),
        *[b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 3 0 R>>"] * pages,
    ]
    out = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + head + table + trailer


def packed(unit: bytes, total: int) -> bytes:
    """Deflated bytes that unpack to ``total``."""
    packer = zlib.compressobj(9)
    block = unit * (100_000 // len(unit))
    return b"".join(packer.compress(block) for _ in range(total // len(block))) + packer.flush()


def image_page(canvas: Canvas) -> None:
    canvas.drawImage(ImageReader(io.BytesIO(PNG)), 0, 0, *A4)
    canvas.showPage()


def text_then_image(canvas: Canvas) -> None:
    line(canvas)
    canvas.showPage()
    canvas.setFont("STSong-Light", 12)
    image_page(canvas)
    image_page(canvas)


def hidden_text(canvas: Canvas) -> None:
    line(canvas)
    canvas.saveState()
    words = canvas.beginText(72, 600)
    words.setTextRenderMode(3)
    words.textLine("看不见的一行")
    canvas.drawText(words)
    canvas.restoreState()
    canvas.saveState()
    canvas.setFillColorRGB(1, 1, 1)
    line(canvas, "白底白字", 500)
    canvas.restoreState()
    canvas.setFont("STSong-Light", 0.1)
    line(canvas, "零号字", 400)


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as package:
        for name, data in members:
            package.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def encrypted_archive() -> bytes:
    """An archive whose only member is flagged as encrypted, in both its headers."""
    data = bytearray(archive(("密.md", TEXT.encode())))
    data[6] |= 1
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    return bytes(data)


def word(build: Callable[[docx.document.Document], object]) -> bytes:
    document = docx.Document()
    build(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def word_with(body: str, **parts: str) -> bytes:
    """A .docx made by hand: the body's XML, and further parts by name."""
    main = f"<w:document {SPACE}><w:body>{body}</w:body></w:document>"
    extra = [(f"word/{name}.xml", xml.encode()) for name, xml in parts.items()]
    return archive(("word/document.xml", main.encode()), *extra)


def paragraph(text: str, properties: str = "") -> str:
    return f"<w:p><w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r></w:p>"


def put(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def folder_loop(path: Path) -> None:
    path.mkdir()
    (path / "甲.md").write_text(TEXT)
    (path / "回到上层").symlink_to(path, target_is_directory=True)


def litter(path: Path) -> None:
    path.mkdir()
    for name in (".DS_Store", "~$公报.docx", "README.md", "Thumbs.db", "._甲.md"):
        (path / name).write_text("x")
    (path / "甲.md").write_text(TEXT)


def bad_and_good(path: Path) -> None:
    path.mkdir()
    (path / "坏.pdf").write_bytes(b"%PDF-1.4 broken")
    (path / "好.md").write_text(TEXT)


def many_members() -> bytes:
    return archive(*((f"{i}.md", b"x") for i in range(LIMITS.members + 1)), method=zipfile.ZIP_STORED)


def odd_names(path: Path) -> None:
    path.mkdir()
    for name in (b"\xff.md", "gnp\u202e公报.md".encode(), b"a\nb.md"):
        Path(os.fsdecode(bytes(path) + b"/" + name)).write_text(TEXT)


def nested(depth: int) -> bytes:
    data = archive(("甲.md", TEXT.encode()))
    for _ in range(depth - 1):
        data = archive(("内.zip", data))
    return data


def twins() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package.writestr("甲.md", TEXT)
        package.writestr("甲.md", TEXT * 2)
    return out.getvalue()


def numbered(text: str) -> str:
    properties = '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>'
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


SPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
NUMBERING = (
    f'<w:numbering {SPACE}><w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:start w:val="1"/>'
    '<w:numFmt w:val="chineseCountingThousand"/><w:lvlText w:val="第%1条"/></w:lvl></w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>'
)
BOMB = "<!DOCTYPE w [" + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "哈" * 10}">' for i in range(9)) + "]>"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)
PASSWORD_OLE = OLE + "EncryptedPackage".encode("utf-16-le")
TRADITIONAL = "第一條 全市現有義務教育階段學校二百零六所，其中公辦學校一百九十七所。\n"

CASES: Sequence[Case] = (
    # text
    Case("空.md", "空文件", put(b"")),
    Case("空白.txt", "只有空白和换行", put(" \n\t　\n".encode())),
    Case("utf8.md", "UTF-8", put(TEXT.encode())),
    Case("utf8标记.md", "UTF-8，带字节序标记 BOM", put(TEXT.encode("utf-8-sig"))),
    Case("utf16.txt", "UTF-16，带 BOM", put(TEXT.encode("utf-16"))),
    Case("utf16无标记.txt", "UTF-16 LE，无 BOM", put(TEXT.encode("utf-16-le"))),
    Case("utf32.txt", "UTF-32，带 BOM", put(TEXT.encode("utf-32"))),
    Case("gbk.txt", "GBK", put(TEXT.encode("gbk"))),
    Case("gb18030.txt", "GB18030 四字节字", put((TEXT + "㐀㐁𠮷").encode("gb18030"))),
    Case("big5.txt", "Big5 繁体", put(TRADITIONAL.encode("big5"))),
    Case(
        "损坏.md", "UTF-8，三处字节损坏", put(TEXT.encode() + b"\xff\xe5\xad" + TEXT.encode() + b"\x80" + TEXT.encode())
    ),
    Case("损坏gbk.txt", "GBK，一处字节损坏", put(TEXT.encode("gbk") * 3 + b"\xff\n" + TEXT.encode("gbk") * 3)),
    Case("已损坏.md", "原文已有替换符 �", put((TEXT + "�").encode())),
    Case("西文.txt", "Latin-1 西文", put("Café à la crème, naïve façade".encode("latin-1"))),
    Case("换行混用.md", "CR、LF、CRLF 混用", put((TEXT + "\r\n" + TEXT + "\r" + TEXT).encode())),
    Case("空字符.md", "夹有 NUL", put((TEXT * 5 + "\0" + TEXT).encode())),
    Case(
        "零宽.md", "夹有零宽字符、双向控制符和标签字符", put("全市\u200b现有\u202e学校\u2066206\U000e0041所。".encode())
    ),
    Case("二进制.md", "随机字节，后缀 .md", put(bytes(range(256)) * 40)),
    Case("全零.txt", "全是零字节", put(bytes(5000))),
    Case("软字符.txt", "夹有韩文填充符、变体选择符、盲文空格", put("全市\u3164现有\ufe0f学校\u2800206所。".encode())),
    Case("一行.txt", "一行六十万字，没有换行", put(("全市现有学校" * 100_000).encode())),
    Case("过大.txt", "超过大小上限（表中上限调到 3 MB）", put(b"a" * 3_000_001)),
    Case("无后缀", "没有后缀的文本", put(TEXT.encode())),
    Case("大写.MD", "后缀大写", put(TEXT.encode())),
    # the wrong content for the suffix
    Case("图片.md", "PNG 改名为 .md", put(PNG)),
    Case("图片.pdf", "PNG 改名为 .pdf", put(PNG)),
    Case("压缩.pdf", "zip 改名为 .pdf", put(archive(("a.md", TEXT.encode())))),
    Case("文档.txt", "PDF 改名为 .txt", put(pdf(line))),
    Case("网页.md", "HTML 改名为 .md", put(b"<!DOCTYPE html><p>x</p>")),
    Case("文本.docx", "文本改名为 .docx", put(TEXT.encode())),
    Case("文本.pdf", "文本改名为 .pdf", put(TEXT.encode())),
    Case("旧版.doc", "旧版 Word", put(OLE)),
    Case("旧版.docx", "旧版 Word 改名为 .docx", put(OLE)),
    Case("表格.xlsx", "不支持的格式", put(archive(("xl/workbook.xml", b"<x/>")))),
    Case("版式.ofd", "OFD 版式文件", put(archive(("OFD.xml", b"<x/>")))),
    Case("旧版.wps", "WPS 文字", put(OLE)),
    Case("照片.jpg", "照片", put(b"\xff\xd8\xff\xe0" + bytes(64))),
    Case("公报.rar", "RAR 压缩包", put(b"Rar!\x1a\x07\0" + bytes(64))),
    Case("网页.mht", "网页归档", put(b"MIME-Version: 1.0\n\n<p>x</p>")),
    Case("富文本.rtf", "RTF", put(b"{\\rtf1 x}")),
    Case("程序.txt", "ELF 程序改名为 .txt", put(b"\x7fELF\x02\x01\x01" + bytes(100))),
    # HTML
    Case("深.html", "八千层嵌套", put(("<div>" * 8000 + "深处的字" + "</div>" * 8000 + "<p>后面</p>").encode())),
    Case("太深.html", "嵌套超过上限（表中一万层）", put(b"<div>" * 10_001 + "字".encode())),
    Case(
        "隐藏.html",
        "脚本、注释、隐藏元素",
        put("<p>看得见</p><script>x=1</script><!-- 注 --><p hidden>甲</p><p style='display:none'>乙</p>".encode()),
    ),
    Case("gbk.html", "meta 声明 gb2312，内容 GBK", put(('<meta charset="gb2312"><p>' + TEXT).encode("gbk"))),
    Case("错声明.html", "meta 声明 utf-8，内容其实是 GBK", put(('<meta charset="utf-8"><p>' + TEXT).encode("gbk"))),
    Case("未闭合.html", "标签全未闭合", put("<table><tr><td>甲<td>乙<tr><td>丙<td>丁".encode())),
    Case("实体.html", "实体炸弹写在 HTML 里", put((BOMB + "<p>&a8;正文").encode())),
    Case("空.html", "没有文字的网页", put(b"<html><body><img src=x></body></html>")),
    # Word
    Case("普通.docx", "段落和表格", put(word(lambda d: (d.add_paragraph(TEXT.strip()), d.add_table(1, 2))))),
    Case(
        "修订.docx",
        "修订：插入、删除、隐藏文字",
        put(
            word_with(
                "<w:p><w:r><w:t>原文</w:t></w:r><w:ins><w:r><w:t>插入</w:t></w:r></w:ins>"
                "<w:del><w:r><w:delText>删除</w:delText></w:r></w:del></w:p>" + paragraph("藏", "<w:vanish/>")
            )
        ),
    ),
    Case("截断.docx", "下载了一半", put(word(lambda d: d.add_paragraph(TEXT))[:9000])),
    Case("坏xml.docx", "正文 XML 残缺", put(archive(("word/document.xml", b"<w:document><w:body>")))),
    Case("无正文.docx", "压缩包里没有正文", put(archive(("a.txt", b"x")))),
    Case("炸弹.docx", "正文解压后 100 MB", put(archive(("word/document.xml", b" " * 100_000_000)))),
    Case("实体.docx", "XML 实体炸弹", put(archive(("word/document.xml", (BOMB + "<w>&a8;</w>").encode())))),
    Case(
        "外部.docx",
        "XML 外部实体指向本机文件",
        put(
            archive(
                (
                    "word/document.xml",
                    (
                        '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
                        '<w:document xmlns:w="w"><w:body><w:p><w:r><w:t>前&x;后</w:t></w:r></w:p></w:body></w:document>'
                    ).encode(),
                )
            )
        ),
    ),
    Case("深.docx", "嵌套八千层", put(word_with("<w:sdt>" * 8000 + paragraph("深处") + "</w:sdt>" * 8000))),
    Case("加密.docx", "有密码的 Word", put(PASSWORD_OLE)),
    Case("编号.docx", "条号由自动编号生成", put(word_with(numbered("甲") + numbered("乙"), numbering=NUMBERING))),
    Case(
        "脚注.docx",
        "带脚注",
        put(
            word_with(
                '<w:p><w:r><w:t>正文</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r></w:p>',
                footnotes=f'<w:footnotes {SPACE}><w:footnote w:id="2">{paragraph("注文")}</w:footnote></w:footnotes>',
            )
        ),
    ),
    # PDF
    Case("普通.pdf", "一页文字", put(pdf(line))),
    Case("隐藏.pdf", "渲染方式 3、白底白字、零号字", put(pdf(hidden_text))),
    Case("加密.pdf", "有打开密码", put(pdf(line, encrypt="secret"))),
    Case("属主.pdf", "只有属主密码，可以打开", put(pdf(line, encrypt=StandardEncryption("", "owner")))),
    Case(
        "旋转.pdf",
        "页面旋转 90 度",
        put(pdf(lambda c: (c.setPageRotation(90), c.translate(400, 0), c.rotate(90), line(c, y=72)))),
    ),
    Case("水印.pdf", "斜置水印", put(pdf(lambda c: (line(c), c.rotate(45), line(c, "内部资料", 100))))),
    Case("垃圾.pdf", "文件头前有多余字节", put(b"\r\n" * 20 + pdf(line))),
    Case("截断.pdf", "下载了一半", put(pdf(line)[:1200])),
    Case("坏.pdf", "只有文件头", put(b"%PDF-1.7\n%%EOF")),
    Case("零页.pdf", "没有页面", put(raw_pdf(b"", pages=0))),
    Case("白页.pdf", "一张白页", put(raw_pdf(zlib.compress(b" ")))),
    Case("页多.pdf", "页数超过上限（表中 50 页）", put(raw_pdf(zlib.compress(b" "), pages=51))),
    Case("炸弹.pdf", "页面内容解压后 1 GB", put(raw_pdf(packed(b" ", 1_000_000_000)))),
    Case("扫描.pdf", "全是扫描图像，未装 OCR", put(pdf(lambda c: (image_page(c), image_page(c))))),
    Case("部分扫描.pdf", "第 1 页文字，第 2–3 页扫描，未装 OCR", put(pdf(text_then_image))),
    # archives
    Case("公报.zip", "zip 里一个 .md", put(archive(("2021/第3号.md", TEXT.encode())))),
    Case("穿越.zip", "成员名含 ../", put(archive(("../../etc/第3号.md", TEXT.encode())))),
    Case("套.zip", "zip 里有 zip", put(archive(("内.zip", archive(("甲.md", TEXT.encode())))))),
    Case("坏成员.zip", "一个成员坏，一个好", put(archive(("坏.pdf", b"%PDF-x"), ("好.md", TEXT.encode())))),
    Case("加密.zip", "有密码的 zip", put(encrypted_archive())),
    Case("炸弹.zip", "解压后 100 MB", put(archive(("零.txt", bytes(100_000_000))))),
    Case("太多.zip", "成员超过上限（表中 200 个）", put(many_members())),
    Case("截断.zip", "下载了一半", put(archive(("a.md", os.urandom(2000).hex().encode()))[:900])),
    Case("空.zip", "空压缩包", put(archive())),
    Case("不是.zip", "文本改名为 .zip", put(TEXT.encode())),
    Case(
        "gbk名.zip",
        "成员名是 GBK 编码",
        put(archive(("????.md", TEXT.encode())).replace(b"????", "公报".encode("gbk"))),
    ),
    Case("深套.zip", "zip 套 zip 四层", put(nested(4))),
    Case("重名.zip", "两个成员同名", put(twins())),
    Case("苹果.zip", "含 __MACOSX 资源文件", put(archive(("__MACOSX/._甲.md", b"x"), ("甲.md", TEXT.encode())))),
    # the file system
    Case("没有.md", "文件不存在", lambda path: None),
    Case("管道.md", "命名管道", lambda path: os.mkfifo(path)),
    Case("设备.md", "指向 /dev/zero 的链接", lambda path: path.symlink_to("/dev/zero")),
    Case("怪名", "文件名含控制符、反向符和无效字节", odd_names),
    Case("断链.md", "指向不存在文件的链接", lambda path: path.symlink_to("nowhere")),
    Case("自链.md", "指向自己的链接", lambda path: path.symlink_to(path.name)),
    Case("循环", "文件夹里有指回上层的链接", folder_loop),
    Case("杂物", "文件夹里有系统杂物和 README", litter),
    Case("好坏", "一个坏文件旁边一个好文件", bad_and_good),
    Case("空夹", "空文件夹", lambda path: path.mkdir()),
)


def outcome(case: Case, folder: Path) -> str:
    """What reading the case comes to, in the words of the table."""
    path = folder / case.name
    case.make(path)
    said = []
    for found in find_sources([path], limits=LIMITS):
        try:
            source = read_source(found, limits=LIMITS)
        except Unreadable as error:
            said.append(f"拒绝：{error}")
        else:
            pages = f"{len(source.page_starts)} 页 " if source.page_starts else ""
            notes = f"（{'；'.join(source.notes)}）" if source.notes else ""
            said.append(f"读入 {source.name}：{pages}{len(source.text)} 字{notes}")
    return "；".join(said) or "没有可读的文件"


def row(case: Case, said: str) -> str:
    return f"| `{case.name}` | {case.what} | {said} |".replace("\n", " ")


@pytest.mark.timeout(30)
@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_odd_input_does_what_the_table_says(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "is_installed", lambda: False)
    assert row(case, outcome(case, tmp_path)) in TABLE.read_text(encoding="utf-8").split("\n")


def test_the_table_has_a_row_for_every_case_and_no_other() -> None:
    rows = [text for text in TABLE.read_text(encoding="utf-8").split("\n") if text.startswith("| `")]
    assert [text.split("`")[1] for text in rows] == [case.name for case in CASES]
    assert len(rows) >= 60


HEAD = """# Odd inputs and what happens to them

Every row is a file that a test makes, reads and compares with this table (`tests/index/test_odd_inputs.py`; it also
prints the table anew). No file crashes the reader, takes 30 seconds, or keeps its neighbours from being read.
What the notes say is kept with the source and shown by `gazette-index build` and `list`.

The limits (`index.readers.Limits`) are 50 MB a file, 200 MB unpacked, 20 million characters, 3,000 pages, 5,000 files
in an archive, 50,000 nested elements, 25 seconds without a page read; the table is made with smaller ones.

| file | what is odd | what happens |
|---|---|---|
"""

if __name__ == "__main__":
    ocr.is_installed = lambda: False
    with tempfile.TemporaryDirectory() as place:
        sys.stdout.write(HEAD + "\n".join(row(case, outcome(case, Path(place))) for case in CASES) + "\n")
