"""The canonical event table: raw records → events, with a reason for every row that is dropped.

Columns: `source_id` (text, unique), `time` (local civil time of the city, microseconds), `type`
(small letters), `longitude`, `latitude` (degrees, WGS 84), `x`, `y` (metres in the city's CRS).
Nothing else of a record is kept: only places, never persons.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from crimecast.cities import City
from crimecast.reading.moment import Asked, Moments
from crimecast.reading.moments import read_moments
from crimecast.reading.notice import Notice
from crimecast.reading.places import Places, read_places, shared
from crimecast.reading.zones import same_clock

SCHEMA: dict[str, Any] = {
    "source_id": pl.String,
    "time": pl.Datetime("us"),
    "type": pl.String,
    "longitude": pl.Float64,
    "latitude": pl.Float64,
    "x": pl.Float64,
    "y": pl.Float64,
}
REASONS = {
    "no time": "the time is missing or can't be read",
    "in the future": "the time lies after the day it was read",
    "implausible time": "the time is before 1900, or decades away from all others",
    "no place": "the place is missing, withheld (0, 0, or a value that many rows far away share) or not on the map",
    "outside the city": "the place lies more than 2 km outside the city's extent",
    "duplicate": "another record has the same id, or tells of the same incident",
}
MISTAKES = 0.01  # of a file's rows may be so far from the rest in time that they are no part of it
OUTSIDE_MARGIN = 2000.0  # metres: what is written a little over the city limit is not an error


@dataclass(frozen=True)
class Standardised:
    """`events` (SCHEMA and `reason`, null where a row is kept) and what was decided on the way.

    `content` marks rows that are named by what they say, since no id names them; `order` is that of
    day and month in the file's dates where it had to be judged, `precision` minute, day or month.
    """

    events: pl.DataFrame
    content: np.ndarray
    precision: str
    order: str | None
    read_as: dict[str, str]
    notices: list[Notice]


def read_events(
    table: pl.DataFrame,
    city: City,
    columns: dict[str, list[str]],
    asked: Asked,
    is_new: bool = False,
    places: Places | None = None,
) -> Standardised:
    """Raw records → events with what was decided; `asked.zone` is that of the file's times.

    `places` are those read before, if any. Raises Doubt where times or places can be read in
    several ways.
    """
    moments = read_moments(table, columns["time"], asked)
    time = _in_zone(moments, asked.zone, city.time_zone)
    places = read_places(table, columns, city, is_new) if places is None else places
    x, y = city.to_metres.transform(places.longitude, places.latitude)
    far = ~(np.isfinite(x) & np.isfinite(y))
    longitude, latitude, x, y = (
        pl.Series(np.where(far, np.nan, values)).fill_nan(None)
        for values in (places.longitude, places.latitude, x, y)
    )
    if "type" in columns:
        raw = table[columns["type"][0]].cast(pl.String)
        kind = raw.str.strip_chars().str.to_lowercase().str.replace_all(r"\s+", " ")
        kind = kind.replace(city.aliases).fill_null("").replace({"": "(none given)"})
    else:
        kind = pl.repeat("event", table.height, eager=True)
    events = pl.DataFrame(
        {
            "source_id": pl.repeat("", table.height, dtype=pl.String, eager=True),
            "time": time,
            "type": kind,
            "longitude": longitude,
            "latitude": latitude,
            "x": x,
            "y": y,
        },
        schema=SCHEMA,
    )
    ids, content = _ids(table, columns, events)
    events = events.with_columns(ids.alias("source_id"))
    extent = city.extent()
    outside = pl.lit(False)
    if extent is not None:
        x0, y0, x1, y1 = extent
        margin = OUTSIDE_MARGIN
        outside = ~(
            pl.col("x").is_between(x0 - margin, x1 + margin)
            & pl.col("y").is_between(y0 - margin, y1 + margin)
        )
        events = _without_placeholders(events, outside)
    early, late = _span(time, asked.latest)
    reason = (
        pl.when(~pl.col("source_id").is_first_distinct())
        .then(pl.lit("duplicate"))
        .when(pl.col("time").is_null())
        .then(pl.lit("no time"))
        .when(pl.col("time") > asked.latest)
        .then(pl.lit("in the future"))
        .when((pl.col("time") < early) | (pl.col("time") > late))
        .then(pl.lit("implausible time"))
        .when(pl.col("x").is_null())
        .then(pl.lit("no place"))
        .when(outside)
        .then(pl.lit("outside the city"))
    )
    events = events.with_columns(reason.alias("reason"))
    notices = [*moments.notices, *places.notices]
    if moments.unread > max(1, 0.01 * table.height):
        notices.append(_unread(table, columns["time"], time, moments.unread))
    read_as = {"time": f"{' + '.join(columns['time'])}, {moments.says}", "place": places.says}
    return Standardised(events, content, moments.precision, moments.order, read_as, notices)


def _in_zone(moments: Moments, file_zone: str, city_zone: str) -> pl.Series:
    """Local times of the file's zone as those of the city's; dates stay what they are."""
    if same_clock(file_zone, city_zone) or moments.precision != "minute":
        return moments.values
    there = moments.values.dt.replace_time_zone(
        file_zone, ambiguous="earliest", non_existent="null"
    )
    return there.dt.convert_time_zone(city_zone).dt.replace_time_zone(None)


def _unread(table: pl.DataFrame, columns: list[str], time: pl.Series, rows: int) -> Notice:
    texts = (
        table.filter(time.is_null())[columns[0]]
        .drop_nulls()
        .cast(pl.String)
        .unique(maintain_order=True)
    )
    return Notice(
        "unread_times",
        f"{rows:,} rows have something else than a time in '{columns[0]}', such as {', '.join(map(repr, texts.head(3).to_list()))}; they are left out.",
        rows,
    )


def _without_placeholders(events: pl.DataFrame, outside: pl.Expr) -> pl.DataFrame:
    """Outside the city, a place that many rows share stands for *no place*."""
    far = events.select(outside.fill_null(False)).to_series().to_numpy()
    if not far.any():
        return events
    east, north = events["longitude"].to_numpy(), events["latitude"].to_numpy()
    gone = pl.Series(shared(east, north, far, events.height))
    if not gone.any():
        return events
    return events.with_columns(
        pl.when(gone).then(None).otherwise(pl.col(name)).alias(name)
        for name in ("longitude", "latitude", "x", "y")
    )


def _span(time: pl.Series, latest: datetime) -> tuple[datetime, datetime]:
    """Between which times a file's records lie: a few far from all others are mistakes or stand for none.

    Nothing before 1900; and where at most one row in a hundred is parted from the rest by more than
    ten years and twice the span of the rest, those rows are left out.
    """
    early, late = datetime(1900, 1, 1), latest
    days = time.filter((time >= early) & (time <= late)).dt.truncate("1d")
    if len(days) < 20:
        return early, late
    counts = days.value_counts().sort(days.name)
    moments, rows = counts[days.name].to_list(), np.cumsum(counts["count"].to_numpy())
    gaps = np.array([(b - a).days for a, b in pairwise(moments)] or [0])
    for number in np.flatnonzero(gaps > 3652):
        before = rows[number] / rows[-1]
        if before <= MISTAKES and gaps[number] > 2 * (moments[-1] - moments[number + 1]).days:
            early = max(early, moments[number + 1])
        elif before >= 1 - MISTAKES and gaps[number] > 2 * (moments[number] - moments[0]).days:
            late = min(late, moments[number] + timedelta(days=1))
    return early, late


def _ids(
    table: pl.DataFrame, columns: dict[str, list[str]], events: pl.DataFrame
) -> tuple[pl.Series, np.ndarray]:
    """The record's own id, or what it says: time, place and type; and (N,) bool which are the latter."""
    if "source_id" in columns:
        own = table[columns["source_id"][0]].cast(pl.String).str.strip_chars()
        missing = own.is_null() | (own == "")
        if not missing.any():
            return own, np.zeros(table.height, dtype=bool)
        named = content_ids(table, columns, events)
        return pl.select(
            pl.when(missing).then(named).otherwise(own)
        ).to_series(), missing.to_numpy()
    return content_ids(table, columns, events), np.ones(table.height, dtype=bool)


