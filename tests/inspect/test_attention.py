"""Attention is shown as it is: equal to what layers say of themselves, on the places that it is of."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from crimecast.designs.build import build
from crimecast.designs.spec import parse_design
from crimecast.inspect.attention import ITSELF, attentions
from crimecast.inspect.specimen import specimen

HEIGHT, WIDTH = 12, 10
RANDOM = np.random.default_rng(0)
MAPS = RANDOM.poisson(2.0, (3, 4, HEIGHT, WIDTH))
SPEC = """name = "asks"
lags = [1, 2, 7]
calendar = ["dow"]
[[layer]]
name = "past"
kind = "lag_attention"
inputs = ["history"]
channels = 4
[[layer]]
name = "rate"
kind = "head"
"""


class Places(nn.Module):
    """Each cell attends to all cells; `fused` without weights of its own, `first` other tokens before."""

    def __init__(self, fused: bool = False, first: int = 0, patch: int = 1) -> None:
        super().__init__()
        self.fused, self.first, self.patch = fused, first, patch
        self.embed = nn.Conv2d(4, 8, patch, patch)
        self.attend = nn.MultiheadAttention(8, 2, batch_first=True)
        self.token = nn.Parameter(torch.randn(1, first, 8))
        self.out = nn.Linear(8, patch * patch)
        self.weights: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x)
        shape = x.shape[-2:]
        tokens = x.flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(x), -1, -1), tokens], dim=1)
        if self.fused:
            one = tokens.unflatten(-1, (2, 4)).transpose(1, 2)
            made = functional.scaled_dot_product_attention(3 * one, one, one)
            self.weights = torch.softmax(3 * one @ one.transpose(-2, -1) / 2.0, -1).detach()
            made = made.transpose(1, 2).flatten(2)
        else:
            made, weights = self.attend(8 * tokens, 8 * tokens, tokens, average_attn_weights=False)
            self.weights = weights.detach()
        made = self.out(made[:, self.first :]).transpose(1, 2).unflatten(-1, shape)
        return functional.pixel_shuffle(made, self.patch)


def noisy(module: nn.Module) -> nn.Module:
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.4)
    return module.eval()


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("patch", [1, 2])
def test_what_a_place_attends_to_is_where_it_lies(fused: bool, first: int, patch: int) -> None:
    module = noisy(Places(fused, first, patch))
    found = attentions(specimen(module, MAPS), 1)
    # What the module works out for this test is seen as well, and is the same.
    assert len(found) == (2 if fused else 1)
    assert module.weights is not None
    module(torch.from_numpy(MAPS[1:2]).float())
    known = module.weights[0].mean(0).numpy()
    for one in found:
        assert one.of_places
        for cell in ((0, 0), (5, 7), (HEIGHT - 1, WIDTH - 1)):
            made = one.from_cell(cell, (HEIGHT, WIDTH))
            assert made is not None
            assert made.shape == (HEIGHT // patch, WIDTH // patch)
            row = first + (cell[0] // patch) * (WIDTH // patch) + cell[1] // patch
            np.testing.assert_allclose(made.ravel(), known[row, first:], atol=1e-6)


def test_each_cells_weights_of_its_own_past() -> None:
    history = RANDOM.poisson(2.0, (3, 3, 1, HEIGHT, WIDTH))
    design = parse_design(SPEC)
    network = noisy(build(design, 1, HEIGHT, WIDTH, 7))
    calendar = np.eye(7)[:3]
    (one,) = attentions(specimen(network, history, calendar=calendar), 2)
    assert (one.name, one.of_places) == ("past", False)
    made = one.by_key()
    assert made is not None
    assert made.shape == (3, HEIGHT, WIDTH)
    np.testing.assert_allclose(made.sum(axis=0), 1.0, atol=1e-5)
    layer = network.blocks["past"]  # type: ignore[union-attr, index]
    x = torch.log1p(torch.from_numpy(history[2:3]).float())[:, network.oldest_first]  # type: ignore[index]
    keys = layer.key(x.flatten(0, 1)).unflatten(0, (1, 3))
    asked = layer.query(torch.from_numpy(calendar[2:3]).float())[:, None, :, None, None]
    score = (keys * asked / keys.shape[2] ** 0.5).sum(2) + layer.lag[:, None, None]
    np.testing.assert_allclose(made, torch.softmax(score, 1)[0].detach().numpy(), atol=1e-5)


def test_sequences_of_each_cell() -> None:
    class Sequences(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Linear(1, 8)
            self.attend = nn.MultiheadAttention(8, 2, batch_first=True)
            self.out = nn.Linear(8, 1)

        def forward(self, x: Tensor) -> Tensor:
            steps = self.embed(x.permute(0, 2, 3, 1).flatten(0, 2)[..., None])
            made, _ = self.attend(4 * steps, 4 * steps, steps)
            return self.out(made[:, -1]).view(len(x), 1, *x.shape[-2:])

    (one,) = attentions(specimen(noisy(Sequences()), MAPS), 0)
    made = one.by_key()
    assert made is not None
    assert made.shape == (4, HEIGHT, WIDTH)
    np.testing.assert_allclose(made.sum(axis=0), 1.0, atol=1e-5)
    same = MAPS[0].reshape(4, -1)
    flat = made.reshape(4, -1)
    for a in range(0, 60, 7):  # cells with the same past weigh it alike
        for b in range(a + 1, 120):
            if (same[:, a] == same[:, b]).all():
                np.testing.assert_allclose(flat[:, a], flat[:, b], atol=1e-5)


def test_what_is_of_no_place_is_a_table() -> None:
    class Channels(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            flat = x.flatten(2)
            weights = torch.softmax(flat @ flat.transpose(1, 2) / 300, dim=-1)
            return (weights @ flat).mean(1).view(len(x), 1, *x.shape[-2:])

    (one,) = attentions(specimen(Channels(), MAPS), 0)
    assert (one.name, one.of_places, one.by_key(), one.from_cell((1, 1), (12, 10))) == ("net", False, None, None)  # fmt: skip
    np.testing.assert_allclose(one.table().sum(axis=1), 1.0, atol=1e-6)
    assert attentions(specimen(nn.Conv2d(4, 1, 1), MAPS), 0) == []
    assert ITSELF
