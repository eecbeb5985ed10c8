"""The default index: build/gazettes over data/, made on first use and again when what it is made of has changed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from index.generations import IndexBusy, IndexDamaged, sha256, write_atomically
from index.records import GazetteError
from index.writer import SCHEMA, code_fingerprint, whole_generation

_INPUTS = "inputs.json"
_PATIENCE_S = 120.0  # how long to wait while another process builds


def home() -> Path:
    """The project's folder; where only the packages are installed, the folder one stands in."""
    root = Path(__file__).parent.parent
    return root if (root / "data").is_dir() else Path.cwd()


def default_index(
    data: Path | None = None, folder: Path | None = None, *, told: Callable[[str], None] | None = None
) -> Path:
    """The folder of the index over data/, built first if it is missing, damaged, or made of something else.

    It is made of the files, the shipped encoder and this package's code. ``told`` is called with a line for the user
    before work that takes time. Of two processes at once one builds and the other waits for it.

    Raises:
        GazetteError: if nothing in ``data`` can be indexed.
        IndexBusy: if another process is still building after two minutes.
    """
    data = data or home() / "data"
    folder = folder or home() / "build" / "gazettes"
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        recorded = _recorded(folder)
        inputs = _inputs(data, recorded)
        if _same(inputs, recorded) and _is_whole(folder):
            return folder
        if told is not None:
            told(f"正在为 {data} 建立索引……")
        from index.building import build  # reading files is needed here alone

        try:
            reports = build([data], folder)
        except IndexBusy:
            if time.monotonic() > deadline:
                raise
            told = None
            time.sleep(0.2)
            continue
        if not any(report.outcome == "indexed" for report in reports):
            reasons = "；".join(report.reason for report in reports) or "没有文件"
            raise GazetteError(f"{data} 里没有可以建立索引的公报（{reasons}）")
        write_atomically(folder / _INPUTS, json.dumps(inputs, ensure_ascii=False, indent=1).encode())
        return folder


def _is_whole(folder: Path) -> bool:
    try:
        whole_generation(folder).release()
    except IndexDamaged:
        return False
    return True


def _recorded(folder: Path) -> dict[str, Any]:
    """What the index was made of; empty where that is not known."""
    try:
        recorded = json.loads((folder / _INPUTS).read_bytes())
    except (OSError, ValueError):
        return {}
    return recorded if isinstance(recorded, dict) and isinstance(recorded.get("files"), dict) else {}


def _inputs(data: Path, recorded: dict[str, Any]) -> dict[str, Any]:
    """What the index is to be made of; a file is read again only if its size or time of change is another."""
    from index.embed import SHIPPED

    files: dict[str, list[object]] = {}
    for path in (*_files(data), *_files(SHIPPED)):
        status = path.stat()
        stamp = [status.st_size, status.st_mtime_ns]
        known = recorded.get("files", {}).get(str(path))
        digest = known[2] if isinstance(known, list) and known[:2] == stamp else sha256(path)
        files[str(path)] = [*stamp, digest]
    return {"schema": SCHEMA, "code": code_fingerprint(), "files": files}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix not in {".py", ".pyc"})


def _same(inputs: dict[str, Any], recorded: dict[str, Any]) -> bool:
    def gist(of: dict[str, Any]) -> object:
        return of.get("schema"), of.get("code"), {name: known[2] for name, known in of.get("files", {}).items()}

    return gist(inputs) == gist(recorded)
