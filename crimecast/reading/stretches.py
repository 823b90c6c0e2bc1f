"""Months whose hours lie otherwise than those of the rest: afternoons that are missing, hours that are shifted.

A shift is told by the likelihood of a month's hours under those of the other months, turned by so many hours.
"""

import numpy as np
import polars as pl

from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts

FEW, REST = 30, 150  # records of a month, and of the others, from which on they tell
GAIN, SHARP = 15.0, 0.04  # nats by which the turned hours have to fit better, in all and a record
NEAR = 3  # hours by which a month's may differ from the year's
AFTERNOON = slice(13, 24)
CLOCK = pl.col("time").dt.hour().cast(pl.Int32) * 60 + pl.col("time").dt.minute()
TOLD = (CLOCK != 0) & (CLOCK != 720)  # exact midnights and noons often stand for an unknown hour


def stretches(events: Parts[pl.DataFrame]) -> list[Notice]:
    """Notices on months of kept events (`time`) whose hours are unlike those of the others."""
    time = pl.col("time")
    parts = [
        part.filter(TOLD)
        .group_by(time.dt.truncate("1mo").alias("month"), time.dt.hour().alias("hour"))
        .agg(pl.len().cast(pl.Int64).alias("rows"))
        for part in events
    ]
    table = pl.concat(parts).group_by("month", "hour").agg(pl.col("rows").sum()).sort("month")
    months = table["month"].unique().sort()
    if len(months) < 2:
        return []
    hours = np.zeros((len(months), 24))
    hours[months.search_sorted(table["month"]).to_numpy(), table["hour"].to_numpy()] = table["rows"].to_numpy()  # fmt: skip
    names = months.dt.strftime("%Y-%m").to_list()
    alone = _mornings(hours)
    return [*_half_days(hours, names, alone), *_shifts(np.where(alone[:, None], 0, hours), names)]


def _mornings(hours: np.ndarray) -> np.ndarray:
    """(M,) bool: months without an hour after 12."""
    made: np.ndarray = (hours[:, AFTERNOON].sum(1) == 0) & (hours[:, 0] == 0)
    return made & (hours.sum(1) >= FEW)


def _half_days(hours: np.ndarray, names: list[str], alone: np.ndarray) -> list[Notice]:
    """Says which months have no hour after 12, where the others have many."""
    rest = hours[~alone].sum(0)
    if not alone.any() or rest.sum() < REST or rest[AFTERNOON].sum() < 0.25 * rest.sum():
        return []
    rows = int(hours[alone].sum())
    says = f"In {_list(names, alone)} no hour is after 12, as where AM and PM were left out: afternoons are taken for mornings. Leave that time out, or have it put right."
    return [Notice("half_of_day", says, rows)]


def _shifts(hours: np.ndarray, names: list[str]) -> list[Notice]:
    """Months, or all from one on, whose hours are those of the others turned."""
    whole = hours.sum(0)
    by_month = [turn(month, whole - month) for month in hours]
    cuts = [turn(hours[cut:].sum(0), hours[:cut].sum(0)) for cut in range(1, len(hours))]
    best = max(range(len(cuts)), key=lambda cut: cuts[cut][1])
    shift, gain = cuts[best]
    single = np.array([one[0] for one in by_month])
    if shift and gain > 2 * max(one[1] for one in by_month):
        rows, said = int(hours[best + 1 :].sum()), f"From {names[best + 1]} on"
    elif (single != 0).any() and (single != 0).mean() < 0.5:
        shift = int(single[np.argmax(single != 0)])
        rows, said = int(hours[single == shift].sum()), f"In {_list(names, single == shift)}"
    else:
        return []
    says = f"{said} hours lie about {abs(shift)} {'later' if shift > 0 else 'earlier'} than in the rest, as in another time zone or a clock set wrong: steps of hours, and days at their edges, would be wrong. Leave that time out, or have it put right."
    return [Notice("rhythm_part", says, rows)]


def turn(own: np.ndarray, rest: np.ndarray) -> tuple[int, float]:
    """By how many hours some are later than the rest, and the gain in log-likelihood; 0 where they aren't."""
    if own.sum() < FEW or rest.sum() < REST:
        return 0, 0.0
    usual = np.log((rest + 0.5) / (rest + 0.5).sum())
    fits = np.array([own @ np.roll(usual, shift) for shift in range(-12, 12)])
    best = int(fits.argmax())
    gain = float(fits[best] - fits[12 - NEAR + 1 : 12 + NEAR].max())
    sure = gain > GAIN and gain > SHARP * own.sum()
    return (best - 12, gain) if sure else (0, 0.0)


def _list(names: list[str], chosen: np.ndarray) -> str:
    some = [name for name, one in zip(names, chosen, strict=True) if one]
    return ", ".join(some[:4]) + (" …" if len(some) > 4 else "")
