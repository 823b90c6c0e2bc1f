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
from crimecast.grids.cube import Cube, on_map
from crimecast.grids.memories import Memory, recall

TRIGGERS = tuple(Memory(h, b) for h in (1.0, 4.0, 14.0, 45.0) for b in (0.0, 1.0))


def hawkes(cube: Cube, first: int, last: int) -> np.ndarray:
    """The process above; weights from the last year before the period, by EM."""
    area = cube.area(first)
    begin = fit_start(cube, area, first, len(TRIGGERS) + 2)
    maps = np.stack(list(_kernels(cube, area, begin, last)))  # (T, K, C, N)
    counts = cube.counts[begin:first][..., area]
    made = np.stack(
        [
            np.einsum(
                "tkn,k->tn", maps[:, :, c], em_weights(maps[: first - begin, :, c], counts[:, c])
            )
            for c in range(counts.shape[1])
        ],
        axis=1,
    )
    return on_map(area, with_level(cube, area, made, begin, first))


def _kernels(cube: Cube, area: np.ndarray, start: int, stop: int) -> Iterator[np.ndarray]:
    """(K, C, N) a step: each trigger's sum over the past, then the two backgrounds."""
    memories = [*TRIGGERS, Memory(np.inf)]
    rise = [1 - 2.0 ** (-cube.step.days / m.half_life) for m in TRIGGERS]
    for sums, mass in recall(
        cube.counts, memories, cube.times, cube.step, area, start=start, stop=stop
    ):
        mean = sums[-1] / max(mass[-1], 1.0)
        triggered = sums[:-1] * np.asarray(rise, dtype=np.float32)[:, None, None]
        city = np.broadcast_to(mean.mean(axis=1, keepdims=True), mean.shape)
        yield np.concatenate([triggered, mean[None], city[None]])
