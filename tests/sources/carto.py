"""A small Carto account for tests: one table in SQLite, which takes the SQL that a crawl asks."""

import sqlite3
from typing import Any

from tests.serving import Served


class Account(Served):
    """Serves the table `incidents` of `rows` (each with `cartodb_id`) while in a `with`."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.queries: list[str] = []

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        return self.asked(query["q"])

    def asked(self, query: str) -> tuple[int, dict[str, Any]]:
        self.queries.append(query)
        names = list(self.rows[0])
        with sqlite3.connect(":memory:") as database:
            database.row_factory = sqlite3.Row
            database.execute(f"create table incidents ({', '.join(names)})")
            marks = ", ".join("?" * len(names))
            database.executemany(
                f"insert into incidents values ({marks})",
                [[row[name] for name in names] for row in self.rows],
            )
            try:
                rows = [dict(row) for row in database.execute(query)]
            except sqlite3.OperationalError as error:
                return 400, {"error": [str(error).replace("no such column: ", "no column ")]}
        return 200, {"rows": rows, "total_rows": len(rows), "fields": {}}


def incidents(count: int) -> list[dict[str, Any]]:
    """Records in the form of Philadelphia's account: one an hour from 2021-06-01 00:00 UTC on."""
    return [
        {
            "cartodb_id": i + 1,
            "dc_key": f"2021{i:06d}",
            "text_general_code": "Thefts",
            "dispatch_date_time": f"2021-06-{1 + i // 24:02d}T{i % 24:02d}:00:00Z",
            "point_x": -75.16 + i * 1e-4,
            "point_y": 39.95,
            "suspect": "x",
        }
        for i in range(count)
    ]
