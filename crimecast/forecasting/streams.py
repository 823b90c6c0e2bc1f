"""Baselines as streams: the rates of one step after another on many paths, each from what came before.

A stream is fitted on all that has come, as the baseline is, and then asked for `rates(t)`, t rising
from the last steps that have come; `past` is what it would have expected of the city in those.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from crimecast.baselines.boosting import corrected, fit_boosting, row_of_step
from crimecast.baselines.fourier_cox import LAGS as SMOOTHED_LAGS
from crimecast.baselines.fourier_cox import fit_fourier_cox, waves
from crimecast.baselines.glm import LAGS, fit_glm
from crimecast.baselines.glm import MEMORIES as REMEMBERED
from crimecast.baselines.hawkes import MEMORIES as TRIGGERS
from crimecast.baselines.hawkes import fit_hawkes, kernels
from crimecast.baselines.kde import tuned
from crimecast.baselines.level import fit_levels, levels, smooth_totals
from crimecast.baselines.means import calendar_factor, tune_half_life, tune_weight
from crimecast.baselines.mixture import fit_mixture, of_memories, remembered
from crimecast.calendar.dates import knows_season
from crimecast.forecasting.paths import Level, Paths, Trace
from crimecast.grids.memories import Memory, shrunk

if TYPE_CHECKING:
    import lightgbm

WARM_DAYS, WARM_STEPS = 120, 240  # the last steps that have come, by which spread is judged


class Stream:
    """`dispersion` (C,): the variance of a cell's count is λ + dispersion · λ²."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.dispersion = np.zeros(paths.kinds)
        self.traces: list[Trace] = []
        self.warm = max(1, paths.come - min(WARM_STEPS, round(WARM_DAYS / paths.cube.step.days)))

    def rates(self, t: int) -> np.ndarray:
        """(P, C, N) float64 of step t."""
        raise NotImplementedError

    def fan(self, paths: int) -> None:
        """Go on from here on so many paths."""
        for trace in self.traces:
            trace.fan(paths)

    def walk(self) -> None:
        """Note what it expected of the last steps that have come: `past` (K, C)."""
        steps = range(self.warm, self.paths.come)
        totals = [self.rates(t).sum(axis=-1)[0] for t in steps]
        self.past = np.array(totals).reshape(-1, self.paths.kinds)

    def trace(self, *memories: Memory, lead: int = 1) -> Trace:
        """Memories of the counts, which fan with the stream."""
        self.traces.append(Trace(self.paths, memories, lead))
        return self.traces[-1]

    def parted(self, values: np.ndarray) -> np.ndarray:
        """(…, P·C, N) → (…, P, C, N)."""
        return values.reshape(*values.shape[:-2], -1, self.paths.kinds, self.paths.cells)


class Means(Stream):
    """The long-run mean, times a factor of the calendar (T, C), mixed with the step before."""

    def __init__(
        self, paths: Paths, weight: float = 0.0, factor: np.ndarray | None = None, lead: int = 1
    ) -> None:
        super().__init__(paths)
        self.weight, self.factor, self.lead = weight, factor, lead
        self.next = 0
        self.total = np.zeros((1, paths.kinds, paths.cells))

    def rates(self, t: int) -> np.ndarray:
        while self.next <= t - self.lead:
            self.total = self.total + self.paths.frame(self.next)
            self.next += 1
        made = self.total / self.next
        if self.factor is not None:
            made = made * self.factor[t][:, None]
        if not self.weight:  # looked further ahead, the step before may not have been drawn
            return np.broadcast_to(made, (self.paths.count, *made.shape[1:]))
        return self.weight * self.paths.frame(t - 1) + (1 - self.weight) * made


class Kernel(Stream):
    """The density of the past by one memory, each cell started from the city's average."""

    def __init__(self, paths: Paths, memory: Memory, lead: int = 1) -> None:
        super().__init__(paths)
        self.memory = self.trace(memory, lead=lead)

    def rates(self, t: int) -> np.ndarray:
        return self.parted(shrunk(*self.memory.at(t))[0]).astype(np.float64)


