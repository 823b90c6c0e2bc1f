"""Calibration measures equal their definitions and independent code, and know a good forecast."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crimecast.judging.calibration import crps, pit_histogram, reliability, sharpness, truth_gap
from crimecast.judging.scoring import resampled_weeks, week_numbers


@given(st.integers(0, 60), st.floats(1e-3, 40))
def test_crps_is_the_sum_of_its_definition(n: int, rate: float) -> None:
    k = np.arange(0, 300)
    expected = ((stats.poisson.cdf(k, rate) - (n <= k)) ** 2).sum()
    assert float(crps(np.array([n]), np.array([rate]))[0]) == pytest.approx(expected, rel=1e-6)


def test_crps_is_the_mean_distance_of_draws() -> None:
    """E|X − n| − E|X − X'|/2 (Gneiting & Raftery 2007), over the whole distribution."""
    k = np.arange(200)
    for n, rate in ((0, 0.2), (3, 2.5), (9, 4.0)):
        p = stats.poisson.pmf(k, rate)
        apart = (p[:, None] * p * np.abs(k[:, None] - k)).sum()
        expected = (p * np.abs(k - n)).sum() - apart / 2
        assert float(crps(np.array([n]), np.array([rate]))[0]) == pytest.approx(expected)


def truth(steps: int = 364) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    rates = rng.gamma(1.0, 1.0, (steps, 1, 80))
    times = np.datetime64("2020-01-06", "ns") + np.arange(steps) * np.timedelta64(1, "D")
    return rng.poisson(rates).astype(np.float32), rates, resampled_weeks(week_numbers(times))


def test_the_true_rates_lie_on_the_diagonal_and_others_do_not() -> None:
    counts, rates, weight = truth()
    good = reliability(counts, rates, weight)
    inside = (good.low <= good.forecast) & (good.forecast <= good.high)
    assert inside.mean() > 0.7
    expected = good.forecast * good.values
    assert expected == pytest.approx(expected.mean(), rel=0.02)  # bins expect as many events each
    assert good.values.sum() == counts.size
    assert (good.observed * good.values).sum() == pytest.approx(counts.sum())
    bad = reliability(counts, 1.5 * rates, weight)
    assert (bad.observed < bad.forecast).all()
    assert ((bad.forecast < bad.low) | (bad.forecast > bad.high)).mean() > 0.7


def test_the_pit_is_flat_for_the_truth_and_shaped_for_others() -> None:
    counts, rates, _ = truth()
    flat = pit_histogram(counts, rates)
    assert flat.sum() == pytest.approx(10)
    assert np.abs(flat - 1).max() < 0.06
    rng = np.random.default_rng(2)
    wild = rng.poisson(rng.gamma(0.5, 2 * rates))  # more spread than Poisson: too sure, a U
    shape = pit_histogram(wild, rates)
    assert shape[0] > 1.2
    assert shape[-1] > 1.2


def test_sharpness_is_the_mean_deviation_and_the_gap_is_zero_at_the_truth() -> None:
    _, rates, _ = truth(20)
    assert sharpness(rates) == pytest.approx(stats.poisson.std(rates).mean())
    assert truth_gap(rates, rates) == pytest.approx(0, abs=1e-12)
    assert truth_gap(rates, 1.3 * rates) == pytest.approx(0.3 - np.log(1.3), rel=1e-6)
