"""The logarithm of the rate is stretched or bent: all of it, or what a network adds to its offset.

The counts are fitted by exp(a + b · log rate) on the first half of the validation period (Poisson regression;
b is the calibration slope of Cox 1958, Biometrika 45) and judged on the second: counts when b is under 0.87 or above
1.15 and the fit gains 0.002 an event, 0.001 for what is added to an offset, a fourth of that where stretching it back also
puts a total right that is off by a tenth; high from 0.05. About which value it was stretched isn't known (zero, the map's
mean, the city's): that which puts the total best is taken, and beyond 0.85 and 1.18 the total itself tells nothing. What returns a rate in place of its logarithm is `rate_for_log`.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case, fitted
from crimecast.diagnose.finding import Finding
from crimecast.diagnose.rate_for_log import never_below
from crimecast.judging.likelihood import floored, log_likelihood

LOW, HIGH = 0.87, 1.15
STRONG = 1.18  # slope, or its inverse, beyond which the total is a part of it
GAINS, MUCH = 0.002, 0.05
OFF = 0.1  # of a total
SPREAD = 0.005  # of the log rate, below which no slope can be told


def judge(case: Case) -> Iterator[Finding]:
    """How the log rate, or what is added to the offset, would have to be stretched."""
    if never_below(case):
        return
    found = [_stretched(case, "all")]
    if case.design.offset != "none":
        found.append(_stretched(case, "what it adds to its offset"))
    best = max((one for one in found if one), key=lambda one: one[1], default=None)
    if best is None:
        return
    slope, gain, part = best
    what = "What it adds to its offset" if part != "all" else "The differences between its cells"
    if slope > 1 and case.is_spec:  # whose layers neither divide nor bend what is returned
        epochs = len(case.history)
        yield Finding(
            "wrong_scale", None, "high" if gain > MUCH else "medium",
            {"slope": slope, "gain": gain, "of": part, "epochs": epochs},
            f"{what} should be {slope:.1f} times as large, in the logarithm: it learnt too little in {epochs} epoch{'s' * (epochs != 1)}, or is "
            "held back, as by a small learning rate, weight decay or dropout. Train longer first.",
            {"training.epochs": case.longer},
        )  # fmt: skip
        return
    yield Finding(
        "wrong_scale", None, "high" if gain > MUCH else "medium",
        {"slope": slope, "gain": gain, "of": part}, _says(slope, part, case.is_spec),
    )  # fmt: skip


def _says(slope: float, part: str, is_spec: bool) -> str:
    if slope > 1:
        return f"The differences between its cells should be {slope:.1f} times as large, in the logarithm: something divides or bends what is returned, such as a tanh, a root or a second logarithm."
    times = f"{1 / max(slope, 1e-3):.1f} times as large as"
    if part == "all":
        says = f"The differences between its cells are {times} they should be, in the logarithm: "
    else:
        says = f"What it adds to its offset is {times} it should be, in the logarithm: "
    if is_spec:
        return (
            says
            + "on days it never saw, what it learnt holds less. Too few records for the design do that, or records that changed: train on more of them, or up to a later day."
        )
    return (
        says
        + "a rate is returned where its logarithm is asked for, or it is multiplied on the way."
    )


def _stretched(case: Case, part: str) -> tuple[float, float, str] | None:
    """The slope that a part should have, and what that gains, if both are enough."""
    area = case.subject.area
    counts, rates = case.counts[..., area].astype(np.float64), floored(case.rates[..., area])
    own = np.log(rates) if part == "all" else case.said[..., area].astype(np.float64)
    if own.std() < SPREAD:
        return None
    beside = np.log(rates) - own
    half = len(counts) // 2
    level, slope = fitted(counts[:half], own[:half], beside[:half])
    made = np.exp(np.clip(level + slope * own[half:] + beside[half:], -15, 15))
    # A wrong total alone is another finding.
    share = counts[:half].sum() / rates[:half].sum()
    gained = log_likelihood(counts[half:], made) - log_likelihood(
        counts[half:], share * rates[half:]
    )
    gain = float(gained.sum() / max(1.0, counts[half:].sum()))
    enough = GAINS if part == "all" else GAINS / 2
    # Stretching changes the total too: where undoing it puts that right, it is to blame.
    total = max(1.0, counts.sum())
    off, left = (abs(one.sum() / total - 1) for one in (rates, _back(case, slope, part)[..., area]))
    if off > OFF and left < off / 3:
        enough /= 4
    return (slope, gain, part) if gain > enough and not LOW < slope < HIGH else None


def mended(case: Case, finding: Finding) -> np.ndarray | None:
    """(T, C, H, W) the forecast as it was before it was stretched; what is wrong with its total besides stays
    wrong, unless it was stretched so much that nothing can be said of it."""
    slope = finding.evidence.get("slope")
    if slope is None:
        return None
    if not 1 / STRONG < slope < STRONG:
        return case.calibrated(case.rates)
    return _back(case, slope, finding.evidence.get("of", "all"))


def _back(case: Case, slope: float, part: str) -> np.ndarray:
    log, area = np.log(floored(case.rates)), case.subject.area
    own = log if part == "all" else case.said
    total = max(1.0, float(case.counts[..., area].sum()))
    tried: list[tuple[float, np.ndarray]] = []
    for about in (own[..., area].mean(axis=-1), own.mean(axis=(-1, -2)), np.zeros(own.shape[:2])):
        middle = about[..., None, None]
        made = np.exp(np.clip(log - own + middle + slope * (own - middle), -15, 15))
        tried.append((abs(float(made[..., area].sum()) / total - 1), made))
    return min(tried, key=lambda one: one[0])[1]
