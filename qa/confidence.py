"""How sure an answer is, whether to give it, and what to say when not.

The chance is a logistic function of signals: how well the scorers and the pointer liked the place, which words of the
question the place lacks, and what speaks against the answer by itself (a year or place it does not say, another type
or unit, no name where a person is asked for). models/calibrate.py fits it on questions written by reading, half of
them without an answer in their text; a simple form, as there are too few to learn more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from qa.candidates import ASKS_FIGURE
from qa.evidence import Choice, Reading
from qa.features import NEAR, SENTENCE_FEATURES, Matrix, Pool, coverage
from qa.fit import misfit
from qa.numbers import HAN_NUMERAL, from_han
from qa.question import Question
from qa.words import FUNCTION, cut, formality, rarity

MODELS = Path(__file__).with_name("models")
ONE_WORD = ASKS_FIGURE - {"date"} | {"person"}  # kinds whose questions are short and exact
# At most 8 % of the answerable questions may be refused. Left out in turn, calibrate.py's questions over other texts: 8 % of
# the answerable refused and 53 % of the others, most of which are twins of an answerable one; development 5 and 65 %.
THRESHOLD = 0.425
# The points of a section whose heading is what the question asks for do not depend on the best sentence: all 16
# such answers over made-up gazettes were right, and no question without an answer got one.
SECTION = 0.9
ONE_SPAN = frozenset({"span", "conflict"})
NO_ARTICLE = 0.3  # an article is asked for and none is given
MISFIT = 0.2  # the answer is plainly of another kind than is asked for
NOWHERE = -12.0  # the pointer's score where it saw nothing
COMMON = 9.0  # rarity beyond which a word is simply rare
_NAMED_POST = re.compile(
    r"长|主任|书记|主席|委员|经理|董事|主持|哪位|谁(担任|当|负责|牵头)|叫(什么|啥)|姓|名字|\bwho\b"
)
_ALIKE = (
    frozenset("个 人 名 位 人次".split()), frozenset("个 家 所 户 处 座 栋".split()), frozenset("个 件 项 起 次 条 例 批 批次 宗".split()),
    frozenset("元 万元 亿元 块".split()), frozenset("天 日 个工作日 工作日".split()), frozenset("小时 个小时 分钟".split()),
    frozenset("年 个月 月 天".split()), frozenset("个 辆 台 张 份 套 种 类 方面".split()),
)  # fmt: skip
_CLASSES = {
    "公司": r"公司|集团|企业", "企业": r"公司|集团|企业|厂", "银行": r"银行|信用社", "医院": r"医院|中心", "学校": r"学校|中学|小学|大学|学院",
    "大学": r"大学|学院", "路": r"路|街|道", "局": r"局|委|办", "法院": r"法院",
    "县": r"县", "镇": r"镇", "村": r"村", "海关": r"海关", "条例": r"条例", "报告": r"报告",
}  # fmt: skip
_REASON = re.compile(
    r"因|由于|为了|导致|不足|不够|不强|缺|无(?!障碍)|难以|原因|目的|以便|为.{4,}，|，为.{3,}|以(促进|保障|提高|加强|便)"
)
_WHEN = frozenset(
    "当时 现在 目前 下去 下来 起来 出来 早上 如今 眼下 今年 去年 明年 当年 本届 此次 本次 这次 上次 规定 要求".split()
)
# A gazette speaks of its own place, said or not.
_OWN_PLACE = frozenset(
    "全市 我市 本市 市里 全县 我县 本县 县里 全区 我区 本区 区里 全省 我省 本省 全州 我州 全旗 我旗 本地 当地".split()
)
_CHANGE = re.compile(r"增|减|提高|下降|降低|涨|降|同比|高于|低于|多于|少于|压缩|缩短|超过")
# Who acts besides persons by name: organs, and people by what they are.
_ACTS = re.compile(
    r"[局委办厅部院会府社站队处科所团]$|公司|集团|银行|中心|学校|政府|机构|机关|单位|部门|组织|企业|主体|[者人员户长民生师家]$|群众|代表|群体|对象|干部|班子|小组"
)
_LATIN = re.compile(r"\d+(?:\.\d+)?[a-z]?|[a-z]+\d*")
_ASKS_NAME = re.compile(r"哪(?!年|天|月|一年|一天)|谁|什么|啥")
_COUNTED = re.compile(rf"(?<!第)([{HAN_NUMERAL}\d]{{1,3}})(?:个|大|项|家|条|种|类|名|位|所|座)")


SIGNALS = (
    "score_gap", "value", "value_gap", "here", "here_gap", "pointed", "cover_all", "cover_paragraph", "soft", "in_passage", "longest",
    "lacking", "lacking_most", "absent", "head_lacking", "head_absent", "head_here", "elsewhere", "figures_lacking", "clause",
    "unmet", "other_type", "other_unit", "no_name", "other_class", "too_few", "no_cue", "no_sum", "one_word_off", "nothing", "figure_for_name",
    "figure_here", "figure_lacking", "figure_elsewhere", "yesno_here", "yesno_lacking", "yesno_elsewhere", "yesno_clause", "yesno_soft",
    "yesno_cover", "echo", "question_length", "answer_length", "yesno", "cell", "list", "field", "conflict",
)  # fmt: skip


def signals(pool: Pool, choices: Sequence[Choice], text: str, reading: Reading) -> Matrix:
    """(SIGNALS,) of a reading; ``text`` is its source, as compared, without white space."""
    best, question, asked = choices[0], pool.asked.question, pool.asked
    row = dict(zip(SENTENCE_FEATURES, map(float, best.row), strict=True))
    sentence, near, said = best.sentence, pool.near(best.index), reading.answer
    weight = asked.weight
    in_near = coverage(asked, near)
    lacking = [
        (word, w, 1.0 - _alike(pool, word, near))
        for word, w, held in zip(asked.words, asked.weights, in_near, strict=True)
        if held < 0.5 and word not in _OWN_PLACE
    ]
    own = f"{sentence.flat} {sentence.context}"
    in_own = coverage(asked, own)
    away = [
        (word, w)
        for word, w, held in zip(asked.words, asked.weights, in_own, strict=True)
        if held < 0.5 and word not in _OWN_PLACE
    ]
    heads = [w for w in (*asked.left[:1], *asked.right[:1]) if len(w) > 1]
    missing = {word: formality(word) for word, _, _ in lacking if not word.isascii()}
    clause = next(((a, b) for a, b in sentence.clauses if a <= best.span.start < b), (0, len(sentence.text)))
    in_clause = coverage(asked, sentence.flat[clause[0] : max(clause[1], best.span.end)])
    one_span = reading.made in ONE_SPAN
    rest = choices[1:]
    found: dict[str, float] = {
        "score_gap": best.score - (rest[0].score if rest else best.score - 3.0),
        "value": best.value,
        "value_gap": best.value - (rest[0].value if rest else best.value - 3.0),
        "here": best.here,
        "here_gap": best.here - max((c.here for c in rest), default=NOWHERE),
        "pointed": max(NOWHERE, best.pointed),
        **{name: row[name] for name in ("cover_all", "cover_paragraph", "soft", "in_passage", "longest")},
        "lacking": sum(formality(word) * w * far for word, w, far in lacking) / weight,
        "lacking_most": max((formality(word) * min(w, COMMON) for word, w in away), default=0.0),
        "absent": max((far * min(w, COMMON) for word, w, far in lacking if word not in text), default=0.0),
        "head_lacking": max((formality(w) for w in heads if w not in sentence.flat), default=0.0),
        "head_absent": max((formality(w) for w in heads if w in missing and w not in text), default=0.0),
        "head_here": float(bool(asked.left) and asked.left[0] in sentence.flat),
        # The gazette has the word, and not here: a reader's own word would be nowhere.
        "elsewhere": sum(w * (1.0 - _alike(pool, word, own)) for word, w in away if word in text) / weight,
        "figures_lacking": float(sum(t not in own for t in _LATIN.findall(question.flat))),
        "clause": sum(w * held for w, held in zip(asked.weights, in_clause, strict=True)) / weight,
        "unmet": min(2, len(pool.unmet(best.index))),
        "other_type": float(one_span and question.kind in ASKS_FIGURE and best.span.type not in asked.expected),
        "other_unit": float(one_span and question.is_count and _other_unit(question, best)),
        "no_name": _no_name(question, best) if one_span else 0.0,
        "other_class": float(one_span and _other_class(question, said)),
        "too_few": float(_too_few(question, said)),
        "no_cue": float(question.kind == "reason" and not _REASON.search(sentence.flat)),
        "no_sum": float(
            question.compute == "difference" and reading.made != "difference" and not _CHANGE.search(sentence.flat)
        ),
        "one_word_off": _one_word_off(missing, in_near)
        if one_span and not question.search and question.kind in ONE_WORD
        else 0.0,
        "nothing": float(row["cover_all"] < 0.2 and row["soft_all"] < 0.4),
        "figure_for_name": float(bool(_ASKS_NAME.search(question.flat)) and said[:1].isdigit()),
        "echo": float(one_span and said in question.flat),
        "question_length": float(len(question.flat)),
        "answer_length": float(len(said)),
        **{made: float(reading.made == made) for made in ("yesno", "cell", "list", "field", "conflict")},
    }
    # Figures are everywhere: where one is asked for, the words around it count for more.
    asks_figure = float(question.kind in ASKS_FIGURE)
    found |= {
        "figure_here": asks_figure * found["here"],
        "figure_lacking": asks_figure * found["lacking_most"],
        "figure_elsewhere": asks_figure * found["elsewhere"],
    }
    # A yes or no is read off any sentence, so how well it matches counts differently.
    yesno = found["yesno"]
    found |= {
        "yesno_here": yesno * found["here"],
        "yesno_lacking": yesno * found["lacking_most"],
        "yesno_elsewhere": yesno * found["elsewhere"],
        "yesno_clause": yesno * found["clause"],
        "yesno_soft": yesno * found["soft"],
        "yesno_cover": yesno * found["cover_all"],
    }
    return np.array([found[name] for name in SIGNALS], dtype=np.float32)


def _alike(pool: Pool, word: str, text: str) -> float:
    """Squared cosine of the nearest word of a text, 0 under ``NEAR``: 早上 beside 上午 is hardly missing."""
    words = [w for w, _ in cut(text) if w not in FUNCTION]
    if not words:
        return 0.0
    cosine = float((pool.words([word]) @ pool.words(words).T).max())
    return cosine**2 if cosine >= NEAR else 0.0


def _no_name(question: Question, best: Choice) -> float:
    """1 where the holder of a post is asked for and the answer is no name, 2 where the sentence has none either."""
    if question.kind == "person" and best.span.type == "cell" and best.span.end - best.span.start > 6:
        return 2.0  # the name of a row is no person
    if question.kind != "person" or best.span.type == "person":
        return 0.0
    if not _NAMED_POST.search(question.flat):
        return float(len(best.text) > 20 or not _ACTS.search(best.text))  # a long clause names nobody
    return 1.0 + (not any(s.type == "person" for s in best.sentence.typed))


def _one_word_off(missing: dict[str, float], shares: Sequence[float]) -> float:
    """How much a single word is missing where every other word of the question stands in the place as it is asked.

    全市高中阶段学校有多少所 beside 全市义务教育阶段学校: who says the rest in the gazette's words means this one, too.
    """
    if len(missing) != 1 or len(shares) < 3:
        return 0.0
    ((word, formal),) = missing.items()
    others = [c for c in shares if c >= 0.5]
    named = len(word) > 1 and rarity(word) >= 2.5 and word not in _WHEN
    return formal if named and len(others) == len(shares) - 1 and min(others) >= 0.8 else 0.0


def _other_unit(question: Question, best: Choice) -> bool:
    """Whether the answer counts something else than was asked for; 个, 人 and 名 count each other's things."""
    if not question.units or not best.span.unit:
        return bool(question.units) and question.kind in ASKS_FIGURE and not best.span.unit
    alike = next((group for group in _ALIKE if best.span.unit in group), frozenset({best.span.unit}))
    return not alike & set(question.units)


