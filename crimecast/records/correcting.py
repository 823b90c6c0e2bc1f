"""A city's files read again another way: other columns, coordinates, zone, or order of dates.

All is read beside what is there, and put in its place at once. Between the records and the city's entry
there is a moment; `finish` mends what was cut off in it.
"""

import shutil
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from pyarrow import parquet

from crimecast import UserError
from crimecast.cities import City, load_city, write_city
from crimecast.cities.city import SHIPPED, check_crs, check_zone
from crimecast.cities.quarters import write_quarters
from crimecast.reading.days import order_of
from crimecast.reading.files import opened
from crimecast.reading.meaning import named
from crimecast.records import originals
from crimecast.records.archive import adopt, merge
from crimecast.records.importing import held, mapped, read_in
from crimecast.records.originals import Original
from crimecast.records.quarters import EMPTY, naming_columns, places_in
from crimecast.records.snapshot import archive_folder, snapshot
from crimecast.records.understanding import Request
from crimecast.storage.access import accounted, act
from crimecast.storage.store import read_json, write_json


@dataclass(frozen=True)
class Correction:
    """What is other than before; None or empty where it stays."""

    mapping: dict[str, str] | None = None
    crs: str | None = None
    zone: str | None = None
    date_format: str | None = None

    def of(self, city: City, about: Original, columns: list[str]) -> Original:
        """How a file of these columns is to be read that was read as `about` says. A file in another zone than
        the city's stays in its own, one without the columns that are named keeps those that it has."""
        elsewhere = about.zone not in (None, city.time_zone)
        has = all(
            part in columns
            for value in (self.mapping or {}).values()
            for part in named(value, columns)
        )
        return replace(
            about,
            mapping={**about.mapping, **(self.mapping or {})} if has else about.mapping,
            crs=self.crs or about.crs,
            zone=about.zone if elsewhere else self.zone or about.zone,
            order=order_of(self.date_format) if self.date_format else about.order,
        )


@accounted
def read_again(name: str, correction: Correction) -> dict[str, Any]:
    """Read all files of the city `name` again; returns what was read and dropped, with the notices of each.

    Raises UserError, with everything as it was, where a file isn't kept or can't be read so.
    """
    city = load_city(name)
    if correction.crs is not None:
        check_crs(correction.crs)
    if correction.zone is not None:
        check_zone(correction.zone)
    act("correct", name)
    with held(name):
        finish(city)
        before = snapshot(city)
        files = [(path, about, columns_of(path)) for path, about in originals.originals(city)]
        _check_columns(correction, [columns for _, _, columns in files])
        work = beside(city, correction)
        shutil.rmtree(_place(work), ignore_errors=True)
        read, quarters = [], [EMPTY]
        for path, about, columns in files:
            work, entry, named_so = _read(work, path, correction.of(city, about, columns))
            read.append(entry)
            quarters.append(named_so)
        made = snapshot(work)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        made = replace(made, imports=[{**entry, "corrected": at} for entry in made.imports])
        own = {
            "time_zone": work.time_zone, "crs": work.crs, "file_crs": work.file_crs,
            "bounds": work.bounds, "columns": work.columns,
        }  # fmt: skip
        write_json(_pending(city), {"at": at, "entry": own})
        adopt(city, made, before)
        finish(city)
        write_quarters(load_city(name), pl.concat(quarters))
        for path, about, columns in files:
            write_json(path.with_suffix(".json"), asdict(correction.of(city, about, columns)))
        shutil.rmtree(_place(work), ignore_errors=True)
    return {
        "city": name,
        "files": len(read),
        "read": sum(entry["read"] for entry in read),
        "events": sum(snapshot(city).rows.values()),
        "notices": [notice for entry in read for notice in entry["notices"]],
        "read_as": read[-1]["read_as"] if read else {},
    }


def finish(city: City) -> None:
    """Bring the entry of a city to what its records were read as, where that was cut off."""
    path = _pending(city)
    if not path.exists():
        return
    asked = read_json(path, dict[str, Any])
    if any(entry.get("corrected") == asked["at"] for entry in snapshot(city).imports):
        bounds = asked["entry"]["bounds"]
        own = {**asked["entry"], "bounds": tuple(bounds) if bounds else None}
        write_city(replace(load_city(city.name), **own))
    path.unlink(missing_ok=True)


def columns_of(path: Path) -> list[str]:
    """The columns of a file that is kept."""
    return list(parquet.read_schema(path).names)


def _check_columns(correction: Correction, files: list[list[str]]) -> None:
    """Raises UserError for a column that no file has."""
    for field, parts in (correction.mapping or {}).items():
        if not any(all(part in columns for part in named(parts, columns)) for columns in files):
            known = ", ".join(dict.fromkeys(name for columns in files for name in columns))
            raise UserError(
                f"No file of the city has the column {parts} for the {field}; what is kept has {known}."
            )


def beside(city: City, correction: Correction) -> City:
    """The city as it is while its files are read again, in a folder within its own."""
    name = f"{city.name}/correcting"
    zone = correction.zone or city.time_zone
    if city.path.parent == SHIPPED:  # whose metres and extent are known
        return replace(city, name=name, time_zone=zone)
    return replace(city, name=name, time_zone=zone, file_crs=None, bounds=None, columns={})


def request_of(work: City, about: Original) -> Request:
    """What to ask for, to read a file `about` which that is known into a city."""
    return Request(
        work.name, about.mapping, about.crs, about.zone, about.order, work.title, work.outline, into=work
    )  # fmt: skip


def _read(work: City, path: Path, about: Original) -> tuple[City, dict[str, Any], pl.DataFrame]:
    """The city after it, what is said of it, and where its quarters and streets lie."""
    with opened(path) as file:
        file = replace(file, crs=about.file_crs)
        found, events, said = read_in(file, about.origin, request_of(work, about))
        entry = merge(found.city, events, about.origin, {**said, "kept": path.stem})
        named_so = places_in(file.rows, found.read.parts, naming_columns(file.rows, found.columns))
    if not found.is_new:
        return work, entry, named_so
    return replace(found.city, columns=mapped(found.columns)), entry, named_so


def _place(work: City) -> Path:
    return archive_folder(work).parent


def _pending(city: City) -> Path:
    return archive_folder(city).with_name("correcting.json")
