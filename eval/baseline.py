"""The committed scores that every change is measured against: asked anew, compared, renewed."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from eval.run import Outcome

# The parts for measuring, not sample_held.jsonl: what is asked at every change does not stay held out for long.
QUESTIONS = Path(__file__).parent / "questions"
FILES = (QUESTIONS / "sample_test.jsonl", QUESTIONS / "laws_test.jsonl")
RENEW = "gazette-eval baseline --renew"


def ask_all(files: Sequence[Path] = FILES, *, told: Callable[[str], None] | None = None) -> list[list[Outcome]]:
    """The outcomes of every file, asked of the texts it is about; several files in processes side by side.

    The outcomes are those of one process; dialogues' turns are not asked by themselves.
    """
    if len(files) == 1:
        return [ask_file(files[0], folders(files, told=told)[0])]
    with ProcessPoolExecutor(min(len(files), os.cpu_count() or 1), multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(ask_file, files, folders(files, told=told)))


def folders(files: Sequence[Path] = FILES, *, told: Callable[[str], None] | None = None) -> list[Path]:
    """The index of each file, made where it is missing."""
    from eval.corpora import corpus_of, index_over

    return [index_over(corpus_of(file), told=told) for file in files]


def ask_file(file: Path, folder: Path) -> list[Outcome]:
    """The outcomes of one file on the index in a folder."""
    from dataclasses import replace

    from eval.questions import load_questions
    from eval.run import IndexTexts, run
    from index.store import open_index
    from qa.ask import Assistant

    questions = load_questions([file])
    turns_only = [
        replace(dialogue, turns=tuple(replace(turn, standalone="") for turn in dialogue.turns))
        for dialogue in questions.dialogues
    ]
    with open_index(folder) as index:
        return run(replace(questions, dialogues=tuple(turns_only)), Assistant(index), IndexTexts(index))