def content_ids(
    table: pl.DataFrame, columns: dict[str, list[str]], events: pl.DataFrame
) -> pl.Series:
    """Ids made of time, place and type, so that another column may change and the record is the same.

    The second of two equal rows of one file gets a number: they are two records that look alike
    (two offences at one address and minute), not one read twice; read again, the file gives the
    same ids, so nothing is doubled. What can't be read stands there as it is written.
    """

    def raw(field: str) -> pl.Expr:
        return pl.concat_str(
            [pl.lit(table[c].cast(pl.String)).fill_null("") for c in columns[field]], separator=" "
        )

    return (
        events.select(content_key(raw("time"), raw("longitude"), raw("latitude")))
        .select(numbered("key"))
        .to_series()
    )


def content_key(time: pl.Expr, longitude: pl.Expr, latitude: pl.Expr) -> pl.Expr:
    """`key`: what a record says, as text; the expressions stand in where its fields are empty."""
    return pl.concat_str(
        [
            pl.coalesce(pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S"), time),
            *(
                pl.coalesce((pl.col(name) * 1e6).round().cast(pl.Int64).cast(pl.String), other)
                for name, other in (("longitude", longitude), ("latitude", latitude))
            ),
            pl.col("type"),
        ],
        separator="|",
    ).alias("key")


def numbered(name: str) -> pl.Expr:
    """A key, with a number from the second of its rows on."""
    number = pl.int_range(pl.len()).over(name)
    return (
        pl.when(number > 0)
        .then(pl.format("{}~{}", name, number))
        .otherwise(pl.col(name))
        .alias(name)
    )
