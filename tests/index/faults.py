"""Kills, and fills the disk of, processes that write an index; run by test_survival.py as a program of its own.

Every attempt and every check runs in a fork of this process, which itself never opens an index: so each starts
from the same clean state within milliseconds. Prints one JSON object: how many attempts, and what went wrong.
"""

# ruff: noqa: B023, T201 - every lambda is called at once, in a fork; what is printed is the result
from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from index.generations import WriteFailed  # noqa: E402
from index.store import add, build, open_index, remove, verify  # noqa: E402
from tests.conftest import TinyEncoder  # noqa: E402

State = tuple[tuple[str, str], ...]  # (file name, source id) of every source


def report(path: Path, words: str) -> Path:
    path.write_text(f"# 关于{words}情况的报告\n\n" + "".join(f"{words}工作之{n}。\n\n" for n in range(60)), "utf-8")
    return path


@dataclass
class Bench:
    """An index to be changed, its copies, and the four ways of changing it."""

    folder: Path
    problems: list[str] = field(default_factory=list)
    attempts: int = 0
    cut_short: int = 0  # attempts that were killed or failed

    def __post_init__(self) -> None:
        files = self.folder / "files"
        files.mkdir()
        self.a, self.b = report(files / "a.md", "教育"), report(files / "b.md", "海洋")
        self.index = self.folder / "index"
        fork(lambda: self._prepare(self.index))
        report(self.b, "渔业")  # replaced by the next add
        self.c = report(files / "c.md", "交通")
        self.operations: dict[str, Callable[[Path], object]] = {
            "build": lambda index: build([self.a, self.b, self.c], index, encoder=TinyEncoder()),
            "add": lambda index: add([self.c], index, encoder=TinyEncoder()),
            "replace": lambda index: add([self.b], index, encoder=TinyEncoder()),
            "remove": lambda index: remove(["a.md"], index),
        }
        self.before = state(self.index)
        self.after: dict[str, State] = {}
        for name, operation in self.operations.items():
            copy = self.copy()
            fork(lambda: operation(copy))
            self.after[name] = state(copy)

    def _prepare(self, index: Path) -> None:
        build([self.a], index, encoder=TinyEncoder())
        add([self.b], index, encoder=TinyEncoder())

    def copy(self) -> Path:
        copy = Path(tempfile.mkdtemp(dir=self.folder)) / "index"
        shutil.copytree(self.index, copy)
        return copy

    def check(self, index: Path, name: str, what: str) -> None:
        """The index answers as before or as after the change; the change can then be made."""
        self.attempts += 1
        found = fork(lambda: self._check(index, name))
        if found:
            self.problems.append(f"{name}, {what}: {found}")
        shutil.rmtree(index.parent)

    def told(self, told: str, what: str) -> None:
        """Note how an attempt ended: well, or in the words for a full disk."""
        self.cut_short += told == FAILED
        if told not in {"", FAILED}:
            self.problems.append(f"{what}: {told}")

    def _check(self, index: Path, name: str) -> str:
        now = state_here(index)
        if now not in {self.before, self.after[name]}:
            return f"neither before nor after: {now}"
        if found := verify(index):
            return f"not whole: {found}"
        if name != "remove" or now == self.before:
            self.operations[name](index)
        if (then := state_here(index)) != self.after[name]:
            return f"done again, but: {then}"
        left = [path.name for path in (index / "generations").iterdir() if path.name.startswith(".")]
        return f"left behind: {left}" if left else ""


