"""HTML -> text: what a reader of the page sees, less the frame around it; tables as rows, cells parted by tabs.

Parsed as a stream by lxml without building a tree: memory stays small, and any depth of nesting keeps its text.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from lxml import etree

from index.readers import Limits, Reading, Unreadable, child
from index.readers.flow import Item, plain_text, row_items
from index.readers.layout import is_wide
from index.readers.text import decode

_CHUNK = 1 << 16
_LARGE = 2_000_000
_CHARSET = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})|<\?xml[^>]{0,100}encoding=["']([\w.:-]{2,40})""", re.I
)

_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data dfn em font i ins kbd label mark nobr q ruby s samp small span strike "
    "strong sub sup time tt u var wbr rb".split()
)
# Never shown, or controls and not text; del is a deletion, rt the reading beside a character.
_UNSEEN = frozenset(
    "script style template noscript iframe object embed applet audio video canvas svg select option datalist textarea "
    "button input head title del rt rp noframes dialog map".split()
)
_FRAME_TAGS = frozenset({"nav", "footer", "aside", "menu"})
_FRAME_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary"})
_FRAME_NAMES = frozenset(
    "nav navbar navigation breadcrumb breadcrumbs crumbs sidebar footer copyright share pagination pager friendlink".split()
)
_CELLS = frozenset({"td", "th"})
_PRE = frozenset({"pre", "listing", "xmp"})
_WHOLE = frozenset({"html", "body", "main", "article"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "caption"})

_CONCEALING = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|opacity:0(?:\.0*)?(?![.\d])|font-size:0(?:\.0*)?(?![.\d])|mso-hide:all"
    r"|(?:left|top|text-indent):-\d{3,}|clip:rect\(0"
)
_WHITE = re.compile(r"(?<![-\w])color:(?:#fff(?:fff)?|white|rgba?\(255,255,255(?:,1)?\))(?![\w-])")
_GROUND = re.compile(r"background")
_RULE = re.compile(r"([^{}]{1,2000})\{([^{}]*)\}")
_SELECTOR = re.compile(r"^(?:[a-z][\w-]*)?(?:[.#][\w-]+)?$")
_MOST_CSS = 500_000
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_EDGE = " \t\r\n\f\v\u00a0\u3000\ufeff"
_NUMBERED = re.compile(r"^[\W_]*[\d一二三四五六七八九十]")
_LINKS = 0.6  # share of a paragraph's words in links that makes it one of links
# What government sites set around a text without saying so: where one is, who put it there when, whose site it is.
_FURNITURE = re.compile(
    r"(?:您|你)?(?:现在|当前)?(?:的|所在)?位置[:：>]"
    r"|(?=.{0,150}$)(?:(?=.*(?:发布|更新|发文)(?:时间|日期)[:：])|(?=.*(?:浏览|点击|阅读)(?:次数|量|数)[:：]))(?:来源|信息来源|作者|发布|更新|浏览|点击|阅读|日期|时间)"
    r"|(?=.{0,200}$).*(?:版权所有|ICP备|公网安备|网站标识码|技术支持[:：])"
    r"|(?:【?\s*)?(?:打印|关闭|返回顶部|分享到|上一[页篇条]|下一[页篇条]|字[体号][:：])"
)
_ATTACHED = re.compile(r"附件|.*\.(?:docx?|pdf|xlsx?|zip|wps)$")
_LABEL = 10  # characters of a line above links
_ENOUGH = 0.4  # share of the text: less than this left, and the frame was no frame


@dataclass(slots=True)
class _Open:
    """An element not yet closed."""

    tag: str
    unseen: bool  # it or one above it is not shown
    frame: bool
    main: bool
    ground: bool  # something other than white may be behind its text
    pre: bool
    heading: bool
    count: int = -1  # of list items so far; -1 where they have no numbers
    link: bool = False  # inside a link to another page


_OUTSIDE = _Open("", False, False, False, False, False, False)


