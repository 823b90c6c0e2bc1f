"""Layers that next to none of the gradient reaches: root mean square over a layer's weights.

Counts below a ten-thousandth of the largest layer's. Gates and conditioning start at nothing and may
stay near it, so only layers that convolve or attend are judged. Deep chains of sigmoids reach 1e-6 to
1e-12, healthy networks stay above 1e-2 (bench/results/planted.md).
"""

from collections.abc import Iterator

from crimecast.diagnose.case import Case, computes
from crimecast.diagnose.finding import Finding

VANISHED = 1e-4
NOTHING = 1e-12


def judge(case: Case) -> Iterator[Finding]:
    """The first layer that learns nothing."""
    own = {
        n: g
        for n, g in case.gradients.items()
        if (computes(case.kind(n)) or n == case.last) and n in case.reached
    }
    top = max(own.values(), default=0.0)
    if len(own) >= 2 and top < NOTHING:
        yield Finding(
            "vanishing_gradients", next(iter(own)), "high", {"gradient": 0.0, "layers": list(own)},
            "No layer gets any gradient: something between the last layer and the rates is cut off, such as a clamp, or its units are all shut.",
        )  # fmt: skip
        return
    if len(own) < 3:
        return
    weak = [n for n, g in own.items() if g < VANISHED * top]
    if weak and list(own)[-1] not in weak:
        yield Finding(
            "vanishing_gradients", weak[0], "high",
            {"gradient": own[weak[0]], "largest": top, "layers": weak},
            f"{weak[0]} gets {own[weak[0]] / top:.0e} of the largest gradient: add skip connections or normalisation, or use gelu in place of bounded activations.",
            _gelu(case),
        )  # fmt: skip


def _gelu(case: Case) -> dict[str, object]:
    return {
        f"layer.{n.name}.activation": "gelu"
        for n in case.nodes
        if case.options(n.name).get("activation") in ("sigmoid", "tanh")
    }
