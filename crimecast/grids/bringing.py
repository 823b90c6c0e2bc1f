"""Counts that were made elsewhere → a stored grid, on which all that follows works as on one of records.

The cells lie where the file or the user says, in the city's metres; where neither does, the grid gets
a city of its own whose places are nominal. What isn't known isn't made up: it is asked for.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import xarray as xr
import zarr

from crimecast import Doubt, UserError
from crimecast.calendar.steps import Step, parse_date
from crimecast.cities import City, load_city, write_city
from crimecast.cities.city import check_crs, check_name, check_zone, utm_zone
from crimecast.grids.areas import Areas, check_land, lay_out, on_tiles, read_shapes, write_areas
from crimecast.grids.counting import CHUNK_BYTES, CODEC, DTYPES
from crimecast.grids.grid import MAX_CELLS, study_area
from crimecast.grids.tensors import Tensor, parse_axes, read_tensor
from crimecast.grids.totals import check_totals
from crimecast.storage.access import accounted, act
from crimecast.storage.store import data_root, read_json, replacing, write_json

FAR = 1e8  # metres: no place has coordinates beyond
MANY = 30  # types beyond which they seem to be steps
NOMINAL = 1000.0  # metres of a cell whose size isn't known
STEPS = ("1h", "2h", "3h", "4h", "6h", "8h", "12h", "1d", "1w", "1mo")


@dataclass(frozen=True)
class Wanted:
    """What the user says of the file, since it may not say it itself; None where they don't.

    `origin` is the south-west corner (x, y) in metres of the city's CRS; `zone` and `crs` are those
    of a new city. `areas` is a GeoJSON file of the areas that the counts are of.
    """

    since: str | None = None
    step: str | None = None
    types: str | None = None
    cell: float | None = None
    origin: tuple[float, float] | None = None
    zone: str | None = None
    crs: str | None = None
    areas: Path | None = None


@accounted
def import_cube(
    city_name: str, path: Path, axes: str, variable: str | None = None, wanted: Wanted = Wanted()
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
    times, unit = _times(tensor, wanted)
    types = _types(tensor, wanted)
    check_totals(tensor.values, 1, types, "type")
    city, is_new = _city(city_name, wanted)
    if tensor.values.ndim == 3:
        tensor, city, placed = _by_area(tensor, city, wanted, is_new)
    else:
        placed = _place(tensor, city, wanted, is_new)
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


@dataclass(frozen=True)
class _Placed:
    """Where the grid lies: its south-west corner and the side of a cell, in metres."""

    x0: float
    y0: float
    cell: float
    flipped: tuple[bool, bool] = (False, False)  # of y and x
    notes: tuple[str, ...] = ()
    areas: Areas | None = None

    def bounds(self, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 of so many rows and columns."""
        height, width = shape
        return self.x0, self.y0, self.x0 + width * self.cell, self.y0 + height * self.cell


def _by_area(
    tensor: Tensor, city: City, wanted: Wanted, is_new: bool
) -> tuple[Tensor, City, _Placed]:
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
    return replace(tensor, values=tiled), city, _Placed(x0, y0, cell, notes=(note,), areas=areas)


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


def _times(tensor: Tensor, wanted: Wanted) -> tuple[np.ndarray, Step]:
    """The beginnings of the steps, and their unit, from the file or else from what the user says."""
    steps = tensor.values.shape[0]
    known = tensor.coordinates.get("time")
    if known is not None and np.issubdtype(known.dtype, np.datetime64):
        known = known.astype("datetime64[ns]")
        if wanted.since is not None and parse_date(wanted.since, "--since").astype(
            "datetime64[D]"
        ) != known[0].astype("datetime64[D]"):
            raise UserError(
                f"The file's first step is {str(known[0])[:16]}, not {wanted.since}: leave the date out, or mend the file."
            )
        for text in [wanted.step] if wanted.step else STEPS:
            unit = Step.parse(text)
            number = unit.number(known)
            if (unit.start(number) == known).all() and (np.diff(number) == 1).all():
                return known, unit
        gaps = np.diff(known)
        odd = np.flatnonzero(gaps != np.median(gaps.astype(np.int64)).astype("timedelta64[ns]"))
        where = f"; after {str(known[odd[0]])[:16]} the distance is another" if odd.size else ""
        raise UserError(
            f"The times of the file are no steps of {wanted.step or 'hours, days, weeks from Monday on or months'}"
            f" that follow each other{where}."
        )
    if known is not None and not _counted(known):
        raise UserError(
            f"The times of the file, such as {str(known[0])[:40]!r}, can't be read: write them as dates (2016-01-31), or leave them out "
            "and say when the first step begins."
        )
    if wanted.since is None:
        raise Doubt(
            "The file doesn't say when its first step begins; say it.", "--since 2016-01-01"
        )
    unit = Step.parse(wanted.step or "1d")
    first = parse_date(wanted.since, "--since").astype("datetime64[ns]")
    number = unit.number(np.array([first]))
    if first.astype("datetime64[D]") > np.datetime64(datetime.now(UTC).date()):
        raise UserError(f"The first step can't begin on {wanted.since}: that is still to come.")
    left = (np.datetime64("2262-01-01") - first.astype("datetime64[D]")).astype(int)
    if steps * unit.days > left:
        raise UserError(f"{steps:,} steps of a {unit.words} from {wanted.since} on end after 2261.")
    if unit.start(number)[0] != first:
        raise UserError(
            f"A step of a {unit.words} begins on {str(unit.start(number)[0])[:16]}, not on {wanted.since}."
        )
    return unit.start(number[0] + np.arange(steps)), unit


