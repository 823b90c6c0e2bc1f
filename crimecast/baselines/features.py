"""What the regressions know of each cell and step: the logarithms of memories, and the calendar."""

from collections.abc import Iterator

import numpy as np

from crimecast.baselines.level import level_features, smooth_totals
from crimecast.calendar.dates import knows_season
from crimecast.grids.cube import Cube
from crimecast.grids.memories import Memory, recall, shrunk


def remembered_features(
    cube: Cube, area: np.ndarray, kind: int, memories: tuple[Memory, ...], start: int, first: int,
    stop: int, since: int | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:  # fmt: skip
    """(N, M) log rates of the memories of one type, and (N, F) the calendar and the city's recent
    level, of each step from `since` (or `start`) to `stop`; from the steps before it. A regression on
    the steps [start, first) is not given a season that it can't know."""
    counts = cube.counts[:stop, kind : kind + 1]
    totals = counts[:, 0][:, area].sum(axis=1)
    expected = smooth_totals(cube, area, stop)[:, kind]
    seasonal = knows_season(first - start, cube.step)
    city = level_features(cube.times[:stop], cube.step, totals, expected, seasonal=seasonal)
    since = start if since is None else since
    stream = recall(counts, memories, cube.times, cube.step, area, start=since, stop=stop)
    for t, (sums, mass) in enumerate(stream, since):
        maps = shrunk(sums, mass)[:, 0]
        yield (
            np.log(np.maximum(maps, 1e-6)).T,
            np.broadcast_to(city[t], (maps.shape[1], city.shape[1])),
        )
