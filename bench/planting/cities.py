"""The cities that the planted networks are trained on, each gridded by day in a data folder.

`sample` is the one that ships; `far`, the same but with crimes that excite others five cells away;
`bursts`, the same with several events at once; `other`, another draw of the same kind; `chicago`, all crimes of 2014 and 2015 at 1 km.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyproj

CHICAGO = "chicago_crimes_2014_2015.parquet"
CUTS = {
    "sample": ("2024-01-01", "2024-07-01"),
    "far": ("2024-01-01", "2024-07-01"),
    "bursts": ("2024-01-01", "2024-07-01"),
    "other": ("2024-01-01", "2024-07-01"),
    "chicago": ("2015-05-01", "2015-10-01"),
}


def make(name: str, folder: Path, data: Path) -> str:
    """Grid a city in the data folder in use; returns the grid. `folder` is for what is written on
    the way, `data` has the records of Chicago."""
    from crimecast.grids.grid import make_grid
    from crimecast.records.importing import import_file
    from crimecast.sample.shipped import ensure_sample

    ensure_sample()
    if name == "chicago":
        import_file("chicago", data / CHICAGO)
        return str(make_grid("chicago", cell=1000.0)["grid"])
    if name != "sample":
        path = folder / f"{name}.csv"
        _simulated(name).write_csv(path)
        import_file(name, path, zone="UTC")
    grid = str(make_grid(name)["grid"])
    if name == "sample":
        _tomorrow(grid, folder / "tomorrow.csv")
    return grid


def _tomorrow(grid: str, path: Path) -> None:
    """A covariate that holds, for every day, what the next one will bring: a leak."""
    from crimecast.cities import load_city
    from crimecast.grids.covariates import import_covariate
    from crimecast.grids.cube import load_cube

    cube, city = load_cube(grid), load_city("sample")
    rows, columns = np.nonzero(cube.counts.sum(axis=(0, 1)) > 0)
    back = pyproj.Transformer.from_crs(city.crs, "EPSG:4326", always_xy=True)
    longitude, latitude = back.transform(cube.x[columns], cube.y[rows])
    days = [str(t)[:10] for t in cube.times[:-1]]
    value = cube.counts[1:].sum(axis=1)[:, rows, columns]
    pl.DataFrame(
        {
            "time": np.repeat(days, len(rows)), "longitude": np.tile(longitude, len(days)),
            "latitude": np.tile(latitude, len(days)), "value": value.ravel(),
        }
    ).write_csv(path)  # fmt: skip
    import_covariate("sample", path, "tomorrow", {})


def _simulated(name: str) -> pl.DataFrame:
    from crimecast.sample.simulate import simulate

    ways: dict[str, dict[str, Any]] = {
        "far": {"seed": 7, "spread": 2.6, "decay": 0.3, "excited": 0.75}, "other": {"seed": 11},
    }  # fmt: skip
    events = simulate(**ways.get(name, {})).events
    if name == "bursts":
        more = 1 + np.random.default_rng(3).poisson(1.2, len(events))
        events = events[np.repeat(np.arange(len(events)), more)].with_columns(
            pl.format("b{}", pl.int_range(pl.len())).alias("source_id")
        )
    back = pyproj.Transformer.from_crs("EPSG:32631", "EPSG:4326", always_xy=True)
    longitude, latitude = back.transform(events["x"].to_numpy(), events["y"].to_numpy())
    return events.select(
        "source_id", "time", "type",
        pl.Series("longitude", longitude.round(6)), pl.Series("latitude", latitude.round(6)),
    )  # fmt: skip
