"""The Tomorrow page: the steps to come on a map, the places to look at, and what is worth covering."""

import hashlib
import tempfile
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from crimecast.cities import City, load_city
from crimecast.forecasting.ahead import ALL, Ahead
from crimecast.forecasting.to_come import kept, kept_next, save, table
from crimecast.grids.cube import Cube, load_cube
from crimecast.judging.astray import Astray
from crimecast.plots.rasters import Panel, Scene, message
from crimecast.plots.scale import top_of
from crimecast.views.ground import ground
from crimecast.views.lasting import in_words, lasting
from crimecast.views.place_names import place_name

DAYS, LOOK_BACK = 7, 365  # to forecast, and from which what is usual is taken
PERIODS = {"w": "week", "mo": "month"}
LITTLE = 0.02  # of a usual day: a difference that nobody would notice
NOTABLE = 0.1  # of what is usual: a difference worth words
NOTICE = (
    "It says where reports are likely, as reports have been: where police look more, more is recorded. "
    "It says nothing of any person, and must not be used to stop, search, suspect or punish anybody, "
    "nor alone to decide where police go: patrols sent by it find what they were sent for, and so it "
    "would confirm itself."
)


@dataclass(frozen=True)
class TomorrowView:
    """A forecast of steps to come. `without` (K, H, W) is the first step's, had the last days been as
    usual; usual (K, H, W): events a step of the year before; alike (S, K): the city's of those at that time of the week. `wrong`: the
    forecast's errors at places that have lasted until the last step that has come."""

    made: Ahead
    usual: np.ndarray
    without: np.ndarray
    recent: int
    alike: np.ndarray
    wrong: tuple[Astray, ...] = ()

    @property
    def cube(self) -> Cube:
        """The counts that have come."""
        return self.made.cube

    @cached_property
    def city(self) -> City:
        """The city of the grid."""
        return load_city(self.cube.city)

    def label(self, step: int) -> str:
        """A step as people say it: with its weekday where it is a day."""
        moment = self.made.times[step]
        if self.cube.step.unit == "d" and self.cube.step.count == 1:
            return f"{pd.Timestamp(moment):%a} {str(moment)[:10]}"
        if self.cube.step.unit == "h":
            day = pd.Timestamp(moment)
            return f"{day:%a} {str(moment)[:10]}, {day:%H}–{day.hour + self.cube.step.count:02d}"
        return self.made.label(step)

    def whole_day(self, step: int, kind: int) -> float | None:
        """What is expected of the city on the whole day that a step is a part of; None of what is no part of a day, or
        where not all of it is to come."""
        days = self.made.times.astype("datetime64[D]")
        own = np.flatnonzero(days == days[step])
        if self.cube.step.unit != "h" or len(own) * self.cube.step.count < 24:
            return None
        return float(self.made.mean[own][:, :, kind].mean(axis=1).sum())

    def covered(self, step: int, kind: int, share: float) -> np.ndarray:
        """(H, W) bool: the share, in per cent, of the area where most is expected."""
        area = self.made.area
        count = max(1, round(area.sum() * share / 100))
        order = np.argsort(-self.made.rate[step, kind][area], kind="stable")[:count]
        chosen = np.zeros(int(area.sum()), dtype=bool)
        chosen[order] = True
        made = np.zeros(area.shape, dtype=bool)
        made[area] = chosen
        return made

    def message(self, step: int, kind: int, share: float) -> bytes:
        """The maps of all steps, for the browser."""
        cube, rate = self.cube, self.made.rate[:, kind]
        unit = cube.unit
        off = np.stack([rate[i] - self.usual_at(i)[kind] for i in range(len(rate))])
        reach = top_of(np.abs(off[:, self.made.area]), 0.995, 1e-3)
        top = top_of(rate[:, self.made.area], least=1e-3)
        peak = max(float(rate.max()), 1e-6)
        scene = Scene(
            identity=f"{self.made.name}-{cube.grid}-{self.made.origin}-{kind}-{share}",
            ground=ground(self.city, cube),
            panels=[
                Panel("Expected", unit=unit, high=peak, gamma=2.0, size=2, top=top, group="rate"),
                Panel(
                    "Against usual", "diverging", f"{unit}: orange is more than usual there",
                    low=-reach, high=reach,
                ),
                Panel("What you can cover", unit=unit, high=peak, gamma=2.0, size=2, top=top, group="rate"),
            ],
            labels=[self.label(i) for i in range(len(rate))],
            curve=[float(self.made.mean[i, :, kind].mean()) for i in range(len(rate))],
            curve_title="Expected events in the city. Click to go there.",
            about=f"{self.city.title} · {self.made.name}",
            alt=f"What is expected in {self.city.title}",
            hint="Wheel to zoom, drag to move; with a map in focus, ← and → change the step.",
        )  # fmt: skip
        maps: dict[int, list[np.ndarray | None]] = {
            i: [rate[i], off[i], np.where(self.covered(i, kind, share), rate[i], 0.0)]
            for i in range(len(rate))
        }
        return message(scene, self.made.area, maps, step, first=0)

    def places(self, step: int, kind: int, count: int = 10) -> pd.DataFrame:
        """Where most is expected: the place by name, expected and usual events, the interval, the chance
        of any, and why it differs from usual."""
        made, rows = self.made, []
        for row, column in self.most_expected(step, kind, count):
            low, high = (int(part[step, kind, row, column]) for part in (made.low, made.high))
            rows.append(
                {
                    "place": self.name(row, column),
                    "expected": float(made.rate[step, kind, row, column]),
                    "95 %": f"{low} to {high}",
                    "chance of any": 100 * float(made.some[step, kind, row, column]),
                    "usual": float(self.usual_at(step)[kind, row, column]),
                    "why": self.why(step, kind, row, column),
                }
            )
        return pd.DataFrame(rows)

    def most_expected(self, step: int, kind: int, count: int) -> list[list[int]]:
        """The cells where most is expected."""
        area = self.made.area
        rate = np.where(area, self.made.rate[step, kind], -1.0)
        order = np.argsort(-rate, axis=None, kind="stable")[: min(count, int(area.sum()))]
        return np.column_stack(np.unravel_index(order, area.shape)).tolist()

    def elsewhere(self, step: int, kind: int, count: int = 10) -> list[str]:
        """What is known to be wrong at other places than the `count` where most is expected, a line each."""
        listed = self.most_expected(step, kind, count)
        lines = []
        for one in self.wrong:
            cells = one.cells.tolist()
            if not any(cell in listed for cell in cells):
                rate = self.made.rate[step, kind]
                row, column = max(cells, key=lambda cell: rate[cell[0], cell[1]])
                lines.append(f"{self.name(row, column)}: {in_words(one, self.cube)}")
        return lines

    def name(self, row: int, column: int) -> str:
        """What a cell is called."""
        return place_name(self.city, self.cube, row, column)

    def beside_alike(self, step: int, kind: int) -> str:
        """What is expected of the whole city beside what is usual at that time of the week."""
        off = float(self.made.mean[step, :, kind].mean()) / max(self.alike[step, kind], 1e-9) - 1
        if abs(off) < LITTLE:
            return f"as much as on {self.usual_time(step)}"
        return f"{abs(off):.0%} {'more' if off > 0 else 'less'} than on {self.usual_time(step)}"

    def usual_at(self, step: int) -> np.ndarray:
        """(K, H, W) what is usual at each cell at the time of the week that a step is of."""
        whole = np.maximum(self.usual.sum(axis=(1, 2)), 1e-9)
        return self.usual * (self.alike[step] / whole)[:, None, None]

    def usual_time(self, step: int) -> str:
        """The time of the week that a step is of, as people say it."""
        day = pd.Timestamp(self.made.times[step])
        if self.cube.step.unit == "h":
            return f"a usual {day:%A} at {day:%H:%M}"
        if self.cube.step.unit == "d" and self.cube.step.count == 1:
            return f"a usual {day:%A}"
        return f"a usual {PERIODS.get(self.cube.step.unit, 'step')}"

    def of_city(self, step: int, kind: int) -> float:
        """What is expected of the whole city over what is usual."""
        return float(self.made.mean[step, :, kind].mean()) / max(
            float(self.usual[kind].sum()), 1e-9
        )

    def why(self, step: int, kind: int, row: int, column: int) -> str:
        """What makes a cell differ from its usual share of the city, nothing if it doesn't: the last days near it, by how much
        less or more the forecast says without them, or what it remembers of longer ago."""
        rate = self.made.rate[:, kind, row, column]
        own = max(float(self.usual[kind, row, column]) * self.of_city(step, kind), 1e-9)
        off = float(rate[step]) / own - 1
        reasons = []
        if abs(off) > NOTABLE:
            reasons.append(
                f"{abs(off):.0%} {'more' if off > 0 else 'less'} than its usual share of the city"
            )
        known = (one for one in self.wrong if [row, column] in one.cells.tolist())
        if (one := next(known, None)) is not None:
            reasons.append(in_words(one, self.cube))
        added = float(rate[0]) - float(self.without[kind, row, column])
        if abs(added) > NOTABLE * float(rate[0]):
            reasons.append(self._lately(kind, row, column, added))
        said = "; ".join(reasons)
        return said[:1].upper() + said[1:]

    def _lately(self, kind: int, row: int, column: int, added: float) -> str:
        """The last days near a cell, and what the forecast `added` for them."""
        made = self.made
        near = (slice(max(0, row - 1), row + 2), slice(max(0, column - 1), column + 2))
        within = "here and in the cells around"
        if self.cube.areas is not None:
            near, within = (slice(row, row + 1), slice(column, column + 1)), "there"
        since = made.origin - self.recent
        counts = self.cube.counts[since : made.origin, :, *near]
        counts = counts if made.kinds[kind] == ALL else counts[:, [kind]]
        seen, told = int(counts.sum()), float(self.usual[kind][near].sum() * self.recent)
        word = "event" if made.kinds[kind] in (ALL, "all") else made.kinds[kind]
        if word == "event" and seen != 1:
            word += "s"
        came = f"{seen} {word} {within} since {self.cube.said(since)}, where {told:.1f} are usual"
        if (added > 0) != (seen > told):  # it isn't the number alone: when and where they came
            return f"{came}; for when and where they came it expects {abs(added):.2f} {'more' if added > 0 else 'less'}"
        return f"{came}, {'add' if added > 0 else 'take away'} {abs(added):.2f}"


