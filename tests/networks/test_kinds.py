"""Every kind of module: what it sees, which axis is its channels, and what runs, against brute force."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from crimecast.designs.build import named_layers
from crimecast.inspect.activations import capture
from crimecast.inspect.notebook import look
from crimecast.inspect.receptive import field_of_forecast, weights_that_reach
from crimecast.inspect.trial import double
from crimecast.networks.moved import axes_of
from crimecast.networks.tape import record
from tests.networks.kinds import HEIGHT, KINDS, WIDTH, Attention, Kind, Twice


def inputs(seed: int = 0) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return {
        "history": 3 * torch.rand(1, 7, 1, HEIGHT, WIDTH),
        "calendar": torch.rand(1, 11),
        "static": torch.rand(1, 0, HEIGHT, WIDTH),
    }


def made(name: str) -> nn.Module:
    torch.manual_seed(1)
    return KINDS[name]().eval()


@torch.no_grad()
def perturbed(network: nn.Module, cell: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Change each row, then each column, in double precision, and see whether the cell changes."""
    exact = copy.deepcopy(network)._apply(double)
    seen: list[set[int]] = [set(), set()]
    for seed in range(4):
        given = [x.double() for x in inputs(seed).values()]
        before = exact(*given)[0, :, cell[0], cell[1]].clone()
        for axis in (0, 1):
            for i in range((HEIGHT, WIDTH)[axis]):
                history = given[0].clone()
                history.select(axis - 2, i).add_(torch.rand(1, dtype=torch.float64))
                other = exact(history, *given[1:])[0, :, cell[0], cell[1]]
                if float((other - before).abs().max()) > 1e-12:
                    seen[axis].add(i)
    return (min(seen[0]), max(seen[0])), (min(seen[1]), max(seen[1]))


@pytest.mark.parametrize("name", list(KINDS))
def test_a_kind_sees_what_changes_it(name: str) -> None:
    network = made(name)
    tape = record(network, named_layers(network), inputs())
    for cell in ((6, 4), (1, 8)):
        field = field_of_forecast(tape, cell, statistics=True)
        low, high = perturbed(network, cell)
        assert field.rows[0] <= low[0]
        assert field.rows[1] >= low[1]
        assert field.columns[0] <= high[0]
        assert field.columns[1] >= high[1]
        if name not in ("sort", "gather"):  # whose order is the data's
            assert (field.rows, field.columns) == (low, high)
        assert field.unproven == ()


def test_what_mixes_the_map_is_named() -> None:
    for name, word in (("sort", "sort"), ("gather", "gather"), ("cdist", "euclidean_dist")):
        field = field_of_forecast(record(made(name), {}, inputs()), (6, 4), statistics=True)
        assert word in field.whole
    network = made("Attention")
    tape = record(network, named_layers(network), inputs())
    assert field_of_forecast(tape, (6, 4)).whole == ("look",)
    tape = record(made("a norm of the map"), {}, inputs())
    field = field_of_forecast(tape, (6, 4))  # by convention statistics are named, not counted
    assert (field.rows, field.columns, field.statistics) == ((6, 6), (4, 4), ("native_batch_norm",))


