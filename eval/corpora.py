"""Which texts a question file asks about, and the index over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from index.home import default_index, home


def corpus_of(file: Path) -> Path:
    """The folder of texts beside a question file, named like the start of its name; without one, data/.

    ``laws_dev.jsonl`` asks about ``laws/``, ``sample_dev.jsonl`` about data/, since there is no ``sample/``. Where the
    folder has one for the part, that alone is asked about: ``gazettes_dev.jsonl`` about ``gazettes/dev/``.
    """
    start, _, part = file.stem.partition("_")
    beside = (file.resolve().parent / start).resolve()
    if part and (beside / part).is_dir():
        return beside / part
    return beside if beside.is_dir() else home() / "data"


def by_corpus(files: Sequence[Path]) -> dict[Path, list[Path]]:
    """The files of each corpus, corpora and files in the order given."""
    groups: dict[Path, list[Path]] = {}
    for file in files:
        groups.setdefault(corpus_of(file), []).append(file)
    return groups


def index_over(corpus: Path, *, told: Callable[[str], None] | None = None) -> Path:
    """The index folder of a corpus under build/, made on first use and again when its texts or the code change.

    Raises:
        GazetteError: if nothing in the corpus can be indexed.
    """
    if corpus == home() / "data":
        return default_index(told=told)
    # With the folder above it, since one part is called like that of another corpus: questions-laws, gazettes-dev.
    return default_index(corpus, home() / "build" / "-".join(corpus.parts[-2:]), told=told)
