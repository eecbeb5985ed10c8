"""Readers' words and the official words for them: what widens a search, and what the reader is shown of it.

The table is ``lay_words.tsv``, to be read and edited: one pair a line, ``lay``, ``official``, ``relation``, ``field``.
How it was chosen from a larger list stands in docs/retrieval-log.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from index.records import GazetteError
from index.text import fold

TABLE = Path(__file__).with_name("lay_words.tsv")
RELATION_WEIGHTS: Mapping[str, float] = {"same": 1.0, "narrower": 0.7, "broader": 0.7, "related": 0.5}
MOST = 8  # expansions of one question; a long one would otherwise drown in them


class BadVocabulary(GazetteError):  # noqa: N818 - it says what happened
    """A line of a vocabulary file that is not a pair of words."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """An official word that a reader's word stands for; ``weight`` is between 0 and 1."""

    lay: str
    official: str
    weight: float


@dataclass(frozen=True)
class Vocabulary:
    """Reader's word -> official words, all folded."""

    entries: Mapping[str, tuple[Expansion, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_longest", max(map(len, self.entries), default=0))

    def __len__(self) -> int:
        return sum(map(len, self.entries.values()))

    def expand(self, question: str) -> tuple[Expansion, ...]:
        """The expansions of a question in the order of its words; the longest word wins where two overlap.

        An official word that the question already says is left out, and each comes once.
        """
        text = fold(question)
        found: dict[str, Expansion] = {}
        at = 0
        while at < len(text):
            word = next(self._words_at(text, at), "")
            for expansion in self.entries.get(word, ()):
                if expansion.official not in text:
                    found.setdefault(expansion.official, expansion)
            at += max(1, len(word))
        return tuple(found.values())[:MOST]

    def _words_at(self, text: str, at: int) -> Iterator[str]:
        longest: int = self._longest  # type: ignore[attr-defined]
        return (
            text[at : at + length]
            for length in range(min(longest, len(text) - at), 1, -1)
            if text[at : at + length] in self.entries
        )


NO_VOCABULARY = Vocabulary()
"""Widens nothing."""


def read_vocabulary(path: Path) -> Vocabulary:
    """A vocabulary file: a header line, then ``lay``, ``official``, ``relation`` and what else, tabs between.

    Raises:
        BadVocabulary: naming file and line, if a line has fewer than three fields, an empty word or a relation other
            than those of ``RELATION_WEIGHTS``.
    """
    entries: dict[str, list[Expansion]] = defaultdict(list)
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()[1:], 2):
        if not line.strip():
            continue
        cells = line.split("\t")
        lay, official = (fold(cell) for cell in (*cells[:2], "", "")[:2])
        if len(cells) < 3 or not lay or not official or cells[2] not in RELATION_WEIGHTS:
            raise BadVocabulary(
                f"{path.name} 第 {number} 行：应为“口语词<tab>官方词<tab>关系”，关系是 {'、'.join(RELATION_WEIGHTS)} 之一：{line!r}"
            )
        entries[lay].append(Expansion(lay, official, RELATION_WEIGHTS[cells[2]]))
    return Vocabulary({lay: tuple(official) for lay, official in entries.items()})


@lru_cache(maxsize=1)
def shipped_vocabulary() -> Vocabulary:
    """The table that comes with the package."""
    return read_vocabulary(TABLE)
