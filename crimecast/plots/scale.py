"""How far a scale of colours reaches."""

import numpy as np

FEW, MOST = 0.02, 4.0  # cells that don't decide it, and how far above the others' highest it may go


def top_of(values: np.ndarray, share: float = 0.999, least: float = 1e-6) -> float:
    """The top of the scale for values of at least zero, of any shape: what a `share` of them stay below,
    and never so far above all but a few that those few (one cell of a default location, say) leave
    the rest of the map in one pale colour.

    >>> one_hot = np.ones(500); one_hot[7] = 300.0
    >>> top_of(one_hot), top_of(np.arange(1001.0), share=1.0), top_of(np.zeros(3), least=0.05)
    (4.0, 1000.0, 0.05)
    """
    if values.size == 0:
        return least
    most, high = np.quantile(values, [1 - FEW, share])
    return float(max(min(high, MOST * most) if most > 0 else high, least))
