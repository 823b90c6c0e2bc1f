"""What the Layers page asks a network: the graph, maps that can be drawn, the busiest cell."""

import json

import numpy as np
import pytest

from crimecast.cities import load_city
from crimecast.forecasting.forecasts import rates, score_sums
from crimecast.grids.cube import load_cube
from crimecast.judging.scoring import scores
from crimecast.runs.run import load_run
from crimecast.views import insight, measures


def test_the_graph_has_every_layer_and_what_it_takes(sample: str) -> None:
    run = load_run("stack-1")
    nodes = measures.nodes(run.id, run.stamp)
    made = insight.items(nodes, {"stem": 2.0, "last": 1.0})
    assert [item.name for item in made] == [node.name for node in nodes]
    assert all(item.takes == node.takes for item, node in zip(made, nodes, strict=True))
    assert {i.name: i.share for i in made if i.share} == {"stem": 1.0, "last": 0.5}


def test_measures_speak_of_known_layers(sample: str) -> None:
    run = load_run("stack-1")
    names = {n.name for n in measures.nodes(run.id, run.stamp)}
    for measure in measures.MEASURES:
        own = measures.layer_measure(run.id, run.stamp, measure)
        assert own, measure
        assert set(own) <= names


def test_maps_carry_their_values(sample: str) -> None:
    run, city = load_run("stack-1"), load_city("sample")
    cell = insight.busiest(run)
    counts = load_cube(sample).counts.sum(axis=(0, 1))
    assert counts[cell] == counts[run.area(load_cube(sample))].max()
    values = np.zeros(counts.shape)
    values[cell] = -2.0
    made = insight.maps_message(run, city, [(insight.signed("x", values, "y"), values)], "id", cell)
    head = json.loads(made[4 : 4 + int.from_bytes(made[:4], "little")])
    assert tuple(head["cell_picked"]) == cell
    assert head["panels"][0]["kind"] == "diverging"


def test_what_if_changes_nothing_when_nothing_is_changed(sample: str) -> None:
    run = load_run("stack-1")
    before, after = insight.what_if(run.id, run.stamp, 650, "wide_1", (), "zero", None)
    assert np.array_equal(before, after)
    _, parts = insight.attribution(run.id, run.stamp, 650, insight.busiest(run), 0, "occlusion")
    sizes = [abs(v) for _, v in parts]
    assert sizes == sorted(sizes, reverse=True)


def test_the_score_of_a_step_is_that_of_the_scores(sample: str) -> None:
    run = load_run("stack-1")
    cube = load_cube(sample)
    made = rates(run.id, cube, 640, 641)
    expected = scores(score_sums(run.id, cube, 640, 641))["log_likelihood_per_event"]
    assert insight.step_score(run, 640, made[0].sum(axis=0)) == pytest.approx(expected, rel=1e-5)


def test_norms_of_all_layers_are_those_that_the_loop_recorded(sample: str) -> None:
    history = load_run("stack-1").history()
    made = measures.layers_at_epoch(history)
    fits = [entry for entry in history if entry["phase"] == "fit"]
    assert len(made) == len(fits)
    for rows, entry in zip(made, fits, strict=True):
        assert [row["layer"] for row in rows] == [*entry["layers"]]
        for row in rows:
            own = entry["layers"][row["layer"]]
            assert row["gradient norm"] == own.get("gradient")
            if own.get("weight"):
                assert row["step / weights"] == own["update"] / own["weight"]
    assert measures.layers_at_epoch([]) == []
