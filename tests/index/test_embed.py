"""The encoder seam: the shipped encoder without torch, and sentence-transformers models from local folders."""

# ruff: noqa: S106 - tokens of a tokenizer, not secrets

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from index.embed import SHIPPED, EncoderNotFound, StaticEncoder, load_encoder, shipped_tokenizer, unit_rows
from index.store import build, open_index

TEXTS = [
    "全市义务教育阶段学校206所。",
    "李 强同志任命为副市长",
    "ＡＢＣ 12.5%，〔2019〕3号",
    "看病报销怎么弄",
    "iPhone 充电桩",
    "龘",
    "",
]


@pytest.fixture(scope="module")
def transformer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``SentenceTransformer.save`` writes for a small transformer with random weights."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    torch.manual_seed(7)
    folder = tmp_path_factory.mktemp("model")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys("全市义务教育学校有多少所会议报告停车管理")]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    cutter = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    cutter.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(
        tokenizer_object=cutter,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    ).save_pretrained(folder / "raw")
    size = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(pieces), **size)).save_pretrained(folder / "raw")
    words = Transformer(str(folder / "raw"))
    SentenceTransformer(modules=[words, Pooling(32)], device="cpu").save(str(folder / "saved"))
    return folder / "saved"


def test_the_fast_path_gives_the_vectors_of_sentence_transformers() -> None:
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(SHIPPED), device="cpu").encode(TEXTS[:-1], normalize_embeddings=True)
    np.testing.assert_allclose(load_encoder().encode_document(TEXTS[:-1]), theirs, atol=1e-5)


def test_rows_have_length_one_or_are_zeros() -> None:
    encoder = load_encoder()
    rows = encoder.encode_query(TEXTS)
    assert rows.shape == (len(TEXTS), encoder.dimensions)
    assert rows.dtype == np.float32
    lengths = np.linalg.norm(rows, axis=1)
    np.testing.assert_allclose(lengths[:-2], 1, atol=1e-6)
    assert lengths[-1] == 0  # the empty text


def test_a_text_has_its_vector_whatever_stands_beside_it() -> None:
    encoder = load_encoder()
    together = encoder.encode_document(["", *TEXTS, ""])[1:-1]
    alone = np.concatenate([encoder.encode_document([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_no_texts_give_no_rows() -> None:
    assert load_encoder().encode_document([]).shape == (0, load_encoder().dimensions)


def test_own_words_are_near_official_ones() -> None:
    asked, right, wrong = load_encoder().encode_query(
        ["娃上学要交钱吗", "义务教育阶段学生免收学费、杂费", "机动车停车场按照规定收费"]
    )
    assert asked @ right > asked @ wrong


def test_the_shipped_encoder_needs_no_torch() -> None:
    code = "import sys; from index.embed import load_encoder; load_encoder().encode_query(['x']); print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_the_tokenizer_is_held_once_however_it_is_asked_for() -> None:
    assert shipped_tokenizer() is shipped_tokenizer(SHIPPED)


def test_shipped_weights_stay_small() -> None:
    files = [path for path in SHIPPED.rglob("*") if path.is_file()]
    assert (SHIPPED / "model.safetensors").stat().st_size <= 20 * 2**20
    assert max(path.stat().st_size for path in files) <= 25 * 10**6
    assert sum(path.stat().st_size for path in files) <= 40 * 10**6


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([[3.0, 4.0]], [[3 / 5, 4 / 5]], id="brought to length 1"),
        pytest.param([[0.0, 0.0]], [[0.0, 0.0]], id="zeros stay zeros"),
        pytest.param([[np.nan, 1.0]], [[0.0, 0.0]], id="not a number"),
        pytest.param([2.0, 0.0], [[1.0, 0.0]], id="one row without its axis"),
    ],
)
def test_unit_rows(rows: list[list[float]], expected: list[list[float]]) -> None:
    np.testing.assert_allclose(unit_rows(rows), expected, atol=1e-7)


def test_a_saved_sentence_transformer_answers_end_to_end(
    transformer_folder: Path, sample_path: Path, tmp_path: Path
) -> None:
    encoder = load_encoder(str(transformer_folder))
    assert encoder.dimensions == 32
    assert encoder.fingerprint == load_encoder(str(transformer_folder)).fingerprint
    assert encoder.fingerprint != load_encoder().fingerprint
    build([sample_path], tmp_path / "index", encoder=encoder)
    with open_index(tmp_path / "index") as index:  # the index finds the encoder that made it by itself
        assert index.dense("全市义务教育学校有多少所", 3)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("/nowhere/at/all", "no such folder", id="absolute path"),
        pytest.param("./nowhere", "no such folder", id="relative path"),
        pytest.param("no such name!", "neither a folder nor a model name", id="not a name"),
    ],
)
def test_an_encoder_that_is_not_there_says_so(name: str, says: str) -> None:
    with pytest.raises(EncoderNotFound, match=says):
        load_encoder(name)


def test_an_unreachable_hub_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderNotFound, match="name that folder"):
        load_encoder("nobody/never-made-this")


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _foreign(folder: Path) -> None:
    modules = json.loads((folder / "modules.json").read_text())
    modules[0]["type"] = "os.path.Evil"
    (folder / "modules.json").write_text(json.dumps(modules))


def _damaged(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"x" * 100)


def _no_list(folder: Path) -> None:
    (folder / "modules.json").write_text("{")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(_pickled, "safetensors", id="pickled weights are not opened"),
        pytest.param(_foreign, "code of its own", id="foreign modules are not imported"),
        pytest.param(_damaged, "not a whole", id="damaged weights"),
        pytest.param(_no_list, "modules.json", id="damaged list of modules"),
    ],
)
def test_a_spoilt_model_folder_is_refused(transformer_folder: Path, tmp_path: Path, spoil, says: str) -> None:
    import shutil

    folder = Path(shutil.copytree(transformer_folder, tmp_path / "model"))
    spoil(folder)
    with pytest.raises(EncoderNotFound, match=says):
        load_encoder(str(folder))


def test_a_damaged_shipped_encoder_is_named(tmp_path: Path) -> None:
    with pytest.raises(EncoderNotFound, match="not a whole static encoder"):
        StaticEncoder(tmp_path)


def test_a_static_table_in_other_numbers_is_not_misread(tmp_path: Path) -> None:
    """The table is mapped as float32: half precision read so would be vectors of noise."""
    save_file({"embedding.weight": np.ones((4, 2), np.float16)}, tmp_path / "model.safetensors")
    with pytest.raises(EncoderNotFound, match="float32"):
        StaticEncoder(tmp_path)
