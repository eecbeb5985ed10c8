"""The folded view of a text: what is compared and searched, with offsets back into the text as found.

Folding is for comparing only: NFKC, lower case, traditional to simplified characters, white space and invisible
characters dropped. Not on the stored text: "…" becomes three characters and every later offset would be wrong.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

# Zero width, bidi controls, variation selectors and tag characters are category Cf or Mn; NUL and friends are Cc.
# Neither holds the joiner, the Khmer vowels, the Hangul fillers and the Braille blank, which show as little.
_UNSEEN = frozenset(
    chr(c)
    for c in (
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
    )
)


def is_invisible(char: str) -> bool:
    """True for characters with no width and no meaning for a reader: format, control, private or unassigned."""
    return char in _UNSEEN or (not char.isspace() and unicodedata.category(char) in {"Cf", "Cc", "Cs", "Co", "Cn"})


@lru_cache(maxsize=65536)
def fold_char(char: str) -> str:
    """One character as compared: zero, one or several characters."""
    if char.isspace() or is_invisible(char):
        return ""
    folded = unicodedata.normalize("NFKC", char).lower().translate(_BRACKETS)
    return "".join(_simplified().get(c, c) for c in folded if not c.isspace())


# 〔2019〕, ［2019］ and (2019) are one writing; so are the dashes and the quotation marks that OCR swaps.
_BRACKETS = str.maketrans("〔〕［］【】—–－‐‑−“”„«»‘’", "()()()------" + '"""' + '""' + "''")


@lru_cache(maxsize=1)
def _simplified() -> dict[str, str]:
    """Traditional character -> simplified, single characters only, so that folding keeps offsets."""
    # OpenCC's own table, read as a file: asking its converter for each of 28,000 characters takes 0.2 s at every start.
    spec = find_spec("opencc")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("opencc-python-reimplemented is missing: install the package with its dependencies")
    table: dict[str, str] = {}
    characters = Path(spec.origin).parent / "dictionary" / "TSCharacters.txt"
    for line in characters.read_text(encoding="utf-8").splitlines():
        char, _, others = line.partition("\t")
        simplified = others.split(" ")[0]
        if len(char) == len(simplified) == 1 and char != simplified:
            table[char] = simplified
    return table


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text; ``offsets[i]`` is where character ``i`` came from, one more entry marks the end."""

    text: str
    offsets: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the text as found, of the folded stretch [start, end); end is after its last character."""
        return self.offsets[start], self.offsets[end - 1] + 1


def fold(text: str) -> str:
    """The text as compared; see the module."""
    return "".join(map(fold_char, text))


def folded(text: str, base: int = 0) -> Folded:
    """The text as compared, with offsets back; ``base`` is added to each of them."""
    out: list[str] = []
    offsets: list[int] = []
    for i, char in enumerate(text):
        piece = fold_char(char)
        out.append(piece)
        offsets.extend([base + i] * len(piece))
    offsets.append(base + len(text))
    return Folded("".join(out), tuple(offsets))


def locate(needle: str, haystack: Folded, start: int = 0) -> tuple[int, int] | None:
    """Where the needle first stands in the haystack, as offsets in the text as found; None if nowhere."""
    wanted = fold(needle)
    at = haystack.text.find(wanted, start) if wanted else -1
    return None if at < 0 else haystack.span(at, at + len(wanted))


def readable(text: str) -> str:
    """The text as quoted and shown: line breaks and padding between Han characters closed, invisibles dropped.

    Tabs and single spaces between Latin words stay; a page break inside a sentence is bridged.
    """
    out: list[str] = []
    gap = ""
    for char in text:
        if is_invisible(char):
            continue
        if char.isspace():
            gap = gap or ("\t" if char == "\t" else " ")
            continue
        if gap and out and (gap == "\t" or not (is_wide(out[-1]) or is_wide(char))):
            out.append(gap)
        gap = ""
        out.append(char)
    return "".join(out)


def is_wide(char: str) -> bool:
    """True for Han characters and the punctuation printed as wide as they are: no space belongs beside them."""
    return unicodedata.east_asian_width(char) in {"W", "F"} or char in "“”‘’—…·"
