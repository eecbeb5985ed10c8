"""Two runs over the same questions: what changed, and whether that could be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.metrics import Estimate, paired_difference
from eval.report import MEASURES, RANKED, ReportError, align, measure_values, stratum
from eval.run import Outcome


@dataclass(frozen=True, slots=True)
class Difference:
    """B - A in one measure over the questions both answered."""

    measure: str
    before: float
    after: float
    difference: Estimate
    lower_is_better: bool
    compared: bool

    @property
    def is_loss(self) -> bool:
        """The whole interval is on the worse side of nought."""
        return self.compared and (self.difference.low > 0 if self.lower_is_better else self.difference.high < 0)

    @property
    def is_gain(self) -> bool:
        return self.compared and (self.difference.high < 0 if self.lower_is_better else self.difference.low > 0)


def compare(before: Sequence[Outcome], after: Sequence[Outcome], *, seed: int = 0) -> list[Difference]:
    """Paired differences in every measure, over the questions that both runs hold and the measure applies to.

    Raises:
        ReportError: if the runs share no question, or ask different things under one id.
    """
    wordings = {outcome.id: outcome.question for outcome in before}
    shared = [outcome for outcome in after if outcome.id in wordings]
    if not shared:
        raise ReportError("the two reports share no question id: nothing can be compared")
    changed = [outcome.id for outcome in shared if wordings[outcome.id] != outcome.question]
    if changed:
        raise ReportError(f"question {changed[0]} is worded differently in the two reports ({len(changed)} such)")
    strata = {outcome.id: stratum(outcome) for outcome in shared}
    old, new = measure_values(before), measure_values(after)
    table = []
    for measure in (*RANKED, *MEASURES):
        ids = [i for i in new[measure.name] if i in old[measure.name] and i in strata]
        if not ids:
            continue
        a, b = [old[measure.name][i] for i in ids], [new[measure.name][i] for i in ids]
        difference = paired_difference(a, b, [strata[i] for i in ids], seed=seed)
        table.append(
            Difference(
                measure.name,
                float(np.mean(a)),
                float(np.mean(b)),
                difference,
                measure.lower_is_better,
                measure.compared,
            )
        )
    return table


def table(differences: Sequence[Difference]) -> str:
    """One line a measure: before, after, difference with its interval, and a word where it is not chance."""
    rows = [["", "A", "B", "B - A", "95 %", "n", ""]]
    for d in differences:
        e = d.difference
        word = "LOSS" if d.is_loss else "gain" if d.is_gain else ""
        interval = f"[{e.low:+.3f}, {e.high:+.3f}]"
        rows.append([d.measure, f"{d.before:.3f}", f"{d.after:.3f}", f"{e.value:+.3f}", interval, str(e.n), word])
    return align(rows)
