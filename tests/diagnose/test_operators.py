"""What is done to a trained network is named, and a harmless deed isn't; what follows stands under it."""

import copy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench.planting.case import train
from bench.planting.operators import OPERATORS, sick
from bench.planting.specs import cases
from crimecast.diagnose import (  # fmt: skip
    Case,
    Finding,
    break_in_data,
    default_location,
    frozen,
    judged,
    late_records,
    rate_for_log,
    saturated_units,
    too_much_decay,
    too_thin,
)
from crimecast.diagnose.folding import folded
from crimecast.diagnose.weighing import weighed
from crimecast.runs.run import Run
from tests.few import few

BY_NAME = {operator.name: operator for operator in OPERATORS}


@pytest.fixture(scope="module")
def run(sample: str) -> Run:
    """A healthy network of a user's."""
    known = {case.name: case for case in cases()}
    made: Run = train(known["healthy: module chain"], sample)
    return made


@pytest.fixture
def case(run: Run) -> Case:
    return Case(run)


def operated(run: Run, name: str, strength: float) -> list[Finding]:
    case = Case(run)
    made = sick(case.subject.network, BY_NAME[name], strength)
    assert made is not None
    case.subject = replace(case.subject, network=made[0])
    return judged(case)


DONE = [
    ("shut", 0.7), ("mirrored", 1.0), ("louder", 1.5), ("moved", 1.0), ("reordered", 0.0), ("dropping", 0.2), ("held", 0.85),
    ("a rate for its logarithm", 1.0), ("flattened", 0.4), ("deaf", 0.5),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "strength"),
    few(DONE),
)
def test_what_was_done_is_named_first(run: Run, name: str, strength: float) -> None:
    found = operated(run, name, strength)
    assert found[0].code in BY_NAME[name].codes
    assert len([one for one in found if one.severity != "low"]) <= 3


def test_what_costs_nothing_is_not_named(run: Run) -> None:
    assert "miscalibrated" not in {one.code for one in operated(run, "louder", 1.03)}
    assert "clamped" not in {one.code for one in operated(run, "held", 0.1)}


def test_what_is_cut_off_from_the_gradient_is_frozen(run: Run) -> None:
    assert not list(frozen.judge(Case(run)))
    case = Case(run)
    network = copy.deepcopy(case.subject.network)
    network.get_submodule("body.0").register_forward_hook(lambda _, given, made: made.detach())
    case.subject = replace(case.subject, network=network)
    (found,) = frozen.judge(case)
    assert (found.layer, found.severity) == ("body.0", "high")
    for parameter in network.get_submodule("body.2").parameters():
        parameter.requires_grad_(False)
    case.__dict__.pop("_gradients")
    assert [one.layer for one in frozen.judge(case)] == ["body.0", "body.2"]


def test_what_is_wrong_with_the_data_is_named(case: Case) -> None:
    judges = (late_records, break_in_data, default_location, too_thin)
    assert [f.code for one in judges for f in one.judge(case)] == []
    totals, cells = case.totals.copy(), case.of_cells.copy()
    case.__dict__["totals"] = np.concatenate([totals[:-7], 0.3 * totals[-7:]])
    settings = replace(case.run.settings, validate=len(case.subject.cube.counts))
    case.run = replace(case.run, settings=settings)
    assert [f.severity for f in late_records.judge(case)] == ["high"]
    case.__dict__["totals"] = np.concatenate([totals[:300], 2 * totals[300:]])
    (found,) = break_in_data.judge(case)
    assert found.evidence["after"] == pytest.approx(2 * found.evidence["before"], rel=0.3)
    case.__dict__["of_cells"] = (
        cells + (np.arange(cells.size).reshape(cells.shape) == 250) * cells.sum()
    )
    (found,) = default_location.judge(case)
    assert found.evidence["row"] * cells.shape[1] + found.evidence["column"] == 250
    case.__dict__["of_cells"] = cells / 100
    (found,) = too_thin.judge(case)
    assert found.evidence["cell_that_would_do"] > case.subject.cube.cell


