"""Kernel density of the past: Gaussian in space, exponential in time, both bandwidths tuned."""

from collections.abc import Iterator

import numpy as np

from crimecast.baselines.level import fit_levels, levels, smooth_totals
from crimecast.baselines.means import on_map, poisson_fit
from crimecast.memories import PRIOR_STEPS, Memory, recall
from crimecast.windows import Cube

BLURS = (0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.5)  # cells
HALF_LIVES = (30.0, 60.0, 120.0, 240.0, 480.0, np.inf)  # days


def kde(cube: Cube, first: int, last: int) -> np.ndarray:
    """The density of past events, each spread over space by a Gaussian and forgotten in time
    (prospective hot-spot mapping: Bowers, Johnson & Pease 2004), per step."""
    area = cube.area(first)
    return on_map(area, _densities(cube, area, [tuned(cube, first)], first, last)[:, 0])


def kde_season(cube: Cube, first: int, last: int) -> np.ndarray:
    """That density times the city's level: weekday, season, days of the month, its recent past."""
    area, kernel = cube.area(first), tuned(cube, first)
    start = max(1, first - 3 * round(365 / cube.step.days))
    made = _densities(cube, area, [kernel], start, last)[:, 0]
    expected = np.concatenate([smooth_totals(cube, area, start), made.sum(axis=2)])
    factor = levels(cube, area, expected, fit_levels(cube, area, expected, first), first)
    return on_map(area, made[first - start :] * factor[:, :, None])


def tuned(cube: Cube, end: int) -> Memory:
    """The bandwidths, of all pairs, that forecast the last fifth of counts[:end] best."""
    area = cube.area(end)
    start = max(1, end - max(1, end // 5))
    kernels = [Memory(h, b) for b in BLURS for h in HALF_LIVES]
    gain = np.zeros(len(kernels))
    for step, made in enumerate(_stream(cube, area, kernels, start, end), start):
        gain += [poisson_fit(cube.counts[step][:, area], rates) for rates in made]
    return kernels[int(np.argmax(gain))]


def _densities(
    cube: Cube, area: np.ndarray, kernels: list[Memory], start: int, stop: int
) -> np.ndarray:
    """(stop − start, K, C, N) expected events of each cell."""
    return np.stack(list(_stream(cube, area, kernels, start, stop)))


def _stream(
    cube: Cube, area: np.ndarray, kernels: list[Memory], start: int, stop: int
) -> Iterator[np.ndarray]:
    """(K, C, N) a step, each cell started from a step's worth of the city's average."""
    for sums, mass in recall(
        cube.counts, kernels, cube.times, cube.step, area, start=start, stop=stop
    ):
        mass = mass[:, None, None]
        average = sums.mean(axis=2, keepdims=True) / np.maximum(mass, 1e-9)
        yield (sums + PRIOR_STEPS * average) / (mass + PRIOR_STEPS)