def tomorrow_view(name: str, grid: str) -> TomorrowView:
    """The next DAYS steps, or of hours those of two days, by a run or a baseline, kept until something new comes."""
    cube = load_cube(grid)
    steps = DAYS if cube.step.unit != "h" else 48 // cube.step.count
    return _view(kept(name, cube, len(cube.times), steps))


_views: OrderedDict[str, TomorrowView] = OrderedDict()  # by what was forecast


def _view(made: Ahead) -> TomorrowView:
    key = f"{made.name} {made.cube.grid} {hashlib.sha256(made.rate.tobytes()).hexdigest()}"
    if key not in _views:
        cube = made.cube
        begin = max(0, made.origin - round(LOOK_BACK / cube.step.days))
        usual = cube.counts[begin : made.origin].mean(axis=0, dtype=np.float64)
        recent = min(max(1, round(7 / cube.step.days)), made.origin - begin - 1)
        counts = cube.counts[: made.origin].copy()
        counts[made.origin - recent :] = usual
        calm = replace(cube, counts=counts, times=cube.times[: made.origin])
        without = kept_next(made.name, calm, key)
        if len(made.kinds) > len(cube.types):
            usual = np.concatenate([usual, usual.sum(axis=0, keepdims=True)])
        _views[key] = TomorrowView(
            made, np.where(made.area, usual, 0.0), without, recent, _alike(made, begin), tuple(lasting(made)),
        )  # fmt: skip
        while len(_views) > 4:
            _views.popitem(last=False)
    return _views[key]


