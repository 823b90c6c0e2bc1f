"""What a design may assume of a count, given its rate. Each is minus a log-likelihood, to minimise.

All speak of the same rate λ, the expected count, so that forecasts of any of them are scored alike;
what else they need is learnt with the network, one number a type. Shapes: log_rate and target
(B, C, H, W), mask (H, W) bool; the mean is taken over the masked cells.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


def masked_mean(terms: Tensor, mask: Tensor) -> Tensor:
    """Mean over the cells of the mask, the types and the batch."""
    return (terms * mask).sum() / (mask.sum() * terms.shape[0] * terms.shape[1])


class Poisson(nn.Module):
    """λ − n ln λ."""

    def __init__(self, _types: int) -> None:
        super().__init__()

    def forward(self, log_rate: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        return masked_mean(torch.exp(log_rate) - target * log_rate, mask)


class NegativeBinomial(nn.Module):
    """Variance λ + α λ², α learnt for each type: −ln NB(n; λ, r = 1/α), the n! left out (NB2 of
    Cameron & Trivedi 1986, J. Applied Econometrics 1)."""

    def __init__(self, types: int) -> None:
        super().__init__()
        self.log_dispersion = nn.Parameter(torch.full((types, 1, 1), -3.0))

    def forward(self, log_rate: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        size = torch.exp(-self.log_dispersion)
        total = torch.log(size + torch.exp(log_rate))
        likelihood = (
            torch.lgamma(target + size)
            - torch.lgamma(size)
            + size * (torch.log(size) - total)
            + target * (log_rate - total)
        )
        return masked_mean(-likelihood, mask)


class ZeroInflatedPoisson(nn.Module):
    """With probability π, learnt for each type, nothing happens; else Poisson with rate λ/(1 − π)
    (Lambert 1992, Technometrics 34)."""

    def __init__(self, types: int) -> None:
        super().__init__()
        self.idle = nn.Parameter(torch.full((types, 1, 1), -3.0))

    def forward(self, log_rate: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        log_idle, log_busy = functional.logsigmoid(self.idle), functional.logsigmoid(-self.idle)
        busy_rate = log_rate - log_busy
        poisson = target * busy_rate - torch.exp(busy_rate)
        none = torch.logaddexp(log_idle, log_busy - torch.exp(busy_rate))
        return masked_mean(-torch.where(target > 0, log_busy + poisson, none), mask)


class AnyEvent(nn.Module):
    """Bernoulli: whether anything happens at all, with probability 1 − e^−λ."""

    def __init__(self, _types: int) -> None:
        super().__init__()

    def forward(self, log_rate: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        rate = torch.exp(log_rate)
        some = torch.log(-torch.expm1(-rate).clamp(max=-1e-7))
        return masked_mean(torch.where(target > 0, -some, rate), mask)


LIKELIHOODS: dict[str, Callable[[int], nn.Module]] = {
    "poisson": Poisson,
    "negative_binomial": NegativeBinomial,
    "zero_inflated_poisson": ZeroInflatedPoisson,
    "bernoulli": AnyEvent,
}
