"""What a network is given for each step, gathered by index from arrays that stay on the device,
or, where it is too small for them, in memory or on disk."""

import math
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from crimecast import UserError
from crimecast.calendar.dates import calendar
from crimecast.calendar.steps import Step
from crimecast.designs.build import Network
from crimecast.designs.likelihoods import Poisson
from crimecast.designs.spec import Design
from crimecast.grids.cube import Cube, left_out_blocks
from crimecast.training.inputs import Study, inputs
from crimecast.training.maps import FLOOR
from crimecast.training.streaming import ahead, fits, sent

# Bytes of batches, and batches, that are gathered at once: within the processor's cache.
TOGETHER, MOST = 2**22, 8
WHOLE_PRECISION = "whole_precision"  # set on a user's network that can't do with half of it


@dataclass(frozen=True)
class Batch:
    """history (B, L, C, H, W), calendar (B, F), static (B, S, H, W), offset and target (B, C, H, W).

    As the loop gathers them, history and target may be bytes and static half precision.
    """

    history: Tensor
    calendar: Tensor
    static: Tensor
    offset: Tensor
    target: Tensor

    def first(self, count: int) -> "Batch":
        """Its first samples."""
        return Batch(*(getattr(self, part.name)[:count] for part in fields(self)))


class Samples:
    """All samples of a cube of T steps for a design.

    A sample is named by the index t of the step it forecasts; at the k-th further horizon of a
    design that has several it is named k·T + t.

    `scaling` holds what was measured on the training period (what the offset was fitted to, mean and
    spread of each input map); it is stored with the run and never measured again. Where a network
    is not `at_home`, in another city than it was trained on, its inputs of position are average.
    `left_out` is the share of the city, in blocks, that the loss is not to see; `mask` (H, W) is
    what it sees.
    """

    def __init__(
        self,
        cube: Cube,
        design: Design,
        train_end: int,
        device: str = "cpu",
        scaling: dict[str, Any] | None = None,
        at_home: bool = True,
        left_out: float = 0.0,
    ) -> None:
        self.cube, self.design = cube, design
        self.device = torch.device(device)
        self.area = cube.area(train_end)
        if not self.area.any():
            raise UserError("The study area is empty: no cell had an event in the training period.")
        self.learnt = self.area
        if left_out:
            self.learnt = self.area & ~left_out_blocks(self.area, left_out)
        self.first = max(design.lags) + design.horizons[-1] - design.horizon
        if self.first >= train_end:
            raise UserError(
                f"The training period of {train_end} steps is shorter than the longest lag ({self.first})."
            )
        study = Study(cube, design, self.area, self.learnt, self.first, train_end)
        maps, offset, self.scaling = inputs(study, scaling, at_home, left_out)
        counts = _small(cube.counts)
        size = maps.nbytes + offset.nbytes + counts.nbytes
        self.home = self.device if fits(size, self.device) else torch.device("cpu")
        # Where batches are worth gathering before they are asked for.
        mapped = any(isinstance(array, np.memmap) for array in (maps, counts))
        self.streamed = mapped or self.home != self.device
        self.lags, self.horizons = (
            torch.tensor(numbers, device=self.home) for numbers in (design.lags, design.horizons)
        )
        self.maps = self._at_home(maps)
        self.offset = self._at_home(offset).expand(len(maps), -1, -1)
        self.constant = design.offset == "none"
        self.counts = self._at_home(counts)
        known = self.scaling.get("season", True)  # runs from before that was looked at have it
        self.calendar = self._at_home(dates(design, cube.times, cube.step, known))
        one = len(self.lags) * self.counts[0].nbytes + self.maps[0].nbytes + self.offset[0].nbytes
        self.at_once = max(1, min(MOST, TOGETHER // max(1, one * design.training.batch)))
        self.mask = torch.from_numpy(self.learnt).to(self.device)
        self.inside = torch.from_numpy(np.flatnonzero(self.area)).to(self.device)

    def at_every_horizon(self, steps: Tensor) -> Tensor:
        """The samples that forecast `steps` (B,) at each of the design's horizons."""
        total = len(self.counts)
        return torch.cat([steps + k * total for k in range(len(self.design.horizons))])

    def _at_home(self, array: np.ndarray) -> Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it is only read, so it may be read-only
            return torch.from_numpy(np.ascontiguousarray(array)).to(self.home)

    def batch(self, steps: Tensor) -> Batch:
        """The samples that forecast `steps` (B,), each at least `self.first`; or samples by name."""
        made = self._gathered(steps)
        wide = {name: getattr(made, name).float() for name in ("history", "static", "target")}
        return replace(made, **wide)

    def _gathered(self, steps: Tensor) -> Batch:
        """The same, as small as it is kept."""
        forecast = known = steps = steps.to(self.home)
        if len(self.design.horizons) > 1:
            total = len(self.counts)
            forecast, horizon = steps % total, self.horizons[steps // total]
            known = forecast - (horizon - self.horizons[0])  # as if the first one were asked for
        # index_select copies whole rows; indexing by a list is up to fifteen times slower.
        seen = (known[:, None] - self.lags).flatten()
        gathered = (
            self.counts.index_select(0, seen),
            self.calendar.index_select(0, forecast),
            self.maps.index_select(0, steps),
            self.offset[: len(steps)] if self.constant else self.offset.index_select(0, steps),
            self.counts.index_select(0, forecast),
        )
        history, dates, maps, offset, target = (sent(one, self.device) for one in gathered)
        return Batch(
            history.view(len(steps), len(self.lags), *history.shape[1:]),
            dates,
            static=self._on_map(maps, 0.0),
            offset=self._on_map(offset, math.log(FLOOR)),
            target=target,
        )

    def batches(self, parts: Iterable[Tensor]) -> Iterator[Batch]:
        """The batch of each part in order, as small as it is kept; gathered ahead where that takes
        its time."""
        return ahead(self._gathered, parts) if self.streamed else self._together(iter(parts))

    def _together(self, parts: Iterator[Tensor]) -> Iterator[Batch]:
        """Small batches are gathered several at once: each costs as much as its number of calls."""
        while several := list(islice(parts, self.at_once)):
            if len(several) == 1:
                yield self._gathered(several[0])
                continue
            made = self._gathered(torch.cat(several))
            sizes = [len(part) for part in several]
            split = [getattr(made, part.name).split(sizes) for part in fields(made)]
            yield from (Batch(*one) for one in zip(*split, strict=True))

    def _on_map(self, values: Tensor, beyond: float) -> Tensor:
        """(B, S, N) → (B, S, H, W); beyond the city there is nothing to remember."""
        shape = (*values.shape[:2], *self.area.shape)
        if values.shape[2] == self.area.size:
            return values.view(shape)
        maps = values.new_full((*values.shape[:2], self.area.size), beyond)
        return maps.index_copy_(2, self.inside, values).view(shape)


def dates(design: Design, times: np.ndarray, step: Step, season: bool) -> np.ndarray:
    """(T, F) the design's calendar; `doy` is zero unless the `season` is known, which takes a year of
    training."""
    parts = [calendar(times, step, ())]
    for name in design.calendar:
        part = calendar(times, step, [name])
        parts.append(part if season or name != "doy" else np.zeros_like(part))
    return np.concatenate(parts, axis=1)


def _small(counts: np.ndarray) -> np.ndarray:
    """Counts in memory as bytes if none is too large: a batch is gathered from a quarter as much."""
    if isinstance(counts, np.memmap) or not counts.size or counts.max() > 255:
        return counts
    small = counts.astype(np.uint8)
    return small if np.array_equal(small, counts) else counts


def log_rate(network: torch.nn.Module, batch: Batch) -> Tensor:
    """(B, C, H, W) log rate: what the network says, on top of the offset; kept within e^±15.

    Raises UserError for a user's module that returns another shape.
    """
    if getattr(network, WHOLE_PRECISION, False):
        with torch.autocast(batch.target.device.type, enabled=False):
            added = network(batch.history.float(), batch.calendar, batch.static.float())
    else:
        added = network(batch.history.float(), batch.calendar, batch.static.float())
    if added.shape != batch.target.shape:
        raise UserError(
            f"The network returned {tuple(added.shape)}, where the log rate {tuple(batch.target.shape)} is asked for."
        )
    return (added.float() + batch.offset).clamp(-15.0, 15.0)


def loss_of(network: torch.nn.Module, rate: Tensor, batch: Batch, mask: Tensor) -> Tensor:
    """Minus the mean log-likelihood under the design's own likelihood; a user's module has Poisson's."""
    likelihood = network.likelihood if isinstance(network, Network) else Poisson(rate.shape[1])
    return likelihood(rate, batch.target.float(), mask)
