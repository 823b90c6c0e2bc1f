"""A CSV of 5 GB is imported as a small one is, within a bound of memory.

    python bench/large.py --json [--gigabytes 5] [--narrow]

The file has the columns of Chicago's, of which five are used; `--narrow` writes those five alone, so
that there are several times the records. `seconds` and `peak_mb` are of the import, in a process of its
own; the records lie in 24 years, in no order. The figures of 5 GB go to bench/results/large.json.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import polars as pl

from bench.measure import apart, report

RESULT = Path(__file__).parent / "results" / "large.json"
ROWS = 400_000  # that are written together
KINDS = ["THEFT", "BATTERY", "CRIMINAL DAMAGE", "ASSAULT", "BURGLARY", "MOTOR VEHICLE THEFT"]
TOLD = ["OVER $500", "SIMPLE", "TO VEHICLE", "FORCIBLE ENTRY, NO ARMS", "FROM BUILDING"]
DAYS = 24 * 365


def write(path: Path, size: int, narrow: bool) -> int:
    """Write rows until the file has that many bytes; returns how many."""
    rng = np.random.default_rng(0)
    rows = 0
    with path.open("wb") as file:
        while file.tell() < size:
            table = block(rng, rows, narrow)
            table.write_csv(file, include_header=rows == 0)
            rows += table.height
    return rows


def block(rng: np.random.Generator, begin: int, narrow: bool) -> pl.DataFrame:
    minute = np.datetime64("2001-01-01", "m") + rng.integers(0, DAYS * 1440, ROWS)
    number = pl.Series(range(begin, begin + ROWS))
    used = pl.DataFrame(
        {
            "ID": number + 10**6,
            "Date": pl.Series(minute.astype("datetime64[us]")).dt.strftime("%m/%d/%Y %I:%M:%S %p"),
            "Primary Type": np.array(KINDS)[rng.integers(0, len(KINDS), ROWS)],
            "Latitude": np.round(rng.normal(41.85, 0.05, ROWS), 9),
            "Longitude": np.round(rng.normal(-87.68, 0.04, ROWS), 9),
        }
    )
    if narrow:
        return used
    code = rng.integers(0, 400, ROWS)
    return used.select(
        "ID",
        pl.format("HX{}", number).alias("Case Number"),
        "Date",
        pl.format("0{}XX N LONG STREET AVE", pl.Series(code)).alias("Block"),
        "Primary Type",
        pl.Series("Description", np.array(TOLD)[code % len(TOLD)]),
        pl.lit("RESIDENCE - PORCH / HALLWAY").alias("Location Description"),
        pl.Series("Arrest", code % 3 == 0),
        pl.Series("Beat", code),
        pl.Series("X Coordinate", 1_150_000 + code),
        pl.Series("Y Coordinate", 1_890_000 + code),
        pl.col("Date").shift(1).alias("Updated On"),
        "Latitude",
        "Longitude",
        pl.format("({}, {})", "Latitude", "Longitude").alias("Location"),
    )


def bring(path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        os.environ["CRIMECAST_DATA"] = folder
        from crimecast.records.importing import import_file

        report(lambda: import_file("large", path, zone="America/Chicago")["added"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--gigabytes", type=float, default=5.0)
    parser.add_argument("--narrow", action="store_true")
    parser.add_argument("--part", choices=["bring"])
    parser.add_argument("--file", type=Path)
    options = parser.parse_args()
    if options.part:
        bring(options.file)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.csv"
        rows = write(path, int(options.gigabytes * 10**9), options.narrow)
        found = apart(__file__, "bring", "--file", str(path), repeat=1)
        assert found["result"] == rows
    result = {
        "gigabytes": options.gigabytes,
        "rows": rows,
        "seconds": round(found["seconds"], 1),
        "peak_mb": round(found["peak_mb"]),
    }
    if options.gigabytes >= 5:
        known = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else {}
        known["narrow" if options.narrow else "wide"] = result
        RESULT.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1) if options.json else result)


if __name__ == "__main__":
    main()
