"""What a layer has learnt: its kernels as pictures, their norms and spectra, and how far they moved."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from crimecast.designs.build import build, named_layers
from crimecast.designs.inputs import calendar_numbers
from crimecast.inspect.subject import Subject
from crimecast.networks.calls import split
from crimecast.networks.looked import Looked


@dataclass(frozen=True)
class Weights:
    """One weight of a layer. `norms` (out,) of each output channel's kernel, `spectrum` the singular
    values of the weight as a matrix, `change` ‖w − w₀‖ / ‖w₀‖ since the start."""

    name: str
    values: np.ndarray
    norms: np.ndarray
    spectrum: np.ndarray
    change: float

    def kernel(self, channel: int) -> np.ndarray | None:
        """(in, height·width) sizes of the weights from each channel to the given one, or to the last
        there is; over time the mean. None where the weight isn't a convolution's."""
        if self.values.ndim not in (4, 5):
            return None
        own = self.values[min(channel, len(self.values) - 1)]
        own = own.mean(axis=1) if self.values.ndim == 5 else own
        return np.abs(own.reshape(len(own), -1))


def weights(one: Looked, layer: str) -> list[Weights]:
    """The weights of a layer, biases left out; how far they moved is known of a run's alone."""
    name = layer if layer in one.layers else split(layer)[0]
    first = named_layers(_at_start(one)) if isinstance(one, Subject) else {}
    start = dict(first.get(name, nn.Module()).named_parameters())
    made = []
    for name, parameter in one.module(layer).named_parameters():
        if parameter.dim() < 2:
            continue
        now = parameter.detach()
        now = (now.abs() if now.is_complex() else now).float()
        flat = now.flatten(1)
        before = start.get(name)
        made.append(
            Weights(
                name, now.numpy(), flat.norm(dim=1).numpy(),
                torch.linalg.svdvals(flat.flatten(1)).numpy(), _change(now, before),
            )
        )  # fmt: skip
    return made


def _at_start(subject: Subject) -> nn.Module:
    """The network as it was before the first step: its weights are drawn from the run's seed."""
    _, types, height, width = subject.cube.counts.shape
    numbers = calendar_numbers(subject.run.design, subject.cube.step)
    return build(subject.run.design, types, height, width, numbers, subject.run.seed)


def _change(now: Tensor, before: Tensor | None) -> float:
    if before is None or before.shape != now.shape or not before.any():
        return float("nan")
    start = (before.abs() if before.is_complex() else before).detach()
    return float((now - start).norm() / start.norm())
