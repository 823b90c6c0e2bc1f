"""Counts made elsewhere become a grid that trains, forecasts and is scored; what isn't known is asked for."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from crimecast.cities import City, load_city, write_city
from crimecast.designs.spec import parse_design
from crimecast.errors import Doubt, UserError
from crimecast.forecasting.forecasts import score_sums
from crimecast.grids.bringing import import_cube
from crimecast.grids.cube import load_cube
from crimecast.grids.tensor_axes import Wanted
from crimecast.judging.scoring import table
from tests.runs.here import train

ORDER = "time,type,y,x"


def made(shape: tuple[int, ...] = (60, 2, 6, 5), seed: int = 0) -> np.ndarray:
    """Counts in which no cell is without events."""
    counts = np.random.default_rng(seed).poisson(1.0, shape).astype(np.int32)
    counts[0] += 1
    return counts


def labelled(
    counts: np.ndarray, x: Any, y: Any, first: str = "2020-01-01", step: str = "D"
) -> xr.Dataset:
    times = pd.date_range(first, periods=len(counts), freq=step)
    return xr.Dataset(
        {"counts": (("day", "kind", "north", "east"), counts)},
        {"day": times, "kind": ["Theft", "Assault"], "north": y, "east": x},
    )


def save(dataset: xr.Dataset, path: Path) -> Path:
    if path.suffix == ".nc":
        dataset.to_netcdf(path)
    else:
        dataset.to_zarr(path)
    return path


def town() -> str:
    write_city(
        City("town", "Town", "Europe/Berlin", "EPSG:32632", bounds=(5e5, 5.9e6, 5.1e5, 5.91e6))
    )
    return "town"


def test_arrays_without_places_get_a_city_of_nominal_cells(data: Path, tmp_path: Path) -> None:
    counts = made((60, 2, 6, 5))
    path = tmp_path / "paper.npz"
    turned = counts.transpose(2, 3, 0, 1)  # rows, columns, days, types
    np.savez(path, train=turned[:, :, :40], test=turned[:, :, 40:])
    axes = "row,column,day,type"
    with pytest.raises(Doubt, match="holds the arrays train"):
        import_cube("paper", path, axes)
    with pytest.raises(Doubt, match="when its first step begins"):
        import_cube("paper", path, axes, "train,test")
    wanted = Wanted(since="2020-01-01", types="theft,assault", cell=3000)
    summary = import_cube("paper", path, axes, "train,test", wanted)
    assert (summary["shape"], summary["events"]) == ([60, 2, 6, 5], int(counts.sum()))
    assert "nominal" not in load_city("paper").title
    assert "Distances on its maps mean nothing" in load_city("paper").quirks[0]
    cube = load_cube(summary["grid"])
    assert (cube.counts == counts).all()
    assert (cube.types, cube.label(1), cube.cell) == (("theft", "assault"), "2020-01-02", 3000)
    assert import_cube("paper", path, axes, "train,test", wanted) == summary


@pytest.mark.parametrize("ending", [".nc", ".zarr"])
def test_labelled_counts_lie_where_their_coordinates_say(
    data: Path, tmp_path: Path, ending: str
) -> None:
    counts = made()
    x, y = 500_250 + 500 * np.arange(5), 5_900_250 + 500 * np.arange(6)
    upside_down = labelled(counts[:, :, ::-1], x, y[::-1])
    summary = import_cube(town(), save(upside_down, tmp_path / f"c{ending}"), ORDER)
    cube = load_cube(summary["grid"])
    assert (cube.counts == counts).all()
    assert (cube.x == x).all()
    assert (cube.y == y).all()
    assert cube.types == ("theft", "assault")
    assert (str(cube.step), cube.cell) == ("1d", 500)


@pytest.mark.parametrize(
    ("freq", "step"), [("h", "1h"), ("6h", "6h"), ("W-MON", "1w"), ("MS", "1mo")]
)
def test_the_step_is_that_of_the_files_times(
    data: Path, tmp_path: Path, freq: str, step: str
) -> None:
    path = save(labelled(made(), np.arange(5), np.arange(6), "2020-06-01", freq).drop_vars(["north", "east"]), tmp_path / "c.nc")  # fmt: skip
    assert import_cube("own", path, ORDER)["step"] == step


def test_cells_that_are_missing_throughout_lie_outside_the_area(data: Path, tmp_path: Path) -> None:
    counts = made().astype(float)
    counts[:, :, 0, 0] = np.nan
    np.savez(tmp_path / "c.npz", counts)
    summary = import_cube("own", tmp_path / "c.npz", ORDER, wanted=Wanted(since="2020-01-01"))
    area = load_cube(summary["grid"]).area(10)
    assert (area.sum(), area[0, 0]) == (29, False)


def test_what_was_brought_in_trains_and_is_scored(data: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", made((80, 2, 6, 5)))
    grid = import_cube("own", tmp_path / "c.npz", ORDER, wanted=Wanted(since="2020-01-01"))["grid"]
    spec = 'name = "small"\nlags = [1, 7]\n[training]\nepochs = 1\n[[layer]]\nname = "log_rate"\nkind = "head"\n'
    run = train(parse_design(spec), grid)
    assert run.state == "done", run
    cube = load_cube(grid)
    first, last = cube.period("2020-03-10", "2020-03-18")
    rows = table(
        [run.id, "mean"], [score_sums(name, cube, first, last) for name in (run.id, "mean")]
    )
    assert [row["name"] for row in rows] == [run.id, "mean"]


REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (made() * 0.5, {}, "Counts are whole numbers"),
    (made() - 3, {}, "can't be negative"),
    (np.where(np.arange(60)[:, None, None, None] == 5, np.nan, made()), {}, "counts are missing"),
    (made().astype("U3"), {}, "holds no numbers"),
    (made((60, 6, 5)), {}, "has 3 axes"),
    (made(), {"types": "theft"}, "The array has 2 types"),
    (made(), {"step": "1w", "since": "2020-01-01"}, "begins on 2019-12-30"),
    (made(), {"cell": 0.1}, "A cell of"),
    (np.array([{}], dtype=object), {}, "can't be read"),
]


@pytest.mark.parametrize(("counts", "more", "text"), REFUSED)
def test_what_are_no_counts_is_refused(
    data: Path, tmp_path: Path, counts: Any, more: dict[str, Any], text: str
) -> None:
    np.savez(tmp_path / "c.npz", counts)
    with pytest.raises(UserError, match=text):
        import_cube(
            "own", tmp_path / "c.npz", ORDER, wanted=Wanted(**{"since": "2020-01-01", **more})
        )


@pytest.mark.parametrize(
    ("x", "y", "text"),
    [
        (9.9 + 0.01 * np.arange(5), 53.5 + 0.01 * np.arange(6), "regular in degrees"),
        (5e5 + 500.0 * np.arange(5) ** 2, 5.9e6 + 500 * np.arange(6), "uneven distances"),
        (9e5 + 500 * np.arange(5), 5.9e6 + 500 * np.arange(6), "outside Town"),
    ],
)
def test_places_that_cannot_be_are_refused(
    data: Path, tmp_path: Path, x: np.ndarray, y: np.ndarray, text: str
) -> None:
    path = save(labelled(made(), x, y), tmp_path / "c.nc")
    with pytest.raises(UserError, match=text):
        import_cube(town(), path, ORDER)


def test_a_known_citys_counts_need_a_place(data: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", made())
    with pytest.raises(Doubt, match="doesn't say where in Town"):
        import_cube(town(), tmp_path / "c.npz", ORDER, wanted=Wanted(since="2020-01-01"))
    wanted = Wanted(since="2020-01-01", origin=(500_000, 5_900_000), cell=500)
    grid = import_cube("town", tmp_path / "c.npz", ORDER, wanted=wanted)["grid"]
    assert load_cube(grid).x[0] == 500_250


def test_days_that_are_left_out_are_named(data: Path, tmp_path: Path) -> None:
    dataset = labelled(made(), np.arange(5), np.arange(6)).drop_vars(["north", "east"])
    path = save(dataset.isel(day=[*range(20), *range(21, 60)]), tmp_path / "c.nc")
    with pytest.raises(UserError, match="after 2020-01-20T00:00 the distance is another"):
        import_cube("own", path, ORDER)


def test_what_is_pickled_is_not_read(data: Path, tmp_path: Path) -> None:
    path = save(labelled(made(), np.arange(5), np.arange(6)), tmp_path / "c.zarr")
    about = path / "counts" / "zarr.json"
    about.write_text(about.read_text().replace('"zstd"', '"pickle"'))
    with pytest.raises(UserError, match="pickled objects"):
        import_cube("own", path, ORDER)


@pytest.mark.parametrize("axes", ["time,y", "time,y,x,x", "time,area,x", "a,b,c,d"])
def test_axes_that_are_none_are_refused(data: Path, tmp_path: Path, axes: str) -> None:
    with pytest.raises(UserError, match=r"doesn't name the axes"):
        import_cube("own", tmp_path / "c.npz", axes)


def test_the_grid_of_a_paper(data: Path, real: Path) -> None:
    wanted = Wanted(since="2016-01-01", types="theft,battery,assault,damage", cell=3000)
    path = real / "papers" / "sthsl_chicago.npz"
    summary = import_cube("paper", path, "row,column,day,type", "train,val,test", wanted)
    assert summary["shape"] == [731, 4, 14, 12]
    assert summary["last"] == "2017-12-31T00:00"
    assert summary["events"] == 321_876


@pytest.mark.parametrize(
    "times",
    [[f"{1 + i // 28:02d}/{1 + i % 28:02d}/2015" for i in range(60)], [201501 + 100 * (i // 12) + i % 12 for i in range(60)]],
)  # fmt: skip
def test_times_that_are_there_and_cannot_be_read_are_not_overruled(data: Path, tmp_path: Path, times: list[Any]) -> None:  # fmt: skip
    counts = made()
    xr.Dataset({"counts": (("when", "type", "y", "x"), counts)}, {"when": times}).to_netcdf(tmp_path / "c.nc")  # fmt: skip
    with pytest.raises(UserError, match="The times of the file"):
        import_cube("paper", tmp_path / "c.nc", ORDER, None, Wanted(since="2015-01-01"))


def test_numbers_of_steps_are_no_times(data: Path, tmp_path: Path) -> None:
    xr.Dataset({"counts": (("when", "type", "y", "x"), made())}, {"when": np.arange(60)}).to_netcdf(tmp_path / "c.nc")  # fmt: skip
    assert import_cube("paper", tmp_path / "c.nc", ORDER, None, Wanted(since="2015-01-01"))["grid"]


def test_axes_that_the_file_names_otherwise_are_refused(data: Path, tmp_path: Path) -> None:
    xr.Dataset({"counts": (("time", "type", "y", "x"), made())}).to_netcdf(tmp_path / "c.nc")
    with pytest.raises(UserError, match="by its own word"):
        import_cube("paper", tmp_path / "c.nc", "type,time,y,x", None, Wanted(since="2015-01-01"))


CUBE = np.random.default_rng(5).poisson(0.8, (60, 2, 6, 7))


@pytest.mark.parametrize(
    ("counts", "wanted", "says"),
    [
        (np.where(CUBE == 3, 255, CUBE).astype(np.uint8), {}, "stand for none"),
        (CUBE.cumsum(axis=0), {}, "add up all that came before"),
        (np.tile(CUBE, (1, 20, 1, 1))[:30], {}, "in another order"),
        (CUBE, {"origin": (-87.7, 41.8), "cell": 500.0, "crs": "EPSG:32616"}, "in degrees"),
        (CUBE, {"since": "2999-01-01"}, "."),
    ],
)  # fmt: skip
def test_numbers_that_are_no_counts_of_their_steps(
    data: Path, tmp_path: Path, counts: np.ndarray, wanted: dict[str, Any], says: str
) -> None:
    np.savez(tmp_path / "a.npz", counts=counts)
    with pytest.raises(UserError, match=says):
        import_cube("odd", tmp_path / "a.npz", "time,type,y,x", None, Wanted(**{"since": "2021-03-01", **wanted}))  # fmt: skip


def test_what_a_numpy_file_says_beside_the_counts_is_read(data: Path, tmp_path: Path) -> None:
    times = np.datetime64("2021-03-01") + np.arange(60)
    labels = {"time": times.astype(str), "types": np.array(["theft", "arson"])}
    np.savez(tmp_path / "a.npz", counts=CUBE, **labels)
    axes = "time,type,y,x"
    made = import_cube("told", tmp_path / "a.npz", axes)
    cube = load_cube(made["grid"])
    assert (str(cube.times[0])[:10], cube.types) == ("2021-03-01", ("theft", "arson"))
    with pytest.raises(UserError, match="first step is 2021-03-01"):
        import_cube("told", tmp_path / "a.npz", axes, None, Wanted(since="2022-03-01"))
    with pytest.raises(UserError, match="names its types itself"):
        import_cube("told", tmp_path / "a.npz", axes, None, Wanted(types="arson,theft"))


def test_parts_that_overlap_are_refused(data: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", train=CUBE[:40], test=CUBE[30:])
    with pytest.raises(UserError, match="The first 10 frames of 'test'"):
        import_cube("parts", tmp_path / "a.npz", "time,type,y,x", "train,test", Wanted(since="2021-03-01"))  # fmt: skip
