"""What a GPU gives to real runs: compiling, twelve runs at once, bfloat16, energy.

    CRIMECAST_DATA=FOLDER python bench/gpu.py --grid NAME [--json]

The grid has to be in the data folder; designs train on its steps before `--train-until` and are
judged on those up to `--validate-until`. For each design, `compiled`: milliseconds of a step as
written and compiled, the seconds that compiling takes, and from how many updates on it pays.
`first`: a run that makes its grid's input maps, which later ones share. `alone`: one whole run of
`stack` by itself, its seconds, the device's energy (as its driver counts it) beside what it takes at
rest, its best validation loss; `alone_compiled`: the same compiled, which no run is there until this
loss is that of `alone`, the first time and once the compiler's cache knows it. `at_once`: six seeds of
it in bfloat16 and the same six in float32, each in a process of its own as a queue's would be, all
twelve at once; `at_once_vs_alone` is how many runs a minute that gives over one after another. The paired
differences of their validation losses, in log-likelihood per event, are `bfloat16_costs`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch

from crimecast.designs.build import build
from crimecast.designs.inputs import for_step
from crimecast.designs.spec import load_design
from crimecast.grids.cube import Cube, load_cube, split
from crimecast.training import plans
from crimecast.training.compiling import compiled_loss, plain_loss
from crimecast.training.loop import Trainer
from crimecast.training.samples import WHOLE_PRECISION, Samples

DESIGNS = ("stack", "recurrent", "st_resnet", "stack_plain")
SEEDS = 6
STEPS = 100  # that are timed


def fitted(options: argparse.Namespace, seed: int, half: bool, fast: bool) -> dict[str, Any]:
    """Train the default design as a worker does, once everything is loaded and `--go` is there."""
    cube = load_cube(options.grid)
    design = for_step(load_design("stack"), cube.step)
    parts = split(cube, options.train_until, options.validate_until)
    torch.zeros(1, device="cuda")
    if options.go:
        options.go.with_suffix(f".{seed}.{half}").touch()
        while not options.go.exists():
            time.sleep(0.01)
    began = time.monotonic()
    samples = Samples(cube, design, parts.train, "cuda")
    _, types, height, width = cube.counts.shape
    network = build(design, types, height, width, samples.calendar.shape[1], seed)
    setattr(network, WHOLE_PRECISION, not half)
    plan = plans.fit_plan(parts, samples, design.training.epochs)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "checkpoints").mkdir()
        trainer = Trainer(network.to("cuda"), samples, design, plan, seed, Path(folder))
        if fast:
            trainer.fast = compiled_loss(trainer.network, samples)
        since = time.monotonic()
        result = trainer.run(lambda values: None, lambda: False)
    torch.cuda.synchronize()
    ended = time.monotonic()
    return {
        "seed": seed, "bfloat16": half, "loss": result["best_loss"], "updates": trainer.batches * result["epoch"],
        "seconds": ended - began, "loop_seconds": ended - since,
        "peak_mb": torch.cuda.max_memory_allocated() / 2**20,
    }  # fmt: skip


def begun(
    options: argparse.Namespace, seed: int, half: bool, fast: bool, go: Path
) -> subprocess.Popen[str]:
    """A process of its own that waits with everything loaded until `go` is there."""
    command = [
        sys.executable,
        __file__,
        "--grid",
        options.grid,
        "--part",
        f"{seed},{int(half)},{int(fast)}",
    ]
    command += ["--train-until", options.train_until, "--validate-until", options.validate_until]
    command += ["--go", str(go)]
    threads = {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, **threads}
    )


def together(options: argparse.Namespace, which: list[tuple[int, bool, bool]]) -> dict[str, Any]:
    """These runs at once: each one's figures, the seconds until the last has ended, the joules."""
    with tempfile.TemporaryDirectory() as folder:
        go = Path(folder) / "go"
        processes = [begun(options, *one, go) for one in which]
        while len(list(Path(folder).iterdir())) < len(which):
            if any(process.poll() for process in processes):
                raise SystemExit("A run ended before it began.")
            time.sleep(0.05)
        time.sleep(1.0)
        at_rest, since = joules(), time.monotonic()
        time.sleep(3.0)
        rest = (joules() - at_rest) / (time.monotonic() - since)
        before, began = joules(), time.monotonic()
        go.touch()
        made = [json.loads(process.communicate()[0].splitlines()[-1]) for process in processes]
        seconds = time.monotonic() - began
        return {
            "runs": made,
            "seconds": seconds,
            "joules": joules() - before,
            "watts_at_rest": rest,
        }


