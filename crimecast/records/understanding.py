"""A file's rows as events: which column is what, which city, and all that was decided or looks wrong."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import available_timezones

import numpy as np
import polars as pl

from crimecast import Doubt, UserError
from crimecast.cities import City, load_city
from crimecast.cities.city import check_crs, check_zone, is_registered
from crimecast.reading.bounds import placeholders
from crimecast.reading.coordinates import said_crs
from crimecast.reading.files import File
from crimecast.reading.meaning import found_columns, joined, resolve_values
from crimecast.reading.moment import Asked, no_time
from crimecast.reading.moments import with_offset
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts, Rows, every, head
from crimecast.reading.place_columns import spread
from crimecast.reading.places import read_places, zone_notice
from crimecast.reading.plausibility import plausibility
from crimecast.reading.sequence import out_of_order
from crimecast.reading.stretches import stretches
from crimecast.reading.thinning import thinned
from crimecast.reading.zones import zone_of
from crimecast.records.events import Standardised, read_events
from crimecast.records.extent import bounds, metres
from crimecast.records.snapshot import snapshot
from crimecast.storage.store import data_root

OTHER_YEARS, BEHIND = ("Africa/Addis_Ababa", "Africa/Asmara"), 6
OLD = 25  # years ago, before which hardly any city published records
IN_UTC = re.compile(r"(^|[^a-z])(utc|gmt|zulu)([^a-z]|$)", re.I)
LEFT_OUT = 0.1  # share of the rows from which on it is said, not only counted


@dataclass(frozen=True)
class Request:
    """What a user says of a file for the city `name`: which columns (`mapping`), in which coordinates and
    zone, in which `order` dates are; the `title` and `outline` of a new city; the moment it is read. `into`:
    the city, where it isn't what the registry says."""

    name: str
    mapping: dict[str, str]
    crs: str | None = None
    zone: str | None = None
    order: str | None = None
    title: str | None = None
    outline: str | None = None
    now: datetime | None = None
    into: City | None = None


@dataclass(frozen=True)
class Understood:
    """`read` of a `city`, which may be new; `columns` of each field; what was decided on the way."""

    city: City
    is_new: bool
    columns: dict[str, list[str]]
    read: Standardised
    notices: list[Notice]
    zone: str

    @property
    def used(self) -> Parts[pl.DataFrame]:
        """The events that aren't left out: time, type, longitude, latitude."""
        return self.read.parts.map(
            lambda part: part.filter(pl.col("reason").is_null()).select(
                "time", "type", "longitude", "latitude"
            )
        )

    def doubts(self) -> list[Notice]:
        """What looks wrong in the events as they were read."""
        known = self.read.parts.map(
            lambda part: part.select(pl.col("longitude", "latitude").fill_null(np.nan)).to_numpy().T
        )
        metres_of = self.city.file_crs if self.city.file_crs != "EPSG:4326" else None
        contradiction = zone_notice(known, self.zone, metres_of)
        found = [] if contradiction is None else [contradiction]
        told = {notice.code for notice in self.notices}
        # Rows that were left out are no clock set wrong.
        apart = (
            []
            if self.read.precision != "minute" or "unread_times" in told
            else stretches(self.used)
        )
        order = out_of_order(self.read.parts.map(lambda part: part["time"]))
        return [*found, *order, *apart, *plausibility(self.used, self.read.precision)]


