"""Counts as researchers hand them round: an array from a NetCDF, Zarr or NumPy file, with its coordinates.

Nothing is unpickled, and how large an array will be is known before it is read.
"""

import math
import zipfile
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from crimecast import Doubt, UserError

AXES = ("time", "type", "y", "x")
BY_AREA = ("time", "type", "area")
NAMES = {
    "day": "time", "step": "time", "t": "time", "types": "type", "kind": "type", "channel": "type",
    "row": "y", "rows": "y", "column": "x", "columns": "x", "col": "x",
    "areas": "area", "region": "area", "neighborhood": "area", "neighbourhood": "area", "district": "area",
}  # fmt: skip
MOST = 2_000_000_000  # numbers of an array that is read whole


@dataclass(frozen=True)
class Tensor:
    """`values` (time, type, y, x) or (time, type, area), and for each axis what the file says of it, if
    anything."""

    values: np.ndarray
    coordinates: dict[str, np.ndarray]


def parse_axes(text: str) -> tuple[str, ...]:
    """What each axis of the array is, in its own order. Raises UserError."""
    named = [NAMES.get(part.strip().lower(), part.strip().lower()) for part in text.split(",")]
    wanted = {"time", "area"} if "area" in named else {"time", "y", "x"}
    if len(set(named)) < len(named) or not wanted <= set(named) <= wanted | {"type"}:
        raise UserError(
            f"'{text}' doesn't name the axes: say time, y and x once each, or time and area, and type if "
            "there is one, in the order of the array, such as time,type,y,x."
        )
    return tuple(named)


def read_tensor(path: Path, axes: tuple[str, ...], variable: str | None) -> Tensor:
    """The array `variable` of a file, its axes turned to AXES or BY_AREA; several, `a,b,c`, follow in time.

    Raises UserError for a file that can't be read or is too large, an array that isn't there or has
    other axes; Doubt where the file holds several and none is named.
    """
    if not path.exists():
        raise UserError(f"There is no file {path}.")
    ending = path.suffix.lower()
    if ending not in (".npz", ".nc", ".zarr"):
        raise UserError(f"{path.name} is no .nc, .zarr or .npz file.")
    try:
        arrays = _numpy(path) if ending == ".npz" else _labelled(path, ending)
        names = _chosen(arrays, variable, path)
        parts = [_turned(arrays[name], name, axes) for name in names]
        if ending == ".npz" and len(names) == 1:
            parts = [_with_labels(parts[0], arrays, names[0])]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{path.name} can't be read: {error}.") from None
    first = parts[0]
    if any(part.values.shape[1:] != first.values.shape[1:] for part in parts):
        shapes = ", ".join(f"{n} {p.values.shape}" for n, p in zip(names, parts, strict=True))
        raise UserError(
            f"The arrays can't follow each other in time: {shapes} as {', '.join(_order(axes))}."
        )
    for (one, before), (other, after) in pairwise(zip(names, parts, strict=True)):
        if same := _overlap(before.values, after.values):
            raise UserError(
                f"The first {same} frames of '{other}' are the last of '{one}': windows that overlap count the same events twice. Cut them first."
            )
    times = [part.coordinates["time"] for part in parts if "time" in part.coordinates]
    joined = dict(first.coordinates)
    joined.pop("time", None)
    if len(times) == len(parts):
        joined["time"] = np.concatenate(times)
    values = first.values if len(parts) == 1 else np.concatenate([part.values for part in parts])
    return replace(first, values=values, coordinates=joined)


def _overlap(before: np.ndarray, after: np.ndarray) -> int:
    """How many frames at the end of one array begin the next; of fewer than three, or of empty ones, 0."""
    for count in range(min(len(before), len(after), 60), 2, -1):
        if after[:count].any() and np.array_equal(before[-count:], after[:count]):
            return count
    return 0


