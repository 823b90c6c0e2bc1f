"""Records as dots on a city's own outline: what the browser's canvas is sent.

One message: the length of the header (4 bytes, little endian), the header (JSON), then x and y of
every record in metres from the south-west of the map (float32), the minute since 1970 in the city's
own time (int32) and the number of its type (uint16).
"""

import json

import numpy as np
import polars as pl

from crimecast.cities import City

BEYOND = 0.15  # of what nearly all lie within


def places_message(city: City, places: pl.DataFrame) -> bytes:
    """`places` has longitude, latitude, type and time (as text, to the minute)."""
    x, y = city.to_metres.transform(places["longitude"].to_numpy(), places["latitude"].to_numpy())
    if city.boundary is not None:
        west, south, east, north = city.boundary.bounds
    else:  # but for a few far away
        (west, east), (south, north) = _most(x), _most(y)
    types = places["type"].unique(maintain_order=True)
    number = dict(zip(types, range(len(types)), strict=True))
    minutes = places["time"].str.to_datetime("%Y-%m-%d %H:%M").dt.epoch("s") // 60
    head = json.dumps(
        {
            "alt": f"{len(places):,} records of {city.title} on its outline",
            "bounds": [0.0, 0.0, max(float(east - west), 1.0), max(float(north - south), 1.0)],
            "outline": _near(city.rings["outline"], west, south),
            "neighbourhoods": _near(city.rings["neighbourhood"], west, south),
            "types": types.to_list(),
            "count": len(places),
        },
        separators=(",", ":"),
    ).encode()
    head += b" " * (-len(head) % 4)
    body = (
        (x - west).astype("<f4"), (y - south).astype("<f4"), minutes.to_numpy().astype("<i4"),
        np.array([number[kind] for kind in places["type"]], dtype="<u2"),
    )  # fmt: skip
    return len(head).to_bytes(4, "little") + head + b"".join(part.tobytes() for part in body)


def _most(values: np.ndarray) -> tuple[float, float]:
    """From where to where values lie, but for those far beyond nearly all others."""
    low, high = np.quantile(values, [0.005, 0.995])
    beyond = BEYOND * (high - low)
    return max(values.min(), low - beyond), min(values.max(), high + beyond)


def _near(rings: list[np.ndarray], west: float, south: float) -> list[list[list[float]]]:
    return [np.round(ring - [west, south], 1).tolist() for ring in rings]