def understand(file: File, origin: str, request: Request) -> Understood:
    """The file's rows as events, nothing stored. Raises UserError; Doubt, where a person has to decide."""
    table = file.rows
    city, is_new = _city(request, file)
    local = request.zone or city.time_zone
    latest = (request.now or datetime.now(check_zone(local)).replace(tzinfo=None)) + timedelta(
        days=1
    )
    asked = Asked(local, request.order, _order_before(city), latest)
    columns, found = resolve_values(table, request.mapping, city, asked)
    notices = [*file.notices, *found]
    crs = request.crs
    if crs is None and city.file_crs is None:
        crs = file.crs or _crs_of_points(table, columns)
        if crs is not None:
            check_crs(crs)
    if crs is not None:
        city = replace(city, file_crs=crs)
    places = None
    if is_new:
        places = read_places(table, columns, city, is_new)
        gone, box = placeholders(places.parts)
        if box is None:
            east, north = (_example(table, columns[field]) for field in ("longitude", "latitude"))
            raise UserError(
                f"No row has a place: {east} and {north} are none. Check which columns are longitude and latitude, and the coordinate system."
            )
        if any(part.any() for part in gone):
            there = places.parts.beside(gone)
            notices.append(_placeholder_notice(there.map(lambda both: both[0][:, both[1]])))
            places = replace(
                places, parts=there.map(lambda both: np.where(both[1], np.nan, both[0])).kept()
            )
        city = replace(
            metres(city, places.parts), title=request.title or city.title, outline=request.outline
        )
        city = replace(city, bounds=bounds(city, places.parts, box))
    read = read_events(table, city, columns, asked, is_new, places)
    notices += read.notices
    said_so = read.precision != "minute" or "since" in read.read_as["time"]
    named_so = not said_so and IN_UTC.search(Path(origin).stem)
    if (
        named_so
        and all(n.code != "named_utc" for n in notices)
        and not any(with_offset(table.column(name)) for name in columns["time"])
    ):
        text = f"The file's name, {origin}, speaks of UTC, and its times are read as those of {local}: if they are UTC, every event is hours off. Name their column so, as in time_utc."
        notices.append(Notice("file_says", text, table.height))
    dropped: Counter[str] = Counter()
    kept = latest_year = 0
    for part in read.parts:
        kept += part["reason"].null_count()
        used = part["time"].filter(part["reason"].is_null())
        latest_year = max(latest_year, int(used.dt.year().max() or 0))  # type: ignore[arg-type]
        dropped.update(dict(part["reason"].drop_nulls().value_counts().rows()))
    total = kept + sum(dropped.values())
    for reason in ("no time", "no place"):
        if dropped[reason] > LEFT_OUT * total and kept:
            text = f"{dropped[reason]:,} of {total:,} rows have {reason} that can be read, and are left out: other columns, or the rows before, may hold it."
            notices.append(Notice("left_out", text, dropped[reason]))
    if (future := dropped["in the future"]) > 0.02 * total and kept:
        text = f"{future:,} of {total:,} rows are in the future, and are left out: the others may be as much too late, as where days were counted from another year or day and month are exchanged."
        notices.append(Notice("left_out", text, future))
    if kept and local in OTHER_YEARS and latest_year < latest.year - BEHIND:
        text = f"The latest record is of {latest_year}: Ethiopia's own calendar is seven to eight years behind. If the dates are those, write them as days of the Gregorian one."
        notices.append(Notice("old", text, kept))
    elif kept and latest_year < latest.year - OLD:
        text = f"The latest record is of {latest_year}: if that can't be, the times are counted from another day, or written in another calendar."
        notices.append(Notice("old", text, kept))
    if not kept:
        worst = dropped.most_common(1)[0][0]
        if worst == "no time":
            raise no_time(columns["time"])
        if worst in ("in the future", "implausible time"):
            years = every((part.select("time").drop_nulls() for part in read.parts), 1, 1)
            raise UserError(
                f"No row of {origin} can be used: its times are of {years['time'].dt.year()[0]}. If its calendar is another one, write the dates as days of the "
                "Gregorian; else choose another column for the time."
            )
        (east, north), size = thinned(read_places(table, columns, city, is_new).parts)
        if size:
            raise UserError(
                f"No row of {origin} can be used: its places lie around {np.median(north):.2f}, {np.median(east):.2f}, which isn't in {city.title}. "
                "Is it another city's file, or are its coordinates of another system?"
            )
        raise UserError(
            f"No row of {origin} can be used: {worst} in most; check the columns and the CRS."
        )
    return Understood(city, is_new, columns, read, notices, local)


