"""The optimiser's own step beside PyTorch's clipping and step, one after the other."""

import copy
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from crimecast.training import checkpoints
from crimecast.training.optimising import AdamW, parameter_groups


def network() -> nn.Module:
    torch.manual_seed(1)
    made = nn.Sequential(nn.Conv2d(2, 5, 3), nn.GELU(), nn.BatchNorm2d(5), nn.Conv2d(5, 1, 1))
    made[3].weight_decay = 0.3  # a group of its own
    made[1].exact = nn.Parameter(torch.tensor(0.5, dtype=torch.float64))
    made.unused = nn.Linear(3, 3)  # no gradient ever gets there
    return made.to(memory_format=torch.channels_last)


def loss(of: nn.Module, step: int) -> torch.Tensor:
    images = torch.randn(4, 2, 8, 7, generator=torch.Generator().manual_seed(step))
    forecast = of[3](of[2](of[1](of[0](images)))) * of[1].exact
    return 30 * (forecast - 1).square().mean()


@pytest.mark.parametrize("limit", [1e-3, 1.0, 1e6])
def test_step_is_that_of_pytorch(limit: float) -> None:
    ours, peer = network(), network()
    mine = AdamW(ours, 1e-2, 0.1)
    theirs = torch.optim.AdamW(parameter_groups(peer, 0.1), lr=1e-2)
    for step in range(25):
        for optimiser in (mine, theirs):
            optimiser.zero_grad()
            for group in optimiser.param_groups:
                group["lr"] = 1e-2 / (1 + step)
        loss(ours, step).backward()
        loss(peer, step).backward()
        expected = nn.utils.clip_grad_norm_(peer.parameters(), limit)
        theirs.step()
        torch.testing.assert_close(
            mine.clipped_step(limit), expected, check_dtype=False, rtol=1e-6, atol=0.0
        )
        for a, b in zip(ours.parameters(), peer.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    assert not torch.equal(ours[0].weight, network()[0].weight)
    assert torch.equal(ours.unused.weight, network().unused.weight)


def test_goes_on_from_a_checkpoint_as_if_nothing_had_been() -> None:
    whole, halves = network(), network()
    one, two = AdamW(whole, 1e-2, 0.1), AdamW(halves, 1e-2, 0.1)
    for step in range(6):
        if step == 3:
            state = copy.deepcopy(checkpoints.optimiser_state(two))
            two = AdamW(halves, 1e-2, 0.1)
            checkpoints.load_optimiser(two, state)
        for optimiser, made in ((one, whole), (two, halves)):
            optimiser.zero_grad()
            loss(made, step).backward()
            optimiser.clipped_step(1.0)
    for a, b in zip(whole.parameters(), halves.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_step_without_gradients_moves_nothing() -> None:
    still = network()
    assert AdamW(still, 1e-2, 0.1).clipped_step(1.0) == 0
    for a, b in zip(still.parameters(), network().parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_gradient_that_is_no_number_shows_in_the_norm_and_the_weights() -> None:
    broken = network()
    optimiser = AdamW(broken, 1e-2, 0.1)
    (loss(broken, 0) * float("nan")).backward()
    assert torch.isnan(optimiser.clipped_step(1.0))
    assert torch.isnan(broken[0].weight).any()


def test_complex_weights_move_as_pytorchs_own_step_moves_them() -> None:
    def network() -> nn.Module:
        torch.manual_seed(3)
        one = nn.Linear(4, 3)
        one.turn = nn.Parameter(torch.randn(5, dtype=torch.cfloat))
        return one

    ours, theirs = network(), network()
    step = AdamW(ours, 0.01, 0.1)
    peer = torch.optim.AdamW(parameter_groups(theirs, 0.1), lr=0.01)
    for _ in range(4):
        for one in (ours, theirs):
            one.zero_grad()
            (one.weight.sum() ** 2 + (one.turn * 2j).abs().pow(2).sum()).backward()
        step.clipped_step(1.0)
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
        peer.step()
    for own, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(own, other, atol=1e-6)


@pytest.mark.long
def test_training_does_not_load_the_compiler() -> None:
    code = (
        "import sys, torch\n"
        "from crimecast.training.checkpoints import load_optimiser, optimiser_state\n"
        "from crimecast.training.optimising import AdamW\n"
        "network = torch.nn.Linear(3, 1)\n"
        "optimiser = AdamW(network, 1e-3, 0.0)\n"
        "network(torch.ones(1, 3)).sum().backward()\n"
        "optimiser.clipped_step(1.0)\n"
        "optimiser.zero_grad()\n"
        "load_optimiser(optimiser, optimiser_state(optimiser))\n"
        "assert network.weight.grad is None and len(optimiser.state) == 2\n"
        "print('torch._dynamo' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
