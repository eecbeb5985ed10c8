"""What could answer: sentences of the passages found, and spans of words inside a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

from index.records import Document, Paragraph
from index.text import is_invisible
from qa.numbers import HAN_NUMERAL
from qa.question import MEASURES
from qa.words import FUNCTION, cut, flat, rarity

SpanType = Literal[
    "number", "amount", "percent", "date", "duration", "time", "ordinal", "person", "document", "quoted", "article",
    "enumeration", "clause", "tail", "words", "cell",
]  # fmt: skip
SPAN_TYPES: tuple[SpanType, ...] = (
    "number", "amount", "percent", "date", "duration", "time", "ordinal", "person", "document", "quoted", "article",
    "enumeration", "clause", "tail", "words", "cell",
)  # fmt: skip
COUNTED = frozenset({"number", "amount", "percent", "date", "duration", "time", "ordinal"})
ASKS_FIGURE = frozenset({"number", "amount", "percent", "date", "duration"})
LONGEST_WORDS = 6  # words in a free span; 96 % of the short answers in the training questions are no longer
LONGEST_SENTENCE = 1000  # characters
MOST_SPANS = 200
COMMON = 6.5  # rarity of a word that is no given name
TOPIC = 36  # characters of a sentence that only names a topic

_WIDE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f“”‘’—…·]")
_STOP = re.compile(r"[。！？!?；;]+[”’』」）)》]*|\n|(?<=[a-z])\.\s+(?=[A-Z])")
_CLAUSE_MARK = re.compile(r"[，,。；;：:！!？?（）()\t]+")
_RULE = re.compile(r"[\s|:+=-]*-{2}[\s|:+=-]*")  # the line under the head of a Markdown table
_IS_ITEM = re.compile(rf"^\s*[（(]?[{HAN_NUMERAL}\d]{{1,3}}[)）]|^\s*\d{{1,2}}[.．、]|^\s*[{HAN_NUMERAL}]{{1,3}}[、是]")


@dataclass(frozen=True, eq=False)
class Sentence:
    """A sentence, list item, heading or table row as one reads it, with where each character came from.

    ``lead`` is what it stands under besides the headings: the line before a list; ``head`` is the head row of its table.
    """

    text: str
    offsets: tuple[int, ...]
    source_id: str = ""
    document_id: str = ""
    document: str = ""
    headings: tuple[str, ...] = ()
    article: str | None = None
    paragraph: int = 1
    position: int = 0  # within its paragraph
    kind: str = "text"
    lead: str = ""
    head: str = ""
    topic: str = ""  # the short sentence before it in its paragraph that says what it is about: 一是狠抓特色教育。

    @cached_property
    def flat(self) -> str:
        return flat(self.text)

    @cached_property
    def words(self) -> list[tuple[str, int]]:
        return cut(self.flat)

    @cached_property
    def bigrams(self) -> frozenset[str]:
        return bigrams(self.flat)

    @cached_property
    def context(self) -> str:
        """Title, headings, lead, table head and topic, as compared."""
        return flat(" ".join((self.document, *self.headings, self.lead, self.head, self.topic)))

    @cached_property
    def flat_title(self) -> str:
        return flat(self.document)

    @cached_property
    def content(self) -> list[str]:
        """Its words that carry meaning, each once."""
        return list(dict.fromkeys(w for w, _ in self.words if w not in FUNCTION))

    @cached_property
    def context_content(self) -> list[str]:
        """Those of its context."""
        return list(dict.fromkeys(w for w, _ in cut(self.context) if w not in FUNCTION))

    @cached_property
    def typed(self) -> list[Span]:
        """Figures, dates, names, titles: the spans whose type the text itself shows."""
        return list(_typed(self))

    @cached_property
    def clauses(self) -> list[tuple[int, int]]:
        """Stretches between punctuation, by offsets into the text; an enumeration with 、 is one clause."""
        edges = [0]
        out = []
        for mark in _CLAUSE_MARK.finditer(self.text):
            if mark.start() > edges[-1]:
                out.append((edges[-1], mark.start()))
            edges.append(mark.end())
        if edges[-1] < len(self.text):
            out.append((edges[-1], len(self.text)))
        return out

    @cached_property
    def spans(self) -> list[Span]:
        return list(_spans(self))

    @cached_property
    def figures(self) -> list[Span]:
        """The typed spans that count, measure or date something."""
        return [s for s in self.typed if s.type in COUNTED]

    def spans_for(self, kind: str) -> list[Span]:
        """The spans a kind of question chooses among: figures alone where it asks for one and the sentence has any."""
        return self.figures if kind in ASKS_FIGURE and self.figures else self.spans

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets into the source text of the stretch [start, end) of this sentence."""
        return self.offsets[start], self.offsets[end - 1] + 1


