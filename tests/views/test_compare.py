"""The Compare page's numbers are those of the modules behind it."""

from types import SimpleNamespace

import numpy as np
import pytest

from crimecast.cities import load_city
from crimecast.forecasting.choosing import choices, ensembles, first_choice
from crimecast.forecasting.forecasts import score_sums
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import load_cube
from crimecast.judging.scoring import compare
from crimecast.runs.run import load_run
from crimecast.runs.settings import Settings
from crimecast.views.compare import Comparison


@pytest.fixture(scope="module")
def view(sample: str) -> Comparison:
    first, last = unseen_period(load_run("stack-1"))
    names = ("stack-1", "memory_mixture", "mean", "truth")
    return Comparison(load_cube(sample), first, last, names, "memory_mixture")


def test_the_table_is_ordered_and_paired(view: Comparison) -> None:
    rows = view.table()
    values = [row["log_likelihood_per_event"] for row in rows]
    assert values == sorted(values, reverse=True)
    assert rows[0]["name"] == "truth"
    sums = [
        score_sums(name, view.cube, view.first, view.last) for name in ("mean", "memory_mixture")
    ]
    mean = next(row for row in rows if row["name"] == "mean")
    assert mean["versus"] == compare(*sums)
    assert "versus" not in next(row for row in rows if row["name"] == "memory_mixture")


def test_the_truth_has_no_gap_and_a_flat_pit(view: Comparison) -> None:
    rows = {row["forecast"]: row for row in view.distribution_scores()}
    assert rows["truth"]["gap to the truth"] == pytest.approx(0, abs=1e-9)
    assert 0 < rows["memory_mixture"]["gap to the truth"] < rows["mean"]["gap to the truth"]
    assert rows["truth"]["CRPS"] < rows["mean"]["CRPS"]
    _, pit = view.calibration("truth")
    assert np.abs(pit - 1).max() < 0.1


def test_what_is_offered(sample: str, view: Comparison) -> None:
    offered = choices(sample, simulated=True)
    assert {"stack-1", "truth", "boosting", "memory_mixture"} <= set(offered)
    assert "truth" not in choices(sample, simulated=False)
    assert first_choice(load_run("stack-1"), view.first, view.last)[0] == "stack-1"


def test_seeds_of_one_design_are_one_entry() -> None:
    def run(number: int, seed: int, spec: str = "a", epochs: int = 3) -> SimpleNamespace:
        return SimpleNamespace(
            id=f"r{number}",
            number=number,
            seed=seed,
            spec=spec,
            settings=Settings(1, 2, "", "", epochs),
        )

    runs = [run(1, 0), run(2, 1), run(3, 1), run(4, 0, "b"), run(5, 2, "a", 9)]
    assert ensembles(runs) == ["r1+r2"]  # type: ignore[arg-type]


def test_maps_and_fair_use(view: Comparison) -> None:
    city = load_city("sample")
    assert len(view.maps("stack-1", city, 0)) > 3000
    attention = view.attention("stack-1", city)
    assert attention["attention"].is_monotonic_decreasing
    assert (
        view.feedback("stack-1", 0.05, 0.3, 1.0).runaway
        > view.feedback("stack-1", 0.05, 0.3, 0.3).runaway
    )
    curves = view.curves()
    assert list(curves) == ["stack-1", "memory_mixture", "mean", "truth", "best possible"]
