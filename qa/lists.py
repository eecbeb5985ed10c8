"""Lists whole and in order: items under a lead, a series 一是…二是…, the points of a section, a column, names in a grid."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from qa import tabular
from qa.candidates import DocumentSentences, Sentence
from qa.evidence import Choice, Proof, Reading
from qa.features import Pool, coverage
from qa.numbers import HAN_NUMERAL, from_han
from qa.question import Question
from qa.quoting import SHOWN_LIMIT, proof, size
from qa.words import flat

_SERIES = re.compile(rf"^[（(]?([{HAN_NUMERAL}]{{1,3}})(?:是|要|[)）])")
_NUMBERED = re.compile(
    rf"^\s*(?:[（(][{HAN_NUMERAL}\d]{{1,3}}[)）]|\d{{1,2}}\s*[.．、]|[{HAN_NUMERAL}]{{1,3}}(?:[、]|是|要))\s*"
)
_NUMBER = rf"(?P<n>[{HAN_NUMERAL}\d]{{1,3}})"
_POINT = re.compile(rf"\s*(?P<mark>[（(]?{_NUMBER}\s*(?:[)）]|、|是|要|[.．]))")
_NTH = re.compile(rf"(?:^|[：:；;，。])\s*(?P<mark>[第（(]?{_NUMBER}(?:是|[)）]))")
_FIRST = re.compile(r"[：:]\s*(?P<mark>[（(]一[)）])")
_PLAIN = str.maketrans("(（)）．", "（（））.")
_MANY = rf"[几两{HAN_NUMERAL}\d]+"
_ASKED_MANY = re.compile(rf"(?P<n>[两{HAN_NUMERAL}\d]+)(?:大|个|项|条|点|类|种|方面|方|样|家|处|份|位|名|所|部|件)")
_OPENING = re.compile(r"(?:报告|汇报|说明|通报|总结)如下[：:]$")  # what is under it is the whole report
_LACKS = "问题|困难|难处|难题|难点|毛病|短处|弱项|缺点|漏洞|不足|短板|薄弱|欠缺|差距|瓶颈"
_ADVICE, _NEXT = "建议|意见", "下一步|打算|今后|接下来"
_DONE, _GOT = "做法|措施|举措", "成效|成绩|成果|进展|亮点"
_SECTIONS = tuple(
    (
        re.compile(
            rf"(?:哪些|什么|啥|[哪有]{_MANY}[个方样条点项大类]?面?)[^，。？]{{0,6}}?(?:{asked})|(?:{asked})(?:主要)?(?:是|有|包括)*(?:哪|什么|啥)"
            rf"|(?:存在|面临|发现|查出)的?(?:{_MANY}[个项大类方]面?的?)?(?:主要|突出)?(?:{asked})[?？]?$"
        ),
        re.compile(heading),
    )
    for asked, heading in (
        # A heading that ends so, and not 切实解决突出问题, which is a measure.
        (_LACKS, rf"^(?!.*(?:解决|整治|破解|治理|聚焦|针对|回应)).*(?:{_LACKS})[^，。]{{0,3}}$"),
        (_ADVICE, rf"(?:{_ADVICE})[^，。]{{0,3}}$"),
        (_NEXT, rf"{_NEXT}|计划|安排"),
        (_DONE, rf"(?:{_DONE})[^，。]{{0,3}}$|主要工作|工作情况"),
        (_GOT, rf"(?:{_GOT})[^，。]{{0,3}}$"),
    )
)
_FRAME = re.compile(
    rf"{_LACKS}|{_ADVICE}|{_NEXT}|{_DONE}|{_GOT}|存在|面临|还有?|还存在|都有|具体|哪几个?|几个|主要|突出|工作|情况|眼下|目前|当前|现在|方面|几样|采取|取得|提|提出|发现|查出|看出|暴露|承认|自己|有|看|一步|[两{HAN_NUMERAL}\d]+(?:个|大|项|条|类|方面|样)?"
)
# Of the question, less the words that only ask, that title and heading hold: less where as many points are asked for.
LEAST_SHARE, LEAST_SHARE_COUNTED = 0.5, 0.25
WHOLE_ITEMS = 220  # characters up to which items are given to their first stop
LONGEST_SECTION = 100  # paragraphs


def gather(pool: Pool, best: Choice, documents: Callable[[str], DocumentSentences]) -> Reading | None:
    """All items in order: names in lines of nothing else, the points of a section, a column of a table, the items under a
    lead, or a series 一是…二是….

    None where the chosen span already lists them, or nothing around it is a list.
    """
    sentence = best.sentence
    if not sentence.document_id:
        return None
    view = documents(sentence.document_id)
    own = sentence.paragraph - 1
    if made := _names(view, own, sentence):
        return made
    if made := _section(pool, sentence, documents):
        return made
    if sentence.kind == "table" and (made := _column(pool, view.paragraph(own))):
        return made
    question = pool.asked.question
    leads = sentence.text.rstrip().endswith(("：", ":")) or bool(_FIRST.search(sentence.text))
    if question.kind == "person" or ("、" in best.text and not leads):
        return None
    if made := _inline(view.paragraph(own), sentence):
        return made
    items = _under_lead(view, own, sentence) or _series(view, own, sentence)
    if len(items) < 2 or (not leads and _asked_many(question) not in {None, len(items)}):
        return None
    heads = _said([s.text for s in items])
    answer = "；".join(heads)
    shown = sentence.text if sentence not in items else (items[0].lead or items[0].text)
    room = SHOWN_LIMIT - size(answer)
    return Reading(
        status="answered",
        made="list",
        answer=answer,
        sentence=shown if size(shown) <= room else "",
        proofs=_proofs([(s, 0) for s in items], heads),
    )


def _section(pool: Pool, best: Sentence, documents: Callable[[str], DocumentSentences]) -> Reading | None:
    """What the numbered points of a section say, where the question asks for all problems, measures or the like: its
    heading names them, and it or the title holds the rest of the question.

    Of several such sections in the documents found, that which holds most of the question; then the best sentence's own.
    """
    asked = pool.asked
    sought = next((heading for ask, heading in _SECTIONS if ask.search(asked.question.flat)), None)
    if sought is None:
        return None
    rest = [i for i, word in enumerate(asked.words) if not _FRAME.fullmatch(word)]
    many = _asked_many(asked.question)
    weight = sum(asked.weights[i] for i in rest)
    found: list[tuple[float, list[tuple[Sentence, int]]]] = []
    for name in dict.fromkeys([best.document_id, *(s.document_id for s in pool.sentences)]):
        view = documents(name)
        for i, paragraph in enumerate(view.document.paragraphs):
            made = view.paragraph(i) if paragraph.kind == "heading" else ()
            if not made or not sought.search(made[0].text):
                continue
            under = flat(f"{view.document.title} {' '.join(paragraph.headings)} {made[0].text}")
            home = pool.homes.get(view.document.source_id, "")
            if any(limit not in f"{under} {home}" for limit in asked.question.limits):
                continue  # of another year or place
            held = coverage(asked, under)
            share = sum(asked.weights[n] * held[n] for n in rest) / weight if rest else float(name == best.document_id)
            least = LEAST_SHARE_COUNTED if many else LEAST_SHARE
            points = _points(view, i, made[0].text) if share >= least else []
            if len(points) > 1 and many in {None, len(points)}:
                mine = 0.02 * (name == best.document_id) + 0.02 * (made[0].text in best.headings)
                found.append((share + mine, points))
    made_of = _listed(max(found, key=lambda f: f[0])[1]) if found else None
    return made_of if made_of and size(made_of.answer) <= SHOWN_LIMIT else None


def _asked_many(question: Question) -> int | None:
    """How many items the question says there are: 哪五个问题; None where it says no number above one."""
    found = [
        n for m in _ASKED_MANY.finditer(question.flat) if (n := 2 if m["n"] == "两" else from_han(m["n"])) and n > 1
    ]
    return found[-1] if found and question.wants_all else None


def _points(view: DocumentSentences, heading: int, text: str) -> list[tuple[Sentence, int]]:
    """The numbered points under a heading, each with where it begins in its sentence: paragraphs that begin （一）, or
    what 一是, 二是 … introduce, wherever in a sentence. A page's own line between them does not end the section; the next
    heading of its kind does."""
    paragraphs = view.document.paragraphs
    out: list[tuple[Sentence, int]] = []
    series, level = "", _kind(_POINT.match(text))
    for i in range(heading + 1, min(heading + 1 + LONGEST_SECTION, len(paragraphs))):
        if text.strip() not in paragraphs[i].headings and paragraphs[i].kind == "heading":
            made = view.paragraph(i)
            if not level or (made and _kind(_POINT.match(made[0].text)) == level):
                break
        for s in view.paragraph(i):
            found = [m] if s.position == 0 and (m := _POINT.match(s.text)) else list(_NTH.finditer(s.text))
            for mark in found:
                kind = _kind(mark)
                if from_han(mark["n"]) == len(out) + 1 and kind in {series or kind}:
                    series = kind
                    out.append((s, mark.start("mark")))
    return out


def _kind(mark: re.Match[str] | None) -> str:
    """What kind of number a mark is: （） of （三）, 是 of 三是, 、 of 三、; "" for none."""
    return mark["mark"].replace(mark["n"], "").strip().translate(_PLAIN) if mark else ""


def _listed(points: Sequence[tuple[Sentence, int]]) -> Reading:
    heads = [_head(s.text[at:]) for s, at in points]
    return Reading(
        status="answered",
        made="section",
        answer="；".join(heads),
        proofs=_proofs(points, heads),
    )


def _names(view: DocumentSentences, own: int, sentence: Sentence) -> Reading | None:
    """The names in the lines under the lead that the sentence is, or that it stands under."""
    ends = sentence.text.rstrip().endswith(("：", ":"))
    at = own + 1 if ends else own
    lines = [s for s in view.paragraph(at) if s.lead]
    if not lines or (ends and lines[0].lead != sentence.text):
        return None
    found = [(s, tabular.names(s, view.raw(s))) for s in lines]
    if not all(names for _, names in found):
        return None
    lead = lines[0].lead
    answer = "、".join(name for _, names in found for name in names)
    shown = lead if size(answer) + size(lead) <= SHOWN_LIMIT else ""
    return Reading(
        "answered", answer, shown, proofs=tuple(proof(s, 0, len(s.text), (0, len(s.text))) for s, _ in found)
    )


def _column(pool: Pool, rows: Sequence[Sentence]) -> Reading | None:
    """The cells of the column that the question names, in order."""
    found = tabular.column(pool.asked, rows)
    if len(found) < 2:
        return None
    answer = "、".join(s.text[span.start : span.end] for s, span in found)
    head = found[0][0].head
    return Reading(
        status="answered",
        made="list",
        answer=answer,
        sentence=head if size(answer) + size(head) <= SHOWN_LIMIT else "",
        proofs=tuple(proof(s, 0, len(s.text), (span.start, span.end)) for s, span in found),
    )


def _inline(paragraph: Sequence[Sentence], best: Sentence) -> Reading | None:
    """The items that a paragraph counts behind a colon, ：（一）…；（二）…, where the best sentence is their lead or one of them."""
    for n, s in enumerate(paragraph):
        first = _FIRST.search(s.text)
        if first is None:
            continue
        points = [(s, first.start("mark"))]
        for after in paragraph[n + 1 :]:
            mark = _POINT.match(after.text)
            if mark is None or from_han(mark["n"]) != len(points) + 1:
                break
            points.append((after, mark.start("mark")))
        if len(points) > 1 and any(best is one for one, _ in points):
            heads = _said([one.text[at:] for one, at in points])
            lead = s.text[: first.start("mark")]
            answer = "；".join(heads)
            return Reading(
                status="answered",
                made="list",
                answer=answer,
                sentence=lead if size(answer) + size(lead) <= SHOWN_LIMIT else "",
                proofs=_proofs(points, heads),
            )
    return None


def _said(items: Sequence[str]) -> list[str]:
    """What items say, their numbers left out: to their first stop where that is short enough, else what each is about."""
    whole = [re.split(r"[。；;]", _NUMBERED.sub("", item).strip())[0].strip("：: ") or item.strip() for item in items]
    return whole if sum(map(size, whole)) <= WHOLE_ITEMS else [_head(item) for item in items]


def _proofs(points: Sequence[tuple[Sentence, int]], heads: Sequence[str]) -> tuple[Proof, ...]:
    """A quote of each point, with where in its sentence what is said of it stands."""
    return tuple(
        proof(s, 0, len(s.text), (s.text.index(h, at), s.text.index(h, at) + len(h)))
        for (s, at), h in zip(points, heads, strict=True)
    )


def _head(item: str) -> str:
    """What an item is about: its words up to the first stop, its number left out."""
    bare = _NUMBERED.sub("", item).strip()
    cut_at = re.search(r"[。；;！]|(?<=.{12})[，：]", bare)
    return (bare[: cut_at.start()] if cut_at else bare).strip("，。；: ：") or item.strip()


def _under_lead(view: DocumentSentences, own: int, sentence: Sentence) -> list[Sentence]:
    """The items under the line ending in a colon that the sentence is, or that it stands under."""
    paragraphs = view.document.paragraphs
    start = own + 1 if sentence.text.rstrip().endswith(("：", ":")) else own
    if start == own:
        if not sentence.lead or sentence.position or _OPENING.search(sentence.lead):
            return []
        while start > 0 and view.paragraph(start - 1) and view.paragraph(start - 1)[0].lead == sentence.lead:
            start -= 1
    first = view.paragraph(start)
    lead = first[0].lead if first else ""
    items: list[Sentence] = []
    for i in range(start, len(paragraphs)):
        made = view.paragraph(i)
        if not made or made[0].lead != lead or not lead:
            break
        items.extend(made if paragraphs[i].kind == "table" else made[:1])
    return items


def lead_of(view: DocumentSentences, item: Sentence) -> Sentence | None:
    """The sentence ending in a colon that an item stands under; None where none above it is its lead."""
    for i in range(item.paragraph - 2, -1, -1):
        last = next(reversed(view.paragraph(i)), None)
        if last and last.text.endswith(("：", ":")):
            # a lead is the end of its paragraph, which may hold more than the sentence, or less of a long one
            return last if item.lead and (item.lead.endswith(last.text) or last.text.endswith(item.lead)) else None
    return None


def _series(view: DocumentSentences, own: int, sentence: Sentence) -> list[Sentence]:
    """The sentences that begin 一是, 二是, … around this one, in its paragraph and the paragraphs beside it."""
    mark = _SERIES.match(sentence.text)
    if not mark:
        return []
    kind = sentence.text[mark.end() - 1]
    near = [s for i in range(own - 6, own + 7) for s in view.paragraph(i) if s.headings == sentence.headings]
    series = [s for s in near if (m := _SERIES.match(s.text)) and s.text[m.end() - 1] == kind]
    at = series.index(sentence) if sentence in series else 0
    start = max((i for i in range(at + 1) if series[i].text.startswith(("一", "（一", "(一"))), default=at)
    out: list[Sentence] = []
    for s in series[start:]:
        if out and s.text.startswith(("一", "（一", "(一")) and not s.text.startswith(("一十",)):
            break
        out.append(s)
    return out
