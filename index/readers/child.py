"""A reader run in a process of its own, with a memory limit and an end to waiting."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType, TracebackType

from index.readers import Limits, Reading, Unreadable

_ROOT = Path(__file__).resolve().parents[2]
_MEGABYTE = 1_000_000
_PIECE = 500_000  # characters of a text sent at once


class Crashed(Unreadable):
    """The child ended before its work did: out of memory, or a fault in the parser."""


class Child:
    """``python -m module`` fed with bytes; its JSON lines are records. A context manager that ends it."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        data: bytes,
        *,
        seconds: float,
        pace: float,
        memory: int = 200 * _MEGABYTE,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._seconds = seconds  # without a record
        self._pace = pace  # seconds a record, over all
        self._data = data
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        limit = str(memory + 3 * len(data))
        variables = {**os.environ, **environment, "PYTHONPATH": os.pathsep.join(paths), "GAZETTE_CHILD_MEMORY": limit}
        self._process = subprocess.Popen(  # noqa: S603 - our own module under our own interpreter
            [sys.executable, "-P", "-m", module, *arguments],  # -P: nothing is imported from the folder we stand in
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=variables,
        )
        for work in (self._feed, self._drain):
            threading.Thread(target=work, daemon=True).start()

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def _feed(self) -> None:
        pipe = self._process.stdin
        if pipe is None:
            return
        try:
            pipe.write(self._data)
            pipe.close()
        except (OSError, ValueError):
            return  # it has ended; how, its exit status says

    def _drain(self) -> None:
        pipe = self._process.stdout
        try:
            for line in pipe or ():
                self._lines.put(line)
        except (OSError, ValueError):
            pass  # closed under us: nobody reads on
        self._lines.put(None)

    def records(self) -> Iterator[dict[str, object]]:
        """The records as they come.

        Raises:
            Unreadable: if the child refuses the file, is silent for ``seconds``, or far too slow over all.
        Crashed: if it ends otherwise than by itself.
        """
        begun = time.monotonic()
        count = 0
        while True:
            try:
                line = self._lines.get(timeout=self._seconds)
            except queue.Empty:
                line = b""
            if line is None:
                break
            if not line or time.monotonic() - begun > self._seconds + self._pace * count:
                raise Unreadable(f"读到第 {count + 1} 页超过 {self._seconds:.0f} 秒，已放弃；文件可能已损坏")
            record: dict[str, object] = json.loads(line)
            if "error" in record:
                raise Unreadable(str(record["error"]))
            count += 1
            yield record
        try:
            status = self._process.wait(self._seconds)
        except subprocess.TimeoutExpired:
            status = -1
        if status != 0:
            raise Crashed("解析时出错或内存超限，未读取；文件可能已损坏，或是压缩炸弹")


def reading(module: str, data: bytes, limits: Limits) -> Reading:
    """What the reader of that module makes of the bytes, in a process of its own; see ``serve``.

    Raises:
        Unreadable: as the reader does; Crashed where the process ends.
    """
    pieces: list[str] = []
    with Child(module, [json.dumps(asdict(limits))], data, seconds=limits.seconds, pace=limits.seconds) as child:
        for record in child.records():
            if "text" in record:
                pieces.append(str(record["text"]))
                continue
            notes = record["notes"]
            found = tuple(map(str, notes)) if isinstance(notes, list) else ()
            return Reading("".join(pieces), str(record["encoding"]), notes=found)
    raise Crashed("解析时出错，未读取；文件可能已损坏")


def serve(read: Callable[[bytes, Limits], Reading]) -> None:
    """The other side of ``reading``: the file on standard input; its text in pieces, then the rest, as JSON lines."""
    limit_memory()

    def records() -> Iterator[dict[str, object]]:
        try:
            found = read(sys.stdin.buffer.read(), Limits(**json.loads(sys.argv[1])))
        except Unreadable as error:
            yield {"error": str(error)}
            return
        for at in range(0, len(found.text), _PIECE):
            yield {"text": found.text[at : at + _PIECE]}
        yield {"encoding": found.encoding, "notes": found.notes}

    for record in records():
        sys.stdout.write(json.dumps(record) + "\n")


def limit_memory() -> None:
    """Keep this process within what its parent allows, beyond what it has now; without effect where not supported."""
    allowed = os.environ.get("GAZETTE_CHILD_MEMORY")
    sizes = Path("/proc/self/statm")
    if allowed is None or not sizes.exists():
        return
    import resource  # not on Windows

    now = int(sizes.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (now + int(allowed), now + int(allowed)))
