"""Steps at the ends of a grid that the records don't cover whole are named."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crimecast.cities.city import City, write_city
from crimecast.grids.complete import complete_steps, not_whole
from crimecast.grids.cube import Cube, load_cube
from crimecast.grids.grid import make_grid
from crimecast.records.archive import merge


def town(begin: datetime, end: datetime, a_day: int = 25) -> Cube:
    """Its days from the first record to the last, which come evenly from `begin` to `end`."""
    count = int((end - begin) / timedelta(days=1) * a_day)
    rng = np.random.default_rng(0)
    bounds = (500_000.0, 5_000_000.0, 504_000.0, 5_004_000.0)
    city = write_city(City("town", "Town", "Europe/Berlin", "EPSG:32632", bounds=bounds))
    at = np.sort(rng.uniform(0, (end - begin).total_seconds(), count))
    at[[0, -1]] = 0, (end - begin).total_seconds() - 1
    place = rng.uniform(500_000, 504_000, (2, count))
    events = pl.DataFrame(
        {
            "source_id": [str(i) for i in range(count)], "time": [begin + timedelta(seconds=int(s)) for s in at],
            "type": ["theft"] * count, "longitude": [9.0] * count, "latitude": [45.0] * count,
            "x": place[0], "y": place[1] + 4_500_000, "reason": pl.Series([None] * count, dtype=pl.String),
        }
    ).with_columns(pl.col("time").cast(pl.Datetime("us")))  # fmt: skip
    merge(city, events, "invented")
    return load_cube(make_grid("town", 1000)["grid"])


@pytest.mark.parametrize(
    ("begin", "end", "said"),
    [
        (datetime(2021, 1, 1), datetime(2021, 4, 1), ""),
        (datetime(2021, 1, 1), datetime(2021, 4, 1, 2, 35), "2021-04-01 is left out: the records don't cover it whole."),
        (datetime(2021, 1, 1, 17, 20), datetime(2021, 4, 1), "The records begin 2021-01-01 17:20: 2021-01-01 isn't covered whole."),
    ],
)  # fmt: skip
def test_days_that_are_cut_short_are_named(
    data: Path, begin: datetime, end: datetime, said: str
) -> None:
    cube = town(begin, end)
    assert not_whole(cube) == said
    assert len(cube.times) - complete_steps(cube) == ("left out" in said)


def test_where_records_are_few_a_late_beginning_says_nothing(data: Path) -> None:
    assert not_whole(town(datetime(2021, 1, 1, 9), datetime(2021, 12, 1), a_day=1)) == ""
