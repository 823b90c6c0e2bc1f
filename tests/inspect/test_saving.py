"""Saved arrays are read back as they were, and nothing in the file can run code."""

import io

import numpy as np
import xarray as xr

from crimecast.grids.cube import load_cube
from crimecast.inspect.saving import as_netcdf, as_npz, plain


def test_arrays_are_read_back(sample: str) -> None:
    cube = load_cube(sample)
    shape = cube.counts.shape[2:]
    arrays = {
        "wide 1": np.random.default_rng(0).normal(size=(4, *shape)).astype(np.float32),
        "2024-03-01": np.ones(shape, dtype=np.float32),
        "pooled": np.arange(6.0).reshape(2, 3),
    }
    with np.load(io.BytesIO(as_npz(arrays)), allow_pickle=False) as made:
        for name, value in arrays.items():
            assert np.array_equal(made[plain(name)], value)
    with xr.open_dataset(io.BytesIO(as_netcdf(arrays, cube, {"run": "a"})), engine="scipy") as made:
        assert made.attrs == {"grid": sample, "run": "a"}
        assert made["wide_1"].dims == ("wide_1_0", "y", "x")
        assert np.array_equal(made["y"], cube.y)
        for name, value in arrays.items():
            assert np.array_equal(made[plain(name)], value)


def test_names_are_fit_for_files() -> None:
    assert plain("../stack-2 · last/0") == "stack_2_last_0"
    assert plain("…") == "values"
