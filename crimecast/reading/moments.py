"""A column, or several, → local times of the city: the form is judged over all rows, and what is doubtful said."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from crimecast import UserError
from crimecast.reading import days
from crimecast.reading.abbreviations import (
    in_own_zone,
    standard_alone,
    standard_in_name,
    zone_in_name,
)
from crimecast.reading.clocks import DAY
from crimecast.reading.columns import plain
from crimecast.reading.halves import with_halves
from crimecast.reading.moment import Asked, Moments, absolute, plain_moments, whole_days
from crimecast.reading.notice import Notice
from crimecast.reading.numbers import moment_numbers
from crimecast.reading.parts import Column, Parts, Rows, head, nulls, rows_of, spread
from crimecast.reading.several import (
    components,
    day_and_clock,
    is_year,
    joined_clock,
    month_apart,
    within_day,
    year_apart,
)
from crimecast.reading.texts import EPOCH, read_text
from crimecast.reading.words import ENDING

SAYS_UTC = re.compile(r"(^|_)(utc|gmt|zulu)0?(_|$)")
SAYS_LOCAL = re.compile(r"(^|_)(local|lt)(_|$)")
# The hours from UTC that a name says: Occurred (UTC-5), time_gmt+5:30.
AWAY = re.compile(r"(?i)(?:utc|gmt)\s?([+\-−])\s?(\d{1,2})(?::?(\d{2}))?")
OFFSET = r"(?i)(?:[+\-−]\d{2}:?\d{2}|\d\s?z|utc|gmt|\[.*\])\s*$"
GPS = timedelta(days=3657)  # from 1970 to 1980, when the clocks of GPS began
ROUND = 1_000_000_000  # microseconds: no clock ticks in thousands of seconds
ENOUGH = 20  # rows that are all at midnight by something else than chance
DAWN = re.compile(r"ethiop|habesha|swahili|saa_za")
HALF_CONVERTED = 0.05  # of the dates
EARLIEST = 1900  # before it nothing was recorded that a forecast could use


def read_moments(table: pl.DataFrame | Rows, columns: list[str], asked: Asked) -> Moments:
    """Read one column of moments; a day and a clock; a day, an hour and a minute; or year, month, day, hour, …

    Raises Doubt where it can be read in several ways.
    """
    rows = rows_of(table)
    cleaned = [rows.column(name).map(_clean) for name in columns]
    zoned = [in_own_zone(column, asked.zone) for column in cleaned]
    parts = with_halves([column for column, _ in zoned])
    if len(columns) == 2 and ENDING.search(plain(columns[1])) and within_day(parts[1]):
        parts[1] = _begun(parts[1])
    found = _moments(parts, asked)
    named = [name for name in columns[:2] if SAYS_UTC.search(plain(name))]
    if named and "since" not in found.says and not any(with_offset(c) for c in parts[:2]):
        found = _from_utc(found, named[-1], [name for name in columns if name not in named], asked)
    told = [notice for _, said in zoned for notice in said]
    if found.precision == "minute":
        told += standard_alone(cleaned[-1], asked.zone, found.parts)
        told += [n for name in columns for n in standard_in_name(name, asked.zone, found.parts)]
        told += [n for name in columns for n in zone_in_name(name, asked.zone, rows.height)]
        told += _of_satellites(columns[0], found, asked)
        told += _from_dawn(columns, rows.height)
    return replace(found, notices=(*found.notices, *told))


def with_offset(column: Column) -> bool:
    """Whether the times themselves say how far from UTC they are."""
    first = column.first.dtype
    if isinstance(first, pl.Datetime):
        return first.time_zone is not None
    if first.is_numeric():  # seconds since 1970, not the number of a day or of an hour
        largest = max((float(part.max() or 0) for part in column), default=0.0)  # type: ignore[arg-type]
        return largest > 3e8
    return first == pl.String and bool(head(column, 200).str.contains(OFFSET).any())


def _from_utc(found: Moments, name: str, others: list[str], asked: Asked) -> Moments:
    """Times one of whose columns is named after UTC, or after hours from it, as local ones."""
    if found.precision != "minute":
        return found
    rows = nulls(found.parts)[1]
    if local := [other for other in others if SAYS_LOCAL.search(plain(other))]:
        says = f"'{name}' is named after UTC and '{local[0]}' after local times: both are taken as local. If a day of UTC stands beside a local clock, events near midnight are a day off."
        return replace(found, notices=(*found.notices, Notice("named_utc", says, rows)))
    away = AWAY.search(name)
    shift = 0
    if away:
        minutes = 60 * int(away[2]) + int(away[3] or 0)
        shift = (minutes if away[1] == "+" else -minutes) * 60_000_000
    utc = found.parts.map(lambda part: (part.to_physical() - shift).cast(pl.Datetime("us")))
    local_times = absolute(utc, asked, found.says)
    after = f"{away[1]}{away[2]} hours from UTC" if shift and away else "UTC"
    says = f"'{name}' is named after {after}: its times are converted to the local ones of {asked.zone}. If they are those already, call it otherwise."
    if all(bool((a == b).fill_null(True).all()) for a, b in local_times.parts.beside(found.parts)):
        return found
    return replace(
        found, parts=local_times.parts, notices=(*found.notices, Notice("named_utc", says, rows))
    )


def _of_satellites(name: str, found: Moments, asked: Asked) -> list[Notice]:
    """Says that seconds which are named for GPS may count from 1980."""
    latest = max((part.max() for part in found.parts if len(part.drop_nulls())), default=None)  # type: ignore[type-var]
    if "gps" not in plain(name).split("_") or "since 1970" not in found.says or latest is None:
        return []
    if latest + GPS > asked.latest:  # type: ignore[operator]
        return []
    says = f"'{name}' is named for GPS, whose seconds count from 1980: they are read as seconds since 1970, and if they aren't, every event is ten years too early. Write them as times."
    return [Notice("gps_time", says, nulls(found.parts)[1])]


def _from_dawn(columns: list[str], rows: int) -> list[Notice]:
    """Says that a column is named for clocks that count from six in the morning and in the evening."""
    named = [name for name in columns if DAWN.search(plain(name))]
    if not named:
        return []
    says = f"'{named[0]}' is named for clocks that count from six in the morning and from six in the evening, and is read as one that counts from midnight: every event is at a wrong hour. Write its times so."
    return [Notice("other_clock", says, rows)]


def _begun(hours: Column) -> Column:
    """Hours that are named by their end, 1 to 24, by their beginning; those from 0 on as they are."""
    numbers = hours.map(_as_numbers)
    least = min((float(part.min() or 0) for part in numbers if len(part)), default=0.0)  # type: ignore[arg-type]
    return numbers.map(lambda part: part - 1) if least >= 1 else numbers


def _moments(parts: list[Column], asked: Asked) -> Moments:
    if len(parts) == 1:
        return _column(parts[0], asked)
    if is_year(parts[0]):
        if apart := year_apart(parts[0], parts[1]):
            return _moments([apart, *parts[2:]], asked)
        if len(parts) == 4 and not within_day(parts[3]):
            return day_and_clock(components(parts[:3], asked), parts[3], asked)
        return components(parts, asked)
    if months := month_apart(parts[0], parts[1]):
        return _moments([*months, *parts[1:]], asked)
    clock = parts[1] if len(parts) == 2 else joined_clock(parts[1:])
    found = day_and_clock(_column(parts[0], asked), clock, asked)
    if len(parts) == 2:
        null, size = nulls(found.parts)
        if null == size:
            return day_and_clock(_column(clock, asked), parts[0], asked)
    return found


def _clean(series: pl.Series) -> pl.Series:
    if series.dtype.is_numeric() or series.dtype.is_temporal():
        return series
    text = series.cast(pl.String, strict=False).str.strip_chars()
    return text.set(text == "", None) if (text == "").any() else text


def _column(column: Column, asked: Asked) -> Moments:
    found = _read(column, asked)
    if found.precision != "minute" or not _local_midnights(found.parts, asked.zone):
        return found
    days = absolute(found.parts, asked, found.says)
    rows = nulls(days.parts)[1]
    says = f"All times are midnights of {asked.zone} written in UTC, such as {head(found.parts, 1)[0]}: they are read as the days that begin there."
    notice = Notice("utc_dates", says, rows)
    return replace(days, precision="day", unread=found.unread, notices=(*found.notices, notice))


def _local_midnights(times: Column, zone: str) -> bool:
    """Whether times without an offset are all at midnight of the zone once they are taken for UTC, on several days."""
    days: set[date] = set()
    first = head(times, ENOUGH).to_physical() % DAY
    if len(first) < ENOUGH or first.n_unique() > 2:  # as nearly all columns
        return False
    for part in times:
        given = part.drop_nulls()
        if (given.to_physical() % DAY == 0).any():
            return False
        local = given.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        if (local.dt.replace_time_zone(None).to_physical() % DAY != 0).any():
            return False
        days |= set(given.dt.date().unique().to_list())
    return len(days) > 1


def _read(column: Column, asked: Asked) -> Moments:
    dtype = column.first.dtype
    if dtype.is_temporal():
        return _typed(column, dtype, asked)
    if dtype.is_numeric():
        null, size = nulls(column)
        return _number_column(column.map(_as_numbers), asked, size - null)
    sample = head(column, 200)
    if sample.str.contains(r"^/Date\(-?\d+").any():
        column = column.map(lambda part: part.str.extract(r"^/Date\((-?\d+)", 1))
        sample = head(column, 200)
    if sample.str.contains(
        r"^\d{5},\d+$"
    ).any():  # Excel's days, where the decimal point is a comma
        column = column.map(lambda part: part.str.replace(r"^(\d{5}),(\d+)$", "$1.$2"))
        sample = head(column, 200)
    _refuse_half_converted(column)
    if len(sample) and sample.cast(pl.Float64, strict=False).is_not_null().mean() >= 0.5:  # type: ignore[operator]
        numbers = column.map(_as_numbers)
        null, size = nulls(column)
        empty = sum(int(_empty(part).sum()) for part in column)
        given = size - null - empty
        if size - nulls(numbers)[0] >= 0.98 * given:
            return _number_column(numbers, asked, given)
    return read_text(column, asked)


def _refuse_half_converted(column: Column) -> None:
    """Raises UserError for dates some of which a spreadsheet made days of its own and others text."""
    texts = spread(column, 400, 1000).str.strip_chars()
    days_of_excel = texts.str.contains(r"^[34]\d{4}(\.\d+)?$")
    dates = texts.str.contains(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b")
    converted, written = int(days_of_excel.sum() or 0), int(dates.sum() or 0)
    if min(converted, written) > HALF_CONVERTED * max(1, len(texts)):
        one, other = texts.filter(days_of_excel)[0], texts.filter(dates)[0]
        raise UserError(
            f"Some dates are numbers as a spreadsheet counts days, such as {one[:20]}, others are text, such as {other[:20]}: it made numbers of those it "
            "could read, often with day and month exchanged. Export the dates anew as text, or as YYYY-MM-DD."
        )


def _as_numbers(series: pl.Series) -> pl.Series:
    return series.cast(pl.Float64, strict=False)


def _empty(series: pl.Series) -> pl.Series:
    return series.str.to_lowercase().is_in(list(days.EMPTY))


def _typed(column: Column, dtype: pl.DataType, asked: Asked) -> Moments:
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            local = column.map(lambda part: part.cast(pl.Datetime("us")))
            return plain_moments(local, "day" if whole_days(local) else "minute")
        utc = column.map(
            lambda part: (
                part.dt.convert_time_zone("UTC").dt.replace_time_zone(None).cast(pl.Datetime("us"))
            )
        )
        return absolute(utc, asked, "times with an offset, converted")
    if dtype == pl.Date:
        return plain_moments(column, "day")
    return Moments(column.map(_none), "minute", nulls(column)[1])


def _none(series: pl.Series) -> pl.Series:
    return pl.Series(series.name, [None] * len(series), pl.Datetime("us"))


def _number_column(numbers: Column, asked: Asked, given: int) -> Moments:
    earliest = (date(EARLIEST, 1, 1) - EPOCH).days * DAY
    latest = int((asked.latest - datetime(1970, 1, 1)).total_seconds() * 1e6)
    values = numbers.map(lambda part: part.to_numpy().astype(float))
    found = moment_numbers(values, earliest, latest, asked.order)
    if found is None:
        return Moments(numbers.map(_none), "minute", given)
    times = found.micros.map(lambda micros: micros.cast(pl.Datetime("us")))
    null, size = nulls(times)
    unread = given - (size - null)
    notices: tuple[Notice, ...] = ()
    if found.form == "Excel's days" and (minutes := _rounded(values)):
        says = f"The days, as a spreadsheet counts them, are rounded: a time of day is off by up to {minutes:g} minutes."
        notices = (Notice("rounded_times", says, size - null),)
    order = found.form if found.form in days.ORDERS else None
    if found.absolute:
        made = replace(absolute(times, asked, found.form), unread=unread)
        if made.precision == "minute" and all(
            bool((t.drop_nulls().to_physical() % ROUND == 0).all()) for t in times
        ):
            says = "The seconds since 1970 have lost their last digits, as where a spreadsheet writes 1.54636E+12: times are off by up to hours."
            made = replace(
                made, notices=(*made.notices, Notice("rounded_times", says, size - null))
            )
        return made
    if not found.whole:
        return replace(plain_moments(times, "month"), unread=unread, says="months alone")
    return replace(
        plain_moments(times, "day" if whole_days(times) else "minute"),
        unread=unread,
        says=found.form,
        order=order,
        notices=notices,
    )


def _rounded(values: Parts[np.ndarray]) -> float:
    """By how many minutes days with few decimals may be off, 0 where they have four or more, or none."""
    decimals = 0
    for part in values:
        there = part[np.isfinite(part)]
        while decimals < 4 and (np.abs(there - np.round(there, decimals)) > 1e-9).any():
            decimals += 1
    return round(0.5 * 1440 / 10**decimals, 1) if 0 < decimals < 4 else 0.0
