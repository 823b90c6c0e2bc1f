"""The metrics of published papers, and the point forecast that is best for each."""

import numpy as np
from scipy.stats import poisson

MOST = 80  # events of a cell and step that are reckoned with


def masked_errors(point: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    """MAE and MAPE as ST-HSL has them (Li et al. 2022, ICDE): of entries with an event alone, lower is better.

    >>> masked_errors(np.array([1.0, 1.0, 9.0]), np.array([1, 2, 0]))
    (0.5, 0.25)
    """
    there = counts > 0
    off = np.abs(np.broadcast_to(point, counts.shape)[there] - counts[there])
    return float(off.mean()), float((off / counts[there]).mean())


def best_absolute(rates: np.ndarray) -> np.ndarray:
    """The point that is best for the masked MAE: entries without an event don't count, so it is the median of
    Poisson counts of at least one.

    >>> best_absolute(np.array([0.01, 1.0, 3.0])).tolist()
    [1.0, 1.0, 3.0]
    """
    return _median(rates, np.ones(MOST))


def best_relative(rates: np.ndarray) -> np.ndarray:
    """The point that is best for the masked MAPE: the median of the same counts k, each weighed by 1/k.

    >>> best_relative(np.array([0.01, 1.0, 3.0])).tolist()
    [1.0, 1.0, 2.0]
    """
    return _median(rates, 1.0 / np.arange(1, MOST + 1))


def _median(rates: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The smallest k ≥ 1 with half of the weighted mass of Poisson(rate) on 1…k. At rates of 40 and more, a
    thousandth of the mass lies beyond MOST."""
    levels = np.geomspace(1e-6, 40.0, 4000)
    mass = poisson.pmf(np.arange(1, MOST + 1)[None], levels[:, None]) * weight
    share = mass.cumsum(axis=1) / mass.sum(axis=1, keepdims=True)
    medians = 1.0 + (share < 0.5).sum(axis=1)
    at = np.searchsorted(levels, np.clip(rates, levels[0], levels[-1]))
    return np.asarray(medians[np.minimum(at, len(levels) - 1)])


def rescaled(chances: np.ndarray) -> np.ndarray:
    """(N, types) each type's chances between its lowest (0) and its highest (1) in the *test* period, as
    CrimeForecaster (Sun et al. 2020) and HAGEN (Wang et al. 2022, AAAI) do: a forecast that knew the period
    alone couldn't."""
    low, high = chances.min(axis=0), chances.max(axis=0)
    return np.asarray((chances - low) / np.where(high > low, high - low, 1.0))


def f1(said: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Macro and micro F1 over types of (N, types) zeros and ones, 2 tp / (2 tp + fp + fn); higher is better.

    >>> f1(np.array([[1, 0], [1, 1]]), np.array([[1, 1], [0, 1]]))
    (0.6666666666666666, 0.6666666666666666)
    """
    right, all_said, all_true = ((x > 0).sum(axis=0) for x in (said * true, said, true))
    each = 2 * right / np.maximum(all_said + all_true, 1)
    together = 2 * right.sum() / max(int(all_said.sum() + all_true.sum()), 1)
    return float(each.mean()), float(together)


def by_crimeforecaster(chances: np.ndarray) -> np.ndarray:
    """What CrimeForecaster's rule says: rescaled, from a half on."""
    return (rescaled(chances) >= 0.5).astype(int)


def by_hagen(chances: np.ndarray, before: float) -> np.ndarray:
    """What HAGEN's rule says: rescaled, the highest as many as there were ones `before` (a share)."""
    scaled = rescaled(chances)
    return (scaled >= np.quantile(scaled, 1 - before)).astype(int)


def best_thresholds(chances: np.ndarray, true: np.ndarray) -> np.ndarray:
    """(types,) the threshold of each type with the highest F1 on (N, types) chances of a period before."""
    found = []
    for chance, events in zip(chances.T, true.T, strict=True):
        # F1 of saying yes to the k likeliest.
        order = np.argsort(-chance, kind="stable")
        hits = events[order].cumsum()
        scores = 2 * hits / (np.arange(1, len(hits) + 1) + events.sum())
        found.append(chance[order][int(scores.argmax())])
    return np.array(found)