def _counted(labels: np.ndarray) -> bool:
    """Whether labels only number what they stand at."""
    if labels.dtype.kind not in "iuf" or labels.size < 2:
        return labels.dtype.kind in "iuf"
    return bool((np.diff(labels) == 1).all() and labels[0] in (0, 1))


def _types(tensor: Tensor, wanted: Wanted) -> list[str]:
    kinds = tensor.values.shape[1]
    if kinds > MANY and kinds > tensor.values.shape[0]:
        raise UserError(
            f"The array has {kinds} types and only {tensor.values.shape[0]} steps: its axes seem to be in another order than was said."
        )
    known = tensor.coordinates.get("type")
    if wanted.types is not None:
        names = [part.strip().lower() for part in wanted.types.split(",")]
        labelled = known is not None and known.dtype.kind in "UOT"
        own = [str(one).strip().lower() for one in known] if known is not None and labelled else []
        if set(own) & set(names) and own != names:
            raise UserError(f"The file names its types itself: {', '.join(own)}, in that order.")
    elif known is not None and known.dtype.kind in "UOT":
        names = [str(name).strip().lower() for name in known]
    elif kinds == 1:
        names = ["all"]
    else:
        names = [f"type {number + 1}" for number in range(kinds)]
    if any(not one.isprintable() or len(one) > 200 for one in names):
        raise UserError("A type's name must be printable text of at most 200 characters.")
    if len(names) != kinds or len(set(names)) < kinds or "" in names:
        raise UserError(f"The array has {kinds} types; name each once, not {', '.join(names)}.")
    return names


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


def _place(tensor: Tensor, city: City, wanted: Wanted, is_new: bool) -> _Placed:
    """Where the cells lie. Raises UserError for cells that aren't square, or lie off the city."""
    y, x = tensor.coordinates.get("y"), tensor.coordinates.get("x")
    if wanted.origin is not None:
        if wanted.cell is None:
            raise Doubt("Say how large a cell is, in metres.", "--cell METRES")
        if not all(abs(metres) < FAR for metres in wanted.origin):
            raise UserError(
                "The south-west corner can't lie at {:g}, {:g} metres.".format(*wanted.origin)
            )
        if abs(wanted.origin[0]) <= 180 and abs(wanted.origin[1]) <= 90 and wanted.origin != (0, 0):
            raise UserError(
                f"The south-west corner {wanted.origin[0]:g}, {wanted.origin[1]:g} is in degrees: give it in metres of {city.crs}."
            )
        placed = _Placed(*wanted.origin, _side(wanted.cell))
    elif (
        y is not None
        and x is not None
        and y.dtype.kind in "uif"
        and x.dtype.kind in "uif"
        and min(len(x), len(y)) > 1
    ):
        placed = _from_centres(x.astype(float), y.astype(float), wanted)
        if is_new and wanted.crs is None:
            raise Doubt(
                "The file gives places in metres; say in which system.", "--crs EPSG:NUMBER"
            )
    else:
        if (
            not is_new
            and city.extent() is not None
            and city.quirks != _nominal(_side(wanted.cell)).notes
        ):
            raise Doubt(
                f"The file doesn't say where in {city.title} its cells lie: say the south-west corner in metres of "
                f"{city.crs} and the side of a cell, or give the counts a city of their own.",
                "--origin X,Y --cell METRES",
            )
        return _nominal(_side(wanted.cell))
    extent = None if is_new else city.extent()
    x0, y0, x1, y1 = placed.bounds(tensor.values.shape[2:])
    if extent is not None and not (
        x0 < extent[2] and x1 > extent[0] and y0 < extent[3] and y1 > extent[1]
    ):
        raise UserError(
            f"The cells lie at x {x0:,.0f} to {x1:,.0f}, y {y0:,.0f} to {y1:,.0f}, outside {city.title} "
            f"({extent[0]:,.0f} to {extent[2]:,.0f}, {extent[1]:,.0f} to {extent[3]:,.0f} in {city.crs})."
        )
    return placed


def _nominal(cell: float) -> _Placed:
    note = (
        f"Its counts came without places: cells of {cell:g} m stand for them, the first row in the south. "
        "Distances on its maps mean nothing."
    )
    return _Placed(0.0, 0.0, cell, notes=(note,))


def _side(cell: float | None) -> float:
    side = NOMINAL if cell is None else cell
    if not np.isfinite(side) or not 1 <= side <= 100_000:
        raise UserError(f"A cell of {side:g} metres can't be: use 100 to 100000.")
    return float(side)


def _from_centres(x: np.ndarray, y: np.ndarray, wanted: Wanted) -> _Placed:
    sides = [np.diff(values) for values in (x, y)]
    cell = float(abs(np.median(sides[0])))
    if max(np.abs(x).max(), np.abs(y).max()) <= 180 and cell < 1:
        raise UserError(
            "The cells are regular in degrees, not in metres: project the counts, or leave their places out."
        )
    if any(np.abs(np.abs(side) - cell).max() > 1e-3 * cell for side in sides) or cell == 0:
        raise UserError(
            "The cells aren't squares of one size: their centres are at uneven distances."
        )
    if wanted.cell is not None and abs(wanted.cell - cell) > 1e-3 * cell:
        raise UserError(f"The centres of the cells are {cell:g} m apart, not {wanted.cell:g}.")
    flipped = (bool(sides[1][0] < 0), bool(sides[0][0] < 0))
    return _Placed(float(x.min()) - cell / 2, float(y.min()) - cell / 2, _side(cell), flipped)


def _write(
    folder: Path,
    name: str,
    city: City,
    counts: np.ndarray,
    area: np.ndarray,
    times: np.ndarray,
    unit: Step,
    types: list[str],
    placed: _Placed,
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
