"""What times seem to have lost, seen from all of them: halves of the day, days of the week or the month."""

import numpy as np
import polars as pl

from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts


def half_clocks(times: Parts[pl.Series]) -> Notice | None:
    """Says that all hours run from 1 to 12, as where AM and PM were lost."""
    hours = np.zeros(24, dtype=np.int64)
    for part in times:
        hours += np.bincount(part.drop_nulls().dt.hour().to_numpy(), minlength=24)
    total = int(hours.sum())
    # Of records at all hours, 40 have none after noon once in many millions of files.
    if total < 40 or hours[13:].any() or hours[0] or (hours[1:13] > 0).sum() < 10:
        return None
    return Notice(
        "half_of_day",
        "All hours run from 1 to 12, and none is later or earlier: AM and PM seem to be lost, so that afternoons are taken for mornings.",
        total,
    )


def few_days(times: Parts[pl.Series]) -> Notice | None:
    """Says that all days are of one weekday, which stands for the week, or none is beyond the 7th."""
    total, weekdays, last, weeks = 0, set[int](), 0, set[object]()
    for part in times:
        there = part.drop_nulls()
        total += len(there)
        weekdays |= set(there.dt.weekday().unique().to_list())
        last = max(last, int(there.dt.day().max() or 0))  # type: ignore[arg-type]
        weeks |= set(there.dt.truncate("1w").unique().to_list())
    if total < 40 or len(weeks) < 4:
        return None
    if len(weekdays) == 1:
        return Notice(
            "weeks_only",
            "Every date is of the same day of the week: only weeks seem to be known. Use steps of a week.",
            total,
        )
    if last <= 7 and len(weeks) > 3:
        return Notice(
            "first_of_month",
            "No date is beyond the 7th of its month: the column of days may hold days of the week.",
            total,
        )
    return None


def first_days(times: Parts[pl.Series]) -> Notice | None:
    """Says that all days are the first of a month, which stands for the month alone."""
    months: set[object] = set()
    total = 0
    for part in times:
        there = part.drop_nulls()
        if len(there) and bool((there.dt.day() != 1).any()):
            return None
        months |= set(there.dt.truncate("1mo").unique().to_list())
        total += len(there)
    if total < 12 or len(months) < 3:
        return None
    return Notice(
        "first_of_month",
        "Every date is the first of its month: only months seem to be known. Use steps of a month; in shorter ones these days look like peaks.",
        total,
    )
