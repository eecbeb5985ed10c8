"""Each part can be left out, is back afterwards, and leaving it out shows."""

import importlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from eval.ablation import LENGTHS, READING, HashedBigrams, answering, passages_alone, rebuilt, weighed
from eval.questions import load_questions
from index.records import GazetteError, Hit
from index.store import Index
from qa.ask import Assistant
from qa.read import Reader

DEVELOPMENT = Path(__file__).parents[2] / "eval" / "questions" / "sample_dev.jsonl"


@pytest.mark.parametrize("part", READING)
def test_the_weights_of_every_part_are_there_and_come_back(part: str) -> None:
    for module, values in READING[part].items():
        of = importlib.import_module(module)
        before = {name: getattr(of, name) for name in values}
        assert all(before[name] != value for name, value in values.items()), "leaving it out changes something"
        with weighed(module, values):
            assert {name: getattr(of, name) for name in values} == values
        assert {name: getattr(of, name) for name in values} == before


def test_a_part_that_is_gone_is_named() -> None:
    with (
        pytest.raises(GazetteError, match=r"qa\.read has no MAGIC: eval/ablation\.py"),
        weighed("qa.read", {"POINTER": 0.0, "MAGIC": 1.0}),
    ):
        pass


def test_paragraphs_beside_a_passage_are_left_out(sample_index: Index) -> None:
    """With one passage found, nothing but its own sentences is read."""
    hit: Hit = sample_index.lexical("全市现有义务教育阶段学校206所", 1)[0]
    gather, read = Reader._gather, Reader()

    def places() -> list[int]:
        sentences, _ = read._gather(sample_index, [hit], None)
        return [sentence.source_span(0, 1)[0] for sentence in sentences]

    around = places()
    with passages_alone():
        alone = places()
    assert Reader._gather is gather
    assert min(around) < hit.passage.start or max(around) >= hit.passage.end
    assert alone
    assert all(hit.passage.start <= place < hit.passage.end for place in alone)


def test_other_indexes_hold_the_same_text(sample_index: Index, tmp_path: Path) -> None:
    lengths: dict[str, int] = {}
    for name, other in rebuilt(sample_index, tmp_path):
        lengths[name] = len(other)
        assert (
            other.lexical("会议由张渤主持", 1)[0].passage.text
            in sample_index.source(next(iter(sample_index.source_names))).text
        )
    shipped = len(sample_index)
    short, long = (lengths[f"passages of {length}"] for length in LENGTHS)
    assert short > shipped > long
    assert lengths["untrained encoder"] == shipped


def test_texts_that_share_pairs_are_near_even_untrained() -> None:
    near, far = (
        HashedBigrams().encode_document(["营口市义务教育", "产业扶贫资金"])
        @ HashedBigrams().encode_query(["义务教育"])[0]
    )
    assert near > 0.4 > far


def test_each_way_of_answering_is_a_row(sample_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = load_questions([DEVELOPMENT]).questions[:2]
    asked: list[str] = []
    ask = Assistant.ask

    def counted(self: Assistant, question: str, **options: object) -> object:
        asked.append(question)
        return ask(self, question, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Assistant, "ask", counted)
    rows: Sequence[str] = [row.name for row in answering(sample_index, questions)]
    assert rows[:3] == ["answers: as shipped", "answers: without lay words", "answers: without ranker"]
    assert rows[-1] == "answers: without neighbouring paragraphs"
    assert len(rows) == 4 + len(READING)
    assert len(asked) == 2 * len(rows)
