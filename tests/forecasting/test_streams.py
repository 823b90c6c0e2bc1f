"""Streams against the forecasts of whole periods: fed what really came, they say the same of every step."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from crimecast.baselines import BASELINES, baseline_rates
from crimecast.calendar.dates import calendar
from crimecast.calendar.steps import Step
from crimecast.designs.build import build
from crimecast.designs.inputs import for_step
from crimecast.designs.spec import Design, load_design
from crimecast.forecasting.network_stream import NetworkStream
from crimecast.forecasting.paths import Paths
from crimecast.forecasting.streams import Stream, baseline_stream
from crimecast.grids.cube import Cube
from crimecast.training.samples import Samples, log_rate
from tests.few import few

COME, STEPS = 430, 5


def town(step: str = "1d", kinds: int = 2, steps: int = COME + STEPS) -> Cube:
    """Counts of an invented town without an outline, some of whose cells never have an event."""
    rng = np.random.default_rng(5)
    risk = rng.gamma(0.5, 0.4, (kinds, 9, 8))
    risk[:, 0] = 0.0
    unit = Step.parse(step)
    times = unit.start(
        int(unit.number(np.array([np.datetime64("2021-03-01")]))[0]) + np.arange(steps)
    )
    swing = 1 + 0.3 * np.sin(np.arange(steps) / 9)
    counts = rng.poisson(risk * swing[:, None, None, None]).astype(np.float32)
    return Cube(
        "town", "nowhere", counts, times, ("theft", "assault")[:kinds], np.arange(8.0),
        np.arange(9.0), None, unit, 500.0,
    )  # fmt: skip


def fed(cube: Cube, make: Callable[[Paths], Stream]) -> np.ndarray:
    """(STEPS, C, N) what a stream says of the last STEPS, fed their counts on two paths."""
    come = len(cube.times) - STEPS
    paths = Paths(replace(cube, counts=cube.counts[:come], times=cube.times[:come]), STEPS)
    stream = make(paths)
    made = []
    for t in range(come, come + STEPS):
        rates = stream.rates(t)
        assert np.allclose(rates[0], rates[-1], rtol=1e-6)  # the paths are the same so far
        made.append(rates[-1])
        if t == come:
            stream.fan(2)
            paths.count = 2
        here = cube.counts[t][:, paths.area]
        paths.drawn.append(np.broadcast_to(here, (2, *here.shape)))
    return np.stack(made)


@pytest.mark.parametrize(
    "name", few(sorted(BASELINES, key=lambda name: name in ("fourier_cox", "glm", "boosting")), 7)
)
def test_a_stream_says_what_the_baseline_says_of_the_whole_period(name: str) -> None:
    cube = town()
    expected = baseline_rates(name, cube, COME, COME + STEPS)[..., cube.area(COME)]
    made = fed(cube, lambda paths: baseline_stream(name, paths))
    # Each is fitted anew; the regressions to within what ends their iterations.
    assert np.allclose(
        made, expected, rtol=1e-3 if name in ("glm", "fourier_cox") else 2e-5, atol=1e-9
    )
    assert expected.std(axis=0).max() > 1e-6  # else the test would say little


DESIGNS = {
    "stack": {}, "memory": {}, "recurrent": {}, "st_resnet": {}, "stack_plain": {}, "recurrent_plain": {}, "st_resnet_plain": {},
    "of the mean": {"offset": "mean"}, "of the decayed mean": {"offset": "decayed_mean"},
    "of nothing": {"offset": "none"}, "with a level": {"level": True, "offset": "none", "surprises": ()},
    "two ahead": {"horizons": (2,)}, "two and four ahead": {"horizons": (2, 4)},
}  # fmt: skip


def designed(name: str, step: Step) -> Design:
    base = load_design(
        name if name in ("memory", "recurrent", "st_resnet") or "_" in name else "stack"
    )
    return for_step(replace(base, **DESIGNS[name]), step)


@pytest.mark.parametrize("name", few(DESIGNS, 4))
def test_a_stream_gives_a_network_what_samples_give_it(name: str) -> None:
    same_inputs(designed(name, Step.parse("1d")), town())


def test_it_does_in_steps_of_hours_too() -> None:
    same_inputs(designed("stack", Step.parse("6h")), town("6h", kinds=1, steps=500))


def test_it_does_for_a_users_module(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "import torch\n"
        "class Own(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.weight = torch.nn.Parameter(torch.rand(3))\n"
        "    def forward(self, history, calendar, static):\n"
        "        return (torch.log1p(history) * self.weight.view(1, 3, 1, 1, 1)).sum(1) - 2 + calendar[:, :1, None, None]\n"
    )
    design = Design("own", lags=(1, 2, 7), calendar=("dow",), module=f"{file}:Own")
    same_inputs(design, town())


def same_inputs(design: Design, cube: Cube) -> None:
    come = len(cube.times) - STEPS
    area = cube.area(come)
    at_train = replace(cube, outline_area=area)  # the same cells for the samples
    samples = Samples(at_train, design, 300)
    numbers = calendar(cube.times[:1], cube.step, design.calendar).shape[1]
    network = build(design, cube.counts.shape[1], *area.shape, numbers, seed=1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=torch.manual_seed(3))
    network.eval()
    for k, lead in enumerate(design.horizons):
        steps = torch.arange(come, come + STEPS) + k * len(cube.times)
        with torch.no_grad():
            batches = [log_rate(network, samples.batch(steps[i : i + 1])) for i in range(STEPS)]
        expected = torch.exp(torch.cat(batches)).double().numpy()[..., area]
        made = fed(
            at_train,
            lambda paths, at=lead: NetworkStream(
                paths, design, network, samples.scaling, at_home=True, lead=at
            ),
        )
        assert np.allclose(made, expected, rtol=2e-3, atol=1e-7)
        assert expected.std(axis=0).max() > 1e-6
