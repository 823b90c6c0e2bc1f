"""A data set on a Socrata portal (SODA 2.1 and 3): its rows page by page, by key, as text.

SODA 2.1 is GET /resource/ID.json with $select, $where, $order, $limit; SODA 3 is POST
/api/v3/views/ID/query.json (pages: export.csv) with the same as one SoQL query, and needs a token.
"""

import io
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from crimecast import UserError
from crimecast.cities.city import shipped_sources
from crimecast.sources.answers import rows as rows_of
from crimecast.sources.answers import whole
from crimecast.sources.http import TOKEN, Refused, document
from crimecast.sources.table import PortalTable

KEY, UPDATED = ":id", ":updated_at"
MONTH = re.compile(r"[12]\d{3}-(0[1-9]|1[0-2])")
REQUIRED = ("time", "longitude", "latitude", "source_id")


def token(portal: str) -> str | None:
    """The app token for a portal, from SOCRATA_APP_TOKEN; None if there is none for it.

    A token alone belongs to the portals of the cities that ship; one for another portal names it,
    `data.seattle.gov=TOKEN`. Several are separated by commas. Nobody else is ever sent one.
    """
    try:
        address = urlsplit(portal)
        host = (address.hostname or "").rstrip(".")
    except ValueError:
        return None
    found = None
    for entry in os.environ.get("SOCRATA_APP_TOKEN", "").split(","):
        name, named, text = entry.strip().partition("=")
        if named and "." in name:
            if name.strip().lower() == host:
                return text.strip() or None
        elif entry.strip() and host in _shipped() and address.scheme == "https":
            found = entry.strip()
    return found


@lru_cache
def _shipped() -> set[str]:
    """The hosts of Socrata that cities of this package are crawled from."""
    return {
        urlsplit(source.portal).hostname or ""
        for source in shipped_sources()
        if source.kind in ("socrata", "soda3")
    }


def headers_for(portal: str) -> dict[str, str]:
    """What a portal is sent with every question: its own token, where there is one."""
    return {TOKEN: text} if (text := token(portal)) else {}


