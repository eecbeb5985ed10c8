"""Lines of one document -> its paragraphs: headings and articles above each, cuts of pages and columns bridged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from index.catalogue import is_catalogue_head
from index.lines import Line, is_page_number, is_running_head
from index.numbering import Numeral, iso_date
from index.records import Paragraph, ParagraphKind
from index.text import readable
from index.titles import is_document_number, is_organ

_HEADING_LENGTH = 60  # a marked heading in two lines of a gazette's column; the longest seen has 48
_RUN_IN_LENGTH = (
    45  # headings without a mark: what is longer was cut by a page ("一、…为落实…注册资金出资比例相 / 关要求，")
)
_PLAIN_RANK = 1.0  # a heading without numeral stands where 一、 would


@dataclass(slots=True)
class _Draft:
    """A paragraph in the making."""

    line: Line  # its last line
    start: int
    end: int
    kind: ParagraphKind
    text: str  # the view of its lines, joined
    numeral: Numeral | None = None
    joins: list[int] = field(default_factory=list)
    sibling_ended: bool = False  # the item before it in its list ended in a mark, so this one does too
    rank: float | None = None  # what it opens: a heading's rank
    label: str | None = None  # and words


def read_paragraphs(
    source_text: str, lines: Sequence[Line], title: int, byline: int, running_head: str | None = None
) -> tuple[Paragraph, ...]:
    """The paragraphs of a document whose first ``title`` lines are its title and next ``byline`` lines its byline.

    ``running_head`` is the gazette's title: lines that print it again at the head of a page are notes.
    """
    drafts: list[_Draft] = []
    if title:
        drafts.append(_joined(lines[:title], "title"))
    drafts += [_draft(line, "byline") for line in lines[title : title + byline]]
    body = lines[title + byline :]
    drafts += _join_cuts(_classify(body, running_head), _Layout.of(body))
    return _place(source_text, drafts)


def read_front(lines: Sequence[Line]) -> tuple[Paragraph, ...]:
    """The paragraphs of a cover and catalogue: each line one, nothing joined."""
    return tuple(
        Paragraph(n, line.start, line.end, "table" if line.cells else "item" if line.numeral else "note")
        for n, line in enumerate(lines, 1)
    )


def _draft(line: Line, kind: ParagraphKind, numeral: Numeral | None = None) -> _Draft:
    return _Draft(line, line.start, line.end, kind, line.text, numeral)


def _joined(lines: Sequence[Line], kind: ParagraphKind) -> _Draft:
    draft = _draft(lines[0], kind)
    for line in lines[1:]:
        draft.joins.append(draft.end)
        draft.line, draft.end, draft.text = line, line.end, draft.text + line.text
    return draft


# ---- what each line is ----------------------------------------------------------------------------------------------


def _classify(lines: Sequence[Line], running_head: str | None) -> list[_Draft]:
    numerals = [line.numeral for line in lines]
    levels = _levels(lines, numerals)
    drafts: list[_Draft] = []
    chapters: str | None = None  # first line of a statute's own list of chapters, while it lasts
    for i, line in enumerate(lines):
        numeral = numerals[i]
        draft = _draft(line, "text", numeral)
        if line.cells:
            if drafts and drafts[-1].kind == "table":
                drafts[-1].line, drafts[-1].end = line, line.end
                continue
            draft.kind = "table"
        elif is_page_number(line) or (running_head and is_running_head(line, running_head)):
            draft.kind = "note"
        elif is_catalogue_head(line) and i + 1 < len(lines) and _is_chapter(numerals[i + 1]):
            draft.kind, chapters = "note", ""
        elif chapters is not None and _is_chapter(numeral) and line.squeezed != chapters:
            draft.kind, chapters = "item", chapters or line.squeezed
        else:
            chapters = None
            _describe(draft, i, lines, numerals, levels, drafts)
        drafts.append(draft)
    return drafts


def _is_chapter(numeral: Numeral | None) -> bool:
    return numeral is not None and numeral.kind in ("编", "章", "节")


def _describe(
    draft: _Draft,
    i: int,
    lines: Sequence[Line],
    numerals: Sequence[Numeral | None],
    levels: dict[int, int],
    before: Sequence[_Draft],
) -> None:
    """Set the kind of a line that is no table and no list of chapters, and what it opens."""
    line, numeral = lines[i], numerals[i]
    words = line.text.strip("* ")
    if numeral is None:
        if (line.mark or line.bold) and _is_short_title(words):
            draft.kind, draft.rank, draft.label = "heading", _plain_rank(line, levels), words.rstrip(":")
        else:
            run_in = re.match(r"\*\*([^*]{2,30}?)[:：]?\*\*\s*:?(?=.)", line.text[:40])
            if run_in:
                draft.rank, draft.label = _PLAIN_RANK, run_in[1]
        return
    rank = float(numeral.rank)
    if numeral.kind == "条":
        draft.kind = "text" if words[numeral.end :].strip("* :") else "heading"
        return
    if numeral.kind == "附件" and ":" in words and _names_attachments(lines, i):
        draft.kind, draft.rank = "note", None
        return
    if _is_heading(line, numeral, words, i, numerals, before):
        draft.kind, draft.rank, draft.label = "heading", rank, words.rstrip(":。")
        return
    draft.kind = "item"
    sibling = before[-1] if before else None
    draft.sibling_ended = (
        sibling is not None
        and sibling.kind == "item"
        and sibling.numeral is not None
        and sibling.numeral.kind == numeral.kind
        and is_ended(sibling.text)
    )
    run_in = re.match(rf".{{2,{_RUN_IN_LENGTH}}}?(?=[。:]\s?.{{8}})", words[: _RUN_IN_LENGTH + 12])
    draft.rank = rank
    draft.label = run_in[0] if run_in and "," not in run_in[0][: numeral.end] else None


def _names_attachments(lines: Sequence[Line], i: int) -> bool:
    """附件：某名单 above a signature says what is attached; the attachment itself comes later."""
    return any(
        line.end - line.start < 40 and (is_organ(line.squeezed) or (iso_date(line.text) and len(line.squeezed) < 16))
        for line in lines[i + 1 : i + 6]
    )


def _is_short_title(words: str) -> bool:
    return len(words) <= _HEADING_LENGTH and words[-1:] not in "。;,、" and "。" not in words


def _is_heading(
    line: Line,
    numeral: Numeral,
    words: str,
    i: int,
    numerals: Sequence[Numeral | None],
    before: Sequence[_Draft],
) -> bool:
    if len(words) > _HEADING_LENGTH + 20 or "。" in words[:-1] or words[-1] in ";,、，；":
        return False
    if line.mark or line.bold:
        return True
    if numeral.kind in ("附件", "编", "章", "节"):
        return words[-1] != "。"
    following = numerals[i + 1] if i + 1 < len(numerals) else None
    in_list = following is not None and following.kind == numeral.kind
    if before and before[-1].kind == "item" and before[-1].numeral is not None:
        in_list = in_list or (before[-1].numeral.kind == numeral.kind and before[-1].label is None)
    if before and re.match(r"附(?:件)?\s?:", before[-1].text):
        in_list = True  # 附：1、… / 2、… names the attachments, it does not open them
    if in_list or len(words) > _RUN_IN_LENGTH:
        return False
    if words[-1] == "。":
        # "（一）增加…支出5亿元。" above its explanation; an item of an article's list has none under it
        return numeral.rank in (1, 2) and len(words) <= _RUN_IN_LENGTH and i + 1 < len(numerals) and following is None
    return numeral.kind != "一是"


def _levels(lines: Sequence[Line], numerals: Sequence[Numeral | None]) -> dict[int, int]:
    """Numeral rank -> its number of #, where the document's marks are consistent; {} where they are shuffled."""
    levels: dict[int, int] = {}
    for line, numeral in zip(lines, numerals, strict=True):
        if line.mark and numeral is not None and levels.setdefault(numeral.rank, line.mark) != line.mark:
            return {}
    ordered = sorted(levels.items())
    return levels if all(a[1] < b[1] for a, b in pairwise(ordered)) else {}


