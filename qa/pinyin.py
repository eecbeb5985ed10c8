"""Names in Latin letters: Zhang Ming -> 张鸣, where the gazette at hand has such a name.

A syllable stands for many characters, so nothing is guessed: the index is searched for every way of writing the name,
and what stands in the passages found is the name. ``pinyin.tsv`` has the characters of GB 2312 by syllable, the
frequent ones of official texts first (made with pypinyin).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise, product
from pathlib import Path
from typing import TYPE_CHECKING

from index.names import FAMILY_NAMES
from qa.words import cut, flat

if TYPE_CHECKING:
    from index.records import Filter
    from index.store import Index

TABLE = Path(__file__).with_name("pinyin.tsv")
MOST_TERMS = 1200  # pairs of characters looked for; of a long list the rare characters are left out
POOL = 40  # passages looked through
MOST_SYLLABLES = 6
_DOUBLE = frozenset(
    "ouyang sima shangguan zhuge dongfang huangfu weichi gongsun murong linghu situ xiahou puyang duanmu".split()
)
_UMLAUT = str.maketrans("üǖǘǚǜ", "vvvvv")


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    rows = (line.split("\t") for line in TABLE.read_text(encoding="utf-8").splitlines())
    table = dict(rows)
    # lyu and nyu are how passports write lü and nü; many write lu and nu.
    for initial in "ln":
        table[initial + "yu"] = table[initial + "v"]
        table[initial + "u"] += table[initial + "v"]
    return table


def syllables(word: str) -> tuple[str, ...]:
    """A word of Latin letters as pinyin syllables, the fewest that make it up; empty where it is none: Xiaoming -> xiao, ming."""
    if len(parts := re.split("['’-]", word)) > 1:  # Xi'an
        spelt = [syllables(part) for part in parts]
        return tuple(sound for part in spelt for sound in part) if all(spelt) else ()
    letters = word.lower().translate(_UMLAUT)
    best: list[tuple[str, ...] | None] = [()] + [None] * len(letters)
    for end in range(1, len(letters) + 1):
        for start in range(max(0, end - 6), end):
            before, piece = best[start], letters[start:end]
            if before is None or piece not in _table():
                continue
            if best[end] is None or len(before) + 1 <= len(best[end] or ()):
                best[end] = (*before, piece)  # of two ways with as many, the longer first syllable: xian, not xi an
    return best[-1] or ()


def names_in(index: Index, words: Sequence[str], where: Filter | None = None, *, most: int = 2) -> list[str]:
    """The names in the gazettes that read like these words, one after the other, most frequent first.

    Family name first, as Zhang Ming, or last, as Ming Zhang; also a place, as Yingkou.
    """
    spelt = [syllables(word) for word in words]
    if len(spelt) == 2 and len(spelt[0]) == 2 and len(spelt[1]) == 1 and not _family(words[0]):
        spelt.reverse()
    sounds = [sound for part in spelt for sound in part]
    if not all(spelt) or not 2 <= len(sounds) <= MOST_SYLLABLES:
        return []
    person = len(spelt) > 1 and len(sounds) <= 4
    return _found(index, [_table()[sound] for sound in sounds], person, where, most)


def _family(word: str) -> bool:
    """Whether it is a family name of two characters: Ouyang comes first, Weisong last."""
    return word.lower() in _DOUBLE


def _found(index: Index, letters: Sequence[str], person: bool, where: Filter | None, most: int) -> list[str]:
    if person:
        letters = ["".join(c for c in letters[0] if c in FAMILY_NAMES), *letters[1:]]
        if not letters[0]:
            return []
    pairs = list(_pairs(letters))
    passages = index.lexical([(pair, 1.0) for pair in pairs], POOL, *(() if where is None else (where,)))
    name = re.compile(r"\s?".join(f"[{re.escape(some)}]" for some in letters))
    counted: Counter[str] = Counter()
    for hit in passages:
        text = flat(f"{hit.passage.context}\n{hit.passage.text}")
        edges = {at for word, at in cut(text)} | {at + len(word) for word, at in cut(text)}
        for match in name.finditer(text):
            # 规章|明确 holds no 章明; the cutter knows no names, so one edge of the two will do for most
            sound = (match.start() in edges) + (match.end() in edges)
            if sound:
                counted["".join(match[0].split())] += sound
    return [word for word, _ in counted.most_common(most)]


def _pairs(letters: Sequence[str]) -> Iterator[str]:
    """Every two neighbouring characters that the name may have, at most ``MOST_TERMS`` in all."""
    room = MOST_TERMS // (len(letters) - 1)
    for left, right in pairwise(letters):
        side = int(room**0.5)
        a = left[: max(side, room // max(1, len(right)))]
        b = right[: max(1, room // max(1, len(a)))]
        yield from ("".join(pair) for pair in product(a, b))
