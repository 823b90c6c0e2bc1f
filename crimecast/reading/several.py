"""A time in several columns: a day and a clock, or year, month, day, hour and minute."""

import re
from dataclasses import replace
from datetime import time

import numpy as np
import polars as pl

from crimecast import UserError
from crimecast.reading import clocks, days
from crimecast.reading.clock_numbers import clock_numbers
from crimecast.reading.clocks import DAY
from crimecast.reading.moment import Asked, Moments, assemble
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Column, Parts, head, nulls
from crimecast.reading.texts import SPLIT

RANGE = re.compile(r"^\s*(\d{1,2}:?\d{2})\s*[-–]\s*(\d{1,2}:?\d{2})\s*$")
AMONG = 0.1  # of clocks such as 1830, those below 25, from which on hours are among them
OFFSETS = 4  # from UTC that one city's clocks may have, summers and errors included


def is_year(column: Column) -> bool:
    """Whether a column holds years: most of its values are numbers of four digits."""
    if column.first.dtype.is_temporal():
        return False
    given = years = 0
    for part in column:
        number = part.cast(pl.Float64, strict=False)
        given += len(part) - part.null_count()
        years += int(number.is_between(1000, 2999).sum())
    return given > 0 and years > 0.5 * given


def day_and_clock(base: Moments, clock: Column, asked: Asked) -> Moments:
    """The clock of one column on the days of another, `base`."""
    spans, says = _clock_column(clock)
    late_days = _an_hour_early(base.parts)
    frame = base.parts.beside(spans).map(
        lambda both: both[1].select(
            (
                both[0].dt.offset_by(late_days).dt.truncate("1d").to_physical() + both[1]["span"]
            ).alias("micros"),
            pl.lit(0, pl.Int64).alias("clock"),
            "offset",
        )
    )
    found = assemble(frame, asked)
    missing = sum(
        int((days.is_not_null() & part["span"].is_null()).sum())
        for days, part in base.parts.beside(spans)
    )
    notices = (*base.notices, *found.notices)
    late = sum(int((part["span"] == DAY).sum()) for part in spans)
    early = sum(int((part["span"] < DAY // 24).sum()) for part in spans)
    if says == "hours" and late and not early:
        text = "Hours run from 1 to 24, and are taken as o'clock: if 1 stands for the hour from 0:00 to 1:00, every event is an hour late."
        notices += (Notice("hours_to_24", text, late),)
    if alone := _hours_among(clock, says):
        text = f"{alone:,} clocks have one or two digits, such as 18, where others have four: as hour and minute they are shortly after midnight. Where four digits begin with a zero they are read as hours."
        notices += (Notice("clock_two_ways", text, alone),)
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
        parts=found.parts.kept(),
        precision="minute",
        says=f"{base.says}, clock as {says}",
        notices=notices,
    )


def _an_hour_early(days: Parts[pl.Series]) -> str:
    """By how much days have to be later, so that each is its own: those of midnight the whole year in one season's hour, an
    hour before it in the other's."""
    clocks = {time for part in days for time in part.dt.time().unique().drop_nulls().to_list()}
    return "1h" if clocks == {time(0), time(23)} else "0h"


def _clock_column(column: Column) -> tuple[Parts[pl.DataFrame], str]:
    """Microseconds since midnight of every row (`span`) with the `offset` in seconds, and how they are written."""
    dtype = column.first.dtype
    if dtype == pl.Time:
        return column.map(lambda part: _spans(part.to_physical() // 1000)), "times"
    if isinstance(dtype, pl.Datetime):
        return (
            column.map(lambda part: _spans(part.cast(pl.Datetime("us")).to_physical() % DAY)),
            "times",
        )
    if isinstance(dtype, pl.Duration):
        return (
            column.map(lambda part: _spans(part.cast(pl.Duration("us")).to_physical())),
            "times",
        )
    number = column.map(lambda part: part.cast(pl.Float64, strict=False))
    padded = False
    if not dtype.is_numeric():
        null, size = nulls(column)
        if size > null and size - nulls(number)[0] < 0.5 * (size - null):
            return _clock_texts(column), "text"
        padded = size > null and all(
            bool((part.str.len_chars().drop_nulls() == 4).all()) for part in column
        )
    if not dtype.is_numeric() and any(part.str.contains(r"^0\d{3}$").any() for part in column):
        # Where 0015 is a quarter past midnight, 15 is an hour.
        full = column.map(lambda part: part.str.replace(r"^(\d{1,2})$", "${1}00"))
        number, padded = full.map(lambda part: part.cast(pl.Float64, strict=False)), True
    values = number.map(lambda part: part.to_numpy().astype(float))
    if padded:  # 0015 is a quarter past midnight, whatever the rest holds
        return values.map(_padded), "HHMM"
    found = clock_numbers(values)
    if found is None:
        return values.map(lambda part: _spans(pl.Series([None] * len(part), dtype=pl.Int64))), (
            "nothing known"
        )
    return found[0].map(_spans), found[1]


def _hours_among(column: Column, says: str) -> int:
    """How many clocks in the form HHMM are 1 to 24, where they are far more than the minutes after midnight."""
    if says != "HHMM":
        return 0
    numbers = [part.cast(pl.Float64, strict=False) for part in column]
    low, given = (
        sum(int(part.is_between(1, most).sum()) for part in numbers) for most in (24, 2400)
    )
    return low if low > AMONG * given else 0


def _spans(span: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"span": span}).with_columns(pl.lit(None, pl.Int64).alias("offset"))


def _padded(values: np.ndarray) -> pl.DataFrame:
    hour, minute = np.floor(values / 100), values % 100
    good = (minute < 60) & (hour * 60 + minute <= 1440)
    # Beside them parts of a day, as a spreadsheet has them.
    count = np.where((values > 0) & (values < 1), np.round(values * 1440), hour * 60 + minute)
    micros = np.where(good, count * 60_000_000, 0)
    return _spans(pl.Series(np.nan_to_num(micros).astype(np.int64)).set(pl.Series(~good), None))


def _clock_texts(column: Column) -> Parts[pl.DataFrame]:
    column = _starts(column)
    lexed = _lexed(column)
    dummy = False
    if sum(clock is None for clock in lexed.values()) > 0.5 * len(lexed):
        # A whole moment whose day means nothing: 1899-12-30 23:45:00, 01/01/1900 11:45 PM.
        column = column.map(lambda part: part.str.extract(SPLIT, 2))
        lexed, dummy = _lexed(column), True
    for text, clock in lexed.items():  # 2345 among 23:46
        if clock is None and re.fullmatch(r"\d{1,3}", text):
            lexed[text] = clocks.lex(text.zfill(4))
    micros = {text: clock.micros for text, clock in lexed.items() if clock is not None}
    # On a day that means nothing an offset from UTC means none either.
    offsets = {
        t: c.offset
        for t, c in lexed.items()
        if c is not None and c.offset is not None and not dummy
    }

    def spans(part: pl.Series) -> pl.DataFrame:
        found = _spans(part.replace_strict(micros, default=None, return_dtype=pl.Int64))
        if not offsets:
            return found
        zoned = part.replace_strict(offsets, default=None, return_dtype=pl.Int64)
        return found.with_columns(zoned.alias("offset"))

    return column.map(spans)


def _starts(column: Column) -> Column:
    """Of ranges such as 0800-0900 the start; with a few ends only, they are offsets from UTC."""
    texts = {text for part in column for text in part.unique() if text is not None}
    ends = [match[2] for text in texts if (match := RANGE.fullmatch(text))]
    if len(set(ends)) <= OFFSETS or len(ends) < 0.7 * len(texts):
        return column
    return column.map(lambda part: part.str.extract(RANGE.pattern, 1))


def _lexed(column: Column) -> dict[str, clocks.Clock | None]:
    texts = {text for part in column for text in part.unique() if text is not None}
    return {text: clocks.lex(text) for text in texts}


def is_clock(text: str) -> bool:
    """Whether a text is a time of day, alone or after a day long ago as spreadsheets keep it."""
    if clocks.lex(text) is not None or RANGE.fullmatch(text):
        return True
    parts = re.fullmatch(SPLIT, text)
    day = days.lex(parts[1]) if parts else None
    if parts is None or day is None or clocks.lex(parts[2]) is None:
        return False
    return any(year in (day.ymd or day.numbers) for year in (1899, 1900, 1970))


def day_of(text: str) -> str | None:
    """The day that stands before a clock in one text, as it is written."""
    parts = re.fullmatch(SPLIT, text)
    return parts[1] if parts and clocks.lex(parts[2]) is not None else None


def joined_clock(parts: list[Column]) -> Column:
    """Hour, minute, second columns as microseconds-of-day text that `clocks.lex` reads."""
    return parts[0].beside(*parts[1:3]).map(_joined)


def _joined(parts: tuple[pl.Series, ...]) -> pl.Series:
    whole = [_digits(part.cast(pl.Float64, strict=False)) for part in parts]
    text = whole[0]
    for part in whole[1:]:
        text = text + ":" + part.str.zfill(2)
    return text


def year_apart(year: Column, day: Column) -> Column | None:
    """Days whose year stands in a column of its own, 01/31 or 31-Jan beside 2020, as one text; None where the
    other holds no such days. Numbers are days of the year where some are beyond any month's."""
    number = day.map(lambda part: part.cast(pl.Float64, strict=False))
    sign = " "
    if 2 * nulls(number)[0] < nulls(number)[1]:
        most = max((float(part.fill_nan(None).max() or 0) for part in number), default=0.0)  # type: ignore[arg-type]
        if not 31 < most <= 366:
            return None
        sign, day = "-", number.map(lambda part: _digits(part).str.zfill(3))
    elif day.first.dtype != pl.String:
        return None
    joined = day.beside(year.map(lambda part: _digits(part.cast(pl.Float64, strict=False)))).map(
        lambda both: both[1] + "-" + both[0] if sign == "-" else both[0] + " " + both[1]
    )
    begin = [days.lex(text) for text in head(joined, 200)]
    whole = sum(found is not None and found.whole for found in begin)
    return joined if begin and whole > 0.9 * len(begin) else None


def month_apart(month: Column, day: Column) -> list[Column] | None:
    """The year and the month of months, 2019-01 or 201901, beside whose column the days in them stand; None
    where it is otherwise."""
    texts = head(month.map(lambda part: part.cast(pl.String, strict=False)), 200)
    lexed = [days.lex(_month_text(text)) for text in texts]
    if not lexed or any(one is None or one.whole for one in lexed) or not up_to(day, 31):
        return None
    named = month.map(lambda part: part.cast(pl.String, strict=False))

    def part_of(number: int) -> Column:
        def taken(part: pl.Series) -> pl.Series:
            known = {t: one.ymd[number] for t in part.unique() if t and (one := days.lex(_month_text(t))) and one.ymd}  # fmt: skip
            return part.replace_strict(known, default=None, return_dtype=pl.Int64)

        return named.map(taken)

    return [part_of(0), part_of(1)]


def _month_text(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}" if re.fullmatch(r"(19|20)\d{4}(\.0)?", text) else text


def within_day(column: Column) -> bool:
    """Whether a column holds hours: whole numbers up to 24."""
    return up_to(column, 24)


def up_to(column: Column, most: int) -> bool:
    """Whether nearly all that a column holds are whole numbers from 0 to `most`."""
    if column.first.dtype.is_temporal():
        return False
    given = good = 0
    for part in column:
        number = part.cast(pl.Float64, strict=False)
        given += len(part) - part.null_count()
        good += int((number.is_between(0, most) & (number % 1 == 0)).sum())
    return given > 0 and good > 0.9 * given


def _digits(numbers: pl.Series) -> pl.Series:
    return numbers.cast(pl.Int64, strict=False).cast(pl.String)


NAMES = ["year", "month", "day", "hour", "minute", "second"]


def components(parts: list[Column], asked: Asked) -> Moments:
    """Year, month (a number or a name), day, hour, minute, second."""
    parts = parts[: len(NAMES)]
    if len(parts) > 1 and parts[1].first.dtype == pl.String:
        null, size = nulls(parts[1].map(lambda part: part.cast(pl.Float64, strict=False)))
        if null == size:
            parts[1] = parts[1].map(_months)
    notices: tuple[Notice, ...] = ()
    for place in range(1, min(3, len(parts))):
        if rows := _from_zero(parts[place], 12 if place == 1 else 31):
            parts[place] = parts[place].map(lambda part: part.cast(pl.Float64, strict=False) + 1)
            said = f"The {NAMES[place]}s are counted from 0, as programs count: none is {12 if place == 1 else 31}, and as many are 0 as any other. They are read one higher."
            notices += (Notice("from_zero", said, rows),)
    found = parts[0].beside(*parts[1:]).map(_whole).kept()
    precision = "month" if len(parts) < 3 else ("minute" if len(parts) > 3 else "day")
    return Moments(found, precision, nulls(found)[0], says="from its parts", notices=notices)


def _from_zero(column: Column, most: int) -> int:
    """How many rows a column has that counts months, or days, from 0: none is `most`, and about as many are 0 as
    are 1; 0 where it counts from 1 or has few rows. Raises UserError where 0 may also stand for one that isn't known."""
    counts = np.zeros(most + 1, dtype=np.int64)
    for part in column:
        number = part.cast(pl.Float64, strict=False).drop_nulls()
        whole = number.filter(number.is_between(0, most) & (number % 1 == 0)).cast(pl.Int64)
        counts += np.bincount(whole.to_numpy(), minlength=most + 1)[: most + 1]
    rows = int(counts.sum())
    if counts[0] <= 0.5 * counts[1] or counts[0] == 0 or counts[most] or rows < 8 * most:
        return 0
    if counts[most - 1]:
        return rows
    name = "month" if most == 12 else "day"
    raise UserError(
        f"{counts[0]:,} rows have the {name} 0, and none has {most}: either {name}s are counted from 0, or 0 stands for one that isn't known. "
        "Write them from 1, or take those rows out, and try again."
    )


def _months(names: pl.Series) -> pl.Series:
    named = {t: days.month_number(t.lower()) for t in names.unique() if t is not None}
    return names.replace_strict(named, default=None, return_dtype=pl.Float64)


def _whole(parts: tuple[pl.Series, ...]) -> pl.Series:
    """Times from their parts; null where they are none."""
    numbers = {
        name: part.cast(pl.Float64, strict=False).to_numpy().astype(float)
        for name, part in zip(NAMES, parts, strict=False)
    }
    size = len(parts[0])
    good = np.ones(size, dtype=bool)
    for values in numbers.values():
        good &= np.isfinite(values) & (np.abs(values) < 1e6)
    part_of = {
        name: np.where(
            good, numbers.get(name, np.full(size, 1.0 if name in ("month", "day") else 0.0)), 1
        ).astype(np.int64)
        for name in NAMES
    }
    good &= (part_of["month"] >= 1) & (part_of["month"] <= 12)
    good &= (part_of["year"] >= 1) & (part_of["year"] < 9999)
    good &= (part_of["hour"] >= 0) & (part_of["hour"] <= 24)
    good &= (part_of["minute"] >= 0) & (part_of["minute"] < 60)
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
    return pl.Series(micros).set(pl.Series(~good), None).cast(pl.Datetime("us"))
