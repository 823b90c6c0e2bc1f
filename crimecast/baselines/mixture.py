"""A mixture of memories times the city's level: the strongest simple opponent we know.

λ_t(c) = L_t · Σ_k w_k m_k,t(c), where the m_k are decayed means of each cell's own past at several
half-lives, some blurred in space, some of the same weekday only, and the long-run and city means.
The weights maximise the Poisson likelihood of the last year before the period, by EM (Dempster, Laird &
Rubin 1977, JRSS B 39): with
responsibilities r_k = w_k m_k / Σ_j w_j m_j, w_k ← Σ n r_k / Σ L m_k. All from the past only. Weights and level are
fitted in turn: by themselves the weights go to memories of the same weekday where the city has a weekly rhythm, which
the level knows from all cells at once (0.0064 an event on a city with a strong one, 0.0002 on Chicago).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from crimecast.baselines.level import fit_levels, levels, smooth_totals
from crimecast.grids.cube import Cube, on_map
from crimecast.grids.memories import Memory, recall, tells_apart

HALF_LIVES = (3.0, 7.0, 14.0, 30.0, 60.0, 120.0, 240.0, 480.0, 1000.0)  # days
BLURS = (0.0, 0.7, 1.5)  # cells
WEEKDAY_HALF_LIVES = (60.0, 240.0)  # days, of the same time of the week only
HOUR_HALF_LIVES = (30.0, 180.0)  # days, of the same time of the day only
FIT_DAYS = 365.0
FIT_VALUES = 1e8  # of memories held at once: fewer steps are used where cells or types are many
ROUNDS = 150
TURNS = (ROUNDS, 60, 60, 60)  # rounds of the weights between fits of the level


@dataclass(frozen=True)
class Mixture:
    """Weights (K, C) of the memories and β (C, F) of the level of each type."""

    weights: np.ndarray
    level: np.ndarray


def memory_rates(
    cube: Cube, area: np.ndarray, start: int, stop: int, lead: int = 1
) -> Iterator[np.ndarray]:
    """(K, C, N) float32 rates of the memories of each step from `start` to `stop`.

    Those of step t are computed from cube.counts[: t − lead + 1]. The last two are the long-run
    mean of each cell and that of the whole area.
    """
    chosen = remembered(cube)
    for sums, mass in recall(cube.counts, chosen, cube.times, cube.step, area, lead, start, stop):
        yield of_memories(sums, mass)


def of_memories(sums: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """(K, C, N) float32 rates of one step, from what the memories of `remembered` hold."""
    rates = sums / np.maximum(mass, 1.0).astype(np.float32)[:, None, None]
    everywhere = np.broadcast_to(rates[-1].mean(axis=1, keepdims=True), rates[-1].shape)
    return np.concatenate([rates, everywhere[None]])


def remembered(cube: Cube) -> list[Memory]:
    """The memories that are mixed, half-life by half-life, sharp first; the long-run mean last."""
    chosen = [Memory(h, b) for h in HALF_LIVES for b in BLURS]
    if tells_apart(cube.step, "hour"):
        chosen += [Memory(h, of="hour") for h in HOUR_HALF_LIVES]
    if tells_apart(cube.step, "weekday"):
        chosen += [Memory(h, of="weekday") for h in WEEKDAY_HALF_LIVES]
    return [*chosen, Memory(np.inf)]


def fit_mixture(cube: Cube, area: np.ndarray, end: int) -> Mixture:
    """Weights and level from counts[:end]; the weights from the last year of it."""
    start = fit_start(cube, area, end, len(remembered(cube)) + 1)
    maps = np.stack(list(memory_rates(cube, area, start, end)))  # (T, K, C, N)
    counts = cube.counts[start:end][..., area]
    before, sums = smooth_totals(cube, area, start), maps.sum(axis=3)

    kinds = range(counts.shape[1])
    weights: list[np.ndarray | None] = [None for _ in kinds]
    level = np.ones(sums.shape[::2], dtype=maps.dtype)  # (T, C)
    for rounds in TURNS:
        weights = [em_weights(maps[:, :, c], counts[:, c], rounds, weights[c]) for c in kinds]
        made = np.stack([one for one in weights if one is not None], axis=1)
        expected = np.concatenate([before, np.einsum("tkc,kc->tc", sums, made)])
        beta = fit_levels(cube, area, expected, end)
        now = levels(cube, area, expected, beta, start).astype(maps.dtype)
        maps *= (now / level)[:, None, :, None]
        level = now
    return Mixture(made, beta)


def fit_start(cube: Cube, area: np.ndarray, end: int, maps: int) -> int:
    """Where the last year before step `end` begins, later if its maps were too many to hold."""
    a_step = maps * cube.counts.shape[1] * int(area.sum())
    steps = min(round(FIT_DAYS / cube.step.days), end // 2, int(FIT_VALUES / a_step))
    return max(1, end - max(1, steps))


def em_weights(
    maps: np.ndarray, counts: np.ndarray, rounds: int = ROUNDS, begin: np.ndarray | None = None
) -> np.ndarray:
    """w (K,) that maximise the Poisson likelihood of counts (T, N) under Σ_k w_k maps (T, K, N), from `begin` on."""
    mass = maps.sum(axis=(0, 2), dtype=np.float64) + 1e-9
    w = np.full(len(mass), counts.sum(dtype=np.float64) / mass.sum()) if begin is None else begin
    hit = counts > 0
    seen = counts[hit].astype(np.float64)
    struck = np.moveaxis(maps, 1, 2)[hit].astype(np.float64)  # only cells with events move w
    for _ in range(rounds):
        rate = np.maximum(struck @ w, 1e-12)
        # EM with a longer step: the same fixed point in a third of the rounds.
        w = w * ((struck.T @ (seen / rate)) / mass) ** 1.9
    return w


def mixture_rates(
    cube: Cube, area: np.ndarray, mixture: Mixture, first: int, last: int, lead: int = 1
) -> np.ndarray:
    """(last − first, C, H, W) float64 rates, `lead` steps ahead each; zero outside the area."""
    start = max(1, first - round(120 / cube.step.days))  # so that the recent level has settled
    maps = np.stack(
        [
            np.einsum("kcn,kc->cn", m, mixture.weights)
            for m in memory_rates(cube, area, start, last, lead)
        ]
    )
    expected = np.concatenate([smooth_totals(cube, area, start), maps.sum(axis=2)])
    factor = levels(cube, area, expected, mixture.level, first, lead)
    return on_map(area, maps[first - start :] * factor[:, :, None])


def memory_mixture(cube: Cube, first: int, last: int, lead: int = 1) -> np.ndarray:
    """The mixture as a baseline: weights and level from before the period."""
    area = cube.area(first)
    return mixture_rates(cube, area, fit_mixture(cube, area, first), first, last, lead)
