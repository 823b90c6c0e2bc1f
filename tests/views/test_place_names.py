"""No two cells are called alike, and each is called after where most of its records lie."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crimecast.cities import load_city
from crimecast.cities.quarters import write_quarters
from crimecast.grids.cube import load_cube
from crimecast.grids.grid import make_grid
from crimecast.views.place_names import place_name
from tests.forecasting.test_ahead import brought


def test_cells_of_a_city_with_outlined_quarters_are_told_apart(sample: str) -> None:
    city, cube = load_city("sample"), load_cube(sample)
    cells = np.argwhere(np.ones(cube.counts.shape[2:], dtype=bool)).tolist()
    names = [place_name(city, cube, row, column) for row, column in cells]
    assert len(set(names)) == len(cells)
    assert not any("row" in name for name in names)
    assert any(name.startswith("Near ") for name in names)
    north = names[cells.index([len(cube.y) - 1, 9])]
    assert north.startswith("North")


@pytest.mark.parametrize("cell", [500, 200, 1000])
def test_cells_of_quarters_that_records_name_are_told_apart(data: Path, cell: int) -> None:
    city = brought("town")
    rng = np.random.default_rng(2)
    x, y = rng.uniform(500_000, 508_000, 4_000), rng.uniform(5_000_000, 5_007_000, 4_000)
    lon, lat = city.to_metres.transform(x, y, direction="INVERSE")
    names = np.where(x < 503_600, "West", np.where(y < 5_003_100, "South", "North"))
    found = pl.DataFrame({"kind": "quarter", "name": names, "longitude": lon, "latitude": lat, "records": 1})  # fmt: skip
    write_quarters(city, found.with_columns(pl.col("records").cast(pl.Int64)))
    cube = load_cube(make_grid("town", cell)["grid"])
    called = {
        (i, j): place_name(city, cube, i, j)
        for i in range(len(cube.y)) for j in range(len(cube.x))
    }  # fmt: skip
    assert len(set(called.values())) == len(called)
    for (i, j), name in called.items():  # what most of the records in the cell itself say
        own = (np.abs(x - cube.x[j]) < cell / 2) & (np.abs(y - cube.y[i]) < cell / 2)
        kinds, counts = np.unique(names[own], return_counts=True)
        if len(kinds) and counts.max() > 0.7 * counts.sum():
            assert name.startswith(f"{kinds[counts.argmax()]}, ")
    quarter, beside = called[len(cube.y) - 1, 0].split(", ")
    assert quarter == "West"
    assert "north and" in beside
    assert "west of its middle" in beside


def test_where_no_place_is_known_it_is_row_and_column(data: Path) -> None:
    city = brought("town")
    assert place_name(city, load_cube(make_grid("town", 500)["grid"]), 0, 0) == "Row 0, column 0"
