"""Read a file of records into a city's archive; make the city if it is new."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from crimecast.cities import City, load_city, write_city
from crimecast.cities.city import check_crs, check_name, check_zone, utm_zone
from crimecast.errors import UserError
from crimecast.records.archive import merge
from crimecast.records.columns import plain, resolve
from crimecast.records.events import standardise
from crimecast.records.snapshot import snapshot
from crimecast.sources.files import read_table
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
) -> dict[str, Any]:
    """Add the records of `path` to the city `name`; returns what was read, added, known, dropped.

    `mapping` names columns (`{"time": "date"}`), `crs` is that of the file's coordinates, `zone`
    that of its times. A city without a registry entry needs `zone`; its entry is written, with
    `title` and the file name of its `outline` if given.
    """
    check_name(name)
    if crs is not None:
        check_crs(crs)
    if zone is not None:
        check_zone(zone)
    act("import", f"{path.name} into {name}")
    table = read_table(path)
    city, is_new = _city(name, zone)
    columns = resolve(table.columns, mapping, city)
    if crs is not None:
        city = replace(city, file_crs=crs)
    if is_new:
        city = replace(_place(city, table, columns), title=title or city.title, outline=outline)
    events = standardise(table, city, columns, now)
    if is_new:
        city = replace(city, bounds=_bounds(events))
        events = standardise(table, city, columns, now)
    if not events["reason"].is_null().any():
        worst = events["reason"].value_counts(sort=True).row(0)[0]
        raise UserError(
            f"No row of {path.name} can be used: {worst} in most; check the columns and the CRS."
        )
    entry = merge(city, events, path.name)
    if is_new:
        mapped = {field: "+".join(plain(c) for c in parts) for field, parts in columns.items()}
        write_city(replace(city, columns=mapped))
    return {"city": name, "columns": columns, **entry}


def _city(name: str, zone: str | None) -> tuple[City, bool]:
    """The registered city, or a blank one of that name when a time zone makes that possible."""
    try:
        city = load_city(name)
    except UserError as error:
        if zone is None:
            raise UserError(f"{error} To make it from a file, add --tz ZONE.") from None
        title = name.replace("_", " ").replace("-", " ").title()
        path = data_root() / "cities" / f"{name}.toml"
        return City(name, title, zone, "EPSG:4326", path=path), True
    return (replace(city, time_zone=zone) if zone else city), False


def _place(city: City, table: pl.DataFrame, columns: dict[str, list[str]]) -> City:
    """Give a new city a CRS in metres: the file's own if it is in metres, else its UTM zone."""
    file_crs = check_crs(city.file_crs or "EPSG:4326")
    if file_crs.is_projected and file_crs.axis_info[0].unit_name == "metre":
        return replace(city, crs=str(city.file_crs))
    probe = standardise(table.head(10_000), city, columns)
    known = probe.filter(pl.col("longitude").is_not_null())
    if known.is_empty():
        raise UserError(
            "No row has a place; check which columns are longitude and latitude, and the CRS."
        )
    longitude, latitude = (float(np.median(known[name])) for name in ("longitude", "latitude"))
    return replace(city, crs=utm_zone(longitude, latitude))


def fix_extent(city: City) -> None:
    """Fix the extent of a city without an outline to where its first records are."""
    events = (
        snapshot(city).scan().select("x", "y", pl.lit(None, pl.String).alias("reason")).collect()
    )
    write_city(replace(city, bounds=_bounds(events)))


def _bounds(events: pl.DataFrame) -> tuple[float, float, float, float] | None:
    """The city's extent where no outline is known, fixed at the first import, in metres.

    The box of 98 % of the places, half as wide again on each side, cut to where records are,
    rounded outward to a kilometre: one mistyped place doesn't make the city a continent.
    """
    sides = []
    for axis in ("x", "y"):
        values = events.filter(pl.col("reason").is_null())[axis].to_numpy()
        if values.size == 0:
            return None
        low, high = np.quantile(values, [0.01, 0.99])
        slack = 0.5 * (high - low) + 1000.0
        inside = values[(values >= low - slack) & (values <= high + slack)]
        sides.append((np.floor(inside.min() / 1000) * 1000, np.ceil(inside.max() / 1000) * 1000))
    (x0, x1), (y0, y1) = sides
    return float(x0), float(y0), float(x1), float(y1)
