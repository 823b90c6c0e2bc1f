"""The city's level: how many events a step brings in all, beyond what the map of memories says.

A Poisson regression of the city's totals on the calendar and its own recent past, with the total
of the map as offset: log E[N_t] = log M_t + β · z_t, fitted by iteratively reweighted least
squares with a small ridge (McCullagh & Nelder 1989, chapter 2).
"""

import numpy as np

from crimecast.steps import Step

RIDGE = 3.0  # events' worth of pull towards "no effect"
RECENT = (7.0, 28.0)  # half-lives in days of the city's own recent level


def level_features(
    times: np.ndarray, step: Step, totals: np.ndarray, expected: np.ndarray
) -> np.ndarray:
    """(T, F) what the level may depend on at each step, from the calendar and the steps before.

    `totals` and `expected` (T,) are the city's counts and what the map expected; the recent level
    is the logarithm of their ratio, each decayed, up to the step before.
    """
    days = times.astype("datetime64[D]")
    weekday = (days.astype(int) + 3) % 7
    parts = [np.ones(len(times))]
    parts += [(weekday == d).astype(float) for d in range(6)]
    if step.unit == "h":
        hour = (times - days).astype("timedelta64[h]").astype(int) // step.count
        slots = 24 // step.count
        parts += [
            ((hour == h) & (weekday == d)).astype(float) for d in range(7) for h in range(slots - 1)
        ]
    angle = 2 * np.pi * (days - days.astype("datetime64[Y]")).astype(float) / 365.25
    parts += [f(k * angle) for k in (1, 2, 3) for f in (np.sin, np.cos)]
    month_day = (days - days.astype("datetime64[M]")).astype(int) + 1
    parts += [(month_day == 1).astype(float), (month_day == 15).astype(float)]
    month = days.astype("datetime64[M]").astype(int) % 12 + 1
    # Fixed and Monday holidays of the United States, and the days beside the fixed ones.
    for m, d in ((1, 1), (7, 4), (12, 24), (12, 25), (12, 31)):
        parts.append(((month == m) & (month_day == d)).astype(float))
    mondays = ((month == 5) & (month_day >= 25)) | ((month == 9) & (month_day <= 7))
    parts.append(((weekday == 0) & mondays).astype(float))
    parts.append(
        ((month == 11) & (weekday == 3) & (month_day >= 22) & (month_day <= 28)).astype(float)
    )
    for half_life in RECENT:
        parts.append(_recent(totals, expected, half_life / step.days))
    return np.stack(parts, axis=1)


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


def fit_level(features: np.ndarray, totals: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """β (F,) of the regression on the given steps."""
    beta = np.zeros(features.shape[1])
    offset = np.log(np.maximum(expected, 1e-9))
    for _ in range(25):
        mean = np.exp(np.clip(offset + features @ beta, -20, 20))
        gradient = features.T @ (totals - mean) - RIDGE * beta
        curvature = (features * mean[:, None]).T @ features + RIDGE * np.eye(len(beta))
        change = np.linalg.solve(curvature, gradient)
        beta += change
        if np.abs(change).max() < 1e-8:
            break
    return beta
