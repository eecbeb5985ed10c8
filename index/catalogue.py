"""The front of a gazette: its issue card and its catalogue 目录, and where the body of each catalogue item begins."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.lines import Line
from index.numbering import parse_number, read_numeral, view
from index.text import readable
from index.titles import ends_like_title, read_byline

# ---- issue card -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Card:
    """What the cover says: title …公报, organ, year, number, total number; None where it says nothing."""

    title: str | None = None
    organ: str | None = None
    year: int | None = None
    number: int | None = None
    total: int | None = None


_COUNT = r"([0-9]{1,4}|[〇零○一二三四五六七八九十百]{1,7})"
_TITLE = re.compile(r"^[*《]?(.{2,40}?公[报報])[*》]?(?=$|[-_(\d第总])")
_TOTAL = re.compile(rf"总[第号]?[:：]?{_COUNT}[号期]?|累计第?{_COUNT}[号期]")
_ISSUE = re.compile(rf"第{_COUNT}[号期](?!文)")
_DOTTED = re.compile(r"(?<!\d)((?:19|20)\d\d)[·.•/-](\d{1,2})(?!\d|[·.•/-]\d)")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d|[一二][〇零○九][〇零○一二三四五六七八九]{2})(?=年|$)")


def read_card(lines: Sequence[str]) -> Card:
    """The issue card from the squeezed lines of a cover (or a file name); the first that says a thing counts."""
    title = organ = None
    year = number = total = None
    for i, words in enumerate(lines):
        if len(words) > 60:
            continue
        if title is None:
            title = _gazette_title(lines, i)
        found = _TOTAL.search(words)
        if found:
            total = total or parse_number(found[1] or found[2])
            words = words[: found.start()] + "," + words[found.end() :]
        found = _DOTTED.search(words)
        if found and not re.search(r"\d{4}\.\d{1,2}\.", words):
            year, number = year or int(found[1]), number or int(found[2])
        found = _ISSUE.search(words)
        if found and len(words) < 40:
            number = number or parse_number(found[1])
        found = _YEAR.search(words)
        if found and (len(words) < 14 or _ISSUE.search(words) or "公报" in words):
            year = year or parse_number(found[1])
    if title is not None:
        organ = re.sub(r"公报$", "", title) or None
    return Card(title, organ, year, number, total)


def _gazette_title(lines: Sequence[str], i: int) -> str | None:
    words = lines[i]
    found = _TITLE.match(words)
    if found and found[1] != "公报":
        return found[1]
    if words == "公报" and i:
        # a cover sets it in several lines: 某市 / 人民代表大会常务委员会 / 公 报
        parts: list[str] = []
        for before in reversed(lines[max(0, i - 3) : i]):
            if len(before) > 24 or re.search(r"[0-9。:;]", before):
                break
            parts.insert(0, before)
        return "".join(parts) + "公报" if parts else None
    return None


# ---- catalogue ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """A catalogue line: its title as printed, the title without what may be a section label, its page."""

    title: str
    last_line: str
    page: int | None


_CATALOGUE = re.compile(r"[〔\[【(《*]*(?:本期)?目[录次](?:CONTENTS|Contents)?[〕\]】)》*]*[:：]?")
_LEADER = re.compile(
    r"[.…·‥⋯。•_—\-\s]{2,}[(\[〔]?\s?(\d{1,4})\s?[)\]〕]?$|\s[(\[〔]\s?(\d{1,4})\s?[)\]〕]$|[(](\d{1,4})[)]$"
)
_SECTION_LABEL = re.compile(r"[【〔\[◎●★■◆▲※].{1,20}|.{1,8}")
_GAP = 40  # a cover and an imprint may stand between two parts of a catalogue: about 25 lines in the one seen


def is_catalogue_head(line: Line) -> bool:
    """True for the line 目录 (目 录, 〔目录〕, 本期目录)."""
    return line.end - line.start < 24 and bool(_CATALOGUE.fullmatch(line.squeezed))


def read_catalogue(lines: Sequence[Line]) -> tuple[list[Entry], int]:
    """The catalogue's entries and how many lines belong to the front; ([], 0) where there is no catalogue.

    A repeated cover may stand in the middle of it. A statute's list of chapters is no catalogue.
    """
    head = next((i for i, line in enumerate(lines[:400]) if is_catalogue_head(line)), None)
    if head is None:
        return [], 0
    if head + 1 < len(lines) and _is_chapter(lines[head + 1]):
        return [], 0
    entries, end = _paged_entries(lines, head + 1)
    if len(entries) < 2:
        entries, end = _plain_entries(lines, head + 1)
    return (entries, _imprint_end(lines, end)) if entries else ([], 0)


def _is_chapter(line: Line) -> bool:
    return line.numeral is not None and line.numeral.kind in ("编", "章", "节", "条")


def _leader(line: Line) -> tuple[str, int] | None:
    """(words, page) of a line that ends in leaders and a page number."""
    if line.end - line.start > 300:
        return None
    cells = line.cells
    if len(cells) > 1 and cells[-1].strip("()").isdigit():
        return max(cells[:-1], key=len), int(cells[-1].strip("()")[:4])
    found = _LEADER.search(line.text)
    if not found:
        return None
    page = found[1] or found[2] or found[3]
    return line.text[: found.start()], int(page)


def _paged_entries(lines: Sequence[Line], start: int) -> tuple[list[Entry], int]:
    """Entries that name their page, from ``start`` on, until no further one comes within ``_GAP`` short lines."""
    entries: list[Entry] = []
    pending: list[str] = []
    numbered = False  # the first of the pending lines has a number
    end = start
    for i in range(start, len(lines)):
        line = lines[i]
        if i - end > _GAP or line.end - line.start > 300 or line.text[-1] in "。;":
            break
        words, page = _leader(line) or (line.text, None)
        bare, starts = _without_number(words)
        if starts:
            pending, numbered = [], True
        pending.append(bare)
        if page is None:
            continue
        if not "".join(pending).strip():
            pending = []
            continue
        if i - end > 4 and not numbered:
            pending = pending[-1:]  # what stood between was a cover, not the beginning of this title
        entries.append(_entry(pending, page))
        pending, end, numbered = [], i + 1, False
    return entries, end


def _plain_entries(lines: Sequence[Line], start: int) -> tuple[list[Entry], int]:
    """Entries without pages: the lines after 目录 until the first of them comes again, as the title of its body."""
    entries: list[Entry] = []
    for i in range(start, min(start + 300, len(lines))):
        line = lines[i]
        words = line.squeezed
        if len(words) > 160 or words[-1] in "。;!?":
            break
        bare, _ = _without_number(words)
        if entries and _begins_again(lines, i, entries[:3]):
            return [entry for entry in entries if ends_like_title(entry.title) or len(entry.title) > 8], i
        entries.append(_entry([bare], None))
    return [], start


def _begins_again(lines: Sequence[Line], i: int, entries: Sequence[Entry]) -> bool:
    joined = ""
    for line in lines[i : i + 4]:
        joined += line.squeezed
        if any(len(entry.title) > 5 and title_key(joined) == title_key(entry.title) for entry in entries):
            return True
    return False


def _without_number(words: str) -> tuple[str, bool]:
    bare = words.lstrip("*-+•● ")
    numeral = read_numeral(bare)
    if numeral and numeral.kind in ("一、", "（一）", "1.", "（1）", "①"):
        return bare[numeral.end :].strip(), True
    return bare.strip(), False


def _entry(parts: Sequence[str], page: int | None) -> Entry:
    kept = list(parts)
    while len(kept) > 1 and _SECTION_LABEL.fullmatch(kept[0]) and not kept[0].startswith(("关于", "对")):
        kept.pop(0)
    return Entry(readable("".join(kept)).strip("*").rstrip("….·"), readable(kept[-1]).strip("*"), page)


_IMPRINT = re.compile(
    r"(?:主办|主管|编辑|出版|承办|印刷|发行|地址|邮编|邮政编码|电话|传真|网址|邮箱|电子邮箱|刊号|准印证)\S{0,6}?[:：]"
)


def _imprint_end(lines: Sequence[Line], end: int) -> int:
    """The imprint right after a catalogue (publisher, address, telephone) is front matter too."""
    at = end
    for i in range(end, min(end + 14, len(lines))):
        if _IMPRINT.match(lines[i].squeezed):
            at = i + 1
        elif i - at > 2 or lines[i].mark:
            break
    return at


# ---- matching -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """Where an entry's body begins: its title stands on ``lines[line : line + count]``."""

    entry: int
    line: int
    count: int
    score: float


