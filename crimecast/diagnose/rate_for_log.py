"""A rate is returned where its logarithm is asked for: by a softplus, an exponential or a ReLU at the end.

Counts, high, when no log rate is below 0 without an offset, though in three cells of ten events are rarer than one in two steps. With an offset it can't be
told from a total that is too high: `miscalibrated` says both.
"""

from collections.abc import Iterator

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

RARE, MANY = (
    0.5,
    0.3,
)  # events a step, below which no rate should be above 1, and the share of such cells


def never_below(case: Case) -> bool:
    """Whether nothing that the network returns is below 0, without an offset and though events are rare."""
    area = case.subject.area
    rare = (case.counts[..., area].mean(axis=0) < RARE).mean() > MANY
    return bool(case.design.offset == "none" and rare and case.said[..., area].min() >= -1e-6)


def judge(case: Case) -> Iterator[Finding]:
    """Whether what is returned is no logarithm."""
    if not never_below(case):
        return
    area = case.subject.area
    yield Finding(
        "wrong_scale", case.last, "high",
        {"least_log_rate": float(case.said[..., area].min()), "events_a_cell": float(case.counts[..., area].mean())},
        "No log rate is below 0, so no rate below 1: it returns a rate, or something else above 0, where its logarithm is asked for. Take the softplus, exponential or ReLU at the end away.",
    )  # fmt: skip
