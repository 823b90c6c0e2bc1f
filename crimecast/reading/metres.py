"""Metres and feet of a coordinate system → degrees."""

import numpy as np
import pyproj

from crimecast import Doubt
from crimecast.cities import City
from crimecast.reading.notice import Notice
from crimecast.reading.parts import Parts
from crimecast.reading.thinning import SOME, both_known, thinned
from crimecast.reading.zones import agrees


def metres(
    given: Parts[np.ndarray], crs: pyproj.CRS, city: City, says_axis: bool
) -> tuple[Parts[np.ndarray], str, list[Notice]]:
    """Degrees (2, N), how they were read, and what is doubtful. Raises Doubt for what are no metres of that system."""

    def there(part: np.ndarray) -> np.ndarray:
        return both_known(part) & (part[0] != 0) & (part[1] != 0)

    some, size = thinned(given.map(lambda part: part[:, there(part)]))
    notices = []
    back = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    if size and np.median(np.abs(some).max(axis=0)) <= 180:
        raise Doubt(
            f"The coordinates, such as {some[0, 0]:g}, {some[1, 0]:g}, are degrees, not metres of {crs.name}: leave the coordinate system out, or say EPSG:4326.",
            "--crs EPSG:4326",
        )
    probes = some[:, np.linspace(0, some.shape[1] - 1, min(25, size)).astype(int)]
    straight = back.transform(*probes)
    turn = False
    if size:
        turned = back.transform(*probes[::-1])
        ways = [(np.asarray(east), np.asarray(north)) for east, north in (straight, turned)]
        fits = [agrees(*way, city.time_zone) for way in ways]
        shares = [_used(crs, *way) for way in ways]
        inside_use = [share > 0.5 for share in shares]
        turn = (not fits[0] and fits[1]) or (fits[0] == fits[1] and inside_use == [False, True])
        turn = turn and shares[0] < SOME
        if SOME < shares[0] < 1 - SOME:
            says = f"Of the places, {1 - shares[0]:.0%} lie outside the land that {crs.name} is made for, and the others within: two units, or two coordinate systems, may be mixed. Import them by themselves."
            notices.append(Notice("other_unit", says, round((1 - shares[0]) * size)))
        if inside_use == [False, False] and shares[0] <= SOME:
            notices.append(
                Notice(
                    "outside_crs",
                    f"The places lie outside the land that {crs.name} is made for: the coordinate system, the unit or a sign may be wrong.",
                    size,
                )
            )
        north_first = crs.axis_info and crs.axis_info[0].direction == "north"
        if all(fits) and all(inside_use) and north_first and not says_axis:
            notices.append(
                Notice(
                    "axes_in_doubt",
                    f"{crs.name} itself names the northing first, and with the axes exchanged the places would lie in its land as well: look whether the map is the city's, and map longitude and latitude to the other column if it isn't.",
                    size,
                )
            )
    if turn:
        notices.append(
            Notice(
                "axes_exchanged",
                f"Easting and northing are exchanged in the file: read the other way round, its places lie in the land that {crs.name} is made for.",
                size,
            )
        )

    def degrees(part: np.ndarray) -> np.ndarray:
        east, north = part[::-1] if turn else part
        return np.stack(back.transform(np.where(there(part), east, np.nan), north))

    return given.map(degrees), f"{crs.name}", notices


def _used(crs: pyproj.CRS, east: np.ndarray, north: np.ndarray) -> float:
    """The share of these places (degrees) that lie where the coordinate system is made for, or near it."""
    use = crs.area_of_use
    if use is None:
        return 1.0
    low, high = (use.west, use.east) if use.west <= use.east else (-180.0, 180.0)
    near = (east > low - 1) & (east < high + 1) & (north > use.south - 1) & (north < use.north + 1)
    return float(near.mean())
