"""The results table of the README: made from question files, put between its marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.metrics import Estimate
from eval.report import Report, Slice
from index.records import GazetteError

BEGIN, END = "<!-- results: made by gazette-eval table -->", "<!-- end of results -->"
TITLES = {
    "sample_held": "gazette, held out",
    "sample_test": "gazette, test",
    "sample_dev": "gazette, development",
    "gazettes_test": "made-up gazettes, test",
    "gazettes_dev": "made-up gazettes, development",
    "laws_test": "laws, test",
    "laws_dev": "laws, development",
}
ROWS = {
    "hit@1": "evidence in the first passage",
    "hit@5": "evidence within five passages",
    "ndcg@10": "nDCG of ten passages",
    "shown": "shown answer right",
    "short": "short answer right",
    "exact": "short answer exact",
    "char_f1": "short answer, F1 of characters",
    "refused": "unanswerable refused",
    "false_refusal": "answerable refused",
    "refusal_precision": "refusals that are right",
    "proved": "an answer's quote is the evidence",
    "precise": "citations that are evidence",
    "covered": "evidence that is cited",
    "verbatim": "quotes verbatim at their offsets",
}
SYSTEM_COLUMNS = {
    "hit@1": "first passage", "hit@5": "five passages", "ndcg@10": "nDCG@10", "shown": "shown", "short": "short",
    "refused": "refused", "false_refusal": "answerable refused",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Results:
    """What the table shows: a report for each question file by its name, and the slices of other systems on the first."""

    reports: Mapping[str, Report]
    systems: Sequence[Slice] = ()


def markdown(results: Results) -> str:
    """Two tables: our figures by question file, with intervals; and ours beside other systems on the first file; then
    what they were made with."""
    titles = [TITLES.get(name, name) for name in results.reports]
    parts = [report.slice("all") for report in results.reports.values()]
    counts = [_counts(part) for part in parts]
    rows = [["", *titles], ["---"] * (len(titles) + 1), ["questions: answerable, not", *counts]]
    for measure, words in ROWS.items():
        rows.append([words, *(_cell(part, measure) for part in parts)])
    calibration = [report.calibration.error for report in results.reports.values()]
    rows.append(["calibration error", *map(_estimate, calibration)])
    rows.append(
        ["area under risk", *(f"{report.calibration.area_under_risk:.2f}" for report in results.reports.values())]
    )
    turns = [report.slice("dialogue turns") for report in results.reports.values()]
    rows.append(["dialogue turns shown right", *(_turns(part) for part in turns)])
    text = _lines(rows)
    if results.systems and parts[0] is not None:
        beside = [["", *SYSTEM_COLUMNS.values()], ["---"] * (len(SYSTEM_COLUMNS) + 1)]
        for name, part in (("**ours**", parts[0]), *((part.name, part) for part in results.systems)):
            beside.append([name, *(_value(part, measure) for measure in SYSTEM_COLUMNS)])
        text += f"\n\nOthers with the same encoder, on {titles[0]}:\n\n{_lines(beside)}"
    return text + "".join(f"\n\n{_origin(report)}" for report in list(results.reports.values())[:1])


def replaced(document: str, block: str) -> str:
    """A document with what stands between its marks replaced by the block.

    Raises:
        GazetteError: if the marks are not there, once each and in order.
    """
    if document.count(BEGIN) != 1 or document.count(END) != 1 or document.index(BEGIN) > document.index(END):
        raise GazetteError(
            f"the document needs one line {BEGIN!r} and one line {END!r} after it, to put the table between"
        )
    before, rest = document.split(BEGIN)
    return f"{before}{BEGIN}\n{block}\n{END}{rest.split(END)[1]}"


def _origin(report: Report) -> str:
    s = report.setting
    code = f"code at {s.commit.rstrip('+')}{' with changes' * s.commit.endswith('+')}, " if s.commit else ""
    return f"Made with {code}encoder {s.encoder} ({s.encoder_fingerprint[:8]}), seed {s.seed}."


def _lines(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _counts(part: Slice | None) -> str:
    if part is None:
        return "–"
    asked = part.figures["shown"].n if "shown" in part.figures else 0
    return f"{asked}, {part.count - asked}"


def _turns(part: Slice | None) -> str:
    return "–" if part is None else f"{_cell(part, 'shown')} ({part.count})"


def _cell(part: Slice | None, measure: str) -> str:
    return _estimate(part.figures[measure]) if part is not None and measure in part.figures else "–"


def _estimate(estimate: Estimate) -> str:
    """``0.79 [0.73, 0.85]``; where nothing varies, the value alone."""
    value = f"{estimate.value:.2f}"
    return value if estimate.low == estimate.high else f"{value} [{estimate.low:.2f}, {estimate.high:.2f}]"


def _value(part: Slice, measure: str) -> str:
    return f"{part.figures[measure].value:.2f}" if measure in part.figures else "–"
