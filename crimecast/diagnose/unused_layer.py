"""Layers that the forecast would not miss: without a path to it, or with the same forecast when they
are held at their mean.

Neither makes the forecast worse by itself: both are medium. The second counts below a ten-thousandth of the log rate (root mean square over cells and steps).
"""

from collections.abc import Iterator

import numpy as np
import torch

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding
from crimecast.inspect.intervention import changed, replacement

NOTHING = 1e-4


def judge(case: Case) -> Iterator[Finding]:
    """Layers to connect or to take out."""
    reached = {case.subject.module_name(name) for name in case.reached} | case.weights_used
    for name, module in case.subject.layers.items():
        own = sum(p.numel() for p in module.parameters())
        if any(True for _ in module.children()) and not case.is_spec:
            continue
        if name not in reached and own:
            yield Finding(
                "unused_layer", name, "medium", {"parameters": own, "reaches_forecast": False},
                f"Nothing of {name} reaches the forecast: connect it, or take it out.",
                {f"layer.{name}": None} if case.is_spec else {},
            )  # fmt: skip
    batch = case.subject.batch(case.subject.probes(4))
    with torch.no_grad():
        before = case.subject.log_rate(batch)[..., case.mask]
    for node in case.nodes[:-1]:
        if (
            node.name not in case.reached
            or len(node.shape) < 3
            or node.kind in ("dropout", "Dropout", "Dropout2d")
        ):
            continue
        with (
            torch.no_grad(),
            changed(case.subject, node.name, None, replacement(case.subject, node.name, "mean")),
        ):
            change = float(
                (case.subject.log_rate(batch)[..., case.mask] - before).pow(2).mean().sqrt()
            )
        spread = case.units.get(node.name)
        silent = spread is not None and bool(np.all(spread.high - spread.low < 1e-9))
        if change < NOTHING and not silent and node.parameters:
            yield Finding(
                "unused_layer", node.name, "medium", {"parameters": node.parameters, "change": change},
                f"The forecast is the same with {node.name} held at its mean: the network learnt to do without it.",
            )  # fmt: skip
