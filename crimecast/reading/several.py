"""A time in several columns: a day and a clock, or year, month, day, hour and minute."""

import re
from dataclasses import replace

import numpy as np
import polars as pl

from crimecast.reading import clocks, days
from crimecast.reading.clocks import DAY
from crimecast.reading.moment import Asked, Moments, assemble
from crimecast.reading.notice import Notice
from crimecast.reading.numbers import clock_numbers
from crimecast.reading.texts import SPLIT


def is_year(series: pl.Series) -> bool:
    """Whether a column holds years: most of its values are numbers of four digits."""
    if series.dtype.is_temporal():
        return False
    number = series.cast(pl.Float64, strict=False).drop_nulls()
    return len(number) > 0 and int(number.is_between(1000, 2999).sum()) > 0.5 * len(number)


def day_and_clock(base: Moments, clock: pl.Series, asked: Asked) -> Moments:
    """The clock of one column on the days of another, `base`."""
    span, says, zoned = _clock_column(clock)
    local = base.values.dt.truncate("1d").to_physical() + span
    frame = pl.DataFrame(
        {
            "micros": local,
            "clock": pl.repeat(0, len(local), dtype=pl.Int64, eager=True),
            "offset": zoned,
        }
    )
    found = assemble(frame, asked)
    missing = int((base.values.is_not_null() & span.is_null()).sum())
    notices = (*base.notices, *found.notices)
    if missing:
        notices += (
            Notice(
                "no_clock",
                f"{missing:,} rows have a day but no time of day that can be read; they are left out.",
                missing,
            ),
        )
    return replace(
        base,
        values=found.values,
        precision="minute",
        says=f"{base.says}, clock as {says}",
        notices=notices,
    )


def _clock_column(series: pl.Series) -> tuple[pl.Series, str, pl.Series]:
    """Microseconds since midnight of every row, how they are written, and offsets in seconds."""
    none = pl.select(pl.repeat(None, len(series), dtype=pl.Int64)).to_series()
    if series.dtype == pl.Time:
        return series.to_physical() // 1000, "times", none
    if isinstance(series.dtype, pl.Datetime):
        return series.cast(pl.Datetime("us")).to_physical() % DAY, "times", none
    if isinstance(series.dtype, pl.Duration):
        return series.cast(pl.Duration("us")).to_physical(), "times", none
    if not series.dtype.is_numeric():
        number = series.cast(pl.Float64, strict=False)
        given = len(series) - series.null_count()
        if given and number.is_not_null().sum() < 0.5 * given:
            return _clock_texts(series, none)
        lengths = series.str.len_chars().drop_nulls()
        padded = bool(len(lengths)) and bool((lengths == 4).all())
    else:
        number, padded = series.cast(pl.Float64), False
    values = number.to_numpy().astype(float)
    if padded:  # 0015 is a quarter past midnight, whatever the rest holds
        hour, minute = np.floor(values / 100), values % 100
        good = (minute < 60) & (hour * 60 + minute <= 1440)
        micros = np.where(good, (hour * 60 + minute) * 60_000_000, 0)
        return (
            pl.Series(np.nan_to_num(micros).astype(np.int64)).set(pl.Series(~good), None),
            "HHMM",
            none,
        )
    found = clock_numbers(values)
    if found is None:
        return none, "nothing known", none
    micros, known, form = found
    return pl.Series(micros).set(pl.Series(~known), None), form, none


def _clock_texts(series: pl.Series, none: pl.Series) -> tuple[pl.Series, str, pl.Series]:
    lexed = {text: clocks.lex(text) for text in series.unique() if text is not None}
    if sum(clock is None for clock in lexed.values()) > 0.5 * len(lexed):
        # A whole moment whose day means nothing: 1899-12-30 23:45:00, 01/01/1900 11:45 PM.
        series = series.str.extract(SPLIT, 2)
        lexed = {text: clocks.lex(text) for text in series.unique() if text is not None}
    for text, clock in lexed.items():  # 2345 among 23:46
        if clock is None and re.fullmatch(r"\d{1,3}", text):
            lexed[text] = clocks.lex(text.zfill(4))
    micros = {text: clock.micros for text, clock in lexed.items() if clock is not None}
    offsets = {t: c.offset for t, c in lexed.items() if c is not None and c.offset is not None}
    zoned = series.replace_strict(offsets, default=None, return_dtype=pl.Int64) if offsets else none
    return series.replace_strict(micros, default=None, return_dtype=pl.Int64), "text", zoned


def is_clock(text: str) -> bool:
    """Whether a text is a time of day, alone or after a day long ago as spreadsheets keep it."""
    if clocks.lex(text) is not None:
        return True
    parts = re.fullmatch(SPLIT, text)
    day = days.lex(parts[1]) if parts else None
    if parts is None or day is None or clocks.lex(parts[2]) is None:
        return False
    return any(year in (day.ymd or day.numbers) for year in (1899, 1900, 1970))


def joined_clock(parts: list[pl.Series]) -> pl.Series:
    """Hour, minute, second columns as microseconds-of-day text that `clocks.lex` reads."""
    whole = [
        pl.Series(part.cast(pl.Float64, strict=False)).cast(pl.Int64, strict=False)
        for part in parts
    ]
    text = whole[0].cast(pl.String)
    for part in whole[1:3]:
        text = text + ":" + part.cast(pl.String).str.zfill(2)
    return text


def components(parts: list[pl.Series], asked: Asked) -> Moments:
    """Year, month (a number or a name), day, hour, minute, second."""
    names = ["year", "month", "day", "hour", "minute", "second"]
    numbers: dict[str, np.ndarray] = {}
    for name, part in zip(names, parts, strict=False):
        value = part.cast(pl.Float64, strict=False)
        if name == "month" and value.null_count() == len(value) and part.dtype == pl.String:
            named = {t: days.month_number(t.lower()) for t in part.unique() if t is not None}
            value = part.replace_strict(named, default=None, return_dtype=pl.Float64)
        numbers[name] = value.to_numpy().astype(float)
    size = len(parts[0])
    whole = "day" in numbers
    good = np.ones(size, dtype=bool)
    for values in numbers.values():
        good &= np.isfinite(values) & (np.abs(values) < 1e6)
    part_of = {
        name: np.where(
            good, numbers.get(name, np.full(size, 1.0 if name in ("month", "day") else 0.0)), 1
        ).astype(np.int64)
        for name in names
    }
    good &= (
        (part_of["month"] >= 1)
        & (part_of["month"] <= 12)
        & (part_of["year"] >= 1)
        & (part_of["year"] < 9999)
    )
    good &= (
        (part_of["hour"] >= 0)
        & (part_of["hour"] <= 24)
        & (part_of["minute"] >= 0)
        & (part_of["minute"] < 60)
    )
    month = (
        (np.where(good, part_of["year"], 1970) - 1970)
        .astype("datetime64[Y]")
        .astype("datetime64[M]")
    )
    month = month + (np.where(good, part_of["month"], 1) - 1)
    day = month.astype("datetime64[D]") + (part_of["day"] - 1)
    good &= (day.astype("datetime64[M]") == month) & (part_of["day"] >= 1)
    clock = ((part_of["hour"] * 60 + part_of["minute"]) * 60 + part_of["second"]) * 1_000_000
    good &= clock <= DAY
    micros = day.astype("datetime64[us]").astype(np.int64) + clock
    found = pl.Series(micros).set(pl.Series(~good), None).cast(pl.Datetime("us"))
    precision = "month" if not whole else ("minute" if len(parts) > 3 else "day")
    return Moments(found, precision, int((~good).sum()), says="from its parts")
