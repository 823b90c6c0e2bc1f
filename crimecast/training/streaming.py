"""Where a run's arrays lie: on its device if they fit, else in memory or, larger than that, in a
file (`arrays.py`); and batches gathered ahead of the loop, so that the device doesn't wait for them.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

from crimecast.storage.arrays import SHARE

B = TypeVar("B")
AHEAD = 3  # batches gathered before they are asked for


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
