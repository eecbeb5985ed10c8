"""Reading and embedding on many machines with Ray Data, for corpora that one machine takes days over.

Only the two costly steps go to the cluster: files are read there and their passages embedded. One process gathers the
results in the files' order and writes the index folder, or Milvus, exactly as ``index.building`` does.
"""

from __future__ import annotations

import importlib
import re
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from index.building import build
from index.embed import Encoder, Vectors, load_encoder
from index.intake import Progress
from index.reading import Outcome, read_file
from index.records import FileReport, GazetteError
from index.rows import embedded_text
from index.sources import Member

_FILES = 16  # files in a task
_MOST_KEPT = 200_000  # vectors


class RayMissing(GazetteError):  # noqa: N818 - it says what happened
    """Ray is not installed, or no cluster answers."""


def build_with_ray(
    paths: Sequence[Path],
    folder: Path,
    *,
    encoder: str | None = None,
    workers: int = 2,
    address: str | None = None,
    progress: Progress | None = None,
) -> list[FileReport]:
    """As ``index.building.build``, with files read and embedded by ``workers`` of a Ray cluster.

    The files and the encoder must be found at the same place on every machine. ``address`` is the cluster's
    ("auto" for the one this machine belongs to); without one, Ray is started here.

    Raises:
        RayMissing: if there is no Ray, or no cluster at the address.
        As ``build`` does.
    """
    try:
        ray, data = importlib.import_module("ray"), importlib.import_module("ray.data")
    except ImportError as error:
        raise RayMissing('没有安装 ray；请运行 pip install ".[ray]"') from error
    if not ray.is_initialized():
        try:
            _reach(address)
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
        except (OSError, ValueError, RuntimeError) as error:
            raise RayMissing(f"连不上 Ray 集群 {address}（{error}）") from error
    data.DataContext.get_current().enable_progress_bars = False
    data.DataContext.get_current().execution_options.preserve_order = True  # the same index whoever is faster
    gathered = _Gathered(load_encoder(encoder))

    def read(files: Sequence[Path | Member], known: frozenset[str]) -> Iterator[Outcome]:
        dataset = data.from_items(list(files), override_num_blocks=-(-len(files) // _FILES) or 1)
        rows = dataset.map_batches(
            _Worker,
            fn_constructor_args=(encoder, known),
            batch_size=_FILES,
            compute=data.ActorPoolStrategy(size=workers),
        ).iter_rows()
        for row in rows:
            outcome: Outcome = row["outcome"]
            if outcome.item is not None:
                gathered.take([embedded_text(passage) for passage in outcome.item.passages], row["vectors"])
            yield outcome

    return build(paths, folder, encoder=gathered, progress=progress, reader=read)


def _reach(address: str | None) -> None:
    """Nothing, where something listens at host:port, or no such address is given.

    Ray itself asks again and again: 13 minutes until it said that nobody is there.

    Raises:
        OSError: if nothing listens there.
    """
    place = re.fullmatch(r"(?:ray://)?\[?([^\]/]+?)\]?:(\d+)", address or "")
    if place:
        socket.create_connection((place[1], int(place[2])), timeout=10).close()


class _Worker:
    """In a Ray actor: reads a batch of files and embeds their passages; the encoder is loaded once."""

    def __init__(self, encoder: str | None, known: frozenset[str]) -> None:
        self._encoder = load_encoder(encoder)
        self._known = known

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        outcomes = [read_file(file, self._known) for file in batch["item"]]
        texts = [[embedded_text(p) for p in outcome.item.passages] if outcome.item else [] for outcome in outcomes]
        vectors = self._encoder.encode_document([text for each in texts for text in each])
        ends = np.cumsum([len(each) for each in texts])
        return {
            "outcome": outcomes,
            "vectors": [block.tobytes() for block in np.split(np.asarray(vectors, np.float32), ends[:-1])],
        }


class _Gathered:
    """An encoder that has the vectors which came with the items, and makes only those that did not."""

    def __init__(self, encoder: Encoder) -> None:
        self.name, self.dimensions, self.fingerprint = encoder.name, encoder.dimensions, encoder.fingerprint
        self._encoder = encoder
        self._vectors: dict[str, bytes] = {}

    def take(self, texts: Sequence[str], vectors: bytes) -> None:
        """Keep vectors, one after the other, until their texts are asked for."""
        if len(self._vectors) > _MOST_KEPT:  # nobody asks for those of passages that were indexed before
            self._vectors.clear()
        width = 4 * self.dimensions
        self._vectors.update((text, vectors[n * width : (n + 1) * width]) for n, text in enumerate(texts))

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.encode_query(texts)

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        missing = [text for text in texts if text not in self._vectors]
        if missing:
            self.take(missing, self._encoder.encode_document(missing).tobytes())
        rows = np.frombuffer(b"".join(self._vectors[text] for text in texts), np.float32)
        self._vectors.clear()  # the builder asks for everything that waits, then goes on to new items
        return rows.reshape(len(texts), self.dimensions)
