"""A span of a sentence with the part of the sentence that proves it, no longer than it need be."""

from __future__ import annotations

import re
import unicodedata
from itertools import takewhile

from qa.candidates import COUNTED, Sentence, Span
from qa.evidence import Choice, Proof, Reading
from qa.features import Asked
from qa.numbers import HAN_NUMERAL
from qa.words import FUNCTION

ANSWER_LIMIT = 120
SHOWN_LIMIT = 290  # answer and sentence together; readers see 300 at most
QUOTE_LIMIT = 150
LONGEST_NAME = 16
_NAME_END = re.compile(
    r"(公司|集团|银行|局|委|办|院|中心|学校|中学|小学|大学|海关|协会|区|县|市|镇|乡|村|路|街|港|馆|园)$"
)
_AFTER_FIGURE = re.compile(
    r"(?:（[套间台辆件个户]）)?(?:余|多|半(?!数|年)|赞成|反对|弃权|同意(?!票)|以上|以下|以内|之内|内(?![部容设外])|左右|上下|/[月年天日人升]|/(?:立方米|平方米|公里))?"
)
_BEFORE_FIGURE = re.compile(
    r"(?:(?:最[长多高低少迟]|一般|原则上)?(?:不得?(?:低于|少于|超过|高于|早于|晚于|多于)|(?<!不)(?<!不得)(?:低于|少于|高于|多于)|不足|超过|突破|至少"
    r"|(?<!同|上)超|逾|近|约|(?:每[\u4e00-\u9fff/]{0,3}){1,2}(?:补贴|补助|奖励)?))$"
)
_BEFORE_DURATION = re.compile(r"(?:^|(?<=[，。；：]))[^，。；：\d]{2,10}后$")  # 竣工验收后|三个月内
POST = re.compile(
    r"(?:党组|党委|常务)*副?(?:书记|主任|主席|秘书长|检察长|[局院市县区省部处科所站校会州镇乡队行厂][\u4e00-\u9fff]?长|常委|委员|代表|经理|董事长)"
)
_YEARS = re.compile(rf"[{HAN_NUMERAL}\d]+年(?:零|又)?$")  # 一年|二个月
_SPLIT = re.compile(r"(?<=[\u4e00-\u9fff])\d{1,3} $")  # 案件3 |9件, as OCR parts figures
_TO = re.compile(r"(?:以上)?(?:至|到|[-—–~～])")
_FROM = re.compile(r"[从由自]$")  # 从98元到178元 is a change, no range
_HOW_MANY = re.compile(r"(?:多少|几)个(.+)")
_LIST_LEAD = re.compile(r"[、，]*(?:即|分别[是为]|包括)?")
_LABEL = re.compile(rf"第[{HAN_NUMERAL}\d]+条(?:之[{HAN_NUMERAL}])?[\s　]*|[（(][{HAN_NUMERAL}\d]{{1,3}}[)）]\s*")
NEARBY = 8  # characters before the first item of a list that may come with it


