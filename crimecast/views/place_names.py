"""What a cell is called: its neighbourhood or, outside of all, the nearest one, without outlines that which its records
name; the street at its middle, where a file of streets was given, else that which most of its records name; and its row and column."""

from functools import lru_cache
from typing import Any

import numpy as np
import shapely

from crimecast.cities import City, load_city
from crimecast.cities.quarters import quarter_of, street_of
from crimecast.cities.streets import nearest_street
from crimecast.grids.cube import Cube


def place_name(city: City, cube: Cube, row: int, column: int) -> str:
    """`Old Town, Main Street, row 3, column 4`; of areas the area alone."""
    if cube.areas is not None:
        return cube.areas.name(row, column)
    here = shapely.Point(float(cube.x[column]), float(cube.y[row]))
    best, least = "", np.inf
    for name, shape in _neighbourhoods(city.name):
        distance = shape.distance(here)
        if distance < least:
            best, least = name, distance
    cell = f"row {row}, column {column}"
    street = nearest_street(city, here.x, here.y, cube.cell)
    if street := street or street_of(city, here.x, here.y, cube.cell):
        cell = f"{street}, {cell}"
    if not best and (quarter := quarter_of(city, here.x, here.y, cube.cell)):
        return f"{quarter}, {cell}"
    if not best:
        return cell[0].upper() + cell[1:]
    return f"{best}, {cell}" if least == 0 else f"{least:,.0f} m from {best}, {cell}"


@lru_cache(maxsize=8)
def _neighbourhoods(city: str) -> list[tuple[str, Any]]:
    known = load_city(city)
    return [
        (n, known.project(shape)) for kind, n, shape in known.features if kind == "neighbourhood"
    ]
