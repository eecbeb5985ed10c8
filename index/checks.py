"""Does a gazette agree with itself? Percentages and counts, totals and items, names and sessions, catalogue and body.

Only what is stated twice is compared, and only where both statements are plain: a gazette is not accused on a guess.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from index.catalogue import title_key
from index.numbering import parse_number
from index.records import Document, Gazette, Source
from index.statements import Check, Link, Sentence, Statement, Vote
from index.text import readable
from index.titles import organ_of_session

_SEE = "，请核对原文"


def find_checks(
    gazette: Gazette, found: Sequence[Sentence], votes: Sequence[Vote], links: Sequence[Link], source: Source
) -> list[Check]:
    """All comparisons that could be made, in the order of their kinds; ``consistent`` is False for those to look at."""
    return [
        *_percentages(votes),
        *_vote_totals(votes),
        *_attendance(votes),
        *_breakdowns(found, source),
        *_changes(found, source),
        *_adjustments(gazette, found, links, source),
        *_names(gazette, found, links, source),
        *_sessions(gazette, source),
        *_catalogue(gazette, source),
    ]


# ---- votes ----------------------------------------------------------------------------------------------------------

_BASES = ("实有", "应到", "应出席", "实到", "实出席", "参加投票", "参加表决", "出席")


_PRESENT = {"实到": "出席", "实出席": "出席"}


def _by_document(votes: Sequence[Vote]) -> Iterator[tuple[list[Vote], list[Vote]]]:
    """(statements of how many there are, votes) of each document."""
    for _, group in groupby(votes, key=lambda vote: vote.said.document_id):
        listed = list(group)
        yield [v for v in listed if v.option in _BASES and v.unit == "人"], [v for v in listed if v.unit == "票"]


def _explains(base: int, vote: Vote) -> bool:
    """Is the printed percentage the count's share of ``base``, rounded or cut at its last digit?"""
    digits = len(f"{vote.percent}".rstrip("0").partition(".")[2])
    return base > 0 and abs(vote.count / base * 100 - (vote.percent or 0.0)) < 10**-digits * 0.999 + 1e-9


def _percentages(votes: Sequence[Vote]) -> list[Check]:
    out: list[Check] = []
    for bases, cast in _by_document(votes):
        printed = [vote for vote in cast if vote.percent is not None]
        if len(printed) < 2 or not bases:
            continue
        base = max(bases, key=lambda b: sum(_explains(b.count, vote) for vote in printed))
        right = [vote for vote in printed if _explains(base.count, vote)]
        if 2 * len(right) <= len(printed):
            continue  # the percentages are of something else
        for vote in printed:
            share = f"{vote.count / base.count * 100:.2f}".rstrip("0").rstrip(".")
            what = f"{vote.subject} {vote.option}{vote.count}票，{base.option}{base.count}人"
            if vote in right:
                out.append(Check("百分比", True, f"{what}，{share}%", (vote.said, base.said)))
            else:
                message = f"{what}，占{share}%，原文作{vote.percent:g}%{_SEE}"
                out.append(Check("百分比", False, message, (vote.said, base.said)))
    return out


def _vote_totals(votes: Sequence[Vote]) -> list[Check]:
    """The options of a row add up to those who voted, where they do so in most rows."""
    out: list[Check] = []
    for bases, cast in _by_document(votes):
        voters = next((b for b in bases if b.option in ("参加投票", "参加表决", "实到", "实出席")), None)
        rows = [list(row) for _, row in groupby(cast, key=lambda vote: vote.said.start)]
        rows = [row for row in rows if len(row) > 1]
        if voters is None or not rows:
            continue
        sums = [sum(vote.count for vote in row) for row in rows]
        if 2 * sums.count(voters.count) <= len(sums):
            continue
        for row, total in zip(rows, sums, strict=True):
            parts = "+".join(str(vote.count) for vote in row)
            message = f"{row[0].subject} {parts}={total}，{voters.option}{voters.count}人"
            right = total == voters.count
            out.append(Check("合计", right, message if right else message + _SEE, (row[0].said, voters.said)))
    return out


