"""Run or baseline → forecast rates, made once, stored, and and used again."""

import contextlib
import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crimecast import UserError
from crimecast.baselines import AHEAD, BASELINES, QUICK, baseline_rates
from crimecast.grids.cube import Cube, load_cube
from crimecast.judging.scoring import StepSums, compare, step_sums
from crimecast.runs.run import Run, load_run
from crimecast.sample.truth import TRUTH, true_rates
from crimecast.storage.kept import code_of, forget, used
from crimecast.storage.store import data_root, replacing

BOUND = 4e9  # bytes of all forecasts that are kept; the least recently used go first
MAKERS = ("baselines", "grids/memories.py", "calendar/dates.py", "judging/likelihood.py")

if TYPE_CHECKING:
    import torch

    from crimecast.training.samples import Samples


def forecast(name: str, grid: str, since: str, until: str) -> tuple[Cube, int, int, np.ndarray]:
    """Forecast the steps of a period, one step ahead each, from what lies before each.

    `name` is a run, a baseline, `truth` (on the sample city), or several joined by `+`, whose
    rates are averaged; `run@3` is the run's forecast three steps ahead. Returns the cube, first and
    last step, and rates (T, C, H, W) float32. Raises UserError for an unknown name, an empty period or a run of another shape.
    """
    cube = load_cube(grid)
    first, last = cube.period(since, until)
    return cube, first, last, rates(name, cube, first, last)


def rates(name: str, cube: Cube, first: int, last: int) -> np.ndarray:
    """(last − first, C, H, W) float32 rates for steps [first, last), from the store if it has them."""
    parts = [part.strip() for part in name.split("+")]
    if len(parts) > 1:
        there(name)
        made = np.stack([rates(part, cube, first, last) for part in parts])
        return made.mean(axis=0, dtype=np.float64).astype(np.float32)
    if name == TRUTH:
        try:
            return true_rates(cube)[first:last].astype(np.float32)
        except LookupError as error:
            raise UserError(str(error)) from None
    base, horizon = at_horizon(name)
    if base in BASELINES and horizon == 1:
        name = base
    path = _path(name, cube, first, last)
    with contextlib.suppress(FileNotFoundError, ValueError):  # not made yet, or not whole
        used(path)
        return np.load(path, allow_pickle=False)
    result = (
        baseline_rates(base, cube, first, last, horizon or 1)
        if base in BASELINES
        else run_rates(load_run(base), cube, first, last, horizon)
    ).astype(np.float32)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, result, allow_pickle=False)
    root = data_root()
    forget([*root.glob("forecasts/*/*.npy"), *root.glob("runs/*/forecasts/*/*.npy")], BOUND)
    return result


def there(*names: str) -> None:
    """Raise UserError for the first name that is no forecast, before any of the others is made."""
    for name in names:
        for part in name.split("+"):
            base = at_horizon(part.strip())[0]
            if base not in BASELINES and base != TRUTH:
                load_run(base)


def at_horizon(name: str) -> tuple[str, int | None]:
    """`stack-2@3` → stack-2 and 3; None where a name says nothing of how far ahead."""
    base, at, steps = name.partition("@")
    if at and not (steps.isascii() and steps.isdigit() and len(steps) < 5 and int(steps)):
        raise UserError(f"'{name}': after the @ comes the number of steps ahead, as in {base}@3.")
    return base, int(steps) if at else None


def fits(run: Run, cube: Cube) -> None:
    """Raise UserError unless a run's network can forecast a cube: as many types, steps as long."""
    own, types = load_cube(run.grid), cube.counts.shape[1]
    if types != own.counts.shape[1]:
        raise UserError(
            f"{run.id} forecasts {own.counts.shape[1]} types, and this grid has {types}: "
            "make a grid with as many."
        )
    if cube.step != own.step:
        raise UserError(
            f"{run.id} was trained on steps of {own.step}, and this grid's are {cube.step}: make a grid with steps as long."
        )


def load_network(run: Run, cube: Cube | None = None) -> tuple["torch.nn.Module", dict[str, Any]]:
    """The trained network of a run on the CPU, in evaluation mode, and the note stored with it.

    With `cube`, a network for maps of that cube's size. Raises UserError where it has other types or
    steps, or where layers learnt something for each cell of the run's own grid.
    """
    from crimecast.designs.build import build
    from crimecast.designs.inputs import calendar_numbers
    from crimecast.training import checkpoints

    tensors, note = checkpoints.load(run.folder / "network.safetensors")
    cube = cube or load_cube(run.grid)
    fits(run, cube)
    _, types, height, width = cube.counts.shape
    numbers = calendar_numbers(run.design, cube.step)
    network = build(run.design, types, height, width, numbers, run.seed)
    checkpoints.load_network(network, tensors)
    return network.eval(), note


def samples_of(run: Run, cube: Cube, note: dict[str, Any], first: int | None = None) -> "Samples":
    """The samples that a run's network expects of a cube, scaled as in its training.

    The study area is that of a judgement which begins at step `first`, by default where the run's
    training ended.
    """
    stamp = run.stamp
    if not isinstance(note.get("area_end"), int) or not isinstance(note.get("scaling"), dict):
        raise UserError(f"The checkpoint of {run.id} is damaged: train it again.")
    end = min(note["area_end"], len(cube.times))
    if first is not None and cube.outline_area is None:  # an outline's area is always the same
        end = first
    return _samples(run.id, cube.grid, stamp, json.dumps(note), end)