def _alike(made: Ahead, begin: int) -> np.ndarray:
    """(S, K) the city's events at the same time of the week, a step, from step `begin` on."""
    cube = made.cube
    totals = cube.counts[begin : made.origin][..., made.area].sum(axis=2, dtype=np.float64)
    if len(made.kinds) > totals.shape[1]:
        totals = np.concatenate([totals, totals.sum(axis=1, keepdims=True)], axis=1)
    week = np.timedelta64(7, "D")
    since = np.datetime64("1970-01-05")  # a Monday
    known = (cube.times[begin : made.origin] - since) % week
    rows = [totals[known == (time - since) % week] for time in made.times]
    return np.stack([(row if len(row) else totals).mean(axis=0) for row in rows])


def exported(made: Ahead, suffix: str) -> bytes:
    """A forecast as a file of that kind; a table with what its cells are called."""
    if suffix == ".csv":
        cells = table(made)
        city, cube = load_city(made.cube.city), made.cube
        known = {at: place_name(city, cube, *at) for at in set(zip(cells["row"], cells["column"], strict=True))}  # fmt: skip
        place = [known[at] for at in zip(cells["row"], cells["column"], strict=True)]
        cells.insert(2, "place", place)
        names = {"rate": "expected", "low": "at least (95 %)", "high": "at most (95 %)", "some": "chance of any"}  # fmt: skip
        return cells.rename(columns=names).to_csv(index=False, float_format="%.6g").encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"tomorrow{suffix}"
        save(path, made)
        return path.read_bytes()
