"""A level that jumps within what is learnt: a new reporting system, or a part that is missing.

Counts when the mean of four weeks is more than 1.6 times, or less than 1/1.6 of, that of the four weeks before, by six
standard errors, anywhere up to the end of the validation period; a season's most is 1.5, and what comes back every year is a season, however large.
"""

from collections.abc import Iterator

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding
from crimecast.judging.breaks import largest_break

JUMP, ERRORS = 1.6, 6.0


def judge(case: Case) -> Iterator[Finding]:
    """When, and from what to what."""
    cube = case.subject.cube
    span = max(2, round(28 / cube.step.days))
    totals = case.totals
    if len(totals) < 4 * span:
        return
    found = largest_break(totals, span, cube.step.days, JUMP, ERRORS)
    if found is not None:
        at, before, after = found
        when = cube.label(at)
        yield Finding(
            "break_in_data", None, "medium", {"at": when, "before": before, "after": after},
            f"Around {when} the events a step go from {before:,.1f} to {after:,.1f} within what is learnt: train and judge on one side of it.",
        )  # fmt: skip
