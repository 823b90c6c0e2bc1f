"""A few networks of the zoo; `bench/zoo.py` tries a thousand."""

import pytest
import torch

from bench.zoo import wrong_of
from crimecast.inspect.notebook import Look
from tests.networks.zoo import BLOCKS, Composed, inputs, perturbed, random_network


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_shown_wrongly_of_a_random_network(seed: int) -> None:
    look = Look(random_network(seed), *inputs())
    truth = perturbed(look.network, [(6, 8)], 2)[0]
    assert wrong_of(look, look.prove(), truth) == []


def test_every_block_gives_what_the_next_can_take() -> None:
    import random

    for name in BLOCKS:
        torch.manual_seed(0)
        network = Composed([name], [False], random.Random(0)).eval()
        with torch.no_grad():
            assert network(*inputs()).shape == (1, 1, 12, 16), name


def test_a_field_that_is_too_small_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof is one: with a rule that is wrong it doesn't pass."""
    from crimecast.networks import flow

    monkeypatch.setitem(flow.RULES, "convolution", lambda op, asked: flow.pointwise(op, asked))
    torch.manual_seed(0)
    network = torch.nn.Conv2d(4, 4, 3, padding=1)

    class One(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.near = network

        def forward(self, history: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
            return self.near(history[:, :, 0])

    proof = Look(One(), *inputs()).prove()
    assert not proof.proven
    assert proof.layers[-1].field is None
    assert any("its operations say" in check.why for check in proof.doubts)
