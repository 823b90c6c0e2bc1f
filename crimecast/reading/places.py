"""Two columns, or one of points → longitude and latitude; what stands for *no place* found by geometry.

Exchanged axes, a lost sign and metres in place of degrees are noticed since they put the city where
its clocks don't show its time.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyproj

from crimecast import Doubt
from crimecast.cities import City
from crimecast.cities.city import check_crs
from crimecast.reading.coordinates import numbers, point_form, points
from crimecast.reading.notice import Notice
from crimecast.reading.zones import agrees, propose_crs, zone_of

FAR = 4.0  # spreads of the middle half of the places: what lies farther is no part of the city
NEAR = 0.15  # degrees: and what is nearer always is


@dataclass(frozen=True)
class Places:
    """(N,) degrees, NaN where there is no place; how they were read and what is doubtful."""

    longitude: np.ndarray
    latitude: np.ndarray
    says: str
    notices: tuple[Notice, ...] = ()


def read_places(
    table: pl.DataFrame, columns: dict[str, list[str]], city: City, is_new: bool = False
) -> Places:
    """The places of a file's rows. Raises Doubt where they need a CRS, or lie nowhere that makes sense."""
    first, second, form = _numbers(table, columns)
    crs = check_crs(city.file_crs or "EPSG:4326")
    empty = ~np.isfinite(first) | ~np.isfinite(second) | (first == 0) & (second == 0)
    if crs.is_geographic:
        found = _degrees(first, second, empty, form, city, is_new)
    else:
        found = _metres(first, second, empty | (first == 0) | (second == 0), crs, city)
    longitude, latitude, says, notices = found
    gone = (
        ~np.isfinite(longitude)
        | ~np.isfinite(latitude)
        | (np.abs(longitude) > 180)
        | (np.abs(latitude) >= 90)
    )
    longitude, latitude = np.where(gone, np.nan, longitude), np.where(gone, np.nan, latitude)
    return Places(longitude, latitude, says, tuple(notices))


def _numbers(
    table: pl.DataFrame, columns: dict[str, list[str]]
) -> tuple[np.ndarray, np.ndarray, str]:
    east, north = columns["longitude"][0], columns["latitude"][0]
    form = point_form(table[east]) if east == north else None
    if form is not None:
        a, b = points(table[east], form)
        return (b, a, "pair") if form == "pair" else (a, b, form)
    return numbers(table[east]), numbers(table[north]), "columns"


def _degrees(
    first: np.ndarray, second: np.ndarray, empty: np.ndarray, form: str, city: City, is_new: bool
) -> tuple[np.ndarray, np.ndarray, str, list[Notice]]:
    """Which of the two is the longitude, by the extent that is known or by the clocks of where they lie."""
    there = ~empty
    size = int(there.sum())
    if not size:
        return np.where(empty, np.nan, first), second, "degrees", []
    a, b = _distinct(first[there], second[there])
    if np.median(np.maximum(np.abs(a), np.abs(b))) > 360:
        found = propose_crs(a, b, city.time_zone)
        text = "; ".join(f"{code} ({name})" for code, name in found)
        raise Doubt(
            f"The coordinates, such as {a[0]:,.0f}, {b[0]:,.0f}, are no degrees but metres or feet: say in which coordinate system"
            + (f". Into {city.time_zone} they are put by {text}." if found else "."),
            "--crs EPSG:NUMBER",
            tuple(code for code, _ in found),
        )
    notices: list[Notice] = []
    flip, negate = _how(a, b, city, is_new)
    if flip:
        first, second = second, first
        if form != "pair":
            notices.append(
                Notice(
                    "axes_exchanged",
                    f"Longitude and latitude are exchanged in the file: read the other way round, its places lie in {city.time_zone}'s land.",
                    size,
                )
            )
    if negate:
        first = -first
        notices.append(
            Notice(
                "sign_lost",
                f"The longitudes have lost their sign: with it, the places lie in {city.time_zone}'s land.",
                size,
            )
        )
    lone = (first == 0) ^ (second == 0)
    if min(abs(float(np.median(first[there]))), abs(float(np.median(second[there])))) > 1:
        empty = empty | lone
    return np.where(empty, np.nan, first), np.where(empty, np.nan, second), "degrees", notices


def _how(a: np.ndarray, b: np.ndarray, city: City, is_new: bool) -> tuple[bool, bool]:
    """Whether the axes are to be exchanged, and whether the longitude's sign is to be turned."""
    ways = [(False, False), (True, False), (False, True), (True, True)]

    def turned(flip: bool, negate: bool) -> tuple[np.ndarray, np.ndarray]:
        east, north = (b, a) if flip else (a, b)
        return (-east if negate else east), north

    extent = None if is_new else city.extent()
    for flip, negate in ways:
        east, north = turned(flip, negate)
        possible = (np.abs(east) <= 180) & (np.abs(north) < 90)
        if possible.mean() < 0.5:
            continue
        if extent is not None:
            x, y = city.to_metres.transform(east[possible], north[possible])
            x0, y0, x1, y1 = extent
            if np.mean((x > x0 - 5e4) & (x < x1 + 5e4) & (y > y0 - 5e4) & (y < y1 + 5e4)) > 0.3:
                return flip, negate
        elif agrees(east[possible], north[possible], city.time_zone):
            return flip, negate
    return (np.abs(b) >= 90).mean() > 0.5 and (np.abs(a) < 90).mean() > 0.5, False


