"""The command: what it refuses, and that it serves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from app import main

if TYPE_CHECKING:
    from conftest import PageProcess

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["--host", "0.0.0.0"], 1, "--no-auth", id="open to others without a password"),  # noqa: S104
        pytest.param(["--index", "nowhere"], 1, "nowhere", id="no such index"),
        pytest.param(["--auth", "anna:nowhere"], 1, "nowhere", id="no such password file"),
        pytest.param(["--port", "70000"], 1, "--port", id="no such port"),
    ],
)
def test_what_it_refuses(arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    if "--port" not in arguments:
        arguments = [*arguments, "--port", "0"]
    assert main(arguments) == code
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--nonsense"], ["--port", "x"], ["--allow-library-changes"]):
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
    assert "--index" in capsys.readouterr().err


def test_importing_the_page_is_light() -> None:
    code = "import app, sys; print([m for m in ('gradio', 'torch', 'faiss', 'fastapi', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_it_serves_and_logs_no_question(tmp_path: Path, page_process: PageProcess) -> None:
    with page_process(tmp_path / "log") as url:
        body = {"messages": [{"role": "user", "content": "全市义务教育阶段学校有多少所？"}]}
        reply = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=60).json()
        assert "206所" in reply["choices"][0]["message"]["content"]
    written = (tmp_path / "log").read_text(encoding="utf-8")
    assert f"{url}/" in written
    assert "义务教育" not in written


@pytest.mark.slow
def test_it_goes_on_without_a_model_that_cannot_be_had(tmp_path: Path, page_process: PageProcess) -> None:
    with page_process(tmp_path / "log", "--model", "/nowhere/model") as url:
        assert httpx.get(url, timeout=60).status_code == 200
    assert (tmp_path / "log").read_text(encoding="utf-8").count("本机没有模型 /nowhere/model") == 1
