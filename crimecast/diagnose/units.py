"""Channels that say nothing (`dead_units`) or only yes and no (`saturated_units`)."""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.finding import Case, Finding

# Healthy rectified layers of the shipped designs have none, or a channel or two, that are silent on
# every probe; sick ones lose a quarter and more. See bench/results/planted.md.
FEW, MANY = 0.2, 0.5
FULL = 0.6  # of a saturated channel's values lie at the ends of its activation


def dead_units(case: Case) -> Iterator[Finding]:
    """Channels that have one and the same value in every cell of every probe step."""
    for layer, own in case.units.items():
        if case.kind(layer) in (
            "head",
            "embedding",
            "cell_bias",
            "external",
            "dropout",
        ) or not _first(case, layer):
            continue
        size = np.maximum(np.abs(own.low), np.abs(own.high)).max() + 1e-12
        dead = own.high - own.low < 1e-6 * size
        share = float(dead.mean())
        if share >= FEW and len(dead) > 1:
            yield Finding(
                "dead_units", layer, "high" if share >= MANY else "medium",
                {"dead": int(dead.sum()), "channels": len(dead), "silent_at_events": float(own.zero_at_events[dead].mean())},
                f"{dead.sum()} of {len(dead)} channels of {layer} never change: use an activation that doesn't shut, such as gelu, and a lower learning rate.",
                {f"layer.{layer}.activation": "gelu"} if case.options(layer).get("activation") in ("relu", "sigmoid", "tanh", "elu") else {},
            )  # fmt: skip


def saturated_units(case: Case) -> Iterator[Finding]:
    """Bounded activations whose values lie at their ends."""
    for layer, own in case.units.items():
        varied = own.high - own.low > 1e-6
        full = (own.full > FULL) & (varied | (np.abs(own.high) > 0.5))
        share = float(full.mean())
        bounded = case.options(layer).get("activation") in ("tanh", "sigmoid") or case.kind(
            layer
        ) in ("Tanh", "Sigmoid", "Hardtanh", "Hardsigmoid")
        if share >= FEW and bounded:
            yield Finding(
                "saturated_units", layer, "high" if share >= MANY else "medium",
                {"saturated": int(full.sum()), "channels": len(full), "share_at_the_ends": float(own.full.mean())},
                f"{full.sum()} of {len(full)} channels of {layer} sit at the ends of their activation, where no gradient passes: use gelu, or normalise before it.",
                {f"layer.{layer}.activation": "gelu"} if case.is_spec else {},
            )  # fmt: skip


def _first(case: Case, layer: str) -> bool:
    """Whether the channels that don't change aren't those of a layer before: the first is to blame."""
    for node in case.nodes:
        if node.name == layer:
            for before in node.takes:
                own = case.units.get(before)
                if own is not None and len(own.low) == len(case.units[layer].low):
                    flat = own.high - own.low < 1e-6 * (np.abs(own.high).max() + 1e-12)
                    if flat.mean() >= FEW:
                        return False
    return True
