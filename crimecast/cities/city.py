"""A city: its time zone, its metres, its outline, where its records come from and what its types are."""

import json
import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, NotRequired
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyproj
import shapely
import shapely.geometry
import tomli_w
from pydantic import ConfigDict, Field
from typing_extensions import TypedDict  # that pydantic can read before Python 3.12

from crimecast import UserError
from crimecast.cities.polygons import polygons_of
from crimecast.storage.access import accounted, act
from crimecast.storage.forms import Damaged, formed, unfit
from crimecast.storage.store import data_root, read_json, replacing

SHIPPED = Path(__file__).parent
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Source:
    """One data set of a portal. `columns` maps our column names to the portal's.

    `zone` is that of its times where it isn't the city's; where they show local
    clocks though they are said to be UTC, it is that of these clocks. `date_format` is the order of
    day and month in dates that are texts.
    """

    kind: str
    portal: str
    dataset: str
    columns: dict[str, str]
    since: str | None = None
    until: str | None = None
    zone: str | None = None
    date_format: str | None = None


@dataclass(frozen=True)
class City:
    """A registry entry; `bounds` (x0, y0, x1, y1 in metres) stands in where there is no outline. `settles`
    is how many days its records are known to go on arriving, where no repeated crawls tell."""

    name: str
    title: str
    time_zone: str
    crs: str
    outline: str | None = None
    bounds: tuple[float, float, float, float] | None = None
    simulated: bool = False
    quirks: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    aliases: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    file_crs: str | None = None
    settles: int = 0
    path: Path = Path()

    @cached_property
    def to_metres(self) -> pyproj.Transformer:
        """Longitude, latitude (WGS 84) → x, y in the city's CRS."""
        return pyproj.Transformer.from_crs("EPSG:4326", self.crs, always_xy=True)

    @cached_property
    def features(self) -> list[tuple[str, str, Any]]:
        """(kind, name, shapely geometry in longitude and latitude) of the outline file."""
        if self.outline is None:
            return []
        # A user's copy of a city that ships keeps the outline that ships.
        own = self.path.parent / self.outline
        path = own if own.exists() else SHIPPED / Path(self.outline).name
        try:
            return [
                (
                    f["properties"]["kind"],
                    f["properties"]["name"],
                    shapely.geometry.shape(f["geometry"]),
                )
                for f in read_json(path, Outline)["features"]
            ]
        except (OSError, LookupError, TypeError, AttributeError, shapely.errors.ShapelyError):
            raise Damaged(
                f"The outline {path.name} of {self.title} is missing or damaged."
            ) from None

    @cached_property
    def boundary(self) -> Any | None:
        """The outline as a shapely geometry in metres, or None."""
        for kind, _, geometry in self.features:
            if kind == "outline":
                return self.project(geometry)
        return None

    def project(self, geometry: Any) -> Any:
        """A geometry in longitude and latitude, in metres of the city's CRS."""
        return shapely.transform(geometry, self.to_metres.transform, interleaved=False)

    def extent(self) -> tuple[float, float, float, float] | None:
        """x0, y0, x1, y1 in metres that hold the city, or None before its first import."""
        if self.boundary is not None:
            return tuple(self.boundary.bounds)
        return self.bounds

    @cached_property
    def rings(self) -> dict[str, list[np.ndarray]]:
        """Closed lines (N, 2) in metres to draw: the `outline`, and each `neighbourhood`."""
        rings: dict[str, list[np.ndarray]] = {"outline": [], "neighbourhood": []}
        for kind, _, geometry in self.features:
            metres = self.project(geometry)
            for part in getattr(metres, "geoms", [metres]):
                rings.setdefault(kind, []).append(np.asarray(part.exterior.coords)[:, :2])
        return rings


class Entry(TypedDict):
    """A registry entry as its TOML says."""

    __pydantic_config__ = ConfigDict(extra="forbid")  # type: ignore[misc]

    title: str
    time_zone: str
    crs: str
    outline: NotRequired[str]
    bounds: NotRequired[tuple[float, float, float, float]]
    simulated: NotRequired[bool]
    quirks: NotRequired[tuple[str, ...]]
    source: NotRequired[list[Source]]
    aliases: NotRequired[dict[str, str]]
    groups: NotRequired[dict[str, list[str]]]
    columns: NotRequired[dict[str, str]]
    file_crs: NotRequired[str]
    settles: NotRequired[Annotated[int, Field(ge=0, le=365)]]


class Shape(TypedDict):
    """A feature of an outline file."""

    properties: dict[str, Any]
    geometry: dict[str, Any]


class Outline(TypedDict):
    """An outline file, GeoJSON."""

    features: list[Shape]


def _parse(path: Path) -> City:
    return parsed(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=64)  # with what is derived from it: every page draws its outline
