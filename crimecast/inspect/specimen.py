"""What every inspection takes: a network, inputs to look at it with, and the cells that count.

`specimen` makes one of any `torch.nn.Module` and any arrays; a run gives one by `subject.subject`.
"""

import inspect
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from crimecast import UserError
from crimecast.inspect.cells import maps_of
from crimecast.networks.looked import Looked
from crimecast.training.samples import Batch, log_rate


class Specimen(Looked, ABC):
    """A network of its own (so that hooks are nobody else's), called with history (B, L, C, H, W),
    calendar (B, F) and static (B, S, H, W), and the steps that there are inputs for."""

    network: nn.Module

    def example(self) -> dict[str, Tensor]:
        """The inputs of one step."""
        batch = self.batch(self.probes(1))
        return {"history": batch.history, "calendar": batch.calendar, "static": batch.static}

    @property
    @abstractmethod
    def area(self) -> np.ndarray:
        """(H, W) the cells that count."""

    @property
    @abstractmethod
    def span(self) -> tuple[int, int]:
        """Steps [first, last) that there are inputs for."""

    @abstractmethod
    def held_out(self) -> tuple[int, int]:
        """Steps [first, last) to look at the network with."""

    @abstractmethod
    def batch(self, steps: list[int]) -> Batch:
        """The inputs for some steps. Raises UserError for a step that there are none for."""

    def log_rate(self, batch: Batch) -> Tensor:
        """(B, C, H, W) the forecast's logarithm."""
        return log_rate(self.network, batch)

    def probes(self, count: int) -> list[int]:
        """Steps spread evenly over those held out, the same for every network with the same ones."""
        first, last = self.held_out()
        return np.unique(
            np.linspace(first, last - 1, min(count, last - first)).astype(int)
        ).tolist()


@dataclass(frozen=True)
class Loose(Specimen):
    """A network with all its inputs at hand; step t is sample t."""

    network: nn.Module
    samples: Batch
    cells: np.ndarray

    @property
    def area(self) -> np.ndarray:
        """(H, W) the cells that count."""
        return self.cells

    @property
    def span(self) -> tuple[int, int]:
        """All samples."""
        return 0, len(self.samples.history)

    def held_out(self) -> tuple[int, int]:
        """All samples."""
        return self.span

    def batch(self, steps: list[int]) -> Batch:
        """The samples of that number. Raises UserError for one that there isn't."""
        own = self.samples
        if wrong := [step for step in steps if not 0 <= step < len(own.history)]:
            raise UserError(f"There is no sample {wrong[0]}: there are {len(own.history)}, from 0.")
        parts = (own.history, own.calendar, own.static, own.offset, own.target)
        return Batch(*(part[torch.tensor(steps)] for part in parts))


class _OfMaps(nn.Module):
    """Calls a module that takes maps alone; its layers are named after `net`."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        return self.net(history.flatten(1, 2))


def specimen(
    network: nn.Module,
    history: np.ndarray,
    target: np.ndarray | None = None,
    calendar: np.ndarray | None = None,
    static: np.ndarray | None = None,
    area: np.ndarray | None = None,
) -> Loose:
    """Any module with any arrays, ready for every inspection that needs no run.

    `history` is (N, L, C, H, W): N samples of L earlier frames with C channels; or (N, C, H, W), maps.
    `calendar` is (N, F), `static` (N, S, H, W). A module whose forward takes one argument is given the
    maps (N, L·C, H, W) alone, and its layers are named `net.…`; another is called as a user's own
    module is (docs/own_module.md). `target`, counts of the shape that the module gives, is what
    ablations lose likelihood by (without it: no events). `area` (H, W) are the cells that count
    (without it: all). The module is put into evaluation mode. Raises ValueError for other shapes, UserError
    where the module returns no maps.

    >>> import numpy as np, torch
    >>> maps = np.random.default_rng(0).poisson(1.0, (6, 3, 8, 9))
    >>> one = specimen(torch.nn.Conv2d(3, 1, 3, padding=1), maps)
    >>> list(one.layers), one.area.shape
    (['net'], (8, 9))
    >>> from crimecast.inspect.receptive import theoretical_field
    >>> theoretical_field(one, (4, 4)).size
    (3, 3)
    """
    frames = history[:, :, None] if history.ndim == 4 else history
    if frames.ndim != 5:
        raise ValueError(f"history is (N, L, C, H, W) or (N, C, H, W), not {history.shape}")
    count, (height, width) = len(frames), frames.shape[-2:]
    if area is not None and area.shape != (height, width):
        raise ValueError(f"area {area.shape} is not of the maps' {height} × {width} cells")
    if len(inspect.signature(network.forward).parameters) == 1:
        network = _OfMaps(network)
    network.eval()
    inputs = (
        _tensor(frames),
        _tensor(np.zeros((count, 0)) if calendar is None else calendar),
        _tensor(np.zeros((count, 0, height, width)) if static is None else static),
    )
    with torch.no_grad():
        made = maps_of(network(*(part[:1] for part in inputs)))
    counts = torch.zeros(count, *made.shape[1:]) if target is None else _tensor(target)
    if counts.shape != (count, *made.shape[1:]):
        raise ValueError(f"target {tuple(counts.shape)}: the module gives {tuple(made.shape[1:])}")
    samples = Batch(*inputs, torch.zeros(count, *made.shape[1:]), counts)
    inside = np.ones((height, width), dtype=bool) if area is None else area.astype(bool)
    return Loose(network, samples, inside)


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
