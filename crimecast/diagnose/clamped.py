"""A forecast held at an end: many cells have exactly the same extreme value, whatever comes in.

Counts when of what the network returns more than 3 % of the cells and steps are exactly its least or greatest
value, in more cells than one, and there the events are fewer, or more, than forecast by a tenth and four standard
errors; high from a quarter of the expected events.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

SHARE = 0.03
OFF, MUCH = 0.1, 0.25
ERRORS = 4.0


def judge(case: Case) -> Iterator[Finding]:
    """At which end it is held, and what is missed there."""
    area = case.subject.area
    said = case.said[..., area]
    counts, rates = (
        case.counts[..., area].astype(np.float64),
        case.rates[..., area].astype(np.float64),
    )
    low, high = float(said.min()), float(said.max())
    if high - low < 1e-6:
        return
    for end, word in ((low, "below"), (high, "above")):
        held = np.abs(said - end) <= 1e-6 * max(1.0, abs(end))
        if held.mean() < SHARE or held.any(axis=(0, 1)).sum() < 2:
            continue
        expected, seen = float(rates[held].sum()), float(counts[held].sum())
        off = abs(seen - expected)
        # Held from below the rate is too high there, from above too low: the other way it isn't the end's doing.
        wrong = seen < expected if word == "below" else seen > expected
        if wrong and off > OFF * expected and off > ERRORS * np.sqrt(max(expected, 1.0)):
            yield Finding(
                "clamped", case.last, "high" if off > MUCH * expected else "medium",
                {"held_at": end, "share": float(held.mean()), "forecast": expected, "observed": seen},
                f"{100 * held.mean():.0f} % of what it returns is exactly {end:.3g}: it is held from {word}, by a clamp or an activation at the end. Let the last layer be linear.",
            )  # fmt: skip
