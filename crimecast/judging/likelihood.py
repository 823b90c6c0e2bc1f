"""The log-likelihood that everything is judged by, and the floor of the rates in it: here and nowhere
else, for arrays and for tensors."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

# Events a cell and step: a rate of zero where something happens isn't infinitely wrong.
FLOOR = 1e-6


def floored(rates: np.ndarray) -> np.ndarray:
    """Rates as float64, at least FLOOR."""
    return np.maximum(np.asarray(rates, dtype=np.float64), FLOOR)


def log_likelihood(counts: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """n ln λ − λ of every entry, float64: the Poisson log-likelihood without its ln n!, which is the
    same for every forecast. λ is floored at FLOOR; the shapes must broadcast.

    >>> log_likelihood(np.array([0, 2]), np.array([0.5, 1.0])).tolist()
    [-0.5, -1.0]
    """
    lam = floored(rates)
    return counts * np.log(lam) - lam


def log_likelihood_of_log(counts: "torch.Tensor", log_rate: "torch.Tensor") -> "torch.Tensor":
    """The same from a network's log-rates, in double precision: its twin for tensors."""
    log = log_rate.double().clamp(min=float(np.log(FLOOR)))
    return counts.double() * log - log.exp()