def _attendance(votes: Sequence[Vote]) -> list[Check]:
    """A list of names is as long as the count stated for it in the same document."""
    out: list[Check] = []
    for _, group in groupby(votes, key=lambda vote: vote.said.document_id):
        listed = list(group)
        for names in (vote for vote in listed if vote.names):
            for stated in (
                v for v in listed if not v.names and _PRESENT.get(v.option, v.option) == names.option and v.unit == "人"
            ):
                right = stated.count == names.count
                message = f"名单列{names.option}{names.count}人，文中作{stated.count}人"
                out.append(Check("人数", right, message if right else message + _SEE, (names.said, stated.said)))
    return out


# ---- sums in text ---------------------------------------------------------------------------------------------------

_UNIT = r"[一-鿿%]{1,3}?"
_BREAKDOWN = re.compile(rf"(?P<total>\d+(?:\.\d+)?)(?P<unit>(?:万|亿)?{_UNIT})\((?P<inside>[^()]{{4,200}})\)")
_MAGNITUDES = {"": 1.0, "万": 1e4, "亿": 1e8}


def _breakdowns(found: Sequence[Sentence], source: Source) -> list[Check]:
    """206所（公办197所、民办9所）: items of one unit in brackets right behind a total."""
    out: list[Check] = []
    for sentence in found:
        for match in _BREAKDOWN.finditer(sentence.text):
            unit = re.escape(match["unit"])
            items = re.split(r"[、,;]", match["inside"])
            values = [re.fullmatch(rf"[^\d]{{1,20}}(\d+(?:\.\d+)?){unit}", item) for item in items]
            if len(items) < 2 or not all(values):
                continue
            parts = [float(value[1]) for value in values if value]
            total, printed = sum(parts), float(match["total"])
            part_only = match["inside"].startswith(("其中", "包括", "含"))
            right = total <= printed + 1e-9 if part_only else abs(total - printed) < 1e-6 * max(1.0, printed)
            sums = "+".join(f"{part:g}" for part in parts)
            message = f"{match['total']}{match['unit']}，括号内{sums}={total:g}"
            out.append(Check("合计", right, message if right else message + _SEE, (sentence.statement(source),)))
    return out


# Money grows nominally and its percentage is often the real growth, shares move by points: neither is compared
_CHANGE = re.compile(
    r"由[^,。;\d]{0,12}?(?P<from>\d+(?:\.\d+)?)(?P<unit>[^\d,。;%元]{1,6}?)(?:缩短|压缩|减少|下降|降低|降|提高|增加|增长|上升|提升)[至到为]"
    r"(?P<to>\d+(?:\.\d+)?)(?P=unit)[,、]?(?P<link>[^\d%。;,]{0,12}?)(?P<percent>\d+(?:\.\d+)?)%"
)
_OTHER_MEASURE = re.compile(r"年均|平均|每年|实际|可比|名义|率|占|比重")


def _changes(found: Sequence[Sentence], source: Source) -> list[Check]:
    """由20个工作日缩短至13个工作日，压缩35%: the percentage is that of the change."""
    out: list[Check] = []
    for sentence in found:
        for match in _CHANGE.finditer(sentence.text):
            before, after, percent = (float(match[part]) for part in ("from", "to", "percent"))
            if before <= 0 or _OTHER_MEASURE.search(match["link"]):
                continue
            share = abs(after - before) / before * 100
            digits = len(match["percent"].partition(".")[2])
            right = abs(share - percent) < 10**-digits
            message = f"由{match['from']}至{match['to']}{match['unit']}，变化{share:.4g}%，原文作{match['percent']}%"
            out.append(Check("百分比", right, message if right else message + _SEE, (sentence.statement(source),)))
    return out


_MONEY = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<magnitude>万|亿)?元")
_RISES = re.compile(r"(?:增加|调增)(?P<what>[^,。;\d]{0,40}?)(?P<number>\d+(?:\.\d+)?)(?P<magnitude>万|亿)?元")

_IN_ALL = re.compile(r"总[收支额计量]|合计|共计|分别|(?<!公)共(?:增加|调增)")


