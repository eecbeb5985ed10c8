"""The real gazette, read and parsed once; a small encoder, and an index made with it; a small cross-encoder."""

# ruff: noqa: S106 - tokens of a tokenizer, not secrets

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from index.gazette import parse_gazette
from index.lexical import terms
from index.records import Gazette, Source
from index.sources import read_source
from index.store import Index, build, open_index

DATA = Path(__file__).parent.parent / "data"


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """No test pulls the plug, so none need wait until the disk has written: of a thousand small changes two thirds of
    the time. What a killed process leaves, tests/index/faults.py tries in processes of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session")
def sample_path() -> Path:
    return next(path for path in sorted(DATA.glob("*.md")) if path.name != "README.md")


@pytest.fixture(scope="session")
def sample_source(sample_path: Path) -> Source:
    return read_source(sample_path)


@pytest.fixture(scope="session")
def sample_gazette(sample_source: Source) -> Gazette:
    return parse_gazette(sample_source)


class TinyEncoder:
    """Terms hashed into signed buckets: the same everywhere, near for texts that share terms, and fast."""

    def __init__(self, name: str = "tiny", dimensions: int = 64) -> None:
        self.name = name
        self.dimensions = dimensions
        self.fingerprint = hashlib.sha256(f"{name} {dimensions}".encode()).hexdigest()
        self.embedded = 0  # documents it was asked for

    def encode_query(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for term in terms(text):
                digest = hashlib.blake2b(term.encode(), digest_size=4).digest()
                row[int.from_bytes(digest[:3]) % self.dimensions] += 1 - 2 * (digest[3] & 1)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(norms > 0, norms, 1)

    def encode_document(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.embedded += len(texts)
        return self.encode_query(texts)


@pytest.fixture
def tiny_encoder() -> TinyEncoder:
    return TinyEncoder()


@pytest.fixture(scope="session")
def sample_index(tmp_path_factory: pytest.TempPathFactory, sample_path: Path) -> Iterator[Index]:
    """The real gazette, indexed with the small encoder; for reading only."""
    encoder = TinyEncoder()
    folder = tmp_path_factory.mktemp("sample") / "index"
    build([sample_path], folder, encoder=encoder)
    with open_index(folder, encoder=encoder) as index:
        yield index


@pytest.fixture(scope="session")
def shipped_index(tmp_path_factory: pytest.TempPathFactory, sample_path: Path) -> Iterator[Index]:
    """The real gazette, indexed with what is shipped; for reading only."""
    folder = tmp_path_factory.mktemp("shipped") / "index"
    build([sample_path], folder)
    with open_index(folder) as index:
        yield index


LETTERS = "全市义务教育阶段学校有多少所会议由谁主持报告停车管理收费老师医保的是，。0123456789"


def random_cross_encoder(folder: Path, *, labels: int = 1, seed: int = 3) -> Path:
    """What ``CrossEncoder.save_pretrained`` writes for a BERT of random weights that knows a few characters."""
    import torch
    from sentence_transformers import CrossEncoder
    from tokenizers import Tokenizer, models, pre_tokenizers
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *dict.fromkeys(LETTERS)]
    cutter = Tokenizer(models.WordLevel({piece: n for n, piece in enumerate(pieces)}, unk_token="[UNK]"))
    cutter.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    cutter.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    raw = folder.with_name(folder.name + "-raw")
    PreTrainedTokenizerFast(
        tokenizer_object=cutter, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=256,
    ).save_pretrained(raw)  # fmt: skip
    torch.manual_seed(seed)
    size: dict[str, Any] = {
        "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
        "max_position_embeddings": 256, "initializer_range": 0.3,  # wide, or every text gets nearly the same score
    }  # fmt: skip
    config = BertConfig(vocab_size=len(pieces), num_labels=labels, **size)
    BertForSequenceClassification(config).save_pretrained(raw)
    CrossEncoder(str(raw), device="cpu").save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="session")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_cross_encoder(tmp_path_factory.mktemp("cross-encoder") / "model")


@pytest.fixture
def save_cross_encoder() -> Callable[..., Path]:
    return random_cross_encoder
