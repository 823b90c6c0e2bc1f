"""What the Forecast page saves of a step holds that step, in its place."""

import io
import json

import numpy as np
import pandas as pd
import pytest
import rasterio

from crimecast.cities import load_city
from crimecast.forecasting.forecasts import rates
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import load_cube
from crimecast.runs.run import load_run
from crimecast.views.forecast_file import step_file


@pytest.mark.parametrize("name", ["stack-1", "mean"])
def test_a_table_a_map_and_a_raster_say_the_same(sample: str, name: str) -> None:
    first, last = unseen_period(load_run("stack-1"))
    cube, step = load_cube(sample), last - 1
    made, area = rates(name, cube, first, last)[step - first], cube.area(first)
    table = pd.read_csv(io.BytesIO(step_file(name, sample, first, last, step, ".csv")))
    assert (table["step"] == cube.label(step)).all()
    assert len(table) == area.sum() * len(cube.types)
    assert table["recorded"].sum() == cube.counts[step][:, area].sum()
    x, y = load_city("sample").to_metres.transform(table["longitude"], table["latitude"])
    rows, columns = (np.rint((a - b[0]) / cube.cell).astype(int) for a, b in ((y, cube.y), (x, cube.x)))  # fmt: skip
    assert np.allclose(table["expected"], made[0, rows, columns], atol=1e-6)
    features = json.loads(step_file(name, sample, first, last, step, ".geojson"))["features"]
    said = [next(iter(f["properties"]["rate"][cube.types[0]].values())) for f in features]
    assert np.allclose(sorted(said), sorted(made[0, area]), atol=1e-5)
    with rasterio.open(io.BytesIO(step_file(name, sample, first, last, step, ".tif"))) as file:
        assert np.allclose(file.read(1)[::-1][area], made[0, area])
