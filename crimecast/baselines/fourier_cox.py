"""The winner of the US National Institute of Justice's Real-Time Crime Forecasting Challenge.

A log-Gaussian Cox process, its Gaussian process approximated by random Fourier features of place
and time (Rahimi & Recht 2007, NeurIPS), plus smoothed lags of the counts, fitted under the Poisson likelihood with a ridge
(Flaxman, Chirico, Pereira & Loeffler 2019, Annals of Applied Statistics 13; arXiv 1801.02858):

    log λ = β₀ + β·[cos(Ω z), sin(Ω z)] + γ·log(smoothed lags) + δ·calendar,   z = (x, y, t) scaled.
"""

import numpy as np

from crimecast.baselines.features import remembered_features
from crimecast.baselines.means import poisson_fit
from crimecast.baselines.regression import fit_poisson
from crimecast.grids.cube import Cube, on_map
from crimecast.grids.memories import Memory

FREQUENCIES = 60
SPACES = (1500.0, 4000.0)  # metres, length scales that are tried
SPANS = (365.0, 3650.0)  # days
LAGS = (Memory(7, 1.0), Memory(30, 0.5), Memory(30, 1.5), Memory(120, 0.0), Memory(365, 0.0))
RIDGE = 10.0
ROWS = 1_000_000
TUNING_ROWS = 300_000


def fourier_cox(cube: Cube, first: int, last: int) -> np.ndarray:
    """The regression above; length scales by the last fifth of what lies before the period."""
    area = cube.area(first)
    kinds = range(cube.counts.shape[1])
    return on_map(area, np.stack([_one_type(cube, area, c, first, last) for c in kinds], axis=1))


def _one_type(cube: Cube, area: np.ndarray, kind: int, first: int, last: int) -> np.ndarray:
    """(last − first, N) rates of one type."""
    begin, scales, beta = fit_fourier_cox(cube, area, kind, first)
    made = []
    stream = remembered_features(cube, area, kind, LAGS, begin, first, last, since=first)
    for t, parts in enumerate(stream, first):
        lags = np.concatenate(parts, axis=1).astype(np.float32)
        made.append(rate(np.concatenate([waves(cube, area, t, scales), lags], axis=1), beta))
    return np.stack(made)


def fit_fourier_cox(
    cube: Cube, area: np.ndarray, kind: int, first: int
) -> tuple[int, tuple[float, float], np.ndarray]:
    """The step from which counts[:first] of one type were used, the length scales, the coefficients."""
    cells = int(area.sum())
    begin = max(1, first // 10, first - (ROWS // cells + 1))
    tune = max(begin + 1, first - max(1, first // 5))
    stream = remembered_features(cube, area, kind, LAGS, begin, first, first)
    lags = np.stack([np.concatenate(parts, axis=1).astype(np.float32) for parts in stream])
    counts = cube.counts[begin:first, kind][:, area]

    def rows(t: int, scales: tuple[float, float]) -> np.ndarray:
        return np.concatenate([waves(cube, area, t, scales), lags[t - begin]], axis=1)

    def fitted(scales: tuple[float, float], stop: int, most: int) -> np.ndarray:
        latest = range(max(begin, stop - max(1, most // cells)), stop)
        x = np.concatenate([rows(t, scales) for t in latest])
        n = counts[latest.start - begin : latest.stop - begin].ravel()
        return fit_poisson(x, n, np.zeros(len(n), dtype=np.float32), RIDGE)

    def gain(scales: tuple[float, float]) -> float:
        beta = fitted(scales, tune, TUNING_ROWS)
        made = [rate(rows(t, scales), beta) for t in range(tune, first)]
        return poisson_fit(counts[tune - begin :], np.stack(made))

    scales = max(((s, d) for s in SPACES for d in SPANS), key=gain)
    return begin, scales, fitted(scales, first, ROWS)


def rate(rows: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """(N,) rates of the features (N, F) of each cell."""
    return np.exp(np.clip(rows @ beta, -20.0, 5.0))


def waves(cube: Cube, area: np.ndarray, t: int, scales: tuple[float, float]) -> np.ndarray:
    """(N, 2 · FREQUENCIES) float32 random Fourier features of every cell in step t."""
    frequency = np.random.default_rng(0).normal(size=(3, FREQUENCIES)).astype(np.float32)
    row, column = np.nonzero(area)
    space, span = scales
    moment = np.full(len(row), t * cube.step.days / span)
    place = np.stack([column * cube.cell / space, row * cube.cell / space, moment], axis=1)
    phase = place.astype(np.float32) @ frequency
    scale = np.float32(FREQUENCIES**-0.5)
    return np.concatenate([scale * np.cos(phase), scale * np.sin(phase)], axis=1)
