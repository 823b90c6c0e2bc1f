"""Every event lands in exactly one cell and step, and counts are conserved under every option."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyproj
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import crimecast
from crimecast.calendar.steps import Step
from crimecast.cities import load_city
from crimecast.cities.city import utm_zone
from crimecast.errors import UserError
from crimecast.grids.cube import load_cube
from crimecast.grids.grid import edges, grid_folder, make_grid, open_grid
from crimecast.grids.heatmaps import weekly_heatmaps, write_heatmaps
from crimecast.records.archive import merge
from crimecast.records.importing import import_file
from crimecast.records.snapshot import archive_folder, snapshot
from tests.conftest import tiny_csv
from tests.few import few


@given(st.floats(-1e7, 1e7), st.floats(0, 1e5), st.floats(1, 5000), st.floats(0, 1))
def test_edges_cover_the_extent_and_no_place_has_two_cells(
    low: float, size: float, cell: float, part: float
) -> None:
    first, count = edges(low, low + size, cell)
    place = low + part * size
    number = int(np.floor(place / cell))
    assert first <= number < first + count


@pytest.mark.parametrize("cell", [100, 333.3, 500, 2000])
@pytest.mark.parametrize("step", ["1h", "6h", "1d", "1w", "1mo"])
def test_counts_are_conserved(town: str, cell: float, step: str) -> None:
    made = make_grid(town, cell, step)
    assert made["events"] + made["dropped"] == made["records"] == 400
    assert int(open_grid(made["grid"])["counts"].sum()) == made["events"]


@pytest.mark.parametrize(
    ("types", "channels"), [("all", 1), ("each", 2), ("theft", 1), ("assault,theft", 2)]
)
def test_types(town: str, types: str, channels: int) -> None:
    made = make_grid(town, types=types)
    cube = open_grid(made["grid"])
    assert cube["counts"].dims == ("time", "type", "y", "x")
    assert cube.sizes["type"] == channels
    assert made["events"] + made["dropped"] == 400
    for name in cube["type"].values:
        if name != "all":
            known = snapshot(load_city(town)).scan().filter(pl.col("type") == name).collect().height
            assert (
                int(cube["counts"].sel(type=name).sum())
                + made["dropped_by_reason"].get("outside the grid", 0)
                >= known
            )


@pytest.mark.parametrize(
    "request_", [{"cell": 1.5}, {"cell": 5.5, "step": "1h", "since": "2010-01-01"}]
)
def test_what_is_too_large_is_refused_before_it_is_counted(
    town: str, data: Path, request_: dict[str, Any]
) -> None:
    with pytest.raises(UserError, match=r"the limit is") as refused:
        make_grid(town, **request_)
    assert "larger cells" in str(refused.value)
    assert not list((data / "grids").glob("*"))


def test_the_first_step_with_an_event_of_every_cell(town: str) -> None:
    cube = load_cube(make_grid(town, 1000)["grid"])
    seen = cube.counts.sum(axis=1) > 0
    expected = np.where(seen.any(axis=0), seen.argmax(axis=0), len(cube.times))
    assert np.array_equal(cube.first_seen, expected)
    tall = replace(cube, counts=np.repeat(np.repeat(cube.counts, 90, 2), 90, 3))
    assert np.array_equal(tall.first_seen, np.repeat(np.repeat(expected, 90, 0), 90, 1))


def test_the_cube_equals_counting_event_by_event(town: str) -> None:
    made = make_grid(town, 250, "6h", "each")
    cube = open_grid(made["grid"])
    step = Step.parse("6h")
    expected = xr.zeros_like(cube["counts"])
    half = 125.0
    for event in snapshot(load_city(town)).scan().collect().iter_rows(named=True):
        t = np.datetime64(event["time"])
        start = step.start(step.number(np.array([t])))[0]
        x, y = np.floor(event["x"] / 250) * 250 + half, np.floor(event["y"] / 250) * 250 + half
        expected.loc[{"time": start, "type": event["type"], "y": y, "x": x}] += 1
    assert (expected.values == cube["counts"].values).all()


def test_cells_are_anchored_and_do_not_move_when_records_arrive(town: str, tmp_path: Path) -> None:
    before = open_grid(make_grid(town)["grid"])
    assert np.allclose((before["x"].values - 250) % 500, 0)
    import_file(town, tiny_csv(tmp_path / "more.csv", count=900, seed=3))
    after = open_grid(make_grid(town)["grid"])
    assert (before["x"].values == after["x"].values).all()
    assert (before["y"].values == after["y"].values).all()


def test_the_same_request_is_answered_from_the_store(town: str) -> None:
    one = make_grid(town)
    stamp = grid_folder(one["grid"]).stat().st_mtime_ns
    assert make_grid(town) == one
    assert grid_folder(one["grid"]).stat().st_mtime_ns == stamp
    assert make_grid(town, cell=600)["grid"] != one["grid"]


def test_a_period_counts_what_it_leaves_out(town: str) -> None:
    made = make_grid(town, since="2020-01-10", until="2020-02-01")
    assert made["shape"][0] == 22
    assert made["dropped_by_reason"]["outside the period"] > 0
    assert made["events"] + made["dropped"] == 400


def test_small_chunks_give_the_same_cube(town: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = open_grid(make_grid(town)["grid"])["counts"].values
    monkeypatch.setattr("crimecast.grids.counting.CHUNK_BYTES", 20_000)
    parts = open_grid(make_grid(town, since="2020-01-01", until="2020-03-01")["grid"])
    assert parts["counts"].encoding["chunks"][0] < parts.sizes["time"]
    assert (parts["counts"].values[: len(whole)] == whole).all()


def test_without_an_outline_the_area_is_what_was_struck_before(town: str) -> None:
    cube = load_cube(make_grid(town)["grid"])
    assert (cube.area(20) == cube.counts[:20].any(axis=(0, 1))).all()
    assert 0 < cube.area(20).sum() < cube.area(len(cube.times)).sum()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"cell": 0}, "can't be made"),
        ({"step": "5h"}, "is not a step"),
        ({"types": "arson"}, "no type or group 'arson'"),
        ({"types": "theft,theft"}, "counted twice"),
        ({"since": "2020-02-01", "until": "2020-01-01"}, "The period is empty"),
        ({"since": "soon"}, "is not a date"),
        ({"cell": 1}, "use larger cells"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused_and_leaves_nothing(
    town: str, data: Path, options: dict, text: str
) -> None:
    with pytest.raises(UserError, match=text):
        make_grid(town, **options)
    assert not list((data / "grids").glob("*")) if (data / "grids").exists() else True


def test_a_city_without_events_says_so(data: Path) -> None:
    with pytest.raises(UserError, match="has no events yet"):
        make_grid("chicago")


def test_the_sample_city_is_labelled(sample: str) -> None:
    cube = open_grid(sample)
    assert cube.attrs["simulated"] == 1
    assert cube.attrs["crs"] == "EPSG:32631"
    assert int(cube["counts"].sum()) == 44_407


def test_new_months_change_only_their_own_chunks(
    town: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crimecast.grids.counting.CHUNK_BYTES", 6_000)
    path = tiny_csv(tmp_path / "later.csv", count=300, seed=7)
    before = grid_folder(make_grid(town)["grid"])
    path.write_text(path.read_text().replace("2020-02", "2020-03").replace("\n", "\nx", 300))
    path.write_text(
        "\n".join(
            line
            for i, line in enumerate(path.read_text().splitlines())
            if i == 0 or "2020-03" in line
        )
    )
    import_file(town, path)
    made = make_grid(town)
    after = grid_folder(made["grid"])
    same = [
        p
        for p in (before / "cube.zarr/counts").glob("*.0.0.0")
        if os.path.samefile(p, after / "cube.zarr/counts" / p.name)
    ]
    fresh = [p for p in (after / "cube.zarr/counts").glob("*.0.0.0") if p.stat().st_nlink == 1]
    assert same
    assert fresh
    assert made["events"] + made["dropped"] == made["records"]
    shutil.rmtree(before)
    shutil.rmtree(after)
    whole = open_grid(make_grid(town)["grid"])["counts"].values
    assert int(whole.sum()) == made["events"]
    assert json.loads((grid_folder(made["grid"]) / "grid.json").read_text()) == made


@given(st.floats(-179.9, 179.9), st.floats(-79.9, 83.9))
def test_places_at_the_edges_of_utm_zones_keep_their_metres(
    longitude: float, latitude: float
) -> None:
    crs = utm_zone(longitude, latitude)
    there = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x, y = there.transform(longitude, latitude)
    back = there.transform(x, y, direction="INVERSE")
    assert back == pytest.approx((longitude, latitude), abs=1e-6)
    assert 100_000 < x < 900_000
    east = there.transform(longitude, min(latitude + 0.001, 83.99))
    assert np.hypot(east[0] - x, east[1] - y) == pytest.approx(
        pyproj.Geod(ellps="WGS84").inv(
            longitude, latitude, longitude, min(latitude + 0.001, 83.99)
        )[2],
        rel=2e-3,
        abs=0.1,
    )


def test_heatmaps_have_every_week_and_every_event(town: str, tmp_path: Path) -> None:
    names, mondays, counts = weekly_heatmaps(town)
    events = snapshot(load_city(town)).scan().collect()
    assert counts.shape[1:] == (2, 32, 32)
    assert (np.diff(mondays) == np.timedelta64(7, "D")).all()
    assert counts.sum() >= events.height - 2
    north = events.sort("y").row(-1, named=True)
    rows = np.nonzero(counts[:, names.index(north["type"])].sum(axis=(0, 2)))[0]
    south = events.filter(type=north["type"]).sort("y").row(0, named=True)
    assert rows.min() < rows.max()
    assert north["y"] > south["y"]
    assert write_heatmaps(town, tmp_path / "heat") == 2 * len(mondays)
    picture = np.asarray(Image.open(tmp_path / "heat" / "theft" / f"{mondays[0]}.png"))
    assert picture.shape == (32, 32)
    assert picture.dtype == np.uint8


def test_a_blur_keeps_the_sum_and_is_not_stored(town: str) -> None:
    from crimecast.views.grid import filtered

    grid = make_grid(town)["grid"]
    sharp, soft = filtered(grid, -1, 0.0), filtered(grid, -1, 1.0)
    assert soft.sum() == pytest.approx(sharp.sum(), rel=0.05)
    assert soft.max() < sharp.max()
    assert (open_grid(grid)["counts"].values.sum(axis=1) == sharp).all()


def calls_of(work: Callable[[], object], at: int, do: Callable[[], object]) -> int:
    """Run `work`, and `do` at its `at`-th call of a function of the package; how many there were."""
    seen, own = 0, str(Path(crimecast.__file__).parent)

    def look(frame: Any, event: str, _: object) -> None:
        nonlocal seen
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(own) or code.co_name[0] == "<":
            return  # what a loop calls for each of its parts is no moment of its own
        seen += 1
        if seen == at:
            sys.setprofile(None)
            do()
            sys.setprofile(look)

    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(None)
    return seen


@pytest.mark.parametrize("every", few([19, 1]))
def test_a_grid_is_of_one_state_of_the_archive_whenever_a_crawl_merges(
    town: str, data: Path, tmp_path: Path, every: int
) -> None:
    """Whatever moment a merge comes at, the grid is that of the records before it or after it: its
    name, its counts and its account agree."""
    city = load_city(town)
    folder, kept = archive_folder(city), tmp_path / "before"
    shutil.copytree(folder, kept)
    fresh = (
        snapshot(city)
        .scan()
        .with_columns(
            pl.format("again-{}", "source_id").alias("source_id"),
            pl.lit(None, pl.String).alias("reason"),
        )
    )
    incoming = fresh.collect().head(60)

    def grid() -> dict[str, Any]:
        made = make_grid(town, 1000)
        counted = int(open_grid(made["grid"])["counts"].sum())
        provenance = json.loads(open_grid(made["grid"]).attrs["provenance"])
        return made | {"counted": counted, "kept": provenance["kept"]}

    def again() -> None:
        shutil.rmtree(data / "grids", ignore_errors=True)
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)

    before = grid()
    again()
    calls = calls_of(lambda: make_grid(town, 1000), 0, lambda: None)
    merge(city, incoming, "crawl")
    after = grid()
    assert before["grid"] != after["grid"]
    assert after["counted"] == before["counted"] + 60
    outcomes = set()
    for at in range(1, calls + 1, every):
        again()
        made: list[dict[str, Any]] = []
        calls_of(
            lambda made=made: made.append(make_grid(town, 1000)), at,
            lambda: merge(city, incoming, "crawl"),
        )  # fmt: skip
        stored = made[0] | {
            "counted": int(open_grid(made[0]["grid"])["counts"].sum()),
            "kept": json.loads(open_grid(made[0]["grid"]).attrs["provenance"])["kept"],
        }
        expected = before if stored["grid"] == before["grid"] else after
        assert stored == expected, at
        outcomes.add(stored["grid"])
    assert outcomes == {before["grid"], after["grid"]}
