"""Where and when a forecast goes astray, in words and pictures: the five that matter most."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import plotly.graph_objects as go

from crimecast.cities import load_city
from crimecast.forecasting.forecasts import at_horizon, rates, validation_rates
from crimecast.grids.cube import Cube, load_cube
from crimecast.judging.astray import WEEKDAYS, Astray, astray, weekday
from crimecast.judging.scoring import week_numbers
from crimecast.plots.difference import difference
from crimecast.plots.figures import signed_bars_figure
from crimecast.plots.judging import cluster_figure, ratio_figure
from crimecast.runs.run import list_runs
from crimecast.views.ground import ground
from crimecast.views.place_names import place_name

SHOWN = 5
WORDS = {
    "persistent": "all of that time", "emerging": "new", "fading": "over by now", "passing": "for a while",
}  # fmt: skip


@dataclass(frozen=True)
class Spot:
    """One of them: in words, how much it matters, and the step (of the grid) and cell to go to."""

    what: str
    when: str
    off: str
    worth: float
    step: int
    cell: tuple[int, int] | None


def found(name: str, grid: str, first: int, last: int) -> list[tuple[Astray, Spot]]:
    """What a forecast's errors of steps [first, last) have in common, what matters most first, and each in words."""
    known = {run.id: run for run in list_runs(grid) if run.state == "done"}
    parts = [at_horizon(part)[0] for part in name.split("+")]
    return _found(name, grid, first, last, tuple(known[p].stamp for p in parts if p in known))


@lru_cache(maxsize=16)
def _found(
    name: str, grid: str, first: int, last: int, _stamps: tuple[int, ...]
) -> list[tuple[Astray, Spot]]:
    cube = load_cube(grid)
    made = rates(name, cube, first, last)
    those = astray(
        cube.counts[first:last], made, cube.area(first), cube.times[first:last], cube.step.days, tuple(cube.types)
    )[:SHOWN]  # fmt: skip
    told = [(one, spot(made, cube, first, one)) for one in those]
    if not any(_lasted(one) for one in those):
        return told
    earlier = before(name, grid, first)
    return [(one, began(cube, first, one, said, earlier, made)) for one, said in told]


def before(name: str, grid: str, first: int) -> np.ndarray:
    """(T, C, H, W) a run's forecast of the days before step `first` that it wasn't trained on; of none where nothing is
    known of such days."""
    run = next((one for one in list_runs(grid) if one.id == name), None)
    if run is None or run.settings.refit or run.settings.validate != first:
        return np.zeros((0, *load_cube(grid).counts.shape[1:]), dtype=np.float32)
    return validation_rates(run)


def began(
    cube: Cube, first: int, one: Astray, told: Spot, earlier: np.ndarray, made: np.ndarray
) -> Spot:
    """It with the day on which it began, where it lasted all of the time from step `first` on and began on one of the
    `earlier` days."""
    if not len(earlier) or not _lasted(one):
        return told
    since, last = first - len(earlier), first + one.last
    own = (slice(None), slice(None), *one.cells.T)
    expected = np.concatenate([earlier[own], made[: one.last][own]]).sum(axis=(1, 2))
    step = since + onset(cube.counts[since:last][own].sum(axis=(1, 2)), expected)
    return (
        told if step >= first else replace(told, when=f"{told.when}, since about {cube.said(step)}")
    )


def _lasted(one: Astray) -> bool:
    return one.kind == "cluster" and one.word == "persistent"


def onset(counts: np.ndarray, expected: np.ndarray) -> int:
    """The step from which on counts (T,) are best told from what was expected (T,), up to the last: the largest likelihood
    ratio of a Poisson level of its own from there on against none."""
    n, m = (np.cumsum(values[::-1])[::-1] for values in (counts, expected))
    ratio = n * np.log(np.maximum(n, 1e-9) / np.maximum(m, 1e-9)) - (n - m)
    return int(np.argmax(ratio))


def spot(rate: np.ndarray, cube: Cube, first: int, one: Astray) -> Spot:
    """It in words; `rate` (T, C, H, W) from step `first` on."""
    made = rate[one.first : one.last].sum(axis=1)
    error = difference(cube.counts[first + one.first : first + one.last].sum(axis=1), made)
    area = cube.area(first)
    cell = None
    inside = np.zeros_like(area)
    if len(one.cells):
        inside[tuple(one.cells.T)] = True
        total = np.where(inside, error.sum(axis=0), 0.0) * (1 if one.more else -1)
        row, column = np.unravel_index(total.argmax(), total.shape)
        cell = int(row), int(column)
    by_step = (error * (inside if len(one.cells) else area)).sum(axis=(1, 2)) * (1 if one.more else -1)  # fmt: skip
    share = one.observed / max(one.expected, 1e-9) - 1
    return Spot(
        _what(one, cube, cell),
        f"{cube.said(first + one.first)} to {cube.said(first + one.last - 1)}",
        f"{abs(share):.0%} {'more' if one.more else 'fewer'}: {one.observed:,.0f}, not {one.expected:,.{int(one.expected < 100)}f}",
        one.worth, first + one.first + int(by_step.argmax()), cell,
    )  # fmt: skip


def _what(one: Astray, cube: Cube, cell: tuple[int, int] | None) -> str:
    place = place_name(load_city(cube.city), cube, *cell) if cell else ""
    if one.kind == "cluster":
        unit = cube.place if len(one.cells) == 1 else f"{cube.place}s"
        return f"{len(one.cells)} {unit} round {place}, {WORDS[one.word]}"
    if one.kind == "cell":
        return f"{place}, other than before"
    if one.kind == "change":
        return "The whole city, other than before"
    if one.kind == "level":
        return "The whole city, all the time"
    return f"All {one.word}" if one.kind == "weekday" else f"Type {one.word}"


def figure(name: str, cube: Cube, first: int, last: int, one: Astray, dark: bool) -> go.Figure:
    """It drawn: the error of its steps on the map, its cells outlined; else the weeks of the whole period."""
    made = rates(name, cube, first, last)
    area = cube.area(first)
    counts = cube.counts[first:last]
    if len(one.cells):
        steps = slice(one.first, one.last)
        error = difference(counts[steps].sum(axis=(0, 1)), made[steps].sum(axis=(0, 1)))
        return cluster_figure(
            np.where(area, error, np.nan),
            one.cells,
            ground(load_city(cube.city), cube, False),
            dark,
        )
    k = list(cube.types).index(one.word) if one.kind == "type" else slice(None)
    a, b = counts[:, k][..., area], made[:, k][..., area]
    a, b = (values.reshape(len(values), -1).sum(axis=1) for values in (a, b))
    if one.kind == "weekday":
        days = weekday(cube.times[first:last])
        shares = [a[days == d].sum() / max(b[days == d].sum(), 1e-9) - 1 for d in range(7)]
        return signed_bars_figure(list(WEEKDAYS), shares, "more or fewer than expected, as a share")
    weeks = week_numbers(cube.times[first:last])
    days = cube.times[first:last].astype("datetime64[D]")
    starts = days[np.unique(weeks, return_index=True)[1]]
    shaded = str(days[one.first]), str(days[one.last - 1])
    return ratio_figure(starts, np.bincount(weeks, a), np.bincount(weeks, b), *shaded)
