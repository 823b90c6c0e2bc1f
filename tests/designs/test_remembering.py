"""Memory layers: what they say is the decayed mean of the half-life they have, spread and shrunk; a mixture of them is
a Hawkes process."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from crimecast import UserError
from crimecast.calendar.steps import Step
from crimecast.designs.build import Network, build
from crimecast.designs.inputs import channel_inputs, map_count, past_count
from crimecast.designs.remembering import FASTER, TINY, Memory, Mixture
from crimecast.designs.spec import Design, load_design, parse_design
from crimecast.grids.cube import Cube
from crimecast.grids.memories import decayed_means
from crimecast.training.maps import input_maps

STEPS, SIDE = 400, 12
RNG = np.random.default_rng(0)
AREA = np.ones((SIDE, SIDE), dtype=bool)
AREA[:3, :4] = False
COUNTS = (RNG.poisson(np.outer(np.linspace(0.1, 0.6, SIDE), np.ones(SIDE)), (STEPS, 2, SIDE, SIDE)) * AREA).astype(np.float32)  # fmt: skip
DAYS = np.datetime64("2020-01-01") + np.arange(STEPS).astype("timedelta64[D]")


def design() -> Design:
    return load_design("memory")


def made(one: Design, t: int) -> torch.Tensor:
    """(1, S, H, W) the input maps of a step."""
    cube = Cube(
        "g", "city", COUNTS, DAYS.astype("datetime64[us]"), ("a", "b"), np.arange(SIDE) * 500.0,
        np.arange(SIDE) * 500.0, None, Step(1, "d"), 500.0,
    )  # fmt: skip
    maps = np.zeros((STEPS, len(channel_inputs(one, 2)), int(AREA.sum())), dtype=np.float16)
    input_maps(cube, one, AREA, np.zeros_like(COUNTS), np.ones((STEPS, 2)), 1, maps)
    full = np.zeros((1, maps.shape[1], SIDE, SIDE), dtype=np.float32)
    full[0][:, AREA] = maps[t]
    return torch.from_numpy(full)


def layer(one: Design) -> Memory:
    network = build(one, 2, SIDE, SIDE, 14)
    assert isinstance(network, Network)
    found = network.blocks["memories"]
    assert isinstance(found, Memory)
    return found


def set_to(memory: Memory, half_life: float, spread: float, evidence: float) -> None:
    with torch.no_grad():
        memory.log_half_life.fill_(math.log2(half_life) / FASTER)
        memory.spread.fill_(spread / FASTER)
        memory.log_evidence.fill_(math.log(evidence) / FASTER)


@pytest.mark.parametrize("half_life", [1.0, 3.3, 19.0, 100.0, 777.0])
def test_a_memory_is_the_decayed_mean_of_its_half_life(half_life: float) -> None:
    one, t = design(), 350
    memory = layer(one)
    set_to(memory, half_life, 0.0, 1e-4)
    said = memory(made(one, t))[0].detach().numpy().reshape(-1, 2, SIDE, SIDE)[0]
    with np.errstate(divide="ignore"):
        true = decayed_means(COUNTS, [half_life], AREA)[t, 0]
    # Its rates, without the prior that the baseline's have, by the same sums.
    weight = 2.0 ** (-1 / half_life)
    ages = np.arange(t)[::-1]
    own = np.tensordot(weight**ages, COUNTS[:t], axes=(0, 0)) / (weight**ages).sum()
    mean = own[:, AREA].mean(axis=1)[:, None, None]
    got = np.exp(said) * (mean + TINY) - TINY
    assert np.allclose(got[:, AREA], own[:, AREA], atol=0.02 * own.max() + 0.004, rtol=0.03)
    assert np.corrcoef(got[:, AREA].ravel(), true[:, AREA].ravel())[0, 1] > 0.98


def test_its_spread_is_a_gaussian_within_the_city() -> None:
    one, t = design(), 350
    memory = layer(one)
    set_to(memory, 64.0, 1.4, 1e-4)
    said = memory(made(one, t))[0].detach().numpy().reshape(-1, 2, SIDE, SIDE)
    maps = made(one, t)[0].numpy()
    row = one.past.index(64)
    rates, inside = maps[2 * row : 2 * row + 2], AREA.astype(float)
    blur = [gaussian_filter(r, 1.4, mode="constant", radius=8) for r in rates]
    true = np.array(blur) / gaussian_filter(inside, 1.4, mode="constant", radius=8)
    mean = rates[:, AREA].mean(axis=1)[:, None, None]
    assert np.allclose(np.exp(said[10])[:, AREA], (true / mean)[:, AREA], rtol=0.01, atol=0.003)
    assert (said[:, :, ~AREA] == 0).all()


def test_with_much_evidence_for_the_mean_all_cells_are_alike() -> None:
    one = design()
    memory = layer(one)
    set_to(memory, 64.0, 0.0, 1e8)
    said = memory(made(one, 300))[0].detach()
    assert float(said[:, torch.from_numpy(AREA)].std(dim=1).max()) < 1e-3


def test_a_half_life_is_learnt() -> None:
    """From the forecasts of a process whose half-life is 10 days, started at 100."""
    one = design()
    memory = layer(one)
    truth = layer(one)
    set_to(memory, 100.0, 0.0, 1.0)
    set_to(truth, 10.0, 0.0, 1.0)
    batch = torch.cat([made(one, t) for t in (200, 260, 320, 390)])
    target = truth(batch)[:, :2].detach()
    optimiser = torch.optim.Adam([memory.log_half_life], lr=2e-2)
    for _ in range(80):
        optimiser.zero_grad()
        loss = ((memory(batch)[:, :2] - target) ** 2).mean()
        loss.backward()
        optimiser.step()
    assert abs(math.log2(float(memory.half_lives()[0]) / 10.0)) < 0.3


def test_a_contrast_says_what_maps_differ_by() -> None:
    network = build(design(), 2, SIDE, SIDE, 14)
    assert isinstance(network, Network)
    maps = torch.randn(3, 2 * 33, SIDE, SIDE)
    said = network.blocks["differences"](maps).unflatten(1, (33, 2))
    parts = maps.unflatten(1, (33, 2))
    assert torch.equal(said[:, 7], parts[:, 7])
    assert torch.equal(said[:, 23:], parts[:, 23:])
    assert torch.allclose(said[:, 22], parts[:, 22] - parts[:, 7])


def test_a_mixture_of_constant_weights_is_a_sum_of_rates() -> None:
    network = build(design(), 2, SIDE, SIDE, 14)
    assert isinstance(network, Network)
    mixture = network.blocks["mixed"]
    assert isinstance(mixture, Mixture)
    memories = torch.randn(3, 2 * 33, SIDE, SIDE)
    said = mixture(torch.randn(3, 32, SIDE, SIDE), memories, torch.randn(3, 14))
    by_type = memories.unflatten(1, (33, 2))
    assert torch.allclose(said, by_type.exp().mean(dim=1).log(), atol=1e-3)


def test_nothing_of_its_own_step_or_later_is_seen() -> None:
    one, t = design(), 300
    before = made(one, t)
    changed = COUNTS.copy()
    COUNTS[t:] += 5
    try:
        assert torch.equal(made(one, t), before)
        assert not torch.equal(made(one, t + 1), before)
    finally:
        COUNTS[:] = changed


def test_maps_for_memories_are_no_frames() -> None:
    one = design()
    assert past_count(one, 2) == map_count(one, 2) == len(channel_inputs(one, 2))
    network = build(one, 2, SIDE, SIDE, 14)
    assert isinstance(network, Network)
    assert network.laid[0].takes == ((len(channel_inputs(one, 2)), SIDE, SIDE),)
    assert sum(p.numel() for p in network.parameters()) == sum(p.parameters for p in network.laid)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('inputs = ["past"]', "remembers what is past"),
        ("count = 10", "count must be a whole number"),
    ],
)
def test_what_is_no_memory_is_refused(change: str, said: str) -> None:
    from crimecast.designs.spec import to_toml

    other = {'inputs = ["past"]': "", "count = 10": "count = 1"}[change]
    text = to_toml(design())
    assert change in text
    with pytest.raises(UserError, match=said):
        build(parse_design(text.replace(change, other)), 1, SIDE, SIDE, 14)
    with pytest.raises(UserError):
        build(replace(design(), past=()), 1, SIDE, SIDE, 14)


def test_weights_of_memories_do_not_decay() -> None:
    memory: nn.Module = layer(design())
    assert memory.weight_decay == 0.0


def test_samples_of_a_batch_are_kept_apart_and_precision_is_kept() -> None:
    memory = layer(design()).double()
    rng = torch.Generator().manual_seed(3)
    past = torch.rand(2, memory.types * sum(memory.rows) + 1, SIDE, SIDE, generator=rng).double()
    past[0, -1, :4] = 0.0  # another city than the other sample's
    with torch.no_grad():
        together, alone = memory(past), torch.cat([memory(past[:1]), memory(past[1:])])
    assert together.dtype == torch.float64
    assert (together - alone).abs().max() < 1e-12
