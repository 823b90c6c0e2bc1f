"""Read a file of records into a city's archive; make the city if it is new."""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import numpy as np
import polars as pl
from filelock import FileLock

from crimecast import Doubt, UserError
from crimecast.cities import City, load_city, write_city
from crimecast.cities.city import check_crs, check_name, check_zone, is_registered, utm_zone
from crimecast.reading.columns import plain
from crimecast.reading.days import order_of
from crimecast.reading.files import File, opened
from crimecast.reading.meaning import found_columns, joined, resolve_values
from crimecast.reading.moment import Asked, no_time
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts, Rows
from crimecast.reading.places import (
    Box,
    Places,
    inside,
    placeholders,
    places_of,
    read_places,
    thinned,
    zone_notice,
)
from crimecast.reading.plausibility import plausibility
from crimecast.reading.zones import zone_of
from crimecast.records.archive import merge
from crimecast.records.events import read_events
from crimecast.records.identity import identified
from crimecast.records.snapshot import archive_folder, snapshot
from crimecast.storage.access import accounted, act
from crimecast.storage.store import data_root


@accounted
def import_file(
    name: str,
    path: Path,
    mapping: dict[str, str] | None = None,
    crs: str | None = None,
    zone: str | None = None,
    now: datetime | None = None,
    title: str | None = None,
    outline: str | None = None,
    date_format: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> dict[str, Any]:
    """Add the records of `path` to the city `name`; returns what was read, added, known, dropped.

    `mapping` names columns (`{"time": "date"}`), `crs` is that of the file's coordinates, `zone`
    that of its times, `date_format` the order of day, month and year. A city without a registry
    entry needs `zone`; its entry is written, with `title` and the file name of its `outline` if
    given. `notices` lists what was decided in doubt, left out, or looks wrong, `read_as` how times
    and places were read. Raises UserError; Doubt, where a person has to decide.
    """
    check_name(name)
    if crs is not None:
        check_crs(crs)
    if zone is not None:
        check_zone(zone)
    order = order_of(date_format) if date_format else None
    act("import", f"{path.name} into {name}")
    with opened(path, encoding, delimiter) as file, held(name) as folder:
        notices = list(file.notices)
        try:
            return _import(
                name, path, file, notices, mapping, crs, zone, now, title, outline, order
            )
        except BaseException:
            _forget_if_unborn(name, folder)
            raise


@contextmanager
def held(name: str) -> Iterator[Path]:
    """Hold the city `name`: who imports into it at the same time waits, so that the first import alone
    decides on its metres and its extent."""
    folder = data_root() / "cities" / name
    with FileLock(data_root() / "cities" / f".{name}.lock"):
        yield folder


def _forget_if_unborn(name: str, folder: Path) -> None:
    """A first import that failed leaves no records of a city that isn't there."""
    if not is_registered(name):
        shutil.rmtree(folder / "events", ignore_errors=True)
        with suppress(OSError):  # a crawl's state may lie there
            folder.rmdir()


def _import(
    name: str,
    path: Path,
    file: File,
    notices: list[Notice],
    mapping: dict[str, str] | None,
    crs: str | None,
    zone: str | None,
    now: datetime | None,
    title: str | None,
    outline: str | None,
    order: str | None,
) -> dict[str, Any]:
    """Add the rows that were read of `path`, while nobody else changes the city."""
    table = file.rows
    city, is_new = _city(name, zone, file, mapping)
    local = zone or city.time_zone
    latest = (now or datetime.now(check_zone(local)).replace(tzinfo=None)) + timedelta(days=1)
    asked = Asked(local, order, _order_before(city), latest)
    columns, found = resolve_values(table, mapping or {}, city, asked)
    notices += found
    if crs is None and city.file_crs is None and file.crs is not None:
        check_crs(file.crs)
        crs = file.crs
    if crs is not None:
        city = replace(city, file_crs=crs)
    places = None
    if is_new:
        places = read_places(table, columns, city, is_new)
        gone, box = placeholders(places.parts)
        if box is None:
            raise UserError(
                "No row has a place; check which columns are longitude and latitude, and the CRS."
            )
        if any(part.any() for part in gone):
            there = places.parts.beside(gone)
            notices.append(_placeholder_notice(there.map(lambda both: both[0][:, both[1]])))
            places = replace(
                places, parts=there.map(lambda both: np.where(both[1], np.nan, both[0])).kept()
            )
        city = replace(_metres(city, places), title=title or city.title, outline=outline)
        city = replace(city, bounds=_bounds(city, places.parts, box))
    read = read_events(table, city, columns, asked, is_new, places)
    notices += read.notices
    dropped: Counter[str] = Counter()
    kept = 0
    for part in read.parts:
        kept += part["reason"].null_count()
        dropped.update(dict(part["reason"].drop_nulls().value_counts().rows()))
    if not kept:
        worst = dropped.most_common(1)[0][0]
        if worst == "no time":
            raise no_time(columns["time"])
        raise UserError(
            f"No row of {path.name} can be used: {worst} in most; check the columns and the CRS."
        )
    events, found = identified(city, table, columns, read.parts)
    notices += found
    known = read.parts.map(
        lambda part: part.select(pl.col("longitude", "latitude").fill_null(np.nan)).to_numpy().T
    )
    if contradiction := zone_notice(known, local):
        notices.append(contradiction)
    used = read.parts.map(
        lambda part: part.filter(pl.col("reason").is_null()).select(
            "time", "type", "longitude", "latitude"
        )
    )
    notices += plausibility(used, read.precision)
    about = {
        "precision": read.precision,
        "order": read.order,
        "notices": [notice.plain() for notice in notices],
        "read_as": read.read_as,
    }
    if is_new:  # what an import left that was killed before the city had an entry
        shutil.rmtree(archive_folder(city), ignore_errors=True)
    entry = merge(city, events, path.name, about)
    if is_new:
        mapped = {field: "+".join(plain(c) for c in parts) for field, parts in columns.items()}
        write_city(replace(city, columns=mapped))
    return {"city": name, "columns": columns, **entry}


def _city(
    name: str, zone: str | None, file: File, mapping: dict[str, str] | None
) -> tuple[City, bool]:
    """The registered city, or a blank one of that name when a time zone makes that possible."""
    try:
        return load_city(name), False
    except UserError as error:
        if is_registered(name):  # but damaged: what lies there isn't another city's to replace
            raise
        title = name.replace("_", " ").replace("-", " ").title()
        path = data_root() / "cities" / f"{name}.toml"
        if zone is None:
            blank = City(name, title, "UTC", "EPSG:4326", path=path, file_crs=file.crs)
            proposed = propose_zone(file.rows, mapping or {}, blank)
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


def _metres(city: City, places: Places) -> City:
    """Give a new city a CRS in metres: the file's own if it is in metres, else its UTM zone."""
    file_crs = check_crs(city.file_crs or "EPSG:4326")
    if (
        file_crs.is_projected
        and file_crs.axis_info[0].unit_name == "metre"
        and file_crs.to_epsg() != 3857
    ):
        return replace(city, crs=str(city.file_crs))
    longitude, latitude = (float(np.median(v)) for v in thinned(places.parts)[0])
    return replace(city, crs=utm_zone(longitude, latitude))


def fix_extent(city: City) -> None:
    """Fix the extent of a city without an outline to where its first records are."""
    events = snapshot(city).scan().select("longitude", "latitude").collect()
    places = places_of(events["longitude"].to_numpy(), events["latitude"].to_numpy())
    _, box = placeholders(places)
    if box is not None:
        write_city(replace(city, bounds=_bounds(city, places, box)))


def _bounds(
    city: City, places: Parts[np.ndarray], box: Box
) -> tuple[float, float, float, float] | None:
    """The city's extent where no outline is known, fixed at the first import, in metres.

    That of the places within the box that holds the city, rounded outward to a kilometre: neither
    a mistyped place nor what stands for none makes the city a continent.
    """
    lowest, highest = np.full(2, np.inf), np.full(2, -np.inf)
    for part in places:
        metres = np.stack(city.to_metres.transform(*part[:, inside(part, box)]))
        lowest = np.minimum(lowest, metres.min(axis=1, initial=np.inf))
        highest = np.maximum(highest, metres.max(axis=1, initial=-np.inf))
    if not np.isfinite(lowest).all():
        return None
    x0, y0 = np.floor(lowest / 1000) * 1000
    x1, y1 = np.ceil(highest / 1000) * 1000
    return float(x0), float(y0), float(x1), float(y1)
