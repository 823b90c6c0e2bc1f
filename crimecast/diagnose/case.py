"""The case that the findings of this folder judge: a trained run with its evidence.

Evidence is computed once, when the first rule asks for it, on the validation period.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import torch

from crimecast.baselines import baseline_rates
from crimecast.designs.build import Network
from crimecast.designs.spec import Design
from crimecast.inspect.activations import capture
from crimecast.inspect.graph import Node, graph
from crimecast.inspect.health import Units, units
from crimecast.inspect.receptive import weights_that_reach
from crimecast.inspect.similarity import Features, features
from crimecast.inspect.subject import Subject, subject
from crimecast.judging.likelihood import floored, log_likelihood
from crimecast.judging.near_repeat import NearRepeat, near_repeat
from crimecast.judging.scoring import StepSums, step_sums
from crimecast.runs.run import Run
from crimecast.training.samples import Batch

LEARNING = ("conv", "separable", "convlstm", "convgru", "conv3d", "lag_attention")
ROUNDS = 25  # of Newton's, at most
JUDGED = 120  # steps of the validation period, at most, that forecasts are judged on


def computes(kind: str) -> bool:
    """Whether a kind of layer, or a module's class, convolves or attends."""
    return kind in LEARNING or kind.startswith("Conv")


class Case:
    """A run under diagnosis."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.subject: Subject = subject(run)

    @property
    def design(self) -> Design:
        """The run's design."""
        return self.run.design

    @property
    def is_spec(self) -> bool:
        """Whether the network was built from a spec, and so can be patched."""
        return isinstance(self.subject.network, Network)

    @cached_property
    def history(self) -> list[dict[str, Any]]:
        """The record of the first phase, one entry an epoch."""
        return [entry for entry in self.run.history() if entry["phase"] == "fit"]

    @property
    def longer(self) -> int:
        """Twice the epochs that the run was allowed, to be put into its spec; never what that says already."""
        said = self.design.training.epochs
        twice = 2 * min(said, self.run.settings.epochs)
        return twice if twice != said else said + 1

    @cached_property
    def units(self) -> dict[str, Units]:
        """Every layer's channels on the probe steps."""
        return units(self.subject)

    @cached_property
    def features(self) -> Features:
        """Every layer's channels at sampled cells and steps."""
        return features(self.subject)

    @cached_property
    def nodes(self) -> list[Node]:
        """The layers that the forward pass uses."""
        return graph(self.subject)

    @cached_property
    def weights_used(self) -> set[str]:
        """The modules of whose own weights something reaches the forecast, also where another module
        reads them and their `forward` isn't called."""
        return weights_that_reach(self.subject.record())

    @cached_property
    def period(self) -> tuple[int, int]:
        """The steps [first, last) that forecasts are judged on: the end of the validation period."""
        first, last = self.subject.held_out()
        return max(first, last - JUDGED), last

    @property
    def end_of_training(self) -> tuple[int, int]:
        """The steps [first, last) before the validation period, as many as are judged in it."""
        last = self.run.settings.train
        return max(self.subject.samples.first, last - JUDGED), last

    @cached_property
    def rates(self) -> np.ndarray:
        """(T, C, H, W) the network's forecast of the period."""
        return self.forecast(*self.period)

    def forecast(self, first: int, last: int) -> np.ndarray:
        """(T, C, H, W) the network's forecast of some steps."""
        return self._of_steps(first, last, lambda b: torch.exp(self.subject.log_rate(b)))

    @cached_property
    def said(self) -> np.ndarray:
        """(T, C, H, W) what the network itself returns for the period, without its offset."""
        network = self.subject.network
        return self._of_steps(
            *self.period, lambda b: network(b.history, b.calendar, b.static).float()
        )

    def forecast_with(self, change: Callable[[Batch], Batch]) -> np.ndarray:
        """(T, C, H, W) the network's forecast of the period when its inputs are changed."""
        return self._of_steps(*self.period, lambda b: torch.exp(self.subject.log_rate(change(b))))

    def _of_steps(self, first: int, last: int, made: Callable[[Batch], torch.Tensor]) -> np.ndarray:
        batches = (
            self.subject.batch(list(range(i, min(i + 16, last)))) for i in range(first, last, 16)
        )
        with torch.no_grad():
            return torch.cat([made(batch) for batch in batches]).numpy()

    def gain(self, first: int, last: int, scaled: bool = False) -> float:
        """Log-likelihood per event of the network's forecast of some steps, above that of one rate for
        all of them and all cells; `scaled`: with the total that was seen."""
        rates = self.rates if (first, last) == self.period else self.forecast(first, last)
        counts, area = self.subject.cube.counts[first:last], self.subject.area
        if scaled:
            rates = rates * (counts[..., area].sum() / max(float(rates[..., area].sum()), 1e-9))
        return _gain(counts, rates, area)

    @cached_property
    def counts(self) -> np.ndarray:
        """(T, C, H, W) what happened in the period."""
        return self.subject.cube.counts[slice(*self.period)]

    @cached_property
    def baseline(self) -> np.ndarray:
        """(T, C, H, W) the simplest strong opponent's forecast of the period: `memory_mixture`."""
        return baseline_rates("memory_mixture", self.subject.cube, *self.period)

    def calibrated(self, rates: np.ndarray) -> np.ndarray:
        """(T, C, H, W) a forecast of the period with the level and the slope of its logarithm that fit what
        happened best, so that two of them differ by where and when alone."""
        log, area = np.log(floored(rates)), self.subject.area
        level, slope = fitted(self.counts[..., area].astype(np.float64), log[..., area])
        made: np.ndarray = np.exp(np.clip(level + slope * log, -15, 15))
        return made

    def sums(self, rates: np.ndarray) -> StepSums:
        """What a forecast of the period adds to the scores."""
        times = self.subject.cube.times[slice(*self.period)]
        return step_sums(self.counts, rates, self.subject.area, times)

    @cached_property
    def totals(self) -> np.ndarray:
        """(T,) the city's events a step, up to the end of the validation period."""
        counts, area = self.subject.cube.counts, self.subject.area
        ends = range(0, self.run.settings.validate, 64)
        parts = [counts[i : min(i + 64, self.run.settings.validate)] * area for i in ends]
        return np.concatenate([part.sum(axis=(1, 2, 3), dtype=np.float64) for part in parts])

    @cached_property
    def of_cells(self) -> np.ndarray:
        """(H, W) the events of each cell of the study area over the training period."""
        counts: np.ndarray = self.subject.cube.counts[: self.run.settings.train].sum(axis=(0, 1))
        return counts * self.subject.area

    @cached_property
    def near_repeat(self) -> NearRepeat:
        """How far crimes excite one another in the training period."""
        counts = self.subject.cube.counts[: self.run.settings.train].sum(axis=1)
        return near_repeat(counts, self.subject.area)

    @cached_property
    def effect(self) -> dict[str, float]:
        """Root mean square change of the log rate when each input is blanked: `history`, `maps`,
        `calendar`, and each lag as `lag N`."""
        steps = self.subject.probes(8)
        batch = self.subject.batch(steps)
        network = self.subject.network
        lags = list(self.design.lags)
        changes: dict[str, tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = {}
        nothing = torch.zeros_like
        changes["history"] = (nothing(batch.history), batch.calendar, batch.static)
        if batch.static.numel():
            changes["maps"] = (batch.history, batch.calendar, nothing(batch.static))
        if batch.calendar.numel():
            changes["calendar"] = (batch.history, nothing(batch.calendar), batch.static)
        for number, lag in enumerate(lags):
            other = batch.history.clone()
            other[:, number] = 0.0
            changes[f"lag {lag}"] = (other, batch.calendar, batch.static)
        with torch.no_grad():
            before = network(batch.history, batch.calendar, batch.static)[..., self.mask]
            return {
                name: float((network(*inputs)[..., self.mask] - before).pow(2).mean().sqrt())
                for name, inputs in changes.items()
            }

    @property
    def gradients(self) -> dict[str, float]:
        """Root mean square gradient of each layer's weights on the probe steps, in order of the layers."""
        return self._gradients[0]

    @property
    def without_gradient(self) -> list[str]:
        """Modules with weights of their own that are to learn, to none of which any gradient comes."""
        return self._gradients[1]

    @cached_property
    def _gradients(self) -> tuple[dict[str, float], list[str]]:
        from crimecast.training.samples import loss_of

        batch = self.subject.batch(self.subject.probes(8))
        network = self.subject.network
        network.zero_grad()
        with torch.enable_grad():
            rate = self.subject.log_rate(batch)
            loss_of(network, rate, batch, self.subject.samples.mask).backward()
        made = {}
        for node in self.nodes:
            # Detached weights get no gradient at all; frozen ones are not meant to have any.
            own = [
                torch.zeros_like(p) if p.grad is None else p.grad
                for p in self.subject.module(node.name).parameters()
                if p.requires_grad and p.dim() > 1
            ]
            if own:
                size = sum(g.numel() for g in own)
                made[node.name] = float((sum(g.pow(2).sum() for g in own) / size) ** 0.5)
        none = [
            name
            for name, module in network.named_modules()
            if (to_learn := [p for p in module.parameters(recurse=False) if p.requires_grad])
            and all(p.grad is None for p in to_learn)
        ]
        network.zero_grad()
        return made, none

    def outputs(self, names: list[str]) -> dict[str, np.ndarray]:
        """(steps, channels, H, W) what layers put out on a few probe steps."""
        caught = self.outputs_of(self.subject.batch(self.subject.probes(4)), names)
        return {name: caught[name].float().numpy() for name in names if name in caught}

    def outputs_of(self, batch: Batch, names: list[str]) -> dict[str, torch.Tensor]:
        """What layers put out for some inputs."""
        with torch.no_grad(), capture(self.subject.network, names) as caught:
            self.subject.network(batch.history, batch.calendar, batch.static)
        return caught

    @property
    def last(self) -> str:
        """The layer that the forecast comes from."""
        return self.nodes[-1].name

    @property
    def learning(self) -> list[str]:
        """The layers that convolve or attend."""
        return [n.name for n in self.nodes if computes(n.kind)]

    @cached_property
    def mask(self) -> torch.Tensor:
        """(H, W) the study area."""
        return torch.from_numpy(self.subject.area)

    @cached_property
    def middle(self) -> tuple[int, int]:
        """The cell (row, column) nearest to the middle of the study area."""
        rows, columns = np.nonzero(self.subject.area)
        centre = np.hypot(rows - rows.mean(), columns - columns.mean()).argmin()
        return int(rows[centre]), int(columns[centre])

    @cached_property
    def curve(self) -> list[list[float]]:
        """Sampled steps of training in order: step, loss, norm of the gradient before clipping."""
        return [point[:3] for entry in self.history for point in entry.get("curve", [])]

    @cached_property
    def reached(self) -> set[str]:
        """The layers from which a path leads to the forecast."""
        return self._before_forecast()

    def _before_forecast(self, without: str | None = None) -> set[str]:
        """What leads to the forecast, inputs included, on paths that don't go through a layer."""
        takes = {n.name: n.takes for n in self.nodes}
        ahead, seen = [self.last], set()
        while ahead:
            at = ahead.pop()
            if at != without and at not in seen:
                seen.add(at)
                ahead += takes.get(at, ())
        return seen

    def above(self, rates: np.ndarray, others: np.ndarray) -> float:
        """Log-likelihood an event that one forecast of the period is above another."""
        made, beside = (_gain(self.counts, one, self.subject.area) for one in (rates, others))
        return made - beside

    def knows(self, rates: np.ndarray) -> float:
        """The share of what the baseline knows that a forecast of the period knows."""
        own, other = (_gain(self.counts, one, self.subject.area) for one in (rates, self.baseline))
        return own / max(other, 1e-9)

    @cached_property
    def skill(self) -> float:
        """The share of what the baseline knows that the network knows: gain in log-likelihood over one
        rate for all cells and steps, beside the baseline's. 1: as much, 0: nothing, below: misled."""
        area = self.subject.area
        return self.gain(*self.period) / max(_gain(self.counts, self.baseline, area), 1e-9)

    def is_free(self, layer: str) -> bool:
        """Whether the layer's channels can be changed alone: no sum needs as many."""
        if not self.is_spec or "channels" not in self.options(layer):
            return False
        followers = [n for n in self.nodes if layer in n.takes]
        return all(n.kind not in ("add", "fuse") for n in followers)

    def is_bypassed(self, layer: str) -> bool:
        """Whether something of the inputs reaches the forecast without passing through a layer."""
        return "inputs" in self._before_forecast(without=layer)

    def options(self, layer: str) -> dict[str, Any]:
        """A spec's layer's options with their defaults; empty for a module's."""
        network = self.subject.network
        if not isinstance(network, Network):
            return {}
        return next((p.options for p in network.laid if p.layer.name == layer), {})

    def kind(self, layer: str) -> str:
        """The kind of a layer, or the class of a module's."""
        return next((n.kind for n in self.nodes if n.name == layer), "")


def fitted(
    counts: np.ndarray, log: np.ndarray, beside: np.ndarray | float = 0.0
) -> tuple[float, float]:
    """Level and slope of the Poisson regression of counts on a log rate, by Newton's steps; `beside` is a part
    of the logarithm that stays as it is."""
    middle = log.mean()
    x = np.stack([np.ones(log.size), log.ravel() - middle])
    n, fixed = counts.ravel(), np.broadcast_to(beside, log.shape).ravel()
    beta = np.array(
        [np.log(max(n.mean(), 1e-9) / max(np.exp(np.clip(fixed, -20, 10)).mean(), 1e-9)), 0.5]
    )
    for _ in range(ROUNDS):
        rate = np.exp(np.clip(beta @ x + fixed, -20, 10))
        step = np.linalg.solve((x * rate) @ x.T + 1e-9 * np.eye(2), x @ (n - rate))
        beta = beta + np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-8:
            break
    return float(beta[0] - beta[1] * middle), float(beta[1])


def _gain(counts: np.ndarray, rates: np.ndarray, area: np.ndarray) -> float:
    n = counts[..., area].astype(np.float64)
    level = np.full_like(n, n.mean())
    gained = log_likelihood(n, rates[..., area]) - log_likelihood(n, level)
    return float(gained.sum() / max(n.sum(), 1.0))
