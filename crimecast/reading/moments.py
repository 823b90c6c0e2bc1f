"""A column, or several, → local times of the city: the form is judged over all rows, and what is doubtful said.

Texts are split into their day and their clock; a column of a million rows has a few thousand days
and clocks, so each is taken apart once, by `days.lex` and `clocks.lex`, however it is written.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from crimecast.errors import Doubt, UserError
from crimecast.reading import clocks, days
from crimecast.reading.notice import Notice
from crimecast.reading.numbers import clock_numbers, moment_numbers

DAY = clocks.DAY
EARLIEST = 1900  # before it nothing was recorded that a forecast could use
EPOCH = date(1970, 1, 1)
FEW = 20_000  # texts that are taken apart one by one before a split of the whole column is tried
SPLIT = (
    r"^(.*?\d[.,]?)(?:[\sT_,]+(?:at\s+|um\s+|à\s+|@\s*)?|:)"
    r"(\d{1,2}\s?[:.hH]\s?\d{1,2}.*|\d{1,2}\s?[AaPp]\.?\s?[Mm].*|\d{4}(?:\d{2})?(?:[.,]\d+)?(?:Z|[+-]\d{2}.*)?)$"
)
CLOCK_FIRST = re.compile(
    r"(\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\s?[ap]\.?m\.?)?)(?:\s+on|\s*-)?[\s,]+(.+)", re.IGNORECASE
)
CTIME = re.compile(
    r"(?:\w{2,4}\.?,? )?(\w{3,9}\.?\s+\d{1,2})\s+(\d{1,2}:\d{2}:\d{2})\s*([A-Z]{2,5}|[+-]\d{4})?\s+(\d{4})"
)


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


def read_moments(table: pl.DataFrame, columns: list[str], asked: Asked) -> Moments:
    """Read one column of moments; a day and a clock; a day, an hour and a minute; or year, month, day, hour, …

    Raises Doubt where it can be read in several ways.
    """
    parts = [_clean(table[name]) for name in columns]
    if len(parts) == 1:
        return _column(parts[0], asked)
    if len(parts) > 1 and _is_year(parts[0]):
        return _components(parts, asked)
    clock = parts[1] if len(parts) == 2 else _joined(parts[1:])
    found = _day_and_clock(parts[0], clock, asked)
    if len(parts) == 2 and found.values.null_count() == len(clock):
        return _day_and_clock(clock, parts[0], asked)
    return found


def _clean(series: pl.Series) -> pl.Series:
    if series.dtype.is_numeric() or series.dtype.is_temporal():
        return series
    text = series.cast(pl.String, strict=False).str.strip_chars()
    return text.set(text == "", None) if (text == "").any() else text


def _is_year(series: pl.Series) -> bool:
    number = series.cast(pl.Float64, strict=False) if not series.dtype.is_temporal() else None
    if number is None or number.null_count() == len(number):
        return False
    return (
        bool(number.is_between(1000, 2999).mean() or 0 > 0.5)
        and (number.drop_nulls().median() or 0) < 3000
    )


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
    return _text(series, asked)


def _typed(series: pl.Series, asked: Asked) -> Moments:
    dtype = series.dtype
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            local = series.cast(pl.Datetime("us"))
            whole = bool((local.to_physical() % DAY == 0).all())
            return _sane(local, "day" if whole else "minute", asked)
        utc = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None).cast(pl.Datetime("us"))
        return _absolute(utc, asked, "times with an offset, converted")
    if dtype == pl.Date:
        return _sane(series.cast(pl.Datetime("us")), "day", asked)
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
        return replace(_absolute(values, asked, found.form), unread=unread)
    if not found.whole:
        return replace(_sane(values, "month", asked), unread=unread, says="months alone")
    whole = bool((micros.drop_nulls() % DAY == 0).all())
    return replace(
        _sane(values, "day" if whole else "minute", asked),
        unread=unread,
        says=found.form,
        order=order,
    )


def _absolute(utc: pl.Series, asked: Asked, says: str) -> Moments:
    """Moments in UTC → local times; all at midnight in UTC they are dates that a program made into moments."""
    micros = utc.drop_nulls().to_physical()
    midnight = float((micros % DAY == 0).mean() or 0.0)  # type: ignore[arg-type]
    if len(micros) and midnight == 1.0:
        notice = Notice(
            "utc_dates",
            "All times are midnight in UTC: they are read as dates, not moved to local time.",
            len(micros),
        )
        return replace(_sane(utc, "day", asked), says="dates", notices=(notice,))
    local = (
        utc.dt.replace_time_zone("UTC").dt.convert_time_zone(asked.zone).dt.replace_time_zone(None)
    )
    found = _sane(local, "minute", asked)
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


def _sane(local: pl.Series, precision: str, asked: Asked) -> Moments:
    return Moments(local.cast(pl.Datetime("us")), precision)


# --- text -------------------------------------------------------------------------------------------------------


def _text(series: pl.Series, asked: Asked) -> Moments:
    pieces = _pieces(series)
    counts: dict[str, int] = {}
    for piece in pieces:
        for text, rows in piece.group_by("day").len().rows():
            counts[text] = counts.get(text, 0) + rows
    lexed = {text: day for text in counts if (day := days.lex(text)) is not None}
    order = days.judge(
        [(day, counts[text]) for text, day in lexed.items()],
        asked.latest.date(),
        asked.order,
        asked.hint,
    )
    year = asked.latest.year
    micros = {
        text: (found - EPOCH).days * DAY
        for text, day in lexed.items()
        if (found := order.read(day, year)) is not None
    }
    frames = []
    for piece in pieces:
        frames.append(
            piece.select(
                "row",
                pl.col("day")
                .replace_strict(micros, default=None, return_dtype=pl.Int64)
                .alias("micros"),
                *_clock_columns(piece["clock"]),
            )
        )
    empty = pl.DataFrame(
        schema={"row": pl.UInt32, "micros": pl.Int64, "clock": pl.Int64, "offset": pl.Int64}
    )
    whole = pl.concat([empty, *frames]) if len(frames) != 1 else frames[0]
    if whole.height == len(series):
        read = whole.sort("row") if len(frames) > 1 else whole
    else:
        rows = pl.DataFrame({"row": pl.int_range(len(series), dtype=pl.UInt32, eager=True)})
        read = rows.join(whole, on="row", how="left", maintain_order="left")
    months = {text for text in micros if not lexed[text].whole}
    given = sum(counts[text] for text in micros)
    in_months = sum(counts[text] for text in months)
    if months and in_months < 0.5 * given:  # a month among days is no day
        unclear = pl.concat(
            [piece.filter(pl.col("day").is_in(list(months)))["row"] for piece in pieces]
        )
        read = read.with_columns(
            pl.when(pl.int_range(pl.len(), dtype=pl.UInt32).is_in(unclear.implode()))
            .then(None)
            .otherwise(pl.col("micros"))
            .alias("micros")
        )
        months = set()
    found = _assemble(read, asked)
    empties = (
        int(series.str.to_lowercase().is_in(list(days.EMPTY)).sum())
        if found.values.has_nulls()
        else 0
    )
    unread = found.values.null_count() - series.null_count() - empties
    kinds = {lexed[text].orders for text in micros}
    judged = any("mdy" in orders for orders in kinds)
    says = days.WORDS[order.last if judged else order.first]
    if not judged and not any(kinds):
        says = "written out"
    notices = list(found.notices)
    if judged and order.doubtful:
        notices.append(
            Notice(
                "date_order",
                f"Dates are read {says}, {order.says}: no row of this file tells.",
                given,
            )
        )
    return replace(
        found,
        unread=max(0, unread),
        precision="month" if months else found.precision,
        says=f"{says}: {order.says}" if judged and order.says else says,
        order=order.last if judged else None,
        notices=tuple(notices),
    )


def _pieces(series: pl.Series) -> list[pl.DataFrame]:
    """Rows whose text could be taken apart: `row`, `day`, `clock` (null without one), by the split that did it."""
    left = pl.DataFrame(
        {"row": pl.int_range(len(series), dtype=pl.UInt32, eager=True), "text": series}
    ).drop_nulls()
    first = left["text"].head(50)
    by_t = bool(first.str.contains(r"\dT\d").any())
    splits: list[Callable[[pl.DataFrame], pl.DataFrame]] = [
        lambda rows: _split_at(rows, "T" if by_t else " ")
    ]
    splits += [_unsplit, _split_by_form, _one_by_one]
    pieces = []
    for split in splits:
        if left.is_empty():
            break
        parts = split(left)
        if parts.is_empty():
            continue
        fits = None
        for name, lex in (("day", days.lex), ("clock", clocks.lex)):
            texts = [text for text in parts[name].unique() if text is not None]
            good = [text for text in texts if lex(text) is not None]
            if len(good) < len(texts) or (name == "day" and parts[name].has_nulls()):
                own = parts[name].is_in(good)
                own = own | parts[name].is_null() if name == "clock" else own.fill_null(False)
                fits = own if fits is None else fits & own
        piece = parts if fits is None else parts.filter(fits)
        if piece.height:
            pieces.append(piece)
            left = (
                left.clear()
                if piece.height == left.height
                else left.join(piece, on="row", how="anti")
            )
    return pieces


def _split_at(rows: pl.DataFrame, mark: str) -> pl.DataFrame:
    parts = (
        rows["text"]
        .to_frame()
        .select(pl.col("text").str.splitn(mark, 2).struct.rename_fields(["day", "clock"]))
        .unnest("text")
    )
    return pl.DataFrame(
        {"row": rows["row"], "day": parts["day"], "clock": parts["clock"].str.strip_chars()}
    )


def _unsplit(rows: pl.DataFrame) -> pl.DataFrame:
    if rows["text"].n_unique() > FEW:
        return pl.DataFrame(schema={"row": pl.UInt32, "day": pl.String, "clock": pl.String})
    return rows.select("row", pl.col("text").alias("day"), pl.lit(None, pl.String).alias("clock"))


def _split_by_form(rows: pl.DataFrame) -> pl.DataFrame:
    parts = rows.select(
        "row", pl.col("text").str.extract_groups(SPLIT).struct.rename_fields(["day", "clock"])
    ).unnest("text")
    return parts.filter(pl.col("day").is_not_null())


def _one_by_one(rows: pl.DataFrame) -> pl.DataFrame:
    found: dict[str, tuple[str, str]] = {}
    for text in rows["text"].unique().to_list():
        if match := CLOCK_FIRST.fullmatch(text):
            found[text] = (match[2], match[1])
        elif match := CTIME.fullmatch(text):
            found[text] = (f"{match[1]} {match[4]}", f"{match[2]} {match[3] or ''}")
    known = rows.filter(pl.col("text").is_in(list(found)))
    return pl.DataFrame(
        {
            "row": known["row"],
            "day": [found[text][0] for text in known["text"]],
            "clock": [found[text][1] for text in known["text"]],
        },
        schema={"row": pl.UInt32, "day": pl.String, "clock": pl.String},
    )


def _clock_columns(texts: pl.Series) -> list[pl.Series]:
    """Microseconds since midnight, null where it isn't a clock (0 without one), and the offset in seconds."""
    lexed = {text: clocks.lex(text) for text in texts.unique() if text is not None}
    micros = {text: clock.micros for text, clock in lexed.items() if clock is not None}
    offsets = {
        text: clock.offset
        for text, clock in lexed.items()
        if clock is not None and clock.offset is not None
    }
    if not lexed:
        clock = pl.repeat(0, len(texts), dtype=pl.Int64, eager=True)
    else:
        clock = texts.replace_strict(micros, default=None, return_dtype=pl.Int64)
        clock = clock.set(texts.is_null(), 0) if texts.has_nulls() else clock
    none = pl.Series([None], dtype=pl.Int64)
    offset = (
        texts.replace_strict(offsets, default=None, return_dtype=pl.Int64)
        if offsets
        else pl.select(pl.repeat(none[0], len(texts), dtype=pl.Int64)).to_series()
    )
    return [clock.rename("clock"), offset.rename("offset")]


