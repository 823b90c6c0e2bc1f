"""A Poisson regression on a few memories of each cell, its last steps and the calendar."""

from collections.abc import Iterator

import numpy as np

from crimecast.baselines.features import remembered_features
from crimecast.baselines.means import poisson_fit
from crimecast.baselines.regression import fit_poisson
from crimecast.grids.cube import Cube, on_map
from crimecast.grids.memories import Memory

MEMORIES = (
    Memory(7), Memory(30), Memory(180), Memory(np.inf), Memory(30, 1.5), Memory(180, 1.5),
    Memory(120, of="weekday"),
)  # fmt: skip
LAGS = (1, 2, 7)
RIDGES = (1.0, 100.0, 10_000.0)
ROWS = 1_000_000  # of a fit: the latest steps
FIT_YEARS = 3.0


def glm(cube: Cube, first: int, last: int) -> np.ndarray:
    """log λ linear in the logarithms of memories, in lags and in the calendar; ridge tuned.

    Cells share the coefficients; each type has its own.
    """
    area = cube.area(first)
    kinds = range(cube.counts.shape[1])
    return on_map(area, np.stack([_one_type(cube, area, c, first, last) for c in kinds], axis=1))


def _one_type(cube: Cube, area: np.ndarray, kind: int, first: int, last: int) -> np.ndarray:
    """(last − first, N) rates of one type."""
    begin, beta = fit_glm(cube, area, kind, first)
    rows = np.stack(list(_features(cube, area, kind, begin, first, last, since=first)))
    return np.exp(np.clip(rows @ beta, -20.0, 5.0))


def fit_glm(cube: Cube, area: np.ndarray, kind: int, first: int) -> tuple[int, np.ndarray]:
    """The step from which counts[:first] of one type were used, and the coefficients (F,)."""
    cells = int(area.sum())
    begin = max(1, first - min(round(FIT_YEARS * 365 / cube.step.days), ROWS // cells + 1))
    tune = max(begin + 1, first - max(1, (first - begin) // 5))
    features = np.stack(list(_features(cube, area, kind, begin, first, first)))  # (T, N, F)
    counts = cube.counts[begin:first, kind][:, area]

    def fitted(stop: int, ridge: float) -> np.ndarray:
        n = counts[: stop - begin].ravel()
        rows = features[: stop - begin].reshape(len(n), -1)
        return fit_poisson(rows, n, np.zeros(len(n), dtype=np.float32), ridge)

    def gain(ridge: float) -> float:
        rate = np.exp(features[tune - begin :] @ fitted(tune, ridge))
        return poisson_fit(counts[tune - begin :], rate)

    return begin, fitted(first, max(RIDGES, key=gain))


def _features(
    cube: Cube, area: np.ndarray, kind: int, start: int, first: int, stop: int,
    since: int | None = None,
) -> Iterator[np.ndarray]:  # fmt: skip
    """(N, F) float32 for each step from `since` (or `start`), from the steps before it and the
    calendar."""
    since = start if since is None else since
    stream = remembered_features(cube, area, kind, MEMORIES, start, first, stop, since)
    for t, (maps, city) in enumerate(stream, since):
        lags = [
            np.log1p(cube.counts[t - lag, kind][area]) if t >= lag else np.zeros(len(maps))
            for lag in LAGS
        ]
        yield np.concatenate([maps, np.stack(lags, axis=1), city], axis=1).astype(np.float32)
