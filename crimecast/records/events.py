"""The canonical event table: raw records → events, with a reason for every row that is dropped.

Columns: `source_id` (text, unique), `time` (local civil time of the city, microseconds), `type`
(small letters), `longitude`, `latitude` (degrees, WGS 84), `x`, `y` (metres in the city's CRS).
Nothing else of a record is kept: only places, never persons.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pyproj

from crimecast.calendar.times import parse_time
from crimecast.cities import City
from crimecast.cities.city import check_zone

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
    "no place": "the place is missing, withheld (0, 0) or not on the map",
    "outside the city": "the place lies more than 2 km outside the city's extent",
    "duplicate": "another record has the same id, or tells of the same incident",
}
OUTSIDE_MARGIN = 2000.0  # metres: what is written a little over the city limit is not an error


def standardise(
    table: pl.DataFrame, city: City, columns: dict[str, list[str]], now: datetime | None = None
) -> pl.DataFrame:
    """Raw records (any columns) → events (SCHEMA) plus `reason`, null where the row is kept.

    `columns` names the source columns of each field (see `columns.resolve`). Rows are neither
    reordered nor removed, so what is read and what comes out can be compared row by row.
    """
    zone = check_zone(city.time_zone)
    time = parse_time(table, columns["time"], city.time_zone)
    longitude, latitude, x, y = _places(table, city, columns)
    if "type" in columns:
        raw = table[columns["type"][0]].cast(pl.String)
        kind = raw.str.strip_chars().str.to_lowercase().str.replace_all(r"\s+", " ")
        kind = kind.replace(city.aliases).fill_null("").replace({"": "(none given)"})
    else:
        kind = pl.repeat("event", table.height, eager=True)
    events = pl.DataFrame(
        {
            "source_id": _ids(table, columns),
            "time": time,
            "type": kind,
            "longitude": longitude,
            "latitude": latitude,
            "x": x,
            "y": y,
        },
        schema=SCHEMA,
    )
    latest = (now or datetime.now(zone).replace(tzinfo=None)) + timedelta(days=1)
    extent = city.extent()
    outside = pl.lit(False)
    if extent is not None:
        x0, y0, x1, y1 = extent
        margin = OUTSIDE_MARGIN
        outside = ~(
            pl.col("x").is_between(x0 - margin, x1 + margin)
            & pl.col("y").is_between(y0 - margin, y1 + margin)
        )
    reason = (
        pl.when(~pl.col("source_id").is_first_distinct())
        .then(pl.lit("duplicate"))
        .when(pl.col("time").is_null())
        .then(pl.lit("no time"))
        .when(pl.col("time") > latest)
        .then(pl.lit("in the future"))
        .when(pl.col("x").is_null())
        .then(pl.lit("no place"))
        .when(outside)
        .then(pl.lit("outside the city"))
    )
    return events.with_columns(reason.alias("reason"))


def _places(
    table: pl.DataFrame, city: City, columns: dict[str, list[str]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Longitude, latitude, x, y of every row; NaN → null where the place is missing or withheld."""
    first = _number(table[columns["longitude"][0]])
    second = _number(table[columns["latitude"][0]])
    crs = pyproj.CRS.from_user_input(city.file_crs or "EPSG:4326")
    withheld = (first == 0) & (second == 0) | ~np.isfinite(first) | ~np.isfinite(second)
    if crs.is_geographic:
        # San Francisco's old export writes a missing place as latitude 90.
        withheld |= (np.abs(first) > 180) | (np.abs(second) >= 90)
        longitude, latitude = first, second
    else:
        withheld |= (first == 0) | (second == 0)
        back = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
        longitude, latitude = back.transform(np.where(withheld, np.nan, first), second)
        withheld |= ~np.isfinite(longitude) | ~np.isfinite(latitude)
    longitude = np.where(withheld, np.nan, longitude)
    latitude = np.where(withheld, np.nan, latitude)
    x, y = city.to_metres.transform(longitude, latitude)
    far = ~(np.isfinite(x) & np.isfinite(y))
    return tuple(  # type: ignore[return-value]
        pl.Series(np.where(far, np.nan, values)).fill_nan(None)
        for values in (longitude, latitude, x, y)
    )


def _number(series: pl.Series) -> np.ndarray:
    if series.dtype == pl.String:
        series = series.str.strip_chars()
    return series.cast(pl.Float64, strict=False).to_numpy().copy()


def _ids(table: pl.DataFrame, columns: dict[str, list[str]]) -> pl.Series:
    """The record's own id, or a hash of all its columns.

    Without an id, the second of two equal rows of one file gets a number: they are two records
    that look alike (two offences at one address and minute), not one read twice; read again, the
    file gives the same ids, so nothing is doubled.
    """
    if "source_id" in columns:
        own = table[columns["source_id"][0]].cast(pl.String).str.strip_chars()
        if not own.has_nulls() and not (own == "").any():
            return own
        hashed = _hashes(table)
        return pl.select(pl.when(own.fill_null("") != "").then(own).otherwise(hashed)).to_series()
    return _hashes(table)


def _hashes(table: pl.DataFrame) -> pl.Series:
    text = table.select(
        pl.concat_str(
            [pl.col(name).cast(pl.String).fill_null("\x00") for name in sorted(table.columns)],
            separator="\x1f",
        )
    ).to_series()
    digest = [hashlib.blake2b(row.encode(), digest_size=10).hexdigest() for row in text.to_list()]
    frame = pl.DataFrame({"id": digest})
    number = pl.int_range(pl.len()).over("id")
    return frame.select(
        pl.when(number > 0).then(pl.format("{}-{}", "id", number)).otherwise(pl.col("id"))
    ).to_series()
