"""Steps that haven't come: nothing of them is used, their spread is right, what can't be is refused."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from crimecast.baselines import BASELINES
from crimecast.cities.city import City, load_city, write_city
from crimecast.designs.spec import Design, load_design
from crimecast.errors import UserError
from crimecast.forecasting.ahead import Ahead, ahead
from crimecast.forecasting.to_come import period, save, summary, to_come
from crimecast.grids.complete import complete_steps
from crimecast.grids.cube import load_cube
from crimecast.grids.grid import make_grid
from crimecast.records.archive import merge
from tests.few import few
from tests.runs.here import train

FIRST, DAYS, WEEK = datetime(2021, 1, 1), 150, 7
SINCE = f"{FIRST + timedelta(days=DAYS - WEEK):%Y-%m-%d}"
FIELDS = ("rate", "low", "high", "some", "mean", "dispersion")


def brought(
    name: str, days: float = DAYS, a_day: int = 25, seed: int = 1, every: int | None = None
) -> City:
    """A town with records of so many days, an hour of the last of which may be the end."""
    rng = np.random.default_rng(seed)
    bounds = (500_000.0, 5_000_000.0, 508_000.0, 5_007_000.0)
    city = write_city(City(name, name.title(), "Europe/Berlin", "EPSG:32632", bounds=bounds))
    count = int(days * a_day)
    at = np.sort(rng.uniform(0, days * 86_400, count)).astype(int)
    if every:
        at = np.arange(43_200, int(days * 86_400), every * 86_400)
        count = len(at)
    place = rng.normal(0.5, 0.2, (count, 2)).clip(0.01, 0.99) * [8_000, 7_000]
    events = pl.DataFrame(
        {
            "source_id": [f"{seed}-{i}" for i in range(count)],
            "time": [FIRST + timedelta(seconds=int(s)) for s in at],
            "type": rng.choice(["theft", "assault"], count, p=[0.7, 0.3]),
            "longitude": np.full(count, 9.0),
            "latitude": np.full(count, 45.0),
            "x": place[:, 0] + bounds[0],
            "y": place[:, 1] + bounds[1],
            "reason": pl.Series([None] * count, dtype=pl.String),
        }
    ).with_columns(pl.col("time").cast(pl.Datetime("us")))
    merge(city, events, "invented")
    return load_city(name)


def grids(city: str) -> tuple[str, str]:
    """A town's grid, and one in which its last week really is absent."""
    whole = make_grid(city, cell=1000, types="each")["grid"]
    return whole, make_grid(city, cell=1000, types="each", until=SINCE)["grid"]


QUICK_FIRST = sorted(
    BASELINES, key=lambda name: name in ("fourier_cox", "glm", "boosting", "hawkes")
)


def same(one: Ahead, other: Ahead) -> bool:
    return all(getattr(one, f).tobytes() == getattr(other, f).tobytes() for f in FIELDS)


@pytest.mark.parametrize("name", few(QUICK_FIRST, 5))
def test_a_baseline_as_if_the_last_week_had_not_come_is_to_the_bit_one_without_it(
    data: Path, name: str
) -> None:
    brought("town")
    whole, absent = grids("town")
    then, now = to_come(name, whole, WEEK, SINCE), to_come(name, absent, WEEK)
    assert same(then, now)
    assert then.label(0) == now.label(0) == SINCE
    assert not same(then, to_come(name, whole, WEEK))  # what did come says something else


DESIGNS = (
    "stack",
    "memory",
    "recurrent",
    "st_resnet",
    "stack_plain",
    "recurrent_plain",
    "st_resnet_plain",
)
MODULE = """
import torch
class Own(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.mix = torch.nn.Conv2d(14, 2, 3, padding=1)
    def forward(self, history, calendar, static):
        return self.mix(history.flatten(1, 2)) - 1
"""


RANDOM = MODULE.replace("return self.mix(", "return torch.nn.functional.dropout(self.mix(").replace(
    ") - 1", "), 0.2, True) - 1"
)
OFFSETS = ("none", "mean", "decayed_mean", "memory_mixture")


def design_of(name: str, folder: Path) -> Design:
    if name in ("own", "random"):
        (folder / "own.py").write_text(MODULE if name == "own" else RANDOM)
        return Design("own", module=f"{folder / 'own.py'}:Own")
    if name.startswith("far on "):
        far = replace(
            load_design("stack_plain"), horizons=(1, 3, 7), offset=name.removeprefix("far on "),
            memories=(3, 30), position=2, level=True,
        )  # fmt: skip
        return (
            far
            if name.endswith("none")
            else replace(far, surprises=(2, 21), weekday_surprises=(60,))
        )
    base = load_design(name.split(" ")[0])
    if name.endswith("far"):
        base = replace(base, horizons=(1, 3, 7))
    if name.endswith("weather"):
        base = replace(base, static=("weather",))
    return base


