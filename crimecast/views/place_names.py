"""What a cell is called: its neighbourhood or, outside of all, the nearest one, without outlines that which its records
name; the street at its middle, where a file of streets was given, else that which most of its records name; and how far
it lies from the middle of the neighbourhood, which tells it apart from all others there."""

from functools import lru_cache
from typing import Any

import shapely

from crimecast.cities import City, load_city
from crimecast.cities.quarters import middle_of, quarter_of, street_of
from crimecast.cities.streets import nearest_street
from crimecast.grids.cube import Cube


def place_name(city: City, cube: Cube, row: int, column: int) -> str:
    """`Old Town, Main Street, 500 m north and 1.2 km west of its middle`; `Row 3, column 4` where no place is known; of
    areas the area alone."""
    if cube.areas is not None:
        return cube.areas.name(row, column)
    x, y = float(cube.x[column]), float(cube.y[row])
    quarter, middle = _quarter(city, x, y, cube.cell)
    street = nearest_street(city, x, y, cube.cell) or street_of(city, x, y, cube.cell)
    cell = f"row {row}, column {column}"
    if middle is not None:
        cell = _beside(x - middle[0], y - middle[1], cube.cell)
    name = ", ".join(part for part in (quarter, street, cell) if part)
    return name[0].upper() + name[1:]


def _quarter(city: City, x: float, y: float, cell: float) -> tuple[str, tuple[float, float] | None]:
    """The neighbourhood of a cell with its middle in metres; nothing where none is known."""
    here = shapely.Point(x, y)
    outlined = _neighbourhoods(city.name)
    if outlined:
        name, shape = min(outlined, key=lambda one: one[1].distance(here))
        middle = shape.centroid
        return name if shape.intersects(here) else f"near {name}", (middle.x, middle.y)
    name = quarter_of(city, x, y, cell) or ""
    return name, middle_of(city, name) if name else None


def _beside(east: float, north: float, cell: float) -> str:
    """Where a cell lies from a middle; no two cells of a grid lie alike."""
    fine = 100 if cell >= 250 else 10 if cell >= 25 else 1
    parts = [
        f"{_distance(abs(away), fine)} {one if away > 0 else other}"
        for away, one, other in ((north, "north", "south"), (east, "east", "west"))
        if abs(away) >= cell / 2
    ]
    return f"{' and '.join(parts)} of its middle" if parts else "in its middle"


def _distance(metres: float, fine: int) -> str:
    metres = round(metres / fine) * fine
    return f"{metres / 1000:g} km" if metres >= 1000 else f"{metres} m"


@lru_cache(maxsize=8)
def _neighbourhoods(city: str) -> list[tuple[str, Any]]:
    known = load_city(city)
    return [
        (n, known.project(shape)) for kind, n, shape in known.features if kind == "neighbourhood"
    ]
