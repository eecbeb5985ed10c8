"""RGB files are read, documents are mixed as the paper has it, and figures come out by hand."""

import json
from pathlib import Path

import pytest

from eval.__main__ import main
from eval.formats import FormatError, NoisyQuestion, read_rgb
from eval.noise import contexts, documents, score

PLAIN = NoisyQuestion("1", "问", (("甲",),), (("正1", "正2", "正3"),), ("负1", "负2", "负3", "负4", "负5"))
TWO_FACTS = NoisyQuestion("2", "问", (("甲",), ("乙",)), (("甲1", "甲2"), ("乙1",)), ("负1", "负2"))


@pytest.mark.parametrize(
    ("question", "noise", "expected"),
    [
        pytest.param(PLAIN, 0.0, ["正1", "正2", "正3", "负1", "负2"], id="noise where answers run out"),
        pytest.param(PLAIN, 0.4, ["正1", "正2", "正3", "负1", "负2"], id="two of five"),
        pytest.param(PLAIN, 0.6, ["正1", "正2", "负1", "负2", "负3"], id="three of five"),
        pytest.param(PLAIN, 0.7, ["正1", "负1", "负2", "负3", "负4"], id="rounded up"),
        pytest.param(PLAIN, 1.0, ["负1", "负2", "负3", "负4", "负5"], id="nothing but noise"),
        pytest.param(TWO_FACTS, 0.4, ["甲1", "乙1", "甲2", "负1", "负2"], id="the first of each fact"),
        pytest.param(TWO_FACTS, 0.6, ["甲1", "乙1", "甲2", "负1", "负2"], id="answers where noise runs out"),
        pytest.param(TWO_FACTS, 1.0, ["负1", "负2"], id="noise alone, though too little"),
    ],
)
def test_documents_are_mixed_by_share(question: NoisyQuestion, noise: float, expected: list[str]) -> None:
    given = documents(question, noise)
    assert sorted(given) == sorted(expected)
    assert documents(question, noise) == given, "the same lot each time"


def test_the_order_is_drawn_by_lot() -> None:
    orders = {tuple(documents(PLAIN, 0.6, seed=seed)) for seed in range(20)}
    assert len(orders) > 5
    assert len({contexts([PLAIN], 0.6, seed=seed)[0].context for seed in range(20)}) > 5, "by the seed that is given"
    assert contexts([PLAIN], 1.0, 2)[0].context.split("\n\n") in (["负1", "负2"], ["负2", "负1"])


def test_figures_by_hand() -> None:
    other = NoisyQuestion("3", "问", (("Yes",),), (("正",),), ("负",))
    predictions = {
        0.0: [("是甲", 0.9), ("甲和乙", 0.9), ("yes", 0.9)],
        0.8: [("甲", 0.3), ("甲", 0.9), ("no", 0.9)],
        1.0: [("丙", 0.3), ("甲", 0.9), ("", 0.0)],
    }
    figures = score([PLAIN, TWO_FACTS, other], predictions, threshold=0.5)
    assert {name: e.value for name, e in figures.items()} == {
        "accuracy, noise 0.0": 1,
        "accuracy, noise 0.8": 0,
        "rejected, noise 1.0": pytest.approx(2 / 3),
    }


LINES = [
    {"id": 0, "query": "学校有多少所？", "answer": ["206所", "二百零六所"], "positive": ["全市学校206所。"], "negative": ["会议召开。"]},
    {"id": 1, "query": "哪天？", "answer": [["6月10日", "10日"]], "positive": ["会议6月10日召开。"], "negative": ["学校206所。"]},
    {"id": 2, "query": "谁？", "answer": "李强", "positive": [["李强主持。"], ["李强讲话。"]], "negative": ["学校206所。"]},
]  # fmt: skip


def test_rgb_files_are_read_and_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "zh.json"
    path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in LINES), encoding="utf-8")
    read = read_rgb(path)
    assert [q.groups for q in read] == [(("206所",), ("二百零六所",)), (("6月10日", "10日"),), (("李强",),)]
    assert [q.positive for q in read] == [
        (("全市学校206所。",),),
        (("会议6月10日召开。",),),
        (("李强主持。",), ("李强讲话。",)),
    ]
    assert main(["rgb", str(path), "--workers", "1"]) == 0
    out = capsys.readouterr().out
    assert "accuracy, noise 0.0" in out
    assert "rejected, noise 1.0" in out
    assert "n=3, 5 documents each" in out


@pytest.mark.parametrize(
    "content", ['{"query": "问"}', '{"query": "问", "answer": 1, "positive": 2, "negative": []}', ""]
)
def test_what_is_no_rgb_file_is_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "zh.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FormatError, match=r"zh\.json"):
        read_rgb(path)
