"""Which axes are places: patches of any size, lists that are none, samples that don't come first."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from crimecast import UserError
from crimecast.inspect.attribution import attribute
from crimecast.inspect.exciting import excite
from crimecast.inspect.notebook import Look, look
from crimecast.inspect.specimen import specimen

HEIGHT, WIDTH, LAGS = 21, 28, 6


def looked(module: nn.Module, lags: int = LAGS) -> Look:
    torch.manual_seed(0)
    history = np.random.default_rng(0).poisson(1.0, (lags, 1, HEIGHT, WIDTH))
    return look(module, history)


class Patches(nn.Module):
    """Patches as tokens, after `before` learned ones, mixed a little, and back."""

    def __init__(self, size: int, before: int) -> None:
        super().__init__()
        self.size, self.before = size, before
        self.embed = nn.Conv2d(LAGS, 16, size, stride=size)
        self.first = nn.Parameter(torch.randn(1, before, 16))
        self.norm = nn.LayerNorm(16)
        self.attend = nn.MultiheadAttention(16, 2, batch_first=True)
        self.head = nn.Linear(16, size * size)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = self.embed(history.flatten(1, 2))
        high, wide = x.shape[-2:]
        x = torch.cat([self.first.expand(len(x), -1, -1), x.flatten(2).transpose(1, 2)], 1)
        y = self.norm(x)
        x = x + self.attend(y, y, y)[0]
        x = self.head(x)[:, self.before :]
        x = x.view(len(x), high, wide, self.size, self.size).permute(0, 1, 3, 2, 4)
        return x.reshape(len(x), 1, high * self.size, wide * self.size)


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("size", [7, 3])
def test_tokens_of_patches_are_maps(size: int, before: int) -> None:
    one = looked(Patches(size, before))
    shape = (HEIGHT // size, WIDTH // size)
    found = one.axes("norm", (1, before + shape[0] * shape[1], 16))
    if before and shape[0] * shape[1] < 16:
        assert not found.is_map  # so few after another one may be anything
    else:
        assert found.proven
        assert (found.places, found.before, found.channels) == (shape, before, (2,))


class Windows(nn.Module):
    """Six windows of time, each of its own: two and four of them look like a prefix and a map of 2 × 2."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(HEIGHT * WIDTH, 5)
        self.back = nn.Linear(30, HEIGHT * WIDTH)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = self.mix(history.flatten(2))
        return self.back(x.flatten(1)).view(-1, 1, HEIGHT, WIDTH)


def test_a_handful_of_windows_is_no_map() -> None:
    one = looked(Windows())
    assert not one.axes("mix", (1, 6, 5)).is_map


