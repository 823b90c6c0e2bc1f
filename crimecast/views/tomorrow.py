"""The Tomorrow page: the steps to come on a map, the places to look at, and what is worth covering."""

import hashlib
import tempfile
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from crimecast.cities import City, load_city
from crimecast.forecasting.ahead import ALL, Ahead
from crimecast.forecasting.to_come import come, kept, kept_next, save
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import Cube, load_cube
from crimecast.judging.astray import Astray
from crimecast.live.log import Log
from crimecast.live.plan import live_folder
from crimecast.plots.rasters import Panel, Scene, message
from crimecast.plots.scale import top_of
from crimecast.runs.run import list_runs
from crimecast.views.astray import found
from crimecast.views.ground import ground
from crimecast.views.place_names import place_name

DAYS, LOOK_BACK = 7, 365  # to forecast, and from which what is usual is taken
PERIODS = {"w": "week", "mo": "month"}
CLOSE = 9  # cells of a cluster up to which its error is told of each of them
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
    usual; usual (K, H, W): events a step of the year before; alike (S, K): the city's of those at that time of the week. `wrong`: what
    is known of the forecast's errors at cells, up to the last step that has come."""

    made: Ahead
    usual: np.ndarray
    without: np.ndarray
    recent: int
    alike: np.ndarray
    wrong: dict[tuple[int, int], Astray] = field(default_factory=dict)

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
        return self.made.label(step)

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
        made, area = self.made, self.made.area
        rate = np.where(area, made.rate[step, kind], -1.0)
        rows = []
        for flat in np.argsort(-rate, axis=None, kind="stable")[: min(count, int(area.sum()))]:
            row, column = (int(i) for i in np.unravel_index(flat, area.shape))
            low, high = (int(part[step, kind, row, column]) for part in (made.low, made.high))
            rows.append(
                {
                    "place": self.name(row, column),
                    "expected": float(rate[row, column]),
                    "95 %": f"{low} to {high}",
                    "chance of any": 100 * float(made.some[step, kind, row, column]),
                    "usual": float(self.usual_at(step)[kind, row, column]),
                    "why": self.why(step, kind, row, column),
                }
            )
        return pd.DataFrame(rows)

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
        if (one := self.wrong.get((row, column))) is not None:
            reasons.append(
                f"it has been too {'low' if one.more else 'high'} there: {one.observed:,.0f} came, "
                f"{one.expected:,.0f} were expected ({self.cube.label(one.first)} to {self.cube.label(one.last - 1)})"
            )
        added = float(rate[0]) - float(self.without[kind, row, column])
        if abs(added) > NOTABLE * float(rate[0]):
            reasons.append(self._lately(kind, row, column, added))
        said = "; ".join(reasons)
        return said[:1].upper() + said[1:]

    def _lately(self, kind: int, row: int, column: int, added: float) -> str:
        """The last days near a cell, and what the forecast `added` for them."""
        made = self.made
        near = (slice(max(0, row - 1), row + 2), slice(max(0, column - 1), column + 2))
        within = f"within {1.5 * self.cube.cell:,.0f} m"
        if self.cube.areas is not None:
            near, within = (slice(row, row + 1), slice(column, column + 1)), "there"
        since = made.origin - self.recent
        counts = self.cube.counts[since : made.origin, :, *near]
        counts = counts if made.kinds[kind] == ALL else counts[:, [kind]]
        seen, told = int(counts.sum()), float(self.usual[kind][near].sum() * self.recent)
        word = "event" if made.kinds[kind] in (ALL, "all") else made.kinds[kind]
        if word == "event" and seen != 1:
            word += "s"
        return (
            f"{seen} {word} {within} since {self.cube.label(since)}, where "
            f"{told:.1f} are usual, {'add' if added > 0 else 'take away'} {abs(added):.2f}"
        )


def tomorrow_view(name: str, grid: str) -> TomorrowView:
    """The next DAYS steps by a run or a baseline, kept until something new comes."""
    cube = load_cube(grid)
    return _view(kept(name, cube, len(cube.times), DAYS))


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
            made, np.where(made.area, usual, 0.0), without, recent, _alike(made, begin), _wrong(made),
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


def _wrong(made: Ahead) -> dict[tuple[int, int], Astray]:
    """Errors of a run at cells that last until now, by cell, of the days that it never saw; steps of the grid."""
    known = {run.id: run for run in list_runs(made.cube.grid) if run.state == "done"}
    if made.name not in known or made.cube.areas is not None:
        return {}
    first, last = unseen_period(known[made.name])
    if last != made.origin:
        return {}
    return {
        (int(row), int(column)): replace(one, first=first + one.first, last=first + one.last)
        for one, _ in reversed(found(made.name, made.cube.grid, first, last))
        if first + one.last >= last and len(one.cells) and len(one.cells) <= CLOSE
        for row, column in one.cells
    }


@dataclass(frozen=True)
class Before:
    """The last step that has come beside what was forecast of it; `sealed` says when, None if it was made
    only afterwards, of what had come before."""

    label: str
    sealed: str | None
    cube: Cube
    area: np.ndarray
    rate: np.ndarray
    counts: np.ndarray
    expected: float
    low: int
    high: int

    def message(self) -> bytes:
        """Its maps, for the browser."""
        cube, city = self.cube, load_city(self.cube.city)
        unit, peak = (
            cube.unit,
            max(float(self.rate.max()), 1e-6),
        )
        top = top_of(self.rate[self.area], least=0.05)
        scene = Scene(
            identity=f"before-{cube.grid}-{self.label}-{self.sealed}",
            ground=ground(city, cube),
            panels=[
                Panel("Forecast", unit=unit, high=peak, gamma=2.0, size=2, top=top, group="rate"),
                Panel("What came", unit=unit, high=255.0, top=top, group="rate"),
            ],
            labels=[self.label],
            about=f"{city.title} · forecast beside what came",
            alt=f"Forecast of {self.label} beside what came",
            hint="Wheel to zoom, drag to move.",
        )
        return message(scene, self.area, {0: [self.rate, self.counts]}, 0, first=0)


def before(name: str, grid: str) -> Before | None:
    """The last step that has come; None where nothing lies before it."""
    cube = load_cube(grid)
    whole = come(cube)
    log = Log(live_folder(cube.city))
    entries = log.entries()
    steps = {cube.label(step): step for step in range(max(0, whole - 400), whole)}
    for entry in reversed(entries):
        body = entry["body"]
        if entry["kind"] != "score" or (body["name"], body["ahead"]) != (name, 1):
            continue
        if body["step"] not in steps:
            continue
        of = entries[body["of"]]
        with np.load(log.folder / of["body"]["file"], allow_pickle=False) as file:
            rate, area = file["rate"][0], file["area"]
        if area.shape != cube.counts.shape[2:]:
            continue
        said = of["body"]["steps"][0]
        return Before(
            body["step"], of["made"], cube, area, rate[-1],
            cube.counts[steps[body["step"]]].sum(axis=0), said["expected"], said["low"], said["high"],
        )  # fmt: skip
    if whole < 3:
        return None
    made = kept(name, cube, whole - 1, 1)
    return Before(
        made.label(0), None, cube, made.area, made.rate[0, -1], cube.counts[made.origin].sum(axis=0),
        *made.total(0),
    )  # fmt: skip


def exported(made: Ahead, suffix: str) -> bytes:
    """A forecast as a file of that kind."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"tomorrow{suffix}"
        save(path, made)
        return path.read_bytes()
