"""A city's events on disk: a Parquet file a month, behind one manifest that is swapped at once.

New files get new names; the manifest is renamed into place when all of them are written, so a
reader or a crash sees either the old records or the new ones, never a mixture.
"""

import hashlib
import io
import time
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
from filelock import FileLock

from crimecast.cities import City
from crimecast.events import REASONS, SCHEMA
from crimecast.store import data_root, read_json, replacing, write_json

KEEP_SECONDS = 300.0
EMPTY: dict[str, Any] = {"months": {}, "dropped": None, "imports": []}


def archive_folder(city: City) -> Path:
    """The folder of a city's events."""
    return data_root() / "cities" / city.name / "events"


def manifest(city: City) -> dict[str, Any]:
    """`months` (name → file, rows, types), `dropped` (file or None) and `imports` (what was read when)."""
    path = archive_folder(city) / "manifest.json"
    return read_json(path) if path.exists() else {**EMPTY}


def month_files(city: City) -> dict[str, Path]:
    """The Parquet file of each month (`2014-01`), in order. Their names change with their content."""
    folder = archive_folder(city)
    months = manifest(city)["months"]
    return {month: folder / months[month]["file"] for month in sorted(months)}


def type_counts(city: City) -> dict[str, int]:
    """How often each type occurs, the most frequent first."""
    totals: dict[str, int] = {}
    for entry in manifest(city)["months"].values():
        for name, count in entry["types"].items():
            totals[name] = totals.get(name, 0) + count
    return dict(sorted(totals.items(), key=lambda item: (-item[1], item[0])))


def scan(city: City) -> pl.LazyFrame:
    """All events of a city, in the order of their months."""
    files = list(month_files(city).values())
    return pl.scan_parquet(files) if files else pl.LazyFrame(schema=SCHEMA)


def read_dropped(city: City) -> pl.DataFrame:
    """The records that are not used, with `reason`."""
    name = manifest(city)["dropped"]
    if name is None:
        return pl.DataFrame(schema={**SCHEMA, "reason": pl.String})
    return pl.read_parquet(archive_folder(city) / name)


