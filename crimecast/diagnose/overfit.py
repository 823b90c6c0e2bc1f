"""The training period learnt by heart: validation loss rises from its best while training loss falls.

Counts from 2 % above the best with a training loss at least 1 % lower; high from 6 %. Where training was
stopped in time, so does what doesn't hold: the gain in log-likelihood over one rate for all cells and
steps, at the end of the training period beside that in the validation period. Healthy networks keep 80 %
and more of it; one that saw ten weeks keeps 74 % (bench/results/planted.md). Counts below 75 %, high
below 60 %.
"""

from collections.abc import Iterator

import numpy as np

from crimecast.diagnose.case import Case
from crimecast.diagnose.finding import Finding

GAP = 0.02
KEPT, LITTLE = 0.75, 0.6


def judge(case: Case) -> Iterator[Finding]:
    """From which epoch on it learnt by heart, and how much of what it learnt holds."""
    trained, held_out = (
        case.gain(*steps, scaled=True) for steps in (case.end_of_training, case.period)
    )
    kept = held_out / trained if trained > 0.05 else 1.0
    evidence = {"gain_in_training": round(trained, 4), "gain_in_validation": round(held_out, 4)}
    losses = [
        (e["training_loss"], e["validation_loss"]) for e in case.history if e["validation_loss"]
    ]
    worse, best = 0.0, len(losses) - 1
    if len(losses) >= 3:
        validation = [v for _, v in losses]
        best = int(np.argmin(validation))
        rise = (validation[-1] - validation[best]) / abs(validation[best])
        learnt = (losses[best][0] - losses[-1][0]) / abs(losses[best][0])
        worse = rise if learnt > GAP / 2 else 0.0
        evidence |= {"validation_worse": round(rise, 4), "training_better": round(learnt, 4)}
    if worse <= GAP and kept >= KEPT:
        return
    said = (
        f"From epoch {best + 1} on it learns the training period by heart"
        if worse > GAP
        else f"{100 * (1 - kept):.0f} % of what it knows of the training period doesn't hold after it"
    )
    yield Finding(
        "overfit", None, "high" if worse > 3 * GAP or kept < LITTLE else "medium",
        evidence | {"best_epoch": best + 1, "epochs": len(losses)},
        f"{said}: more data, a smaller network, dropout or more weight decay.",
        {"training.weight_decay": max(0.1, 10 * case.design.training.weight_decay)},
    )  # fmt: skip
