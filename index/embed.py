"""Texts to unit vectors: the one seam to sentence-transformers.

The encoder shipped in ``index/encoder`` is a sentence-transformers ``StaticEmbedding``: the mean of one vector per
word. It is read here with tokenizers, safetensors and numpy alone, because importing torch to embed one question
takes several seconds; ``tests/index/test_embed.py`` holds both ways to the same vectors within 1e-5.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from index.cutter import Cutter, Numbers
from index.records import GazetteError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

Vectors: TypeAlias = npt.NDArray[np.float32]

SHIPPED = Path(__file__).parent / "encoder"
SHIPPED_NAME = "gazette-static-zh"
TOKENIZER = "tokenizer.json"
_BATCH = 1024  # texts cut into words at once, by all cores
_BLOCK = 128  # texts whose word vectors are gathered at once: 1,024 fall out of the cache and take three times as long


class EncoderNotFound(GazetteError):  # noqa: N818 - it says what happened
    """The encoder asked for is neither a folder nor a model that can be had here."""


class Encoder(Protocol):
    """Whatever turns texts into unit vectors."""

    @property
    def name(self) -> str:
        """What the user called it."""

    @property
    def dimensions(self) -> int: ...

    @property
    def fingerprint(self) -> str:
        """sha256, hex, of what makes the vectors: equal fingerprints give equal vectors."""

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        """(n, dimensions) float32 rows of length 1; a text without a known word gives a row of zeros."""

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        """As ``encode_query``, for passages; some models put another prompt before them."""


def unit_rows(matrix: npt.ArrayLike) -> Vectors:
    """The rows brought to length 1 as float32; rows of zeros, and rows that are not finite, become zeros."""
    rows = np.atleast_2d(np.asarray(matrix, dtype=np.float32))
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    usable = np.isfinite(norms) & (norms > 0)
    return np.where(usable, rows / np.where(usable, norms, 1), 0).astype(np.float32)


def shipped_tokenizer(folder: Path = SHIPPED) -> Tokenizer:
    """The cutter into words that encoder and word vectors share; it is read once, in a tenth of a second and 54 MB.

    Raises:
        OSError, ValueError: if the file is missing or damaged.
    """
    return _tokenizer(folder)  # the default and the same folder given are two calls to a cache


@lru_cache(maxsize=4)
def _tokenizer(folder: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str((folder / TOKENIZER).read_text(encoding="utf-8"))
    tokenizer.no_padding()
    return tokenizer


@lru_cache(maxsize=4)
def shipped_cutter(folder: Path = SHIPPED) -> Cutter:
    """The same words by number alone, faster; pieces it has cut for the one are cut for the other."""
    return Cutter(shipped_tokenizer(folder))


class StaticEncoder:
    """A folder with one ``StaticEmbedding``, read without torch.

    Raises:
        EncoderNotFound: if a file of the folder is missing or damaged.
    """

    def __init__(self, folder: Path, name: str = SHIPPED_NAME) -> None:
        from safetensors import SafetensorError, safe_open

        weights = folder / "model.safetensors"
        try:
            with safe_open(weights, "numpy") as tensors:
                table = tensors.get_slice("embedding.weight")
                rows, columns = table.get_shape()
                if table.get_dtype() != "F32" or len(list(tensors.keys())) != 1:
                    raise ValueError(f"{weights.name} is not one float32 table, as it is mapped")
            # Mapped, for a question needs few of its 20 MB; the only array of the file, so it is the end of it.
            begin = weights.stat().st_size - 4 * rows * columns
            self._table: Vectors = np.memmap(weights, np.float32, "r", begin, (rows, columns)).view(np.ndarray)
            self.fingerprint = _sha256((weights, folder / TOKENIZER))
            self._cutter = shipped_cutter(folder)
        except (OSError, KeyError, ValueError, SafetensorError) as error:
            raise EncoderNotFound(
                f"{folder}: not a whole static encoder ({error}); install the package anew"
            ) from error
        self.name = name
        self.dimensions = int(self._table.shape[1])

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit rows, the normalised mean of each text's word vectors."""
        out = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for first in range(0, len(texts), _BATCH):
            ids, lengths = self._cutter.cut(texts[first : first + _BATCH])
            at = first
            for block in np.split(lengths, range(_BLOCK, len(lengths), _BLOCK)):
                used = int(block.sum())
                out[at : at + len(block)] = self._sums(ids[:used], block)
                ids, at = ids[used:], at + len(block)
        return unit_rows(out) if len(texts) else out

    def _sums(self, ids: Numbers, lengths: npt.NDArray[np.intp]) -> Vectors:
        """The sum of the word vectors of each text."""
        out = np.zeros((len(lengths), self.dimensions), dtype=np.float32)
        filled = lengths > 0  # reduceat would give an empty text its neighbour's row
        if filled.any():
            starts = np.cumsum(lengths[filled]) - lengths[filled]
            out[filled] = np.add.reduceat(self._table[ids], starts, axis=0)
        return out

    encode_query = encode
    encode_document = encode


class TransformerEncoder:
    """Any sentence-transformers model, by folder or name; imports torch."""

    def __init__(self, name: str) -> None:
        folder = local_model_folder(name)
        refuse_foreign_code(folder)
        self.name = name
        self._model = _load(folder, name)
        self.dimensions = int(self._model.get_embedding_dimension() or 0)
        self.fingerprint = _fingerprint(self._model)

    def encode_query(self, texts: Sequence[str]) -> Vectors:
        return self._rows(self._model.encode_query, texts)

    def encode_document(self, texts: Sequence[str]) -> Vectors:
        return self._rows(self._model.encode_document, texts)

    def _rows(self, encode: Any, texts: Sequence[str]) -> Vectors:
        if not len(texts):
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return unit_rows(encode(list(texts), batch_size=32, show_progress_bar=False, convert_to_numpy=True))


