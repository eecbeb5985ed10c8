"""Outcomes -> figures with intervals, by type and style; the record that is saved, and the table that is printed."""

from __future__ import annotations

import json
import math
import os
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.metrics import (
    Bin,
    Estimate,
    answer_exact,
    area_under_risk,
    bootstrap,
    bootstrap_mean,
    brier,
    calibration_bins,
    calibration_error,
    char_f1,
    citation_precision,
    citation_recall,
    rank_measures,
    risk_coverage,
)
from eval.run import Outcome
from index.records import GazetteError

CUTOFFS = (1, 3, 5, 10)
FORMAT = 2  # of report.json; raised when a field changes its meaning or goes


class ReportError(GazetteError):
    """A report.json that cannot be used, with what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of one outcome: what it is called, and what it is worth (None where it does not apply)."""

    name: str
    title: str
    of: Callable[[Outcome], float | None]
    lower_is_better: bool = False
    compared: bool = True  # a loss in it fails ``compare``


def _answerable(value: Callable[[Outcome], float]) -> Callable[[Outcome], float | None]:
    return lambda outcome: value(outcome) if outcome.answerable else None


MEASURES = (
    Measure("shown", "答案加引句含标准答案", _answerable(lambda o: o.shown)),
    Measure("short", "短答案含标准答案", _answerable(lambda o: o.short)),
    Measure(
        "exact", "短答案与标准答案完全相同", _answerable(lambda o: answer_exact(o.answer, o.expected)), compared=False
    ),
    Measure("char_f1", "短答案字符F1", _answerable(lambda o: char_f1(o.answer, o.expected))),
    Measure("right", "答对或正确拒答", lambda o: o.right),
    Measure(
        "proved", "已答问题中引文落在证据上", lambda o: float(o.proving > 0) if o.answerable and not o.refused else None
    ),
    Measure(
        "precise",
        "引文中落在证据上的比例",
        lambda o: citation_precision(o.proving, o.citations) if o.answerable and o.citations else None,
        compared=False,
    ),
    Measure(
        "covered",
        "证据被引用的比例",
        lambda o: citation_recall(o.covered, len(o.evidence), len(o.expected) > 1) if o.evidence else None,
        compared=False,
    ),
    Measure("verbatim", "引文逐字等于原文", lambda o: o.verbatim / o.citations if o.citations else None),
    Measure("refused", "无答案问题被拒答", lambda o: None if o.answerable else float(o.refused)),
    Measure(
        "refusal_precision",
        "拒答中确无答案的比例",
        lambda o: float(not o.answerable) if o.refused else None,
        compared=False,  # over other questions in each run
    ),
    Measure("false_refusal", "有答案问题被误拒", _answerable(lambda o: o.refused), lower_is_better=True),
    Measure("too_long", "答案加引句超过300字", lambda o: float(o.too_long), lower_is_better=True, compared=False),
    Measure(
        "alone", "追问补全后单独提问的正确率", lambda o: None if o.alone is None else float(o.alone), compared=False
    ),
    Measure(
        "sureness_error",
        "置信度与对错之差的平方（Brier）",
        # Over the answers that both runs show, so it tells of sureness alone; who refuses more shows in other measures.
        lambda o: None if o.refused else brier([o.confidence], [float(o.shown)]),
        lower_is_better=True,
        compared=False,
    ),
    Measure("summary_rouge", "摘要与证据的ROUGE-L", lambda o: o.summary_rouge, compared=False),
)
RANKED = tuple(
    Measure(name, f"前{name.partition('@')[2]}段{title}", lambda _: None, compared=compared)
    for name, title, compared in (
        ("hit@1", "含证据", True),
        ("hit@3", "含证据", False),
        ("hit@5", "含证据", True),
        ("hit@10", "含证据", True),
        ("recall@5", "占全部含证据段落的比例", False),
        ("recall@10", "占全部含证据段落的比例", False),
        ("mrr@10", "证据名次倒数", True),
        ("ndcg@10", "的归一化折损累计增益", False),
    )
)  # their values come from ir-measures, over all outcomes at once


@dataclass(frozen=True, slots=True)
class Setting:
    """What was measured, with what, on what: enough to do it again."""

    system: str
    questions: tuple[str, ...]
    questions_sha256: str
    index: str
    passages: int
    encoder: str
    encoder_fingerprint: str
    seed: int
    command: str
    created: str  # ISO 8601, UTC
    machine: str
    commit: str = ""  # of the code, where git knows it; "+" after it where files differed from it