def _other_class(question: Question, said: str) -> bool:
    """Whether 哪家公司 is answered without a company: the class of thing that is asked for leaves its mark on a name."""
    marks = next((marks for noun, marks in _CLASSES.items() if question.focus.endswith(noun)), "")
    return (
        bool(marks)
        and question.kind in {"organisation", "place", "list", "document", "other"}
        and not re.search(marks, said)
    )


def _too_few(question: Question, said: str) -> bool:
    """Whether fewer than half as many items are given as the question says there are: 八大基地分别是哪八个."""
    counts = [n for m in _COUNTED.finditer(question.flat) if (n := from_han(m[1])) is not None and 2 < n < 100]
    return bool(counts) and question.wants_all and 2 * (len(re.findall(r"、|；|;|,|和|及", said)) + 1) < max(counts)


@lru_cache(maxsize=1)
def _weights() -> tuple[Matrix, Matrix]:
    fitted = load_file(MODELS / "confidence.safetensors")
    return fitted["weights"], fitted["curve"]


def score(rows: Matrix, weights: Matrix) -> Matrix:
    """(n,) log odds of rows of ``SIGNALS``; the last weight is the constant."""
    out: Matrix = (np.column_stack([rows, np.ones(len(rows))]) @ weights).astype(np.float32)
    return out


