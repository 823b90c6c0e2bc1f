"""Read local times from the forms in which portals and spreadsheets write them."""

import polars as pl

FORMATS = [
    "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
    "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M",
    "%d/%m/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M",
]  # fmt: skip
DAYS = ["%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d.%m.%Y", "%Y%m%d"]
OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})$"


def parse_time(table: pl.DataFrame, columns: list[str], zone: str) -> pl.Series:
    """Local civil time in `zone`, without offset, microseconds; null where it can't be read.

    One column: a date-time, text in any of the usual forms, or seconds or milliseconds since 1970.
    Two: a day, and a time as HHMM or HH:MM. Three to five: year, month, day, hour, minute.
    Times with an offset are converted to `zone`; times without are taken as local there.
    """
    if len(columns) == 1:
        return _moment(table[columns[0]], zone)
    if len(columns) == 2:
        return _moment(table[columns[0]], zone).dt.truncate("1d") + _time_of_day(table[columns[1]])
    whole = [table[column].cast(pl.Int64, strict=False).rename(column) for column in columns]
    numbers = pl.DataFrame(whole)
    fields = dict(zip(["year", "month", "day", "hour", "minute"], columns, strict=False))
    parts = {name: pl.col(column) for name, column in fields.items()}
    # A year such as 99999 or a month 13 becomes null instead of stopping the whole table.
    sane = pl.col(fields["year"]).is_between(1900, 2200)
    text = pl.format(
        "{}-{}-{} {}:{}",
        *(parts.get(name, pl.lit(0)) for name in ("year", "month", "day", "hour", "minute")),
    )
    moment = pl.when(sane).then(text).str.to_datetime("%Y-%m-%d %H:%M", strict=False)
    return numbers.select(moment.cast(pl.Datetime("us")).alias("time")).to_series()


def _moment(series: pl.Series, zone: str) -> pl.Series:
    dtype = series.dtype
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            series = series.dt.convert_time_zone(zone).dt.replace_time_zone(None)
        return series.cast(pl.Datetime("us"))
    if dtype == pl.Date:
        return series.cast(pl.Datetime("us"))
    if dtype.is_numeric():
        seconds = series.cast(pl.Float64)
        micros = pl.select(
            pl.when(seconds.abs() < 1e11).then(seconds * 1e6).otherwise(seconds * 1e3)
        ).to_series()
        utc = (
            micros.cast(pl.Int64, strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        )
        return utc.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    return _text(series.cast(pl.String).str.strip_chars(), zone)


def _text(series: pl.Series, zone: str) -> pl.Series:
    frame = pl.DataFrame({"text": series}).with_columns(
        pl.lit(None, dtype=pl.Datetime("us")).alias("time")
    )
    sample = series.drop_nulls().head(2000)
    if sample.str.contains(OFFSET).any() and sample.str.contains(r"\d:\d").any():
        utc = (
            pl.col("text")
            .str.replace("Z$", "+00:00")
            .str.replace(" ", "T")
            .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%z", strict=False, time_zone="UTC")
        )
        local = utc.dt.convert_time_zone(zone).dt.replace_time_zone(None).cast(pl.Datetime("us"))
        frame = frame.with_columns(local.alias("time"))
    # The forms that fit most of a sample come first: month/day against day/month is settled so.
    hits = {form: _read(sample, form).is_not_null().sum() for form in FORMATS + DAYS}
    for form in sorted(hits, key=lambda form: -hits[form]):
        if not frame["time"].has_nulls():
            break
        missing = frame["time"].is_null() & frame["text"].is_not_null()
        if missing.any():
            rest = _read(frame.filter(missing)["text"], form)
            found = frame["time"].clone()
            found[missing.arg_true()] = rest
            frame = frame.with_columns(found.alias("time"))
    return frame["time"]


def _read(series: pl.Series, form: str) -> pl.Series:
    if form in DAYS:
        return series.str.to_date(form, strict=False).cast(pl.Datetime("us"))
    return series.str.to_datetime(form, strict=False, time_unit="us")


def _time_of_day(series: pl.Series) -> pl.Series:
    """HHMM without leading zeros (330 is 03:30), HH:MM, or the time part of a date-time."""
    text = series.cast(pl.String).str.strip_chars().str.replace(r"\.0$", "")
    frame = pl.DataFrame({"text": text})
    clock = pl.col("text").str.extract(r"(\d{1,2}:\d{2})")
    digits = pl.col("text").str.extract(r"^(\d{1,4})$").str.zfill(4)
    hours = pl.coalesce(clock.str.extract(r"^(\d+):"), digits.str.slice(0, 2)).cast(pl.Int64)
    minutes = pl.coalesce(clock.str.extract(r":(\d+)$"), digits.str.slice(2, 2)).cast(pl.Int64)
    valid = (hours < 24) & (minutes < 60)
    span = pl.when(valid).then(pl.duration(hours=hours, minutes=minutes))
    return frame.select(span.cast(pl.Duration("us")).alias("span")).to_series()
