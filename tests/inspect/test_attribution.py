"""Attributions are Captum's own, add up, and give back a linear network's weights."""

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients

from crimecast.designs.spec import parse_design
from crimecast.grids.grid import make_grid
from crimecast.inspect.attribution import METHODS, STEPS, attribute
from crimecast.inspect.subject import subject
from crimecast.runs.run import load_run
from tests.runs.here import train
from tests.training.test_training import SMALL


def middle(one: object) -> tuple[int, int]:
    rows, columns = np.nonzero(one.area)  # type: ignore[attr-defined]
    return int(rows[len(rows) // 2]), int(columns[len(columns) // 2])


def test_integrated_gradients_are_captums_and_complete(sample: str) -> None:
    one = subject(load_run("stack-1"))
    cell = middle(one)
    made = attribute(one, 650, cell)
    batch = one.batch([650])

    def forward(history: torch.Tensor, static: torch.Tensor) -> torch.Tensor:
        calendar = batch.calendar.expand(len(history), -1)
        return one.network(history, calendar, static).float()[:, 0, cell[0], cell[1]]

    theirs = IntegratedGradients(forward).attribute((batch.history, batch.static), n_steps=STEPS)
    assert np.allclose(made.static, theirs[1][0].numpy(), atol=1e-5)
    assert np.allclose(made.history, theirs[0][0].flatten(0, 1).numpy(), atol=1e-5)
    assert abs(made.error) < 0.02 * max(1.0, abs(made.change))
    assert made.change == pytest.approx(
        made.history.sum() + made.static.sum() + made.error, abs=1e-5
    )


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_back_a_linear_networks_weights(sample: str, method: str) -> None:
    one = subject(load_run("stack-1"))
    cell = middle(one)

    class Linear(torch.nn.Module):
        def forward(
            self, history: torch.Tensor, calendar: torch.Tensor, static: torch.Tensor
        ) -> torch.Tensor:
            return 0.5 * history[:, 0] + 2.0 * static[:, :1] + 0.0 * calendar.sum()

    object.__setattr__(one, "network", Linear())
    made = attribute(one, 650, cell, method=method)
    batch = one.batch([650])
    at = (..., cell[0], cell[1])
    whole = made.history[0].sum(), made.static[0].sum()
    assert whole[0] == pytest.approx(0.5 * float(batch.history[0, 0, 0][at]), abs=1e-4)
    assert whole[1] == pytest.approx(2.0 * float(batch.static[0, 0][at]), abs=1e-4)
    assert abs(made.history[1:]).max() < 1e-6
    assert abs(made.static[1:]).max() < 1e-6


def test_every_input_channel_has_a_name_of_its_own(sample: str) -> None:
    grid = str(make_grid("sample", types="each")["grid"])
    run = train(parse_design(SMALL), grid, epochs=1)
    one = subject(run)
    batch = one.batch([650])
    lags, maps = one.input_names()
    assert len(lags) == batch.history.shape[1] * batch.history.shape[2]
    assert len(maps) == batch.static.shape[1]
    assert len({*lags, *maps}) == len(lags) + len(maps)