# One of each kind with the unit tests, all of them with the long ones.
FEW = ("own",)
MANY = (*DESIGNS, "own", "random", "stack_plain far", "stack_plain weather", *(f"far on {one}" for one in OFFSETS))  # fmt: skip


@pytest.mark.parametrize("name", few(sorted(MANY, key=lambda name: name not in FEW), len(FEW)))
def test_a_network_as_if_the_last_week_had_not_come_is_to_the_bit_one_without_it(
    data: Path, tmp_path: Path, name: str
) -> None:
    brought("town")
    if name.endswith("weather"):
        from crimecast.grids.covariates import import_covariate

        days = [FIRST + timedelta(days=d) for d in range(DAYS + 3)]  # some of them yet to come
        table = pd.DataFrame({"time": days, "value": np.arange(len(days)) % 13})
        table.to_csv(tmp_path / "weather.csv", index=False)
        import_covariate("town", tmp_path / "weather.csv", "weather", {})
    whole, absent = grids("town")
    run = train(design_of(name, tmp_path), whole, "2021-04-20", "2021-05-10", epochs=1)
    assert run.state == "done", run.message
    then, now = to_come(run.id, whole, WEEK, SINCE), to_come(run.id, absent, WEEK)
    assert same(then, now)
    assert not same(then, to_come(run.id, whole, WEEK))
    assert (name.endswith("weather") or name == "random") == bool(then.notices)
    if name == "random":
        assert "forecasts don't repeat" in then.notices[0]


def test_a_forecast_of_weather_is_given_to_steps_to_come_alone(data: Path, tmp_path: Path) -> None:
    """With the weather that came as its forecast, it is the forecast of who knew the weather."""
    from crimecast.grids.covariates import covariate_maps, import_covariate

    brought("town")
    days = [FIRST + timedelta(days=d) for d in range(DAYS)]
    table = pd.DataFrame({"time": days, "value": np.arange(len(days)) % 13})
    table.to_csv(tmp_path / "weather.csv", index=False)
    late = table.assign(value=table["value"] + 1)  # of days that have come a forecast says nothing
    with pytest.raises(UserError, match="no covariate 'weather' yet"):
        import_covariate("town", tmp_path / "weather.csv", "weather", {}, forecast=True)
    import_covariate("town", tmp_path / "weather.csv", "weather", {})
    whole, _ = grids("town")
    cube = load_cube(whole)
    area, come = cube.area(len(cube.times)), DAYS - WEEK
    known = covariate_maps(cube, area, "weather", 1)
    without = covariate_maps(cube, area, "weather", 1, come)
    assert (known[: come + 1] == without[: come + 1])[1:].all()
    assert (without[come:] == without[come]).all()
    run = train(design_of("stack_plain weather", tmp_path), whole, "2021-04-20", "2021-05-10", epochs=1)  # fmt: skip
    last = to_come(run.id, whole, WEEK, SINCE)
    told = tmp_path / "told.csv"
    pd.concat([late[:-WEEK], table[-WEEK:]]).to_csv(told, index=False)
    made = import_covariate("town", told, "weather", {}, forecast=True)
    assert made["rows"] == DAYS
    assert np.array_equal(covariate_maps(cube, area, "weather", 1, come), known, equal_nan=True)
    assert np.array_equal(covariate_maps(cube, area, "weather", 1), known, equal_nan=True)
    with_it = to_come(run.id, whole, WEEK, SINCE)
    assert with_it.notices == (
        "Of weather the forecast was taken as far as it reaches, then its last value.",
    )
    assert np.array_equal(with_it.rate[0], last.rate[0])  # tomorrow is given today's
    assert not np.array_equal(with_it.rate[2], last.rate[2])
    pd.DataFrame({"value": [1.0]}).assign(longitude=0.0, latitude=0.0).to_csv(told, index=False)
    with pytest.raises(UserError, match="needs what its values have"):
        import_covariate("town", told, "weather", {}, forecast=True)


