"""A city's events on disk: a Parquet file a month, behind one manifest that is swapped at once.

New files get new names; the manifest is renamed into place when all of them are written, so a
reader or a crash sees either the old records or the new ones, never a mixture.
"""

import hashlib
import io
import os
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from filelock import FileLock

from crimecast import UserError
from crimecast.cities import City
from crimecast.reading.parts import Parts
from crimecast.records import arrivals
from crimecast.records.events import SCHEMA
from crimecast.records.replacing import replacing_notices, told_of
from crimecast.records.snapshot import Snapshot, archive_folder, snapshot, whole
from crimecast.storage.store import read_json, replacing, write_json

KEEP = timedelta(days=1)  # that replaced files are kept: who reads a snapshot of them reads on


def merge(
    city: City,
    incoming: pl.DataFrame | Parts[pl.DataFrame],
    origin: str,
    about: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Add standardised records to the archive; returns what was read, added, corrected and known.

    A record whose id is stored already replaces it if it differs and is left alone if not, so a
    file may be read any number of times. `origin`, and what there is to say `about` the file, are kept in the
    record of imports. Parts on disk hold no id twice, and a month each.
    """
    folder = archive_folder(city)
    folder.mkdir(parents=True, exist_ok=True)
    parts = incoming if isinstance(incoming, Parts) else Parts.one(_once(incoming))
    with FileLock(folder / ".lock"), whole(city):
        return _merge(city, folder, parts, origin, about or {})


def _once(incoming: pl.DataFrame) -> pl.DataFrame:
    """The second row of an id gets one of its own among the dropped, so it is counted once."""
    duplicate = incoming["reason"].eq_missing("duplicate")
    if not duplicate.any():
        return incoming
    number = pl.int_range(pl.len()).over("source_id")
    return incoming.with_columns(
        pl.when(duplicate)
        .then(pl.format("{}#{}", "source_id", number))
        .otherwise(pl.col("source_id"))
        .alias("source_id")
    )


class _Change(NamedTuple):
    """What a part changes: its rows that aren't stored as they are, the stored ones that they replace (id and
    month), how many it has and how many of them are known; `dropped` by reason; what it does to those that it replaces (`told`, as `replacing.told_of`)."""

    changed: pl.DataFrame
    replaced: pl.DataFrame
    sizes: np.ndarray
    dropped: pl.DataFrame
    told: pl.DataFrame

    @property
    def kept(self) -> pl.DataFrame:
        kept = self.changed.filter(pl.col("reason").is_null()).drop("reason")
        return kept.with_columns(pl.col("time").dt.strftime("%Y-%m").alias("month"))


def _change(old: Snapshot, incoming: pl.DataFrame) -> _Change:
    stored = _stored(old.files, old.read_dropped(), incoming)
    dropped = incoming["reason"].value_counts().drop_nulls()
    if stored.is_empty():
        none = stored.select("source_id", "month")
        return _Change(incoming, none, np.array([incoming.height, 0]), dropped, told_of(incoming))
    same = incoming.join(stored.drop("month"), on=incoming.columns, how="semi", nulls_equal=True)
    changed = incoming.join(same, on="source_id", how="anti")
    both = stored.join(changed, on="source_id", how="inner", suffix="_now")
    replaced = both.select("source_id", "month")
    sizes = np.array([incoming.height, same.height])
    return _Change(changed, replaced, sizes, dropped, told_of(incoming, both))


def _merge(
    city: City, folder: Path, incoming: Parts[pl.DataFrame], origin: str, about: dict[str, Any]
) -> dict[str, Any]:
    old = snapshot(city)
    files = old.files
    changes = incoming.map(lambda part: _change(old, part))
    if files:
        changes = changes.kept().map(lambda parts: _Change(*parts))
    found = [
        (change.replaced, change.changed.filter(pl.col("reason").is_not_null()))
        for change in changes
    ]
    replaced = pl.concat([these for these, _ in found])
    gone = [these for _, these in found]
    dropped = pl.concat([old.read_dropped().join(replaced, on="source_id", how="anti"), *gone])
    months = dict(old.months)
    left = set(replaced["month"].drop_nulls().unique())

    def write(month: str, fresh: list[pl.DataFrame]) -> None:
        if month in files:
            before = pl.read_parquet(files[month])
            fresh = [before.join(replaced, on="source_id", how="anti"), *fresh]
        table = pl.concat(fresh).sort("time", "source_id")
        if table.height:
            months[month] = _entry(folder, month, table)
        else:
            months.pop(month, None)

    late: list[pl.DataFrame] = []
    sizes, added = np.zeros(2, dtype=np.int64), 0
    reasons: Counter[str] = Counter()
    for change in changes:
        sizes += change.sizes
        added += change.changed.height
        reasons.update({str(reason): int(count) for reason, count in change.dropped.rows()})
        kept = change.kept
        late.append(arrivals.recent(city, kept.join(replaced, on="source_id", how="anti")))
        by_month = kept.partition_by("month", as_dict=True, include_key=False)
        for (month,), rows in sorted(by_month.items()):
            write(month, [rows])
            left.discard(month)
    for month in sorted(left):
        write(month, [])
    arrivals.note(city, pl.concat(late))
    if "notices" in about and replaced.height:
        told = pl.concat([change.told for change in changes])
        about = {
            **about,
            "notices": [
                *about["notices"],
                *replacing_notices(old, told, replaced.height, int(sizes[1])),
            ],
        }
    entry = {
        "origin": origin,
        "read_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "read": int(sizes[0]),
        "added": added - replaced.height,
        "corrected": replaced.height,
        "known": int(sizes[1]),
        "dropped": dict(reasons),
        **about,
    }
    _publish(old, months, dropped, [*old.imports, entry])
    return entry


def adopt(city: City, made: Snapshot, before: Snapshot) -> None:
    """Put another archive's state in the place of a city's own. Raises UserError if that isn't as `before` any
    more."""
    folder = archive_folder(city)
    with FileLock(folder / ".lock"), whole(city):
        if snapshot(city) != before:
            raise UserError(
                f"Records of {city.title} were brought in meanwhile: it stays as it is; try again."
            )
        dropped = made.read_dropped()
        for path in made.files.values():
            os.replace(path, folder / path.name)
        _publish(snapshot(city), made.months, dropped, made.imports)


def stored_between(city: City, first: datetime, last: datetime) -> pl.DataFrame:
    """The events of the months from that of `first` to that of `last`."""
    low, high = f"{first:%Y-%m}", f"{last:%Y-%m}"
    files = [path for month, path in snapshot(city).files.items() if low <= month <= high]
    return pl.read_parquet(files) if files else pl.DataFrame(schema=SCHEMA)


def stored_ids(city: City, ids: pl.Series) -> pl.DataFrame:
    """What the archive holds of these ids: events and what was dropped, with `reason`."""
    held = snapshot(city)
    incoming = pl.DataFrame({"source_id": ids})
    return _stored(held.files, held.read_dropped(), incoming).drop("month")


def remove(city: City, ids: list[str]) -> int:
    """Take records out of the archive by their ids; returns how many there were."""
    folder = archive_folder(city)
    gone = pl.Series("source_id", ids, dtype=pl.String).implode()
    with FileLock(folder / ".lock"), whole(city):
        old = snapshot(city)
        months = dict(old.months)
        removed = 0
        for month, entry in old.months.items():
            table = pl.read_parquet(folder / entry["file"])
            left = table.filter(~pl.col("source_id").is_in(gone))
            if left.height == table.height:
                continue
            removed += table.height - left.height
            months.pop(month)
            if left.height:
                months[month] = _entry(folder, month, left)
        dropped = old.read_dropped()
        left = dropped.filter(~pl.col("source_id").str.replace(r"#\d+$", "").is_in(gone))
        removed += dropped.height - left.height
        _publish(old, months, left, old.imports)
    return removed


@lru_cache(maxsize=4096)
def _hashed_ids(path: Path) -> pl.Series:
    """Hashes of a month's ids; kept, since a file's name changes with its content."""
    return pl.read_parquet(path, columns=["source_id"])["source_id"].hash()


def _stored(files: dict[str, Path], dropped: pl.DataFrame, incoming: pl.DataFrame) -> pl.DataFrame:
    """What the archive holds of the incoming ids: the events with their month, the dropped without."""
    ids = incoming.select("source_id").lazy()
    parts = [
        dropped.lazy()
        .join(ids, on="source_id", how="semi")
        .with_columns(month=pl.lit(None, pl.String))
    ]
    # Most months hold none of them, which their hashed ids tell without reading a file again.
    hashed = incoming.select(pl.col("source_id").hash().alias("id"))
    held = [
        pl.DataFrame({"id": _hashed_ids(path)}).with_columns(month=pl.lit(month))
        for month, path in files.items()
    ]
    touched: list[str] = (
        pl.concat(held).join(hashed, on="id", how="semi")["month"].unique().to_list()
        if held
        else []
    )
    for month in touched:
        part = pl.scan_parquet(files[month]).join(ids, on="source_id", how="semi")
        parts.append(part.with_columns(reason=pl.lit(None, pl.String), month=pl.lit(month)))
    return pl.concat(parts).collect()


def _entry(folder: Path, month: str, table: pl.DataFrame) -> dict[str, Any]:
    """Write a month's events; what the manifest says of it: file, rows, and rows by type."""
    types = {
        str(name): int(count) for name, count in table["type"].value_counts().sort("type").rows()
    }
    return {"file": _write(folder, month, table), "rows": table.height, "types": types}


