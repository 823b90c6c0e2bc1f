"""The reporting tail: what share of a day's records has come so many days after it.

From the arrivals of repeated crawls, by the reverse hazard (Lawless 1994, Canadian Journal of Statistics
22): g(a), the share of what had come by age a that came at that age, is estimated from all days whose
age a was seen, and

    F(a) = Π_{j > a} (1 − g(j)),   F(AGES − 1) = 1.

What a first crawl found came at an age that isn't known, but no later: it counts in what had come.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from crimecast.cities import City
from crimecast.records import arrivals

AGES = 60  # days
CRAWLS, LATE = 5, 100  # days with arrivals, and records that came after the first, to judge by
SETTLED = 0.99  # of a day's records: it is taken as whole


@dataclass(frozen=True)
class Tail:
    """`share` (AGES,) of all types together and `by_type` of each with enough records; `last` is the day of
    the last arrival, `crawls` the number of days on which something came."""

    share: np.ndarray
    by_type: dict[str, np.ndarray]
    last: np.datetime64
    crawls: int

    def settled_after(self) -> int:
        """The age in days from which on a day is taken as whole."""
        return int(np.argmax(self.share >= SETTLED))

    def of(self, kinds: list[str] | None) -> np.ndarray:
        """(AGES,) the share for some types together."""
        own = [self.by_type[kind] for kind in kinds or () if kind in self.by_type]
        return np.mean(own, axis=0) if kinds and len(own) == len(kinds) else self.share

    def of_steps(self, begins: np.ndarray, ends: np.ndarray, kinds: list[str] | None) -> np.ndarray:
        """(S,) the share that has come of steps of time, the mean of their days."""
        share = self.of(kinds)
        made = []
        for begin, end in zip(begins, ends, strict=True):
            first = begin.astype("datetime64[D]")
            days = np.arange(first, max(end.astype("datetime64[D]"), first + 1))
            age = (self.last - days).astype(int)
            made.append(np.where(age < 0, 0.0, share[np.clip(age, 0, AGES - 1)]).mean())
        return np.array(made)


def tail(city: City) -> Tail | None:
    """The tail of a city's records; None where too few crawls tell."""
    came = arrivals.read(city)
    if came.is_empty():
        return None
    dated = came.select(
        pl.col("time").dt.date().alias("day"), pl.col("arrived").dt.date().alias("arrived"), "type"
    )
    first, last = dated["arrived"].min(), dated["arrived"].max()
    crawls = dated["arrived"].n_unique()
    if crawls < CRAWLS or dated.filter(pl.col("arrived") > first).height < LATE:
        return None
    bounds = np.datetime64(str(first), "D"), np.datetime64(str(last), "D")
    by_type = {
        str(kind): _share(part, *bounds)
        for (kind,), part in dated.group_by("type")
        if part.filter(pl.col("arrived") > first).height >= LATE
    }
    return Tail(_share(dated, *bounds), by_type, bounds[1], crawls)


def _share(dated: pl.DataFrame, first: np.datetime64, last: np.datetime64) -> np.ndarray:
    """F (AGES,) from days and arrivals, of crawls from day `first` to day `last`."""
    day = dated["day"].to_numpy().astype("datetime64[D]")
    arrived = dated["arrived"].to_numpy().astype("datetime64[D]")
    begin = first - AGES
    days = int((last - begin).astype(int)) + 1
    at, age = (day - begin).astype(int), (arrived - day).astype(int)
    inside = (at >= 0) & (at < days) & (age >= 0)
    counts = np.zeros((days, AGES))
    np.add.at(counts, (at[inside], np.minimum(age[inside], AGES - 1)), 1)
    upto = counts.cumsum(axis=1)
    oldest = (first - begin).astype(int) - np.arange(
        days
    )  # age at the first crawl, below 0 after it
    seen = (last - begin).astype(int) - np.arange(days)  # age at the last one
    ages = np.arange(AGES)
    told = (ages > oldest[:, None]) & (ages <= seen[:, None])
    came, known = (counts * told).sum(axis=0), (upto * told).sum(axis=0)
    hazard = np.where(known > 0, came / np.maximum(known, 1), 0.0)
    kept = np.cumprod((1 - hazard)[::-1])[::-1]
    return np.append(kept[1:], 1.0)
