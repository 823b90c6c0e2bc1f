"""What the maps of a grid are drawn on: its cells with the city's lines, or areas in their own shapes."""

from functools import lru_cache

import numpy as np
import shapely

from crimecast.cities import City
from crimecast.grids.cube import Cube, load_cube
from crimecast.plots.rasters import Ground


def ground(city: City, cube: Cube, neighbourhoods: bool = True) -> Ground:
    """The cube's grid with the city's lines, those of neighbourhoods only if asked for; of areas, each in
    its own shape."""
    picture = cube.areas and cube.areas.picture
    if not picture:
        inner = _lines(city, cube, "neighbourhood") if neighbourhoods else []
        outline = _lines(city, cube, "outline") or _around(cube.grid)
        return Ground((len(cube.y), len(cube.x)), cube.cell, outline, inner)
    assert cube.areas is not None
    assert cube.areas.shapes is not None
    rings = [ring for shape in cube.areas.shapes for ring in picture.lines(shape)]
    return Ground(picture.tiles.shape[:2], picture.cell, rings, [], picture.tiles)


def _lines(city: City, cube: Cube, kind: str) -> list[list[list[float]]]:
    """The city's outline or neighbourhoods in units of cells from the grid's south-west corner."""
    corner = [cube.x[0] - cube.cell / 2, cube.y[0] - cube.cell / 2]
    return [np.round((ring - corner) / cube.cell, 2).tolist() for ring in city.rings[kind]]


@lru_cache(maxsize=8)
def _around(grid: str) -> list[list[list[float]]]:
    """Lines around the cells where something was ever recorded, for a city whose outline isn't known."""
    cube = load_cube(grid)
    row, column = np.nonzero(cube.area(len(cube.times)))
    cells = shapely.union_all(shapely.box(column, row, column + 1, row + 1))
    return [shapely.get_coordinates(part.exterior).tolist() for part in shapely.get_parts(cells)]