def _plain_rank(line: Line, levels: dict[int, int]) -> float:
    above = [rank for rank, mark in levels.items() if mark < line.mark]
    return max(above) + 0.5 if above else _PLAIN_RANK


# ---- cuts -----------------------------------------------------------------------------------------------------------

_ENDED = "。！？!?；;：:…"
_CLOSERS = {")": "(", "）": "（", "”": "“", "’": "‘", "」": "「", "』": "『", "]": "[", "】": "【", "〕": "〔"}
_PAIRS = (("《", "》"), ("“", "”"), ("(", ")"), ("〈", "〉"), ("〔", "〕"))
# Words that open a line of their own in lists of appointments, minutes and signatures
_FRESH = re.compile(
    r"(?:决定)?(?:任命|免去|接受|批准任命|撤销)|附[:件]|注[:：]|——|[1-9]\d{3}年\d{1,2}月\d{1,2}日$|各位|主任、|(?:出席|列席|缺席|请假|赞成|反对|弃权)[:：]?"
)


_PRESENCE = re.compile(r"(?:出席|列席|缺席|请假)[^,，。;；:：]{0,8}[:：]")


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a text sets its paragraphs; ``width`` is the length of a full line where they are indented, else 0."""

    width: int

    @classmethod
    def of(cls, lines: Sequence[Line]) -> _Layout:
        """Indented paragraphs with hard line ends, where a fifth of the lines or less open one: width; else 0."""
        indented = sum(1 for line in lines if 2 <= line.indent < 12)
        plain = [line.end - line.start for line in lines if line.indent == 0 and not line.gap]
        if indented >= 3 and len(plain) >= max(3, indented // 2):
            return cls(sorted(plain)[len(plain) * 3 // 4])
        return cls(0)


def _join_cuts(drafts: Sequence[_Draft], layout: _Layout) -> list[_Draft]:
    joined: list[_Draft] = []
    notes: list[_Draft] = []  # a page number and a running head between the two pieces are part of the cut
    for draft in drafts:
        if draft.kind == "note" and joined and len(notes) < 4:
            notes.append(draft)
            continue
        last = joined[-1] if joined else None
        if last is not None and _continues(last, draft, layout):
            last.joins.append(last.end)
            last.line, last.end = draft.line, draft.end
            last.text = last.text[:200] + (last.text[200:] + draft.text)[-1000:]  # the middle decides nothing
        else:
            joined += [*notes, draft]
        notes = []
    return joined + notes


def _continues(last: _Draft, draft: _Draft, layout: _Layout) -> bool:
    """Is ``draft`` the rest of a paragraph that a page, a column or a line end cut in two?"""
    line = draft.line
    if (
        last.kind == "heading"
        and draft.kind == "text"
        and draft.numeral is None
        and _fills_line(last.line, line, layout)
    ):
        return last.line.indent >= 2 and not last.line.mark and len(last.text) + _length(line) <= _HEADING_LENGTH + 20
    if last.kind not in ("text", "item") or draft.kind not in ("text", "item") or line.mark or line.bold:
        return False
    if _PRESENCE.match(line.text):
        return False  # 请假人员： below a line full of names
    if _fills_line(last.line, line, layout) and (draft.numeral is None or draft.numeral.kind != "条"):
        return True
    if draft.numeral is not None or draft.kind != "text":
        return False
    if line.text.startswith("**") or _FRESH.match(line.text):
        return False
    if is_ended(last.text):
        return False
    if last.text[-1] in ",、，" or _is_open(last.text) or last.sibling_ended:
        return True
    if layout.width and line.indent >= 2:
        return False
    # Words without any punctuation are a label, a name or a signature, not the head of a sentence
    return (
        len(last.text) >= 15
        and any(c in last.text for c in ",，、。;；《")
        and any(c in last.text + line.text[:300] for c in ",，。;；")
        and last.text[:2] != line.text[:2]
        and not (line.end - line.start < 40 and (is_organ(line.squeezed) or is_document_number(line.squeezed)))
        and not is_document_number(last.line.squeezed)
    )


def _fills_line(line: Line, following: Line, layout: _Layout) -> bool:
    """Does a line of indented, hard-wrapped text run to its end, the next one going on without an indent?"""
    return layout.width > 0 and not following.gap and following.indent == 0 and _length(line) >= 0.8 * layout.width


def _length(line: Line) -> int:
    return line.end - line.start


def is_ended(words: str) -> bool:
    """True where a paragraph's last characters end a sentence (or a clause that a list follows)."""
    words = words.rstrip("* ")[-600:]
    if not words:
        return True
    last = words[-1]
    if last in _ENDED or (last == "." and len(words) > 1 and not words[-2].isascii()):
        return True
    opener = _CLOSERS.get(last)
    if opener is None:
        return False
    if words[-2:-1] and words[-2] in _ENDED:
        return True
    depth = 0
    for i in range(len(words) - 1, -1, -1):
        depth += (words[i] == last) - (words[i] == opener)
        if depth == 0:
            return i == 0 or words[i - 1] in _ENDED
    return False


