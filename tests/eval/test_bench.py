"""What the benchmark asks and builds from, and how its figures are laid out."""

import os
from pathlib import Path

import pytest

from eval.bench import Asked, Built, Scale, in_fresh_process, markdown, percentiles, phrases, some_of, write_mixture
from index.records import GazetteError

LAW = "# 某条例\n\n第一条　为了加强管理，根据法律制定本条例。市人民政府应当加强对有关工作的领导。\n"


def test_a_mixture_has_the_size_asked_for_and_the_words_given(tmp_path: Path) -> None:
    (tmp_path / "law.md").write_text(LAW, encoding="utf-8")
    folder = write_mixture([tmp_path / "law.md"], tmp_path / "mixture", 250, seed=1)
    files = sorted(folder.iterdir())
    texts = [file.read_text(encoding="utf-8") for file in files]
    assert sum(text.count("条　") for text in texts) == 300, "in files of a hundred"
    assert "市人民政府应当加强对有关工作的领导。" in texts[0]
    write_mixture([tmp_path / "law.md"], tmp_path / "again", 250, seed=1)
    assert [file.read_text(encoding="utf-8") for file in sorted((tmp_path / "again").iterdir())] == texts
    with pytest.raises(GazetteError, match="no sentences"):
        write_mixture([], tmp_path / "none", 10)


def test_some_of_the_texts_make_the_passages_asked_for_or_there_are_too_few(tmp_path: Path) -> None:
    texts = [tmp_path / f"{n}.md" for n in range(10)]
    for path in texts:
        path.write_text("字" * 1000, encoding="utf-8")
    chosen = some_of(texts, 30)
    assert len(chosen) == len(set(chosen)) == 4, "30 passages of 125 characters"
    assert chosen == some_of(texts, 30)
    assert some_of(texts, 81) == []
    assert some_of([], 1) == []


def test_phrases_stand_in_the_text() -> None:
    asked = phrases([LAW], 20, seed=1)
    assert len(asked) == 20
    assert all(any(question[:6] in line for line in LAW.splitlines()) for question in asked)
    assert phrases(["no Han"], 5) == []


def test_percentiles_by_hand() -> None:
    assert percentiles([float(n) for n in range(101)]) == (50, 95, 99)


def test_a_fresh_process_is_another_one() -> None:
    assert in_fresh_process(os.getpid) != os.getpid()


def test_the_table_has_a_column_a_scale() -> None:
    built = Built(1, 53_545, 281, 2.0, 1.5, 150.0, 1.5)
    asked = Asked(200, 300.0, (1, 2, 3), (4, 5, 6), (3, 4, 5), 200.0, (10, 20, 30), 210.0, False, 180.0)
    rows = markdown([Scale("sample", built, asked, 800.0, 190.0, 0.25, 0.2)] * 2).splitlines()
    assert {row.count("|") for row in rows} == {4}
    assert "| build, characters/s | 26,772 | 26,772 |" in rows
    assert "| 8 threads answer as one does | NO | NO |" in rows
