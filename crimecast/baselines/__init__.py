"""What a network has to beat. Each takes its parameters from before the period that is judged.

A baseline is a function (cube, first, last) → rates (last − first, C, H, W) float64: its
parameters come from cube.counts[:first], what has to be tuned is tuned on the last fifth of them,
and the forecast of step t may use counts[:t].
"""

from collections.abc import Callable

import numpy as np

from crimecast.baselines.boosting import boosting
from crimecast.baselines.fourier_cox import fourier_cox
from crimecast.baselines.glm import glm
from crimecast.baselines.hawkes import hawkes
from crimecast.baselines.kde import kde, kde_season
from crimecast.baselines.means import decayed_mean, mean, persistence, seasonal_mean
from crimecast.baselines.mixture import memory_mixture
from crimecast.errors import UserError
from crimecast.windows import Cube

BASELINES: dict[str, Callable[[Cube, int, int], np.ndarray]] = {
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

# Those that take seconds on a city of four years; the others take a minute or two.
QUICK = tuple(name for name in BASELINES if name not in ("boosting", "fourier_cox"))


def baseline_rates(name: str, cube: Cube, first: int, last: int) -> np.ndarray:
    """The forecast of a baseline by name. Raises UserError if there is none of that name."""
    if name not in BASELINES:
        raise UserError(f"There is no baseline '{name}'. Baselines: {', '.join(BASELINES)}.")
    return BASELINES[name](cube, first, last)