@dataclass(frozen=True, slots=True)
class Slice:
    """Figures over one part of the questions."""

    name: str
    count: int
    figures: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far confidence can be believed, over the answers shown."""

    error: Estimate
    brier: Estimate
    area_under_risk: float
    bins: tuple[Bin, ...]
    curve: tuple[tuple[float, float, float], ...]  # threshold, coverage, risk


@dataclass(frozen=True, slots=True)
class Report:
    """All that one run says."""

    setting: Setting
    slices: tuple[Slice, ...]
    calibration: Calibration
    cost: Mapping[str, float]  # p50_ms, p95_ms of one question by the clock; of the run: seconds, peak_mb
    outcomes: tuple[Outcome, ...]
    ablation: tuple[Slice, ...] = ()
    baselines: tuple[Slice, ...] = ()

    def slice(self, name: str) -> Slice | None:
        return next((part for part in self.slices if part.name == name), None)


def measure_values(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """``{measure: {question id: value}}``, each measure over the questions that it applies to."""
    asked = [o for o in outcomes if o.answerable and o.evidence]
    ranks = ranked_values({o.id: o.relevant_ranks for o in asked}, {o.id: o.relevant for o in asked})
    values = {measure.name: ranks[measure.name] for measure in RANKED}
    for measure in MEASURES:
        found = {outcome.id: measure.of(outcome) for outcome in outcomes}
        values[measure.name] = {name: float(value) for name, value in found.items() if value is not None}
    return values


def ranked_values(
    ranks: Mapping[str, Sequence[int]], relevant: Mapping[str, int] | None = None, cutoffs: Sequence[int] = CUTOFFS
) -> dict[str, dict[str, float]]:
    """hit@k and mrr@k per question, from the ranks at which evidence was found (none: 0).

    With the number of ``relevant`` passages that there are, recall@k and ndcg@k too.
    """
    # What is judged is ranks, not passages: where evidence stands is relevant. What was not found is relevant as well,
    # under a name that nothing in the run has; a question has at least one such, since its evidence is in the text.
    qrels: dict[str, dict[str, int]] = {}
    for name, found in ranks.items():
        missing = max(1, (relevant or {}).get(name, 0)) - len(found)
        qrels[name] = {str(rank): 1 for rank in found} | {f"not found {n}": 1 for n in range(missing)}
    run = {name: [str(rank) for rank in range(1, max(cutoffs) + 1)] for name in ranks}
    return rank_measures(qrels, run, ("hit", "mrr") if relevant is None else ("hit", "mrr", "recall", "ndcg"), cutoffs)


def stratum(outcome: Outcome) -> str:
    """Questions are resampled among their like: same style, and answerable or not."""
    return f"{outcome.answerable}/{outcome.style}"


def summarise(outcomes: Sequence[Outcome], setting: Setting, cost: Mapping[str, float] | None = None) -> Report:
    """All figures over the outcomes. Single questions and turns of dialogues are kept apart.

    ``cost`` is what the run took as a whole; what a question took is added to it.
    """
    single = [outcome for outcome in outcomes if not outcome.turn]
    parts: list[tuple[str, list[Outcome]]] = [("all", single)] if single else []
    for field, title in (("style", "style"), ("type", "type"), ("kind", "unanswerable"), ("document", "document")):
        names = sorted({getattr(outcome, field) for outcome in single} - {""})
        parts += [(f"{title}: {name}", [o for o in single if getattr(o, field) == name]) for name in names]
    turns = [outcome for outcome in outcomes if outcome.turn]
    if turns:
        parts.append(("dialogue turns", turns))
        parts += [(f"turn {n}", [o for o in turns if o.turn == n]) for n in sorted({o.turn for o in turns})]
    spent = [outcome.milliseconds for outcome in outcomes]
    return Report(
        setting,
        tuple(make_slice(name, part, setting.seed) for name, part in parts),
        calibrate(single or turns, setting.seed),
        {**{f"p{p}_ms": float(np.percentile(spent, p)) for p in (50, 95) if spent}, **(cost or {})},
        tuple(outcomes),
    )


def make_slice(name: str, outcomes: Sequence[Outcome], seed: int) -> Slice:
    """The figures of one part; measures that apply to none of it are left out."""
    strata = {outcome.id: stratum(outcome) for outcome in outcomes}
    figures = {
        # What is refused is drawn from all questions: of answerable ones and others apart its share could not vary.
        measure: bootstrap_mean(
            list(values.values()), [strata[i] if measure != "refusal_precision" else "" for i in values], seed=seed
        )
        for measure, values in measure_values(outcomes).items()
        if values
    }
    return Slice(name, len(outcomes), figures)


def calibrate(outcomes: Sequence[Outcome], seed: int) -> Calibration:
    """Confidence against outcome over the answers shown; right means shown right."""
    answered = [outcome for outcome in outcomes if not outcome.refused]
    sure = np.array([outcome.confidence for outcome in answered])
    right = np.array([float(outcome.shown) for outcome in answered])
    strata = [stratum(outcome) for outcome in answered]
    curve = risk_coverage(sure, right, len(outcomes)) if answered else []

    def drawn(statistic: Callable[[Any, Any], float]) -> Callable[[NDArray[np.intp]], float]:
        return lambda rows: statistic(sure[rows], right[rows])

    return Calibration(
        bootstrap(drawn(calibration_error), strata, seed=seed),
        bootstrap(drawn(brier), strata, seed=seed),
        area_under_risk(curve),
        tuple(calibration_bins(sure, right)),
        tuple(curve),
    )


def misses(report: Report) -> list[Outcome]:
    """What was not fully right, by cause, then in the order asked."""
    causes = {
        cause: place
        for place, cause in enumerate(
            ("not retrieved", "evidence cut", "ranked low", "retrieved, not read", "wrong span", "wrongly refused",
             "answered unanswerable", "long form only")
        )
    }  # fmt: skip
    return sorted((o for o in report.outcomes if o.cause), key=lambda o: causes[o.cause])


# --- saving and printing ----------------------------------------------------------------------------------------


def save(report: Report, path: Path) -> None:
    """Write report.json; figures that do not exist (nan) are null."""
    record = {"format": FORMAT, **_plain(asdict(report))}
    path.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load_outcomes(path: Path) -> tuple[list[Outcome], Mapping[str, Any]]:
    """The outcomes and the setting of a report.json (or of the folder that holds one).

    Raises:
        ReportError: if it is missing or was not written by ``save``.
    """
    file, record = read_report(path)
    return outcomes_of(file, record), record["setting"]


def read_report(path: Path) -> tuple[Path, Mapping[str, Any]]:
    """The file, and the record in it, of a report or of the folder that holds report.json; its format is ours.

    Raises:
        ReportError: if it cannot be read or is of another format.
    """
    file = path / "report.json" if path.is_dir() else path
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise ReportError(f"{file}: cannot be read as a report: {fault}") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT or not isinstance(record.get("setting"), dict):
        raise ReportError(f"{file}: not a report of format {FORMAT}: run gazette-eval run again")
    return file, record


def outcomes_of(file: Path, record: Mapping[str, Any]) -> list[Outcome]:
    """The outcomes in a report's record.

    Raises:
        ReportError: if one lacks a field; the message names the file.
    """
    try:
        return [_outcome(entry) for entry in record["outcomes"]]
    except (KeyError, TypeError) as fault:
        raise ReportError(f"{file}: an outcome lacks a field: {fault}") from None


def _outcome(entry: dict[str, Any]) -> Outcome:
    known = {field.name for field in fields(Outcome)}
    values = {key: value for key, value in entry.items() if key in known}
    values["expected"] = tuple(map(tuple, values["expected"]))
    values["evidence"] = tuple(values["evidence"])
    values["relevant_ranks"] = tuple(values["relevant_ranks"])
    return Outcome(**values)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and math.isnan(value) else value


COLUMNS = ("hit@1", "hit@5", "hit@10", "mrr@10", "shown", "short", "proved", "refused", "false_refusal")


def table(slices: Iterable[Slice], columns: Sequence[str] = COLUMNS) -> str:
    """Slices as lines, measures as columns, for a terminal; a measure that does not apply is a dash.

    Measures that apply to none of the slices are left out.
    """
    slices = list(slices)
    columns = [c for c in columns if any(c in part.figures for part in slices)]
    rows = [["", "n", *columns]]
    for part in slices:
        cells = [f"{part.figures[c].value:.3f}" if c in part.figures else "-" for c in columns]
        rows.append([part.name, str(part.count), *cells])
    return align(rows)


def text(report: Report) -> str:
    """The report for a terminal: every figure with its interval, then by style and type, confidence, causes."""
    parts = []
    for name in ("all", "dialogue turns"):
        part = report.slice(name)
        if part is not None:
            parts.append(f"{name} ({part.count})\n{interval_lines(part)}")
    parts.append(table(part for part in report.slices if not part.name.startswith("document: ")))
    for title, slices in (("ablation", report.ablation), ("baselines", report.baselines)):
        if slices:
            parts.append(f"{title}\n{table(slices)}")
    c = report.calibration
    parts.append(
        f"calibration error {c.error.value:.3f} [{c.error.low:.3f}, {c.error.high:.3f}]  brier {c.brier.value:.3f}  "
        f"area under risk {c.area_under_risk:.3f}  answers {c.error.n}"
    )
    causes = Counter(outcome.cause for outcome in misses(report))
    parts.append("misses: " + (", ".join(f"{cause} {count}" for cause, count in causes.most_common()) or "none"))
    parts.append(cost_line(report.cost))
    return "\n\n".join(parts)


def cost_line(cost: Mapping[str, float]) -> str:
    """``p50 12.0 ms, p95 30.1 ms, 41 s, 310 MB``: what a run took, as far as it is known."""
    words = {"p50_ms": "p50 {:.1f} ms", "p95_ms": "p95 {:.1f} ms", "seconds": "{:.0f} s", "peak_mb": "{:.0f} MB"}
    return ", ".join(word.format(cost[name]) for name, word in words.items() if name in cost)


def align(rows: Sequence[Sequence[str]]) -> str:
    """Rows with their columns under each other: the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def interval_lines(part: Slice) -> str:
    """Each figure of a slice with its interval and its number of questions."""
    rows = [[name, f"{e.value:.3f}", f"[{e.low:.3f}, {e.high:.3f}]", f"n={e.n}"] for name, e in part.figures.items()]
    return align(rows) if rows else ""


def machine() -> str:
    """The machine in words: processor, cores, system, Python."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )
