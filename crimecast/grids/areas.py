"""Counts by area on a grid: each area is a tile near where it lies, and is drawn as the area it is.

Networks, memories and baselines need to know what lies beside what. So areas are laid out as tiles of
one size, each area on one, at the least total squared distance from where it lies (a tile grid map;
an assignment problem: Kuhn 1955, Naval Research Logistics 2). Without places they stand row by row.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from crimecast import UserError
from crimecast.cities.polygons import polygons_of
from crimecast.reading.zones import agrees, zone_of
from crimecast.storage.store import data_root, read_json

FILE = "areas.json"
SPARE = 1.3  # tiles for each area: room for the city's form
ACROSS = 112  # cells of the picture along the city's longer side
MOST = 4000  # areas: to lay out more takes too long


@dataclass(frozen=True)
class Areas:
    """`names` of N areas, the row and column of their tiles (N, 2), and their shapes in metres of the
    city's CRS, or None where it isn't known where they lie."""

    names: tuple[str, ...]
    tiles: np.ndarray
    shapes: tuple[Any, ...] | None

    def numbers(self, rows: np.ndarray, columns: np.ndarray) -> list[int]:
        """The number of the area on each of these tiles, all of which have one."""
        known = {(row, column): number for number, (row, column) in enumerate(self.tiles.tolist())}
        return [known[int(row), int(column)] for row, column in zip(rows, columns, strict=True)]

    def name(self, row: int, column: int) -> str:
        """What the area on a tile is called."""
        return self.names[self.numbers(np.array([row]), np.array([column]))[0]]

    @cached_property
    def picture(self) -> "Picture | None":
        """How they are drawn; None where they can only be drawn as tiles."""
        return None if self.shapes is None else _picture(self.tiles, self.shapes)


@dataclass(frozen=True)
class Picture:
    """Which tile (row, column, or −1, −1) each cell (h, w, 2) of a picture shows, the first row in the
    south; its south-west corner and the side of its cells in metres."""

    tiles: np.ndarray
    corner: tuple[float, float]
    cell: float

    def lines(self, shape: Any) -> list[list[list[float]]]:
        """The closed lines of a shape in units of the picture's cells."""
        parts = [part for part in getattr(shape, "geoms", [shape]) if part.geom_type == "Polygon"]
        rings = [np.asarray(part.exterior.coords)[:, :2] for part in parts]
        return [np.round((ring - self.corner) / self.cell, 2).tolist() for ring in rings]


def lay_out(names: Sequence[str], shapes: Sequence[Any] | None) -> tuple[Areas, tuple[float, ...]]:
    """The areas on tiles; x and y of the tiles' south-west corner and the side of a tile in metres.

    A tile is as large as an area is in the mean; without shapes its size means nothing.
    """
    from scipy.optimize import linear_sum_assignment  # half a second of every process's start

    count = len(names)
    if any(not name.isprintable() or not 0 < len(name) <= 200 for name in names):
        raise UserError("An area's name must be printable text of at most 200 characters.")
    if count > MOST:
        raise UserError(f"There are {count:,} areas; at most {MOST:,} can be laid out.")
    if shapes is None:
        columns = math.ceil(math.sqrt(count))
        tiles = np.stack(np.divmod(np.arange(count), columns), axis=1)
        return Areas(tuple(names), tiles, None), (0.0, 0.0, 1000.0)
    centres = np.array([_middle(shape) for shape in shapes])
    x0, y0, x1, y1 = shapely.total_bounds(list(shapes))
    side = math.sqrt(sum(shape.area for shape in shapes) / count)
    width, height = max(x1 - x0, side), max(y1 - y0, side)
    columns = max(1, round(math.sqrt(SPARE * count * width / height)))
    rows = math.ceil(SPARE * count / columns)
    column, row = np.meshgrid(np.arange(columns), np.arange(rows))
    seats = np.stack(
        [
            x0 + (column.ravel() + 0.5) * width / columns,
            y0 + (row.ravel() + 0.5) * height / rows,
        ],
        axis=1,
    )
    far = ((centres[:, None] - seats) ** 2).sum(axis=2)
    _, taken = linear_sum_assignment(far)
    tiles = np.stack(np.divmod(taken, columns), axis=1)
    first = tiles.min(axis=0)
    corner = (
        (x0 + x1) / 2 + (first[1] - columns / 2) * side,
        (y0 + y1) / 2 + (first[0] - rows / 2) * side,
    )
    return Areas(tuple(names), tiles - first, tuple(shapes)), (*corner, side)


