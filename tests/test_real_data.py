"""The real records: every file in, nothing lost, and the main loop on four years of Chicago."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from crimecast.baselines import baseline_rates
from crimecast.cities import load_city
from crimecast.grids.cube import load_cube
from crimecast.grids.grid import make_grid, open_grid
from crimecast.judging.scoring import scores, step_sums
from crimecast.records.importing import import_file
from crimecast.records.snapshot import snapshot

FILES = [
    # file, city, options, rows, {reason: count}
    ("chicago_crimes_2014_2015", "chicago", {}, 539_129, {"no place": 7522, "outside the city": 5}),
    ("chicago_crimes_2016_2017", "chicago", {}, 536_605, {"no place": 4383}),
    ("chicago_aggravated_assaults_2010_2017", "assaults", {"mapping": {"time": "date"}, "zone": "America/Chicago"}, 117_875, {}),
    ("los_angeles_incidents_2020", "los_angeles", {}, 10_000, {"no place": 12}),
    ("los_angeles_west_division_2020_2021", "los_angeles", {}, 12_954, {"no place": 31}),
    ("san_francisco_incidents_2009_2013", "san_francisco", {}, 699_769, {}),
    ("san_francisco_incidents_2026_02_to_07", "san_francisco", {}, 32_888, {}),
    ("vancouver_thefts_2020", "vancouver", {"crs": "EPSG:32610", "zone": "America/Vancouver"}, 21_918, {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "city", "options", "rows", "dropped"), FILES, ids=[f[0] for f in FILES]
)
def test_every_file_goes_in_and_every_row_is_accounted_for(
    data: Path, real: Path, file: str, city: str, options: dict, rows: int, dropped: dict[str, int]
) -> None:
    result = import_file(city, real / f"{file}.parquet", **options)
    assert (result["read"], result["added"], result["dropped"]) == (rows, rows, dropped)
    account = snapshot(load_city(city)).report()
    assert account["records"] == rows == account["kept"] + sum(dropped.values())
    for step in ("1d", "1w"):
        made = make_grid(city, 500, step)
        assert made["events"] + made["dropped"] == rows
        assert int(open_grid(made["grid"])["counts"].sum()) == made["events"]


def test_daily_totals_of_san_francisco_are_those_of_the_file(data: Path, real: Path) -> None:
    path = real / "san_francisco_incidents_2009_2013.parquet"
    import_file("san_francisco", path)
    cube = load_cube(make_grid("san_francisco")["grid"])
    days = (
        pl.read_parquet(path)
        .group_by(pl.col("Dates").str.slice(0, 10).alias("day"))
        .len()
        .sort("day")
    )
    totals = dict(
        zip(
            cube.times.astype("datetime64[D]").astype(str),
            cube.counts.sum(axis=(1, 2, 3)),
            strict=True,
        )
    )
    assert {day: totals[day] for day in days["day"]} == {day: float(n) for day, n in days.rows()}
    assert totals["2009-06-10"] == 0


@pytest.mark.long
def test_chicagos_long_run_mean_and_decayed_mean_on_2017(data: Path, real: Path) -> None:
    for years in ("2014_2015", "2016_2017"):
        import_file("chicago", real / f"chicago_crimes_{years}.parquet")
    made = make_grid("chicago")
    assert (made["records"], made["events"]) == (1_075_734, 1_063_824)
    cube = load_cube(made["grid"])
    first, last = cube.period("2017-01-01", "2018-01-01")
    struck = cube.first_seen < first  # the cells with an event before 2017
    assert struck.sum() == 2353
    fits = {
        name: scores(
            step_sums(
                cube.counts[first:last],
                baseline_rates(name, cube, first, last),
                struck,
                cube.times[first:last],
            )
        )
        for name in ("mean", "decayed_mean")
    }
    # Measured elsewhere, independently: −1.6568 and −1.6502.
    assert fits["mean"]["log_likelihood_per_event"] == pytest.approx(-1.6568, abs=2e-4)
    assert fits["decayed_mean"]["log_likelihood_per_event"] == pytest.approx(-1.6502, abs=4e-4)
    assert np.isfinite(list(fits["mean"].values())).all()