@dataclass
class Dataset(PortalTable):
    """A data set and what was found out about how it can be asked."""

    system_fields: bool = True
    stamp = UPDATED
    by_offset: bool = False
    export: bool = True

    @property
    def key(self) -> str:
        """What pages are ordered by."""
        return KEY if self.system_fields else self.id_column

    def between(self, first: str | None, last: str | None) -> str:
        """The condition that a row's day lies in [first, last)."""
        if not self.ordered:
            return ""
        parts = [f"{self.time_column} >= '{first}'"] if first else []
        parts += [f"{self.time_column} < '{last}'"] if last else []
        return " AND ".join(parts)

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
            return whole(rows[0]["n"]), str(rows[0]["first"])[:7], str(rows[0]["last"])[:7]
        except (Refused, KeyError, ValueError, IndexError):
            return None

    def month_counts(self, where: str) -> dict[str, int] | None:
        """Rows by month; None if the portal can't count."""
        if not self.ordered:
            return None
        try:
            rows = self.query(
                f"date_trunc_ym({self.time_column}) as month,count(*) as n", where, group="month"
            )
            counts = {str(row["month"])[:7]: whole(row["n"]) for row in rows if row.get("month")}
            return counts if all(MONTH.fullmatch(month) for month in counts) else None
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
        return rows_of(self.client.ask(*self._question(select, where, order, limit, offset, group)))

    def _soql(
        self, select: str, where: str, order: str, limit: int | None, offset: int, group: str = ""
    ) -> str:
        parts = [f"SELECT {select}"]
        words = (("WHERE", where), ("GROUP BY", group), ("ORDER BY", order))
        parts += [f"{word} {text}" for word, text in words if text]
        if limit is not None:
            parts.append(f"LIMIT {limit}" + (f" OFFSET {offset}" if offset else ""))
        return " ".join(parts)

    def _question(
        self, select: str, where: str, order: str, limit: int | None, offset: int, group: str = ""
    ) -> tuple[str, dict[str, str], dict[str, str] | None]:
        """Path, parameters and body of a query, in SODA 3 or 2.1."""
        if self.source.kind == "soda3":
            query = self._soql(select, where, order, limit, offset, group)
            return f"/api/v3/views/{self.source.dataset}/query.json", {}, {"query": query}
        params = {"$select": select, "$where": where, "$group": group, "$order": order}
        if limit is not None:
            params["$limit"] = str(limit)
        if offset:
            params["$offset"] = str(offset)
        return f"/resource/{self.source.dataset}.json", {k: v for k, v in params.items() if v}, None

    def page(self, where: str, offset: int) -> pl.DataFrame:
        """One page of rows as a table of text, ordered by the key; parsed outside Python's lock."""
        return self.patiently(lambda attempts: self._page(where, offset, attempts))

    def _page(self, where: str, offset: int, attempts: int) -> pl.DataFrame:
        soda3 = self.source.kind == "soda3"
        if soda3 and self.export:
            query = self._soql(self.select(), where, self.key, self.page_size, offset)
            path = f"/api/v3/views/{self.source.dataset}/export.csv"
            try:
                return self.client.ask(path, {}, {"query": query}, self._from_csv, attempts)
            except Refused as error:
                if error.status in (400, 401, 403):
                    raise
                self.export = False  # this portal only answers query.json
        path, params, body = self._question(self.select(), where, self.key, self.page_size, offset)
        return self.client.ask(path, params, body, self._from_json, attempts)

    def _schema(self) -> dict[str, Any]:
        return dict.fromkeys(
            [*([KEY, UPDATED] if self.system_fields else []), *self.columns], pl.String
        )

    def _from_json(self, content: bytes) -> pl.DataFrame:
        if not content.lstrip().startswith(b"["):
            raise ValueError("not a list of rows")
        if self.source.columns["longitude"] == self.source.columns["latitude"]:
            return self._with_points(document(content))
        try:
            return pl.read_json(io.BytesIO(content), schema=self._schema())
        except pl.exceptions.PolarsError as error:
            raise ValueError(str(error)) from None

    def _with_points(self, rows: list[dict[str, Any]]) -> pl.DataFrame:
        """Rows whose place is a point, which is a document of its own, as its text."""
        names = list(self._schema())
        flat = {
            name: [as_text(row.get(name)) if isinstance(row, dict) else None for row in rows]
            for name in names
        }
        return pl.DataFrame(flat, schema=self._schema())

    def _from_csv(self, content: bytes) -> pl.DataFrame:
        try:
            table = pl.read_csv(io.BytesIO(content), infer_schema=False)
        except pl.exceptions.PolarsError as error:
            raise ValueError(str(error)) from None
        if not content.endswith(b"\n") or set(self._schema()) - set(table.columns):
            raise ValueError("the table is cut off")
        return table.select(list(self._schema()))

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
            self.judge_days(rows)
            return
        raise UserError(f"The data set {self.source.dataset} can't be asked for its rows.")

    def select(self) -> str:
        """The columns to ask for: only those that are kept."""
        return ",".join([*([KEY, UPDATED] if self.system_fields else []), *self.columns])

    def check_columns(self, error: Refused) -> None:
        """After a refusal: find out whether a column is gone, and say so."""
        if error.status in (401, 403):
            raise UserError(
                f"The portal refuses access ({error.text}); an app token for it may help."
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
                page = self.page(" AND ".join(conditions), offset)
            except Refused:
                if after is None or self.by_offset:
                    raise
                self.by_offset = True  # this portal can't compare keys
                continue
            if page.is_empty():
                return
            if page[self.key].null_count():
                raise Refused(200, f"a row of the answer has no '{self.key}'")
            if after is not None and not self.by_offset and after in page[self.key]:
                # The filter was not obeyed: this is a page that was had before.
                self.by_offset = True
                continue
            after = page[self.key][-1]
            done += page.height
            yield page, after


def as_text(value: Any) -> str | None:
    """A value as text; a point or another document as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
