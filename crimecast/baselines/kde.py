"""Kernel density of the past: Gaussian in space, exponential in time, both bandwidths tuned."""

from collections.abc import Iterator

import numpy as np

from crimecast.baselines.level import with_level
from crimecast.baselines.means import poisson_fit
from crimecast.grids.cube import Cube, on_map
from crimecast.grids.memories import Memory, recall, shrunk

BLURS = (0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.5)  # cells
HALF_LIVES = (30.0, 60.0, 120.0, 240.0, 480.0, np.inf)  # days


def kde(cube: Cube, first: int, last: int) -> np.ndarray:
    """The density of past events, each spread over space by a Gaussian and forgotten in time
    (prospective hot-spot mapping: Bowers, Johnson & Pease 2004), per step."""
    area = cube.area(first)
    return on_map(
        area, np.concatenate(list(_stream(cube, area, [tuned(cube, first)], first, last)))
    )


def kde_season(cube: Cube, first: int, last: int) -> np.ndarray:
    """That density times the city's level: weekday, season, days of the month, its recent past."""
    area, kernel = cube.area(first), tuned(cube, first)
    start = max(1, first - 3 * round(365 / cube.step.days))
    made = np.concatenate(list(_stream(cube, area, [kernel], start, last)))
    return on_map(area, with_level(cube, area, made, start, first))


def tuned(cube: Cube, end: int) -> Memory:
    """The bandwidths, of all pairs, that forecast the last fifth of counts[:end] best."""
    area = cube.area(end)
    start = max(1, end - max(1, end // 5))
    kernels = [Memory(h, b) for b in BLURS for h in HALF_LIVES]
    gain = np.zeros(len(kernels))
    for step, made in enumerate(_stream(cube, area, kernels, start, end), start):
        gain += [poisson_fit(cube.counts[step][:, area], rates) for rates in made]
    return kernels[int(np.argmax(gain))]


def _stream(
    cube: Cube, area: np.ndarray, kernels: list[Memory], start: int, stop: int
) -> Iterator[np.ndarray]:
    """(K, C, N) expected events of each cell, a step at a time."""
    stream = recall(cube.counts, kernels, cube.times, cube.step, area, start=start, stop=stop)
    for sums, mass in stream:
        yield shrunk(sums, mass)
