"""Where runs can train on this machine: one slot for each GPU, and as many for the CPU as are set."""

import os
import shutil
import subprocess
from functools import lru_cache

from crimecast import UserError

# How a process's threads wait for one another: long enough for the next product to come, which
# halves the time of a small network's step; longer would take the processor from whoever shares it
# (two runs with a thread a core each took four times as long). To be set before torch is loaded.
WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "2000"}


def wait_so() -> None:
    """Have the threads of this process wait so, unless its owner says otherwise."""
    for name, value in WAITING.items():
        os.environ.setdefault(name, value)


@lru_cache(maxsize=1)
def gpu_count() -> int:
    """GPUs that this process may use, asked of the driver, so that torch need not be loaded."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([one for one in visible.split(",") if one.strip() not in ("", "-1")])
    if shutil.which("nvidia-smi") is None:
        return 0
    asked = subprocess.run(
        ["nvidia-smi", "-L"], capture_output=True, text=True, check=False, timeout=30
    )
    return sum(line.startswith("GPU ") for line in asked.stdout.splitlines())


def cpu_slots() -> int:
    """How many runs may share the CPU: CRIMECAST_CPU_SLOTS, by default one."""
    text = os.environ.get("CRIMECAST_CPU_SLOTS", "1")
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 5 and int(text)):
        raise UserError(f"CRIMECAST_CPU_SLOTS must be a whole number of at least 1, not '{text}'.")
    return int(text)


def slots() -> list[str]:
    """`cuda:0`, `cuda:1`, …, `cpu:0`, …"""
    return [f"cuda:{i}" for i in range(gpu_count())] + [f"cpu:{i}" for i in range(cpu_slots())]


def fits(slot: str, device: str) -> bool:
    """Whether a run that asks for `auto`, `cpu` or `cuda` may have a slot; `auto` takes a GPU if any."""
    kind = slot.partition(":")[0]
    if device == "auto":
        return kind == ("cuda" if gpu_count() else "cpu")
    return kind == device


def environment(slot: str) -> dict[str, str]:
    """What a worker's environment says of its slot: its GPU, or its share of the cores."""
    kind, _, number = slot.partition(":")
    share = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}  # what deterministic mode asks for on a GPU
    if kind == "cpu":
        share["CUDA_VISIBLE_DEVICES"] = ""
    if kind == "cuda":
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        names = visible.split(",") if visible else [str(i) for i in range(gpu_count())]
        share["CUDA_VISIBLE_DEVICES"] = names[int(number)]
    if "CRIMECAST_THREADS" not in os.environ:
        threads = max(1, (os.cpu_count() or 1) // cpu_slots())
        share["CRIMECAST_THREADS"] = str(threads)
    return share
