"""Texts to the numbers of their words: the very ones that the shipped tokenizer gives, in less than half of its time.

The tokenizer parts a text at white space, digits and punctuation and cuts each piece by itself. So a piece that was met
before, as those of titles and set phrases were, is not cut again, and a passage is cut once for itself and with its
title before it. Parting is done here, by the tokenizer's own rules, asked once for each character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Numbers: TypeAlias = npt.NDArray[np.uint16]

_KEPT = 40_000  # pieces, of some 250 bytes; ten times as many are hardly met more often
_LINE = 64  # pieces handed over as one text: each by itself takes twice the time
_MARK = "。"  # stands between them; punctuation is a piece of its own, so no other holds it

# What a character that parts texts, or may, becomes while a text is parted; pieces stand between spaces.
_ODD = "\x00"  # may merge with its neighbours when it is folded: such a text is left to the tokenizer
_BLANK = "\n"  # white space: it parts only what is on both sides neither Han nor punctuation
_OTHER = "\x01"  # on both sides of what is neither
_PARTING = re.compile(f"{_OTHER}{_BLANK}+{_OTHER}")


class Cutter:
    """Cuts texts into the words of a tokenizer; safe to use from several threads."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        from tokenizers import Tokenizer, pre_tokenizers

        self._normalizer, self._parter = tokenizer.normalizer, tokenizer.pre_tokenizer
        self._of_pieces = Tokenizer(tokenizer.model)  # both hold the one model
        self._of_pieces.pre_tokenizer = pre_tokenizers.Split(_MARK, "isolated")
        self._mark = self._of_pieces.encode(_MARK, add_special_tokens=False).ids[0]
        self._characters = _Characters(tokenizer)
        self._known = self._nothing_but_marks()

    def _nothing_but_marks(self) -> dict[str, bytes]:
        return {"": b"", _MARK: np.uint16(self._mark).tobytes()}

    def cut(self, texts: Sequence[str]) -> tuple[Numbers, npt.NDArray[np.intp]]:
        """The numbers of all texts' words one after the other, and how many each text has."""
        parted = [self._pieces(text) for text in texts]
        known = self._known
        if len(known) > _KEPT:
            known = self._known = self._nothing_but_marks()  # another thread may still read the old ones
        if new := [piece for piece in dict.fromkeys(chain.from_iterable(parted)) if piece not in known]:
            known.update(zip(new, self._cut_pieces(new), strict=True))
        rows = [b"".join(map(known.__getitem__, pieces)) for pieces in parted]
        return np.frombuffer(b"".join(rows), np.uint16), np.array([len(row) // 2 for row in rows], np.intp)

    def _pieces(self, text: str) -> list[str]:
        """The pieces of a text, folded, and empty ones."""
        marked = text.translate(self._characters)
        if _ODD in marked:
            return [piece for piece, _ in self._parter.pre_tokenize_str(self._normalizer.normalize_str(text))]
        if _OTHER in marked:
            marked = _PARTING.sub(" ", marked).replace(_OTHER, "")
        return marked.replace(_BLANK, "").split(" ")

    def _cut_pieces(self, pieces: Sequence[str]) -> list[bytes]:
        lines = [_MARK.join(pieces[at : at + _LINE]) + _MARK for at in range(0, len(pieces), _LINE)]
        cut = self._of_pieces.encode_batch_fast(lines, add_special_tokens=False)
        numbers = np.fromiter(chain.from_iterable(line.ids for line in cut), np.uint16)
        ends = np.flatnonzero(numbers == self._mark).tolist()
        data = numbers.tobytes()
        return [data[2 * before + 2 : 2 * end] for before, end in pairwise([-1, *ends])]


class _Characters(dict[int, str]):
    """Code point -> what it becomes when a text is parted, found when it is first met."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._fold, self._part = tokenizer.normalizer.normalize_str, tokenizer.pre_tokenizer.pre_tokenize_str

    def __missing__(self, code: int) -> str:
        char = chr(code)
        blank = len(self._part(f"中{char}中")) == 2
        found = self[code] = _BLANK if blank else "".join(map(self._becomes, self._fold(char)))
        return found

    def _becomes(self, char: str) -> str:
        """What a folded character becomes."""
        kind = unicodedata.category(char)[0]
        other = self._fold(f"a {char}") == f"a {char}"  # Han and punctuation drop the space
        if kind not in "PSN" and not (kind == "L" and (char.isascii() or not other)):
            return _ODD
        if len(self._part(f"中{char}中")) == 3:
            return f" {char} "
        return f"{_OTHER}{char}{_OTHER}" if other else char