def _is_open(words: str) -> bool:
    """True where a bracket or quotation mark was opened and not closed in the last 300 characters."""
    tail = words[-300:]
    return any(tail.rfind(opener) > tail.rfind(closer) for opener, closer in _PAIRS)


# ---- places ---------------------------------------------------------------------------------------------------------


# 主任、各位副主任，…我们将 and 以上报告，请予审议 close a speech, they are not of its last section
_CLOSING = re.compile(r"主任、|各位(?:代表|委员|副主任)|以上(?:报告|汇报|说明|意见)|特此")


def _place(source_text: str, drafts: Sequence[_Draft]) -> tuple[Paragraph, ...]:
    """Number the paragraphs and give each the headings above it and the article it stands in."""
    stack: list[tuple[float, str]] = []
    article: str | None = None
    parts_rank: float | None = None
    paragraphs: list[Paragraph] = []
    for n, draft in enumerate(drafts, 1):
        numeral, rank = draft.numeral, draft.rank
        if draft.kind in ("text", "heading") and numeral is not None and numeral.kind == "条":
            article = "".join(draft.text.lstrip("* ")[: numeral.end].split())
            while stack and stack[-1][0] > 0:
                stack.pop()
        elif numeral is not None and draft.kind == "heading" and numeral.kind in ("附件", "编", "章", "节"):
            article = None
        if numeral is not None and numeral.kind == "部分" and rank is not None:
            # 第一部分 divides a whole report, or a section of it: its first place decides
            parts_rank = parts_rank if parts_rank is not None else (stack[-1][0] + 0.5 if stack else 0.0)
            rank = parts_rank
        if rank is not None:
            while stack and stack[-1][0] >= rank:
                stack.pop()
        elif _CLOSING.match(draft.text):
            stack.clear()
        above = tuple(label for _, label in stack)
        if rank is not None and draft.label:
            label = readable(
                source_text[draft.start : draft.end] if draft.kind == "heading" else _run_in(source_text, draft)
            )
            stack.append((rank, label.strip("*：: ")))
        own = tuple(label for _, label in stack)
        headings = above if draft.kind == "heading" else () if draft.kind in ("title", "byline") else own
        paragraphs.append(Paragraph(n, draft.start, draft.end, draft.kind, headings, article, tuple(draft.joins)))
    return tuple(paragraphs)


def _run_in(source_text: str, draft: _Draft) -> str:
    at = draft.text.find(draft.label or "")
    return source_text[draft.start + at : draft.start + at + len(draft.label or "")]
