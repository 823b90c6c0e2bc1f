"""What may come, given rates on many paths: quantiles, chances, where a count lies among them.

Given a path, a count is negative binomial with mean m and variance m + d m² (Poisson for d = 0); over
the paths, the first axis of every array, it is the even mixture of these.
"""

import numpy as np
from scipy.special import betainc, pdtr

MOST = 1000  # up to which counts of a cell are looked through


def cdf(counts: np.ndarray, mean: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    """P(N ≤ n): counts of shape S, mean and dispersion (P, *S); returns S."""
    mean, dispersion = np.broadcast_arrays(np.maximum(mean, 1e-12), dispersion)
    n = np.broadcast_to(np.maximum(counts, 0), mean.shape).astype(np.float64)
    made, more = pdtr(n, mean), dispersion > 1e-9
    d, m = dispersion[more], mean[more]
    made[more] = betainc(1 / d, n[more] + 1, 1 / (1 + d * m))
    return np.where(np.asarray(counts) < 0, 0.0, made.mean(axis=0))


def quantile(level: float, mean: np.ndarray, dispersion: np.ndarray) -> np.ndarray:
    """The smallest count n with P(N ≤ n) ≥ level, for totals; mean and dispersion (P, *S)."""
    low = np.full(mean.shape[1:], -1.0)
    spread = np.sqrt(mean + dispersion * mean**2)
    high = np.ceil((mean + 12 * spread + 12).max(axis=0))
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        enough = cdf(middle, mean, dispersion) >= level
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def of_cells(
    mean: np.ndarray, dispersion: np.ndarray, levels: tuple[float, ...]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The chance of at least one event, and the quantiles: for many cells with small counts at once.

    mean: (P, …), dispersion what broadcasts to it. By the recursion of the probabilities
    p₀ = (1 + d m)^(−1/d),  p_(k+1) = p_k · (1 + d k) m / ((k + 1)(1 + d m)), which holds for d = 0 too.
    """
    d = np.broadcast_to(dispersion, mean.shape)
    more = d > 1e-9
    log_none = np.where(more, -np.log1p(d * mean) / np.where(more, d, 1.0), -mean)
    part = np.exp(log_none)
    upto = part.mean(axis=0)
    some = 1.0 - upto
    made = [np.zeros(upto.shape) for _ in levels]
    turn = mean / (1 + d * mean)
    for k in range(MOST):
        short = [upto < level for level in levels]
        if not any(one.any() for one in short):
            break
        for quantiles, one in zip(made, short, strict=True):
            quantiles += one
        part = part * (1 + d * k) * turn / (k + 1)
        upto = upto + part.mean(axis=0)
    return some, made
