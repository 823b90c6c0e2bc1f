"""Planted faults are named first, at their layer; a healthy network is left in peace; patches apply."""

import json
from typing import Any

import numpy as np
import pytest

from bench.planting.case import train
from bench.planting.specs import cases
from crimecast.designs.spec import load_design
from crimecast.diagnose import checkerboard, diagnose, leakage
from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import SEVERITIES
from crimecast.diagnose.patch import patched
from crimecast.errors import UserError
from crimecast.lineage.steer import steer
from crimecast.runs.run import load_run
from tests.few import few

KNOWN = {case.name: case for case in cases()}


PLANTED = ("dead two 0.5", "narrow two 1", "module dead_by_hand", "saturated tanh two", "copies two 2", "linear 2", "rate 3.0")  # fmt: skip


@pytest.mark.parametrize("name", few(PLANTED))
def test_a_planted_fault_is_named_first_and_at_its_layer(sample: str, name: str) -> None:
    found = diagnose(train(KNOWN[name], sample))
    assert found[0].code in KNOWN[name].codes
    assert not KNOWN[name].layers or found[0].layer in KNOWN[name].layers
    json.dumps([f.row() for f in found])  # what the command line prints and the run's folder keeps
    assert found[0].evidence
    order = [SEVERITIES.index(f.severity) for f in found]
    assert order == sorted(order)


def test_the_shipped_run_has_nothing_severe(sample: str) -> None:
    assert not [f for f in diagnose(load_run("stack-1")) if f.severity == "high"]


def test_patches_change_what_they_name_and_nothing_else() -> None:
    design = load_design("stack_plain")
    made = patched(
        design, {"training.learning_rate": 0.1, "layer.stem.channels": 7, "lags": [1, 2]}
    )
    assert made.training.learning_rate == 0.1
    assert made.lags == (1, 2)
    assert made.layers[0].options == {**design.layers[0].options, "channels": 7}
    assert made.layers[1:] == design.layers[1:]
    shorter = patched(design, {"layer.out": None})
    assert [x.name for x in shorter.layers] == [x.name for x in design.layers if x.name != "out"]
    with pytest.raises(UserError, match="no layer 'attic'"):
        patched(design, {"layer.attic.channels": 3})


def test_a_forecast_that_knows_the_future_is_found(sample: str) -> None:
    case = Case(load_run("stack-1"))
    assert not list(leakage.judge(case))
    case.__dict__["rates"] = 0.3 * case.rates + 0.7 * case.counts + 1e-3
    (found,) = leakage.judge(case)
    assert found.severity == "high"


def test_a_checkerboard_has_power_at_two_cells() -> None:
    rng = np.random.default_rng(0)
    smooth = rng.normal(size=(4, 20, 20))
    assert checkerboard.period_two(smooth) < 4
    smooth[:, ::2] += 1.5
    assert checkerboard.period_two(smooth) > 10


@pytest.mark.long
def test_steering_mends_a_linear_network(sample: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = train(KNOWN["linear 2"], sample)
    made: list[dict[str, Any]] = steer(run, 1)
    assert made[0]["finding"] == "underfit"
    fork = load_run(made[0]["run"])
    assert fork.parent == run.id
    assert all(x.options.get("activation") == "gelu" for x in fork.design.layers[:-1])
