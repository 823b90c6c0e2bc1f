"""What the maps of a grid are drawn on: its cells with the city's lines, or areas in their own shapes."""

import numpy as np

from crimecast.cities import City
from crimecast.grids.cube import Cube
from crimecast.plots.rasters import Ground


def ground(city: City, cube: Cube) -> Ground:
    """The cube's grid with the city's lines; of areas, each in its own shape."""
    picture = cube.areas and cube.areas.picture
    if not picture:
        outline, inner = (
            lines(city, cube.x, cube.y, cube.cell, kind) for kind in ("outline", "neighbourhood")
        )
        return Ground((len(cube.y), len(cube.x)), cube.cell, outline, inner)
    assert cube.areas is not None
    assert cube.areas.shapes is not None
    inner = [ring for shape in cube.areas.shapes for ring in picture.lines(shape)]
    return Ground(picture.tiles.shape[:2], picture.cell, inner, [], picture.tiles)


def lines(
    city: City, x: np.ndarray, y: np.ndarray, cell: float, kind: str
) -> list[list[list[float]]]:
    """The city's outline or neighbourhoods in units of cells from the grid's south-west corner."""
    x0, y0 = x[0] - cell / 2, y[0] - cell / 2
    return [np.round((ring - [x0, y0]) / cell, 2).tolist() for ring in city.rings[kind]]
