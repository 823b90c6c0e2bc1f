"""A planted network: what it is made from, what is wrong with it, and how it is trained."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.planting.cities import CUTS

MODULES = Path(__file__).with_name("modules.py")
COMPOSED = Path(__file__).with_name("composed.py")  # random ones


@dataclass(frozen=True)
class Case:
    """A network: its spec (TOML) or the name of its maker in modules.py; the codes of what is planted
    (none: healthy) and the layers at which that may be named; what is done to the network before
    training or after it; its city; fields of its training that differ, and another likelihood."""

    name: str
    spec: str = ""
    codes: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    before: Callable[[Any], None] | None = None
    after: Callable[[Any], None] | None = None
    city: str = "sample"
    module: str = ""
    training: tuple[tuple[str, Any], ...] = ()
    cuts: tuple[str, str] | None = None
    likelihood: str = ""


def design_of(case: Case) -> Any:
    """The design of a case, as the app would have it."""
    from crimecast.designs.spec import load_design, parse_design

    file = COMPOSED if case.module.startswith("random_") else MODULES
    design = load_design(f"{file}:{case.module}") if case.module else parse_design(case.spec)
    likelihood = case.likelihood or design.likelihood
    training = replace(design.training, **dict(case.training))
    return replace(design, training=training, likelihood=likelihood)  # type: ignore[arg-type]


def train(case: Case, grid: str) -> Any:
    """Train a case in this process; returns the run."""
    from crimecast.designs import build as building
    from crimecast.grids.cube import load_cube, split
    from crimecast.runs.run import create_run, load_run, update_run
    from crimecast.runs.settings import Settings
    from crimecast.runs.worker import train_run
    from crimecast.training import checkpoints

    design = design_of(case)
    cube = load_cube(grid)
    until = case.cuts or CUTS[case.city]
    cuts = split(cube, *until)
    settings = Settings(cuts.train, cuts.validate, *until, design.training.epochs)
    run = create_run(design, grid, 0, "cpu", settings, None)
    original = building.build
    if case.before is not None:

        def made(*arguments: Any) -> Any:
            network = original(*arguments)
            case.before(network)  # type: ignore[misc]
            return network

        building.build = made  # type: ignore[assignment]
    try:
        summary = train_run(run, lambda: False)
    finally:
        building.build = original
    update_run(run.id, state="done", summary=summary, ended=time.time())
    if case.after is not None:
        network = original(design, *_shape(cube, design))
        path = run.folder / "network.safetensors"
        tensors, note = checkpoints.load(path)
        checkpoints.load_network(network, tensors)
        case.after(network)
        checkpoints.save(path, checkpoints.network_state(network), note)
    return load_run(run.id)


def _shape(cube: Any, design: Any) -> tuple[int, ...]:
    from crimecast.designs.inputs import calendar_numbers

    numbers = calendar_numbers(design, cube.step)
    return (*cube.counts.shape[1:], numbers)
