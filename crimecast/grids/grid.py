"""Events → a labelled count cube, on cells anchored to the city's own metres.

The cube is an xarray Dataset on Zarr: `counts` (time, type, y, x), `area` (y, x), the coordinates
of cell centres in metres, and where it came from in its attributes.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import xarray as xr
from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from crimecast import UserError
from crimecast.calendar.steps import Step, parse_date
from crimecast.cities import City, load_city
from crimecast.grids.counting import Job, Layout, count
from crimecast.grids.study_area import study_area
from crimecast.records.correcting import finish
from crimecast.records.snapshot import Snapshot, snapshot
from crimecast.records.snapshot import whole as whole_records
from crimecast.storage.access import accounted, act
from crimecast.storage.faults import SAID
from crimecast.storage.forms import Damaged
from crimecast.storage.store import data_root, read_json, replacing, write_json

MAX_CELLS = 4_000_000
MAX_NUMBERS = 2e10  # of a cube: an hour's cells of 100 m in a large city over ten years


NAME = re.compile(r"[A-Za-z0-9_.+-]{1,200}")


class Summary(TypedDict):
    """What is kept of a grid beside its cube, and shown of it."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    grid: str
    city: str
    cell: float
    step: str
    types: str
    shape: Annotated[list[int], Field(min_length=4, max_length=4)]
    cells: int
    events: int
    dropped: int
    dropped_by_reason: dict[str, int]
    records: int
    first: str
    last: str
    type_names: list[str]


@dataclass(frozen=True)
class GridSpec:
    """What makes a grid: with the content of the city's archive, its identity."""

    city: str
    cell: float
    step: str
    types: str
    since: str | None
    until: str | None


def grid_folder(grid: str) -> Path:
    """The folder of a stored grid. Raises UserError if there is none of that name."""
    path = data_root() / "grids" / grid
    known_form = NAME.fullmatch(grid) is not None
    if not known_form or not (path / "grid.json").exists():
        known = ", ".join(entry["grid"] for entry in list_grids()) or "none yet"
        raise UserError(f"There is no grid called '{grid[:80]}'. Known grids: {known}.")
    return path


def list_grids(city: str | None = None) -> list[dict[str, Any]]:
    """The summary of every stored grid, newest first."""
    paths = sorted(
        (data_root() / "grids").glob("*/grid.json"), key=lambda p: p.stat().st_mtime, reverse=True
    )
    entries = []
    for path in paths:
        with suppress(Damaged, OSError):  # it can be made again; the others can be used
            entries.append(read_json(path, Summary))
    return [entry for entry in entries if city is None or entry["city"] == city]


def open_grid(grid: str) -> xr.Dataset:
    """The cube of a stored grid, read lazily."""
    with whole(grid):
        return xr.open_zarr(grid_folder(grid) / "cube.zarr", chunks=None)


@contextmanager
def whole(grid: str) -> Iterator[None]:
    """What reading a damaged cube throws, as a sentence: Zarr and its codecs throw what they like."""
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in SAID:
            raise
        raise Damaged(
            f"The grid {grid} is damaged ({type(error).__name__}): take its folder out of the data folder's grids and "
            "make it anew."
        ) from error


def edges(low: float, high: float, cell: float) -> tuple[int, int]:
    """First cell number and how many cover [low, high]; cell k is [k·cell, (k + 1)·cell)."""
    first = int(np.floor(low / cell))
    return first, int(np.floor(high / cell)) - first + 1


