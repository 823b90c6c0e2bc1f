"""What can be done with the queue: add, stop, resume, try again, put first, wait.

The record in SQLite is all there is to the queue; the supervisor gives waiting runs their slots.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from crimecast import UserError
from crimecast.designs.cost import Cost, fitted
from crimecast.designs.inputs import map_inputs
from crimecast.designs.spec import Design
from crimecast.grids.covariates import covariate_maps
from crimecast.grids.cube import Cube, left_out_blocks, load_cube, split
from crimecast.machine.cluster import address_asked
from crimecast.machine.limits import DAYS, pace, run_memory
from crimecast.machine.slots import gpu_count
from crimecast.runs import supervisor
from crimecast.runs.run import Run, create_run, list_runs, load_run, update_run
from crimecast.runs.settings import Settings, Trial
from crimecast.storage.access import accounted, act, permit

SEEDS = 2**32 - 10_000  # a search counts on from its own


@dataclass(frozen=True)
class Request:
    """What is asked of the queue: to train `design` on `grid`.

    `parent` is the run it was forked from; `start_from` a run whose weights to go on from
    (fine-tuning, in its own city or another); `left_out` a share of the city, in blocks, that
    training doesn't see; `trial` its place in a search. `cluster` is the address of a Ray cluster,
    "" this machine (None: what CRIMECAST_RAY_ADDRESS says), `workers` how many of its processes
    train the run together.
    """

    design: Design
    grid: str
    train_until: str | None = None
    validate_until: str | None = None
    epochs: int | None = None
    seed: int = 0
    device: str = "auto"
    parent: str | None = None
    refit: bool = False
    start_from: str | None = None
    left_out: float = 0.0
    trial: Trial | None = None
    cluster: str | None = None
    workers: int = 1


@accounted
def submit(request: Request) -> Run:
    """Check everything that can be checked, record the run, and start it if the machine is free.

    Raises UserError, with nothing recorded, for a design that doesn't fit the grid, an empty period,
    or a device that isn't there.
    """
    permit("train", f"{request.design.name} on {request.grid}")
    check_seed(request.seed)
    if request.cluster is None:
        request = replace(request, cluster=address_asked(None, None))
    _check_place(request)
    cube = load_cube(request.grid)
    design, needs = fitted(request.design, cube)
    request = replace(request, design=design)
    settings = _settings(request, cube)
    _check_cost(request, needs, settings)
    act("train", f"{request.design.name} on {request.grid}")
    run = create_run(
        request.design, request.grid, request.seed, request.device, settings, request.parent
    )
    supervisor.ensure()
    return load_run(run.id)


def check_seed(seed: int) -> None:
    """Raise UserError unless every library takes it for a seed."""
    if not 0 <= seed < SEEDS:
        raise UserError(f"A seed is a whole number from 0 to {SEEDS - 1:,}.")


def _check_place(request: Request) -> None:
    """Raise UserError unless the device and the workers asked for can be had."""
    if request.device not in ("auto", "cpu", "cuda"):
        raise UserError(f"There is no device '{request.device}'; use auto, cpu or cuda.")
    if request.workers < 1:
        raise UserError("--workers must be at least 1.")
    if request.workers > 1 and not request.cluster:
        raise UserError("Several workers need a Ray cluster: --executor ray.")
    if request.device == "cuda" and not request.cluster and not gpu_count():
        raise UserError("There is no CUDA device here; use --device cpu or auto.")


def _settings(request: Request, cube: Cube) -> Settings:
    """What the run will be trained by. Raises UserError where that can't be done on the grid."""
    design = request.design
    cuts = split(cube, request.train_until, request.validate_until)
    if request.epochs is not None and request.epochs < 1:
        raise UserError("--epochs must be at least 1.")
    area = cube.area(cuts.train)
    for name in design.static:
        covariate_maps(cube, area, name, design.horizon)
    if request.left_out:
        left_out_blocks(area, request.left_out)
    if request.start_from is not None:
        source = load_run(request.start_from)
        if not (source.folder / "network.safetensors").exists():
            raise UserError(f"{source.id} is {source.state} and has no network to start from.")
        if source.design.layers != design.layers or map_inputs(source.design) != map_inputs(design):
            raise UserError(f"{source.id} has another design; start from a run of the same one.")
    longest = max(design.lags)
    if longest >= cuts.train:
        raise UserError(
            f"The training period holds {cuts.train} steps, fewer than the longest lag ({longest}) needs."
        )
    return Settings(
        cuts.train,
        cuts.validate,
        _date(cube.times, cuts.train),
        _date(cube.times, cuts.validate),
        request.epochs or design.training.epochs,
        request.refit,
        request.left_out,
        request.start_from,
        cluster=request.cluster or "",
        workers=request.workers,
        trial=request.trial,
    )


