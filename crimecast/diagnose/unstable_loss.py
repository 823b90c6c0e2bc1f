"""A training loss that jumps up between epochs or within them, or ends above where it began.

Counts from a rise of a fifth of all that was learnt, or two points twelve median deviations above the
median; high from half, or four. A loss that ends above that of the untrained network is always high:
the first steps threw the network off and it never came back (bench/results/planted.md).
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

RISE, LARGE = 0.2, 0.5
SPIKES, MANY = 2, 4
DEVIATIONS = 12
BEFORE = 5  # points that one is held against


def judge(case: Case) -> Iterator[Finding]:
    """An unsteady training."""
    losses = [e["training_loss"] for e in case.history]
    if not losses:
        return
    size = abs(losses[0] - min(losses)) + 0.02 * abs(min(losses)) + 1e-9
    rises = [b - a for a, b in pairwise(losses)]
    jump = max(rises, default=0.0) / size
    points = np.array([loss for _, loss, _ in case.curve])
    spikes, thrown = 0, False
    if len(points) > 10:
        late = points[len(points) // 5 :]
        middle = np.median(late)
        spread = np.median(np.abs(late - middle)) + 1e-9
        # Above those before it too: a loss that is still coming down has no spikes.
        before = np.array([np.median(points[max(0, i - BEFORE) : i]) for i in range(len(points) // 5, len(points))])  # fmt: skip
        high = late > middle + DEVIATIONS * spread
        spikes = int((high & (late > before + DEVIATIONS / 2 * spread)).sum())
        ended = float(np.median(points[-len(points) // 4 :]))
        thrown = bool(ended > points[0] + 3 * spread + 0.02 * abs(points[0]))
    if jump > RISE or spikes >= SPIKES or thrown:
        severe = jump > LARGE or spikes >= MANY or thrown
        yield Finding(
            "unstable_loss", None, "high" if severe else "medium",
            {
                "largest_rise": float(max(rises, default=0.0)), "spikes": spikes,
                "ends_above_its_start": thrown, "learning_rate": case.design.training.learning_rate,
            },
            "The loss jumps up while training: lower the learning rate to a tenth, or take larger batches.",
            {"training.learning_rate": case.design.training.learning_rate / 10},
        )  # fmt: skip
