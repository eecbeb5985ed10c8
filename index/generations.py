"""Generations: an index folder changes only by a new folder beside the old one and one pointer to it.

::

    DIR/CURRENT                          which generation holds, and its manifest's SHA-256
    DIR/lock                             held by the one writer
    DIR/generations/000012-3f2a9c41/     never changed once it has its name
        manifest.json                    every other file with its size and SHA-256; readers hold it locked
        <segment>.sqlite                 the truth: whole sources and what was found in them
        <segment>.faiss, .keys.npy       made from it
        <segment>.words, .cuts.npy       made from it
        lexical/                         made from it

A new generation is filled under a temporary name, unchanged files linked into it, flushed to the disk, renamed, and
only then does ``CURRENT`` point to it: whoever is killed at any moment leaves the old one or the new one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from index.records import GazetteError

MANIFEST = "manifest.json"
_RETIRED = "manifest.retired.json"
_STAGING = ".new-"

ALWAYS_HASHED_BYTES = 64_000_000
"""Up to this size every file is hashed at each opening (SHA-256 runs at about 1.5 GB/s, so 40 ms); beyond it only
files whose time of change is not the manifest's. ``verify`` hashes everything always."""


class IndexDamaged(GazetteError):  # noqa: N818 - it says what happened
    """The folder holds no index, or none that is whole."""


class IndexBusy(GazetteError):  # noqa: N818
    """Another process is writing to the index."""


class WriteFailed(GazetteError):  # noqa: N818
    """The disk is full or a file cannot be written; the index is as it was before."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file as it was written; ``changed`` is its modification time in nanoseconds."""

    size: int
    sha256: str
    changed: int


@dataclass(frozen=True, slots=True)
class SegmentEntry:
    """A segment in use: its files' stem, its keys (both inclusive), and the sources in it that were removed since."""

    name: str
    passages: int
    first_key: int
    last_key: int
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EncoderCard:
    """Which encoder made the vectors."""

    name: str
    dimensions: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation says of itself."""

    schema: str
    generation: str
    encoder: EncoderCard
    segments: tuple[SegmentEntry, ...]
    next_key: int
    sources: int
    documents: int
    passages: int
    files: dict[str, FileEntry] = field(default_factory=dict)

    def dump(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True).encode()

    @classmethod
    def load(cls, data: bytes) -> Manifest:
        """Raises ValueError, KeyError or TypeError where the bytes are no manifest."""
        values: dict[str, Any] = json.loads(data)
        values["encoder"] = EncoderCard(**values["encoder"])
        values["segments"] = tuple(
            SegmentEntry(**{**entry, "removed": tuple(entry["removed"])}) for entry in values["segments"]
        )
        values["files"] = {name: FileEntry(**entry) for name, entry in values["files"].items()}
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Reference:
    """A generation by its name and the SHA-256 of its manifest (None where that is not known)."""

    name: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Pointer:
    """The contents of ``CURRENT``: the generation that holds, and the one to fall back to if it is damaged.

    One with sources that were removed since is never fallen back to: removed text must not come back.
    """

    current: Reference
    fallback: Reference | None

    @property
    def references(self) -> list[Reference]:
        return [self.current, *([self.fallback] if self.fallback else [])]


def read_pointer(folder: Path) -> Pointer | None:
    """The pointer, None where there is none or it cannot be made out."""
    try:
        body, _, checksum = (folder / "CURRENT").read_bytes().partition(b"\n")
        if checksum != _checksum(body):
            return None
        values = json.loads(body)
        fallback = Reference(**values["fallback"]) if values["fallback"] else None
        return Pointer(Reference(**values["current"]), fallback)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def pointer_stamp(folder: Path) -> tuple[int, int]:
    """Changes whenever another generation is published; (0, 0) where there is no pointer."""
    try:
        status = (folder / "CURRENT").stat()
    except OSError:
        return 0, 0
    return status.st_ino, status.st_mtime_ns


class Generation:
    """A generation held for reading: it is not deleted before ``release``."""

    def __init__(self, folder: Path, reference: Reference, manifest: Manifest, held: int) -> None:
        self.folder = folder
        self.reference = reference
        self.manifest = manifest
        self._held: int | None = held

    def release(self) -> None:
        """Let go of it; the writer that comes next may delete it."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def damaged(self, *, thorough: bool = False) -> list[str]:
        """The names of files that are missing or not as the manifest has them, by size and SHA-256."""
        files = self.manifest.files
        thorough = thorough or sum(entry.size for entry in files.values()) <= ALWAYS_HASHED_BYTES
        return [name for name, entry in files.items() if not _is_whole(self.folder / name, entry, thorough)]


