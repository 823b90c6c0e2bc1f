"""Forecast rates + counts → scores with 95 % intervals, and a paired test of two forecasts.

Everything is computed from sums per step, so that a block bootstrap over weeks only re-adds them.
Arrays: counts n and rates λ (T, C, H, W), events and expected events of each step, type and cell;
study area (H, W) bool; times (T,) datetime64, when each step begins. Nothing here needs a run or a
data folder.

Hit rate: Bowers, Johnson & Pease 2004 (Brit. J. Criminology 44). PAI, the prediction accuracy index:
Chainey, Tompson & Uhlig 2008 (Security Journal 21). PEI, the prediction efficiency index: Hunt 2016
(PhD thesis, Temple University). Deviance: McCullagh & Nelder 1989. The bootstrap draws blocks of time so
that what hangs together stays together (Künsch 1989, Annals of Statistics 17), here whole weeks that
don't overlap (Carlstein 1986, Annals of Statistics 14).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import xlogy

from crimecast import UserError
from crimecast.judging.likelihood import floored, log_likelihood

SHARES = (1, 5)  # per cent of the area
RESAMPLES = 1000


@dataclass(frozen=True)
class StepSums:
    """What each step adds to the scores; every array is (T,). `hits` and `best` are keyed by share."""

    events: np.ndarray
    log_likelihood: np.ndarray
    deviance: np.ndarray
    absolute: np.ndarray
    squared: np.ndarray
    hits: dict[int, np.ndarray]
    best: dict[int, np.ndarray]
    weeks: np.ndarray
    cells: int
    kinds: int


def step_sums(
    counts: np.ndarray, rates: np.ndarray, area: np.ndarray, times: np.ndarray
) -> StepSums:
    """The sums of every step over the study area.

    Likelihood, deviance and errors are summed over the types; flagged cells are places, so hit
    rates are of the types together. Raises ValueError where counts and rates differ in shape,
    UserError for an area without cells.

    One step of a hundred cells with four events, three of them where the forecast is highest:

    >>> counts, rates = np.zeros((1, 1, 10, 10)), np.full((1, 1, 10, 10), 0.01)
    >>> counts[0, 0, 0, 0], counts[0, 0, 5, 5], rates[0, 0, 0, 0] = 3, 1, 2.0
    >>> area = np.ones((10, 10), dtype=bool)
    >>> sums = step_sums(counts, rates, area, np.array(["2024-01-01"], dtype="datetime64[D]"))
    >>> float(sums.events[0]), float(sums.hits[1][0]), float(sums.best[5][0])
    (4.0, 3.0, 4.0)
    """
    if counts.shape != rates.shape:
        raise ValueError(f"counts {counts.shape} and rates {rates.shape} differ in shape")
    if not area.any():
        raise UserError("The study area is empty: no cell had an event before the period.")
    n = counts[..., area].astype(np.float64)
    lam = floored(rates[..., area])
    likelihood = log_likelihood(n, lam)
    axes = (1, 2)
    total_n, total_lam = n.sum(axis=1), lam.sum(axis=1)
    hits, best = {}, {}
    for share in SHARES:
        flagged = flagged_count(int(area.sum()), share)
        # A stable sort of −λ keeps ties in the order of the cells: by row, then column.
        order = np.argsort(-total_lam, axis=1, kind="stable")[:, :flagged]
        hits[share] = np.take_along_axis(total_n, order, axis=1).sum(axis=1)
        best[share] = -np.sort(-total_n, axis=1)[:, :flagged].sum(axis=1)
    return StepSums(
        events=n.sum(axis=axes),
        log_likelihood=likelihood.sum(axis=axes),
        deviance=2 * (xlogy(n, n) - n - likelihood).sum(axis=axes),
        absolute=np.abs(n - lam).sum(axis=axes),
        squared=((n - lam) ** 2).sum(axis=axes),
        hits=hits,
        best=best,
        weeks=week_numbers(times),
        cells=int(area.sum()),
        kinds=counts.shape[1],
    )


def hit_curve(
    counts: np.ndarray, rates: np.ndarray, area: np.ndarray, points: int = 100
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The hit rate over the whole range of area: (share of cells flagged, hit rate, the best possible).

    As `hit_rate@p`, for every share p: in each step the cells with the highest rates are flagged.
    Each is (points + 1,) at most, from no cell to all.

    >>> counts = np.array([3.0, 1.0, 0.0, 0.0]).reshape(1, 1, 2, 2)
    >>> rates = np.array([0.5, 0.9, 0.1, 0.1]).reshape(1, 1, 2, 2)
    >>> share, hit, best = hit_curve(counts, rates, np.ones((2, 2), dtype=bool), points=4)
    >>> hit.tolist(), best.tolist()
    ([0.0, 0.25, 1.0, 1.0, 1.0], [0.0, 0.75, 1.0, 1.0, 1.0])
    """
    n = counts[..., area].sum(axis=1, dtype=np.float64)
    lam = floored(rates[..., area]).sum(axis=1)
    order = np.argsort(-lam, axis=1, kind="stable")
    hits = np.cumsum(np.take_along_axis(n, order, axis=1).sum(axis=0))
    best = np.cumsum(-np.sort(-n, axis=1).sum(axis=0))
    flagged = np.unique(np.ceil(np.linspace(0, 1, points + 1) * n.shape[1]).astype(int))
    events = max(n.sum(), 1.0)
    pick = [np.concatenate([[0.0], values])[flagged] / events for values in (hits, best)]
    return flagged / n.shape[1], pick[0], pick[1]


