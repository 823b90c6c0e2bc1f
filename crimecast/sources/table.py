"""What a portal's table is to a crawl, whoever publishes it: its columns and their meaning."""

from dataclasses import dataclass, field

from crimecast import UserError
from crimecast.cities import Source
from crimecast.sources.http import Client


@dataclass
class PortalTable:
    """A data set or layer; subclasses say how it is asked."""

    source: Source
    client: Client
    page_size: int
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

    def fields(self) -> dict[str, list[str]]:
        """Our field → the portal's columns, as `events.standardise` takes them."""
        return {
            name: value.split("+")
            for name, value in self.source.columns.items()
            if name != "event_id"
        }

    def without_day(self) -> str:
        """The condition that a row has no day."""
        return f"{self.time_column} IS NULL"

    def gone(self, column: str) -> UserError:
        """The sentence for a column that is no longer there."""
        return UserError(
            f"The data set {self.source.dataset} no longer has the column '{column}'; correct the column's "
            "name in the city's registry entry and crawl again. What is stored was left as it is."
        )
