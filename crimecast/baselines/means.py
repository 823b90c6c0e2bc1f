"""Means of each cell's past: the last step, the long run, the season, and with a half-life."""

import numpy as np

from crimecast.calendar.dates import hour, month, weekday
from crimecast.grids.cube import Cube
from crimecast.grids.memories import decayed_means
from crimecast.judging.likelihood import log_likelihood

HALF_LIVES = (14.0, 30.0, 60.0, 90.0, 120.0, 180.0, 270.0, 365.0, 545.0, 730.0)  # days


def mean(cube: Cube, first: int, last: int, lead: int = 1) -> np.ndarray:
    """The long-run mean of each cell: of all steps known `lead` steps ahead of the forecast one."""
    before = np.cumsum(cube.counts[: last - lead], axis=0, dtype=np.float64)[first - lead :]
    return before / np.arange(first - lead + 1, last - lead + 1)[:, None, None, None]


def persistence(cube: Cube, first: int, last: int) -> np.ndarray:
    """As many as in the step before, smoothed with the long-run mean: λ = w n(t−1) + (1 − w) mean.

    The weight is the one that would have been best over the last fifth of the past.
    """
    weight = tune_weight(cube, first)
    return weight * cube.counts[first - 1 : last - 1] + (1 - weight) * mean(cube, first, last)


def tune_weight(cube: Cube, first: int) -> float:
    """The weight of the last step that forecast the last fifth of counts[:first] best."""
    start = max(1, first - max(1, first // 5))
    past, target = cube.counts[start - 1 : first - 1], cube.counts[start:first]
    average = mean(cube, start, first)
    options = np.linspace(0.01, 0.5, 25)
    return max(options, key=lambda w: poisson_fit(target, w * past + (1 - w) * average))


def seasonal_mean(cube: Cube, first: int, last: int) -> np.ndarray:
    """The long-run mean of each cell times the city's level of the weekday, the hour and the month."""
    return mean(cube, first, last) * calendar_factor(cube, first, last)[:, :, None, None]


def decayed_mean(cube: Cube, first: int, last: int, lead: int = 1) -> np.ndarray:
    """An exponentially decayed mean of each cell's past, with the half-life that the past favours."""
    return decayed_mean_of(cube, tune_half_life(cube, first), first, last, lead)


def decayed_mean_of(
    cube: Cube, half_life: float, first: int, last: int, lead: int = 1
) -> np.ndarray:
    """The decayed mean with a half-life in days, for steps [first, last)."""
    maps = decayed_means(cube.counts[:last], [half_life / cube.step.days], cube.area(first), lead)
    return maps[first:, 0].astype(np.float64)


def tune_half_life(cube: Cube, end: int) -> float:
    """The half-life in days, of HALF_LIVES, that forecast the last fifth of counts[:end] best."""
    area = cube.area(end)
    start = max(1, end - max(1, end // 5))
    steps = [days / cube.step.days for days in HALF_LIVES]
    gains = []
    for half_life in steps:
        maps = decayed_means(cube.counts[:end], [half_life], area)[start:, 0]
        gains.append(poisson_fit(cube.counts[start:end][..., area], maps[..., area]))
    return HALF_LIVES[int(np.argmax(gains))]


def calendar_factor(cube: Cube, first: int, last: int, since: int | None = None) -> np.ndarray:
    """(last − since, C) city-wide factor of the weekday (and hour) times that of the month, from step
    `since` on, by default `first`.

    Means over counts[:first], relative to the overall mean and shrunk towards one by five
    average days.
    """
    totals = cube.counts[:first].sum(axis=(2, 3), dtype=np.float64)
    overall = totals.mean(axis=0) + 1e-12
    since = first if since is None else since
    factor = np.ones((last - since, totals.shape[1]))
    shrink = 5.0 / max(cube.step.days, 1.0)
    times = cube.times[:last]
    keys = [month(times)]
    if cube.step.days <= 1:
        keys.append(weekday(times) * 24 + hour(times))
    for key in keys:
        for value in np.unique(key[since:]):
            same = totals[key[:first] == value]
            effect = (same.sum(axis=0) / overall + shrink) / (len(same) + shrink)
            factor[key[since:] == value] *= effect
    return factor


def poisson_fit(counts: np.ndarray, rates: np.ndarray) -> float:
    """Σ(n ln λ − λ): larger is better."""
    return float(log_likelihood(counts, rates).sum())
