"""Read a table of records from a CSV, Parquet, JSON or GeoJSON file."""

import csv
import json
from pathlib import Path

import polars as pl
from pyarrow import parquet

from crimecast.errors import UserError

SUFFIXES = {".csv", ".tsv", ".txt", ".parquet", ".json", ".ndjson", ".jsonl", ".geojson"}
MOST_VALUES, MOST_BYTES = 10**9, 8 * 2**30  # of one Parquet file, unpacked


def read_table(path: Path) -> pl.DataFrame:
    """The file's rows as they stand, text left as text. Raises UserError if it can't be read."""
    if not path.is_file():
        raise UserError(f"There is no file {path}.")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"{path.name} is not a kind of file that can be read: use CSV, Parquet or JSON."
        )
    try:
        if suffix == ".parquet":
            _bounded(path)
            table = pl.read_parquet(path)
        elif suffix in {".csv", ".tsv", ".txt"}:
            table = pl.read_csv(
                path, infer_schema=False, encoding="utf8-lossy", separator=_separator(path)
            )
        else:
            table = _read_json(path)
    except RecursionError:
        raise UserError(f"{path.name} is nested too deeply for a list of records.") from None
    except (pl.exceptions.PolarsError, ValueError, OSError, OverflowError) as error:
        reason = str(error).strip().split("\n")[0][:160]
        raise UserError(f"{path.name} can't be read as {suffix[1:].upper()}: {reason}.") from None
    if table.width == 0 or table.height == 0:
        raise UserError(f"{path.name} holds no rows.")
    return table


def _bounded(path: Path) -> None:
    """A small file may unpack to more than a machine holds; its own account says how much it would."""
    account = parquet.read_metadata(path)
    size = sum(account.row_group(i).total_byte_size for i in range(account.num_row_groups))
    if account.num_rows * account.num_columns > MOST_VALUES or size > MOST_BYTES:
        raise UserError(
            f"{path.name} unpacks to {account.num_rows:,} rows of {account.num_columns} columns, more than is read at "
            "once: split it into parts and import them one after the other."
        )


def _separator(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        head = file.readline()
    try:
        return csv.Sniffer().sniff(head, delimiters=",;\t|").delimiter
    except csv.Error:
        return ","


def _read_json(path: Path) -> pl.DataFrame:
    text = path.read_text(encoding="utf-8-sig")
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        document = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(document, dict) and document.get("type") == "FeatureCollection":
        document = [_feature_row(feature) for feature in document.get("features", [])]
    if isinstance(document, dict):
        document = next((v for v in document.values() if isinstance(v, list)), None)
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        raise ValueError("expected a list of records")
    rows = [{key: _scalar(value) for key, value in row.items()} for row in document]
    return pl.from_dicts(rows, infer_schema_length=None, strict=False)


def _feature_row(feature: dict) -> dict:
    row = dict(feature.get("properties") or {})
    geometry = feature.get("geometry") or {}
    if geometry.get("type") == "Point":
        row["longitude"], row["latitude"] = geometry["coordinates"][:2]
    return row


def _scalar(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)