@dataclass(frozen=True, slots=True)
class Span:
    """Words of a sentence that could be the answer; ``unit`` is the measure word of a figure."""

    start: int
    end: int
    type: SpanType
    unit: str = ""


def bigrams(text: str) -> frozenset[str]:
    """Pairs of neighbouring letters or characters; punctuation and white space break a pair."""
    return frozenset(a + b for a, b in pairwise(text) if a.isalnum() and b.isalnum())


def clean(text: str, base: int = 0) -> tuple[str, tuple[int, ...]]:
    """The text as quoted (see ``index.text.readable``), with the offset of each character, ``base`` added."""
    out: list[str] = []
    offsets: list[int] = []
    gap: tuple[str, int] | None = None
    for at, char in enumerate(text):
        if is_invisible(char):
            continue
        if char.isspace():
            gap = gap or ("\t" if char == "\t" else " ", base + at)
            continue
        if gap and out and (gap[0] == "\t" or not (_WIDE.match(out[-1]) or _WIDE.match(char))):
            out.append(gap[0])
            offsets.append(gap[1])
        gap = None
        out.append(char)
        offsets.append(base + at)
    return "".join(out), tuple(offsets)


def split_sentences(text: str) -> Iterator[tuple[int, int]]:
    """Offsets of the sentences of a text, after 。！？； and line ends; a stop inside quotation marks counts too.

    One longer than ``LONGEST_SENTENCE`` is cut at a comma or where it must be: a file may be one line of millions.
    """
    start = 0
    for end in [*(stop.end() for stop in _STOP.finditer(text)), len(text)]:
        if not text[start:end].strip():
            continue
        while end - start > LONGEST_SENTENCE:
            reach = start + LONGEST_SENTENCE
            comma = max(text.rfind(mark, start + LONGEST_SENTENCE // 2, reach) for mark in "，、, \t")
            yield start, comma + 1 if comma > 0 else reach
            start = comma + 1 if comma > 0 else reach
        yield start, end
        start = end


class DocumentSentences:
    """The sentences of a document, made paragraph by paragraph as they are asked for; ``text`` is the source's."""

    def __init__(self, document: Document, text: str) -> None:
        self.document = document
        self._text = text
        self._made: dict[int, tuple[Sentence, ...]] = {}

    def between(self, start: int, end: int) -> list[int]:
        """Indices of the paragraphs that overlap [start, end)."""
        return [i for i, p in enumerate(self.document.paragraphs) if p.start < end and p.end > start]

    def raw(self, sentence: Sentence) -> str:
        """The sentence as the source has it, white space and all."""
        return self._text[sentence.offsets[0] : sentence.offsets[-1] + 1]

    def paragraph(self, i: int) -> tuple[Sentence, ...]:
        """The sentences of paragraph ``i`` (from 0); none outside the document."""
        if not 0 <= i < len(self.document.paragraphs):
            return ()
        if i not in self._made:
            self._made[i] = tuple(self._make(i))
        return self._made[i]

    def _make(self, i: int) -> Iterator[Sentence]:
        paragraph = self.document.paragraphs[i]
        raw = self._text[paragraph.start : paragraph.end]
        lead = self._lead(i)
        if paragraph.kind != "table":
            yield from _paragraph(self.document, paragraph, raw, paragraph.start, lead, 0)
            return
        at, head, made = paragraph.start, "", 0
        for row in raw.splitlines(keepends=True):
            if not _RULE.fullmatch(row):
                for sentence in _paragraph(self.document, paragraph, row, at, lead, made, head):
                    made += 1
                    yield sentence
                if not head and ("\t" in row or row.count("|") > 1):
                    head = clean(row)[0]
            at += len(row)

    def _lead(self, i: int) -> str:
        """The line ending in a colon that paragraph ``i`` is listed under, with nothing but items between; or ""."""
        paragraphs = self.document.paragraphs
        mine = paragraphs[i]
        for j in range(i - 1, max(-1, i - 40), -1):
            raw = self._text[paragraphs[j].start : paragraphs[j].end].rstrip()
            if raw.endswith(("：", ":")):
                direct = j == i - 1 or mine.kind == "table"
                here = self._text[mine.start : mine.end]
                return clean(raw[-120:])[0] if direct or _IS_ITEM.match(here) else ""
            if not _IS_ITEM.match(raw) and paragraphs[j].kind not in {"item", "table"}:
                return ""
        return ""


def _paragraph(
    document: Document, paragraph: Paragraph, raw: str, base: int, lead: str, position: int, head: str = ""
) -> Iterator[Sentence]:
    text, offsets = clean(raw, base)
    row = paragraph.kind == "table" and len(text) <= LONGEST_SENTENCE
    ranges = [(0, len(text))] if row else split_sentences(text)
    topic = ""
    for n, (start, end) in enumerate(ranges):
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start < end:
            yield Sentence(
                text[start:end], offsets[start:end], document.source_id, document.id, document.title,
                paragraph.headings, paragraph.article, paragraph.n, position + n, paragraph.kind, lead, head, topic,
            )  # fmt: skip
            topic = _topic(text[start:end], n, topic)


def _topic(sentence: str, n: int, before: str) -> str:
    """What the sentences after this one are about: a short numbered sentence, or a short first one, says it."""
    return sentence if len(sentence) <= TOPIC and (n == 0 or _IS_ITEM.match(sentence)) else before


def context_sentences(context: str, title: str = "") -> list[Sentence]:
    """The sentences of a text that stands alone (one paragraph of a reading-comprehension set)."""
    out: list[Sentence] = []
    at = 0
    for n, line in enumerate(context.splitlines(keepends=True), 1):
        text, offsets = clean(line, at)
        topic = ""
        for k, (a, b) in enumerate(split_sentences(text)):
            out.append(Sentence(text[a:b], offsets[a:b], document=title, paragraph=n, position=k, topic=topic))
            topic = _topic(text[a:b], k, topic)
        at += len(line)
    return out


# ---- spans ----

_UNIT = "|".join(
    map(
        re.escape,
        sorted(
            [
                *MEASURES,
                *"% ％ ‰ 美元 韩元 日元 英镑 英亩 英里 英尺 英寸 公分 厘米 毫米 千米 千克 世纪 成 大 折".split(),
            ],
            key=len,
            reverse=True,
        ),
    )
)
_QUALIFIER = r"(?:不(?:得)?(?:少于|低于|高于|超过|早于|晚于|小于|大于|多于)|至少|超过?|突破|近|约|大约|达到?|累计|最高|最低|共计?|仅|每(?:人|户|天|周|年|月|次|学年|学期)每?(?:年|月)?)"
_FIGURE = rf"(?:\d[\d,]*(?:\.\d+)?(?:[-—–~～至到]\d[\d,]*(?:\.\d+)?)?|[{HAN_NUMERAL}]+(?:至[{HAN_NUMERAL}]+)?)"
_NUMBER = re.compile(
    rf"{_FIGURE}\s*(?:分之{_FIGURE})?(?:[多余来]?[百千万亿]+)?\s*[多余来几]?\s*(?P<unit>(?:{_UNIT})?[次]?)(?:[多余])?(?:以[上下内]|左右|之[内间]|多)?"
)
_TELEPHONE = re.compile(r"(?<!\d)(?:0\d{2,3}\s?[-—–]\s?)\d{7,8}(?!\d)|(?<![\d.])1[3-9]\d{9}(?!\d)")
_RANGE = re.compile(
    rf"{_FIGURE}[百千万亿]*(?:{_UNIT})(?:以上(?:，|至)?(?:不满|不超过)?|至|到|[-—–~～])"
    rf"{_FIGURE}[百千万亿]*(?:{_UNIT})(?:以下|以内)?$"
)
_DATE = re.compile(
    r"(?:(?:公元)?前?\d{2,4}年(?:代)?|[今去前明当本同次]年)?(?:上半年|下半年|年底|年初|年末|第?[一二三四1-4]季度|底|初|末)?(?:\d{1,2}月(?:份|底|初|末)?)?(?:\d{1,2}[日号])?"
    r"(?:[上下]午|晚上?|凌晨|早上?|零时)?(?:\d{1,2}[:：时]\d{0,2}分?)?(?:以[前后来]|之?[前后起]|期间)?"
)
_DATE_RANGE_MARK = re.compile(r"\s*(?:至|到|-|—|–|~|～)\s*")
_TIME = re.compile(r"\d{1,2}[:：]\d{2}")
_HAN_DATE = re.compile(
    r"[一二三四五六七八九〇○零]{4}年(?:[一二三四五六七八九十]{1,3}月)?(?:[一二三四五六七八九十]{1,3}[日号])?|(?:[一二三四五六七八九十]{1,2}月)(?:[一二三四五六七八九十]{1,3}[日号]|中旬|上旬|下旬)?"
)
_ORDINAL = re.compile(
    rf"(?:第|总第)\s*[{HAN_NUMERAL}\d]+\s*(?:次|届|期|号|位|名|批|个|条|款|项|章|部分|大|轮|季度|周期)?"
)
_TITLE = re.compile(r"《[^《》]*(?:〈[^〈〉]*〉[^《》]*)*(?:《[^《》]*》[^《》]*)*》(?:（[^（）]{1,6}）)?")
_MARKED = re.compile(r"“([^“”]{1,40})”|「([^「」]{1,40})」|『([^『』]{1,40})』|\"([^\"]{1,40})\"")
_FOREIGN = re.compile(
    r"[\u4e00-\u9fff]{1,8}(?:[·•‧．][\u4e00-\u9fff]{1,8})+|[A-Za-z][A-Za-z.&'-]*(?:\s+[A-Za-z][A-Za-z.&'-]*)*"
)
_AMOUNT_UNIT = re.compile(r"(?:元|美元|韩元|日元|英镑|块)")
_DURATION_UNIT = frozenset("天 日 年 个月 小时 个小时 分钟 周 工作日 个工作日 秒 课时".split())
_CUE = re.compile(
    r"(?:是指|即|就是|称为|称作|叫做?|名为|分为|包括|包含|由于|因为|为了|因|为|是|有|达到|达|由|指|以|在|到|从|向|对|按照|根据|依据|经|被|将|把|要求|应当|应|要|可以|不得|严禁|禁止|通过|实行|实现|确保|给予|处以|处)"
)
_SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫经房裘缪干解应宗丁宣邓郁单杭洪包诸左石崔吉龚程嵇邢裴陆荣翁荀甄曲封储靳段富焦巴牧隗山谷车侯全班秋仲伊宫宁仇栾甘厉祖武符刘景詹束龙叶幸司黎薄印宿白怀蒲从鄂索咸籍赖卓蔺屠蒙池乔阴胥能苍双闻翟谭贡劳姬申扶冉宰郦雍桑桂濮牛寿通边扈燕冀郏浦尚农温别庄晏柴瞿阎充慕连茹习艾鱼容向古易慎戈廖庾终居衡步都耿满弘匡国文寇广东欧利蔚越师巩聂晁勾敖冷辛阚那简饶曾关相查游权肖佟付代闫修初丛矫仝隋宇栗佘麦覃谌揭鞠邝逄仉亓邸谯郜骈冼芮逯粟褟郗"
)
_BEFORE_NAME = frozenset("长任去记员席师表授士生官理监由以命免为和与及经让请被给向对子女父母妻弟兄姐妹人者家是叫的")
_COMPOUND = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "东方",
    "皇甫",
    "尉迟",
    "公孙",
    "慕容",
    "司徒",
    "令狐",
    "夏侯",
    "端木",
    "宇文",
    "长孙",
)


