"""Why nothing was found, in English: the one line of an abstention for an English page or question.

The reasons are made in Chinese where they arise; here stands each form of them, and a test asks questions until all
were met. Words of the gazette stay as they are printed.
"""

from __future__ import annotations

import re

from qa.numbers import from_han

_QUOTE = r"“(?P<{}>[^”]*)”"
_TITLE = "《(?P<title>.*?)》"
_ONE = _QUOTE.format("one")
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (
            r"您好，我是公报问答助手.*",
            "Hello! I answer only what the gazettes say, such as figures, dates, people, documents and articles, and quote "
            "the place.",
        ),
        (rf"公报中没有找到与{_ONE}有关的内容。", "Nothing about “{one}” was found in the gazettes."),
        (
            r"请问一个关于公报内容的问题，例如.*",
            "Please ask about something in the gazettes, for example “How many primary schools are there in the city?”.",
        ),
        (rf"公报没有{_ONE}的这项内容；", "The gazette says nothing of this kind about “{one}”."),
        (rf"公报未提到{_ONE}；", "The gazette does not mention “{one}”."),
        (rf"最接近的那期公报未提到{_ONE}；", "The nearest issue of the gazette does not mention “{one}”."),
        (
            rf"公报没有把{_ONE}与{_QUOTE.format('two')}放在一起说；",
            "The gazette does not speak of “{one}” and “{two}” together.",
        ),
        (r"公报中没有找到确切的回答；", "No definite answer was found in the gazettes."),
        (rf"公报中没有读作{_ONE}的名字。", "No name in the gazettes reads like “{one}”."),
        (r"最接近的内容在《(?P<title>.*)》。", "The nearest is in 《{title}》."),
        (
            rf"{_TITLE}共(?P<count>[^，。]+)条，没有第(?P<n>[^。]+)条。",
            "《{title}》 has {count} articles; there is no article {n}.",
        ),
        (
            rf"{_TITLE}第(?P<article>[^条]+)条共(?P<count>\d+)款，没有第(?P<n>\d+)款。",
            "Article {article} of 《{title}》 has {count} paragraphs; there is no paragraph {n}.",
        ),
        (
            rf"{_TITLE}第(?P<article>[^条]+)条没有第（(?P<n>[^）]+)）项。",
            "Article {article} of 《{title}》 has no item ({n}).",
        ),
        (
            r"找到的文字是写给语言模型的指令，不是公报的内容",
            "What was found is an order to a language model, not words of a gazette.",
        ),
        (r"问题是空的：请输入一个问题", "The question is empty: please ask one."),
        (
            r"问题有 (?P<n>\d+) 个字符，最多 (?P<most>\d+) 个：请缩短后再问",
            "The question has {n} characters, at most {most} are read: please shorten it.",
        ),
    )
)
_NUMBERS = frozenset({"count", "n", "article", "most"})


def in_english(reason: str) -> str:
    """The reason in English; one that no form fits is left as it is."""
    said: list[str] = []
    at = 0
    while at < len(reason):
        for pattern, words in _FORMS:
            if match := pattern.match(reason, at):
                said.append(
                    words.format(**{k: _figure(v) if k in _NUMBERS else v for k, v in match.groupdict().items()})
                )
                at = match.end()
                break
        else:
            return reason
    return " ".join(said)


def _figure(said: str) -> str:
    number = from_han(said)
    return said if number is None else str(number)