@pytest.mark.parametrize(("decay", "skill", "named"), [(5.0, 0.3, True), (0.01, 0.3, False), (5.0, 0.95, False)])  # fmt: skip
def test_decay_that_holds_all_down_is_named(decay: float, skill: float, named: bool) -> None:
    case: Any = SimpleNamespace(
        design=SimpleNamespace(training=SimpleNamespace(learning_rate=2e-3, weight_decay=decay)),
        curve=[[400.0, 1.0, 1.0]], skill=skill, gain=lambda first, last: 0.1,
        end_of_training=(0, 1), period=(1, 2),
    )  # fmt: skip
    assert [f.patch for f in too_much_decay.judge(case)] == named * [
        {"training.weight_decay": 1e-3}
    ]


def test_a_symptom_that_stays_when_the_cause_is_mended_stands_by_itself(case: Case) -> None:
    cause = Finding("misaligned", None, "high", {"turned": "turned by half"}, "Turn it.")
    symptom = Finding("worse_than_baseline", None, "medium", {}, "Begin with memories.")

    def mended(_: Case, __: Finding) -> np.ndarray:
        return case.baseline

    def unmended(_: Case, __: Finding) -> np.ndarray:
        return 3 * case.baseline

    assert folded(case, [cause, symptom], {"misaligned": mended})[0].consequences == (symptom,)
    assert len(folded(case, [cause, symptom], {"misaligned": unmended})) == 2


def test_what_the_forecast_cannot_lose_by_is_not_high(case: Case) -> None:
    inside = Finding("saturated_units", "a", "high", {}, "Use gelu.")
    outside = Finding("miscalibrated", None, "medium", {}, "Scale it.")

    def mended(_: Case, __: Finding) -> np.ndarray:
        return case.baseline

    case.__dict__["rates"] = 1.5 * case.baseline
    # As bad as it is, the channels may be to blame; once the total is right nothing is left to lose.
    assert weighed(case, [inside], {}) == [inside]
    after = weighed(case, [inside, outside], {"miscalibrated": mended})
    assert [one.severity for one in after] == ["low", "medium"]
    case.__dict__["rates"] = case.baseline
    assert [one.severity for one in weighed(case, [inside], {})] == ["medium"]


@pytest.mark.parametrize(("offset", "low", "named"), [("none", 0.0, True), ("none", -0.1, False), ("mean", 0.0, False)])  # fmt: skip
def test_a_rate_for_its_logarithm_is_named(
    case: Case, offset: str, low: float, named: bool
) -> None:
    said = np.random.default_rng(0).random(case.rates.shape) + low
    made: Any = SimpleNamespace(
        subject=case.subject, design=replace(case.design, offset=offset), counts=case.counts,
        said=said, rates=1.5 * case.rates, last="last",
    )  # fmt: skip
    assert [one.severity for one in rate_for_log.judge(made)] == named * ["high"]


class Gated(nn.Module):
    """Sigmoids at their ends: as a gate, or as all that there is."""

    def __init__(self, gate: bool) -> None:
        super().__init__()
        self.gate, self.one, self.two = gate, nn.Conv2d(7, 8, 1), nn.Conv2d(8, 1, 1)
        self.bent = nn.Sigmoid()
        with torch.no_grad():
            self.one.weight *= 300

    def forward(self, history: Tensor, calendar: Tensor, static: Tensor) -> Tensor:
        x = torch.log1p(history).flatten(1, 2)
        bent = self.bent(self.one(x))
        return self.two(bent * x.mean(1, keepdim=True) if self.gate else bent)


@pytest.mark.parametrize(("gate", "severity"), [(True, "low"), (False, "high")])
def test_a_gate_may_open_and_shut(case: Case, gate: bool, severity: str) -> None:
    torch.manual_seed(0)
    network = Gated(gate).eval()
    case.subject = replace(case.subject, network=network)
    found = {one.severity for one in saturated_units.judge(case)}
    assert found == {severity}


def test_what_is_kept_is_read_back_with_what_follows() -> None:
    one = Finding("frozen", "a", "high", {"layers": ["a"]}, "Free it.")
    two = replace(one, code="dead_units", consequences=(one,))
    assert Finding.of_row(two.row()) == two
    assert two.whole() == [two, one]
