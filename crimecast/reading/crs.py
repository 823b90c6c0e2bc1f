"""Which coordinate system metres or feet may be of, by where it would put them."""

import re
from functools import lru_cache
from importlib.resources import files

import numpy as np
import pyproj
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType

from crimecast.reading.zones import agrees

PROJECTED = (
    "EPSG:3857", "EPSG:27700", "EPSG:2154", "EPSG:3347", "EPSG:28992", "EPSG:31370", "EPSG:3035",
)  # fmt: skip
BEYOND = (
    1.0  # degrees that a system is used for beyond its land, as a zone of UTM for all of a country
)
ALIKE, NEAR = (
    20.0,
    1_500.0,
)  # metres between what two systems say: the same; two datums, that no numbers tell apart
COUNTRY = 4000.0  # square degrees
ZONE = re.compile(r"\d+(?=\D*$)")  # in a system's name
STATES = (
    *range(2222, 2290),
    *range(26929, 26999),
    *range(3433, 3436),
    3005,
)  # of the United States


def propose_crs(x: np.ndarray, y: np.ndarray, zone: str, most: int = 8) -> list[tuple[str, str]]:
    """Projected systems (code, what it is and where it puts them) that put metres or feet into the land of a
    time zone, those first that put them near its own city; beside each those of another datum, some hundred metres off,
    which nothing in the numbers tells apart.
    """
    there = np.isfinite(x) & np.isfinite(y)
    if not there.any():
        return []
    east, north = float(np.median(x[there])), float(np.median(y[there]))
    codes = [f"EPSG:{base + number}" for base in (32600, 32700) for number in range(1, 61)]
    codes += PROJECTED
    if zone.startswith(("America/", "US/", "Pacific/Honolulu")):
        codes += [f"EPSG:{number}" for number in STATES]
    home = city_of(zone)
    found: list[tuple[float, tuple[float, float], str, str]] = []
    used = _used_at(home)
    codes += dict.fromkeys((*used, *_numbered(used, {int(east // 1e6), int(north // 1e6)})))
    # As they are named, then the other way round: in many countries X is the northing.
    put = [(code, _put(code, east, north)) for code in codes]
    for turned in (0, 1):
        for code, known in put:
            if known is None:
                continue
            name, area, places = known
            longitude, latitude = places[turned]
            if not (np.isfinite(longitude) and np.isfinite(latitude)):
                continue
            west, south, most_east, most_north = area
            if not (
                west - BEYOND <= longitude <= most_east + BEYOND
                and south - BEYOND <= latitude <= most_north + BEYOND
            ):
                continue
            # Of several that differ by metres the first.
            if any(apart((longitude, latitude), other) <= ALIKE for _, other, *_ in found):
                continue
            if agrees(np.array([longitude]), np.array([latitude]), zone):
                away = (
                    0.0
                    if home is None
                    else float(np.hypot(longitude - home[0], latitude - home[1]))
                )
                how = ", the axes exchanged" if turned else ""
                says = f"{name}{how}: around {latitude:.2f}, {longitude:.2f}"
                found.append((away, (longitude, latitude), code, says))
    found.sort(key=lambda one: round(one[0], 1))
    return [
        (code, says + _beside(found[:number], place))
        for number, (_, place, code, says) in enumerate(found[:most])
    ]


def _put(
    code: str, east: float, north: float
) -> tuple[str, tuple[float, float, float, float], list[tuple[float, float]]] | None:
    """A system's name, the land that it is used for, and where it puts a place (longitude, latitude), as named and the
    other way round; None if nothing is known of it."""
    try:
        name, area, back = _system(code)
        longitude, latitude = back.transform([east, north], [north, east])
    except pyproj.exceptions.ProjError:
        return None
    return name, area, list(zip(longitude, latitude, strict=True))


@lru_cache(maxsize=1000)
def _system(code: str) -> tuple[str, tuple[float, float, float, float], pyproj.Transformer]:
    crs = pyproj.CRS.from_user_input(code)
    area = crs.area_of_use
    land = (area.west, area.south, area.east, area.north) if area else (-180.0, -90.0, 180.0, 90.0)
    return crs.name, land, pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


def _beside(
    others: list[tuple[float, tuple[float, float], str, str]], place: tuple[float, float]
) -> str:
    """How far from another proposal a place is, where that is less than a cell or two."""
    near = [(apart(place, known), code) for _, known, code, _ in others]
    away, code = min(near, default=(np.inf, ""))
    return f", {away:,.0f} m from where {code} does" if away < NEAR else ""


def apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Metres between two places (longitude, latitude) that are near one another."""
    east = (one[0] - other[0]) * np.cos(np.radians(one[1]))
    return float(np.hypot(east, one[1] - other[1]) * 111_200)


def city_of(zone: str) -> tuple[float, float] | None:
    """Where the city lies (longitude, latitude) that a time zone is named after, by the zones' own table."""
    for line in _table():
        if line[2] == zone:
            north, east = _split(line[1])
            return east, north
    return None


@lru_cache
def _table() -> list[list[str]]:
    text = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if not line.startswith("#")]


def _split(place: str) -> tuple[float, float]:
    """±DDMM±DDDMM or ±DDMMSS±DDDMMSS as degrees."""
    cut = max(place.rfind("+"), place.rfind("-"))
    degrees = []
    for text, digits in ((place[:cut], 2), (place[cut:], 3)):
        parts = text[1 : 1 + digits], text[1 + digits : 3 + digits], text[3 + digits :] or "0"
        size = sum(int(part) / 60**number for number, part in enumerate(parts))
        degrees.append(-size if text[0] == "-" else size)
    return degrees[0], degrees[1]


@lru_cache
def _used_at(home: tuple[float, float] | None) -> tuple[str, ...]:
    """The systems that are made for a country or less, at a place, those for the least land first."""
    if home is None:
        return ()
    area = AreaOfInterest(home[0], home[1], home[0], home[1])
    found = query_crs_info("EPSG", [PJType.PROJECTED_CRS], area_of_interest=area)

    def size(one: pyproj.database.CRSInfo) -> float:
        use = one.area_of_use
        return ((use.east - use.west) % 360 or 360) * (use.north - use.south) if use else 1e9

    land = sorted((one for one in found if size(one) < COUNTRY), key=lambda one: (size(one), -_year(one.name), len(one.name)))  # fmt: skip
    return tuple(f"EPSG:{one.code}" for one in land)


def _numbered(used: tuple[str, ...], numbers: set[int]) -> list[str]:
    """The sisters of the systems used at a place whose zone has one of these numbers, as that of the millions in their
    eastings: `ETRS89 / GK23FIN` in the west of a country whose capital uses `GK25FIN`."""
    families = _families()
    names = dict.fromkeys(family for code in used if (family := families[1].get(code)))
    return [code for name in names for number, code in families[0][name] if number in numbers]


@lru_cache
def _families() -> tuple[dict[str, list[tuple[int, str]]], dict[str, str]]:
    """Systems by their name without the number of their zone: numbers and codes; and the name of each code's."""
    found: dict[str, list[tuple[int, str]]] = {}
    of: dict[str, str] = {}
    for one in query_crs_info("EPSG", [PJType.PROJECTED_CRS]):
        zone = ZONE.search(one.name)
        if zone is not None and "UTM" not in one.name:
            code, name = f"EPSG:{one.code}", ZONE.sub("#", one.name)
            found.setdefault(name, []).append((int(zone[0]), code))
            of[code] = name
    return found, of


def _year(name: str) -> int:
    """The year that a system's name bears: of two that differ by metres the newer is meant."""
    return max(map(int, re.findall(r"(?:19|20)\d\d", name)), default=0)
