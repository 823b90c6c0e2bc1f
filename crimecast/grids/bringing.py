"""Counts that were made elsewhere → a stored grid, on which all that follows works as on one of records.

The cells lie where the file or the user says, in the city's metres; where neither does, the grid gets
a city of its own whose places are nominal. What isn't known isn't made up: it is asked for.
"""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import xarray as xr
import zarr

from crimecast import UserError
from crimecast.calendar.steps import Step
from crimecast.cities import City, load_city, write_city
from crimecast.cities.city import check_crs, check_name, check_zone, utm_zone
from crimecast.grids.areas import check_land, lay_out, on_tiles, read_shapes, write_areas
from crimecast.grids.counting import CHUNK_BYTES, CODEC, DTYPES
from crimecast.grids.grid import MAX_CELLS
from crimecast.grids.placing import Placed, place
from crimecast.grids.study_area import study_area
from crimecast.grids.tensor_axes import AS_FOUND, Wanted, times_of, types_of
from crimecast.grids.tensors import Tensor, parse_axes, read_tensor
from crimecast.grids.totals import check_totals
from crimecast.storage.access import accounted, act
from crimecast.storage.store import data_root, read_json, replacing, write_json


@accounted
def import_cube(
    city_name: str, path: Path, axes: str, variable: str | None = None, wanted: Wanted = AS_FOUND
) -> dict[str, Any]:
    """Store the counts of a .nc, .zarr or .npz file as a grid of the city; returns its summary.

    `axes` says what each axis of the array is (`time,type,y,x`, or `time,type,area` for counts by area,
    which are laid out as tiles: `areas.py`), `variable` which array it is, or
    which follow each other in time (`train,val,test`). A city that isn't known is made. Raises
    UserError for counts that are none, steps that aren't regular or cells that aren't square;
    Doubt for what the file doesn't say and a person has to.
    """
    check_name(city_name)
    act("import", f"{path.name} as a grid of {city_name}")
    tensor = read_tensor(path, parse_axes(axes), variable)
    times, unit = times_of(tensor, wanted)
    types = types_of(tensor, wanted)
    check_totals(tensor.values, 1, types, "type")
    city, is_new = _city(city_name, wanted)
    if tensor.values.ndim == 3:
        tensor, city, placed = _by_area(tensor, city, wanted, is_new)
    else:
        placed = place(tensor, city, wanted, is_new)
    counts, area = _counts(tensor.values)
    if placed.flipped[0]:
        counts, area = counts[:, :, ::-1], area[::-1]
    if placed.flipped[1]:
        counts, area = counts[..., ::-1], area[:, ::-1]
    if is_new:
        city = replace(city, bounds=placed.bounds(area.shape), quirks=placed.notes)
    names = placed.areas and placed.areas.names
    where = f"{placed.x0}, {placed.y0}, {placed.cell}" + (f", {names}" if names else "")
    told = json.dumps([city.name, where, str(times[0]), str(unit), types, counts.shape])
    digest = hashlib.blake2b(told.encode() + counts.tobytes() + area.tobytes(), digest_size=4)
    size = f"{len(names)}areas" if names else f"{placed.cell:g}m"
    name = f"{city.name}-{size}-{unit}-{digest.hexdigest()}"
    folder = data_root() / "grids" / name
    if not (folder / "grid.json").exists():
        with replacing(folder) as temporary:
            temporary.mkdir()
            _write(temporary, name, city, counts, area, times, unit, types, placed, path.name)
            if is_new:  # of what was refused there is no city either
                write_city(city)
    return read_json(folder / "grid.json")


def _by_area(
    tensor: Tensor, city: City, wanted: Wanted, is_new: bool
) -> tuple[Tensor, City, Placed]:
    """Counts by area on the tiles of a grid, missing on those that have none, and where they lie."""
    labels = tensor.coordinates.get("area")
    count = tensor.values.shape[2]
    if labels is not None and labels.dtype.kind in "UOTiu":
        names = [str(name).strip() for name in labels]
    else:
        names = [f"area {number + 1}" for number in range(count)]
    if len(set(names)) < count:
        raise UserError("Two areas have the same name.")
    check_totals(tensor.values, 2, names, "area")
    shapes = None
    if wanted.areas is not None:
        shapes = read_shapes(wanted.areas, names)
        check_land(shapes, city.time_zone if wanted.zone or not is_new else None)
        if is_new and wanted.crs is None:
            centre = shapely.union_all(shapes).centroid
            city = replace(city, crs=utm_zone(centre.x, centre.y))
        shapes = [city.project(shape) for shape in shapes]
    areas, (x0, y0, cell) = lay_out(names, shapes)
    tiled = on_tiles(tensor.values.astype(np.float64), areas)
    used = on_tiles(np.ones(count, dtype=bool), areas)
    tiled[..., ~used] = np.nan
    note = (
        f"Its {count} areas stand on tiles, " + ("each near where it lies" if shapes else "row by row")
        + ": what is said to lie beside one is the tile beside it, and shares of the city count each area "
        "as one, however large it is."
    )  # fmt: skip
    return replace(tensor, values=tiled), city, Placed(x0, y0, cell, notes=(note,), areas=areas)


