"""Word .docx -> text: paragraphs with their list numbers, tables as rows, footnotes; deletions and hidden text left out.

Parsed as a stream from the archive, so a large document needs little memory. Tracked insertions count as text, tracked
deletions do not: the text is as it would be with all changes accepted. Source: ECMA-376 part 1, section 17.
"""

from __future__ import annotations

import time
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from index.readers import Limits, Reading, Unreadable, archive, child
from index.readers.flow import Item, plain_text, row_items
from index.readers.numbering import Numbering, read_numbering

_CHUNK = 1 << 16
_SMALL_PART = 10_000_000
_LARGE = 5_000_000
_OFF = frozenset({"0", "false", "off", "none"})
# Old properties, fallbacks for older programs, field codes, readings above characters, deletions.
_SKIPPED = frozenset(
    "del moveFrom delText instrText delInstrText rt Fallback pPrChange rPrChange tblPrChange trPrChange tcPrChange "
    "sectPrChange numberingChange sectPr".split()
)
_DELETIONS = frozenset({"del", "moveFrom"})
_MAIN = "word/document.xml"


@dataclass(frozen=True, slots=True)
class _Style:
    based_on: str = ""
    hidden: bool = False
    number_id: str = ""
    level: int = 0


@dataclass(slots=True)
class _Paragraph:
    parts: list[str] = field(default_factory=list)
    style: str = ""
    number_id: str = ""
    level: int | None = None
    mark_deleted: bool = False  # then it runs on into the next
    shaded: bool = False
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Run:
    hidden: bool = False
    white: bool = False
    shaded: bool = False


@dataclass(slots=True)
class _Row:
    cells: list[list[Item]] = field(default_factory=list)
    dropped: bool = False
    shaded: bool = False


