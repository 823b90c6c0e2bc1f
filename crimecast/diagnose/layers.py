"""Layers that the forecast would not miss (`unused_layer`)."""

from collections.abc import Iterator

import numpy as np
import torch

from crimecast.diagnose.finding import Case, Finding
from crimecast.inspect.intervention import changed, replacement

NOTHING = 1e-4  # change of the log rate without a layer


def unused_layer(case: Case) -> Iterator[Finding]:
    """Layers without a path to the forecast, or whose output held at its mean changes nothing."""
    used = {node.name for node in case.nodes}
    reached = _reached(case)
    for name in case.subject.layers:
        module = case.subject.layers[name]
        own = sum(p.numel() for p in module.parameters())
        if any(True for _ in module.children()) and not case.is_spec:
            continue
        if (name not in used or name not in reached) and own:
            yield Finding(
                "unused_layer", name, "high", {"parameters": own, "reaches_forecast": False},
                f"Nothing of {name} reaches the forecast: connect it, or take it out.",
                {f"layer.{name}": None} if case.is_spec else {},
            )  # fmt: skip
    batch = case.subject.batch(case.subject.probes(4))
    area = torch.from_numpy(case.subject.area)
    with torch.no_grad():
        before = case.subject.log_rate(batch)[..., area]
    for node in case.nodes[:-1]:
        if (
            node.name not in reached
            or len(node.shape) < 3
            or node.kind in ("dropout", "Dropout", "Dropout2d")
        ):
            continue
        with (
            torch.no_grad(),
            changed(case.subject, node.name, None, replacement(case.subject, node.name, "mean")),
        ):
            change = float((case.subject.log_rate(batch)[..., area] - before).pow(2).mean().sqrt())
        spread = case.units.get(node.name)
        silent = spread is not None and bool(np.all(spread.high - spread.low < 1e-9))
        if change < NOTHING and not silent and node.parameters:
            yield Finding(
                "unused_layer", node.name, "medium", {"parameters": node.parameters, "change": change},
                f"The forecast is the same with {node.name} held at its mean: the network learnt to do without it.",
            )  # fmt: skip


def _reached(case: Case) -> set[str]:
    takes = {n.name: n.takes for n in case.nodes}
    ahead, seen = [case.nodes[-1].name], set()
    while ahead:
        at = ahead.pop()
        if at not in seen:
            seen.add(at)
            ahead += takes.get(at, ())
    return seen
