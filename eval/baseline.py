"""The committed scores that every change is measured against: asked anew, compared, renewed."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from eval.questions import QuestionSet, load_questions
from eval.run import Outcome

# The parts for measuring, not sample_held.jsonl: what is asked at every change does not stay held out for long.
QUESTIONS = Path(__file__).parent / "questions"
FILES = (QUESTIONS / "sample_test.jsonl", QUESTIONS / "laws_test.jsonl", QUESTIONS / "gazettes_test.jsonl")
# Every third of the 600 questions over gazettes: with all of them a check of every change would take twice as long.
# Three, since a question without an answer mostly follows its answerable twin: two would leave one kind out.
EVERY = {FILES[2]: 3}
RENEW = "gazette-eval baseline --renew"


def chosen(file: Path, every: Mapping[Path, int] = EVERY) -> QuestionSet:
    """The questions of a file that are asked: all, or of a file in ``every`` each n-th single one."""
    from dataclasses import replace

    questions = load_questions([file])
    return replace(questions, questions=questions.questions[:: every.get(file, 1)])


def ask_all(
    files: Sequence[Path] = FILES,
    *,
    every: Mapping[Path, int] = EVERY,
    told: Callable[[str], None] | None = None,
) -> list[list[Outcome]]:
    """The outcomes of every file, asked of the texts it is about; several files in processes side by side.

    The outcomes are those of one process; dialogues' turns are not asked by themselves. ``every`` is as in ``chosen``.
    """
    asked = [chosen(file, every) for file in files]
    made = folders(files, told=told)
    if len(files) == 1:
        return [ask_set(asked[0], made[0])]
    with ProcessPoolExecutor(min(len(files), os.cpu_count() or 1), multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(ask_set, asked, made))


def folders(files: Sequence[Path] = FILES, *, told: Callable[[str], None] | None = None) -> list[Path]:
    """The index of each file, made where it is missing."""
    from eval.corpora import corpus_of, index_over

    return [index_over(corpus_of(file), told=told) for file in files]


def ask_set(questions: QuestionSet, folder: Path) -> list[Outcome]:
    """The outcomes of one set of questions on the index in a folder."""
    from dataclasses import replace

    from eval.run import IndexTexts, run
    from index.store import open_index
    from qa.ask import Assistant

    turns_only = [
        replace(dialogue, turns=tuple(replace(turn, standalone="") for turn in dialogue.turns))
        for dialogue in questions.dialogues
    ]
    with open_index(folder) as index:
        return run(replace(questions, dialogues=tuple(turns_only)), Assistant(index), IndexTexts(index))
