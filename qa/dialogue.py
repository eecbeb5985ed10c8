"""Follow-ups: 那初中呢？ 他是什么职务？ 为什么？ are completed from the turns before them, without a model.

A question that stands alone is never touched, so a new topic does not drag the old one along. The rules, in order:
an anaphor (他, 他们, 这个项目, 该办法) is replaced by what it stands for; 那X呢 puts X where its parallel stood in the
last question, 其中X呢 asks the last question of X alone; a bare 为什么 or 什么时候 is asked of the last question's topic.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.text import readable
from qa.question import analyse
from qa.records import Answer, Turn
from qa.words import cut, flat

_HAN = r"\u4e00-\u9fff"
_ASKING = re.compile(
    r"(?:一共|总共|大概|大约|到底|究竟|分别|请问|具体)?(?:有|是|为|占|达到|达)?"
    r"(?:多少(?:[个名位人所家项元万亿条件次张份票户辆处天年座栋类种级块批]|万元|亿元|人次|平方米|公里)?|"
    r"几[个名位人所家项条件次张份票户辆处天年号点座栋类种级块批]|从哪(?:里|儿)?来|"
    r"什么时候|什么时间|啥时候|何时|哪一?[天年月日]|哪一?[个些位名家项条里]|哪儿|谁|什么|啥|怎么样?|咋样?|如何|为什么|为何|"
    r"是不是|有没有|能不能|是否|多久|多长时间|多大)"
)
_TAIL = re.compile(r"[吗呢吧啊呀的了]*[?？。!！\s]*$")
_LEAD = re.compile(r"^(?:那么?|还有|另外|再问一下)[,，]?")
_AMONG = re.compile(r"^(?:其中的?|这里面的?|里面的?)[,，]?")
_DID = re.compile(r"[建设开办修做花用投给发买盖搞有]了$")  # what is left of 建了几座
_SHORT_TURN = re.compile(rf"^(?P<x>[{_HAN}\w〔〕《》“”·%.-]{{1,20}}?)(?:又|的话)?呢[?？。\s]*$")
_GROUP = re.compile(
    rf"[{_HAN}]{{0,4}}?(?:学生|中生|小学生|教师|老师|孩子|代表|委员|居民|村民|农民|职工|人员|群众|老人|儿童|患者|党员|干部|企业)"
)
_OF_THE_PLACE = re.compile(r"^(?:现任|现在的?|当时的?)?(?:[省市县区]长|[省市县区]委书记|法院院长|检察长)")
_PERSON = re.compile(r"^(?:那么?)?(?P<a>他们|她们|他|她|此人|这个人|这位(?:同志|领导|副?市长|局长|主任|代表|委员)?)")
_THING = re.compile(
    rf"(?P<a>(?:(?<![{_HAN}])|(?<=那)|(?<=在)|(?<=对)|(?<=由)|(?<=从)|(?<=把)|(?<=了)|(?<=是)|(?<=给))"
    rf"(?:(?:这|该|此|上述|前述)(?:[个次份项些笔部条种届所家座张类]|几个|几项|样的)?|那(?:[个次份项些笔部条种届所家座张类]|几个|几项|样的|(?=是)))"
    rf"(?P<noun>会议|项目|办法|条例|决定|决议|报告|方案|规定|意见|政策|制度|平台|学校|医院|企业|公司|银行|单位|部门|机构|委员会|"
    rf"地区|城市|活动|工作|工程|任务|资金|补贴|补助|贷款|款项|钱|支出|收入|标准|比例|数字|数据|问题|法|县|区|市|人)?|"
    rf"^(?:它们|它|其中|其))"
)
_NAME = re.compile(rf"^[{_HAN}]{{2,4}}$|^[{_HAN}]{{1,6}}·[{_HAN}]{{1,8}}$")
_NAMED = re.compile(
    rf"(?:主任|市长|省长|县长|区长|州长|局长|秘书长|院长|检察长|书记|厅长)(?P<name>[{_HAN}]{{2,3}}?)"
    rf"(?=[^{_HAN}]|$|同志|主持|担任|任|出席|作|做|说|讲|在|为|是|的)"
)
_CLASSES = (
    re.compile(r"\d{4}年(?:\d{1,2}月(?:\d{1,2}日)?)?|[今去前明]年"),
    re.compile(r"\d{1,2}月(?:\d{1,2}日)?"),
    re.compile(r"第[零一二三四五六七八九十百\d]+[条款项章次届期号]"),
)


def complete(question: str, turns: Sequence[Turn]) -> str:
    """The question as it would be asked without the dialogue; the question itself where it stands alone."""
    if not turns:
        return question
    last = turns[-1].answer
    before = last.resolved_question or turns[-1].question
    text = question.strip()
    if analyse(text).is_chatter:
        return question
    if person := _PERSON.match(text):
        name = _group(turns) if person["a"].endswith("们") else _person(turns)
        return name + text[person.end("a") :] if name else question
    if short := _SHORT_TURN.match(_LEAD.sub("", text)):
        if not _ASKING.search(short["x"]):
            among = _AMONG.match(short["x"])
            return _part(short["x"][among.end() :], before) if among else _substitute(short["x"], before, last)
    elif part := _asked_part(_LEAD.sub("", text), before):
        return part
    elif thing := _THING.search(text):
        return text[: thing.start("a")] + _antecedent(thing["noun"] or "", before, last) + text[thing.end("a") :]
    if not _stands_alone(text):
        return _topic(before) + _LEAD.sub("", text)
    return question


def _stands_alone(question: str) -> bool:
    """Whether the question names something of its own: four Han characters, a Latin word, a long number."""
    if _OF_THE_PLACE.match(question):
        return True
    rest = _TAIL.sub("", _ASKING.sub("", _LEAD.sub("", question)))
    rest = re.sub(r"负责|牵头|决定|批准|通过|规定|开始|结束|[的了是在有被由来去和与]", "", rest)
    return len(re.findall(rf"[{_HAN}]", rest)) >= 4 or bool(re.search(r"[A-Za-z]{3,}|\d{3,}", rest))


def _topic(question: str) -> str:
    """The question less what it asks for: 全市小学有多少所？ -> 全市小学."""
    told = _ASKING.sub("", question).rstrip("?？。 ")
    return _TAIL.sub("", _DID.sub("", told)).strip(" ,，")


def _person(turns: Sequence[Turn]) -> str | None:
    """The person spoken of last: an answer that is a name, else a name after its post in what was said."""
    for turn in reversed(turns):
        answer = readable(turn.answer.answer).strip("。")
        if _NAME.match(answer.replace(" ", "")) and re.search(r"谁|哪位|哪个人|姓名|什么人|任命", turn.question):
            return answer.replace(" ", "")
        for said in (answer, turn.answer.resolved_question, turn.answer.sentence):
            if named := _NAMED.search(said):
                return named["name"]
    return None


def _group(turns: Sequence[Turn]) -> str | None:
    """The people spoken of last, by what they are: 初中生, 代表."""
    for turn in reversed(turns):
        if named := _GROUP.search(turn.answer.resolved_question or turn.question):
            return named.group()
    return None


def _asked_part(text: str, before: str) -> str:
    """其中小学多少所 after a question that counts in the same unit, less 其中; "" for any other question."""
    among, last = _AMONG.match(text), _ASKING.search(before)
    asking = _ASKING.search(text)
    if among is None or last is None or asking is None or asking.start() - among.end() < 2:
        return ""
    return f"{_when(before)}{text[among.end() :]}" if asking.group()[-1] == last.group()[-1] else ""


def _when(before: str) -> str:
    year = _CLASSES[0].search(before)
    return year.group() if year else ""


def _part(new: str, before: str) -> str:
    """The last question asked of a part of what it was about: 其中小学呢 after 全市义务教育阶段学校有多少所."""
    asking = _ASKING.search(before)
    return f"{_when(before)}{new}{before[asking.start() :]}" if asking else new + before


def _antecedent(noun: str, before: str, last: Answer) -> str:
    """What an anaphor with this noun stands for: the answer or a phrase that ends in the noun, else the topic."""
    if noun:
        if last.answer.endswith(noun):
            return last.answer
        for said in (before, last.answer, last.sentence):
            if named := re.search(rf"《[^《》]*{noun}[^《》]*》", said):
                return named.group()
        for said in (_topic(before), last.answer):
            if named := re.search(rf"\w{{1,20}}{noun}", said):
                return named.group()
    elif last.status == "answered" and re.fullmatch(r"《[^《》]+》|[^，。\d]{2,20}", last.answer):
        return last.answer
    topic = _topic(before)
    return topic if not noun or noun in topic else f"{topic}的{noun}"


def _substitute(new: str, before: str, last: Answer) -> str:
    """The last question with its part that is parallel to ``new`` replaced; ``new`` put in front where none is."""
    for kind in _CLASSES:
        if kind.fullmatch(new) and kind.search(before):
            return kind.sub(new, before, count=1)
    quotes = [c.quote for c in last.citations] + [readable(hit.passage.text) for hit in last.passages[:3]]
    said = " ".join([last.sentence, *quotes])
    asked = [m.span() for m in _ASKING.finditer(before)]
    ends = [(at, at + len(word)) for word, at in cut(flat(before))]
    best, chosen = 3.0, None
    for i, (start, _) in enumerate(ends):
        for _, end in ends[i : i + 3]:
            old = before[start:end]
            if old in new or not old.isalnum() or any(a < end and start < b for a, b in asked):
                continue
            score = _parallel(old, new, said)
            if score > best:
                best, chosen = score, (start, end)
    if chosen is None:
        return before if new in before else new + before
    return before[: chosen[0]] + new + before[chosen[1] :]


def _parallel(old: str, new: str, said: str) -> float:
    """How alike two words are used: same length and ending, and in what was quoted the same kind of thing follows."""
    score = float(len(old) == len(new)) + 2.0 * (old[-1] == new[-1])
    follows_old, follows_new = (_follows(word, said) for word in (old, new))
    if follows_old and follows_new:
        score += 2.0 + 1.5 * bool(follows_old & follows_new)
    return score


def _follows(word: str, said: str) -> set[str]:
    """What stands right after a word, by kind: a figure, a mark, a character."""
    found = set()
    for m in re.finditer(re.escape(word), said):
        after = said[m.end() : m.end() + 1]
        found.add("figure" if after.isdigit() else "mark" if after in "（(，。、；：" else after)
    return found - {""}
