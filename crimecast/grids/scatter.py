"""The innermost loop of gridding, compiled: events one by one into the cells and steps they fall in."""

import numba
import numpy as np


@numba.njit(nogil=True, cache=True)
def scatter(
    time: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    code: np.ndarray,
    starts: np.ndarray,
    kind_of: np.ndarray,
    cell: float,
    row0: int,
    column0: int,
    kinds: int,
    height: int,
    width: int,
    area: np.ndarray,
    limit: int,
    slab: np.ndarray,
    struck: np.ndarray,
    sums: np.ndarray,
) -> bool:
    """Count events one by one into a slab (steps · kinds · height · width) of steps from `starts`.

    `time` rises and lies at or after starts[0]; `starts` ends with the end of the last step; both
    in microseconds. Adds to `sums` in the order of counting.KEYS and marks struck cells; False if a count
    would exceed `limit`.
    """
    other = outside = beyond = filled = events = 0
    step = 0
    for i in range(time.size):
        while time[i] >= starts[step + 1]:
            step += 1
        kind = kind_of[code[i]]
        if kind < 0:
            other += 1
            continue
        r, c = int(np.floor(y[i] / cell)) - row0, int(np.floor(x[i] / cell)) - column0
        if r < 0 or r >= height or c < 0 or c >= width:
            outside += 1
            continue
        here = r * width + c
        place = (step * kinds + kind) * height * width + here
        old = slab[place]
        if old >= limit:
            return False
        slab[place] = old + 1
        struck[here] = True
        events += 1
        if not area[here]:
            beyond += 1
        elif old == 0:
            filled += 1
    for k, value in enumerate((time.size, other, outside, events, beyond, filled)):
        sums[k] += value
    return True