def _assemble(read: pl.DataFrame, asked: Asked) -> Moments:
    """`micros` of the day + `clock` − `offset` → local time."""
    local = read["micros"] + read["clock"]
    offset = read["offset"]
    aware = offset.is_not_null() & local.is_not_null()
    if not aware.any():
        whole = bool((read["clock"].drop_nulls() == 0).all())
        return Moments(local.cast(pl.Datetime("us")), "day" if whole else "minute")
    utc = (local - offset.fill_null(0) * 1_000_000).cast(pl.Datetime("us"))
    converted = _absolute(utc.filter(aware), asked, "with offset")
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


# --- several columns --------------------------------------------------------------------------------------------


def _day_and_clock(day: pl.Series, clock: pl.Series, asked: Asked) -> Moments:
    base = _column(day, asked)
    span, says, zoned = _clock_column(clock)
    local = base.values.dt.truncate("1d").to_physical() + span
    frame = pl.DataFrame(
        {
            "micros": local,
            "clock": pl.repeat(0, len(local), dtype=pl.Int64, eager=True),
            "offset": zoned,
        }
    )
    found = _assemble(frame, asked)
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


def _joined(parts: list[pl.Series]) -> pl.Series:
    """Hour, minute, second columns as microseconds-of-day text that `clocks.lex` reads."""
    whole = [
        pl.Series(part.cast(pl.Float64, strict=False)).cast(pl.Int64, strict=False)
        for part in parts
    ]
    text = whole[0].cast(pl.String)
    for part in whole[1:3]:
        text = text + ":" + part.cast(pl.String).str.zfill(2)
    return text


def _components(parts: list[pl.Series], asked: Asked) -> Moments:
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
    values = pl.Series(micros).set(pl.Series(~good), None).cast(pl.Datetime("us"))
    precision = "month" if not whole else ("minute" if len(parts) > 3 else "day")
    return Moments(values, precision, int((~good).sum()), says="from its parts")


def no_time(columns: list[str]) -> UserError:
    """The sentence for columns that hold no time."""
    return Doubt(
        f"The column {' + '.join(columns)} holds no time that can be read; choose another for the time.",
        "--map time=COLUMN",
    )
