"""Forecasts are stored, reused, averaged and written in forms that others read back."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from shapely.geometry import shape

from crimecast.cli import main
from crimecast.designs.spec import parse_design
from crimecast.errors import UserError
from crimecast.forecasting import forecasts
from crimecast.forecasting.files import save_forecast
from crimecast.forecasting.forecasts import forecast, rates
from crimecast.grids.cube import load_cube
from crimecast.runs.run import delete_run
from crimecast.storage.store import data_root
from tests.runs.here import train
from tests.training.test_training import SMALL


def test_a_stored_forecast_is_the_one_that_was_made(sample: str) -> None:
    cube = load_cube(sample)
    made = rates("decayed_mean", cube, 700, 705)
    stored = list((data_root() / "forecasts" / sample).glob("decayed_mean.*.npy"))
    assert stored
    assert np.array_equal(rates("decayed_mean", cube, 700, 705), made)
    assert made.dtype == np.float32


def test_what_makes_a_forecast_names_it(sample: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cube = load_cube(sample)
    folder = data_root() / "forecasts" / sample

    def kept() -> set[Path]:
        return set(folder.glob("seasonal_mean.*.npy"))

    before = kept()
    made = rates("seasonal_mean", cube, 701, 704)
    first = kept()
    (path,) = first - before
    np.save(path, np.zeros_like(made))
    assert not rates("seasonal_mean", cube, 701, 704).any()  # what is kept is what is given
    monkeypatch.setattr(forecasts, "code_of", lambda *parts: b"another version of the baselines")
    assert np.array_equal(rates("seasonal_mean", cube, 701, 704), made)
    assert len(kept() - first) == 1


def test_a_damaged_forecast_is_made_again(sample: str) -> None:
    cube, folder = load_cube(sample), data_root() / "forecasts" / sample
    before = set(folder.glob("mean.*.npy"))
    made = rates("mean", cube, 690, 694)
    (path,) = set(folder.glob("mean.*.npy")) - before
    path.write_bytes(path.read_bytes()[:50])
    assert np.array_equal(rates("mean", cube, 690, 694), made)


def test_a_runs_forecasts_go_with_it(sample: str) -> None:
    run = train(parse_design(SMALL), sample, epochs=1)
    rates(run.id, load_cube(sample), 700, 702)
    assert list(run.folder.glob(f"forecasts/{sample}/{run.id}.*.npy"))
    delete_run(run.id)
    left = [path.relative_to(data_root()) for path in data_root().rglob(f"{run.id}.*.npy")]
    assert all(path.parts[0] == "bin" for path in left)


def test_no_more_is_kept_than_the_bound(sample: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cube = load_cube(sample)
    folder = data_root() / "forecasts" / sample
    before = set(folder.glob("persistence.*.npy"))
    rates("persistence", cube, 699, 701)
    (first,) = set(folder.glob("persistence.*.npy")) - before
    monkeypatch.setattr(forecasts, "BOUND", 2.5 * first.stat().st_size)
    for last in (703, 704, 705):
        rates("persistence", cube, last - 2, last)
    assert len(list(folder.glob("*.npy"))) <= 2
    assert not first.exists()


@pytest.mark.parametrize("suffix", [".nc", ".parquet", ".geojson", ".tif"])
def test_written_forecasts_are_read_back(sample: str, tmp_path: Path, suffix: str) -> None:
    cube, first, last, made = forecast("stack-1", sample, "2024-12-01", "2024-12-03")
    path = tmp_path / f"f{suffix}"
    save_forecast(path, "stack-1", cube, first, last, made)
    area = cube.area(first)
    if suffix == ".nc":
        stored = xr.open_dataset(path, engine="scipy")
        assert np.array_equal(stored["rate"].values, made)
        assert stored.attrs["crs"] == "EPSG:32631"
    elif suffix == ".parquet":
        table = pd.read_parquet(path)
        assert len(table) == 2 * area.sum()
        assert table["rate"].sum() == pytest.approx(made[..., area].sum(), rel=1e-5)
    elif suffix == ".tif":
        with rasterio.open(path) as file:
            values = file.read()
            assert (file.crs.to_string(), file.count) == ("EPSG:32631", 2)
            assert file.descriptions == ("2024-12-01T00:00 all", "2024-12-02T00:00 all")
            row, column = np.argwhere(area)[7]
            (value,) = file.sample([(cube.x[column], cube.y[row])], indexes=[2])
        assert value[0] == made[1, 0, row, column]
        assert np.isnan(values).sum() == 2 * (~area).sum()
    else:
        features = json.loads(path.read_text())["features"]
        assert len(features) == area.sum()
        total = sum(value for f in features for value in f["properties"]["rate"]["all"].values())
        assert total == pytest.approx(made[..., area].sum(), rel=1e-3)
        west, south, east, north = shape(features[0]["geometry"]).bounds
        assert (east - west) * 111_320 == pytest.approx(500, rel=0.02)
        assert (north - south) * 110_574 == pytest.approx(500, rel=0.02)


@pytest.mark.parametrize(
    ("name", "since", "until", "text"),
    [
        ("nobody", "2024-12-01", "2024-12-02", "no run called 'nobody'"),
        ("mean", "2030-01-01", "2030-02-01", "holds no step of the grid"),
        ("mean", "2024-12-02", "2024-12-01", "holds no step"),
        ("mean", "2023-01-01", "2023-02-01", "Nothing lies before"),
        ("stack-1", "2023-01-05", "2023-02-01", "looks 28 steps back"),
        ("mean", "soon", "2023-02-01", "is not a date"),
        ("mean@²", "2024-12-01", "2024-12-02", "the number of steps ahead"),
        (f"mean@{'9' * 5000}", "2024-12-01", "2024-12-02", "the number of steps ahead"),
    ],
)  # fmt: skip
def test_what_cannot_be_forecast_is_refused(
    sample: str, name: str, since: str, until: str, text: str
) -> None:
    with pytest.raises(UserError, match=text):
        forecast(name, sample, since, until)


def test_the_truth_is_known_on_the_samples_own_grid_only(sample: str) -> None:
    from crimecast.grids.grid import make_grid

    cube = load_cube(sample)
    truth = rates("truth", cube, 100, 730)
    area = cube.area(100)
    assert truth[..., area].sum() == pytest.approx(cube.counts[100:730][..., area].sum(), rel=0.01)
    coarse = load_cube(make_grid("sample", cell=1000)["grid"])
    with pytest.raises(UserError, match="cells of 500 m"):
        rates("truth", coarse, 100, 110)
    by_type = load_cube(make_grid("sample", types="each")["grid"])
    assert np.allclose(
        rates("truth", by_type, 100, 730).sum(axis=1), truth[:, 0], rtol=1e-3, atol=1e-5
    )


def test_of_several_nothing_is_made_if_one_is_unknown(sample: str) -> None:
    cube = load_cube(sample)
    kept = sorted((data_root() / "forecasts").rglob("*.npy"))
    with pytest.raises(UserError, match="There is no run called"):
        rates("persistence+nobody-7", cube, 611, 613)
    period = ["--since", "2024-09-03", "--until", "2024-09-05"]
    assert main(["score", "persistence+mean", "nobody-7", "--grid", sample, *period]) == 2
    assert sorted((data_root() / "forecasts").rglob("*.npy")) == kept
