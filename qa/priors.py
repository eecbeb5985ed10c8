"""What speaks for or against a sentence or a span by itself, in log odds: too rare in the training questions to be learned.

Each rule is one of language or of how gazettes are printed, none of one gazette.
"""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np

from qa.candidates import ASKS_FIGURE, COUNTED, Sentence, Span
from qa.features import Asked, Matrix
from qa.fit import DOCUMENT
from qa.numbers import HAN_NUMERAL
from qa.question import Question

HOLLOW, FIELD, FIGURELESS, TENSE = 1.2, 2.0, 0.8, 0.6
NO_NAME, OTHER_TYPE, SAME_UNIT, OTHER_UNIT = 0.8, 1.5, 0.7, 0.4
FORMER, NO_DAY, SET_AGAINST, CLASS, LABELLED, NO_DOCUMENT = 1.5, 1.0, 2.5, 1.0, 1.5, 1.0
NOT_IN_FORCE = 2.5
LINE = 28  # characters of a line that is a name with its post

_FIELD = re.compile(r"([\u4e00-\u9fff][\u4e00-\u9fff\s]{0,7})[:：]")  # 电话：, 主办单位：
_HOLLOW = re.compile(rf"(?:[（(]?[{HAN_NUMERAL}]{{1,3}}[)）、是要]|\d{{1,2}}[、.．])[^，,；：]{{2,26}}[。；]?")
_VAGUE = re.compile(r"[一二两][\u4e00-\u9fff]{0,2}")  # 一票否决, 一步: seldom a count
_POST_BEFORE = re.compile(r"副(市长|省长|县长|区长|主任|局长|院长|检察长|主席|书记|秘书长|会长)$")
_DEFINED = re.compile(
    r"什么(?:是|叫)(?P<a>.{2,16})|(?:所称|所谓)?的?(?P<b>.{2,16}?)(?:，|,)?(?:是|具体)*(?:指|称|叫)(?:的是)?(?:什么|啥|哪)"
    r"|(?:.{0,4}所[称谓]的?)?(?P<c>[^，]{2,20}?)(?:到底|究竟)?是(?:个|一种)?(?:什么|啥|怎么回事|咋回事)[?？]?$"
)
_PLANNED = re.compile(
    r"工作安排|主要任务|重点任务|重点工作|下一步|打算|工作计划|今后|总体要求|整改措施|目标任务|意见建议|几点建议"
)
_REVIEWED = re.compile(r"回顾|情况|做法|成效|成绩|过去")
_ASKS_PLAN = re.compile(r"今年(要|打算|计划|准备|将|想)|计划|打算|准备|下一步|将要?|今后|明年|预期|力争|未来")
_ASKS_DONE = re.compile(r"去年|过去|已经?|了(多少|几|哪|什么|啥)|截至|目前|现有|眼下|年来|完成了")
_FROM = re.compile(r"(?:从|由|自)(?:(?:19|20)\d\d年)?的?$")
# What a figure is of may begin and end with words that say nothing of it: 其中|税收收入|为
_LABEL_FRAME = re.compile(
    r"^(?:其中|另有|还有|和|及|与|以及|全年|累计|共计|共有?)+|(?:达到?|为|是|有|约|共计?|合计|仅|占|至|到|了|近|超过?)+$"
)
_HOW_MANY = re.compile(r"(?:多少|几)[个名位人家所户件项条](?P<noun>[\u4e00-\u9fff]{2,6})")
_ROLE = re.compile(r"副?(?:[\u4e00-\u9fff]{0,2}长|书记|主席|主任)")
_ROLE_HELD = re.compile(rf"(?:同志)?(?:担任|任|为)({_ROLE.pattern})")
_ROSE_TO = re.compile(
    r"[^，。；]{0,8}?(?:提高|上升|增加|提升|增长|扩大|下降|降低|减少|缩短|压缩|压减|调整|升|降|增|减|提)[^，。；]{0,3}?(?:到|至|为)"
)
_ASKS_FORMER = re.compile(r"原来|以前|之前|此前|原先|最初|起初|从多少|由多少|过去是")
ASKS_DAY = re.compile(r"哪一?天|几[月号日]|何日|日期|哪日")
# When a rule applies, and not when it was passed: both stand at its head or end, in words that few readers use.
_ASKS_FORCE = re.compile(
    r"施行|生效|起效|算数|(?:开始|正式)(?:实施|执行|实行)|(?:时候|时|天|日)(?:起|开始)?(?:实施|执行|实行)"
)
_ASKS_PASSED = re.compile(r"通过|批准|公布|表决|修订|修正|修改")
_IN_FORCE = re.compile(r"[^。；]{0,6}?(?:起|开始)?(?:施行|生效|实施|执行|实行)")
_PASSED = re.compile(r"[^。；]{0,45}?(?:通过|批准|公布|修正|修订)")
_ITEM_MARK = re.compile(r"、|和|与|及|以及")
_CLASS_ASKED = re.compile(
    r"哪(?:一|两|几|些)?(?:个|座|家|所|条|项|部|份|处|支|款|件)?(?P<noun>区|县|市|镇|乡|村|街道|局|委|公司|集团|银行|医院|学校|中学|小学|大学|海关|法院|条例|办法|决定|决议|中心|路|街|港)(?!长|里|级|民)"
)


