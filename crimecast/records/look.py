"""A file before it is brought in: how it would be read, what is in doubt, and where each month's records lie."""

from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from crimecast import Doubt
from crimecast.cities import City
from crimecast.reading.days import ORDERS, WORDS
from crimecast.reading.files import File
from crimecast.reading.parts import counts, every
from crimecast.records.understanding import Request, understand

SAMPLE = 100_000  # records that are held for the map, evenly drawn
DOTS = 12_000


@dataclass(frozen=True)
class Look:
    """`doubt` is what a person has to decide, with how it is shown meanwhile, empty if nothing; `months` are
    the records of each month, `places` a sample of them (longitude, latitude, type, time as text)."""

    city: City
    read_as: dict[str, str]
    notices: list[dict[str, Any]]
    doubt: str
    months: dict[str, int]
    places: pl.DataFrame

    def of_month(self, month: str) -> pl.DataFrame:
        """The sample's records of a month (`2020-01`), at most as many as a map has dots."""
        found = self.places.filter(pl.col("time").str.starts_with(month))
        return found.gather_every(max(1, found.height // DOTS))


def look(file: File, origin: str, request: Request) -> Look:
    """Read a file as an import would, without storing anything; dates that can be read in several orders are
    read in one of them. Raises UserError, and Doubt where anything else has to be decided."""
    doubt = ""
    try:
        found = understand(file, origin, request)
    except Doubt as error:
        orders = [order for order in ORDERS if order in error.choices]
        if request.order is not None or not orders:
            raise
        found = understand(file, origin, replace(request, order=orders[0]))
        doubt = f"{error} Shown here {WORDS[orders[0]]}."
    used = found.used
    months = counts(used.map(lambda part: part["time"].dt.strftime("%Y-%m")))
    step = max(1, int(months["rows"].sum()) // SAMPLE)
    sample = every(used, step, 2 * SAMPLE)
    notices = [*found.notices, *found.doubts()]
    return Look(
        found.city,
        found.read.read_as,
        [notice.plain() for notice in notices],
        doubt,
        dict(months.rows()),
        sample.with_columns(pl.col("time").dt.strftime("%Y-%m-%d %H:%M")),
    )
