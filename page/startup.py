"""Gradio imported in half its time, and told not to call home."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


@contextmanager
def without_stubs() -> Iterator[None]:
    """For ``import gradio``: it rewrites a type stub beside each of its components every time, 2.3 s of 4.9 s.

    It leaves a class alone whose file cannot be found, so while it is imported its own are not found.
    """
    find = inspect.getfile

    def getfile(object: Any) -> str:  # noqa: A002 - inspect's own name for it
        if isinstance(object, type) and object.__module__.startswith("gradio.") and hasattr(object, "EVENTS"):
            raise OSError("no stub is wanted")
        return find(object)

    inspect.getfile = getfile
    try:
        yield
    finally:
        inspect.getfile = find
