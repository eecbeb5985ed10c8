"""Numbers with their units, and undertakings with their deadlines, as a gazette states them."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence

from index.records import Source
from index.statements import Figure, Sentence, Undertaking

# ---- figures --------------------------------------------------------------------------------------------------------

_MAGNITUDE = {"": 1, "十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000, "万亿": 10**12}
# Longest first where one begins another. Measure words and units met in reports of local government.
_UNITS = (
    "个百分点|个工作日|平方公里|平方千米|平方米|立方米|工作日|人次|户次|家次|批次|件次|台次|公里|千米|公顷|公斤|千克|千瓦时|千瓦|"
    "课时|小时|分钟|个月|㎡|m2|km|人|名|所|家|个|项|件|起|户|栋|亩|元|吨|次|份|条|种|座|辆|处|张|册|篇|场|节|天|倍|头|只|台|套|支|"
    "期|站|间|位|单|艘|架|米|厘米|票|字|例|宗|片|块|尾|株|棵|幢|本|部|笔|批|届|组|门|口|眼|孔|趟|班|层|级|度|升|支|%|‰"
)
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_FIGURE = re.compile(
    rf"(?<![\d.\-—a-z第〔(/])(?P<number>{_NUMBER})(?P<magnitude>万亿|亿|万|千|百|十)?(?P<more>余|多|几)?(?P<magnitude2>万|亿)?"
    rf"(?P<unit>{_UNITS})(?P<after>以上|以下|以内|左右|上下)?"
)
_APPROXIMATE = re.compile(
    r"(?:将近|接近|近|约|大约|超过|超|突破|不少于|不低于|不高于|不超过|不多于|至少|最多|达到|达|逾|低于|高于)$"
)
_PERIOD = re.compile(
    r"截[至止](?:(?:19|20)\d\d年)?(?:\d{1,2}月)?(?:\d{1,2}日|底)?(?:目前|年底|年末)?|自?(?:19|20)\d\d年(?:\d{1,2}月(?:\d{1,2}日)?|上半年|下半年|度)?"
    r"(?:以来|年?底|末|年?初|前)?|(?:今年|去年|前年|近[一二三四五两几0-9]+年|[一二三四五两]年来|目前|当前|同期|年初|年底)(?:\d{1,2}月份?)?(?:以来|上半年)?"
)
_SCOPE = re.compile(
    r"全[市省县区国州盟旗]|全地区|[我本][市省县区州]|市本级|省本级|主城区|(?:^|(?<=[,;。:、(]))(?:[^全各我本县市区州是了由与交其经政局和的在及向为对于将立,;。:、()]{2,3}[市县区旗]、?)+"
)
_LEAD = re.compile(
    r"^(?:其中|另外|同时|此外|并|且|还|已|先后|累计|共计|共|总计|合计|实现|全市|我市|全省|现有|目前|今年|去年|以来|年底|全年|"
    r"[0-9]+年(?:以来|底|末)?|按照|前|即|至|和|及|与|或|、|为|对|从|由|将|约|是)+"
)
_TRAIL = re.compile(
    r"(?:共有|现有|实有|拥有|共计|累计|总计|合计|分别|均为|已经|仅|就|共|有|达到|达|(?<!行)为|是|了|约|近|至|到|超过|超|突破|计|等|各|由|在|不|每天|"
    r"不少于|不低于|不高于|不超过|不得超过|应达到|控制在|逾|余|从|以|按)+$"
)
_NOUN_AFTER = re.compile(
    r"的?(?P<noun>[一-鿿“”\"]{2,14}?)(?=[,。;、:()]|$|的|等[,。;]|进行|参加|开展|实施|实现|纳入|全部|均|已|被)"
)
_CLAUSE = re.compile(r"[,;。:、()]")


def find_figures(found: Sequence[Sentence], source: Source) -> list[Figure]:
    """The numbers of running text with their units; dates, ordinals and numbers of articles are none."""
    out: list[Figure] = []
    period, paragraph = "", None
    for sentence in found:
        if sentence.paragraph.kind in ("title", "byline", "table", "note"):
            continue
        if sentence.paragraph is not paragraph:
            period, paragraph = "", sentence.paragraph
        text = _without_titles(sentence.text)
        matches = [match for match in _FIGURE.finditer(text) if not _is_date(match, text)]
        if not matches:
            times = _PERIOD.findall(text)  # 近三年，全市加大投入。 dates the figures of the next sentence
            period = times[-1] if times else period
            continue
        said = sentence.statement(source)
        at = 0
        scope = ""
        last = ""
        for match in matches:
            before = text[at : match.start()]
            times = [m[0] for m in _PERIOD.finditer(before)]
            period = times[-1] if times else period
            places = [m[0] for m in _SCOPE.finditer(before)]
            scope = places[-1].strip("、") if places else scope
            indicator, qualifier = _indicator(before, text[match.end() :], match)
            last = indicator or last
            value = float(match["number"].replace(",", "")) * _MAGNITUDE[match["magnitude"] or ""]
            value *= _MAGNITUDE[match["magnitude2"] or ""]
            printed = sentence.words(source, match.start(), match.end())
            out.append(Figure(last, round(value, 6), printed, match["unit"], qualifier, period, scope, said))
            at = match.end()
    return out


def _without_titles(text: str) -> str:
    """The text with quoted titles blanked, so that 《…规划(2016-2020年)》 states no figure; offsets stay."""
    return re.sub(r"《[^《》]*》", lambda m: "＊" * len(m[0]), text)


def _is_date(match: re.Match[str], text: str) -> bool:
    """5月8日, 8:20 and 30条 of 第30条 are no figures; nor is the 73 of 第73次."""
    before = text[max(0, match.start() - 3) : match.start()]
    return before.endswith(("第", "年", "月", ":", "〔", "(〔")) and match["unit"] in (
        "期",
        "号",
        "次",
        "届",
        "条",
        "项",
        "度",
    )


def _indicator(before: str, after: str, match: re.Match[str]) -> tuple[str, str]:
    """(what is counted, how exactly): from the clause before the number, or the noun after it."""
    clause = _CLAUSE.split(before)[-1]
    found = _APPROXIMATE.search(clause)
    qualifier = "…".join(filter(None, (found[0] if found else "", match["more"], match["after"])))
    clause = _PERIOD.sub("", clause)
    clause = _TRAIL.sub("", clause)
    clause = _LEAD.sub("", re.sub("＊+", "《》", clause))[-30:]
    noun = _NOUN_AFTER.match(after)
    if noun and match["unit"] not in ("%", "元", "个百分点"):
        return f"{clause}{noun['noun']}".strip('"'), qualifier
    return (clause.strip('"') if len(clause) > 1 else ""), qualifier


# ---- undertakings ---------------------------------------------------------------------------------------------------

_DUE = re.compile(
    r"(?:(?P<year>20\d\d)年|(?P<relative>今年|本年|明年|年内|年底|年末))?(?:年?(?P<end>底|末|内))?"
    r"(?:(?P<month>1[0-2]|0?[1-9])月(?:(?P<day>3[01]|[12]\d|0?[1-9])日|份|上旬|中旬|下旬)?)?(?P<edge>之前|以前|前|底|末|内)?"
)
_RANGE = re.compile(
    r"(?P<year>20\d\d)年(?:\d{1,2}月\d{1,2}日|\d{1,2}月)[至到—\-](?P<month>\d{1,2})月(?:(?P<day>\d{1,2})日)?"
)
_STRONG = re.compile(r"力争|争取|预计|预期|计划|拟于|拟在|确保|务必|将于|将在|到$|在$")
_HOPES = re.compile(r"(?:力争|争取|确保|务必)[于在到]?$")
_DOES = re.compile(r"[完实达建通上出公进落解基覆消开投启推验交运取缓控提降增][一-鿿]")
_PAST = re.compile(r"(?:去年?|上年?|前年?|当|同|近|每|历|已于|已在|已经|截至|截止|自|[一二三四五六七八九十两半几])$")
_RULES = ("条例", "法律", "规定", "办法")
_AGENT = re.compile(
    r"(?:[市省县区州]|各级|有关|相关|国家|[一-鿿]{2,3}[市省县区])[一-鿿]{0,8}?(?:人民政府|人民法院|人民检察院|常委会|委员会|政府|办公室|部门|局|厅|委|办)"
    r"|[一-鿿]{2,6}部门|(?:[一-鿿]{2,3}(?:市|县|区|旗)、?)+(?=通过|完成|实现|达到|建成)"
)
_ARTICLE = re.compile(r"第[一二三四五六七八九十百零〇0-9]+条")  # its number is no part of who is to act
_ADDRESSEE = re.compile(r"([一-鿿]{1,12}(?:政府|法院|检察院|监察委员会|办公室|局)):")
_CHARGE = re.compile(r"^(?:[一-鿿]{1,3}由|责成|督促|协调|要求|组织|由|请|及|和|与|向)+")


def find_undertakings(found: Sequence[Sentence], source: Source) -> list[Undertaking]:
    """What is to be done by a day after the document's own: 力争10月底平台上线运行; 2023年前通过验收.

    A deadline without a year is of the document's year. A document without a date is taken to be of the others' date.
    """
    dates = sorted(s.document.date for s in found if s.document.date)
    usual = dates[len(dates) // 2] if dates else None
    asked = _addressees(found)
    out: list[Undertaking] = []
    for sentence in found:
        today = sentence.document.date or usual
        if today is None or sentence.paragraph.kind in ("title", "byline", "table", "note"):
            continue
        if sentence.document.kind in _RULES:
            continue  # a regulation sets terms for whoever it may concern
        text = _without_titles(sentence.text)
        deadlines = _deadlines(text, today)
        if not deadlines:
            continue
        said = sentence.statement(source)
        article = _ARTICLE.match(text)
        clauses: dict[tuple[int, int], tuple[str, str]] = {}
        for start, end, due in deadlines:
            a, b = _clause(text, start, end)
            a = max(a, article.end() if article and article.end() <= start else 0)
            # 到2025年 and 6月底前 say by themselves that something is due
            by = text[max(0, start - 1) : start] == "到" or "前" in text[start : end + 1]
            by = by or bool(_HOPES.search(text, max(0, start - 4), start))
            if not (by or _DOES.search(text[end:b])) or _is_range_of_years(text, start, end):
                continue
            if (a, b) not in clauses:
                responsible = (
                    _responsible(sentence, source, text, a, b)
                    or asked.get(sentence.document.id)
                    or sentence.document.organ
                    or ""
                )
                clauses[a, b] = sentence.words(source, a, b).strip("；，,;"), responsible
            task, responsible = clauses[a, b]
            out.append(Undertaking(task, sentence.words(source, start, end), due, responsible, said))
    return out


def _addressees(found: Sequence[Sentence]) -> dict[str, str]:
    """Document id -> whom an opinion is addressed to (州人民政府：): what it asks for, that organ is to do."""
    out: dict[str, str] = {}
    for sentence in found:
        document = sentence.document
        match = _ADDRESSEE.fullmatch(sentence.text) if document.kind == "审议意见" else None
        if match:
            out.setdefault(document.id, match[1])
    return out


def _clause(text: str, start: int, end: int) -> tuple[int, int]:
    """The part of a sentence between semicolons that a deadline stands in."""
    stops = [at for at in (text.find(mark, end) for mark in ";。") if at >= 0]
    return max(text.rfind(mark, 0, start) for mark in ";。") + 1, min(stops, default=len(text))


def _deadlines(text: str, today: str) -> list[tuple[int, int, str]]:
    """(start, end, last day) of each deadline in a sentence that lies on or after ``today``."""
    year, month = int(today[:4]), int(today[5:7])
    out: list[tuple[int, int, str]] = []
    for match in _RANGE.finditer(text):
        due = _last_day(int(match["year"]), int(match["month"]), match["day"])
        if due >= today:
            out.append((match.start(), match.end(), due))
    taken = [(a, b) for a, b, _ in out]
    for match in _DUE.finditer(text):
        if len(match[0]) < 2 or any(a <= match.start() < b for a, b in taken):
            continue
        before = text[max(0, match.start() - 4) : match.start()]
        if _PAST.search(before) or (before[-1:].isdigit() or before[-1:] in ("第", "-", "—", "至", ".")):
            continue
        due_year, due_month = _year_and_month(match, year, month)
        if due_year is None:
            continue
        due = _last_day(due_year, due_month, match["day"])
        before_it = match["edge"] in ("前", "之前", "以前") and not match["end"]  # 2023年底前 is by its last day
        if before_it and not match["day"]:
            due = _day_before(due_year, match["month"] and due_month) if not match["relative"] else due
        if text[match.end() : match.end() + 1] in ("后", "起", "以", "的") or (match["day"] and due == today):
            continue
        if due < today or not _is_promise(match, before, due_year > year):
            continue
        out.append((match.start(), match.end(), due))
    return sorted(out)


def _year_and_month(match: re.Match[str], year: int, month: int) -> tuple[int | None, int]:
    relative, named = match["relative"], match["month"]
    if match["year"]:
        return int(match["year"]), int(named) if named else 12
    if relative:
        return year + (relative == "明年"), int(named) if named else 12
    if named:
        return (year if int(named) >= month else None), int(named)
    return None, 12


def _is_promise(match: re.Match[str], before: str, next_years: bool) -> bool:
    """A later year is a deadline by itself; a day of this year needs a word that says so."""
    edge = bool(match["edge"] or match["end"]) or match["relative"] in ("年底", "年内")
    if match["relative"] and not match["month"] and not edge:
        return match["relative"] == "明年" and bool(_STRONG.search(before))
    if match["year"] and not match["month"] and not edge:
        return next_years or bool(_STRONG.search(before))
    return edge or bool(_STRONG.search(before)) or next_years


def _is_range_of_years(text: str, start: int, end: int) -> bool:
    return text[end : end + 1] in ("-", "—", "至") or text[max(0, start - 1) : start] in ("-", "—", "至", "(")


def _last_day(year: int, month: int, day: str | None) -> str:
    last = calendar.monthrange(year, month)[1] if 1 <= month <= 12 else 31
    return f"{year:04d}-{month:02d}-{min(int(day), last) if day else last:02d}"


def _day_before(year: int, month: int | str | None) -> str:
    """The last day before a year or a month: 2023年前 ends on 2022-12-31."""
    if not month:
        return f"{year - 1:04d}-12-31"
    number = int(month)
    return _last_day(year, number - 1, None) if number > 1 else f"{year - 1:04d}-12-31"


def _responsible(sentence: Sentence, source: Source, text: str, a: int, b: int) -> str:
    """The organ or place a clause names, else the one named last before it in the sentence; "" where none is."""
    inside = next((m for m in _AGENT.finditer(text, a, b) if _acts(m, text)), None)
    before = [m for m in _AGENT.finditer(text, 0, a) if _acts(m, text)]
    match = inside or (before[-1] if before else None)
    if match is None:
        return ""
    named = _CHARGE.sub("", sentence.words(source, *match.span()))
    home = re.match(r".{2,3}?[省市县区州]", sentence.document.organ or "")
    return named[named.find(home[0]) :] if home and home[0] in named else named


def _acts(agent: re.Match[str], text: str) -> bool:
    """False for 区人大常委会 in 报区人大常委会: it is told, it does not act."""
    return "报" not in agent[0] and text[max(0, agent.start() - 1) : agent.start()] != "报"
