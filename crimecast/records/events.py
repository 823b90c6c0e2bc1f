"""The canonical event table: raw records → events, with a reason for every row that is dropped.

Columns: `source_id` (text, unique), `time` (local civil time of the city, microseconds), `type`
(small letters), `longitude`, `latitude` (degrees, WGS 84), `x`, `y` (metres in the city's CRS).
Nothing else of a record is kept: only places, never persons.
"""

import html
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from crimecast.cities import City
from crimecast.reading.asides import asides
from crimecast.reading.lost_times import few_days, first_days, half_clocks
from crimecast.reading.moment import Asked
from crimecast.reading.moments import read_moments
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Column, Parts, Rows, earlier, repeats, rows_of
from crimecast.reading.places import Places, read_places
from crimecast.reading.steps_of_one import steps_of_one
from crimecast.reading.unused import unused
from crimecast.reading.zones import same_clock
from crimecast.records.id_years import id_years
from crimecast.records.no_time import span, without_placeholders
from crimecast.records.odd_rows import odd_rows

SCHEMA: dict[str, Any] = {
    "source_id": pl.String,
    "time": pl.Datetime("us"),
    "type": pl.String,
    "longitude": pl.Float64,
    "latitude": pl.Float64,
    "x": pl.Float64,
    "y": pl.Float64,
}
# What stands for a number that wasn't given yet.
NO_ID = ("", "pending", "n/a", "na", "none", "null", "nan", "unknown", "tbd", "tba", "-", "--", "?", "not assigned", "unassigned", "no number", "s/n", "sin numero", "unbekannt")  # fmt: skip
REASONS = {
    "no time": "the time is missing or can't be read",
    "in the future": "the time lies after the day it was read",
    "implausible time": "the time is before 1900, or decades away from all others",
    "no place": "missing, withheld (0, 0, or one far away that many share) or off the map",
    "outside the city": "the place lies more than 2 km outside the city's extent",
    "duplicate": "another record has the same id, or tells of the same incident",
}
NO_TYPE = [
    "n/a",
    "na",
    "null",
    "none",
    "nan",
    "nil",
    "#n/a",
    "-",
    "--",
    ".",
    "?",
    "(null)",
    "(blank)",
    "\\n",
]
OUTSIDE_MARGIN = 2000.0  # metres: what is written a little over the city limit is not an error


@dataclass(frozen=True)
class Standardised:
    """`parts`: events (SCHEMA; `reason`, null where a row is kept; `content`, true where a row is named by
    what it says, since no id names it) and what was decided on the way.

    `order` is that of day and month in the file's dates where it had to be judged, `precision` minute, day
    or month.
    """

    parts: Parts[pl.DataFrame]
    precision: str
    order: str | None
    read_as: dict[str, str]
    notices: list[Notice]

    @property
    def events(self) -> pl.DataFrame:
        """The events of a table in memory."""
        return self.parts.first.drop("content")