@pytest.mark.parametrize("name", few(["stack_plain far", *(f"far on {one}" for one in OFFSETS)]))
def test_a_networks_own_horizon_says_where_the_paths_lie(
    data: Path, tmp_path: Path, name: str
) -> None:
    from crimecast.forecasting.forecasts import rates

    brought("town")
    whole, _ = grids("town")
    run = train(design_of(name, tmp_path), whole, "2021-04-20", "2021-05-10", epochs=1)
    cube = load_cube(whole)
    origin = DAYS - WEEK
    made = ahead(run.id, cube, origin, WEEK)
    for horizon in (1, 3, 7):
        at = origin + horizon - 1
        own = rates(f"{run.id}@{horizon}", cube, at, at + 1)[0]
        inside = made.area & cube.area(at)
        assert np.allclose(made.rate[horizon - 1, :2][:, inside], own[:, inside], rtol=1e-3)


def test_a_day_that_a_file_ends_within_is_found_and_not_used(data: Path) -> None:
    brought("cut", days=DAYS + 4 / 24)  # it ends at four in the morning
    brought("even")
    cut, even = (make_grid(city, cell=1000)["grid"] for city in ("cut", "even"))
    assert load_cube(cut).counts.shape[0] == DAYS + 1
    assert complete_steps(load_cube(cut)) == DAYS
    assert complete_steps(load_cube(even)) == DAYS
    made = to_come("mean", cut, 2)
    assert made.label(0) == f"{FIRST + timedelta(days=DAYS):%Y-%m-%d}"
    assert "don't cover 2021-05-31 whole" in made.notices[0]
    late = make_grid("even", cell=1000, until="2021-06-20")["grid"]  # days without a record
    assert complete_steps(load_cube(late)) == DAYS


def test_a_month_that_the_records_do_not_cover_is_found_though_months_are_few(data: Path) -> None:
    brought("cut", days=DAYS - 6)  # from January to 24 May
    months = load_cube(make_grid("cut", cell=1000, step="1mo")["grid"])
    assert (len(months.times), complete_steps(months)) == (5, 4)
    assert to_come("decayed_mean", months.grid, 1).label(0) == "2021-05-01"
    brought("whole", days=DAYS + 1)  # to the end of May
    assert complete_steps(load_cube(make_grid("whole", cell=1000, step="1mo")["grid"])) == 5


def test_where_records_are_few_a_quiet_day_is_a_day(data: Path) -> None:
    brought("hamlet", every=3)  # the last of its records lies two and a half days before the end
    grid = make_grid("hamlet", cell=1000, until=f"{FIRST + timedelta(days=DAYS):%Y-%m-%d}")
    assert complete_steps(load_cube(grid["grid"])) == DAYS
    late = make_grid("hamlet", cell=1000, until=f"{FIRST + timedelta(days=DAYS + 2):%Y-%m-%d}")
    assert complete_steps(load_cube(late["grid"])) == DAYS


@pytest.mark.long
def test_seven_steps_ahead_totals_are_uniform_in_their_forecasts(sample: str) -> None:
    """PIT (Czado, Gneiting & Held 2009), one draw between F(n − 1) and F(n); the bound is that of
    Kolmogorov and Smirnov at one in a hundred."""
    cube, rng, pit = load_cube(sample), np.random.default_rng(2), []
    for origin in range(470, 720, 6):
        made = ahead("hawkes", cube, origin, WEEK)
        count = float(cube.counts[origin + WEEK - 1].sum())
        low, high = (made.chance(WEEK - 1, n) for n in (count - 1, count))
        pit.append(rng.uniform(low, high))
    n, ranked = len(pit), np.sort(pit)
    off = max(
        np.abs(ranked - np.arange(n) / n).max(), np.abs(np.arange(1, n + 1) / n - ranked).max()
    )
    assert off < 1.63 / np.sqrt(n)


def test_spread_grows_with_the_lead(sample: str) -> None:
    made = ahead("hawkes", load_cube(sample), 700, 14)

    def spread(step: int) -> float:
        """Relative variance of the total beyond that of a known rate."""
        mean, d = made.mean[step, :, -1], made.dispersion[step, :, -1]
        return float(((d * mean**2).mean() + mean.var()) / mean.mean() ** 2)

    assert (made.mean[0] == made.mean[0, 0]).all()
    assert spread(13) > spread(6) > spread(0)
    assert made.mean[13].std() > made.mean[1].std() > 0


