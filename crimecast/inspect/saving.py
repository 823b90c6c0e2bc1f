"""The arrays behind a view, as files: NPZ for Python, NetCDF with the names of the axes."""

import io
import re

import numpy as np
import xarray as xr

from crimecast.grids.cube import Cube


def as_npz(arrays: dict[str, np.ndarray]) -> bytes:
    """Arrays under their names; nothing in the file can run code."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{plain(name): value for name, value in arrays.items()})  # type: ignore[arg-type]
    return buffer.getvalue()


def as_netcdf(arrays: dict[str, np.ndarray], cube: Cube, attributes: dict[str, str]) -> bytes:
    """Maps of the grid get its coordinates in metres; other arrays numbered axes of their own."""
    shape = cube.counts.shape[2:]
    made = {}
    for name, value in arrays.items():
        on_grid = value.ndim >= 2 and value.shape[-2:] == shape
        numbered = value.ndim - 2 if on_grid else value.ndim
        own = [f"{plain(name)}_{axis}" for axis in range(numbered)]
        made[plain(name)] = ([*own, "y", "x"] if on_grid else own, value)
    dataset = xr.Dataset(made, attrs={"grid": cube.grid, **attributes})
    if "y" in dataset.dims:
        dataset = dataset.assign_coords(y=cube.y, x=cube.x)
    return bytes(dataset.to_netcdf(engine="scipy"))


def plain(name: str) -> str:
    """A name of letters, digits and `_`, as files want it."""
    return re.sub(r"\W+", "_", name).strip("_") or "values"
