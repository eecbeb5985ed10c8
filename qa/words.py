"""Words of a text and how rare they are: what coverage and soft matching count.

The table ships in models/words.tsv.gz (made by models/words.py). Cutting is the most probable split under it:
few, common words win over many rare ones.
"""

from __future__ import annotations

import gzip
import re
from functools import lru_cache
from pathlib import Path

from index.text import fold_char

TABLE = Path(__file__).with_name("models") / "words.tsv.gz"
LONGEST = 7
UNSEEN = 11.0  # rarity of a word that the counted text never shows: about log(60,000 pieces)
_RUN = re.compile(r"[\u3400-\u9fff]+|[a-z]+|\d+(?:\.\d+)?")

# Words that shape a question or a sentence and name nothing. 有限 and 可能 are not here: they can be the topic.
FUNCTION = frozenset(
    "的 了 是 在 和 与 及 或 对 对于 关于 由 被 把 将 为 以 于 从 向 到 按 按照 根据 就 都 也 还 又 再 才 等 等等 其 其中 该 此 这 那 这个 那个 "
    "这些 那些 有 个 吗 呢 吧 啊 呀 么 嘛 哪 哪个 哪些 哪里 哪儿 什么 啥 谁 怎么 怎样 怎么样 怎 样 咋 咋样 如何 多少 几 几个 多 多久 多长 多大 何 何时 何处 为何 "
    "为什么 为啥 是否 是不是 有没有 能不能 会不会 可不可以 请问 请 问 一下 告诉 我 你 他 她 它 我们 你们 他们 咱 咱们 俺 想 知道 "
    "一个 一共 总共 共 共有 分别 具体 到底 究竟 叫 叫做 称为 指 指的 是指 属于 哪年 哪天 时候 时间 之 所 而 且 并 并且 以及 及其 中 里 上 下 后 前 时 "
    "们 地 得 着 过 能 会 可以 可 要 应 应该 应当 需要 必须 不 没 没有 无 没 哪位 几 位 名 些 让 给 跟 用 去 来 说 做 干 多大 算 样 样的 事 事情 东西 情况 有关 相关 "
    "每 第 只 最 很 更 太 第几 里面 怎么办 多少钱 多少人 几次 几年 几人 哪一 一 二 两 三 哪 一年 关于 主要 包括 进行 内容 规定 这份 那份 这期 这部 这项 这种 那种 这样 那样 这么 那么 下去 上去 下来 起来 出来 进去".split()
)


@lru_cache(maxsize=1)
def _tables() -> tuple[dict[str, float], dict[str, float]]:
    """Word -> rarity, word -> formality."""
    with gzip.open(TABLE, "rt", encoding="utf-8") as lines:
        rows = [line.split("\t") for line in lines]
    return {word: float(weight) for word, weight, _ in rows}, {word: float(share) for word, _, share in rows}


def _table() -> dict[str, float]:
    return _tables()[0]


@lru_cache(maxsize=8192)
def _flat_char(char: str) -> str:
    piece = fold_char(char)
    return piece if len(piece) == 1 else (" " if char.isspace() else char)


def flat(text: str) -> str:
    """The text as compared, with as many characters as it had: width, case and script folded."""
    return "".join(map(_flat_char, text))


def rarity(word: str) -> float:
    """How rare a word is among passages: 0 for one in every passage, ``UNSEEN`` for one never counted."""
    if word in _table():
        return _table()[word]
    if word.isascii():
        return 6.0  # numbers and Latin words: telling, but the table cannot say how much
    return UNSEEN if len(word) > 1 else 5.0


def formality(word: str) -> float:
    """How much a word is one of printed text: 1 found only there, 0 only in everyday questions; 0.5 where unknown.

    A word of print that is missing from a place speaks against it; 娃 or 掏钱 missing says little.
    """
    # Few everyday questions were counted, so a word of both is already near 0.2 there.
    return min(1.0, 5.0 * _tables()[1].get(word, 0.2))


@lru_cache(maxsize=65536)
def _split(run: str) -> tuple[str, ...]:
    """One run of Han characters as words, by the cheapest path (a word costs its rarity and a constant)."""
    table = _table()
    best = [0.0] * (len(run) + 1)
    back = [0] * (len(run) + 1)
    for end in range(1, len(run) + 1):
        cost, at = best[end - 1] + 9.0, end - 1
        for start in range(max(0, end - LONGEST), end):
            word = run[start:end]
            weight = table.get(word)
            if weight is not None and best[start] + weight + 4.0 < cost:
                cost, at = best[start] + weight + 4.0, start
        best[end], back[end] = cost, at
    words: list[str] = []
    end = len(run)
    while end:
        words.append(run[back[end] : end])
        end = back[end]
    return tuple(reversed(words))


def cut(text: str) -> list[tuple[str, int]]:
    """Words of a flat text and where each begins; white space and punctuation are left out."""
    out: list[tuple[str, int]] = []
    for match in _RUN.finditer(text):
        at = match.start()
        if match[0][0].isascii():
            out.append((match[0], at))
            continue
        for word in _split(match[0]):
            out.append((word, at))
            at += len(word)
    return out


def content(words: list[str]) -> list[str]:
    """The words that name something, each once, in order."""
    return [w for w in dict.fromkeys(words) if w not in FUNCTION]
