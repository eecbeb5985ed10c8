"""Change a word beside an answer to one of its kind, so that the text does not answer the question any more.

高职毕业生就业率51.4% answers what is asked of 高职; with 中职 in its place it does not, and all but one word is as before.
Such twins teach a reader that every word of a question counts, which other passages, unlike it in many words, do not.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from functools import lru_cache

import numpy as np

from qa.features import WordRows
from qa.vocabulary import shipped_vocabulary
from qa.words import FUNCTION, cut, known_words, rarity

# Nearer words mean the same (竣工, 完工), farther ones are of another kind.
NEAREST, FARTHEST = 0.8, 0.38
COMMONEST, RAREST = 3.5, 10.0
ODDER = 1.5  # how much rarer the word put in may be: odd words would give the twin away
MOST = 8  # words of its kind
_PAIRS = tuple(
    group.split()
    for group in (
        "城镇 农村", "城市 乡村", "小学 初中 高中", "收入 支出", "公办 民办", "国有 民营", "赞成 反对 弃权", "同意 反对", "上升 下降",
        "增加 减少", "增长 下降", "计划 实际", "开工 竣工", "开工 完工", "进口 出口", "市级 县级 省级", "区级 市级", "批准 通过", "任命 免去", "原告 被告",
        "出席 缺席 列席", "上半年 下半年", "年初 年底", "男性 女性", "男 女", "单位 个人", "企业 个人", "法人 个人", "东部 西部", "南部 北部", "最高 最低",
        "一般 重大", "公共预算 基金预算", "中央 省级", "市长 副市长", "县长 副县长", "区长 副区长", "主任 副主任", "局长 副局长", "院长 副院长", "立案 结案",
        "受理 办结", "起诉 批捕", "一审 二审", "刑事 民事 行政", "民事 行政", "新建 改建 扩建", "新增 累计", "本科 专科", "高职 中职", "职工 居民", "门诊 住院",
        "生产 生活", "地表水 地下水", "空气 水质", "白天 夜间", "红色 橙色 黄色", "申请 批准", "设立 撤销", "提出 答复", "起草 审议", "乡镇 街道",
    )
)  # fmt: skip
_NUMERALS = "一二三四五六七八九"
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?=年)")
_LEVEL = re.compile(rf"第?[{_NUMERALS}](?=等奖|等|级|类|季度|批|组|次会议|届|条|款|期|号)")
_DIVISION = re.compile(r"[\u4e00-\u9fff]{2}(?=街道|[区县镇乡村])")
_NO_NAMES = re.compile(r"[全本我该各市省县区镇乡村社园城地山片小校新老辖农集两上下开发高新经济]")
_OF_NAMES = "清河安平江浦溪岭松泽兰桥石湖云阳柳林金沙白塔永宁双泉"


def twin(question: str, text: str, answer: str, rng: random.Random) -> tuple[str, str] | None:
    """A word of the question that the text has, and one of its kind that neither has; None where there is no such word.

    The answer's own words are never changed: what is asked for stays where it is, said of something else.
    """
    found = [pair for pair in _changes(question, text, rng) if pair[0] not in answer and pair[1] not in question + text]
    return rng.choice(found) if found else None


def _changes(question: str, text: str, rng: random.Random) -> list[tuple[str, str]]:
    out = []
    for year in set(_YEAR.findall(question)) & set(_YEAR.findall(text)):
        out.append((year, str(int(year) + rng.choice((-3, -2, -1, 1, 2)))))
    for level in set(_LEVEL.findall(question)):
        out.append((level, level[:-1] + rng.choice(_NUMERALS.replace(level[-1], ""))))
    for name in set(_DIVISION.findall(question)):
        if not _NO_NAMES.search(name):
            out.append((name, "".join(rng.sample(_OF_NAMES, 2))))
    for group in _PAIRS:
        for word in group:
            if word in question and not any(word in other and other in question for other in group if other != word):
                out.append((word, rng.choice([other for other in group if other != word])))
    words = {w for w, _ in cut(question) if w not in FUNCTION and len(w) > 1 and rarity(w) >= COMMONEST}
    for word in sorted(words):
        if word in text and (others := of_its_kind(word)):
            out.append((word, rng.choice(others)))
    return [(old, new) for old, new in out if old in text]


@lru_cache(maxsize=8192)
def of_its_kind(word: str) -> tuple[str, ...]:
    """Words as long as this one that begin or end as it does, near it in meaning and not the same; best first."""
    table, places = _kin()
    if word not in places:
        return ()
    near = table[word[0], ""] + table["", word[-1]]
    others = [w for w in near if len(w) == len(word) and w != word and rarity(w) <= rarity(word) + ODDER]
    if not others:
        return ()
    rows = _rows()
    cosines = rows(others) @ rows([word])[0]
    same = {e.official for e in shipped_vocabulary().expand(word)}
    order = np.argsort(-cosines, kind="stable")
    fit = [others[i] for i in order if FARTHEST <= cosines[i] <= NEAREST and others[i] not in same]
    return tuple(dict.fromkeys(fit))[:MOST]


@lru_cache(maxsize=1)
def _rows() -> WordRows:
    return WordRows()


@lru_cache(maxsize=1)
def _kin() -> tuple[dict[tuple[str, str], list[str]], frozenset[str]]:
    """Words by their first and by their last character, and all of them."""
    words = [
        w for w in known_words() if len(w) > 1 and w not in FUNCTION and COMMONEST <= rarity(w) <= RAREST
        and not re.search(rf"[{_NUMERALS}十百千万]", w)
    ]  # fmt: skip
    table: dict[tuple[str, str], list[str]] = defaultdict(list)
    for word in words:
        table[word[0], ""].append(word)
        table["", word[-1]].append(word)
    return table, frozenset(words)