def flagged_count(cells: int, share: int) -> int:
    """⌈share % of the cells⌉.

    >>> flagged_count(2648, 1), flagged_count(100, 5)
    (27, 5)
    """
    return -(-cells * share // 100)


def week_numbers(times: np.ndarray) -> np.ndarray:
    """0, 0, …, 1, …: the week (from Monday) that each step begins in, the blocks of the bootstrap.

    >>> week_numbers(np.arange("2024-01-05", "2024-01-10", dtype="datetime64[D]")).tolist()
    [0, 0, 0, 1, 1]
    """
    monday = (times.astype("datetime64[D]").astype(np.int64) + 3) // 7
    return np.unique(monday, return_inverse=True)[1]


def scores(sums: StepSums) -> dict[str, float]:
    """Every score over all steps of `sums`, as docs/scores.md says; NaN where there were no events.

    With one of a hundred cells flagged that holds three of four events:

    >>> counts, rates = np.zeros((1, 1, 10, 10)), np.full((1, 1, 10, 10), 0.01)
    >>> counts[0, 0, 0, 0], counts[0, 0, 5, 5], rates[0, 0, 0, 0] = 3, 1, 2.0
    >>> area = np.ones((10, 10), dtype=bool)
    >>> made = scores(step_sums(counts, rates, area, np.array(["2024-01-01"], "datetime64[D]")))
    >>> made["hit_rate@1"], made["pai@1"], made["pei@1"]
    (0.75, 75.0, 1.0)
    """
    return {
        name: float(value[0])
        for name, value in _ratios(sums, np.ones((1, len(sums.events)))).items()
    }


def _ratios(sums: StepSums, weight: np.ndarray) -> dict[str, np.ndarray]:
    """Scores under each row of `weight` (R, T), how often each step is counted."""
    with np.errstate(invalid="ignore", divide="ignore"):
        events = weight @ sums.events
        size = weight.sum(axis=1) * sums.cells * sums.kinds
        result = {
            "log_likelihood_per_event": weight @ sums.log_likelihood / events,
            "poisson_deviance": weight @ sums.deviance / size,
        }
        for share in SHARES:
            rate = weight @ sums.hits[share] / events
            result[f"hit_rate@{share}"] = rate
            result[f"pai@{share}"] = rate / (flagged_count(sums.cells, share) / sums.cells)
            result[f"pei@{share}"] = weight @ sums.hits[share] / (weight @ sums.best[share])
        result["mae"] = weight @ sums.absolute / size
        result["rmse"] = np.sqrt(weight @ sums.squared / size)
    return result


def resampled_weeks(weeks: np.ndarray, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """(resamples, T) how often each step is drawn when whole weeks are drawn with replacement.

    >>> drawn = resampled_weeks(np.array([0, 0, 1, 1, 2, 2]), resamples=4)
    >>> drawn.shape, drawn.sum(axis=1).tolist()
    ((4, 6), [6.0, 6.0, 6.0, 6.0])
    """
    blocks = int(weeks.max()) + 1
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=resamples)
    return drawn[:, weeks].astype(np.float64)


def intervals(sums: StepSums) -> dict[str, list[float]]:
    """95 % interval of every score, from a block bootstrap over weeks."""
    draws = _ratios(sums, resampled_weeks(sums.weeks))
    return {
        name: [float(v) for v in np.nanquantile(values, [0.025, 0.975])]
        if np.isfinite(values).any()
        else [float("nan")] * 2
        for name, values in draws.items()
    }


def compare(one: StepSums, other: StepSums) -> dict[str, Any]:
    """Paired comparison by log-likelihood per event, on the same weeks.

    `difference` is one − other (above zero: `one` is better), `interval` its 95 % block-bootstrap
    interval, `p` the two-sided share of resamples on the other side of zero, `verdict` a word.

    >>> rng = np.random.default_rng(0)
    >>> rates, area = np.full((70, 1, 4, 4), 1.0), np.ones((4, 4), dtype=bool)
    >>> counts, times = rng.poisson(rates), np.arange(70).astype("datetime64[D]")
    >>> one, other = (step_sums(counts, made, area, times) for made in (rates, 1.5 * rates))
    >>> compare(one, other)["verdict"]
    'better'
    """
    weight = resampled_weeks(one.weeks)
    events = weight @ one.events
    gain = one.log_likelihood - other.log_likelihood
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = weight @ gain / events
    low, high = (float(v) for v in np.nanquantile(draws, [0.025, 0.975]))
    p = float(min(1.0, 2 * min((draws <= 0).mean(), (draws >= 0).mean())))
    verdict = "better" if low > 0 else "worse" if high < 0 else "not to be told apart"
    return {
        "difference": float(gain.sum() / one.events.sum()) if one.events.sum() else float("nan"),
        "interval": [low, high],
        "p": p,
        "verdict": verdict,
    }


def said(
    versus: dict[str, Any], swapped: bool = False, unit: str = "log-likelihood per event"
) -> tuple[str, str]:
    """A paired comparison in words: what the first forecast is to the second (`swapped`: the second
    to the first), and by how much, with its interval."""
    sign = -1 if swapped else 1
    low, high = sorted(sign * bound for bound in versus["interval"])
    word = "better than" if low > 0 else "worse than" if high < 0 else "not to be told apart from"
    return word, (
        f"{sign * versus['difference']:+.4f} in {unit} "
        f"(95 % interval {low:+.4f} to {high:+.4f} over weeks; above zero is better)"
    )


def row(name: str, one: StepSums) -> dict[str, Any]:
    """A forecast's scores, their intervals, and on how much they were taken."""
    made: dict[str, Any] = {"name": name, **scores(one)}
    made |= {"n_events": int(one.events.sum()), "n_steps": len(one.events), "n_cells": one.cells}
    return made | {"intervals": intervals(one)}


def table(names: list[str], sums: list[StepSums]) -> list[dict[str, Any]]:
    """One row a forecast: its scores, their intervals and, after the first, the comparison with it."""
    rows = [row(name, one) for name, one in zip(names, sums, strict=True)]
    for made, one in zip(rows[1:], sums[1:], strict=True):
        made["versus"] = {"name": names[0], **compare(one, sums[0])}
    return rows
