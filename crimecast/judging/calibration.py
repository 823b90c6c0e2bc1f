"""Whether a forecast's rates can be taken at their word: reliability, PIT, CRPS, sharpness.

Rates are read as Poisson distributions. Arrays: counts n and rates λ of the same shape; the
functions look at all their values, so give those of the study area only.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, ive, pdtr

from crimecast.judging.likelihood import floored, log_likelihood

BINS = 12


@dataclass(frozen=True)
class Reliability:
    """Per bin of cells with like forecasts: mean forecast, mean count, its 95 % interval, cells."""

    forecast: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    values: np.ndarray


def reliability(
    counts: np.ndarray, rates: np.ndarray, weight: np.ndarray, bins: int = BINS
) -> Reliability:
    """Observed against forecast (T, C, N), in bins that each expect as many events.

    weight: (R, T) how often each step is drawn in each resample, from `scoring.resampled_weeks`; the
    interval is that of observed − forecast, centred on the forecast. On the diagonal is right
    (reliability diagrams: Murphy & Winkler 1977, Applied Statistics 26).
    """
    flat = rates.reshape(len(rates), -1)
    n = counts.reshape(len(counts), -1)
    order = np.sort(flat, axis=None)
    mass = np.cumsum(order)
    edges = order[np.searchsorted(mass, mass[-1] * np.arange(1, bins) / bins)]
    which = np.digitize(flat, edges)
    told, seen, size = (np.zeros((bins, len(flat))) for _ in range(3))
    for t, row in enumerate(which):
        told[:, t] = np.bincount(row, flat[t], bins)
        seen[:, t] = np.bincount(row, n[t], bins)
        size[:, t] = np.bincount(row, minlength=bins)
    used = size.sum(axis=1) > 0
    told, seen, size = told[used], seen[used], size[used]
    drawn = np.maximum(weight @ size.T, 1e-12)
    off = (weight @ (seen - told).T) / drawn
    low, high = np.quantile(off, [0.025, 0.975], axis=0)
    forecast = told.sum(axis=1) / size.sum(axis=1)
    observed = seen.sum(axis=1) / size.sum(axis=1)
    return Reliability(forecast, observed, forecast + low, forecast + high, size.sum(axis=1))


def pit_histogram(counts: np.ndarray, rates: np.ndarray, bins: int = 10) -> np.ndarray:
    """(bins,) heights of the PIT histogram for counts, not randomised; all 1 where calibrated.

    Czado, Gneiting & Held (2009, Biometrics 65): the mean over all counts of the distribution that
    is uniform between F(n − 1) and F(n). U-shaped: too sure. Hump: too unsure.

    >>> rates = np.full(100_000, 2.0)
    >>> counts = np.random.default_rng(0).poisson(rates)
    >>> bool(np.abs(pit_histogram(counts, rates) - 1).max() < 0.02)
    True
    """
    below, upto = _cdf(counts - 1, rates), _cdf(counts, rates)
    width = np.maximum(upto - below, 1e-12)
    edges = np.arange(bins + 1) / bins
    heights = [np.clip((edge - below) / width, 0.0, 1.0).mean() for edge in edges]
    return np.diff(heights) * bins


def crps(counts: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Continuous ranked probability score of each count under Poisson(λ); lower is better.

    (n − λ)(2F(n) − 1) + 2λ f(n) − λ e^−2λ (I₀(2λ) + I₁(2λ)) (Wei & Held 2014, TEST 23).

    >>> crps(np.array([2, 9]), np.array([2.0, 2.0])).round(3).tolist()
    [0.311, 6.229]
    """
    lam = np.maximum(np.asarray(rates, dtype=np.float64), 1e-12)
    mass = np.exp(counts * np.log(lam) - lam - gammaln(counts + 1.0))
    spread = lam * (ive(0, 2 * lam) + ive(1, 2 * lam))
    return (counts - lam) * (2 * _cdf(counts, lam) - 1) + 2 * lam * mass - spread


def sharpness(rates: np.ndarray) -> float:
    """Mean standard deviation of the forecast counts, √λ; among calibrated forecasts lower is better
    (Gneiting, Balabdaoui & Raftery 2007, JRSS B 69)."""
    return float(np.sqrt(np.maximum(rates, 0.0)).mean(dtype=np.float64))


def truth_gap(truth: np.ndarray, rates: np.ndarray) -> float:
    """Log-likelihood per event that a forecast is expected to lose against the true rates.

    Σ(λ* ln(λ*/λ) − λ* + λ) / Σ λ*: the Kullback–Leibler distance of the two. Zero is perfect.

    >>> round(truth_gap(np.array([1.0, 3.0]), np.array([2.0, 2.0])), 4)
    0.1308
    """
    true = floored(truth)
    lost = log_likelihood(true, true) - log_likelihood(true, rates)
    return float(lost.sum() / true.sum())


def _cdf(counts: np.ndarray, rates: np.ndarray) -> np.ndarray:
    return np.where(counts < 0, 0.0, pdtr(np.maximum(counts, 0.0), rates))