@dataclass(slots=True)
class _Page:
    """The parser's target: collects what is seen."""

    limits: Limits
    stack: list[_Open] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    linked: int = 0  # words in links among the pending ones
    css: list[str] = field(default_factory=list)
    css_size: int = 0
    concealed: frozenset[str] = frozenset()
    rows: list[list[list[Item]]] = field(default_factory=list)  # of each open table row, the items of its cells
    hidden: int = 0
    characters: int = 0
    added: int = 0

    # called by lxml

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if len(self.stack) >= self.limits.nesting:
            raise Unreadable(f"HTML 元素嵌套超过 {self.limits.nesting} 层，未读取")
        if tag == "br":
            self._break()
            return
        above = self.stack[-1] if self.stack else _OUTSIDE
        element = self._opened(tag, attributes, above)
        if tag not in _INLINE and not element.unseen:
            self._flush()
        self.stack.append(element)
        if tag == "tr":
            self.rows.append([])
        elif element.unseen:
            return
        elif tag in _CELLS and self.rows:
            self.rows[-1].append([])
        elif tag == "li":
            self._number(above)

    def end(self, tag: str) -> None:
        if tag == "br" or not self.stack:
            return
        element = self.stack[-1]
        if tag not in _INLINE and not element.unseen:
            self._flush()
        self.stack.pop()
        if tag == "style":
            self._learn()
        if element.tag == "tr":
            self._add(row_items(self.rows.pop()))

    def data(self, text: str) -> None:
        element = self.stack[-1] if self.stack else None
        if element is not None and element.unseen:
            if element.tag == "style" and self.css_size < _MOST_CSS:
                self.css.append(text)
                self.css_size += len(text)
            elif element.tag not in _UNSEEN:
                self.hidden += len("".join(text.split()))
            return
        self.characters += len(text)
        if self.characters > self.limits.characters:
            raise Unreadable(f"文本超过上限 {self.limits.characters:,} 字；请拆成几个文件")
        if element is not None and element.link:
            self.linked += _count(text)
        if element is not None and element.pre and "\n" in text:
            first, *rest = text.split("\n")
            self.pending.append(first)
            for line in rest:
                self._flush()
                self.pending.append(line)
        else:
            self.pending.append(text)

    def close(self) -> list[Item]:
        self._flush()
        return self.items

    # what is seen

    def _opened(self, tag: str, attributes: Mapping[str, str], above: _Open) -> _Open:
        if not attributes:  # most elements, and all the time a large page takes
            unseen = above.unseen or tag in _UNSEEN or tag in self.concealed
            main = above.main or tag in {"main", "article"}
            frame = above.frame or (tag in _FRAME_TAGS and not main)
            count = 0 if tag == "ol" else -1
            heading = above.heading or tag in _HEADINGS
            return _Open(tag, unseen, frame, main, above.ground, above.pre or tag in _PRE, heading, count, above.link)
        names = {*attributes.get("class", "").lower().split(), attributes.get("id", "").lower()}
        style = "".join(attributes.get("style", "").lower().split())
        ground = above.ground or "bgcolor" in attributes or "background" in attributes or bool(_GROUND.search(style))
        white = bool(_WHITE.search(style)) or attributes.get("color", "").lower() in {"#ffffff", "#fff", "white"}
        unseen = (
            above.unseen
            or tag in _UNSEEN
            or "hidden" in attributes
            or attributes.get("aria-hidden", "").lower() == "true"
            or bool(style and _CONCEALING.search(style))
            or (white and not ground and not names - {""})
            or (tag not in _WHOLE and self._is_concealed(tag, names))
        )
        role = attributes.get("role", "").lower()
        main = above.main or tag in {"main", "article"} or role == "main"
        frame = above.frame or (
            tag not in _WHOLE
            and ((tag in _FRAME_TAGS and not main) or role in _FRAME_ROLES or bool(names & _FRAME_NAMES))
        )
        # A class may paint a ground in a style sheet that is not at hand.
        ground = ground or (tag not in _WHOLE and bool(names - {""}))
        start = attributes.get("start", "1") if tag == "ol" and attributes.get("type", "1") == "1" else ""
        count = int(start) - 1 if start.isdecimal() and len(start) < 6 else -1
        heading = above.heading or tag in _HEADINGS
        link = above.link or (tag == "a" and not attributes.get("href", "#").startswith("#"))
        return _Open(tag, unseen, frame, main, ground, above.pre or tag in _PRE, heading, count, link)

    def _is_concealed(self, tag: str, names: set[str]) -> bool:
        if not self.concealed:
            return False
        own = {tag, *("." + n for n in names), *("#" + n for n in names)}
        return bool(self.concealed & (own | {tag + n for n in own if n != tag}))

    def _learn(self) -> None:
        """Take from the page's own style sheets which simple selectors are not displayed on a screen."""
        sheet = _screen_rules(re.sub(r"/\*.*?\*/", "", "".join(self.css), flags=re.S).lower())
        self.css.clear()
        found = set(self.concealed)
        for selectors, declarations in _RULE.findall(sheet):
            if _CONCEALING.search("".join(declarations.split())):
                found.update(s.strip() for s in selectors.split(",") if s.strip() and _SELECTOR.match(s.strip()))
        self.concealed = frozenset(found)

    # paragraphs, rows

    def _number(self, above: _Open) -> None:
        if above.tag == "ol" and above.count >= 0:
            above.count += 1
            self.pending.append(f"\0{above.count}. ")

    def _break(self) -> None:
        element = self.stack[-1] if self.stack else None
        if element is not None and element.unseen:
            return
        if element is not None and element.heading:
            self.pending.append("\n")
        else:
            self._flush()

    def _flush(self) -> None:
        if not self.pending:
            return
        raw = "".join(self.pending)
        link = self.linked > _LINKS * _count(raw) if self.linked else False
        self.pending.clear()
        self.linked = 0
        text = tidy(raw)
        if text.startswith("\0"):  # a list number, unless the text brings its own
            number, _, rest = text[1:].partition(" ")
            text = rest if _NUMBERED.match(rest) or not rest else f"{number} {rest}"
        if not text:
            return
        element = self.stack[-1] if self.stack else _OUTSIDE
        self._add([Item(text, heading=element.heading, frame=element.frame, main=element.main, link=link)])

    def _add(self, items: list[Item]) -> None:
        """Put items where they belong: into the open cell, or on the page."""
        self.added += 1
        if self.added > self.limits.paragraphs:
            raise Unreadable(f"段落超过上限 {self.limits.paragraphs:,} 个；请拆成几个文件")
        place = self.rows[-1][-1] if self.rows and self.rows[-1] else self.items
        place.extend(items)


