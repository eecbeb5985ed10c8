"""The measures: pure functions, one formula each, with its source.

Ranked retrieval is left to ir-measures; here stand answers, confidence and the intervals around all of them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from eval.questions import SHOWN_LIMIT, fold_answer

Floats = NDArray[np.float64]
Numbers = Sequence[float] | Floats
Qrels = Mapping[str, Mapping[str, int]]
Run = Mapping[str, Sequence[str]]
FEW = 5  # members of a stratum, below which it is none
_BLOCK = 2_000_000  # indices drawn at once: 16 MB
RankMeasure = Literal["hit", "mrr", "recall", "ndcg"]


# --- ranked retrieval -------------------------------------------------------------------------------------------


def rank_measures(
    qrels: Qrels, run: Run, measures: Sequence[RankMeasure], cutoffs: Sequence[int]
) -> dict[str, dict[str, float]]:
    """``{"hit@5": {query: value}, ...}`` for every query with a relevant document, by ir-measures.

    ``run`` gives each query's documents, best first. A query that is missing there counts 0; one without a relevant
    document (grade > 0) is left out. hit = Success@k, mrr = RR@k, recall = R@k, ndcg = nDCG@k as in trec_eval.
    """
    import ir_measures  # imported late: half a second, and only evaluation needs it

    named = {"hit": ir_measures.Success, "mrr": ir_measures.RR, "recall": ir_measures.R, "ndcg": ir_measures.nDCG}
    labels = {named[measure] @ k: f"{measure}@{k}" for measure in measures for k in cutoffs}
    judged = {query: dict(grades) for query, grades in qrels.items() if any(g > 0 for g in grades.values())}
    # Falling scores stand for the order, so that equal scores cannot be reordered by document id.
    scored = {
        query: {document: float(-rank) for rank, document in enumerate(dict.fromkeys(documents))}
        for query, documents in run.items()
        if query in judged
    }
    values: dict[str, dict[str, float]] = {label: dict.fromkeys(judged, 0.0) for label in labels.values()}
    if scored:
        for metric in ir_measures.iter_calc(list(labels), judged, scored):
            values[labels[metric.measure]][metric.query_id] = float(metric.value)
    return values


# --- answers ----------------------------------------------------------------------------------------------------


def is_right(text: str, groups: Sequence[Sequence[str]]) -> bool:
    """True when the text contains one string of every group, compared as ``fold_answer`` has it; the public rule."""
    folded = fold_answer(text)
    return bool(groups) and all(any(fold_answer(answer) in folded for answer in group) for group in groups)


def shown(answer: str, sentence: str) -> str:
    """What is looked at when an answer is scored as shown: answer, then sentence, 300 characters in all.

    NUL stands between them, so that no accepted answer can arise from the end of one and the start of the other (a
    space would be folded away).
    """
    return f"{answer[:SHOWN_LIMIT]}\0{sentence[: max(0, SHOWN_LIMIT - len(answer))]}"


# CMRC's script drops these and leaves other punctuation standing.
_CMRC_MARKS = frozenset("-:_*^/\\~`+=，。：？！“”；’《》…·、「」（）－～『』")
_HAN = re.compile(r"[\u4e00-\u9fa5]")
_JOINTS = re.compile(r"[^\w%]|和|与|及|以及|或")  # what may stand between the items of a list
_LATIN = re.compile(r"\d+(?:[.,]\d+)*|\w+|[^\w\s]")


def cmrc_segments(text: str) -> list[str]:
    """Han characters one by one, runs of anything else as words; lower case, marks dropped.

    Source: the evaluation script of CMRC 2018 (Cui et al., EMNLP 2019), mixed_segmentation with rm_punc. Runs between
    Han characters are split by a regular expression where the script calls nltk's word_tokenize.
    """
    segments: list[str] = []
    run = ""
    for char in text.lower().strip():
        if char in _CMRC_MARKS:
            continue
        if _HAN.match(char):
            segments += [*_LATIN.findall(run), char]
            run = ""
        else:
            run += char
    return segments + _LATIN.findall(run)


def exact_match(prediction: str, answers: Sequence[str]) -> float:
    """1 if the prediction equals an accepted answer once lower-cased and without marks, else 0.

    With no accepted answer (an unanswerable question) 1 for an empty prediction. Source: CMRC 2018 calc_em_score;
    Rajpurkar et al., ACL 2018 (SQuAD 2.0) for the empty answer.
    """
    if not answers:
        return float(not prediction)
    return float(_unmarked(prediction) in {_unmarked(answer) for answer in answers})


def f1(prediction: str, answers: Sequence[str]) -> float:
    """The best F1 over the accepted answers: 2PR / (P + R) with P = common / |prediction|, R = common / |answer|.

    ``common`` is the length in segments of the longest stretch that both share unbroken, which is how CMRC's
    calc_f1_score counts (SQuAD's own F1 counts a bag of words). No accepted answer: as in ``exact_match``.
    """
    if not answers:
        return float(not prediction)
    return max(_f1(cmrc_segments(prediction), cmrc_segments(answer)) for answer in answers)


def _f1(prediction: Sequence[str], answer: Sequence[str]) -> float:
    common = SequenceMatcher(None, prediction, answer, autojunk=False).find_longest_match().size
    if common == 0:
        return 0.0
    precision, recall = common / len(prediction), common / len(answer)
    return 2 * precision * recall / (precision + recall)


def answer_exact(prediction: str, groups: Sequence[Sequence[str]]) -> float:
    """1 if the prediction is one string of every group and nothing more but marks and "and" between them, else 0.

    Exact match (Rajpurkar et al., EMNLP 2016) for our question files: compared as ``fold_answer`` has it, and a list
    may name its items in any order.
    """
    rest = fold_answer(prediction)
    for group in groups:
        found = [answer for answer in map(fold_answer, group) if answer in rest]
        if not found:
            return 0.0
        rest = rest.replace(max(found, key=len), "", 1)
    return float(bool(groups) and not _JOINTS.sub("", rest))


def char_f1(prediction: str, groups: Sequence[Sequence[str]]) -> float:
    """F1 of characters counted as a bag: 2 common / (|prediction| + |answer|), marks and white space left out.

    SQuAD's F1 (Rajpurkar et al., EMNLP 2016) over characters, as is usual where words are not parted by spaces. The
    answer is, of every group, the string that shares most with the prediction, joined.
    """
    said = Counter(_letters(prediction))
    gold: Counter[str] = Counter()
    for group in groups:
        choices = [Counter(_letters(answer)) for answer in group]
        closest: Counter[str] = max(choices, key=lambda letters: _bag_f1(said, letters))
        gold.update(closest)
    return _bag_f1(said, gold)


def rouge_l(candidate: str, reference: str) -> float:
    """ROUGE-L by characters: F1 of the longest common subsequence, marks and white space left out.

    Source: Lin, Text Summarization Branches Out, 2004, with beta = 1. 0 where either text has no letters.
    """
    a, b = _letters(candidate), _letters(reference)
    if not a or not b:
        return 0.0
    row = [0] * (len(b) + 1)
    for char in a:
        before = 0
        for j, other in enumerate(b, 1):
            before, row[j] = row[j], before + 1 if char == other else max(row[j], row[j - 1])
    return 2 * row[-1] / (len(a) + len(b))


def _bag_f1(a: Counter[str], b: Counter[str]) -> float:
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else 0.0


def _letters(text: str) -> str:
    return "".join(char for char in fold_answer(text) if char.isalnum())


def _unmarked(text: str) -> str:
    return "".join(char for char in text.lower().strip() if char not in _CMRC_MARKS)


# --- citations --------------------------------------------------------------------------------------------------


def citation_recall(covered: int, quotes: int, all_needed: bool) -> float:
    """How much of the evidence is cited: of quotes that are all needed the share covered, else 1 if any is, or 0.

    ALCE's citation recall (Gao et al., EMNLP 2023) asks whether what is cited supports the statement. There a model
    of entailment decides; here the evidence that people marked does. ``covered`` quotes overlap a citation. All are
    needed where the answer is a list (``all_of``); otherwise each proves the answer by itself.
    """
    if not quotes:
        return float("nan")
    return covered / quotes if all_needed else float(covered > 0)


def citation_precision(proving: int, citations: int) -> float:
    """Share of the citations that overlap marked evidence; nan without citations.

    ALCE's citation precision (Gao et al., EMNLP 2023): a citation counts if it supports the statement.
    """
    return proving / citations if citations else float("nan")


# --- confidence -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of similar confidence: how sure they were, and how many of them were right."""

    low: float
    high: float
    count: int
    confidence: float  # mean
    accuracy: float


def calibration_bins(confidence: Numbers, right: Numbers, bins: int = 10) -> list[Bin]:
    """Bins of equal width over [0, 1] with what fell into them; empty ones are left out.

    Raises:
        ValueError: if a confidence is outside [0, 1] or the two differ in length.
    """
    sure, true = np.asarray(confidence, float), np.asarray(right, float)
    if sure.shape != true.shape:
        raise ValueError(f"{len(sure)} confidences but {len(true)} outcomes")
    if sure.size and (sure.min() < 0 or sure.max() > 1):
        raise ValueError(f"confidence must be within 0..1, found {sure.min():.3f}..{sure.max():.3f}")
    places = np.minimum((sure * bins).astype(int), bins - 1)
    table = []
    for place in np.unique(places):
        inside = places == place
        low, high = place / bins, (place + 1) / bins
        table.append(Bin(low, high, int(inside.sum()), float(sure[inside].mean()), float(true[inside].mean())))
    return table


def calibration_error(confidence: Numbers, right: Numbers, bins: int = 10) -> float:
    """Expected calibration error: sum over bins of share x |accuracy - confidence|; nan without answers.

    Source: Naeini et al., AAAI 2015; Guo et al., ICML 2017; ten bins of equal width as is usual.
    """
    if not len(confidence):
        return float("nan")
    table = calibration_bins(confidence, right, bins)
    return sum(b.count * abs(b.accuracy - b.confidence) for b in table) / len(confidence)


def brier(confidence: Numbers, right: Numbers) -> float:
    """Mean squared difference between confidence and outcome; nan without answers. Source: Brier, 1950."""
    return float(np.mean((np.asarray(confidence) - np.asarray(right)) ** 2)) if len(confidence) else float("nan")


def risk_coverage(confidence: Numbers, right: Numbers, asked: int) -> list[tuple[float, float, float]]:
    """(threshold, coverage, risk) for every confidence as threshold, surest first.

    coverage = answers at least so confident / questions asked; risk = share of them that is wrong. Answers of equal
    confidence come together. Source: El-Yaniv and Wiener, JMLR 2010; Geifman and El-Yaniv, NeurIPS 2017.
    """
    order = np.argsort(-np.asarray(confidence, float), kind="stable")
    sure, wrong = np.asarray(confidence, float)[order], 1 - np.asarray(right, float)[order]
    last = [i for i in range(len(sure)) if i + 1 == len(sure) or sure[i + 1] < sure[i]]
    errors = np.cumsum(wrong)
    return [(float(sure[i]), (i + 1) / asked, float(errors[i] / (i + 1))) for i in last]


def area_under_risk(curve: Sequence[tuple[float, float, float]]) -> float:
    """Mean risk over the coverage reached (AURC up to the last point; lower is better); nan without a point.

    Each point's risk holds from the coverage before it up to its own. Source: Geifman et al., ICLR 2019.
    """
    if not curve:
        return float("nan")
    before = 0.0
    area = 0.0
    for _, coverage, risk in curve:
        area += (coverage - before) * risk
        before = coverage
    return area / before


# --- intervals --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval and how many questions it stands on."""

    value: float
    low: float
    high: float
    n: int


def resamples(strata: Sequence[str], count: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Rows of n indices, ``count`` in all, in blocks: each row draws, with replacement, as many from every stratum
    as it has. Strata of fewer than ``FEW`` are drawn with the largest one: two of a kind, both wrong, would never vary.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 8 (several samples).
    """
    random = np.random.default_rng(seed)
    sizes = Counter(strata)
    largest = max(sizes, key=lambda name: sizes[name], default="")
    names = np.asarray([name if sizes[name] >= FEW else largest for name in strata])
    groups = [np.flatnonzero(names == name) for name in np.unique(names)]
    block = max(1, _BLOCK // max(1, len(names)))
    for done in range(0, count, block):
        rows = min(block, count - done)
        drawn = np.empty((rows, len(names)), dtype=np.intp)
        for members in groups:
            drawn[:, members] = random.choice(members, size=(rows, len(members)))
        yield drawn


def bootstrap_mean(values: Numbers, strata: Sequence[str], *, count: int = 2000, seed: int = 0) -> Estimate:
    """The mean with its percentile bootstrap interval; nan without values."""
    if not len(values):
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    array = np.asarray(values, float)
    means = np.concatenate([array[rows].mean(axis=1) for rows in resamples(strata, count, seed)])
    return Estimate(float(array.mean()), *_interval(means), len(array))


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float], strata: Sequence[str], *, count: int = 500, seed: int = 0
) -> Estimate:
    """Any statistic of drawn indices with its percentile bootstrap interval; nan without strata."""
    size = len(strata)
    if not size:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    drawn = np.array([statistic(row) for rows in resamples(strata, count, seed) for row in rows])
    return Estimate(statistic(np.arange(size)), *_interval(drawn), size)


def paired_difference(
    before: Numbers, after: Numbers, strata: Sequence[str], *, count: int = 10000, seed: int = 0
) -> Estimate:
    """after - before over the same questions, with its paired bootstrap interval.

    The pairs are drawn, so what is hard for both cancels out. Source: Efron and Tibshirani, 1993; used for systems
    over one test set by Koehn, EMNLP 2004.

    Raises:
        ValueError: if the two differ in length.
    """
    if len(before) != len(after):
        raise ValueError(f"not the same questions: {len(before)} before, {len(after)} after")
    return bootstrap_mean(np.asarray(after, float) - np.asarray(before, float), strata, count=count, seed=seed)


def mcnemar(before: Numbers, after: Numbers) -> float:
    """The exact two-sided p of McNemar's test over the same questions, right (1) or wrong (0) in either run.

    Of the questions that changed, b lost and c won: 2 P(X <= min(b, c)) with X binomial(b + c, 1/2), at most 1.
    Source: McNemar, Psychometrika 1947; for systems over one test set, Dietterich, Neural Computation 1998.

    Raises:
        ValueError: if the two differ in length, or a value is neither 0 nor 1.
    """
    if len(before) != len(after):
        raise ValueError(f"not the same questions: {len(before)} before, {len(after)} after")
    if {*before, *after} - {0, 1}:
        raise ValueError("McNemar's test is for right (1) and wrong (0) alone")
    lost = sum(a > b for a, b in zip(before, after, strict=True))
    won = sum(a < b for a, b in zip(before, after, strict=True))
    changed = int(lost + won)
    tail = sum(math.comb(changed, k) for k in range(min(lost, won) + 1))
    return min(1.0, 2 * tail / (1 << changed))


def _interval(drawn: Floats) -> tuple[float, float]:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)
