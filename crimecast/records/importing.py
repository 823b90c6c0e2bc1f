"""Read a file of records into a city's archive; make the city if it is new."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
from filelock import FileLock

from crimecast.cities import write_city
from crimecast.cities.city import check_crs, check_name, check_zone, is_registered
from crimecast.cities.quarters import add_quarters
from crimecast.reading.columns import plain
from crimecast.reading.days import order_of
from crimecast.reading.files import File, opened
from crimecast.reading.parts import Parts
from crimecast.records import originals
from crimecast.records.archive import merge
from crimecast.records.identity import identified
from crimecast.records.originals import Original
from crimecast.records.quarters import naming_columns, places_in
from crimecast.records.snapshot import archive_folder
from crimecast.records.understanding import Request, Understood, understand
from crimecast.records.unlike import unlike_known
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
    request = Request(name, mapping or {}, crs, zone, order, title, outline, now)
    act("import", f"{path.name} into {name}")
    with opened(path, encoding, delimiter) as file, held(name) as folder:
        try:
            return _import(file, path.name, request)
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
        shutil.rmtree(folder / "files", ignore_errors=True)
        with suppress(OSError):  # a crawl's state may lie there
            folder.rmdir()


def _import(file: File, origin: str, request: Request) -> dict[str, Any]:
    """Add the rows of a file, while nobody else changes the city."""
    found, events, about = read_in(file, origin, request)
    city = found.city
    if found.is_new:  # what an import left that was killed before the city had an entry
        shutil.rmtree(archive_folder(city), ignore_errors=True)
        originals.forget(city)
    else:
        good = events.map(lambda part: part.filter(pl.col("reason").is_null()))
        beside = unlike_known(city, good, found.read.precision, "source_id" in found.columns)
        about["notices"] = [*about["notices"], *(notice.plain() for notice in beside)]
    said = Original(origin, request.mapping, request.crs, request.zone, request.order, file.crs)
    naming = naming_columns(file.rows, found.columns)
    beside_used = {kind: [column] for kind, column in naming.items()}
    about["kept"] = originals.keep(city, file, said, found.columns | beside_used)
    entry = merge(city, events, origin, about)
    if naming:
        add_quarters(city, places_in(file.rows, found.read.parts, naming))
    if found.is_new:
        write_city(replace(city, columns=mapped(found.columns)))
    return {"city": city.name, "columns": found.columns, **entry}


def read_in(
    file: File, origin: str, request: Request
) -> tuple[Understood, Parts[pl.DataFrame], dict[str, Any]]:
    """A file's rows understood, as events with ids, and what the record of imports is to say of them; nothing
    is stored."""
    found = understand(file, origin, request)
    events, told = identified(found.city, file.rows, found.columns, found.read.parts)
    notices = [*found.notices, *told, *found.doubts()]
    about = {
        "precision": found.read.precision,
        "order": found.read.order,
        "notices": [notice.plain() for notice in notices],
        "read_as": found.read.read_as,
    }
    return found, events, about


def mapped(columns: dict[str, list[str]]) -> dict[str, str]:
    """The columns of each field as a city's entry names them."""
    return {field: "+".join(plain(c) for c in parts) for field, parts in columns.items()}