def standing(sentence: Sentence, asked: Asked) -> float:
    """Log odds of a sentence: lines that only name a topic go back, labels, definitions and roles that are asked for come first."""
    question, text = asked.question, sentence.text
    if question.wants_all and text.endswith(("：", ":")):
        return 0.0
    if sentence.kind == "table" and not sentence.head and ("\t" in text or text.count("|") > 1):
        return -HOLLOW  # the head row
    if question.kind == "person" and _names_the_holder(sentence, asked):
        return FIELD
    if sentence.kind in {"heading", "title"} or (text.endswith(("：", ":")) and len(text) < 40):
        return -HOLLOW
    if (field := _FIELD.match(sentence.flat)) and "".join(field[1].split()) in question.flat:
        return FIELD
    if _defines(sentence, question):
        return FIELD
    if (
        question.kind == "date"
        and _asks_force(question)
        and any(s.type == "date" and _IN_FORCE.match(sentence.flat, s.end) for s in sentence.figures)
    ):
        return FIELD
    if question.kind in ASKS_FIGURE and not any(
        s.type in asked.expected and not _VAGUE.fullmatch(sentence.flat[s.start : s.end]) for s in sentence.figures
    ):
        return -FIGURELESS
    if sentence.kind != "table" and _HOLLOW.fullmatch(text):
        return -0.5 * HOLLOW
    return -_other_tense(sentence, question)


def _asks_force(question: Question) -> bool:
    return bool(_ASKS_FORCE.search(question.flat)) and not _ASKS_PASSED.search(question.flat)


def _names_the_holder(sentence: Sentence, asked: Asked) -> bool:
    """Whether the sentence is a line of no more than a post the question names and who holds it: 编辑 石鹏飞."""
    if len(sentence.text) > LINE or re.search(r"[，。；、]", sentence.text):
        return False
    persons = [s for s in sentence.typed if s.type == "person"]
    rest = "".join(c for i, c in enumerate(sentence.flat) if not any(s.start <= i < s.end for s in persons))
    deputy = "副" not in asked.question.flat
    return bool(persons) and any(w in (rest.replace("副" + w, "") if deputy else rest) for w in asked.words)


def _defines(sentence: Sentence, question: Question) -> bool:
    """Whether the sentence says 某某，是指… of the word whose meaning is asked for."""
    match = _DEFINED.search(question.flat)
    term = (match["a"] or match["b"] or match["c"] or "").strip('“”"？?。 ') if match else ""
    if len(term) < 2:
        return False
    return (
        re.search(
            rf"{re.escape(term)}[”」]?(?:制度|机制|做法)?[，,]?(?:是指|指的?是|即|也?就是)|(?:所称|所谓)[“「]?{re.escape(term)}",
            sentence.flat,
        )
        is not None
    )


def _other_tense(sentence: Sentence, question: Question) -> float:
    """What speaks against a plan where something done is asked for, and the reverse; the heading tells which it is."""
    heading = sentence.headings[0] if sentence.headings else ""
    plan, done = _ASKS_PLAN.search(question.flat), _ASKS_DONE.search(question.flat)
    if plan and not done and _REVIEWED.search(heading) and not _PLANNED.search(heading):
        return TENSE
    return TENSE if done and not plan and _PLANNED.search(heading) else 0.0


