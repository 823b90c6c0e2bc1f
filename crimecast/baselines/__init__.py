"""What a network has to beat. Each takes its parameters from before the period that is judged.

A baseline is a function (cube, first, last) → rates (last − first, C, H, W) float64: its
parameters come from cube.counts[:first], what has to be tuned is tuned on the last fifth of them,
and the forecast of step t may use counts[:t]. Those of AHEAD take a further number, `lead`: the forecast
of step t may then use counts[: t − lead + 1] alone.
"""

from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from crimecast import UserError
from crimecast.baselines.boosting import boosting
from crimecast.baselines.fourier_cox import fourier_cox
from crimecast.baselines.glm import glm
from crimecast.baselines.hawkes import hawkes
from crimecast.baselines.kde import kde, kde_season
from crimecast.baselines.means import decayed_mean, mean, persistence, seasonal_mean
from crimecast.baselines.mixture import memory_mixture
from crimecast.grids.cube import Cube

BASELINES: dict[str, Callable[..., np.ndarray]] = {
    "persistence": persistence,
    "mean": mean,
    "seasonal_mean": seasonal_mean,
    "decayed_mean": decayed_mean,
    "kde": kde,
    "kde_season": kde_season,
    "hawkes": hawkes,
    "fourier_cox": fourier_cox,
    "glm": glm,
    "boosting": boosting,
    "memory_mixture": memory_mixture,
}

# Those that can forecast more than one step ahead.
AHEAD = ("mean", "decayed_mean", "boosting", "memory_mixture")

# Those that take seconds on a city of four years; the others take a minute or two.
QUICK = tuple(name for name in BASELINES if name not in ("boosting", "fourier_cox"))


def baseline_rates(name: str, cube: Cube, first: int, last: int, lead: int = 1) -> np.ndarray:
    """The forecast of a baseline by name, `lead` steps ahead.

    Raises UserError if there is none of that name, or it can't look so far ahead.
    """
    if name not in BASELINES:
        raise UserError(f"There is no baseline '{name}'. Baselines: {', '.join(BASELINES)}.")
    if lead > 1 and name not in AHEAD:
        raise UserError(f"{name} forecasts one step ahead only. Further ahead: {', '.join(AHEAD)}.")
    if first < lead:
        raise UserError(f"Nothing is known {lead} steps ahead of the period; start it later.")
    # Their matrices are small: more threads only wait for one another, twenty seconds in a busy app.
    with threadpool_limits(1, user_api="blas"):
        if lead == 1:
            return BASELINES[name](cube, first, last)
        return BASELINES[name](cube, first, last, lead)