_KEY_DROPPED = re.compile(r"[\s()（）〔〕\[\]【】《》〈〉“”\"'‘’、，,.·…*#—\-:：]+")
_THRESHOLD = 0.72
_BUDGET = 2_000_000  # comparisons of one title with one place; a gazette needs some ten thousand


def title_key(title: str) -> str:
    """A title as compared: without spaces, marks, brackets and the punctuation that OCR swaps."""
    return _KEY_DROPPED.sub("", view(title))


def _bigrams(key: str) -> frozenset[str]:
    return frozenset(key[i : i + 2] for i in range(len(key) - 1))


def title_bigrams(title: str) -> frozenset[str]:
    """The bigrams of a title without marks and spaces, for ``similarity``."""
    return _bigrams(title_key(title))


def similarity(left: frozenset[str], right: frozenset[str]) -> float:
    """How alike two titles are, 0..1: Dice's coefficient of their bigrams; 0.8 where one holds all of the other."""
    if not left or not right:
        return 0.0
    common = len(left & right)
    dice = 2 * common / (len(left) + len(right))
    whole = min(len(left), len(right))
    return max(dice, 0.8 if whole >= 9 and common >= 0.95 * whole and dice > 0.5 else 0.0)


def match_entries(entries: Sequence[Entry], lines: Sequence[Line], start: int) -> dict[int, Found]:
    """Entry number -> where its body begins, from line ``start`` on, in the order of the catalogue.

    A title may be broken over up to six lines and differ a little; what stands under it (a byline, a note of
    adoption) counts for a place. The best increasing chain of places is chosen.
    """
    keys = [title_key(entry.title) for entry in entries]
    short_keys = [title_key(entry.last_line) for entry in entries]
    wanted = [_bigrams(key) for key in keys]
    longest = max(map(len, keys), default=0) * 1.4 + 10
    exact: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        exact.setdefault(key, []).append(number)
    for number, key in enumerate(short_keys):
        if len(key) > 9 and key != keys[number]:
            exact.setdefault(key, []).append(number)
    candidates: list[Found] = []
    budget = _BUDGET
    for i in range(start, len(lines)):
        if not _may_be_title(lines[i]):
            continue
        best: dict[int, Found] = {}
        for count, key in _blocks(lines, i, longest):
            grams = _bigrams(key)
            if budget > 0:
                budget -= len(wanted)
                scores: Mapping[int, float] = {
                    n: s
                    for n, w in enumerate(wanted)
                    if (s := 1.0 if key == keys[n] else similarity(w, grams) * 0.98) >= _THRESHOLD
                }
            else:
                scores = dict.fromkeys(exact.get(key, ()), 1.0)
            for n in exact.get(key, ()):
                scores = {**scores, n: max(scores.get(n, 0.0), 0.9)}
            for n, score in scores.items():
                if n not in best or score > best[n].score:
                    best[n] = Found(n, i, count, score)
        candidates += [Found(f.entry, f.line, f.count, f.score + _standing(lines, f)) for f in best.values()]
    return _best_chain(candidates)


