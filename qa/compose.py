"""From chosen spans to an answer: a quote no longer than it need be, lists whole, yes or no, table cells, differences."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace

from qa.candidates import DocumentSentences, Sentence, Span, clean
from qa.evidence import Choice, Proof, Reading
from qa.features import Asked, Pool
from qa.numbers import HAN_NUMERAL, plain, value
from qa.words import FUNCTION, cut

ANSWER_LIMIT = 120
SHOWN_LIMIT = 290  # answer and sentence together; readers see 300 at most
QUOTE_LIMIT = 150
SECOND_LIMIT = 110

Documents = Callable[[str], DocumentSentences]

_SERIES = re.compile(rf"^[（(]?([{HAN_NUMERAL}]{{1,3}})(?:是|要|[)）])")
_NUMBERED = re.compile(
    rf"^\s*(?:[（(][{HAN_NUMERAL}\d]{{1,3}}[)）]|\d{{1,2}}\s*[.．、]|[{HAN_NUMERAL}]{{1,3}}(?:[、]|是|要))\s*"
)
_JOINED = re.compile(r"、|和|及|与|以及|；")
_DENIAL = re.compile(r"不得|不能|不准|不予|不再|不含|不|未|无(?!障碍|论)|没有|严禁|禁止|杜绝|取消")
_CHOICE_FORM = re.compile(
    r"是不是|能不能|可不可以|会不会|要不要|用不用|让不让|许不许|该不该|算不算|行不行|对不对|准不准|需不需要|有没有|不$"
)
_FIGURE_TYPES = frozenset({"number", "amount", "percent", "date", "duration", "time", "ordinal"})


def compose(pool: Pool, choices: Sequence[Choice], documents: Documents) -> Reading:
    """The answer that the choices give, best first; an empty Reading where there are none. Confidence is left at 0."""
    if not choices:
        return Reading()
    question = pool.asked.question
    best = choices[0]
    if question.kind == "yesno":
        return _second(pool, _yes_no(pool, choices), choices)
    if question.compute == "difference" and (made := _difference(pool, choices)):
        return made
    if "\t" in best.sentence.text and (made := _cell(pool, best)):
        return made
    if (question.wants_all or question.kind == "list") and (made := _list(pool, best, documents)):
        return made
    if made := _conflict(pool, choices):
        return made
    span = _widened(best)
    reading = _quoted(pool.asked, best.sentence, span)
    return _second(pool, _same_elsewhere(pool, choices, reading), choices)


# ---- one span ----


def _widened(choice: Choice) -> Span:
    """The span with the words that belong to it: 《》 and quotation marks closed, a figure with its qualifier."""
    text, span = choice.sentence.text, choice.span
    start, end = span.start, span.end
    for opening, closing in ("《》", "“”", "（）", "()"):
        said = text[start:end]
        if said.count(opening) > said.count(closing) and closing in text[end : end + 40]:
            end = text.index(closing, end) + 1
        elif said.count(closing) > said.count(opening) and opening in text[max(0, start - 40) : start]:
            start = text.rindex(opening, 0, start)
    if span.type in _FIGURE_TYPES:
        if match := re.match(r"(余|多|以上|以下|以内|左右)", text[end : end + 2]):
            end += len(match[0])
        if match := re.search(
            r"(不低于|不少于|不超过|不高于|不早于|不晚于|超过|至少|近|约)$", text[max(0, start - 3) : start]
        ):
            start -= len(match[0])
    return Span(start, end, span.type, span.unit)


def _quoted(asked: Asked, sentence: Sentence, span: Span, limit: int = QUOTE_LIMIT) -> Reading:
    """The span with the part of its sentence that proves it."""
    answer = sentence.text[span.start : span.end].strip()
    if len(answer) > ANSWER_LIMIT:
        span = Span(span.start, span.start + _clause_end(answer, ANSWER_LIMIT), span.type, span.unit)
        answer = sentence.text[span.start : span.end]
    limit = min(limit, SHOWN_LIMIT - _size(answer))
    start, end = window(asked, sentence, span.start, span.end, limit)
    return Reading(
        status="answered",
        answer=answer,
        sentence=sentence.text[start:end],
        proofs=(_proof(sentence, start, end, (span.start, span.end)),),
    )


def _clause_end(text: str, limit: int) -> int:
    at = max(text.rfind(c, 0, limit) for c in "。；，：、")
    return at if at > limit // 2 else limit


def _size(text: str) -> int:
    """Characters as compared: NFKC makes three of an ellipsis."""
    return len(unicodedata.normalize("NFKC", text))


def window(asked: Asked, sentence: Sentence, start: int, end: int, limit: int) -> tuple[int, int]:
    """The clauses around [start, end) that hold most of the question in at most ``limit`` characters (never less)."""
    if _size(sentence.text) <= limit:
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


def _proof(sentence: Sentence, start: int, end: int, answer: tuple[int, int] | None) -> Proof:
    low, high = sentence.source_span(start, end)
    return Proof(sentence.source_id, sentence.document_id, low, high, sentence.source_span(*answer) if answer else None)


def _second(pool: Pool, reading: Reading, choices: Sequence[Choice]) -> Reading:
    """The reading with the next best sentence beside it, where it is nearly as good and there is room."""
    room = min(SECOND_LIMIT, SHOWN_LIMIT - _size(reading.answer) - _size(reading.sentence) - 1)
    for choice in choices[1:3]:
        if room < 30 or choices[0].score - choice.score > 1.0 or choice.value < choices[0].value - 2.5:
            continue
        more = _quoted(pool.asked, choice.sentence, choice.span, room)
        if _size(more.sentence) <= room and more.proofs[0].start not in {p.start for p in reading.proofs}:
            return replace(
                reading, sentence=f"{reading.sentence} {more.sentence}", proofs=(*reading.proofs, *more.proofs)
            )
    return reading


# ---- yes or no ----


def _yes_no(pool: Pool, choices: Sequence[Choice]) -> Reading:
    """是 or 否 with the clause that decides: the two sides deny equally often or not."""
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
    denied = bool(_DENIAL.search(sentence.text[decisive[0] : decisive[1]]))
    asks_denial = bool(_DENIAL.search(_CHOICE_FORM.sub("", asked.question.flat)))
    word = "是" if denied == asks_denial else "否"
    clause = sentence.text[decisive[0] : min(decisive[1], decisive[0] + ANSWER_LIMIT - 4)]
    start, end = window(asked, sentence, *decisive, QUOTE_LIMIT)
    return Reading(
        status="answered",
        answer=f"{word}，{clause}",
        sentence=sentence.text[start:end],
        proofs=(_proof(sentence, start, end, decisive),),
    )


# ---- tables ----


def _cell(pool: Pool, choice: Choice) -> Reading | None:
    """The cell of the row whose column the question names; with the asked unit where the cell holds several figures."""
    row, head = choice.sentence, choice.sentence.head
    cells: list[tuple[int, int]] = []
    at = 0
    for cell in row.text.split("\t"):
        cells.append((at, at + len(cell)))
        at += len(cell) + 1
    names = [re.sub(r"\s", "", name) for name in head.split("\t")] if head else []
    if len(names) != len(cells):
        return None
    asked = pool.asked.question.flat
    matching = [(len(name), i) for i, name in enumerate(names) if i and name and name in asked]
    if not matching:
        return None
    low, high = cells[max(matching)[1]]
    figures = [s for s in row.typed if low <= s.start and s.end <= high]
    wanted = "percent" if pool.asked.question.kind == "percent" else None
    units = pool.asked.question.units
    chosen = next(
        (s for s in figures if (wanted and s.type == wanted) or (s.unit and s.unit in units)),
        figures[0] if figures else Span(low, high, "cell"),
    )
    reading = _quoted(pool.asked, row, chosen)
    return replace(
        reading,
        sentence=f"{names[max(matching)[1]]}：{reading.sentence}" if "\t" in reading.sentence else reading.sentence,
    )


# ---- lists ----


def _list(pool: Pool, best: Choice, documents: Documents) -> Reading | None:
    """All items in order: an enumeration inside the sentence, the items under a lead, or a series 一是…二是…."""
    if (
        best.span.type in {"enumeration", "clause", "tail"}
        and len(_JOINED.findall(best.text)) >= 1
        and "、" in best.text
    ):
        return None  # the span itself lists them
    if best.sentence.document_id == "":
        return None
    view = documents(best.sentence.document_id)
    own = best.sentence.paragraph - 1
    items = _under_lead(view, own, best.sentence) or _series(view, own, best.sentence)
    if len(items) < 2:
        return None
    lead = items[0].lead if best.sentence.text.rstrip().endswith(("：", ":")) or items[0].lead else ""
    heads = [_head(s.text) for s in items]
    answer = "；".join(heads)
    room = SHOWN_LIMIT - _size(answer)
    first = items[0]
    shown = best.sentence.text if best.sentence not in items else (lead or first.text)
    return Reading(
        status="answered",
        answer=answer,
        sentence=shown[: max(0, room)] if room >= 10 else "",
        proofs=tuple(
            _proof(s, 0, len(s.text), (s.text.index(h), s.text.index(h) + len(h)))
            for s, h in zip(items, heads, strict=True)
        ),
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
        if not sentence.lead:
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


# ---- several figures ----


def _difference(pool: Pool, choices: Sequence[Choice]) -> Reading | None:
    """a - b = c for the two figures that the question sets against each other; both are quoted."""
    found = [
        (c.sentence, s)
        for c in choices[:3]
        for s in [c.span, *c.others]
        if s.type in _FIGURE_TYPES and s.type != "date"
    ]
    for i, (one, a) in enumerate(found):
        for other, b in found[i + 1 :]:
            x, y = value(one.flat[a.start : a.end]), value(other.flat[b.start : b.end])
            if a.unit == b.unit and a.unit and x is not None and y is not None and x != y:
                high, low = max(x, y), min(x, y)
                answer = f"{plain(high - low)}{a.unit}（{plain(high)}－{plain(low)}）"
                first, second = _quoted(pool.asked, one, a, 110), _quoted(pool.asked, other, b, 110)
                if first.proofs[0].start == second.proofs[0].start:
                    return replace(first, answer=answer)
                return replace(
                    first,
                    answer=answer,
                    sentence=f"{first.sentence} {second.sentence}",
                    proofs=(*first.proofs, *second.proofs),
                )
    return None


def _same_elsewhere(pool: Pool, choices: Sequence[Choice], reading: Reading) -> Reading:
    """The reading with a proof of each other document that states the same."""
    best = choices[0]
    proofs = list(reading.proofs)
    wanted = "".join(best.text.split())
    for choice in choices[1:]:
        s = choice.sentence
        if s.document_id in {p.document_id for p in proofs} or len(wanted) < 2:
            continue
        at = s.text.find(best.text)
        if at >= 0 and _alike(pool.asked, best, choice) >= 0.5:
            start, end = window(pool.asked, s, at, at + len(best.text), QUOTE_LIMIT)
            proofs.append(_proof(s, start, end, (at, at + len(best.text))))
    return replace(reading, proofs=tuple(proofs))


def _alike(asked: Asked, one: Choice, other: Choice) -> float:
    """How far two sentences speak of the same: shared content words over those of the shorter, answers left out."""

    def said(choice: Choice) -> set[str]:
        low, high = window(asked, choice.sentence, choice.span.start, choice.span.end, 60)
        text = choice.sentence.flat
        words = cut(text[low : choice.span.start] + " " + text[choice.span.end : high])
        return {w for w, _ in words if w not in FUNCTION and not w[0].isdigit()}

    a, b = said(one), said(other)
    return len(a & b) / max(1, min(len(a), len(b)))


def _conflict(pool: Pool, choices: Sequence[Choice]) -> Reading | None:
    """Both values where two places state the same thing differently."""
    best = choices[0]
    if best.span.type not in _FIGURE_TYPES:
        return None
    for other in choices[1:]:
        if other.span.type != best.span.type or other.span.unit != best.span.unit:
            continue
        x, y = _bare(best), _bare(other)
        if x == y or x in y or y in x or _alike(pool.asked, best, other) < 0.6:
            continue
        if other.row[4] < best.row[4] - 0.05:  # covers less of the question
            continue
        first, second = (
            _quoted(pool.asked, best.sentence, _widened(best), 120),
            _quoted(pool.asked, other.sentence, _widened(other), 120),
        )
        return replace(
            first, status="conflict", answer=f"{first.answer}；{second.answer}",
            sentence=f"{first.sentence} {second.sentence}", proofs=(*first.proofs, *second.proofs),
        )  # fmt: skip
    return None


def _bare(choice: Choice) -> str:
    return "".join(choice.sentence.flat[choice.span.start : choice.span.end].split())


def quote(view: str, start: int, end: int) -> str:
    """The stretch of a source text as it is quoted."""
    return clean(view[start:end])[0]
