"""Records that are still to come at the end of what is learnt or judged: the last days look quiet.

Counts when the last week of the validation period has less than 70 % of what the eight weeks before it had, by four
standard errors, and what follows the period is as low or isn't there; high below 40 %.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

FEWER, FEW = 0.7, 0.4
ERRORS = 4.0


def judge(case: Case) -> Iterator[Finding]:
    """How much is missing."""
    cube = case.subject.cube
    last = case.run.settings.validate
    week = max(1, round(7 / cube.step.days))
    totals = case.totals
    if len(totals) < 9 * week:
        return
    before, now = totals[-9 * week : -week], totals[-week:]
    expected = before.mean() * week
    spread = np.sqrt(max(expected, before.reshape(8, week).sum(axis=1).var()))
    after = (cube.counts[last : last + week] * case.subject.area).sum() / max(
        1, len(cube.counts[last : last + week])
    )
    share = float(now.sum() / max(expected, 1e-9))
    back = len(cube.counts) > last and after > 0.85 * before.mean()
    if share < FEWER and expected - now.sum() > ERRORS * spread and not back:
        yield Finding(
            "late_records", None, "high" if share < FEW else "medium", {"share_of_the_usual": share, "last_step": cube.label(last - 1)},
            f"The last week has {100 * share:.0f} % of what is usual: records are still to come, and the network is judged on days that only look quiet. End the period some weeks earlier.",
        )  # fmt: skip
