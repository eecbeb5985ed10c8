"""Any cross-encoder as a reranker: loaded from a folder, it orders the first ten passages and nothing else."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.questions import load_questions
from index.embed import EncoderNotFound
from index.records import Hit
from index.store import Index
from qa.__main__ import main
from qa.ask import Assistant
from qa.rank import Reranker, load_reranker
from qa.retrieve import DEFAULT, retrieve

QUESTIONS = Path(__file__).parents[2] / "eval" / "questions" / "sample_dev.jsonl"


@pytest.fixture(scope="module")
def reranker(cross_encoder: Path) -> Reranker:
    return load_reranker(str(cross_encoder))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection leaves this process."""

    def refused(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refused)


def texts(hits: list[Hit]) -> list[str]:
    return [f"{hit.passage.context}\n{hit.passage.text}" for hit in hits]


def test_it_scores_as_the_library_does(cross_encoder: Path, reranker: Reranker) -> None:
    from sentence_transformers import CrossEncoder

    passages = ["全市义务教育阶段学校206所。", "会议由张主任主持。", "停" * 3000, ""]
    expected = CrossEncoder(str(cross_encoder), device="cpu").predict([("学校有多少所", text) for text in passages])
    assert np.asarray(reranker("学校有多少所", passages)) == pytest.approx(np.asarray(expected), abs=1e-6)
    assert len(set(np.asarray(expected).tolist())) == len(passages), "random weights that tell passages apart"


def test_the_first_ten_are_in_its_order_and_the_rest_as_they_were(shipped_index: Index, reranker: Reranker) -> None:
    question = "停车场怎么收费"
    before, after = retrieve(shipped_index, question, 30), retrieve(shipped_index, question, 30, reranker=reranker)
    scores = np.asarray(reranker(question, texts(before)))[: DEFAULT.reranked]
    expected = [before[i].passage.id for i in np.argsort(-scores, kind="stable")]
    assert [hit.passage.id for hit in after[:10]] == expected
    assert expected != [hit.passage.id for hit in before[:10]], "it does change something"
    assert [hit.passage.id for hit in after[10:]] == [hit.passage.id for hit in before[10:]]
    assert [hit.score for hit in after] == sorted((hit.score for hit in after), reverse=True)


def test_recall_at_ten_is_what_it_was(shipped_index: Index, reranker: Reranker) -> None:
    """With random weights on development questions: the worst of rerankers takes nothing out of the first ten."""
    for question in load_questions([QUESTIONS]).questions[:30]:
        before = retrieve(shipped_index, question.text, 10)
        after = retrieve(shipped_index, question.text, 10, reranker=reranker)
        assert {hit.passage.id for hit in before} == {hit.passage.id for hit in after}


def test_scores_of_another_number_are_an_error(shipped_index: Index) -> None:
    with pytest.raises(ValueError, match=r"scores of shape \(1,\) for 10 passages"):
        retrieve(shipped_index, "停车场怎么收费", 10, reranker=lambda _, passages: [1.0])


@pytest.mark.usefixtures("offline")
def test_the_command_takes_it(
    shipped_index: Index, cross_encoder: Path, reranker: Reranker, capfd: pytest.CaptureFixture[str]
) -> None:
    question = "全市义务教育阶段学校有多少所？"
    assert main([question, "--index", str(shipped_index.folder), "--reranker", str(cross_encoder), "--json"]) == 0
    out, err = capfd.readouterr()
    found = Assistant(shipped_index, reranker=reranker).ask(question)
    plain = Assistant(shipped_index).ask(question)
    passages = [passage["id"] for passage in json.loads(out)["passages"]]
    assert passages == [hit.passage.id for hit in found.passages]
    assert set(passages) == {hit.passage.id for hit in plain.passages}
    assert passages != [hit.passage.id for hit in plain.passages]
    assert not err, "no bars and reports beside the answer"


def _pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _foreign_module(folder: Path) -> None:
    modules = json.loads((folder / "modules.json").read_text())
    modules[0]["type"] = "evil.Module"
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "evil.py").write_text("raise SystemExit('ran')")


def _config(**changed: Any) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | changed))
        for file in ("modules.json", "config_sentence_transformers.json"):  # as transformers alone would save it
            (folder / file).unlink()
        (folder / "evil.py").write_text("raise SystemExit('ran')")

    return spoil


def _damaged(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"x" * 100)


def _no_tokenizer(folder: Path) -> None:
    for file in folder.glob("token*"):
        file.unlink()


def _no_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def _no_numbers(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"][:] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


MAP = {"AutoConfig": "evil.C", "AutoModelForSequenceClassification": "evil.M"}


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        pytest.param(_pickled, "Pickled weights are not opened", id="pickle"),
        pytest.param(_foreign_module, "code of its own", id="a module of its own"),
        pytest.param(_config(auto_map=MAP, model_type="evil"), "custom code", id="a model of its own"),
        pytest.param(_config(architectures=["BertModel"]), "BertModel gives no score", id="an encoder"),
        pytest.param(_damaged, "not a whole CrossEncoder", id="damaged weights"),
        pytest.param(_no_tokenizer, "no tokenizer", id="no tokenizer"),
        pytest.param(_no_config, r"no config\.json", id="no config"),
        pytest.param(_no_numbers, "scores are no numbers", id="not a number"),
    ],
)
@pytest.mark.usefixtures("offline")
def test_a_spoilt_folder_is_refused_in_one_line(
    shipped_index: Index,
    cross_encoder: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    spoil: Callable[[Path], None],
    says: str,
) -> None:
    spoilt = Path(shutil.copytree(cross_encoder, tmp_path / "model"))
    spoil(spoilt)
    with pytest.raises(EncoderNotFound, match=says) as raised:
        load_reranker(str(spoilt))
    assert str(spoilt) in str(raised.value)
    assert main(["会议由谁主持？", "--index", str(shipped_index.folder), "--reranker", str(spoilt)]) == 1
    out, err = capfd.readouterr()
    assert not out
    assert len(err.strip().splitlines()) == 1, err


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("/nowhere/at/all", "reranker /nowhere/at/all: no such folder", id="absolute path"),
        pytest.param("no such name!", "neither a folder nor a model name", id="not a name"),
        pytest.param(" ", "the name is empty", id="empty"),
        pytest.param(__file__, "this is a file", id="a file"),
    ],
)
def test_a_reranker_that_is_not_there_says_so(name: str, says: str) -> None:
    with pytest.raises(EncoderNotFound, match=says):
        load_reranker(name)


def test_an_unreachable_hub_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderNotFound, match="leave the reranker out"):
        load_reranker("nobody/never-made-this")


def test_more_labels_than_one_are_refused(tmp_path: Path, save_cross_encoder: Callable[..., Path]) -> None:
    with pytest.raises(EncoderNotFound, match="3 labels a passage, not one score"):
        load_reranker(str(save_cross_encoder(tmp_path / "model", labels=3)))
