"""How a forecast would feed on itself: patrols follow the forecast, records follow the patrols.

A simulation after Lum & Isaac (2016, Significance 13) and Ensign et al. (2018, FAT*): what truly
happens is drawn from fixed rates, and never changes. Each step the cells forecast highest are
patrolled; an event is recorded with probability `base`, or `watched` where a patrol is. The next
forecast is made from the records alone. If records followed the truth, patrols would stay where the
truth is; where detection follows patrols, they drift to where they have been before.
"""

import math
from dataclasses import dataclass

import numpy as np

PRIOR_STEPS = 30.0  # of the city's average, that a cell's forecast starts from


@dataclass(frozen=True)
class Feedback:
    """By step (T,): the share of patrols and of true events in the cells patrolled most at the end,
    the share of all events that is recorded; and by cell (N,): share of patrols, of true events."""

    patrolled: np.ndarray
    happened: np.ndarray
    recorded: np.ndarray
    patrols: np.ndarray
    truth: np.ndarray

    @property
    def runaway(self) -> float:
        """Share of patrols in the tenth of cells patrolled most, over their share of true events, in
        the last quarter. 1 is fair; the larger, the more the forecast feeds on itself."""
        late = slice(-max(1, len(self.patrolled) // 4), None)
        return float(self.patrolled[late].mean() / max(self.happened[late].mean(), 1e-12))


def simulate_feedback(
    rates: np.ndarray,
    steps: int = 365,
    share: float = 0.05,
    base: float = 0.4,
    watched: float = 0.8,
    half_life: float = 60.0,
    seed: int = 0,
) -> Feedback:
    """Let patrols follow forecasts for some steps.

    rates: (N,) the true rate of each cell; share: of cells patrolled in a step; base and watched:
    chance that an event is recorded without and with a patrol; half_life: in steps, of the decayed
    mean that forecasts from the records. With `watched` equal to `base` nothing feeds back.
    """
    rng = np.random.default_rng(seed)
    cells = len(rates)
    flagged = max(1, math.ceil(cells * share))
    weight = 2.0 ** (-1.0 / half_life)
    sums, mass = np.zeros(cells), 0.0
    where = np.zeros((steps, cells), dtype=bool)
    events = rng.poisson(rates, (steps, cells))
    caught = np.zeros(steps)
    for t in range(steps):
        average = sums.mean() / max(mass, 1e-12)
        forecast = (sums + PRIOR_STEPS * average) / (mass + PRIOR_STEPS)
        # Cells that are forecast alike take turns.
        where[t, np.lexsort((rng.random(cells), -forecast))[:flagged]] = True
        seen = rng.binomial(events[t], np.where(where[t], watched, base))
        caught[t] = seen.sum()
        sums, mass = weight * sums + seen, weight * mass + 1.0
    late = where[-max(1, steps // 4) :].sum(axis=0)
    most = np.argsort(-late, kind="stable")[: max(1, cells // 10)]
    total = np.maximum(events.sum(axis=1), 1)
    return Feedback(
        patrolled=where[:, most].sum(axis=1) / flagged,
        happened=np.full(steps, rates[most].sum() / max(rates.sum(), 1e-12)),
        recorded=caught / total,
        patrols=where.sum(axis=0) / where.sum(),
        truth=rates / max(rates.sum(), 1e-12),
    )