def fork(work: Callable[[], object]) -> str:
    """Do work in a fork; its result as text, or how it ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            result = work()
            os.write(writing, str(result if isinstance(result, str) else "").encode()[:60000])
            code = 0
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}".encode()[:60000])
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    return KILLED if os.WIFSIGNALED(status) else told


KILLED = "killed"
FAILED = "failed"


def state(index: Path) -> State:
    return tuple((name, source_id) for name, source_id in json.loads(fork(lambda: json.dumps(state_here(index)))))


def state_here(index: Path) -> State:
    """What is in an index, by both of its legs."""
    with open_index(index, encoder=TinyEncoder()) as opened:
        names = opened.source_names
        for hits in (opened.dense("工作情况的报告", 9999), opened.lexical("工作情况的报告", 9999)):
            if {hit.passage.source_id for hit in hits} != set(names):
                raise RuntimeError(f"the legs do not know the sources {names}")
        return tuple(sorted((name, source_id) for source_id, name in names.items()))


def steps(operation: Callable[[Path], object], index: Path, at: int) -> int:
    """Do it, killed at the n-th time that a file in the folder is opened, named, linked or deleted; or count those."""
    count = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event in {"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "sqlite3.connect"} and any(
            str(index) in str(argument) for argument in arguments[:2]
        ):
            count += 1
            if count == at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    operation(index)
    return count


def kill_at_steps(bench: Bench, every: int) -> None:
    for name, operation in bench.operations.items():
        copy = bench.copy()
        total = int(fork(lambda: str(steps(operation, copy, -1))))
        for at in range(1, total + 1, every):
            copy = bench.copy()
            bench.cut_short += fork(lambda: steps(operation, copy, at)) == KILLED
            bench.check(copy, name, f"killed at step {at} of {total}")


def kill_at_moments(bench: Bench, count: int) -> None:
    random_ = random.Random(9)
    for n in range(count):
        name, operation = list(bench.operations.items())[n % len(bench.operations)]
        copy = bench.copy()
        began = time.monotonic()
        fork(lambda: operation(bench.copy()))
        delay = random_.uniform(0, time.monotonic() - began)
        child = os.fork()
        if child == 0:
            operation(copy)
            os._exit(0)
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        bench.cut_short += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        bench.check(copy, name, f"killed after {delay:.3f} s")


def limit_file_sizes(bench: Bench, count: int) -> None:
    """Each change with files limited to ever greater sizes: it fails in words or succeeds."""
    for n in range(count):
        size = int(100 * 1.6**n)
        for name, operation in bench.operations.items():
            copy = bench.copy()
            told = fork(lambda: limited(lambda: operation(copy), size))
            bench.told(told, f"{name}, files up to {size} bytes")
            bench.check(copy, name, f"files up to {size} bytes")


def limited(work: Callable[[], object], size: int) -> str:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return worded(work)


def worded(work: Callable[[], object]) -> str:
    try:
        work()
    except WriteFailed:
        return FAILED
    return ""


def fill_the_disk(bench: Bench, count: int) -> None:
    """Each change on a file system of its own with ever more room; what is left is then checked elsewhere."""
    used = sum(-(-path.stat().st_size // 4096) * 4096 for path in bench.index.rglob("*")) + 40_000
    for n in range(count):
        size = used + 160_000 * n // count
        for name, operation in bench.operations.items():
            disk = Path(tempfile.mkdtemp(dir=bench.folder))
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], check=True)
            try:
                shutil.copytree(bench.index, disk / "index")
                told = fork(lambda: worded(lambda: operation(disk / "index")))
                bench.told(told, f"{name}, {size} bytes")
                copy = Path(tempfile.mkdtemp(dir=bench.folder)) / "index"
                shutil.copytree(disk / "index", copy)
            finally:
                subprocess.run(["umount", disk], check=True)
            bench.check(copy, name, f"{size} bytes")


if __name__ == "__main__":
    mode, amount, place = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    bench = Bench(place)
    {"steps": kill_at_steps, "moments": kill_at_moments, "files": limit_file_sizes, "disk": fill_the_disk}[mode](
        bench, amount
    )
    result = {"attempts": bench.attempts, "cut_short": bench.cut_short, "problems": bench.problems}
    print(json.dumps(result, ensure_ascii=False))
