"""The City page: a city's records on a map, over time, by type."""

from functools import lru_cache

import numpy as np
import polars as pl

from crimecast.cities import City, load_city
from crimecast.records.archive import manifest, scan


def _revision(city: City) -> str:
    return str(sorted(entry["file"] for entry in manifest(city)["months"].values()))


def daily_counts(city: City) -> tuple[np.ndarray, np.ndarray]:
    """Days and events a day, days without any included."""
    frame = _daily(city.name, _revision(city))
    return frame["day"].to_numpy(), frame["events"].to_numpy()


@lru_cache(maxsize=16)
def _daily(name: str, _revision: str) -> pl.DataFrame:
    day = pl.col("time").dt.date().alias("day")
    days = scan(load_city(name)).group_by(day).len("events").sort("day").collect()
    if days.is_empty():
        return days
    return days.upsample("day", every="1d").with_columns(pl.col("events").fill_null(0))


def sample_places(city: City, count: int = 12_000) -> pl.DataFrame:
    """A fair sample of the records for a map: longitude, latitude, type, time as text."""
    return _places(city.name, _revision(city), count)


@lru_cache(maxsize=8)
def _places(name: str, _revision: str, count: int) -> pl.DataFrame:
    city = load_city(name)
    total = sum(entry["rows"] for entry in manifest(city)["months"].values())
    every = max(1, total // count)
    return (
        scan(city)
        .gather_every(every)
        .select("longitude", "latitude", "type", pl.col("time").dt.strftime("%Y-%m-%d %H:%M"))
        .collect()
    )