def widened(
    choice: Choice, question: str = "", *, wants_all: bool = False, name: bool = False, post: bool = False
) -> Span:
    """The span with the words that belong to it: 《》 and quotation marks closed, a figure with its qualifier and what
    is counted, an enumeration from its first to its last where all items are wanted, the whole of a name of a place or
    an organ where ``name`` says that one is asked for, and of a post where ``post`` does; of names joined by 、 all."""
    text, span = choice.sentence.text, choice.span
    start, end = span.start, span.end
    if span.type in COUNTED:
        start, end = _whole_range(choice.sentence, start, end)
        if match := _AFTER_FIGURE.match(text, end):
            end = match.end()
        if span.type == "duration":
            end += text.startswith("前", end)
            if match := _BEFORE_DURATION.search(text[:start]):
                start = match.start()
        for before in (_SPLIT if choice.sentence.kind != "table" else _YEARS, _YEARS, _BEFORE_FIGURE):
            if (before is not _YEARS or span.unit == "个月") and (
                match := before.search(text[max(0, start - 10) : start])
            ):
                start -= len(match[0])
        if span.unit == "个":  # 14个部门
            counted = next((w for w, at in choice.sentence.words if at == end and w not in FUNCTION), "")
            end += max(len(counted), _asked_noun(question, choice.sentence.flat[end:]))
    elif wants_all:
        start, end = _whole_series(text, start, end) or _whole_list(choice.sentence, start, end)
    elif span.type == "person":
        start, end = _whole_run(choice.sentence, start, end)
    elif name and span.type == "words":
        start, end = _whole_name(choice.sentence, start, end)
    elif post and (match := POST.match(text, end)):
        end = match.end()
    for opening, closing in ("《》", "“”", "（）", "()"):
        said = text[start:end]
        if said.count(opening) > said.count(closing) and closing in text[end : end + 40]:
            end = text.index(closing, end) + 1
        elif said.count(closing) > said.count(opening) and opening in text[max(0, start - 40) : start]:
            start = text.rindex(opening, 0, start)
    if span.type not in COUNTED and span.type != "article":
        start = after_label(text, start, end)
    return Span(start, end, span.type, span.unit)


def _whole_run(sentence: Sentence, start: int, end: int) -> tuple[int, int]:
    """The name with those joined to it: 安晓宁、|胡玉凤."""
    names = sorted((s.start, s.end) for s in sentence.typed if s.type == "person")
    joins = "、和与及"
    for a, b in reversed(names):
        start = a if b == start - 1 and sentence.text[b] in joins else start
    for a, b in names:
        end = b if a == end + 1 and sentence.text[end] in joins else end
    return start, end


def _asked_noun(question: str, after: str) -> int:
    """How many characters behind the figure are the noun that the question counts: 三个|等次, asked 几个等次."""
    asked = _HOW_MANY.search(question)
    return (
        sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(asked[1], after, strict=False))) if asked else 0
    )


def _whole_range(sentence: Sentence, start: int, end: int) -> tuple[int, int]:
    """The figure with the other end of its range: 2000元|至1万元."""
    for figure in sentence.figures:
        if figure.type not in COUNTED:
            continue
        if figure.start > end and _TO.fullmatch(sentence.text, end, figure.start):
            return (start, end) if _FROM.search(sentence.text[:start]) else (start, figure.end)
        if figure.end < start and _TO.fullmatch(sentence.text, figure.end, start):
            return (start, end) if _FROM.search(sentence.text[: figure.start]) else (figure.start, end)
    return start, end


def after_label(text: str, start: int, end: int) -> int:
    """Where the words of a stretch begin: behind 第三十三条 and （二）, which answer nothing."""
    label = _LABEL.match(text, start, end)
    return label.end() if label and end - label.end() > 1 else start


def _whole_name(sentence: Sentence, start: int, end: int) -> tuple[int, int]:
    """The name with the words written on to it: 营口港|盖州|物流有限公司, and 东侧 behind a place."""
    if not _NAME_END.search(sentence.text[start:end]):
        return start, end
    for word, at in reversed([w for w in sentence.words if w[1] < start]):
        joined = at + len(word) == start
        if not joined or word in FUNCTION or word[0].isdigit() or end - at > LONGEST_NAME:
            break
        start = at
    if match := re.match(r"[东南西北中][侧部门面]|附近|门前|旁边|周边", sentence.text[end : end + 2]):
        end += len(match[0])
    return start, end


def _whole_series(text: str, start: int, end: int) -> tuple[int, int] | None:
    """All that one sentence counts, 一是…，二是…, where the stretch lies in it."""
    first = text.find("一是")
    if first < 0 or "二是" not in text[first:] or end <= first:
        return None
    last = len(text.rstrip("。；"))
    return (first, last) if last - first <= ANSWER_LIMIT else None