def resolve_types(city: City, known: list[str], wanted: str) -> dict[str, list[str] | None]:
    """Channels of the cube: name → the event types it sums, None for every type.

    `known` are the types in the city's records. `all` is one channel of all events; `each` is one
    channel a type; else a list of types and of the city's groups. Raises UserError for an unknown one, or for one that is counted twice.
    """
    if wanted.strip().lower() == "all":
        return {"all": None}
    if wanted.strip().lower() == "each":
        return {name: [name] for name in known}
    channels: dict[str, list[str] | None] = {}
    seen: dict[str, str] = {}
    for name in _split_types(wanted, known):
        members = [name] if name in known else city.groups.get(name)
        if not members:
            raise UserError(
                f"There is no type or group '{name}' in {city.title}. "
                f"Groups: {', '.join(city.groups) or 'none'}; types: {', '.join(known)}."
            )
        members = [city.aliases.get(member, member) for member in members]
        for member in members:
            if member in seen:
                raise UserError(
                    f"'{member}' would be counted twice, in {seen[member]} and in {name}."
                )
            seen[member] = name
        channels[name] = members
    return channels


def _split_types(wanted: str, known: list[str]) -> list[str]:
    """Split at commas, but not inside the name of a type that has a comma."""
    names: list[str] = []
    rest = wanted.strip().lower()
    while rest:
        whole = [name for name in known if rest == name or rest.startswith(f"{name},")]
        name = max(whole, key=len) if whole else rest.split(",")[0]
        rest = rest[len(name) :].lstrip(", ")
        if name.strip():
            names.append(name.strip())
    if not names:
        raise UserError("Name at least one type, or 'all'.")
    return names


@accounted
def make_grid(
    city_name: str,
    cell: float = 500.0,
    step: str = "1d",
    types: str = "all",
    since: str | None = None,
    until: str | None = None,
    cluster: str = "",
) -> dict[str, Any]:
    """Grid a city's archive; the same request on the same records is answered from the store.
    `cluster` is the address of a Ray cluster that shares the counting.

    Returns the summary: `grid`, `shape` (time, type, y, x), `cells` of the study area, `events`
    in the cube, `dropped` and `dropped_by_reason`, with events + dropped = `records`.
    """
    finish(load_city(city_name))
    city = load_city(city_name)
    if not np.isfinite(cell) or not 1 <= cell <= 100_000:
        raise UserError(f"A cell of {cell:g} metres can't be made: use 100 to 100000.")
    unit = Step.parse(step)
    records = snapshot(city)
    if not records.months:
        raise UserError(f"{city.title} has no events yet: crawl or import some first.")
    if unit.unit != "mo" and records.months_only:
        raise UserError(
            f"Some records of {city.title} give the month alone: make a grid of months (1mo), not of {unit.words}s."
        )
    channels = resolve_types(city, list(records.type_counts), types)
    spec = GridSpec(city.name, float(cell), str(unit), ",".join(channels), since, until)
    files = {month: path.name for month, path in records.files.items()}  # named by their content
    identity = json.dumps([asdict(spec), channels, files, city.outline, city.bounds])
    digest = hashlib.blake2b(identity.encode(), digest_size=4).hexdigest()
    name = f"{city.name}-{cell:g}m-{unit}-{digest}"
    folder = data_root() / "grids" / name
    if not (folder / "grid.json").exists():
        act("grid", name)
        with whole_records(city), replacing(folder) as temporary:
            temporary.mkdir()
            _write_cube(temporary, name, city, spec, channels, records, cluster)
    return dict(read_json(folder / "grid.json", Summary))


def outdate(city: str, since: str) -> list[str]:
    """Note in a city's grids that its records have been read otherwise `since` a day; returns their names."""
    names = [entry["grid"] for entry in list_grids(city)]
    for name in names:
        path = grid_folder(name) / "grid.json"
        made = path.stat().st_mtime
        write_json(path, {**read_json(path, Summary), "outdated": since})
        os.utime(path, (made, made))  # which says which is the newest
    return names


def _window(records: Snapshot, unit: Step, spec: GridSpec) -> tuple[int, int]:
    """First step and how many: from `since` (or the first event) to `until` (or the last event)."""
    files = records.files
    bounds = (
        pl.scan_parquet([files[min(files)], files[max(files)]])
        .select(pl.col("time").min().alias("first"), pl.col("time").max().alias("last"))
        .collect()
    )
    first: np.datetime64 = np.datetime64(bounds["first"][0], "us")
    end: np.datetime64 = np.datetime64(bounds["last"][0], "us") + np.timedelta64(1, "us")
    if spec.since is not None:
        first = parse_date(spec.since, "--since")
    if spec.until is not None:
        end = parse_date(spec.until, "--until")
    numbers = unit.number(np.array([first, end - np.timedelta64(1, "us")]))
    count = int(numbers[1] - numbers[0]) + 1
    if end <= first:
        raise UserError(f"The period is empty: it ends ({end}) before it begins ({first}).")
    return int(numbers[0]), count


