"""Whether an answer is of the kind that the question asks for: an amount of money is no number of people, a post no name.

The scorers weigh kinds; this says where one is plainly another. Over texts that the rules were not written on, 6 of the 54
answers that it refused were right (docs/reading-log.md).
"""

from __future__ import annotations

import re

from qa.candidates import Span
from qa.evidence import Choice
from qa.question import Question
from qa.words import flat

DOCUMENT = re.compile(
    r"《|法|条例|办法|规定|规则|决定|决议|意见|方案|规划|细则|通知|公告|通告|报告|目录|纲要|制度|标准|预案|章程|清单|计划|议案|说明|指南|手册"
    r"|公约|协议|文件|号|书|纪要|准则|公报|机制|函|图|表|条$"
)
_MONEY = re.compile(r"元|块|亿|万$")
_SHARE = re.compile(r"%|％|‰|分之|成|倍|百分|折|半")
_LENGTH = re.compile(r"年|月|日|天|时|周|分钟|秒|期|届|长|立即|及时|次")
_DIGIT = re.compile(r"[\d〇零一二两三四五六七八九十百千万亿半]")
_FIGURE = re.compile(
    r"(?:约|近|超过?|共|仅|达|第)?[\d,.〇零一二两三四五六七八九十百千万亿余多]+(?:个|家|名|所|项|件|处|人|位|座|条|种|类|部|次|起|户|套|台|辆|块|张|元|日|天|年|月|%)*(?:以[上下内])?"
)
_POST = re.compile(
    r"长|书记|主席|主任|委员|代表|员|总理|经理|董事|院士|教授|师|官|监事|会计|秘书|职|首席|总|领导|干部|顾问"
)
_PUNISHED = re.compile(
    r"罚|处[以分理置]?|责令|吊销|警告|拘留|没收|扣|取消|停|撤|追究|通报|批评|记|刑|赔|改正|教育|解除|暂停|不得|禁止|拆除|注销|降|开除|责任|约谈|强制|元"
)
_POSTS = (
    r"(?:局长|主任|书记|关长|董事长|校长|院长|市长|县长|区长|省长|主席|经理|检察长|秘书长|会长|处长|科长|队长|厅长|部长|行长|社长|站长|所长"
    r"|镇长|乡长|组长|庭长|理事长|厂长|馆长|园长|老板|法人代表|法定代表人)"
)
_ASKS_HOLDER = re.compile(
    rf"{_POSTS}.{{0,6}}(?:谁|哪位|叫什么|叫啥|姓|名字)|(?:谁|哪位).{{0,6}}{_POSTS}|{_POSTS}的?(?:姓名|名字)?[？?]?$"
)
_ORGAN = re.compile(
    rf"(?P<name>[\u4e00-\u9fff]{{2}})(?:局|委|办|厅|院|部|海关|中心|公司|银行|学校|街道|镇|乡|中学|小学|医院|集团)(?:的|党组|党委)*副?{_POSTS}"
)
_ASKS_NAMES = re.compile(
    r"哪[几两二三四五六七八九十\d]|哪些|名称|店名|名字|叫(?:什么|啥)|名单|分别是|哪(?:一?个|家|位|所|座|条|部)"
)
_NAMES = frozenset({"organisation", "place", "document", "post", "list", "other"})


def misfit(question: Question, best: Choice, answer: str) -> bool:
    """Whether the answer, which is of the best span, cannot be one, whatever is said around it."""
    said, span, kind = flat(answer), best.span, question.kind
    if kind == "amount":
        return (_counts(span) and not _MONEY.search(said)) or span.type not in {"number", "amount", "percent", "cell"}
    if kind == "percent":
        return span.type != "percent" and not _SHARE.search(said)
    if kind == "duration":
        return span.type not in {"duration", "date", "time"} and not _LENGTH.search(said)
    if kind == "number":
        return not _DIGIT.search(said)
    if kind == "person":
        return _other_person(question, best)
    if kind == "penalty":
        return not _PUNISHED.search(said)
    if kind == "post" and not _POST.search(said):
        return True
    if kind == "document" and not DOCUMENT.search(said) and span.type not in {"quoted", "document"}:
        return True
    return kind in _NAMES and bool(_ASKS_NAMES.search(question.flat)) and bool(_FIGURE.fullmatch(said))


def _counts(span: Span) -> bool:
    """Whether the span is a figure with a unit that is no money; 20倍 is an amount of a wage, and a bare figure may be."""
    return span.type in {"number", "duration", "date", "ordinal"} and bool(span.unit) and span.unit not in {"倍", "成"}


def _other_person(question: Question, best: Choice) -> bool:
    """No name for who holds a post, or the name of one who holds it in another organ than the question says."""
    names = [s for s in best.sentence.typed if s.type == "person"]
    named = any(best.span.start <= s.start and s.end <= best.span.end for s in names)
    organ = _ORGAN.search(question.flat)
    if named and organ and organ["name"] not in f"{best.sentence.flat} {best.sentence.context}":
        return True
    return not named and bool(_ASKS_HOLDER.search(question.flat)) and not 2 <= len(best.text) <= 4