@dataclass(slots=True)
class _Body:
    """The parser's target for a part with paragraphs: the document, its footnotes, its endnotes."""

    styles: Mapping[str, _Style]
    numbering: Numbering
    notes: Mapping[str, list[Item]]  # "footnote 2" -> its paragraphs
    limits: Limits
    items: list[Item] = field(default_factory=list)
    by_note: dict[str, list[Item]] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    # What each element of the path opened, "" for none: a run inside a property opens none, and must close none.
    opened: list[str] = field(default_factory=list)
    skipping: int = 0  # depth at which an element left out was opened
    paragraphs: list[_Paragraph] = field(default_factory=list)
    runs: list[_Run] = field(default_factory=list)
    rows: list[_Row] = field(default_factory=list)
    carried: list[str] = field(default_factory=list)  # text of paragraphs whose mark was deleted
    note: str = ""
    note_count: int = 0
    deleted: int = 0
    hidden: int = 0
    characters: int = 0
    added: int = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if len(self.path) >= self.limits.nesting:
            raise Unreadable(f"Word 文档元素嵌套超过 {self.limits.nesting} 层，未读取")
        name = tag.rpartition("}")[2]
        above = self.path[-1] if self.path else ""
        self.path.append(name)
        self.opened.append("")
        if self.skipping:
            return
        if above in ("rPr", "pPr", "numPr", "trPr", "tcPr"):
            self._property(above, name, attributes)
        elif name in _SKIPPED:
            self.skipping = len(self.path)
        elif name == "p":
            self.opened[-1] = name
            self.paragraphs.append(_Paragraph())
        elif name == "r":
            self.opened[-1] = name
            self.runs.append(_Run())
        elif name == "tr":
            self.opened[-1] = name
            self.rows.append(_Row())
        elif name == "tc" and self.rows:
            self.rows[-1].cells.append([])
            self.rows[-1].shaded = False
        elif name in ("footnote", "endnote"):
            self.note = f"{name} {_value(attributes, 'id')}"
            self.by_note[self.note] = []
        elif above == "r":
            self._mark(name, attributes)

    def end(self, tag: str) -> None:
        name, opened = self.path.pop(), self.opened.pop()
        if self.skipping:
            if len(self.path) < self.skipping:
                self.skipping = 0
            return
        if opened == "p":
            self._close_paragraph(self.paragraphs.pop())
        elif opened == "r":
            self.runs.pop()
        elif opened == "tr":
            row = self.rows.pop()
            if not row.dropped:
                self._add(row_items(row.cells))
        elif name in ("footnote", "endnote"):
            self.note = ""

    def data(self, text: str) -> None:
        if not self.path or self.path[-1] not in ("t", "delText"):
            return
        if self.skipping:
            self.deleted += len(text) if self.path[self.skipping - 1] in _DELETIONS else 0
            return
        run = self.runs[-1] if self.runs else None
        paragraph = self.paragraphs[-1] if self.paragraphs else None
        if paragraph is None:
            return
        if run is not None and self._is_unseen(run, paragraph):
            self.hidden += len(text)
            return
        self.characters += len(text)
        if self.characters > self.limits.characters:
            raise Unreadable(f"文本超过上限 {self.limits.characters:,} 字；请拆成几个文件")
        paragraph.parts.append(text)

    def close(self) -> list[Item]:
        return self.items

    def _is_unseen(self, run: _Run, paragraph: _Paragraph) -> bool:
        shaded = run.shaded or paragraph.shaded or any(row.shaded for row in self.rows[-2:])
        return run.hidden or (run.white and not shaded) or self._style(paragraph.style).hidden

    def _style(self, name: str) -> _Style:
        return self.styles.get(name) or _Style()

    def _property(self, above: str, name: str, attributes: Mapping[str, str]) -> None:
        """Note a property of the run, paragraph, table row or cell that is open."""
        if name in _SKIPPED and name not in _DELETIONS:
            self.skipping = len(self.path)
            return
        value = _value(attributes, "val")
        on = value.lower() not in _OFF
        paragraph = self.paragraphs[-1] if self.paragraphs else None
        of_mark = above == "rPr" and len(self.path) > 2 and self.path[-3] == "pPr"
        if of_mark and paragraph:
            paragraph.mark_deleted |= name in _DELETIONS
        elif above == "rPr" and self.runs:
            run = self.runs[-1]
            run.hidden |= (name in ("vanish", "specVanish") and on) or (name == "rStyle" and self._style(value).hidden)
            run.hidden |= name == "sz" and value in ("0", "1", "2")  # half points
            run.white |= name == "color" and value.upper() == "FFFFFF"
            run.shaded |= name == "highlight" or (name == "shd" and _shades(attributes))
        elif above in ("pPr", "numPr") and paragraph:
            if name == "pStyle":
                paragraph.style = value
            elif name == "numId":
                paragraph.number_id = value
            elif name == "ilvl" and value.isdecimal():
                paragraph.level = int(value[:2])
            elif name == "shd":
                paragraph.shaded = _shades(attributes)
        elif above == "trPr" and self.rows:
            self.rows[-1].dropped |= name == "del" or (name == "hidden" and on)
        elif above == "tcPr" and self.rows and name == "shd":
            self.rows[-1].shaded = _shades(attributes)

    def _mark(self, name: str, attributes: Mapping[str, str]) -> None:
        """What stands for a character in a run."""
        paragraph = self.paragraphs[-1] if self.paragraphs else None
        run = self.runs[-1] if self.runs else None
        if paragraph is None or run is None or run.hidden:
            return
        if name in ("footnoteReference", "endnoteReference"):
            paragraph.notes.append(f"{name.removesuffix('Reference')} {_value(attributes, 'id')}")
        else:
            mark = {"tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}.get(name, "")
            if name == "br" and _value(attributes, "type") in ("page", "column"):
                mark = "\n"
            paragraph.parts.append(mark)

    def _close_paragraph(self, paragraph: _Paragraph) -> None:
        text = "".join([*self.carried, *paragraph.parts])
        self.carried.clear()
        if paragraph.mark_deleted:
            self.carried.append(text)
            return
        text = "\n".join(line.strip() for line in text.split("\n")).strip()
        style = self._style(paragraph.style)
        number_id = paragraph.number_id or style.number_id
        if number_id and not style.hidden:  # "0" takes a paragraph out of its style's list; no list has that id
            label = self.numbering.label(number_id, style.level if paragraph.level is None else paragraph.level)
            text = label + text if text else ""
        if text:
            self._add([Item(text)])
        for note in paragraph.notes:
            self.note_count += 1
            items = self.notes.get(note, [])
            for i, item in enumerate(items):
                self._add([Item(f"[{self.note_count}] {item.text}" if i == 0 else item.text)])

    def _add(self, items: list[Item]) -> None:
        self.added += 1
        if self.added > self.limits.paragraphs:
            raise Unreadable(f"段落超过上限 {self.limits.paragraphs:,} 个；请拆成几个文件")
        if self.rows and self.rows[-1].cells:
            self.rows[-1].cells[-1].extend(items)
        elif self.note:
            self.by_note[self.note].extend(items)
        else:
            self.items.extend(items)


def _value(attributes: Mapping[str, str], name: str) -> str:
    """An attribute by its local name, "" without: the namespace differs between the two kinds of .docx."""
    for key, value in attributes.items():
        if key == name or key.endswith("}" + name):
            return value
    return ""


def _shades(attributes: Mapping[str, str]) -> bool:
    return _value(attributes, "fill").lower() not in ("", "auto", "ffffff")


def read(data: bytes, limits: Limits) -> Reading:
    """The text of a Word document, one paragraph a line; a footnote follows the paragraph that refers to it.

    One with large parts is read in a process of its own, since one tag may hold a whole part.

    Raises:
        Unreadable: if it is damaged, a bomb, over a limit, or not a Word document.
    """
    with archive.opened(data, limits) as package:
        largest = max((info.file_size for info in package.infolist() if info.filename.endswith(".xml")), default=0)
    return child.reading("index.readers.docx", data, limits) if largest > _LARGE else read_here(data, limits)


def read_here(data: bytes, limits: Limits) -> Reading:
    """``read`` in this process."""
    with archive.opened(data, limits) as package:
        names = set(package.namelist())
        main = _main_part(package, names, limits)
        folder = main.rpartition("/")[0]
        styles = _styles(_tree(package, f"{folder}/styles.xml", names))
        numbering = read_numbering(_tree(package, f"{folder}/numbering.xml", names))
        notes: dict[str, list[Item]] = {}
        for part in ("footnotes", "endnotes"):
            if f"{folder}/{part}.xml" in names:
                body = _Body(styles, Numbering(), {}, limits)
                _parse(package, f"{folder}/{part}.xml", body, limits)
                notes |= body.by_note
        body = _Body(styles, numbering, notes, limits)
        _parse(package, main, body, limits)
    found = []
    if body.deleted:
        found.append(f"略去修订中删除的 {body.deleted} 字")
    if body.hidden:
        found.append(f"略去 {body.hidden} 个看不见的字符（隐藏文字）")
    return Reading(plain_text(body.items), "docx", notes=tuple(found))


def _main_part(package: zipfile.ZipFile, names: set[str], limits: Limits) -> str:
    """The name of the document part; some programs call it other than word/document.xml."""
    relations = _tree(package, "_rels/.rels", names)
    for relation in relations if relations is not None else ():
        target = relation.get("Target", "").lstrip("/")
        if relation.get("Type", "").endswith("/officeDocument") and target in names:
            return str(target)
    if _MAIN in names:
        return _MAIN
    raise Unreadable("不是 Word 文档（压缩包里没有正文）；请用 Word 另存为 .docx")


def _tree(package: zipfile.ZipFile, name: str, names: set[str]) -> etree._Element | None:
    """A small part as a tree; None where it is missing or damaged: the text can be read without."""
    if name not in names or package.getinfo(name).file_size > _SMALL_PART:
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(archive.unpack(package, package.getinfo(name)), parser)
    except (etree.XMLSyntaxError, Unreadable):
        return None


def _styles(root: etree._Element | None) -> dict[str, _Style]:
    """The styles by id. A paragraph without one has the default style, filed under ""."""
    own: dict[str, _Style] = {}
    default = ""
    for style in root.findall("{*}style") if root is not None else ():
        name = _value(_attributes(style), "styleId")
        if _value(_attributes(style), "default") in ("1", "true") and _value(_attributes(style), "type") == "paragraph":
            default = name
        vanish = style.find("{*}rPr/{*}vanish")
        own[name] = _Style(
            based_on=_value(_attributes(style.find("{*}basedOn")), "val"),
            hidden=vanish is not None and _value(_attributes(vanish), "val").lower() not in _OFF,
            number_id=_value(_attributes(style.find("{*}pPr/{*}numPr/{*}numId")), "val"),
            level=int(_value(_attributes(style.find("{*}pPr/{*}numPr/{*}ilvl")), "val")[:1] or 0),
        )
    found = {name: _inherited(name, own) for name in own}
    if default:
        found[""] = found[default]
    return found


def _inherited(name: str, own: Mapping[str, _Style]) -> _Style:
    """A style with what it takes from those it is based on."""
    style = own[name]
    hidden, number_id, level = style.hidden, style.number_id, style.level
    for _ in range(10):  # a chain may be a circle
        if style.based_on not in own:
            break
        style = own[style.based_on]
        hidden = hidden or style.hidden
        if not number_id:
            number_id, level = style.number_id, style.level
    return _Style("", hidden, number_id, level)


def _attributes(element: etree._Element | None) -> Mapping[str, str]:
    return {} if element is None else {str(key): str(value) for key, value in element.attrib.items()}


def _parse(package: zipfile.ZipFile, name: str, body: _Body, limits: Limits) -> None:
    target: Any = body  # the stubs ask for methods that lxml calls only where they are there
    parser = etree.XMLParser(
        target=target, huge_tree=True, resolve_entities=False, no_network=True, load_dtd=False, recover=False
    )
    end = time.monotonic() + limits.seconds
    try:
        for chunk in _chunks(package, name):
            parser.feed(chunk)
            if time.monotonic() > end:
                raise Unreadable(f"Word 文档超过 {limits.seconds:.0f} 秒仍未读完，已放弃")
        parser.close()
    except etree.XMLSyntaxError as error:
        raise Unreadable("Word 文档的内容已损坏；请用 Word 打开并另存") from error


def _chunks(package: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    info = package.getinfo(name)
    if info.flag_bits & 1:
        raise Unreadable("有密码保护；请解密后再试")
    try:
        with package.open(info) as part:
            while chunk := part.read(_CHUNK):
                yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
        raise Unreadable("Word 文档的压缩数据已损坏；请重新下载") from error


if __name__ == "__main__":
    child.serve(read_here)
