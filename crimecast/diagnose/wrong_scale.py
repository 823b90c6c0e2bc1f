"""What is returned isn't the logarithm of a rate: the rate itself, or the logarithm stretched.

The counts are fitted by exp(a + b · log rate) on the first half of the validation period (Poisson regression;
b is the calibration slope of Cox 1958, Biometrika 45) and judged on the second: counts when b is under 0.87 or above
1.15 and the fit gains 0.003 an event; high from 0.05. And, high, when no log rate is below 0 without an offset, though events are rarer than one a cell: a
softplus or an exponential at the end. With an offset that can't be told from a total that is too high.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case, fitted
from crimecast.diagnose.finding import Finding
from crimecast.judging.likelihood import floored, log_likelihood

LOW, HIGH = 0.87, 1.15
GAINS, MUCH = 0.003, 0.05
SPREAD = 0.005  # of the log rate, below which no slope can be told


def judge(case: Case) -> Iterator[Finding]:
    """How the log rate would have to be stretched."""
    area = case.subject.area
    counts, rates = case.counts[..., area].astype(np.float64), floored(case.rates[..., area])
    log = np.log(rates)
    if case.said[..., area].min() >= -1e-6 and case.design.offset == "none" and counts.mean() < 0.5:
        yield Finding(
            "wrong_scale", case.last, "high", {"least_log_rate": float(log.min()), "events_a_cell": float(counts.mean())},
            "No log rate is below 0, so no rate below 1: it returns a rate, or something else above 0, where its logarithm is asked for. Take the softplus, exponential or ReLU at the end away.",
        )  # fmt: skip
        return
    if log.std() < SPREAD:
        return
    half = len(counts) // 2
    level, slope = fitted(counts[:half], log[:half])
    made = np.exp(level + slope * log[half:])
    # A wrong total alone is another finding.
    share = counts[:half].sum() / rates[:half].sum()
    gained = log_likelihood(counts[half:], made) - log_likelihood(
        counts[half:], share * rates[half:]
    )
    gain = float(gained.sum() / max(1.0, counts[half:].sum()))
    if gain > GAINS and not LOW < slope < HIGH:
        yield Finding(
            "wrong_scale", None, "high" if gain > MUCH else "medium", {"slope": slope, "gain": gain},
            f"The differences between its cells are {1 / max(slope, 1e-3):.1f} times as large as they should be, in the logarithm: a rate is returned where its logarithm is asked for, or it is multiplied on the way."
            if slope < 1 else
            f"The differences between its cells should be {slope:.1f} times as large, in the logarithm: something divides or bends what is returned, such as a tanh, a root or a second logarithm.",
        )  # fmt: skip


def mended(case: Case, finding: Finding) -> np.ndarray:
    """(T, C, H, W) the forecast stretched as the counts ask for."""
    return case.calibrated(case.rates)
