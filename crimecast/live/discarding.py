"""Deleting what others hang on: a run unless it is live, a grid with its runs, a city with its records, grids and
runs."""

from pathlib import Path

from crimecast import UserError
from crimecast.cities import load_city
from crimecast.crawling.worker import crawl_progress
from crimecast.grids.grid import grid_folder, list_grids
from crimecast.live.plan import Plan, plan_of
from crimecast.runs.run import Run, delete_run, list_runs, load_run
from crimecast.storage.access import accounted, act
from crimecast.storage.bin import Thrown, throw
from crimecast.storage.store import data_root


def discard_run(name: str) -> Thrown:
    """Move a run to the bin. Raises UserError while it trains, is live, or has forks."""
    city, live = _live(load_run(name).grid)
    if live is not None and name in {one.partition("@")[0] for one in live.names}:
        raise UserError(
            f"{name} is live in {city}: end that, or put another in its place, before deleting it."
        )
    return delete_run(name)


@accounted
def delete_grid(grid: str) -> Thrown:
    """Move a grid and its runs to the bin. Raises UserError while one of them is used."""
    grid_folder(grid)  # there is none of other names
    runs = list_runs(grid)
    act("delete", grid)
    _unused(runs, grid)
    city, live = _live(grid)
    if live is not None and live.grid == grid:
        raise UserError(f"{grid} is live in {city}: end that before deleting it.")
    return throw("grid", grid, _paths([grid], runs), [run.id for run in runs])


@accounted
def delete_city(name: str) -> Thrown:
    """Move all that is stored of a city to the bin; one that comes with the app can be filled anew. Raises
    UserError while something of it is used, and where nothing is stored."""
    city = load_city(name)
    if city.simulated:
        raise UserError(f"{city.title} comes with the app, records and all: it stays.")
    grids, runs = _of_city(name)
    root = data_root()
    own = [
        root / "cities" / name, root / "cities" / f"{name}.toml", root / "cities" / f"{name}.geojson",
        root / "covariates" / name, root / "live" / name,
    ]  # fmt: skip
    if not grids and not any(path.exists() for path in own):
        raise UserError(f"Nothing is stored of {city.title}.")
    act("delete", name)
    _unused(runs, city.title)
    if crawl_progress(name).get("state") == "crawling":
        raise UserError(f"{city.title} is being crawled: stop that before deleting it.")
    return throw("city", name, own + _paths(grids, runs), [run.id for run in runs])


def what_goes(name: str) -> tuple[int, int]:
    """How many grids and runs go with a city."""
    grids, runs = _of_city(name)
    return len(grids), len(runs)


def _of_city(name: str) -> tuple[list[str], list[Run]]:
    """Its grids, and the runs on them."""
    grids = [one["grid"] for one in list_grids(name)]
    return grids, [run for run in list_runs() if run.grid in grids]


def _live(grid: str) -> tuple[str, Plan | None]:
    """A grid's city, and what is live in it."""
    city = next((one["city"] for one in list_grids() if one["grid"] == grid), "")
    return city, plan_of(city) if city else None


def _paths(grids: list[str], runs: list[Run]) -> list[Path]:
    """Where all of that is stored."""
    stored = [
        path for grid in grids for path in (grid_folder(grid), data_root() / "forecasts" / grid)
    ]
    return stored + [run.folder for run in runs]


def _unused(runs: list[Run], what: str) -> None:
    if busy := [run.id for run in runs if run.active]:
        raise UserError(f"{', '.join(busy[:3])} trains or waits: stop it before deleting {what}.")
