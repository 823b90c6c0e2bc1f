"""The process of one run: `python -m crimecast.runs.worker RUN TOKEN`. Never Streamlit's own."""

import errno
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import psutil
from filelock import FileLock, Timeout

from crimecast import UserError
from crimecast.machine.limits import hold_to, run_memory
from crimecast.runs.run import Run, load_run, take_up, update_run, write_progress
from crimecast.storage.faults import SAID, sentence

if TYPE_CHECKING:
    from crimecast.training.parallel import Group


def main(name: str, token: str) -> int:
    """Train the run that was claimed under `token`; leave its state as done, stopped or failed.

    Where not even that can be written, the log has a sentence, and the run counts as interrupted: it is
    queued again and goes on from its last checkpoint.
    """
    try:
        return _main(name, token)
    except OSError as error:
        print(sentence(error), file=sys.stderr)
        return 1


def _main(name: str, token: str) -> int:
    process = psutil.Process()
    process.nice(19)  # the app and its user come first,
    if hasattr(os, "SCHED_IDLE"):  # and where they can, without waiting for a slice to end
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    run = load_run(name)
    if (run.slot or "").startswith("cpu"):  # a GPU's driver reserves more than it ever uses
        hold_to(run_memory())
    lock = FileLock(run.folder / "worker.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return 0  # another process trains it
    if not take_up(name, token, process.pid):
        return 0
    run = load_run(name)
    ended = outcome(run, lambda: load_run(name).request == "stop")
    end(name, token, **ended)
    return 0 if ended["state"] in ("done", "stopped") else 1


def outcome(
    run: Run, stop_asked: Callable[[], bool], group: "Group | None" = None
) -> dict[str, Any]:
    """Train a run here and say how it ended: its state, a message and, if it is done, its summary.

    Reads no record and writes none: only the run's folder and its grid have to be within reach.
    """
    from crimecast.training.loop import RunStopped

    try:
        return {"state": "done", "summary": train_run(run, stop_asked, group), "message": ""}
    except RunStopped:
        return {"state": "stopped", "message": ""}
    except UserError as error:
        return {"state": "failed", "message": str(error)}
    except MemoryError:
        return {"state": "failed", "message": _too_large()}
    except Exception as error:  # the log has the traceback, the record a sentence
        traceback.print_exc()
        number = getattr(error, "errno", None)
        if number == errno.ENOSPC:
            message = "The disk is full: make room, then resume it; what it had learnt is kept."
            return {"state": "stopped", "message": message}
        if number in SAID:
            return {"state": "failed", "message": SAID[number]}
        if "DefaultCPUAllocator" in str(error) or "CUDA out of memory" in str(error):
            return {"state": "failed", "message": _too_large()}
        first = str(error).splitlines()[0] if str(error) else "no details"
        message = f"{type(error).__name__}: {first} (see its log)"
        return {"state": "failed", "message": message}


def _too_large() -> str:
    return (
        f"It needs more than the {run_memory() / 1e9:.0f} GB of memory that a run may take here: use "
        "larger cells, a shorter period, a smaller batch or fewer channels."
    )


def end(name: str, token: str, **values: Any) -> None:
    """Record how the run ended, unless it was given to another process meanwhile."""
    if load_run(name).token == token:
        update_run(name, ended=time.time(), request=None, slot=None, **values)


def train_run(
    run: Run, stop_asked: Callable[[], bool], group: "Group | None" = None
) -> dict[str, Any]:
    """Train a run in this process, with a group's others if there is one; returns its summary."""
    import torch

    from crimecast.designs.build import build
    from crimecast.grids.cube import Split, load_cube
    from crimecast.training import checkpoints, contract, loop, plans
    from crimecast.training.parallel import ALONE
    from crimecast.training.promises import Kept
    from crimecast.training.samples import WHOLE_PRECISION, Samples

    torch.set_num_threads(int(os.environ.get("CRIMECAST_THREADS", "0")) or os.cpu_count() or 1)
    device = pick_device(run.device)
    cube = load_cube(run.grid)
    design, settings = run.design, run.settings
    if torch.are_deterministic_algorithms_enabled() != design.training.deterministic:
        torch.use_deterministic_algorithms(design.training.deterministic)  # loads torch's compiler
    split = Split(settings.train, settings.validate)
    _, types, height, width = cube.counts.shape
    folder = run.folder

    group = group or ALONE

    def report(values: dict[str, Any]) -> None:
        if group.first:
            write_progress(run, {**values, "device": device, "workers": group.size})

    began, in_loop = time.monotonic(), 0.0
    samples = Samples(cube, design, split.train, device, left_out=settings.left_out)
    calendar = samples.calendar.shape[1]

    def fresh() -> torch.nn.Module:
        network = build(design, types, height, width, calendar, run.seed)
        if settings.start_from:
            source = run.folder.parent / settings.start_from / "network.safetensors"
            checkpoints.load_network(network, checkpoints.load(source)[0])
        setattr(network, WHOLE_PRECISION, not kept_to.half)
        return network.to(device)

    def trained(trainer: loop.Trainer) -> dict[str, Any]:
        nonlocal in_loop
        since = time.monotonic()
        result = trainer.run(report, stop_asked)
        in_loop += time.monotonic() - since
        return result

    kept_to = Kept()
    if design.module is not None:
        few = torch.arange(samples.first, min(samples.first + contract.FEW, len(cube.counts)))
        kept_to = contract.tried(
            design, samples.batch(few.to(samples.home)), samples.mask, run.seed, device, folder
        )
    network = fresh()
    plan = plans.fit_plan(split, samples, settings.epochs)
    trainer = loop.Trainer(network, samples, design, plan, run.seed, folder, group)
    found = trained(trainer)
    kept, scaling = "fit", samples.scaling
    if settings.refit:
        samples = Samples(cube, design, split.validate, device, left_out=settings.left_out)
        network = fresh()
        plan = plans.refit_plan(split, samples, found["best_epoch"], settings.epochs)
        trainer = loop.Trainer(network, samples, design, plan, run.seed, folder, group)
        trained(trainer)
        kept, scaling = "refit", samples.scaling
    if not group.first:
        return {}
    tensors, note = checkpoints.load(folder / "checkpoints" / f"{kept}.best.safetensors")
    checkpoints.save(
        run.folder / "network.safetensors",
        tensors,
        {**note, "scaling": scaling, "area_end": settings.learnt_until},
    )
    return {
        "best_epoch": found["best_epoch"],
        "validation_loss": found["best_loss"],
        "epochs": found["epoch"],
        "parameters": sum(p.numel() for p in network.parameters()),
        "device": device,
        "device_name": torch.cuda.get_device_name() if device == "cuda" else "",
        **({"warnings": list(kept_to.warnings)} if kept_to.warnings else {}),
        # Of all its epochs, those before a restart too, and of making its inputs this time.
        "seconds": time.monotonic() - began - in_loop + sum(e["seconds"] for e in run.history()),
    }


def pick_device(wanted: str) -> str:
    """`auto`, `cpu` or `cuda` → the device to use. Raises UserError if there is no such device."""
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise UserError("There is no CUDA device here; use --device cpu or auto.")
    return wanted


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2]))
