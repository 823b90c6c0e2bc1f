"""The city's level: how many events a step brings in all, beyond what the map of memories says.

A Poisson regression of the city's totals on the calendar and its own recent past, with the total
of the map as offset: log E[N_t] = log M_t + β · z_t, fitted by iteratively reweighted least
squares with a small ridge (McCullagh & Nelder 1989, chapter 2). Fitted on less than a year, β of the
season is zero: from nine months of Chicago, what it said of the other three was wrong by half. Seen
once, a season can't be told from what a year happened to bring, so until it was seen twice β of its
k-th wave is held by the ridge of a spread of MOVES / k against months that differ by MOVES of
themselves: k² (1 + n MOVES²) / MOVES², n the events of a month. A holiday comes once a year, so
its β is held by the ridge of a spread of HOLIDAY, 1 / HOLIDAY²: with less, one quiet 31 December of
45 events was taken for a rule. On thirteen years of five series it was better in nine.
"""

import numpy as np

from crimecast.baselines.regression import fit_poisson
from crimecast.calendar.dates import (
    HOLIDAYS,
    holidays,
    knows_season,
    month_day,
    season,
    slot,
    weekday,
)
from crimecast.calendar.steps import Step
from crimecast.grids.cube import Cube

RIDGE = 3.0  # events' worth of pull towards "no effect"
FIT_DAYS = 3 * 365.0
WAVES = 3  # of the season, a year
TWICE = 1.9  # years in which a season was seen twice, nearly
MOVES = 0.1  # of the level's logarithm
HOLIDAY = 0.2  # the same, on a holiday
RECENT = (7.0, 28.0)  # half-lives in days of the city's own recent level


def level_features(
    times: np.ndarray, step: Step, totals: np.ndarray, expected: np.ndarray, lead: int = 1,
    seasonal: bool = True,
) -> np.ndarray:  # fmt: skip
    """(T, F) what the level may depend on at each step, from the calendar and the steps before.

    `totals` and `expected` (T,) are the city's counts and what the map expected; the recent level
    is the logarithm of their ratio, each decayed, up to `lead` steps before. The season is zero
    unless `seasonal`.
    """
    of_week = weekday(times)
    parts = [np.ones(len(times))]
    parts += [(of_week == d).astype(float) for d in range(6)]
    if step.unit == "h":
        of_day = slot(times, step)
        parts += [
            ((of_day == h) & (of_week == d)).astype(float)
            for d in range(7)
            for h in range(24 // step.count - 1)
        ]
    waves = season(times, WAVES).T
    parts += list(waves if seasonal else np.zeros_like(waves))
    day = month_day(times)
    parts += [(day == 1).astype(float), (day == 15).astype(float)]
    parts += list(holidays(times).T.astype(float))
    for half_life in RECENT:
        recent = _recent(totals, expected, half_life / step.days)
        parts.append(np.concatenate([np.zeros(lead - 1), recent[: len(recent) - lead + 1]]))
    return np.stack(parts, axis=1)


def holiday_columns(features: int) -> slice:
    """Which of the level's features are the holidays'."""
    return slice(features - len(RECENT) - HOLIDAYS, features - len(RECENT))


def season_columns(step: Step) -> slice:
    """Which of the level's features are the season's."""
    of_day = 7 * (24 // step.count - 1) if step.unit == "h" else 0
    return slice(7 + of_day, 7 + of_day + 2 * WAVES)


def _recent(totals: np.ndarray, expected: np.ndarray, half_life: float) -> np.ndarray:
    """log of decayed totals over decayed expectation, of the steps before each."""
    weight = 2.0 ** (-1.0 / half_life)
    ratio = np.zeros(len(totals))
    seen = told = half_life * max(float(expected[:1].sum()), 1.0)
    for t in range(1, len(totals)):
        seen = weight * seen + totals[t - 1]
        told = weight * told + expected[t - 1]
        ratio[t] = np.log(max(seen, 1e-9) / max(told, 1e-9))
    return np.clip(ratio, -1.0, 1.0)


def fit_level(
    features: np.ndarray,
    totals: np.ndarray,
    expected: np.ndarray,
    ridge: float | np.ndarray = RIDGE,
) -> np.ndarray:
    """β (F,) of the regression on the given steps."""
    return fit_poisson(features, totals, np.log(np.maximum(expected, 1e-9)), ridge)


def fit_levels(cube: Cube, area: np.ndarray, expected: np.ndarray, end: int) -> np.ndarray:
    """β (C, F) of the level of each type, fitted on up to three years before step `end`.

    expected: (T, C) what the map expected of the whole area in each step, T at least `end`.
    """
    begin = max(1, end - round(FIT_DAYS / cube.step.days))
    seasonal, made = knows_season(end, cube.step), []
    for c in range(expected.shape[1]):
        totals = cube.counts[:end, c][:, area].sum(axis=1, dtype=np.float64)
        features = level_features(
            cube.times[:end], cube.step, totals, expected[:end, c], seasonal=seasonal
        )
        ridge = np.full(features.shape[1], RIDGE)
        ridge[holiday_columns(features.shape[1])] = HOLIDAY**-2
        if seasonal and (end - begin) * cube.step.days < TWICE * 365.25:
            a_month = totals[begin:].mean() * 30.4 / cube.step.days
            waves = np.repeat(np.arange(1, WAVES + 1), 2)
            ridge[season_columns(cube.step)] = waves**2 * (1 + a_month * MOVES**2) / MOVES**2
        made.append(fit_level(features[begin:], totals[begin:], expected[begin:end, c], ridge))
    return np.stack(made)


def levels(
    cube: Cube, area: np.ndarray, expected: np.ndarray, beta: np.ndarray, since: int, lead: int = 1
) -> np.ndarray:
    """(T − since, C) the city's level of each type, for steps [since, T) of `expected` (T, C)."""
    steps = len(expected)
    made = []
    for c in range(expected.shape[1]):
        totals = cube.counts[:steps, c][:, area].sum(axis=1, dtype=np.float64)
        features = level_features(cube.times[:steps], cube.step, totals, expected[:, c], lead)
        made.append(np.exp(features[since:] @ beta[c]))
    return np.stack(made, axis=1)


def with_level(
    cube: Cube, area: np.ndarray, rates: np.ndarray, start: int, first: int
) -> np.ndarray:
    """(T − first, C, N) rates from step `first` on times the city's level, fitted before it.

    rates: (T − start, C, N) what a map expects from step `start` on.
    """
    expected = np.concatenate([smooth_totals(cube, area, start), rates.sum(axis=2)])
    factor = levels(cube, area, expected, fit_levels(cube, area, expected, first), first)
    return rates[first - start :] * factor[:, :, None]


def smooth_totals(cube: Cube, area: np.ndarray, stop: int, half_life: float = 60.0) -> np.ndarray:
    """(stop, C) what a map would have expected before its weights are known: the decayed mean of
    the city's total, of the steps before each; `half_life` in steps."""
    totals = cube.counts[:stop][..., area].sum(axis=2, dtype=np.float64)
    weight, seen, mass = 2.0 ** (-1.0 / half_life), np.zeros(totals.shape[1]), 0.0
    result = np.zeros(totals.shape)
    for t, value in enumerate(totals):
        result[t] = seen / mass if mass else np.maximum(value, 1.0)
        seen, mass = weight * seen + value, weight * mass + 1.0
    return result
