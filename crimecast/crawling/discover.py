"""Look at a portal's address: which data set it is, its columns, its first rows."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote_plus, urlsplit

import numpy as np
import polars as pl

from crimecast import UserError
from crimecast.cities import City, Source
from crimecast.reading.columns import guess
from crimecast.reading.places import read_places
from crimecast.records.understanding import guess_values
from crimecast.sources import answers, carto, ckan
from crimecast.sources.arcgis import LATITUDE, LONGITUDE, FeatureLayer, has_no_geometry
from crimecast.sources.ckan import KEY, Resource
from crimecast.sources.http import Client, Refused
from crimecast.sources.socrata import as_text, headers_for
from crimecast.storage.access import permit

DATASET = re.compile(r"([a-z0-9]{4}-[a-z0-9]{4})(?:\.\w+)?")
RESOURCE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LAYER = re.compile(r"(/.*?/(?:FeatureServer|MapServer)/\d+)", re.IGNORECASE)
TABLE = re.compile(r"\bFROM\s+([A-Za-z_]\w*)", re.IGNORECASE)
ROWS = 20


@dataclass(frozen=True)
class Preview:
    """What an address leads to; `guessed` maps our fields to its columns, as far as the names tell."""

    kind: str
    portal: str
    dataset: str
    rows: pl.DataFrame
    guessed: dict[str, str]

    def center(self, longitude: str, latitude: str) -> tuple[float, float]:
        """The middle of the first rows' places. Raises UserError if these columns hold none."""
        columns = {"longitude": [longitude], "latitude": [latitude]}
        places = read_places(self.rows, columns, City("new", "New", "UTC", "EPSG:4326"), True)
        there = np.isfinite(places.longitude) & np.isfinite(places.latitude)
        if not there.any():
            raise UserError("No row has a place in these columns; choose others.")
        east, north = (float(np.median(v[there])) for v in (places.longitude, places.latitude))
        return east, north

    def source(self, columns: dict[str, str]) -> Source:
        """A registry entry's source with the columns as corrected."""
        return Source(self.kind, self.portal, self.dataset, columns)


def look_at(address: str, guarded: bool = True) -> Preview:
    """Fetch the first rows behind a Socrata, ArcGIS, CKAN or Carto address.

    Raises UserError for an address of another kind, one that can't be reached, or (with
    `guarded`) one inside a private network.
    """
    parts = web_address(address)
    permit("look at", parts.geturl())
    portal = f"{parts.scheme}://{parts.netloc}"
    client = Client(portal, headers_for(portal), 1, guarded=guarded)
    try:
        if layer := LAYER.search(parts.path):
            return _layer(client, portal, layer[1])
        if parts.path.endswith(carto.PATH) and (table := TABLE.search(unquote_plus(parts.query))):
            query = {"q": f"SELECT * FROM {table[1]} LIMIT {ROWS}"}
            rows = _flat(client.ask(carto.PATH, query, parse=carto.parse_answer))
            return _preview("carto", portal, table[1], rows)
        if resource := RESOURCE.findall(f"{parts.path}?{parts.query}"):
            return _resource(client, portal, resource[-1])  # before it stands the package's
        if dataset := dataset_id(parts.path):
            found = client.ask(f"/resource/{dataset}.json", {"$limit": str(ROWS)})
            return _preview("socrata", portal, dataset, _flat(found))
    except Refused as error:
        raise UserError(f"The portal refuses to show this data set ({error.text}).") from None
    raise UserError(
        "The address names neither a Socrata data set (…/abcd-1234), nor an ArcGIS layer (…/FeatureServer/0), nor a "
        "CKAN table (…/resource/ and its long id), nor a table of Carto (…/api/v2/sql?q=SELECT * FROM table)."
    )


def dataset_id(path: str) -> str | None:
    """The id of a Socrata data set in an address's path: a whole part of it, of several the last.

    A title may hold what looks like one, as in Crime-Data-from-2020-to-Present/2nrs-mtv8.
    """
    found = [match[1] for part in path.split("/") if (match := DATASET.fullmatch(part))]
    return found[-1] if found else None


def web_address(text: str) -> SplitResult:
    """The parts of an http or https address, without a name or password. Raises UserError."""
    shown = text.strip()[:200]
    try:
        parts = urlsplit(text.strip())
        well = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        well = False
    if not well:
        raise UserError(f"'{shown}' is not a web address; it begins with https://.")
    if "@" in parts.netloc:
        raise UserError("Give the address without a name and password.")
    return parts


def _flat(rows: Any) -> list[dict[str, Any]]:
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise UserError("The portal shows no rows for this data set.")
    return [
        {key: as_text(value) for key, value in row.items() if not _computed(key)} for row in rows
    ]


def _computed(name: str) -> bool:
    return name.startswith(":")  # regions that the portal adds


def _layer(client: Client, portal: str, path: str) -> Preview:
    some = dict.fromkeys(("time", "source_id"), "OBJECTID")
    about = FeatureLayer(Source("arcgis", portal, path, some), client, ROWS).describe()
    names = [entry["name"] for entry in about.get("fields") or [] if "name" in entry]
    if not names:
        raise UserError("The layer has no columns.")
    key = about.get("objectIdField") or names[0]
    table = has_no_geometry(about)
    places = {} if table else {"longitude": LONGITUDE, "latitude": LATITUDE}
    columns = {name: name for name in names} | places
    layer = FeatureLayer(
        Source("arcgis", portal, path, {**columns, "time": names[0], "source_id": key}),
        client,
        ROWS,
    )
    layer.probe()
    page = next(layer.pages("", None, 0), None)
    if page is None:
        raise UserError("The portal shows no rows for this data set.")
    rows = page[0]
    if not table and rows[LONGITUDE].null_count() == rows.height:
        rows, places = rows.drop(LONGITUDE, LATITUDE), {}  # it only seems to have a geometry
    return Preview("arcgis", portal, path, rows, {**_guessed(rows), **places, "source_id": key})


def _resource(client: Client, portal: str, resource: str) -> Preview:
    names = dict.fromkeys(("time", "source_id"), KEY)
    found = Resource(Source("ckan", portal, resource, names), client, ROWS).search(limit=1)
    columns = {name: name for name in ckan.columns(found)}
    if not columns:
        raise UserError("The table has no columns.")
    table = Resource(Source("ckan", portal, resource, {**names, **columns}), client, ROWS)
    rows = table.frame(answers.rows(table.search(ROWS).get("records") or []))
    return Preview("ckan", portal, resource, rows, {"source_id": KEY, **_guessed(rows)})


def _guessed(rows: pl.DataFrame) -> dict[str, str]:
    """What the columns hold by their names, the rest by their values."""
    by_name = {name: "+".join(parts) for name, parts in guess(rows.columns).items()}
    return {**guess_values(rows), **by_name}


def _preview(kind: str, portal: str, dataset: str, rows: list[dict[str, Any]]) -> Preview:
    table = pl.from_dicts(rows, infer_schema_length=None)
    return Preview(kind, portal, dataset, table, _guessed(table))