def _spans(sentence: Sentence) -> Iterator[Span]:
    """Candidates of every type, typed ones first, each stretch once; at most ``MOST_SPANS``."""
    seen: set[tuple[int, int]] = set()
    made = 0
    for span in _all_spans(sentence):
        start, end = span.start, span.end
        while start < end and sentence.text[start] in " 　、，,。；;：:\t":
            start += 1
        while end > start and sentence.text[end - 1] in " 　、，,。；;：:！？!?\t":
            end -= 1
        if start < end and (start, end) not in seen:
            seen.add((start, end))
            made += 1
            yield span if (start, end) == (span.start, span.end) else Span(start, end, span.type, span.unit)
            if made >= MOST_SPANS:
                return


def _typed(sentence: Sentence) -> Iterator[Span]:
    text = sentence.flat
    dates = list(_dates(text))
    yield from dates
    # 6月 in 2021年6月10日 counts nothing
    yield from (f for f in _figures(text) if not any(d.start <= f.start and f.end <= d.end for d in dates))
    yield from (Span(m.start(), m.end(), "ordinal") for m in _ORDINAL.finditer(text))
    yield from (Span(m.start(), m.end(), "document") for m in _TITLE.finditer(sentence.text))
    yield from _persons(sentence)


def _all_spans(sentence: Sentence) -> Iterator[Span]:
    if sentence.kind == "table" or "\t" in sentence.text:
        at = 0
        for cell in sentence.text.split("\t"):
            yield Span(at, at + len(cell), "cell")
            at += len(cell) + 1
    yield from sentence.typed
    for m in _MARKED.finditer(sentence.text):
        yield Span(m.start() + 1, m.end() - 1, "quoted")
        yield Span(m.start(), m.end(), "quoted")
    yield from (Span(m.start(), m.end(), "words") for m in _FOREIGN.finditer(sentence.text))
    yield from _clause_spans(sentence)
    yield from _enumerations(sentence)
    yield from _word_spans(sentence)


