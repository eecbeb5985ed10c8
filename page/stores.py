"""Changes to an index folder, for the page's library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from index.building import changing  # what was read before is put back: index offers files only
from index.interface import milvus_uri
from index.records import FileReport
from index.rows import Item
from index.store import add, build, open_index
from index.writer import matching_encoder
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

    def remove(self, source_id: str, assistant: Asked) -> Item:
        """Take one source out; what is given back is all that ``restore`` needs.

        Raises:
            KeyError: if there is none with this id.
            GazetteError: if the folder cannot be written; nothing was changed.
        """
        index = assistant.index
        gazette = index.gazette(source_id)
        passages = tuple(p for document in gazette.documents for p in index.passages(document.id))
        with changing(index.folder) as store:
            path = next((s.path for s in store.sources if s.id == source_id), "")
            item = Item(index.source(source_id), gazette, passages, path)
            store.write((), {source_id}, None)
        return item

    def restore(self, item: Item, folder: Path) -> None:
        """Put a source back as it was; nothing where it is there again.

        Raises:
            GazetteError: if the folder cannot be written; nothing was changed.
        """
        with changing(folder) as store:
            if all(source.id != item.source.id for source in store.sources):
                store.write([item], frozenset(), matching_encoder(folder, store.card, None))

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
