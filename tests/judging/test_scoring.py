"""Scores equal independent implementations, hand-made cases and their own definitions."""

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import poisson
from sklearn.metrics import mean_absolute_error, mean_poisson_deviance, root_mean_squared_error

from crimecast.errors import UserError
from crimecast.judging.scoring import (
    compare,
    flagged_count,
    hit_curve,
    intervals,
    said,
    scores,
    step_sums,
    table,
    week_numbers,
)


def made(steps: int = 70, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rates = rng.gamma(1.0, 0.6, (steps, 2, 9, 8)) + 1e-3
    counts = rng.poisson(rates)
    area = rng.random((9, 8)) < 0.7
    times = np.datetime64("2021-03-01", "ns") + np.arange(steps) * np.timedelta64(1, "D")
    return counts, rates, area, times


def test_likelihood_deviance_and_errors_against_scipy_and_sklearn() -> None:
    counts, rates, area, times = made()
    result = scores(step_sums(counts, rates, area, times))
    n, lam = counts[..., area].ravel(), rates[..., area].ravel()
    expected = (poisson.logpmf(n, lam) + gammaln(n + 1)).sum() / n.sum()
    assert result["log_likelihood_per_event"] == pytest.approx(expected)
    assert result["poisson_deviance"] == pytest.approx(mean_poisson_deviance(n, lam))
    assert result["mae"] == pytest.approx(mean_absolute_error(n, lam))
    assert result["rmse"] == pytest.approx(root_mean_squared_error(n, lam))


def test_rates_are_floored() -> None:
    counts, times = np.ones((1, 1, 1, 1)), np.array(["2021-01-01"], dtype="datetime64[ns]")
    result = scores(step_sums(counts, counts * 0, np.ones((1, 1), bool), times))
    assert result["log_likelihood_per_event"] == pytest.approx(np.log(1e-6) - 1e-6)


def test_ties_go_by_row_then_column() -> None:
    area = np.ones((10, 10), dtype=bool)
    times = np.array(["2021-01-01"], dtype="datetime64[ns]")
    rates = np.full((1, 1, 10, 10), 0.5)
    for place, hit in (((0, 4), 1.0), ((0, 5), 0.0)):
        counts = np.zeros((1, 1, 10, 10))
        counts[0, 0, place[0], place[1]] = 1
        assert scores(step_sums(counts, rates, area, times))["hit_rate@5"] == hit


def test_hits_by_hand() -> None:
    # 100 cells: 1 flagged at 1 %, 5 at 5 %. The forecast's best cell holds 3 of 10 events.
    area = np.ones((10, 10), dtype=bool)
    times = np.array(["2021-01-01"], dtype="datetime64[ns]")
    rates = np.linspace(1, 0.01, 100).reshape(1, 1, 10, 10)
    counts = np.zeros((1, 1, 10, 10))
    counts[0, 0, 0, 0], counts[0, 0, 0, 4], counts[0, 0, 9, 9] = 3, 2, 5
    result = scores(step_sums(counts, rates, area, times))
    assert result["hit_rate@1"] == pytest.approx(0.3)
    assert result["pai@1"] == pytest.approx(30)
    assert result["pei@1"] == pytest.approx(3 / 5)
    assert result["hit_rate@5"] == pytest.approx(0.5)
    assert result["pei@5"] == pytest.approx(0.5)


def test_the_flagged_share_is_rounded_up() -> None:
    assert [flagged_count(n, 1) for n in (1, 100, 101, 250)] == [1, 1, 2, 3]


def test_weeks_begin_on_monday() -> None:
    days = np.array(
        ["2021-03-06", "2021-03-07", "2021-03-08", "2021-03-14", "2021-03-15"],
        dtype="datetime64[ns]",
    )
    assert week_numbers(days).tolist() == [0, 0, 1, 1, 2]


def test_intervals_hold_the_score_and_shrink_with_more_weeks() -> None:
    short, long = (step_sums(*made(steps)) for steps in (70, 1400))
    for sums in (short, long):
        low, high = intervals(sums)["log_likelihood_per_event"]
        assert low < scores(sums)["log_likelihood_per_event"] < high
    width = [np.diff(intervals(s)["log_likelihood_per_event"])[0] for s in (short, long)]
    assert width[1] < 0.5 * width[0]


def test_the_truth_is_better_than_a_blur_and_equal_forecasts_are_not_told_apart() -> None:
    counts, rates, area, times = made(280)
    truth = step_sums(counts, rates, area, times)
    blur = step_sums(counts, np.full_like(rates, rates.mean()), area, times)
    better = compare(truth, blur)
    assert better["verdict"] == "better"
    assert better["interval"][0] > 0
    assert better["p"] < 0.01
    assert compare(blur, truth)["verdict"] == "worse"
    assert compare(truth, truth)["verdict"] == "not to be told apart"


def test_the_interval_covers_the_difference_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        rates = np.full((140, 1, 4, 4), 0.8)
        counts = rng.poisson(rates)
        times = np.datetime64("2021-03-01", "ns") + np.arange(140) * np.timedelta64(1, "D")
        area = np.ones((4, 4), bool)
        result = compare(
            step_sums(counts, rates, area, times), step_sums(counts, rates * 1.05, area, times)
        )
        expected = -np.log(1.05) + 0.05  # of n ln(λ/λ') − λ + λ' per unit of rate
        covered += result["interval"][0] <= expected <= result["interval"][1]
    assert 50 <= covered <= 60


def test_the_table_has_every_column() -> None:
    counts, rates, area, times = made()
    rows = table(
        ["a", "b"],
        [step_sums(counts, rates, area, times), step_sums(counts, rates * 1.1, area, times)],
    )
    wanted = {"name", "log_likelihood_per_event", "poisson_deviance", "hit_rate@1", "hit_rate@5", "pai@1", "pai@5",
              "pei@1", "pei@5", "mae", "rmse", "n_events", "n_steps", "n_cells"}  # fmt: skip
    assert all(wanted <= row.keys() for row in rows)
    assert rows[1]["versus"]["name"] == "a"
    assert rows[0]["n_cells"] == area.sum()


def test_an_empty_area_is_refused() -> None:
    counts, rates, area, times = made()
    with pytest.raises(UserError, match="study area is empty"):
        step_sums(counts, rates, area & False, times)


def test_the_hit_curve_passes_through_the_hit_rates() -> None:
    rng = np.random.default_rng(4)
    rates = rng.gamma(1.0, 0.3, (60, 2, 10, 12))
    counts = rng.poisson(rates)
    area = rng.random((10, 12)) < 0.8
    times = np.datetime64("2020-01-01", "ns") + np.arange(60) * np.timedelta64(1, "D")
    share, hits, best = hit_curve(counts, rates, area)
    made = scores(step_sums(counts, rates, area, times))
    for percent in (1, 5):
        k = np.searchsorted(share, percent / 100)
        assert hits[k] == pytest.approx(made[f"hit_rate@{percent}"])
        assert hits[k] / best[k] == pytest.approx(made[f"pei@{percent}"])
    assert hits[0] == best[0] == 0
    assert hits[-1] == pytest.approx(best[-1]) == pytest.approx(1)
    assert (np.diff(hits) >= 0).all()
    assert (hits <= best + 1e-12).all()


def test_a_comparison_is_said_from_either_side() -> None:
    versus = {"difference": 0.0123, "interval": [0.001, 0.02], "verdict": "better"}
    word, much = said(versus)
    assert word == "better than"
    assert much.startswith("+0.0123 in log-likelihood per event (95 % interval +0.0010 to +0.0200")
    word, much = said(versus, swapped=True)
    assert word == "worse than"
    assert "-0.0123" in much
    assert "-0.0200 to -0.0010" in much
    versus["interval"] = [-0.001, 0.02]
    assert said(versus)[0] == said(versus, swapped=True)[0] == "not to be told apart from"