def of_spans(asked: Asked, sentence: Sentence) -> Matrix:
    """(spans of the sentence for the question's kind,) log odds: type, unit, class, and which of several belongs to the question."""
    question = asked.question
    spans = sentence.spans_for(question.kind)
    out = np.zeros(len(spans), dtype=np.float32)
    names = question.kind == "person" and any(s.type == "person" for s in spans)
    paired = _paired(asked, sentence) if "分别" in sentence.flat else None
    own = None if paired else _labelled(asked, sentence)
    role = next(reversed(_ROLE.findall(question.flat)), "") if names else ""
    force = _asks_force(question)
    asked_class = m["noun"] if (m := _CLASS_ASKED.search(question.flat)) else ""
    for i, span in enumerate(spans):
        said = sentence.flat[span.start : span.end]
        if names:
            out[i] -= _not_the_person(question, sentence, span)
        if role and span.type == "person" and (held := _ROLE_HELD.match(sentence.flat, span.end)):
            out[i] += CLASS if _same_role(role, held[1]) else -OTHER_TYPE
        if question.kind == "document" and not DOCUMENT.search(said):
            out[i] -= NO_DOCUMENT
        if own and span.type in COUNTED:
            out[i] += LABELLED if own[0] <= span.start and span.end <= own[1] else 0.0
        if question.kind in ASKS_FIGURE and span.type not in asked.expected:
            out[i] -= OTHER_TYPE
        if span.type == "number" and _VAGUE.fullmatch(said):
            out[i] -= OTHER_UNIT
        if question.units and span.unit:
            out[i] += SAME_UNIT if span.unit in question.units else -OTHER_UNIT
        if question.is_count and _other_measure(question, span):
            out[i] -= OTHER_TYPE
        if span.type in COUNTED and _is_former(question, sentence, span):
            out[i] -= FORMER
        if span.type == "date" and force and not _IN_FORCE.match(sentence.flat, span.end):
            out[i] -= NOT_IN_FORCE * bool(_PASSED.match(sentence.flat, span.end))
        if span.type == "date" and ASKS_DAY.search(question.flat) and not said.endswith(("日", "号")):
            out[i] -= NO_DAY
        if asked_class and said.endswith(asked_class) and len(said) > len(asked_class) + 1 and "、" not in said:
            out[i] += CLASS
        if paired and span.type in COUNTED:
            low, high, among = paired
            if any(a <= span.start and span.end <= b for a, b in among):
                out[i] += SET_AGAINST if low <= span.start and span.end <= high else -SET_AGAINST
    return out


def _other_measure(question: Question, span: Span) -> bool:
    """Whether the figure is money or a share where things are counted or measured: 几条狗, 多长."""
    counts = bool(question.units) and not any(
        "元" in unit or unit in {"%", "百分点", "个百分点"} for unit in question.units
    )
    return counts and span.type in {"amount", "percent"} and span.unit not in question.units


def _not_the_person(question: Question, sentence: Sentence, span: Span) -> float:
    """What speaks against a span where a sentence has names: it is none, or the name of a deputy of the post asked for."""
    post = _POST_BEFORE.search(sentence.flat[max(0, span.start - 8) : span.start])
    if post and post[1] in question.flat and f"副{post[1]}" not in question.flat:
        return OTHER_TYPE
    return 0.0 if span.type == "person" else NO_NAME


def _is_former(question: Question, sentence: Sentence, span: Span) -> bool:
    """Whether the figure is what was before, as 98元 in 从98元提高到178元, and that is not asked for."""
    before = _FROM.search(sentence.flat[max(0, span.start - 8) : span.start])
    if before is None or not _ROSE_TO.match(sentence.flat, span.end):
        return False
    return not (_ASKS_FORMER.search(question.flat) or any(y in before[0] for y in question.years))


