"""The gazettes a visitor can ask: the shared index, and files of their own that nobody else sees."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from index.records import Document, FileReport, Filter, Gazette, GazetteError, Passage, Source
from index.rows import Item
from index.sources import SUFFIXES
from page.ledgers import Facts, facts_of
from page.strings import Language, say
from qa.records import Answer, Turn

FILE_BYTES = 25_000_000
FILES_AT_ONCE = 50
FACTS_KEPT = 32  # gazettes whose ledgers are kept at hand
SHELF_SECONDS = 6 * 3600  # a visitor's own files are dropped this long after they were last used


class Shelved(Protocol):
    """What the page needs of an index."""

    folder: Path
    documents: Mapping[str, Document]

    @property
    def gazettes(self) -> tuple[Gazette, ...]: ...
    @property
    def source_names(self) -> Mapping[str, str]: ...
    def gazette(self, source_id: str) -> Gazette: ...
    def source(self, source_id: str) -> Source: ...
    def passages(self, document_id: str) -> list[Passage]: ...
    def close(self) -> None: ...


class Asked(Protocol):
    """What the page needs of an assistant."""

    @property
    def index(self) -> Shelved: ...
    def ask(self, question: str, *, turns: Sequence[Turn] = ..., k: int = ..., where: Filter = ...) -> Answer: ...


class Store(Protocol):
    """What changes an index folder and opens it again; apart, because a page may be read-only."""

    def add(self, path: Path, folder: Path) -> list[FileReport]: ...
    def remove(self, source_id: str, assistant: Asked) -> Item:
        """Take a source out; what is given back is all that ``restore`` needs."""
        ...

    def restore(self, item: Item, folder: Path) -> None:
        """Put a source back as it was."""
        ...

    def open(self, folder: Path) -> Asked: ...
    def latest(self, assistant: Asked) -> Asked:
        """The assistant itself, or a new one if its index was changed, by this process or another."""
        ...

    def key_points(self, answer: Answer, assistant: Asked) -> Answer:
        """The answer with a summary of sentences from its passages."""
        ...


class NotAllowed(GazetteError):  # noqa: N818 - it says what happened
    """The visitor may not change what they tried to change."""


@dataclass
class Shelf:
    """A visitor's own files, indexed in a temporary folder."""

    folder: TemporaryDirectory[str]
    assistant: Asked | None = None
    used: float = field(default_factory=time.monotonic)

    @property
    def index_folder(self) -> Path:
        return Path(self.folder.name) / "index"


@dataclass(frozen=True)
class Removed:
    """What a visitor took out of the library, until they leave: it can be put back without its file."""

    item: Item
    shared: bool


