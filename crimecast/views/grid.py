"""The Grid page: the counts of a grid on the map, step by step, smoothed only for the eye."""

from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.ndimage import gaussian_filter

from crimecast.cities import City
from crimecast.grids.cube import load_cube
from crimecast.judging.thin import STEPS, WORDS, a_step, advice, enough
from crimecast.plots.rasters import Panel, Scene, message, window
from crimecast.plots.scale import top_of
from crimecast.records.snapshot import Snapshot
from crimecast.views.ground import ground

TRIES = 5
BEGIN = 500.0  # metres of a cell, where that has enough events


@lru_cache(maxsize=8)
def filtered(grid: str, kind: int, sigma: float) -> np.ndarray:
    """(T, H, W) a grid's counts of one type, of all with -1, blurred by `sigma` cells."""
    counts = load_cube(grid).counts
    chosen = counts.sum(axis=1) if kind < 0 else counts[:, kind]
    if sigma <= 0:
        return chosen
    return gaussian_filter(chosen, (0, sigma, sigma), mode="constant")


@lru_cache(maxsize=8)
def _drawn(grid: str, kind: int, sigma: float) -> tuple[np.ndarray, float, float, list[float]]:
    """The mean of all steps, the top of the scale of colours, the largest value, each step's sum."""
    cube, shown = load_cube(grid), filtered(grid, kind, sigma)
    area = cube.area(len(cube.times))
    top = top_of(shown[:: max(1, len(shown) // 60)][:, area], least=1e-3)
    sums = shown[:, area].sum(axis=1).round(1).tolist()
    return shown.mean(axis=0), top, float(max(shown.max(), 1e-6)), sums


def grid_message(city: City, grid: str, kind: int, sigma: float, step: int) -> bytes:
    """Counts of one type (−1: of all) around a step, blurred by a Gaussian of `sigma` cells.

    The blur is a view of the stored counts and keeps their sum; nothing of it is stored.
    """
    cube = load_cube(grid)
    shown = filtered(grid, kind, sigma)
    area = cube.area(len(cube.times))
    mean, top, peak, sums = _drawn(grid, kind, sigma)
    unit = cube.unit
    panels = [
        Panel("This step", unit=unit, high=peak, gamma=2.0, size=2, top=top),
        Panel("Mean of all steps", unit=unit, high=float(max(mean.max(), 1e-6)), gamma=2.0, size=2,
              top=top_of(mean[area], 0.995)),
    ]  # fmt: skip
    size = 10 if cube.step.days >= 1 else 16
    scene = Scene(
        identity=f"{grid}-{kind}-{sigma}",
        ground=ground(city, cube),
        panels=panels,
        labels=[str(time)[:size] for time in cube.times],
        curve=sums,
        curve_title="Events in the city by step. Click to go there.",
        about=f"{city.title} · counts",
        alt=f"{city.title}, {len(cube.x)} by {len(cube.y)} cells",
    )
    maps: dict[int, list[np.ndarray | None]] = {
        i: [shown[i], mean] for i in window(step, 0, len(shown), 4 * scene.ground.size)
    }
    return message(scene, area, maps, step, first=0)


def advised(records: Snapshot) -> tuple[float, str, str]:
    """The cell in metres and the step to begin with on a city's records, and why, in words."""
    return _advised(records.folder, tuple(records.files.values()))


@lru_cache(maxsize=8)
def _advised(_folder: Path, files: tuple[Path, ...]) -> tuple[float, str, str]:
    known = pl.scan_parquet(list(files))
    events, first, last = known.select(
        pl.len(), pl.col("time").min().alias("first"), pl.col("time").max().alias("last")
    ).collect().row(0)  # fmt: skip
    days = {name: size for size, name in STEPS}
    cell, step = BEGIN, "1d"
    for _ in range(TRIES):  # wider cells are more than their share of the area: those at its edge
        squares = [(pl.col(axis) / cell).floor().cast(pl.Int32) for axis in ("x", "y")]
        cells = known.select(squares).unique().select(pl.len()).collect().item()
        steps = ceil(((last - first).days + 1) / days[step]) + (days[step] > 1)
        wider, longer = enough(events, cells, steps, cell, days[step])
        if wider is None and longer is None:
            break
        cell, step = wider or cell, longer or step
    why = (
        f"Advised to begin with: cells of {cell:,.0f} m and steps of {a_step(step)}. {events:,} events are then about "
        f"{events / cells:,.1f} in each cell and {events / steps:,.1f} each {WORDS[step]}."
    )
    return cell, step, why


def thinness(grid: dict[str, Any]) -> tuple[bool, str]:
    """Whether the counts of a grid (its summary) are enough to learn more than their level, and which cell and step
    would have enough."""
    steps, events, cells = grid["shape"][0], grid["events"], max(1, grid["cells"])
    step = load_cube(grid["grid"]).step
    wider, longer = enough(events, cells, steps, grid["cell"], step.days)
    held = f"{events:,} events are {events / cells:.1f} in each cell and {events / steps:.1f} each {step.words}"
    if grid.get("areas") or (wider is None and longer is None):
        return True, f"{held}: enough to learn from."
    return False, (
        f"{held}: too few, as a rule, to learn more than their level. {advice(wider, longer).capitalize()} would do, or more types together."
    )
