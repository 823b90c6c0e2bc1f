"""What the loop records of every layer, on a few steps of each epoch, so that it costs next to nothing.

Per layer, averaged over the sampled steps: `gradient`, `weight` and `update`, the norms of its
parameters' gradients, of the parameters, and of the change that one step made; of its output for a
few samples `mean`, `spread`, `zero` (share of exact zeros) and `full` (share of values within 1 % of
±1, where tanh and sigmoid saturate; of channels that vary, none). Outputs are those of a pass of
their own, without dropout and without gradients: the step itself can stay compiled, and a few
samples of many cells tell as much as the whole batch.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from crimecast.designs.build import named_layers
from crimecast.networks.calls import watched
from crimecast.training.optimising import mixed_precision
from crimecast.training.samples import Batch, Samples, log_rate

SAMPLES = 8  # steps an epoch that are looked at, and at most one in SPARSE
SPARSE = 50
FEW = 4  # samples of a batch whose outputs are looked at
LOSSES = 60  # points of the loss curve an epoch, and at most one in ten steps


class Recorder:
    """Looks at a network on sampled steps; `entry` gives an epoch's averages and starts anew."""

    def __init__(self, network: nn.Module, samples: Samples, batches: int) -> None:
        self.network, self.layers = network, named_layers(network)
        self.device, self.deterministic = samples.device, samples.design.training.deterministic
        self.every = max(SPARSE, batches // SAMPLES)
        self.first = min(self.every, batches) // 2
        self.every_loss = max(10, batches // LOSSES)
        self.parameters = {
            name: [p for p in module.parameters() if p.requires_grad]
            for name, module in self.layers.items()
        }
        self.curve: list[list[float]] = []
        self.sums: dict[str, dict[str, float]] = {}
        self.counts: dict[str, dict[str, int]] = {}

    def looks(self, number: int) -> bool:
        """Whether the batch of that number is sampled."""
        return number % self.every == self.first

    @torch.no_grad()
    def look(self, batch: Batch) -> None:
        """On a sampled step: a pass through the network as it will forecast, dropout at rest and no
        statistics moving, and what every layer puts out."""
        self.network.eval()
        try:
            with (
                watched(self.layers, lambda *_: None, self._output),
                mixed_precision(self.device, self.deterministic),
            ):
                log_rate(self.network, batch.first(FEW))
        finally:
            self.network.train()

    def _output(self, name: str, output: object) -> None:
        if isinstance(output, Tensor) and output.is_floating_point():
            value = output.detach().float()
            self._add(name, "mean", value.mean())
            self._add(name, "spread", value.std())
            self._add(name, "zero", 1 - torch.count_nonzero(value) / value.numel())
            full = (value.abs() - 1).abs() < 0.01
            self._add(name, "full", torch.count_nonzero(full) / value.numel())

    def before_step(self, number: int) -> dict[str, list[Tensor]] | None:
        """After the backward pass: gradient and weight norms; copies of the weights to compare with."""
        if not self.looks(number):
            return None
        for name, parameters in self.parameters.items():
            if parameters:
                gradients = [p.grad for p in parameters if p.grad is not None]
                self._add(name, "gradient", _norm(gradients))
                self._add(name, "weight", _norm(parameters))
        return {
            name: [p.detach().clone() for p in ps] for name, ps in self.parameters.items() if ps
        }

    def after_step(self, before: dict[str, list[Tensor]] | None) -> None:
        """After the optimiser's step: how far each layer moved."""
        for name, old in (before or {}).items():
            moved = [p.detach() - q for p, q in zip(self.parameters[name], old, strict=True)]
            self._add(name, "update", _norm(moved))

    def loss(self, number: int, loss: Tensor, gradient: Tensor, speed: float) -> None:
        """A point of the curve within the epoch."""
        if number % self.every_loss == 0:
            value, norm = float(loss.detach()), float(gradient)
            self.curve.append([number, round(value, 6), round(norm, 6), speed])

    def entry(self) -> dict[str, Any]:
        """`layers` (name → numbers) and `curve` ([batch, loss, gradient norm, learning rate])."""
        layers = {
            name: {key: total / self.counts[name][key] for key, total in sums.items()}
            for name, sums in self.sums.items()
        }
        made = {"layers": layers, "curve": self.curve}
        self.sums, self.counts, self.curve = {}, {}, []
        return made

    def _add(self, name: str, key: str, value: Tensor) -> None:
        sums, counts = self.sums.setdefault(name, {}), self.counts.setdefault(name, {})
        sums[key] = sums.get(key, 0.0) + float(value)
        counts[key] = counts.get(key, 0) + 1


def _norm(tensors: Sequence[Tensor]) -> Tensor:
    if not tensors:
        return torch.zeros(())
    return torch.linalg.vector_norm(torch.stack([t.detach().norm() for t in tensors]))
