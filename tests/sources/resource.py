"""A small CKAN portal for tests: one resource of the DataStore, in memory."""

from collections.abc import Callable
from typing import Any

from tests.serving import Served

ID = "b973d8cb-eeb2-4e7e-99da-c92938efc9c0"


class DataStore(Served):
    """Serves `rows` (each with `_id`) by datastore_search while in a `with`; `cap` rows a page.

    `after` is called with the number of the request once it is answered.
    """

    def __init__(self, rows: list[dict[str, Any]], cap: int = 32_000) -> None:
        self.rows, self.cap = rows, cap
        self.requests = 0
        self.after: Callable[[int], None] = lambda number: None

    def answered(self) -> None:
        self.requests += 1
        self.after(self.requests)

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path != "/api/3/action/datastore_search" or query["resource_id"] != ID:
            return 404, {
                "success": False,
                "error": {"__type": "Not Found Error", "message": "Not found"},
            }
        names = list(self.rows[0])
        wanted = query["fields"].split(",") if "fields" in query else names
        if unknown := set(wanted) - set(names):
            return 409, {"success": False, "error": {"fields": [f"field {unknown} not in table"]}}
        rows = sorted(self.rows, key=lambda row: row["_id"])
        start = int(query.get("offset", 0))
        page = rows[start : start + min(self.cap, int(query.get("limit", 100)))]
        return 200, {
            "success": True,
            "result": {
                "fields": [{"id": name, "type": "text"} for name in wanted],
                "records": [{name: row.get(name) for name in wanted} for row in page],
                "total": len(rows),
            },
        }


def records(count: int) -> list[dict[str, Any]]:
    """Records in the form of Boston's portal, one every five hours of 2024."""
    return [
        {
            "_id": i + 1,
            "INCIDENT_NUMBER": f"I{i:06d}",
            "OFFENSE_DESCRIPTION": "LARCENY",
            "OCCURRED_ON_DATE": f"2024-{1 + i // 140:02d}-{1 + i // 5 % 28:02d} {i % 5 * 4 + 3:02d}:15:00",
            "Lat": f"{42.3 + i % 17 * 1e-3:.6f}",
            "Long": f"{-71.1 + i % 13 * 1e-3:.6f}",
            "SUSPECT": "x",
        }
        for i in range(count)
    ]
