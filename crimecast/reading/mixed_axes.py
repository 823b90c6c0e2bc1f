"""Rows whose axes are exchanged, or whose sign is lost, among others that lie in the city."""

import numpy as np
import polars as pl
import pyproj

from crimecast.cities import City
from crimecast.reading.zones import agrees

Home = tuple[float, float]
NEARBY = 1.5  # degrees from the middle of a city, within which all of it lies
MOST, FEWEST = (
    0.4,
    10,
)  # share of the places that have to lie in one degree, and how many there have to be
# Which of the two comes first, and their signs.
WAYS = (
    (0, 1, 1, 1), (1, 0, 1, 1), (0, 1, -1, 1), (0, 1, 1, -1), (1, 0, -1, 1), (1, 0, 1, -1), (0, 1, -1, -1),
)  # fmt: skip


def known_home(city: City | None) -> Home | None:
    """The middle (longitude, latitude) of a city whose extent is known."""
    extent = city.extent() if city is not None else None
    if city is None or extent is None:
        return None
    back = pyproj.Transformer.from_crs(city.crs, "EPSG:4326", always_xy=True)
    east, north = back.transform((extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2)
    return float(east), float(north)


def home_of(places: np.ndarray, zone: str) -> Home | None:
    """The middle of where most of the places (2, N) lie, of two such where clocks show the time of `zone`; None
    where they lie all over the world."""
    east, north = places
    if east.size < FEWEST:
        return None
    cells = pl.DataFrame({"a": np.round(east), "b": np.round(north)}).group_by("a", "b").len()
    ranked = cells.sort("len", "a", "b", descending=True).head(8).rows()
    ours = [row for row in ranked if agrees(np.array(row[:1]), np.array(row[1:2]), zone)]
    a, b, _ = (ours or ranked)[0]
    near = (np.abs(east - a) < NEARBY) & (np.abs(north - b) < NEARBY)
    if near.mean() < MOST:
        return None
    return float(np.median(east[near])), float(np.median(north[near]))


def ways(part: np.ndarray, home: Home) -> np.ndarray:
    """(N,) how each place (2, N) has to be turned to lie near the city: a number of WAYS; 0 as it is, also
    where nothing brings it there."""
    found = np.zeros(part.shape[1], dtype=np.int8)
    with np.errstate(invalid="ignore"):
        away = np.flatnonzero(
            (np.abs(_round(part[0] - home[0])) >= NEARBY) | (np.abs(part[1] - home[1]) >= NEARBY)
        )
        few = part[:, away]
        for number in range(len(WAYS) - 1, 0, -1):
            first, second, sign, other = WAYS[number]
            near = np.abs(sign * few[first] - home[0]) < NEARBY
            found[away[near & (np.abs(other * few[second] - home[1]) < NEARBY)]] = number
    return found


def _round(degrees: np.ndarray) -> np.ndarray:
    """Differences of longitude the short way round: a city may lie across the line where dates change."""
    return (degrees + 180) % 360 - 180


def brought_home(part: np.ndarray, home: Home) -> np.ndarray:
    """The places turned so."""
    made, turned = part.copy(), ways(part, home)
    for number, (first, second, sign, other) in enumerate(WAYS[1:], 1):
        own = turned == number
        made[:, own] = np.stack([sign * part[first, own], other * part[second, own]])
    return made
