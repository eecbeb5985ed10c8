"""Find the structure of a gazette: issue card, catalogue, documents with their paragraphs, headings and articles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import PurePath

from index.catalogue import Found, match_entries, read_card, read_catalogue
from index.lines import Line, is_page_number, read_lines
from index.numbering import DATE, iso_date
from index.paragraphs import is_ended, read_front, read_paragraphs
from index.records import CatalogueItem, Document, Gazette, Paragraph, Source
from index.text import readable
from index.titles import (
    Byline,
    ends_like_title,
    find_session,
    is_organ,
    kind_of,
    organ_in_title,
    organ_of_session,
    read_byline,
    without_term,
)

_TITLE_LENGTH = 160
_COVER_LINES = 60
# 某区人大常委会公报(2022年第2期): the gazette's own name, not the first line of a document's title
_HEAD_OF_GAZETTE = re.compile(
    r"(?:常务委员会|常委会|政府|代表大会)公报(?:\(?(?:(?:19|20)\d\d年?)?第?[^()]{1,8}[期号].{0,12})?$"
)


def parse_gazette(source: Source) -> Gazette:
    """The gazette a text holds. A text without card, catalogue or titles is one gazette with one document.

    Documents are found by the catalogue, each item at the place whose words are nearest to it, and otherwise by titles
    such as …的决定 with a byline or a note of adoption under them. Linear in the length of the text.
    """
    lines = read_lines(source.text)
    entries, front = read_catalogue(lines)
    found = match_entries(entries, lines, front) if entries else {}
    titles = _with_uncatalogued(lines, list(found.values()), front)
    card_end = titles[0].line if titles else min(len(lines), _COVER_LINES)
    card = read_card([line.squeezed for line in lines[: max(front, min(card_end, _COVER_LINES))]])
    file_card = read_card([PurePath(source.name).stem])
    is_gazette = bool(entries) or (card.title is not None and card.number is not None)
    starts = _document_starts(lines, titles, is_gazette)

    documents: list[Document] = []
    ids: dict[int, str] = {}
    if starts and starts[0].line > 0 and is_gazette:
        documents.append(_front_matter(source, lines[: starts[0].line], bool(entries)))
    stops = [*(start.line for start in starts[1:]), len(lines)]
    for n, (start, stop) in enumerate(zip(starts, stops, strict=False), 1):
        document = _document(source, lines[start.line : stop], start.count, n, card.title)
        documents.append(document)
        if start.entry >= 0:
            ids[start.entry] = document.id
    return Gazette(
        source_id=source.id,
        title=card.title or file_card.title or PurePath(source.name).stem,
        organ=card.organ or file_card.organ,
        year=card.year or file_card.year,
        number=card.number or file_card.number,
        total_number=card.total or file_card.total,
        catalogue=tuple(CatalogueItem(i + 1, e.title, e.page, ids.get(i)) for i, e in enumerate(entries)),
        documents=tuple(documents),
    )


# ---- where documents begin ------------------------------------------------------------------------------------------

_UNLISTED = -1


def _with_uncatalogued(lines: Sequence[Line], found: list[Found], front: int) -> list[Found]:
    """The places the catalogue leads to, and titles it does not name: all of them where there is no catalogue."""
    taken = {i for place in found for i in range(place.line, place.line + place.count)}
    places = [_with_organ(lines, place, taken) for place in found]
    starts = {place.line: place for place in places}
    last = _words(lines, 0, 1) if front == 0 and lines else ""
    i = front
    while i < len(lines):
        if i in starts:
            last = _words(lines, i, starts[i].count)
        count = 0 if i in taken else _title_at(lines, i, strict=bool(found))
        if count and not taken & set(range(i, i + count)):
            # a title is often printed again, below its notes of adoption or at once without the year or the organ
            words = _words(lines, i, count)
            before = places[-1] if places else None
            if before and before.entry == _UNLISTED and before.line + before.count == i and last.endswith(words):
                places[-1] = Found(_UNLISTED, before.line, before.count + count, 0.0)
            elif i == 0 or words != last:
                places.append(Found(_UNLISTED, i, count, 0.0))
                last = words
            i += count
        else:
            i += 1
    return sorted(places, key=lambda place: place.line)


def _words(lines: Sequence[Line], i: int, count: int) -> str:
    return "".join(line.squeezed for line in lines[i : i + count])


def _with_organ(lines: Sequence[Line], place: Found, taken: set[int]) -> Found:
    """The place with the line above it, where that is the organ's name and the catalogue's title left it out."""
    above = place.line - 1
    if above < 0 or above in taken or not lines[place.line].text.startswith(("关于", "对", "公告", "任免", "决定")):
        return place
    if not is_organ(lines[above].squeezed) or lines[above].mark < lines[place.line].mark:
        return place
    return Found(place.entry, above, place.count + 1, place.score)


def _title_at(lines: Sequence[Line], i: int, *, strict: bool) -> int:
    """How many lines from ``i`` on are the title of a document, 0 if they are none.

    A title ends as official titles do and has under it what only documents have: a byline, a note of adoption, a
    document number, a salutation, a first article. ``strict`` asks for a byline with a date, a session or a speaker.
    """
    if not _is_title_line(lines[i]) or _HEAD_OF_GAZETTE.search(lines[i].squeezed):
        return 0
    if i and re.match(r"附(?:件)?\s?[0-9一二三四五六七八九十]?\s?:?$", lines[i - 1].squeezed):
        return 0
    words = ""
    for count in range(1, 5):
        if i + count > len(lines):
            return 0
        line = lines[i + count - 1]
        if not _is_title_line(line) or (count > 1 and not _goes_on(lines, i, words, line)):
            return 0
        words += line.squeezed
        if len(words) > _TITLE_LENGTH:
            return 0
        if len(words) < 6 or not ends_like_title(words):
            continue
        after = i + count
        first, rest = lines[i].squeezed, words[len(lines[i].squeezed) :]
        if count > 1 and not is_organ(first) and _begins_like_title(rest) and not first.endswith(rest):
            return 0  # the line before a title is no part of it: 编辑 某某 / 关于…的报告
        byline = read_byline(list(lines[after : after + 8]), 0)
        if byline.date or byline.session or byline.speaker:
            return count
        if not strict and (byline.lines or _opens_document(lines, after)) and _stands_apart(lines, i):
            return count
        if _is_meeting_paper(words) and lines[i].mark:
            return count
        if after < len(lines) and _opens_statute(lines[after]) and _stands_apart(lines, i):
            return count  # a regulation that a notice or an announcement brings with it
    return 0


def _goes_on(lines: Sequence[Line], i: int, words: str, line: Line) -> bool:
    """May ``line`` go on with a title that began at ``i`` with ``words``?"""
    if line.mark and not lines[i].mark:
        return False
    open_end = is_organ(words) or words.endswith(("关于", "的", "对", "《", line.squeezed))
    return not line.gap or line.mark > 0 or open_end


def _begins_like_title(words: str) -> bool:
    return words.startswith("关于") or organ_in_title(words) is not None


def _is_title_line(line: Line) -> bool:
    words = line.text
    if line.numeral is not None or line.end - line.start > _TITLE_LENGTH or re.search(r"[。;!?:,]|——", words):
        return False  # as nearly every line is: the cheap questions come first
    return not (line.cells or is_page_number(line) or iso_date(words[:30]))


def _stands_apart(lines: Sequence[Line], i: int) -> bool:
    return bool(
        lines[i].mark
        or lines[i].bold
        or i == 0
        or (lines[i].gap and (is_ended(lines[i - 1].text) or iso_date(lines[i - 1].text[:40])))
    )


def _opens_document(lines: Sequence[Line], after: int) -> bool:
    if after >= len(lines):
        return False
    line = lines[after]
    if line.numeral is not None:
        return _opens_statute(line)
    if re.match(rf"{DATE.pattern}[^。]{{0,40}}会议[^。]{{0,20}}(?:听取|审议|通过|召开)", line.text[:120]):
        return True
    return line.end - line.start < 60 and bool(
        re.search(r"(?:主任|委员|代表|政府|委员会|各位|单位|部门|机构)\S{0,20}:$", line.text)
    )


def _opens_statute(line: Line) -> bool:
    return line.numeral is not None and line.numeral.kind in ("编", "章", "条") and line.numeral.value == 1


def _is_meeting_paper(words: str) -> bool:
    return bool(re.search(r"会议(?:纪要|议程|日程)$|任免.{0,6}名单$|人事任免.{0,8}(?:决定|名单|通知)$", words))


def _document_starts(lines: Sequence[Line], titles: list[Found], is_gazette: bool) -> list[Found]:
    """Titles, and a start for what stands before the first of them where that is no cover."""
    if not lines:
        return []
    if titles and 0 < titles[0].line <= 3 and not is_gazette:
        first = titles[0]
        if lines[0].squeezed.endswith(_words(lines, first.line, first.count)):  # a web page's own title above it
            return [Found(_UNLISTED, 0, first.line + first.count, 0.0), *titles[1:]]
    if not titles or (titles[0].line > 0 and not is_gazette):
        return [Found(_UNLISTED, 0, _lead_title(lines, titles[0].line if titles else len(lines)), 0.0), *titles]
    return titles


def _lead_title(lines: Sequence[Line], stop: int) -> int:
    """How many of the first lines are the title of a text that does not say so: a heading or a short line."""
    first = lines[0]
    if first.end - first.start > 80 or first.numeral or first.cells or is_ended(first.text):
        return 0
    if not (first.mark or first.bold or (len(lines) > 1 and first.end - first.start < 50)):
        return 0
    count = 1
    while count < min(3, stop - 1) and lines[count].mark == first.mark > 0 and lines[count].numeral is None:
        count += 1  # a title broken over lines, each marked
    return count


# ---- one document ---------------------------------------------------------------------------------------------------


def _front_matter(source: Source, lines: Sequence[Line], has_catalogue: bool) -> Document:
    return Document(
        id=f"{source.id}-00",
        source_id=source.id,
        n=0,
        title="封面和目录" if has_catalogue else "封面",
        kind="封面",
        start=lines[0].start,
        end=lines[-1].end,
        paragraphs=read_front(lines),
    )


def _document(source: Source, lines: Sequence[Line], title_lines: int, n: int, running_head: str | None) -> Document:
    text = source.text
    byline = read_byline(list(lines[title_lines : title_lines + 8]), 0) if title_lines else Byline()
    paragraphs = read_paragraphs(text, lines, title_lines, byline.lines, running_head)
    title = _title(source, lines, title_lines)
    kind = kind_of(title)
    opening = _opening(text, paragraphs)
    signed_by, signed_on = _signature(text, paragraphs)
    session = find_session(title) or byline.session
    date = byline.date
    if kind in ("纪要", "议程", "审议意见", "公告", "名单", "决定", "决议"):
        session = session or find_session(opening)
        date = date or (iso_date(opening) if re.search("会议|召开|通过", opening) else None)
    adopted = kind in ("决定", "决议", "条例", "办法", "规定", "法律", "名单", "纪要", "议程", "公告")
    by_session = organ_of_session(session) if session and adopted else None
    return Document(
        id=f"{source.id}-{n:02d}",
        source_id=source.id,
        n=n,
        title=title,
        kind=kind,
        start=lines[0].start,
        end=lines[-1].end,
        paragraphs=paragraphs,
        organ=(byline.organ if not adopted else None)
        or organ_in_title(title)
        or by_session
        or byline.organ
        or signed_by,
        speaker=byline.speaker,
        date=date or signed_on,
        session=session,
    )


def _title(source: Source, lines: Sequence[Line], count: int) -> str:
    parts = lines[:count] or [line for line in lines[:40] if line.mark][:1]
    for again in range(1, len(parts)):
        if parts[0].squeezed.endswith(_words(parts, again, len(parts))):
            parts = parts[:1]  # printed again below
            break
    title = readable("\n".join(source.text[line.start : line.end] for line in parts)).replace("**", "")
    return title or PurePath(source.name).stem


def _opening(text: str, paragraphs: Sequence[Paragraph]) -> str:
    """The first paragraph of the body, as read."""
    first = next((p for p in paragraphs if p.kind in ("text", "item")), None)
    return readable(text[first.start : first.end][:600]) if first else ""


def _signature(text: str, paragraphs: Sequence[Paragraph]) -> tuple[str | None, str | None]:
    """(organ, date) of a signature: an organ's name and a date, each a paragraph; attachments may follow it."""
    for paragraph, following in pairwise(paragraphs):
        if following.end - following.start < 30 and paragraph.end - paragraph.start < 80:
            date = iso_date(text[following.start : following.end])
            organ = "".join(text[paragraph.start : paragraph.end].split())
            if date and len(text[following.start : following.end].split("年")) == 2 and is_organ(organ):
                return without_term(organ), date
    return None, None
