"""What the README shows is true: its commands run, its files are there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODULES = {"gazette-index": "index", "gazette-ask": "qa", "gazette-eval": "eval", "gazette-app": "app"}


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    name, *arguments = shlex.split(command, comments=True)
    arguments = [a.replace("build/", f"{folder}/") for a in arguments]
    return subprocess.run(
        [sys.executable, "-m", MODULES[name], *arguments], cwd=ROOT, capture_output=True, text=True, timeout=280
    )


@pytest.mark.slow
def test_the_commands_under_use_run_as_written(tmp_path: Path) -> None:
    block = README.split("## Use")[1].split("```sh\n")[1].split("```")[0]
    commands = [line for line in block.splitlines() if line.strip()]
    assert len(commands) >= 5
    for command in commands:
        shown = f"{command} --help" if command.startswith("gazette-app") else command  # it would serve for ever
        done = run(shown, tmp_path)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert done.stdout.strip()


@pytest.mark.slow
def test_the_answer_shown_first_is_what_comes_out(tmp_path: Path) -> None:
    transcript = README.split("```console\n")[1].split("```")[0]
    command, _, printed = transcript.removeprefix("$ ").partition("\n")
    assert run("gazette-index build data --out build/i", tmp_path).returncode == 0
    done = run(f"{command} --index build/i", tmp_path)
    assert done.stdout.split("\n把握")[0].split() == printed.split()


def test_the_commands_are_those_of_the_package() -> None:
    scripts = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert all(f'{name} = "{module}' in scripts for name, module in MODULES.items())
    assert "make run" in README
    assert "make test" in README


@pytest.mark.parametrize("name", sorted(MODULES))
def test_help_of_every_command(name: str, tmp_path: Path) -> None:
    done = run(f"{name} --help", tmp_path)
    assert done.returncode == 0
    assert "usage" in done.stdout


def test_every_file_named_is_there() -> None:
    named = set(re.findall(r"\]\(([^)#:]+)\)", README)) | set(re.findall(r"`(docs/[\w.-]+)`", README))
    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