def read_events(
    table: pl.DataFrame | Rows,
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
    rows = rows_of(table)
    moments = read_moments(rows, columns["time"], asked)
    times = moments.parts.map(
        lambda part: _in_zone(part, moments.precision, asked.zone, city.time_zone)
    ).kept()
    places = read_places(rows, columns, city, is_new) if places is None else places
    fields = [column for parts in columns.values() for column in parts]
    raw = rows.select(list(dict.fromkeys(fields)))
    made = (
        raw.beside(times, places.parts)
        .map(lambda both: _events(both[0], both[1], both[2], columns, city))
        .kept()
    )
    if any(part["content"].any() for part in made):
        made = made.beside(content_ids(rows, columns, made)).map(
            lambda both: both[0].with_columns(pl.coalesce("source_id", both[1]).alias("source_id"))
        )
    again = repeats(made.map(lambda part: part["source_id"]))
    extent = city.extent()
    if extent is not None:
        made = without_placeholders(made, _outside(extent), rows.height)
    reason = _reason(span(times, asked.latest), asked.latest, extent)
    events = made.beside(again).map(
        lambda both: both[0].with_columns(both[1].alias("again")).with_columns(reason).drop("again")
    )
    notices = [*moments.notices, *places.notices, *_said_in_rows(rows, times)]
    notices += unused(rows, columns, moments.precision, times, city.time_zone)
    notices += steps_of_one(rows, columns, times)
    notices += odd_rows(events, columns)
    lost = (
        half_clocks(times)
        if moments.precision == "minute"
        else first_days(times)
        if moments.precision == "day"
        else None
    )
    notices += [
        one for one in (lost, few_days(times) if moments.precision != "month" else None) if one
    ]
    notices += [one for one in (_contradicting(made, again), id_years(events)) if one]
    if moments.precision == "month":
        says = "Only months are given, no day or hour: a grid of shorter steps can't be made."
        notices.append(Notice("months_only", says, rows.height))
    if moments.unread > max(1, 0.01 * rows.height):
        named = columns["time"]
        whole = pl.concat_str(pl.all().cast(pl.String), separator=" ", ignore_nulls=True)
        texts = rows.select(named).map(
            lambda part: part.select(
                pl.when(pl.col(named[0]).is_not_null()).then(whole)
            ).to_series()
        )
        notices.append(_unread(texts, "', '".join(named), times, moments.unread))
    read_as = {"time": f"{' + '.join(columns['time'])}, {moments.says}", "place": places.says}
    return Standardised(events.kept(), moments.precision, moments.order, read_as, notices)


def _said_in_rows(rows: Rows, times: Parts[pl.Series]) -> list[Notice]:
    """What rows without a time say in words, as units below the names and footers do."""
    whole = rows.select(rows.columns)
    if whole.folder is not None or not 0 < times.first.null_count() < 200:
        return []
    none = whole.first.filter(times.first.is_null()).head(50)
    width = len(rows.columns)
    texts = [[str(value) for value in row if value not in (None, "")] for row in none.iter_rows()]
    return asides((" ".join(row) for row in texts if len(row) <= max(2, 0.6 * width)), "A row without a time")  # fmt: skip


def _contradicting(made: Parts[pl.DataFrame], again: Column) -> Notice | None:
    """Says that rows of one id tell of other things, as where an id is that of a report with several
    offences, or of one that was issued again."""
    named = made.beside(again).map(lambda both: both[1] & ~both[0]["content"])
    if not any(part.any() for part in named):
        return None
    told = made.map(
        lambda part: part.select(
            pl.concat_str(
                [
                    pl.col(name).cast(pl.String).fill_null("")
                    for name in ("source_id", "time", "type", "x", "y")
                ],
                separator="|",
            )
        ).to_series()
    )
    same = repeats(told)
    rows = sum(int((one & ~other).sum()) for one, other in named.beside(same))
    if not rows:
        return None
    return Notice(
        "same_id",
        f"{rows:,} rows have the id of an earlier one and say something else: the first of each is kept. If the id is that of a "
        "report with several offences, choose none; if it was issued again, put the newest first.",
        rows,
    )


def _events(
    table: pl.DataFrame,
    time: pl.Series,
    places: np.ndarray,
    columns: dict[str, list[str]],
    city: City,
) -> pl.DataFrame:
    """SCHEMA with each record's own id, null without one, and `content`, which those are."""
    x, y = city.to_metres.transform(*places)
    far = ~(np.isfinite(x) & np.isfinite(y))
    longitude, latitude, x, y = (
        pl.Series(np.where(far, np.nan, values)).fill_nan(None) for values in (*places, x, y)
    )
    if "type" in columns:
        raw = table[columns["type"][0]].cast(pl.String)
        kind = raw.str.replace_all(r"[\s\x00]+", " ").str.strip_chars().str.to_lowercase()
        kind = kind.replace(_composed(kind))
        kind = (
            kind.set(kind.is_in(NO_TYPE), None)
            .replace(city.aliases)
            .fill_null("")
            .replace({"": "(none given)"})
        )
    else:
        kind = pl.repeat("event", table.height, eager=True)
    own = pl.repeat(None, table.height, dtype=pl.String, eager=True)
    if "source_id" in columns:
        own = table[columns["source_id"][0]].cast(pl.String).str.strip_chars()
        none = own.str.to_lowercase().is_in(NO_ID)
        own = own.set(none, None) if none.any() else own
    events = pl.DataFrame(
        {
            "source_id": own,
            "time": time,
            "type": kind,
            "longitude": longitude,
            "latitude": latitude,
            "x": x,
            "y": y,
        },
        schema=SCHEMA,
    )
    return events.with_columns(pl.col("source_id").is_null().alias("content"))


def _composed(kinds: pl.Series) -> dict[str, str]:
    """Texts that look the same written in one way: letters with their accents, `&amp;` as the sign."""
    made = {}
    for text in kinds.unique().drop_nulls().to_list():
        plain_text = html.unescape(unicodedata.normalize("NFC", text)).lower()
        if plain_text != text:
            made[text] = " ".join(plain_text.split())
    return made


def content_ids(table: Rows, columns: dict[str, list[str]], events: Parts[pl.DataFrame]) -> Column:
    """Ids made of time, place and type, so that another column may change and the record is the same.

    The second of two equal rows of one file gets a number: they are two records that look alike
    (two offences at one address and minute), not one read twice; read again, the file gives the
    same ids, so nothing is doubled. What can't be read stands there as it is written.
    """
    fields = [column for field in ("time", "longitude", "latitude") for column in columns[field]]
    raw = table.select(list(dict.fromkeys(fields)))
    keys = raw.beside(events).map(lambda both: _said(both[0], columns, both[1]))
    return keys.beside(earlier(keys)).map(
        lambda both: both[0].to_frame().select(numbered("key", both[1])).to_series()
    )


def _said(table: pl.DataFrame, columns: dict[str, list[str]], events: pl.DataFrame) -> pl.Series:
    """`key` of each record."""

    def raw(field: str) -> pl.Expr:
        return pl.concat_str(
            [pl.lit(table[c].cast(pl.String)).fill_null("") for c in columns[field]], separator=" "
        )

    key = content_key(raw("time"), raw("longitude"), raw("latitude"))
    return events.select(key).to_series()


def _outside(extent: tuple[float, float, float, float]) -> pl.Expr:
    x0, y0, x1, y1 = extent
    margin = OUTSIDE_MARGIN
    return ~(
        pl.col("x").is_between(x0 - margin, x1 + margin)
        & pl.col("y").is_between(y0 - margin, y1 + margin)
    )


def _reason(
    span: tuple[datetime, datetime],
    latest: datetime,
    extent: tuple[float, float, float, float] | None,
) -> pl.Expr:
    """Why a row is dropped; `again` says that an earlier one has its id."""
    return (
        pl.when("again")
        .then(pl.lit("duplicate"))
        .when(pl.col("time").is_null())
        .then(pl.lit("no time"))
        .when(pl.col("time") > latest)
        .then(pl.lit("in the future"))
        .when((pl.col("time") < span[0]) | (pl.col("time") > span[1]))
        .then(pl.lit("implausible time"))
        .when(pl.col("x").is_null())
        .then(pl.lit("no place"))
        .when(_outside(extent) if extent is not None else pl.lit(False))
        .then(pl.lit("outside the city"))
        .alias("reason")
    )


def _in_zone(time: pl.Series, precision: str, file_zone: str, city_zone: str) -> pl.Series:
    """Local times of the file's zone as those of the city's; dates stay what they are."""
    if same_clock(file_zone, city_zone) or precision != "minute":
        return time
    there = time.dt.replace_time_zone(file_zone, ambiguous="earliest", non_existent="null")
    return there.dt.convert_time_zone(city_zone).dt.replace_time_zone(None)


def _unread(texts: Column, name: str, times: Column, rows: int) -> Notice:
    found: dict[str, None] = {}
    for text, time in texts.beside(times):
        unread = text.filter(time.is_null()).drop_nulls().cast(pl.String)
        found |= dict.fromkeys(unread.unique(maintain_order=True).head(3))
        if len(found) >= 3:
            break
    return Notice(
        "unread_times",
        f"{rows:,} rows have something else than a time in '{name}', such as {', '.join(map(repr, list(found)[:3]))}; they are left out.",
        rows,
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


def numbered(name: str, number: pl.Series | pl.Expr) -> pl.Expr:
    """A key, with a number from the second of its rows on: `number` is how many rows before have it."""
    return (
        pl.when(number > 0)
        .then(pl.format("{}~{}", name, number))
        .otherwise(pl.col(name))
        .alias(name)
    )
