"""Terms and BM25."""

from __future__ import annotations

import random
import re
from collections import Counter
from math import log
from pathlib import Path

import pytest

from index.lexical import LexicalIndex, LexicalWriter, joined_terms, terms
from index.records import Document, Filter, Gazette, Passage, Source
from index.store import Index


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("义务教育", ["义务", "务教", "教育"], id="bigrams"),
        pytest.param("所", ["所"], id="a lone character stands for itself"),
        pytest.param("李 强", ["李强"], id="name padded with a space"),
        pytest.param("李\u3000强", ["李强"], id="name padded with an ideographic space"),
        pytest.param("就市人\n\n大常委会", ["就市", "市人", "人大", "大常", "常委", "委会"], id="cut by a page"),
        pytest.param("206所", ["206", "所"], id="digits are a term"),
        pytest.param("增长8.5%", ["增长", "8.5"], id="decimals stay together"),
        pytest.param("12,000名", ["12000", "名"], id="thousands separators go"),
        pytest.param("１２，０００名", ["12000", "名"], id="full width digits and comma"),
        pytest.param("〔2019〕", ["2019"], id="brackets are not searched"),
        pytest.param("GDP ＧＤＰ gdp", ["gdp", "gdp", "gdp"], id="width and case"),
        pytest.param("open data", ["open", "data"], id="a space parts Latin words"),
        pytest.param("二〇二一年", ["二〇", "〇二", "二一", "一年"], id="the circle is a numeral"),
        pytest.param("義務教育", ["义务", "务教", "教育"], id="traditional characters"),
        pytest.param("教\u200b育", ["教育"], id="zero width space"),
        pytest.param("，。！", [], id="punctuation alone"),
        pytest.param("", [], id="nothing"),
        pytest.param("a" * 70000, ["a" * 64], id="a word longer than the engine takes"),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def _passages(*texts: str) -> list[Passage]:
    return [Passage(f"p{i}", "s", "d", "", (), 0, len(text), text) for i, text in enumerate(texts)]


def _index(folder: Path, passages: list[Passage]) -> LexicalIndex:
    document, gazette = Document("d", "s", 1, "", "报告", 0, 1), Gazette("s", "公报")
    writer = LexicalWriter(folder)
    for key, passage in enumerate(passages):
        writer.add(key, passage, document, gazette)
    writer.finish()
    return LexicalIndex(folder)


def test_bm25_equals_a_plain_loop(tmp_path: Path) -> None:
    """Scores as in Robertson et al., with the engine's k1 = 1.2 and b = 0.75."""
    texts = ["教育经费增长", "教育教育教育", "经费 2021 年", "交通", "关于教育经费的决定和说明以及其他事项"]
    index = _index(tmp_path / "lexical", _passages(*texts))
    bags = [Counter(terms(text)) for text in texts]
    lengths = [sum(bag.values()) for bag in bags]
    mean = sum(lengths) / len(lengths)
    query = [("教育", 1.0), ("经费", 2.0), ("没有", 1.0)]
    expected: dict[int, float] = {}
    for term, weight in query:
        having = sum(term in bag for bag in bags)
        idf = log(1 + (len(bags) - having + 0.5) / (having + 0.5))
        for key, (bag, length) in enumerate(zip(bags, lengths, strict=True)):
            if tf := bag[term]:
                saturated = tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length / mean))
                expected[key] = expected.get(key, 0.0) + weight * idf * saturated
    found = index.search(query, 10, Filter())
    assert [key for key, _ in found] == sorted(expected, key=lambda key: -expected[key])
    assert [score for _, score in found] == pytest.approx(sorted(expected.values(), reverse=True), rel=1e-5)


def test_terms_made_elsewhere_and_a_writer_let_go_of(tmp_path: Path) -> None:
    passage, document, gazette = _passages("教育经费")[0], Document("d", "s", 1, "", "报告", 0, 1), Gazette("s", "公报")
    for text, finished in (("没有写完", False), ("渔业产值", True)):
        writer = LexicalWriter(tmp_path / "lexical")
        writer.add(7, passage, document, gazette, joined_terms(text))
        if finished:
            writer.finish()
        writer.close()  # the next one may write at once
        writer.close()
    index = LexicalIndex(tmp_path / "lexical")
    found = {term: [key for key, _ in index.search([(term, 1.0)], 5, Filter())] for term in ("渔业", "教育", "没有")}
    assert found == {"渔业": [7], "教育": [], "没有": []}


@pytest.mark.parametrize(
    ("query", "k"),
    [
        pytest.param([], 5, id="no terms"),
        pytest.param([("教育", 1.0)], 0, id="none wanted"),
        pytest.param([("教育", 0.0)], 5, id="weight nothing"),
        pytest.param([("没有", 1.0)], 5, id="unknown term"),
    ],
)
def test_nothing_found(tmp_path: Path, query: list[tuple[str, float]], k: int) -> None:
    assert _index(tmp_path / "lexical", _passages("教育经费")).search(query, k, Filter()) == []


def test_an_empty_index_answers(tmp_path: Path) -> None:
    assert _index(tmp_path / "lexical", []).search([("教育", 1.0)], 5, Filter()) == []


def _phrases(source: Source, count: int) -> list[str]:
    """Stretches of 5 to 9 characters cut at random from the runs of Han characters and digits."""
    random_ = random.Random(20210610)
    runs = re.findall(r"[\u4e00-\u9fff0-9]{9,}", source.text)
    phrases = []
    for run in random_.choices(runs, weights=[len(run) for run in runs], k=count):
        length = random_.randint(5, 9)
        start = random_.randint(0, len(run) - length)
        phrases.append(run[start : start + length])
    return phrases


@pytest.mark.parametrize("question", ["{}", "请问{}是什么情况？", "公报里关于{}是怎么说的"])
def test_phrases_of_the_gazette_are_found(sample_index: Index, sample_source: Source, question: str) -> None:
    """At least 99 % of 400 random phrases stand in one of the first five passages."""
    phrases = _phrases(sample_source, 400)
    missed = [
        phrase
        for phrase in phrases
        if not any(phrase in hit.passage.text for hit in sample_index.lexical(question.format(phrase), 5))
    ]
    assert len(missed) <= 4, missed
