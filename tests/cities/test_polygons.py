"""What a GeoJSON document's areas are, and which documents are refused."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from crimecast import UserError
from crimecast.cities.city import load_city, write_outline
from crimecast.cities.polygons import polygons_of

SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]]}
BOW = {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}
MIXED = {
    "type": "GeometryCollection",
    "geometries": [SQUARE, {"type": "Point", "coordinates": [9, 9]}],
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["type", "features", "geometry", "coordinates", "properties", "geometries"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


def feature(geometry: Any, **properties: str) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


@pytest.mark.parametrize(
    ("document", "areas"),
    [
        (SQUARE, [4.0]),
        (feature(SQUARE), [4.0]),
        ({"type": "FeatureCollection", "features": [feature(SQUARE), feature(None)]}, [4.0]),
        ({"features": [feature({"type": "Point", "coordinates": [1, 1]}), feature(BOW), feature(MIXED)]}, [2.0, 4.0]),
    ],
)  # fmt: skip
def test_every_area_is_found(document: Any, areas: list[float]) -> None:
    assert [shape.area for _, shape in polygons_of(document, "it")] == areas


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ([SQUARE], "is no GeoJSON of areas"),
        ({"features": None}, "is no GeoJSON of areas"),
        ({"features": []}, "holds no area"),
        (
            {"features": [feature(SQUARE), feature({"type": "Polygon", "coordinates": "x"})]},
            "Feature 2",
        ),
        ({"features": [feature(SQUARE), 5]}, "Feature 2"),
        (shapely.geometry.mapping(shapely.box(0, 0, 1e5, 1e5)), "longitude and latitude"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0]]]}, "Feature 1|holds no area"),
    ],
)
def test_what_is_not_areas_in_degrees_is_refused(document: Any, text: str) -> None:
    with pytest.raises(UserError, match=text):
        polygons_of(document, "it")


@given(ANYTHING)
def test_any_document_is_areas_or_refused(document: Any) -> None:
    with suppress(UserError):
        assert all(shape.area > 0 for _, shape in polygons_of(document, "it"))


def test_an_outline_is_all_areas_and_each_a_neighbourhood(town: str) -> None:
    west = shapely.geometry.mapping(shapely.box(9.8, 53.4, 9.9, 53.6))
    east = shapely.geometry.mapping(shapely.box(9.9, 53.4, 10.0, 53.6))
    write_outline(town, {"features": [feature(west, name="West"), feature(east, name="East")]})
    outlined = replace(load_city(town), outline=f"{town}.geojson")
    assert [name for kind, name, _ in outlined.features if kind == "neighbourhood"] == [
        "West",
        "East",
    ]
    assert outlined.boundary is not None
    assert outlined.boundary.area == pytest.approx(0.2 * 67_000 * 0.2 * 111_000, rel=0.02)
    with pytest.raises(UserError, match="boundary"):
        write_outline(town, {"features": 5})
