"""A public table of a Carto account, page by page by row number, as text like a Socrata data set.

GET /api/v2/sql with one SELECT. `source.dataset` is the table's name; moments come in UTC.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from crimecast import UserError
from crimecast.sources.answers import keys, whole
from crimecast.sources.answers import rows as rows_of
from crimecast.sources.http import ATTEMPTS, OVERTAXED, Busy, Refused, document
from crimecast.sources.socrata import as_text
from crimecast.sources.table import PortalTable

PATH = "/api/v2/sql"
KEY = "cartodb_id"
NAME = re.compile(r"[A-Za-z_]\w*")
MARGIN = timedelta(days=1)  # moments are compared in UTC: what is too much is left here


@dataclass
class SqlTable(PortalTable):
    """A table and what was found out about it."""

    exact: bool = False
    system_fields: bool = False
    stamp: str = ""
    key: str = KEY

    def probe(self) -> None:
        """Raises UserError that names the column if the table no longer has one that is needed."""
        for name in (self.source.dataset, *self.columns):
            if not NAME.fullmatch(name):
                raise UserError(f"'{name}' is not the name of a table or a column.")
        try:
            rows = self.select("", None, 50)
        except Refused as error:
            missing = next((name for name in self.columns if f'"{name}"' in error.text), None)
            missing = missing or next((name for name in self.columns if name in error.text), None)
            if missing is not None:
                raise self.gone(missing) from None
            raise
        self.judge_days(rows)

    def pages(
        self, where: str, after: str | None, done: int
    ) -> Iterator[tuple[pl.DataFrame, str | None]]:
        """Pages of the rows that match, in the order of their numbers, from after `after` on."""
        while True:
            rows = self.patiently(
                lambda attempts, after=after: self.select(where, after, self.page_size, attempts)  # type: ignore[misc]
            )
            if not rows:
                return
            before = None if after is None else int(after)
            after = str(keys((row.get(KEY) for row in rows), before)[-1])
            yield self.frame(rows), after

    def select(
        self, where: str, after: str | None, limit: int, attempts: int = ATTEMPTS
    ) -> list[dict[str, Any]]:
        """Rows that match, after row number `after`."""
        conditions = [where] if where else []
        conditions += [f"{KEY} > {int(after)}"] if after is not None else []
        names = ", ".join(dict.fromkeys([KEY, *self.columns]))
        return self.ask(
            f"SELECT {names} FROM {self.source.dataset}"
            + (f" WHERE {' AND '.join(conditions)}" if conditions else "")
            + f" ORDER BY {KEY} LIMIT {limit}",
            attempts,
        )

    def ask(self, query: str, attempts: int = ATTEMPTS) -> list[dict[str, Any]]:
        """The rows of one query. Raises Refused if the portal can't take it."""
        return self.client.ask(PATH, {"q": query}, parse=parse_answer, attempts=attempts)

    def frame(self, rows: list[dict[str, Any]]) -> pl.DataFrame:
        """Rows → a table of text."""
        names = list(dict.fromkeys([KEY, *self.columns]))
        return pl.DataFrame(
            {name: [as_text(row.get(name)) for row in rows] for name in names},
            schema=dict.fromkeys(names, pl.String),
        )

    def between(self, first: str | None, last: str | None) -> str:
        """The condition that a row's day lies in [first, last), a day more on both sides."""
        if not self.ordered:
            return ""
        parts = []
        for bound, sign, margin in ((first, ">=", -MARGIN), (last, "<", MARGIN)):
            if bound:
                day = datetime.fromisoformat(bound) + margin
                parts.append(f"{self.time_column} {sign} '{day:%Y-%m-%d}'")
        return " AND ".join(parts)

    def size(self, where: str) -> tuple[int, str, str] | None:
        """How many rows match; the table isn't shared out by months, so no more is told."""
        try:
            rows = self.ask(
                f"SELECT count(*) AS n FROM {self.source.dataset}"
                + (f" WHERE {where}" if where else "")
            )
            return whole(rows[0]["n"]), "", ""
        except (Refused, KeyError, ValueError, IndexError):
            return None


def parse_answer(content: bytes) -> list[dict[str, Any]]:
    """An answer's rows. Raises Busy for an error that may pass, Refused for a wrong question."""
    found = document(content)
    if not isinstance(found, dict) or not isinstance(found.get("rows"), list):
        said = str(found.get("error", "")) if isinstance(found, dict) else ""
        if "timeout" in said.lower():
            raise Busy(OVERTAXED[0])
        raise Refused(200, said or "the answer holds no rows")
    return rows_of(found["rows"])
