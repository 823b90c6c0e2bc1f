"""How much memory and time one run may take on this machine, and holding a process to it."""

import os
import resource
from contextlib import suppress
from pathlib import Path

import psutil

from crimecast import UserError
from crimecast.machine.slots import cpu_slots

SHARE = 0.8  # of the memory that all runs may take together; the rest is for the app and the system
DAYS = 30.0  # that a run may take at the very least that this machine needs for it
# Operations a second of a core, and of a GPU: more than either reaches in training.
CORE, GPU = 1e11, 1e14


def total_memory() -> int:
    """Bytes of memory that this process may hope for: the machine's, or its control group's."""
    total = int(psutil.virtual_memory().total)
    with suppress(OSError, ValueError):  # "max", or no such file
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return total


def run_memory() -> int:
    """Bytes that one run may take: CRIMECAST_RUN_MEMORY gigabytes, or its share of the machine.

    Raises UserError where that setting is no number.
    """
    text = os.environ.get("CRIMECAST_RUN_MEMORY", "")
    if not text:
        return int(SHARE * total_memory() / cpu_slots())
    try:
        limit = float(text)
    except ValueError:
        limit = 0.0
    if not 0.1 <= limit <= 1e6:
        raise UserError(
            f"CRIMECAST_RUN_MEMORY must be a number of gigabytes of at least 0.1, not '{text}'."
        )
    return int(limit * 1e9)


def pace(gpu: bool) -> float:
    """Operations a second that a run can't exceed here."""
    return GPU if gpu else CORE * (os.cpu_count() or 1)


def hold_to(memory: int) -> None:
    """Let this process's own data never grow beyond `memory` bytes: what asks for more fails with a
    MemoryError instead of driving the machine into its swap.

    Files that are mapped to be read don't count, threads' stacks do.
    """
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    limit = memory if most == resource.RLIM_INFINITY else min(memory, most)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, most))
