"""Channels of a layer that are copies of one another, up to scale: correlation over cells and steps.

Copies are correlated by 0.999 and more; the layer counts from a fifth of its channels, high from
half. Healthy layers stay below a tenth (bench/results/planted.md). A layer that is only added to
something may well use few directions: it is not judged.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

ALIKE = 0.999
FEW, MANY = 0.2, 0.5


def judge(case: Case) -> Iterator[Finding]:
    """Layers with too many copies among their channels."""
    for node in case.learning:
        x = case.features.values.get(node)
        if x is None or x.shape[1] < 4 or _corrects(case, node):
            continue
        varied = x[:, x.std(axis=0) > 1e-6]
        if varied.shape[1] < 4:
            continue
        like = np.abs(np.corrcoef(varied, rowvar=False))
        copies = (np.triu(like, 1) > ALIKE).any(axis=0)
        share = float(copies.sum() / x.shape[1])
        if share >= FEW:
            keep = max(2, int(x.shape[1] - copies.sum()))
            yield Finding(
                "redundant_channels", node, "high" if share >= MANY else "medium",
                {"copies": int(copies.sum()), "channels": x.shape[1], "correlation_above": ALIKE},
                f"{copies.sum()} of {x.shape[1]} channels of {node} repeat others: {keep} channels would do.",
                {f"layer.{node}.channels": keep} if case.is_free(node) else {},
            )  # fmt: skip


def _corrects(case: Case, layer: str) -> bool:
    """Whether all that a layer gives is added to something else."""
    followers = [n for n in case.nodes if layer in n.takes]
    return bool(followers) and all(n.kind in ("add", "fuse") for n in followers)
