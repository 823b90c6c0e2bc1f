"""A forecast's score taken apart: by type, weekday, season, neighbourhood and count."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from crimecast.calendar.dates import hour, month, weekday
from crimecast.cities import City
from crimecast.cities.quarters import quarter_of
from crimecast.grids.cube import Cube
from crimecast.judging.likelihood import floored, log_likelihood

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SEASONS = ("winter", "spring", "summer", "autumn")
COUNTS = ("none", "one", "two", "three or more")
ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Judged:
    """Two forecasts of steps [first, last): what happened and what each expected, (T, C, N)."""

    cube: Cube
    first: int
    last: int
    area: np.ndarray
    counts: np.ndarray
    one: np.ndarray
    other: np.ndarray

    @classmethod
    def of(cls, cube: Cube, first: int, last: int, one: np.ndarray, other: np.ndarray) -> "Judged":
        """From whole maps (T, C, H, W)."""
        area = cube.area(first)
        counts = cube.counts[first:last]
        return cls(cube, first, last, area, *(a[..., area] for a in (counts, one, other)))

    @property
    def gain(self) -> np.ndarray:
        """(T, C, N) log-likelihood of `one` above `other`."""
        return log_likelihood(self.counts, self.one) - log_likelihood(self.counts, self.other)


def table(judged: Judged, by: str, city: City) -> pd.DataFrame:
    """One row a group: events, what was expected, its ratio, and the gain on the other forecast.

    by: type, weekday, season, neighbourhood, count or hour. `log_likelihood_per_event` is the
    group's own; `gain_per_event` is what the group adds to the whole's, so that the rows sum to it.
    """
    names, group = groups(judged, by, city)
    gain = judged.gain
    rates = floored(judged.one)
    terms = log_likelihood(judged.counts, rates)
    size = len(names)

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(group.ravel(), values.astype(np.float64).ravel(), size)

    events, expected, other = total(judged.counts), total(judged.one), total(judged.other)
    with np.errstate(invalid="ignore", divide="ignore"):
        frame = pd.DataFrame(
            {
                by: names,
                "events": events.astype(int),
                "expected": expected,
                "observed / expected": events / expected,
                "log_likelihood_per_event": total(terms) / events,
                "gain_per_event": total(gain) / judged.counts.sum(),
                "expected by the other": other,
            }
        )
    return frame[(events > 0) | (expected > 0.05)].reset_index(drop=True)


def groups(judged: Judged, by: str, city: City) -> tuple[list[str], np.ndarray]:
    """Names of the groups and (T, C, N) the group of every value."""
    shape = judged.counts.shape
    times = judged.cube.times[judged.first : judged.last]
    if by == "type":
        return list(judged.cube.types), np.broadcast_to(np.arange(shape[1])[None, :, None], shape)
    if by == "weekday":
        return list(DAYS), np.broadcast_to(weekday(times)[:, None, None], shape)
    if by == "season":
        return list(SEASONS), np.broadcast_to((month(times) % 12 // 3)[:, None, None], shape)
    if by == "hour":
        return [f"{h}:00" for h in range(24)], np.broadcast_to(hour(times)[:, None, None], shape)
    if by == "count":
        return list(COUNTS), np.minimum(judged.counts, 3).astype(int)
    names, cells = neighbourhoods(judged.cube, judged.area, city)
    return names, np.broadcast_to(cells[None, None, :], shape)


def neighbourhoods(cube: Cube, area: np.ndarray, city: City) -> tuple[list[str], np.ndarray]:
    """Names, and (N,) the neighbourhood that holds each cell's centre, without outlines that which its records name;
    the last name is ELSEWHERE."""
    shapes = [(name, city.project(s)) for kind, name, s in city.features if kind == "neighbourhood"]
    row, column = np.nonzero(area)
    if not shapes:
        called = [
            quarter_of(city, cube.x[c], cube.y[r], cube.cell) or ELSEWHERE
            for r, c in zip(row, column, strict=True)
        ]
        names = [*sorted({*called} - {ELSEWHERE}), ELSEWHERE]
        return names, np.array([names.index(one) for one in called], int)
    found = np.full(len(row), len(shapes))
    tree = shapely.STRtree([shape for _, shape in shapes])
    cell, place = tree.query(shapely.points(cube.x[column], cube.y[row]), predicate="intersects")
    found[cell] = place
    return [*(name for name, _ in shapes), ELSEWHERE], found


def concentration(judged: Judged, names: list[str], cells: np.ndarray) -> pd.DataFrame:
    """Fairness at a glance, by neighbourhood: the share of recorded events and of flagged cells.

    In each step the 5 % of cells with the highest rates are flagged; `attention` is a
    neighbourhood's share of those divided by its share of recorded events. Far above one: watched
    beyond its share of the record.
    """
    total = judged.one.sum(axis=1)
    flagged = -(-total.shape[1] * 5 // 100)
    top = np.argpartition(-total, flagged - 1, axis=1)[:, :flagged]
    size = len(names)
    watched = np.bincount(cells[top].ravel(), minlength=size) / top.size
    events = np.bincount(
        np.broadcast_to(cells, total.shape).ravel(), judged.counts.sum(axis=1).ravel(), size
    )
    expected = np.bincount(np.broadcast_to(cells, total.shape).ravel(), total.ravel(), size)
    share = events / max(events.sum(), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        frame = pd.DataFrame(
            {
                "neighbourhood": names,
                "events": events.astype(int),
                "expected": expected,
                "over-forecast": expected / events - 1,
                "share of events": share,
                "share of flagged cells": watched,
                "attention": watched / share,
            }
        )
    return frame[events > 0].reset_index(drop=True)