def probability(row: Matrix) -> float:
    """The calibrated chance that the answer with these signals is right."""
    weights, curve = _weights()
    odds = float(score(row[None], weights)[0])
    return float(1.0 / (1.0 + np.exp(-np.clip(curve[0] * odds + curve[1], -30.0, 30.0))))


def judge(reading: Reading, pool: Pool, choices: Sequence[Choice], text: str) -> Reading:
    """The reading with its confidence, or an abstention that says what is missing from the source ``text``."""
    if not choices or not reading.proofs:
        return Reading(reason=nothing_found(pool.asked.question))
    chance = SECTION if reading.made == "section" else probability(signals(pool, choices, text, reading))
    if pool.asked.question.kind == "article" and not re.search(r"第.+条", reading.answer):
        chance = min(chance, NO_ARTICLE)
    if reading.made in ONE_SPAN and misfit(pool.asked.question, choices[0], reading.answer):
        chance = min(chance, MISFIT)
    if chance >= THRESHOLD:
        return replace(reading, confidence=chance)
    return Reading(confidence=chance, reason=_missing(pool, choices[0], text))


def nothing_found(question: Question) -> str:
    """The reason where no passage has anything to do with the question."""
    about = "、".join(question.topics[:4])
    return (
        f"公报中没有找到与“{about}”有关的内容。" if about else "请问一个关于公报内容的问题，例如“全市有多少所小学？”。"
    )


