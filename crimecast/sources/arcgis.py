"""A layer or table of an ArcGIS service, page by page by object id, as text like a Socrata data set.

GET {layer}/query with where, outFields, orderByFields and resultRecordCount; places come with the
geometry, asked for in longitude and latitude, or from columns where there is none. Dates are
milliseconds since 1970 in UTC, also where `dateFieldsTimeReference` names another zone: that one
is of the conditions asked, not of the answers. Only where the server says that it doesn't know
the zone, or the registry names one, do they show a clock as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import numpy as np
import polars as pl

from crimecast.sources.answers import About, answered, keys, real, rows, whole
from crimecast.sources.http import ATTEMPTS, OVERTAXED, Busy, Refused, document
from crimecast.sources.table import PortalTable

LONGITUDE, LATITUDE = "geometry.x", "geometry.y"
MARGIN = timedelta(days=1)  # no zone is farther from another: what is too much is left here
# Types of field by whose days the portal can choose, and the word that it wants before them.
DAYS = {"esriFieldTypeDate": "TIMESTAMP", "esriFieldTypeDateOnly": "DATE"}


@dataclass
class FeatureLayer(PortalTable):
    """A layer and what was found out about it. `source.dataset` is its path on the server."""

    exact: bool = False
    system_fields: bool = False
    stamp: str = ""
    key: str = "OBJECTID"
    word: str = "TIMESTAMP"
    wall: bool = False  # milliseconds that show a clock
    by_ranges: bool = False

    def describe(self) -> About:
        """The layer's own description."""
        return cast(About, answered(About, self._ask("", {"f": "json"})))

    def probe(self) -> None:
        """Learn the name of the object id, how large a page may be, and what its dates are.

        Raises UserError that names the column if the layer no longer has one that is needed.
        """
        about = self.describe()
        fields = {
            entry["name"]: entry.get("type")
            for entry in about.get("fields") or []
            if "name" in entry
        }
        ids = [name for name, kind in fields.items() if kind == "esriFieldTypeOID"]
        self.key = about.get("objectIdField") or next(iter(ids), self.key)
        self.page_size = max(1, min(self.page_size, about.get("maxRecordCount") or self.page_size))
        for name in self.columns:
            if name not in (LONGITUDE, LATITUDE) and name not in fields:
                raise self.gone(name)
        if has_no_geometry(about) and LONGITUDE in self.columns:
            raise self.gone("geometry")
        able = about.get("advancedQueryCapabilities") or {}
        self.by_ranges = not (
            able.get("supportsPagination", True) and able.get("supportsOrderBy", True)
        )
        kind = fields.get(self.time_column) or "esriFieldTypeDate"
        self.ordered = kind in DAYS
        self.word = DAYS.get(kind, "")
        zone = self.source.zone not in (None, "UTC")
        self.wall = zone or bool(about.get("datesInUnknownTimezone"))

    def pages(
        self, where: str, after: str | None, done: int
    ) -> Iterator[tuple[pl.DataFrame, str | None]]:
        """Pages of the rows that match, in the order of the object id, from after `after` on."""
        while not self.by_ranges:
            try:
                features = self.patiently(
                    lambda attempts, after=after: self._features(where, after, attempts)  # type: ignore[misc]
                )
            except Refused as error:
                if not any(word in error.text.lower() for word in ("pagination", "orderby")):
                    raise
                self.by_ranges = True
                break
            if not features:
                return
            after = self._last(features, after)
            yield self.frame(features), after
        yield from self._ranges(where, after)

    def _last(self, features: list[dict[str, Any]], after: str | None) -> str:
        """The object id that the next page begins after."""
        ids = [feature["attributes"].get(self.key) for feature in features]
        return str(keys(ids, None if after is None else int(after))[-1])

    def _features(self, where: str, after: str | None, attempts: int) -> list[dict[str, Any]]:
        conditions = [where or "1=1"] + (
            [f"{self.key} > {int(after)}"] if after is not None else []
        )
        params = {
            "where": " AND ".join(conditions),
            "orderByFields": f"{self.key} ASC",
            "resultRecordCount": str(self.page_size),
        }
        return self._rows(params, attempts)["features"]

    def _ranges(self, where: str, after: str | None) -> Iterator[tuple[pl.DataFrame, str | None]]:
        """Pages by ranges of object ids, for servers that can't page: the ids are asked for first."""
        found = self._ask("/query", {"where": where or "1=1", "returnIdsOnly": "true", "f": "json"})
        ids = sorted(keys(answered(list[Any], found.get("objectIds") or [])))
        ids = [one for one in ids if after is None or one > int(after)]
        while ids:
            features, taken = self.patiently(lambda attempts: self._range(where, ids, attempts))  # noqa: B023
            ids = ids[taken:]
            if features:  # rows may be gone since the ids were asked for
                yield self.frame(features), self._last(features, None)

    def _range(self, where: str, ids: list[int], attempts: int) -> tuple[list[dict[str, Any]], int]:
        """The rows of the first ids, and of how many."""
        some = ids[: self.page_size]
        asked = f"{where or '1=1'} AND {self.key} >= {some[0]} AND {self.key} <= {some[-1]}"
        found = self._rows({"where": asked}, attempts)
        features = found["features"]
        if found.get("exceededTransferLimit") and len(some) > 1:
            self.page_size = len(some) // 2
            return self._range(where, ids, attempts)
        order = np.argsort(keys(row["attributes"].get(self.key) for row in features), kind="stable")
        return [features[i] for i in order], len(some)

    def _rows(self, params: dict[str, str], attempts: int) -> dict[str, Any]:
        outside = {LONGITUDE, LATITUDE, self.key}
        places = {"returnGeometry": "true", "outSR": "4326"}
        found = self._ask(
            "/query",
            {
                **params,
                "outFields": ",".join([self.key, *(c for c in self.columns if c not in outside)]),
                **(places if LONGITUDE in self.columns else {"returnGeometry": "false"}),
                "f": "json",
            },
            attempts,
        )
        found["features"] = rows(found.get("features") or [])
        rows([feature.get("attributes") for feature in found["features"]])
        return found

    def frame(self, features: list[dict[str, Any]]) -> pl.DataFrame:
        """Features → a table: numbers for dates and places, text for the rest."""
        names = list(dict.fromkeys([self.key, *self.columns]))
        table: dict[str, Any] = {}
        for name in names:
            if name in (LONGITUDE, LATITUDE):
                places = [feature.get("geometry") for feature in features]
                numbers = [
                    real(at.get(name[-1])) if isinstance(at, dict) else None for at in places
                ]
                table[name] = pl.Series(numbers, dtype=pl.Float64)
            else:
                values = [feature["attributes"].get(name) for feature in features]
                if name == self.time_column and self._milliseconds(values):
                    moments = pl.Series(values, dtype=pl.Int64)
                    table[name] = moments.cast(pl.Datetime("ms")) if self.wall else moments
                else:
                    table[name] = pl.Series(
                        [None if v is None else str(v) for v in values], dtype=pl.String
                    )
        return pl.DataFrame(table)

    def _milliseconds(self, values: list[Any]) -> bool:
        # A page without any day has the type of the others, so that they can be joined.
        if all(value is None for value in values):
            return self.word == "TIMESTAMP"
        return self.ordered and all(_is_moment(value) for value in values)

    def between(self, first: str | None, last: str | None) -> str:
        """The condition that a row's day lies in [first, last), a day more on both sides.

        Which zone the server compares in isn't always said, and dates without a time of day are
        midnights of another zone than the city's.
        """
        if not self.ordered:
            return ""
        parts = [f"{self.time_column} >= {self._moment(first, -MARGIN)}"] if first else []
        parts += [f"{self.time_column} < {self._moment(last, MARGIN)}"] if last else []
        return " AND ".join(parts)

    def _moment(self, text: str, margin: timedelta) -> str:
        moment = datetime.fromisoformat(text) + margin
        shown = f"{moment:%Y-%m-%d}" if self.word == "DATE" else f"{moment:%Y-%m-%d %H:%M:%S}"
        return f"{self.word} '{shown}'"

    def size(self, where: str) -> tuple[int, str, str] | None:
        """How many rows match; the layer isn't shared out by months, so no more is told."""
        try:
            found = self._ask(
                "/query", {"where": where or "1=1", "returnCountOnly": "true", "f": "json"}
            )
            return whole(found["count"]), "", ""
        except (Refused, KeyError, ValueError):
            return None

    def _ask(self, path: str, params: dict[str, str], attempts: int = ATTEMPTS) -> dict[str, Any]:
        address = f"/{self.source.dataset.strip('/')}{path}"
        return self.client.ask(address, params, parse=parse_answer, attempts=attempts)


def parse_answer(content: bytes) -> dict[str, Any]:
    """An answer's document. An error stands in the body of an answer that is said to be good (200).

    Raises Busy for one that may pass, Refused for a question that is wrong.
    """
    found = document(content)
    if not isinstance(found, dict):
        raise Refused(200, "the answer is not a document")
    if "error" in found:
        error = found["error"] if isinstance(found["error"], dict) else {}
        code, details = error.get("code"), error.get("details")
        status, said = code if isinstance(code, int) else 400, str(error.get("message") or "")
        said = " ".join([said, *map(str, details if isinstance(details, list) else [])]).strip()
        unable = any(word in said.lower() for word in ("pagination", "orderby"))
        if not unable and (status in (*OVERTAXED, 408, 429) or status >= 500):
            raise Busy(status)
        raise Refused(status, said)
    return found


def _is_moment(value: Any) -> bool:
    return value is None or (type(value) is int and abs(value) < 2**63)


def has_no_geometry(about: About) -> bool:
    """Whether a layer's description says that it is a table alone."""
    return about.get("type") == "Table" or ("geometryType" in about and not about["geometryType"])
