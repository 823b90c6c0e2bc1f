"""Random networks: blocks of many kinds, composed, each mapping (B, C, H, W) to the same shape.

`random_network(seed)` says what it is made of; `perturbed` finds by brute force what a cell of its
forecast sees, which no rule of ours has a part in.
"""

import copy
import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

LAGS, CHANNELS, HEIGHT, WIDTH = 4, 6, 12, 16


class Do(nn.Module):
    """A block of some modules and a function of them and the map."""

    def __init__(self, do: Callable[..., Tensor], **parts: nn.Module) -> None:
        super().__init__()
        self.do = do
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: Tensor) -> Tensor:
        return self.do(self, x)


class Composed(nn.Module):
    """The blocks between a convolution that makes channels and one that makes the forecast."""

    def __init__(self, names: list[str], residual: list[bool], rng: random.Random) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(LAGS, CHANNELS, 1), nn.Conv2d(CHANNELS, 1, 1)
        self.blocks = nn.ModuleList(BLOCKS[name](rng) for name in names)
        self.residual, self.names = residual, names

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = self.first(torch.log1p(history).flatten(1, 2))
        for block, keep in zip(self.blocks, self.residual, strict=True):
            made = block(x)
            x = made + x if keep else made
        return self.last(x)


def random_network(seed: int) -> Composed:
    """The network of that number, in evaluation mode."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    names = [rng.choice(list(BLOCKS)) for _ in range(rng.choice((1, 2, 2, 3, 4)))]
    return Composed(names, [rng.random() < 0.4 for _ in names], rng).eval()


def inputs(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """History, calendar and static of one sample."""
    made = torch.Generator().manual_seed(seed)
    history = 3 * torch.rand(1, LAGS, 1, HEIGHT, WIDTH, generator=made)
    return history, torch.rand(1, 3, generator=made), torch.zeros(1, 0, HEIGHT, WIDTH)


def double(x: Tensor) -> Tensor:
    """In double precision, complex numbers too."""
    return x.to(torch.complex128) if x.is_complex() else x.double() if x.is_floating_point() else x


@torch.no_grad()
def perturbed(
    network: nn.Module, cells: list[tuple[int, int]], draws: int = 4, given: tuple[Tensor, ...] | None = None
) -> list[tuple[int, int, int, int] | None]:  # fmt: skip
    """First and last row, first and last column whose change reaches each cell of the forecast; None
    where nothing does."""
    exact, least = copy.deepcopy(network)._apply(double), 1e-12
    precise: Callable[[Tensor], Tensor] = double
    try:
        exact(*(double(x) for x in given or inputs()))
    except RuntimeError:  # single precision is written into it
        exact, precise, least = network, Tensor.float, 1e-5
    seen: list[tuple[set[int], set[int]]] = [(set(), set()) for _ in cells]
    for seed in range(draws):
        history, *rest = (precise(x) for x in given or inputs(100 + seed))
        made = torch.Generator().manual_seed(seed)
        if given is not None and seed:
            history = 2 * torch.rand(history.shape, generator=made, dtype=history.dtype)
        height, width = history.shape[-2:]
        before = exact(history, *rest)
        lines = [(0, i) for i in range(height)] + [(1, i) for i in range(width)]
        for axis, index in lines:
            other = history.clone()
            own = other.select(axis - 2, index)
            own += torch.rand(own.shape, generator=made, dtype=own.dtype)
            apart = (exact(other, *rest) - before).abs().amax((0, 1))
            for number, (row, column) in enumerate(cells):
                if apart[row, column] > least * float(before.abs().max()):
                    seen[number][axis].add(index)
    return [
        (min(rows), max(rows), min(columns), max(columns)) if rows and columns else None
        for rows, columns in seen
    ]


# Blocks


def conv(kernel: int, **options: Any) -> Callable[[random.Random], nn.Module]:
    """A convolution that keeps the map's size, then tanh."""
    reach = options.get("dilation", 1) * (kernel - 1) // 2

    def made(_rng: random.Random) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(CHANNELS, CHANNELS, kernel, padding=reach, **options), nn.Tanh()
        )

    return made


