"""Channels of a bounded activation whose values lie at its ends, where no gradient passes.

A channel counts if six tenths of the values that move away from its median by a tenth of the range lie
within 2 % of an end: a channel that rests at an end and leaves it where something happens is healthy.
The layer counts from a fifth of its channels, high from half (bench/results/planted.md). In a chain of five bounded layers and more the depth
is to blame (`vanishing_gradients`), and this is medium. In a user's own module a layer is judged by the
sigmoid or tanh that follows it, as a module or as a function.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

FEW, MANY = 0.2, 0.5
FULL = 0.6
DEEP = 5
BOUNDED = ("sigmoid", "tanh", "hardsigmoid", "hardtanh")


def judge(case: Case) -> Iterator[Finding]:
    """Layers with too many channels that only say yes or no."""
    bounded = [
        n
        for n, u in case.units.items()
        if case.options(n).get("activation", u.activation) in BOUNDED
    ]
    for layer in bounded:
        own = case.units[layer]
        varied = own.high - own.low > 1e-6
        full = (own.moved_full > FULL) & (varied | (np.abs(own.high) > 0.5))
        share = float(full.mean())
        if share >= FEW:
            yield Finding(
                "saturated_units", layer, "high" if share >= MANY and len(bounded) < DEEP else "medium",
                {"saturated": int(full.sum()), "channels": len(full), "share_at_the_ends": float(own.full.mean())},
                f"{full.sum()} of {len(full)} channels of {layer} sit at the ends of their activation, where no gradient passes: use gelu, or normalise before it.",
                {f"layer.{layer}.activation": "gelu"} if case.is_spec else {},
            )  # fmt: skip
