"""A small Socrata portal for tests: rows in memory, a subset of SoQL, and faults on demand."""

import csv
import io
import json
import random
import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.serving import Server

Row = dict[str, Any]


class Portal(Server):
    """Serves `rows` (each with `:id` and `:updated_at`) under /resource/ANY.json while in a `with`.

    `faults` gives the chance of each kind of fault: busy, busy_until, error, drop, cut, malformed,
    running. `after` is called with the number of the request before it is answered.
    """

    def __init__(
        self, rows: list[Row], faults: dict[str, float] | None = None, seed: int = 0
    ) -> None:
        self.rows = {row[":id"]: row for row in rows}
        self.faults = faults or {}
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.requests: list[dict[str, str]] = []
        self.injected = 0
        self.after: Callable[[int], None] = lambda number: None
        self.ignore_where = False

    def handler(self) -> type[BaseHTTPRequestHandler]:
        portal = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # one write an answer, or the client waits for each half

            def do_GET(self) -> None:
                query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
                portal.answer(self, query)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                portal.answer(self, parse_query(body["query"]), self.path.endswith(".csv"))

            def log_message(self, *_: object) -> None:
                return None

        return Handler

    def answer(
        self, handler: BaseHTTPRequestHandler, query: dict[str, str], as_csv: bool = False
    ) -> None:
        with self.lock:
            self.requests.append(query)
            number = len(self.requests)
            fault = next(
                (kind for kind, chance in self.faults.items() if self.random.random() < chance),
                None,
            )
            self.injected += fault is not None
        self.after(number)
        if fault in ("busy", "busy_until", "error", "running"):
            status = {
                "busy": 429,
                "busy_until": 429,
                "error": self.random.choice([500, 502]),
                "running": 202,
            }[fault]
            headers = {"Retry-After": "0.05"} if fault == "busy_until" else {}
            return self.send(handler, status, b"{}", headers)
        if fault == "drop":
            handler.close_connection = True
            return handler.connection.close()
        if fault == "slow":
            time.sleep(0.05)
        try:
            with self.lock:
                found = select(list(self.rows.values()), query, self.ignore_where)
            body = (
                table(found, query["$select"].split(",")) if as_csv else json.dumps(found).encode()
            )
        except KeyError as error:
            return self.send(
                handler, 400, json.dumps({"message": f"No such column: {error}"}).encode(), {}
            )
        if fault == "cut":
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(body) + 100))
            handler.end_headers()
            handler.wfile.write(body[: len(body) // 2])
            handler.close_connection = True
            return None
        if fault == "malformed":
            body = body[: len(body) // 2]
        return self.send(handler, 200, body, {})

    @staticmethod
    def send(
        handler: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]
    ) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


def table(rows: list[Row], columns: list[str]) -> bytes:
    """Rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def parse_query(text: str) -> dict[str, str]:
    """One SoQL query → the parameters of SODA 2.1."""
    words = r"(SELECT|WHERE|GROUP BY|ORDER BY|LIMIT|OFFSET)"
    parts = re.split(rf"\s*{words}\s+", text)[1:]
    names = {
        "SELECT": "$select",
        "WHERE": "$where",
        "GROUP BY": "$group",
        "ORDER BY": "$order",
        "LIMIT": "$limit",
        "OFFSET": "$offset",
    }
    return {names[word]: value for word, value in zip(parts[::2], parts[1::2], strict=True)}


def select(rows: list[Row], query: dict[str, str], ignore_where: bool = False) -> list[Row]:
    """Apply $where, $group, $order, $offset, $limit and $select, as far as the crawler uses them."""
    columns = {name for row in rows for name in row}
    if not ignore_where:
        for condition in filter(None, re.split(r" AND ", query.get("$where", ""))):
            rows = [row for row in rows if holds(row, condition)]
    wanted = query.get("$select", "*").split(",")
    if "$group" in query:
        column = re.search(r"date_trunc_ym\((\w+)\)", query["$select"])[1]
        groups: dict[Any, int] = {}
        for row in rows:
            day = row.get(column)
            month = f"{day[:7]}-01T00:00:00.000" if day else None
            groups[month] = groups.get(month, 0) + 1
        return [
            {"month": month, "n": str(count)} if month else {"n": str(count)}
            for month, count in groups.items()
        ]
    if "(" in query.get("$select", ""):
        result = {}
        for part in wanted:
            function, column, name = re.fullmatch(r"(\w+)\((.*)\) as (\w+)", part).groups()
            values = [row[column] for row in rows if row.get(column)] if column != "*" else rows
            if function == "count":
                result[name] = str(len(values))
            elif values:
                result[name] = {"min": min, "max": max}[function](values)
        return [result]
    if rows and wanted != ["*"]:
        for name in wanted:
            if name not in columns:
                raise KeyError(name)
    if "$order" in query:
        rows = sorted(rows, key=lambda row: row[query["$order"]])
    start = int(query.get("$offset", 0))
    rows = rows[start : start + int(query.get("$limit", 1000))]
    if wanted == ["*"]:
        return [{k: v for k, v in row.items() if not k.startswith(":")} for row in rows]
    return [{name: row[name] for name in wanted if row.get(name) is not None} for row in rows]


def holds(row: Row, condition: str) -> bool:
    if condition.endswith(" IS NULL"):
        return row.get(condition.removesuffix(" IS NULL")) is None
    column, sign, value = re.fullmatch(r"(\S+) (>=|<|>) '(.*)'", condition).groups()
    own = row.get(column)
    if own is None:
        return False
    return own >= value if sign == ">=" else own < value if sign == "<" else own > value


def chicago_rows(count: int, seed: int = 0) -> list[Row]:
    """Rows in the form of Chicago's portal."""
    rng = random.Random(seed)
    rows = []
    for i in range(count):
        day, month = rng.randint(1, 28), rng.randint(1, 12)
        row = {
            ":id": f"row-{rng.getrandbits(40):010x}~{i}",
            ":updated_at": f"2018-02-{1 + i % 20:02d}T03:50:01.000Z",
            "id": str(10_000_000 + i),
            "date": f"{2014 + i % 3}-{month:02d}-{day:02d}T{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}:00.000",
            "primary_type": rng.choice(["THEFT", "BATTERY", "NON - CRIMINAL"]),
            "latitude": f"{rng.uniform(41.7, 42.0):.6f}",
            "longitude": f"{rng.uniform(-87.75, -87.6):.6f}",
            "victim_age": "33",
        }
        if rng.random() < 0.02:
            del row["latitude"], row["longitude"]
        rows.append(row)
    return rows
