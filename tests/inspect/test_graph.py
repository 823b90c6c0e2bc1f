"""The graph, the parameters and the units of a network, against counting by hand."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from crimecast.inspect.graph import graph
from crimecast.inspect.health import histograms, units
from crimecast.inspect.parameters import weights
from crimecast.inspect.subject import epochs_kept, subject
from crimecast.runs.run import load_run


def test_the_graph_of_a_spec_is_its_wiring(sample: str) -> None:
    one = subject(load_run("stack-1"))
    nodes = graph(one)
    placed = {p.layer.name: p for p in one.network.laid}
    assert [n.name for n in nodes] == list(placed)
    for node in nodes:
        expected = {
            ("inputs" if t in ("frames", "history", "maps") else t)
            for t in placed[node.name].inputs
        }
        assert set(node.takes) - {"calendar"} == expected
        assert node.shape == placed[node.name].shape
        assert node.parameters == placed[node.name].parameters
    stem = nodes[0]
    assert stem.multiply_adds == 32 * placed["stem"].takes[0][0] * one.area.size
    assert {n.name for n in nodes if "calendar" in n.takes} == {"season_1", "season_2"}


def test_the_graph_of_any_module(sample: str) -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.unused = (
                nn.Conv2d(7, 4, 3, padding=1),
                nn.Conv2d(4, 4, 1),
                nn.Linear(2, 2),
            )
            self.out = nn.Conv2d(8, 1, 1)

        def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
            x = torch.relu(self.a(history[:, :, 0]))
            return self.out(torch.cat([x, self.b(x) * calendar.mean()], dim=1))

    one = subject(load_run("stack-1"))
    object.__setattr__(one, "network", Own())
    nodes = {n.name: n for n in graph(one)}
    assert list(nodes) == ["a", "b", "out"]
    assert nodes["a"].takes == ("inputs",)
    assert nodes["b"].takes == ("a",)
    assert set(nodes["out"].takes) == {"a", "b", "calendar"}
    assert nodes["a"].multiply_adds == 7 * 4 * 9 * one.area.size


def test_weights_are_those_of_the_layer_and_moved(sample: str) -> None:
    one = subject(load_run("stack-1"))
    (made,) = weights(one, "wide_1")
    own = one.layers["wide_1"].conv.weight.detach().numpy()
    assert np.array_equal(made.values, own)
    assert np.allclose(made.norms, np.linalg.norm(own.reshape(32, -1), axis=1))
    assert np.allclose(
        made.spectrum, np.linalg.svd(own.reshape(32, -1), compute_uv=False), atol=1e-5
    )
    assert 0.01 < made.change < 100
    kernel = made.kernel(1)
    assert kernel is not None
    assert np.allclose(kernel, np.abs(made.values[1]).reshape(len(kernel), -1))


def test_dead_and_full_channels_are_counted(sample: str) -> None:
    one = subject(load_run("stack-1"))

    class Sick(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = torch.tanh(x)
            y = torch.cat([torch.zeros_like(y[:, :1]), torch.ones_like(y[:, :1]), y[:, 2:]], dim=1)
            return y

    one.network.blocks["wide_1"].activation = Sick()
    found = units(one)["wide_1"]
    assert found.zero[0] == found.zero_at_events[0] == 1.0
    assert found.full[1] == 1.0
    assert found.zero[2] == 0.0


def test_histograms_over_training(sample: str) -> None:
    run = load_run("stack-1")
    epochs, edges, shares = histograms(run, "stem")
    assert epochs == epochs_kept(run)
    assert shares.shape == (len(epochs), len(edges) - 1)
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(epochs)))
