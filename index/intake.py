"""What becomes of each file that is to be indexed: new, unchanged, a duplicate, in place of an older version."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from index.reading import Outcome
from index.records import FileReport
from index.rows import Item, SourceEntry, issue_of
from index.sources import Member, find_sources

Progress = Callable[[int, int, float], None]
"""Called with files done, files in all, and characters a second so far."""

Reader = Callable[[Sequence[Path | Member], frozenset[str]], Iterator[Outcome]]
"""Gives every file's outcome in order; files whose id is known need not be parsed."""

Replace = Literal["file", "issue", "none"]
"""What a new source takes the place of: an older version of the same file; besides, any source with the same issue of
the same gazette; or nothing."""


class Intake:
    """Reads files one by one; what became of each is in ``reports``, in order."""

    def __init__(
        self,
        paths: Sequence[Path],
        progress: Progress | None,
        reader: Reader,
        present: Sequence[SourceEntry] = (),
        finished: Mapping[str, str] = MappingProxyType({}),
        replace: Replace = "file",
    ) -> None:
        self.reports: list[FileReport] = []
        self.wanted: set[str] = set()  # sources that belong into the index
        self.replaced: set[str] = set()  # older versions of what was read
        self._files = list(find_sources([Path(path) for path in paths]))
        self._progress = progress
        self._reader = reader
        self._present = {source.id: source for source in present}
        self._finished = finished
        self._replace = replace
        self._seen: dict[str, str] = {}

    def items(self) -> Iterator[Item]:
        """What is new, as it is read."""
        began, characters = time.monotonic(), 0
        known = frozenset(self._present) | frozenset(self._finished)
        for done, outcome in enumerate(self._reader(self._files, known), 1):
            self.reports.append(self._report(outcome))
            if outcome.item is not None and self.reports[-1].outcome == "indexed":
                characters += len(outcome.item.source.text)
                yield outcome.item
            if self._progress is not None:
                self._progress(done, len(self._files), characters / (time.monotonic() - began + 1e-9))

    def _report(self, outcome: Outcome) -> FileReport:
        """What becomes of a file, by what it gave and what came before it."""
        name, source_id, item = outcome.name, outcome.source_id, outcome.item
        if source_id is None:
            return FileReport(name, "skipped", outcome.reason)
        if source_id in self._seen:
            return FileReport(name, "duplicate", f"与 {self._seen[source_id]} 内容相同", source_id)
        if present := self._present.get(source_id):
            if outcome.place == present.path or name == present.name:
                return FileReport(name, "unchanged", source_id=source_id)
            return FileReport(name, "duplicate", f"与 {present.name} 内容相同", source_id)
        self._seen[source_id] = name
        self.wanted.add(source_id)
        if item is None:
            return FileReport(name, "indexed", "上次中断前已读过", source_id)
        older, beside = self._versions(item, outcome.place)
        self.replaced |= older
        notes = (*item.source.notes, *(f"与 {other} 是同一期，两者并存" for other in beside))
        return FileReport(name, "indexed", "", source_id, len(item.gazette.documents), len(item.passages), notes=notes)

    def _versions(self, item: Item, place: str) -> tuple[set[str], list[str]]:
        """The sources an item takes the place of, and the names of those that hold the same issue besides."""
        if self._replace == "none":
            return set(), []
        issue = issue_of(item.gazette)
        same_issue = {other.id: other.name for other in self._present.values() if issue and other.issue == issue}
        older = {other.id for other in self._present.values() if _same_file(other, item.source.name, place)}
        if self._replace == "issue":
            return older | same_issue.keys(), []
        return older, [name for other_id, name in same_issue.items() if other_id not in older | self.replaced]


def _same_file(other: SourceEntry, name: str, place: str) -> bool:
    """Was it read from this place, or from a file of this name that is no longer where it was?"""
    if not other.path:
        return False
    return other.path == place or (other.name == name and not Path(other.path.partition("!")[0]).exists())
