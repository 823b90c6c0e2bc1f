"""What is caught equals an ordinary forward pass bit for bit, and no hook stays behind."""

import numpy as np
import pytest
import torch

from crimecast.errors import UserError
from crimecast.forecasting.forecasts import load_network, samples_of
from crimecast.grids.cube import load_cube
from crimecast.inspect.activations import activations, activations_of_steps, capture, named_layers
from crimecast.runs.run import load_run
from tests.runs.here import train


def hooks(network: torch.nn.Module) -> int:
    return sum(
        "forward" in vars(module) or len(module._forward_hooks) for module in network.modules()
    )


def test_activations_equal_the_layers_called_by_hand(sample: str) -> None:
    run = load_run("stack-1")
    cube = load_cube(sample)
    network, note = load_network(run)
    batch = samples_of(run, cube, note).batch(torch.tensor([640]))
    caught = activations(run, 640)
    with torch.no_grad():
        frames = torch.cat([torch.log1p(batch.history).flatten(1, 2), batch.static], dim=1)
        known = {"frames": frames.contiguous(memory_format=torch.channels_last)}
        for placed in network.laid:
            inputs = [known[name] for name in placed.inputs]
            if placed.layer.kind == "film":
                inputs.append(batch.calendar)
            known[placed.layer.name] = network.blocks[placed.layer.name](*inputs)
            assert np.array_equal(known[placed.layer.name][0].numpy(), caught[placed.layer.name])
        assert np.array_equal(
            network(batch.history, batch.calendar, batch.static)[0].numpy(), caught["log_rate"]
        )


def test_several_steps_at_once_equal_one_after_another(sample: str) -> None:
    run = load_run("stack-1")
    together = activations_of_steps(run, [600, 601, 602], ["wide_1"])["wide_1"]
    for i, step in enumerate((600, 601, 602)):
        assert np.allclose(together[i], activations(run, step, ["wide_1"])["wide_1"], atol=1e-5)


def test_no_hook_is_left_after_success_or_failure(sample: str) -> None:
    network, _ = load_network(load_run("stack-1"))
    with capture(network, list(named_layers(network))):
        assert hooks(network) == len(named_layers(network)) + 1  # and the network itself
    assert hooks(network) == 0
    with pytest.raises(IndexError), capture(network, ["stem"]):
        network(torch.rand(1), torch.rand(1), torch.rand(1))
    assert hooks(network) == 0
    with pytest.raises(UserError, match="no layer 'attic'"), capture(network, ["stem", "attic"]):
        pass
    assert hooks(network) == 0


def test_a_step_without_enough_history_is_refused(sample: str) -> None:
    with pytest.raises(UserError, match="can forecast steps from"):
        activations(load_run("stack-1"), 3)


def test_one_can_travel_through_training(sample: str) -> None:
    from crimecast.designs.spec import parse_design
    from crimecast.training.checkpoints import epochs_kept
    from tests.training.test_training import SMALL

    run = train(parse_design(SMALL), sample, epochs=2)
    assert epochs_kept(run.folder) == [1, 2]
    first = activations_of_steps(run, [640], ["stem"], 1)["stem"]
    last = activations_of_steps(run, [640], ["stem"], 2)["stem"]
    assert not np.allclose(first, last)
    if run.summary["best_epoch"] == 2:
        assert np.array_equal(last, activations_of_steps(run, [640], ["stem"])["stem"])
    with pytest.raises(UserError, match="missing or damaged"):
        activations_of_steps(run, [640], ["stem"], 9)
