"""Where a level jumps and doesn't come back with the season."""

import numpy as np

from crimecast.calendar.seasonal import comes_back


def largest_break(
    totals: np.ndarray, span: int, step_days: float, most: float, errors: float
) -> tuple[int, float, float] | None:
    """The step at which the mean of `span` steps differs most from that of the `span` before, by more than a factor of
    `most` and so many standard `errors` of counts, with both means; None if none does, but for what every year brings.

    totals (T,): events a step of `step_days` days.
    """
    level = np.convolve(totals, np.ones(span) / span, "valid")
    before, after = level[:-span], level[span:]
    error = np.sqrt(np.maximum(before + after, 1e-9) / span)
    ratio = np.log(np.maximum(after, 1e-9) / np.maximum(before, 1e-9))
    ratio[np.abs(after - before) < errors * error] = 0.0
    large = [int(i) for i in np.flatnonzero(np.abs(ratio) > np.log(most))]
    breaks = [i for i in large if not comes_back(ratio, i, step_days)]
    if not breaks:
        return None
    at = max(breaks, key=lambda i: abs(ratio[i]))
    return at + span, float(before[at]), float(after[at])
