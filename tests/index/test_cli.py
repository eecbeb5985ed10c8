"""gazette-index as one types it, and the default index."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from index import building
from index import home as home_module
from index.__main__ import main
from index.embed import SHIPPED
from index.home import default_index
from index.records import GazetteError
from index.store import open_index

pytestmark = pytest.mark.skipif(not (SHIPPED / "model.safetensors").exists(), reason="the shipped encoder is not here")


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "a.md"
    path.write_text("# 关于海洋经济情况的报告\n\n渔业产值一百万元。\n", encoding="utf-8")
    return path


def test_build_add_list_verify_remove(
    tmp_path: Path, sample_path: Path, report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "index")
    assert main(["build", str(sample_path), "--out", folder]) == 0
    assert sample_path.name in capsys.readouterr().out
    assert main(["add", str(report), "--index", folder]) == 0
    capsys.readouterr()
    assert main(["list", "--index", folder]) == 0
    assert "关于海洋经济情况的报告" in capsys.readouterr().out
    assert main(["list", "--json", "--index", folder]) == 0
    listing = json.loads(capsys.readouterr().out)
    assert [gazette["source"] for gazette in listing["gazettes"]] == [sample_path.name, "a.md"]
    assert listing["gazettes"][0]["year"] == 2021
    assert len(listing["gazettes"][0]["documents"]) >= 19
    assert main(["verify", "--index", folder]) == 0
    assert main(["remove", "a.md", "--index", folder]) == 0
    assert main(["remove", "a.md", "--index", folder]) == 1
    captured = capsys.readouterr()
    assert "已移除：a.md" in captured.out
    assert captured.err.count("\n") <= 2


@pytest.mark.parametrize("kind", ["appointments", "votes", "figures", "undertakings", "links", "status", "checks"])
def test_facts(tmp_path: Path, sample_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "index")
    assert main(["build", str(sample_path), "--out", folder]) == 0
    capsys.readouterr()
    assert main(["facts", "--kind", kind, "--format", "csv", "--index", folder]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert main(["facts", "--kind", kind, "--format", "json", "--index", folder]) == 0
    assert len(json.loads(capsys.readouterr().out)) == len(rows) > 0
    assert all(row["source"] == sample_path.name for row in rows)


def _bad(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / "bad.md"
    if kind == "binary":
        path.write_bytes(bytes(range(256)) * 50)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "spaces":
        path.write_text(" \n\n ", encoding="utf-8")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    return path


@pytest.mark.parametrize("kind", ["binary", "empty", "spaces", "folder", "pipe", "missing"])
def test_bad_input_is_one_line(tmp_path: Path, report: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    bad = str(_bad(tmp_path, kind))
    assert main(["build", bad, "--out", str(tmp_path / "index")]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) <= 2
    if kind != "folder":  # an empty folder has no file to name
        assert "bad.md" in lines[0]
    assert main(["build", bad, str(report), "--out", str(tmp_path / "index")]) == 0
    assert "已收录：a.md" in capsys.readouterr().out


def test_a_name_that_is_no_text(tmp_path: Path, report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes of a file name need not be UTF-8; the file is indexed, replaced and removed all the same."""
    folder, name = tmp_path / "index", os.fsdecode(b"\xff\xfe.md")
    report.rename(tmp_path / name)
    (tmp_path / os.fsdecode(b"\xff.md")).write_bytes(b"")
    assert main(["build", str(tmp_path / name), str(tmp_path / os.fsdecode(b"\xff.md")), "--out", str(folder)]) == 0
    (tmp_path / name).write_text("# 关于交通情况的报告\n\n道路通车。\n", encoding="utf-8")
    assert main(["add", str(tmp_path / name), "--index", str(folder)]) == 0
    with open_index(folder) as index:
        assert len(index.source_names) == 1
    assert main(["remove", str(tmp_path / name), "--index", str(folder)]) == 0
    captured = capsys.readouterr()
    (captured.out + captured.err).encode()