def _whole_list(sentence: Sentence, start: int, end: int) -> tuple[int, int]:
    """The stretch with the items beside it: up to 、-joined neighbours in its clause, and clauses that begin alike."""
    text = sentence.text
    clauses = sentence.clauses
    at = next((i for i, (a, b) in enumerate(clauses) if a <= start < b), None)
    if at is None:
        return start, end
    low, high = clauses[at][0], max(end, clauses[at][1])
    if "、" in text[low:start] or (start - low <= 2 * NEARBY and "、" in text[start:end]):
        start = low if start - low <= NEARBY + 20 else start
    if "、" in text[end:high] or text[end : end + 1] in {"和", "及", "与"}:
        end = high
    alike = text[start : start + 2]
    for a, b in clauses[at + 1 :]:
        if a > end + 1 or text[a : a + 2] != alike:
            break
        end = b
    for a, b in reversed(clauses[:at]):
        if b < start - 1 or alike not in text[a:b]:
            break
        start = a
        if text[a : a + 2] != alike:
            break
    opening, closing = text.rfind("“", 0, start + 1), text.find("”", end - 1)
    if "”“" in text[start:end] and opening >= 0 and closing >= 0:  # “甲”“乙”
        start, end = opening, closing + 1
    lead = _LIST_LEAD.match(text, start, end)
    return lead.end() if lead and lead.end() < end else start, end


def quoted(asked: Asked, sentence: Sentence, span: Span, limit: int = QUOTE_LIMIT) -> Reading:
    """The span with the part of its sentence that proves it."""
    answer = sentence.text[span.start : span.end].strip()
    if len(answer) > ANSWER_LIMIT:
        span = Span(span.start, span.start + _clause_end(answer, ANSWER_LIMIT), span.type, span.unit)
        answer = sentence.text[span.start : span.end]
    limit = min(limit, SHOWN_LIMIT - size(answer))
    start, end = window(asked, sentence, span.start, span.end, limit)
    return Reading(
        status="answered",
        answer=answer,
        sentence=sentence.text[start:end],
        proofs=(proof(sentence, start, end, (span.start, span.end)),),
    )


def _clause_end(text: str, limit: int) -> int:
    at = max(text.rfind(c, 0, limit) for c in "。；，：、")
    return at if at > limit // 2 else limit


def size(text: str) -> int:
    """Characters as compared: NFKC makes three of an ellipsis."""
    return len(unicodedata.normalize("NFKC", text))


def window(asked: Asked, sentence: Sentence, start: int, end: int, limit: int) -> tuple[int, int]:
    """The clauses around [start, end) that hold most of the question in at most ``limit`` characters (never less)."""
    if size(sentence.text) <= limit:
        return 0, len(sentence.text)
    clauses = sentence.clauses or [(0, len(sentence.text))]
    first = next((i for i, (_, b) in enumerate(clauses) if b > start), len(clauses) - 1)
    last = next((i for i in range(len(clauses) - 1, -1, -1) if clauses[i][0] < end), 0)
    last = max(first, last)
    low, high = min(clauses[first][0], start), max(clauses[last][1], end)
    if high - low > limit:
        low, high = start, max(end, start + 1)

    def worth(a: int, b: int) -> float:
        said = sentence.flat[a:b]
        return sum(w for word, w in zip(asked.words, asked.weights, strict=True) if word in said)

    while True:
        options = []
        if first > 0 and high - clauses[first - 1][0] <= limit:
            options.append((worth(clauses[first - 1][0], low), 1, first - 1, last))
        if last + 1 < len(clauses) and clauses[last + 1][1] - low <= limit:
            options.append((worth(high, clauses[last + 1][1]), 0, first, last + 1))
        if not options:
            break
        _, _, first, last = max(options)
        low, high = min(low, clauses[first][0]), max(high, clauses[last][1])
    if high < len(sentence.text) and sentence.text[high] in "。；！？，）”":
        high += 1
    return low, high


def proof(sentence: Sentence, start: int, end: int, answer: tuple[int, int] | None) -> Proof:
    low, high = sentence.source_span(start, end)
    return Proof(sentence.source_id, sentence.document_id, low, high, sentence.source_span(*answer) if answer else None)
