"""When each record came: kept for records of the last months before their arrival, which alone tell how
late a portal reports."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from crimecast.calendar import clock
from crimecast.cities import City
from crimecast.records.snapshot import archive_folder
from crimecast.storage.store import replacing

RECENT = timedelta(days=120)
SCHEMA: dict[str, Any] = {
    "source_id": pl.String, "time": pl.Datetime("us"), "type": pl.String, "arrived": pl.Datetime("us"),
}  # fmt: skip
PAGES = 64  # files, before they are put together


def local_now(city: City) -> datetime:
    """The present moment in the city's time."""
    return clock.now().astimezone(ZoneInfo(city.time_zone)).replace(tzinfo=None)


def note(city: City, fresh: pl.DataFrame) -> None:
    """Keep that records (source_id, time, type) came now; a record that is noted again keeps its first
    arrival."""
    now = local_now(city)
    late = recent(city, fresh)
    if late.is_empty():
        return
    folder = _folder(city)
    pages = _pages(folder)
    if len(pages) >= PAGES:
        _write(folder, read(city))
        for page in pages:
            page.unlink(missing_ok=True)
    _write(folder, late.with_columns(pl.lit(now, dtype=pl.Datetime("us")).alias("arrived")))


def recent(city: City, fresh: pl.DataFrame) -> pl.DataFrame:
    """Those of the records (source_id, time, type) whose arrival is kept."""
    lately = pl.col("time") > local_now(city) - RECENT
    return fresh.filter(lately).select("source_id", "time", "type")


def read(city: City) -> pl.DataFrame:
    """Every record that was noted, once, with the time of its first arrival."""
    pages = _pages(_folder(city))
    if not pages:
        return pl.DataFrame(schema=SCHEMA)
    return pl.read_parquet(pages).sort("arrived").unique("source_id", keep="first")


def _folder(city: City) -> Path:
    return archive_folder(city).with_name("arrivals")


def _pages(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.parquet"))


def _write(folder: Path, table: pl.DataFrame) -> None:
    said = table["source_id"].hash().to_numpy().tobytes() + table["arrived"].to_numpy().tobytes()
    name = hashlib.blake2b(said, digest_size=8).hexdigest()
    with replacing(folder / f"{name}.parquet") as temporary:
        table.write_parquet(temporary)
