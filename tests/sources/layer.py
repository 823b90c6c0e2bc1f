"""A small ArcGIS Feature Service for tests."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.serving import Served

PATH = "/arcgis/rest/services/Crime/FeatureServer/0"


class Layer(Served):
    """Serves `features` (attributes and geometry) at PATH while in a `with`; `cap` rows a page.

    `about` is added to its description. `trouble` gives the error for a query, if there is one; it
    stands in the body of an answer that is said to be good, as with ArcGIS.
    """

    def __init__(
        self,
        features: list[dict[str, Any]],
        cap: int = 25,
        about: dict[str, Any] | None = None,
        trouble: Callable[[dict[str, str]], dict[str, Any] | None] = lambda query: None,
    ) -> None:
        self.features, self.cap = features, cap
        self.about, self.trouble = about or {}, trouble
        self.queries: list[dict[str, str]] = []

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        return 200, self.asked(path, query)

    def asked(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        if path == PATH:
            names = list(self.features[0]["attributes"])
            return {
                "fields": [{"name": n} for n in names],
                "objectIdField": "OBJECTID",
                "maxRecordCount": self.cap,
                **self.about,
            }
        if path != f"{PATH}/query":
            return {"error": {"code": 404, "message": "no such layer"}}
        self.queries.append(query)
        if error := self.trouble(query):
            return {"error": error}
        rows = self.features
        for sign, holds in ((">=", int.__ge__), ("<=", int.__le__)):
            if bound := re.search(rf"OBJECTID {sign} (\d+)", query["where"]):
                rows = [r for r in rows if holds(r["attributes"]["OBJECTID"], int(bound[1]))]
        if after := re.search(r"OBJECTID > (\d+)", query["where"]):
            rows = [row for row in rows if row["attributes"]["OBJECTID"] > int(after[1])]
        if since := re.search(r"occurred >= TIMESTAMP '([^']+)'", query["where"]):
            first = datetime.fromisoformat(since[1]).replace(tzinfo=UTC).timestamp() * 1000
            rows = [row for row in rows if row["attributes"]["occurred"] >= first]
        if query.get("returnCountOnly"):
            return {"count": len(rows)}
        if until := re.search(r"occurred < TIMESTAMP '([^']+)'", query["where"]):
            last = datetime.fromisoformat(until[1]).replace(tzinfo=UTC).timestamp() * 1000
            rows = [row for row in rows if row["attributes"]["occurred"] < last]
        if query.get("returnIdsOnly"):
            return {"objectIds": [row["attributes"]["OBJECTID"] for row in rows][::-1]}
        rows = sorted(rows, key=lambda row: row["attributes"]["OBJECTID"])
        wanted = query["outFields"].split(",")
        return {
            "features": [
                {
                    "attributes": {n: row["attributes"].get(n) for n in wanted},
                    **({"geometry": row["geometry"]} if query["returnGeometry"] == "true" else {}),
                }
                for row in rows[: min(self.cap, int(query.get("resultRecordCount", self.cap)))]
            ]
        }


def features(count: int) -> list[dict[str, Any]]:
    """Records of 2021 near 9.9 E, 53.5 N, one an hour from 2021-06-01 00:00 UTC on."""
    return [
        {
            "attributes": {
                "OBJECTID": i + 1,
                "occurred": 1_622_505_600_000 + i * 3_600_000,
                "offense": "Theft",
                "suspect": "x",
            },
            "geometry": {"x": 9.9 + i * 1e-4, "y": 53.5} if i % 10 else None,
        }
        for i in range(count)
    ]