def _counts(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The counts as whole numbers, and (y, x) which cells belong to the area: those that aren't missing."""
    if 0 in values.shape:
        raise UserError(f"The array is empty: {values.shape} as time, type and place.")
    if values.shape[2] * values.shape[3] > MAX_CELLS:
        raise UserError(f"That makes more cells than the {MAX_CELLS:,} there may be.")
    area = np.ones(values.shape[2:], dtype=bool)
    if values.dtype.kind == "f":
        missing = np.isnan(values)
        area = ~missing.all(axis=(0, 1))
        if missing[:, :, area].any():
            raise UserError(
                f"{int(missing[:, :, area].sum()):,} counts are missing in cells that have others: a step "
                "without counts can't be told from a quiet one. Leave these steps or cells out."
            )
        values = np.where(missing, 0, values) if missing.any() else values
        if not np.isfinite(values).all() or (values != np.floor(values)).any():
            odd = values[~np.isfinite(values) | (values != np.floor(values))][0]
            raise UserError(
                f"Counts are whole numbers, but there is {odd:g}: give them as counted, not scaled."
            )
    _no_counts(values)
    if values.min() < 0:
        raise UserError(f"A count can't be negative, but there is {values.min():g}.")
    largest = int(values.max())
    fits = [dtype for dtype in DTYPES if largest <= np.iinfo(dtype).max]
    if not fits:
        raise UserError(f"A count of {largest:,} is too large.")
    return np.ascontiguousarray(values.astype(fits[0])), area


def _no_counts(values: np.ndarray) -> None:
    """Raises UserError for whole numbers that are no counts of their steps."""
    if values.dtype.kind in "ui" and values.dtype.itemsize == 1:
        top = np.iinfo(values.dtype).max
        share = float((values == top).mean())
        if share > 0.005:
            raise UserError(
                f"{share:.1%} of the numbers are {top}, the largest that a byte holds: they seem to stand for none. Give these cells as missing (NaN)."
            )
    steps = values.sum(axis=(1, 2, 3), dtype=np.float64)
    if (
        len(steps) >= 20
        and steps[-1] > 3 * max(1.0, steps[0])
        and bool((values[1:] >= values[:-1]).all())
    ):
        raise UserError(
            "The numbers never fall from one step to the next: they seem to add up all that came before. Give what happened in each step."
        )


def _city(name: str, wanted: Wanted) -> tuple[City, bool]:
    try:
        city = load_city(name)
    except UserError:
        if wanted.crs is not None and not check_crs(wanted.crs).is_projected:
            raise UserError(f"{wanted.crs} is not in metres; use one such as EPSG:32616.") from None
        check_zone(wanted.zone or "UTC")
        title = name.replace("_", " ").replace("-", " ").title()
        return City(name, title, wanted.zone or "UTC", wanted.crs or "EPSG:3857"), True
    if wanted.crs is not None and check_crs(wanted.crs) != check_crs(city.crs):
        raise UserError(
            f"{city.title} is in {city.crs}, not in {wanted.crs}: give the places in that."
        )
    return city, False


def _write(
    folder: Path,
    name: str,
    city: City,
    counts: np.ndarray,
    area: np.ndarray,
    times: np.ndarray,
    unit: Step,
    types: list[str],
    placed: Placed,
    origin: str,
) -> None:
    steps, kinds, height, width = counts.shape
    whole = bool(area.all()) and placed.areas is None
    if whole and city.boundary is not None:
        area = study_area(city, placed.x0 / placed.cell, placed.y0 / placed.cell, width, height, placed.cell)  # fmt: skip
    events = int(counts.sum(dtype=np.int64))
    outside = int(counts[:, :, ~area].sum(dtype=np.int64))
    known = city.boundary is not None or not whole
    channels = {kind: [kind] for kind in types}
    brought = {"origin": origin, "read_at": datetime.now(UTC).isoformat(timespec="seconds")}
    cube = xr.Dataset(
        {"area": (("y", "x"), area)},
        coords={
            "time": times, "type": types,
            "y": placed.y0 + (np.arange(height) + 0.5) * placed.cell,
            "x": placed.x0 + (np.arange(width) + 0.5) * placed.cell,
        },
        attrs={
            "grid": name, "city": city.name, "crs": city.crs, "time_zone": city.time_zone,
            "cell": placed.cell, "step": str(unit), "types": json.dumps(channels),
            "simulated": int(city.simulated), "area_from": "outline" if known else "events",
            "provenance": json.dumps(
                {"records": events, "kept": events, "dropped": {}, "imports": [brought]}
            ),
        },
    )  # fmt: skip
    cube.to_zarr(folder / "cube.zarr", mode="w", zarr_format=2, consolidated=False)
    layer = kinds * height * width * counts.itemsize
    stored = zarr.open_group(folder / "cube.zarr", mode="a").create_array(
        "counts", shape=counts.shape, dtype=counts.dtype, fill_value=None, compressors=CODEC,
        chunks=(int(np.clip(CHUNK_BYTES // layer, 1, steps)), kinds, height, width),
        attributes={"_ARRAY_DIMENSIONS": ["time", "type", "y", "x"]},
    )  # fmt: skip
    stored[:] = counts
    zarr.consolidate_metadata(folder / "cube.zarr", zarr_format=2)
    if placed.areas is not None:
        write_areas(folder, placed.areas)
    struck = (counts > 0).any(axis=(0, 1))
    summary = {
        "grid": name, "city": city.name, "cell": placed.cell, "step": str(unit), "types": ",".join(types),
        "since": None, "until": None, "shape": list(counts.shape),
        "cells": int(area.sum() if known else struck.sum()), "events": events, "dropped": 0,
        "dropped_by_reason": {}, "records": events, "events_outside_area": outside,
        "first": str(times[0])[:16], "last": str(times[-1])[:16], "type_names": types,
        "empty_share": float((counts[:, :, area if known else struck] == 0).mean()), "simulated": city.simulated,
        "imported": origin, "notes": list(placed.notes), "areas": len(placed.areas.names) if placed.areas else 0,
    }  # fmt: skip
    write_json(folder / "grid.json", summary)