def on_tiles(values: np.ndarray, areas: Areas) -> np.ndarray:
    """(…, N) values of the areas → (…, H, W), zero on the tiles that have none."""
    height, width = areas.tiles.max(axis=0) + 1
    made = np.zeros((*values.shape[:-1], int(height), int(width)), dtype=values.dtype)
    made[..., areas.tiles[:, 0], areas.tiles[:, 1]] = values
    return made


def read_shapes(path: Path, names: Sequence[str]) -> list[Any]:
    """The shapes of the areas of these names in a GeoJSON file, in longitude and latitude.

    They are found by the property that has all of the names. Raises UserError as polygons_of does, or
    where no property has them all.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError:
        raise UserError(f"There is no file {path}.") from None
    except (ValueError, RecursionError):
        raise UserError(f"{path.name} is no GeoJSON of areas.") from None
    features = polygons_of(document, path.name)
    wanted = [_plain(name) for name in names]
    best: tuple[int, str] = (-1, "")
    whole: dict[str, list[Any]] = {}
    for key in sorted({key for own, _ in features for key in own}):
        known: dict[str, Any] = {}
        for own, shape in features:
            name = _plain(str(own.get(key, "")))
            known[name] = shapely.union(known[name], shape) if name in known else shape
        lacking = [name for name in wanted if name not in known]
        if not lacking:
            whole[key] = [known[name] for name in wanted]
            continue
        best = max(best, (len(wanted) - len(lacking), f"{key} lacks {', '.join(lacking[:3])}"))
    if whole:
        (first, shapes), *others = whole.items()
        for key, other in others:
            if not all(one.equals(two) for one, two in zip(shapes, other, strict=True)):
                raise UserError(
                    f"Both '{first}' and '{key}' of {path.name} have all names of the areas, for other shapes: take the one out that isn't meant."
                )
        return shapes
    raise UserError(
        f"No property of {path.name} has all {len(names)} names of the areas; the nearest, {best[1]}."
    )


def check_land(shapes: Sequence[Any], zone: str | None) -> None:
    """Raises UserError where areas (degrees) lie in the land of the time zone `zone` only with latitude and
    longitude exchanged, or, of a zone that isn't known, in nobody's."""
    centres = shapely.get_coordinates(shapely.centroid(np.array(shapes, dtype=object)))
    east, north = centres.T
    if zone is None:
        found, other = zone_of(east, north), zone_of(north, east)
        nobody = ("Etc/", "Antarctica/")
        wrong = (found or "Etc/").startswith(nobody) and not (other or "Etc/").startswith(nobody)
    else:
        wrong = not agrees(east, north, zone) and agrees(north, east, zone)
    if wrong:
        raise UserError(
            f"The areas lie at latitude {north[0]:.2f} and longitude {east[0]:.2f}, which fits only with the two exchanged: GeoJSON gives the longitude first; mend the file."
        )


def write_areas(folder: Path, areas: Areas) -> None:
    """Keep the areas of a grid in its folder."""
    shapes = areas.shapes and [shapely.geometry.mapping(shape) for shape in areas.shapes]
    document = {"names": areas.names, "tiles": areas.tiles.tolist(), "shapes": shapes}
    (folder / FILE).write_text(json.dumps(document), encoding="utf-8")


def areas_of(grid: str) -> Areas | None:
    """The areas that a stored grid's cells stand for; None for a grid of cells."""
    path = data_root() / "grids" / grid / FILE
    if not path.exists():
        return None
    kept = read_json(path)
    shapes = kept["shapes"] and tuple(shapely.geometry.shape(one) for one in kept["shapes"])
    return Areas(tuple(kept["names"]), np.array(kept["tiles"]), shapes)


def _middle(shape: Any) -> tuple[float, float]:
    point = shape.representative_point()
    return point.x, point.y


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _picture(tiles: np.ndarray, shapes: tuple[Any, ...]) -> Picture:
    from rasterio.features import rasterize
    from rasterio.transform import from_origin

    x0, y0, x1, y1 = shapely.total_bounds(list(shapes))
    cell = max(x1 - x0, y1 - y0) / ACROSS
    height, width = (max(1, math.ceil((b - a) / cell)) for a, b in ((y0, y1), (x0, x1)))
    drawn = rasterize(
        [(shape, number + 1) for number, shape in enumerate(shapes)], (height, width),
        transform=from_origin(x0, y0 + height * cell, cell, cell), dtype="int32",
    )[::-1]  # fmt: skip
    for number, shape in enumerate(shapes):  # what is smaller than a cell is seen all the same
        if not (drawn == number + 1).any():
            x, y = _middle(shape)
            at = int((y - y0) / cell), int((x - x0) / cell)
            drawn[min(at[0], height - 1), min(at[1], width - 1)] = number + 1
    known = np.concatenate([[[-1, -1]], tiles])
    return Picture(known[drawn], (float(x0), float(y0)), float(cell))
