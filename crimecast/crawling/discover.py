"""Look at a portal's address: which data set it is, its columns, its first rows."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import numpy as np
import polars as pl

from crimecast import UserError
from crimecast.cities import Source
from crimecast.reading.columns import guess
from crimecast.sources.arcgis import LATITUDE, LONGITUDE, FeatureLayer
from crimecast.sources.http import Client, Refused
from crimecast.sources.socrata import headers_for
from crimecast.storage.access import permit

DATASET = re.compile(r"\b[a-z0-9]{4}-[a-z0-9]{4}\b")
LAYER = re.compile(r"(/.*?/(?:FeatureServer|MapServer)/\d+)", re.IGNORECASE)
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
        places = self.rows.select(
            pl.col(longitude, latitude).cast(pl.Float64, strict=False)
        ).drop_nulls()
        if places.is_empty():
            raise UserError("No row has a place in these columns; choose others.")
        east, north = (float(np.median(places.to_series(i))) for i in (0, 1))
        return east, north

    def source(self, columns: dict[str, str]) -> Source:
        """A registry entry's source with the columns as corrected."""
        return Source(self.kind, self.portal, self.dataset, columns)


def look_at(address: str, guarded: bool = True) -> Preview:
    """Fetch the first rows behind a Socrata or ArcGIS address.

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
        if dataset := DATASET.search(parts.path):
            found = client.ask(f"/resource/{dataset[0]}.json", {"$limit": str(ROWS)})
            return _preview("socrata", portal, dataset[0], _flat(found))
    except Refused as error:
        raise UserError(f"The portal refuses to show this data set ({error.text}).") from None
    raise UserError(
        "The address names neither a Socrata data set (…/abcd-1234) nor an ArcGIS layer (…/FeatureServer/0)."
    )


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
        {key: value for key, value in row.items() if not isinstance(value, dict | list)}
        for row in rows
    ]


def _layer(client: Client, portal: str, path: str) -> Preview:
    about = client.ask(path, {"f": "json"})
    names = [str(entry["name"]) for entry in about.get("fields", [])]
    if not names:
        raise UserError("The layer has no columns.")
    key = about.get("objectIdField") or names[0]
    columns = {name: name for name in names} | {"longitude": LONGITUDE, "latitude": LATITUDE}
    layer = FeatureLayer(
        Source("arcgis", portal, path, {**columns, "time": names[0], "source_id": key}),
        client,
        ROWS,
    )
    layer.probe()
    rows, _ = next(layer.pages("", None, 0), (pl.DataFrame(), None))
    found = {name: "+".join(parts) for name, parts in guess(rows.columns).items()}
    return Preview(
        "arcgis",
        portal,
        path,
        rows,
        {**found, "longitude": LONGITUDE, "latitude": LATITUDE, "source_id": key},
    )


def _preview(kind: str, portal: str, dataset: str, rows: list[dict[str, Any]]) -> Preview:
    text = [
        {key: None if value is None else str(value) for key, value in row.items()} for row in rows
    ]
    table = pl.from_dicts(text, infer_schema_length=None)
    return Preview(
        kind,
        portal,
        dataset,
        table,
        {name: "+".join(parts) for name, parts in guess(table.columns).items()},
    )
