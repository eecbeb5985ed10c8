"""The pointer reader: shapes, offsets, and the plain cases it must get right."""

from __future__ import annotations

import numpy as np
import pytest

from qa.pointer import FEATURES, LONGEST, Pointing, cut, match_features, shipped_pointer
from qa.question import AnswerType

TEXT = "会议由王小明主持，李大伟作总结讲话。2020年新建改建农村公路86公里，投入资金3.2亿元，惠及群众1.5万人。"


@pytest.mark.parametrize(
    ("question", "kind", "answer", "others"),
    [
        pytest.param("会议由谁主持？", "person", "王小明", ("李大伟",), id="the name with the asked act"),
        pytest.param("修了多少公里农村公路？", "number", "86公里", ("3.2亿元", "1.5万人"), id="the asked unit"),
        pytest.param("惠及群众多少人？", "number", "1.5万人", ("86公里", "3.2亿元"), id="the last figure"),
    ],
)
def test_the_right_stretch_scores_above_the_others(
    question: str, kind: AnswerType, answer: str, others: tuple[str, ...]
) -> None:
    (pointing,) = shipped_pointer().point(question, kind, [("", TEXT)])

    def score(words: str) -> float:
        return pointing.score(TEXT.index(words), TEXT.index(words) + len(words))

    assert all(score(answer) > score(other) for other in others)


def test_a_text_without_the_answer_scores_lower() -> None:
    other = "要加强组织领导，压实责任，确保各项工作落到实处。"
    here, not_here = shipped_pointer().point("新建改建农村公路多少公里？", "number", [("", TEXT), ("", other)])
    assert here.best(1)[0][2] > not_here.best(1)[0][2]


def test_stretches_are_of_the_text_and_not_too_long() -> None:
    (pointing,) = shipped_pointer().point("会议由谁主持？", "person", [("", TEXT * 5)])
    for start, end, score in pointing.best(200):
        assert 0 <= start < end <= len(TEXT) * 5
        assert np.isfinite(score)
        assert len(cut((TEXT * 5)[start:end]).ids) <= LONGEST + 1


def test_the_best_of_many_stretches_is_found_without_trying_all_pairs() -> None:
    n = 200_000
    starts, ends = np.zeros(n, np.float32), np.zeros(n, np.float32)
    starts[7], ends[9], ends[7 + LONGEST] = 5, 3, 7  # the last is out of reach of the first
    pointing = Pointing(tuple((i, i + 1) for i in range(n)), starts, ends)
    assert pointing.best(1) == [(7, 10, 8.0)]


def test_score_of_a_stretch_is_that_of_its_tokens() -> None:
    pointing = Pointing(((0, 2), (2, 3), (3, 5)), np.array([1, 2, 3], np.float32), np.array([10, 20, 30], np.float32))
    assert pointing.score(0, 2) == 1 + 10
    assert pointing.score(1, 4) == 1 + 30
    assert pointing.score(5, 9) == -20
    assert pointing.best(1) == [(3, 5, 33.0)]


def test_a_part_is_counted_from_its_own_beginning() -> None:
    pointing = Pointing(((0, 2), (2, 3), (3, 5)), np.array([1, 2, 3], np.float32), np.array([10, 20, 30], np.float32))
    part = pointing.part(2, 5)
    assert part.spans == ((0, 1), (1, 3))
    assert part.score(0, 3) == 2 + 30


@pytest.mark.parametrize("text", ["", " ", "？", "\x00", "𠀀" * 40])
def test_any_text_is_taken(text: str) -> None:
    for question in ("", "多少？", text):
        (pointing,) = shipped_pointer().point(question, "number", [(text, text)])
        assert len(pointing.starts) == len(pointing.spans)


def test_match_features_say_what_the_question_says() -> None:
    question, passage = cut("图书馆有多少座"), cut("图书馆12座")
    features = match_features(question, passage)
    assert features.shape == (len(passage.ids), FEATURES)
    same = {"图书馆12座"[a:b]: row[0] for (a, b), row in zip(passage.spans, features, strict=True)}
    assert same["座"] == 1
    assert same["1"] == 0


@pytest.mark.slow
def test_numpy_gives_what_torch_gives() -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    import qa.models.train_pointer as train
    from qa.pointer import KINDS, WEIGHTS

    state = {name: value.float() for name, value in load_file(WEIGHTS).items()}
    table = state.pop("words") * state.pop("words.scale")[:, None]
    model = train.Pointer(table)
    model.load_state_dict(state | {"words": table})
    model.eval()
    question = "新建改建农村公路多少公里？"
    above = "关于农村公路建设情况的报告"
    piece = train.Piece.of(above, TEXT)
    example = train.Example(cut(question), KINDS["number"], piece.passage, piece.above, -1, -1, "", 0)
    with torch.no_grad():
        logits = model(*train.batch([example])).numpy()[0]
    (pointing,) = shipped_pointer().point(question, "number", [(above, TEXT)])
    first = 1 + piece.above
    assert np.allclose(logits[0, first:] - logits[0, 0], pointing.starts, atol=1e-4)
    assert np.allclose(logits[1, first:] - logits[1, 0], pointing.ends, atol=1e-4)
