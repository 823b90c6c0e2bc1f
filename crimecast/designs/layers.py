"""The vocabulary of layers on maps: one small torch module a kind, each (B, C, H, W) → the same.

A module that takes the calendar too says so by `wants_calendar`.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from crimecast.designs.shapes import Laid

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


def normalisation(kind: str, channels: int) -> nn.Module:
    """`group`: over the map, in groups of channels; `layer`: over the channels of each cell;
    `batch`: each channel over batch and map; `instance`: each channel over its own map."""
    if kind == "group":
        return nn.GroupNorm(next(g for g in (8, 6, 4, 3, 2, 1) if channels % g == 0), channels)
    if kind == "layer":
        return CellNorm(channels)
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return nn.InstanceNorm2d(channels) if kind == "instance" else nn.Identity()


class CellNorm(nn.Module):
    """Layer normalisation over the channels of each cell (Ba et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.movedim(1, -1)).movedim(-1, 1)


class Norm(nn.Module):
    """A normalisation, then an activation."""

    def __init__(self, laid: Laid) -> None:
        super().__init__()
        self.norm = normalisation(laid.options["norm"], laid.shape[0])
        self.activation = ACTIVATION[laid.options["activation"]]()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.norm(x))


class Conv(nn.Module):
    """Convolution, then normalisation, then activation. Zero padding keeps the map's size."""

    def __init__(self, laid: Laid) -> None:
        super().__init__()
        options, out = laid.options, laid.shape[0]
        reach = options["dilation"] * (options["kernel"] - 1) // 2
        self.conv = nn.Conv2d(
            laid.takes[0][0],
            out,
            options["kernel"],
            stride=options["stride"],
            padding=reach,
            dilation=options["dilation"],
            groups=options["groups"],
        )
        self.norm = normalisation(options["norm"], out)
        self.activation = ACTIVATION[options["activation"]]()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.norm(self.conv(x)))


class Separable(nn.Module):
    """A convolution within each channel, then one across channels (Chollet 2017, CVPR)."""

    def __init__(self, laid: Laid) -> None:
        super().__init__()
        options, channels, out = laid.options, laid.takes[0][0], laid.shape[0]
        reach = options["dilation"] * (options["kernel"] - 1) // 2
        self.depth = nn.Conv2d(
            channels, channels, options["kernel"], padding=reach, dilation=options["dilation"],
            groups=channels, bias=False,
        )  # fmt: skip
        self.point = nn.Conv2d(channels, out, 1)
        self.norm = normalisation(options["norm"], out)
        self.activation = ACTIVATION[options["activation"]]()

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.norm(self.point(self.depth(x))))


