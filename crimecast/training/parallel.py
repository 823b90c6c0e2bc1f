"""One run trained by several processes at once, data-parallel: each takes its part of every batch.

PyTorch's DistributedDataParallel averages the gradients (Li et al. 2020, VLDB 13), so every process
takes the same step; the first keeps the record and decides. The weights are those that one process
would have learnt, up to rounding and dropout's own random numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from crimecast.training.compiling import Loss
from crimecast.training.samples import Batch

T = TypeVar("T")
TALK_EVERY = 16  # steps between which the first process can tell the others to stop or to save
PATIENCE = timedelta(minutes=10)  # that a process waits for another


@dataclass(frozen=True)
class Group:
    """The processes that train a run together; of one, everything below does nothing."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process keeps the record."""
        return self.rank == 0

    def part(self, chosen: Tensor) -> Tensor:
        """This process's part of a batch; of one that is smaller than the group, a sample that
        doesn't count."""
        if self.size == 1:
            return chosen
        own = chosen[self.rank :: self.size]
        return own if len(own) else chosen[:1]

    def share(self, loss: Tensor, chosen: Tensor) -> Tensor:
        """This process's mean loss, weighted so that the group's average is the mean over the batch."""
        if self.size == 1:
            return loss
        return loss * (len(chosen[self.rank :: self.size]) * self.size / len(chosen))

    def joined(self, network: nn.Module, loss: Loss) -> Loss:
        """A loss whose gradients are the group's average."""
        if self.size == 1:
            return loss
        wrapped = DistributedDataParallel(_Loss(network, loss), find_unused_parameters=True)
        return lambda batch: wrapped(batch)

    def same(self, answer: Callable[[], T]) -> T:
        """What the first process answers, in every process."""
        if self.size == 1:
            return answer()
        told = [answer() if self.first else None]
        dist.broadcast_object_list(told, src=0)
        return told[0]  # type: ignore[return-value]

    def told(self, number: int, wish: str) -> str:
        """What the first process wishes at batch `number`, in every process; "" between talks."""
        if self.size == 1:
            return wish
        return "" if number % TALK_EVERY else self.same(lambda: wish)

    def gathered(self, value: Tensor) -> Tensor:
        """The group's sum in the first process, zero in the others."""
        if self.size == 1:
            return value
        total = value.clone()
        dist.all_reduce(total)
        return total if self.first else torch.zeros_like(total)


ALONE = Group()


class _Loss(nn.Module):
    """The loss as a module, which is what DistributedDataParallel wraps."""

    def __init__(self, network: nn.Module, loss: Loss) -> None:
        super().__init__()
        self.network, self.loss = network, loss

    def forward(self, batch: Batch) -> Tensor:
        return self.loss(batch)


def join(rank: int, size: int, meeting: Path, device: str) -> Group:
    """Meet the group's other processes through the file `meeting`, on a disk that all of them see."""
    backend = "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"
    dist.init_process_group(
        backend, init_method=f"file://{meeting}", rank=rank, world_size=size, timeout=PATIENCE
    )
    return Group(rank, size)


def leave() -> None:
    """Part from the group."""
    if dist.is_initialized():
        dist.destroy_process_group()
