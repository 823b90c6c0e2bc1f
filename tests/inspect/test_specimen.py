"""Any module and any arrays can be looked into, without a run and without a data folder."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from crimecast.inspect import attribution, health, intervention, receptive, similarity
from crimecast.inspect.activations import activations_of
from crimecast.inspect.graph import graph
from crimecast.inspect.notebook import look
from crimecast.inspect.specimen import specimen


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CRIMECAST_DATA", str(tmp_path / "unused"))
    return tmp_path / "unused"


class Two(nn.Module):
    """A chain whose second channel of the first layer goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 2, 3, padding=1)
        self.second = nn.Conv2d(2, 1, 3, padding=1)
        with torch.no_grad():
            self.second.weight[:, 1] = 0.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.tanh(self.first(x)))


@pytest.fixture
def maps() -> np.ndarray:
    return np.random.default_rng(0).poisson(0.7, (12, 3, 9, 8)).astype(float)


def test_all_that_needs_no_run(maps: np.ndarray, nowhere: Path) -> None:
    torch.manual_seed(0)
    target = np.random.default_rng(1).poisson(0.7, (12, 1, 9, 8))
    one = specimen(Two(), maps, target)
    caught = activations_of(one, [0, 5])
    assert caught["net.first"].shape == (2, 2, 9, 8)
    with torch.no_grad():
        expected = one.network.net.first(torch.from_numpy(maps[[0, 5]]).float())  # type: ignore[union-attr]
    np.testing.assert_allclose(caught["net.first"], expected, rtol=1e-5)
    assert receptive.theoretical_field(one, (4, 4)).size == (5, 5)
    seen = receptive.effective_field(one, (4, 4), [0, 1])
    assert set(zip(*np.nonzero(seen), strict=True)) <= {
        (r, c) for r in range(2, 7) for c in range(2, 7)
    }
    assert seen[4, 4] > 0
    why = attribution.attribute(one, 3, (4, 4))
    assert abs(why.error) < 1e-4
    lost = {a.layer: a for a in intervention.ablations(one, "net.first")}
    assert lost
    assert intervention.loss_over_period(one, "net.first", [1], "zero") == 0.0
    assert intervention.loss_over_period(one, "net.first", [0], "zero") != 0.0
    made = similarity.features(one, 4)
    assert similarity.cka(made.values["net.first"], made.values["net.first"]) == pytest.approx(1.0)
    assert set(health.units(one, 4)) >= {"net.first"}
    assert {"net.first", "net.second"} <= {node.name for node in graph(one)}
    assert not nowhere.exists()


def test_a_module_with_the_three_arguments_keeps_its_names(maps: np.ndarray) -> None:
    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mix = nn.Conv2d(4, 1, 1)

        def forward(
            self, history: torch.Tensor, calendar: torch.Tensor, static: torch.Tensor
        ) -> torch.Tensor:
            return self.mix(torch.cat([history.flatten(1, 2), static], 1)) + calendar.sum()

    static, area = np.ones((12, 1, 9, 8)), np.zeros((9, 8), dtype=bool)
    area[2:5] = True
    one = specimen(Whole(), maps, calendar=np.zeros((12, 2)), static=static, area=area)
    assert list(one.layers) == ["mix"]
    assert similarity.features(one, 3).rate.shape == (3 * area.sum(),)
    assert attribution.attribute(one, 0, (2, 2)).static.shape == (1, 9, 8)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"history": np.zeros((3, 9, 8))}, "history"),
        ({"area": np.ones((2, 2))}, "area"),
        ({"target": np.zeros((12, 2, 9, 8))}, "target"),
    ],
)
def test_shapes_that_clash_are_named(
    maps: np.ndarray, given: dict[str, np.ndarray], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        specimen(Two(), **{"history": maps, **given})


class InPlace(nn.Module):
    """Changes what it is given, and reads no maps."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Conv2d(3, 1, 3, padding=1)

    def forward(self, history: torch.Tensor, calendar: torch.Tensor, static: torch.Tensor) -> torch.Tensor:  # fmt: skip
        history.clamp_(min=0).log1p_()
        return self.out(history.flatten(1, 2))


def test_a_module_may_change_its_inputs_and_leave_some_unread(maps: np.ndarray) -> None:
    torch.manual_seed(0)
    module = InPlace()
    one = look(module, maps[0][:, None], static=np.ones((2, 9, 8)))
    first = one.forecast()
    assert np.array_equal(first, one.forecast())
    slope = one.gradient((4, 4))["history"]
    x = torch.from_numpy(maps[:1]).float().requires_grad_()
    with torch.enable_grad():
        (expected,) = torch.autograd.grad(module.out(torch.log1p(x.clamp(min=0)))[0, 0, 4, 4], x)
    assert np.allclose(slope[:, 0], expected[0], atol=1e-6)
    loose = specimen(Reads(), maps[:, :, None], static=np.ones((12, 2, 9, 8)))
    for method in attribution.METHODS:
        made = attribution.attribute(loose, 0, (4, 4), 0, method)
        assert np.abs(made.static).max() < 1e-6  # by rounding of larger batches alone
        assert made.history.any()


class Reads(InPlace):
    def forward(self, history: torch.Tensor, calendar: torch.Tensor, static: torch.Tensor) -> torch.Tensor:  # fmt: skip
        return self.out(history.flatten(1, 2))
