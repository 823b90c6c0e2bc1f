"""Poisson gradient boosting on the memories of each cell, corrected from the mixture of memories.

LightGBM (Ke et al. 2017, NeurIPS) on the evidence of every memory, place and calendar, with the
logarithm of the mixture as the score to start from; the number of trees is the one that forecast
the last fifth of the past best.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from crimecast.baselines.mixture import Mixture, fit_mixture, mixture_rates, remembered
from crimecast.calendar.dates import hour, month_day, weekday
from crimecast.grids.cube import Cube, on_map
from crimecast.grids.memories import Memory, evidence, recall

if TYPE_CHECKING:
    import lightgbm

ROWS = 3_000_000  # of a fit: the latest steps
TREES = 600
SETTINGS = {
    "objective": "poisson",
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 500,
    "lambda_l2": 10.0,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.5,
    "bagging_freq": 1,
    "max_bin": 127,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 0,
    "verbosity": -1,
}
FLOOR = 1e-5


def boosting(cube: Cube, first: int, last: int, lead: int = 1) -> np.ndarray:
    """λ = mixture · exp(trees); trained on the steps before the period, the latest 3 million rows."""
    area = cube.area(first)
    begin, mixture, model = fit_boosting(cube, area, first, lead)
    rows = _rows(cube, area, mixture, begin, first, last, lead)
    made = [corrected(model, *pair) for pair in rows]
    return on_map(area, np.stack(made).reshape(last - first, cube.counts.shape[1], -1))


def corrected(model: "lightgbm.Booster", x: np.ndarray, log: np.ndarray) -> np.ndarray:
    """(R,) rates of rows with the features x (R, F) and the logarithm of the mixture (R,)."""
    return np.exp(log + np.asarray(model.predict(x, raw_score=True)))


def fit_boosting(
    cube: Cube, area: np.ndarray, first: int, lead: int
) -> "tuple[int, Mixture, lightgbm.Booster]":
    """The step from which counts[:first] were used, the mixture and the trees on top of it."""
    import lightgbm

    a_step = int(area.sum()) * cube.counts.shape[1]
    begin = max(1, first // 6, first - max(2, ROWS // a_step))
    tune = max(begin + 1, first - max(1, first // 5))
    counts = cube.counts[begin:first][..., area].reshape(first - begin, -1)

    def table(mixture: Mixture) -> tuple[np.ndarray, np.ndarray]:
        """Features (T, R, F) and log mixture (T, R) of steps [begin, first)."""
        pairs = list(_rows(cube, area, mixture, begin, begin, first, lead))
        return np.stack([x for x, _ in pairs]), np.stack([o for _, o in pairs])

    def data(x: np.ndarray, offset: np.ndarray, n: np.ndarray) -> "lightgbm.Dataset":
        return lightgbm.Dataset(
            x.reshape(-1, x.shape[2]), n.ravel(), init_score=offset.ravel(),
            params={"verbosity": -1, "max_bin": 127}, categorical_feature=[0],
        )  # fmt: skip

    x, offset = table(fit_mixture(cube, area, tune))
    cut = tune - begin
    train = data(x[:cut], offset[:cut], counts[:cut])
    held_out = data(x[cut:], offset[cut:], counts[cut:]).set_reference(train)
    found = lightgbm.train(
        SETTINGS, train, TREES, [held_out], callbacks=[lightgbm.early_stopping(50, verbose=False)]
    )
    mixture = fit_mixture(cube, area, first)
    whole = data(*table(mixture), counts)
    return begin, mixture, lightgbm.train(SETTINGS, whole, max(1, found.best_iteration))


def _rows(
    cube: Cube, area: np.ndarray, mixture: Mixture, begin: int, start: int, stop: int, lead: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The features (C·N, F) float32 and the logarithm of the mixture (C·N,) of each step from `start`;
    the mixture's level is judged from `begin` on, as where the trees were fitted."""
    rates = mixture_rates(cube, area, mixture, begin, stop, lead)[start - begin :, :, area]
    chosen = remembered(cube)
    stream = recall(cube.counts, chosen, cube.times, cube.step, area, lead, start, stop)
    for t, (sums, mass) in enumerate(stream, start):
        yield row_of_step(cube, chosen, sums, mass, rates[t - start], area, cube.times[t])


def row_of_step(
    cube: Cube, chosen: list[Memory], sums: np.ndarray, mass: np.ndarray, rate: np.ndarray,
    area: np.ndarray, moment: np.datetime64,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """The features (C·N, F) float32 of one step, which begins at `moment`, and the logarithm of the
    mixture (C·N,), from what the memories `chosen` hold and the mixture's rates (C, N); C may be the
    cube's types several times over."""
    pooled = np.array([m.pooled for m in chosen], dtype=np.float32)[:, None, None]
    row, column = np.nonzero(area)
    kinds = len(rate)
    times = np.array([moment])
    days = times.astype("datetime64[D]")
    year_day = (days - days.astype("datetime64[Y]")).astype(int)
    rate = np.maximum(rate, FLOOR)
    weight = mass.astype(np.float32)[:, None, None] * pooled
    maps = evidence(sums * pooled, rate * weight).reshape(len(chosen), -1)
    log = np.log(rate).ravel()
    known = [weekday(times)[0], hour(times)[0], year_day[0], month_day(times)[0]]
    shared = np.broadcast_to(np.array(known, dtype=np.float32), (len(log), len(known)))
    place = np.stack([np.tile(row, kinds), np.tile(column, kinds)], axis=1)
    kind = np.repeat(np.arange(kinds) % cube.counts.shape[1], len(row))[:, None]
    features = np.concatenate([shared, place, kind, log[:, None], maps.T], axis=1)
    return features.astype(np.float32), log
