"""What the browser is sent of a city's records is what they are."""

import json

import numpy as np
import polars as pl
import pytest

from crimecast.cities import load_city
from crimecast.plots.places import places_message
from crimecast.views.records import sample_places


def read(message: bytes) -> tuple[dict, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    size = int.from_bytes(message[:4], "little")
    head, body = json.loads(message[4 : 4 + size]), message[4 + size :]
    count = head["count"]
    assert len(body) == 14 * count
    x, y = (np.frombuffer(body, "<f4", count, 4 * count * k) for k in (0, 1))
    return head, x, y, np.frombuffer(body, "<i4", count, 8 * count), np.frombuffer(body, "<u2", count, 12 * count)  # fmt: skip


def test_places_types_and_minutes_come_through(sample: str) -> None:
    city = load_city("sample")
    places = sample_places(city, 500)
    head, x, y, minutes, types = read(places_message(city, places))
    assert head["count"] == len(places)
    assert [head["types"][t] for t in types] == places["type"].to_list()
    shown = np.datetime64("1970-01-01T00:00", "m") + minutes
    assert [str(t).replace("T", " ") for t in shown] == places["time"].to_list()
    west, south = city.boundary.bounds[:2]
    back = city.to_metres.transform(x + west, y + south, direction="INVERSE")
    assert np.allclose(back[0], places["longitude"], atol=1e-4)
    assert np.allclose(back[1], places["latitude"], atol=1e-4)
    ring = np.array(head["outline"][0])
    assert ring.min() >= 0
    assert ring[:, 0].max() == pytest.approx(head["bounds"][2], abs=1)


def test_a_city_without_an_outline_and_times_before_1970(town: str) -> None:
    places = pl.DataFrame(
        {
            "longitude": [9.9, 9.91], "latitude": [53.5, 53.51],
            "type": ["a", "b"], "time": ["1969-12-31 23:59", "2020-02-29 00:00"],
        }
    )  # fmt: skip
    head, x, _, minutes, _ = read(places_message(load_city(town), places))
    assert minutes[0] == -1
    assert head["outline"] == []
    assert x[1] > x[0]
