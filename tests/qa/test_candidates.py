"""Sentences and spans: found at their offsets, whole across page breaks, typed as the text shows."""

import pytest

from index.records import Gazette, Source
from qa.candidates import (
    LONGEST_SENTENCE,
    DocumentSentences,
    Sentence,
    clean,
    context_sentences,
    split_sentences,
)


def _typed(text: str) -> set[tuple[str, str]]:
    (sentence,) = context_sentences(text)
    return {(sentence.text[s.start : s.end], s.type) for s in sentence.typed}


@pytest.mark.parametrize(
    ("text", "words", "kind"),
    [
        pytest.param("新建学校4所", "4所", "number", id="count"),
        pytest.param("惠及1.3万余名学生", "1.3万余名", "number", id="ten thousands and more"),
        pytest.param("投入3.16亿元", "3.16亿元", "amount", id="money"),
        pytest.param("受训率达90%以上", "90%以上", "percent", id="rate with qualifier"),
        pytest.param("不得少于三十日", "不得少于三十日", "duration", id="han numeral with bound"),
        pytest.param("2021年6月10日召开", "2021年6月10日", "date", id="date"),
        pytest.param("2021年7月1日至12月31日进行", "2021年7月1日至12月31日", "date", id="date range"),
        pytest.param("一般不早于8:20", "8:20", "time", id="time"),
        pytest.param("第三十四次会议", "第三十四次", "ordinal", id="ordinal"),
        pytest.param("会议由张渤主持", "张渤", "person", id="name of two"),
        pytest.param("副市长高洪涛、金莉列席", "高洪涛", "person", id="name of three"),
        pytest.param("修改《某市物业管理条例》", "《某市物业管理条例》", "document", id="title"),
        pytest.param(
            "对《关于检查〈停车条例〉的报告》", "《关于检查〈停车条例〉的报告》", "document", id="nested title"
        ),
    ],
)
def test_typed_spans(text: str, words: str, kind: str) -> None:
    assert (words, kind) in _typed(text)


def test_a_number_of_people_is_no_name() -> None:
    assert not [w for w, kind in _typed("在校学生11.5万人") if kind == "person"]


def test_clean_bridges_a_page_break_and_keeps_offsets() -> None:
    raw = "先后从部属高校\n\n“直招”高层次教师 21 名"
    text, offsets = clean(raw, 100)
    assert text == "先后从部属高校“直招”高层次教师21名"
    assert all(raw[at - 100] == char for char, at in zip(text, offsets, strict=True))


def test_sentences_keep_their_closing_quotation_mark() -> None:
    text = "他说：“好。”会议结束；散会"
    assert [text[a:b] for a, b in split_sentences(text)] == ["他说：“好。”", "会议结束；", "散会"]


def test_every_sentence_and_span_stands_in_the_gazette(sample_gazette: Gazette, sample_source: Source) -> None:
    for document in sample_gazette.documents:
        view = DocumentSentences(document, sample_source.text)
        for i in range(len(document.paragraphs)):
            for sentence in view.paragraph(i):
                found = (sample_source.text[at] for at in sentence.offsets)
                assert "".join("".join(found).split()) == "".join(sentence.text.split())
                assert len(sentence.flat) == len(sentence.text)
                assert all(0 <= s.start < s.end <= len(sentence.text) for s in sentence.spans)


def test_items_know_the_line_they_stand_under() -> None:
    sentence = Sentence("（一）市长", tuple(range(5)), lead="评议对象：")
    assert "评议对象" in sentence.context


@pytest.mark.parametrize("mark", ["", "，", "、"])
def test_a_line_without_an_end_is_cut_and_nothing_is_lost(mark: str) -> None:
    text = ("全市小学教师" * 7 + mark) * 200
    pieces = list(split_sentences(text))
    assert "".join(text[a:b] for a, b in pieces) == text
    assert all(0 < b - a <= LONGEST_SENTENCE for a, b in pieces)
    assert all(text[b - 1] == mark for _, b in pieces) or not mark