def merge(
    city: City, incoming: pl.DataFrame, origin: str, about: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Add standardised records to the archive; returns what was read, added, corrected and known.

    A record whose id is stored already replaces it if it differs and is left alone if not, so a
    file may be read any number of times. `origin`, and what there is to say `about` the file, are kept in the
    record of imports.
    """
    folder = archive_folder(city)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        return _merge(city, folder, incoming, origin, about or {})


def _merge(
    city: City, folder: Path, incoming: pl.DataFrame, origin: str, about: dict[str, Any]
) -> dict[str, Any]:
    old = manifest(city)
    files = {month: folder / entry["file"] for month, entry in old["months"].items()}
    duplicate = incoming["reason"].eq_missing("duplicate")
    # The second row of an id gets an id of its own among the dropped, so it is counted once.
    number = pl.int_range(pl.len()).over("source_id")
    incoming = incoming.with_columns(
        pl.when(duplicate)
        .then(pl.format("{}#{}", "source_id", number))
        .otherwise(pl.col("source_id"))
        .alias("source_id")
    )
    stored = _stored(files, read_dropped(city), incoming)
    same = incoming.join(stored.drop("month"), on=incoming.columns, how="semi", nulls_equal=True)
    changed = incoming.join(same, on="source_id", how="anti")
    replaced = stored.join(changed, on="source_id", how="semi")

    kept = changed.filter(pl.col("reason").is_null()).drop("reason")
    kept = kept.with_columns(pl.col("time").dt.strftime("%Y-%m").alias("month"))
    dropped = pl.concat(
        [
            read_dropped(city).join(replaced, on="source_id", how="anti"),
            changed.filter(pl.col("reason").is_not_null()),
        ]
    )
    months = dict(old["months"])
    touched = set(kept["month"].unique()) | set(replaced["month"].drop_nulls().unique())
    for month in sorted(touched):
        parts = [kept.filter(pl.col("month") == month).drop("month")]
        if month in files:
            parts.insert(
                0, pl.read_parquet(files[month]).join(replaced, on="source_id", how="anti")
            )
        table = pl.concat(parts).sort("time", "source_id")
        if table.height:
            months[month] = _entry(folder, month, table)
        else:
            months.pop(month, None)
    counts = incoming["reason"].value_counts().drop_nulls().rows()
    entry = {
        "origin": origin,
        "read_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "read": incoming.height,
        "added": changed.height - replaced.height,
        "corrected": replaced.height,
        "known": same.height,
        "dropped": {str(reason): int(count) for reason, count in counts},
        **about,
    }
    new = {
        "months": months,
        "dropped": _write(folder, "dropped", dropped) if dropped.height else None,
        "imports": [*old["imports"], entry],
    }
    write_json(folder / "manifest.json", new)
    _sweep(folder, new)
    return entry


def months_only(city: City) -> bool:
    """Whether a file was imported whose records give no more than the month."""
    return any(entry.get("precision") == "month" for entry in manifest(city)["imports"])


def stored_between(city: City, first: datetime, last: datetime) -> pl.DataFrame:
    """The events of the months from that of `first` to that of `last`."""
    low, high = f"{first:%Y-%m}", f"{last:%Y-%m}"
    files = [path for month, path in month_files(city).items() if low <= month <= high]
    return pl.read_parquet(files) if files else pl.DataFrame(schema=SCHEMA)


def stored_ids(city: City, ids: pl.Series) -> pl.DataFrame:
    """What the archive holds of these ids: events and what was dropped, with `reason`."""
    incoming = pl.DataFrame({"source_id": ids})
    return _stored(month_files(city), read_dropped(city), incoming).drop("month")


def remove(city: City, ids: list[str]) -> int:
    """Take records out of the archive by their ids; returns how many there were."""
    folder = archive_folder(city)
    gone = pl.Series("source_id", ids, dtype=pl.String).implode()
    with FileLock(folder / ".lock"):
        old = manifest(city)
        months = dict(old["months"])
        removed = 0
        for month, entry in old["months"].items():
            table = pl.read_parquet(folder / entry["file"])
            left = table.filter(~pl.col("source_id").is_in(gone))
            if left.height == table.height:
                continue
            removed += table.height - left.height
            months.pop(month)
            if left.height:
                months[month] = _entry(folder, month, left)
        dropped = read_dropped(city)
        left = dropped.filter(~pl.col("source_id").str.replace(r"#\d+$", "").is_in(gone))
        removed += dropped.height - left.height
        new = {
            **old,
            "months": months,
            "dropped": _write(folder, "dropped", left) if left.height else None,
        }
        write_json(folder / "manifest.json", new)
        _sweep(folder, new)
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


def _sweep(folder: Path, current: dict[str, Any]) -> None:
    """Remove the files of older manifests, but not under the eyes of who is still reading them."""
    used = {entry["file"] for entry in current["months"].values()} | {current["dropped"]}
    for path in folder.glob("*.parquet"):
        if path.name not in used and time.time() - path.stat().st_mtime > KEEP_SECONDS:
            path.unlink(missing_ok=True)


def report(city: City, examples: int = 5) -> dict[str, Any]:
    """What was kept and what was not: counts, shares and examples of every reason.

    `records` = `kept` + the sum of `dropped`, always. Examples hold time, place and type only.
    """
    dropped = read_dropped(city)
    kept = sum(entry["rows"] for entry in manifest(city)["months"].values())
    records = kept + dropped.height
    reasons = {}
    for reason, meaning in REASONS.items():
        rows = dropped.filter(pl.col("reason") == reason)
        sample = rows.head(examples).select("source_id", "time", "type", "longitude", "latitude")
        reasons[reason] = {
            "meaning": meaning,
            "count": rows.height,
            "share": rows.height / records if records else 0.0,
            "examples": sample.with_columns(pl.col("time").dt.to_string("iso")).to_dicts(),
        }
    return {
        "records": records,
        "kept": kept,
        "dropped": reasons,
        "imports": manifest(city)["imports"],
    }
