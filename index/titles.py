"""What a document's head says: its kind, who made it, who spoke, when, and at which session."""

from __future__ import annotations

import re
from dataclasses import dataclass

from index.lines import Line
from index.names import FAMILY_NAMES
from index.numbering import DATE, iso_date, view
from index.records import Kind
from index.text import readable

_QUOTED = re.compile(r"《[^《》]{0,200}》|〈[^〈〉]{0,200}〉")
_TAIL = re.compile(r"(?:\s*[(（〔\[](?:[^()（）〔〕\[\]]{0,30})[)）〕\]])+$")

# Longest first where one ends in another: 审议意见 before 意见. The words are those that end official titles
# (条例 by the regulations on making regulations, article 5; the rest by the State Council's rules on documents, article 8).
_ENDINGS: tuple[tuple[str, Kind], ...] = (
    ("审议意见", "审议意见"),
    ("任免名单", "名单"),
    ("名单", "名单"),
    ("纪要", "纪要"),
    ("议程", "议程"),
    ("日程", "议程"),
    ("说明", "说明"),
    ("决议", "决议"),
    ("决定", "决定"),
    ("公告", "公告"),
    ("通告", "公告"),
    ("通知", "通知"),
    ("条例", "条例"),
    ("办法", "办法"),
    ("细则", "办法"),
    ("规则", "办法"),
    ("规定", "规定"),
    ("报告", "报告"),
    ("汇报", "报告"),
    ("意见", "意见"),
    ("法典", "法律"),
    ("法", "法律"),
)
_TITLE_ENDINGS = (
    *(word for word, _ in _ENDINGS if word != "法"),
    "通报",
    "议案",
    "讲话",
    "公报",
    "命令",
    "批复",
    "函",
    "方案",
)


def kind_of(title: str) -> Kind:
    """The kind of a document by the word that ends its title; what is quoted in 《》 or added in brackets counts not."""
    bare = _TAIL.sub("", _QUOTED.sub("《》", readable(view(title))))
    for word, kind in _ENDINGS:
        if bare.endswith(word):
            return kind
    head = re.search(r"(公告|决定|通知)\(?第", bare)
    return head[1] if head else "其他"  # type: ignore[return-value]  # the pattern's three words are kinds


def ends_like_title(words: str) -> bool:
    """True where the words end as the title of an official document does."""
    return _TAIL.sub("", words).endswith(_TITLE_ENDINGS)


_ORGAN_END = (
    r"人民代表大会常务委员会|人大常委会|人民代表大会|常务委员会|人民政府|人民法院|人民检察院|监察委员会|委员会|常委会"
    r"|主席团|法院|检察院|财经委|法工委|法制委|预算工委|工委|市政府|省政府|县政府|区政府|办公室|办公厅|国务院"
    r"|厅|局|委|办|署|院|中心|集团|公司|执法检查组|调研组|检查组|工作组|专题组"
)
_POST = (
    r"(?:党组|党委|常务|第一|代理?|执行)?(?:副)?"
    r"(?:主任委员|秘书长|检察长|审计长|委员长|市长|省长|州长|县长|区长|旗长|盟长|镇长|乡长|院长|厅长|局长|部长|处长|科长|行长|会长|"
    r"组长|署长|总理|主席|主任|书记|委员|庭长|关长|台长|校长|董事长|总经理|代表)"
)
_MADE_BY = re.compile(rf"(?P<organ>.{{2,40}}?(?:{_ORGAN_END}))(?={_POST})")
_TITLE_ORGAN = re.compile(
    rf"(?P<organ>[^《〈、，,]{{1,30}}?(?:{_ORGAN_END}))(?:党组|主任会议|组成人员|会议)?(?=关于|对|公告|通告|决定|通知|任免|工作报告|第.{{1,6}}号|令)"
)
_NAME = r"[一-鿿㐀-䶿](?:[ ·•]{0,4}[一-鿿㐀-䶿·•]){1,9}"
_PERSON = re.compile(
    rf"(?P<post>(?:\S.{{0,70}}?)?{_POST})(?:[ \t:]+|(?<=[长任记席])(?=[一-鿿]{{2,3}}$))(?P<name>{_NAME})$"
)
_REPORTER = re.compile(rf"(?:报告人|说明人|汇报人|报\s?告\s?者)\s?:?\s*(?P<name>{_NAME})$")
_NOTE_WORDS = "通过|批准|修正|修订|公布|施行|发布|印发|废止|生效|颁布|会议"
_ORDINAL = r"第[〇零○一二三四五六七八九十百0-9 ]{1,6}"
_SESSION = re.compile(
    rf"(?P<session>(?:[^\s,，。;；:：()（）、《》]{{0,20}}?)(?:{_ORDINAL}届|[一二三四五六七八九十]{{1,3}}届)[^,，。;；:：()（）、《》]{{0,30}}?"
    rf"{_ORDINAL}次(?:全体|常务)?(?:会议|全会))"
)
_TERM = re.compile(rf"(?:{_ORDINAL}|[一二三四五六七八九十]{{1,3}})届")
_DOC_NUMBER = re.compile(
    r"[^\s。，,;；]{1,14}[〔\[(（]\s?\d{4}\s?[〕\])）]\s?(?:第\s?)?\d{1,4}\s?号|\(?第?\s?[0-9一二三四五六七八九十百〇]{1,5}\s?号\)?"
)


@dataclass(frozen=True, slots=True)
class Byline:
    """What the lines under a title say; ``lines`` of them belong to it."""

    lines: int = 0
    organ: str | None = None
    speaker: str | None = None
    date: str | None = None
    session: str | None = None

    @property
    def proves_title(self) -> bool:
        """True where the lines are such that what stands above them is the title of a document."""
        return self.lines > 0


