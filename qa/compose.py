"""From chosen spans to an answer: one span, yes or no, a table's cell, a list, a difference, sources that differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from qa import lists, several, tabular
from qa.candidates import DocumentSentences, Sentence, Span, bigrams
from qa.evidence import Choice, Proof, Reading
from qa.features import Pool
from qa.question import Question
from qa.quoting import ANSWER_LIMIT, POST, QUOTE_LIMIT, SHOWN_LIMIT, after_label, proof, quoted, size, widened, window

SECOND_LIMIT = 110
TABLE_SURE = 0.5
NAMES = frozenset({"organisation", "place", "other"})
NO_CELL = frozenset({"person", "reason", "date", "procedure"})  # figures do not answer these

Documents = Callable[[str], DocumentSentences]

_FIELD = re.compile(r"[\u4e00-\u9fff]{1,8}\s*[：:]\s*([^：:，。；]{2,60})")
_ASKS_NAME = re.compile(r"叫(?:什么|啥)|名称|名字|[全简]称")
_IN_MARKS = re.compile(r"[（(“「](?:以下)?(?:简称|称为?)?[“「]?([\u4e00-\u9fff]{2,20})[）)”」]+$")
_MEANS = re.compile(
    r"(?P<term>[\u4e00-\u9fff]{2,12})[”」]?(?:制度|做法|机制)?[，,]?(?:(?:是|系)?指(?:的是)?|也?就是|即(?![将使可]))[:：，]?"
)
_CAUSE_BEHIND = re.compile(r"[，,]?(?:这|也|都)?是[^，。；]{1,14}?的?(?:主要|重要|直接|根本)?(?:原因|缘由)(?!是|在)")
_SOMEBODY = re.compile(r"[\u4e00-\u9fff]某某?")
_NO_VERB = "[^，。；：、了由对其为与和及经将被是让请任命]"
_HELD = re.compile(rf"(?:{_NO_VERB}{{1,20}}{POST.pattern}、)*{_NO_VERB}{{0,24}}{POST.pattern}$")
_GIVEN = re.compile(
    rf"(?:（[^（）]{{1,6}}）)?(?:同志)?(?:(?:担?任|当选)?为?(?<=[为任选])(?P<post>[^，。；、]{{0,30}}?{POST.pattern})(?![\u4e00-\u9fff])|的(?P<left>[^，。；]{{2,40}}?)职务)"
)
_CAUSE = re.compile(r"(?:主要)?(?:原因|理由|缘由)(?:主要)?(?:是|在于|为)(?:因为|由于)?|主要(?:是|在于)(?:因为|由于)?")
MEANING = frozenset({"definition", "other", "reason", "procedure"})  # 是怎么回事 and 是什么 ask for one, too
_DENIAL = re.compile(r"不得|不能|不准|不予|不再|不含|不|未|无(?!障碍|论)|没有|严禁|禁止|杜绝|取消")
_DENIES = re.compile(
    r"不得|不能|不准|不予|不应|不可|不再|不需|不必|不缴|不承担|无需|无须|严禁|禁止|取消|免除|免交|免收"
)
_RULING = re.compile(rf"{_DENIES.pattern}|应当|必须|可以|有权|准予|允许|予以|给予")
_CHOICE_FORM = re.compile(
    r"是不是|能不能|可不可以|会不会|要不要|用不用|让不让|许不许|该不该|算不算|行不行|对不对|准不准|需不需要|有没有|不$|没有?$"
)
_OR_NOT = re.compile(r"([\u4e00-\u9fff])不\1")  # 放不放假
_DENIED_NOUN = re.compile(r"(?:不|未|没|无|非)[^，,]{1,8}?的")
_MAY = re.compile(r"不?(?:能(?![力源量耗])|可以)")
_ASKS_DONE = re.compile(r"了(没|吗|么|没有)")
_UNDERWAY = re.compile(r"前期工作|申建|申报创建|谋划|力争|争取|拟建|规划建设")
_EXCEPTED = re.compile(r"([^，。；：]{2,30})除外")
_ASKS_PAY = re.compile(r"钱|费|掏|收款")
_FREE = re.compile(r"免费|免收|免交|免缴|免除|不收")


def compose(pool: Pool, choices: Sequence[Choice], documents: Documents) -> Reading:
    """The answer that the choices give, best first; an empty Reading where there are none. Confidence is left at 0."""
    if not choices:
        return Reading()
    question = pool.asked.question
    choices = [_named(choices[0], question), *choices[1:]]
    best = choices[0]
    if question.kind == "yesno":
        return _second(pool, _yes_no(pool, choices, documents), choices)
    if question.kind not in NO_CELL and (found := tabular.answer(pool)) and found.sureness >= TABLE_SURE:
        return replace(_from_table(pool, found), made="cell")
    if made := several.speaker(pool, documents):
        return replace(made, made="speaker")
    if question.compute == "difference" and (made := several.difference(pool, choices)):
        return replace(made, made="difference")
    if (question.wants_all or question.kind in {"list", "person"}) and (made := lists.gather(pool, best, documents)):
        return made
    if made := several.numbered(pool, best, documents):
        return replace(made, made="article")
    if made := several.dated(pool, best, documents):
        return replace(made, made="date")
    held = _post_of(best, question) if question.kind == "post" else None
    # A post is said in more or less full: 市政府副市长 and 市人民政府副市长 are one.
    if held is None and (
        made := several.conflict(pool, choices)
        or several.rival(pool, choices)
        or several.other_name(pool, choices)
        or several.other_words(pool, choices)
    ):
        return replace(made, made="conflict")
    field = _field(best)
    meaning = _meaning(best, question) if question.kind in MEANING else None
    cause = _cause(best) if question.kind == "reason" else None
    whole = field or meaning or cause or held
    if whole is None:
        whole = widened(
            best, question.flat, wants_all=question.wants_all, name=question.kind in NAMES, post=question.kind == "post"
        )
    reading = replace(quoted(pool.asked, best.sentence, whole), made="field" if field else "span")
    return _second(pool, several.same_elsewhere(pool, choices, reading), choices)


def _named(choice: Choice, question: Question) -> Choice:
    """The choice cut down to the name that it ends with in brackets or quotation marks, where a name is asked for."""
    text = choice.sentence.text
    end = choice.span.end + (text[choice.span.end : choice.span.end + 1] in {"）", ")", "”", "」"})
    inside = _IN_MARKS.search(text[choice.span.start : end]) if _ASKS_NAME.search(question.flat) else None
    if inside is None or inside.start() == 0:
        return choice
    start = choice.span.start + inside.start(1)
    return replace(choice, span=Span(start, start + len(inside[1]), "words"))


def _meaning(choice: Choice, question: Question) -> Span | None:
    """All that a sentence says a word of the question means, where the choice lies in it: 某某，是指|……的情形。"""
    text = choice.sentence.text
    for means in _MEANS.finditer(text):
        meant = means["term"][-3:] in question.flat or (question.kind == "definition" and "指" in means[0])
        if meant and choice.span.start >= means.end() - 1:
            return _to_the_end(text, means.end())
    return None


def _post_of(choice: Choice, question: Question) -> Span | None:
    """The post beside the name that the question says: 查办了|丰渚县柳林镇原镇长|邹某, 任命郑孝刚为|市政府副市长, 免去他的|…|职务."""
    sentence, text = choice.sentence, choice.sentence.text
    names = [(s.start, s.end) for s in sentence.typed if s.type == "person"]
    for start, end in sorted([*names, *(m.span() for m in _SOMEBODY.finditer(text))]):
        low = max((a for a, _ in sentence.clauses if a <= start), default=0)
        if text[start:end] not in question.flat:
            continue
        if given := _GIVEN.match(text, end):
            return Span(*given.span("post" if given["post"] else "left"), "words")
        if held := _HELD.search(text[:start], low):
            return Span(held.start(), held.end(), "words")
    return None


def _cause(choice: Choice) -> Span | None:
    """All that a sentence gives as the cause: 主要原因是|……, or ……|是推广难的主要原因."""
    text = choice.sentence.text
    if (behind := _CAUSE_BEHIND.search(text)) and behind.start() > 1:
        return Span(0, behind.start(), "clause") if behind.start() <= ANSWER_LIMIT else None
    cause = next(reversed(list(_CAUSE.finditer(text))), None)
    return _to_the_end(text, cause.end()) if cause else None


def _to_the_end(text: str, start: int) -> Span | None:
    """The rest of a sentence, less its stop; None where it is nothing or too long for an answer."""
    end = len(text.rstrip("。；"))
    return Span(start, end, "clause") if 1 < end - start <= ANSWER_LIMIT else None


def _field(choice: Choice) -> Span | None:
    """The value of a line like 电话：0417—2656109; None where the sentence is no such line."""
    match = _FIELD.fullmatch(choice.sentence.text)
    return Span(*match.span(1), "tail") if match else None


def _from_table(pool: Pool, found: tabular.Found) -> Reading:
    reading = quoted(pool.asked, found.row.sentence, found.span)
    head = found.row.sentence.head
    shown = f"{head} {reading.sentence}" if head and size(head) < 80 else reading.sentence
    return replace(reading, sentence=shown if size(shown) + size(reading.answer) <= SHOWN_LIMIT else reading.sentence)


def _second(pool: Pool, reading: Reading, choices: Sequence[Choice]) -> Reading:
    """The reading with the next best sentence beside it, where it is nearly as good and there is room."""
    room = min(SECOND_LIMIT, SHOWN_LIMIT - size(reading.answer) - size(reading.sentence) - 1)
    for choice in choices[1:3]:
        if room < 30 or choices[0].score - choice.score > 1.0 or choice.value < choices[0].value - 2.5:
            continue
        more = quoted(pool.asked, choice.sentence, choice.span, room)
        if size(more.sentence) <= room and more.proofs[0].start not in {p.start for p in reading.proofs}:
            return replace(
                reading, sentence=f"{reading.sentence} {more.sentence}", proofs=(*reading.proofs, *more.proofs)
            )
    return reading


# ---- yes or no ----


def _yes_no(pool: Pool, choices: Sequence[Choice], documents: Documents) -> Reading:
    """是 or 否 with the clause that decides: the two sides deny equally often or not.

    What rules is often not in the clause that names the matter: 专职消防队扑救火灾，不得收取任何费用; and an item of a
    list is ruled by the lead it stands under.
    """
    best = max(choices, key=lambda c: c.score)
    sentence = best.sentence
    clauses = sentence.clauses or [(0, len(sentence.text))]
    asked = pool.asked

    def matched(clause: tuple[int, int]) -> float:
        said = sentence.flat[clause[0] : clause[1]]
        return sum(w for word, w in zip(asked.words, asked.weights, strict=True) if word in said) + 0.2 * sum(
            w for gram, w in asked.grams.items() if gram in said
        )

    decisive = max(clauses, key=matched)
    if best.span.start < decisive[0] or best.span.end > decisive[1]:
        holding = [c for c in clauses if c[0] <= best.span.start < c[1]]
        if holding and matched(holding[0]) > 0.6 * matched(decisive):
            decisive = holding[0]
    rule = _rule(sentence.text[slice(*decisive)])
    lead: Sentence | None = None
    if rule is None:
        following = next((c for c in clauses if c[0] >= decisive[1]), None)
        if following and (rule := _rule(sentence.text[slice(*following)])) is not None:
            decisive = (decisive[0], following[1])
        elif sentence.kind == "item" and (rule := _rule(sentence.lead)) is not None:
            lead = lists.lead_of(documents(sentence.document_id), sentence)
            rule = rule if lead else None  # what cannot be quoted decides nothing
    denied = rule if rule is not None else bool(_DENIAL.search(sentence.text[slice(*decisive)]))
    decisive, denied = _turned(asked.question, sentence, decisive, rule, denied)
    decisive = (after_label(sentence.text, *decisive), decisive[1])
    asks_denial = bool(_DENIAL.search(_predicate(asked.question.flat)))
    word = "是" if denied == asks_denial else "否"
    ruling = re.split(r"[，,]", lead.text.rstrip("：: "))[-1] + "：" if lead else ""
    clause = sentence.text[decisive[0] : min(decisive[1], decisive[0] + ANSWER_LIMIT - 4 - len(ruling))]
    start, end = window(asked, sentence, *decisive, QUOTE_LIMIT)
    shown = sentence.text[start:end]
    proofs: tuple[Proof, ...] = (proof(sentence, start, end, decisive),)
    if lead:
        shown = f"{lead.text}{shown}" if size(lead.text) + size(shown) <= SHOWN_LIMIT - ANSWER_LIMIT else shown
        proofs = (proof(lead, 0, len(lead.text), None), *proofs)
    return Reading(status="answered", made="yesno", answer=f"{word}，{ruling}{clause}", sentence=shown, proofs=proofs)


def _turned(
    question: Question, sentence: Sentence, decisive: tuple[int, int], rule: bool | None, denied: bool
) -> tuple[tuple[int, int], bool]:
    """The deciding clause and whether it denies, where the rest of the sentence turns it: free of charge, not reached,
    excepted, or only under way."""
    if _ASKS_PAY.search(question.flat) and _FREE.search(sentence.text[decisive[0] :]):
        decisive, denied = (decisive[0], len(sentence.text)), True
    elif rule is None and not denied and (end := _fails(question, sentence, decisive[1])):
        decisive, denied = (decisive[0], end), True
    if rest := _excepted(question, sentence):
        decisive, denied = rest, not _rules_against(sentence.text[: rest[0]])
    if _ASKS_DONE.search(question.flat) and _UNDERWAY.search(sentence.text[slice(*decisive)]):
        denied = True
    return decisive, denied


def _fails(question: Question, sentence: Sentence, after: int) -> int:
    """Where a later clause ends that denies what the question asserts last (是否达标: 没有达到); 0 where none does."""
    asserted = _CHOICE_FORM.sub("", _predicate(question.flat)).rstrip("吗嘛么呢没不? ？")[-2:]
    for start, end in sentence.clauses:
        if start >= after and any(
            set(asserted) & set(sentence.flat[m.end() : m.end() + 3])
            for m in _DENIAL.finditer(sentence.flat, start, end)
        ):
            return end
    return 0


def _excepted(question: Question, sentence: Sentence) -> tuple[int, int] | None:
    """The clause that excepts what the question is about from what the sentence says, 导盲犬除外; None where none does."""
    for match in _EXCEPTED.finditer(sentence.text):
        named = bigrams(match[1]) & bigrams(question.flat)
        if any(pair not in sentence.flat[: match.start()] for pair in named):
            return match.span()
    return None


def _rules_against(text: str) -> bool:
    rule = _rule(text)
    return bool(_DENIAL.search(text)) if rule is None else rule


def _rule(text: str) -> bool | None:
    """Whether the last word of a stretch that rules (不得, 应当, 可以) denies; None where none does."""
    words = _RULING.findall(text)  # the last one is the predicate's: 未经批准的，不得…
    return bool(_DENIES.match(words[-1])) if words else None


def _predicate(question: str) -> str:
    """What a yes/no question asserts: its last clause from 能 on, without the form of asking and 不达标的 before a noun.

    没有证明还能卖吗 asks whether it may be sold, and denies nothing.
    """
    last = re.split(r"[，,]", question.rstrip("?？。!！ "))[-1]
    asserted = _DENIED_NOUN.sub("", _CHOICE_FORM.sub("", _OR_NOT.sub(r"\1", last)))
    may = [m.start() for m in _MAY.finditer(asserted)]
    return asserted[may[-1] :] if may else asserted
