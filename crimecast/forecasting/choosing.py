"""Which forecasts of a grid can be compared, and with which a comparison begins."""

from dataclasses import replace

from crimecast.baselines import AHEAD, BASELINES, QUICK
from crimecast.forecasting.forecasts import (
    TRUTH,
    at_horizon,
    further_ahead,
    is_stored,
    ready_baselines,
)
from crimecast.grids.cube import load_cube
from crimecast.runs.run import Run, list_runs


def choices(grid: str, simulated: bool) -> list[str]:
    """What can be compared on a grid: its trained runs, the baselines, on a simulated city the truth."""
    done = [run for run in list_runs(grid) if run.state == "done"]
    runs = [*ensembles(done), *(run.id for run in done)]
    ahead = dict.fromkeys(name for run in done for name in further_ahead(run))
    return [*runs, *list(BASELINES)[::-1], *([TRUTH] if simulated else []), *ahead]


def ensembles(runs: list[Run]) -> list[str]:
    """Runs that differ by their seed alone, joined by `+`: the average of their rates is one forecast."""
    alike: dict[str, dict[int, str]] = {}
    for run in sorted(runs, key=lambda run: run.number):
        settings = replace(run.settings, start_from=None)
        alike.setdefault(f"{run.spec}{settings}", {}).setdefault(run.seed, run.id)
    return ["+".join(seeds.values()) for seeds in alike.values() if len(seeds) > 1]


BESIDE = 2  # other runs of the grid that a comparison begins with


def first_choice(run: Run, first: int, last: int) -> list[str]:
    """The run, its parent, the newest others that haven't been shown the period, its rivals that are quick or already made."""
    cube = load_cube(run.grid)
    others = [n for n in ready_baselines(cube, first, last)[::-1] if n not in QUICK]
    known = {other.id for other in list_runs(run.grid) if other.state == "done"}
    parent = [run.parent] if run.parent in known else []
    newest = [
        one.id for one in list_runs(run.grid) if one.id in known and one.settings.validate <= first
    ]
    parent += [name for name in newest if name not in (run.id, run.parent)][:BESIDE]
    if (ahead := run.design.horizon) > 1:
        return [run.id, *parent, *(f"{name}@{ahead}" for name in AHEAD[::-1] if name in QUICK)]
    return [run.id, *parent, *others, "memory_mixture", "glm", "kde_season", "mean"]


def slow(name: str, grid: str, first: int, last: int) -> bool:
    """Whether a forecast takes minutes and was not made yet."""
    quick = at_horizon(name)[0] in QUICK
    return is_baseline(name) and not quick and not is_stored(name, load_cube(grid), first, last)


def is_baseline(name: str) -> bool:
    """Whether a forecast is a baseline's, however far ahead."""
    return at_horizon(name)[0] in BASELINES
