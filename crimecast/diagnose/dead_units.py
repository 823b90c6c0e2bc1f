"""Channels that say nothing: one and the same value in every cell of every probe step.

Low from a fifth of a layer's channels, medium from two fifths, high from 65 %. A rectified network without
an offset loses channels while its level falls from 1 to a few events in a hundred cells, and healthy
ones come to have up to three quarters silent: without an offset 65 % are high only if the network knows
less than half of what counting knows, 90 % in any case (bench/results/planted.md). Of a chain of
silent layers the first is named. In a user's own module a layer is judged after the activation that
follows it.
"""

from collections.abc import Iterator

import numpy as np
import torch

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

FEW, SOME, MANY, NEARLY_ALL = 0.2, 0.4, 0.65, 0.9
HURTS = 0.5
LOST, MUCH = 0.002, 0.02  # log-likelihood an event that opening them brings back
# What these put out may well be the same everywhere.
CONSTANT = ("head", "embedding", "cell_bias", "external", "dropout")
SHUTTING = ("relu", "sigmoid", "tanh", "elu")


def judge(case: Case) -> Iterator[Finding]:
    """Layers with too many channels that never change."""
    for layer, own in case.units.items():
        if case.kind(layer) in CONSTANT or layer == case.last or not _first(case, layer):
            continue
        dead = _silent(case, layer)
        share = float(dead.mean())
        if dead.any() and len(dead) > 1:
            back = _gained(case, layer, dead)
            if share < FEW and back < LOST:
                continue
            hurts = case.design.offset != "none" or case.skill < HURTS
            high = share >= NEARLY_ALL or (share >= MANY and hurts) or back > MUCH
            some = share >= SOME or back > LOST
            yield Finding(
                "dead_units", layer, "high" if high else "medium" if some else "low",
                {"dead": int(dead.sum()), "channels": len(dead), "silent_at_events": float(own.zero_at_events[dead].mean()), "gain_when_opened": back},
                f"{dead.sum()} of {len(dead)} channels of {layer} never change: use an activation that doesn't shut, such as gelu, and a lower learning rate.",
                {f"layer.{layer}.activation": "gelu"} if case.options(layer).get("activation") in SHUTTING else {},
            )  # fmt: skip


def _first(case: Case, layer: str) -> bool:
    """Whether the channels that don't change aren't those of a layer before with as many: the first of
    a chain is to blame."""
    own = _silent(case, layer).mean()
    takes = next((n.takes for n in case.nodes if n.name == layer), ())
    return all(
        _silent(case, before).mean() < max(FEW, own) for before in takes if before in case.units
    )


def _silent(case: Case, layer: str) -> np.ndarray:
    """(channels,) which of a layer's channels never change."""
    own = case.units[layer]
    size = np.maximum(np.abs(own.low), np.abs(own.high)).max() + 1e-12
    return own.high - own.low < 1e-6 * size


def _gained(case: Case, layer: str, dead: np.ndarray) -> float:
    """Log-likelihood an event that the forecast gains when the shut channels are opened, their bias that of the
    others: what they were trained to do comes back. 0 where they have none."""
    rates = _opened(case, layer, dead)
    if rates is None:
        return 0.0
    # With level and slope fitted to both: more light everywhere isn't what they knew.
    return case.above(case.calibrated(rates), case.calibrated(case.rates))


def _opened(case: Case, layer: str, dead: np.ndarray) -> np.ndarray | None:
    for module in case.subject.module(layer).modules():
        bias = getattr(module, "bias", None)
        if isinstance(bias, torch.Tensor) and bias.shape == dead.shape and not dead.all():
            before = bias.detach().clone()
            with torch.no_grad():
                bias[torch.from_numpy(dead)] = before[torch.from_numpy(~dead)].median()
                rates = case.forecast(*case.period)
                bias.copy_(before)
            return rates
    return None


def mended(case: Case, finding: Finding) -> np.ndarray | None:
    """(T, C, H, W) the forecast with the shut channels opened."""
    assert finding.layer is not None
    return _opened(case, finding.layer, _silent(case, finding.layer))
