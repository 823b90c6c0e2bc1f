"""Channels of a bounded activation whose values lie at its ends, where no gradient passes.

A channel counts if six tenths of the values that move away from its median by a tenth of the range lie
within 2 % of an end: a channel that rests at an end and leaves it where something happens is healthy.
The layer counts from a fifth of its channels, high from half (bench/results/planted.md). In a chain of five bounded layers and more the depth
is to blame (`vanishing_gradients`), and this is medium. In a user's own module a layer is judged by the
sigmoid or tanh that follows it, as a module or as a function. Gates, sigmoids that something else is multiplied by, open and
shut for a living: they are low.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

FEW, MANY = 0.2, 0.5
FULL = 0.6
DEEP = 5
PASSING = ("clone", "rsub", "sub", "_to_copy", "split_with_sizes")  # what leaves a gate one
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
            high = share >= MANY and len(bounded) < DEEP
            yield Finding(
                "saturated_units", layer, "low" if layer in _gates(case) else "high" if high else "medium",
                {"saturated": int(full.sum()), "channels": len(full), "share_at_the_ends": float(own.full.mean())},
                f"{full.sum()} of {len(full)} channels of {layer} sit at the ends of their activation, where no gradient passes: use gelu, or normalise before it.",
                {f"layer.{layer}.activation": "gelu"} if case.is_spec else {},
            )  # fmt: skip


def _gates(case: Case) -> set[str]:
    """The layers whose sigmoid something else that is made of the inputs is multiplied by."""
    made = case.subject.record()
    gates: set[str] = set()
    for number, op in enumerate(made.ops):
        if op.name not in ("sigmoid", "hardsigmoid"):
            continue
        own, multiplies = {ref.storage for ref in op.outputs}, False
        for after in made.ops[number + 1 :]:
            read = {ref.storage for ref in after.inputs}
            if after.name in PASSING and read <= own:
                own |= {ref.storage for ref in after.outputs}
            multiplies |= after.name == "mul" and bool(read & own and read - own)
        if multiplies:
            own |= {ref.storage for ref in op.inputs}
            gates |= {
                call.module for call in made.calls.values()
                if any(ref is not None and ref.storage in own for ref in call.outputs)
            }  # fmt: skip
    return gates
