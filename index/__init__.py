"""Gazette files -> a searchable index. Knows nothing of questions and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from index.records import Hit, Passage

if TYPE_CHECKING:
    from index.store import build, open_index

__all__ = ["Hit", "Passage", "build", "open_index"]


def __getattr__(name: str) -> object:
    # The nouns alone come at once; the store brings numpy and the engines with it.
    if name in {"build", "open_index"}:
        from index import store

        return getattr(store, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
