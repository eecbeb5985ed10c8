"""``gazette-eval``: check question files, and score what the pipeline makes of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from eval.questions import check_files, counts, load_questions
from index.records import GazetteError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 when it failed or found faults, 2 for wrong usage."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except GazetteError as fault:
        print(f"gazette-eval: {fault}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gazette-eval", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="are question files sound: ids, types, evidence in the text, answers")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE.jsonl")
    check.add_argument("--source", action="append", type=Path, metavar="PATH", help="text or folder asked about: data/")
    check.set_defaults(run=_check)
    return parser


def _check(arguments: argparse.Namespace) -> int:
    problems = check_files(arguments.files, _texts(arguments.source or [Path("data")]))
    for problem in problems:
        print(problem)
    errors = sum(problem.is_error for problem in problems)
    print(f"{errors} errors, {len(problems) - errors} warnings", file=sys.stderr)
    if errors:
        return 1
    questions = load_questions(arguments.files)
    print(f"{len(questions.questions)} questions, {len(questions.dialogues)} dialogues")
    for name, table in counts(questions.questions).items():
        print(f"  {name}: " + ", ".join(f"{key} {count}" for key, count in table.most_common()))
    return 0


def _texts(paths: Sequence[Path]) -> dict[str, str]:
    files = [file for path in paths for file in (sorted(path.rglob("*.md")) if path.is_dir() else [path])]
    texts = {file.name: file.read_text(encoding="utf-8") for file in files if file.name != "README.md"}
    if not texts:
        raise GazetteError(f"no text under {', '.join(map(str, paths))}: name the gazettes with --source")
    return texts


if __name__ == "__main__":
    sys.exit(main())
