"""Receptive fields equal those of a brute-force perturbation, for code of every sort."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from crimecast.designs.build import build
from crimecast.designs.spec import load_design
from crimecast.inspect.receptive import (
    effective_field,
    field_of_forecast,
    radius_holding,
    theoretical_field,
)
from crimecast.inspect.subject import subject
from crimecast.networks.tape import record
from crimecast.runs.run import load_run

SIZE = (24, 20)


class Flat(nn.Module):
    """A network on maps, called as a user's module is."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        return self.body(history.flatten(1, 2))


class UpAgain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(4, 8, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(8, 8, 3, stride=2, padding=1, output_padding=1)
        self.out = nn.Conv2d(8, 1, 5, padding=4, dilation=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.tanh(self.up(torch.tanh(self.down(x)))))


class Shifted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Conv2d(8, 1, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.cat([x[..., 1:, :], x[..., :1, :]], dim=2)
        both = torch.cat([x, torch.roll(y, 2, -1)], dim=1)
        return self.out(functional.pad(both, (1, 1, 1, 1), mode="reflect"))


class Mixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.weigh, self.out = (
            nn.Conv2d(4, 4, 3, padding=1),
            nn.Linear(4, 4),
            nn.Conv2d(4, 1, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        return self.out(y * torch.sigmoid(self.weigh(y.mean((2, 3))))[:, :, None, None])


class ChannelsLast(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mix, self.out = nn.Linear(4, 6), nn.Conv2d(6, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.mix(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        y = functional.interpolate(functional.avg_pool2d(y, 2), scale_factor=2, mode="bilinear")
        return self.out(y)


class Added(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.near, self.far = (
            nn.Conv2d(4, 4, 3, padding=1),
            nn.Conv2d(4, 4, 3, padding=2, dilation=2),
        )

    def forward(self, x: Tensor) -> Tensor:
        y = torch.stack([x, self.near(x), self.far(x)]).sum(dim=0)
        return (y * torch.softmax(y, dim=1)).sum(1, keepdim=True) + y.norm(dim=1, keepdim=True)


class Patches(nn.Module):
    """Cut into patches of 4 × 4, each a vector that is mixed by itself, and put together again."""

    def __init__(self) -> None:
        super().__init__()
        self.mix, self.out = nn.Linear(64, 16), nn.Conv2d(1, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        cut = x.reshape(b, c, h // 4, 4, w // 4, 4).permute(0, 2, 4, 1, 3, 5).reshape(b, -1, 16 * c)
        y = torch.tanh(self.mix(cut)).reshape(b, h // 4, w // 4, 4, 4, 1)
        return self.out(y.permute(0, 5, 1, 3, 2, 4).reshape(b, 1, h, w))


class Windows(nn.Module):
    """Attention inside windows of 4 × 5, as in Swin transformers, the second time shifted."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.out = nn.Conv2d(4, 8, 3, padding=1), nn.Conv2d(8, 1, 1)
        self.attend = nn.Linear(8, 24)

    def forward(self, x: Tensor) -> Tensor:
        y = self.within(self.embed(x).permute(0, 2, 3, 1))
        y = torch.roll(self.within(torch.roll(y, (-2, -2), (1, 2))), (2, 2), (1, 2))
        return self.out(y.permute(0, 3, 1, 2))

    def within(self, x: Tensor) -> Tensor:
        b, h, w, c = x.shape
        y = x.view(b, h // 4, 4, w // 5, 5, c).permute(0, 1, 3, 2, 4, 5).contiguous()
        q, k, v = self.attend(y.view(-1, 20, c)).reshape(-1, 20, 3, 2, 4).permute(2, 0, 3, 1, 4)
        y = (torch.softmax(q @ k.transpose(-2, -1), dim=-1) @ v).transpose(1, 2).reshape(-1, 20, c)
        y = y.view(b, h // 4, w // 5, 4, 5, c).permute(0, 1, 3, 2, 4, 5).contiguous()
        return x + y.view(b, h, w, c)


class Tokens(nn.Module):
    """Every patch a token that looks at all others, beside a token of its own, as in ViT."""

    def __init__(self, looks: bool) -> None:
        super().__init__()
        self.embed, self.back = nn.Conv2d(4, 8, 4, stride=4), nn.ConvTranspose2d(8, 1, 4, stride=4)
        self.token, self.looks = nn.Parameter(torch.rand(1, 1, 8)), looks
        self.attend = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True, norm_first=True)
        self.alone = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 8), nn.GELU())

    def forward(self, x: Tensor) -> Tensor:
        y = self.embed(x)
        tokens = torch.cat([self.token, y.flatten(2).transpose(1, 2)], dim=1)
        tokens = self.attend(tokens) if self.looks else tokens + self.alone(tokens)
        return self.back(tokens[:, 1:].transpose(1, 2).reshape(y.shape))


class Kept(nn.Module):
    """A mean over the map that keeps its axes, and one over the rows alone."""

    def __init__(self, dims: tuple[int, ...]) -> None:
        super().__init__()
        self.dims, self.out = dims, nn.Conv2d(4, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.maximum(x, torch.tensor(0.1)) * x.mean(self.dims, keepdim=True))


BODIES = {
    "patches": Patches,
    "windows": Windows,
    "tokens": lambda: Tokens(looks=False),
    "attentive tokens": lambda: Tokens(looks=True),
    "a mean that keeps its axes": lambda: Kept((2, 3)),
    "a mean over rows": lambda: Kept((2,)),
    "added": Added,
    "one cell": lambda: nn.Conv2d(4, 1, 1),
    "transposed": UpAgain,
    "shifted and reflected": Shifted,
    "the whole map": Mixed,
    "channels last": ChannelsLast,
    "pooled": lambda: nn.Sequential(
        nn.Conv2d(4, 4, 3, padding=1),
        nn.Softplus(),
        nn.AvgPool2d(3, 2, 1),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.Upsample(size=SIZE, mode="nearest"),
        nn.Conv2d(4, 1, 1),
    ),
    "no padding": lambda: nn.Sequential(
        nn.Conv2d(4, 4, 3), nn.Tanh(), nn.ZeroPad2d(3), nn.Conv2d(4, 1, 5)
    ),
}


def exact(body: nn.Module, cell: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    field = field_of_forecast(record(Flat(body), {}, inputs()), cell)
    assert field.unproven == ()
    return field.rows, field.columns


def inputs() -> dict[str, Tensor]:
    return {
        "history": torch.rand(1, 2, 2, *SIZE),
        "calendar": torch.rand(1, 3),
        "static": torch.rand(1, 0, *SIZE),
    }


def perturbed(body: nn.Module, cell: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Change each row, then each column, of the input, and see whether the cell changes."""
    network = Flat(body).eval().double()
    history = torch.rand(1, 2, 2, *SIZE, dtype=torch.float64)
    empty = torch.rand(1, 3), torch.rand(1, 0, *SIZE)
    with torch.no_grad():
        before = network(history, *empty)[0, :, cell[0], cell[1]]
        bounds = []
        for axis in (-2, -1):
            seen = []
            for i in range(history.shape[axis]):
                other = history.clone()
                other.select(axis, i).add_(torch.rand(1))
                if not torch.equal(network(other, *empty)[0, :, cell[0], cell[1]], before):
                    seen.append(i)
            bounds.append((min(seen), max(seen)))
    network.float()
    return bounds[0], bounds[1]


@pytest.mark.parametrize("cell", [(0, 0), (11, 9), (14, 19)])
@pytest.mark.parametrize("name", list(BODIES))
def test_the_field_is_what_a_perturbation_finds(name: str, cell: tuple[int, int]) -> None:
    torch.manual_seed(1)
    body = BODIES[name]()
    assert exact(body, cell) == perturbed(body, cell)


@given(
    st.lists(
        st.tuples(st.sampled_from([1, 3, 5]), st.sampled_from([1, 2]), st.sampled_from([1, 2])),
        min_size=1, max_size=3,
    ),
    st.integers(0, 23), st.integers(0, 19),
)  # fmt: skip
def test_any_chain_of_convolutions(
    layers: list[tuple[int, int, int]], row: int, column: int
) -> None:
    torch.manual_seed(0)
    parts: list[nn.Module] = []
    for kernel, dilation, stride in layers:
        reach = dilation * (kernel - 1) // 2
        parts += [nn.Conv2d(4, 4, kernel, stride, reach, dilation), nn.Tanh()]
    body = nn.Sequential(*parts, nn.Upsample(size=SIZE, mode="nearest"))
    assert exact(body, (row, column)) == perturbed(body, (row, column))


@pytest.mark.parametrize("name", ["stack_plain", "recurrent_plain"])
def test_the_shipped_plain_designs(name: str) -> None:
    design = load_design(name)
    network = build(design, 1, *SIZE, 13, 0).eval()
    for layer in network.modules():  # statistics of norms don't count as seeing
        if isinstance(layer, nn.GroupNorm):
            layer.forward = lambda x: x  # type: ignore[method-assign]
    torch.manual_seed(0)
    for weight in network.parameters():  # the head begins at zero and would see nothing
        nn.init.normal_(weight, std=0.2)
    history = torch.rand(1, len(design.lags), 1, *SIZE)
    rest = torch.rand(1, 13), torch.rand(1, 0, *SIZE)
    given = dict(zip(("history", "calendar", "static"), (history, *rest), strict=True))
    made = record(network, dict(network.blocks), given)
    for cell in ((0, 0), (12, 10)):
        field = field_of_forecast(made, cell)
        wanted = history.clone().requires_grad_()
        network.double()(wanted.double(), *(x.double() for x in rest))[
            0, 0, cell[0], cell[1]
        ].backward()
        network.float()
        assert wanted.grad is not None
        seen = wanted.grad[0].abs().sum(dim=(0, 1)) > 0
        rows, columns = (torch.nonzero(seen.any(dim=d)).flatten().tolist() for d in (1, 0))
        assert field.rows == (rows[0], rows[-1])
        assert field.columns == (columns[0], columns[-1])


def test_the_shipped_stack_sees_one_cell_of_its_inputs(sample: str) -> None:
    one = subject(load_run("stack-1"))
    cell = tuple(int(i[len(i) // 2]) for i in np.nonzero(one.area))
    field = theoretical_field(one, cell)  # type: ignore[arg-type]
    assert (field.rows, field.columns) == ((cell[0],) * 2, (cell[1],) * 2)
    assert field.whole == ()


def test_the_effective_field_is_inside_the_theoretical_one_but_for_norms(sample: str) -> None:
    one = subject(load_run("stack-1"))
    cell = tuple(int(i[len(i) // 2]) for i in np.nonzero(one.area))
    seen = effective_field(one, cell, one.probes(2))  # type: ignore[arg-type]
    assert np.unravel_index(seen.argmax(), seen.shape) == cell
    assert seen[cell] > 0.5 * seen.sum()  # the rest comes through the norms' statistics
    assert radius_holding(seen, cell, 0.5) == 0.0  # type: ignore[arg-type]


def test_the_radius_holds_its_share() -> None:
    field = np.zeros((9, 9))
    field[4, 4], field[4, 6], field[4, 0] = 0.5, 0.4, 0.1
    assert [radius_holding(field, (4, 4), s) for s in (0.5, 0.9, 0.95)] == [0.0, 2.0, 4.0]
