"""What is live in a city, and by which rules: what forecasts on which grid, when, and what follows."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from crimecast import UserError
from crimecast.baselines import BASELINES
from crimecast.cities import load_city
from crimecast.forecasting.forecasts import fits
from crimecast.grids.cube import load_cube
from crimecast.grids.grid import grid_folder, list_grids
from crimecast.runs.run import list_runs, load_run
from crimecast.storage.access import accounted, act, permit
from crimecast.storage.forms import formed, unfit
from crimecast.storage.store import data_root, read_json, write_json

RIVALS = ("memory_mixture", "decayed_mean")  # the strongest baselines that take seconds


@dataclass(frozen=True)
class Rules:
    """`on`: rounds are done by themselves, `every` so many hours. `retrain`: the first run is trained anew
    after so many days (0: never), `at_drift` also when it drifts or falls behind. The new one takes its
    place by a `switch` at a click, or once it has done "better" on sealed forecasts.
    """

    on: bool = False
    every: Annotated[float, Field(ge=0.25, le=168)] = 6.0
    retrain: Annotated[int, Field(ge=0, le=3650)] = 0
    at_drift: bool = False
    switch: Literal["click", "better"] = "click"


@dataclass(frozen=True)
class Plan:
    """What is live: the grid as it is now, whether a round has made it, what forecasts on it, and the
    rules."""

    grid: str
    names: tuple[str, ...]
    own: bool = False
    rules: Rules = field(default_factory=Rules)

    def led_by(self, name: str) -> "Plan":
        """The same with `name`, one of its names, as the city's forecast; the others go on beside it."""
        rest = (one for one in self.names if one != name)
        return replace(self, names=(name, *rest))


def live_folder(city: str) -> Path:
    """Where a city's sealed log and plan are."""
    return data_root() / "live" / load_city(city).name


def plan_of(city: str) -> Plan | None:
    """What is live in a city, None if nothing is. Raises UserError if it is stored damaged."""
    path = live_folder(city) / "plan.json"
    return read_json(path, Plan) if path.exists() else None


def keep_plan(city: str, plan: Plan) -> None:
    """Store what is live in a city."""
    write_json(live_folder(city) / "plan.json", asdict(plan))


def last_round(city: str) -> dict[str, Any]:
    """`began` (seconds since 1970) and `said` of the last round, with `failed` if it did; empty without."""
    try:
        return read_json(live_folder(city) / "round.json", dict[str, Any])
    except (OSError, ValueError):
        return {}


@accounted
def go_live(
    city: str, grid: str | None = None, names: tuple[str, ...] = (), rules: dict[str, Any] | None = None
) -> Plan:  # fmt: skip
    """Decide what is live from now on; what isn't given stays as it was, or is the newest grid and the run
    on it that validation found best. Raises UserError for what doesn't fit together."""
    permit("go live in", city)
    before = plan_of(city)
    known = list_grids(load_city(city).name)
    if grid is not None and read_json(grid_folder(grid) / "grid.json")["city"] != city:
        raise UserError(f"{grid} is a grid of another city than {city}.")
    if grid is None and before and before.grid not in (there := [entry["grid"] for entry in known]):
        raise UserError(
            f"{before.grid}, which was live in {load_city(city).title}, isn't there any more. "
            f"Choose another grid: {', '.join(there) or 'none is made yet'}."
        )
    runs = [name for name in names if name not in BASELINES]
    for name in runs:
        if not (load_run(name).folder / "network.safetensors").exists():
            raise UserError(f"{name} has no network yet; wait for it or resume it.")
    if grid is None:
        grid = before.grid if before else load_run(runs[0]).grid if runs else None
    if grid is None:
        if not known:
            raise UserError(f"{load_city(city).title} has no grid yet: make one first.")
        grid = known[0]["grid"]
    if any(entry["grid"] == grid and entry.get("outdated") for entry in known):
        raise UserError(
            f"{grid} was made before the records of {load_city(city).title} were corrected: make it again, and train on it."
        )
    for name in runs:
        fits(load_run(name), load_cube(grid))
    if not names:
        names = before.names if before else (*_best(grid), *RIVALS)
    kept = (asdict(before.rules) if before else {}) | (rules or {})
    if wrong := unfit(Rules, kept):
        raise UserError(f"That can't be a rule of the rounds ({wrong}).")
    plan = Plan(
        grid,
        tuple(dict.fromkeys(names)),
        bool(before and before.own and before.grid == grid),
        formed(Rules, kept, "The plan"),
    )
    if plan != before:
        act("go live with", f"{', '.join(plan.names)} on {plan.grid}")
        keep_plan(city, plan)
    return plan


@accounted
def put_first(city: str, name: str) -> Plan:
    """From now on `name`, which forecasts already, is the city's forecast; the others go on beside it."""
    permit(f"forecast first by {name} in", city)
    plan = plan_of(city)
    if plan is None or name not in plan.names:
        raise UserError(f"{name} doesn't forecast {load_city(city).title}.")
    changed = plan.led_by(name)
    act("forecast first by", f"{name} in {city}")
    keep_plan(city, changed)
    return changed


def _best(grid: str) -> list[str]:
    done = [
        run for run in list_runs(grid)
        if run.state == "done" and run.summary.get("validation_loss") is not None
    ]  # fmt: skip
    return [min(done, key=lambda run: run.summary["validation_loss"]).id] if done else []
