"""English questions: the Chinese question to search for and to read, from a glossary of what gazettes speak of.

No translation. Dates, figures and ordinals are rewritten (the 34th meeting -> 第三十四次会议); a word or phrase known to
english.tsv brings its Chinese words; a name in pinyin is the name that the gazettes at hand have; what the question asks
for (how many schools -> 多少所学校) is put as a Chinese question puts it; the rest is left out and can be told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from qa.numbers import plain, to_han
from qa.pinyin import syllables

GLOSSARY = Path(__file__).with_name("english.tsv")
_LETTERS = re.compile(r"[a-z]")
_HAN = re.compile(r"[\u3400-\u9fff]")
LONGEST = 5  # words of a phrase

Names = Callable[[Sequence[str]], list[str]]
"""Words that may be a name in pinyin -> the names in the gazettes that read so."""

_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = r"(?P<month>" + "|".join(rf"{m}|{m[:3]}t?" for m in _MONTHS) + r")\b\.?"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_SMALL = {
    word: n
    for n, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = {word: n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_IRREGULAR = {"first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12}
_ORDINALS: dict[str, int] = {
    **{f"{word}th": n for word, n in _SMALL.items() if n},
    **_IRREGULAR,
    **{word[:-1] + "ieth": 10 * n for word, n in _TENS.items()},
    **{
        f"{tens}-{one}": 10 * n + units
        for tens, n in _TENS.items()
        for one, units in [(f"{w}th", u) for w, u in _SMALL.items() if 0 < u < 10] + list(_IRREGULAR.items())
        if units < 10
    },
}
_NTH = r"(?P<nth>\d{1,3}(?:st|nd|rd|th)|" + "|".join(sorted(_ORDINALS, key=len, reverse=True)) + ")"
_FIGURE = r"(?P<figure>\d[\d,]*(?:\.\d+)?|" + "|".join(w for w, n in _SMALL.items() if 0 < n < 13) + ")"
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}


def is_english(question: str) -> bool:
    """True where Latin letters far outnumber Han characters: RCEP是什么 is no English question."""
    letters, han = len(_LETTERS.findall(question.lower())), len(_HAN.findall(question))
    return letters >= 8 and letters > 6 * han


@lru_cache(maxsize=1)
def _glossary() -> dict[str, tuple[str, ...]]:
    lines = GLOSSARY.read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("\t") for line in lines if not line.startswith("#"))
    return {phrase: tuple(words.split()) for phrase, _, words in pairs if words}


# ---- dates, figures, ordinals ----------------------------------------------------------------------------------------


def _date(match: re.Match[str]) -> str:
    parts = match.groupdict()
    month = next(n for n, name in enumerate(_MONTHS, 1) if name.startswith(parts["month"].lower()[:3]))
    day = f"{int(parts['day'])}日" if parts.get("day") else ""
    return f" {parts['year'] + '年' if parts.get('year') else ''}{month}月{day} "


def _nth(match: re.Match[str]) -> int:
    said = match["nth"].lower()
    return _ORDINALS[said] if said in _ORDINALS else int(re.sub(r"\D", "", said))


def _ordinal(form: str) -> Callable[[re.Match[str]], str]:
    """第三十四次会议 of the 34th meeting, by the form that its noun takes."""
    return lambda match: f" {form.format(to_han(n))} " if 0 < (n := _nth(match)) < 1000 else match[0]


def _numbered(form: str) -> Callable[[re.Match[str]], str]:
    """第九条 of Article 9."""
    return lambda match: f" {form.format(to_han(int(match['n'])))} " if 0 < int(match["n"]) < 1000 else match[0]


def _scaled(match: re.Match[str]) -> str:
    """12.5 million -> 1250万, 3.4 billion -> 34亿, as Chinese counts."""
    said = match["figure"].lower()
    number = Decimal(_SMALL[said]) if said in _SMALL else Decimal(said.replace(",", ""))
    number *= _SCALES[match["scale"].lower()]
    for unit, name in ((10**8, "亿"), (10**4, "万")):
        if number >= unit:
            return f" {plain(number / unit)}{name}{'元' if match['yuan'] else ''} "
    return f" {plain(number)} "


_PLAN = r"\s+five[- ]year\s+plan"
_REWRITTEN: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), put)
    for pattern, put in (
        (r"\b(?P<year>(?:19|20)\d\d)-(?P<m>[01]?\d)-(?P<d>[0-3]?\d)\b", lambda m: f" {m['year']}年{int(m['m'])}月{int(m['d'])}日 "),
        (rf"\b{_MONTH}\s+{_DAY}\s*,?\s+{_YEAR}\b", _date),
        (rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}\s*,?\s+{_YEAR}\b", _date),
        (rf"\b{_MONTH}\s*,?\s+(?:of\s+)?{_YEAR}\b", _date),
        (rf"\b{_MONTH}\s+{_DAY}\b", _date),
        (rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}\b", _date),
        (r"\b(?<=in )(?P<month>may)\b", _date),
        (r"\b(?:no\.|number|issue)\s*(?P<n>\d{1,3})\b(?!\.\d)", lambda m: f" 第{m['n']}号 "),
        (r"\barticles?\s+(?P<n>\d{1,3})\b", _numbered("第{}条")),
        (r"\bchapter\s+(?P<n>\d{1,3})\b", _numbered("第{}章")),
        (r"\bparagraph\s+(?P<n>\d{1,3})\b", _numbered("第{}款")),
        (rf"\b{_NTH}{_PLAN}", _ordinal("“{}五”规划")),
        (rf"\b{_NTH}\s+(?:(?:provincial|municipal|city|national|county|district)\s+)?people'?s\s+congress(?:es)?\b", _ordinal("第{}届人民代表大会")),
        (rf"\b{_NTH}\s+standing\s+committee\b", _ordinal("第{}届常务委员会")),
        (rf"\b{_NTH}\s+(?:plenary\s+|executive\s+|regular\s+|standing\s+committee\s+)*(?:meeting|session)s?\b", _ordinal("第{}次会议")),
        (rf"\b{_NTH}\s+quarter\b", _ordinal("{}季度")),
        (rf"\b{_NTH}\s+(?:term)\b", _ordinal("第{}届")),
        (rf"\b{_NTH}\s+article\b", _ordinal("第{}条")),
        (rf"\b{_NTH}\s+(?=batch|phase|group)", _ordinal("第{}")),
        (rf"\b{_FIGURE}\s+(?P<scale>thousand|million|billion|trillion)\b(?P<yuan>\s+(?:yuan|rmb))?", _scaled),
        (r"\b(?:grade|class|level)\s+(?P<n>[A-DI]+)\b", lambda m: f" {m['n']}级 "),
        (r"(?P<n>\d)\s*per\s*cents?\b", lambda m: f"{m['n']}% "),
        (r"\btwo[- ]thirds\b", lambda _: " 三分之二 "),
        (r"\bone[- ]third\b", lambda _: " 三分之一 "),
        (rf"(?<![\d.,]){_YEAR}(?![\d.,]*\d|年)\b", lambda m: f" {m['year']}年 "),
    )
)  # fmt: skip


def _rewritten(question: str) -> str:
    """The question with its dates, figures and ordinals in Chinese."""
    for pattern, put in _REWRITTEN:
        question = pattern.sub(put, question)
    return question


# ---- what is asked for -----------------------------------------------------------------------------------------------

# The measure word of what is counted, by the Chinese word for it; first match.
_MEASURED: tuple[tuple[str, str], ...] = (
    ("名", r"学生|教师|代表$|委员$|组成人员|干部|人员$|医生|医师|护士|民警|法官|检察官|律师|专家|志愿者|儿童|老年人|患者|职工|居民|村民|选民|候选人|员$|人才|毕业生|技师|驾驶"),
    ("人", r"^人$|人口|受害人|犯罪嫌疑人"),
    ("所", r"学校|小学|初中|高中|中学|幼儿园|高校|大学|院校"),
    ("家", r"公司|企业|医院|银行|机构|餐饮|酒店|合作社|农场|工厂|诊所|药店|主体"),
    ("起", r"案件|立案|诈骗|事故|投诉|诉讼"),
    ("票", r"投票|赞成|反对|弃权|票$"),
    ("次", r"会议|检查|抽检"),
    ("条", r"^条$|建议|线路|河"),
    ("件", r"议案|法规|文件|条例|规定|办法|信访|专利"),
    ("座", r"桥|停车楼|水库|泵站|污水处理厂|博物馆|图书馆|车站|电站|公园|广场"),
    ("张", r"床位"),
    ("辆", r"车"),
    ("部", r"电梯"),
    ("户", r"家庭|贫困户|住户|^户$|农户"),
    ("套", r"住房|公寓|公租房"),
    ("头", r"猪|牛|羊"),
    ("项", r"措施|任务|制度|职责|规划"),
    ("个", r""),
)  # fmt: skip
# English units that are measure words themselves: how many hectares -> 多少公顷
_UNITS = {
    "hectare": "公顷", "kilometer": "公里", "kilometre": "公里", "meter": "米", "metre": "米", "mu": "亩", "ton": "吨", "tonne": "吨",
    "yuan": "元", "day": "天", "year": "年", "month": "个月", "hour": "小时", "minute": "分钟", "week": "周", "time": "次",
    "people": "人", "person": "人", "household": "户", "vote": "票", "percent": "百分之多少", "article": "条", "chapter": "章",
    "working day": "个工作日", "square meter": "平方米", "square metre": "平方米", "square kilometer": "平方公里",
    "square kilometre": "平方公里", "cubic meter": "立方米", "cubic metre": "立方米", "page": "页", "category": "类", "kind": "种", "type": "种",
}  # fmt: skip
_NUMERIC = re.compile(
    r"\b(number|total|rate|ratio|percentage|proportion|revenue|income|expenditure|budget|population|area|length|price|fine|fee|"
    r"amount|balance|investment|turnover|output|value|score|capacity|flow|tax|debt|deficit|surplus|profit|gdp|cost|size|salary|"
    r"wage|subsidy|growth|coverage|temperature|distance|height|limit|ceiling|maximum|minimum|standard|allowance|compensation)\b"
)

_OF_A_NOUN = ("哪些", "哪个", "哪家")  # the word asked for is said behind them: 哪家公司

_LINES = "road|highway|expressway|street|canal|river|bridge|tunnel|pipe|pipeline|network|line|railway|subway|wall|dike|coast|channel"

# A frame: how the question begins -> what asks in Chinese, before the words and behind them. First match.
_FRAMES: tuple[tuple[str, str, str], ...] = (
    (rf"how long (?:is|are|was|were)\b(?=.*\b(?:{_LINES})s?\b)", "", "全长多少公里"),
    (r"(?:for\s+)?how long\b", "", "多长时间"),
    (r"how often\b", "", "多久一次"),
    (r"(?:by )?how much (?:did|has|have|was|were|does|will)?\b(?=.*\b(?:grow|grew|increase|rise|rose|fall|fell|decrease|drop)\w*)", "", "多少"),
    (r"how much (?:money|funding|funds?)\b|how much\b", "", "多少元"),
    (r"how (?:far)\b", "", "多少公里"),
    (r"how (?:large|big)\b", "", "面积多少"),
    (r"how high\b", "", "多高"),
    (r"how old\b", "", "多少岁"),
    (r"(?:at |on |in |from )?(?:what|which) (?:date|day)\b", "哪一天", ""),
    (r"(?:at )?what time\b", "几点", ""),
    (r"(?:in |for )?(?:what|which) year\b", "哪一年", ""),
    (r"(?:in )?(?:what|which) month\b", "几月", ""),
    (r"(?:since )?when\b", "什么时候", ""),
    (r"(?:under |in )?(?:what|which) article\b", "", "第几条"),
    (r"(?:what|which) (?:percentage|proportion|share|per cent|percent)\b", "", "占百分之多少"),
    (r"(?:in |from |to )?(?:what|which) (?:place|location)\b|where\b", "在哪里", ""),
    (r"(?:in )?(?:what|which) (?:city|county|district|town|village|country|province)\b", "哪个地方", ""),
    (r"why\b|for what reason\b", "为什么", ""),
    (r"what (?:position|post|office|title)\b", "", "什么职务"),
    (r"what (?:does|do|did|is) .*\b(?:mean|meant by|stand for|definition)\b", "什么是", ""),
    (r"whose\b", "谁的", ""),
    (r"(?:to |by |with )?who(?:m)?\b", "谁", ""),
    (r"(?:to |by |from )?which (?:department|agency|bureau|authority|organi[sz]ation|body|institution|committee)\b", "哪个", ""),
    (r"(?:to |by |from )?(?:which|what) (?:companies|enterprises|firms)\b", "哪些", ""),
    (r"(?:to |by |from )?which (?:company|enterprise|firm|bank)\b", "哪家", ""),
    (r"(?:under |in |by )?(?:which|what) (?:laws?|regulations?|documents?|measures|rules)\b", "哪些", ""),
    (r"(?:list|name|give)\b", "哪些", ""),
    (r"(?:to |by |in |from |for )?(?:which|what)\s+(?!is\b|was\b|does\b|has\b)\w+s\b", "哪些", ""),
    (r"what (?:are|were)\b", "", "有哪些"),
    (r"(?:to |by |in |from |for )?which\b", "哪个", ""),
    (r"what (?:is|was) the (?:name|title)\b", "", "叫什么名字"),
    (r"what (?:is|was) the (?:purpose|aim|reason)\b", "", "是什么"),
    (r"what\b(?=.*\bdate\b)", "", "是哪一天"),
    (r"what\b", "", "是什么"),
    (r"how (?:do|does|did|is|are|was|were|should|can|will|to|must)\b", "怎么", ""),
    (r"how\b", "怎么", ""),
    (r"(?:is|are|was|were|do|does|did|can|could|will|has|have|had|should|must|may)\b", "", "吗"),
)  # fmt: skip
_COMPILED = tuple(
    (re.compile(r"\s*(?:and |so |then |please |,)*\s*(?:" + p + ")", re.IGNORECASE), a, b) for p, a, b in _FRAMES
)
_HOW_MANY = re.compile(r"(?:\b(?:into|of|in|by|for|to|with|and)\s+)?\bhow many\s+(?:of\s+the\s+)?", re.IGNORECASE)

# They carry no topic of their own; whatever else is not known is told.
_PLAIN = frozenset(
    "a an the of in on at by for to from with into onto over under about as than per via and or but not no nor if so such own same "
    "is are was were be been being am do does did done has have had having will would shall should can could may might must "
    "what which who whom whose when where why how much many long often far it its he she they them their his her our your my we you i "
    "this that these those there here then any some all each every both other another more most less least very only also just "
    "please tell me give list name according during through between among against per out up down off s t city's take took taken "
    "make made get got go went come came use used using say said says state stated mention mentioned contain contained include "
    "included including consist consisted involve involved happen happened become became reach reached account accounted "
    "specific following above below respectively mainly mostly currently now today total overall whole entire different various "
    "get's it's what's who's where's when's".split()
)
_TOKEN = re.compile(
    r"[\u3400-\u9fff“”《》\d.,%〔〕]*[\u3400-\u9fff][\u3400-\u9fff“”《》\d.,%〔〕]*|[A-Za-zü][A-Za-zü'’-]*|\d[\d.,]*%?"
)


_KINDS_OF_PLACE = {
    "city": "市",
    "county": "县",
    "district": "区",
    "province": "省",
    "town": "镇",
    "township": "乡",
    "village": "村",
}


@dataclass(frozen=True, slots=True)
class Rendering:
    """An English question in Chinese words. Each of ``words`` is a choice of Chinese words, the usual one first."""

    before: str
    words: tuple[tuple[str, ...], ...]
    behind: str
    unknown: tuple[str, ...]  # English words that nothing is known for
    missing: tuple[str, ...] = ()  # what is written like a name in pinyin and stands in no gazette

    @property
    def search(self) -> str:
        """All the words, to be looked for."""
        return " ".join(dict.fromkeys(word for choice in self.words for word in choice))

    def question(self, found: str = "") -> str:
        """The Chinese question, of each choice with the word that stands in what was ``found``, the first where none does."""
        chosen = [next((word for word in choice if word in found), choice[0]) for choice in self.words]
        gap = "" if self.before in ("谁", *_OF_A_NOUN) else " "
        return f"{self.before}{gap}{' '.join(dict.fromkeys(chosen))}{self.behind}？".strip()


def render(question: str, names: Names | None = None) -> Rendering:
    """The question in Chinese words; names in pinyin are looked up with ``names``."""
    text = _rewritten(question.strip())
    before, behind, rest = _framed(text)
    words: list[tuple[str, ...]] = []
    unknown: list[str] = []
    missing: list[str] = []
    named = False
    tokens = _TOKEN.findall(rest)
    at = 0
    while at < len(tokens):
        if not tokens[at][0].isascii() or tokens[at][0].isdigit():
            words.append((tokens[at].strip(",."),))
            at += 1
            continue
        size, choice = _known(tokens, at)
        name = _name(tokens, at) if names is not None else []
        if names is not None and len(name) > size:
            lengths = [n for n in range(len(name), size, -1) if sum(map(len, map(syllables, name[:n]))) > 1]
            found = next(((n, said) for n in lengths if (said := names(name[:n]))), None)
            if found:
                named, at = True, at + found[0]
                kind = _KINDS_OF_PLACE.get(tokens[at].lower(), "") if at < len(tokens) else ""  # Qutang County: 曲棠县
                words.append(tuple(name + kind for name in found[1]))
                at += bool(kind)
                continue
            if lengths and not size:
                missing.append(" ".join(name))
        if size:
            if choice:
                words.append(choice)
            at += size
            continue
        if tokens[at].isupper() and len(tokens[at]) > 1:
            words.append((tokens[at],))  # RCEP, DIP: written so in Chinese too
        elif len(tokens[at]) > 1:
            unknown.append(tokens[at])
        at += 1
    if before == "谁" and named and len(words) == 1:  # Who is Zhang Ming?
        before, behind = "", "担任什么职务"
    return Rendering(before, tuple(words), behind, tuple(dict.fromkeys(unknown)), tuple(missing))


def gloss(question: str) -> str:
    """The question's words in Chinese, spaces between, in order; names in pinyin are left out."""
    rendered = render(question)
    return " ".join(word for choice in rendered.words for word in choice)