def test_marginals_agree_with_one_another(sample: str) -> None:
    made = ahead("memory_mixture", load_cube(sample), 700, 3)
    inside = made.area
    rate, some = made.rate[..., inside], made.some[..., inside]
    assert (some <= rate + 1e-6).all()  # a chance is at most what is expected
    assert (made.low[..., inside] <= made.high[..., inside]).all()
    assert np.array_equal(made.low[..., inside] > 0, some > 0.975)
    assert rate[0].sum() == pytest.approx(made.total(0)[0], rel=1e-5)
    assert made.rate[..., ~inside].sum() == 0


def test_a_period_past_the_end_begins_with_what_is_known(data: Path) -> None:
    from crimecast.forecasting.forecasts import rates

    brought("town")
    whole, _ = grids("town")
    made = period("decayed_mean", whole, "2021-05-28", "2021-06-03")
    assert made is not None
    assert [made.label(i) for i in (0, 5)] == ["2021-05-28", "2021-06-02"]
    known = rates("decayed_mean", load_cube(whole), DAYS - 3, DAYS)
    assert np.allclose(made.rate[:3, :2][..., made.area], known[..., made.area], rtol=1e-5)
    further = to_come("decayed_mean", whole, 3)
    assert np.array_equal(made.rate[3:], further.rate)
    assert period("decayed_mean", whole, "2021-05-28", "2021-05-30") is None
    only = period("decayed_mean", whole, "2021-06-01", "2021-06-03")
    assert only is not None
    assert only.label(0) == "2021-06-01"


@pytest.mark.parametrize(
    ("name", "steps", "since", "text"),
    [
        ("nobody", 1, None, "no run called 'nobody'"),
        ("mean", 0, None, "From 1 to 60 steps"),
        ("mean", 61, None, "From 1 to 60 steps"),
        ("truth", 1, None, "only for days that were simulated"),
        ("mean@3", 1, None, "ask for mean"),
        ("mean", 1, "2023-01-01", "Nothing lies before"),
        ("mean", 1, "2027-01-01", "lies past the records"),
        ("stack-1", 1, "2023-01-20", "looks 28 steps back"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(
    sample: str, name: str, steps: int, since: str | None, text: str
) -> None:
    with pytest.raises(UserError, match=text):
        to_come(name, sample, steps, since)


@pytest.mark.parametrize(
    ("step", "within", "begins"),
    [
        ("1w", "2021-04-22", "2021-04-19"),
        ("1mo", "2021-04-30", "2021-04-01"),
        ("6h", "2021-04-22T09:00", "2021-04-22T06:00"),
        ("1d", "2021-04-22T23:59", "2021-04-22"),
    ],
)
def test_as_if_made_within_a_step_nothing_of_it_is_known(
    data: Path, step: str, within: str, begins: str
) -> None:
    brought("town")
    grid = str(make_grid("town", cell=1000, step=step)["grid"])
    for name in ("mean", "memory_mixture"):
        made = to_come(name, grid, 2, within)
        assert made.label(0) == begins
        assert same(made, to_come(name, grid, 2, begins))


def test_a_damaged_forecast_is_made_again(data: Path) -> None:
    brought("town")
    whole, _ = grids("town")
    made = to_come("mean", whole, 2)
    (path,) = (data / "forecasts" / whole).glob("ahead.*.npz")
    for content in (path.read_bytes()[:300], b"", path.read_bytes()[:-40]):
        path.write_bytes(content)
        assert same(to_come("mean", whole, 2), made)


@pytest.mark.parametrize("suffix", [".nc", ".parquet", ".csv", ".geojson", ".json"])
def test_files_hold_what_was_forecast(sample: str, tmp_path: Path, suffix: str) -> None:
    made = to_come("decayed_mean", sample, 2)
    path = tmp_path / f"tomorrow{suffix}"
    save(path, made)
    cells = int(made.area.sum())
    if suffix == ".geojson":
        document = json.loads(path.read_text())
        assert len(document["features"]) == cells
        first = [f["properties"]["expected"] for f in document["features"]]
        assert sum(first) == pytest.approx(made.total(0)[0], rel=1e-3)
        assert all(not isinstance(v, dict) for v in document["features"][0]["properties"].values())
        return
    if suffix == ".nc":
        import xarray as xr

        with xr.open_dataset(path, engine="scipy") as stored:
            assert np.array_equal(stored["rate"], made.rate)
        return
    if suffix == ".json":
        document = json.loads(path.read_text())
        assert document["steps"] == summary(made)["steps"]
        table = pd.DataFrame(document["cells"])
    else:
        table = pd.read_parquet(path) if suffix == ".parquet" else pd.read_csv(path)
    assert len(table) == 2 * cells
    assert table["rate"].sum() == pytest.approx(made.rate.sum(), rel=1e-3)
