"""JSON in the forms of portals and programs → a table: lists of records, GeoJSON, Esri JSON, lines, columns."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from crimecast import UserError
from crimecast.reading.asides import around
from crimecast.reading.encodings import encoding_of
from crimecast.reading.nested import lists_of, unnested
from crimecast.reading.notice import Notice

MOST_BYTES = 2 * 2**30
MOST_COLUMNS, MOST_VALUES = 1_000, 10**8  # of a table, with what is empty in it
LONGITUDE, LATITUDE = "longitude", "latitude"


def read_document(path: Path) -> tuple[pl.DataFrame, list[Notice], str | None]:
    """The records of a JSON file as text, what there is to say, and the CRS that it names, if any.

    Raises ValueError if it holds no list of records, UserError beyond MOST_BYTES.
    """
    if path.stat().st_size > MOST_BYTES:
        raise UserError(
            f"{path.name} is larger than {MOST_BYTES / 2**30:g} GB, more JSON than is read at once: use CSV or Parquet."
        )
    name = encoding_of(path)
    text = path.read_bytes().decode(name, errors="replace").removeprefix("\ufeff")
    notices: list[Notice] = []
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        document, bad = _lines(text)
        if not document or len(bad) > 0.2 * (len(document) + len(bad)):
            raise ValueError(str(error)) from None
        if bad:
            some = ", ".join(f"{line:,}" for line in bad[:8])
            notices.append(
                Notice(
                    "bad_rows",
                    f"{len(bad):,} lines are no JSON and are left out: line {some}.",
                    len(bad),
                )
            )
    rows, crs, said = _rows(document)
    notices += said
    if not rows:
        raise ValueError("expected a list of records")
    if isinstance(document, dict):
        notices += around(document, len(rows))
    odd = sum(not isinstance(row, dict) for row in rows)
    if odd > 0.2 * len(rows):
        raise ValueError("expected a list of records")
    if odd:
        notices.append(Notice("bad_rows", f"{odd:,} entries are no records and are left out.", odd))
    if several := sum(_is_several(row) for row in _features(document)):
        says = (
            f"{several:,} records have several points for their place: the first of them is taken."
        )
        notices.append(Notice("several_places", says, several))
    if spread := sum(_is_spread(row) for row in _features(document)):
        says = (
            f"{spread:,} records have a line or an area for their place: the middle of it is taken."
        )
        notices.append(Notice("middle", says, spread))
    rows, said = unnested([_unwrapped(row) for row in rows])
    notices += said
    flat = [
        {_text(str(key)): _scalar(value) for key, value in row.items()}
        for row in rows
        if isinstance(row, dict)
    ]
    names = list(dict.fromkeys(key for row in flat for key in row))
    if len(names) > MOST_COLUMNS or len(names) * len(flat) > MOST_VALUES:
        raise UserError(
            f"{path.name} holds {len(flat):,} records with {len(names):,} names of fields between them, more than a "
            "table can have: use a file whose records have the same fields."
        )
    columns = [pl.Series(name, [row.get(name) for row in flat], pl.String) for name in names]
    return pl.DataFrame(columns), notices, crs


def _unwrapped(row: Any) -> Any:
    """A record whose fields stand in an object of their own (OpenDataSoft's `fields`, JSON:API's `attributes`),
    beside what the portal says of it."""
    if not isinstance(row, dict):
        return row
    row = row["record"] if isinstance(row.get("record"), dict) else row
    for name in ("fields", "attributes"):
        inner = row.get(name)
        if isinstance(inner, dict) and len(inner) > 1:
            place = _place(row.get("geometry"))
            own = {key: row[key] for key in ("id", "recordid") if key in row and key not in inner}
            near = {LONGITUDE: place[0], LATITUDE: place[1]} if place[0] is not None else {}
            return {**own, **{k: v for k, v in near.items() if k not in inner}, **inner}
    return row


def _lines(text: str) -> tuple[list[Any], list[int]]:
    found, bad = [], []
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip("\x1e \r\t,")
        if not line:
            continue
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            bad.append(number)
            if len(bad) > 1_000 and len(bad) > len(found):
                break  # no lines of JSON
    return found, bad


def _rows(document: Any) -> tuple[list[Any], str | None, list[Notice]]:
    """The list of records in a document, the CRS it names, and what there is to say of other lists in it."""
    if isinstance(document, list):
        if document and all(_is_collection(part) for part in document):
            return [_feature(f) for part in document for f in part["features"]], _named_crs(document[0]), []  # fmt: skip
        return _of_list(document), None, []
    if not isinstance(document, dict):
        return [], None, []
    known, crs = _of_object(document)
    if known:
        return known, crs, []
    inner, notices = lists_of(document)
    if inner:
        return _of_list(inner), None, notices
    values = list(document.values())
    whole = bool(values) and not any(isinstance(v, dict | list) for v in values)
    return [document] if whole else [], None, []


def _is_collection(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("features"), list)


def _of_list(document: list[Any]) -> list[Any]:
    """The records of a list: of lists below their names, of features, or as they are."""
    if document and all(isinstance(row, list) for row in document):
        return _from_lists([str(name) for name in document[0]], document[1:])
    if any(isinstance(row, dict) and row.get("type") == "Feature" for row in document):
        return [_feature(row) for row in document]
    return [
        row["_source"] if isinstance(row, dict) and isinstance(row.get("_source"), dict) else row
        for row in document
    ]


def _of_object(document: dict[str, Any]) -> tuple[list[Any], str | None]:
    """The records of an object in a form that is known (GeoJSON, Esri JSON, columns, one below each name), and
    the CRS it names; none where it is in no such form."""
    if isinstance(document.get("features"), list):
        if any("attributes" in f for f in document["features"] if isinstance(f, dict)):
            reference = _table(document.get("spatialReference"))
            code = str(reference.get("latestWkid") or reference.get("wkid"))
            crs = f"EPSG:{code}" if code.isdecimal() and code != "4326" else None
            return [_esri(f) for f in document["features"]], crs
        return [_feature(f) for f in document["features"]], _named_crs(document)
    if document.get("type") == "Feature":
        return [_feature(document)], None
    columns = _table(_table(document.get("meta")).get("view")).get("columns")
    columns = columns or document.get("columns") or document.get("fields")
    for key in ("data", "records", "rows", "values"):
        rows = document.get(key)
        if (
            isinstance(columns, list)
            and columns
            and isinstance(rows, list)
            and isinstance(rows[:1] and rows[0], list)
        ):
            names = [
                str((c.get("name") or c.get("id")) if isinstance(c, dict) else c) for c in columns
            ]
            return _from_lists(names, rows), None
    values = list(document.values())
    if (
        values
        and all(isinstance(value, list) for value in values)
        and len({len(v) for v in values}) == 1
        and not isinstance(values[0][:1] and values[0][0], dict | list)
    ):
        return _from_lists([str(key) for key in document], list(zip(*values, strict=True))), None
    if (
        values
        and all(isinstance(value, dict) for value in values)
        and len(values) > 1
        and not any(
            isinstance(inner, dict | list) for value in values for inner in list(value.values())[:3]
        )
    ):
        keys = [set(value) for value in values]
        if all(key == keys[0] for key in keys) and len(keys[0]) > len(values):
            order = list(values[0])
            return [
                {str(name): value[key] for name, value in document.items()} for key in order
            ], None
        return values, None
    return [], None


def _from_lists(names: list[str], rows: list[Any]) -> list[Any]:
    return [
        dict(zip(names, row, strict=False)) if isinstance(row, list | tuple) else row
        for row in rows
    ]


def _table(value: Any) -> dict[str, Any]:
    """What should be an object, and is none in a file that isn't what it says."""
    return value if isinstance(value, dict) else {}


