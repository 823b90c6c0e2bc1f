"""Poisson regression with a ridge, for as many rows as a cube has, in chunks."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

CHUNK = 50_000  # rows
FEW = 20_000  # of more than four times as many so many are fitted first


def fit_poisson(
    features: np.ndarray,
    counts: np.ndarray,
    offset: np.ndarray,
    ridge: float | np.ndarray,
    rounds: int = 25,
) -> np.ndarray:
    """β (F,) that maximises Σ(n η − e^η) − Σ ridge/2 · β², η = offset + features · β.

    features: (R, F); counts and offset: (R,); ridge: one for all, or (F,). By iteratively reweighted
    least squares (McCullagh & Nelder 1989, chapter 2), with steps halved while they lower the
    likelihood; from what a few of many rows say, so that all of them are gone through less often.
    """
    rows, width = features.shape
    ridge = np.broadcast_to(ridge, width)
    beta = np.zeros(width)
    if rows > 4 * FEW:
        some = np.sort(np.random.default_rng(0).choice(rows, FEW, replace=False))
        beta = fit_poisson(features[some], counts[some], offset[some], ridge * FEW / rows, rounds)
    value, gradient, curvature = _at(features, counts, offset, beta)
    value -= float(ridge @ beta**2) / 2
    for _ in range(rounds):
        change = np.linalg.solve(curvature + np.diag(ridge), gradient - ridge * beta)
        size = 1.0
        while True:
            tried = beta + size * change
            new, gradient, curvature = _at(features, counts, offset, tried)
            new -= float(ridge @ tried**2) / 2
            if new >= value - 1e-9 * abs(value) or size < 1e-3:
                break
            size /= 2
        beta, gain, value = tried, new - value, new
        if np.abs(size * change).max() < 1e-8 or gain < 1e-9 * abs(value):
            break
    return beta


def _at(
    features: np.ndarray, counts: np.ndarray, offset: np.ndarray, beta: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """Log-likelihood, its gradient (F,) and minus its second derivative (F, F).

    A thread a chunk: those of BLAS wait for one another by spinning, which takes several times as
    long where somebody else works on the processor too.
    """
    value = 0.0
    gradient = np.zeros(len(beta))
    curvature = np.zeros((len(beta), len(beta)))

    def of(begin: int) -> tuple[float, np.ndarray, np.ndarray]:
        part = slice(begin, begin + CHUNK)
        x = features[part]
        eta = np.clip(offset[part] + x @ beta.astype(x.dtype), -20.0, 20.0)
        mean = np.exp(eta)
        own = float(np.sum(counts[part] * eta - mean, dtype=np.float64))
        off = (counts[part] - mean).astype(x.dtype)
        return own, x.T @ off, (x * mean[:, None].astype(x.dtype)).T @ x

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for own, slope, bend in threads.map(of, range(0, len(counts), CHUNK)):
            value, gradient, curvature = value + own, gradient + slope, curvature + bend
    return value, gradient, curvature
