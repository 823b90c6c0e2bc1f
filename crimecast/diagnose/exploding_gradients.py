"""Gradients many times what they are clipped to, before clipping.

Counts from a median norm over training of 50, or from one of 500 at any sampled step: healthy
networks have medians of 0.02 to 5 and begin below 10 (bench/results/planted.md).
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

EXPLODED, BURST = 50.0, 500.0


def judge(case: Case) -> Iterator[Finding]:
    """The layer with the largest gradient, if norms were too large for most of training."""
    norms = [norm for _, _, norm in case.curve if np.isfinite(norm)]
    if norms and (np.median(norms) > EXPLODED or max(norms) > BURST):
        layer = max(case.gradients, key=lambda n: case.gradients[n], default=None)
        yield Finding(
            "exploding_gradients", layer, "high",
            {"median_norm": float(np.median(norms)), "largest_norm": max(norms), "clip": case.design.training.clip},
            "Gradients are many times what they are clipped to: lower the learning rate, normalise, or start with smaller weights.",
            {"training.learning_rate": case.design.training.learning_rate / 10},
        )  # fmt: skip
