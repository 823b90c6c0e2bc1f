"""Where the remaining gap lies: what a forecast would gain if it knew more, each part measured.

    python bench/remaining.py FORECAST --grid GRID --since DATE --until DATE [--json]

In log-likelihood per event above the forecast: `day_total`, each step's total of the city known;
`day_chance`, what of that is to be expected were the totals Poisson with the forecast's means, so
that knowing them is no forecast; `day_before`, what the surprise of the step before still tells of
the total (learnt on even months, applied to odd ones, and the other way round);
`cell_level`, each cell's level over the period known from the other weeks of it (learnt on even
weeks, applied to odd ones, and the other way round, so that noise is not counted as knowledge);
`cell_weekday`, the same for each cell and weekday; `near_repeat`, what the last week's surprises in
the cell and around it still tell, by a regression of ten numbers; `chance`, the
standard deviation that the score of even the true rates would have from year to year; `dispersion`, the
variance of the counts over that of a Poisson with the forecast's rates (1 is Poisson).
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from scipy.ndimage import gaussian_filter
from scipy.special import xlogy

from crimecast.baselines.regression import fit_poisson
from crimecast.calendar.dates import weekday
from crimecast.forecasting.forecasts import rates
from crimecast.grids.cube import load_cube
from crimecast.judging.scoring import week_numbers


def main() -> None:
    """Measure every part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("forecast")
    for option in ("--grid", "--since", "--until"):
        parser.add_argument(option, required=True)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cube = load_cube(options.grid)
    first, last = cube.period(options.since, options.until)
    area = cube.area(first)
    made = rates(options.forecast, cube, first, last).sum(axis=1).astype(np.float64)
    lam = np.maximum(made[:, area], 1e-6)
    n = cube.counts[first:last].sum(axis=1)[:, area].astype(np.float64)
    times = cube.times[first:last]

    def fit(rate: np.ndarray) -> float:
        return float((n * np.log(np.maximum(rate, 1e-6)) - rate).sum() / n.sum())

    base = fit(lam)
    half = week_numbers(times) % 2
    one = np.zeros((len(n), 1), dtype=int)
    by_day = lam * (n.sum(axis=1) / lam.sum(axis=1))[:, None]
    parts = {
        "day_total": fit(by_day) - base,
        "day_chance": day_chance(lam.sum(axis=1)) / n.sum(),
        "day_before": fit(lam * day_before(n.sum(axis=1), lam.sum(axis=1), times)[:, None]) - base,
        "cell_level": max(fit(crossed(n, lam, half, one[:, 0], a)) for a in (5, 20, 80, 320))
        - base,
        "cell_weekday": max(fit(crossed(n, lam, half, weekday(times), a)) for a in (5, 20, 80, 320))
        - base,
        "near_repeat": fit(lam * np.exp(near_repeat(cube.counts, made, area, first, lam, n)))
        - base,
        "chance": float(np.sqrt((lam * np.log(lam) ** 2).sum()) / n.sum()),
        "dispersion": float(((n - lam) ** 2 / lam).mean()),
    }
    document = {"forecast": options.forecast, "log_likelihood_per_event": base, **parts}
    print(
        json.dumps(
            {k: round(v, 5) if isinstance(v, float) else v for k, v in document.items()}, indent=1
        )
    )


def day_chance(told: np.ndarray) -> float:
    """Σ E[N ln(N/μ) − N + μ] over steps with N ~ Poisson(μ), by simulation."""
    drawn = np.random.default_rng(0).poisson(told, (2000, len(told)))
    return float((xlogy(drawn, drawn / told) - drawn + told).sum(axis=1).mean())


def day_before(total: np.ndarray, told: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(T,) the factor that the surprise of the step before suggests for each total."""
    surprise = np.log(np.maximum(total, 1) / told)
    before = np.concatenate([[0.0], surprise[:-1]])
    half = times.astype("datetime64[M]").astype(int) % 2
    share = [
        float(
            (before * surprise * told)[half != side].sum() / (before**2 * told)[half != side].sum()
        )
        for side in (0, 1)
    ]
    return np.exp(np.array(share)[half] * before)


def crossed(
    n: np.ndarray, lam: np.ndarray, half: np.ndarray, group: np.ndarray, pull: float
) -> np.ndarray:
    """Rates times a factor for each cell and group, learnt on one half of the weeks for the other."""
    made = lam.copy()
    for side in (0, 1):
        for value in np.unique(group):
            learn, use = (half != side) & (group == value), (half == side) & (group == value)
            made[use] *= (n[learn].sum(axis=0) + pull) / (lam[learn].sum(axis=0) + pull)
    return made


def near_repeat(
    counts: np.ndarray,
    made: np.ndarray,
    area: np.ndarray,
    first: int,
    lam: np.ndarray,
    n: np.ndarray,
) -> np.ndarray:
    """The log factor that surprises of the last days, here and around, suggest; fitted to the period."""
    seen = counts[first : first + len(made)].sum(axis=1) - made
    around = gaussian_filter(np.where(area, seen, 0.0), (0, 1.5, 1.5), mode="constant")
    parts = []
    for surprise in (seen, around):
        for begin, end in ((1, 1), (2, 2), (3, 3), (4, 7), (8, 14)):
            total = np.zeros_like(seen)
            for lag in range(begin, end + 1):
                total[lag:] += surprise[:-lag]
            parts.append(total[:, area])
    features = np.stack(parts, axis=-1).reshape(-1, len(parts))
    beta = fit_poisson(features, n.ravel(), np.log(lam).ravel(), 1.0)
    return (features @ beta).reshape(lam.shape)


if __name__ == "__main__":
    main()