class Pool(nn.Module):
    """Mean or maximum over blocks of cells; blocks at the edge may be smaller."""

    def __init__(self, laid: Laid) -> None:
        super().__init__()
        size = laid.options["size"]
        self.pool: nn.Module = (
            nn.MaxPool2d(size, ceil_mode=True)
            if laid.options["method"] == "max"
            else nn.AvgPool2d(size, ceil_mode=True, count_include_pad=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x)


class Upsample(nn.Module):
    """Bilinear, to the size of another layer's maps."""

    def __init__(self, laid: Laid) -> None:
        super().__init__()
        self.size = laid.shape[1:]

    def forward(self, x: Tensor) -> Tensor:
        if torch.compiler.is_compiling():
            # The compiler's own gradient of interpolate scatters cell by cell, for a third of a step.
            rows, columns = (
                _between(old, new, x) for old, new in zip(x.shape[2:], self.size, strict=True)
            )
            return rows @ x @ columns.T
        return functional.interpolate(x, size=self.size, mode="bilinear", align_corners=False)


def _between(old: int, new: int, like: Tensor) -> Tensor:
    """(new, old) what each new place of a line takes from each old one, linearly between centres."""
    places = (torch.arange(new, device=like.device) + 0.5) * (old / new) - 0.5
    away = places.clamp(0, old - 1)[:, None] - torch.arange(old, device=like.device)
    return (1 - away.abs()).clamp(min=0).to(like.dtype)


class Add(nn.Module):
    """The sum of its inputs."""

    def __init__(self, _placed: Laid) -> None:
        super().__init__()

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.stack(inputs).sum(dim=0)


class Concat(nn.Module):
    """Its inputs side by side, as channels."""

    def __init__(self, _placed: Laid) -> None:
        super().__init__()

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat(inputs, dim=1)


class Dropout(nn.Dropout2d):
    """Whole channels are left out at random while training."""

    def __init__(self, laid: Laid) -> None:
        super().__init__(laid.options["rate"])


class Fuse(nn.Module):
    """The sum of its inputs, each weighted anew in every cell and channel: Σ_i W_i ∘ x_i.

    The parametric-matrix fusion of Zhang, Zheng & Qi (2017, AAAI), starting from equal shares.
    """

    def __init__(self, laid: Laid) -> None:
        super().__init__()
        share = torch.full((len(laid.takes), *laid.shape), 1 / len(laid.takes))
        self.weight = nn.Parameter(share)

    def forward(self, *inputs: Tensor) -> Tensor:
        return (torch.stack(inputs, dim=1) * self.weight).sum(dim=1)


class Squeeze(nn.Module):
    """Weigh channels by what the whole map holds (squeeze-and-excitation: Hu et al. 2018, CVPR)."""

    def __init__(self, laid: Laid) -> None:
        super().__init__()
        channels = laid.shape[0]
        middle = channels // laid.options["reduction"]
        self.down, self.up = nn.Linear(channels, middle), nn.Linear(middle, channels)

    def forward(self, x: Tensor) -> Tensor:
        weight = torch.sigmoid(self.up(torch.relu(self.down(x.mean(dim=(2, 3))))))
        return x * weight[:, :, None, None]


class CellBias(nn.Module):
    """Add a number learnt for every cell and channel, held to zero by a weight decay of its own."""

    def __init__(self, laid: Laid) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(laid.shape))
        self.weight_decay = float(laid.options["weight_decay"])

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias


class Embedding(nn.Module):
    """Maps learnt freely, the same in every step; of its input only the size is used."""

    def __init__(self, laid: Laid) -> None:
        super().__init__()
        self.maps = nn.Parameter(0.1 * torch.randn(laid.shape))
        self.weight_decay = float(laid.options["weight_decay"])

    def forward(self, x: Tensor) -> Tensor:
        return self.maps.expand(x.shape[0], *self.maps.shape)


class External(nn.Module):
    """A map made from the calendar alone by two dense layers, as in Zhang, Zheng & Qi (2017)."""

    wants_calendar = True

    def __init__(self, laid: Laid, calendar: int) -> None:
        super().__init__()
        self.shape = laid.shape
        self.embed = nn.Linear(calendar, laid.options["hidden"])
        self.spread = nn.Linear(laid.options["hidden"], math.prod(laid.shape))

    def forward(self, x: Tensor, calendar: Tensor) -> Tensor:
        return self.spread(torch.relu(self.embed(calendar))).view(-1, *self.shape)


class Film(nn.Module):
    """Scale and shift each channel by the calendar (FiLM: Perez et al. 2018, AAAI).

    y = activation((1 + γ) norm(x) + β) with γ, β linear in the calendar; both start at zero.
    """

    wants_calendar = True

    def __init__(self, laid: Laid, calendar: int) -> None:
        super().__init__()
        self.norm = normalisation(laid.options["norm"], laid.shape[0])
        self.activation = ACTIVATION[laid.options["activation"]]()
        self.linear = nn.Linear(calendar, 2 * laid.shape[0])
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor, calendar: Tensor) -> Tensor:
        scale, shift = self.linear(calendar)[:, :, None, None].chunk(2, dim=1)
        return self.activation(self.norm(x) * (1 + scale) + shift)


class Head(nn.Module):
    """A linear read-out to one map a type, added to a second input if there is one."""

    def __init__(self, laid: Laid) -> None:
        super().__init__()
        kernel = laid.options["kernel"]
        self.conv = nn.Conv2d(laid.takes[0][0], laid.shape[0], kernel, padding=kernel // 2)

    def forward(self, x: Tensor, beside: Tensor | None = None) -> Tensor:
        own: Tensor = self.conv(x)
        return own if beside is None else own + beside

    def start_at_zero(self) -> None:
        """Say nothing at first: the forecast starts at the offset."""
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)  # type: ignore[arg-type]
