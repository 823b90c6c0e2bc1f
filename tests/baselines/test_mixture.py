"""The mixture finds the memories and the level that made the counts."""

from dataclasses import replace

import numpy as np
import pytest

from crimecast.baselines.level import fit_level, level_features
from crimecast.baselines.mixture import (
    HALF_LIVES,
    fit_mixture,
    memory_mixture,
    memory_rates,
    mixture_rates,
    remembered,
)
from crimecast.grids.cube import load_cube
from crimecast.judging.scoring import scores, step_sums
from crimecast.sample.truth import true_rates
from tests.baselines.test_baselines import small_cube


def test_memories_are_decayed_means_of_the_past() -> None:
    cube = small_cube(60)
    area = np.ones((5, 6), dtype=bool)
    maps = next(memory_rates(cube, area, 50, 51))
    for k, half_life in enumerate(HALF_LIVES):
        w = 0.5 ** ((49 - np.arange(50)) / half_life)
        expected = (w[:, None, None, None] * cube.counts[:50]).sum(axis=0) / w.sum()
        assert np.allclose(maps[3 * k].reshape(2, 5, 6), expected, atol=1e-5)
    assert np.allclose(maps[-2].reshape(2, 5, 6), cube.counts[:50].mean(axis=0))


def test_a_steady_city_is_given_to_the_long_memories() -> None:
    cube = small_cube(900)
    weights = fit_mixture(cube, np.ones((5, 6), dtype=bool), 900).weights[:, 0]
    short = weights[: 3 * 4].sum()  # half-lives up to a month
    assert short < 0.1 * weights.sum()
    assert weights.sum() == pytest.approx(1, abs=0.1)


def test_the_level_is_a_poisson_regression() -> None:
    rng = np.random.default_rng(0)
    times = np.datetime64("2018-01-01", "ns") + np.arange(1200) * np.timedelta64(1, "D")
    weekday = (times.astype("datetime64[D]").astype(int) + 3) % 7
    expected = np.full(1200, 400.0)
    totals = rng.poisson(expected * np.where(weekday == 4, 1.3, 1.0)).astype(float)
    features = level_features(times, small_cube().step, totals, expected)
    beta = fit_level(features, totals, expected)
    factor = np.exp(features @ beta)
    assert factor[weekday == 4].mean() / factor[weekday == 1].mean() == pytest.approx(1.3, abs=0.03)
    # At the maximum the score of the (lightly held) regression is zero.
    assert np.abs(features.T @ (totals - expected * factor) - 3.0 * beta).max() < 1e-3


@pytest.mark.parametrize("days", [270, 364])
def test_a_season_of_which_a_part_was_never_seen_is_not_guessed(days: int) -> None:
    """A rise in spring is no reason to expect half as much again in winter."""
    rng = np.random.default_rng(3)
    steps = days + 180
    cube = small_cube(steps)
    trend = 1 + 0.3 * np.sin(np.arange(steps) / 270 * np.pi)
    counts = rng.poisson(2.0 * trend[:, None, None, None], (steps, *cube.counts.shape[1:]))
    cube = replace(cube, counts=counts.astype(np.float32))
    made = memory_mixture(cube, days, steps)
    ratio = made.sum(axis=(1, 2, 3)).reshape(-1, 30).sum(1) / counts[days:].reshape(6, -1).sum(1)
    assert ratio.max() < 1.3, ratio
    assert ratio.min() > 0.75, ratio


def test_it_comes_close_to_the_truth_on_the_sample_city(sample: str) -> None:
    cube = load_cube(sample)
    first, last = 620, 730
    area = cube.area(first)

    def fit(rates: np.ndarray) -> float:
        sums = step_sums(cube.counts[first:last], rates, area, cube.times[first:last])
        return scores(sums)["log_likelihood_per_event"]

    made = fit(memory_mixture(cube, first, last))
    truth = fit(true_rates(cube)[first:last])
    assert truth - 0.02 * abs(truth) < made < truth


@pytest.mark.parametrize("lead", [2, 5])
def test_further_ahead_it_knows_the_calendar_but_not_the_days_between(lead: int) -> None:
    cube = small_cube(400)
    area = np.ones((5, 6), dtype=bool)
    mixture = fit_mixture(cube, area, 300)
    before = mixture_rates(cube, area, mixture, 300, 400, lead)
    counts = cube.counts.copy()
    counts[350:] += 4
    after = mixture_rates(replace(cube, counts=counts), area, mixture, 300, 400, lead)
    assert np.array_equal(before[: 50 + lead], after[: 50 + lead])
    assert not np.array_equal(before[50 + lead], after[50 + lead])


def test_types_have_weights_of_their_own() -> None:
    cube = small_cube(400)
    both = fit_mixture(cube, np.ones((5, 6), dtype=bool), 400)
    alone = fit_mixture(replace(cube, counts=cube.counts[:, 1:]), np.ones((5, 6), dtype=bool), 400)
    assert np.allclose(both.weights[:, 1], alone.weights[:, 0], atol=1e-5)
    assert np.allclose(both.level[1], alone.level[0], atol=1e-4)


def test_a_weekly_rhythm_of_the_city_is_the_levels_not_the_memories() -> None:
    cube = small_cube(900)
    weekday = (cube.times.astype("datetime64[D]").astype(int) + 3) % 7
    rhythm = np.where(weekday >= 4, 1.6, 0.7)[:, None, None, None]
    rng = np.random.default_rng(4)
    rates = rng.gamma(1.0, 0.5, (1, 2, 5, 6)) * rhythm
    busy = replace(cube, counts=rng.poisson(rates).astype(np.float32))
    weights = fit_mixture(busy, np.ones((5, 6), dtype=bool), 900).weights
    of_week = np.array([memory.of == "weekday" for memory in remembered(busy)] + [False])
    assert (weights[of_week].sum(axis=0) < 0.5 * weights.sum(axis=0)).all()
