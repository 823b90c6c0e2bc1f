"""Two channels beside each other: the difference and the likeness are those of their values."""

import json
from dataclasses import replace

import numpy as np
import pytest

from crimecast.cities import load_city
from crimecast.designs.spec import parse_design
from crimecast.grids.cube import load_cube
from crimecast.inspect.activations import activations
from crimecast.runs.run import load_run
from crimecast.views.beside import (
    Shown,
    beside,
    beside_message,
    channel_peaks,
    network_changes,
    on_grid,
    peaks_message,
    spreads,
)
from crimecast.views.layers import ORDERS, alike_together, layer_area, layer_view
from tests.runs.here import train


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


def test_distributions_are_those_of_both_layers_on_the_same_edges(sample: str) -> None:
    run = load_run("stack-1")
    one, two = Shown(run, "wide_1", 2, 640), Shown(run, "wide_2", 0, 633)
    edges, first, second = spreads(one, two)
    for shown, share in ((one, first), (two, second)):
        maps = activations(run, shown.step, [shown.layer])[shown.layer]
        values = maps[:, layer_area(run, shown.layer)].ravel()
        middle = (edges[10] <= values) & (values < edges[11])
        assert share[10] == pytest.approx(middle.mean(), abs=1e-9)
        assert share.sum() == pytest.approx(1)


@pytest.mark.long
def test_networks_differ_by_the_layers_that_were_changed(sample: str) -> None:
    run = load_run("stack-1")
    assert network_changes(run, run) == []
    text = run.spec.replace('name = "wide_2"', 'name = "broad"').replace('"wide_2"', '"broad"')
    fork = train(parse_design(text), sample, epochs=1)
    rows = {row["layer"]: row for row in network_changes(run, fork)}
    assert rows["wide_2"][fork.id] == ""
    assert rows["broad"][run.id] == ""
    assert rows["wide_2"][run.id].split(":")[1] == rows["broad"][fork.id].split(":")[1]
    assert "wide_1" not in rows
