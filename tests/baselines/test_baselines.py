"""Baselines equal their definitions and use nothing from their own step or later."""

from dataclasses import replace

import numpy as np
import pytest

from crimecast.baselines import AHEAD, BASELINES, baseline_rates
from crimecast.baselines.means import calendar_factor, poisson_fit, tune_half_life
from crimecast.calendar.steps import Step
from crimecast.errors import UserError
from crimecast.grids.cube import Cube, load_cube
from crimecast.judging.scoring import scores, step_sums


def small_cube(steps: int = 120, seed: int = 0) -> Cube:
    rng = np.random.default_rng(seed)
    rate = rng.gamma(1.0, 0.5, (1, 2, 5, 6))
    counts = rng.poisson(np.broadcast_to(rate, (steps, 2, 5, 6))).astype(np.float32)
    times = np.datetime64("2020-01-01", "ns") + np.arange(steps) * np.timedelta64(1, "D")
    grid = np.arange(6) * 500.0
    return Cube(
        "g",
        "c",
        counts,
        times,
        ("a", "b"),
        grid,
        grid[:5],
        np.ones((5, 6), bool),
        Step.parse("1d"),
        500.0,
    )


@pytest.mark.parametrize("name", list(BASELINES))
def test_a_forecast_does_not_know_its_own_step_or_later(name: str) -> None:
    cube = small_cube()
    before = baseline_rates(name, cube, 80, 120)
    for step in (80, 95, 119):
        counts = cube.counts.copy()
        counts[step:] = np.random.default_rng(9).poisson(7.0, counts[step:].shape)
        after = baseline_rates(name, replace(cube, counts=counts), 80, 120)
        assert np.array_equal(before[: step - 80 + 1], after[: step - 80 + 1]), name
    assert np.isfinite(before).all()
    assert (before >= 0).all()


@pytest.mark.parametrize("name", AHEAD)
def test_a_forecast_further_ahead_knows_nothing_of_the_steps_between(name: str) -> None:
    cube = small_cube()
    before = baseline_rates(name, cube, 80, 120, 5)
    assert not np.allclose(before, baseline_rates(name, cube, 80, 120))
    for step in (80, 95, 110):
        counts = cube.counts.copy()
        counts[step:] = np.random.default_rng(9).poisson(7.0, counts[step:].shape)
        after = baseline_rates(name, replace(cube, counts=counts), 80, 120, 5)
        assert np.array_equal(before[: step - 80 + 5], after[: step - 80 + 5]), name
        assert not np.array_equal(before[step - 80 + 5 :], after[step - 80 + 5 :]), name


def test_a_baseline_that_looks_one_step_ahead_says_so() -> None:
    with pytest.raises(UserError, match="one step ahead only"):
        baseline_rates("hawkes", small_cube(), 80, 120, 2)


@pytest.mark.parametrize("name", ["persistence", "mean", "decayed_mean"])
def test_a_forecast_does_know_the_step_before(name: str) -> None:
    cube = small_cube()
    counts = cube.counts.copy()
    counts[99] += 5
    after = baseline_rates(name, replace(cube, counts=counts), 80, 120)
    assert not np.array_equal(baseline_rates(name, cube, 80, 120)[20], after[20])


def test_the_mean_is_that_of_all_steps_before() -> None:
    cube = small_cube()
    made = baseline_rates("mean", cube, 80, 120)
    for step in (80, 100, 119):
        assert np.allclose(made[step - 80], cube.counts[:step].mean(axis=0))


def test_the_level_finds_a_weekly_rhythm() -> None:
    cube = small_cube(700)
    weekday = (cube.times.astype("datetime64[D]").astype(int) + 3) % 7
    counts = cube.counts * np.where(weekday == 4, 3, 1)[:, None, None, None].astype(np.float32)
    factor = calendar_factor(replace(cube, counts=counts), 600, 700)[:, 0]
    fridays = weekday[600:] == 4
    assert factor[fridays].mean() / factor[~fridays].mean() == pytest.approx(3, rel=0.2)


def test_a_steady_city_prefers_long_memories_and_a_moving_one_short() -> None:
    steady = small_cube(700)
    moved = steady.counts.copy()
    moved[550:] = moved[550:, :, ::-1]
    assert tune_half_life(steady, 700) > tune_half_life(replace(steady, counts=moved), 620)


def test_poisson_fit_is_largest_at_the_truth() -> None:
    rng = np.random.default_rng(0)
    rate = rng.gamma(2.0, 0.5, 2000)
    counts = rng.poisson(rate)
    assert poisson_fit(counts, rate) > poisson_fit(counts, np.full(2000, rate.mean()))


def test_an_unknown_baseline_is_named() -> None:
    with pytest.raises(UserError, match="no baseline 'magic'"):
        baseline_rates("magic", small_cube(), 80, 90)


@pytest.mark.long
def test_no_baseline_beats_the_true_rates(sample: str) -> None:
    from crimecast.sample.truth import true_rates

    cube = load_cube(sample)
    first, last = 500, 560
    area = cube.area(first)

    def fit(rates: np.ndarray) -> float:
        return scores(step_sums(cube.counts[first:last], rates, area, cube.times[first:last]))[
            "log_likelihood_per_event"
        ]

    truth = fit(true_rates(cube)[first:last])
    assert all(fit(baseline_rates(name, cube, first, last)) < truth for name in BASELINES)