@lru_cache(maxsize=2)
def _samples(name: str, grid: str, _stamp: int, note: str, end: int) -> "Samples":
    from crimecast.training.samples import Samples

    run = load_run(name)
    own = load_cube(run.grid)
    cube = load_cube(grid)
    at_home = (cube.city, cube.cell, cube.counts.shape[1:]) == (
        own.city,
        own.cell,
        own.counts.shape[1:],
    )
    return Samples(cube, run.design, end, "cpu", json.loads(note)["scaling"], at_home)


def run_rates(
    run: Run, cube: Cube, first: int, last: int, horizon: int | None = None
) -> np.ndarray:
    """Forecast of a run's network for steps [first, last) of its own grid, or of another city's;
    by default at the first of its horizons.

    In another city the network is as it was trained, what it remembers is the city's own past, and
    its inputs of position are left at their average, since a place there means nothing here.
    """
    ahead = run.design.horizons
    if horizon is not None and horizon not in ahead:
        raise UserError(
            f"{run.id} forecasts {words(ahead)} ahead, not {horizon}; `horizon` in its spec says "
            "how far."
        )
    network, note = load_network(run, cube)
    samples = samples_of(run, cube, note, first)
    if first < samples.first:
        raise UserError(
            f"{run.id} looks {samples.first} steps back, so its first forecast is for "
            f"{str(cube.times[samples.first])[:10]}."
        )
    begin = ahead.index(horizon or ahead[0]) * len(cube.times)
    return _rates_of(network, samples, begin + first, begin + last)


def validation_rates(run: Run) -> np.ndarray:
    """(T, C, H, W) float32 forecast of a run's network for its validation period, on the study area of its training,
    with the input maps that were made for that."""
    cube = load_cube(run.grid)
    network, note = load_network(run, cube)
    return _rates_of(
        network, samples_of(run, cube, note), run.settings.train, run.settings.validate
    )


def _rates_of(network: "torch.nn.Module", samples: "Samples", first: int, last: int) -> np.ndarray:
    import torch

    from crimecast.training.samples import log_rate

    with torch.no_grad():
        parts = [
            torch.exp(log_rate(network, samples.batch(chosen))).numpy()
            for chosen in torch.arange(first, last).split(32)
        ]
    return np.concatenate(parts)


def is_stored(name: str, cube: Cube, first: int, last: int) -> bool:
    """Whether a forecast of a run or a baseline was made before."""
    return _path(name, cube, first, last).exists()


def ready_baselines(cube: Cube, first: int, last: int) -> list[str]:
    """The baselines that are quick or made already, weakest kinds first."""
    return [name for name in BASELINES if name in QUICK or is_stored(name, cube, first, last)]


def rivals(run: Run, first: int, last: int, ahead: int | None = None) -> list[str]:
    """The baselines to compare a run with at once: `ahead` steps ahead, else as many as it looks."""
    ahead = ahead or run.design.horizon
    ready = ready_baselines(load_cube(run.grid), first, last)
    return ready if ahead == 1 else [f"{n}@{ahead}" for n in ready if n in AHEAD]


def words(horizons: tuple[int, ...]) -> str:
    """`1 step`, `1, 3 and 7 steps`."""
    *most, last = map(str, horizons)
    return f"{', '.join(most)} and {last} steps" if most else f"{last} step{'s' * (last != '1')}"


def further_ahead(run: Run) -> list[str]:
    """The run at each of its further horizons, and the baselines that can look as far as it does."""
    ahead = run.design.horizons
    own = [f"{run.id}@{h}" for h in ahead[1:]]
    return own + [f"{name}@{h}" for h in ahead if h > 1 for name in AHEAD]


def _path(name: str, cube: Cube, first: int, last: int) -> Path:
    """Where a forecast is kept, by what makes it: a grid is named by its records, a network changes
    when it is trained anew, a baseline with its code. A run's go with the run."""
    base = at_horizon(name)[0]
    if base in BASELINES:
        home, made_by = data_root() / "forecasts" / cube.grid, code_of(*MAKERS).hex()
    else:
        run = load_run(base)
        if not (run.folder / "network.safetensors").exists():
            raise UserError(
                f"{name} is {run.state} and has no network yet; wait for it or resume it."
            )
        home, made_by = run.folder / "forecasts" / cube.grid, str(run.stamp)
    identity = f"{name}-{first}-{last}-{made_by}"
    digest = hashlib.blake2b(identity.encode(), digest_size=6).hexdigest()
    return home / f"{name}.{digest}.npy"


def score_sums(name: str, cube: Cube, first: int, last: int) -> StepSums:
    """The sums behind the scores of one forecast over steps [first, last)."""
    return step_sums(
        cube.counts[first:last],
        rates(name, cube, first, last),
        cube.area(first),
        cube.times[first:last],
    )


def versus(name: str, other: str, grid: str, first: int, last: int) -> dict[str, Any]:
    """What one forecast gains on another over steps [first, last) of a grid, with interval and verdict."""
    cube = load_cube(grid)
    return compare(*(score_sums(one, cube, first, last) for one in (name, other)))


def need_two(names: set[str]) -> None:
    """Raise UserError for fewer than two forecasts, which can't be compared."""
    if len(names) < 2:
        raise UserError("A comparison needs at least two forecasts.")
