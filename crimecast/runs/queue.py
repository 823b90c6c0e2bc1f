"""What can be done with the queue: add, stop, resume, try again, put first, wait.

The record in SQLite is all there is to the queue; the supervisor gives waiting runs their slots.
"""

import json
import shutil
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from crimecast.designs.inputs import calendar_numbers, for_step, map_inputs
from crimecast.designs.shapes import place
from crimecast.designs.spec import Design
from crimecast.errors import UserError
from crimecast.grids.covariates import covariate_maps
from crimecast.grids.cube import Cube, left_out_blocks, load_cube, split
from crimecast.machine.cluster import address_asked
from crimecast.machine.slots import gpu_count
from crimecast.runs import supervisor
from crimecast.runs.run import Run, create_run, list_runs, load_run, update_run
from crimecast.storage.access import act


def submit(
    design: Design,
    grid: str,
    train_until: str | None = None,
    validate_until: str | None = None,
    epochs: int | None = None,
    seed: int = 0,
    device: str = "auto",
    parent: str | None = None,
    refit: bool = False,
    start_from: str | None = None,
    left_out: float = 0.0,
    note: dict[str, Any] | None = None,
    cluster: str | None = None,
    workers: int = 1,
) -> Run:
    """Check everything that can be checked, record the run, and start it if the machine is free.

    `start_from` is a run whose weights to go on from (fine-tuning, in its own city or another);
    `left_out` a share of the city, in blocks, that training doesn't see; `note` what else is to be
    remembered with the run's settings. `cluster` is the address of a Ray cluster, "" this machine
    (None: what CRIMECAST_RAY_ADDRESS says), `workers` how many of its processes train the
    run together. Raises UserError, with nothing recorded, for a design that
    doesn't fit the grid, an empty period, or a device that isn't there.
    """
    cube = check(design, grid)
    design = for_step(design, cube.step)
    cuts = split(cube, train_until, validate_until)
    if epochs is not None and epochs < 1:
        raise UserError("--epochs must be at least 1.")
    if device not in ("auto", "cpu", "cuda"):
        raise UserError(f"There is no device '{device}'; use auto, cpu or cuda.")
    if cluster is None:
        cluster = address_asked(None, None)
    if workers < 1:
        raise UserError("--workers must be at least 1.")
    if workers > 1 and not cluster:
        raise UserError("Several workers need a Ray cluster: --executor ray.")
    if device == "cuda" and not cluster and not gpu_count():
        raise UserError("There is no CUDA device here; use --device cpu or auto.")
    settings: dict[str, Any] = {
        "train": cuts.train,
        "validate": cuts.validate,
        "train_until": _date(cube.times, cuts.train),
        "validate_until": _date(cube.times, cuts.validate),
        "epochs": epochs or design.training.epochs,
        "refit": refit,
    }
    if cluster:
        settings |= {"ray": cluster, "workers": workers}
    for name in design.static:
        covariate_maps(cube, cube.area(cuts.train), name, design.horizon)
    if left_out:
        left_out_blocks(cube.area(cuts.train), left_out)
        settings["left_out"] = left_out
    if start_from is not None:
        source = load_run(start_from)
        if not (source.folder / "network.safetensors").exists():
            raise UserError(f"{start_from} is {source.state} and has no network to start from.")
        if source.design.layers != design.layers or map_inputs(source.design) != map_inputs(design):
            raise UserError(f"{start_from} has another design; start from a run of the same one.")
        settings["start_from"] = start_from
    settings |= note or {}
    longest = max(design.lags)
    if longest >= cuts.train:
        raise UserError(
            f"The training period holds {cuts.train} steps, fewer than the longest lag ({longest}) needs."
        )
    act("train", f"{design.name} on {grid}")
    run = create_run(design, grid, seed, device, settings, parent)
    supervisor.ensure()
    return load_run(run.id)


def check(design: Design, grid: str) -> Cube:
    """The grid's cube, if the design can be built for it. Raises UserError that says why not."""
    cube = load_cube(grid)
    _, types, height, width = cube.counts.shape
    if design.module is None:
        numbers = calendar_numbers(design, cube.step)
        place(for_step(design, cube.step), types, height, width, numbers)
    return cube


def _date(times: np.ndarray, index: int) -> str:
    return str(times[index])[:16] if index < len(times) else "the end"


def stop(name: str) -> Run:
    """Ask a running run to stop; what it has learnt is kept. A queued one stops at once."""
    run = load_run(name)
    act("stop", name)
    if run.state == "queued":
        update_run(name, state="stopped", ended=time.time())
    elif run.state in ("running", "interrupted"):
        update_run(name, request="stop")
    else:
        raise UserError(f"{name} is {run.state}, so there is nothing to stop.")
    return load_run(name)


def resume(name: str) -> Run:
    """Queue a stopped, failed or interrupted run again; it goes on from its last checkpoint."""
    run = load_run(name)
    if run.state not in ("stopped", "failed", "interrupted"):
        raise UserError(f"{name} is {run.state}, so there is nothing to resume.")
    act("resume", name)
    return _queue_again(name)


def _queue_again(name: str) -> Run:
    update_run(
        name, state="queued", request=None, message="", ended=None, pid=None, token=None,
        slot=None, attempts=0,
    )  # fmt: skip
    supervisor.ensure()
    return load_run(name)


def prune(name: str) -> Run:
    """Stop a run of a search that does worse than the others, and mark it so."""
    run = load_run(name)
    update_run(name, settings=json.dumps({**run.settings, "pruned": True}))
    return stop(name)


def retry(name: str) -> Run:
    """Queue a run that has ended again, from the beginning; what it had learnt is forgotten."""
    run = load_run(name)
    if run.active:
        raise UserError(f"{name} is {run.state}: stop it before trying it again.")
    act("try again", name)
    for path in (
        "checkpoints",
        "metrics.jsonl",
        "progress.json",
        "compile.json",
        "network.safetensors",
    ):
        target = run.folder / path
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
    if run.state == "done":
        update_run(name, state="stopped", summary={})
    return _queue_again(name)


def put_first(name: str) -> Run:
    """Let a queued run start before all others that wait."""
    run = load_run(name)
    if run.state != "queued":
        raise UserError(f"{name} is {run.state}; only a queued run can be put first.")
    act("put first", name)
    highest = max(other.priority for other in list_runs())
    update_run(name, priority=highest + 1)
    return load_run(name)


def wait(name: str, poll: float = 0.2, show: Callable[[Run], None] | None = None) -> Run:
    """Return when the run has ended; `show` is called with it at every look until then."""
    while (run := load_run(name)).active or run.state == "interrupted":
        supervisor.ensure()
        if show:
            show(run)
        time.sleep(poll)
    return run
