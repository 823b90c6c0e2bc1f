"""Arrays that may be larger than memory: those are mapped from a file, and read as they are used."""

import math
import shutil
import tempfile
from pathlib import Path

import numpy as np
import psutil

from crimecast import UserError
from crimecast.storage.store import folder

SHARE = 0.6  # of the free memory that an array may take; the rest is for what is done with it


def roomy(shape: tuple[int, ...], dtype: type, what: str) -> np.ndarray:
    """Zeros: in memory if they take at most SHARE of what is free, else in an unnamed file of the
    data folder, mapped, which goes with the process.

    Raises UserError, which names `what` they are for, if the disk has no room either.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size <= SHARE * psutil.virtual_memory().available:
        return np.zeros(shape, dtype)
    place = folder("scratch")
    if size > 0.9 * shutil.disk_usage(place).free:  # a mapped file on a full disk kills the process
        raise UserError(
            f"{what} need {size / 1e9:.0f} GB, more than is free in memory or on the disk: "
            "use larger cells, fewer types, a shorter period or fewer memories."
        )
    with tempfile.TemporaryFile(dir=place) as file:
        file.truncate(size)
        return np.memmap(file, dtype, "r+", shape=shape)


def in_memory(path: Path) -> np.ndarray:
    """A stored array: in memory if it takes at most SHARE of what is free, else mapped."""
    large = path.stat().st_size > SHARE * psutil.virtual_memory().available
    return np.load(path, mmap_mode="r" if large else None, allow_pickle=False)
