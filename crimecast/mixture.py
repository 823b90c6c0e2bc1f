"""A mixture of memories times the city's level: the strongest simple opponent we know.

λ_t(c) = L_t · Σ_k w_k m_k,t(c), where the m_k are decayed means of each cell's own past at several
half-lives, some blurred in space, some of the same weekday only, and the long-run and city means.
The weights maximise the Poisson likelihood of the last year before the period, by EM: with
responsibilities r_k = w_k m_k / Σ_j w_j m_j, w_k ← Σ n r_k / Σ m_k. All from the past only.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from crimecast.level import fit_level, level_features
from crimecast.windows import Cube

HALF_LIVES = (3.0, 7.0, 14.0, 30.0, 60.0, 120.0, 240.0, 480.0, 1000.0)  # days
BLURS = (0.0, 0.7, 1.5)  # cells
WEEKDAY_HALF_LIVES = (60.0, 240.0)  # days, of the same weekday only
FIT_DAYS = 365.0
FIT_VALUES = 1e8  # of memories held at once: fewer steps are used where cells or types are many
ROUNDS = 150


@dataclass(frozen=True)
class Mixture:
    """Weights (K, C) of the memories and β (C, F) of the level of each type."""

    weights: np.ndarray
    level: np.ndarray


def memories(cube: Cube, area: np.ndarray, start: int, stop: int) -> Iterator[np.ndarray]:
    """(K, C, N) the memories of each step from `start` to `stop`, on the N cells of the area.

    The memories of step t are computed from cube.counts[:t].
    """
    days = cube.step.days
    counts = cube.counts
    weights = [2.0 ** (-days / h) for h in HALF_LIVES]
    week = max(1, round(7 / days))
    weekly = [2.0 ** (-7.0 / h) for h in WEEKDAY_HALF_LIVES] if days <= 1 else []
    shape = counts.shape[1:]
    sums = np.zeros((len(weights), *shape))
    mass = np.zeros(len(weights))
    slots = np.zeros((week, len(weekly), *shape))
    slot_mass = np.zeros((week, len(weekly)))
    total = np.zeros(shape)
    blurred = _Blur(area)
    for t in range(stop):
        if t:
            before = counts[t - 1]
            for k, w in enumerate(weights):
                sums[k] = w * sums[k] + before
                mass[k] = w * mass[k] + 1
            slot = (t - 1) % week
            for k, w in enumerate(weekly):
                slots[slot, k] = w * slots[slot, k] + before
                slot_mass[slot, k] = w * slot_mass[slot, k] + 1
            total += before
        if t < start:
            continue
        rates = sums / np.maximum(mass, 1.0)[:, None, None, None]
        # Half-life by half-life, sharp first: (K, C, H, W) each.
        maps = list(np.stack([blurred(rates, blur) for blur in BLURS], axis=1).reshape(-1, *shape))
        maps += [slots[t % week, k] / max(slot_mass[t % week, k], 1.0) for k in range(len(weekly))]
        mean = total / max(t, 1)
        maps += [mean, np.broadcast_to(mean[:, area].mean(axis=1)[:, None, None], shape)]
        yield np.stack([m[:, area] for m in maps])


class _Blur:
    """A Gaussian blur that keeps within the area what is there."""

    def __init__(self, area: np.ndarray) -> None:
        self.area = area
        self.share = {
            b: gaussian_filter(area.astype(float), b, mode="constant") for b in BLURS if b
        }

    def __call__(self, rates: np.ndarray, blur: float) -> np.ndarray:
        """(K, C, H, W) rates, blurred by `blur` cells."""
        if not blur:
            return rates
        spread = np.where(self.area, rates / np.maximum(self.share[blur], 1e-6), 0.0)
        return gaussian_filter(spread, (0, 0, blur, blur), mode="constant")


def fit_mixture(cube: Cube, area: np.ndarray, end: int) -> Mixture:
    """Weights and level from counts[:end]; the weights from the last year of it."""
    a_step = (len(HALF_LIVES) * len(BLURS) + 4) * cube.counts.shape[1] * int(area.sum())
    steps = min(round(FIT_DAYS / cube.step.days), end // 2, int(FIT_VALUES / a_step))
    start = max(1, end - max(1, steps))
    maps = np.stack(list(memories(cube, area, start, end)), axis=0).astype(
        np.float32
    )  # (T, K, C, N)
    n = cube.counts[start:end][..., area]  # (T, C, N)
    kinds = n.shape[1]
    weights = np.zeros((maps.shape[1], kinds))
    levels = []
    for c in range(kinds):
        m = maps[:, :, c]
        mass = m.sum(axis=(0, 2), dtype=np.float64) + 1e-9
        w = np.full(len(mass), 1.0 / len(mass))
        hit = n[:, c] > 0
        seen = n[:, c][hit].astype(np.float64)
        struck = np.moveaxis(m, 1, 2)[hit].astype(
            np.float64
        )  # (events' cells, K): only they move w
        for _ in range(ROUNDS):
            rate = np.maximum(struck @ w, 1e-12)
            # EM with a longer step: the same fixed point in a third of the rounds.
            w = w * ((struck.T @ (seen / rate)) / mass) ** 1.9
        weights[:, c] = w
        totals = cube.counts[:end, c][:, area].sum(axis=1)
        expected = np.concatenate([totals[:start], np.tensordot(m.sum(axis=2), w, (1, 0))])
        expected[:start] = _smooth(totals)[:start]
        features = level_features(cube.times[:end], cube.step, totals, expected)
        first = max(1, min(start, end - round(3 * 365 / cube.step.days)))
        levels.append(fit_level(features[first:], totals[first:], expected[first:]))
    return Mixture(weights, np.stack(levels))


def _smooth(totals: np.ndarray, half_life: float = 60.0) -> np.ndarray:
    """What a map would have expected before its weights are known: the decayed mean of the past."""
    weight, seen, mass = 2.0 ** (-1.0 / half_life), 0.0, 0.0
    result = np.zeros(len(totals))
    for t, value in enumerate(totals):
        result[t] = seen / mass if mass else max(value, 1.0)
        seen, mass = weight * seen + value, weight * mass + 1.0
    return result


def mixture_rates(
    cube: Cube, area: np.ndarray, mixture: Mixture, first: int, last: int
) -> np.ndarray:
    """(last − first, C, H, W) float64 rates; zero outside the area."""
    start = max(1, first - round(120 / cube.step.days))  # so that the recent level has settled
    maps = np.stack(
        [np.einsum("kcn,kc->cn", m, mixture.weights) for m in memories(cube, area, start, last)]
    )
    rates = np.zeros((last - first, *cube.counts.shape[1:]))
    for c in range(maps.shape[1]):
        totals = cube.counts[:last, c][:, area].sum(axis=1)
        expected = np.concatenate([_smooth(totals)[:start], maps[:, c].sum(axis=1)])
        features = level_features(cube.times[:last], cube.step, totals, expected)
        factor = np.exp(features[first:] @ mixture.level[c])
        rates[:, c][:, area] = maps[first - start :, c] * factor[:, None]
    return rates
