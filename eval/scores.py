"""What a run scored, question by question, without its words: small enough to keep in the repository and to compare."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from eval.report import FORMAT, MEASURES, RANKED, ReportError, measure_values, outcomes_of, read_report, stratum
from eval.run import Outcome

COMPARED = tuple(measure for measure in (*RANKED, *MEASURES) if measure.compared)


@dataclass(frozen=True, slots=True)
class Scores:
    """Of every question the digest of its wording, its stratum, and its value in each measure that applies to it."""

    wordings: Mapping[str, str]
    strata: Mapping[str, str]
    values: Mapping[str, Mapping[str, float]]  # {measure: {question id: value}}


def scores_of(outcomes: Sequence[Outcome]) -> Scores:
    """The scores of a run."""
    return Scores(
        {o.id: sha256(o.question.encode()).hexdigest()[:12] for o in outcomes},
        {o.id: stratum(o) for o in outcomes},
        measure_values(outcomes),
    )


def save_scores(scores: Scores, setting: Mapping[str, Any], path: Path) -> None:
    """Write the measures that are compared, one question a line, so that a change shows line by line."""
    head = json.dumps({"format": FORMAT, "setting": setting}, ensure_ascii=False, indent=1)[:-2]
    measures = [measure.name for measure in COMPARED]
    lines = [
        f"  {json.dumps(name)}: " + json.dumps([digest, scores.strata[name], *_row(scores, name, measures)])
        for name, digest in scores.wordings.items()
    ]
    rows = ",\n".join(lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'{head},\n "measures": {json.dumps(measures)},\n "questions": {{\n{rows}\n }}\n}}\n', encoding="utf-8"
    )


def load_scores(path: Path) -> tuple[Scores, Mapping[str, Any]]:
    """The scores and the setting of a report.json, of the folder that holds one, or of what ``save_scores`` wrote.

    Raises:
        ReportError: if it is missing or none of these.
    """
    file, record = read_report(path)
    if "questions" not in record:
        return scores_of(outcomes_of(file, record)), record["setting"]
    try:
        rows: Mapping[str, Sequence[Any]] = record["questions"]
        values = {
            measure: {name: float(row[n]) for name, row in rows.items() if row[n] is not None}
            for n, measure in enumerate(record["measures"], 2)
        }
        scores = Scores({k: row[0] for k, row in rows.items()}, {k: row[1] for k, row in rows.items()}, values)
        return scores, record["setting"]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as fault:
        raise ReportError(f"{file}: not the scores of a run: {fault}") from None


def _row(scores: Scores, name: str, measures: Sequence[str]) -> list[float | None]:
    found = (scores.values[measure].get(name) for measure in measures)
    return [None if value is None else _short(value) for value in found]


def _short(value: float) -> float:
    # Not rounded otherwise: a hundred differences in the fifth place, all of one sign, would be told from chance.
    return int(value) if value == int(value) else value
