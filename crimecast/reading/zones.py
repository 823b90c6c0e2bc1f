"""Which time zone and which coordinate system a file's numbers speak for, by where they put its places."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import tzfpy

PROBES = 25
MOMENTS = [datetime(year, month, 15, 12) for year in (2008, 2020) for month in (1, 4, 7, 10)]


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


def near_zone(one: np.ndarray, other: np.ndarray, zone: str) -> bool:
    """Whether one of two axes holds longitudes within 45 degrees of the meridian that a zone's clocks stand for."""
    offset = ZoneInfo(zone).utcoffset(MOMENTS[0])
    meridian = 15 * offset.total_seconds() / 3600 if offset else 0.0
    return any(
        bool(abs(float(np.median(axis)) - meridian) < 45) for axis in (one, other) if axis.size
    )
