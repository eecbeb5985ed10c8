"""Two runs over the same questions: what changed, and whether that could be chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from eval.metrics import Estimate, mcnemar, paired_difference
from eval.report import MEASURES, RANKED, ReportError, align
from eval.scores import Scores

LEVEL = 0.05  # a change as large as this one or larger would come about by chance in one of twenty comparisons


@dataclass(frozen=True, slots=True)
class Difference:
    """B - A in one measure over the questions both answered."""

    measure: str
    before: float
    after: float
    difference: Estimate
    lower_is_better: bool
    compared: bool
    p: float | None = None  # of McNemar's test, where every value is right or wrong

    @property
    def is_sure(self) -> bool:
        """More than chance: by McNemar's test where it applies, else the whole bootstrap interval beside nought."""
        if self.p is not None:
            return self.p < LEVEL
        return self.difference.low > 0 or self.difference.high < 0

    @property
    def is_loss(self) -> bool:
        return self.compared and self.is_sure and (self.difference.value > 0) == self.lower_is_better

    @property
    def is_gain(self) -> bool:
        return self.compared and self.is_sure and (self.difference.value > 0) != self.lower_is_better


def compare(before: Scores, after: Scores, *, seed: int = 0) -> list[Difference]:
    """Paired differences in every measure, over the questions that both runs hold and the measure applies to.

    Raises:
        ReportError: if the runs share no question, or ask different things under one id.
    """
    shared = [name for name in after.wordings if name in before.wordings]
    if not shared:
        raise ReportError("the two reports share no question id: nothing can be compared")
    changed = [name for name in shared if before.wordings[name] != after.wordings[name]]
    if changed:
        raise ReportError(f"question {changed[0]} is worded differently in the two reports ({len(changed)} such)")
    table = []
    for measure in (*RANKED, *MEASURES):
        old, new = before.values.get(measure.name, {}), after.values.get(measure.name, {})
        ids = [name for name in shared if name in old and name in new]
        if not ids:
            continue
        a, b = [old[name] for name in ids], [new[name] for name in ids]
        table.append(
            Difference(
                measure.name,
                float(np.mean(a)),
                float(np.mean(b)),
                paired_difference(a, b, [after.strata[name] for name in ids], seed=seed),
                measure.lower_is_better,
                measure.compared,
                None if {*a, *b} - {0.0, 1.0} else mcnemar(a, b),
            )
        )
    return table


def table(differences: Sequence[Difference]) -> str:
    """One line a measure: before, after, difference with its interval, McNemar's p, a word where it is not chance."""
    rows = [["", "A", "B", "B - A", "95 %", "p", "n", ""]]
    for d in differences:
        e = d.difference
        word = "LOSS" if d.is_loss else "gain" if d.is_gain else ""
        interval = f"[{e.low:+.3f}, {e.high:+.3f}]"
        p = "-" if d.p is None else f"{d.p:.3f}"
        rows.append([d.measure, f"{d.before:.3f}", f"{d.after:.3f}", f"{e.value:+.3f}", interval, p, str(e.n), word])
    return align(rows)
