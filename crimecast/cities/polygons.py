"""The areas that a GeoJSON document draws: a city's outline and neighbourhoods, or what was counted by."""

from typing import Any

import shapely
import shapely.geometry

from crimecast import UserError

AREAS = ("Polygon", "MultiPolygon")
BROKEN = (ValueError, LookupError, TypeError, AttributeError, shapely.errors.ShapelyError)


def polygons_of(document: Any, what: str) -> list[tuple[dict[str, Any], Any]]:
    """The properties and shape of each area of a GeoJSON document, in longitude and latitude; features
    of other kinds and without places are left out.

    what: how the document is called in sentences. Raises UserError if it is none of areas, if one of
    them is broken, or if they can't be in degrees.
    """
    features = document.get("features", [document]) if isinstance(document, dict) else None
    if not isinstance(features, list):
        raise UserError(f"{what} is no GeoJSON of areas.")
    found = []
    for number, feature in enumerate(features, 1):
        try:
            geometry = feature.get("geometry", feature)
            shape = geometry and shapely.make_valid(shapely.geometry.shape(geometry))
            own = dict(feature.get("properties") or {})
        except BROKEN:
            raise UserError(f"Feature {number} of {what} can't be read as a place.") from None
        if geometry and (area := _area(shape)) is not None:
            found.append((own, area))
    if not found:
        raise UserError(f"{what} holds no area; give a GeoJSON file of polygons.")
    if not in_degrees([area for _, area in found]):
        raise UserError(f"The areas of {what} aren't in longitude and latitude (EPSG:4326).")
    return found


def in_degrees(shapes: list[Any]) -> bool:
    """Whether all of these shapes can be in longitude and latitude."""
    west, south, east, north = shapely.total_bounds(shapes)
    return bool(west >= -180 and east <= 180 and south >= -90 and north <= 90)


def _area(shape: Any) -> Any | None:
    """What of a shape has an area, or None: a polygon that crosses itself is mended into areas and lines."""
    parts = [
        part
        for part in getattr(shape, "geoms", [shape])
        if part.geom_type in AREAS and part.area > 0
    ]
    return shapely.union_all(parts) if len(parts) > 1 else next(iter(parts), None)