def _figures(text: str) -> Iterator[Span]:
    yield from (Span(m.start(), m.end(), "number") for m in _TELEPHONE.finditer(text))
    for m in _NUMBER.finditer(text):
        figure, unit = m[0], m["unit"]
        if not unit and not any(c.isdigit() for c in figure) and len(figure) < 2:
            continue
        before_it = text[m.start() - 1 : m.start()] if m.start() else ""
        if before_it == "第" or (not unit and (before_it in {".", ":"} or text[m.end() : m.end() + 1] == ":")):
            continue
        kind: SpanType = "number"
        if unit in {"%", "‰"} or "分之" in figure or "百分点" in unit:
            kind = "percent"
        elif _AMOUNT_UNIT.search(unit):
            kind = "amount"
        elif unit in _DURATION_UNIT:
            kind = "duration"
        yield Span(m.start(), m.end(), kind, unit)
        if (bound := _RANGE.search(text, 0, m.end())) and bound.end() == m.end():
            yield Span(bound.start(), m.end(), kind, unit)  # 二百元以上二千元以下
        before = re.search(_QUALIFIER + "$", text[max(0, m.start() - 6) : m.start()])
        if before:
            yield Span(m.start() - len(before[0]), m.end(), kind, unit)


def _dates(text: str) -> Iterator[Span]:
    found: list[tuple[int, int]] = []
    for pattern in (_DATE, _HAN_DATE):
        for m in pattern.finditer(text):
            if len(m[0]) >= 2 and re.search(r"[年月日号午季时底初末]", m[0]):
                found.append((m.start(), m.end()))
    found.sort()
    for n, (start, end) in enumerate(found):
        yield Span(start, end, "date")
        if n and (mark := _DATE_RANGE_MARK.fullmatch(text, found[n - 1][1], start)) and mark[0]:
            yield Span(found[n - 1][0], end, "date")
    yield from (Span(m.start(), m.end(), "time") for m in _TIME.finditer(text))


