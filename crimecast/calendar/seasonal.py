"""Whether a change of the level comes back at the same time of every year: holidays, harvests, tourists."""

import numpy as np

YEAR = 365.25
NEAR = 21.0  # days by which it may come earlier or later
AS_MUCH = 0.5  # of the logarithm of the change, in another year


def comes_back(ratios: np.ndarray, at: int, step_days: float) -> bool:
    """Whether a change at index `at` of ratios (T,), the logarithms of the level after each step over that before, was
    there a year or more before or after as well, half as large or more; False where no other year is known.

    >>> once, every = np.zeros(1000), np.zeros(1000)
    >>> once[300], every[[300, 660]] = 0.6, (0.6, 0.5)
    >>> comes_back(once, 300, 1.0), comes_back(every, 300, 1.0)
    (False, True)
    """
    change, reach = ratios[at], max(1, round(NEAR / step_days))
    others = []
    for years in range(-20, 21):
        middle = at + round(years * YEAR / step_days)
        if years and 0 <= middle < len(ratios):
            around = ratios[max(0, middle - reach) : middle + reach + 1]
            others.append(float((np.sign(change) * around).max()) >= AS_MUCH * abs(change))
    return bool(others) and all(others)
