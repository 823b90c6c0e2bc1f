"""A trained network as a stream: what it is given for a step is made anew on every path."""

from typing import Any

import numpy as np
import torch

from crimecast.designs.inputs import MapInput, channel_inputs, map_inputs
from crimecast.designs.likelihoods import NegativeBinomial, ZeroInflatedPoisson
from crimecast.designs.spec import Design
from crimecast.forecasting.paths import Level, Paths, Trace
from crimecast.forecasting.streams import Kernel, Levelled, Means, Stream, mixed_memories
from crimecast.grids.covariates import covariate_maps
from crimecast.grids.memories import Memory, evidence
from crimecast.training.maps import FLOOR, age, own_map
from crimecast.training.samples import Batch, dates, log_rate

TOGETHER = 16  # paths in one pass of the network


class NetworkStream(Stream):
    """A network `lead` steps ahead, which is one of its horizons.

    scaling: what was measured where it was trained; at_home: whether that was this city.
    """

    def __init__(
        self, paths: Paths, design: Design, network: torch.nn.Module, scaling: dict[str, Any],
        at_home: bool, lead: int,
    ) -> None:  # fmt: skip
        super().__init__(paths)
        self.design, self.network, self.scaling, self.lead = design, network, scaling, lead
        cube, kinds = paths.cube, paths.kinds
        self.channels, self.at_home = channel_inputs(design, kinds), at_home
        season = scaling.get("season", True)
        self.dates = torch.from_numpy(dates(design, paths.times, cube.step, season))
        self.center, self.spread = (
            torch.tensor(scaling[key], dtype=torch.float32)[:, None] for key in ("center", "spread")
        )
        self.offset = self._offset()
        self.told: list[np.ndarray] = []
        self.level = Level(paths, None, lead) if design.level else None
        self.static = {
            name: covariate_maps(paths.extended(), paths.area, name, lead, paths.come)
            for name in design.static
        }
        self.remembered, self.banked, self.surprised = (
            [one.memory for one in map_inputs(design) if one.kind == kind and one.memory]
            for kind in ("memory", "past", "surprise")
        )
        traced = [*self.remembered, *self.banked, *self.surprised]
        if traced:
            self.counted = self.trace(*traced, lead=lead)
        if self.surprised:
            self.expected = Trace(paths, self.surprised, lead, self._expected)
            self.traces.append(self.expected)
        self.dispersion = _dispersion(network, kinds)
        self.warm = max(self.warm, max(design.lags) + lead)
        self.walk()

    def _offset(self) -> "Kept | Levelled | None":
        """The baseline that it corrects, as fitted where it was trained."""
        paths, offset, fitted = self.paths, self.design.offset, self.scaling
        if offset == "decayed_mean":
            return Kept(Kernel(paths, Memory(fitted["half_life"]), self.lead), self.lead)
        if offset == "mean":
            return Kept(Means(paths, lead=self.lead), self.lead)
        if offset == "memory_mixture":
            mixed = mixed_memories(paths, np.array(fitted["weights"]), self.lead)
            return Levelled(mixed, 1, np.array(fitted["level"]), self.lead, keep=True)
        return None

    def _expected(self, t: int) -> np.ndarray:
        """(P, C, N) what the offset expected of a step."""
        if self.offset is None:
            return np.zeros((self.paths.count, self.paths.kinds, self.paths.cells))
        come = self.paths.come  # the first step to come is told before the paths part
        known = self.offset.history[t] if t < come else self.told[t - come]
        return np.broadcast_to(known, (self.paths.count, self.paths.kinds, self.paths.cells))

    def rates(self, t: int) -> np.ndarray:
        if t >= self.paths.come and self.offset is not None:
            self.told.append(self.offset.rates(t).astype(np.float32))
        expected = self._expected(t)
        base = expected
        if self.offset is None:
            base = np.broadcast_to(np.reshape(self.scaling["base"], (-1, 1)), expected.shape)
        log_base = np.log(np.maximum(base, FLOOR), dtype=np.float32)
        maps = self._maps(t, expected)
        since = [t - (self.lead - self.design.horizon) - lag for lag in self.design.lags]
        made = []
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            # What a user's own module draws is the same for the same step, however it is come to.
            # By the generator itself: torch.manual_seed walks the stack each time for GPUs not begun with.
            torch.default_generator.manual_seed(
                int(self.paths.cube.step.number(self.paths.times[t : t + 1])[0]) % 2**63
            )
            for first in range(0, len(base), TOGETHER):
                some = slice(first, first + TOGETHER)
                history = np.stack([self.paths.frame(s)[some] for s in since], axis=1)
                offset = np.full((*log_base[some].shape[:2], self.paths.area.size), np.log(FLOOR))
                offset[..., self.paths.area.ravel()] = log_base[some]
                static = torch.from_numpy(self.paths.on_map(maps[some]))
                offsets = torch.from_numpy(
                    offset.reshape(*offset.shape[:2], *self.paths.area.shape)
                )
                counts = torch.from_numpy(self.paths.on_map(history))
                calendar = self.dates[t].expand(len(counts), -1)
                batch = Batch(counts, calendar, static, offsets.float(), counts[:, 0])
                rate = torch.exp(log_rate(self.network, batch)).double()
                made.append(rate.numpy()[..., self.paths.area])
        return np.concatenate(made)

    def _maps(self, t: int, expected: np.ndarray) -> np.ndarray:
        """(P, S, N) float32 the input maps of a step, scaled."""
        parted = self.parted
        known: dict[str, list[np.ndarray]] = {"memory": [], "surprise": [], "past": []}
        if self.remembered or self.banked or self.surprised:
            sums, mass = self.counted.at(t)
            cut, end = len(self.remembered), len(self.remembered) + len(self.banked)
            if self.banked:
                steps = np.maximum(mass[cut:end], 1.0).astype(np.float32)
                known["past"] = list(parted(sums[cut:end]) / steps[:, None, None, None])
            if self.remembered:
                pooled, own = _pooled(self.remembered), parted(sums[:cut])
                if self.offset is None:
                    against = own.mean(axis=3, keepdims=True)
                else:
                    against = expected * mass[:cut].astype(np.float32)[:, None, None, None]
                known["memory"] = list(evidence(own * pooled, against * pooled))
            if self.surprised:
                pooled, told = _pooled(self.surprised), parted(self.expected.at(t)[0])
                known["surprise"] = list(evidence(parted(sums[end:]) * pooled, told * pooled))
        level = np.ones((len(expected), self.paths.kinds))
        if self.level is not None:
            level = self.level.factor(t, np.asarray(self.scaling["city"]))
        shape = (len(expected), len(self.channels), self.paths.cells)
        made, place = torch.zeros(shape, dtype=torch.float16), 0
        for one in map_inputs(self.design):
            width = self.paths.kinds if one.by_type else 1
            own = self._map(one, t, known, expected, level)
            if own.dtype != np.float32:  # which torch would round twice
                own = own.astype(np.float16)
            made[:, place : place + width] = torch.from_numpy(own)
            place += width
        # In the precision that it was trained with; torch, since NumPy casts to half precision slowly.
        half = torch.nan_to_num(made.float().sub_(self.center).div_(self.spread).half())
        if not self.at_home:
            half[:, [one.kind in ("row", "column") for one in self.channels]] = 0.0
        return half.float().numpy()

    def _map(
        self, one: MapInput, t: int, known: dict[str, list[np.ndarray]], expected: np.ndarray,
        level: np.ndarray,
    ) -> np.ndarray:  # fmt: skip
        if one.kind in known:
            return known[one.kind].pop(0)
        if one.kind == "age":
            return age(np.array([[[t]]]), self.lead, self.paths.cube.step)
        if one.kind == "static":
            maps = self.static[one.name]
            return maps[t if len(maps) > 1 else 0]
        return own_map(one, self.paths.area, expected, level, self.lead, self.paths.cube.step)

    def fan(self, paths: int) -> None:
        super().fan(paths)
        if self.offset is not None:
            self.offset.fan(paths)


