"""Mixtures of counts over paths, against draws and against SciPy."""

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from crimecast.judging.predictive import cdf, of_cells, quantile

RNG = np.random.default_rng(0)
MEAN = RNG.gamma(2.0, 1.5, (40, 6))
SPREAD = np.array([0.0, 0.05, 0.3, 0.0, 1.0, 2.5])


def exact(n: int, cell: int) -> float:
    m, d = MEAN[:, cell], SPREAD[cell]
    return float((poisson.cdf(n, m) if d == 0 else nbinom.cdf(n, 1 / d, 1 / (1 + d * m))).mean())


def test_distribution_is_scipys() -> None:
    for n in (0, 1, 5, 20):
        made = cdf(np.full(6, n), MEAN, SPREAD)
        assert made == pytest.approx([exact(n, cell) for cell in range(6)], abs=1e-9)
    assert (cdf(np.full(6, -1), MEAN, SPREAD) == 0).all()


def test_quantiles_are_the_smallest_counts_that_reach_a_level() -> None:
    some, (low, high) = of_cells(MEAN, SPREAD, (0.025, 0.975))
    for level, made in ((0.025, low), (0.975, high)):
        assert np.array_equal(made, quantile(level, MEAN, SPREAD))
        for cell, n in enumerate(made.astype(int)):
            assert exact(n, cell) >= level
            assert n == 0 or exact(n - 1, cell) < level
    assert some == pytest.approx([1 - exact(0, cell) for cell in range(6)], abs=1e-9)


def test_large_totals_have_quantiles_too() -> None:
    mean = np.full((3, 1), 8_000.0)
    assert quantile(0.975, mean, np.zeros(1))[0] == poisson.ppf(0.975, 8_000)
