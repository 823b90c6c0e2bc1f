"""Other maps reach the cells and steps they belong to, and only once they are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from crimecast.cities import load_city
from crimecast.designs.spec import parse_design
from crimecast.errors import Doubt, UserError
from crimecast.grids.covariates import (
    covariate_maps,
    covariate_path,
    import_covariate,
    list_covariates,
)
from crimecast.grids.cube import Cube, load_cube
from crimecast.runs import queue
from crimecast.training.samples import Samples
from tests.runs.here import train

SPEC = """
name = "weathered"
lags = [1]
static = ["weather"]
[[layer]]
name = "log_rate"
kind = "head"
"""


def squash(value: np.ndarray) -> np.ndarray:
    return np.sign(value) * np.log1p(np.abs(value))


@pytest.fixture
def cube(sample: str) -> Cube:
    return load_cube(sample)


def weather(cube: Cube, path: Path, values: np.ndarray) -> None:
    pl.DataFrame({"date": cube.times.astype("datetime64[D]").astype(str), "t": values}).write_csv(
        path
    )


def test_weather_is_known_from_the_next_step_on(cube: Cube, tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(10, 20, len(cube.times))
    weather(cube, tmp_path / "w.csv", values)
    made = import_covariate("sample", tmp_path / "w.csv", "weather", {"value": "t", "time": "date"})
    assert made["by"] == ["step"]
    assert list_covariates(load_city("sample")) == ["weather"]
    for lead in (1, 3):
        maps = covariate_maps(cube, cube.area(300), "weather", lead)
        assert np.isnan(maps[:lead]).all()
        assert np.allclose(maps[lead:, 0], squash(values[:-lead]), rtol=1e-5)
        assert (maps[lead:] == maps[lead:, :1]).all()


def test_its_future_has_no_say(cube: Cube, tmp_path: Path) -> None:
    design = parse_design(SPEC)
    values = np.random.default_rng(0).normal(10, 20, len(cube.times))
    batches = []
    for changed in (values, np.where(np.arange(len(values)) >= 400, -99.0, values)):
        weather(cube, tmp_path / "w.csv", changed)
        import_covariate("sample", tmp_path / "w.csv", "weather", {"value": "t", "time": "date"})
        samples = Samples(cube, design, 300)
        batches.append([samples.batch(torch.tensor([t])).static for t in (399, 400, 401)])
    one, two = batches
    assert torch.equal(one[0], two[0])
    assert torch.equal(one[1], two[1])
    assert not torch.equal(one[2], two[2])


def test_places_are_averaged_by_cell(cube: Cube, tmp_path: Path) -> None:
    city, area = load_city("sample"), cube.area(300)
    rng = np.random.default_rng(1)
    row, column = np.nonzero(area)
    which = rng.integers(0, len(row), 500)
    x = cube.x[column[which]] + rng.uniform(-240, 240, 500)
    y = cube.y[row[which]] + rng.uniform(-240, 240, 500)
    longitude, latitude = city.to_metres.transform(x, y, direction="INVERSE")
    value = rng.gamma(2, 1000, 500)
    pl.DataFrame({"longitude": longitude, "latitude": latitude, "value": value}).write_parquet(
        tmp_path / "p.parquet"
    )
    made = import_covariate("sample", tmp_path / "p.parquet", "population", {})
    assert made["by"] == ["cell"]
    maps = covariate_maps(cube, area, "population", 1)
    assert maps.shape == (1, len(row))
    for cell in np.unique(which)[:40]:
        assert maps[0, cell] == pytest.approx(squash(value[which == cell]).mean(), rel=1e-4)
    assert np.isnan(np.delete(maps[0], np.unique(which))).all()


def test_both_at_once_hold_until_the_next_date(cube: Cube, tmp_path: Path) -> None:
    city, area = load_city("sample"), cube.area(300)
    row, column = np.nonzero(area)
    x, y = cube.x[column[5]], cube.y[row[5]]
    longitude, latitude = city.to_metres.transform(x, y, direction="INVERSE")
    dates = cube.times[[10, 20]].astype("datetime64[D]").astype(str)
    pl.DataFrame(
        {"time": dates, "longitude": longitude, "latitude": latitude, "value": [1.0, 3.0]}
    ).write_csv(tmp_path / "b.csv")
    import_covariate("sample", tmp_path / "b.csv", "both", {})
    maps = covariate_maps(cube, area, "both", 1)
    assert np.isnan(maps[:11]).all()
    assert np.allclose(maps[11:21, 5], np.log(2))
    assert np.allclose(maps[21:, 5], np.log(4))
    assert np.isnan(maps[:, 6]).all()


def test_a_run_uses_it_and_what_is_wrong_is_said(cube: Cube, sample: str, tmp_path: Path) -> None:
    weather(cube, tmp_path / "w.csv", np.arange(len(cube.times)) * 1.0)
    import_covariate("sample", tmp_path / "w.csv", "weather", {"value": "t", "time": "date"})
    run = train(replace(parse_design(SPEC)), sample, epochs=1)
    assert run.state == "done", run.message
    with pytest.raises(UserError, match="no covariate 'moon'"):
        queue.submit(queue.Request(parse_design(SPEC.replace("weather", "moon")), sample))
    with pytest.raises(UserError, match="which column"):
        import_covariate("sample", tmp_path / "w.csv", "weather", {})
    with pytest.raises(UserError, match="needs a time, a place"):
        import_covariate("sample", tmp_path / "w.csv", "weather", {"value": "t"})
    with pytest.raises(UserError, match="no column 'x'"):
        import_covariate("sample", tmp_path / "w.csv", "weather", {"value": "x"})
    with pytest.raises(UserError, match="can't be a name"):
        import_covariate("sample", tmp_path / "w.csv", "../up", {"value": "t", "time": "date"})


def test_dates_that_can_be_read_in_two_ways_are_asked_about(cube: Cube, tmp_path: Path) -> None:
    days = [f"{day:02d}/{month:02d}/2020" for month in (1, 2, 3) for day in range(1, 13)]
    path = tmp_path / "d.csv"
    pl.DataFrame({"date": days, "value": range(36)}).write_csv(path)
    with pytest.raises(Doubt, match="no row tells which") as caught:
        import_covariate("sample", path, "doubtful", {"time": "date"})
    assert "--" not in str(caught.value)
    assert "--date-format" in caught.value.flag
    made = import_covariate("sample", path, "doubtful", {"time": "date"}, "dmy")
    assert made["time"].startswith("day first")
    months = pl.read_parquet(covariate_path("sample", "doubtful"))["time"].dt.month()
    assert months.unique().sort().to_list() == [1, 2, 3]


@pytest.mark.parametrize("keep", [0.5, 0.1, 0.0])
def test_what_was_damaged_on_the_disk_is_said(cube: Cube, tmp_path: Path, keep: float) -> None:
    weather(cube, tmp_path / "w.csv", np.arange(len(cube.times)) * 1.5)
    columns = {"value": "t", "time": "date"}
    import_covariate("sample", tmp_path / "w.csv", "weather", columns)
    path = covariate_path("sample", "weather")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(UserError, match="covariate 'weather' is damaged: bring it in anew"):
        covariate_maps(cube, cube.area(300), "weather", 1)
    with pytest.raises(UserError, match="is damaged"):
        import_covariate("sample", tmp_path / "w.csv", "weather", columns, forecast=True)
    import_covariate("sample", tmp_path / "w.csv", "weather", columns)
    covariate_maps(cube, cube.area(300), "weather", 1)
