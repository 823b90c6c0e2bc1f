"""Which time zone and which coordinate system a file's numbers speak for, by where they put its places."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import pyproj
import tzfpy

PROBES = 25
MOMENTS = [datetime(year, month, 15, 12) for year in (2008, 2020) for month in (1, 4, 7, 10)]
PROJECTED = (
    "EPSG:3857",
    "EPSG:27700",
    "EPSG:2154",
    "EPSG:3347",
    "EPSG:28992",
    "EPSG:31370",
    "EPSG:3035",
)


def zone_of(longitude: np.ndarray, latitude: np.ndarray) -> str | None:
    """The time zone in which most of the places lie; None if they lie nowhere."""
    found: dict[str, int] = {}
    for east, north in _probes(longitude, latitude):
        if not (abs(east) <= 180 and abs(north) <= 90):
            continue
        name = tzfpy.get_tz(east, north)
        if name:
            found[name] = found.get(name, 0) + (1 if name.startswith("Etc/") else 100)
    return max(found, key=lambda name: found[name]) if found else None


def _probes(longitude: np.ndarray, latitude: np.ndarray) -> list[tuple[float, float]]:
    there = np.flatnonzero(np.isfinite(longitude) & np.isfinite(latitude))
    if there.size > PROBES:
        there = there[np.linspace(0, there.size - 1, PROBES).astype(int)]
    return [(float(longitude[i]), float(latitude[i])) for i in there]


@lru_cache(maxsize=256)
def same_clock(one: str, other: str) -> bool:
    """Whether clocks of two zones show the same, all the year."""
    try:
        a, b = ZoneInfo(one), ZoneInfo(other)
    except (ValueError, KeyError, OSError):
        return False
    return all(a.utcoffset(moment) == b.utcoffset(moment) for moment in MOMENTS)


def agrees(longitude: np.ndarray, latitude: np.ndarray, zone: str) -> bool:
    """Whether most places lie where clocks show what they show in `zone`."""
    found = zone_of(longitude, latitude)
    return found is not None and same_clock(found, zone)


def propose_crs(x: np.ndarray, y: np.ndarray, zone: str, most: int = 3) -> list[tuple[str, str]]:
    """Projected systems (code, name) that put metres or feet into the land of a time zone."""
    probes = np.array(_probes(x, y))
    if probes.size == 0:
        return []
    east, north = np.median(probes, axis=0)
    codes = [f"EPSG:{base + number}" for base in (32600, 32700) for number in range(1, 61)] + [
        *PROJECTED
    ]
    if zone.startswith(("America/", "US/", "Pacific/Honolulu")):
        codes += [
            f"EPSG:{number}"
            for number in (*range(2222, 2290), *range(26929, 26999), *range(3433, 3436), 3005)
        ]
    found = []
    for code in codes:
        try:
            crs = pyproj.CRS.from_user_input(code)
            back = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
            longitude, latitude = back.transform(float(east), float(north))
        except pyproj.exceptions.ProjError:
            continue
        if not (np.isfinite(longitude) and np.isfinite(latitude)):
            continue
        area = crs.area_of_use
        if area and not (
            area.west <= longitude <= area.east and area.south <= latitude <= area.north
        ):
            continue
        if agrees(np.array([longitude]), np.array([latitude]), zone):
            found.append((code, crs.name))
    return found[:most]
