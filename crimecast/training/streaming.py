"""Where a run's arrays lie: on its device if they fit, else in memory, else in a file; and batches
gathered ahead of the loop, so that the device doesn't wait for them.
"""

import math
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np
import psutil
import torch
from torch import Tensor

from crimecast.errors import UserError
from crimecast.store import folder

B = TypeVar("B")
SHARE = 0.6  # of what is free that a run's arrays may take; the rest is for the network's own
AHEAD = 3  # batches gathered before they are asked for


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
    return np.load(path, mmap_mode="c" if large else None, allow_pickle=False)


def fits(size: int, device: torch.device) -> bool:
    """Whether arrays of `size` bytes may lie on a device; memory's own have been let in before."""
    return device.type != "cuda" or size <= SHARE * torch.cuda.mem_get_info(device)[0]


def sent(value: Tensor, device: torch.device) -> Tensor:
    """A tensor on a device, on its way while the device still works on what came before."""
    if value.device.type == device.type:
        return value
    return value.pin_memory().to(device, non_blocking=True)


def ahead(make: Callable[[Tensor], B], parts: Iterable[Tensor]) -> Iterator[B]:
    """What `make` makes of each part, in order, made by a thread a few parts before it is asked for."""
    with ThreadPoolExecutor(1) as maker:
        made: deque[Future[B]] = deque()
        for part in parts:
            made.append(maker.submit(make, part))
            if len(made) > AHEAD:
                yield made.popleft().result()
        while made:
            yield made.popleft().result()
