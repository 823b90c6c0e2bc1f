"""Which columns are the longitude and the latitude: by names in many languages, by values, or not at all."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from crimecast.cities.city import City
from crimecast.errors import Doubt
from crimecast.reading.meaning import found_columns, resolve_values
from crimecast.reading.moment import Asked

CITY = City("new", "New", "Europe/Berlin", "EPSG:32633")
ASKED = Asked("Europe/Berlin", None)
NAMES = [
    ("Länge", "Breite"), ("Längengrad", "Breitengrad"), ("GEO_LÄNGE", "GEO_BREITE"), ("Longitud", "Latitud"),
    ("longitude_wgs84", "latitude_wgs84"), ("Lengtegraad", "Breedtegraad"), ("Longitudine", "Latitudine"),
    ("Długość geograficzna", "Szerokość geograficzna"), ("Zeměpisná délka", "Zeměpisná šířka"), ("boylam", "enlem"),
    ("Долгота", "Широта"), ("経度", "緯度"), ("经度", "纬度"), ("경도", "위도"), ("Pituusaste", "Leveysaste"), ("Hosszúság", "Szélesség"),
    ("längdgrad", "breddgrad"), ("Lng", "LAT"), ("Kinh độ", "Vĩ độ"),
]  # fmt: skip


def table(east: str, north: str, longitude: float, latitude: float, swapped: bool) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    place = {
        east: (longitude + rng.normal(0, 0.03, 200)).round(6),
        north: (latitude + rng.normal(0, 0.02, 200)).round(6),
    }
    order = [north, east] if swapped else [east, north]
    day = [f"2023-{1 + i % 12:02d}-{1 + i % 28:02d} 12:00" for i in range(200)]
    return pl.DataFrame({"when": day, **{name: place[name] for name in order}, "what": ["a"] * 200})


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(("east", "north"), NAMES)
def test_names_in_many_languages(east: str, north: str, swapped: bool) -> None:
    found, _ = resolve_values(table(east, north, 13.4, 52.5, swapped), {}, CITY, ASKED)
    assert (found["longitude"], found["latitude"]) == ([east], [north])


@pytest.mark.parametrize("swapped", [False, True])
def test_a_name_of_one_leaves_the_other(swapped: bool) -> None:
    for east, north in (("a", "Breite"), ("Länge", "b")):
        found, _ = resolve_values(table(east, north, 13.4, 52.5, swapped), {}, CITY, ASKED)
        assert (found["longitude"], found["latitude"]) == ([east], [north])


@pytest.mark.parametrize("swapped", [False, True])
def test_beyond_ninety_is_a_longitude(swapped: bool) -> None:
    found, _ = resolve_values(table("a", "b", -99.1, 19.4, swapped), {}, CITY, ASKED)
    assert (found["longitude"], found["latitude"]) == (["a"], ["b"])


@pytest.mark.parametrize("swapped", [False, True])
def test_where_nothing_tells_it_is_asked(swapped: bool) -> None:
    """Both could be either: Berlin, or a place in the sea off Yemen."""
    given = table("a", "b", 13.4, 52.5, swapped)
    with pytest.raises(Doubt, match="No column was found for the longitude"):
        resolve_values(given, {}, CITY, ASKED)
    found, _ = found_columns(given, {"longitude": "a"}, CITY, ASKED)
    assert found["latitude"] == ["b"]
    known = replace(CITY, bounds=(370_000.0, 5_790_000.0, 420_000.0, 5_840_000.0))
    found, _ = resolve_values(given, {}, known, ASKED)
    assert (found["longitude"], found["latitude"]) == (["a"], ["b"])