class Mixed(Stream):
    """Σ_k w_k m_k of what `maps` makes (K, P·C, N) of the memories; weights (K, C)."""

    def __init__(
        self, paths: Paths, memories: tuple[Memory, ...], weights: np.ndarray,
        maps: Callable[[np.ndarray, np.ndarray], np.ndarray], lead: int = 1,
    ) -> None:  # fmt: skip
        super().__init__(paths)
        self.weights, self.maps = weights, maps
        self.memory = self.trace(*memories, lead=lead)

    def rates(self, t: int) -> np.ndarray:
        self.held = self.memory.at(t)
        return np.einsum("kpcn,kc->pcn", self.parted(self.maps(*self.held)), self.weights)


class Levelled(Stream):
    """A map times the city's level, which is judged by what the map expected from `start` on.

    beta: (C, F), by default fitted on all that has come. With `keep`, `history` (E, C, N) float32 is
    what it would have expected of every step, zero before `start`.
    """

    def __init__(
        self, of: Stream, start: int, beta: np.ndarray | None = None, lead: int = 1,
        keep: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(of.paths)
        self.of = of
        cube, area, come = self.paths.cube, self.paths.area, self.paths.come
        shape = come if keep else 0, self.paths.kinds, self.paths.cells
        self.history = np.zeros(shape, dtype=np.float32)
        expected = np.zeros((come, self.paths.kinds))
        expected[:start] = smooth_totals(cube, area, start)
        for t in range(start, come):
            made = of.rates(t)[0]
            expected[t] = made.sum(axis=1)
            if keep:
                self.history[t] = made
        self.beta = fit_levels(cube, area, expected, come) if beta is None else beta
        factor = levels(cube, area, expected, self.beta, start, lead)
        if keep:
            self.history[start:] *= factor[:, :, None]
        self.past = (expected[start:] * factor)[max(0, self.warm - start) :]
        self.level = Level(self.paths, expected, lead)

    def rates(self, t: int) -> np.ndarray:
        made = self.of.rates(t)
        factor = self.level.factor(t, self.beta)
        self.level.tell(made.sum(axis=-1))
        return made * factor[..., None]

    def fan(self, paths: int) -> None:
        self.of.fan(paths)


class Boosted(Stream):
    """The mixture of memories, corrected by trees."""

    def __init__(self, paths: Paths, of: Levelled, mixed: Mixed, model: "lightgbm.Booster") -> None:
        super().__init__(paths)
        self.of, self.mixed, self.model, self.past = of, mixed, model, of.past

    def rates(self, t: int) -> np.ndarray:
        rate = self.of.rates(t).reshape(-1, self.paths.cells)
        x, log = row_of_step(
            self.paths.cube, list(self.mixed.memory.memories), *self.mixed.held, rate,
            self.paths.area, self.paths.times[t],
        )  # fmt: skip
        return self.parted(corrected(self.model, x, log).reshape(rate.shape))

    def fan(self, paths: int) -> None:
        self.of.fan(paths)


class Regression(Stream):
    """What the regressions know of each cell: logarithms of memories, the city's recent level."""

    def __init__(self, paths: Paths, memories: tuple[Memory, ...], begin: int) -> None:
        super().__init__(paths)
        self.memory = self.trace(*memories)
        seasonal = knows_season(paths.come - begin, paths.cube.step)
        self.level = Level(paths, None, seasonal=seasonal)

    def known(self, t: int) -> tuple[np.ndarray, np.ndarray]:
        """(M, P, C, N) logarithms of memories and (P, C, F) the city's features."""
        maps = np.log(np.maximum(shrunk(*self.memory.at(t)), 1e-6))
        return self.parted(maps), self.level.features(t)


class Glm(Regression):
    """The Poisson regression of each type."""

    def __init__(self, paths: Paths) -> None:
        fits = [fit_glm(paths.cube, paths.area, c, paths.come) for c in range(paths.kinds)]
        super().__init__(paths, REMEMBERED, fits[0][0])
        self.betas = [beta for _, beta in fits]
        self.walk()

    def rates(self, t: int) -> np.ndarray:
        maps, city = self.known(t)
        nothing = np.zeros((1, self.paths.kinds, self.paths.cells), dtype=np.float32)
        before = [self.paths.frame(t - lag) if t >= lag else nothing for lag in LAGS]
        lags = np.stack([np.broadcast_to(np.log1p(one), maps.shape[1:]) for one in before])
        made = []
        for c, beta in enumerate(self.betas):
            cells = np.concatenate([maps[:, :, c], lags[:, :, c]])  # (M + L, P, N)
            own = np.einsum("kpn,k->pn", cells, beta[: len(cells)])
            made.append(own + (city[:, c] @ beta[len(cells) :])[:, None])
        return np.exp(np.clip(np.stack(made, axis=1), -20.0, 5.0))


class FourierCox(Regression):
    """The winner of the challenge: waves of place and time, and smoothed lags."""

    def __init__(self, paths: Paths) -> None:
        kinds = range(paths.kinds)
        fits = [fit_fourier_cox(paths.cube, paths.area, c, paths.come) for c in kinds]
        super().__init__(paths, SMOOTHED_LAGS, fits[0][0])
        self.fits = [(scales, beta) for _, scales, beta in fits]
        self.walk()

    def rates(self, t: int) -> np.ndarray:
        maps, city = self.known(t)
        made = []
        for c, (scales, beta) in enumerate(self.fits):
            placed = waves(self.paths.cube, self.paths.area, t, scales)
            of_waves, rest = np.split(beta, [placed.shape[1]])
            own = placed @ of_waves + np.einsum("kpn,k->pn", maps[:, :, c], rest[: len(maps)])
            made.append(own + (city[:, c] @ rest[len(maps) :])[:, None])
        return np.exp(np.clip(np.stack(made, axis=1), -20.0, 5.0))


class Average(Stream):
    """The mean of several forecasts of the same paths."""

    def __init__(self, paths: Paths, of: list[Stream]) -> None:
        super().__init__(paths)
        self.of = of
        common = min(len(one.past) for one in of)
        self.past = np.mean([one.past[len(one.past) - common :] for one in of], axis=0)
        self.dispersion = np.mean([one.dispersion for one in of], axis=0)

    def rates(self, t: int) -> np.ndarray:
        return np.mean([one.rates(t) for one in self.of], axis=0)

    def fan(self, paths: int) -> None:
        for one in self.of:
            one.fan(paths)


def walked(stream: Stream) -> Stream:
    """The stream, having walked the last steps that have come."""
    stream.walk()
    return stream


def mixed_memories(paths: Paths, weights: np.ndarray, lead: int = 1) -> Mixed:
    """The map of the mixture of memories."""
    return Mixed(paths, tuple(remembered(paths.cube)), weights, of_memories, lead)


def baseline_stream(name: str, paths: Paths) -> Stream:
    """A baseline of that name, fitted on all that has come."""
    cube, area, come = paths.cube, paths.area, paths.come
    step = cube.step
    if name == "mean":
        return walked(Means(paths))
    if name == "persistence":
        return walked(Means(paths, tune_weight(cube, come)))
    if name == "seasonal_mean":
        ahead = paths.extended()
        return walked(Means(paths, factor=calendar_factor(ahead, come, len(paths.times), 0)))
    if name == "decayed_mean":
        return walked(Kernel(paths, Memory(tune_half_life(cube, come))))
    if name == "kde":
        return walked(Kernel(paths, tuned(cube, come)))
    if name == "kde_season":
        start = max(1, come - 3 * round(365 / step.days))
        return Levelled(Kernel(paths, tuned(cube, come)), start)
    if name == "hawkes":
        begin, weights = fit_hawkes(cube, area, come)
        return Levelled(Mixed(paths, TRIGGERS, weights, lambda s, m: kernels(s, m, step)), begin)
    if name in ("memory_mixture", "boosting"):
        begin, model = come, None
        if name == "boosting":
            begin, fitted, model = fit_boosting(cube, area, come, 1)
        else:
            fitted = fit_mixture(cube, area, come)
        mixed = mixed_memories(paths, fitted.weights)
        start = max(1, begin - round(120 / step.days))  # as `mixture_rates` has it
        levelled = Levelled(mixed, start, fitted.level)
        return levelled if model is None else Boosted(paths, levelled, mixed, model)
    return Glm(paths) if name == "glm" else FourierCox(paths)
