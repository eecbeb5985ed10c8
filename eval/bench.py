"""Speed, size and memory of an index at several scales, each measured in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, TemporaryFile
from typing import ParamSpec, TypeVar

import numpy as np

from index.records import GazetteError

THREADS = 8
_PASSAGE_CHARACTERS = 125  # of a passage of statutes: 20.1 million characters make 160,585 of them
_SENTENCE = re.compile(r"[^。\s]{8,120}。")

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Built:
    """What building took."""

    files: int
    characters: int
    passages: int
    seconds: float
    cpu_seconds: float  # of the building process and those it started
    peak_mb: float  # of the building process; its reading processes are not in it
    disk_mb: float

    @property
    def rate(self) -> float:
        """Characters a second."""
        return self.characters / self.seconds


@dataclass(frozen=True, slots=True)
class Asked:
    """What asking took, in milliseconds a question, alone and from eight threads."""

    questions: int
    open_ms: float
    search_ms: tuple[float, float, float]  # p50, p95, p99 of retrieve alone
    alone_ms: tuple[float, float, float]  # of the whole answer
    alone_cpu_ms: tuple[float, float, float]  # of it, what the processor worked: tells a slow step from a busy machine
    alone_rate: float  # questions a second
    crowd_ms: tuple[float, float, float]
    crowd_rate: float
    same: bool  # eight threads gave the answers that one gave
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Scale:
    """One row of the benchmark."""

    name: str
    built: Built
    asked: Asked
    cold_ms: float  # one answer from the command line, from nothing running to exit
    cold_mb: float
    add_s: float
    remove_s: float


def in_fresh_process(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The function's result, from a new Python that has done nothing else: its peak memory is its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def measure(
    name: str, paths: Sequence[Path], folder: Path, questions: Sequence[str], note: Callable[[str], None]
) -> Scale:
    """Build an index of the paths in the folder, then measure it; ``note`` is told what is being done."""
    note(f"{name}: building")
    built = in_fresh_process(measure_building, paths, folder)
    note(f"{name}: {built.passages} passages in {built.seconds:.1f} s; asking {len(questions)} questions")
    asked = in_fresh_process(measure_asking, folder, questions)
    note(f"{name}: one answer from cold; adding a document")
    cold_ms, cold_mb = measure_cold(folder, questions[0])
    add_s, remove_s = in_fresh_process(measure_adding, folder)
    return Scale(name, built, asked, cold_ms, cold_mb, add_s, remove_s)


def measure_building(paths: Sequence[Path], folder: Path) -> Built:
    """Build an index as ``gazette-index build`` does and say what it took."""
    from index.reading import cores
    from index.store import build, open_index

    begun = time.perf_counter()
    reports = build(paths, folder, workers=cores())
    seconds = time.perf_counter() - begun
    used = os.times()
    cpu = used.user + used.system + used.children_user + used.children_system
    peak = peak_mb()
    disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
    indexed = [report for report in reports if report.outcome == "indexed"]
    with open_index(folder) as index:
        characters = sum(len(index.source(source_id).text) for source_id in index.source_names)
        return Built(len(indexed), characters, len(index), seconds, cpu, peak, disk)


def measure_asking(folder: Path, questions: Sequence[str]) -> Asked:
    """Ask all questions by one thread, then by eight at once."""
    from index.store import open_index
    from qa.ask import Assistant
    from qa.retrieve import retrieve

    begun = time.perf_counter()
    index = open_index(folder)
    assistant = Assistant(index)
    assistant.ask(questions[0])  # loads what is loaded at the first question
    opened = (time.perf_counter() - begun) * 1000

    def timed(question: str) -> tuple[float, float, object]:
        begun, worked = time.perf_counter(), time.process_time()
        answer = assistant.ask(question)
        spent, work = (time.perf_counter() - begun) * 1000, (time.process_time() - worked) * 1000
        return spent, work, (answer.status, answer.answer, [(c.source_id, c.start, c.end) for c in answer.citations])

    def search(question: str) -> float:
        begun = time.perf_counter()
        retrieve(index, question, 10)
        return (time.perf_counter() - begun) * 1000

    searched = [search(question) for question in questions]
    begun = time.perf_counter()
    alone = [timed(question) for question in questions]
    alone_s = time.perf_counter() - begun
    begun = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        crowd = list(pool.map(timed, questions))
    crowd_s = time.perf_counter() - begun
    return Asked(
        len(questions),
        opened,
        percentiles(searched),
        percentiles([spent for spent, _, _ in alone]),
        percentiles([work for _, work, _ in alone]),
        len(questions) / alone_s,
        percentiles([spent for spent, _, _ in crowd]),
        len(questions) / crowd_s,
        [answer for *_, answer in alone] == [answer for *_, answer in crowd],
        peak_mb(),
    )


def measure_cold(folder: Path, question: str, times: int = 5) -> tuple[float, float]:
    """(median milliseconds, most megabytes) of ``python -m qa QUESTION --index FOLDER``, started anew each time.

    Raises:
        GazetteError: if the command fails.
    """
    command = [sys.executable, "-m", "qa", question, "--index", str(folder)]
    spent, peaks = [], []
    for _ in range(times):
        begun = time.perf_counter()
        with TemporaryFile() as messages:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=messages)  # noqa: S603
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            spent.append((time.perf_counter() - begun) * 1000)
            peaks.append(usage.ru_maxrss / 1000)
            if process.returncode != 0:
                messages.seek(0)
                said = messages.read().decode(errors="replace").strip()
                raise GazetteError(f"gazette-ask ended with {process.returncode}: {said[-300:]}")
    return median(spent), max(peaks)


def measure_adding(folder: Path) -> tuple[float, float]:
    """(seconds to add, seconds to remove) one document of about 3,000 characters."""
    from index.store import add, open_index, remove

    with open_index(folder) as index:
        text = index.source(next(iter(index.source_names))).text
    with TemporaryDirectory() as place:
        file = Path(place) / "bench-added.md"
        file.write_text(f"# 基准测试用文件\n\n{text[:3000]}", encoding="utf-8")
        begun = time.perf_counter()
        add([file], folder)
        added = time.perf_counter()
        remove([file.name], folder)
        return added - begun, time.perf_counter() - added


def some_of(texts: Sequence[Path], passages: int, seed: int = 0) -> list[Path]:
    """Some of the texts, chosen at random, that make about so many passages; none where all of them are too few."""
    chosen, missing = [], passages * _PASSAGE_CHARACTERS
    for path in random.Random(seed).sample(texts, len(texts)):  # noqa: S311 - no secret
        chosen.append(path)
        missing -= len(path.read_text(encoding="utf-8"))
        if missing <= 0:
            return chosen
    return []


def write_mixture(texts: Sequence[Path], folder: Path, passages: int, seed: int = 0) -> Path:
    """A corpus of about so many passages, made of the texts' own sentences in a new order; the folder it is in.

    Every article is three sentences from anywhere, so that none is like another and words keep their frequencies.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    pool = [sentence for path in texts for sentence in _SENTENCE.findall(path.read_text(encoding="utf-8"))]
    if not pool:
        raise GazetteError(f"no sentences in the {len(texts)} texts: name a folder of gazettes or laws")
    folder.mkdir(parents=True, exist_ok=True)
    articles = 100
    for n in range(-(-passages // articles)):
        lines = [f"# 规定汇编第{n + 1}辑", ""]
        for article in range(1, articles + 1):
            lines += [f"第{article}条　" + "".join(chance.choices(pool, k=3)), ""]
        (folder / f"mixture-{n:06}.md").write_text("\n".join(lines), encoding="utf-8")
    return folder


def phrases(texts: Sequence[str], count: int, seed: int = 0) -> list[str]:
    """Questions nobody wrote: phrases of 6 to 12 Han characters cut at random, each inside a way of asking."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    ways = ("{}是多少？", "{}由谁负责？", "{}是什么时候？", "{}有哪些要求？")
    pool = [run for text in texts for run in re.findall(r"[\u4e00-\u9fff]{6,12}", text)]
    return [chance.choice(ways).format(chance.choice(pool)) for _ in range(count)] if pool else []


def percentiles(values: Sequence[float]) -> tuple[float, float, float]:
    """p50, p95, p99."""
    p50, p95, p99 = np.percentile(values, [50, 95, 99])
    return float(p50), float(p95), float(p99)


def peak_mb() -> float:
    """The most memory this process has held, in megabytes."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1e6 if sys.platform == "darwin" else used / 1000


def markdown(scales: Sequence[Scale]) -> str:
    """The figures as a Markdown table, a scale a column."""

    def three(values: tuple[float, float, float]) -> str:
        return " / ".join(f"{v:.1f}" for v in values)

    rows: list[tuple[str, Callable[[Scale], str]]] = [
        ("files", lambda s: f"{s.built.files:,}"),
        ("characters", lambda s: f"{s.built.characters:,}"),
        ("passages", lambda s: f"{s.built.passages:,}"),
        ("build, s", lambda s: f"{s.built.seconds:.1f}"),
        ("build, characters/s", lambda s: f"{s.built.rate:,.0f}"),
        ("build, processor s", lambda s: f"{s.built.cpu_seconds:.1f}"),
        ("build, peak MB", lambda s: f"{s.built.peak_mb:.0f}"),
        ("on disk, MB", lambda s: f"{s.built.disk_mb:.1f}"),
        ("retrieve p50 / p95 / p99, ms", lambda s: three(s.asked.search_ms)),
        ("answer p50 / p95 / p99, ms", lambda s: three(s.asked.alone_ms)),
        ("answer, processor, p50 / p95 / p99, ms", lambda s: three(s.asked.alone_cpu_ms)),
        ("answers/s, 1 thread", lambda s: f"{s.asked.alone_rate:.0f}"),
        (f"answer p50 / p95 / p99, ms, {THREADS} threads", lambda s: three(s.asked.crowd_ms)),
        (f"answers/s, {THREADS} threads", lambda s: f"{s.asked.crowd_rate:.0f}"),
        (f"{THREADS} threads answer as one does", lambda s: "yes" if s.asked.same else "NO"),
        ("open and first answer, ms", lambda s: f"{s.asked.open_ms:.0f}"),
        ("asking, peak MB", lambda s: f"{s.asked.peak_mb:.0f}"),
        ("gazette-ask from cold, ms", lambda s: f"{s.cold_ms:.0f}"),
        ("gazette-ask from cold, peak MB", lambda s: f"{s.cold_mb:.0f}"),
        ("add one document, s", lambda s: f"{s.add_s:.2f}"),
        ("remove it, s", lambda s: f"{s.remove_s:.2f}"),
    ]
    lines = ["| | " + " | ".join(s.name for s in scales) + " |", "|---|" + "---:|" * len(scales)]
    lines += [f"| {title} | " + " | ".join(cell(s) for s in scales) + " |" for title, cell in rows]
    return "\n".join(lines)