def find_session(words: str) -> str | None:
    """The session as printed: 营口市第十六届人民代表大会常务委员会第三十四次会议; None if none is named."""
    match = _SESSION.search(words[:600])
    if not match:
        return None
    session = readable(match["session"])
    # 2021年6月10日在某市第十六届… : the date and 在 are not of its name
    return re.sub(r"^.*(?:日|时|在|由|经|了|，|—)(?=.)", "", session)


def person(words: str) -> tuple[str | None, str] | None:
    """(organ or post, name) of a line such as 营口市人民政府副市长 金 莉; None where it names nobody."""
    words = _TAIL.sub("", words[:100].strip())
    reporter = _REPORTER.match(words)
    if reporter:
        return None, _closed(reporter["name"])
    match = _PERSON.match(words)
    if not match or re.search(r"[。；;!?]", words):
        return None
    name = _closed(match["name"])
    if not 2 <= len(name.replace("·", "")) <= 12 or (len(name) > 4 and "·" not in name):
        return None
    made_by = _MADE_BY.match(match["post"])
    return (readable(made_by["organ"]) if made_by else None), name


def organ_in_title(title: str) -> str | None:
    """The organ a title begins with: 营口市人大常委会关于…的决定 → 营口市人大常委会."""
    match = _TITLE_ORGAN.match(view(title))
    return re.sub(r"^\d{4}年", "", without_term(match["organ"])) if match else None


def without_term(words: str) -> str:
    """An organ's name without its term: 营口市第十六届人民代表大会常务委员会 → 营口市人民代表大会常务委员会."""
    return _TERM.sub("", readable(words))


def organ_of_session(session: str) -> str:
    """The organ that held a session: …第十六届人民代表大会常务委员会第三十四次会议 → …人民代表大会常务委员会."""
    return without_term(re.sub(rf"{_ORDINAL}次(?:全体|常务)?(?:会议|全会)$", "", session))


def is_document_number(words: str) -> bool:
    """True for a document number that stands alone: 营人发〔2019〕45号, （第12号）."""
    return len(words) < 40 and bool(_DOC_NUMBER.fullmatch(words))


def is_organ(words: str) -> bool:
    """True where the words are an organ's name and nothing else."""
    return len(words) <= 40 and bool(re.fullmatch(rf"[^\s，,。:：、；;《》“”]{{0,34}}(?:{_ORGAN_END})", words))


def read_byline(lines: list[Line], at: int) -> Byline:
    """What the lines from ``at`` on, right under a title, say about it: at most eight of them are looked at."""
    organ = speaker = date = session = None
    used, i = 0, at
    while i < min(at + 8, len(lines)):
        line = lines[i]
        taken = _note_lines(lines, i)
        if taken:
            words = "".join(part.text for part in lines[i : i + taken])
            date = date or iso_date(words)
            session = session or find_session(words)
            i += taken
        elif line.end - line.start > 100 or line.text[-1] in "。;:!?," or line.numeral is not None or line.cells:
            break
        elif found := person(line.text):
            organ, speaker = organ or found[0], speaker or found[1]
            i += 1
        elif _is_post(line) and i + 1 < len(lines) and (found := person(f"{line.text} {lines[i + 1].text}")):
            organ, speaker = organ or found[0], speaker or found[1]
            i += 2
        elif is_organ(line.squeezed):
            organ = organ or line.squeezed
            i += 1
        elif i > at and speaker is None and _is_bare_name(line):
            speaker = line.squeezed
            i += 1
        elif is_document_number(line.squeezed) or line.squeezed in ("(书面)", "(摘要)", "(草案)", "(试行)"):
            i += 1
        else:
            break
        used = i - at
    return Byline(used, organ, speaker, date, session)


def _is_bare_name(line: Line) -> bool:
    """李 强, alone on its line under a note of when and where."""
    return bool(re.fullmatch(r"[一-鿿]{2,3}", line.squeezed)) and line.squeezed[0] in FAMILY_NAMES


def _is_post(line: Line) -> bool:
    return line.end - line.start < 40 and bool(re.search(rf"{_POST}$", line.text))


def _note_lines(lines: list[Line], i: int) -> int:
    """How many lines, from ``i`` on, make one note: (…通过), ——…会议上, a bare date or 1997年…通过; 0 if none."""
    words = ""
    for taken in range(1, 5):
        if i + taken > len(lines) or len(words) > 400:
            return 0
        line = lines[i + taken - 1]
        if taken > 1 and line.mark:
            return 0
        words += line.squeezed
        if words.startswith("("):
            if words.count("(") <= words.count(")"):
                inner = words.strip("()")
                return taken if DATE.search(inner) or re.search(_NOTE_WORDS, inner) else 0
        elif re.match(r"[—\-–─－]", words):
            if words.endswith(("上", "会议", "日")) or person(words.lstrip("—-–─－")):
                return taken
            if not (DATE.search(words) and len(words) < 120):
                return 0
        elif DATE.match(words):
            if words[DATE.match(words).end() :] == "":  # type: ignore[union-attr]  # matched a line above
                return taken
            # one sentence without an end: 2012年12月26日 某市…会议通过, 2022年5月26日在某区…会议上
            if re.search(rf"(?:{_NOTE_WORDS})\)?$|在.{{4,80}}(?:会议|大会)上$", words) and "。" not in words:
                return taken
            return 0
        else:
            return 0
    return 0


def _closed(name: str) -> str:
    return re.sub(r"\s+", "", name).replace("•", "·")
