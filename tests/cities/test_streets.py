"""Cells are called after the street at their middle, where a file of streets was given."""

from typing import Any

import pytest

from crimecast import UserError
from crimecast.cities import load_city
from crimecast.cities.streets import nearest_street, street_count, write_streets
from crimecast.grids.cube import load_cube
from crimecast.storage.store import data_root
from crimecast.views.place_names import place_name


def line(name: object, *points: tuple[float, float], kind: str = "LineString", key: str = "name") -> dict[str, Any]:  # fmt: skip
    return {
        "type": "Feature", "properties": {key: name}, "geometry": {"type": kind, "coordinates": [list(p) for p in points]},
    }  # fmt: skip


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def test_a_cell_is_called_after_the_street_at_its_middle(sample: str) -> None:
    city, cube = load_city("sample"), load_cube(sample)
    before = place_name(city, cube, 9, 9)
    to = city.to_metres.transform
    west, south = to(float(cube.x[0]), float(cube.y[9]) + 60, direction="INVERSE")
    east, north = to(float(cube.x[-1]), float(cube.y[9]) + 60, direction="INVERSE")
    far = (west + 2, south)
    document = collection(
        line("Main Street", (west, south), (east, north)), line("Far Road", far, (far[0], south + 0.1)),
        line(None, (west, south), (east, north)), line("A park", far, far, far, kind="Point"), {"geometry": None},
    )  # fmt: skip
    assert write_streets("sample", document) == street_count("sample") == 2
    quarter, _, beside = before.partition(", ")
    assert place_name(city, cube, 9, 9) == f"{quarter}, Main Street, {beside}"
    assert "Street" not in place_name(city, cube, 15, 9)
    assert nearest_street(city, float(cube.x[9]), float(cube.y[9]), 50.0) is None
    # Others take their place.
    write_streets("sample", collection(line("Rua Áurea", (west, south), (east, north), key="FULLNAME")))  # fmt: skip
    assert "Rua Áurea" in place_name(city, cube, 9, 9)
    write_streets("sample", collection(line("Far Road", far, (far[0], south + 0.1))))
    assert place_name(city, cube, 9, 9) == before
    (data_root() / "cities" / "sample" / "streets.json").unlink()  # others share the data folder


@pytest.mark.parametrize(
    "document",
    [
        [], {}, collection(), collection(line("", (0.0, 0.0), (1.0, 1.0))), collection(line(7, (0.0, 0.0), (1.0, 1.0))),
        collection(line("In metres", (500_000.0, 0.0), (500_100.0, 1.0))),
    ],
)  # fmt: skip
def test_what_holds_no_streets_is_refused(data: object, document: Any) -> None:
    with pytest.raises(UserError, match=r"[Ss]treets"):
        write_streets("town", document)
    assert street_count("town") == 0
