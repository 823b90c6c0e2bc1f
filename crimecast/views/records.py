"""The City page: a city's records on a map, over time, by type."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from crimecast.cities import City
from crimecast.records.snapshot import snapshot


def daily_counts(city: City) -> tuple[np.ndarray, np.ndarray]:
    """Days and events a day, days without any included."""
    frame = _daily(tuple(snapshot(city).files.values()))
    return frame["day"].to_numpy(), frame["events"].to_numpy()


@lru_cache(maxsize=16)
def _daily(files: tuple[Path, ...]) -> pl.DataFrame:
    day = pl.col("time").dt.date().alias("day")
    days = pl.scan_parquet(list(files)).group_by(day).len("events").sort("day").collect()
    return days.upsample("day", every="1d").with_columns(pl.col("events").fill_null(0))


def sample_places(city: City, count: int = 12_000) -> pl.DataFrame:
    """A fair sample of the records for a map: longitude, latitude, type, time as text."""
    files = snapshot(city).files
    return _places(tuple(files.values()), count)


@lru_cache(maxsize=8)
def _places(files: tuple[Path, ...], count: int) -> pl.DataFrame:
    events = pl.scan_parquet(list(files))
    every = max(1, events.select(pl.len()).collect().item() // count)
    return (
        events.gather_every(every)
        .select("longitude", "latitude", "type", pl.col("time").dt.strftime("%Y-%m-%d %H:%M"))
        .collect()
    )