def _write(folder: Path, stem: str, table: pl.DataFrame) -> str:
    """Write a table under a name that holds a hash of its content; return the name."""
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="zstd", statistics=True)
    content = buffer.getvalue()
    digest = hashlib.blake2b(content, digest_size=6).hexdigest()
    target = folder / f"{stem}.{digest}.parquet"
    if not target.exists():
        with replacing(target) as temporary:
            temporary.write_bytes(content)
    return target.name


def _publish(
    old: Snapshot,
    months: dict[str, dict[str, Any]],
    dropped: pl.DataFrame,
    imports: list[dict[str, Any]],
) -> None:
    """Put the new state in the place of the old one; remove the files that were replaced long ago."""
    folder, now = old.folder, datetime.now(UTC)
    name = _write(folder, "dropped", dropped) if dropped.height else None
    used = {entry["file"] for entry in months.values()} | {name}
    before = {entry["file"] for entry in old.months.values()} | {old.dropped}
    path = folder / "manifest.json"
    replaced = read_json(path).get("replaced", {}) if path.exists() else {}
    replaced |= {file: now.isoformat() for file in before - used if file}
    gone = {file for file, at in replaced.items() if now - datetime.fromisoformat(at) > KEEP}
    kept = {file: at for file, at in replaced.items() if file not in used | gone}
    write_json(path, {"months": months, "dropped": name, "imports": imports, "replaced": kept})
    for file in folder.glob("*.parquet"):
        # One that no state names is left of a merge that was cut off, or of an older version.
        stray = now.timestamp() - file.stat().st_mtime > KEEP.total_seconds()
        if file.name not in used | kept.keys() and (file.name in gone or stray):
            file.unlink(missing_ok=True)
