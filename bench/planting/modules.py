"""Users' own networks for the planted suite: each function makes one, as `FILE.py:name`.

All take seven lags of one type and put out one rate. The name of a sick one says what is
planted; `specs.py` says where.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

LAGS, TYPES = 7, 1
FRAMES = LAGS * TYPES


class OnFrames(nn.Module):
    """Layers in turn on the lagged frames, on a log scale, as channels."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*layers)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        return self.body(torch.log1p(history).flatten(1, 2))


class ByHand(nn.Module):
    """Three convolutions whose activation is a function, not a module; `seen` chooses the lags."""

    def __init__(
        self, width: int = 24, activation: Callable[[Tensor], Tensor] = functional.relu,
        seen: slice = slice(None), kernel: int = 3,
    ) -> None:  # fmt: skip
        super().__init__()
        lags = len(range(LAGS)[seen])
        self.first = conv(lags * TYPES, width, kernel)
        self.second = conv(width, width, kernel)
        self.rate = conv(width, TYPES, 1)
        self.activation, self.seen = activation, seen

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = torch.log1p(history[:, self.seen]).flatten(1, 2)
        x = self.activation(self.first(x))
        return self.rate(self.activation(self.second(x)))


def conv(takes: int, gives: int, kernel: int = 3, dilation: int = 1, **options: Any) -> nn.Conv2d:
    """A convolution that keeps the map's size."""
    padding = dilation * (kernel // 2)
    return nn.Conv2d(takes, gives, kernel, padding=padding, dilation=dilation, **options)


def chain(*widths: int, activation: type[nn.Module] = nn.ReLU, kernel: int = 3) -> OnFrames:
    """Convolutions of the widths given, each with its activation, and the rates."""
    layers: list[nn.Module] = []
    last = FRAMES
    for width in widths:
        layers += [conv(last, width, kernel), activation()]
        last = width
    return OnFrames(*layers, conv(last, TYPES, 1))


class Residual(nn.Module):
    """Blocks that add to a stream, with normalisation."""

    def __init__(self, blocks: int, width: int = 24, norm: str = "group") -> None:
        super().__init__()
        self.stem = conv(FRAMES, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.GroupNorm(4, width) if norm == "group" else nn.BatchNorm2d(width), nn.ReLU(),
                conv(width, width), nn.ReLU(), conv(width, width),
            )
            for _ in range(blocks)
        )  # fmt: skip
        self.rate = conv(width, TYPES, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = self.stem(torch.log1p(history).flatten(1, 2))
        for block in self.blocks:
            x = x + block(x)
        return self.rate(x)


class Unet(nn.Module):
    """Down and up again; `up` makes the larger map."""

    def __init__(self, up: nn.Module) -> None:
        super().__init__()
        self.full, self.small = conv(FRAMES, 16), conv(16, 32)
        self.up, self.out, self.rate = up, conv(48, 24), conv(24, TYPES, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = functional.relu(self.full(torch.log1p(history).flatten(1, 2)))
        low = functional.relu(self.small(functional.avg_pool2d(x, 2, ceil_mode=True)))
        high = self.up(low)[..., : x.shape[-2], : x.shape[-1]]
        return self.rate(functional.relu(self.out(torch.cat([x, high], dim=1))))


class Seasons(nn.Module):
    """Frames, and the calendar as a shift of every channel."""

    def __init__(self) -> None:
        super().__init__()
        self.frames, self.days = conv(FRAMES, 24), nn.Linear(11, 24)
        self.mixed, self.rate = conv(24, 24), conv(24, TYPES, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = self.frames(torch.log1p(history).flatten(1, 2)) + self.days(calendar)[..., None, None]
        return self.rate(functional.gelu(self.mixed(functional.gelu(x))))


class OverTime(nn.Module):
    """A three-dimensional convolution over the lags."""

    def __init__(self) -> None:
        super().__init__()
        self.time = nn.Conv3d(TYPES, 12, 3, padding=1)
        self.mixed, self.rate = conv(12 * LAGS, 24), conv(24, TYPES, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = functional.gelu(self.time(torch.log1p(history).transpose(1, 2)))
        return self.rate(functional.gelu(self.mixed(x.flatten(1, 2))))


class Attention(nn.Module):
    """Lags weighed by attention in every cell."""

    def __init__(self) -> None:
        super().__init__()
        self.each, self.score = conv(TYPES, 16), conv(16, 1, 1)
        self.mixed, self.rate = conv(16, 24), conv(24, TYPES, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        batch, lags = history.shape[:2]
        x = functional.gelu(self.each(torch.log1p(history).flatten(0, 1)))
        weight = self.score(x).unflatten(0, (batch, lags)).softmax(dim=1)
        return self.rate(
            functional.gelu(self.mixed((weight * x.unflatten(0, (batch, lags))).sum(1)))
        )


class Memory(nn.Module):
    """A correction of the mean of the frames."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.change = conv(FRAMES, 24), conv(24, TYPES)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        known = torch.log(history.mean(dim=1) + 0.05)
        return known + self.change(functional.relu(self.first(torch.log1p(history).flatten(1, 2))))


class Recurrent(nn.Module):
    """A gated recurrent unit over the frames, by convolutions."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.gates, self.fresh = conv(TYPES + width, 2 * width), conv(TYPES + width, width)
        self.rate, self.width = conv(width, TYPES, 1), width

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        state = history.new_zeros(len(history), self.width, *history.shape[-2:])
        for lag in reversed(range(LAGS)):
            frame = torch.log1p(history[:, lag])
            keep, use = self.gates(torch.cat([frame, state], 1)).sigmoid().chunk(2, dim=1)
            fresh = self.fresh(torch.cat([frame, use * state], 1)).tanh()
            state = keep * state + (1 - keep) * fresh
        return self.rate(state)


def healthy_chain() -> nn.Module:
    return chain(24, 24)


def healthy_leaky() -> nn.Module:
    return chain(24, 24, activation=nn.LeakyReLU)


def healthy_tanh() -> nn.Module:
    return chain(24, 24, activation=nn.Tanh)


def healthy_by_hand() -> nn.Module:
    return ByHand(activation=functional.gelu)


def healthy_residual() -> nn.Module:
    return Residual(2)


def healthy_batch_norm() -> nn.Module:
    return OnFrames(
        conv(FRAMES, 24), nn.BatchNorm2d(24), nn.ReLU(), conv(24, 24), nn.BatchNorm2d(24), nn.ReLU(),
        conv(24, TYPES, 1),
    )  # fmt: skip


def healthy_unet() -> nn.Module:
    return Unet(nn.Upsample(scale_factor=2, mode="bilinear"))


def healthy_dilated() -> nn.Module:
    return OnFrames(
        conv(FRAMES, 24), nn.GELU(), conv(24, 24, dilation=2), nn.GELU(), conv(24, TYPES, 1)
    )


def healthy_separable() -> nn.Module:
    return OnFrames(
        conv(FRAMES, FRAMES, groups=FRAMES), conv(FRAMES, 24, 1), nn.GELU(), conv(24, 24), nn.GELU(),
        conv(24, TYPES, 1),
    )  # fmt: skip


def healthy_dropout() -> nn.Module:
    return OnFrames(
        conv(FRAMES, 32), nn.ReLU(), nn.Dropout2d(0.1), conv(32, 24), nn.ReLU(), conv(24, TYPES, 1)
    )


def healthy_seasons() -> nn.Module:
    return Seasons()


def healthy_over_time() -> nn.Module:
    return OverTime()


def healthy_attention() -> nn.Module:
    return Attention()


def healthy_memory() -> nn.Module:
    return Memory()


def healthy_recurrent() -> nn.Module:
    return Recurrent()


@torch.no_grad()
def dead_first() -> nn.Module:
    network = chain(24, 24)
    network.body[0].bias[:18] = -60.0
    return network


@torch.no_grad()
def dead_second() -> nn.Module:
    network = chain(24, 24)
    network.body[2].bias[:16] = -60.0
    return network


@torch.no_grad()
def dead_by_hand() -> nn.Module:
    network = ByHand()
    network.second.bias[:18] = -60.0
    return network


@torch.no_grad()
def dead_by_weights() -> nn.Module:
    network = ByHand()
    network.first.weight[:16] = -network.first.weight[:16].abs()
    network.first.bias[:16] = -3.0
    return network


@torch.no_grad()
def saturated_sigmoid() -> nn.Module:
    network = chain(24, 24, activation=nn.Sigmoid)
    network.body[0].weight *= 400
    return network


@torch.no_grad()
def saturated_tanh() -> nn.Module:
    network = ByHand(activation=torch.tanh)
    network.second.weight *= 400
    return network


@torch.no_grad()
def alike_from_the_start() -> nn.Module:
    network = ByHand(activation=functional.gelu)
    for own in (network.second, network.rate):
        own.weight.fill_(0.02)
        own.bias.zero_()
    return network


@torch.no_grad()
def copied() -> nn.Module:
    network = chain(32, 24)
    first, second = network.body[0], network.body[2]
    for i in range(4, 32):
        first.weight[i], first.bias[i] = first.weight[i % 4], first.bias[i % 4]
        second.weight[:, i] = second.weight[:, i % 4]
    return network


def narrow_middle() -> nn.Module:
    return chain(32, 1, 32)


def narrow_first() -> nn.Module:
    return chain(1, 24, 24)


def narrow_two() -> nn.Module:
    return chain(32, 24, 2, 24)


def vanishing_sigmoid() -> nn.Module:
    return chain(*[12] * 9, activation=nn.Sigmoid)


@torch.no_grad()
def vanishing_tanh() -> nn.Module:
    network = chain(*[12] * 10, activation=nn.Tanh)
    for module in network.body:
        if isinstance(module, nn.Conv2d):
            module.weight *= 0.15
    return network


@torch.no_grad()
def exploding_init() -> nn.Module:
    network = ByHand()
    for own in (network.first, network.second, network.rate):
        own.weight *= 12
    return network


@torch.no_grad()
def exploding_depth() -> nn.Module:
    network = chain(*[16] * 8)
    for module in network.body:
        if isinstance(module, nn.Conv2d):
            module.weight *= 4
    return network


def linear_chain() -> nn.Module:
    return OnFrames(conv(FRAMES, 24), conv(24, 24), conv(24, 24), conv(24, TYPES, 1))


def linear_by_hand() -> nn.Module:
    return ByHand(activation=lambda x: x)


def deaf_to_all_but_two() -> nn.Module:
    return ByHand(activation=functional.gelu, seen=slice(0, 2))


def deaf_to_the_last() -> nn.Module:
    return ByHand(activation=functional.gelu, seen=slice(3, None))


class CalendarAlone(nn.Module):
    """Forgets the past: a map of its own and the day."""

    def __init__(self) -> None:
        super().__init__()
        self.days, self.mixed = nn.Linear(11, 16), conv(16, 16)
        self.rate = conv(16, TYPES, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = self.days(calendar)[..., None, None].expand(-1, -1, *history.shape[-2:])
        return self.rate(functional.gelu(self.mixed(x)))


def deaf_to_history() -> nn.Module:
    return CalendarAlone()


def one_cell() -> nn.Module:
    return ByHand(activation=functional.gelu, kernel=1)


def three_cells() -> nn.Module:
    return OnFrames(conv(FRAMES, 24, 3), nn.GELU(), conv(24, 24, 1), nn.GELU(), conv(24, TYPES, 1))


class Strided(nn.Module):
    """Down by two, and up by a transposed convolution whose kernel its stride doesn't divide."""

    def __init__(self, kernel: int = 3) -> None:
        super().__init__()
        self.down = nn.Conv2d(FRAMES, 24, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(24, 24, kernel, stride=2, padding=1, output_padding=1)
        self.rate = conv(24, TYPES, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = functional.relu(self.down(torch.log1p(history).flatten(1, 2)))
        x = functional.relu(self.up(x))[..., : history.shape[-2], : history.shape[-1]]
        return self.rate(x)


def chequered() -> nn.Module:
    return Strided()


def chequered_wide() -> nn.Module:
    return Strided(5)


class Padded(nn.Module):
    """A correction of what passes the network by a wide window, whose padding pulls the rim down."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.inner = chain(24, 24, activation=nn.GELU)
        self.window = nn.Conv2d(1, 1, kernel, padding=kernel // 2, bias=False)
        nn.init.constant_(self.window.weight, 1.0 / kernel**2)
        self.window.weight.requires_grad_(False)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        rate = self.inner(history, calendar, static)
        return rate - 3 * (1 - self.window(torch.ones_like(rate)))


def padded() -> nn.Module:
    return Padded(9)


def padded_wide() -> nn.Module:
    return Padded(13)


class Lost(nn.Module):
    """A branch that is made, or run, and leads nowhere."""

    def __init__(self, run: bool) -> None:
        super().__init__()
        self.first, self.lost, self.second = conv(FRAMES, 24), conv(24, 24), conv(24, 24)
        self.rate, self.run = conv(24, TYPES, 1), run

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = functional.relu(self.first(torch.log1p(history).flatten(1, 2)))
        if self.run:
            self.lost(x)
        return self.rate(functional.relu(self.second(x)))


def lost_branch() -> nn.Module:
    return Lost(True)


def never_run() -> nn.Module:
    return Lost(False)


class Cut(nn.Module):
    """The first layers never learn: their output is detached."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = conv(FRAMES, 24), conv(24, 24), conv(24, 24)
        self.rate = conv(24, TYPES, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = functional.gelu(self.first(torch.log1p(history).flatten(1, 2)))
        x = functional.gelu(self.second(x)).detach()
        return self.rate(functional.gelu(self.third(x)))


def detached() -> nn.Module:
    return Cut()


def wide_by_four() -> nn.Module:
    return chain(160, 128, activation=nn.GELU)


class Capped(nn.Module):
    """Healthy, but its rates are bounded from above, softly or by a clamp that lets no gradient pass."""

    def __init__(self, most: float, clamp: bool) -> None:
        super().__init__()
        self.inner, self.most, self.clamp = ByHand(activation=functional.gelu), most, clamp

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        rate = self.inner(history, calendar, static)
        return rate.clamp(max=self.most) if self.clamp else self.most - functional.softplus(-rate)


def capped() -> nn.Module:
    return Capped(-2.5, clamp=False)


def clamped() -> nn.Module:
    return Capped(-2.5, clamp=True)


class Loud(nn.Module):
    """Every step of the optimiser counts many times: its rates are multiplied."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.inner, self.factor = ByHand(activation=functional.gelu), factor

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        return self.factor * self.inner(history, calendar, static)


def loud() -> nn.Module:
    return Loud(300.0)


class Doubled(nn.Module):
    """Frames that are counted twice, without room to correct it."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.change, self.factor = conv(FRAMES, TYPES, bias=False), factor
        nn.init.zeros_(self.change.weight)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        known = torch.log(self.factor * history.mean(dim=1) + 0.02)
        return known + 0.2 * self.change(torch.log1p(history).flatten(1, 2)).tanh()


def counted_twice() -> nn.Module:
    return Doubled(2.0)


class Flat(nn.Module):
    """Averages its map away before the rates."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.rate = conv(FRAMES, 24), conv(24, 24), conv(24, TYPES, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = functional.gelu(self.first(torch.log1p(history).flatten(1, 2)))
        x = functional.gelu(self.second(x)).mean(dim=(2, 3), keepdim=True)
        return self.rate(x).expand(-1, -1, *history.shape[-2:])


def averaged_away() -> nn.Module:
    return Flat()


class ByHeart(nn.Module):
    """A rate of its own for every cell and every weekday, learnt in large steps."""

    def __init__(self, rows: int = 22, columns: int = 23) -> None:
        super().__init__()
        self.own = nn.Parameter(torch.zeros(11, TYPES, rows, columns))
        self.level = nn.Parameter(torch.full((TYPES, 1, 1), -0.1))
        self.first, self.rate = conv(FRAMES, 16), conv(16, TYPES)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        own = torch.einsum("bf,ftyx->btyx", calendar, self.own)
        seen = self.rate(functional.gelu(self.first(torch.log1p(history).flatten(1, 2))))
        return 20 * (own + self.level) + seen


def by_heart() -> nn.Module:
    return ByHeart()