class Strange(Kind):
    """An operation that no rule knows."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.mix = how, nn.Conv2d(7, 1, 1)

    def net(self, x: Tensor) -> Tensor:
        made = self.mix(x)
        if self.how == "unknown":
            return made + torch.linalg.svdvals(made).mean()
        if self.how == "sparse":
            some = made[0, 0].to_sparse()
            return made + torch.sparse.mm(some, made[0, 0].T)[: made.shape[2], :1]
        if self.how == "branch":
            return made if x.sum() > 0 else -made
        return made + torch.from_numpy(x.detach().numpy()[:, :1].copy())


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("unknown", "`linalg_svd` in `forward`"),
        ("branch", "`item` in `forward`"),
        ("sparse", "`_to_sparse` in `forward`"),
        ("numpy", "`numpy` in `forward`"),
    ],
)
def test_what_no_rule_knows_counts_as_seeing_everything_and_is_named(how: str, said: str) -> None:
    field = field_of_forecast(record(Strange(how), {}, inputs()), (6, 4))
    assert field.rows == (0, HEIGHT - 1)
    assert field.columns == (0, WIDTH - 1)
    assert field.unproven == (said,)


WHERE = {
    ("ChannelsLast", "norm"): ((1, 2), (3,), None),
    ("ChannelsLast", "out"): ((1, 2), (3,), None),
    ("Volume", "near"): ((3, 4), (1,), 2),
    ("Sequence", "frame"): ((2, 3), (1,), None),
    ("Sequence", "join"): ((3, 4), (2,), 1),
    ("Attention", "embed"): ((2, 3), (1,), None),
    ("Attention", "look"): ((1, 1), (2,), None),
    ("CellByCell", "past"): ((0, 0), (2,), 1),
    ("Scripted", "a"): ((2, 3), (1,), None),
    ("Dictionary", "inside"): ((2, 3), (1,), None),
}  # fmt: skip


@pytest.mark.parametrize(("name", "layer"), list(WHERE))
def test_channels_are_the_axis_that_is_no_place(name: str, layer: str) -> None:
    network = made(name)
    axes = axes_of(network, named_layers(network), inputs())[layer]
    places, channels, steps = WHERE[name, layer]
    assert axes.proven
    assert ((axes.rows, axes.columns), axes.channels, axes.steps) == (places, channels, steps)


@pytest.mark.parametrize("name", list(KINDS))
def test_maps_are_the_layers_own_values_turned(name: str) -> None:
    network = made(name)
    layers = named_layers(network)
    axes = axes_of(network, layers, inputs())
    with torch.no_grad(), capture(network, list(layers)) as caught:
        plain = network(*inputs().values())
    with torch.no_grad():
        assert torch.equal(network(*inputs().values()), plain)
    assert set(axes) == set(caught)
    for label, x in caught.items():
        if axes[label].is_map:
            maps = axes[label].sequence(x)
            assert maps.numel() == x.numel()
            assert torch.equal(maps.flatten().sort()[0], x.flatten().sort()[0])
            assert axes[label].maps(x).shape[0] == 1


def test_calls_of_one_module_are_told_apart() -> None:
    network = Twice().eval()
    with torch.no_grad(), capture(network, ["act"]) as caught:
        network(*inputs().values())
        assert {label: x.shape[1] for label, x in caught.items()} == {"act:1": 4, "act:2": 8}
    for label in ("act:1", "act:2"):
        with torch.no_grad(), capture(network, [label]) as caught:
            network(*inputs().values())
            assert list(caught) == [label]
    calls = record(network, named_layers(network), inputs()).calls
    assert list(calls) == ["a", "act:1", "b", "act:2", "out"]
    assert [c.takes for c in calls.values()] == [
        ("inputs",), ("a",), ("act:1",), ("b",), ("act:2",),
    ]  # fmt: skip


def test_weights_that_another_module_reads_are_used() -> None:
    network = Attention().eval()
    tape = record(network, named_layers(network), inputs())
    assert "look.out_proj" not in tape.calls
    assert "look.out_proj" in weights_that_reach(tape)
    assert list(tape.calls) == ["embed", "look", "out"]


def test_the_graph_of_a_weight_that_is_made_is_the_layers_own() -> None:
    network = made("Parametrised")
    assert list(named_layers(network)) == ["a", "b", "out"]
    calls = record(network, named_layers(network), inputs()).calls
    assert [(c.label, c.takes) for c in calls.values()] == [
        ("a", ("inputs",)), ("b", ("a",)), ("out", ("b",)),
    ]  # fmt: skip


class Tokens(torch.nn.Module):
    """Tokens before samples, (N, B, D), as torch's own attention takes them by default."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.rate = torch.nn.Linear(6, 16), torch.nn.Linear(16, 1)

    def forward(self, history: torch.Tensor, _c: torch.Tensor, _s: torch.Tensor) -> torch.Tensor:
        tokens = self.embed(history.flatten(1, 2).flatten(2).permute(2, 0, 1))
        made = self.rate(tokens.relu()).permute(1, 2, 0)
        return made.reshape(-1, 1, *history.shape[-2:])


@pytest.mark.parametrize("size", [(12, 8), (8, 8), (12, 10), (16, 16)])
def test_tokens_before_samples_are_maps(size: tuple[int, int]) -> None:
    seen = look(Tokens(), np.random.default_rng(0).poisson(1.0, (6, 1, *size)))
    with torch.no_grad():
        raw = seen.network.embed(seen.history.flatten(1, 2).flatten(2).permute(2, 0, 1))
    maps = raw.reshape(*size, 16).permute(2, 0, 1).numpy()
    assert np.allclose(seen.activations()["embed"], maps)
    assert seen.prove().proven
    assert seen.field((3, 2), "embed").size == (1, 1)
    assert seen.field((3, 2)).size == (1, 1)


ROUTES = {
    "a branch": lambda h, y: y * 2 if torch.allclose(h[..., 0, :], h[..., 1, :]) else y,
    "the size of a mask": lambda h, y: y * (1 + len(h[h > 9])),
    "what is found": lambda h, y: y * (1 + (h > 9).nonzero().shape[0]),
    "what is told apart": lambda h, y: y * (1 + (h > 9).unique().numel()),
    "how often": lambda h, y: y * (1 + torch.arange(2).repeat_interleave((h[0, 0, 0, 0, :2] > 9).long()).numel()),
}  # fmt: skip


class Routed(torch.nn.Module):
    """What happens depends on the values, which no tape of one pass holds."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.near = ROUTES[how], torch.nn.Conv2d(6, 1, 3, padding=1)

    def forward(self, history: torch.Tensor, _c: torch.Tensor, _s: torch.Tensor) -> torch.Tensor:
        return self.how(history, self.near(history.flatten(1, 2)))


@pytest.mark.parametrize("how", ROUTES)
def test_what_values_decide_is_not_proven(how: str) -> None:
    seen = look(Routed(how), np.random.default_rng(0).poisson(1.0, (6, 1, 12, 8)))
    field = seen.field((6, 4))
    assert field.unproven
    assert field.size == (12, 8)


def test_a_mask_that_is_known_decides_nothing() -> None:
    class Cut(Routed):
        def forward(self, history: torch.Tensor, _c: torch.Tensor, _s: torch.Tensor) -> torch.Tensor:  # fmt: skip
            kept = torch.arange(6) % 2 == 0
            return self.near(torch.cat([history[:, kept], history[:, kept]], 1).flatten(1, 2))

    field = look(Cut("a branch"), np.ones((6, 1, 12, 8))).field((6, 4))
    assert field.size == (3, 3)
    assert not field.unproven
