"""A self-exciting point process on the grid: a steady background, and events that bring others near.

λ_t(c) = L_t · [μ m_t(c) + ν m̄_t + Σ_j θ_j Σ_{s<t} (1 − w_j) w_j^(t−1−s) (K_j n_s)(c)], the
background being the long-run mean of the cell and of the city, the triggering exponential in time
and Gaussian in space (Mohler et al. 2011, JASA 106; on cells and days as in Mohler 2014, Int. J.
Forecasting 30). θ_j is the number of further events that one event brings by kernel j. The weights
are fitted by EM (Veen & Schoenberg 2008, JASA 103), L_t is the city's level.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.baselines.level import with_level
from crimecast.baselines.mixture import em_weights, fit_start
from crimecast.calendar.steps import Step
from crimecast.grids.cube import Cube, on_map
from crimecast.grids.memories import Memory, recall

TRIGGERS = tuple(Memory(h, b) for h in (1.0, 4.0, 14.0, 45.0) for b in (0.0, 1.0))
MEMORIES = (*TRIGGERS, Memory(np.inf))


def hawkes(cube: Cube, first: int, last: int) -> np.ndarray:
    """The process above; weights from the last year before the period, by EM."""
    area = cube.area(first)
    begin, weights = fit_hawkes(cube, area, first)
    maps = _kernels(cube, area, begin, last)
    made = np.stack([np.einsum("kcn,kc->cn", m, weights) for m in maps])
    return on_map(area, with_level(cube, area, made, begin, first))


def fit_hawkes(cube: Cube, area: np.ndarray, first: int) -> tuple[int, np.ndarray]:
    """The step from which counts[:first] were used, and the weights (K, C) of the kernels."""
    begin = fit_start(cube, area, first, len(TRIGGERS) + 2)
    maps = np.stack(list(_kernels(cube, area, begin, first)))  # (T, K, C, N)
    counts = cube.counts[begin:first][..., area]
    kinds = range(counts.shape[1])
    return begin, np.stack([em_weights(maps[:, :, c], counts[:, c]) for c in kinds], axis=1)


def _kernels(cube: Cube, area: np.ndarray, start: int, stop: int) -> Iterator[np.ndarray]:
    """(K, C, N) a step: each trigger's sum over the past, then the two backgrounds."""
    stream = recall(cube.counts, MEMORIES, cube.times, cube.step, area, start=start, stop=stop)
    for sums, mass in stream:
        yield kernels(sums, mass, cube.step)


def kernels(sums: np.ndarray, mass: np.ndarray, step: Step) -> np.ndarray:
    """(K, C, N) of one step, from the sums and masses of MEMORIES."""
    rise = [1 - 2.0 ** (-step.days / m.half_life) for m in TRIGGERS]
    mean = sums[-1] / max(mass[-1], 1.0)
    triggered = sums[:-1] * np.asarray(rise, dtype=np.float32)[:, None, None]
    city = np.broadcast_to(mean.mean(axis=1, keepdims=True), mean.shape)
    return np.concatenate([triggered, mean[None], city[None]])
