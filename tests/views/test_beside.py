"""Two channels beside each other: the difference and the likeness are those of their values."""

import json
from dataclasses import replace

import numpy as np
import pytest

from crimecast.cities import load_city
from crimecast.grids.cube import load_cube
from crimecast.inspect.activations import activations
from crimecast.runs.run import load_run
from crimecast.views.beside import (
    Shown,
    beside,
    beside_message,
    channel_peaks,
    on_grid,
    peaks_message,
)
from crimecast.views.layers import ORDERS, alike_together, layer_view


def header(message: bytes) -> dict:
    return json.loads(message[4 : 4 + int.from_bytes(message[:4], "little")])


def test_two_steps_differ_by_what_they_differ(sample: str) -> None:
    run, city = load_run("stack-1"), load_city("sample")
    one, two = Shown(run, "wide_1", 2, 640), Shown(run, "wide_1", 2, 633)
    made = beside(one, two)
    own = [activations(run, step, ["wide_1"])["wide_1"][2] for step in (640, 633)]
    assert np.allclose(made.one, own[0], atol=1e-6)
    assert np.allclose(made.two, own[1], atol=1e-6)
    area = run.area(load_cube(sample))
    assert made.correlation == pytest.approx(
        np.corrcoef(own[0][area], own[1][area])[0, 1], abs=1e-6
    )
    head = header(beside_message(one, two, made, city))
    assert [p["title"] for p in head["panels"]][2] == "second minus first"
    assert head["panels"][0]["high"] == head["panels"][1]["high"]
    same = beside(one, replace(one))
    assert same.correlation == pytest.approx(1)
    assert same.difference == 0


def test_a_coarser_map_covers_the_grid(sample: str) -> None:
    run = load_run("stack-1")
    height, width = load_cube(sample).counts.shape[2:]
    coarse = np.arange(float(-(-height // 2) * -(-width // 2))).reshape(-(-height // 2), -1)
    fine = on_grid(coarse, run)
    assert fine.shape == (height, width)
    assert np.array_equal(fine[::2, ::2], coarse)


def test_peaks_come_with_their_dates(sample: str) -> None:
    run, city = load_run("stack-1"), load_city("sample")
    made = channel_peaks(run.id, run.stamp, "wide_1", 0)
    titles = [p["title"] for p in header(peaks_message(run, city, "wide_1", 0, made))["panels"]]
    assert titles == [str(load_cube(sample).times[p.step])[:10] for p in made]


def test_channels_that_go_together_become_neighbours() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(size=(3, 500))
    noise = 0.05 * rng.normal(size=(6, 500))
    values = base[[0, 1, 2, 0, 1, 2]] * np.array([1, 1, 1, -2, 3, 1])[:, None] + noise
    order = alike_together(values).tolist()
    for pair in ((0, 3), (1, 4), (2, 5)):
        assert abs(order.index(pair[0]) - order.index(pair[1])) == 1
    steady = np.vstack([values, np.zeros((2, 500))])
    assert sorted(alike_together(steady).tolist()) == list(range(8))


def test_every_order_has_every_channel_once(sample: str) -> None:
    run = load_run("stack-1")
    for order in ORDERS:
        view = layer_view(run, "wide_1", 640, order)
        assert sorted(view.order.tolist()) == list(range(view.channels)), order
