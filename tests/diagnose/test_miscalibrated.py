"""Scatter that comes of one event at a few places is told from scatter everywhere."""

import numpy as np

from crimecast.diagnose.miscalibrated import WIDE, gathered


def beyond(counts: np.ndarray, rate: np.ndarray, cells: np.ndarray) -> float:
    left = np.delete((counts - rate) ** 2, cells, axis=1).sum()
    return float(left / np.delete(rate, cells, axis=1).sum())


def test_a_festival_is_found_with_its_days() -> None:
    rng = np.random.default_rng(0)
    rate = np.full((140, 400), 0.07)
    counts = rng.poisson(rate).astype(float)
    counts[30:40, 100:103] += rng.poisson(8.0, (10, 3))
    assert ((counts - rate) ** 2).sum() / rate.sum() > WIDE
    cells, first, last = gathered((counts - rate) ** 2 - rate)
    assert {100, 101, 102} <= set(cells.tolist())
    assert 30 <= first <= last < 40
    assert beyond(counts, rate, cells) < WIDE


def test_counts_that_scatter_everywhere_do_so_without_a_few_cells_too() -> None:
    rng = np.random.default_rng(1)
    rate = np.full((140, 400), 0.3)
    counts = rng.negative_binomial(0.3, 0.5, rate.shape).astype(float)  # mean 0.3, variance 0.6
    cells, _, _ = gathered((counts - rate) ** 2 - rate)
    assert len(cells) == 4
    assert beyond(counts, rate, cells) > WIDE
