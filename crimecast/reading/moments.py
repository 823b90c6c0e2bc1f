"""A column, or several, → local times of the city: the form is judged over all rows, and what is doubtful said."""

from dataclasses import replace
from datetime import date, datetime

import polars as pl

from crimecast.reading import days
from crimecast.reading.clocks import DAY
from crimecast.reading.moment import Asked, Moments, absolute, plain_moments
from crimecast.reading.numbers import moment_numbers
from crimecast.reading.several import components, day_and_clock, is_year, joined_clock
from crimecast.reading.texts import EPOCH, read_text

EARLIEST = 1900  # before it nothing was recorded that a forecast could use
# before it nothing was recorded that a forecast could use


def read_moments(table: pl.DataFrame, columns: list[str], asked: Asked) -> Moments:
    """Read one column of moments; a day and a clock; a day, an hour and a minute; or year, month, day, hour, …

    Raises Doubt where it can be read in several ways.
    """
    parts = [_clean(table[name]) for name in columns]
    if len(parts) == 1:
        return _column(parts[0], asked)
    if len(parts) > 1 and is_year(parts[0]):
        return components(parts, asked)
    clock = parts[1] if len(parts) == 2 else joined_clock(parts[1:])
    found = day_and_clock(_column(parts[0], asked), clock, asked)
    if len(parts) == 2 and found.values.null_count() == len(clock):
        return day_and_clock(_column(clock, asked), parts[0], asked)
    return found


def _clean(series: pl.Series) -> pl.Series:
    if series.dtype.is_numeric() or series.dtype.is_temporal():
        return series
    text = series.cast(pl.String, strict=False).str.strip_chars()
    return text.set(text == "", None) if (text == "").any() else text


def _column(series: pl.Series, asked: Asked) -> Moments:
    if series.dtype.is_temporal():
        return _typed(series, asked)
    if series.dtype.is_numeric():
        return _number_column(series.cast(pl.Float64), asked)
    sample = series.drop_nulls().head(200)
    if sample.str.contains(r"^/Date\(-?\d+").any():
        series = series.str.extract(r"^/Date\((-?\d+)", 1)
        sample = series.drop_nulls().head(200)
    if len(sample) and sample.cast(pl.Float64, strict=False).is_not_null().mean() >= 0.5:  # type: ignore[operator]
        numbers = series.cast(pl.Float64, strict=False)
        given = len(series) - series.null_count()
        empty = int(series.str.to_lowercase().is_in(list(days.EMPTY)).sum())
        if len(numbers) - numbers.null_count() >= 0.98 * (given - empty):
            return _number_column(numbers, asked, given - empty)
    return read_text(series, asked)


def _typed(series: pl.Series, asked: Asked) -> Moments:
    dtype = series.dtype
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            local = series.cast(pl.Datetime("us"))
            whole = bool((local.to_physical() % DAY == 0).all())
            return plain_moments(local, "day" if whole else "minute", asked)
        utc = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None).cast(pl.Datetime("us"))
        return absolute(utc, asked, "times with an offset, converted")
    if dtype == pl.Date:
        return plain_moments(series.cast(pl.Datetime("us")), "day", asked)
    return Moments(
        pl.Series(series.name, [None] * len(series), pl.Datetime("us")), "minute", len(series)
    )


def _number_column(numbers: pl.Series, asked: Asked, given: int | None = None) -> Moments:
    earliest = (date(EARLIEST, 1, 1) - EPOCH).days * DAY
    latest = int((asked.latest - datetime(1970, 1, 1)).total_seconds() * 1e6)
    given = len(numbers) - numbers.null_count() if given is None else given
    found = moment_numbers(numbers.to_numpy().astype(float), earliest, latest, asked.order)
    if found is None:
        return Moments(
            pl.Series(numbers.name, [None] * len(numbers), pl.Datetime("us")), "minute", given
        )
    micros = pl.Series(numbers.name, found.micros).set(pl.Series(~found.known), None)
    values = micros.cast(pl.Datetime("us"))
    unread = given - int(found.known.sum())
    order = found.form if found.form in days.ORDERS else None
    if found.absolute:
        return replace(absolute(values, asked, found.form), unread=unread)
    if not found.whole:
        return replace(plain_moments(values, "month", asked), unread=unread, says="months alone")
    whole = bool((micros.drop_nulls() % DAY == 0).all())
    return replace(
        plain_moments(values, "day" if whole else "minute", asked),
        unread=unread,
        says=found.form,
        order=order,
    )
