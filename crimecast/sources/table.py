"""What a portal's table is to a crawl, whoever publishes it: its columns and their meaning."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import polars as pl

from crimecast import UserError
from crimecast.cities import Source
from crimecast.sources.http import ATTEMPTS, Client, Failing

FEW = 4  # attempts at a page before a smaller one is asked for
SMALLEST = 10  # rows of a page that isn't made smaller
SORTS = re.compile(r"\d{4}-\d\d-\d\dT")  # a text that lies before another if its day does
UTC_MARK = r"(:\d\d(?:\.\d+)?)\s*(?:Z|[+-]00(?::?00)?)$"
Found = TypeVar("Found")


@dataclass
class PortalTable:
    """A data set or layer; subclasses say how it is asked.

    `zone` is the city's. Where the portal can't compare days, since they are texts of another form,
    it is not `ordered`: all rows are asked for, and those outside a period left here. So are those
    that one which isn't `exact` gives beyond it.
    """

    source: Source
    client: Client
    page_size: int
    zone: str = "UTC"
    columns: list[str] = field(init=False)
    ordered: bool = field(default=True, init=False)
    exact: bool = field(default=True, init=False)

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
    def clock(self) -> str:
        """The zone of its times: the city's, unless the registry says another."""
        return self.source.zone or self.zone

    def compares(self, window: tuple[str | None, str | None]) -> bool:
        """Whether what is asked for of a period is that period exactly."""
        return window == (None, None) or (self.ordered and self.exact)

    def patiently(self, ask: Callable[[int], Found]) -> Found:
        """What `ask(attempts)` brings; of a portal that fails at a page, smaller ones are asked."""
        while self.page_size > SMALLEST:
            try:
                return ask(FEW)
            except Failing:
                self.page_size = max(SMALLEST, self.page_size // 4)
        return ask(ATTEMPTS)

    def as_shown(self, table: pl.DataFrame) -> pl.DataFrame:
        """Texts of times without a mark of UTC, where the registry says that another clock is shown."""
        if self.source.zone in (None, "UTC") or table.schema[self.time_column] != pl.String:
            return table
        return table.with_columns(pl.col(self.time_column).str.replace(UTC_MARK, "$1"))

    def judge_days(self, rows: list[dict[str, Any]]) -> None:
        """Find out from some rows whether the portal can compare days."""
        days = [row[self.time_column] for row in rows if row.get(self.time_column)]
        self.ordered = all(isinstance(day, str) and SORTS.match(day) for day in days)

    def fields(self) -> dict[str, list[str]]:
        """Our field → the portal's columns, as `events.read_events` takes them."""
        return {
            name: value.split("+")
            for name, value in self.source.columns.items()
            if name != "event_id"
        }

    def latest(self) -> str | None:
        """The mark of the latest change; None where the portal doesn't say which rows changed, so that
        it is read whole each time."""
        return None

    def changed_since(self, mark: str) -> str:
        """The condition that a row changed since a mark; never asked where there is none."""
        raise NotImplementedError

    def month_counts(self, where: str) -> dict[str, int] | None:
        """How many rows each month has; None where that isn't told, and what is gone is seen when the
        table is read whole."""
        return None

    def without_day(self) -> str:
        """The condition that a row has no day."""
        return f"{self.time_column} IS NULL"

    def gone(self, column: str) -> UserError:
        """The sentence for a column that is no longer there."""
        return UserError(
            f"The data set {self.source.dataset} no longer has the column '{column}'; correct the column's "
            "name in the city's registry entry and crawl again. What is stored was left as it is."
        )
