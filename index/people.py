"""Who is appointed and who leaves; who voted, how, and who was present."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from index.lines import row_cells
from index.names import FAMILY_NAMES
from index.numbering import view
from index.records import Source
from index.statements import Appointment, Sentence, Statement, Vote
from index.text import readable

# ---- appointments ---------------------------------------------------------------------------------------------------

_NAME = r"[一-鿿㐀-䶿·]{2,4}?|[一-鿿]{2,8}·[一-鿿·]{2,12}?"
_NAMES = rf"(?:{_NAME})(?:、(?:{_NAME}))*"
_ASIDE = r"(?:\([^()]{1,12}\))?"
_TAKE = r"(?:决定免去|批准免去|免去|撤销)"
_GIVE = r"(?:决定任命|批准任命|决定代理|任命|补选|选举|推选|决定)"
_OFFICE = r"(?:长|主任|委员|书记|主席|代表|员|总理|主任委员|顾问|代理[^,;。:()]{1,12}?|负责人)"
_POST = rf"[^,;。:、()]{{0,40}}?{_OFFICE}(?:、[^,;。:()]{{0,30}}?{_OFFICE})*(?:\([^()]{{1,16}}\))?"
_INLINE = re.compile(
    rf"(?P<action>{_GIVE})(?:副主任|委员|副[市县区州省]长)?(?P<names>{_NAMES}){_ASIDE}(?:同志)?{_ASIDE}(?:为|任|担任|(?=代理))(?P<post>{_POST})(?:的?职务)?(?=[,;。)]|$)"
)
# 免去郝建军的…: a name ends at its 的 and not a character before it, where both can be names
_LEAVES = re.compile(
    rf"(?P<action>{_TAKE})(?P<names>其|{_NAMES}){_ASIDE}(?:同志)?{_ASIDE}(?:的|(?![^,;。的]{{0,2}}的))(?P<post>{_POST})(?:的?职务)?(?=[,;。)]|$)"
)
_RESIGNS = re.compile(
    rf"(?P<action>接受)(?P<names>{_NAMES}){_ASIDE}(?:同志)?{_ASIDE}(?:因[^,。;]{{1,20}}?)?(?:请求|申请|提出)?辞去(?P<post>{_POST})(?:的?职务)?"
)
_HEADER = re.compile(rf"(?:[一二三四五六七八九十]+、)?(?P<action>{_TAKE}|{_GIVE})(?:[^,;。为的]{{0,16}})?:?")
_LISTED = re.compile(rf"(?:\d+\.)?(?P<names>{_NAMES})(?:同志)?{_ASIDE}为(?P<post>{_POST})[,;。]?")
_LISTED_OUT = re.compile(rf"(?:\d+\.)?(?P<names>{_NAMES})(?:同志)?{_ASIDE}的(?P<post>{_POST})(?:的?职务)?[,;。]?")
_NO_NAME = re.compile(
    r"^[的了对其由为他她它原]|人员|干部|同志$|工作|机关|任命|依法|会议|报告|有关|主任|局长|委员|或者|决定|个别|代理"
)


def find_appointments(found: Sequence[Sentence], source: Source) -> list[Appointment]:
    """Appointments, removals and resignations, in the order of the text; a header 任命： holds for the lines below."""
    out: list[Appointment] = []
    header, under = "", ""
    for sentence in found:
        if sentence.document.kind in ("条例", "法律", "规定", "办法"):
            continue  # rules of who appoints whom
        if sentence.document.id != under:
            header, under = "", sentence.document.id
        text = sentence.text
        matches = [m for pattern in (_INLINE, _LEAVES, _RESIGNS) for m in pattern.finditer(text)]
        if matches:
            before: list[Appointment] = []
            for match in sorted(matches, key=lambda m: m.start()):
                action = "接受辞职" if match["action"] == "接受" else match["action"]
                if match["names"] == "其":  # 任命某人为…，免去其…职务
                    post, said = sentence.words(source, *match.span("post")), sentence.statement(source)
                    before = [Appointment(last.person, action, post, said) for last in before]
                else:
                    before = _appointed(sentence, source, match, action)
                out += before
            continue
        opened = _HEADER.fullmatch(text)
        if opened:
            header = opened["action"]
        elif header:
            pattern = _LISTED_OUT if re.fullmatch(_TAKE, header) else _LISTED
            listed = pattern.fullmatch(text)
            if listed:
                out += _appointed(sentence, source, listed, header)
            elif sentence.paragraph.kind not in ("note", "table"):
                header = ""
    return out


def _appointed(sentence: Sentence, source: Source, match: re.Match[str], action: str) -> list[Appointment]:
    names = match["names"].split("、")
    if any(_NO_NAME.search(name) or (name[0] not in FAMILY_NAMES and "·" not in name) for name in names):
        return []
    post = sentence.words(source, *match.span("post"))
    said = sentence.statement(source)
    return [Appointment(name, action, post, said) for name in names]


# ---- votes and attendance -------------------------------------------------------------------------------------------

_OPTIONS = "基本满意|不满意|满意|赞成|同意|反对|弃权|未按表决器|不赞成|无效"
_PRESENCE = "实有|应到|实到|应出席|实出席|出席|缺席|请假|列席|参加投票|参加表决"
_CHOICES = frozenset(_OPTIONS.split("|"))
_COUNTED = re.compile(
    rf"(?P<option>{_OPTIONS}|{_PRESENCE})(?:会议)?(?:的)?(?:委员|组成人员|代表)?(?:票)?(?:共|:|为)?(?P<count>\d{{1,5}})(?P<unit>人|名|票)"
    r"(?:[,(]?(?:占[^,。;()]{0,14}?)?(?P<percent>\d{1,3}(?:\.\d+)?)%)?"
)
_COUNTED_BEFORE = re.compile(
    rf"(?:共|等)(?P<count>\d{{1,5}})(?P<unit>人|名)(?P<option>出席|列席|请假|缺席)"
    rf"|(?P<cast>\d{{1,5}})票(?P<choice>{_OPTIONS})(?!票?\d)"
)
_CELL = re.compile(r"(?P<count>\d{1,5})\s*(?P<unit>票|人|名)?\s*[,(]?\s*(?:(?P<percent>\d{1,3}(?:\.\d+)?)\s*%)?\)?")
_LABEL = re.compile(r"(?P<who>[^,。;:]{0,20}?)(?P<option>出席|请假|缺席|列席)[^,。;:]{0,8}:")


def find_votes(found: Sequence[Sentence], source: Source) -> list[Vote]:
    """Votes and attendance: of tables whose head names options, of sentences, and of lists of names under a label."""
    out: list[Vote] = []
    label: str | None = None  # 出席： in the paragraph before
    listed: list[Sequence[Sentence]] = []  # the paragraphs of names below it so far
    for _, group in groupby(found, key=lambda sentence: (sentence.document.id, sentence.paragraph.n)):
        paragraph = list(group)
        if label is not None and _names_of([paragraph], source) and not (listed and _is_elsewhere(listed, paragraph)):
            listed.append(paragraph)
            continue
        out += _present(label, listed, source)
        label, listed = None, []
        if paragraph[0].paragraph.kind == "table":
            out += _table(paragraph, source)
            continue
        opened = _LABEL.fullmatch(paragraph[-1].text)
        label = opened["option"] if opened else None
        for sentence in paragraph:
            out += _counted(sentence, source)
    return [*out, *_present(label, listed, source)]


def _is_elsewhere(listed: Sequence[Sequence[Sentence]], paragraph: Sequence[Sentence]) -> bool:
    return listed[-1][0].document.id != paragraph[0].document.id


def _names_of(paragraphs: Sequence[Sequence[Sentence]], source: Source) -> tuple[str, ...]:
    places = [paragraph[0].paragraph for paragraph in paragraphs]
    return tuple(name for place in places for name in read_names(source.text[place.start : place.end]))


def _present(label: str | None, listed: Sequence[Sequence[Sentence]], source: Source) -> Iterator[Vote]:
    """The record of a list of names under its label, which may go on over several paragraphs."""
    if label is None or not listed:
        return
    names = _names_of(listed, source)
    first, start, end = listed[0][0], listed[0][0].paragraph.start, listed[-1][0].paragraph.end
    said = Statement(first.document.id, first.document.title, start, end, readable(source.text[start:end]))
    yield Vote("会议", label, len(names), "人", None, names, said)


def _counted(sentence: Sentence, source: Source) -> list[Vote]:
    """Counts in running text: 应到30人，实到28人; 赞成27票."""
    matches = [match for pattern in (_COUNTED, _COUNTED_BEFORE) for match in pattern.finditer(sentence.text)]
    if not matches:
        return []
    out: list[Vote] = []
    title, said = _subject(sentence), sentence.statement(source)
    for match in matches:
        groups = match.groupdict()
        printed = groups.get("percent")
        option = match["option"] or groups["choice"]
        unit = "人" if match["option"] and match["unit"] != "票" else "票"
        subject = "会议" if unit == "人" and option not in _CHOICES else title
        count, percent = int(match["count"] or groups["cast"]), float(printed) if printed else None
        out.append(Vote(subject, option, count, unit, percent, (), said))
    return out


def _subject(sentence: Sentence) -> str:
    """What a sentence votes on: the title it quotes, else the title of its document."""
    titles = re.findall(r"《[^《》]{2,80}》", sentence.text)
    return titles[-1] if titles else sentence.document.title


def _table(rows: Sequence[Sentence], source: Source) -> list[Vote]:
    """The votes of a table: its head names the options, a row's first cell what was voted on."""
    cells = [row_cells(view(source.text[slice(*row.span(0, len(row.text)))])) for row in rows]
    head = ["".join(cell.split()) for cell in cells[0]] if cells else []
    if not any(option in _CHOICES for option in head):
        return []
    out: list[Vote] = []
    for row, values in zip(rows[1:], cells[1:], strict=True):
        for option, value in zip(head, values, strict=False):
            match = _CELL.fullmatch(value.strip())
            if option not in _CHOICES or not match:
                continue
            percent = float(match["percent"]) if match["percent"] else None
            subject = "".join(values[0].split())
            out.append(
                Vote(subject, option, int(match["count"]), match["unit"] or "票", percent, (), row.statement(source))
            )
    return out


def read_names(words: str) -> tuple[str, ...]:
    """The names of a list, () where it is none: padded (李 强), in cells of a table, or apart by spaces or 、."""
    if len(words) > 20_000 or re.search(r"[。；;：:0-9]", words):
        return ()
    names: list[str] = []
    for part in re.split(r"[\t\n|、，,]+", words.replace("**", "")):
        tokens = part.split()
        while tokens:
            name = tokens.pop(0)
            if len(name) == 1 and tokens and len(tokens[0]) == 1:
                name += tokens.pop(0)  # 李 强
            names.append(name)
    names = [re.sub(r"[(（].*", "", name) for name in names]
    return tuple(names) if names and all(re.fullmatch(r"[一-鿿㐀-䶿·]{2,12}", name) for name in names) else ()