def _crs_of_points(table: Rows, columns: dict[str, list[str]]) -> str | None:
    """The coordinate system that the column of points names itself, if places are read from one."""
    (east, *_), (north, *_) = columns["longitude"], columns["latitude"]
    if east != north or table.schema[east] != pl.String:
        return None
    return said_crs(head(table.column(east), 200))


def _example(table: Rows, columns: list[str]) -> str:
    """A column and the first value in it."""
    values = spread(table, columns)[columns[0]].cast(pl.String)
    return (
        f"'{columns[0]}', such as {values[0][:40]}," if len(values) else f"'{columns[0]}', empty,"
    )


def _city(request: Request, file: File) -> tuple[City, bool]:
    """The registered city, or a blank one of that name when a time zone makes that possible."""
    name, zone = request.name, request.zone
    if request.into is not None:
        return request.into, not snapshot(request.into).months
    try:
        return load_city(name), False
    except UserError as error:
        if is_registered(name):  # but damaged: what lies there isn't another city's to replace
            raise
        title = name.replace("_", " ").replace("-", " ").title()
        path = data_root() / "cities" / f"{name}.toml"
        if zone is None:
            blank = City(name, title, "UTC", "EPSG:4326", path=path, file_crs=file.crs)
            proposed = propose_zone(file.rows, request.mapping, blank)
            where = f" ({proposed} is where its places lie)" if proposed else ""
            raise Doubt(
                f"{error} To make it from a file, add --tz {proposed or 'ZONE'}{where}.",
                choices=(proposed,) if proposed else (),
            ) from None
    return City(name, title, zone, "EPSG:4326", path=path), True


def guess_values(table: pl.DataFrame | Rows, city: City | None = None) -> dict[str, str]:
    """For each field the columns that seem to hold it, several joined by +, as far as values and names tell."""
    known = city or City("new", "New", "UTC", "EPSG:4326")
    return joined(found_columns(table, {}, known, Asked(known.time_zone, hint="mdy"))[0])


def zone_of_file(table: pl.DataFrame | Rows, mapping: dict[str, str]) -> str | None:
    """The time zone in which a file's places lie, from the columns chosen; None where it can't be told."""
    zone = propose_zone(table, mapping, City("new", "New", "UTC", "EPSG:4326"))
    return zone if zone in available_timezones() else None


def propose_zone(table: pl.DataFrame | Rows, mapping: dict[str, str], city: City) -> str | None:
    """The time zone in which a file's places lie, as far as they can be told; else None."""
    try:
        columns, _ = resolve_values(table, mapping, city, Asked(city.time_zone, hint="mdy"))
        places = read_places(table, columns, city, True)
    except UserError:
        return None
    gone, box = placeholders(places.parts)
    if box is None:
        return None
    there = places.parts.beside(gone).map(lambda both: both[0][:, ~both[1]])
    return zone_of(*thinned(there)[0])


def _order_before(city: City) -> str | None:
    """The order of day and month in what was read of the city before."""
    orders = [entry.get("order") for entry in snapshot(city).imports]
    return next((order for order in reversed(orders) if order), None)


def _placeholder_notice(gone: Parts[np.ndarray]) -> Notice:
    found = pl.concat(
        [
            pl.DataFrame({"a": part[0], "b": part[1]})
            .group_by("a", "b")
            .agg(pl.len().alias("rows"))
            for part in gone
        ]
    )
    counted = found.group_by("a", "b").agg(pl.col("rows").sum())
    a, b, rows = counted.sort("rows", "a", "b", descending=True).row(0)
    total = int(counted["rows"].sum())
    return Notice(
        "placeholders",
        f"{total:,} rows stand far from the city at values that many share, such as ({a:g}, {b:g}) in {rows:,}: they have no place.",
        total,
    )