def _known(tokens: Sequence[str], at: int) -> tuple[int, tuple[str, ...]]:
    """How many words from here on the glossary knows together, and its Chinese words; words without topic have none."""
    table = _glossary()
    for size in range(min(LONGEST, len(tokens) - at), 0, -1):
        phrase = " ".join(tokens[at : at + size]).lower().replace("’", "'")
        for form in _forms(phrase):
            if form in table:
                return size, table[form]
    word = tokens[at].lower().replace("’", "'")
    return (1, ()) if word in _PLAIN or word.removesuffix("'s") in _PLAIN else (0, ())


def _name(tokens: Sequence[str], at: int) -> list[str]:
    """The words from here on that may be a name in pinyin: at most three with a capital, made of its syllables."""
    out: list[str] = []
    for token in tokens[at : at + 3]:
        word = re.sub(r"['’]s$", "", token)
        if not word[:1].isupper() or (word.isupper() and len(word) > 1) or not syllables(word):
            break
        if out and _known([word], 0)[0]:  # Yingkou Port: the port is known
            break
        out.append(word)
        if word != token:
            break
    return out


def _framed(text: str) -> tuple[str, str, str]:
    """What asks, before and behind, and the text without it."""
    if match := _HOW_MANY.search(text):
        rest = text[match.end() :]
        unit, taken = _unit(rest)
        return "", "", f"{text[: match.start()]} {unit} {rest[taken:]}"
    for pattern, before, behind in _COMPILED:
        if match := pattern.match(text):
            rest = text[match.end() :]
            if behind == "是什么" and _NUMERIC.search(rest.lower().split(" of ")[0]):
                behind = "是多少"
            if before in _OF_A_NOUN and not match[0].lower().endswith(("which", "list", "name", "give")):
                rest = f"{match[0].split()[-1]} {rest}"
            return before, behind, rest
    return "", "", text