def check(design: Design, grid: str) -> Cube:
    """The grid's cube, if the design can be built for it. Raises UserError that says why not."""
    cube = load_cube(grid)
    fitted(design, cube)
    return cube


def _check_cost(request: Request, needs: Cost | None, settings: Settings) -> None:
    """Raise UserError for a design that no run on this machine could train: too large for its memory,
    or months away. A cluster's machines are not known here, a user's module not before it runs."""
    if needs is None or request.cluster:
        return
    gpu = request.device == "cuda" or (request.device == "auto" and gpu_count() > 0)
    if not gpu and needs.memory > run_memory():
        raise UserError(
            f"Training it needs about {needs.memory / 1e9:,.0f} GB of memory, and a run may take "
            f"{run_memory() / 1e9:,.0f} GB here: use a smaller batch, fewer channels or larger cells."
        )
    samples = settings.learnt_until * len(request.design.horizons) * settings.epochs
    days = samples * needs.operations / pace(gpu) / 86_400
    if days > DAYS:
        raise UserError(
            f"Training it would take at least {days:,.0f} days here: use fewer epochs, channels or "
            "layers, or larger cells."
        )


def _date(times: np.ndarray, index: int) -> str:
    return str(times[index])[:16] if index < len(times) else "the end"


@accounted
def stop(name: str) -> Run:
    """Ask a running run to stop; what it has learnt is kept. A queued one stops at once."""
    run = load_run(name)
    act("stop", name)
    if run.state == "queued":
        update_run(name, state="stopped", ended=time.time())
    elif run.state in ("running", "interrupted"):
        update_run(name, request="stop", requested=time.time())
    else:
        raise UserError(f"{name} is {run.state}, so there is nothing to stop.")
    return load_run(name)


@accounted
def resume(name: str) -> Run:
    """Queue a stopped, failed or interrupted run again; it goes on from its last checkpoint."""
    run = load_run(name)
    act("resume", name)
    if run.state not in ("stopped", "failed", "interrupted"):
        raise UserError(f"{name} is {run.state}, so there is nothing to resume.")
    return _queue_again(name)


def _queue_again(name: str) -> Run:
    update_run(
        name, state="queued", request=None, message="", ended=None, pid=None, token=None,
        slot=None, deaths=0, epochs_at_death=0,
    )  # fmt: skip
    supervisor.ensure()
    return load_run(name)


def prune(name: str) -> Run:
    """Stop a run of a search that does worse than the others, and mark it so."""
    update_run(name, pruned=True)
    return stop(name)


@accounted
def retry(name: str) -> Run:
    """Queue a run that has ended again, from the beginning; what it had learnt is forgotten."""
    run = load_run(name)
    act("try again", name)
    if run.active:
        raise UserError(f"{name} is {run.state}: stop it before trying it again.")
    for path in (
        "checkpoints",
        "metrics.jsonl",
        "progress.json",
        "compile.json",
        "network.safetensors",
        "forecasts",
    ):
        target = run.folder / path
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
    if run.state == "done":
        update_run(name, state="stopped", summary={})
    return _queue_again(name)


@accounted
def put_first(name: str) -> Run:
    """Let a queued run start before all others that wait."""
    run = load_run(name)
    act("put first", name)
    if run.state != "queued":
        raise UserError(f"{name} is {run.state}; only a queued run can be put first.")
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
