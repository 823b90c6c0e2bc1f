"""What is known of a column's times: the values, how sure they are, and how a moment becomes local."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import polars as pl

from crimecast import Doubt, UserError
from crimecast.reading.clocks import DAY
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Column, Parts, nulls


@dataclass(frozen=True)
class Moments:
    """`parts`: local times without offset (µs), null where there is none; `precision`: minute, day or month.

    `unread` counts what isn't empty and yet no time; `says` tells how the column was read, `order`
    the order of day and month where one had to be judged.
    """

    parts: Column
    precision: str
    unread: int = 0
    says: str = ""
    order: str | None = None
    notices: tuple[Notice, ...] = ()

    @property
    def values(self) -> pl.Series:
        """The times of a column in memory."""
        return self.parts.first


@dataclass(frozen=True)
class Asked:
    """What is known before a column is read: zones, the order that was said or read before, the latest day."""

    zone: str
    order: str | None = None
    hint: str | None = None
    latest: datetime = field(default_factory=lambda: datetime.now() + timedelta(days=1))


def absolute(utc: Column, asked: Asked, says: str) -> Moments:
    """Moments in UTC → local times; all at midnight in UTC they are dates that a program made into moments."""
    rows, at_midnight = 0, 0
    for part in utc:
        micros = part.drop_nulls().to_physical()
        rows, at_midnight = rows + len(micros), at_midnight + int((micros % DAY == 0).sum())
    midnight = at_midnight / rows if rows else 0.0
    if rows and midnight == 1.0:
        notice = Notice(
            "utc_dates",
            "All times are midnight in UTC: they are read as dates, not moved to local time.",
            rows,
        )
        return replace(plain_moments(utc, "day"), says="dates", notices=(notice,))
    local = utc.map(
        lambda part: (
            part.dt.replace_time_zone("UTC")
            .dt.convert_time_zone(asked.zone)
            .dt.replace_time_zone(None)
        )
    )
    found = plain_moments(local, "day" if whole_days(local) else "minute")
    if midnight > 0.3:
        found = replace(found, notices=(*found.notices, _half_midnight(midnight, rows)))
    return replace(found, says=says)


def whole_days(local: Column) -> bool:
    """Whether all times are midnight."""
    return all(bool((part.drop_nulls().to_physical() % DAY == 0).all()) for part in local)


def _half_midnight(share: float, rows: int) -> Notice:
    return Notice(
        "midnight_utc",
        f"{share:.0%} of the times are midnight in UTC: they may be dates without a time of day, which converting moves to another day.",
        round(share * rows),
    )


def plain_moments(local: Column, precision: str) -> Moments:
    """Dates and times that are local as they stand."""
    return Moments(local.map(lambda part: part.cast(pl.Datetime("us"))), precision)


def assemble(read: Parts[pl.DataFrame], asked: Asked) -> Moments:
    """`micros` of the day + `clock` − `offset` → local time."""
    local = read.map(lambda part: (part["micros"] + part["clock"]).cast(pl.Datetime("us")))
    utc = read.map(_in_utc)
    null, size = nulls(utc)
    if null == size:
        whole = all(bool((part["clock"].drop_nulls() == 0).all()) for part in read)
        return Moments(local, "day" if whole else "minute")
    converted = absolute(utc, asked, "with offset")
    notices = converted.notices
    plain = 0
    values = converted.parts
    for part, moved in local.beside(utc):
        plain += int((part.is_not_null() & moved.is_null()).sum())
    if plain:
        values = local.beside(values).map(
            lambda both: pl.select(pl.coalesce(both[1], both[0])).to_series()
        )
        notices += (
            Notice(
                "mixed_offsets",
                f"{plain:,} times have no offset from UTC while others do; they are taken as local.",
                plain,
            ),
        )
    return Moments(values, "day" if whole_days(values) else "minute", notices=notices)


def _in_utc(read: pl.DataFrame) -> pl.Series:
    """The moments of the rows that have an offset."""
    return (read["micros"] + read["clock"] - read["offset"] * 1_000_000).cast(pl.Datetime("us"))


def no_time(columns: list[str]) -> UserError:
    """The sentence for columns that hold no time."""
    return Doubt(
        f"The column {' + '.join(columns)} holds no time that can be read; choose another for the time.",
        "--map time=COLUMN",
    )
