"""Wide layers that use a small part of their width: components that hold 99 % of the variance.

Judged from 96 channels on, since small layers are cheap; counts below a quarter of the width. Layers of
24 to 48 channels of healthy networks use three tenths and more (bench/results/planted.md).
"""

from collections.abc import Iterator

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding
from crimecast.inspect.similarity import width

WIDE = 96
USED = 0.25


def judge(case: Case) -> Iterator[Finding]:
    """Wide layers with few directions."""
    for node in case.learning:
        x = case.features.values.get(node)
        if x is None or x.shape[1] < WIDE:
            continue
        own = width(x)
        if own.used and own.saturation < USED:
            keep = max(8, 2 * own.used)
            yield Finding(
                "too_wide", node, "medium",
                {"channels": own.channels, "used": own.used, "participation": round(own.participation, 2)},
                f"{node} has {own.channels} channels and uses {own.used} directions: {keep} channels would do.",
                {f"layer.{node}.channels": keep} if case.is_free(node) else {},
            )  # fmt: skip
