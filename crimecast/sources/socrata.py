"""A data set on a Socrata portal (SODA 2.1 and 3): its rows page by page, by key, as text.

SODA 2.1 is GET /resource/ID.json with $select, $where, $order, $limit; SODA 3 is POST
/api/v3/views/ID/query.json with the same as one SoQL query, and needs a token.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from crimecast.cities import Source
from crimecast.errors import UserError
from crimecast.sources.http import Client, Refused

KEY, UPDATED = ":id", ":updated_at"
REQUIRED = ("time", "longitude", "latitude", "source_id")


def token() -> str | None:
    """The app token, from the environment."""
    return os.environ.get("SOCRATA_APP_TOKEN") or None


@dataclass
class Dataset:
    """A data set and what was found out about how it can be asked."""

    source: Source
    client: Client
    page_size: int
    system_fields: bool = True
    stamp = UPDATED
    by_offset: bool = False
    columns: list[str] = field(init=False)

    def __post_init__(self) -> None:
        names = [part for value in self.source.columns.values() for part in value.split("+")]
        self.columns = list(dict.fromkeys(names))

    @property
    def time_column(self) -> str:
        """The column that holds the day, by which months are asked for."""
        return self.source.columns["time"].split("+")[0]

    @property
    def id_column(self) -> str:
        """The record's own id."""
        return self.source.columns["source_id"]

    @property
    def key(self) -> str:
        """What pages are ordered by."""
        return KEY if self.system_fields else self.id_column

    def fields(self) -> dict[str, list[str]]:
        """Our field → the portal's columns, as `events.standardise` takes them."""
        return {
            name: value.split("+")
            for name, value in self.source.columns.items()
            if name != "event_id"
        }

    def between(self, first: str | None, last: str | None) -> str:
        """The condition that a row's day lies in [first, last)."""
        parts = [f"{self.time_column} >= '{first}'"] if first else []
        parts += [f"{self.time_column} < '{last}'"] if last else []
        return " AND ".join(parts)

    def without_day(self) -> str:
        """The condition that a row has no day."""
        return f"{self.time_column} IS NULL"

    def changed_since(self, mark: str) -> str:
        """The condition that a row was added or changed at `mark` or later."""
        return f"{UPDATED} >= '{mark}'"

    def latest(self) -> str | None:
        """When the data set last changed; None if the portal doesn't say."""
        if not self.system_fields:
            return None
        try:
            rows = self.query(f"max({UPDATED}) as latest")
            return str(rows[0]["latest"]) if rows and "latest" in rows[0] else None
        except Refused:
            return None

    def size(self, where: str) -> tuple[int, str, str] | None:
        """How many rows match, and the first and last month (`2014-01`); None if it can't be told."""
        column = self.time_column
        try:
            rows = self.query(f"count(*) as n,min({column}) as first,max({column}) as last", where)
            return int(rows[0]["n"]), str(rows[0]["first"])[:7], str(rows[0]["last"])[:7]
        except (Refused, KeyError, ValueError, IndexError):
            return None

    def month_counts(self, where: str) -> dict[str, int] | None:
        """Rows by month; None if the portal can't count."""
        try:
            rows = self.query(
                f"date_trunc_ym({self.time_column}) as month,count(*) as n", where, group="month"
            )
            return {str(row["month"])[:7]: int(row["n"]) for row in rows if row.get("month")}
        except (Refused, KeyError, ValueError):
            return None

    def query(
        self,
        select: str,
        where: str = "",
        order: str = "",
        limit: int | None = None,
        offset: int = 0,
        group: str = "",
    ) -> list[dict[str, Any]]:
        """Rows of one SoQL query. Raises Refused if the portal can't take it."""
        if self.source.kind == "soda3":
            parts = [f"SELECT {select}"]
            parts += [
                f"{word} {text}"
                for word, text in (("WHERE", where), ("GROUP BY", group), ("ORDER BY", order))
                if text
            ]
            if limit is not None:
                parts.append(f"LIMIT {limit}" + (f" OFFSET {offset}" if offset else ""))
            found = self.client.ask(
                f"/api/v3/views/{self.source.dataset}/query.json", {}, {"query": " ".join(parts)}
            )
        else:
            params = {"$select": select, "$where": where, "$group": group, "$order": order}
            if limit is not None:
                params["$limit"] = str(limit)
            if offset:
                params["$offset"] = str(offset)
            found = self.client.ask(
                f"/resource/{self.source.dataset}.json", {k: v for k, v in params.items() if v}
            )
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise Refused(200, "the answer is not a list of rows")
        return found

    def frame(self, rows: list[dict[str, Any]]) -> pl.DataFrame:
        """Rows → a table of text with the columns asked for, system fields included."""
        names = [*([KEY, UPDATED] if self.system_fields else []), *self.columns]
        return pl.DataFrame(
            {name: [_text(row.get(name)) for row in rows] for name in names},
            schema=dict.fromkeys(names, pl.String),
        )

    def probe(self) -> None:
        """Ask for one small page and learn how this portal can be asked.

        Raises UserError that names the column if the data set no longer has one that is needed.
        """
        for system_fields in (True, False):
            self.system_fields = system_fields
            try:
                rows = self.query(self.select(), order=self.key, limit=min(50, self.page_size))
            except Refused as error:
                self.check_columns(error)
                continue
            if rows and system_fields and KEY not in rows[0]:
                continue
            self.check_rows(rows)
            return
        raise UserError(f"The data set {self.source.dataset} can't be asked for its rows.")

    def select(self) -> str:
        """The columns to ask for: only those that are kept."""
        return ",".join([*([KEY, UPDATED] if self.system_fields else []), *self.columns])

    def check_columns(self, error: Refused) -> None:
        """After a refusal: find out whether a column is gone, and say so."""
        if error.status in (401, 403):
            raise UserError(
                f"The portal refuses access ({error.text}); set SOCRATA_APP_TOKEN to a token of yours."
            ) from None
        if error.status == 404:
            raise UserError(
                f"The portal has no data set {self.source.dataset}; check the city's registry entry."
            ) from None
        missing = next((name for name in self.columns if name in error.text), None)
        if missing is None:
            try:
                rows = self.query("*", limit=50)
            except Refused:
                return
            seen = {name for row in rows for name in row}
            missing = next((name for name in self.columns if rows and name not in seen), None)
        if missing is not None:
            raise self.gone(missing)

    def check_rows(self, rows: list[dict[str, Any]]) -> None:
        """The same where the portal gives rows without a column instead of refusing."""
        needed = [part for name in REQUIRED for part in self.source.columns[name].split("+")]
        for name in needed:
            if len(rows) >= 5 and all(name not in row for row in rows):
                raise self.gone(name)

    def gone(self, column: str) -> UserError:
        """The sentence for a column that is no longer there."""
        return UserError(
            f"The data set {self.source.dataset} no longer has the column '{column}'; correct the column's name in "
            "the city's registry entry and crawl again. What is stored was left as it is."
        )

    def pages(
        self, where: str, after: str | None, done: int
    ) -> Iterator[tuple[pl.DataFrame, str | None]]:
        """Pages of the rows that match, in the order of the key, from after `after` on.

        Yields each page with the key of its last row. A portal that ignores the key is paged by
        offset, from row `done` on.
        """
        while True:
            conditions = [where] if where else []
            offset = 0
            if self.by_offset:
                offset = done
            elif after is not None:
                conditions.append(f"{self.key} > {_quoted(after)}")
            try:
                rows = self.query(
                    self.select(), " AND ".join(conditions), self.key, self.page_size, offset
                )
            except Refused:
                if after is None or self.by_offset:
                    raise
                self.by_offset = True  # this portal can't compare keys
                continue
            if not rows:
                return
            keys = [_text(row.get(self.key)) for row in rows]
            if after is not None and not self.by_offset and after in keys:
                # The filter was not obeyed: this is a page that was had before.
                self.by_offset = True
                continue
            after = keys[-1]
            done += len(rows)
            yield self.frame(rows), after


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
