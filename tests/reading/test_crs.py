"""The coordinate system of metres or feet is proposed by where it puts them."""

import numpy as np
import pyproj
import pytest

from crimecast.reading.crs import city_of, propose_crs
from tests.few import few

# A system that a country or a state uses, a city of it, its zone.
USED = [
    (3877, 22.27, 60.45, "Europe/Helsinki"),
    (3435, -87.65, 41.86, "America/Chicago"), (3006, 18.05, 59.34, "Europe/Stockholm"), (2056, 8.54, 47.37, "Europe/Zurich"),
    (2193, 174.76, -36.85, "Pacific/Auckland"), (27700, -0.12, 51.5, "Europe/London"), (2154, 2.35, 48.86, "Europe/Paris"),
    (32633, 13.4, 52.5, "Europe/Berlin"), (2263, -73.95, 40.73, "America/New_York"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "east", "north", "zone"), few(USED, 2))
def test_the_system_of_the_zones_own_city_comes_first(
    number: int, east: float, north: float, zone: str
) -> None:
    to = pyproj.Transformer.from_crs(4326, number, always_xy=True)
    x, y = (np.array([value]) for value in to.transform(east, north))
    (code, text), *_ = propose_crs(x, y, zone)
    back = pyproj.Transformer.from_crs(code, 4326, always_xy=True)
    found = back.transform(x[0], y[0])
    assert found == pytest.approx((east, north), abs=1e-4)
    assert f"{north:.2f}, {east:.2f}" in text


def test_where_a_zones_city_lies() -> None:
    chicago = city_of("America/Chicago")
    assert chicago == pytest.approx((-87.65, 41.85))
    assert city_of("America/Argentina/Buenos_Aires") == pytest.approx((-58.45, -34.6))
    assert city_of("Etc/UTC") is None


@pytest.mark.parametrize(
    ("zone", "x", "y", "code"),
    [
        ("Europe/Budapest", 241_179.3, 651_083.7, "EPSG:23700"), ("Europe/Warsaw", 489_383.3, 636_135.5, "EPSG:2180"),
        ("Asia/Tokyo", -29_753.5, -5_726.5, "EPSG:6677"),
    ],
)  # fmt: skip
def test_systems_whose_x_is_the_northing_are_proposed_first(
    zone: str, x: float, y: float, code: str
) -> None:
    assert propose_crs(np.array([x]), np.array([y]), zone)[0][0] == code


def test_a_zone_away_from_the_capital_is_among_the_proposed() -> None:
    to = pyproj.Transformer.from_crs(4326, 31467, always_xy=True)
    x, y = (np.array([value]) for value in to.transform(9.18, 48.78))  # Stuttgart
    assert any("48.78, 9.18" in says for _, says in propose_crs(x, y, "Europe/Berlin"))