def _is_whole(path: Path, entry: FileEntry, thorough: bool) -> bool:
    try:
        status = path.stat()
        if status.st_size != entry.size:
            return False
        return (not thorough and status.st_mtime_ns == entry.changed) or sha256(path) == entry.sha256
    except OSError:
        return False


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hold(folder: Path, reference: Reference) -> Generation | None:
    """A generation, held; None if it is gone or its manifest is not whole."""
    path = folder / "generations" / reference.name
    try:
        held = os.open(path / MANIFEST, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:  # it is being deleted
            os.close(held)
            return None
        except OSError:
            pass  # a file system without locks: read all the same, open files outlive their deletion
        with open(held, "rb", closefd=False) as file:
            data = file.read()
        digest = hashlib.sha256(data).hexdigest()
        if reference.sha256 not in {None, digest}:
            raise ValueError("not the manifest that was published")
        manifest = Manifest.load(data)
        names = [Path(name) for name in manifest.files]
        if manifest.generation != reference.name or any(name.is_absolute() or ".." in name.parts for name in names):
            raise ValueError("a manifest from elsewhere")
    except (ValueError, KeyError, TypeError, AttributeError):
        os.close(held)
        return None
    return Generation(path, Reference(reference.name, digest), manifest, held)


def candidates(folder: Path) -> list[Reference]:
    """Generations that may be read, the one that holds first."""
    if pointer := read_pointer(folder):
        return pointer.references
    # The pointer is lost: the newest may be trusted, an older one may hold what was removed since.
    published = sorted(path.parent.name for path in (folder / "generations").glob(f"[0-9]*/{MANIFEST}"))
    return [Reference(name, None) for name in published[-1:]]


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Be the one writer; at the end, generations that nobody needs are deleted.

    Raises:
        IndexBusy: at once, if another process or thread is writing.
        WriteFailed: if the folder cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise WriteFailed(f"{folder}：无法写入（{error.strerror}）；请换一个文件夹") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise IndexBusy(f"{folder}：另一个进程正在写这个索引；请等它结束后再试") from error
        try:
            yield
        finally:
            _collect(folder)
    finally:
        os.close(descriptor)


def stage(folder: Path) -> Path:
    """An empty folder for the next generation, under a temporary name; leftovers of killed writers are removed."""
    generations = folder / "generations"
    generations.mkdir(exist_ok=True)
    clear_staging(folder)
    numbers = [int(head) for path in generations.iterdir() if (head := path.name.partition("-")[0]).isdecimal()]
    # The number orders them; the random part makes a name unique for good, whatever was deleted in between.
    name = f"{max(numbers, default=0) + 1:06d}-{secrets.token_hex(4)}"
    path = generations / f"{_STAGING}{name}"
    path.mkdir()
    return path


def clear_staging(folder: Path) -> None:
    """Remove what killed writers left under temporary names."""
    for path in (folder / "generations").glob(f"{_STAGING}*"):
        shutil.rmtree(path)


def name_of(staging: Path) -> str:
    """The name a staged generation will have."""
    return staging.name.removeprefix(_STAGING)


def link(source: Path, target: Path) -> None:
    """The same file under a second name; a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def seal(staging: Path, manifest: Manifest, previous: Generation | None) -> Manifest:
    """Flush every file of a staged generation to the disk and put them all into its manifest."""
    known = previous.manifest.files if previous else {}
    files: dict[str, FileEntry] = {}
    for path in sorted(p for p in staging.rglob("*") if p.is_file()):
        name = path.relative_to(staging).as_posix()
        status = path.stat()
        old = known.get(name)
        if old and previous and _same_file(path, previous.folder / name):
            files[name] = old
            continue
        _flush(path)
        files[name] = FileEntry(status.st_size, sha256(path), status.st_mtime_ns)
    sealed = Manifest(**{**{f: getattr(manifest, f) for f in Manifest.__slots__}, "files": files})
    target = staging / MANIFEST
    target.write_bytes(sealed.dump())
    for path in (target, *(p for p in staging.rglob("*") if p.is_dir()), staging):
        _flush(path)
    return sealed


def publish(folder: Path, staging: Path, manifest: Manifest, fallback: Reference | None) -> None:
    """Give a sealed generation its name and let ``CURRENT`` point to it."""
    generations = folder / "generations"
    staging.rename(generations / manifest.generation)
    _flush(generations)
    digest = sha256(generations / manifest.generation / MANIFEST)
    pointer = Pointer(Reference(manifest.generation, digest), fallback)
    body = json.dumps(asdict(pointer)).encode()
    write_atomically(folder / "CURRENT", body + b"\n" + _checksum(body))


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode() + b"\n"


def write_atomically(path: Path, data: bytes) -> None:
    """Put data in place of what a file held, so that it holds either the one or the other whatever happens."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(data)
    _flush(new)
    new.replace(path)
    _flush(path.parent)


def _collect(folder: Path) -> None:
    """Delete generations that neither hold nor serve to fall back to, unless a reader still has them."""
    pointer = read_pointer(folder)
    if pointer is None:
        return
    needed = {reference.name for reference in pointer.references}
    for path in (folder / "generations").iterdir():
        if path.name in needed:
            continue
        with suppress(OSError):
            # Renamed first: from now on nobody can open it, whoever has it open keeps its lock on the same file.
            if (path / MANIFEST).exists():
                (path / MANIFEST).rename(path / _RETIRED)
            _delete_unless_held(path)


def _delete_unless_held(path: Path) -> None:
    try:
        descriptor = os.open(path / _RETIRED, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        shutil.rmtree(path)  # a deletion that was cut short
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(path)
    except BlockingIOError:
        pass  # the next writer tries again
    finally:
        os.close(descriptor)


def _same_file(a: Path, b: Path) -> bool:
    try:
        return a.samefile(b)
    except OSError:
        return False


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
