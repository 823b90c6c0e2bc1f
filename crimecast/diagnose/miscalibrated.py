"""Totals that are off, or counts that scatter more widely than the likelihood allows.

A total counts from 10 % off and four standard errors, high from 20 %; scatter from 1.3 times a
Poisson's variance (the best forecasts of all Chicago crimes have 1.05); a Bernoulli head when more
than a tenth of the cells with events have several.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

OFF = 0.1
WIDE = 1.3


def judge(case: Case) -> Iterator[Finding]:
    """Rates that are not what happens, on average or in their scatter."""
    area = case.subject.area
    n, rate = case.counts[..., area].astype(np.float64), case.rates[..., area].astype(np.float64)
    ratio = rate.sum() / max(n.sum(), 1.0)
    weekly = np.abs(ratio - 1) * np.sqrt(n.sum())
    if abs(ratio - 1) > OFF and weekly > 4:
        yield Finding(
            "miscalibrated", None, "high" if abs(ratio - 1) > 2 * OFF else "medium",
            {"forecast_over_observed": float(ratio)},
            f"It forecasts {100 * (ratio - 1):+.0f} % of what happens: correct an offset that knows the city's level, such as memory_mixture{_or_a_rate(case, ratio)}.",
            {"offset": "memory_mixture"} if case.is_spec and case.design.offset != "memory_mixture" else {},
        )  # fmt: skip
    dispersion = float(((n - rate) ** 2).sum() / rate.sum())
    if case.design.likelihood == "poisson" and dispersion > WIDE and abs(ratio - 1) < OFF:
        yield Finding(
            "miscalibrated", None, "medium", {"dispersion": dispersion},
            f"Counts scatter {dispersion:.2f} times as widely as a Poisson's: use the negative binomial.",
            {"likelihood": "negative_binomial"} if case.is_spec else {},
        )  # fmt: skip
    if (
        case.design.likelihood == "bernoulli"
        and n.max() > 1
        and (n > 1).sum() > 0.1 * (n > 0).sum()
    ):
        yield Finding(
            "miscalibrated", None, "high", {"cells_with_more_than_one": float((n > 1).sum() / (n > 0).sum())},
            "Many cells have more than one event in a step, which a Bernoulli head can't tell: use Poisson.",
            {"likelihood": "poisson"} if case.is_spec else {},
        )  # fmt: skip


def _or_a_rate(case: Case, ratio: float) -> str:
    """What can't be told from a total that is too high, where there is an offset to correct."""
    never_lower = bool(case.said[..., case.subject.area].min() >= -1e-6)
    if ratio < 1 or not never_lower or case.design.offset == "none":
        return ""
    return "; or, since it never lowers its offset, take a softplus or an exponential at the end away, which returns a rate where its logarithm is asked for"


def mended(case: Case, finding: Finding) -> np.ndarray | None:
    """(T, C, H, W) the forecast with the total that was seen."""
    ratio = finding.evidence.get("forecast_over_observed")
    return None if ratio is None else case.rates / ratio
