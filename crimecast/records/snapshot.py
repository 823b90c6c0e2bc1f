"""One state of a city's archive, read once and handed down, so that all that is made of it agrees.

The archive may be merged into at any moment. The files of a state that was replaced are kept for a
day, so whoever holds its snapshot reads on.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired

import polars as pl
from typing_extensions import TypedDict

from crimecast.cities import City
from crimecast.records.events import REASONS, SCHEMA
from crimecast.storage.forms import Damaged
from crimecast.storage.store import data_root, read_json

MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


class Month(TypedDict):
    """What a manifest says of a month: its file, its rows, and how many of each type."""

    file: str
    rows: int
    types: dict[str, int]


class Manifest(TypedDict):
    """A manifest as it is stored."""

    months: dict[str, Month]
    dropped: str | None
    imports: list[dict[str, Any]]
    replaced: NotRequired[dict[str, str]]


@dataclass(frozen=True)
class Snapshot:
    """What a manifest says: `months` (name → file, rows, types), `dropped` (file or None) and
    `imports` (what was read when), of the archive in `folder`."""

    folder: Path
    months: dict[str, dict[str, Any]]
    dropped: str | None
    imports: list[dict[str, Any]]

    @property
    def files(self) -> dict[str, Path]:
        """The Parquet file of each month (`2014-01`), in order. Their names change with their
        content."""
        return {month: self.folder / self.months[month]["file"] for month in sorted(self.months)}

    @property
    def rows(self) -> dict[str, int]:
        """How many events each file holds, by its name."""
        return {entry["file"]: entry["rows"] for entry in self.months.values()}

    @property
    def type_counts(self) -> dict[str, int]:
        """How often each type occurs, the most frequent first."""
        totals: dict[str, int] = {}
        for entry in self.months.values():
            for name, count in entry["types"].items():
                totals[name] = totals.get(name, 0) + count
        return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))

    @property
    def months_only(self) -> bool:
        """Whether a file was imported whose records give no more than the month."""
        return any(entry.get("precision") == "month" for entry in self.imports)

    def scan(self) -> pl.LazyFrame:
        """All events, in the order of their months."""
        files = list(self.files.values())
        return pl.scan_parquet(files) if files else pl.LazyFrame(schema=SCHEMA)

    def read_dropped(self) -> pl.DataFrame:
        """The records that are not used, with `reason`."""
        if self.dropped is None:
            return pl.DataFrame(schema={**SCHEMA, "reason": pl.String})
        return pl.read_parquet(self.folder / self.dropped)

    def report(self, examples: int = 5) -> dict[str, Any]:
        """What was kept and what was not: counts, shares and examples of every reason.

        `records` = `kept` + the sum of `dropped`, always. Examples hold time, place and type only.
        """
        dropped = self.read_dropped()
        kept = sum(self.rows.values())
        records = kept + dropped.height
        reasons = {}
        for reason, meaning in REASONS.items():
            rows = dropped.filter(pl.col("reason") == reason)
            sample = rows.head(examples).select(
                "source_id", "time", "type", "longitude", "latitude"
            )
            reasons[reason] = {
                "meaning": meaning,
                "count": rows.height,
                "share": rows.height / records if records else 0.0,
                "examples": sample.with_columns(pl.col("time").dt.to_string("iso")).to_dicts(),
            }
        return {"records": records, "kept": kept, "dropped": reasons, "imports": self.imports}


@contextmanager
def whole(city: City) -> Iterator[None]:
    """What reading a damaged file of an archive throws, as a sentence."""
    try:
        yield
    except (pl.exceptions.PolarsError, FileNotFoundError) as error:
        reason = str(error).strip().split("\n")[0][:120]
        raise Damaged(
            f"The records of {city.title} are damaged ({reason}): put a copy of its folder in its place, or import "
            "or crawl them anew."
        ) from error


def archive_folder(city: City) -> Path:
    """The folder of a city's events."""
    return data_root() / "cities" / city.name / "events"


def snapshot(city: City) -> Snapshot:
    """The archive as it is now; empty where nothing was brought in yet."""
    folder = archive_folder(city)
    path = folder / "manifest.json"
    if not path.exists():
        return Snapshot(folder, {}, None, [])
    stored = read_json(path, Manifest)
    names = [*(entry["file"] for entry in stored["months"].values()), stored["dropped"] or "none"]
    if any(Path(name).name != name for name in names):
        raise Damaged(f"The manifest of {city.title} is damaged: it names files elsewhere.")
    if any(
        not MONTH.fullmatch(month) or not entry["file"].startswith(month)
        for month, entry in stored["months"].items()
    ):
        raise Damaged(f"The manifest of {city.title} is damaged: it names months that are none.")
    return Snapshot(folder, stored["months"], stored["dropped"], stored["imports"])
