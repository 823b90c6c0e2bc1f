"""Times that are none: what programs write where no time is given, and what lies far from all others."""

from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl

from crimecast.reading.bounds import among, shared
from crimecast.reading.parts import Column, Parts, counts

NO_DAYS = {"1900-01-01", "1970-01-01"}  # on which programs let time begin where none is given
SEVERAL = 5  # rows of one instant, far before all others
MISTAKES = 0.01  # of a file's rows may be so far from the rest in time that they are no part of it


def without_placeholders(
    events: Parts[pl.DataFrame], outside: pl.Expr, total: int
) -> Parts[pl.DataFrame]:
    """Outside the city, a place that many rows share stands for *no place*."""
    far = events.map(
        lambda part: (
            part.select(
                pl.when(outside).then(pl.col(name)).fill_null(np.nan).alias(name)
                for name in ("longitude", "latitude")
            )
            .to_numpy()
            .T
        )
    )
    null = shared(far, total)
    if null.is_empty():
        return events
    return events.beside(far).map(
        lambda both: both[0].with_columns(
            pl.when(pl.Series(among(both[1], null))).then(None).otherwise(pl.col(name)).alias(name)
            for name in ("longitude", "latitude", "x", "y")
        )
    )


def span(times: Column, latest: datetime) -> tuple[datetime, datetime]:
    """Between which times a file's records lie: a few far from all others are mistakes or stand for none.

    Nothing before 1900; and where at most one row in a hundred, or rows of a single instant, are parted from the
    rest by more than ten years and twice the span of the rest, those rows are left out.
    """
    early, late = datetime(1900, 1, 1), latest
    days = counts(
        times.map(lambda time: time.filter((time >= early) & (time <= late)).dt.truncate("1d"))
    )
    if days["rows"].sum() < 20:
        return early, late
    moments, rows = days["value"].to_list(), np.cumsum(days["rows"].to_numpy())
    gaps = np.array([(b - a).days for a, b in pairwise(moments)] or [0])
    for number in np.flatnonzero(gaps > 3652):
        before = rows[number] / rows[-1]
        alone = number == 0 and (
            f"{moments[0]:%Y-%m-%d}" in NO_DAYS or _at_once(times, moments[0], int(rows[0]))
        )
        if (before <= MISTAKES or (alone and before < 0.5)) and gaps[number] > 2 * (
            moments[-1] - moments[number + 1]
        ).days:
            early = max(early, moments[number + 1])
        elif before >= 1 - MISTAKES and gaps[number] > 2 * (moments[number] - moments[0]).days:
            late = min(late, moments[number] + timedelta(days=1))
    return early, late


def _at_once(times: Column, day: datetime, rows: int) -> bool:
    """Whether several rows of a day are of the same instant, as those are that stand for no time."""
    end = day + timedelta(days=1)
    instants = {
        t for part in times for t in part.filter((part >= day) & (part < end)).unique().to_list()
    }
    return rows >= SEVERAL and len(instants) == 1
