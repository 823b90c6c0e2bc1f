"""Kinds of modules that people bring, each as small as it can be: seven lags of one type."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

HEIGHT, WIDTH = 12, 10


class Kind(nn.Module):
    """Called as a user's module is; `net` takes the lags as channels."""

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        return self.net(torch.log1p(history).flatten(1, 2))

    def net(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class Fourier(Kind):
    """Low frequencies weighed by complex numbers, beside a convolution of single cells."""

    def __init__(self) -> None:
        super().__init__()
        self.weigh = nn.Parameter(0.1 * torch.randn(7, 4, 5, 5, dtype=torch.cfloat))
        self.skip, self.out = nn.Conv2d(7, 4, 1), nn.Conv2d(4, 1, 1)

    def net(self, x: Tensor) -> Tensor:
        low = torch.fft.rfft2(x)[:, :, :5, :5]
        size = (len(x), 4, x.shape[2], x.shape[3] // 2 + 1)
        made = torch.zeros(size, dtype=low.dtype, device=x.device)
        made[:, :, :5, :5] = torch.einsum("bixy,ioxy->boxy", low, self.weigh.to(low.dtype))
        return self.out(torch.tanh(torch.fft.irfft2(made, s=x.shape[-2:]) + self.skip(x)))


class Keeps(Kind):
    """Goes on computing after its answer is made, and keeps the results."""

    def __init__(self) -> None:
        super().__init__()
        self.near, self.out = nn.Conv2d(7, 4, 3, padding=1), nn.Conv2d(4, 1, 1)

    def net(self, x: Tensor) -> Tensor:
        f = torch.tanh(self.near(x))
        made = self.out(f)
        self.seen, self.last = f**2, made.mean()
        return made


class Best(Kind):
    """The largest channels of each cell alone, put back into their places."""

    def __init__(self) -> None:
        super().__init__()
        self.near, self.out = nn.Conv2d(7, 5, 3, padding=1), nn.Conv2d(5, 1, 1)

    def net(self, x: Tensor) -> Tensor:
        made = self.near(x)
        best, index = made.topk(2, 1)
        return self.out(torch.zeros_like(made).scatter(1, index, best))


class Pairs(Kind):
    """A bilinear layer of each cell and its eastern neighbour."""

    def __init__(self) -> None:
        super().__init__()
        self.pair, self.out = nn.Bilinear(7, 7, 4), nn.Conv2d(4, 1, 1)

    def net(self, x: Tensor) -> Tensor:
        one = x.movedim(1, -1)
        return self.out(self.pair(one, one.roll(-1, 2)).movedim(-1, 1))


class Graph(Kind):
    """Cells as nodes of a graph whose edges are a sparse matrix."""

    def __init__(self) -> None:
        super().__init__()
        nodes = torch.arange(HEIGHT * WIDTH)
        edges = torch.stack([nodes.repeat(2), torch.cat([nodes, (nodes + WIDTH) % len(nodes)])])
        weights = torch.full((edges.shape[1],), 0.5)
        self.register_buffer("edges", torch.sparse_coo_tensor(edges, weights).coalesce())
        self.mix = nn.Linear(7, 1)

    def net(self, x: Tensor) -> Tensor:
        nodes = x.flatten(2).movedim(-1, 1)  # (B, N, C)
        edges = cast(Tensor, self.edges).to(x.dtype)
        seen = torch.stack([torch.sparse.mm(edges, one) for one in nodes])
        return self.mix(seen).movedim(1, -1).unflatten(-1, x.shape[-2:])


class ChannelsLast(Kind):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.mix, self.out = nn.LayerNorm(7), nn.Linear(7, 6), nn.Linear(6, 1)

    def net(self, x: Tensor) -> Tensor:
        return self.out(torch.tanh(self.mix(self.norm(x.permute(0, 2, 3, 1))))).permute(0, 3, 1, 2)


class Volume(Kind):
    """Convolutions over space and time, (B, C, T, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.near, self.out = nn.Conv3d(1, 6, 3, padding=1), nn.Conv3d(6, 1, (7, 1, 1))

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        return self.out(torch.tanh(self.near(torch.log1p(history).transpose(1, 2))))[:, :, 0]


class Parametrised(Kind):
    def __init__(self) -> None:
        super().__init__()
        self.a = weight_norm(nn.Conv2d(7, 4, 3, padding=1))
        self.b = spectral_norm(nn.Conv2d(4, 4, 3, padding=1))
        self.out = nn.Conv2d(4, 1, 1)

    def net(self, x: Tensor) -> Tensor:
        return self.out(torch.tanh(self.b(torch.tanh(self.a(x)))))


class Twice(Kind):
    """One activation at two widths."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.act = nn.Conv2d(7, 4, 3, padding=1), nn.ReLU()
        self.b, self.out = nn.Conv2d(4, 8, 3, padding=1), nn.Conv2d(8, 1, 1)

    def net(self, x: Tensor) -> Tensor:
        return self.out(self.act(self.b(self.act(self.a(x)))))


class Scripted(Kind):
    def __init__(self) -> None:
        super().__init__()
        self.a = torch.jit.script(nn.Sequential(nn.Conv2d(7, 4, 3, padding=1), nn.Tanh()))
        self.out = nn.Conv2d(4, 1, 1)

    def net(self, x: Tensor) -> Tensor:
        return self.out(self.a(x))


class Attention(Kind):
    """Every cell looks at all others."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.look = nn.Conv2d(7, 8, 1), nn.MultiheadAttention(8, 2, batch_first=True)
        self.out = nn.Linear(8, 1)

    def net(self, x: Tensor) -> Tensor:
        t = self.embed(x).flatten(2).transpose(1, 2)
        t = t + self.look(t, t, t)[0]
        return self.out(t).transpose(1, 2).unflatten(2, x.shape[-2:])


class Direct(Kind):
    """`forward` of its layers is called, not the layers."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.out = nn.Conv2d(7, 4, 3, padding=1), nn.Conv2d(4, 1, 1)

    def net(self, x: Tensor) -> Tensor:
        return self.out.forward(torch.tanh(self.a.forward(x)))


class Sequence(Kind):
    """(B, T, C, H, W): a layer on every frame, steps folded into the batch, then their mean."""

    def __init__(self) -> None:
        super().__init__()
        self.frame, self.join, self.out = (
            nn.Conv2d(1, 5, 3, padding=1),
            nn.Identity(),
            nn.Conv2d(5, 1, 1),
        )

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        steps = torch.tanh(self.frame(torch.log1p(history).flatten(0, 1)))
        return self.out(self.join(steps.unflatten(0, history.shape[:2])).mean(1))


class CellByCell(Kind):
    """An LSTM over each cell's own past, cells in the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.past, self.out = nn.LSTM(1, 6, batch_first=True), nn.Linear(6, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        b, t, c, h, w = history.shape
        x = torch.log1p(history).permute(0, 3, 4, 1, 2).reshape(b * h * w, t, c)
        return self.out(self.past(x)[0][:, -1]).view(b, h, w, 1).permute(0, 3, 1, 2)


class FinalState(CellByCell):
    """The same, of which the state after the last step is read."""

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        b, t, c, h, w = history.shape
        x = torch.log1p(history).permute(0, 3, 4, 1, 2).reshape(b * h * w, t, c)
        _, (state, _) = self.past(x)
        return self.out(state[-1]).view(b, h, w, 1).permute(0, 3, 1, 2)


class Inside(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Conv2d(7, 4, 3, padding=1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"map": self.a(x), "mean": x.mean()}


class Dictionary(Kind):
    """A layer that gives a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.inside, self.out = Inside(), nn.Conv2d(4, 1, 1)

    def net(self, x: Tensor) -> Tensor:
        return self.out(torch.tanh(self.inside(x)["map"]))


class InPlace(Kind):
    """Writes into slices, overwrites, and activates in place."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.out = nn.Conv2d(7, 4, 1), nn.Conv2d(4, 1, 1)

    def net(self, x: Tensor) -> Tensor:
        y = torch.zeros_like(x)
        y[:, :, 1:] = x[:, :, :-1]
        y[:, :, :, 0] = 0
        return self.out(self.a(y).tanh_())


class Moved(Kind):
    """One operation on the map before a convolution of single cells."""

    def __init__(self, move: str) -> None:
        super().__init__()
        self.move, self.out = move, nn.Conv2d(7, 1, 1)

    def net(self, x: Tensor) -> Tensor:
        return self.out(MOVES[self.move](x))


def _far(x: Tensor) -> Tensor:
    t = x.flatten(2).transpose(1, 2)
    return torch.cdist(t, t).mean(-1).view(-1, 1, *x.shape[-2:]) + x


def _masked(x: Tensor) -> Tensor:
    """Attention along the rows, each looking at itself and those to its left."""
    future = torch.ones(x.shape[-1], x.shape[-1]).triu(1).bool()
    scores = (x.transpose(-2, -1) @ x).masked_fill(future, -torch.inf)
    return x @ torch.softmax(scores, -1).transpose(-2, -1)


def _lowly(x: Tensor) -> Tensor:
    """Attention along the rows with a mask of finite numbers, as it is often written."""
    future = torch.ones(x.shape[-1], x.shape[-1]).triu(1).bool()
    scores = (x.transpose(-2, -1) @ x).masked_fill(future, -1e9)
    return x @ torch.softmax(scores, -1).transpose(-2, -1)


def _lowered(x: Tensor) -> Tensor:
    made = x.clone()
    made[made > 0.7] = 0.7
    return made


MOVES = {
    "a mask of values": _lowered,
    "a mask of low numbers": _lowly,
    "sort": lambda x: x.flatten(2).sort(-1)[0].view_as(x),
    "gather": lambda x: x.flatten(2).gather(-1, x.flatten(2).argsort(-1)).view_as(x),
    "cumprod": lambda x: (x + 0.9).cumprod(2),
    "cumsum": lambda x: x.cumsum(-1),
    "cdist": _far,
    "roll": lambda x: x.roll((2, -1), (2, 3)),
    "rot90": lambda x: x.rot90(2, (2, 3)),
    "flip": lambda x: x.flip(-1),
    "transposed": lambda x: x.transpose(-1, -2).contiguous().transpose(-1, -2),
    "a matrix of neighbours": lambda x: x @ (torch.eye(10) + torch.eye(10).diag(1).diag_embed(1)).to(x),
    "masked attention": _masked,
    "a norm of the map": lambda x: nn.functional.instance_norm(x),
    "unfold": lambda x: nn.functional.unfold(x, 3, padding=1)[:, ::9].unflatten(2, x.shape[-2:]),
    "highest of dilated windows": lambda x: nn.functional.pad(nn.functional.max_pool2d(x, 3, 1, 1, dilation=2), (1, 1, 1, 1)),
}  # fmt: skip

KINDS = {
    kind.__name__: kind
    for kind in (
        Fourier, Keeps, ChannelsLast, Volume, Parametrised, Twice, Scripted, Attention, Direct, Sequence,
        CellByCell, FinalState, Dictionary, InPlace, Best, Pairs, Graph,
    )
} | {move: lambda move=move: Moved(move) for move in MOVES}  # fmt: skip