def _persons(sentence: Sentence) -> Iterator[Span]:
    """Chinese names: a surname and one or two characters that are no dictionary word across the name's edges."""
    words = sentence.words
    for n, (word, at) in enumerate(words):
        if word not in _SURNAMES and word not in _COMPOUND:
            continue
        # A space of the print parts a name from a post: 编辑 石鹏飞
        joined = at > 0 and sentence.offsets[at] == sentence.offsets[at - 1] + 1
        before = sentence.flat[at - 1] if joined else ""
        if before.isalnum() and before not in _BEFORE_NAME:
            continue  # 11.5万人, 鲅|鱼圈
        end = at + len(word)
        for follower, where in words[n + 1 : n + 3]:
            if where != end or end + len(follower) - at > len(word) + 2 or follower in FUNCTION or follower.isascii():
                break
            if len(follower) > 1 and rarity(follower) < COMMON:
                break  # 辽沈|银行
            end += len(follower)
            yield Span(at, end, "person")


def _clause_spans(sentence: Sentence) -> Iterator[Span]:
    clauses = sentence.clauses
    for n, (start, end) in enumerate(clauses):
        for last in clauses[n : n + 4]:
            yield Span(start, last[1], "clause")
        cues = list(_CUE.finditer(sentence.text, start, end))
        for cue in cues[:6]:
            if cue.end() < end:
                yield Span(cue.end(), end, "tail")
                if cue[0] in {
                    "为",
                    "因",
                    "由于",
                    "因为",
                    "为了",
                    "不得",
                    "应当",
                    "给予",
                    "处以",
                    "处",
                    "以",
                    "可以",
                    "禁止",
                    "严禁",
                }:
                    yield Span(cue.start(), end, "tail")


def _enumerations(sentence: Sentence) -> Iterator[Span]:
    """Stretches around 、: from words before the first mark to words after the last one in the clause."""
    for start, end in sentence.clauses:
        marks = [i for i in range(start, end) if sentence.text[i] == "、"]
        if not marks:
            continue
        starts = [at for word, at in sentence.words if start <= at < marks[0] and word not in FUNCTION][-5:]
        ends = [at + len(word) for word, at in sentence.words if marks[-1] < at < end and word not in FUNCTION][:5]
        for a in starts:
            for b in {*ends, end}:
                yield Span(a, b, "enumeration")


def _word_spans(sentence: Sentence) -> Iterator[Span]:
    """Runs of 1..LONGEST_WORDS words inside a clause that neither begin nor end with a function word."""
    words = sentence.words
    for size in range(1, LONGEST_WORDS + 1):
        for n in range(len(words) - size + 1):
            first, last = words[n], words[n + size - 1]
            end = last[1] + len(last[0])
            if first[0] in FUNCTION or last[0] in FUNCTION:
                continue
            if _CLAUSE_MARK.search(sentence.text, first[1], end):
                continue
            yield Span(first[1], end, "words")
