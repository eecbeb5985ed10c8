"""Does the quote support the sentence? The check behind every answer shown and every sentence of a summary.

Built to refuse: a sentence passes only if each of its clauses is made of one quoted clause's own words in their order,
with nothing added but function words, no figure cut or changed, and every negation kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from index.text import Folded, fold, folded, locate
from qa.records import Support

_CLAUSE = re.compile(r"[,，。;；:：!！?？\n]+")
_SENTENCE = re.compile(r"[。!！?？;；\n]+")
_NUMERAL = "零〇一二两三四五六七八九十百千万亿"
# A figure: Arabic digits with their decimals, or Chinese numerals that are surely a number (第九条, 十四, 三百二十).
_FIGURE = re.compile(rf"\d+(?:[.,]\d+)*%?|(?<=第)[{_NUMERAL}]+|[{_NUMERAL}]*[十百千][{_NUMERAL}]*")
# Longest first. What turns a statement round.
_NEGATION = re.compile(r"不得|不予|不能|不可|不应|不准|没有|未能|未经|严禁|禁止|并非|不是|[不未无没非勿莫禁免停废]")
# Words in which such a character denies nothing.
_HARMLESS = re.compile(
    r"不断|不仅|不但|不同|不少|不久|不论|不管|不只|不忘|不懈|无论|无锡|无人|非常|未来|未成年|非法|无偿|无障碍|无党派|无线|"
    r"不动产|避免|难免|以免|非公|非遗|非物质|不定期|不间断|不良|免费|停车|停留|废弃|废旧|废水|废物|废气|禁毒"
)
# What a sentence may add to the words it quotes: grammar, and the frame of reporting.
_ADDED = re.compile(
    "(?:分别|包括|其中|此外|同时|以及|并且|而且|因此|所以|指出|提出|显示|表示|根据|按照|公报|目前|现有|总共|一共|共计|共有|已经|"
    "[即称共本的了和与及也还并为是有在中该此其对将于由被把从向到以已就而这那则又地得着等]|"
    r"[、\"'()《》\-·.])*"
)
# A figure with what bounds it, in front or behind: (不少于, 56, ""), ("", 90%, 以上).
_QUALIFIED = re.compile(
    r"(不少于|不低于|不超过|不得超过|不高于|不早于|不晚于|不多于|至少|最多|最低|最高|超过|突破|将近|接近|近|大约|约|逾)?"
    r"(\d+(?:\.\d+)?%?)(?:[^\d\s,。、;:()\"]{0,3}?(余|多|以上|以下|以内|以前|左右))?"
)
_DIGIT_OF = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNIT_OF = {"十": 10, "百": 100, "千": 1000}


def support(sentence: str, quotes: Sequence[str]) -> Support:
    """How far the quotes carry the sentence.

    ``verbatim``: it stands in one quote as it is. ``consistent``: every clause is supported as the module says.
    ``unsupported``: anything else, an empty sentence or no quotes included.
    """
    wanted = _bare(sentence)
    if not wanted or not quotes:
        return "unsupported"
    bare_quotes = [_bare(q) for q in quotes]
    if any(_stands_in(wanted, q) for q in bare_quotes):
        return "verbatim"
    clauses = [c for c in map(_bare, _CLAUSE.split(sentence)) if c and not _ADDED.fullmatch(c)]
    sources = tuple(c for q in quotes for c in map(_bare, _CLAUSE.split(q)) if c)
    supported = bool(clauses) and all(any(_carries(s, c) for s in sources) for c in clauses)
    return "consistent" if supported else "unsupported"


def carries(quote: str, sentence: str) -> Support:
    """As ``support`` by one quote, for words that a model put together: nothing may be set beside what it does not
    stand beside.

    One sentence of the quote must carry all clauses, next to each other and in order: of 2022年前，甲区通过；2023年前，乙区
    通过 neither 2022年前，乙区通过 nor 206所，在校学生11.5万人 across what lies between. Figures keep what qualifies them
    (不少于56小时), and a denial all that it denies.
    """
    wanted = [c for c in map(_bare, _CLAUSE.split(sentence)) if c and not _ADDED.fullmatch(c)]
    for said in _SENTENCE.split(quote):
        found = support(sentence, [said])
        clauses = [c for c in map(_bare, _CLAUSE.split(said)) if c]
        if found == "unsupported" or len(clauses) < len(wanted):
            continue
        for first in range(len(clauses) - len(wanted) + 1):
            pairs = list(zip(clauses[first : first + len(wanted)], wanted, strict=True))
            if all(_carries(source, clause) and _keeps(source, clause) for source, clause in pairs):
                return found
    return "unsupported"


def find_quote(quote: str, text: str | Folded, within: tuple[int, int] | None = None) -> tuple[int, int] | None:
    """Where the quote stands in the text, as offsets into it as found; None if nowhere.

    A short quote stands in many places: ``within`` is the stretch it was taken from, and the first place inside that
    stretch is preferred to the first of all. Pass a ``Folded`` text to look for many quotes in one text.
    """
    view = folded(text) if isinstance(text, str) else text
    if within is not None:
        first = next((i for i, at in enumerate(view.offsets) if at >= within[0]), len(view.text))
        found = locate(quote, view, first)
        if found is not None and found[1] <= within[1]:
            return found
    return locate(quote, view)


@lru_cache(maxsize=4096)
def _bare(text: str) -> str:
    """The text as compared: folded, numerals as digits, punctuation at its ends left out."""
    return _FIGURE.sub(lambda m: _arabic(m.group()), fold(text)).strip(",。;:!?、\"'")


def _arabic(figure: str) -> str:
    """A figure in one writing: 十四 -> 14, 1,008 -> 1008; what is too large to read by place stays as it is."""
    if figure[0].isdigit():
        return figure.replace(",", "")
    if set(figure) & {"万", "亿"}:
        return figure
    if not set(figure) & set(_UNIT_OF):
        return "".join(str(_DIGIT_OF[c]) for c in figure)
    total = digit = 0
    for char in figure:
        if char in _UNIT_OF:
            total += (digit or (0 if total else 1)) * _UNIT_OF[char]
            digit = 0
        else:
            digit = _DIGIT_OF[char]
    return str(total + digit)


def _stands_in(wanted: str, quote: str) -> bool:
    """Whether the words stand in the quote with no figure cut at their ends and no denial just before them."""
    at = quote.find(wanted)
    while at >= 0:
        denied = _denials(_CLAUSE.split(quote[:at])[-1][-4:])
        if not denied and not _cuts_a_figure(quote, at, len(wanted)):
            return True
        at = quote.find(wanted, at + 1)
    return False


def _in_figure(pair: str) -> bool:
    """Whether a cut between these two characters goes through a figure or between it and its unit."""
    return len(pair) == 2 and bool(re.fullmatch(r"[\d.][\d.%万亿千百]|第\d", pair))


def _denials(text: str) -> list[str]:
    return [m.group()[0] for m in _NEGATION.finditer(_HARMLESS.sub(lambda m: "·" * len(m.group()), text))]


def _figures(text: str) -> list[str]:
    """Each figure with the unit character after it, in order."""
    return [m.group() for m in re.finditer(r"\d+(?:\.\d+)*%?[^\d\s,。、;:()\"]?", text)]


@lru_cache(maxsize=16384)
def _carries(source: str, clause: str) -> bool:
    """Whether one quoted clause carries one clause of the sentence."""
    if _stands_in(clause, source):
        return True
    if _denials(source) != _denials(clause):
        return False
    known = _figures(source)
    for figure in _figures(clause):
        if figure not in known:
            return False
        del known[: known.index(figure) + 1]  # figures keep their order: 公办197所、民办9所 is not 公办9所、民办197所
    blocks = [b for b in SequenceMatcher(None, source, clause, autojunk=False).get_matching_blocks() if b.size]
    if not blocks:
        return False
    done = 0
    for block in blocks:
        if not _ADDED.fullmatch(clause[done : block.b]):
            return False
        done = block.b + block.size
    if not _ADDED.fullmatch(clause[done:]):
        return False
    # Single characters picked from all over a clause are not its words.
    carried = sum(b.size for b in blocks if b.size > 1)
    return 2 * carried >= len(clause) and not any(_cuts_a_figure(source, b.a, b.size) for b in blocks)


def _keeps(source: str, clause: str) -> bool:
    """Whether the figures of a clause keep their qualifiers, and its denials what they deny."""
    known = _QUALIFIED.findall(source)
    if any(figure not in known for figure in _QUALIFIED.findall(clause)):
        return False
    denied = _NEGATION.search(_HARMLESS.sub(lambda m: "·" * len(m.group()), source))
    return denied is None or source[denied.start() :].strip("的)") in clause


def _cuts_a_figure(source: str, at: int, size: int) -> bool:
    """Whether the stretch begins or ends inside a figure of the source."""
    return _in_figure(source[max(at - 1, 0) : at + 1]) or _in_figure(source[at + size - 1 : at + size + 1])
