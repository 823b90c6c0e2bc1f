"""Cells that are asked about, held against the maps that there are: a negative one would be counted from the end."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from crimecast import UserError
from crimecast.networks.calls import first_tensor


def check_cell(cell: Sequence[int], height: int, width: int) -> None:
    """Raises UserError for a cell (row, column) that a map of height × width cells doesn't have."""
    if len(cell) != 2 or not all(isinstance(at, int | np.integer) for at in cell):
        raise UserError(f"A cell is its row and its column, two whole numbers, not {cell!r:.60}.")
    row, column = cell
    if not (0 <= row < height and 0 <= column < width):
        raise UserError(
            f"There is no cell in row {row}, column {column}: the map has {height} × {width} cells, counted from 0."
        )


def check_kind(kind: int, kinds: int) -> None:
    """Raises UserError for a type that isn't forecast."""
    if not 0 <= kind < kinds:
        raise UserError(f"There is no type {kind}: {kinds} are forecast, counted from 0.")


def maps_of(output: object) -> Tensor:
    """(1, C, H, W) what a network returned for one sample. Raises UserError if it is something else."""
    if not isinstance(output, Tensor):
        inside = first_tensor(output)
        what = type(output).__name__ + (
            f" with {tuple(inside.shape)} in it" if inside is not None else ""
        )
    elif output.dim() != 4 or len(output) != 1:
        what = f"{tuple(output.shape)}"
    else:
        return output
    raise UserError(f"The module returns {what}; a forecast is a tensor (1, types, rows, columns).")