def _with_labels(part: Tensor, arrays: dict[str, xr.DataArray], counts: str) -> Tensor:
    """The coordinates that lie beside the counts as arrays of their own, by name and length; times as text too."""
    known = dict(part.coordinates)
    names = ("time", "type", "area") if part.values.ndim == 3 else AXES
    for name, array in arrays.items():
        word = name.lower()
        axis = NAMES.get(word, {"times": "time", "dates": "time", "date": "time"}.get(word, word))
        if name == counts or axis not in names or axis in known or array.ndim != 1:
            continue
        if len(array) != part.values.shape[names.index(axis)]:
            continue
        values = array.values
        if axis == "time" and values.dtype.kind in "US":
            try:
                values = values.astype(str).astype("datetime64[ns]")
            except ValueError:
                continue
        known[axis] = values
    return replace(part, coordinates=known)


def _numpy(path: Path) -> dict[str, xr.DataArray]:
    with zipfile.ZipFile(path) as packed:
        _small(sum(entry.file_size for entry in packed.infolist()), path)
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise ValueError(f"'{name}' in it is no array")
    return {
        name: xr.DataArray(array, dims=[f"axis{i}" for i in range(array.ndim)])
        for name, array in arrays.items()
    }


def _labelled(path: Path, ending: str) -> dict[str, xr.DataArray]:
    if ending == ".zarr":
        if not path.is_dir():
            raise ValueError("it is not a folder")
        for about in (
            p for p in path.rglob("*") if p.name in (".zarray", ".zmetadata", "zarr.json")
        ):
            if "pickle" in about.read_text(encoding="utf-8", errors="replace").lower():
                raise ValueError("it holds pickled objects, which could run a program")
        stored = xr.open_zarr(path, chunks=None)
    else:
        stored = xr.open_dataset(path)
    return {str(name): stored[name] for name in stored.data_vars}


def _small(size: float, path: Path) -> None:
    if size > 8 * MOST:
        raise UserError(
            f"{path.name} unpacks to {size / 1e9:.0f} GB; the limit is {8 * MOST / 1e9:.0f} GB. "
            "Bring it in with fewer types or a shorter period."
        )


def _chosen(arrays: dict[str, xr.DataArray], variable: str | None, path: Path) -> list[str]:
    """The names of the arrays to read."""
    known = ", ".join(f"{name} {array.shape}" for name, array in arrays.items()) or "none"
    if variable is None:
        wide = [name for name, array in arrays.items() if array.ndim > 1]
        if len(wide) == 1:  # what is beside it are labels
            return wide
        if len(arrays) != 1:
            raise Doubt(
                f"{path.name} holds the arrays {known}; say which are the counts (several follow in time).",
                "--var NAME[,NAME]",
                tuple(arrays),
            )
        return list(arrays)
    names = [part.strip() for part in variable.split(",")]
    for name in names:
        if name not in arrays:
            raise UserError(f"{path.name} has no array '{name}'; it has {known}.")
    return names


def _turned(array: xr.DataArray, name: str, axes: tuple[str, ...]) -> Tensor:
    """One array with its axes in their order. Raises UserError where it names them otherwise itself."""
    if array.ndim != len(axes):
        raise UserError(
            f"'{name}' has {array.ndim} axes {array.shape}, not the {len(axes)} that were named ({', '.join(axes)})."
        )
    if math.prod(array.shape) > MOST:
        raise UserError(
            f"'{name}' holds {math.prod(array.shape):,} numbers; the limit is {MOST:,}."
        )
    if array.dtype.kind not in "uifb":
        raise UserError(f"'{name}' holds no numbers but {array.dtype}.")
    own = [str(dim) for dim in array.dims]
    if any(axis in own and own[place] != axis for place, axis in enumerate(axes)):
        raise UserError(
            f"'{name}' has the axes {', '.join(own)} by its own word, not {', '.join(axes)}: name them in that order."
        )
    coordinates: dict[str, Any] = {
        axis: array[dim].values
        for axis, dim in zip(axes, array.dims, strict=True)
        if dim in array.coords and array[dim].ndim == 1
    }
    values = array.values
    if "type" not in axes:
        values, axes = values[..., None], (*axes, "type")
    return Tensor(np.transpose(values, [axes.index(axis) for axis in _order(axes)]), coordinates)


def _order(axes: tuple[str, ...]) -> tuple[str, ...]:
    return BY_AREA if "area" in axes else AXES
