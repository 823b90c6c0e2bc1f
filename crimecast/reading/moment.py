"""What is known of a column's times: the values, how sure they are, and how a moment becomes local."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import polars as pl

from crimecast import Doubt, UserError
from crimecast.reading.clocks import DAY
from crimecast.reading.notice import Notice


@dataclass(frozen=True)
class Moments:
    """`values`: local times without offset (µs), null where there is none; `precision`: minute, day or month.

    `unread` counts what isn't empty and yet no time; `says` tells how the column was read, `order`
    the order of day and month where one had to be judged.
    """

    values: pl.Series
    precision: str
    unread: int = 0
    says: str = ""
    order: str | None = None
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What is known before a column is read: zones, the order that was said or read before, the latest day."""

    zone: str
    order: str | None = None
    hint: str | None = None
    latest: datetime = field(default_factory=lambda: datetime.now() + timedelta(days=1))


def absolute(utc: pl.Series, asked: Asked, says: str) -> Moments:
    """Moments in UTC → local times; all at midnight in UTC they are dates that a program made into moments."""
    micros = utc.drop_nulls().to_physical()
    midnight = float((micros % DAY == 0).mean() or 0.0)  # type: ignore[arg-type]
    if len(micros) and midnight == 1.0:
        notice = Notice(
            "utc_dates",
            "All times are midnight in UTC: they are read as dates, not moved to local time.",
            len(micros),
        )
        return replace(plain_moments(utc, "day", asked), says="dates", notices=(notice,))
    local = (
        utc.dt.replace_time_zone("UTC").dt.convert_time_zone(asked.zone).dt.replace_time_zone(None)
    )
    found = plain_moments(local, "minute", asked)
    if midnight > 0.3:
        found = replace(found, notices=(*found.notices, _half_midnight(midnight, len(micros))))
    whole = bool((local.drop_nulls().to_physical() % DAY == 0).all())
    return replace(found, says=says, precision="day" if whole else "minute")


def _half_midnight(share: float, rows: int) -> Notice:
    return Notice(
        "midnight_utc",
        f"{share:.0%} of the times are midnight in UTC: they may be dates without a time of day, which converting moves to another day.",
        round(share * rows),
    )


def plain_moments(local: pl.Series, precision: str, asked: Asked) -> Moments:
    """Dates and times that are local as they stand."""
    return Moments(local.cast(pl.Datetime("us")), precision)


def assemble(read: pl.DataFrame, asked: Asked) -> Moments:
    """`micros` of the day + `clock` − `offset` → local time."""
    local = read["micros"] + read["clock"]
    offset = read["offset"]
    aware = offset.is_not_null() & local.is_not_null()
    if not aware.any():
        whole = bool((read["clock"].drop_nulls() == 0).all())
        return Moments(local.cast(pl.Datetime("us")), "day" if whole else "minute")
    utc = (local - offset.fill_null(0) * 1_000_000).cast(pl.Datetime("us"))
    converted = absolute(utc.filter(aware), asked, "with offset")
    if aware.all():
        values = converted.values
    else:
        values = local.cast(pl.Datetime("us"))
        values = values.scatter(aware.arg_true(), converted.values)
    notices = converted.notices
    plain = int((~aware & local.is_not_null()).sum())
    if plain:
        notices += (
            Notice(
                "mixed_offsets",
                f"{plain:,} times have no offset from UTC while others do; they are taken as local.",
                plain,
            ),
        )
    whole = converted.precision == "day" and bool(
        (values.drop_nulls().to_physical() % DAY == 0).all()
    )
    return Moments(values, "day" if whole else "minute", notices=notices)


def no_time(columns: list[str]) -> UserError:
    """The sentence for columns that hold no time."""
    return Doubt(
        f"The column {' + '.join(columns)} holds no time that can be read; choose another for the time.",
        "--map time=COLUMN",
    )