def _named_crs(document: dict[str, Any]) -> str | None:
    name = str(_table(_table(document.get("crs")).get("properties")).get("name", ""))
    code = name.rstrip("/").replace("::", ":").split(":")[-1].split("/")[-1]
    return None if not code.isdigit() or code in ("4326", "84") else f"EPSG:{code}"


def _feature(feature: Any) -> Any:
    if not isinstance(feature, dict):
        return feature
    row = dict(_table(feature.get("properties")))
    place = _place(feature.get("geometry"))
    row[LONGITUDE if LONGITUDE not in row else "geometry.x"] = place[0]
    row[LATITUDE if LATITUDE not in row else "geometry.y"] = place[1]
    return row


def _esri(feature: Any) -> Any:
    if not isinstance(feature, dict):
        return feature
    row = dict(_table(feature.get("attributes")))
    geometry = _table(feature.get("geometry"))
    points = list(_points(geometry.get("points"))) or [(geometry.get("x"), geometry.get("y"))]
    if geometry:
        row.setdefault("geometry.x", points[0][0])
        row.setdefault("geometry.y", points[0][1])
    return row


def _features(document: Any) -> list[Any]:
    """What may have a geometry in a document."""
    found = document.get("features") if isinstance(document, dict) else document
    return found if isinstance(found, list) else []


def _is_spread(feature: Any) -> bool:
    """Whether a feature's place is a line or an area."""
    kind = str(_table(_table(feature).get("geometry")).get("type"))
    return "LineString" in kind or "Polygon" in kind


def _is_several(feature: Any) -> bool:
    """Whether a feature's place is several points."""
    geometry = _table(_table(feature).get("geometry"))
    kinds, points = ("MultiPoint", "GeometryCollection"), geometry.get("coordinates")
    points = points if geometry.get("type") == kinds[0] else geometry.get("geometries")
    return geometry.get("type") in kinds and isinstance(points, list) and len(points) > 1


def _place(geometry: Any) -> tuple[Any, Any]:
    """The first point of a geometry; the middle of a line or an area; nothing where there is none."""
    if not isinstance(geometry, dict):
        return None, None
    if geometry.get("type") == "GeometryCollection":
        parts = geometry.get("geometries")
        places = map(_place, parts if isinstance(parts, list) else [])
        return next((p for p in places if p[0] is not None), (None, None))
    points = list(_points(geometry.get("coordinates")))
    if not points:
        return None, None
    if geometry.get("type") in ("Point", "MultiPoint"):
        return points[0]
    try:
        numbers = [(float(x), float(y)) for x, y in points]
    except (ValueError, OverflowError):
        return None, None
    return tuple((min(axis) + max(axis)) / 2 for axis in zip(*numbers, strict=True))


def _points(coordinates: Any) -> Iterator[tuple[Any, Any]]:
    if not isinstance(coordinates, list) or len(coordinates) == 0:
        return
    if isinstance(coordinates[0], list):
        for entry in coordinates:
            yield from _points(entry)
    elif len(coordinates) >= 2 and all(isinstance(c, int | float | str) for c in coordinates[:2]):
        yield coordinates[0], coordinates[1]


def _scalar(value: object) -> str | None:
    while isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith("$"):
        value = next(iter(value.values()))  # MongoDB's {"$date": …}, {"$numberLong": …}
    if value is None or isinstance(value, str):
        return value and _text(value)
    return json.dumps(value)


def _text(value: str) -> str:
    """A text with half a pair of UTF-16, which JSON allows, can't be stored: a ? stands for it."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()
