"""The Forecast page: three maps on one scale, and what lies behind a step or a cell."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
import polars as pl

from crimecast.cities import City, load_city
from crimecast.forecasting.forecasts import at_horizon, rates
from crimecast.grids.cube import Cube, load_cube
from crimecast.grids.grid import open_grid
from crimecast.judging.likelihood import log_likelihood
from crimecast.plots.difference import TITLE, WORDS
from crimecast.plots.rasters import Panel, Scene, message, window
from crimecast.plots.scale import top_of
from crimecast.records.snapshot import snapshot
from crimecast.runs.run import load_run
from crimecast.views import address
from crimecast.views.ground import ground
from crimecast.views.place_names import place_name

TOGETHER = "all together"


@dataclass(frozen=True)
class ForecastView:
    """A forecast of steps [first, last), its counts and its gain on a baseline, (T, H, W) each.

    `history` holds the counts of all steps before `last`.
    """

    identity: str
    whose: str
    cube: Cube
    first: int
    last: int
    forecast: np.ndarray
    observed: np.ndarray
    gain: np.ndarray
    area: np.ndarray
    history: np.ndarray

    @property
    def times(self) -> np.ndarray:
        """Beginnings of all steps of the grid."""
        return self.cube.times

    def label(self, step: int) -> str:
        """A step as people and addresses write it."""
        return str(self.times[step])[: 10 if self.cube.step.days >= 1 else 16]

    def said(self, step: int) -> str:
        """The same in a sentence."""
        return self.label(step).replace("T", " ")

    def day(self, step: int) -> date:
        """The day on which a step begins."""
        return self.times[step].astype("datetime64[D]").item()

    def step_on(self, day: date) -> int:
        """The first step of the period on that day or after it, else its last."""
        own = self.times[self.first : self.last].astype("datetime64[D]")
        return min(self.first + int(np.searchsorted(own, np.datetime64(day))), self.last - 1)

    def step_of(self, label: str | None) -> int:
        """The step with that label, the latest one if there is none."""
        for step in range(self.first, self.last):
            if self.label(step) == label:
                return step
        return self.last - 1

    def cell_of(self, label: str | None) -> tuple[int, int] | None:
        """`row,column` of the study area, or None."""
        return address.cell(label, self.area)

    @cached_property
    def _drawn(self) -> tuple[float, float, list[float]]:
        """The top of the scale of colours, the largest rate, and the gain of each step."""
        top = top_of(self.forecast[:, self.area], least=0.05)
        curve = self.gain[:, self.area].sum(axis=1)
        return top, float(self.forecast.max()), np.round(curve, 3).tolist()

    def message(self, city: City, step: int, cell: tuple[int, int] | None) -> bytes:
        """The maps around a step, for the browser."""
        cube = self.cube
        top, peak, curve = self._drawn
        unit = cube.unit
        panels = [
            Panel("Forecast", unit=unit, high=peak, gamma=2.0, size=2, top=top, group="rate"),
            Panel("Actual", unit=unit, high=255.0, top=top, group="rate"),
            Panel(
                TITLE,
                "diverging",
                f"{unit}: {WORDS}",
                minus=(1, 0),  # of these panels, as `difference` has it
                top=top,
            ),
        ]
        scene = Scene(
            identity=self.identity,
            ground=ground(city, cube),
            panels=panels,
            labels=[self.said(i) for i in range(self.first, self.last)],
            curve=curve,
            curve_title="Fit against what it is compared with, by step: up is better. Click to go there.",
            about=f"{city.title} · {self.whose}",
            alt=f"{city.title}, {len(cube.x)} by {len(cube.y)} cells",
            hint="Wheel to zoom, drag to move, click a cell for its history; with a map in focus, ← and → change the step.",
        )
        maps: dict[int, list[np.ndarray | None]] = {
            i: [self.forecast[i - self.first], self.observed[i - self.first], None]
            for i in window(step, self.first, self.last, 3 * scene.ground.size)
        }
        return message(scene, self.area, maps, step, first=self.first, cell_picked=cell)

    def name(self, row: int, column: int) -> str:
        """What a cell is called."""
        return place_name(load_city(self.cube.city), self.cube, row, column)

    def step_totals(self, step: int) -> tuple[float, float]:
        """Events observed and expected in the study area."""
        i = step - self.first
        return float(self.observed[i][self.area].sum()), float(self.forecast[i][self.area].sum())

    def not_counted(self) -> float:
        """Events of the period in cells of which nothing is forecast."""
        return float(self.observed[:, ~self.area].sum())

    def totals(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Times, observed and expected events of the whole study area by step."""
        return (
            self.times[self.first : self.last],
            self.observed[:, self.area].sum(axis=1),
            self.forecast[:, self.area].sum(axis=1),
        )

    def cell_series(self, cell: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Observed and expected events of one cell, by step of the period."""
        row, column = cell
        return self.observed[:, row, column], self.forecast[:, row, column]

    def cell_history(self, cell: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The cell's whole past in blocks of about a week: beginnings, observed, expected.

        Expected is NaN before the period that was forecast. Blocks begin with the period.
        """
        row, column = cell
        size = max(1, round(7 / self.cube.step.days))
        before = self.history[self.first % size : self.first, row, column]
        past = before.reshape(-1, size).sum(axis=1)
        whole = (self.last - self.first) // size * size
        period = [values[:whole].reshape(-1, size).sum(axis=1) for values in self.cell_series(cell)]
        starts = np.arange(self.first % size, self.first + whole, size)
        return (
            self.times[starts],
            np.concatenate([past, period[0]]),
            np.concatenate([np.full(len(past), np.nan), period[1]]),
        )

    def neighbours(self, cell: tuple[int, int], step: int) -> pd.DataFrame:
        """The 3×3 cells around one, north on top: observed / expected."""
        row, column = cell
        i = step - self.first
        rows = []
        for r in (row + 1, row, row - 1):
            line = {}
            for name, c in (("west", column - 1), ("here", column), ("east", column + 1)):
                inside = (
                    0 <= r < self.area.shape[0] and 0 <= c < self.area.shape[1] and self.area[r, c]
                )
                line[name] = (
                    f"{self.observed[i, r, c]:.0f} / {self.forecast[i, r, c]:.2f}"
                    if inside
                    else "–"
                )
            rows.append(line)
        return pd.DataFrame(rows)

    def worst(self, count: int = 8) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Steps and cells with the largest loss of log-likelihood against the baseline.

        Indexed by the step, and by `row,column`.
        """
        by_step = self.gain[:, self.area].sum(axis=1)
        order = np.argsort(by_step)[:count]
        steps = pd.DataFrame(
            {
                "step": [self.said(self.first + i) for i in order],
                "against the other": by_step[order].round(2),
                "observed": self.observed[order][:, self.area].sum(axis=1).astype(int),
                "expected": self.forecast[order][:, self.area].sum(axis=1).round(1),
            },
            index=self.first + order,
        )
        by_cell = np.where(self.area, self.gain.sum(axis=0), np.inf)
        flat = np.argsort(by_cell, axis=None)[:count]
        row, column = np.unravel_index(flat, self.area.shape)
        cells = pd.DataFrame(
            {
                "cell": [
                    self.name(r, c) for r, c in zip(row.tolist(), column.tolist(), strict=True)
                ],
                "against the other": by_cell[row, column].round(2),
                "observed": self.observed[:, row, column].sum(axis=0).astype(int),
                "expected": self.forecast[:, row, column].sum(axis=0).round(1),
            },
            index=[f"{r},{c}" for r, c in zip(row, column, strict=True)],
        )
        return steps, cells


@lru_cache(maxsize=4)
def _view(name: str, stamp: int, other: str, kind: str, first: int, last: int) -> ForecastView:
    cube = load_cube(load_run(at_horizon(name)[0]).grid)
    made, base = rates(name, cube, first, last), rates(other, cube, first, last)
    history = cube.counts[:last]
    if kind != TOGETHER:
        index = [cube.types.index(kind)]
        made, base, history = made[:, index], base[:, index], history[:, index]
    n = history[first:]
    gain = (log_likelihood(n, made) - log_likelihood(n, base)).sum(axis=1)
    return ForecastView(
        identity=f"{name}-{stamp}-{kind}-{first}-{last}",
        whose=name if kind == TOGETHER else f"{name} · {kind}",
        cube=cube,
        first=first,
        last=last,
        forecast=made.sum(axis=1),
        observed=n.sum(axis=1),
        gain=gain,
        area=cube.area(first),
        history=history.sum(axis=1),
    )


def forecast_view(run: str, other: str, kind: str, first: int, last: int) -> ForecastView:
    """A run's forecast (`stack-2@3`: three steps ahead) beside a baseline's; `kind` is a type or
    TOGETHER. Kept for a few views."""
    stamp = load_run(at_horizon(run)[0]).stamp
    return _view(run, stamp, other, kind, first, last)


def cell_events(
    grid: str, city: City, moment: np.datetime64, cell: tuple[int, int]
) -> pd.DataFrame:
    """The records of one cell and step: time, type and id."""
    cube = load_cube(grid)
    number = cube.step.number(np.array([moment]))[0]
    begin, end = cube.step.start(np.array([number, number + 1]))
    row, column = cell
    x, y, half = cube.x[column], cube.y[row], cube.cell / 2
    span = pl.col("time").is_between(
        pl.lit(begin).cast(pl.Datetime("us")), pl.lit(end).cast(pl.Datetime("us")), closed="left"
    )
    near = pl.col("x").is_between(x - half, x + half, closed="left") & pl.col("y").is_between(
        y - half, y + half, closed="left"
    )
    channels = json.loads(open_grid(grid).attrs["types"]).values()
    counted = pl.lit(True)
    if all(channels):
        counted = pl.col("type").is_in([member for members in channels for member in members])
    found = (
        snapshot(city)
        .scan()
        .filter(span & near & counted)
        .select("time", "type", "source_id")
        .sort("time")
        .collect()
    )
    return pd.DataFrame(found.to_dicts(), columns=["time", "type", "source_id"])
