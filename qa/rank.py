"""Orders the candidates of a question: features of question and passage, summed by boosted trees.

The trees are fitted by ``qa/models/train_rank.py`` with LightGBM's LambdaRank (Burges, MSR-TR-2010-82) and read with
numpy alone. A cross-encoder can put the first of them in its own order: ``load_reranker(name_or_folder)``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from index.embed import (
    EncoderNotFound,
    broken_model,
    local_model_folder,
    one_line,
    quiet_loading,
    refuse_foreign_code,
)
from index.lexical import terms
from index.wordvectors import Match
from qa.question import analyse
from qa.trees import Trees

if TYPE_CHECKING:
    from index.records import Passage

Floats: TypeAlias = npt.NDArray[np.float32]

MODEL = Path(__file__).with_name("models") / "rank.safetensors"

FEATURES = (
    "lexical",  # BM25 over the best candidate's
    "lexical_term",  # BM25 over the number of the question's terms
    "lexical_rank",  # 1 / rank in its leg, 0 where the leg did not find it
    "dense",  # cosine
    "dense_gap",  # cosine less the best candidate's
    "dense_rank",
    "soft",  # the five of Match, and two of them less the best candidate's
    "soft_sentence",
    "soft_exact",
    "soft_head",
    "soft_both",
    "soft_gap",
    "sentence_gap",
    "official",  # share of the official words for the reader's words that stand in it
    "figures",  # share of the question's numbers and Latin words that stand in it
    "answers",  # 1 if something of the type asked for stands in it
    "length",  # log characters
    "questions_length",  # log characters
    "early",  # 1 / number of its first paragraph within the document
    "fused",  # the weighted sum that chose the candidates, over the best candidate's
)

FUSED = 2.0
"""What the fused score counts beside the trees: they were fitted on other texts than gazettes, and err less with it."""

# What an answer of a type looks like; types without a look of their own are left to the reader.
_LOOKS: dict[str, re.Pattern[str]] = {
    "number": re.compile(r"\d|[一二三四五六七八九十百千万两]+[个名人位所家户件项条次起例张座台辆亩吨处种类级名票批]"),
    "amount": re.compile(r"\d[\d.,]*\s*[万亿千百]*元|[一二三四五六七八九十百千万]+元"),
    "percent": re.compile(r"\d\s*[%％]|百分之|百分点|[一二三四五六七八九]成"),
    "date": re.compile(r"\d+\s*年|\d+\s*月|\d+\s*日|[一二三四五六七八九十]+月|之日"),
    "duration": re.compile(r"[\d一二三四五六七八九十两]+\s*(个月|日内|日|天|年|小时|分钟|工作日|周)"),
    "penalty": re.compile(r"罚款|处以|责令|吊销|没收|处分|警告|拘留|追究|徒刑"),
    "reason": re.compile(r"为了|为|由于|因|导致|原因|根据"),
    "definition": re.compile(r"是指|所称|指的是|包括|定义|简称|以下称"),
    "list": re.compile(r"、.*、|（[一二三]）|\([一二三]\)|[一二三]是"),
    "organisation": re.compile(r"部门|委员会|局|厅|政府|法院|检察院|公司|机构|机关|办公室|单位|中心"),
    "document": re.compile(r"《[^》]+》"),
    "person": re.compile(r"主任|委员|同志|院长|检察长|市长|局长|[\u4e00-\u9fff]\s?[\u4e00-\u9fff]{1,2}[ 　、]"),
    "condition": re.compile(r"应当|符合|条件|下列|情形|具备|满足"),
    "procedure": re.compile(r"应当|申请|提出|程序|提交|办理|审批"),
    "article": re.compile(r"第[一二三四五六七八九十百零\d]+条"),
}


@dataclass(frozen=True, slots=True)
class Candidates:
    """The candidates of one question, and what the legs say of them; every array has one entry a passage."""

    question: str
    passages: Sequence[Passage]
    lexical: Floats  # BM25, 0 where the leg did not find it
    dense: Floats  # cosine; the least found where the leg did not find it
    lexical_rank: Floats  # 1 / rank, 0 where not found
    dense_rank: Floats
    soft: Match
    fused: Floats  # the weighted sum of these
    official: Sequence[str] = ()  # the official words the search was widened by


class Reranker(Protocol):
    """Scores passages for a question; more is better."""

    def __call__(self, question: str, passages: Sequence[str]) -> npt.ArrayLike: ...


def rank(candidates: Candidates) -> Floats:
    """One score a candidate; more is better, comparable within the question only."""
    rows = features(candidates)
    return shipped_trees().score(rows) + FUSED * rows[:, FEATURES.index("fused")]


@lru_cache(maxsize=1)
def shipped_trees() -> Trees:
    """The trees that come with the package."""
    return Trees.load(MODEL)


def features(candidates: Candidates) -> Floats:
    """(n, len(FEATURES)) rows, one a candidate."""
    asked = terms(candidates.question)
    n = len(candidates.passages)
    official = [_plain(word) for word in candidates.official]
    figures = [term for term in asked if term.isascii()]
    soft = candidates.soft
    columns = {
        "lexical": candidates.lexical / max(float(candidates.lexical.max(initial=0)), 1e-9),
        "lexical_term": candidates.lexical / max(len(asked), 1),
        "lexical_rank": candidates.lexical_rank,
        "dense": candidates.dense,
        "dense_gap": candidates.dense - candidates.dense.max(initial=0),
        "dense_rank": candidates.dense_rank,
        "soft": soft.passage,
        "soft_sentence": soft.sentence,
        "soft_exact": soft.exact,
        "soft_head": soft.head,
        "soft_both": soft.both,
        "soft_gap": soft.both - soft.both.max(initial=0),
        "sentence_gap": soft.sentence - soft.sentence.max(initial=0),
        "official": _shares(official, candidates.passages),
        "figures": _shares(figures, candidates.passages),
        "answers": _answers(candidates.question, candidates.passages),
        "length": np.log([len(passage.text) + 1 for passage in candidates.passages]),
        "questions_length": np.full(n, np.log(len(candidates.question) + 1)),
        "early": [1 / passage.paragraph for passage in candidates.passages],
        "fused": candidates.fused / max(float(candidates.fused.max(initial=0)), 1e-9),
    }
    return np.stack([np.asarray(columns[name], dtype=np.float32) for name in FEATURES], axis=1)


def _plain(text: str) -> str:
    return "".join(text.split()).lower()


def _shares(wanted: Sequence[str], passages: Sequence[Passage]) -> list[float]:
    """For each passage the share of the wanted strings that stand in its text or context; 0 where none is wanted."""
    if not wanted:
        return [0.0] * len(passages)
    texts = [_plain(passage.context + passage.text) for passage in passages]
    return [sum(word in text for word in wanted) / len(wanted) for text in texts]


def _answers(question: str, passages: Sequence[Passage]) -> list[float]:
    """1.0 for each passage that holds something of the type asked for (with its unit where one is asked for)."""
    asked = analyse(question)
    look = _LOOKS.get(asked.kind)
    if look is None:
        return [0.5] * len(passages)
    units = re.compile(r"[\d一二三四五六七八九十百千万亿两]\s*(" + "|".join(map(re.escape, asked.units)) + ")")
    found = []
    for passage in passages:
        held = look.search(passage.text) is not None
        if held and asked.units and asked.kind in {"number", "amount", "duration"}:
            held = units.search(passage.text) is not None
        found.append(float(held))
    return found


class CrossEncoderReranker:
    """A sentence-transformers ``CrossEncoder`` from local safetensors; imports torch.

    One question at a time: a fast tokenizer lent to two threads raises "Already borrowed".

    Raises:
        EncoderNotFound: with what was met and what to do, if it cannot be had here or is no cross-encoder.
    """

    def __init__(self, name: str) -> None:
        folder = local_model_folder(name, "reranker")
        refuse_foreign_code(folder, "reranker")
        _refuse_other_models(folder, name)
        from sentence_transformers import CrossEncoder

        try:
            with quiet_loading():
                self._model = CrossEncoder(
                    str(folder), device="cpu", local_files_only=True, model_kwargs={"use_safetensors": True}
                )
        except broken_model() as error:
            raise EncoderNotFound(
                f"reranker {name}: {folder} is not a whole CrossEncoder ({one_line(error)})"
            ) from error
        self.name = name
        self._one_at_a_time = Lock()
        scores = self("停车", ["停车", "收费"])
        if scores.shape != (2,):
            raise EncoderNotFound(
                f"reranker {name}: it gives {scores.shape[-1]} labels a passage, not one score; "
                "name a cross-encoder trained for ranking (num_labels = 1)"
            )
        if not np.isfinite(scores).all():
            raise EncoderNotFound(f"reranker {name}: its scores are no numbers; its weights are damaged, save it anew")

    def __call__(self, question: str, passages: Sequence[str]) -> Floats:
        pairs = [(question, passage) for passage in passages]
        with self._one_at_a_time:
            scores = self._model.predict(pairs, batch_size=16, show_progress_bar=False)
        return np.asarray(scores, dtype=np.float32)


def load_reranker(name: str) -> Reranker:
    """A sentence-transformers ``CrossEncoder`` by name or folder, as a reranker.

    Raises:
        EncoderNotFound: see ``CrossEncoderReranker``.
    """
    return CrossEncoderReranker(name)


_TOKENIZERS = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "*.model",
)  # one of them, or transformers makes up an empty one


def _refuse_other_models(folder: Path, name: str) -> None:
    """Let pass what scores pairs: to an encoder the library would add a head of random weights, and say nothing here."""
    try:
        architectures = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("architectures") or ()
        said = folder / "config_sentence_transformers.json"
        saved_as = json.loads(said.read_text(encoding="utf-8")).get("model_type") if said.is_file() else None
    except (OSError, ValueError, AttributeError) as error:
        raise EncoderNotFound(
            f"reranker {name}: no config.json that can be read in {folder} ({one_line(error)}); "
            "name the folder of a whole CrossEncoder"
        ) from error
    scores = any(str(kind).endswith(("ForSequenceClassification", "ForCausalLM")) for kind in architectures)
    if not scores and saved_as != "CrossEncoder":
        raise EncoderNotFound(
            f"reranker {name}: {', '.join(map(str, architectures)) or 'the model'} gives no score for a pair, it is an "
            "encoder or another kind of model; name a CrossEncoder"
        )
    if not any(any(folder.glob(pattern)) for pattern in _TOKENIZERS):
        raise EncoderNotFound(f"reranker {name}: no tokenizer in {folder}; copy the whole folder of the model")
