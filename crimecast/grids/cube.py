"""The cube as an array, its split in time, and what a network is given for a step: always the past.

Notation: T steps, C types, H rows, W columns, L lags, S input maps, F calendar numbers, B samples.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from crimecast import UserError
from crimecast.calendar.steps import Step, parse_date
from crimecast.grids.areas import Areas, areas_of
from crimecast.grids.grid import grid_folder, open_grid, whole
from crimecast.storage.arrays import roomy


@dataclass(frozen=True)
class Cube:
    """A stored grid: `counts` (T, C, H, W) float32 with the names of its axes, in memory or,
    larger than that, mapped from a file."""

    grid: str
    city: str
    counts: np.ndarray
    times: np.ndarray
    types: tuple[str, ...]
    x: np.ndarray
    y: np.ndarray
    outline_area: np.ndarray | None
    step: Step
    cell: float

    @cached_property
    def areas(self) -> Areas | None:
        """The areas that its cells stand for, if they do."""
        return areas_of(self.grid)

    @property
    def place(self) -> str:
        """What a cell is: a cell, or an area."""
        return "cell" if self.areas is None else "area"

    @property
    def unit(self) -> str:
        """What counts and rates are counted in."""
        return f"events per {self.place} and {self.step.words}"

    @cached_property
    def first_seen(self) -> np.ndarray:
        """(H, W) index of the first step with an event in each cell, T where there is none."""
        steps, _, height, width = self.counts.shape
        first = np.full((height, width), steps)
        some = max(1, 10_000_000 // (height * width))  # steps at a time: a copy may not fit
        for begin in range(0, steps, some):
            seen = (self.counts[begin : begin + some] > 0).any(axis=1)
            fresh = seen.any(axis=0) & (first == steps)
            first[fresh] = begin + seen.argmax(axis=0)[fresh]
        return first

    def area(self, index: int) -> np.ndarray:
        """(H, W) study area of a judgement that begins at step `index`.

        The outline's cells, or where there is no outline those with an event before it.
        """
        if self.outline_area is not None:
            return self.outline_area
        return self.first_seen < index

    def label(self, step: int) -> str:
        """When a step begins, to the minute; a step that begins at midnight by its date alone."""
        return str(self.times[step])[:16].removesuffix("T00:00")

    def said(self, step: int) -> str:
        """The same in a sentence: `2024-05-03 18:00`."""
        return self.label(step).replace("T", " ")

    def index(self, date: str | np.datetime64, option: str = "the date") -> int:
        """The first step that begins at or after a date; T if all are before it."""
        moment = parse_date(date, option) if isinstance(date, str) else date
        return int(np.searchsorted(self.times, moment.astype("datetime64[ns]")))

    def period(self, since: str, until: str) -> tuple[int, int]:
        """Steps [first, last) of a period, `since` inclusive and `until` exclusive.

        Raises UserError if no step of the grid lies in it, or nothing lies before it.
        """
        first, last = self.index(since, "--since"), self.index(until, "--until")
        if last <= first:
            raise UserError(
                f"The period from {since} to {until} holds no step of the grid, which runs from "
                f"{str(self.times[0])[:10]} to {str(self.times[-1])[:10]}."
            )
        if first == 0:
            raise UserError(
                f"Nothing lies before {since} in the grid, so nothing can be forecast from it; "
                "start the period later."
            )
        return first, last


def load_cube(grid: str) -> Cube:
    """Read a stored grid. Raises UserError if there is none of that name."""
    folder = grid_folder(grid)
    return _load_cube(grid, folder.stat().st_mtime_ns)


@lru_cache(maxsize=3)
def _load_cube(grid: str, _changed: int) -> Cube:
    with whole(grid):
        return _read_cube(grid)


def _read_cube(grid: str) -> Cube:
    stored = open_grid(grid)
    kept = stored["counts"]
    counts = roomy(kept.shape, np.float32, f"The counts of {grid}")
    chunk = kept.encoding["chunks"][0]  # a chunk at a time: two copies may not fit
    for first in range(0, len(counts), chunk):
        counts[first : first + chunk] = kept[first : first + chunk].values
    counts.setflags(write=False)
    return Cube(
        grid=grid,
        city=stored.attrs["city"],
        counts=counts,
        times=stored["time"].values.astype("datetime64[ns]"),
        types=tuple(str(name) for name in stored["type"].values),
        x=stored["x"].values,
        y=stored["y"].values,
        outline_area=stored["area"].values if stored.attrs["area_from"] == "outline" else None,
        step=Step.parse(stored.attrs["step"]),
        cell=float(stored.attrs["cell"]),
    )


@dataclass(frozen=True)
class Split:
    """Cuts of the time axis: training [0, train), validation [train, validate), unseen from there."""

    train: int
    validate: int


def split(cube: Cube, train_until: str | None, validate_until: str | None) -> Split:
    """The cuts asked for; by default 70 % of the steps train and 15 % validate.

    Raises UserError if a part would be empty.
    """
    steps = len(cube.times)
    if train_until is None and validate_until is not None:
        validate = cube.index(validate_until, "--validate-until")
        train = int(validate * 0.82)
    else:
        train = (
            int(steps * 0.7) if train_until is None else cube.index(train_until, "--train-until")
        )
        validate = (
            (train + max(1, (steps - train) // 2))
            if validate_until is None
            else cube.index(validate_until, "--validate-until")
        )
    if train < 2:
        raise UserError("The training period is empty: --train-until lies before the grid's data.")
    if validate <= train:
        raise UserError(
            "The validation period is empty: --validate-until must lie after --train-until, "
            f"and the grid ends {str(cube.times[-1])[:10]}."
        )
    return Split(train, validate)


def on_map(area: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(…, N) values of the area's cells → (…, H, W) float64, zero outside it."""
    made = np.zeros((*values.shape[:-1], *area.shape))
    made[..., area] = values
    return made


def left_out_blocks(area: np.ndarray, share: float, size: int = 6) -> np.ndarray:
    """(H, W) cells of the area in square blocks, drawn at random until they hold `share` of it.

    The same for every network, so that those trained without these places can be compared. Raises
    UserError unless the share lies between 0 and 0.5.
    """
    if not 0 < share <= 0.5:
        raise UserError("The share of places to leave out must lie above 0 and at most 0.5.")
    rows, columns = (-(-length // size) for length in area.shape)
    order = np.random.default_rng(0).permutation(rows * columns)
    out = np.zeros_like(area)
    for block in order:
        if out.sum() >= share * area.sum():
            break
        row, column = size * (block // columns), size * (block % columns)
        part = (slice(row, row + size), slice(column, column + size))
        out[part] = area[part]
    return out
