"""Memories: what each cell's own past says, forgotten at several speeds. From the past only."""

import numpy as np

# How many steps' worth of the city's average a cell starts from: a cell that was never struck is
# improbable, not impossible.
PRIOR_STEPS = 1.0


def decayed_means(
    counts: np.ndarray, half_lives: list[float], area: np.ndarray, lead: int = 1
) -> np.ndarray:
    """Exponentially decayed mean rate of each cell before each step, one map a half-life.

    counts: (T, C, H, W); half_lives: in steps; area: (H, W) bool; lead: how many steps lie between
    the last step used and the one the map is for. Returns (T, M, C, H, W) float32, where [t] is
    computed from counts[: t - lead + 1] alone:

        m_t = (Σ_s w^(t−lead−s) n_s + κ r_t) / (Σ_s w^(t−lead−s) + κ),   w = 2^(−1/half-life),

    with r_t the same mean over the whole area and κ = PRIOR_STEPS. Before the first step it is 0.
    """
    steps = counts.shape[0]
    weight = np.exp2(-1.0 / np.asarray(half_lives, dtype=np.float64))
    column = weight[:, None, None, None].astype(np.float32)
    total = np.zeros((len(half_lives), *counts.shape[1:]), dtype=np.float32)
    mass = np.zeros(len(half_lives))
    result = np.zeros((steps, *total.shape), dtype=np.float32)
    cells = max(1, int(area.sum()))
    for step in range(lead, steps):
        total *= column
        total += counts[step - lead]
        mass = mass * weight + 1.0
        share = np.where(area, total, 0.0).sum(axis=(2, 3)) / cells / mass[:, None]
        prior = (PRIOR_STEPS * share)[:, :, None, None]
        result[step] = (total + prior) / (mass + PRIOR_STEPS)[:, None, None, None]
    return result


def log_maps(rates: np.ndarray, floor: float = 1e-4) -> np.ndarray:
    """Rates → their logarithm, floored so that quiet cells don't dominate the scale."""
    return np.log(np.maximum(rates, floor))
