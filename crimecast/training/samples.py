"""What a network is given for each step, gathered by index from arrays that stay on the device,
or, where it is too small for them, in memory or on disk."""

import math
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from crimecast.arrays import roomy
from crimecast.baselines.level import fit_levels, levels, smooth_totals
from crimecast.baselines.means import mean, tune_half_life
from crimecast.baselines.mixture import Mixture, fit_mixture, mixture_rates
from crimecast.dates import calendar, knows_season
from crimecast.designs.build import Network
from crimecast.designs.inputs import channel_inputs
from crimecast.designs.likelihoods import Poisson
from crimecast.designs.spec import Design
from crimecast.errors import UserError
from crimecast.memories import decayed_means
from crimecast.training import maps_cache
from crimecast.training.maps import FLOOR, input_maps
from crimecast.training.streaming import ahead, fits, sent
from crimecast.windows import Cube, left_out_blocks

TOGETHER, MOST = (
    2**22,
    8,
)  # bytes of batches, and batches, that are gathered at once: within the cache


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
        maps, offset, self.scaling = self._made(train_end, scaling, at_home, left_out)
        counts = _small(cube.counts)
        size = maps.nbytes + offset.nbytes + counts.nbytes
        self.home = self.device if fits(size, self.device) else torch.device("cpu")
        # Where batches are worth gathering before they are asked for.
        mapped = any(isinstance(array, np.memmap) for array in (maps, counts))
        self.streamed = mapped or self.home != self.device
        self.lags, self.horizons = (
            torch.tensor(numbers, device=self.home) for numbers in (design.lags, design.horizons)
        )
        self.maps = torch.from_numpy(maps).to(self.home)
        self.offset = torch.from_numpy(offset).to(self.home).expand(len(maps), -1, -1)
        self.constant = design.offset == "none"
        self.counts = self._at_home(counts)
        self.calendar = self._at_home(self._dates())
        one = len(self.lags) * self.counts[0].nbytes + self.maps[0].nbytes + self.offset[0].nbytes
        self.at_once = max(1, min(MOST, TOGETHER // max(1, one * design.training.batch)))
        self.mask = torch.from_numpy(self.learnt).to(self.device)
        self.inside = torch.from_numpy(np.flatnonzero(self.area)).to(self.device)

    def _made(
        self, train_end: int, scaling: dict[str, Any] | None, at_home: bool, left_out: float
    ) -> maps_cache.Made:
        """The input maps, scaled, and the offset: as they were kept, or made."""
        name = maps_cache.name_of(
            self.cube, self.design, train_end=train_end, at_home=at_home, left_out=left_out
        )
        made = maps_cache.load(name)
        if scaling and (made is None or made.scaling != scaling):  # not those it was trained with
            name = maps_cache.scaled_as(name, scaling)
            made = maps_cache.load(name)
        if made is None:
            began = time.perf_counter()
            made = self._make(train_end, scaling, at_home)
            if time.perf_counter() - began > maps_cache.WORTH:
                maps_cache.keep(name, made)
        return made

    def _make(
        self, train_end: int, scaling: dict[str, Any] | None, at_home: bool
    ) -> maps_cache.Made:
        cube, design = self.cube, self.design
        fitted = scaling or self._fitted(train_end)
        channels, total = channel_inputs(design, cube.counts.shape[1]), len(cube.times)
        shape = (len(design.horizons) * total, len(channels), int(self.area.sum()))
        maps = roomy(shape, np.float16, f"The input maps of {design.name} on this grid")
        rates = [
            self._ahead(lead, fitted, maps[k * total :][:total])
            for k, lead in enumerate(design.horizons)
        ]
        scaling = scaling or {**fitted, **self._measured(maps, train_end)}
        center, spread = (
            np.asarray(scaling[key], dtype=np.float32)[:, None] for key in ("center", "spread")
        )
        for step in range(len(maps)):  # a step at a time: in half precision it would lose digits
            maps[step] = np.nan_to_num((maps[step].astype(np.float32) - center) / spread)
        if not at_home:
            maps[:, [one.kind in ("row", "column") for one in channels]] = 0.0
        inside = rates[0] if len(rates) == 1 else np.concatenate(rates)
        if design.offset == "none":  # one for all steps
            inside = np.broadcast_to(np.reshape(scaling["base"], (1, -1, 1)), inside[:1].shape)
        offset = np.log(np.maximum(inside, FLOOR), dtype=np.float32, order="C")
        return maps_cache.Made(maps, offset, scaling)

    def _dates(self) -> np.ndarray:
        """(T, F) the calendar; its season is zero where training saw less than a year (runs from
        before that was looked at have it)."""
        cube, known = self.cube, self.scaling.get("season", True)
        parts = [calendar(cube.times, cube.step, ())]
        for name in self.design.calendar:
            part = calendar(cube.times, cube.step, [name])
            parts.append(part if known or name != "doy" else np.zeros_like(part))
        return np.concatenate(parts, axis=1)

    def at_every_horizon(self, steps: Tensor) -> Tensor:
        """The samples that forecast `steps` (B,) at each of the design's horizons."""
        total = len(self.counts)
        return torch.cat([steps + k * total for k in range(len(self.design.horizons))])

    def _ahead(self, lead: int, fitted: dict[str, Any], maps: np.ndarray) -> np.ndarray:
        """Fill `maps` (T, S, N), `lead` steps ahead of what is known; returns the offset's rates
        (T, C, N)."""
        cube, design = self.cube, self.design
        rates = self._offset(lead, fitted)
        smoothed = smooth_totals(cube, self.area, len(cube.times))
        level = np.ones_like(smoothed)
        if design.level:
            level = levels(cube, self.area, smoothed, np.asarray(fitted["city"]), 0, lead)
        input_maps(cube, design, self.area, rates, level, lead, maps)
        return rates[..., self.area]

    def _measured(self, maps: np.ndarray, train_end: int) -> dict[str, Any]:
        """Mean and spread of the input maps over the training period and, where there is no
        offset, the constant to start from: the city's mean, or 1 for a user's module, which returns
        the whole log rate itself."""
        steps = len(self.cube.times)
        center, spread = _standard(
            maps[t]
            for k in range(len(self.design.horizons))
            for t in range(k * steps + self.first, k * steps + train_end)
        )
        measured = {"center": center, "spread": spread}
        if self.design.offset == "none":
            known = self.cube.counts[:train_end][..., self.area]
            average = known.mean(axis=(0, 2), dtype=np.float64) + FLOOR
            measured["base"] = (average**0 if self.design.module else average).tolist()
        return measured

    def _at_home(self, array: np.ndarray) -> Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it is only read, so it may be read-only
            return torch.from_numpy(np.ascontiguousarray(array)).to(self.home)

    def _fitted(self, train_end: int) -> dict[str, Any]:
        """What the offset and the city's level are fitted to, on the training period."""
        cube = self.cube
        fitted: dict[str, Any] = {"season": knows_season(train_end, cube.step)}
        if self.design.offset == "decayed_mean":
            fitted["half_life"] = tune_half_life(cube, train_end)
        if self.design.offset == "memory_mixture":
            mixture = fit_mixture(cube, self.learnt, train_end)
            fitted |= {"weights": mixture.weights.tolist(), "level": mixture.level.tolist()}
        if self.design.level:
            smoothed = smooth_totals(cube, self.area, len(cube.times))
            fitted["city"] = fit_levels(cube, self.area, smoothed, train_end).tolist()
        return fitted

    def _offset(self, lead: int, fitted: dict[str, Any]) -> np.ndarray:
        """(T, C, H, W) the rate that the network corrects; zero for offset "none"."""
        cube, steps, offset = self.cube, len(self.cube.times), self.design.offset
        rates = np.zeros_like(cube.counts)
        if offset == "decayed_mean":
            half_life = fitted["half_life"] / cube.step.days
            rates[:] = decayed_means(cube.counts, [half_life], self.area, lead)[:, 0]
        elif offset == "memory_mixture":
            mixture = Mixture(np.array(fitted["weights"]), np.array(fitted["level"]))
            rates[1:] = mixture_rates(cube, self.area, mixture, 1, steps, lead)
        elif offset == "mean":
            rates[lead:] = mean(cube, lead, steps, lead)
        return rates

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


def _small(counts: np.ndarray) -> np.ndarray:
    """Counts in memory as bytes if none is too large: a batch is gathered from a quarter as much."""
    if isinstance(counts, np.memmap) or not counts.size or counts.max() > 255:
        return counts
    small = counts.astype(np.uint8)
    return small if np.array_equal(small, counts) else counts


def _standard(maps: Iterable[np.ndarray]) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each map (S, N) over steps and cells with a value."""
    count = total = square = np.zeros(1)
    for step in maps:
        exact = step.astype(np.float64)
        known = ~np.isnan(exact)
        exact = np.where(known, exact, 0.0)
        count = count + known.sum(axis=1)
        total = total + exact.sum(axis=1)
        square = square + (exact**2).sum(axis=1)
    center = total / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(square / np.maximum(count, 1) - center**2, 0.0))
    return center.tolist(), np.maximum(spread, 1e-3).tolist()


def log_rate(network: torch.nn.Module, batch: Batch) -> Tensor:
    """(B, C, H, W) log rate: what the network says, on top of the offset; kept within e^±15."""
    inputs = (batch.history.float(), batch.calendar, batch.static.float())
    added = network(*inputs).float()
    return (added + batch.offset).clamp(-15.0, 15.0)


def loss_of(network: torch.nn.Module, rate: Tensor, batch: Batch, mask: Tensor) -> Tensor:
    """Minus the mean log-likelihood under the design's own likelihood; a user's module has Poisson's."""
    likelihood = network.likelihood if isinstance(network, Network) else Poisson(rate.shape[1])
    return likelihood(rate, batch.target.float(), mask)
