"""Near-repeat ratios equal a sum over all pairs, and find what was planted."""

import numpy as np

from crimecast.judging.near_repeat import RINGS, near_repeat


def by_hand(counts: np.ndarray, area: np.ndarray, lag: int, ring: int) -> float:
    inside = np.where(area, counts, 0.0)
    expected = inside.mean(0) * (inside.sum((1, 2)) / inside.sum((1, 2)).mean())[:, None, None]
    cells = np.argwhere(np.ones(area.shape))
    top = bottom = 0.0
    for a in cells:
        for b in cells:
            if round(float(np.hypot(*(a - b)))) == ring:
                top += (inside[:-lag, a[0], a[1]] * inside[lag:, b[0], b[1]]).sum()
                bottom += (expected[:-lag, a[0], a[1]] * expected[lag:, b[0], b[1]]).sum()
    return top / bottom


def test_ratios_equal_a_sum_over_pairs() -> None:
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.7, (30, 7, 6)).astype(np.float32)
    area = rng.random((7, 6)) < 0.8
    found = near_repeat(counts, area, (1, 4))
    for column, lag in enumerate((1, 4)):
        for ring in (0, 1, 3):
            assert np.isclose(
                found.ratio[ring, column], by_hand(counts, area, lag, ring), rtol=1e-4
            )


def test_without_excitation_nothing_is_found() -> None:
    rng = np.random.default_rng(1)
    rate = rng.gamma(1, 0.3, (20, 20)) * (1 + 0.4 * np.sin(np.arange(400) / 20))[:, None, None]
    found = near_repeat(rng.poisson(rate).astype(np.float32), np.ones((20, 20), bool))
    assert found.reach() == -1
    assert np.allclose(found.ratio[:3], 1.0, atol=0.05)


def test_the_reach_of_planted_excitation_is_found() -> None:
    rng = np.random.default_rng(2)
    steps, size, reach = 500, 24, 3
    rows, columns = np.indices((2 * reach + 1, 2 * reach + 1)) - reach
    kernel = (np.hypot(rows, columns) <= reach) * (0.5 / 29)
    counts = np.zeros((steps, size, size), np.float32)
    from scipy.ndimage import convolve

    for t in range(1, steps):
        follow = convolve(counts[t - 1], kernel, mode="constant")
        counts[t] = rng.poisson(0.05 + follow)
    assert near_repeat(counts, np.ones((size, size), bool)).reach() in (reach - 1, reach, reach + 1)
    assert near_repeat(counts, np.ones((size, size), bool)).ratio.shape == (RINGS, 6)
