"""The cells of a grid that count."""

import numpy as np
import shapely

from crimecast.cities import City

STRIP = 100_000  # cells that are held against the outline at a time


def study_area(
    city: City, column0: float, row0: float, width: int, height: int, cell: float
) -> np.ndarray:
    """(height, width) bool: the cells that meet the outline; all of them where there is none."""
    if city.boundary is None:
        return np.ones((height, width), dtype=bool)
    x = (column0 + np.arange(width)) * cell
    y = (row0 + np.arange(height)) * cell
    shapely.prepare(city.boundary)
    area = np.zeros((height, width), dtype=bool)
    rows = max(1, STRIP // width)
    for row in range(0, height, rows):
        left, low = np.meshgrid(x, y[row : row + rows])
        boxes = shapely.box(left, low, left + cell, low + cell)
        area[row : row + rows] = shapely.intersects(city.boundary, boxes)
    return area
