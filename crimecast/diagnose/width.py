"""Layers that waste channels (`redundant_channels`, `too_wide`) or lack them (`too_narrow`)."""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.finding import Case, Finding, computes
from crimecast.inspect.similarity import width

ALIKE = 0.999  # correlation of two channels that say the same
DOUBLED = 0.3  # share of a layer's channels that say what another does
WASTED = 0.12  # of a wide layer's width is used
NARROW = 8  # times narrower than both neighbours


def redundant_channels(case: Case) -> Iterator[Finding]:
    """Channels of one layer that are copies of one another, up to scale."""
    for node in _learning(case):
        x = case.features.values.get(node)
        if x is None or x.shape[1] < 4 or _corrects(case, node):
            continue
        varied = x[:, x.std(axis=0) > 1e-6]
        if varied.shape[1] < 4:
            continue
        like = np.abs(np.corrcoef(varied, rowvar=False))
        copies = (np.triu(like, 1) > ALIKE).any(axis=0)
        share = float(copies.sum() / x.shape[1])
        if share >= DOUBLED:
            keep = max(2, int(x.shape[1] - copies.sum()))
            yield Finding(
                "redundant_channels", node, "high" if share >= 0.5 else "medium",
                {"copies": int(copies.sum()), "channels": x.shape[1], "correlation_above": ALIKE},
                f"{copies.sum()} of {x.shape[1]} channels of {node} repeat others: {keep} channels would do.",
                {f"layer.{node}.channels": keep} if _free(case, node) else {},
            )  # fmt: skip


def too_wide(case: Case) -> Iterator[Finding]:
    """Layers that use a small part of a large width: components that hold 99 % of the variance."""
    for node in _learning(case):
        x = case.features.values.get(node)
        if x is None or x.shape[1] < 96:
            continue
        own = width(x)
        if own.used and own.saturation < WASTED:
            keep = max(8, 2 * own.used)
            yield Finding(
                "too_wide", node, "medium",
                {"channels": own.channels, "used": own.used, "participation": round(own.participation, 2)},
                f"{node} has {own.channels} channels and uses {own.used} directions: {keep} channels would do.",
                {f"layer.{node}.channels": keep} if _free(case, node) else {},
            )  # fmt: skip


def too_narrow(case: Case) -> Iterator[Finding]:
    """A layer through which everything passes, far narrower than what it takes and what takes it."""
    for node in case.nodes:
        if node.kind == "head" or node.name == case.nodes[-1].name or len(node.shape) < 3:
            continue
        own = node.shape[-3]
        before = [n.shape[-3] for n in case.nodes if n.name in node.takes and len(n.shape) >= 3]
        after = [n for n in case.nodes if node.name in n.takes]
        if not after or node.parameters == 0 or _bypassed(case, node.name):
            continue
        outer = min([*before, case.subject.samples.maps.shape[1] + len(case.design.lags)][:1])
        if own * NARROW <= outer and all(
            n.takes == (node.name,) or "calendar" in n.takes for n in after
        ):
            keep = int(max(8, outer // 2))
            yield Finding(
                "too_narrow", node.name, "high" if own <= 2 else "medium",
                {"channels": own, "before": int(outer)},
                f"All that the network knows passes through the {own} channels of {node.name}: give it {keep}.",
                {f"layer.{node.name}.channels": keep} if _free(case, node.name) else {},
            )  # fmt: skip


def _bypassed(case: Case, layer: str) -> bool:
    """Whether something reaches the last layer without passing through this one."""
    takes = {n.name: [t for t in n.takes if t not in ("calendar",)] for n in case.nodes}
    ahead, seen = [case.nodes[-1].name], set()
    while ahead:
        at = ahead.pop()
        if at == "inputs":
            return True
        if at == layer or at in seen:
            continue
        seen.add(at)
        ahead += takes.get(at, [])
    return False


def _corrects(case: Case, layer: str) -> bool:
    """Whether all that a layer gives is added to something else: a correction may well be in few
    directions, however many channels it is added to."""
    followers = [n for n in case.nodes if layer in n.takes]
    return bool(followers) and all(n.kind in ("add", "fuse") for n in followers)


def _learning(case: Case) -> list[str]:
    return [n.name for n in case.nodes if computes(n.kind)]


def _free(case: Case, layer: str) -> bool:
    """Whether the layer's channels can be changed alone: no sum needs as many."""
    if not case.is_spec or "channels" not in case.options(layer):
        return False
    followers = [n for n in case.nodes if layer in n.takes]
    return all(n.kind not in ("add", "fuse") for n in followers)
