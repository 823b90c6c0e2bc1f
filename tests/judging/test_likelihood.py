"""The one log-likelihood, against SciPy's Poisson and PyTorch's loss."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln
from scipy.stats import poisson

from crimecast.judging.likelihood import FLOOR, log_likelihood, log_likelihood_of_log

COUNT = st.integers(0, 60)
RATE = st.floats(1e-9, 60.0)


@given(st.lists(st.tuples(COUNT, RATE), min_size=1, max_size=30))
def test_it_is_scipys_without_the_factorial(pairs: list[tuple[int, float]]) -> None:
    n, rate = (np.array(values, dtype=np.float64) for values in zip(*pairs, strict=True))
    expected = poisson.logpmf(n, np.maximum(rate, FLOOR)) + gammaln(n + 1)
    assert log_likelihood(n, rate) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(st.lists(st.tuples(COUNT, RATE), min_size=1, max_size=30))
def test_its_twin_for_tensors_says_the_same(pairs: list[tuple[int, float]]) -> None:
    n, rate = (np.array(values, dtype=np.float64) for values in zip(*pairs, strict=True))
    counts, log = torch.from_numpy(n), torch.from_numpy(np.log(rate))
    twin = log_likelihood_of_log(counts, log)
    assert twin.numpy() == pytest.approx(log_likelihood(n, rate), rel=1e-9, abs=1e-9)
    if rate.min() > FLOOR:
        loss = torch.nn.functional.poisson_nll_loss(log, counts, reduction="none")
        assert (-twin).numpy() == pytest.approx(loss.numpy(), rel=1e-9, abs=1e-9)


def test_a_rate_of_zero_is_floored() -> None:
    assert log_likelihood(np.array(1), np.array(0.0)) == pytest.approx(np.log(FLOOR) - FLOOR)
    assert log_likelihood(np.array(0), np.array(-1.0)) == pytest.approx(-FLOOR)
    twin = log_likelihood_of_log(torch.tensor(1.0), torch.tensor(-float("inf")))
    assert float(twin) == pytest.approx(np.log(FLOOR) - FLOOR)


def test_single_precision_is_summed_in_double() -> None:
    rates = np.full(3_000_000, 0.1, dtype=np.float32)
    total = log_likelihood(np.zeros_like(rates), rates).sum()
    assert total == pytest.approx(-float(np.float32(0.1)) * 3_000_000, rel=1e-9)
