"""A resource of a CKAN portal's DataStore, page by page by row number, as text like a Socrata data set.

GET /api/3/action/datastore_search with resource_id, fields, sort, limit and offset. It can't compare
days, and SQL is mostly shut off, so a resource is read whole. A page is asked for from a row that
was had already; where that one has moved, rows went meanwhile, and it goes back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from crimecast import UserError
from crimecast.sources.answers import Column, answered, keys, rows, whole
from crimecast.sources.http import ATTEMPTS, OVERTAXED, Busy, Refused, document
from crimecast.sources.socrata import as_text
from crimecast.sources.table import PortalTable

PATH = "/api/3/action/datastore_search"
KEY = "_id"


@dataclass
class Resource(PortalTable):
    """A resource and what was found out about it. `source.dataset` is its id."""

    system_fields: bool = False
    stamp: str = ""
    key: str = KEY

    def probe(self) -> None:
        """Raises UserError that names the column if the resource no longer has one that is needed."""
        try:
            found = self.search(limit=1)
        except Refused as error:
            if error.status == 404:
                raise UserError(
                    f"The portal has no table {self.source.dataset}; check the city's registry entry."
                ) from None
            raise
        names = columns(found)
        for name in self.columns:
            if name not in names:
                raise self.gone(name)
        self.ordered = False

    def pages(
        self, where: str, after: str | None, done: int
    ) -> Iterator[tuple[pl.DataFrame, str | None]]:
        """Pages of all rows in the order of their numbers, from after `after` on."""
        offset = done
        while True:
            start = max(0, offset - 1)  # the last row that was had, if it is still there
            page = self.patiently(
                lambda attempts, start=start: self._records(start, attempts)  # type: ignore[misc]
            )
            numbers = keys(row.get(KEY) for row in page)
            fresh = [
                row
                for row, number in zip(page, numbers, strict=True)
                if after is None or number > int(after)
            ]
            if start and after is not None and (not page or numbers[0] > int(after)):
                offset = max(0, start - self.page_size)  # rows before this one are gone: go back
                continue
            if not fresh:
                if len(page) < self.page_size:
                    return
                offset = start + len(page)
                continue
            after = str(max(numbers))
            offset = start + len(page)
            yield self.frame(fresh), after

    def _records(self, offset: int, attempts: int) -> list[dict[str, Any]]:
        # At least two, since the first was had before.
        found = self.search(max(2, self.page_size), offset, attempts)
        return rows(found.get("records") or [])

    def search(self, limit: int, offset: int = 0, attempts: int = ATTEMPTS) -> dict[str, Any]:
        """The answer's `result`: fields, records, total."""
        params = {
            "resource_id": self.source.dataset,
            "limit": str(limit),
            "offset": str(offset),
            "sort": f"{KEY} asc",
        }
        if limit > 1:
            params["fields"] = ",".join(dict.fromkeys([KEY, *self.columns]))
        return self.client.ask(PATH, params, parse=parse_answer, attempts=attempts)

    def frame(self, rows: list[dict[str, Any]]) -> pl.DataFrame:
        """Records → a table of text."""
        names = list(dict.fromkeys([KEY, *self.columns]))
        return pl.DataFrame(
            {name: [as_text(row.get(name)) for row in rows] for name in names},
            schema=dict.fromkeys(names, pl.String),
        )

    def between(self, first: str | None, last: str | None) -> str:
        """No condition: rows outside a period are left when they are read."""
        return ""

    def size(self, where: str) -> tuple[int, str, str] | None:
        """How many rows there are."""
        try:
            return whole(self.search(limit=1)["total"]), "", ""
        except (Refused, KeyError, ValueError):
            return None


def columns(found: dict[str, Any]) -> list[str]:
    """The names of a table's columns, as `result` gives them."""
    return [one["id"] for one in answered(list[Column], found.get("fields") or [])]


def parse_answer(content: bytes) -> dict[str, Any]:
    """The `result` of an answer. Raises Busy for an error that may pass, Refused for a wrong question."""
    found = document(content)
    if not isinstance(found, dict):
        raise Refused(200, "the answer is not a document")
    if not found.get("success"):
        error = found.get("error") or {}
        said = str(error.get("message") or error) if isinstance(error, dict) else str(error)
        kind = str(error.get("__type", "")) if isinstance(error, dict) else ""
        if any(word in kind.lower() for word in ("timeout", "search error", "internal")):
            raise Busy(OVERTAXED[0])
        raise Refused(404 if "not found" in kind.lower() else 400, said)
    result = found.get("result")
    if not isinstance(result, dict):
        raise Refused(200, "the answer holds no result")
    return result
