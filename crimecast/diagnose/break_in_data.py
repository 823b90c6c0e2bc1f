"""A level that jumps within what is learnt: a new reporting system, or a part that is missing.

Counts when the mean of four weeks is more than 1.6 times, or less than 1/1.6 of, that of the four weeks before, by six
standard errors, anywhere up to the end of the validation period; a season's most is 1.5.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

JUMP, ERRORS = 1.6, 6.0


def judge(case: Case) -> Iterator[Finding]:
    """When, and from what to what."""
    cube = case.subject.cube
    span = max(2, round(28 / cube.step.days))
    totals = case.totals
    if len(totals) < 4 * span:
        return
    level = np.convolve(totals, np.ones(span) / span, "valid")
    before, after = level[:-span], level[span:]
    error = np.sqrt(np.maximum(before + after, 1e-9) / span)
    ratio = np.log(np.maximum(after, 1e-9) / np.maximum(before, 1e-9))
    ratio[np.abs(after - before) < ERRORS * error] = 0.0
    at = int(np.abs(ratio).argmax())
    if abs(ratio[at]) > np.log(JUMP):
        when = cube.label(at + span)
        yield Finding(
            "break_in_data", None, "medium", {"at": when, "before": float(before[at]), "after": float(after[at])},
            f"Around {when} the events a step go from {before[at]:,.1f} to {after[at]:,.1f} within what is learnt: train and judge on one side of it.",
        )  # fmt: skip