def _missing(pool: Pool, best: Choice, text: str) -> str:
    """One line: what the question says that the nearest place does not, and whether the gazette says it at all."""
    shares = coverage(pool.asked, pool.near(best.index))
    pairs = list(zip(pool.asked.words, shares, strict=True))
    unmet = pool.unmet(best.index)
    lacking = sorted(
        (w for w, c in pairs if c < 0.5 and len(w) > 1 and formality(w) >= 0.3 and not w.isascii()),
        key=lambda w: -formality(w) * rarity(w),
    )
    held = sorted((w for w, c in pairs if c >= 0.5 and len(w) > 1), key=lambda w: -rarity(w))
    nearest = f"最接近的内容在《{best.sentence.document}》。" if best.sentence.document else ""
    # Of several gazettes only the nearest was looked through: what it lacks, another may have.
    whose = "公报" if len({s.source_id for s in pool.sentences}) == 1 else "最接近的那期公报"
    if unmet:
        return (
            f"公报没有“{unmet[0]}”的这项内容；{nearest}"
            if unmet[0] in text
            else f"{whose}未提到“{unmet[0]}”；{nearest}"
        )
    absent = [w for w in lacking if w not in text]
    if absent:
        return f"{whose}未提到“{absent[0]}”；{nearest}"
    if lacking and held:
        return f"公报没有把“{lacking[0]}”与“{held[0]}”放在一起说；{nearest}"
    return f"公报中没有找到确切的回答；{nearest}"
