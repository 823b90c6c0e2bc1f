"""Numbers and cells as the address of a page holds them, where anything may stand."""

import numpy as np


def number(written: str | None, count: int) -> int | None:
    """The number from 0 up to `count` (which it isn't) that is written; None for anything else."""
    text = written or ""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return None
    return int(text) if int(text) < count else None


def cell(written: str | None, area: np.ndarray) -> tuple[int, int] | None:
    """`row,column` of a cell inside `area` (H, W); None for anything else."""
    row, _, column = (written or "").partition(",")
    at = number(row, area.shape[0]), number(column, area.shape[1])
    if at[0] is None or at[1] is None or not area[at[0], at[1]]:
        return None
    return at[0], at[1]