def simple(
    do: Callable[..., Tensor], **parts: Callable[[], nn.Module]
) -> Callable[[random.Random], nn.Module]:
    """A block of freshly made parts."""
    return lambda _rng: Do(do, **{name: part() for name, part in parts.items()})


def attention(
    length_first: Callable[[Tensor], Tensor], back: Callable[[Tensor, Tensor], Tensor]
) -> Callable[[random.Random], nn.Module]:
    """Attention among what `length_first` makes tokens (N, L, C) of."""

    def do(self: Any, x: Tensor) -> Tensor:
        t = length_first(x)
        return back(self.look(t, t, t, need_weights=False)[0], x)

    return simple(do, look=lambda: nn.MultiheadAttention(CHANNELS, 2, batch_first=True))


def windows(x: Tensor) -> Tensor:
    """(B·windows, 16, C) of windows of 4 × 4."""
    b, c, h, w = x.shape
    return x.view(b, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 3, 5, 1).reshape(-1, 16, c)


def from_windows(t: Tensor, x: Tensor) -> Tensor:
    """Back to the map of x."""
    b, c, h, w = x.shape
    return t.view(b, h // 4, w // 4, 4, 4, c).permute(0, 5, 1, 3, 2, 4).reshape(b, c, h, w)


def strange_sum(x: Tensor) -> Tensor:
    """Writes into slices of a new tensor, one over another."""
    made = torch.zeros_like(x)
    made[:, :, 1:] = x[:, :, :-1]
    made[..., ::2] += x[..., ::2]
    made[:, 0] = x[:, -1]
    return made


class Spectral(nn.Module):
    """Low frequencies weighed by complex numbers (Li et al. 2021, ICLR)."""

    def __init__(self) -> None:
        super().__init__()
        self.weigh = nn.Parameter(0.2 * torch.randn(CHANNELS, CHANNELS, 4, 4, dtype=torch.cfloat))

    def forward(self, x: Tensor) -> Tensor:
        low = torch.fft.rfft2(x)
        made = torch.zeros_like(low)
        made[..., :4, :4] = torch.einsum("bixy,ioxy->boxy", low[..., :4, :4], self.weigh)
        return torch.fft.irfft2(made, s=x.shape[-2:])


def neighbours(size: int) -> Tensor:
    """Every index with the next."""
    return torch.eye(size) + torch.diag(torch.ones(size - 1), 1)


def by_shape(self: Any, x: Tensor) -> Tensor:
    """Another convolution for maps of another shape."""
    return self.even(x) if x.shape[-1] % 2 == 0 else self.odd(x)


def upsampled(mode: str) -> Callable[[random.Random], nn.Module]:
    """A strided convolution, brought back to size."""
    return simple(
        lambda self, x: functional.interpolate(
            torch.tanh(self.down(x)), size=x.shape[-2:], mode=mode
        ),
        down=lambda: nn.Conv2d(CHANNELS, CHANNELS, 3, stride=2, padding=1),
    )


def volume(self: Any, x: Tensor) -> Tensor:
    """Channels as steps of two features, convolved over space and time."""
    return self.over(x.unflatten(1, (2, -1))).flatten(1, 2)


def folded(self: Any, x: Tensor) -> Tensor:
    """Pairs of channels as members of the batch."""
    return self.each(x.reshape(-1, 2, *x.shape[2:])).reshape(x.shape)


def along_rows(self: Any, x: Tensor) -> Tensor:
    """A recurrent network from the first row to the last, each column by itself."""
    t = x.permute(0, 3, 2, 1).flatten(0, 1)
    return self.past(t)[0].unflatten(0, (-1, x.shape[3])).permute(0, 3, 2, 1)


def over_channels(self: Any, x: Tensor) -> Tensor:
    """A recurrent network over the channels of each cell."""
    t = x.permute(0, 2, 3, 1).reshape(-1, CHANNELS, 1)
    return self.past(t)[0].reshape(len(x), *x.shape[2:], CHANNELS).permute(0, 3, 1, 2)


near = lambda: nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)  # noqa: E731
BLOCKS: dict[str, Callable[[random.Random], nn.Module]] = {
    "conv 1": conv(1), "conv 3": conv(3), "conv 5": conv(5), "dilated": conv(3, dilation=2),
    "depthwise": conv(3, groups=CHANNELS),
    "gelu": lambda _: nn.Sequential(near(), nn.GELU()),
    "batch norm": lambda _: nn.Sequential(nn.BatchNorm2d(CHANNELS), near(), nn.Softplus()),
    "group norm": lambda _: nn.Sequential(near(), nn.GroupNorm(2, CHANNELS)),
    "instance norm": lambda _: nn.Sequential(near(), nn.InstanceNorm2d(CHANNELS)),
    "dropout": lambda _: nn.Sequential(near(), nn.Dropout2d(0.3)),
    "nearest": upsampled("nearest"), "bilinear": upsampled("bilinear"), "bicubic": upsampled("bicubic"),
    "transposed": lambda _: nn.Sequential(
        nn.Conv2d(CHANNELS, CHANNELS, 3, 2, 1), nn.Tanh(), nn.ConvTranspose2d(CHANNELS, CHANNELS, 4, 2, 1)
    ),
    "mean pool": lambda _: nn.Sequential(nn.AvgPool2d(2), near(), nn.Upsample(scale_factor=2)),
    "max pool": lambda _: nn.Sequential(near(), nn.MaxPool2d(3, 1, 1)),
    "adaptive": simple(
        lambda self, x: functional.interpolate(functional.adaptive_avg_pool2d(x, (5, 6)), size=x.shape[-2:])
    ),
    "channels last": simple(
        lambda self, x: self.mix(self.norm(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2),
        norm=lambda: nn.LayerNorm(CHANNELS), mix=lambda: nn.Linear(CHANNELS, CHANNELS),
    ),
    "convnext": simple(
        lambda self, x: self.out(torch.tanh(self.mix(self.norm(self.near(x).permute(0, 2, 3, 1))))).permute(0, 3, 1, 2),
        near=lambda: nn.Conv2d(CHANNELS, CHANNELS, 5, padding=2, groups=CHANNELS), norm=lambda: nn.LayerNorm(CHANNELS),
        mix=lambda: nn.Linear(CHANNELS, 12), out=lambda: nn.Linear(12, CHANNELS),
    ),
    "norm of all": simple(lambda self, x: self.norm(x), norm=lambda: nn.LayerNorm((CHANNELS, HEIGHT, WIDTH))),
    "volume": simple(volume, over=lambda: nn.Conv3d(2, 2, 3, padding=1)),
    "folded": simple(folded, each=lambda: nn.Conv2d(2, 2, 3, padding=1)),
    "attention of all": attention(
        lambda x: x.flatten(2).transpose(1, 2), lambda t, x: t.transpose(1, 2).reshape(x.shape)
    ),
    "attention in rows": attention(
        lambda x: x.permute(0, 2, 3, 1).flatten(0, 1),
        lambda t, x: t.unflatten(0, (-1, x.shape[2])).permute(0, 3, 1, 2),
    ),
    "attention in windows": attention(windows, from_windows),
    "shifted windows": attention(
        lambda x: windows(x.roll((-2, -2), (2, 3))), lambda t, x: from_windows(t, x).roll((2, 2), (2, 3))
    ),
    "transformer": simple(
        lambda self, x: self.layer(x.flatten(2).transpose(1, 2)).transpose(1, 2).reshape(x.shape),
        layer=lambda: nn.TransformerEncoderLayer(CHANNELS, 2, 12, 0.0, batch_first=True),
    ),
    "patches": simple(
        lambda self, x: functional.pixel_shuffle(
            self.mix(functional.pixel_unshuffle(x, 2).permute(0, 2, 3, 1)).permute(0, 3, 1, 2), 2
        ),
        mix=lambda: nn.Linear(4 * CHANNELS, 4 * CHANNELS),
    ),
    "fourier": lambda _: Spectral(),
    "fourier of rows": simple(lambda self, x: torch.fft.fft(x, dim=2).real * 0.1),
    "squeeze": simple(
        lambda self, x: x * torch.sigmoid(self.weigh(x.mean((2, 3))))[..., None, None],
        weigh=lambda: nn.Linear(CHANNELS, CHANNELS),
    ),
    "mean of rows": simple(lambda self, x: x - x.mean(2, keepdim=True)),
    "along rows": simple(along_rows, past=lambda: nn.GRU(CHANNELS, CHANNELS, batch_first=True)),
    "lstm along rows": simple(along_rows, past=lambda: nn.LSTM(CHANNELS, CHANNELS, batch_first=True)),
    "over channels": simple(over_channels, past=lambda: nn.LSTM(1, 1, batch_first=True)),
    "shared": simple(
        lambda self, x: self.act(self.near(self.act(self.near(x)))), near=near, act=nn.Tanh
    ),
    "scripted": lambda _: torch.jit.script(nn.Sequential(near(), nn.Tanh())),
    "weight norm": lambda _: weight_norm(near()),
    "spectral norm": lambda _: spectral_norm(near()),
    "forward called": simple(lambda self, x: torch.tanh(self.near.forward(x)), near=near),
    "by shape": simple(by_shape, even=near, odd=near),
    "reflected": lambda _: nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, padding_mode="reflect"),
    "round the globe": lambda _: nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, padding_mode="circular"),
    "roll": simple(lambda self, x: x.roll((1, -2), (2, 3))),
    "flip": simple(lambda self, x: x.flip(3)),
    "slices": simple(lambda self, x: strange_sum(x)),
    "chosen": simple(lambda self, x: x[:, :, torch.arange(x.shape[2]).roll(3)]),
    "gathered": simple(
        lambda self, x: x.gather(3, torch.arange(x.shape[3] - 1, -1, -1).expand(x.shape))
    ),
    "running sum": simple(lambda self, x: x.cumsum(2) / 4),
    "neighbours": simple(lambda self, x: neighbours(x.shape[2]).to(x) @ x),
    "unfold": simple(
        lambda self, x: functional.fold(functional.unfold(x, 3, padding=1), x.shape[2:], 3, padding=1) / 9
    ),
    "einsum": simple(lambda self, x: torch.einsum("bchw,bdhw->bcdhw", x, x).mean(2)),
    "sorted channels": simple(lambda self, x: x.sort(1)[0]),
    "best channels": simple(lambda self, x: torch.cat([x.topk(3, 1)[0], x[:, :3]], 1)),
    "maxout": simple(lambda self, x: x + x.amax(1, keepdim=True)),
    "complex": simple(lambda self, x: torch.view_as_real(torch.complex(x, self.near(x)) * 1j)[..., 0], near=near),
    "gate": simple(lambda self, x: functional.glu(self.wide(x), 1), wide=lambda: nn.Conv2d(CHANNELS, 2 * CHANNELS, 3, padding=1)),
    "distances": simple(lambda self, x: x + torch.cdist(x, x).mean(-1, keepdim=True)),
    "norm of channels": simple(lambda self, x: functional.normalize(x, dim=1)),
    "dense": simple(
        lambda self, x: self.join(torch.cat([x, self.near(x), self.far(x)], 1)), near=near,
        far=lambda: nn.Conv2d(CHANNELS, CHANNELS, 3, padding=3, dilation=3), join=lambda: nn.Conv2d(3 * CHANNELS, CHANNELS, 1),
    ),
    "sampled": simple(
        lambda self, x: functional.grid_sample(
            x, functional.affine_grid(torch.eye(2, 3)[None].to(x).expand(len(x), -1, -1), x.shape, align_corners=False),
            align_corners=False,
        )
    ),
}  # fmt: skip
