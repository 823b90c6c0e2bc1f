"""What the order in which rows lie betrays: days and months exchanged, or last year's number, where without it
the file would be in the order of time.
"""

from bisect import bisect_right

import numpy as np
import polars as pl

from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts, every

FEWEST, MOST = 100, 20_000  # rows from which on an order is seen, and of which it is looked for
SORTED, NEARLY = 0.97, 0.75  # shares of the rows that lie in order
FEW = 3  # rows that may lie anywhere
REPAIRED = 0.5  # share of the others that one change puts in order
ROOM = np.timedelta64(2, "D")
OPEN = np.timedelta64(365, "D")
TURNED = "day and month exchanged"


def out_of_order(times: Parts[pl.Series]) -> list[Notice]:
    """Notices on a file that is nearly in the order of time, and would be wholly with some dates changed."""
    height = sum(len(part) for part in times)
    step = max(1, -(-height // MOST))
    frames = (part.alias("time").to_frame() for part in times)
    given = every(frames, step, MOST).drop_nulls()["time"].cast(pl.Datetime("us"))
    if len(given) < FEWEST:
        return []
    now = given.to_numpy()
    ahead = float((np.diff(now) >= np.timedelta64(0)).mean())
    if 0.35 < ahead < 0.65:  # in no order
        return []
    if ahead < 0.5:
        now = now[::-1]
    inside = _in_order(now)
    if inside.mean() >= SORTED and (~inside).sum() < FEW:
        return []
    turned = _turned(now)
    if inside.mean() < SORTED and _in_order(turned).mean() >= max(SORTED, inside.mean() + 0.1):
        return [_notice(TURNED, now, np.flatnonzero(turned != now), step)]
    if inside.mean() < NEARLY:
        return []
    out = np.flatnonzero(~inside)
    places = np.flatnonzero(inside)
    after = np.searchsorted(places, out)
    # Before the first and after the last that lie in order, a year is left open.
    low = np.where(after > 0, now[places[np.maximum(after - 1, 0)]] - ROOM, now[places[0]] - OPEN)
    high = np.where(
        after < len(places),
        now[places[np.minimum(after, len(places) - 1)]] + ROOM,
        now[places[-1]] + OPEN,
    )
    for what, other in ((TURNED, turned), ("another year", _in_year(now, 1)), ("another year", _in_year(now, -1))):  # fmt: skip
        put = (other[out] >= low) & (other[out] <= high) & (other[out] != now[out])
        if put.mean() > REPAIRED and put.sum() >= FEW:
            return [_notice(what, now, out[put], step)]
    return []


def _notice(what: str, now: np.ndarray, rows: np.ndarray, step: int) -> Notice:
    day = str(now[rows[0]])[:10]
    says = (
        f"The file lies in the order of time, but for {len(rows) * step:,} rows, such as one of {day}, that would with {what}: "
        "they may be wrongly written. Look at them, and put them right or leave them out."
    )
    return Notice("order_broken", says, len(rows) * step)


def _in_order(times: np.ndarray) -> np.ndarray:
    """(N,) bool: a longest part of the rows of which none is before the one above it."""
    ends: list[np.datetime64] = []
    at: list[int] = []
    came = np.full(len(times), -1)
    for number, time in enumerate(times.astype(np.int64).tolist()):
        place = bisect_right(ends, time)
        came[number] = at[place - 1] if place else -1
        if place == len(ends):
            ends.append(time)
            at.append(number)
        else:
            ends[place], at[place] = time, number
    inside = np.zeros(len(times), dtype=bool)
    number = at[-1]
    while number >= 0:
        inside[number] = True
        number = int(came[number])
    return inside


def _turned(times: np.ndarray) -> np.ndarray:
    """The times with day and month exchanged where both can be either."""
    series = pl.Series(times).cast(pl.Datetime("us"))
    day, month, rest = series.dt.day(), series.dt.month(), series - series.dt.truncate("1d")
    either = day <= 12
    other = pl.datetime(series.dt.year(), day.clip(1, 12), month.zip_with(either, day.clip(1, 1)), time_unit="us")  # fmt: skip
    made = pl.select(other + rest).to_series()
    return made.zip_with(either, series).to_numpy()


def _in_year(times: np.ndarray, by: int) -> np.ndarray:
    """The times of another year."""
    return pl.Series(times).dt.offset_by(f"{by}y").to_numpy()