def _amount(match: re.Match[str]) -> float:
    return float(match["number"]) * _MAGNITUDES[match["magnitude"] or ""]


def _adjustments(gazette: Gazette, found: Sequence[Sentence], links: Sequence[Link], source: Source) -> list[Check]:
    """A budget before and after its adjustment: each amount rises by what the items, or a linked report, say."""
    out: list[Check] = []
    chains = _chains(gazette, links)
    rises_of: dict[str, list[tuple[Sentence, re.Match[str]]]] = defaultdict(list)
    for sentence in found:
        rises_of[sentence.document.id] += [(sentence, match) for match in _RISES.finditer(sentence.text)]
    for before, after in pairwise(found):
        if (
            before.paragraph is not after.paragraph
            or "调整后" not in after.text
            or not re.search("年初|调整前|原", before.text)
        ):
            continue
        first, second = (list(_MONEY.finditer(s.text)) for s in (before, after))
        if not first or len(first) != len(second):
            continue
        rises = [rise for document in sorted(chains[before.document.id]) for rise in rises_of[document]]
        items = [
            _amount(m) for s, m in rises if s.document is before.document and s.paragraph.kind in ("heading", "item")
        ]
        stated = {_amount(m): s for s, m in rises if _IN_ALL.search(s.text, max(0, m.start() - 12), m.end())}
        if len(items) > 1:
            stated.setdefault(sum(items), before)
        for a, b in zip(first, second, strict=True):
            rise = _amount(b) - _amount(a)
            if not stated:
                break
            right = any(abs(rise - amount) < 1e-6 * max(1.0, amount) for amount in stated)
            message = f"{a[0]}调整为{b[0]}，增加{rise / 1e4:.10g}万元"
            if not right:
                message += f"，文中作增加{'、'.join(f'{amount / 1e4:.10g}万元' for amount in sorted(stated))}{_SEE}"
            said = (before.statement(source), after.statement(source), *(s.statement(source) for s in stated.values()))
            out.append(Check("合计", right, message, said))
    return out


def _chains(gazette: Gazette, links: Sequence[Link]) -> dict[str, set[str]]:
    """Document id -> the documents it is linked with, over any number of links, itself among them."""
    groups: dict[str, set[str]] = {d.id: {d.id} for d in gazette.documents}
    for link in links:
        if link.target_id:
            joined = groups[link.document_id] | groups[link.target_id]
            for member in joined:
                groups[member] = joined
    return groups


# ---- names ----------------------------------------------------------------------------------------------------------

_NAMED = re.compile(
    r"(?P<name>[一-鿿]{2})(?P<suffix>银行|公司|集团|医院|大学|学院|中学|小学|协会|基金会|水库|大桥|公园|机场|车站|电站|码头|港区)"
)
# 第一中学 and 第二中学, 东湖公园 and 西湖公园 are two things, not one misprinted
_COUNTERS = frozenset("一二三四五六七八九十东西南北中上下左右前后新老大小甲乙丙丁内外县市区省")
_NEAR = 40


def _names(gazette: Gazette, found: Sequence[Sentence], links: Sequence[Link], source: Source) -> list[Check]:
    """Two linked documents name one thing differently: each name in one of them only, one character apart, and the
    same figure close behind both."""
    out: list[Check] = []
    chains = _chains(gazette, links)
    named: dict[str, list[tuple[Sentence, re.Match[str]]]] = defaultdict(list)
    for sentence in found:
        if len(chains.get(sentence.document.id, ())) > 1:
            named[sentence.document.id] += [(sentence, match) for match in _NAMED.finditer(sentence.text)]
    pairs = sorted({(a, b) for chain in chains.values() for a in chain for b in chain if a < b})
    for a, b in pairs:
        names = [{match[0] for _, match in named[document]} for document in (a, b)]
        for right, right_match in named[b]:
            if right_match[0] in names[0]:
                continue
            near = [
                (distance, left, match)
                for left, match in named[a]
                if match[0] not in names[1] and _one_apart(match, right_match)
                for distance in [_shared_figure(left.text, match.end(), right.text, right_match.end())]
                if distance is not None
            ]
            if near:
                _, left, match = min(near, key=lambda entry: entry[0])
                message = f"同一事项名称不一：《{left.document.title}》作“{match[0]}”，《{right.document.title}》作“{right_match[0]}”{_SEE}"
                out.append(Check("名称", False, message, (left.statement(source), right.statement(source))))
                break
    return out