def _count(text: str) -> int:
    return sum(map(str.isalnum, text))


def _screen_rules(sheet: str) -> str:
    """The style sheet less its @media and other conditional blocks: what is hidden in print is still seen."""
    kept: list[str] = []
    depth = start = 0
    skipping = False
    for match in re.finditer(r"[@{}]", sheet):
        mark = match.group()
        if mark == "@" and depth == 0 and not skipping:
            kept.append(sheet[start : match.start()])
            skipping = True
        elif mark == "{":
            depth += 1
        elif mark == "}":
            depth = max(depth - 1, 0)
            if skipping and depth == 0:
                skipping, start = False, match.end()
    return "".join(kept) + ("" if skipping else sheet[start:])


def tidy(text: str) -> str:
    """White space as a browser shows it: runs of it one space, none between Han characters broken over lines."""
    text = text.strip(_EDGE)
    pieces = _SPACE.split(text)
    if len(pieces) == 1:
        return text
    parts = [pieces[0]]
    for before, after in pairwise(pieces):
        closed = before and after and is_wide(before[-1]) and is_wide(after[0]) and "\n" in text
        parts.append(after if closed else " " + after)
    return "".join(parts).strip(_EDGE)


def read(data: bytes, limits: Limits) -> Reading:
    """The main text of a web page; of a large one in a process of its own, since one tag may hold it all.

    Raises:
        Unreadable: if its encoding is unknown or it is over a limit.
    """
    return child.reading("index.readers.html", data, limits) if len(data) > _LARGE else read_here(data, limits)


def read_here(data: bytes, limits: Limits) -> Reading:
    """``read`` in this process."""
    declared = _CHARSET.search(data[:4096])
    name = (declared.group(1) or declared.group(2)).decode("ascii", "replace") if declared else None
    source = decode(data, name)
    page = _Page(limits)
    items = _parse(source.text.replace("\0", ""), page, limits)
    kept, frame = _main(items)
    notes = list(source.notes)
    if page.hidden:
        notes.append(f"略去 {page.hidden} 个看不见的字符（隐藏元素）")
    if frame:
        notes.append(f"略去导航、页脚等 {frame} 字")
    return Reading(plain_text(kept), source.encoding, notes=tuple(notes))


def _parse(text: str, page: _Page, limits: Limits) -> list[Item]:
    target: Any = page  # the stubs ask for methods that lxml calls only where they are there
    parser = etree.HTMLParser(target=target, huge_tree=True, recover=True, no_network=True, encoding="utf-8")
    data = text.encode("utf-8", "replace")
    end = time.monotonic() + limits.seconds
    for at in range(0, len(data), _CHUNK):
        parser.feed(data[at : at + _CHUNK])
        if time.monotonic() > end:
            raise Unreadable(f"HTML 超过 {limits.seconds:.0f} 秒仍未读完，已放弃")
    try:
        items: list[Item] = parser.close()
    except etree.XMLSyntaxError as error:
        raise Unreadable("HTML 里没有内容") from error
    return items


def _main(items: list[Item]) -> tuple[list[Item], int]:
    """(the items of the main text, number of characters left out). A frame stays if it were most of the text."""
    total = sum(len(item.text) for item in items)
    text = _without_links(items)
    body = [item for item in text if not item.frame]
    main = [item for item in body if item.main]
    if main and sum(len(item.text) for item in main) >= 0.5 * sum(len(item.text) for item in body):
        first = body.index(main[0])
        body = [item for i, item in enumerate(body) if item.main or (item.heading and i < first)]
    kept = sum(len(item.text) for item in body)
    if kept < _ENOUGH * sum(len(item.text) for item in text):
        body, kept = text, sum(len(item.text) for item in text)
    return body, total - kept


def _without_links(items: list[Item]) -> list[Item]:
    """The items less menus before and lists of links after the text; links in the midst of it, or below 目录, stay."""
    start, end = 0, len(items)
    while start < end and _is_about_page(items, start):
        start += 1
    while end > start and _is_about_page(items, end - 1, below=items[end] if end < len(items) else None):
        end -= 1
    kept = [item for item in items[start:end] if item.row or not _FURNITURE.match(item.text)]
    return kept or items  # a page of links only


def _is_about_page(items: Sequence[Item], n: int, below: Item | None = None) -> bool:
    item = items[n]
    if item.row or _ATTACHED.match(item.text):
        return False
    heads_links = below is not None and below.link and len(item.text) <= _LABEL and item.text[-1] not in "。；"
    return item.link or heads_links or bool(_FURNITURE.match(item.text))


if __name__ == "__main__":
    child.serve(read_here)
