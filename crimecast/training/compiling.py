"""Compiling a network's training step with torch.compile, where that pays.

Measured on two cores, the compiled step of stack_plain takes 0.55 to 0.65 of the time of the plain
one, that of a network of two layers nearly all of it, after 20 to 30 s of compiling: so it is done
for runs that would take longer than WORTH. Only on a processor: on an NVIDIA H100 with PyTorch 2.11 a
run of stack whose steps came from the compiler's CUDA graphs ended above the loss of the untrained
network, without a word (bench/results/gpu_h100.json); nobody has proven a compiled run on a GPU yet.
"""

import copy
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from crimecast.designs.build import Network
from crimecast.storage.store import read_json, write_json
from crimecast.training.optimising import mixed_precision
from crimecast.training.samples import Batch, Samples, log_rate, loss_of

WORTH = 180.0  # seconds of plain training below which compiling isn't tried
TIMED = 4  # steps that are timed to tell, the first of which doesn't count

Loss = Callable[[Batch], Tensor]


def plain_loss(network: nn.Module, samples: Samples) -> Loss:
    """The loss of a batch, computed as written."""

    def loss(batch: Batch) -> Tensor:
        with mixed_precision(samples.device, samples.design.training.deterministic):
            rate = log_rate(network, batch)
        return loss_of(network, rate, batch, samples.mask)

    return loss


def compiled_loss(network: nn.Module, samples: Samples) -> Loss:
    """The same, the network compiled at its first call; whatever the compiler can't do, a missing
    C++ compiler included, sends it back to the plain one, with a line in the run's log."""
    fast = torch.compile(_loss, dynamic=False)
    plain, failed = plain_loss(network, samples), False

    def loss(batch: Batch) -> Tensor:
        nonlocal failed
        if failed:
            return plain(batch)
        try:
            with mixed_precision(samples.device, samples.design.training.deterministic):
                return fast(network, batch, samples.mask)
        except Exception as error:  # a compiler fails in many ways, and each means the same here
            failed = True
            print(f"Goes on without compiling: {type(error).__name__}.", file=sys.stderr)
            return plain(batch)

    return loss


def _loss(network: nn.Module, batch: Batch, mask: Tensor) -> Tensor:
    return loss_of(network, log_rate(network, batch), batch, mask)


def pays(network: nn.Module, samples: Samples, steps: int, updates: int, folder: Path) -> bool:
    """Whether to compile a phase that takes `updates` steps of the optimiser.

    Decided once a run and kept in its folder, so that a run that goes on does so in the same
    arithmetic. `steps` is the size of a batch.
    """
    if samples.device.type != "cpu" or samples.design.training.deterministic:
        return False  # whatever an earlier version has decided for a run that goes on
    if not isinstance(network, Network):
        return False
    known = folder / "compile.json"
    if known.exists():
        return bool(read_json(known)["compile"])
    if shutil.which("g++") is None:
        return False
    answer = updates * seconds_a_step(network, samples, steps) > WORTH
    write_json(known, {"compile": answer})
    return answer


def seconds_a_step(network: nn.Module, samples: Samples, steps: int) -> float:
    """Forward and backward on a copy, timed; the network and the random numbers stay as they are."""
    with torch.random.fork_rng(devices=[]):
        loss = plain_loss(copy.deepcopy(network).train(), samples)
        chosen = torch.arange(samples.first, samples.first + steps, device=samples.device)
        batch = samples.batch(chosen.clamp(max=len(samples.counts) - 1))
        times = []
        for _ in range(TIMED):
            began = time.perf_counter()
            loss(batch).backward()
            times.append(time.perf_counter() - began)
    return min(times[1:])
