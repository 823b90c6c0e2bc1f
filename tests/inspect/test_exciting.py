"""The input that excites a unit most: the closed form where the unit is linear, real bounds elsewhere."""

import numpy as np
import pytest
import torch
from torch import nn

from crimecast import UserError
from crimecast.inspect.exciting import DEVIATIONS, excite
from crimecast.inspect.specimen import specimen
from crimecast.inspect.subject import subject
from crimecast.runs.run import load_run


def maps(steps: int = 60, size: int = 16) -> np.ndarray:
    """(T, 2, H, W) two maps that vary together, each cell by itself: covariance [[1, 0.8], [0.8, 1]]."""
    rng = np.random.default_rng(0)
    first, other = rng.normal(size=(2, steps, size, size))
    return np.stack([first, 0.8 * first + 0.6 * other], axis=1)


def size(static: np.ndarray, number: int, area_mean: float = 1.0) -> float:
    """How much a map varies in cell 8, 8, with ten steps of the area's mean."""
    own = static[:, number, 8, 8].var()
    return float(np.sqrt((len(static) * own + 10 * area_mean) / (len(static) + 10)))


class Static(nn.Module):
    """A layer over the static maps alone."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(
        self, history: torch.Tensor, calendar: torch.Tensor, static: torch.Tensor
    ) -> torch.Tensor:
        return self.inner(static)


def test_of_a_linear_unit_it_is_the_activation_pattern() -> None:
    """Σ w, three standard deviations out: only the first map has a weight, and the second goes with it."""
    conv = nn.Conv2d(2, 1, 1, bias=False)
    with torch.no_grad():
        conv.weight[:] = torch.tensor([2.0, 0.0]).view(1, 2, 1, 1)
    static = maps()
    one = specimen(Static(conv), np.zeros((60, 1, 1, 16, 16)), static=static)
    made = excite(one, "inner", 0, (8, 8), list(range(60)))
    assert made.corner == (4, 4)
    moved = made.made - made.mean
    assert not moved[0].any()  # of events there are none
    sizes = [DEVIATIONS * size(static, 0), DEVIATIONS * 0.8 * size(static, 1)]
    assert moved[1:, 4, 4] == pytest.approx(sizes, rel=0.05)
    around = moved.copy()
    around[:, 4, 4] = 0.0
    assert np.abs(around).max() < 0.3  # what other cells do has nothing to do with it
    assert made.value - made.average == pytest.approx(sizes[0] * 2.0, rel=0.05)
    assert made.average == pytest.approx(2.0 * static[:, 0, 8, 8].mean(), abs=1e-5)
    assert made.real == pytest.approx(2.0 * static[:, 0, 8, 8], abs=1e-5)


def test_counts_stay_above_none_and_a_unit_that_wants_less_gets_none() -> None:
    conv = nn.Conv2d(1, 1, 1)
    with torch.no_grad():
        conv.weight[:], conv.bias[:] = -1.0, 0.0
    counts = np.random.default_rng(1).poisson(0.4, (50, 1, 1, 12, 12)).astype(np.float32)
    made = excite(specimen(conv, counts), "net", 0, (6, 6), list(range(50)))
    assert made.made.min() == 0.0
    assert made.value == pytest.approx(0.0, abs=1e-6)


def test_a_unit_that_is_off_on_average_is_excited_from_where_it_was_on() -> None:
    conv = nn.Conv2d(2, 1, 1)
    with torch.no_grad():
        conv.weight[:], conv.bias[:] = torch.tensor([1.0, 0.0]).view(1, 2, 1, 1), -1.5
    static = maps()
    one = specimen(
        Static(nn.Sequential(conv, nn.ReLU())), np.zeros((60, 1, 1, 16, 16)), static=static
    )
    made = excite(one, "inner.1", 0, (8, 8), list(range(60)))
    assert made.average == 0.0
    reached = static[:, 0, 8, 8].mean() + DEVIATIONS * size(static, 0) - 1.5
    assert made.value == pytest.approx(reached, rel=0.1)


def test_a_cell_that_varies_more_may_be_changed_more() -> None:
    static = maps()
    static[:, :, :, 8:] *= 5.0
    one = specimen(Static(nn.Conv2d(2, 1, 1)), np.zeros((60, 1, 1, 16, 16)), static=static)
    calm, lively = (excite(one, "inner", 0, (8, x), list(range(60))) for x in (3, 12))
    moved = (lively.value - lively.average) / (calm.value - calm.average)
    # The mean variance is 13; ten steps of it stand beside sixty of the cell's own, 25 or 1.
    assert moved == pytest.approx(np.sqrt((60 * 25 + 130) / (60 * 1 + 130)), rel=0.2)


def test_a_units_cell_of_a_coarser_map_is_found_in_the_city() -> None:
    pool = nn.AvgPool2d(4)
    one = specimen(Static(pool), np.zeros((60, 1, 1, 16, 16)), static=maps())
    made = excite(one, "inner", 1, (2, 1), list(range(60)))
    moved = np.abs(made.made - made.mean)[2]
    inside = np.zeros_like(moved, dtype=bool)
    inside[8 - made.corner[0] : 12 - made.corner[0], 4 - made.corner[1] : 8 - made.corner[1]] = True
    assert moved[inside].min() > 2 * moved[~inside].mean()


def test_a_real_networks_units_reach_beyond_real_steps(sample: str) -> None:
    own = subject(load_run("stack-1"))
    made = excite(own, "wide_1", 3, (12, 12), own.probes(40))
    assert made.value > made.real.max()
    assert np.isfinite(made.made).all()
    assert len(made.spread) == len(made.made) == sum(map(len, own.input_names()))


@pytest.mark.parametrize(
    ("layer", "channel", "cell", "text"),
    [
        ("no", 0, (0, 0), "no layer 'no'"),
        ("net", 5, (0, 0), "gives 1 maps of 8 × 8"),
        ("net", 0, (8, 0), "gives 1 maps of 8 × 8"),
        ("net:2", 0, (0, 0), "no one call 'net:2'"),
    ],
)
def test_what_is_not_there_is_named(layer: str, channel: int, cell: tuple[int, int], text: str) -> None:  # fmt: skip
    one = specimen(nn.Conv2d(1, 1, 1), np.ones((5, 1, 1, 8, 8)))
    with pytest.raises(UserError, match=text):
        excite(one, layer, channel, cell, [0, 1, 2])