class Library:
    """The shared assistant and the visitors' shelves. Safe to use from several threads.

    Without a store nothing can be added. With ``shared_changes`` an upload goes into the shared index and everyone
    sees it; else into the visitor's own shelf.
    """

    def __init__(self, assistant: Asked, store: Store | None = None, *, shared_changes: bool = False) -> None:
        self._shared = assistant
        self._store = store
        self.shared_changes = shared_changes
        self._shelves: dict[str, Shelf] = {}
        self._removed: dict[str, dict[str, Removed]] = {}  # visitor -> source id -> what they took out
        self._facts: dict[str, Facts] = {}
        self._counts: dict[str, int] = {}  # source id -> passages; a source's never change
        self._lock = threading.RLock()

    @property
    def can_add(self) -> bool:
        return self._store is not None

    # reading

    @property
    def shared(self) -> Asked:
        """The shared assistant, over the newest state of its index."""
        if self._store is not None:
            self._shared = self._store.latest(self._shared)
        return self._shared

    def mine(self, visitor: str) -> Asked | None:
        """The assistant over the visitor's own files, if there are any."""
        shelf = self._shelves.get(visitor)
        if shelf is None or shelf.assistant is None:
            return None
        shelf.used = time.monotonic()
        return shelf.assistant

    def assistants(self, visitor: str, gazette: str | None = None) -> tuple[Asked, ...]:
        """Who to ask: the shared assistant and the visitor's own, or the one that holds the gazette asked for."""
        mine = self.mine(visitor)
        if mine is None:
            return (self.shared,)
        if gazette is None:
            return (self.shared, mine)
        return (mine,) if _holds(mine, gazette) else (self.shared,)

    def gazettes(self, visitor: str) -> tuple[Gazette, ...]:
        """Every gazette the visitor can read, their own after the shared ones; none twice."""
        seen: dict[str, Gazette] = {}
        for assistant in self.assistants(visitor):
            for gazette in assistant.index.gazettes:
                seen.setdefault(gazette.source_id, gazette)
        return tuple(seen.values())

    def names(self, visitor: str) -> dict[str, str]:
        """Source id -> file name, of every gazette the visitor can read."""
        return {k: v for assistant in self.assistants(visitor) for k, v in assistant.index.source_names.items()}

    def passages(self, index: Shelved, gazette: Gazette) -> int:
        """How many passages a gazette of an index has; counted once."""
        if gazette.source_id not in self._counts:
            self._counts[gazette.source_id] = sum(len(index.passages(d.id)) for d in gazette.documents)
        return self._counts[gazette.source_id]

    def source(self, source_id: str, visitor: str) -> Source:
        """The source of a gazette.

        Raises:
            KeyError: if the visitor can read none with this id.
        """
        for assistant in self.assistants(visitor):
            if _holds(assistant, source_id):
                return assistant.index.source(source_id)
        raise KeyError(source_id)

    def document(self, document_id: str, visitor: str) -> tuple[Gazette, Document] | None:
        """A document and its gazette; None where the visitor can read none with this id."""
        for assistant in self.assistants(visitor):
            document = assistant.index.documents.get(document_id)
            if document is not None:
                return assistant.index.gazette(document.source_id), document
        return None

    def document_at(self, source_id: str, offset: int, visitor: str) -> Document | None:
        """The document of a source that holds an offset, or the nearest before it; None for an unknown source."""
        gazette = next((a.index.gazette(source_id) for a in self.assistants(visitor) if _holds(a, source_id)), None)
        if gazette is None or not gazette.documents:
            return None
        before = [d for d in gazette.documents if d.start <= offset]
        holding = [d for d in before if offset < d.end]
        return (holding or before or list(gazette.documents))[-1]

    def facts(self, source_id: str, visitor: str) -> Facts:
        """The ledgers of a gazette.

        Raises:
            KeyError: if the visitor can read none with this id.
        """
        source = self.source(source_id, visitor)
        if source_id not in self._facts:
            gazette = next(a.index.gazette(source_id) for a in self.assistants(visitor) if _holds(a, source_id))
            while len(self._facts) >= FACTS_KEPT:
                self._facts.pop(next(iter(self._facts)), None)
            self._facts[source_id] = facts_of(gazette, source)
        return self._facts[source_id]

    def key_points(self, answer: Answer, visitor: str) -> Answer:
        """The answer with a summary of sentences from its passages; unchanged where a passage is no longer there."""
        if self._store is None:
            return answer
        for assistant in self.assistants(visitor):
            if all(hit.passage.document_id in assistant.index.documents for hit in answer.passages[:5]):
                return self._store.key_points(answer, assistant)
        return answer

    # changing

    def add(self, files: Sequence[Path], visitor: str, language: Language = "zh") -> Iterator[FileReport]:
        """Index the files one after the other, each reported as soon as it is done. The files are deleted.

        Raises:
            NotAllowed: if this page cannot add files.
        """
        for n, path in enumerate(files):
            try:
                refused = _refusal(path, n, language)
                yield from [refused] if refused else self._add(path, visitor)
            except GazetteError as error:
                yield FileReport(path.name, "skipped", str(error))
            finally:
                path.unlink(missing_ok=True)

    def _add(self, path: Path, visitor: str) -> list[FileReport]:
        with self._lock:
            store = self._changeable()
            if self.shared_changes:
                return store.add(path, self.shared.index.folder)
            self._sweep()
            twin = sha256(path.read_bytes()).hexdigest()[:16]
            if _holds(self.shared, twin):
                return [FileReport(path.name, "duplicate", self.shared.index.gazette(twin).issue, twin)]
            shelf = self._shelves.setdefault(visitor, Shelf(TemporaryDirectory(prefix="gazette-shelf-")))
            reports = store.add(path, shelf.index_folder)
            if any(report.outcome == "indexed" for report in reports):
                shelf.assistant = store.open(shelf.index_folder)
            return reports

    def remove(self, source_id: str, visitor: str) -> None:
        """Take a gazette out: the visitor's own, or a shared one where that is allowed. ``restore`` puts it back.

        Raises:
            NotAllowed: if it is shared and shared changes are not allowed, or there is no store.
            KeyError: if there is none with this id.
        """
        with self._lock:
            store = self._changeable()
            mine = self.mine(visitor)
            own = mine is not None and _holds(mine, source_id)
            if not own and not self.shared_changes:
                raise NotAllowed("the shared library is not changed from the page")
            item = store.remove(source_id, mine if mine is not None and own else self.shared)
            self._removed.setdefault(visitor, {})[source_id] = Removed(item, shared=not own)
            self._renew(visitor)

    def restore(self, source_id: str, visitor: str) -> None:
        """Put back what the visitor took out, as it was.

        Raises:
            KeyError: if they took out none with this id.
        """
        with self._lock:
            removed = self._removed.get(visitor, {})[source_id]
            folder = self.shared.index.folder if removed.shared else self._shelves[visitor].index_folder
            self._changeable().restore(removed.item, folder)
            del self._removed[visitor][source_id]
            self._renew(visitor)

    def removed(self, visitor: str) -> tuple[Gazette, ...]:
        """What the visitor took out and can put back, the last one first."""
        return tuple(r.item.gazette for r in reversed(list(self._removed.get(visitor, {}).values())))

    def _renew(self, visitor: str) -> None:
        """The visitor's own assistant over the newest state of their index."""
        shelf = self._shelves.get(visitor)
        if shelf is not None and shelf.assistant is not None:
            shelf.assistant = self._changeable().latest(shelf.assistant)

    def forget(self, visitor: str) -> None:
        """Delete the visitor's own files and their index, and what they could still put back."""
        with self._lock:
            self._removed.pop(visitor, None)
            shelf = self._shelves.pop(visitor, None)
            if shelf is not None:
                if shelf.assistant is not None:
                    shelf.assistant.index.close()
                shelf.folder.cleanup()

    def close(self) -> None:
        """Delete every visitor's files; the shared index stays open."""
        for visitor in list(self._shelves):
            self.forget(visitor)

    def _changeable(self) -> Store:
        if self._store is None:
            raise NotAllowed("this page was started without a store: its library cannot be changed")
        return self._store

    def _sweep(self) -> None:
        limit = time.monotonic() - SHELF_SECONDS
        for visitor in [v for v, shelf in self._shelves.items() if shelf.used < limit]:
            self.forget(visitor)


def _holds(assistant: Asked, source_id: str) -> bool:
    return source_id in assistant.index.source_names


def _refusal(path: Path, n: int, language: Language) -> FileReport | None:
    """Why a file is not even read: too many, too large, wrong kind. Checked here: a browser's checks can be skipped."""
    if n >= FILES_AT_ONCE:
        return FileReport(path.name, "skipped", say(language, "too_many", n=FILES_AT_ONCE))
    if path.suffix.lower() not in SUFFIXES:
        return FileReport(path.name, "skipped", say(language, "bad_type", suffixes=" ".join(sorted(SUFFIXES))))
    size = path.stat().st_size
    if size > FILE_BYTES:
        return FileReport(path.name, "skipped", say(language, "too_big", size=f"{size:,}", limit=f"{FILE_BYTES:,}"))
    return None
