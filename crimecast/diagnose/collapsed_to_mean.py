"""A forecast that hardly differs between cells, or not at all between steps.

Spread of the log rate over cells beside that of the mixture of memories: counts below a fifth, high
below a tenth. Over steps only no change at all counts.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

FLAT = 0.2


def judge(case: Case) -> Iterator[Finding]:
    """The same everywhere, or always."""
    area = case.subject.area
    own, other = np.log(case.rates[..., area] + 1e-9), np.log(case.baseline[..., area] + 1e-3)
    over_cells = own.mean(axis=0).std() / max(other.mean(axis=0).std(), 1e-9)
    over_steps = own.std(axis=0).mean()
    if over_cells < FLAT or over_steps < 1e-4:
        yield Finding(
            "collapsed_to_mean", None, "high" if over_cells < FLAT / 2 or over_steps < 1e-5 else "medium",
            {"spread_over_cells": float(over_cells), "spread_over_steps": float(over_steps)},
            "The forecast is nearly the same everywhere or always: the loss found no way to use the inputs; lower the learning rate and look for layers that are silent.",
            {"training.learning_rate": case.design.training.learning_rate / 3},
        )  # fmt: skip
