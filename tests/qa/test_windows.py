"""What the pointer reads at once."""

from __future__ import annotations

from qa.candidates import Sentence, context_sentences
from qa.windows import above, windows_of


def test_sentences_of_one_paragraph_are_read_together_and_others_apart() -> None:
    sentences = context_sentences("全市有小学120所。在校学生11.5万人。\n另有初中86所。")
    first, second = windows_of(sentences)
    assert (first.text, first.starts) == ("全市有小学120所。在校学生11.5万人。", (0, 10))
    assert (second.text, second.first) == ("另有初中86所。", 2)


def test_no_window_is_longer_than_it_may_be_and_none_is_lost() -> None:
    sentences = context_sentences("甲乙丙丁。" * 30 + "一句很长的话" * 9 + "。")
    made = windows_of(sentences, longest=40)
    assert all(len(w.text) <= 40 or len(w.starts) == 1 for w in made)
    assert [w.first + n for w in made for n in range(len(w.starts))] == list(range(len(sentences)))
    assert "".join(w.text for w in made) == "".join(s.text for s in sentences)
    for window in made:
        for n, start in enumerate(window.starts):
            assert window.text.startswith(sentences[window.first + n].text, start)


def test_what_a_sentence_stands_under_is_said_once_and_short() -> None:
    sentence = Sentence(
        "120所。", (0,) * 5, document="关于教育工作情况的报告", headings=("一、现状", "（一）小学"), lead="分别是："
    )
    assert above(sentence) == "关于教育工作情况的报告；（一）小学；分别是："
    assert len(above(Sentence("x", (0,), document="长" * 99, headings=("头" * 99,), lead="引" * 99))) < 110
