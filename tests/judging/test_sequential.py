"""An interval that holds at all times: looked at every day, it is left as rarely as it says."""

import numpy as np

from crimecast.judging.sequential import LEAST, sequence, verdict


def test_a_mean_of_zero_is_hardly_ever_called_otherwise_however_often_one_looks() -> None:
    rng = np.random.default_rng(0)
    draws = [rng.normal(0, 3, 365) for _ in range(500)] + [
        rng.poisson(40, 365) / 40 - 1.0 for _ in range(500)
    ]
    assert np.mean([verdict(values) != 0 for values in draws]) < 0.06
    skewed = [rng.exponential(1, 365) - 1 for _ in range(500)]
    assert np.mean([verdict(values) != 0 for values in skewed]) < 0.14
    daily = np.mean(
        [
            any(abs(v[:t].mean()) > 1.96 * v[:t].std() / np.sqrt(t) for t in range(LEAST, 365))
            for v in draws[:100]
        ]
    )
    assert daily > 0.25  # what an ordinary interval does


def test_a_difference_that_is_there_is_found() -> None:
    rng = np.random.default_rng(1)
    assert verdict(rng.normal(0.5, 1, 120)) == 1
    assert verdict(rng.normal(-0.5, 1, 120)) == -1
    assert verdict(rng.normal(5, 1, LEAST - 1)) == 0  # too early to say


def test_the_interval_narrows() -> None:
    values = np.random.default_rng(2).normal(0, 1, 400)
    mean, low, high = sequence(values)
    width = high - low
    assert np.isinf(width[LEAST - 2])
    assert width[-1] < width[60] < width[LEAST]
    assert abs(mean[-1] - values.mean()) < 1e-12
