"""The cutter against the tokenizer that it stands in for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import cutter
from index.cutter import Cutter
from index.embed import shipped_cutter, shipped_tokenizer
from index.sources import read_source

# Where a text is parted, folded or joined, and what merges with its neighbour.
_TELLING = (
    "的会议学校aBzΣｶﾞ〇々一①½2３，。、（(+＋%％℃㎡… \n\t\u3000\xa0\u2028\u200b\x00\x01\x1ce\u0301가ᄀ\u1161あ—“”𠮷\ue000"
)


def _tokenized(texts: list[str]) -> list[list[int]]:
    cut = shipped_tokenizer().encode_batch_fast(texts, add_special_tokens=False)
    return [line.ids for line in cut]


def _cut(texts: list[str], by: Cutter | None = None) -> list[list[int]]:
    numbers, lengths = (by or shipped_cutter()).cut(texts)
    remaining = iter(numbers.tolist())
    return [[next(remaining) for _ in range(length)] for length in lengths]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("李 强\n主持会议", id="padding between Han characters is dropped"),
        pytest.param("the fast\n\n path 中 a b", id="between other words it parts"),
        pytest.param("2021年6月10日，ＡＢＣ。。", id="digits and marks stand alone"),
        pytest.param("cafe\u0301 ｶﾞ 가", id="characters that merge"),
        pytest.param("第一章\u200b总则", id="invisible"),
        pytest.param("龘𠮷龘", id="unknown words are one"),
    ],
)
def test_a_text_is_cut_as_the_tokenizer_cuts_it(text: str) -> None:
    assert _cut([text]) == _tokenized([text])


def test_every_line_of_the_gazette_is_cut_as_the_tokenizer_cuts_it(sample_path) -> None:
    lines = read_source(sample_path).text.splitlines()
    assert _cut(lines) == _tokenized(lines)


@given(st.lists(st.text(st.sampled_from(_TELLING) | st.characters(exclude_categories=["Cs"])), max_size=4))
def test_any_texts_are_cut_as_the_tokenizer_cuts_them(texts: list[str]) -> None:
    assert _cut(texts) == _tokenized(texts)


def test_what_was_forgotten_is_cut_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutter, "_KEPT", 3)
    small = Cutter(shipped_tokenizer())
    texts = ["会议由主任主持，会期两天。", "停车场按规定收费；", "会议由主任主持"]
    for _ in range(2):
        assert [_cut([text], small)[0] for text in texts] == _tokenized(texts)
