"""A layer of an ArcGIS Feature Service, page by page by object id, as text like a Socrata data set.

GET {layer}/query with where, outFields, orderByFields and resultRecordCount; places come with the
geometry, asked for in longitude and latitude; dates are milliseconds since 1970, UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from crimecast.sources.http import Refused
from crimecast.sources.table import PortalTable

LONGITUDE, LATITUDE = "geometry.x", "geometry.y"


@dataclass
class FeatureLayer(PortalTable):
    """A layer and what was found out about it. `source.dataset` is its path on the server."""

    system_fields: bool = False
    stamp: str = ""
    key: str = "OBJECTID"

    def describe(self) -> dict[str, Any]:
        """The layer's own description: fields, objectIdField, maxRecordCount, …"""
        return self._ask("", {"f": "json"})

    def probe(self) -> None:
        """Learn the name of the object id and how large a page may be.

        Raises UserError that names the column if the layer no longer has one that is needed.
        """
        about = self.describe()
        self.key = about.get("objectIdField") or self.key
        self.page_size = min(self.page_size, int(about.get("maxRecordCount") or self.page_size))
        names = {str(entry["name"]) for entry in about.get("fields", [])}
        for name in self.columns:
            if name not in (LONGITUDE, LATITUDE) and name not in names:
                raise self.gone(name)

    def pages(
        self, where: str, after: str | None, done: int
    ) -> Iterator[tuple[pl.DataFrame, str | None]]:
        """Pages of the rows that match, in the order of the object id, from after `after` on."""
        outside = {LONGITUDE, LATITUDE, self.key}
        while True:
            conditions = [where or "1=1"] + (
                [f"{self.key} > {int(after)}"] if after is not None else []
            )
            found = self._ask(
                "/query",
                {
                    "where": " AND ".join(conditions),
                    "outFields": ",".join(
                        [self.key, *(c for c in self.columns if c not in outside)]
                    ),
                    "orderByFields": f"{self.key} ASC",
                    "resultRecordCount": str(self.page_size),
                    "returnGeometry": "true",
                    "outSR": "4326",
                    "f": "json",
                },
            )
            features = found.get("features", [])
            if not features:
                return
            after = str(features[-1]["attributes"][self.key])
            yield self.frame(features), after

    def frame(self, features: list[dict[str, Any]]) -> pl.DataFrame:
        """Features → a table: numbers for dates and places, text for the rest."""
        names = list(dict.fromkeys([self.key, *self.columns]))
        table: dict[str, Any] = {}
        for name in names:
            if name in (LONGITUDE, LATITUDE):
                axis = name[-1]
                values = [(feature.get("geometry") or {}).get(axis) for feature in features]
                table[name] = pl.Series(values, dtype=pl.Float64, strict=False)
            else:
                values = [feature["attributes"].get(name) for feature in features]
                if name == self.time_column and all(isinstance(v, int | None) for v in values):
                    table[name] = pl.Series(values, dtype=pl.Int64)
                else:
                    table[name] = pl.Series(
                        [None if v is None else str(v) for v in values], dtype=pl.String
                    )
        return pl.DataFrame(table)

    def between(self, first: str | None, last: str | None) -> str:
        """The condition that a row's day lies in [first, last)."""
        parts = [f"{self.time_column} >= TIMESTAMP '{first.replace('T', ' ')}'"] if first else []
        parts += [f"{self.time_column} < TIMESTAMP '{last.replace('T', ' ')}'"] if last else []
        return " AND ".join(parts)

    def size(self, where: str) -> tuple[int, str, str] | None:
        """How many rows match; the layer isn't shared out by months, so no more is told."""
        try:
            found = self._ask(
                "/query", {"where": where or "1=1", "returnCountOnly": "true", "f": "json"}
            )
            return int(found["count"]), "", ""
        except (Refused, KeyError, ValueError):
            return None

    def latest(self) -> None:
        """A layer doesn't say which rows changed, so it is read whole each time."""
        return None

    def changed_since(self, mark: str) -> str:
        """Never asked, since there is no mark."""
        raise NotImplementedError

    def month_counts(self, where: str) -> None:
        """Not counted: what is gone is seen when the layer is read whole."""
        return None

    def _ask(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        found = self.client.ask(f"/{self.source.dataset.strip('/')}{path}", params)
        if not isinstance(found, dict):
            raise Refused(200, "the answer is not a document")
        if "error" in found:
            raise Refused(
                int(found["error"].get("code", 400)), str(found["error"].get("message", ""))
            )
        return found