def _unit(rest: str) -> tuple[str, int]:
    """多少 with its measure word for what is counted, and how much of the text that measure word already says."""
    for size in (2, 1):
        match = re.match(r"\s*" + r"\s+".join([r"([A-Za-z-]+)"] * size), rest)
        if match is None:
            continue
        phrase = " ".join(match.groups()).lower()
        unit = next((_UNITS[form] for form in _forms(phrase) if form in _UNITS), None)
        if unit:
            return (unit if unit.startswith("百分") else f"多少{unit}"), match.end()
    words = _TOKEN.findall(re.split(r"\b(?:were|was|are|is|did|do|does|has|have|had|will|can)\b", rest)[0])
    counted, at = "", 0
    while at < len(words):  # the last noun before the verb is what is counted: primary school students -> 学生
        size, choice = _known(words, at) if words[at][0].isascii() else (1, ())
        if words[at].lower() in ("of", "in", "for", "from", "with", "at", "by", "on", "to", "under") and counted:
            break
        counted = choice[0] if choice else counted
        at += max(1, size)
    measure = next((name for name, pattern in _MEASURED if re.search(pattern, counted)), "个") if counted else ""
    return f"多少{measure}", 0


def _forms(phrase: str) -> Iterator[str]:
    """The phrase, and its last word without an ending: schools, buses, cities, parked, parking, planned."""
    yield phrase
    for ending, instead in (("ies", "y"), ("es", ""), ("s", ""), ("'s", ""), ("s'", ""), ("ied", "y"), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e")):  # fmt: skip
        if phrase.endswith(ending) and len(phrase) > len(ending) + 2:
            stem = phrase[: -len(ending)] + instead
            yield stem
            if ending in ("ed", "ing") and not instead and len(stem) > 3 and stem[-1] == stem[-2]:
                yield stem[:-1]
