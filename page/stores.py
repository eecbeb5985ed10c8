"""Changes to an index folder, for the page's library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from index.interface import milvus_uri
from index.records import FileReport
from index.store import add, build, open_index, remove
from page.library import Asked
from qa.ask import Assistant
from qa.keypoints import key_points
from qa.records import Answer

if TYPE_CHECKING:
    from qa.generate import Model


class IndexStore:
    """A ``page.library.Store`` over ``index.store``: a folder that is not there yet is built, one that is, added to."""

    def __init__(self, model: Model | None = None, *, rewrite: bool = False) -> None:
        self._model = model
        self._rewrite = rewrite

    def add(self, path: Path, folder: Path) -> list[FileReport]:
        """What became of the file, or of each file in an archive.

        Raises:
            GazetteError: if the folder cannot be written; nothing was changed.
        """
        stands = folder.exists() or milvus_uri(folder) is not None  # build would take the place of what is there
        return add([path], folder) if stands else build([path], folder)

    def remove(self, source_id: str, folder: Path) -> None:
        """Take one source out."""
        remove([source_id], folder)

    def open(self, folder: Path) -> Asked:
        """An assistant over the folder."""
        return Assistant(open_index(folder), model=self._model, rewrite=self._rewrite)

    def latest(self, assistant: Asked) -> Asked:
        """The assistant itself, or a new one if its index has a newer generation; the old one still answers."""
        if not isinstance(assistant, Assistant):
            return assistant
        index = assistant.index.latest()
        return assistant if index is assistant.index else assistant.over(index)

    def key_points(self, answer: Answer, assistant: Asked) -> Answer:
        """The answer with a summary of sentences from its passages."""
        return key_points(answer, assistant.index) if isinstance(assistant, Assistant) else answer