def _may_be_title(line: Line) -> bool:
    if line.end - line.start > 160 or line.cells:
        return False
    return line.numeral is None or line.numeral.kind in ("1.", "一是")


def _blocks(lines: Sequence[Line], i: int, longest: float) -> list[tuple[int, str]]:
    """(number of lines, their key) for the one to six lines from ``i`` on that could make one title."""
    blocks: list[tuple[int, str]] = []
    key = ""
    for count in range(1, 7):
        if i + count > len(lines):
            break
        line = lines[i + count - 1]
        if line.end - line.start > 160 or (count > 1 and line.cells):
            break
        key += title_key(line.text)
        if len(key) > longest:
            break
        if len(key) > 3:
            blocks.append((count, key))
        if line.text[-1] in "。;":
            break
    return blocks


def _standing(lines: Sequence[Line], found: Found) -> float:
    """What speaks for a place apart from its words: a heading mark, and what stands under it."""
    bonus = 0.1 if lines[found.line].mark or lines[found.line].bold else 0.0
    after = found.line + found.count
    if read_byline(list(lines[after : after + 8]), 0).proves_title:
        bonus += 0.3
    elif after < len(lines) and _opens_body(lines[after]):
        bonus += 0.15
    return bonus


def _opens_body(line: Line) -> bool:
    return line.text[-1] in ":。" or (line.numeral is not None and line.numeral.value == 1)


def _best_chain(candidates: Sequence[Found]) -> dict[int, Found]:
    """The chain of places with the highest sum of scores, entries and lines both increasing."""
    ordered = sorted(candidates, key=lambda f: (f.line, -f.entry))
    totals: list[float] = []
    previous: list[int] = []
    # ``best[k]``: candidate that ends the best chain over entries up to ``ends[k]``; both lists increase
    ends: list[int] = []
    best: list[int] = []
    for index, found in enumerate(ordered):
        at = bisect_left(ends, found.entry)  # chains that end in an earlier entry
        prior = best[at - 1] if at else -1
        totals.append(found.score + (totals[prior] if prior >= 0 else 0.0))
        previous.append(prior)
        keep = at < len(ends) and ends[at] == found.entry and totals[best[at]] >= totals[index]
        if keep or (at and totals[best[at - 1]] >= totals[index]):
            continue
        stop = at
        while stop < len(ends) and totals[best[stop]] <= totals[index]:
            stop += 1
        ends[at:stop], best[at:stop] = [found.entry], [index]
    chain: dict[int, Found] = {}
    index = best[-1] if best else -1
    while index >= 0:
        chain[ordered[index].entry] = ordered[index]
        index = previous[index]
    return chain