def _one_apart(left: re.Match[str], right: re.Match[str]) -> bool:
    differing = [(x, y) for x, y in zip(left["name"], right["name"], strict=True) if x != y]
    return left["suffix"] == right["suffix"] and len(differing) == 1 and not _COUNTERS & set(differing[0])


def _shared_figure(left: str, left_end: int, right: str, right_end: int) -> int | None:
    """How far behind the left name a figure stands that stands behind the right one too; None if none does."""
    wanted = {match[0] for match in _MONEY.finditer(right, right_end, right_end + _NEAR)}
    for match in _MONEY.finditer(left, left_end, left_end + _NEAR):
        if match[0] in wanted:
            return match.start() - left_end
    return None


# ---- sessions and catalogue -----------------------------------------------------------------------------------------

_SITTING = re.compile(r"第\s*([〇零○一二三四五六七八九十百0-9 ]{1,7})次(?:全体|常务)?(?:会议|全会)$")


def _sessions(gazette: Gazette, source: Source) -> list[Check]:
    """Documents of one organ and day name one session."""
    held: dict[tuple[str, str], list[tuple[int, Document]]] = defaultdict(list)
    for document in gazette.documents:
        sitting = _SITTING.search(document.session or "")
        number = parse_number(sitting[1]) if sitting else None
        if document.session and document.date and number is not None:
            organ = organ_of_session(document.session).replace("人民代表大会常务委员会", "人大常委会")
            held[organ, document.date].append((number, document))
    out: list[Check] = []
    for (_, date), entries in held.items():
        (usual, count), *others = Counter(number for number, _ in entries).most_common()
        if not others or count <= others[0][1]:
            continue
        witness = next(document for number, document in entries if number == usual)
        for number, document in entries:
            if number != usual:
                message = (
                    f"{date}的会议，《{document.title}》作{document.session}，其他文件作第{_of(witness)}次会议{_SEE}"
                )
                out.append(Check("届次", False, message, (_head(document, source), _head(witness, source))))
    return out


def _of(document: Document) -> str:
    sitting = _SITTING.search(document.session or "")
    return sitting[1].strip() if sitting else ""


def _head(document: Document, source: Source) -> Statement:
    """Where a document names its session: in its byline, else in its title or first paragraph."""
    named = [p for p in document.paragraphs[:6] if "次" in source.text[p.start : p.end]]
    shown = next((p for p in named if p.kind == "byline"), (named or list(document.paragraphs))[0])
    return Statement(
        document.id, document.title, shown.start, shown.end, readable(source.text[shown.start : shown.end])
    )


def _catalogue(gazette: Gazette, source: Source) -> list[Check]:
    """Every catalogue item has a body, under the title the catalogue gives it."""
    by_id = {document.id: document for document in gazette.documents}
    front = gazette.documents[0] if gazette.documents and gazette.documents[0].kind == "封面" else None
    lines = [(title_key(source.text[p.start : p.end]), p) for p in front.paragraphs] if front else []
    out: list[Check] = []
    for item in gazette.catalogue:
        key = title_key(item.title)
        line = next((p for words, p in lines if key and key in words), None)
        said = [Statement(front.id, front.title, line.start, line.end, item.title)] if front and line else []
        document = by_id.get(item.document_id or "")
        if document is None:
            out.append(Check("目录", False, f"目录第{item.n}项“{item.title}”未找到正文{_SEE}", tuple(said)))
            continue
        # a catalogue may leave out the organ that a title begins with
        right = title_key(document.title) in (key, title_key(document.organ or "") + key)
        message = f"目录第{item.n}项“{item.title}”"
        if not right:
            message += f"，正文标题作“{document.title}”{_SEE}"
        first = document.paragraphs[0]
        body = Statement(document.id, document.title, first.start, first.end, document.title)
        out.append(Check("目录", right, message, (*said, body)))
    return out
