"""Each likelihood equals that of an independent library, and its minimum is at the truth."""

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import gammaln

from crimecast.designs.likelihoods import LIKELIHOODS

EVERYWHERE = torch.ones(4, 5, dtype=torch.bool)


def case() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    return torch.randn(3, 2, 4, 5), torch.poisson(torch.rand(3, 2, 4, 5) * 3)


def test_poisson_is_torchs() -> None:
    rate, target = case()
    made = LIKELIHOODS["poisson"](2)(rate, target, EVERYWHERE)
    assert torch.allclose(made, torch.nn.PoissonNLLLoss(log_input=True)(rate, target))
    half = EVERYWHERE.clone()
    half[:, 2:] = False
    expected = torch.nn.PoissonNLLLoss(log_input=True)(rate[..., :2], target[..., :2])
    assert torch.allclose(LIKELIHOODS["poisson"](2)(rate, target, half), expected)


def test_negative_binomial_is_scipys() -> None:
    rate, target = case()
    model = LIKELIHOODS["negative_binomial"](2)
    with torch.no_grad():
        model.log_dispersion[:] = torch.tensor([-1.0, 0.5])[:, None, None]
    size = np.exp([1.0, -0.5])[None, :, None, None]
    mean, n = np.exp(rate.numpy()), target.numpy()
    expected = -(stats.nbinom.logpmf(n, size, size / (size + mean)) + gammaln(n + 1)).mean()
    assert float(model(rate, target, EVERYWHERE)) == pytest.approx(expected, rel=1e-4)


def test_zero_inflated_poisson_is_the_mixture_of_a_point_and_scipys_poisson() -> None:
    rate, target = case()
    model = LIKELIHOODS["zero_inflated_poisson"](2)
    with torch.no_grad():
        model.idle[:] = torch.tensor([-1.0, 0.5])[:, None, None]
    idle = 1 / (1 + np.exp([1.0, -0.5]))[None, :, None, None]
    mean, n = np.exp(rate.numpy()), target.numpy()
    busy = stats.poisson.pmf(n, mean / (1 - idle))
    likelihood = np.log(idle * (n == 0) + (1 - idle) * busy) + gammaln(n + 1) * (n > 0)
    assert float(model(rate, target, EVERYWHERE)) == pytest.approx(-likelihood.mean(), rel=1e-4)


def test_bernoulli_is_torchs_cross_entropy() -> None:
    rate, target = case()
    chance = 1 - torch.exp(-torch.exp(rate))
    expected = torch.nn.functional.binary_cross_entropy(chance, (target > 0).float())
    made = LIKELIHOODS["bernoulli"](2)(rate, target, EVERYWHERE)
    assert torch.allclose(made, expected, rtol=1e-4)


@pytest.mark.parametrize("name", list(LIKELIHOODS))
def test_the_true_rate_has_the_least_loss(name: str) -> None:
    torch.manual_seed(1)
    target = torch.poisson(torch.full((400, 1, 4, 5), 0.7))
    model = LIKELIHOODS[name](1)
    at = {
        r: float(model(torch.full_like(target, float(np.log(r))), target, EVERYWHERE))
        for r in (0.4, 0.55, 0.7, 0.9, 1.2)
    }
    assert min(at, key=lambda r: at[r]) == 0.7


@pytest.mark.parametrize("name", list(LIKELIHOODS))
def test_no_rate_gives_a_gradient_that_is_not_a_number(name: str) -> None:
    rate = torch.linspace(-15, 5, 20).view(1, 1, 4, 5).requires_grad_()
    for count in (0.0, 1.0, 40.0):
        loss = LIKELIHOODS[name](1)(rate, torch.full((1, 1, 4, 5), count), EVERYWHERE)
        (gradient,) = torch.autograd.grad(loss, rate)
        assert torch.isfinite(gradient).all()
