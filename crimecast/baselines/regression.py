"""Poisson regression with a ridge, for as many rows as a cube has, in chunks."""

import numpy as np

CHUNK = 200_000  # rows


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
    likelihood.
    """
    width = features.shape[1]
    beta = np.zeros(width)
    ridge = np.broadcast_to(ridge, width)
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
    """Log-likelihood, its gradient (F,) and minus its second derivative (F, F)."""
    value = 0.0
    gradient = np.zeros(len(beta))
    curvature = np.zeros((len(beta), len(beta)))
    for begin in range(0, len(counts), CHUNK):
        part = slice(begin, begin + CHUNK)
        x = features[part]
        eta = np.clip(offset[part] + x @ beta.astype(x.dtype), -20.0, 20.0)
        mean = np.exp(eta)
        value += float(np.sum(counts[part] * eta - mean, dtype=np.float64))
        gradient += x.T @ (counts[part] - mean).astype(x.dtype)
        curvature += (x * mean[:, None].astype(x.dtype)).T @ x
    return value, gradient, curvature
