"""Activations for the pages: made once for a step, several at a time where that is quick, and kept
up to a number of bytes."""

import threading
import time
from collections import OrderedDict
from functools import lru_cache

import numpy as np

from crimecast.inspect.activations import activations_of
from crimecast.inspect.subject import Subject, subject
from crimecast.runs.run import Run, load_run

KEPT = 200e6  # bytes of activations that are kept
PATIENCE = 0.3  # seconds that making the steps beside the one asked for may take
Key = tuple[str, int, str, int | None]

_kept: OrderedDict[tuple[Key, int], np.ndarray] = OrderedDict()
_seconds: dict[Key, float] = {}  # that a step took, last
_lock = threading.Lock()  # sessions share the networks, whose hooks would see each other's passes


@lru_cache(maxsize=2)
def _subject(name: str, _stamp: int, epoch: int | None) -> Subject:
    return subject(load_run(name), epoch)


def layer_maps(run: Run, layer: str, step: int, epoch: int | None = None) -> np.ndarray:
    """(channels, height, width) of a layer for one step, of the network as it was after `epoch`."""
    return maps_of_steps(run, layer, [step], epoch)[step]


def maps_of_steps(
    run: Run, layer: str, steps: list[int], epoch: int | None = None
) -> dict[int, np.ndarray]:
    """The same for several steps, those not kept in one forward pass."""
    key = (run.id, run.stamp, layer, epoch)
    with _lock:
        new = [step for step in steps if (key, step) not in _kept]
        made = {step: _kept[key, step] for step in steps if (key, step) in _kept}
        if new:
            began = time.perf_counter()
            values = activations_of(_subject(run.id, run.stamp, epoch), new, [layer])[layer]
            _seconds[key] = (time.perf_counter() - began) / len(new)
            made |= dict(zip(new, values, strict=True))
        for step in steps:
            _kept[key, step] = made[step]
            _kept.move_to_end((key, step))
        size = sum(value.nbytes for value in _kept.values())
        while size > KEPT and len(_kept) > len(steps):
            size -= _kept.popitem(last=False)[1].nbytes
    return made


def affordable(run: Run, layer: str, epoch: int | None = None) -> int:
    """How many further steps can be made without keeping anybody waiting; none before one was."""
    seconds = _seconds.get((run.id, run.stamp, layer, epoch))
    return int(PATIENCE / seconds) if seconds else 0
