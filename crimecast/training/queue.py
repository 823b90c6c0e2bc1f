"""Who trains when: runs wait in the record, one at a time has the machine, each in its own process.

There is no server to lose: whoever adds, resumes or ends a run starts the next one, and the claim
is one transaction in SQLite, so two of them never start the same run.
"""

import os
import subprocess
import sys
import time
from typing import Any

import numpy as np

from crimecast.covariates import covariate_maps
from crimecast.database import connect
from crimecast.dates import calendar
from crimecast.designs.inputs import map_inputs
from crimecast.designs.shapes import place
from crimecast.designs.spec import Design
from crimecast.errors import UserError
from crimecast.runs import Run, create_run, list_runs, load_run, update_run
from crimecast.store import PACKAGE_DATA
from crimecast.windows import left_out_blocks, load_cube, split


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
) -> Run:
    """Check everything that can be checked, record the run, and start it if the machine is free.

    `start_from` is a run whose weights to go on from (fine-tuning, in its own city or another);
    `left_out` a share of the city, in blocks, that training doesn't see. Raises UserError, with nothing recorded, for a design that doesn't fit the grid, an empty
    period, or a device that isn't there.
    """
    cube = load_cube(grid)
    cuts = split(cube, train_until, validate_until)
    _, types, height, width = cube.counts.shape
    if design.module is None:
        place(
            design,
            types,
            height,
            width,
            calendar(cube.times[:1], cube.step, design.calendar).shape[1],
        )
    if epochs is not None and epochs < 1:
        raise UserError("--epochs must be at least 1.")
    if device not in ("auto", "cpu", "cuda"):
        raise UserError(f"There is no device '{device}'; use auto, cpu or cuda.")
    if device == "cuda":
        from crimecast.training.worker import pick_device

        pick_device(device)
    settings: dict[str, Any] = {
        "train": cuts.train,
        "validate": cuts.validate,
        "train_until": _date(cube.times, cuts.train),
        "validate_until": _date(cube.times, cuts.validate),
        "epochs": epochs or design.training.epochs,
        "refit": refit,
    }
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
    longest = max(design.lags)
    if longest >= cuts.train:
        raise UserError(
            f"The training period holds {cuts.train} steps, fewer than the longest lag ({longest}) needs."
        )
    run = create_run(design, grid, seed, device, settings, parent)
    start_next()
    return load_run(run.id)


def _date(times: np.ndarray, index: int) -> str:
    return str(times[index])[:16] if index < len(times) else "the end"


def start_next() -> None:
    """Start the run that has waited longest, unless one is running."""
    with connect() as db:
        rows = db.execute("select id from runs where state = 'running'").fetchall()
    if any(load_run(row["id"]).state == "running" for row in rows):
        return
    with connect() as db:
        row = db.execute(
            "select id from runs where state = 'queued' and not exists ("
            " select 1 from runs where state = 'running' and started > ?) order by number limit 1",
            (time.time() - 5,),
        ).fetchone()
        if row is None:
            return
        db.execute(
            "update runs set state = 'running', started = ?, pid = null where id = ?",
            (time.time(), row["id"]),
        )
    _spawn(load_run(row["id"]))


def _spawn(run: Run) -> None:
    run.folder.mkdir(parents=True, exist_ok=True)
    with (run.folder / "log.txt").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "crimecast.training.worker", run.id],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=PACKAGE_DATA.parent,
            # Threads that wait must not spin: beside a busy app they would slow training tenfold.
            env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ, "PYTHONUNBUFFERED": "1"},
        )


def stop(name: str) -> Run:
    """Ask a running run to stop; what it has learnt is kept. A queued one stops at once."""
    run = load_run(name)
    if run.state == "queued":
        update_run(name, state="stopped")
    elif run.state == "running":
        update_run(name, request="stop")
    else:
        raise UserError(f"{name} is {run.state}, so there is nothing to stop.")
    return load_run(name)


def resume(name: str) -> Run:
    """Queue a stopped, failed or interrupted run again; it goes on from its last checkpoint."""
    run = load_run(name)
    if run.state not in ("stopped", "failed", "interrupted"):
        raise UserError(f"{name} is {run.state}, so there is nothing to resume.")
    update_run(name, state="queued", request=None, message="", ended=None, pid=None)
    start_next()
    return load_run(name)


def wait(name: str, poll: float = 0.3) -> Run:
    """Return when the run has ended."""
    while (run := load_run(name)).active:
        time.sleep(poll)
        if run.state == "queued" and not any(other.state == "running" for other in list_runs()):
            start_next()
    return run
