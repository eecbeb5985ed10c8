"""English questions: the Chinese words to search for, from a glossary of what gazettes speak of.

No translation: each English word or phrase known to english.tsv brings its Chinese words, figures stay, the rest is
left out. Enough to find the place; the answer is quoted in Chinese anyway.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

GLOSSARY = Path(__file__).with_name("english.tsv")
_LETTERS = re.compile(r"[a-z]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[a-z][a-z'-]*|\d[\d.,]*")
LONGEST = 5  # words of a phrase


def is_english(question: str) -> bool:
    """True where Latin letters far outnumber Han characters: RCEP是什么 is no English question."""
    letters, han = len(_LETTERS.findall(question.lower())), len(_HAN.findall(question))
    return letters >= 8 and letters > 6 * han


@lru_cache(maxsize=1)
def _glossary() -> dict[str, str]:
    lines = GLOSSARY.read_text(encoding="utf-8").splitlines()
    return {phrase: words for phrase, _, words in (line.partition("\t") for line in lines) if words}


def gloss(question: str) -> str:
    """The question's words in Chinese, spaces between, in order; figures and Han characters as they are."""
    table = _glossary()
    words = _WORD.findall(question.lower())
    out: list[str] = _HAN.findall(question)
    at = 0
    while at < len(words):
        for size in range(min(LONGEST, len(words) - at), 0, -1):
            phrase = " ".join(words[at : at + size])
            found = next((table[form] for form in _forms(phrase) if form in table), None)
            if found:
                out.append(found)
                at += size
                break
        else:
            if words[at][0].isdigit():
                out.append(words[at])
            at += 1
    return " ".join(out)


def _forms(phrase: str) -> tuple[str, ...]:
    """The phrase, and its last word without an ending: schools, buses, cities, parked, parking."""
    forms = [phrase]
    for ending, instead in (
        ("ies", "y"),
        ("es", ""),
        ("s", ""),
        ("ed", ""),
        ("ed", "e"),
        ("ing", ""),
        ("ing", "e"),
        ("'s", ""),
    ):
        if phrase.endswith(ending) and len(phrase) > len(ending) + 2:
            forms.append(phrase[: -len(ending)] + instead)
    return tuple(forms)
