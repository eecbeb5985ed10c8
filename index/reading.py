"""Files -> items, in this process or in several; a file that brings a process down is skipped like any bad file."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path

from index import generations
from index.chunks import split_passages
from index.gazette import parse_gazette
from index.lexical import joined_terms
from index.records import GazetteError
from index.rows import Item
from index.sources import Member, read_source

_TASK = 8  # files a worker is given at once
_AHEAD = 4  # tasks a worker may be ahead of the one who stores: what is read but not stored stays bounded
_ODDITIES = (ValueError, LookupError, ArithmeticError, RecursionError, TypeError, AttributeError)
_FEW = 32  # below this many files starting processes takes longer than reading

log = logging.getLogger("index")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What reading a file gave: an item; or, for a file that is known already, its id; or the reason for neither."""

    name: str
    place: str
    source_id: str | None = None
    item: Item | None = None
    reason: str = ""


def read_file(file: Path | Member, known: frozenset[str] = frozenset()) -> Outcome:
    """Read a file and find everything in it; one whose id is ``known`` is not parsed."""
    place = place_of(file)
    try:
        source_id = _id_of(file)
        if source_id in known:
            return Outcome(_shown(file.name), place, source_id)
        source = read_source(file)
        if source.id in known:
            return Outcome(source.name, place, source.id)
        gazette = parse_gazette(source)
        passages = tuple(split_passages(gazette, source))
        source.text.encode()  # half a surrogate pair can be stored nowhere
    except GazetteError as error:
        return Outcome(_shown(file.name), place, reason=str(error))
    except _ODDITIES as error:
        # A file nobody foresaw must not stop the thousands after it.
        log.debug("%s", place, exc_info=True)
        reason = f"{_shown(file.name)}: 无法分析（{type(error).__name__}: {error}）"
        return Outcome(_shown(file.name), place, reason=reason)
    if not passages:
        return Outcome(source.name, place, reason=f"{source.name}: 没有可检索的文字")
    return Outcome(source.name, place, source.id, Item(source, gazette, passages, place))


def _id_of(file: Path | Member) -> str | None:
    """The id the file will have as a source, from its bytes alone; None where it has to be read to know."""
    try:
        return generations.sha256(file)[:16] if isinstance(file, Path) and file.is_file() else None
    except OSError:
        return None  # read_source says why


def place_of(file: Path | Member) -> str:
    """Where a file is, so that the same place is recognised in a later run."""
    if isinstance(file, Member):
        return "!".join((place_of(file.archive), *file.entries))
    return _shown(str(file.absolute()))


def _shown(name: str) -> str:
    """A name that can be stored and printed: bytes of it that are no text become question marks."""
    return os.fsencode(name).decode("utf-8", "replace")


def cores() -> int:
    """How many processes can work at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_files(files: Sequence[Path | Member], known: frozenset[str], workers: int) -> Iterator[Outcome]:
    """Every file's outcome, in the order of the files."""
    if workers < 2 or len(files) < _FEW:
        yield from (read_file(file, known) for file in files)
        return
    tasks = [files[first : first + _TASK] for first in range(0, len(files), _TASK)]
    while tasks:
        done = 0
        with _pool(workers, known) as pool:
            try:
                for outcomes in _in_order(pool, tasks, workers * _AHEAD):
                    done += 1
                    yield from outcomes
            except BrokenProcessPool:
                # Which of the tasks in flight did it is not known: the first that was not answered is read file by
                # file, each in a process of its own, then all others go on together.
                yield from (_read_alone(file, known) for file in tasks[done])
                done += 1
        tasks = tasks[done:]


def _in_order(
    pool: ProcessPoolExecutor, tasks: Sequence[Sequence[Path | Member]], ahead: int
) -> Iterator[list[Outcome]]:
    waiting: deque[Future[list[Outcome]]] = deque()
    for task in tasks:
        waiting.append(pool.submit(_read_task, task))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _read_alone(file: Path | Member, known: frozenset[str]) -> Outcome:
    with _pool(1, known) as pool:
        try:
            return pool.submit(_read_task, [file]).result()[0]
        except BrokenProcessPool:
            name = _shown(file.name)
            return Outcome(name, place_of(file), reason=f"{name}: 读取它的进程崩溃了；文件可能已损坏")


def _pool(workers: int, known: frozenset[str]) -> ProcessPoolExecutor:
    # Spawned, not forked: a fork would take along the locks of other threads and the hold on the index.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(known,))


_known: frozenset[str] = frozenset()  # in a worker: the ids that need not be read


def _start_worker(known: frozenset[str]) -> None:
    global _known
    _known = known
    # A pool's workers wait for ever for a parent that was killed: this one ends with it.
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _read_task(files: Sequence[Path | Member]) -> list[Outcome]:
    return [_with_terms(read_file(file, _known)) for file in files]


def _with_terms(outcome: Outcome) -> Outcome:
    """The terms are made here as well: whoever stores what was read has more to do than those who read."""
    if outcome.item is None:
        return outcome
    made = tuple(joined_terms(passage.text) for passage in outcome.item.passages)
    return replace(outcome, item=replace(outcome.item, terms=made))
