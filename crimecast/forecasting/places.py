"""Where a forecast's cells lie, for files: squares or the areas that they stand for, in longitude and latitude."""

from typing import Any

import numpy as np
import shapely
import shapely.geometry

from crimecast.cities import City
from crimecast.grids.cube import Cube

DIGITS = 7  # of a degree: a centimetre


def polygons(cube: Cube, city: City, rows: np.ndarray, columns: np.ndarray) -> list[dict[str, Any]]:
    """The GeoJSON geometry of each of these cells, (N,) rows and columns."""
    areas = cube.areas
    if areas is not None and areas.shapes is not None:
        shapes = [
            shapely.transform(areas.shapes[number], _inverse(city), interleaved=False)
            for number in areas.numbers(rows, columns)
        ]
        return [shapely.geometry.mapping(shape) for shape in shapes]
    half = cube.cell / 2
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    sides = [
        _inverse(city)(cube.x[columns] + a * half, cube.y[rows] + b * half) for a, b in corners
    ]
    rings = np.stack([np.stack(side, axis=1) for side in sides], axis=1).round(DIGITS)
    return [{"type": "Polygon", "coordinates": [ring.tolist()]} for ring in rings]


def names(cube: Cube, rows: np.ndarray, columns: np.ndarray) -> list[str] | None:
    """What the cells' areas are called; None where cells are cells."""
    if (areas := cube.areas) is None:
        return None
    return [areas.names[number] for number in areas.numbers(rows, columns)]


def called(cube: Cube) -> dict[str, tuple[tuple[str, str], np.ndarray]]:
    """The areas' names as a coordinate of a dataset; nothing where cells are cells."""
    if (areas := cube.areas) is None:
        return {}
    table = np.full(cube.counts.shape[2:], "", dtype=f"<U{max(map(len, areas.names))}")
    table[areas.tiles[:, 0], areas.tiles[:, 1]] = areas.names
    return {"name": (("y", "x"), table)}


def _inverse(city: City) -> Any:
    def back(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        longitude, latitude = city.to_metres.transform(x, y, direction="INVERSE")
        return np.round(longitude, DIGITS), np.round(latitude, DIGITS)

    return back
