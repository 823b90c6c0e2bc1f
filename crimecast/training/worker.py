"""The process of one run: `python -m crimecast.training.worker RUN`. Never Streamlit's own."""

import os
import sys
import time
import traceback
from typing import Any

import psutil

from crimecast.errors import UserError
from crimecast.runs import Run, load_run, update_run, write_progress


def main(name: str) -> int:
    """Train the run; leave its state as done, stopped or failed; start who waits next."""
    process = psutil.Process()
    process.nice(5)  # the app and its user come first
    update_run(
        name, state="running", pid=process.pid, pid_started=process.create_time(), message=""
    )
    run = load_run(name)
    try:
        summary = train_run(run)
        update_run(name, state="done", ended=time.time(), summary=summary, request=None)
        return 0
    except UserError as error:
        update_run(name, state="failed", ended=time.time(), message=str(error), request=None)
    except MemoryError:
        update_run(
            name, state="failed", ended=time.time(), request=None,
            message="There was not enough memory; use larger cells, a shorter period or a smaller batch.",
        )  # fmt: skip
    except Exception as error:  # the log has the traceback, the record a sentence
        traceback.print_exc()
        message = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no details'} (see its log)"
        update_run(name, state="failed", ended=time.time(), message=message, request=None)
    finally:
        from crimecast.training.queue import start_next

        start_next()
    return 1


def train_run(run: Run) -> dict[str, Any]:
    """Train a recorded run in this process; returns its summary. Stops when the record asks for it."""
    import torch

    from crimecast.designs.build import build
    from crimecast.training import checkpoints, loop
    from crimecast.training.samples import Samples
    from crimecast.windows import Split, load_cube

    torch.set_num_threads(int(os.environ.get("CRIMECAST_THREADS", "0")) or os.cpu_count() or 1)
    device = pick_device(run.device)
    cube = load_cube(run.grid)
    design, settings = run.design, run.settings
    split = Split(settings["train"], settings["validate"])
    _, types, height, width = cube.counts.shape
    folder = run.folder

    def stop_asked() -> bool:
        return load_run(run.id).request == "stop"

    def report(values: dict[str, Any]) -> None:
        write_progress(run, {**values, "device": device})

    began = time.time()
    left_out = settings.get("left_out", 0.0)
    samples = Samples(cube, design, split.train, device, left_out=left_out)
    calendar = samples.calendar.shape[1]

    def fresh() -> torch.nn.Module:
        network = build(design, types, height, width, calendar, run.seed)
        if settings.get("start_from"):
            source = load_run(settings["start_from"]).folder / "network.safetensors"
            checkpoints.load_network(network, checkpoints.load(source)[0])
        return network.to(device)

    network = fresh()
    try:
        plan = loop.fit_plan(split, samples, design, settings["epochs"])
        found = loop.train(network, samples, design, plan, run.seed, folder, report, stop_asked)
        kept, scaling, area_end = "fit", samples.scaling, split.train
        if settings.get("refit"):
            samples = Samples(cube, design, split.validate, device, left_out=left_out)
            network = fresh()
            plan = loop.refit_plan(split, samples, found["best_epoch"], settings["epochs"])
            loop.train(network, samples, design, plan, run.seed, folder, report, stop_asked)
            kept, scaling, area_end = "refit", samples.scaling, split.validate
    except loop.Stopped:
        update_run(run.id, state="stopped", ended=time.time(), request=None)
        raise SystemExit(0) from None
    tensors, note = checkpoints.load(folder / "checkpoints" / f"{kept}.best.safetensors")
    checkpoints.save(
        run.folder / "network.safetensors",
        tensors,
        {**note, "scaling": scaling, "area_end": area_end},
    )
    return {
        "best_epoch": found["best_epoch"],
        "validation_loss": found["best_loss"],
        "epochs": found["epoch"],
        "parameters": sum(p.numel() for p in network.parameters()),
        "device": device,
        "seconds": time.time() - began,
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
    raise SystemExit(main(sys.argv[1]))
