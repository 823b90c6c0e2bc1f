"""Where the cells of a tensor lie."""

from dataclasses import dataclass

import numpy as np

from crimecast import Doubt, UserError
from crimecast.cities import City
from crimecast.grids.areas import Areas
from crimecast.grids.tensor_axes import Wanted
from crimecast.grids.tensors import Tensor

FAR = 1e8  # metres: no place has coordinates beyond
NOMINAL = 1000.0  # metres of a cell whose size isn't known


@dataclass(frozen=True)
class Placed:
    """Where the grid lies: its south-west corner and the side of a cell, in metres."""

    x0: float
    y0: float
    cell: float
    flipped: tuple[bool, bool] = (False, False)  # of y and x
    notes: tuple[str, ...] = ()
    areas: Areas | None = None

    def bounds(self, shape: tuple[int, ...]) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 of so many rows and columns."""
        height, width = shape
        return self.x0, self.y0, self.x0 + width * self.cell, self.y0 + height * self.cell


def place(tensor: Tensor, city: City, wanted: Wanted, is_new: bool) -> Placed:
    """Where the cells lie. Raises UserError for cells that aren't square, or lie off the city."""
    y, x = tensor.coordinates.get("y"), tensor.coordinates.get("x")
    if wanted.origin is not None:
        if wanted.cell is None:
            raise Doubt("Say how large a cell is, in metres.", "--cell METRES")
        if not all(abs(metres) < FAR for metres in wanted.origin):
            raise UserError(
                "The south-west corner can't lie at {:g}, {:g} metres.".format(*wanted.origin)
            )
        if abs(wanted.origin[0]) <= 180 and abs(wanted.origin[1]) <= 90 and wanted.origin != (0, 0):
            raise UserError(
                f"The south-west corner {wanted.origin[0]:g}, {wanted.origin[1]:g} is in degrees: give it in metres of {city.crs}."
            )
        placed = Placed(*wanted.origin, _side(wanted.cell))
    elif (
        y is not None
        and x is not None
        and y.dtype.kind in "uif"
        and x.dtype.kind in "uif"
        and min(len(x), len(y)) > 1
    ):
        placed = _from_centres(x.astype(float), y.astype(float), wanted)
        if is_new and wanted.crs is None:
            raise Doubt(
                "The file gives places in metres; say in which system.", "--crs EPSG:NUMBER"
            )
    else:
        if (
            not is_new
            and city.extent() is not None
            and city.quirks != _nominal(_side(wanted.cell)).notes
        ):
            raise Doubt(
                f"The file doesn't say where in {city.title} its cells lie: say the south-west corner in metres of "
                f"{city.crs} and the side of a cell, or give the counts a city of their own.",
                "--origin X,Y --cell METRES",
            )
        return _nominal(_side(wanted.cell))
    extent = None if is_new else city.extent()
    x0, y0, x1, y1 = placed.bounds(tensor.values.shape[2:])
    if extent is not None and not (
        x0 < extent[2] and x1 > extent[0] and y0 < extent[3] and y1 > extent[1]
    ):
        raise UserError(
            f"The cells lie at x {x0:,.0f} to {x1:,.0f}, y {y0:,.0f} to {y1:,.0f}, outside {city.title} "
            f"({extent[0]:,.0f} to {extent[2]:,.0f}, {extent[1]:,.0f} to {extent[3]:,.0f} in {city.crs})."
        )
    return placed


def _nominal(cell: float) -> Placed:
    note = (
        f"Its counts came without places: cells of {cell:g} m stand for them, the first row in the south. "
        "Distances on its maps mean nothing."
    )
    return Placed(0.0, 0.0, cell, notes=(note,))


def _side(cell: float | None) -> float:
    side = NOMINAL if cell is None else cell
    if not np.isfinite(side) or not 1 <= side <= 100_000:
        raise UserError(f"A cell of {side:g} metres can't be: use 100 to 100000.")
    return float(side)


def _from_centres(x: np.ndarray, y: np.ndarray, wanted: Wanted) -> Placed:
    sides = [np.diff(values) for values in (x, y)]
    cell = float(abs(np.median(sides[0])))
    if max(np.abs(x).max(), np.abs(y).max()) <= 180 and cell < 1:
        raise UserError(
            "The cells are regular in degrees, not in metres: project the counts, or leave their places out."
        )
    if any(np.abs(np.abs(side) - cell).max() > 1e-3 * cell for side in sides) or cell == 0:
        raise UserError(
            "The cells aren't squares of one size: their centres are at uneven distances."
        )
    if wanted.cell is not None and abs(wanted.cell - cell) > 1e-3 * cell:
        raise UserError(f"The centres of the cells are {cell:g} m apart, not {wanted.cell:g}.")
    flipped = (bool(sides[1][0] < 0), bool(sides[0][0] < 0))
    return Placed(float(x.min()) - cell / 2, float(y.min()) - cell / 2, _side(cell), flipped)
