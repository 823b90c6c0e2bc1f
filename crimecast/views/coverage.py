"""Which days a city's records cover: holes, and the tail that is still being reported."""

from dataclasses import dataclass

import numpy as np

from crimecast.cities import City
from crimecast.records.snapshot import snapshot
from crimecast.views.records import daily_counts

EXPECTED = 10.0  # events a day below which an empty day may be chance (e^−10 is one in 22,000)
LOW = 0.75  # of the level of the weeks before: fewer is taken for records that have not arrived
LAST = 0.5  # of the level in the last three days: a tail ends low, a holiday does not
LONGEST_TAIL = 90  # days


@dataclass(frozen=True)
class Coverage:
    """`days` and `counts` of every day, `holes` among them, and `tail`: the first day from which
    reports are still coming in, or None."""

    days: np.ndarray
    counts: np.ndarray
    holes: np.ndarray
    tail: np.datetime64 | None


def coverage(days: np.ndarray, counts: np.ndarray) -> Coverage:
    """Judge daily counts. `days` (N,) datetime64[D], each the day after the one before.

    A hole is an empty day where the four weeks around it have at least EXPECTED events a day. The
    tail goes back from the end as long as the mean of seven days is below LOW times the median day
    of the eight weeks that end three months before the last day, if the last three days are below
    LAST times it.
    """
    counts = counts.astype(np.float64)
    around = np.array([np.median(counts[max(0, i - 14) : i + 15]) for i in range(len(counts))])
    holes = days[(counts == 0) & (around >= EXPECTED)]
    tail = None
    if len(counts) > LONGEST_TAIL + 56:
        level = np.median(counts[-LONGEST_TAIL - 56 : -LONGEST_TAIL])
        week = np.convolve(counts, np.ones(7) / 7, mode="valid")  # week[k] is of days k … k + 6
        start = len(counts)
        ends_low = counts[-3:].mean() < LAST * level
        while ends_low and start > len(counts) - LONGEST_TAIL and week[start - 7] < LOW * level:
            start -= 1
        if start < len(counts):
            tail = days[max(0, start - 6)]
            # The first day of the low week may itself be whole.
            low = np.flatnonzero(counts[start - 7 :] < LOW * level)
            tail = days[start - 7 + int(low[0])] if low.size else tail
    return Coverage(days, counts.astype(np.int64), holes, tail)


def city_coverage(city: City) -> Coverage | None:
    """The coverage of a city's archive; None while it is empty."""
    if not snapshot(city).months:
        return None
    days, counts = daily_counts(city)
    return coverage(days.astype("datetime64[D]"), counts)


def warning(city: City, first: np.datetime64, last: np.datetime64) -> str | None:
    """One sentence if the period [first, last) reaches into the tail or has holes, else None."""
    known = city_coverage(city)
    if known is None or city.simulated:
        return None
    parts = []
    if known.tail is not None and last > known.tail:
        parts.append(f"records from {known.tail} on were still being reported when they were read")
    holes = known.holes[(known.holes >= first) & (known.holes < last)]
    if len(holes):
        named = ", ".join(str(day) for day in holes[:3]) + (" …" if len(holes) > 3 else "")
        parts.append(f"{len(holes)} days have no records at all ({named})")
    if not parts:
        return None
    return "Scores of this period can't be trusted as they are: " + "; ".join(parts) + "."


def by_month(known: Coverage) -> tuple[list[str], np.ndarray]:
    """Months and a (31, months) array of counts by day of the month, NaN where there is no such day."""
    months = known.days.astype("datetime64[M]")
    names = np.arange(months[0], months[-1] + 1)
    table = np.full((31, len(names)), np.nan)
    day = (known.days - months).astype(int)
    table[day, (months - months[0]).astype(int)] = known.counts
    return [str(name) for name in names], table
