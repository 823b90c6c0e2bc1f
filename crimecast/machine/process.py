"""Which process it is: by its number, and by when it began, since numbers are used again.

When it began is told by the machine's own count since it was started. The clock won't do: it may be set,
and then every process would seem to be another one.
"""

import hashlib
from functools import lru_cache
from pathlib import Path

import psutil

BOOT = Path("/proc/sys/kernel/random/boot_id")
CLOSE = 2.0  # seconds by which two looks at one process may differ
EACH = 1e9  # seconds set apart for each start of the machine, so that none is taken for another


def born(pid: int) -> float:
    """When a process began, in seconds that no other process of that number has. Raises psutil.Error."""
    began = psutil.Process(pid).create_time()
    start = _start_of_machine()
    return began if start is None else start * EACH + began - psutil.boot_time()


def lives(pid: int, began: float) -> bool:
    """Whether the process of that number that began then is still there and no zombie."""
    try:
        process = psutil.Process(pid)
        # By the clock too, as earlier versions noted it.
        same = abs(born(pid) - began) < CLOSE or abs(process.create_time() - began) < CLOSE
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@lru_cache(maxsize=1)
def _start_of_machine() -> int | None:
    """A number for this start of the machine, from 1 to 65,536; None where it gives none."""
    try:
        digest = hashlib.blake2b(BOOT.read_bytes().strip(), digest_size=2).digest()
    except OSError:
        return None
    return 1 + int.from_bytes(digest, "big")
