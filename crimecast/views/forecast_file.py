"""The step that the Forecast page shows, as a file for others."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from crimecast.cities import load_city
from crimecast.forecasting.files import save_forecast
from crimecast.forecasting.forecasts import rates
from crimecast.grids.cube import load_cube
from crimecast.views.place_names import place_name

SUFFIXES = {".csv": "text/csv", ".geojson": "application/geo+json", ".tif": "image/tiff"}


def step_table(name: str, grid: str, first: int, last: int, step: int) -> pd.DataFrame:
    """A row a cell of the study area and type: where it is, what was expected of it and what was recorded,
    by a forecast of steps [first, last)."""
    cube = load_cube(grid)
    city = load_city(cube.city)
    made = rates(name, cube, first, last)[step - first]
    rows, columns = np.nonzero(cube.area(first))
    east, north = city.to_metres.transform(cube.x[columns], cube.y[rows], direction="INVERSE")
    place = [place_name(city, cube, r, c) for r, c in zip(rows.tolist(), columns.tolist(), strict=True)]  # fmt: skip
    parts = [
        pd.DataFrame(
            {
                "step": cube.label(step), "type": kind, "place": place, "longitude": np.round(east, 6),
                "latitude": np.round(north, 6), "expected": made[k, rows, columns].round(6),
                "recorded": cube.counts[step, k, rows, columns].astype(int),
            }
        )
        for k, kind in enumerate(cube.types)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def step_file(name: str, grid: str, first: int, last: int, step: int, suffix: str) -> bytes:
    """The same as one of SUFFIXES. Raises UserError for a GeoTIFF of areas, which has cells."""
    if suffix == ".csv":
        return step_table(name, grid, first, last, step).to_csv(index=False).encode()
    cube = load_cube(grid)
    made = rates(name, cube, first, last)[step - first : step - first + 1]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"step{suffix}"
        save_forecast(path, name, cube, step, step + 1, made)
        return path.read_bytes()