@pytest.mark.parametrize("command", ["build", "add", "remove", "list", "verify"])
def test_a_file_in_place_of_the_folder(
    tmp_path: Path, report: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = {"build": [str(report), "--out"], "add": [str(report), "--index"], "remove": ["a.md", "--index"]}
    for place in (str(report), str(report / "below")):
        assert main([command, *arguments.get(command, ["--index"]), place]) == 1
        captured = capsys.readouterr()
        assert (captured.out, len(captured.err.splitlines())) == ("", 1)


def test_unknown_encoder(tmp_path: Path, report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", str(report), "--out", str(tmp_path / "index"), "--encoder", str(tmp_path / "none")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize("command", ["list", "verify", "add", "remove"])
@pytest.mark.parametrize("damage", ["missing", "not an index", "damaged"])
def test_no_whole_index(
    tmp_path: Path, report: Path, command: str, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "index"
    if damage == "not an index":
        folder.mkdir()
        (folder / "note.txt").write_text("hello")
    elif damage == "damaged":
        assert main(["build", str(report), "--out", str(folder)]) == 0
        next(folder.glob("generations/*/*.sqlite")).write_bytes(b"SQLite format 3\0 and nothing else")
    capsys.readouterr()
    arguments = {"add": [str(report)], "remove": ["a.md"]}.get(command, [])
    assert main([command, *arguments, "--index", str(folder)]) == 1
    captured = capsys.readouterr()
    assert "gazette-index build" in captured.err
    assert len(captured.err.splitlines()) <= 2
    assert captured.out == ""


@pytest.mark.parametrize("arguments", [[], ["build"], ["build", "x"], ["list"], ["nonsense"], ["add", "--index", "x"]])
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert all(command in text for command in ("build", "add", "remove", "list", "verify"))


def test_listing_imports_no_heavy_library(tmp_path: Path, report: Path) -> None:
    assert main(["build", str(report), "--out", str(tmp_path / "index")]) == 0
    program = (
        "import sys; from index.__main__ import main; code = main(['list', '--index', sys.argv[1]]);"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'gradio', 'faiss', 'langchain_text_splitters'};"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "index")],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stderr == "[]\n"


def test_many_files_are_read_by_several_processes(tmp_path: Path) -> None:
    """The same index as by one; a file that kills its reader is skipped."""
    files = tmp_path / "files"
    files.mkdir()
    for n in range(40):
        (files / f"{n:02}.md").write_text(f"# 关于第{n}项工作的报告\n\n完成{n}万元。\n", encoding="utf-8")
    (files / "40.md").write_bytes(b"")
    root = Path(__file__).parents[2]
    for out, workers in (("one", 1), ("two", 2)):
        program = (
            "import sys; sys.path.insert(0, sys.argv[1])\n"
            "from pathlib import Path; from index.building import build\n"
            "if __name__ == '__main__':\n"
            "    reports = build([Path(sys.argv[2])], Path(sys.argv[3]), workers=int(sys.argv[4]))\n"
            "    print([(r.name, r.outcome) for r in reports])\n"
        )
        (tmp_path / "program.py").write_text(program, encoding="utf-8")
        command = [
            sys.executable,
            str(tmp_path / "program.py"),
            str(root),
            str(files),
            str(tmp_path / out),
            str(workers),
        ]
        subprocess.run(command, check=True, capture_output=True)
    one, two = open_index(tmp_path / "one"), open_index(tmp_path / "two")
    assert one.source_names == two.source_names
    assert one.gazettes == two.gazettes
    assert len(one) == len(two)


# --- the default index


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were built, as they are."""
    built: list[Path] = []
    original = building.build

    def build(paths: Any, folder: Path, **options: Any) -> Any:
        built.append(folder)
        return original(paths, folder, **options)

    monkeypatch.setattr(building, "build", build)
    return built


def test_the_default_index_is_built_when_needed(
    tmp_path: Path, report: Path, builds: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, folder = tmp_path / "data", tmp_path / "build" / "gazettes"
    data.mkdir()
    report.rename(data / "a.md")
    told: list[str] = []
    assert default_index(data, folder, told=told.append) == folder
    assert (len(builds), len(told)) == (1, 1)
    default_index(data, folder)
    assert len(builds) == 1, "nothing changed"
    os.utime(data / "a.md", (1, 1))
    default_index(data, folder)
    assert len(builds) == 1, "only the time changed"
    (data / "b.md").write_text("# 关于交通情况的报告\n\n道路通车。\n", encoding="utf-8")
    default_index(data, folder)
    assert len(builds) == 2, "a file came"
    (data / "a.md").unlink()
    default_index(data, folder)
    assert len(builds) == 3, "a file went"
    with open_index(folder) as index:
        assert list(index.source_names.values()) == ["b.md"]
    next(folder.glob("generations/*/*.sqlite")).write_bytes(b"")
    default_index(data, folder)
    assert len(builds) == 4, "it was damaged"
    monkeypatch.setattr(home_module, "SCHEMA", "another")
    default_index(data, folder)
    assert len(builds) == 5, "another version"


def test_nothing_to_index_by_default(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(GazetteError, match="没有可以建立索引的公报"):
        default_index(tmp_path / "data", tmp_path / "index")


def test_two_starts_at_once(tmp_path: Path, report: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    report.rename(data / "a.md")
    failed: list[str] = []

    def start() -> None:
        try:
            with open_index(default_index(data, tmp_path / "index")) as index:
                if not index.lexical("渔业", 1):
                    failed.append("no answer")
        except GazetteError as error:
            failed.append(str(error))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