def load_encoder(name: str | None = None) -> Encoder:
    """The encoder of that name or folder; the one shipped with the package where none is named.

    Raises:
        EncoderNotFound: with what was met and what to do, if it cannot be had here.
    """
    if name is None or name == SHIPPED_NAME:
        return _shipped()
    return TransformerEncoder(name)


@lru_cache(maxsize=1)
def _shipped() -> StaticEncoder:
    return StaticEncoder(SHIPPED)


def local_model_folder(name: str, what: str = "encoder") -> Path:
    """The folder of a model: itself, or the hub's copy on this machine, fetched once where the hub is reachable.

    ``what`` the model is for is said in the errors.

    Raises:
        EncoderNotFound: if there is no such folder and the hub cannot be reached or does not know it.
    """
    if not name.strip():
        raise EncoderNotFound(f"{what}: the name is empty; name a folder or a model")
    if Path(name).is_dir():
        return Path(name)
    if Path(name).is_file():
        raise EncoderNotFound(f"{what} {name}: this is a file; name the model's folder")
    if Path(name).is_absolute() or name.count("/") > 1 or name.startswith("."):
        raise EncoderNotFound(f"{what} {name}: no such folder; name one that save_pretrained has written")

    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    # Pickled weights (*.bin, *.pt) and code (*.py) are left where they are: opening them would run them.
    wanted = ["*.json", "*.safetensors", "*.txt", "*.model"]
    try:
        return Path(snapshot_download(name, allow_patterns=wanted, local_files_only=True))
    except HFValidationError as error:
        raise EncoderNotFound(f"{what} {name!r}: neither a folder nor a model name ({one_line(error)})") from error
    except LocalEntryNotFoundError:
        pass  # not in the cache: ask the hub
    try:
        return Path(snapshot_download(name, allow_patterns=wanted))
    except (OSError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise EncoderNotFound(
            f"{what} {name}: not a folder, not in this machine's model cache, and the hub does not give it "
            f"({type(error).__name__}). Copy the model's folder here and name that folder, or leave the {what} out "
            "to use the one shipped with the package."
        ) from error


def refuse_foreign_code(folder: Path, what: str = "encoder") -> None:
    """Let pass only a folder with the library's own modules and safetensors: a model is data and must not run code.

    Raises:
        EncoderNotFound: naming what was met.
    """
    modules = folder / "modules.json"
    if modules.exists():
        try:
            types = [str(module["type"]) for module in json.loads(modules.read_text(encoding="utf-8"))]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EncoderNotFound(f"{what} {folder}: modules.json cannot be read ({one_line(error)})") from error
        if foreign := [t for t in types if not t.startswith("sentence_transformers.")]:
            raise EncoderNotFound(f"{what} {folder}: refused, it brings code of its own ({', '.join(foreign)})")
    if not any(folder.rglob("*.safetensors")):
        raise EncoderNotFound(
            f"{what} {folder}: no *.safetensors in it. Pickled weights are not opened: load the model once where you "
            "trust it and save it with save_pretrained."
        )
    for pickled in (*folder.rglob("pytorch_model*.bin"), *folder.rglob("*.pt")):
        if not any(pickled.parent.glob("*.safetensors")):
            raise EncoderNotFound(f"{what} {folder}: {pickled.name} has no safetensors beside it; it is not opened")


def one_line(error: Exception, most: int = 200) -> str:
    """What an error says, on one line: a report of transformers runs over forty."""
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= most else said[:most] + "…"


def broken_model() -> tuple[type[Exception], ...]:
    """What loading a broken or foreign model folder ends in, in sentence-transformers and below it."""
    from safetensors import SafetensorError

    return (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError, SafetensorError)


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Bars and reports of transformers are for a terminal: elsewhere they would bury the one line we say."""
    from transformers.utils import logging

    if sys.stderr.isatty():
        yield
        return
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _load(folder: Path, name: str) -> SentenceTransformer:
    """The model, from local files alone."""
    from sentence_transformers import SentenceTransformer

    try:
        with quiet_loading():
            model = SentenceTransformer(
                str(folder), device="cpu", local_files_only=True, model_kwargs={"use_safetensors": True}
            )
    except broken_model() as error:
        raise EncoderNotFound(
            f"encoder {name}: {folder} is not a whole sentence-transformers model ({one_line(error)})"
        ) from error
    return model.eval()


def _fingerprint(model: SentenceTransformer) -> str:
    """sha256 over the weights and over what the library does with them."""
    digest = hashlib.sha256()
    for key, tensor in sorted(model.state_dict().items()):
        digest.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().float().contiguous().numpy().tobytes())
    for module in model:
        settings: Any = getattr(module, "get_config_dict", dict)
        digest.update(json.dumps([type(module).__name__, settings()], sort_keys=True, default=str).encode())
    digest.update(json.dumps([model.prompts, model.max_seq_length], sort_keys=True, default=str).encode())
    return digest.hexdigest()


def _sha256(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            hashlib.file_digest(file, lambda: digest)  # by the block
    return digest.hexdigest()
