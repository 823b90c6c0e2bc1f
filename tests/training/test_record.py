"""What is recorded of layers is what they put out, and looking changes nothing."""

import pytest
import torch

from crimecast.designs.build import build, named_layers
from crimecast.designs.spec import parse_design
from crimecast.grids.cube import load_cube
from crimecast.inspect.activations import capture
from crimecast.training.record import FEW, Recorder
from crimecast.training.samples import Samples, log_rate

WITH_ALL = """
name = "with_all"
lags = [1, 2, 7]
calendar = ["dow"]
[[layer]]
name = "stem"
kind = "conv"
channels = 4
norm = "batch"
activation = "tanh"
[[layer]]
name = "drop"
kind = "dropout"
[[layer]]
name = "out"
kind = "head"
"""


def test_looking_tells_what_layers_put_out_and_leaves_the_network_as_it_was(sample: str) -> None:
    cube, design = load_cube(sample), parse_design(WITH_ALL)
    samples = Samples(cube, design, 400)
    network = build(design, 1, *cube.counts.shape[2:], samples.calendar.shape[1], seed=1).train()
    batch = samples.batch(torch.arange(100, 116))
    recorder = Recorder(network, samples, 70)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    random = torch.get_rng_state()
    recorder.look(batch)
    recorder.look(batch)
    assert torch.equal(torch.get_rng_state(), random)
    assert network.training
    assert all(module.training for module in network.modules())
    assert not any(module._forward_hooks for module in network.modules())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(value.grad is None for value in network.parameters())

    layers = recorder.entry()["layers"]
    few = samples.batch(torch.arange(100, 100 + FEW))
    names = list(named_layers(network))
    with torch.no_grad(), capture(network.eval(), names) as caught:
        log_rate(network, few)
    assert set(layers) == set(names)
    for name in names:
        value = caught[name].double()
        known = {
            "mean": value.mean(),
            "spread": value.std(),
            "zero": (value == 0).double().mean(),
            "full": ((value.abs() > 0.99) & (value.abs() < 1.01)).double().mean(),
        }
        for key, number in known.items():  # the recorder's pass is in mixed precision
            assert layers[name][key] == pytest.approx(float(number), rel=0.03, abs=0.01), (
                name,
                key,
            )
    assert recorder.entry() == {"layers": {}, "curve": []}


@pytest.mark.parametrize("batches", [1, 3, 49, 70, 400, 5000])
def test_a_few_steps_an_epoch_are_looked_at(sample: str, batches: int) -> None:
    design = parse_design(WITH_ALL)
    cube = load_cube(sample)
    samples = Samples(cube, design, 400)
    network = build(design, 1, *cube.counts.shape[2:], samples.calendar.shape[1])
    looked = sum(map(Recorder(network, samples, batches).looks, range(batches)))
    assert 1 <= looked <= 8
    assert looked <= batches / 50 + 1
