"""A city's streets by name, from a file of its user's: what cells are called after."""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import shapely.geometry

from crimecast import UserError
from crimecast.cities.city import City, check_name, load_city
from crimecast.cities.polygons import BROKEN, in_degrees
from crimecast.storage.access import accounted, act
from crimecast.storage.store import data_root, read_json, replacing, stamp

LINES = ("LineString", "MultiLineString")
NAMED = re.compile(r"^(full_?)?(st(reet)?_?)?name|^(street|road|rue|calle|via|rua|stra(ss|ß)e(nname)?|straat(naam)?|label|fullname)$", re.I)  # fmt: skip


@accounted
def write_streets(name: str, document: Any) -> int:
    """Store the named lines of a GeoJSON document in longitude and latitude as a city's streets, in place of
    those it had; returns how many names there are. Raises UserError if it holds none, or can't be in degrees."""
    check_name(name)
    act("write", f"the streets of {name}")
    features = document.get("features") if isinstance(document, dict) else None
    found: dict[str, list[Any]] = {}
    for feature in features if isinstance(features, list) else []:
        try:
            shape = shapely.geometry.shape(feature["geometry"])
            label = _label(feature.get("properties") or {})
        except BROKEN:
            continue  # one that is broken or has no place
        if label and shape.geom_type in LINES and not shape.is_empty:
            found.setdefault(label, []).append(shape)
    if not found:
        raise UserError(
            "The file holds no lines with a name: give a GeoJSON of streets, each with its name."
        )
    lines = {label: shapely.union_all(shapes) for label, shapes in found.items()}
    if not in_degrees(list(lines.values())):
        raise UserError("The streets aren't in longitude and latitude (EPSG:4326).")
    path = _file(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        stored = {
            label: shapely.to_wkt(shape, rounding_precision=6) for label, shape in lines.items()
        }
        temporary.write_text(json.dumps(stored), encoding="utf-8")
    return len(lines)


def street_count(name: str) -> int:
    """How many streets of a city are known by name."""
    return len(_streets(name, stamp(_file(name)))[0])


def nearest_street(city: City, x: float, y: float, within: float) -> str | None:
    """The name of the street nearest to a place (metres of the city's CRS), None if none is `within` metres."""
    names, tree = _streets(city.name, stamp(_file(city.name)))
    if tree is None:
        return None
    found = tree.query_nearest(shapely.Point(x, y), max_distance=within, all_matches=False)
    return names[int(found[0])] if len(found) else None


def _label(properties: dict[str, Any]) -> str:
    named = [key for key in properties if NAMED.search(str(key))]
    texts = [properties[key] for key in sorted(named, key=lambda key: str(key).lower() != "name")]
    return next((text.strip()[:80] for text in texts if isinstance(text, str) and text.strip()), "")


def _file(name: str) -> Path:
    return data_root() / "cities" / name / "streets.json"


@lru_cache(maxsize=4)
def _streets(name: str, at: int) -> tuple[list[str], Any]:
    """Names, and a tree of the lines in metres."""
    if not at:
        return [], None
    stored = read_json(_file(name), dict[str, str])
    lines = shapely.from_wkt(np.array(list(stored.values())), on_invalid="ignore")
    city = load_city(name)
    return list(stored), shapely.STRtree([city.project(line) for line in lines])
