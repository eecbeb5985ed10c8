"""``--model`` on the command line: the answer comes in any case, and what cannot be had costs one line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from index.store import build
from qa.__main__ import main

DOCS = Path(__file__).parents[2] / "docs" / "models.md"
QUESTION = "全市义务教育阶段学校有多少所？"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, sample_path: Path) -> Path:
    where = tmp_path_factory.mktemp("model") / "index"
    build([sample_path], where)
    return where


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("/nowhere/model", "本机没有模型"),
        ("Qwen/Not-Fetched", "本机没有模型"),
        ("openai:http://10.0.0.1/v1#m", "--model-host 10.0.0.1"),
        ("openai:http://127.0.0.1:9/v1", "没有写模型名"),
    ],
)
def test_a_model_that_cannot_be_had_costs_one_line(
    model: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([QUESTION, "--model", model, "--index", str(folder)]) == 0
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.err.count("\n") == 1
    assert "206所" in shown.out
    assert "要点：" in shown.out


def test_a_server_that_is_down_leaves_the_points(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([QUESTION, "--model", "openai:http://127.0.0.1:9/v1#m", "--index", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "206所" in out
    assert "（模型没有写成：" in out
    assert "要点：\n  · " in out


def test_a_model_is_used_and_its_noise_is_not_shown(
    folder: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([QUESTION, "--model", str(tiny_model), "--index", str(folder), "--json"]) == 0
    shown = capsys.readouterr()
    record = json.loads(shown.out)
    assert "参数" in shown.err
    assert shown.err.count("\n") == 1, "no bar but on a terminal"
    assert "206所" in record["answer"]
    assert record["summary"]["model"] == "extract"
    assert record["summary"]["note"]
    assert all(s["support"] == "verbatim" for s in record["summary"]["sentences"] if s["citations"])


@pytest.mark.parametrize(
    "arguments",
    [["--show-prompt", "--digest", "x"], [QUESTION, "--digest", "x"], [], ["--digest", "x", "--batch", "f", "--json"]],
)
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2


def test_the_commands_of_the_documentation_are_taken() -> None:
    import app
    from eval.__main__ import _parser as of_eval
    from qa.__main__ import _parser as of_ask

    parsers = {"gazette-ask": of_ask(), "gazette-app": app._parser(), "gazette-eval": of_eval()}
    shown = [re.sub(r"\s+# .*", "", line) for line in DOCS.read_text(encoding="utf-8").splitlines()]
    commands = [line.split() for line in shown if line.startswith(tuple(parsers))]
    assert len(commands) >= 7
    for name, *words in commands:
        parsers[name].parse_args(words)
