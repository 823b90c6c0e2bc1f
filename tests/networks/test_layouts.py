"""Maps that lie otherwise than usual: turned, listed by column, samples not first, phases in the batch.

One pointwise layer is asked in each layout; what is shown of it has to be what it gives in its place.
"""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from crimecast.inspect.notebook import Look, look

LAGS = 4


class Layout(nn.Module):
    """A pointwise layer amid a way there and the way back."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.before = nn.Conv2d(LAGS, 3, 3, padding=1)
        self.point = nn.Linear(3, 3)
        self.after = nn.Conv2d(3, 1, 1)

    def there(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → as the layer takes it, channels last."""
        x = x.movedim(1, -1)
        match self.way:
            case "rows mirrored":
                return x.flip(1)
            case "turned round":
                return x.flip(1, 2)
            case "transposed":
                return x.transpose(1, 2)
            case "mirrored tokens":
                return x.flip(2).flatten(1, 2)
            case "by column":
                return x.transpose(1, 2).flatten(1, 2)
            case "tokens first":
                return x.flatten(1, 2).transpose(0, 1)
            case "samples last but one":
                return x.permute(1, 2, 0, 3)
            case "phases":
                x = x.unflatten(1, (-1, 2)).unflatten(3, (-1, 2))
                return x.permute(0, 2, 4, 1, 3, 5).flatten(0, 2)
        raise ValueError(self.way)

    def back(self, x: Tensor, height: int, width: int) -> Tensor:
        match self.way:
            case "rows mirrored":
                x = x.flip(1)
            case "turned round":
                x = x.flip(1, 2)
            case "transposed":
                x = x.transpose(1, 2)
            case "mirrored tokens":
                x = x.unflatten(1, (height, width)).flip(2)
            case "by column":
                x = x.unflatten(1, (width, height)).transpose(1, 2)
            case "tokens first":
                x = x.transpose(0, 1).unflatten(1, (height, width))
            case "samples last but one":
                x = x.permute(2, 0, 1, 3)
            case "phases":
                x = x.unflatten(0, (-1, 2, 2)).permute(0, 3, 1, 4, 2, 5)
                x = x.flatten(3, 4).flatten(1, 2)
        return x.movedim(-1, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = self.before(history.flatten(1, 2))
        return self.after(self.back(self.point(self.there(x)), *x.shape[-2:]))


def looked(way: str, size: tuple[int, int]) -> Look:
    torch.manual_seed(0)
    history = np.random.default_rng(0).poisson(1.0, (LAGS, 1, *size))
    return look(Layout(way), history)


WAYS = [
    "rows mirrored", "turned round", "transposed", "mirrored tokens", "by column", "tokens first", "samples last but one",
]  # fmt: skip


@pytest.mark.parametrize("size", [(20, 28), (24, 24)])
@pytest.mark.parametrize("way", WAYS)
def test_a_map_is_shown_in_its_place(way: str, size: tuple[int, int]) -> None:
    one = looked(way, size)
    shown = one.activations()
    weight = one.network.point.weight.detach().numpy()  # type: ignore[union-attr]
    bias = one.network.point.bias.detach().numpy()  # type: ignore[union-attr]
    wanted = np.einsum("oc,chw->ohw", weight, shown["before"]) + bias[:, None, None]
    assert shown["point"] == pytest.approx(wanted, abs=1e-5)
    # And a cell of it sees what is around that cell.
    field = one.field((5, 9), "point")
    assert (field.rows, field.columns) == ((4, 6), (8, 10))
    assert one.prove().proven
    assert one.without("point", [0]).shape == one.forecast().shape


def test_of_phases_in_the_batch_the_last_is_shown_with_its_own_field() -> None:
    one = looked("phases", (24, 32))
    shown = one.activations()
    weight = one.network.point.weight.detach().numpy()  # type: ignore[union-attr]
    bias = one.network.point.bias.detach().numpy()  # type: ignore[union-attr]
    last = shown["before"][:, 1::2, 1::2]
    wanted = np.einsum("oc,chw->ohw", weight, last) + bias[:, None, None]
    assert shown["point"] == pytest.approx(wanted, abs=1e-5)
    field = one.field((5, 9), "point")
    assert (field.rows, field.columns) == ((10, 12), (18, 20))  # around row 11, column 19
    assert one.prove().proven


class Recurrent(nn.Module):
    """Each cell's past through a GRU that takes steps first, and attention that takes places first."""

    def __init__(self) -> None:
        super().__init__()
        self.past = nn.GRU(1, 6)
        self.mix = nn.TransformerEncoderLayer(6, 2, 12)
        self.last = nn.Linear(6, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        size = history.shape[-2:]
        x = history[:, :, 0].permute(1, 0, 2, 3).flatten(1).unsqueeze(-1)
        x = self.past(x)[0][-1].unflatten(0, (-1, size[0] * size[1]))
        x = self.last(self.mix(x.transpose(0, 1)))
        return x.transpose(0, 1).unflatten(1, size).squeeze(-1).unsqueeze(1)


def test_steps_first_and_places_first_are_maps() -> None:
    torch.manual_seed(0)
    history = np.random.default_rng(0).poisson(1.0, (LAGS, 1, 12, 16))
    one = look(Recurrent(), history)
    past = one.axes("past", (LAGS, 192, 6))
    assert (past.proven, past.is_map, past.steps, past.channels, past.batch) == (
        True,
        True,
        0,
        (2,),
        1,
    )
    last = one.axes("last", (192, 1, 1))
    assert (last.proven, last.places, last.batch) == (True, (12, 16), 1)
    assert one.activations()["last"].shape == (1, 12, 16)
    assert one.activations()["last"] == pytest.approx(one.forecast(), abs=1e-6)


class Rolled(nn.Module):
    def __init__(self, by: tuple[int, int] = (4, 4)) -> None:
        super().__init__()
        self.by = by
        self.near, self.point, self.last = (
            nn.Conv2d(LAGS, 3, 3, padding=1), nn.Conv2d(3, 3, 1), nn.Conv2d(3, 1, 1)
        )  # fmt: skip

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = torch.roll(self.near(history.flatten(1, 2)), self.by, (2, 3))
        return self.last(torch.roll(self.point(x), (-self.by[0], -self.by[1]), (2, 3)))


@pytest.mark.parametrize("by", [(4, 4), (10, 14), (0, -14), (-10, 0)])
def test_a_map_that_lies_elsewhere_is_marked(by: tuple[int, int]) -> None:
    torch.manual_seed(0)
    proof = look(Rolled(by), np.random.default_rng(0).poisson(1.0, (LAGS, 1, 20, 28))).prove()
    assert [(doubt.check, doubt.layer) for doubt in proof.doubts] == [("field", "point")]
    assert "elsewhere" in proof.doubts[0].why


class Extra(nn.Module):
    """Cells as tokens with others before and after them."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.before, self.after = before, after
        self.first = nn.Parameter(torch.randn(1, before, LAGS))
        self.end = nn.Parameter(torch.randn(1, after, LAGS))
        self.point, self.last = nn.Linear(LAGS, 6), nn.Linear(6, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = history.flatten(1, 2).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(len(x), -1, -1), x, self.end.expand(len(x), -1, -1)], 1)
        x = self.point(x)[:, self.before : x.shape[1] - self.after]
        return self.last(x).transpose(1, 2).unflatten(2, history.shape[-2:])


@pytest.mark.parametrize(("before", "after"), [(0, 1), (1, 0), (1, 4), (0, 2), (1, 1)])
def test_tokens_before_and_after_the_places(before: int, after: int) -> None:
    torch.manual_seed(0)
    history = np.random.default_rng(0).poisson(1.0, (LAGS, 1, 12, 20)).astype(np.float32)
    one = look(Extra(before, after), history)
    weight = one.network.point.weight.detach().numpy()  # type: ignore[union-attr]
    bias = one.network.point.bias.detach().numpy()  # type: ignore[union-attr]
    wanted = np.einsum("oc,chw->ohw", weight, history[:, 0]) + bias[:, None, None]
    assert one.activations()["point"] == pytest.approx(wanted, abs=1e-5)


class Views(nn.Module):
    """The map and its mirror image through the same layer, as samples of a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.near, self.last = nn.Conv2d(LAGS, 5, 3, padding=1), nn.Conv2d(5, 1, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = history.flatten(1, 2)
        both = self.near(torch.stack([x, x.flip(-1)], 1).flatten(0, 1)).unflatten(0, (-1, 2))
        return self.last(both[:, 0] + both[:, 1].flip(-1))


def test_of_views_in_the_batch_the_last_is_shown_the_right_way_round() -> None:
    torch.manual_seed(0)
    history = np.random.default_rng(0).poisson(1.0, (LAGS, 1, 12, 20)).astype(np.float32)
    one = look(Views(), history)
    with torch.no_grad():
        given = torch.from_numpy(history[:, 0])[None].flip(-1)
        wanted = one.network.near(given).flip(-1)[0].numpy()  # type: ignore[operator]
    assert one.activations()["near"] == pytest.approx(wanted, abs=1e-5)
    field = one.field((4, 5), "near")
    assert (field.rows, field.columns) == ((3, 5), (4, 6))


class Summed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.near, self.last = nn.Conv2d(LAGS, 3, 1), nn.Conv2d(3, 1, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        return self.last(self.near(history.flatten(1, 2)).cumsum(-1))


@pytest.mark.parametrize("seed", range(6))
def test_a_one_sided_map_is_never_turned(seed: int) -> None:
    torch.manual_seed(seed)
    one = look(Summed(), np.random.default_rng(seed).poisson(1.0, (LAGS, 1, 12, 20)))
    assert one.activations()["last"] == pytest.approx(one.forecast(), abs=1e-6)


class Canvas(nn.Module):
    """Filled up to a multiple of eight, and cut at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.near, self.last = nn.Conv2d(LAGS, 4, 3, padding=1), nn.Conv2d(4, 1, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        height, width = history.shape[-2:]
        x = nn.functional.pad(history.flatten(1, 2), (0, -width % 8, 0, -height % 8))
        return self.last(self.near(x))[..., :height, :width]


@pytest.mark.parametrize("size", [(12, 20), (5, 7), (9, 9)])
def test_a_canvas_that_is_larger_than_the_city_is_marked(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    proof = look(Canvas(), np.random.default_rng(0).poisson(1.0, (LAGS, 1, *size))).prove()
    assert {doubt.layer for doubt in proof.doubts} >= {"near", "last"}


class OneSample(nn.Module):
    def __init__(self, both: bool) -> None:
        super().__init__()
        self.both, self.near = both, nn.Conv2d(LAGS, 1, 3, padding=1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> object:
        x = self.near(history.flatten(1, 2))
        return (x, 1) if self.both else x.view(1, 1, *history.shape[-2:])


@pytest.mark.parametrize("both", [True, False])
def test_what_breaks_the_contract_is_a_doubt(both: bool) -> None:
    torch.manual_seed(0)
    proof = look(OneSample(both), np.random.default_rng(0).poisson(1.0, (LAGS, 1, 12, 20))).prove()
    assert not proof.proven


class Turned(nn.Module):
    """A layer on rows or columns in another order, and the way back."""

    def __init__(self, how: str, kernel: int) -> None:
        super().__init__()
        self.how = how
        self.near = nn.Conv2d(LAGS, 3, 1)
        self.point = nn.Conv2d(3, 3, kernel, padding=kernel // 2)
        self.last = nn.Conv2d(3, 1, 1)

    def turned(self, x: Tensor, back: bool) -> Tensor:
        if self.how == "serpentine":
            y = x.clone()
            y[:, :, 1::2] = y[:, :, 1::2].flip(-1)
            return y
        width = x.shape[-1]
        order = torch.cat([torch.arange(0, width, 2), torch.arange(1, width, 2)])
        return x[..., order.argsort() if back else order]

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = self.turned(self.near(history.flatten(1, 2)), False)
        return self.last(self.turned(self.point(x), True))


@pytest.mark.parametrize(
    ("how", "kernel"), [("serpentine", 1), ("even and odd", 1), ("even and odd", 3)]
)
def test_a_map_whose_parts_lie_elsewhere_is_marked(how: str, kernel: int) -> None:
    torch.manual_seed(0)
    history = np.random.default_rng(0).poisson(1.0, (LAGS, 1, 12, 20))
    proof = look(Turned(how, kernel), history).prove()
    assert "point" in {doubt.layer for doubt in proof.doubts}


class OneStep(nn.Module):
    """A sequence of a single step with few features, which may look like steps."""

    def __init__(self, features: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.point: nn.Module = (
            nn.Linear(LAGS, features) if kind == "linear" else nn.Conv1d(LAGS, features, 1)
        )
        self.act = nn.Tanh()
        self.after = nn.Conv2d(features, 1, 3, padding=1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        rows = history[:, :, 0].movedim(1, -1).flatten(0, 2)  # (B·H·W, lags)
        made = self.act(self.point(rows[:, None] if self.kind == "linear" else rows[..., None]))
        maps = made.flatten(1).unflatten(0, (len(history), *history.shape[-2:]))
        return self.after(maps.movedim(-1, 1))


@pytest.mark.parametrize("kind", ["linear", "convolution"])
@pytest.mark.parametrize("features", [2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_few_features_of_one_step_are_no_steps(features: int, kind: str, seed: int) -> None:
    torch.manual_seed(seed)
    network = OneStep(features, kind)
    history = np.random.default_rng(seed).poisson(1.0, (LAGS, 1, 12, 10)).astype(np.float32)
    shown = look(network, history, np.zeros(4, dtype=np.float32)).activations()
    rows = torch.tensor(history[:, 0]).movedim(0, -1).flatten(0, 1)
    made = network.point(rows[:, None] if kind == "linear" else rows[..., None]).flatten(1)
    for label, maps in (("point", made), ("act", made.tanh())):
        expected = maps.detach().T.unflatten(1, (12, 10)).numpy()
        np.testing.assert_allclose(shown[label], expected, atol=1e-6)
