"""Faults as operators: each makes any trained network sick, and says where and which findings name it.

An operator finds its layers by their class, not by their names, and comes in strengths from harmless to fatal; what
a plant costs is measured beside its healthy twin, so that a harmless one counts as healthy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

Sick = tuple[
    nn.Module, str | None
]  # the network, and the layer that the fault sits in (None: nowhere)
CONVOLUTIONS = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d)


@dataclass(frozen=True)
class Operator:
    """A mechanism: `codes` are the findings that name it, `strengths` go from harmless to fatal."""

    name: str
    codes: tuple[str, ...]
    strengths: tuple[float, ...]
    apply: Callable[[nn.Module, float], Sick | None]


def around(
    network: nn.Module, before: Callable[[Tensor], Tensor] | None = None, after: Callable[[Tensor], Tensor] | None = None
) -> nn.Module:  # fmt: skip
    """The network between a change of its history and one of what it returns."""
    if before is not None:
        network.register_forward_pre_hook(lambda _, given: (before(given[0]), *given[1:]))
    if after is not None:
        network.register_forward_hook(lambda _, given, made: after(made))
    return network


def convolutions(network: nn.Module) -> list[tuple[str, Any]]:
    """The convolutions that another one follows, in the order in which they are registered."""
    return [(n, m) for n, m in network.named_modules() if isinstance(m, CONVOLUTIONS)][:-1]


SHUTTING = (nn.ReLU, nn.GELU, nn.Tanh, nn.Sigmoid, nn.ELU, nn.SiLU)


def _wide(network: nn.Module, shutting: bool = False) -> tuple[str, Any] | None:
    """A convolution in the middle with at least eight channels and a bias; if it is to be shut by that, with an
    activation next after it that shuts."""
    every = [(n, m) for n, m in network.named_modules() if not isinstance(m, nn.Identity)]
    after = {name: following for (name, _), (_, following) in pairwise(every)}
    found = [
        (n, m) for n, m in convolutions(network)
        if m.out_channels >= 8 and m.bias is not None and not isinstance(m, nn.ConvTranspose2d) and m.groups == 1
        and not (shutting and not isinstance(after.get(n), SHUTTING))
    ]  # fmt: skip
    return found[len(found) // 2] if found else None


@torch.no_grad()
def shut(network: nn.Module, share: float) -> Sick | None:
    """A share of a layer's units never answers."""
    found = _wide(network, shutting=True)
    if found is None:
        return None
    name, layer = found
    layer.bias[: round(share * len(layer.bias))] = -50.0
    return network, name


@torch.no_grad()
def alike(network: nn.Module, share: float) -> Sick | None:
    """A share of a layer's channels repeats its first, up to scale."""
    found = _wide(network)
    if found is None:
        return None
    name, layer = found
    weight, bias = layer.weight, layer.bias
    first = int((weight.flatten(1).sum(1) + bias).argmax())  # one that answers
    for channel in [c for c in range(len(bias)) if c != first][: round(share * len(bias))]:
        weight[channel] = weight[first] * (1 + 0.1 * channel)
        bias[channel] = bias[first] * (1 + 0.1 * channel)
    return network, name


def louder(network: nn.Module, by: float) -> Sick:
    """The rates of every cell are that many times as large."""
    return around(network, after=lambda x: x + torch.log(torch.tensor(by))), None


def stretched(network: nn.Module, by: float) -> Sick:
    """The log rates differ that many times as much between cells."""

    def change(x: Tensor) -> Tensor:
        middle = x.mean(dim=(-1, -2), keepdim=True)
        return middle + by * (x - middle)

    return around(network, after=change), None


def as_rate(network: nn.Module, softness: float) -> Sick:
    """The rate is returned where its logarithm is asked for."""
    return around(network, after=lambda x: functional.softplus(x, beta=softness)), None


