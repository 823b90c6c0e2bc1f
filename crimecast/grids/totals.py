"""Counts that hold their own sum: a type "all", or an area that is the whole city, counts everything twice."""

import numpy as np

from crimecast import UserError

FEWEST = 3  # of two, one may equal the other by chance


def check_totals(values: np.ndarray, axis: int, names: list[str], what: str) -> None:
    """Raises UserError if one of at least three types or areas is the sum of all others at every step.

    values: (time, type, …) counts, NaN where missing; axis: of the types or areas that `names` names;
    what: "type" or "area", as the sentence calls them.
    """
    if len(names) < FEWEST:
        return
    whole = np.nansum(values, axis=axis, dtype=np.float64)
    rest = tuple(place for place in range(values.ndim) if place != axis)
    counted = np.nansum(np.abs(values), axis=rest) > 0
    for number, name in enumerate(names):
        if not counted[number] or counted.sum() < FEWEST:
            continue
        own = np.nan_to_num(np.take(values, number, axis=axis).astype(np.float64))
        if np.array_equal(2 * own, whole):
            raise UserError(
                f"The {what} '{name}' holds the sum of all the others at every step: leave it out, else everything is counted twice."
            )