def _write_cube(
    folder: Path,
    name: str,
    city: City,
    spec: GridSpec,
    channels: dict[str, list[str] | None],
    records: Snapshot,
    cluster: str,
) -> None:
    unit = Step.parse(spec.step)
    extent = city.extent()
    if extent is None:
        raise UserError(
            f"{city.title} has no outline and no extent; import a file with places first."
        )
    column0, width = edges(extent[0], extent[2], spec.cell)
    row0, height = edges(extent[1], extent[3], spec.cell)
    if width * height > MAX_CELLS:
        raise UserError(
            f"That makes {width * height:,} cells; use larger cells (the limit is {MAX_CELLS:,})."
        )
    step0, steps = _window(records, unit, spec)
    numbers = steps * len(channels) * width * height
    if numbers > MAX_NUMBERS:
        raise UserError(
            f"That makes {steps:,} steps of {len(channels)} × {height:,} × {width:,} cells, {numbers:.1e} numbers; "
            f"use larger cells, longer steps, fewer types or a shorter period (the limit is {MAX_NUMBERS:.0e})."
        )
    area = study_area(city, column0, row0, width, height, spec.cell)
    cube = xr.Dataset(
        {"area": (("y", "x"), area)},
        coords={
            "time": unit.start(step0 + np.arange(steps)),
            "type": list(channels),
            "y": (row0 + np.arange(height) + 0.5) * spec.cell,
            "x": (column0 + np.arange(width) + 0.5) * spec.cell,
        },
    )
    account = records.report(examples=0)
    cube.attrs = {
        "grid": name,
        "city": city.name,
        "crs": city.crs,
        "time_zone": city.time_zone,
        "cell": spec.cell,
        "step": spec.step,
        "types": json.dumps(channels),
        "simulated": int(city.simulated),
        "area_from": "outline" if city.boundary is not None else "events",
        "provenance": json.dumps(account),
    }
    layout = Layout(
        city.name, spec.cell, spec.step, json.dumps(channels), step0, row0, column0, *area.shape
    )
    job = Job(folder / "cube.zarr", cube, records, channels, layout, _previous(layout))
    totals, chunks = count(job, cluster)
    by_reason = {key: value["count"] for key, value in account["dropped"].items() if value["count"]}
    for key in ("outside the grid", "outside the period", "of other types"):
        if totals[key]:
            by_reason[key] = totals[key]
    cells = int(area.sum()) if city.boundary is not None else totals["cells"]
    summary = {
        "grid": name,
        **asdict(spec),
        "shape": [steps, len(channels), height, width],
        "cells": cells,
        "events": totals["events"],
        "dropped": sum(by_reason.values()),
        "dropped_by_reason": by_reason,
        "records": account["records"],
        "events_outside_area": totals["outside area"],
        "first": str(cube.time.values[0])[:16],
        "last": str(cube.time.values[-1])[:16],
        "type_names": list(channels),
        "empty_share": 1 - totals["filled"] / max(1, steps * len(channels) * cells),
        "simulated": city.simulated,
    }
    write_json(folder / "chunks.json", {"layout": asdict(layout), **chunks})
    write_json(folder / "grid.json", summary)


def _previous(layout: Layout) -> Path | None:
    """A stored grid of the same layout, made from other records, whose chunks may still be true."""
    for path in sorted((data_root() / "grids").glob(f"{layout.city}-*/chunks.json")):
        with suppress(Damaged, OSError):
            if read_json(path, dict[str, Any]).get("layout") == asdict(layout):
                return path.parent
    return None
