"""The question files that ship with the project: quotes stand in the gazette, and the mix is what was promised."""

from collections import Counter
from pathlib import Path

import pytest

from eval.corpora import by_corpus, corpus_of
from eval.questions import (
    KINDS,
    TYPES,
    Dialogue,
    Question,
    check_files,
    fold_answer,
    load_questions,
    parse_record,
    read_json_lines,
    without_space,
)
from index.records import Gazette, Source

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "eval" / "questions").glob("*.jsonl"))
SAMPLE = [path for path in FILES if path.name.startswith("sample_")]
LAWS = [path for path in FILES if path.name.startswith("laws_")]
GAZETTES = [path for path in FILES if path.name.startswith("gazettes_")]
COVER = "营口市人民代表大会常务委员会公报"  # the document of what stands on the cover


def records(path: Path) -> list[Question | Dialogue]:
    return [parse_record(record) for _, record in read_json_lines(path)]


def path_of(name: str) -> Path:
    return ROOT / "eval" / "questions" / f"{name}.jsonl"


def singles(path: Path, *, answerable: bool) -> list[Question]:
    return [r for r in records(path) if isinstance(r, Question) and r.answerable is answerable]


def test_every_part_is_there() -> None:
    assert [path.name for path in SAMPLE] == ["sample_dev.jsonl", "sample_held.jsonl", "sample_test.jsonl"]
    assert [path.name for path in LAWS] == ["laws_dev.jsonl", "laws_test.jsonl"]
    assert [path.name for path in GAZETTES] == ["gazettes_dev.jsonl", "gazettes_test.jsonl"]


def test_no_fault_in_any_file() -> None:
    """Ids, types, styles, evidence word for word, answers inside their evidence; messages never quote a question.

    What is computed from several figures stands nowhere, so of such answers a warning is expected.
    """
    computed = {"h019", "h029"}
    assert sorted([*SAMPLE, *LAWS, *GAZETTES]) == FILES
    for corpus, files in by_corpus(FILES).items():
        sources = {path.name: path.read_text(encoding="utf-8") for path in corpus.glob("*.md")}
        problems = check_files(files, sources)
        assert [str(problem) for problem in problems if problem.id not in computed] == []
    load_questions(FILES)  # ids are unique over all files


def test_evidence_stands_in_the_document_named(sample_source: Source, sample_gazette: Gazette) -> None:
    """At least one quote of each question; the figures by document would be of another one otherwise."""
    texts = {
        fold_answer(document.title): without_space(sample_source.text[document.start : document.end])
        for document in sample_gazette.documents
    }
    texts[COVER] = without_space(sample_source.text[: sample_gazette.documents[1].start])
    for path in (ROOT / "eval" / "questions" / "laws").iterdir():
        texts[path.stem] = without_space(path.read_text(encoding="utf-8"))
    files = [*SAMPLE, *LAWS]
    asked = [question for path in files for question in load_questions([path]).asked if question.document]
    astray = [
        question.id
        for question in asked
        if not any(without_space(quote) in texts[fold_answer(question.document)] for quote in question.evidence)
    ]
    assert astray == []


def test_the_sample_is_asked_as_much_as_was_promised() -> None:
    asked = [question for path in SAMPLE for question in load_questions([path]).questions]
    types = Counter(question.type for question in asked if question.answerable)
    assert len(asked) >= 400
    assert sum(not question.answerable for question in asked) >= 100
    assert types["list"] + types["table"] >= 30
    assert types["conflict"] >= 20
    assert sum(len(load_questions([path]).dialogues) for path in SAMPLE) >= 30
    kinds = Counter(q.kind for name in ("sample_dev", "sample_held") for q in load_questions([path_of(name)]).questions)
    assert all(kinds[kind] >= 4 for kind in KINDS), kinds


def test_the_laws_are_split_by_document() -> None:
    """Twenty regulations, ten a part: nothing tuned on one part has read the texts of the other."""
    parts = [{question.document for question in load_questions([path]).asked} - {""} for path in LAWS]
    assert [len(part) for part in parts] == [10, 10]
    assert not parts[0] & parts[1]
    assert sum(len(load_questions([path]).questions) for path in LAWS) >= 100
    texts = list((ROOT / "eval" / "questions" / "laws").iterdir())
    assert {path.stem for path in texts} == parts[0] | parts[1]
    assert sum(path.stat().st_size for path in texts) < 2**20