def parsed(path: Path, _changed: int) -> City:
    """A city's entry from its file. Raises Damaged if it is none."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        text = str(error)[:120]
        raise Damaged(f"The registry entry {path.name} is not valid TOML: {text}.") from None
    entry: dict[str, Any] = formed(Entry, document, f"The registry entry {path.name}")
    check_zone(entry["time_zone"])
    for crs in (entry["crs"], entry.get("file_crs")):
        if crs is not None:
            check_crs(crs)
    if not np.isfinite(entry.get("bounds", (0.0,))).all():
        raise Damaged(f"The registry entry {path.name} has bounds that are no numbers of metres.")
    sources = tuple(entry.pop("source", ()))
    for source in sources:
        check_zone(source.zone or entry["time_zone"])
    return City(name=path.stem, sources=sources, path=path, **entry)


def _folders() -> tuple[Path, Path]:
    return data_root() / "cities", SHIPPED


def list_cities() -> list[City]:
    """Every city known, the user's own first where names are the same; without those whose entry is
    damaged (`damaged_entries` says which)."""
    return sorted(_entries()[0], key=lambda city: city.title)


def damaged_entries() -> list[str]:
    """A sentence for each registry entry that can't be read; the other cities don't suffer from it."""
    return _entries()[1]


def _entries() -> tuple[list[City], list[str]]:
    found: dict[str, City | None] = {}
    damaged = []
    for place in _folders():
        for path in sorted(place.glob("*.toml")):
            if path.stem in found:
                continue
            found[path.stem] = None
            try:
                check_name(path.stem)
                found[path.stem] = _parse(path)
            except UserError as error:
                damaged.append(str(error))
            except OSError as error:
                damaged.append(f"The registry entry {path.name} can't be read: {error.strerror}.")
    return [city for city in found.values() if city is not None], damaged


def is_registered(name: str) -> bool:
    """Whether there is an entry of that name, in order or not."""
    return any((place / f"{name}.toml").exists() for place in _folders())


def load_city(name: str) -> City:
    """The city of that name. Raises UserError that lists the known ones."""
    check_name(name)
    for place in _folders():
        path = place / f"{name}.toml"
        if path.exists():
            return _parse(path)
    known = ", ".join(sorted({p.stem for place in _folders() for p in place.glob("*.toml")}))
    raise UserError(f"There is no city called '{name}'. Known cities: {known}.")


def shipped_sources() -> list[Source]:
    """The data sets of the cities of this package, whatever users' entries say."""
    return [source for path in SHIPPED.glob("*.toml") for source in _parse(path).sources]


@accounted
def write_city(city: City) -> City:
    """Write a user's city as TOML to the data folder, atomically, and read it back."""
    check_name(city.name)
    act("write", f"the entry of {city.name}")
    document: dict[str, Any] = {
        "title": city.title,
        "time_zone": city.time_zone,
        "crs": city.crs,
        "outline": city.outline,
        "bounds": list(city.bounds) if city.bounds else None,
        "file_crs": city.file_crs,
        "settles": city.settles or None,
        "simulated": city.simulated or None,
        "quirks": list(city.quirks),
        "source": [
            {key: value for key, value in vars(source).items() if value is not None}
            for source in city.sources
        ],
        "columns": city.columns,
        "aliases": city.aliases,
        "groups": city.groups,
    }
    path = data_root() / "cities" / f"{city.name}.toml"
    content = {key: value for key, value in document.items() if value not in (None, [], {})}
    if wrong := unfit(Entry, content):  # what was there stays
        raise UserError(f"The entry of {city.name} can't be written so ({wrong}).")
    with replacing(path) as temporary:
        temporary.write_text(tomli_w.dumps(content), encoding="utf-8")
    return _parse(path)


@accounted
def write_outline(name: str, document: dict[str, Any]) -> str:
    """Store a GeoJSON boundary for a user's city; returns its file name.

    Polygons together are the outline, each by itself a neighbourhood. Raises UserError as
    polygons_of does.
    """
    check_name(name)
    act("write", f"the outline of {name}")
    shapes = [
        (str(next(iter(own.values()), "")), shape)
        for own, shape in polygons_of(document, "the boundary")
    ]
    whole = shapely.union_all([shape for _, shape in shapes])
    entries = [("outline", name, whole)] + [
        ("neighbourhood", label, shape) for label, shape in shapes
    ]
    features = [
        {
            "type": "Feature",
            "properties": {"kind": kind, "name": label},
            "geometry": shapely.geometry.mapping(shape),
        }
        for kind, label, shape in entries
    ]
    path = data_root() / "cities" / f"{name}.geojson"
    with replacing(path) as temporary:
        temporary.write_text(
            json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8"
        )
    return path.name


def check_name(name: str) -> None:
    """Refuse names that could leave the data folder or confuse a shell."""
    if not NAME.fullmatch(name):
        raise UserError(
            f"'{name[:80]}' can't be a name: use small letters, digits, '-' and '_', at most 64 characters."
        )


def check_zone(zone: str) -> ZoneInfo:
    """The time zone of that IANA name, or UserError."""
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UserError(
            f"'{zone[:60]}' is not a time zone; use an IANA name such as America/Chicago."
        ) from None


def check_crs(crs: str) -> pyproj.CRS:
    """The coordinate reference system of that name, or UserError."""
    try:
        return pyproj.CRS.from_user_input(crs)
    except (pyproj.exceptions.CRSError, UnicodeError):
        raise UserError(
            f"'{crs[:60]}' is not a coordinate reference system; use a code such as EPSG:32610."
        ) from None


def utm_zone(longitude: float, latitude: float) -> str:
    """The EPSG code of the UTM zone that holds a place: 326xx in the north, 327xx in the south."""
    zone = min(int((longitude + 180) // 6) + 1, 60)
    return f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"