class Kept(Stream):
    """A stream whose rates of all steps that have come are kept: `history` (E, C, N) float32."""

    def __init__(self, of: Stream, lead: int) -> None:
        super().__init__(of.paths)
        self.of = of
        come = self.paths.come
        self.history = np.zeros((come, self.paths.kinds, self.paths.cells), dtype=np.float32)
        for t in range(lead, come):
            self.history[t] = of.rates(t)[0]

    def rates(self, t: int) -> np.ndarray:
        return self.of.rates(t)

    def fan(self, paths: int) -> None:
        self.of.fan(paths)


def _pooled(memories: list[Memory]) -> np.ndarray:
    return np.array([m.pooled for m in memories], dtype=np.float32)[:, None, None, None]


def _dispersion(network: torch.nn.Module, kinds: int) -> np.ndarray:
    """(C,) how much more than λ a count varies, as the network has learnt it, per λ²."""
    likelihood = getattr(network, "likelihood", None)
    if isinstance(likelihood, NegativeBinomial):
        return torch.exp(likelihood.log_dispersion).detach().double().numpy().ravel()
    if isinstance(likelihood, ZeroInflatedPoisson):  # the same mean and variance: π / (1 − π)
        return torch.exp(likelihood.idle).detach().double().numpy().ravel()
    return np.zeros(kinds)