def test_the_gazettes_are_split_by_document() -> None:
    """No text is in both parts or twice in one; each is asked about, and each question says of which it is asked."""
    parts = [corpus_of(path) for path in GAZETTES]
    assert [part.name for part in parts] == ["dev", "test"]
    texts = [{path.name: without_space(path.read_text(encoding="utf-8")) for path in part.iterdir()} for part in parts]
    everything = [text for part in texts for text in part.values()]
    assert len(set(everything)) == len(everything)
    assert not set(texts[0]) & set(texts[1])
    for path, part in zip(GAZETTES, texts, strict=True):
        questions = load_questions([path]).questions
        assert not {question.within for question in questions} - {"", *part}
        elsewhere = [question for question in questions if not question.within]
        assert all(question.type == "conflict" for question in elsewhere), "only what two gazettes tell differently"
        quoted = {name for q in elsewhere for quote in q.evidence for name, text in part.items()
                  if without_space(quote) in text}  # fmt: skip
        assert {question.within for question in questions} - {""} | quoted == set(part)


@pytest.mark.parametrize("path", GAZETTES, ids=lambda path: path.stem)
def test_conflicts_show_both_sides(path: Path) -> None:
    """Every side has a quote of its own that holds it and not the other; of two gazettes, each is quoted."""
    texts = {file.name: without_space(file.read_text(encoding="utf-8")) for file in corpus_of(path).iterdir()}
    for question in load_questions([path]).questions:
        if question.type != "conflict":
            continue
        assert len(question.all_of) == len(question.evidence) >= 2, question.id
        for n, quote in enumerate(map(fold_answer, question.evidence)):
            held = [any(fold_answer(answer) in quote for answer in group) for group in question.all_of]
            assert held == [m == n for m in range(len(held))], question.id
        if not question.within:
            homes = {
                name for quote in question.evidence for name, text in texts.items() if without_space(quote) in text
            }
            assert len(homes) >= 2, question.id


@pytest.mark.parametrize(("name", "answerable", "unanswerable", "dialogues"), [
    pytest.param("sample_dev.jsonl", 130, 40, 8, id="development"),
    pytest.param("sample_test.jsonl", 150, 40, 10, id="test"),
    pytest.param("sample_held.jsonl", 150, 30, 13, id="held out"),
    pytest.param("laws_dev.jsonl", 70, 12, 3, id="laws, development"),
    pytest.param("laws_test.jsonl", 70, 12, 3, id="laws, test"),
    pytest.param("gazettes_dev.jsonl", 261, 228, 0, id="made-up gazettes, development"),
    pytest.param("gazettes_test.jsonl", 329, 286, 0, id="made-up gazettes, test"),
])  # fmt: skip
def test_size(name: str, answerable: int, unanswerable: int, dialogues: int) -> None:
    path = ROOT / "eval" / "questions" / name
    assert len(singles(path, answerable=True)) >= answerable
    assert len(singles(path, answerable=False)) >= unanswerable
    assert sum(isinstance(r, Dialogue) for r in records(path)) >= dialogues


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: path.stem)
class TestMix:
    def test_styles(self, path: Path) -> None:
        asked = singles(path, answerable=True)
        styles = Counter(question.style for question in asked)
        assert all(styles[style] >= 0.28 * len(asked) for style in ("lexical", "paraphrase", "colloquial")), styles
        assert styles["english"] >= 4

    def test_types(self, path: Path) -> None:
        types = Counter(question.type for question in singles(path, answerable=True))
        assert set(types) == set(TYPES)
        assert all(types[kind] >= 3 for kind in TYPES), types
        assert types["number"] <= 0.45 * types.total()

    def test_every_item_of_the_catalogue(self, path: Path) -> None:
        documents = Counter(question.document for question in singles(path, answerable=True))
        assert documents[COVER] >= 3
        assert len(documents) == 20  # 19 items and the cover

    def test_dialogues_lean_on_what_was_said(self, path: Path) -> None:
        """Each has three or four turns, all with an answer, and a follow-up that does not stand on its own."""
        for dialogue in records(path):
            if isinstance(dialogue, Dialogue):
                assert 3 <= len(dialogue.turns) <= 4, dialogue.id
                assert all(turn.groups and turn.standalone for turn in dialogue.turns), dialogue.id
                assert any(len(turn.standalone) > len(turn.text) for turn in dialogue.turns[1:]), dialogue.id


@pytest.mark.parametrize("path", [*SAMPLE, *GAZETTES], ids=lambda path: path.stem)
def test_no_answer_is_matched_by_chance(path: Path) -> None:
    """One character alone would be found in almost any sentence; 否 is the exception, as an answer of its own."""
    for question in load_questions([path]).asked:
        for group in question.all_of or (question.answers,):
            assert all(len(fold_answer(answer)) > 1 or answer == "否" for answer in group), question.id


@pytest.mark.parametrize("name", ["sample_test", "sample_held"])
def test_parts_do_not_share_questions(name: str) -> None:
    """Same answer out of the same quote may stand in one part only, or the held-out part would not be held out.

    The two parts held out may share facts: neither of them chooses anything.
    """
    facts = [{(quote, groups) for q in load_questions([path]).asked for quote in q.evidence for groups in q.groups}
             for path in (path_of("sample_dev"), path_of(name))]  # fmt: skip
    assert len(facts[0] & facts[1]) <= 3