def joules() -> float:
    """What the device has used since its driver was loaded; NaN where the driver doesn't tell."""
    try:
        import pynvml  # type: ignore[import-not-found]

        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000
    except Exception:  # the package, the driver's library or the counter may be missing
        return float("nan")


def compiled(name: str, cube: Cube, until: int) -> dict[str, Any]:
    """Milliseconds of a step as written and compiled, and when compiling has paid for itself."""
    design = for_step(load_design(name), cube.step)
    samples = Samples(cube, design, until, "cuda")
    _, types, height, width = cube.counts.shape
    network = build(design, types, height, width, samples.calendar.shape[1], 0)
    network = network.to("cuda").train()
    size = design.training.batch
    batch = next(samples.batches([torch.arange(400, 400 + size, device=samples.home)]))
    figures: dict[str, Any] = {"design": name, "batch": size}
    for label, make in (("plain", plain_loss), ("compiled", compiled_loss)):
        loss = make(network, samples)
        began = time.perf_counter()
        for _ in range(3):
            loss(batch).backward()
            network.zero_grad(set_to_none=True)
        torch.cuda.synchronize()
        figures[f"{label}_first_seconds"] = round(time.perf_counter() - began, 2)
        times = []
        for _ in range(STEPS):
            began = time.perf_counter()
            loss(batch).backward()
            network.zero_grad(set_to_none=True)
            torch.cuda.synchronize()
            times.append(time.perf_counter() - began)
        figures[f"{label}_ms"] = round(1000 * statistics.median(times), 3)
    spared = figures["plain_ms"] - figures["compiled_ms"]
    figures["pays_from_updates"] = (
        round(1000 * figures["compiled_first_seconds"] / spared) if spared > 0 else None
    )
    return figures


def main() -> None:
    """Every part in turn; what is there already is printed to stderr as it comes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grid", required=True)
    parser.add_argument("--train-until", default="2016-01-01")
    parser.add_argument("--validate-until", default="2017-01-01")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--go", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("This bench needs a GPU, and there is none.")
    if options.part:
        seed, half, fast = (int(one) for one in options.part.split(","))
        print(json.dumps(fitted(options, seed, bool(half), bool(fast))))
        return
    cube = load_cube(options.grid)
    parts = split(cube, options.train_until, options.validate_until)
    first, last = parts.train, parts.validate
    document: dict[str, Any] = {
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "grid": options.grid,
    }

    def add(name: str, value: Any) -> None:
        document[name] = value
        print(json.dumps({name: value}), file=sys.stderr, flush=True)

    add("first", together(options, [(SEEDS, True, False)]))  # makes the input maps for all others
    add("alone", together(options, [(0, True, False)]))
    add("alone_compiled_first", together(options, [(0, True, True)]))  # fills the compiler's cache
    add("alone_compiled", together(options, [(0, True, True)]))
    add("compiled", [compiled(name, cube, first) for name in DESIGNS])
    pairs = [(seed, half, False) for seed in range(SEEDS) for half in (True, False)]
    add("at_once", together(options, pairs))
    add(
        "at_once_vs_alone",
        len(pairs) * document["alone"]["seconds"] / document["at_once"]["seconds"],
    )
    # A loss is a mean over cells and steps; scores are per event.
    events = float(np.sum(cube.counts[first:last][:, :, cube.area(first)]))
    cells = (last - first) * len(cube.types) * int(cube.area(first).sum())
    losses = {(r["seed"], r["bfloat16"]): r["loss"] for r in document["at_once"]["runs"]}
    add(
        "bfloat16_costs",
        [(losses[s, True] - losses[s, False]) * cells / events for s in range(SEEDS)],
    )
    if options.json:
        print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
