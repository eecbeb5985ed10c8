"""A question file finds the texts it asks about."""

from pathlib import Path

from eval.baseline import QUESTIONS
from eval.corpora import by_corpus, corpus_of
from index.home import home


def test_texts_beside_a_file_are_what_it_asks_about(tmp_path: Path) -> None:
    assert corpus_of(QUESTIONS / "laws_dev.jsonl") == QUESTIONS / "laws"
    assert corpus_of(QUESTIONS / "sample_dev.jsonl") == home() / "data"
    assert corpus_of(tmp_path / "mine.jsonl") == home() / "data"
    (tmp_path / "mine").mkdir()
    assert corpus_of(tmp_path / "mine.jsonl") == tmp_path / "mine"
    assert corpus_of(tmp_path / "mine_test.jsonl") == tmp_path / "mine"
    (tmp_path / "mine" / "test").mkdir()
    assert corpus_of(tmp_path / "mine_test.jsonl") == tmp_path / "mine" / "test"
    assert corpus_of(tmp_path / "mine_dev.jsonl") == tmp_path / "mine"


def test_files_come_by_corpus_in_order() -> None:
    files = [QUESTIONS / f"{name}.jsonl" for name in ("sample_test", "laws_test", "sample_dev")]
    assert by_corpus(files) == {home() / "data": [files[0], files[2]], QUESTIONS / "laws": [files[1]]}
