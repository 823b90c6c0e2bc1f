"""The vocabulary of layers: one small torch module a kind. Every one maps (B, C, H, W) to the same."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from crimecast.designs.shapes import Placed

ACTIVATION: dict[str, Callable[[], nn.Module]] = {
    "none": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


class Conv(nn.Module):
    """Convolution, then normalisation, then activation. Zero padding keeps the map's size."""

    def __init__(self, placed: Placed) -> None:
        super().__init__()
        options, out = placed.options, placed.shape[0]
        reach = options["dilation"] * (options["kernel"] - 1) // 2
        self.conv = nn.Conv2d(
            placed.takes[0][0],
            out,
            options["kernel"],
            stride=options["stride"],
            padding=reach,
            dilation=options["dilation"],
            groups=options["groups"],
        )
        self.norm: nn.Module = nn.Identity()
        if options["norm"] == "group":
            groups = next(g for g in (8, 6, 4, 3, 2, 1) if out % g == 0)
            self.norm = nn.GroupNorm(groups, out)
        elif options["norm"] == "batch":
            self.norm = nn.BatchNorm2d(out)
        self.activation = ACTIVATION[options["activation"]]()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.norm(self.conv(x)))


class Pool(nn.Module):
    """Mean or maximum over blocks of cells; blocks at the edge may be smaller."""

    def __init__(self, placed: Placed) -> None:
        super().__init__()
        size = placed.options["size"]
        self.pool: nn.Module = (
            nn.MaxPool2d(size, ceil_mode=True)
            if placed.options["method"] == "max"
            else nn.AvgPool2d(size, ceil_mode=True, count_include_pad=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x)


class Upsample(nn.Module):
    """Bilinear, to the size of another layer's maps."""

    def __init__(self, placed: Placed) -> None:
        super().__init__()
        self.size = placed.shape[1:]

    def forward(self, x: Tensor) -> Tensor:
        return functional.interpolate(x, size=self.size, mode="bilinear", align_corners=False)


class Add(nn.Module):
    """The sum of its inputs."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.stack(inputs).sum(dim=0)


class Concat(nn.Module):
    """Its inputs side by side, as channels."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat(inputs, dim=1)


class Film(nn.Module):
    """Scale and shift each channel by the calendar (FiLM: Perez et al. 2018, AAAI).

    y = (1 + γ) x + β with γ, β linear in the calendar; both start at zero.
    """

    def __init__(self, placed: Placed, calendar: int) -> None:
        super().__init__()
        self.linear = nn.Linear(calendar, 2 * placed.shape[0])
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor, calendar: Tensor) -> Tensor:
        scale, shift = self.linear(calendar)[:, :, None, None].chunk(2, dim=1)
        return x * (1 + scale) + shift


class Head(nn.Module):
    """A linear read-out to one log rate a type; it starts at zero, that is, at the offset."""

    def __init__(self, placed: Placed) -> None:
        super().__init__()
        self.conv = nn.Conv2d(placed.takes[0][0], placed.shape[0], 1)
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)