class StepsFirst(nn.Module):
    """Every step of every sample through one convolution, the steps before the samples or after."""

    def __init__(self, steps_first: bool) -> None:
        super().__init__()
        self.steps_first = steps_first
        self.near, self.last = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4 * LAGS, 1, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = history.transpose(0, 1) if self.steps_first else history
        x = self.near(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        x = x.transpose(0, 1) if self.steps_first else x
        return self.last(x.flatten(1, 2))


def test_steps_before_samples_are_not_taken_for_samples() -> None:
    shape = (LAGS, 4, HEIGHT, WIDTH)
    known = looked(StepsFirst(False)).axes("near", shape)
    assert known.proven
    assert (known.is_map, known.folded) == (True, LAGS)
    one = looked(StepsFirst(True))
    assert not one.axes("near", shape).proven
    assert "near" in {check.layer for check in one.prove().doubts}


class Threads(nn.Module):
    def __init__(self, layers: bool) -> None:
        super().__init__()
        self.layers = layers
        self.one, self.other = nn.Conv2d(LAGS, 1, 3, padding=1), nn.Conv2d(LAGS, 1, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = history.flatten(1, 2)
        with ThreadPoolExecutor(2) as pool:
            if self.layers:
                return sum(pool.map(lambda layer: layer(x), (self.one, self.other)))
            return pool.submit(lambda: x.mean((1, 2, 3), keepdim=True).expand(-1, 1, HEIGHT, WIDTH)).result()  # fmt: skip


def test_what_runs_in_other_threads_is_refused_or_marked() -> None:
    with pytest.raises(UserError, match="in another thread"):
        looked(Threads(True)).prove()
    field = looked(Threads(False)).field((5, 5))
    assert field.unproven
    assert (field.rows, field.columns) == ((0, HEIGHT - 1), (0, WIDTH - 1))


class Embeds(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.last = nn.Embedding(20, 3), nn.Conv2d(3, 1, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = self.embed(history[:, -1, 0].long().clamp(0, 19)).movedim(-1, 1)
        return self.last(x)


def test_what_cannot_be_excited_or_asked_about_is_said() -> None:
    maps = np.random.default_rng(0).poisson(1.0, (8, LAGS, HEIGHT, WIDTH))
    one = specimen(Embeds(), maps)
    with pytest.raises(UserError, match="No small change"):
        excite(one, "last", 0, (5, 5), [0, 1, 2, 3])
    with pytest.raises(UserError, match="no sample 8"):
        one.batch([8])
    seen = look(Embeds(), maps[0][:, None])
    for ask in (lambda: seen.field((-1, 3)), lambda: seen.field((3, WIDTH))):
        with pytest.raises(UserError, match="There is no cell"):
            ask()
    with pytest.raises(UserError, match="no type 1"):
        looked(StepsFirst(False)).gradient((3, 3), 1)
    with pytest.raises(UserError, match="no gradient"):
        looked(Detached()).gradient((3, 3))
    with pytest.raises(UserError, match="returns tuple"):
        looked(Pair()).forecast()


class Detached(StepsFirst):
    def __init__(self) -> None:
        super().__init__(False)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        return super().forward(history, calendar, static).detach()


class Pair(Detached):
    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> tuple[Tensor, int]:  # type: ignore[override]
        return super().forward(history, calendar, static), 1


class OneByOne(nn.Module):
    """Its layers run once for each sample."""

    def __init__(self) -> None:
        super().__init__()
        self.near, self.last = nn.Conv2d(LAGS, 5, 3, padding=1), nn.Conv2d(5, 1, 1)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        return torch.cat([self.last(self.near(x.flatten(0, 1)[None])) for x in history])


def test_layers_that_run_for_each_sample_are_changed_as_one_runs() -> None:
    one = looked(OneByOne())
    network, seen = one.network, one.forecast()
    for channels in ([0], [4], [0, 1, 2, 3, 4]):
        made = one.without("near", channels)

        def shut(
            _module: nn.Module, _given: object, out: Tensor, own: list[int] = channels
        ) -> Tensor:
            return out.index_fill(1, torch.tensor(own), 0.0)

        handle = network.get_submodule("near").register_forward_hook(shut)
        assert np.allclose(made, one.forecast(), atol=1e-6)
        handle.remove()
        assert np.abs(made - seen).max() > 1e-3
    for wrong in ([9], [-1]):
        with pytest.raises(UserError):
            one.without("near", wrong)


class Wrong(StepsFirst):
    def __init__(self) -> None:
        super().__init__(False)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        return super().forward(history, calendar, static).transpose(-1, -2)


class First(StepsFirst):
    """Keeps what it was given first."""

    def __init__(self) -> None:
        super().__init__(False)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        made = super().forward(history, calendar, static)
        if not hasattr(self, "kept"):
            self.kept = made.detach().mean(0, keepdim=True)
        return made - self.kept


class Mapped(StepsFirst):
    def __init__(self) -> None:
        super().__init__(False)

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = history.flatten(1, 2)
        return torch.vmap(lambda one: self.near(one[:1, None].transpose(0, 1)).mean((0, 1)))(x)[
            :, None
        ]


def test_what_is_no_forecast_or_keeps_the_first_is_not_proven() -> None:
    assert {check.check for check in looked(Wrong()).prove().doubts} == {"shape"}
    assert "order" in {check.check for check in looked(First()).prove().doubts}
    with pytest.raises(UserError, match=r"torch\.vmap"):
        looked(Mapped()).prove()


@pytest.mark.parametrize("cell", [(1.5, 2), (1, 2, 3)])
def test_a_cell_is_two_whole_numbers(cell: tuple[int, int]) -> None:
    with pytest.raises(UserError, match="two whole numbers"):
        looked(StepsFirst(False)).field(cell)
    with pytest.raises(UserError, match="is looked into, not function"):
        look(lambda: None, np.ones((2, 1, 5, 5)))  # type: ignore[arg-type]


class WrittenOver(nn.Module):
    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = history[:, -1].exp()
        y = x * x
        x.zero_()
        return y


class OneWay(torch.autograd.Function):
    @staticmethod
    def forward(_context: object, x: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def backward(_context: object, *slopes: Tensor) -> Tensor:
        raise RuntimeError("there is no way back")


class NoWayBack(nn.Module):
    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        return OneWay.apply(history[:, -1])


@pytest.mark.parametrize("module", [WrittenOver, NoWayBack])
def test_what_cannot_be_differentiated_is_said(module: type[nn.Module]) -> None:
    one = looked(module())
    with pytest.raises(UserError, match="can't be traced back"):
        one.gradient((3, 3))
    with pytest.raises(UserError, match="can't be traced back"):
        attribute(
            specimen(module(), np.random.default_rng(0).poisson(1.0, (8, LAGS, HEIGHT, WIDTH))),
            0,
            (3, 3),
        )