def mirrored(network: nn.Module, axis: float) -> Sick:
    """What is returned is mirrored: along rows, columns, or both."""
    axes = {1.0: (-1,), 2.0: (-2,), 3.0: (-1, -2)}[axis]
    return around(network, after=lambda x: x.flip(axes)), None


def moved(network: nn.Module, cells: float) -> Sick:
    """What is returned is moved by some cells."""
    by = int(cells)
    return around(network, after=lambda x: x.roll((by, -by), (-1, -2))), None


def reordered(network: nn.Module, by: float) -> Sick:
    """The earlier frames arrive in another order: turned round (0), or moved by some."""
    if by == 0:
        return around(network, before=lambda h: h.flip(1)), None
    return around(network, before=lambda h: h.roll(int(by), 1)), None


def deaf(network: nn.Module, share: float) -> Sick:
    """A share of the earlier frames, the first of them, is masked by a constant."""

    def change(history: Tensor) -> Tensor:
        mask = torch.ones(history.shape[1])
        mask[: round(share * len(mask))] = 0.0
        return history * mask.view(-1, 1, 1, 1)

    return around(network, before=change), None


def dropping(network: nn.Module, share: float) -> Sick:
    """Dropout of the inputs that stays on."""
    return around(network, before=lambda h: functional.dropout(h, share, training=True)), None


def held(network: nn.Module, share: float) -> Sick:
    """What is returned is held from below, at the quantile of the first values that it has."""
    ends: list[float] = []

    def change(x: Tensor) -> Tensor:
        if not ends:
            ends.append(float(torch.quantile(x.detach().flatten()[::7].float(), share)))
        return x.clamp(min=ends[0])

    return around(network, after=change), None


@torch.no_grad()
def other_statistics(network: nn.Module, by: float) -> Sick | None:
    """The statistics that a normalisation kept aren't those of the data."""
    norms: list[tuple[str, Any]] = [
        (n, m) for n, m in network.named_modules() if isinstance(m, _BatchNorm)
    ]
    if not norms:
        return None
    name, norm = norms[len(norms) // 2]
    norm.running_var *= by
    norm.running_mean += (by - 1) * 0.2 * norm.running_var.sqrt()
    return network, name


OPERATORS = (
    Operator("shut", ("dead_units", "saturated_units"), (0.1, 0.4, 0.7, 0.95), shut),
    Operator("alike", ("redundant_channels",), (0.3, 0.6, 1.0), alike),
    Operator("louder", ("miscalibrated",), (1.03, 1.2, 1.5), louder),
    Operator("quieter", ("miscalibrated",), (0.97, 0.8, 0.6), louder),
    Operator("stretched", ("wrong_scale",), (1.2, 2.0, 3.0), stretched),
    Operator("flattened", ("wrong_scale", "collapsed_to_mean"), (0.8, 0.4, 0.15), stretched),
    Operator("a rate for its logarithm", ("wrong_scale", "clamped", "miscalibrated"), (1.0, 3.0), as_rate),
    Operator("mirrored", ("misaligned",), (1.0, 2.0, 3.0), mirrored),
    Operator("moved", ("misaligned",), (1.0, 2.0), moved),
    Operator("reordered", ("wrong_lag_order",), (0.0, 1.0, 2.0), reordered),
    Operator("deaf", ("ignored_input",), (0.2, 0.5, 0.8), deaf),
    Operator("dropping", ("not_repeatable",), (0.02, 0.2, 0.5), dropping),
    Operator("held", ("clamped",), (0.1, 0.5, 0.85), held),
    Operator("other statistics", ("train_forecast_gap",), (1.1, 3.0, 10.0), other_statistics),
)  # fmt: skip


def sick(network: nn.Module, operator: Operator, strength: float) -> Sick | None:
    """The network made sick; None where the operator finds nothing to work on."""
    made = operator.apply(network, strength)
    if made is None:
        return None
    return made[0].eval(), made[1]