def _metres(
    first: np.ndarray, second: np.ndarray, empty: np.ndarray, crs: pyproj.CRS, city: City
) -> tuple[np.ndarray, np.ndarray, str, list[Notice]]:
    there = np.flatnonzero(~empty)
    notices = []
    back = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    if there.size and np.median(np.maximum(np.abs(first[there]), np.abs(second[there]))) <= 180:
        raise Doubt(
            f"The coordinates, such as {first[there[0]]:g}, {second[there[0]]:g}, are degrees, not metres of {crs.name}: leave the coordinate system out, or say EPSG:4326.",
            "--crs EPSG:4326",
        )
    probes = (
        there[np.linspace(0, there.size - 1, min(25, there.size)).astype(int)]
        if there.size
        else there
    )
    straight = back.transform(first[probes], second[probes])
    if there.size and not agrees(np.asarray(straight[0]), np.asarray(straight[1]), city.time_zone):
        turned = back.transform(second[probes], first[probes])
        if agrees(np.asarray(turned[0]), np.asarray(turned[1]), city.time_zone):
            first, second = second, first
            notices.append(
                Notice(
                    "axes_exchanged",
                    f"Easting and northing are exchanged in the file: read the other way round, its places lie in {city.time_zone}'s land.",
                    there.size,
                )
            )
    longitude, latitude = back.transform(np.where(empty, np.nan, first), second)
    return longitude, latitude, f"{crs.name}", notices


def _distinct(a: np.ndarray, b: np.ndarray, most: int = 10_000) -> tuple[np.ndarray, np.ndarray]:
    """Each place once: what stands for *no place* in a third of the rows is still one place."""
    if a.size > most:
        step = a.size // most + 1
        a, b = a[::step], b[::step]
    kept = pl.DataFrame({"a": np.round(a, 4), "b": np.round(b, 4)}).unique(maintain_order=True)
    return kept["a"].to_numpy(), kept["b"].to_numpy()


def zone_notice(longitude: np.ndarray, latitude: np.ndarray, zone: str) -> Notice | None:
    """Says that the places lie where clocks show another time than the file's zone says."""
    there = np.isfinite(longitude) & np.isfinite(latitude)
    if not there.any():
        return None
    a, b = _distinct(longitude[there], latitude[there])
    found = zone_of(a, b)
    if found is None or agrees(a, b, zone):
        return None
    return Notice(
        "zone",
        f"The places lie where the time zone is {found}, but times are taken as {zone}: if that is wrong, every event is at a wrong hour.",
        int(there.sum()),
    )


def placeholders(
    longitude: np.ndarray, latitude: np.ndarray
) -> tuple[np.ndarray, tuple[float, float, float, float] | None]:
    """(N,) bool: values that stand for *no place*, and the box (degrees) in which the city lies.

    The box holds the middle half of all distinct places, four times as wide again on each side. Far
    from it, a value that many rows share is a placeholder; a single one is a mistake and no more.
    """
    there = np.isfinite(longitude) & np.isfinite(latitude)
    none = np.zeros(longitude.size, dtype=bool)
    if not there.any():
        return none, None
    a, b = _distinct(longitude[there], latitude[there], 200_000)
    box = _box(a, b)
    far_places = ~_inside(a, b, box)
    if (
        far_places.mean() > 0.05 and far_places.sum() > 50
    ):  # they are many and all different: a part of the city
        box = (float(a.min()), float(b.min()), float(a.max()), float(b.max()))
    far = there & ~_inside(longitude, latitude, box)
    return shared(longitude, latitude, far, int(there.sum())), box


def shared(
    longitude: np.ndarray, latitude: np.ndarray, among: np.ndarray, total: int
) -> np.ndarray:
    """(N,) bool: rows of `among` whose place, to a hundredth of a degree, many others of them have too."""
    found = np.zeros(longitude.size, dtype=bool)
    where = np.flatnonzero(among)
    if where.size == 0:
        return found
    frame = pl.DataFrame({"a": np.round(longitude[where], 2), "b": np.round(latitude[where], 2)})
    count = frame.select(pl.len().over("a", "b")).to_series().to_numpy()
    found[where] = count >= max(3, 0.0005 * total)
    return found


def _box(a: np.ndarray, b: np.ndarray) -> tuple[float, float, float, float]:
    sides = []
    for values in (a, b):
        low, high = np.quantile(values, [0.25, 0.75])
        slack = max(FAR * (high - low), NEAR)
        sides.append((float(low - slack), float(high + slack)))
    return sides[0][0], sides[1][0], sides[0][1], sides[1][1]


def _inside(a: np.ndarray, b: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return (a >= box[0]) & (a <= box[2]) & (b >= box[1]) & (b <= box[3])
