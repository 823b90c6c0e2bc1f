"""How many steps of a grid the records cover whole: a file that ends at four in the morning doesn't
cover its last day, and the days that a grid has past its last record are not known to be quiet."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from crimecast.cities import load_city
from crimecast.grids.cube import Cube
from crimecast.records.snapshot import snapshot

LOOK, LEAST = 365, 14  # steps whose ends the silence at the last one is held against


def complete_steps(cube: Cube, origin: int | None = None) -> int:
    """The number of steps, of the first `origin` (all by default), that the records cover whole.

    A step isn't, if at its end nothing was recorded for longer than at any of the last ends before:
    one that is wrongly left out so is one in hundreds. Where there are few ends, as of months, nothing
    was recorded for longer than ever between two records before. Only records before step `origin`
    are looked at.
    """
    origin = len(cube.times) if origin is None else origin
    number = int(cube.step.number(cube.times[:1])[0])
    since = max(0, origin - LOOK - 1)
    ends = cube.step.start(number + np.arange(since, origin) + 1).astype("datetime64[us]")
    times = _times(cube, cube.times[since].astype("datetime64[us]"), ends[-1])
    if not len(times):
        return origin
    at = np.searchsorted(times, ends)  # events before each end
    silence = ends - times[np.maximum(at - 1, 0)]
    of_last = int(cube.step.number(times[-1:])[0]) - number - since
    before = silence[:of_last][at[:of_last] > 0]
    if len(times) < LEAST:
        return origin
    longest = before.max() if len(before) >= LEAST else np.diff(times).max()
    while origin - since > of_last and silence[origin - since - 1] > longest:
        origin -= 1
    return origin


def not_whole(cube: Cube) -> str:
    """Which steps at the ends of a grid the records don't cover whole, in a sentence; else nothing.

    The first isn't, if nothing was recorded in it for longer than at the beginning of any of the next: it is no step
    that anything is judged on, since nothing lies before it.
    """
    first, last = complete_steps(cube), len(cube.times) - 1
    if first <= last:
        which = cube.said(first) if first == last else f"{cube.said(first)} to {cube.said(last)}"
        return f"{which} is left out: the records don't cover it whole."
    begins = cube.times[: LOOK + 1].astype("datetime64[us]")
    times = _times(cube, begins[0], begins[-1])
    if len(times) < LEAST or len(begins) <= LEAST:
        return ""
    at = np.searchsorted(times, begins[:-1])
    silence = times[np.minimum(at, len(times) - 1)] - begins[:-1]
    if silence[0] > silence[1:].max():
        return f"The records begin {str(times[0])[:16].replace('T', ' ')}: {cube.said(0)} isn't covered whole."
    return ""


def _times(cube: Cube, begin: np.datetime64, end: np.datetime64) -> np.ndarray:
    """The times of all records in [begin, end), in order."""
    files = snapshot(load_city(cube.city)).files
    first, last = (str(moment)[:7] for moment in (begin, end))
    chosen = [path for month, path in files.items() if first <= month <= last]
    if not chosen:
        return np.array([], dtype="datetime64[us]")
    times = _all_times(tuple(chosen))
    return times[np.searchsorted(times, begin) : np.searchsorted(times, end)]


@lru_cache(maxsize=8)
def _all_times(files: tuple[Path, ...]) -> np.ndarray:
    """The times of a city's months, in order; the files' names change with their content."""
    times = pl.scan_parquet(list(files)).select("time").collect()["time"].to_numpy()
    return np.sort(times.astype("datetime64[us]"))