def _paired(asked: Asked, sentence: Sentence) -> tuple[int, int, list[tuple[int, int]]] | None:
    """The figure that 分别 gives to the item the question names: (start, end, all the figures set against the items).

    对非洲、拉美市场出口分别增长20%、7.6%: asked of 拉美 it is 7.6%. None where the counts differ or no item is named alone.
    """
    text = sentence.flat
    at = text.index("分别")
    clause = next(((a, b) for a, b in sentence.clauses if a <= at < b), None)
    if clause is None:
        return None
    start, end = clause
    if at - start < 3:  # 非洲、拉美市场稳步扩大，分别增长…: the items stand in the clause before
        start = next((a for (a, b), (c, _) in pairwise(sentence.clauses) if c == start), start)
    series = [s for s in _series(sentence) if s[0][0] >= at and s[0][0] < end + 12]
    items = _ITEM_MARK.split(text[start:at])
    if not series:  # 2027年、2028年分别建成…: the figures stand before, the items behind
        series = [s for s in _series(sentence) if start <= s[0][0] and s[-1][1] <= at]
        items = _ITEM_MARK.split(text[at + 2 : end])
    for figures in series:
        if len(figures) != len(items) or len(items) < 2:
            continue
        # The last item goes on with what is said of all of them (拉美|市场出口): its own words stand at its beginning.
        own = max(len(item) for item in items[:-1]) + 1
        parts = [*items[:-1], items[-1][: own + 1]] if figures[0][0] >= at else [items[0][-own - 1 :], *items[1:]]
        told = [w for w in asked.words if sum(w in part for part in parts) == 1]
        held = [sum(len(w) for w in told if w in part) for part in parts]
        best = max(range(len(parts)), key=lambda i: held[i])
        if held[best] and held.count(held[best]) == 1:
            return (*figures[best], figures)
    return None


def _same_role(one: str, other: str) -> bool:
    """Whether two words are one post, said in more or less full; 副组长 is not 组长."""
    return (one.endswith(other) or other.endswith(one)) and one.startswith("副") == other.startswith("副")


def _labelled(asked: Asked, sentence: Sentence) -> tuple[int, int] | None:
    """The one figure of several whose label the question says: of 满意29票、基本满意6票、不满意1票 asked of 满意 it is 29票, and
    of 11位委员和4位市人大代表, asked of 几位人大代表, 4位. None where the question says no label, or the sentence has one figure."""
    question, expected = asked.question, asked.expected
    figures = [s for s in sentence.figures if s.type not in {"date", "time", "ordinal"}]
    figures = [s for s in figures if not any(o.start <= s.start and s.end <= o.end and o != s for o in figures)]
    if len(figures) < 2 or question.years:
        return None
    text, at, labelled = sentence.flat, 0, []
    for figure in figures:
        label = _LABEL_FRAME.sub("", re.split(r"[^\u4e00-\u9fff]", text[at : figure.start])[-1])
        if 2 <= len(label) <= 10 and label in question.flat:
            labelled.append((label, figure))
        at = figure.end
    if labelled:
        label, figure = max(labelled, key=lambda x: len(x[0]))
        one = all(other in label for other, _ in labelled) and sum(other == label for other, _ in labelled) == 1
        return (figure.start, figure.end) if one and figure.type in expected else None
    noun = m["noun"] if (m := _HOW_MANY.search(question.flat)) else ""
    for n in range(min(4, len(noun)), 1, -1):
        counted = [f for f in figures if noun[:n] in text[f.end : f.end + n + 2]]
        if counted:
            alike = {f.unit for f in counted} & set(question.units) and len(counted) == 1
            return (counted[0].start, counted[0].end) if alike else None
    return None


def _series(sentence: Sentence) -> list[list[tuple[int, int]]]:
    """Runs of figures of one type with nothing but 、 or 和 between them."""
    text = sentence.flat
    figures = sorted(
        {
            (s.start, s.end, s.type)
            for s in sentence.figures
            if not any(o.start <= s.start and s.end < o.end for o in sentence.figures)
        }
    )
    out: list[list[tuple[int, int]]] = []
    last: tuple[int, int, str] | None = None
    for figure in figures:
        if last and figure[2] == last[2] and re.fullmatch(r"(?:、|和|与|及|以及|，|,)", text[last[1] : figure[0]]):
            out[-1].append(figure[:2])
        else:
            out.append([figure[:2]])
        last = figure
    return [run for run in out if len(run) > 1]
