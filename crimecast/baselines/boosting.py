"""Poisson gradient boosting on the memories of each cell, corrected from the mixture of memories.

LightGBM (Ke et al. 2017, NeurIPS) on the evidence of every memory, place and calendar, with the
logarithm of the mixture as the score to start from; the number of trees is the one that forecast
the last fifth of the past best.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.baselines.mixture import Mixture, fit_mixture, mixture_rates, remembered
from crimecast.calendar.dates import hour, month_day, weekday
from crimecast.grids.cube import Cube, on_map
from crimecast.grids.memories import evidence, recall

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
    import lightgbm

    area = cube.area(first)
    a_step = int(area.sum()) * cube.counts.shape[1]
    begin = max(1, first // 6, first - max(2, ROWS // a_step))
    tune = max(begin + 1, first - max(1, first // 5))
    counts = cube.counts[begin:first][..., area].reshape(first - begin, -1)

    def table(end: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Features (T, R, F) and log mixture (T, R) of steps [begin, stop), fitted before `end`."""
        mixture = fit_mixture(cube, area, end)
        pairs = list(_rows(cube, area, mixture, begin, stop, lead))
        return np.stack([x for x, _ in pairs]), np.stack([o for _, o in pairs])

    def data(x: np.ndarray, offset: np.ndarray, n: np.ndarray) -> "lightgbm.Dataset":
        return lightgbm.Dataset(
            x.reshape(-1, x.shape[2]), n.ravel(), init_score=offset.ravel(),
            params={"verbosity": -1, "max_bin": 127}, categorical_feature=[0],
        )  # fmt: skip

    x, offset = table(tune, first)
    cut = tune - begin
    train = data(x[:cut], offset[:cut], counts[:cut])
    held_out = data(x[cut:], offset[cut:], counts[cut:]).set_reference(train)
    found = lightgbm.train(
        SETTINGS, train, TREES, [held_out], callbacks=[lightgbm.early_stopping(50, verbose=False)]
    )
    x, offset = table(first, last)
    cut = first - begin
    model = lightgbm.train(
        SETTINGS, data(x[:cut], offset[:cut], counts), max(1, found.best_iteration)
    )
    trees = np.asarray(model.predict(x[cut:].reshape(-1, x.shape[2]), raw_score=True))
    log_rate = offset[cut:] + trees.reshape(last - first, -1)
    made = np.exp(log_rate).reshape(last - first, cube.counts.shape[1], -1)
    return on_map(area, made)


def _rows(
    cube: Cube, area: np.ndarray, mixture: Mixture, start: int, stop: int, lead: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Each step's features (C·N, F) float32 and the logarithm of the mixture (C·N,)."""
    rates = mixture_rates(cube, area, mixture, start, stop, lead)[..., area]  # (T, C, N)
    chosen = remembered(cube)
    pooled = np.array([m.pooled for m in chosen], dtype=np.float32)[:, None, None]
    row, column = np.nonzero(area)
    kinds = rates.shape[1]
    times = cube.times
    days = times.astype("datetime64[D]")
    year_day = (days - days.astype("datetime64[Y]")).astype(int)
    of_week, of_month, of_day = weekday(times), month_day(times), hour(times)
    stream = recall(cube.counts, chosen, cube.times, cube.step, area, lead, start, stop)
    for t, (sums, mass) in enumerate(stream, start):
        rate = np.maximum(rates[t - start], FLOOR)
        weight = mass.astype(np.float32)[:, None, None] * pooled
        maps = evidence(sums * pooled, rate * weight).reshape(len(chosen), -1)
        log = np.log(rate).ravel()
        known = [of_week[t], of_day[t], year_day[t], of_month[t]]
        shared = np.broadcast_to(np.array(known, dtype=np.float32), (len(log), len(known)))
        place = np.stack([np.tile(row, kinds), np.tile(column, kinds)], axis=1)
        kind = np.repeat(np.arange(kinds), len(row))[:, None]
        yield (
            np.concatenate([shared, place, kind, log[:, None], maps.T], axis=1).astype(np.float32),
            log,
        )
