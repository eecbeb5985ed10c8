"""Answers that more than one place gives: who spoke, a difference of two figures, the same elsewhere, a conflict."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from qa.candidates import COUNTED, DocumentSentences, Sentence, Span
from qa.evidence import Choice, Reading
from qa.features import SENTENCE_FEATURES, Asked, Pool, coverage
from qa.numbers import HAN_NUMERAL, plain, value
from qa.priors import ASKS_DAY
from qa.quoting import QUOTE_LIMIT, proof, quoted, widened, window
from qa.words import FUNCTION, cut, flat

_DONE = re.compile(r"通过|批准|任命|免|定|表决|审议|召开|开会|开的|作出|公布|报告")
OWN, COVER = SENTENCE_FEATURES.index("cover"), SENTENCE_FEATURES.index("cover_all")
HELD = 0.5  # of the question's weight that both sides of a conflict must hold
ALIKE = 0.75  # of the words beside two values that must be the same
FRAME = 2  # words beside a value that say what it is of, at least
STRICT = 6  # characters next to two values that must be the same where neither was looked for
COMPARED = COUNTED | {"person"}
# By how much a rival may be worse: in the value of its span, and in how much of the question it holds.
RIVAL, LESS = 4.5, 0.25
FARTHEST = Decimal("1.25")  # of two figures that may be meant to be one
_ROUND = re.compile(r"约|近|余|多|左右|超|以[上下内]|半$")
_SCOPE = re.compile(
    r"计划|目标|预计|预期|概算|批复|力争|规划|其中|主?城区|农村|城镇|累计|新增|同比|上年|平均|人均|最[高低多少]|男|女|以来|原|调整|上半年|市本级|开工|竣工|户籍|常住|户口"
)
_RULES = r"[\u4e00-\u9fff]{1,10}(?:法|条例|办法|规定|规则)"
_CITED = re.compile(
    rf"(?P<law>《[^《》]{{2,40}}》|(?<=[照据反]){_RULES}|条例|办法|原)?第[{HAN_NUMERAL}\d]+条(?:之[{HAN_NUMERAL}])?(?:第[{HAN_NUMERAL}\d]+款)?"
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?=年)")
NAMED = 0.7  # of the question's weight that a title must hold for its speaker to be meant
_SPEAKS = re.compile(r"报告|汇报|说明|宣读|讲话|发言")
_SPEAKS_WORD = re.compile(
    r"^(报告|汇报|说明|宣读|作|作出|代表|副|市长|副市长|领导|主任|局长|秘书长|市政府|市人大常委会|人大常委会|人大|常委会|哪位|工作情况|会议|名字)$"
)


def speaker(pool: Pool, documents: Callable[[str], DocumentSentences]) -> Reading | None:
    """Who gave the report or explanation that the question names: the speaker under its title; None where no title fits."""
    question = pool.asked.question
    if question.kind != "person" or not _SPEAKS.search(question.flat):
        return None
    words = [(w, g) for w, g in zip(pool.asked.words, pool.asked.weights, strict=True) if not _SPEAKS_WORD.search(w)]
    if not words:
        return None
    best: tuple[float, DocumentSentences] | None = None
    for document_id in dict.fromkeys(s.document_id for s in pool.sentences):
        view = documents(document_id)
        title = flat(view.document.title)
        if view.document.speaker is None:
            continue
        held = sum(g for w, g in words if w in title) / sum(g for _, g in words)
        # of two titles that hold the words, the one with less besides; a kind of paper that is asked for by name
        kind = any(k in question.flat and view.document.kind == k for k in ("报告", "说明", "调查报告"))
        score = held + 0.1 * kind - 0.002 * len(title)
        if best is None or score > best[0]:
            best = (score, view)
    if best is None or best[0] < NAMED:
        return None
    view = best[1]
    wanted = "".join((view.document.speaker or "").split())
    for i, paragraph in enumerate(view.document.paragraphs[:8]):
        for sentence in view.paragraph(i):
            at = sentence.text.find(wanted)
            if at >= 0 and paragraph.kind != "title":
                return quoted(pool.asked, sentence, Span(at, at + len(wanted), "person"))
    return None


def dated(pool: Pool, best: Choice, documents: Callable[[str], DocumentSentences]) -> Reading | None:
    """The date under the title of the document that says what was done, where the sentence has none, or no day, of its own."""
    sentence = best.sentence
    if pool.asked.question.kind != "date" or not sentence.document_id:
        return None
    dayless = ASKS_DAY.search(pool.asked.question.flat) and not best.text.endswith(("日", "号"))
    if best.span.type in {"date", "time"} and not dayless:
        return None
    view = documents(sentence.document_id)
    if view.document.date is None or not _DONE.search(pool.asked.question.flat):
        return None
    for i in range(min(6, len(view.document.paragraphs))):
        for line in view.paragraph(i):
            span = next((s for s in line.figures if s.type == "date" and s.end - s.start >= 8), None)
            if span:
                first = quoted(pool.asked, line, span, 110)
                more = quoted(pool.asked, sentence, best.span, 110)
                return replace(
                    first, sentence=f"{first.sentence} {more.sentence}", proofs=(*first.proofs, *more.proofs)
                )
    return None


def numbered(pool: Pool, best: Choice, documents: Callable[[str], DocumentSentences]) -> Reading | None:
    """Which article says what the best sentence says, where that is asked: the one it cites, or its own, whose number may
    stand at the head of a paragraph above it."""
    sentence = best.sentence
    if pool.asked.question.kind != "article" or not sentence.document_id:
        return None
    cited = list(_CITED.finditer(sentence.text))
    if cited:
        of_law = [m for m in cited if m["law"] and m["law"].strip("《》") in pool.asked.question.flat]
        near = min(cited, key=lambda m: abs(m.start() - best.span.start))
        near = of_law[0] if of_law else cited[0] if cited[0].start() == 0 else near
        return quoted(pool.asked, sentence, Span(*near.span(), "article"))
    view = documents(sentence.document_id)
    for i in range(sentence.paragraph - 1, -1, -1):
        made = view.paragraph(i)
        if not sentence.article or not made or made[0].article != sentence.article:
            return None
        if label := _CITED.match(made[0].text):
            first = quoted(pool.asked, made[0], Span(*label.span(), "article"), 110)
            more = quoted(pool.asked, sentence, best.span, 110)
            return replace(first, sentence=f"{first.sentence} {more.sentence}", proofs=(*first.proofs, *more.proofs))
    return None


def difference(pool: Pool, choices: Sequence[Choice]) -> Reading | None:
    """a - b = c for the two figures said of the same thing that the question sets against each other; both are quoted."""
    best: tuple[float, Sentence, Span, Sentence, Span] | None = None
    found = [
        (c.sentence, s)
        for c in choices[:5]
        for s in c.sentence.figures
        if s.unit and s.type in {"number", "amount", "percent"}
    ]
    for i, (one, a) in enumerate(found):
        for other, b in found[i + 1 :]:
            if a.unit != b.unit or one.flat[a.start : a.end] == other.flat[b.start : b.end]:
                continue
            named = _common_end(one.flat[: a.start], other.flat[: b.start])
            held = sum(g for w, g in zip(pool.asked.words, pool.asked.weights, strict=True) if w in named)
            if held and (best is None or held > best[0]):
                best = (held, one, a, other, b)
    if best is None:
        return None
    _, one, a, other, b = best
    x, y = value(one.flat[a.start : a.end]), value(other.flat[b.start : b.end])
    if x is None or y is None or x == y:
        return None
    large = next((c for c in ("亿", "万") if c in one.flat[a.start : a.end] and c in other.flat[b.start : b.end]), "")
    scale = {"亿": 100_000_000, "万": 10_000}.get(large, 1)
    high, low = plain(max(x, y) / scale), plain(min(x, y) / scale)
    answer = f"{plain(abs(x - y) / scale)}{large}{a.unit.removeprefix(large)}（{high}－{low}）"
    first, second = quoted(pool.asked, one, a, 110), quoted(pool.asked, other, b, 110)
    if one is other:
        return replace(quoted(pool.asked, one, a), answer=answer)
    return replace(
        first, answer=answer, sentence=f"{first.sentence} {second.sentence}", proofs=(*first.proofs, *second.proofs)
    )


def _common_end(one: str, other: str) -> str:
    """The longest end that two texts share, twenty characters at most: what both figures are said of."""
    n = 0
    while n < min(len(one), len(other), 20) and one[-1 - n] == other[-1 - n]:
        n += 1
    return one[len(one) - n :]


def same_elsewhere(pool: Pool, choices: Sequence[Choice], reading: Reading) -> Reading:
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
            proofs.append(proof(s, start, end, (at, at + len(best.text))))
    return replace(reading, proofs=tuple(proofs))


def _alike(asked: Asked, one: Choice, other: Choice) -> float:
    """How far two sentences speak of the same: shared content words over those of the shorter, answers left out."""

    def said(choice: Choice) -> set[str]:
        low, high = window(asked, choice.sentence, choice.span.start, choice.span.end, 60)
        text = choice.sentence.flat
        return _said(text[low : choice.span.start] + " " + text[choice.span.end : high])

    a, b = said(one), said(other)
    return len(a & b) / max(1, min(len(a), len(b)))


def conflict(pool: Pool, choices: Sequence[Choice]) -> Reading | None:
    """Both values where two places state the same thing differently."""
    best = choices[0]
    if best.span.type not in COMPARED or (best.span.type == "number" and not best.span.unit):
        return None
    for other in choices[1:]:
        if other.span.type != best.span.type or other.span.unit != best.span.unit:
            continue
        x, y = _bare(best), _bare(other)
        if x == y or x in y or y in x or (best.sentence.article and other.sentence.article):
            continue  # each rule has its own day of force and fines
        same = (
            best.sentence.document_id != other.sentence.document_id
            and set(pool.unmet(other.index)) <= set(pool.unmet(best.index))
            and _same_slot(best.sentence, best.span, other.sentence, other.span)
        )
        if not same and (best.span.type == "person" or _alike(pool.asked, best, other) < 0.6):
            continue
        less = [other.row[n] < 0.5 * best.row[n] for n in (OWN, COVER)]
        if any(less) if same else other.row[COVER] < max(best.row[COVER] - 0.05, HELD):
            continue  # says less of what is asked
        return _both(
            quoted(pool.asked, best.sentence, widened(best), 120),
            quoted(pool.asked, other.sentence, widened(other), 120),
        )
    return _elsewhere(pool, best)


def rival(pool: Pool, choices: Sequence[Choice]) -> Reading | None:
    """Both values where another document says nearly the same value of the same thing in its own words: 4860万元 and 4680万元,
    9月28日 and 9月18日, 沈若槐 and 沈若淮. Values far apart are seldom of one thing, and years, plans or parts of a whole part them."""
    best = choices[0]
    for other in choices[1:]:
        x, y = _bare(best), _bare(other)
        if (
            other.sentence.document_id == best.sentence.document_id
            or (other.span.type, other.span.unit) != (best.span.type, best.span.unit)
            or (other.sentence.article and best.sentence.article)
            or x in y
            or y in x
            or best.value - other.value > RIVAL
            or other.row[COVER] < best.row[COVER] - LESS
            or set(pool.unmet(other.index)) - set(pool.unmet(best.index))
            or set(_SCOPE.findall(pool.asked.question.flat)) - set(_SCOPE.findall(other.sentence.flat))
            or not _nearly(best, other)
            or _apart(best.sentence, best.span, other.sentence, other.span)
        ):
            continue
        return _both(
            quoted(pool.asked, best.sentence, widened(best), 120),
            quoted(pool.asked, other.sentence, widened(other), 120),
        )
    return None


def _nearly(one: Choice, other: Choice) -> bool:
    """Whether two values differ as a slip of the pen does: a character of a name, month or day of a date, a quarter of a figure,
    or its digits in another order. A figure and its rounding do not differ."""
    x, y = _bare(one), _bare(other)
    if one.span.type == "date":
        years = [set(_YEAR.findall(text)) for text in (x, y)]
        months = [re.search(r"\d{1,2}月", text) for text in (x, y)]
        return all(months) and (not all(years) or years[0] == years[1])
    if one.span.type not in COUNTED:
        return len(x) == len(y) >= 3 and sum(a != b for a, b in zip(x, y, strict=True)) == 1
    a, b = value(x), value(y)
    if not a or not b or a == b or _ROUND.search(x) or _ROUND.search(y):
        return False
    return sorted(c for c in x if c.isdigit()) == sorted(c for c in y if c.isdigit()) or max(a, b) <= FARTHEST * min(
        a, b
    )


def _apart(one: Sentence, a: Span, other: Sentence, b: Span) -> bool:
    """Whether two values are of other years, or one is of a plan or a part and the other is not."""
    years = [set(_YEAR.findall(s.flat)) for s in (one, other)]
    if a.type != "date" and all(years) and not years[0] & years[1]:
        return True
    scopes = [set(_SCOPE.findall("".join(_beside(s, span)))) for s, span in ((one, a), (other, b))]
    return scopes[0] != scopes[1]


def _elsewhere(pool: Pool, best: Choice) -> Reading | None:
    """The best value beside the one that another document has in the same words, among all that was found."""
    wanted = _bare(best)
    for i, sentence in enumerate(pool.sentences):
        if sentence.document_id == best.sentence.document_id or (sentence.article and best.sentence.article):
            continue
        if set(pool.unmet(i)) - set(pool.unmet(best.index)):
            continue
        for span in sentence.typed:
            said = "".join(sentence.flat[span.start : span.end].split())
            if (span.type, span.unit) != (best.span.type, best.span.unit) or said in wanted or wanted in said:
                continue
            if _same_slot(best.sentence, best.span, sentence, span, STRICT):
                first, second = (
                    quoted(pool.asked, best.sentence, widened(best), 120),
                    quoted(pool.asked, sentence, span, 120),
                )
                return _both(first, second)
    return None


def _same_slot(one: Sentence, a: Span, other: Sentence, b: Span, joined: int = 2) -> bool:
    """Whether two spans stand in the same words: what is beside them in their clauses is the same next to them, for ``joined``
    characters, neither has a word of its own that the other lacks but for a quarter, and no two years differ.

    214处 and 241处 of 全市(已)建成农村集中供水工程…处 do; 甲区受灾群众1万人 and 乙区受灾群众2万人 do not.
    """
    left, right = zip(_beside(one, a), _beside(other, b), strict=True)
    edge = len(_common_end(*left)) + len(_common_end(right[0][::-1], right[1][::-1]))
    words = [_said(f"{x} {y}") for x, y in zip(left, right, strict=True)]
    years = [set(_YEAR.findall(f"{s.flat} {s.context}")) for s in (one, other)]
    if (
        edge < joined
        or min(map(len, words)) < FRAME
        or (a.type == "person" and not all(right))
        or (a.type != "date" and all(years) and not years[0] & years[1])
    ):
        return False
    return len(words[0] & words[1]) >= ALIKE * min(map(len, words))


def _beside(sentence: Sentence, span: Span) -> tuple[str, str]:
    """What stands before and behind a span in its clause, 24 and 16 characters at most."""
    low, high = next(((x, y) for x, y in sentence.clauses if x <= span.start < y), (0, len(sentence.text)))
    return (
        sentence.flat[max(low, span.start - 24) : span.start],
        sentence.flat[span.end : min(max(high, span.end), span.end + 16)],
    )


def _said(text: str) -> set[str]:
    return {w for w, _ in cut(text) if w not in FUNCTION and not w[0].isdigit()}


def other_name(pool: Pool, choices: Sequence[Choice]) -> Reading | None:
    """Both names where another document has one of the same length that differs in a single character, in like words."""
    best = choices[0]
    name = best.text
    if best.span.type in COUNTED or not 4 <= len(name) <= 12 or not re.fullmatch(r"[\u4e00-\u9fff]+", name):
        return None
    shapes = re.compile(
        "|".join(f"{re.escape(name[:i])}[\u4e00-\u9fff]{re.escape(name[i + 1 :])}" for i in range(len(name)))
    )
    for s in pool.sentences:
        if s.document_id == best.sentence.document_id:
            continue
        for m in shapes.finditer(s.text):
            shares = coverage(pool.asked, s.flat)
            held = sum(c * w for c, w in zip(shares, pool.asked.weights, strict=True)) / pool.asked.weight
            if m[0] == name or held < 0.3:
                continue
            return _both(
                quoted(pool.asked, best.sentence, best.span, 120),
                quoted(pool.asked, s, Span(m.start(), m.end(), "words"), 120),
            )
    return None


def other_words(pool: Pool, choices: Sequence[Choice]) -> Reading | None:
    """Both phrases where two documents say the same of one thing, and the phrases begin or end alike and differ."""
    best = choices[0]
    if best.span.type in COUNTED:
        return None
    for other in choices[1:]:
        x, y = _bare(best), _bare(other)
        if other.sentence.document_id == best.sentence.document_id or other.span.type in COUNTED:
            continue
        if x in y or y in x or min(len(x), len(y)) < 3 or not (x[:2] == y[:2] or x[-1] == y[-1]):
            continue
        if _alike(pool.asked, best, other) < 0.75 or other.row[COVER] < max(best.row[COVER] - 0.05, HELD):
            continue
        return _both(
            quoted(pool.asked, best.sentence, widened(best), 120),
            quoted(pool.asked, other.sentence, widened(other), 120),
        )
    return None


def _both(one: Reading, other: Reading) -> Reading:
    """A conflict of two readings, each with its proof."""
    return replace(
        one, status="conflict", answer=f"{one.answer}；{other.answer}", sentence=f"{one.sentence} {other.sentence}",
        proofs=(*one.proofs, *other.proofs),
    )  # fmt: skip


def _bare(choice: Choice) -> str:
    return "".join(choice.sentence.flat[choice.span.start : choice.span.end].split())
