"""Gridding: 8.3 million events in monthly Parquet → daily 500 m cube of 30 types on Zarr.

    python bench/gridding.py --json [--large]

All ratios are of times, ours over the peer's, so small is fast:

- `grid_vs_read`: the limit, merely reading the four columns with Polars;
- `grid_vs_polars`: a Polars group-by of the same events to (day, type, row, column) → count, in memory;
- `grid_vs_rows`: the loop over rows of the 2018 thesis, on 20,000 rows, scaled up.

Ours includes the compressed cube on disk. Each part runs in three processes of its own, once
to warm up and five times timed in each; medians. `--large` repeats ours with ten times the events (83 million): `large_vs_small` should be
about 10, and `large_peak_mb` about `peak_mb`.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import polars as pl

from bench.measure import apart, report

MONTHS, ROWS, KINDS = 276, 30_072, 30


def make(root: Path, times: int) -> None:
    """Write an archive of Chicago's size and unevenness; `times` as many months."""
    os.environ["CRIMECAST_DATA"] = str(root)
    from crimecast.cities import load_city
    from crimecast.records.snapshot import archive_folder
    from crimecast.storage.store import write_json

    city = load_city("chicago")
    folder = archive_folder(city)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    names = np.array([f"type {i:02d}" for i in range(KINDS)])
    shares = rng.dirichlet(np.full(KINDS, 0.6))
    x0, y0, x1, y1 = city.extent()  # type: ignore[misc]
    hot = np.column_stack([rng.uniform(x0, x1, 3000), rng.uniform(y0, y1, 3000)])
    months = {}
    start = np.datetime64("2001-01" if times == 1 else "1794-01", "M")
    for number in range(MONTHS * times):
        first = (start + number).astype("datetime64[us]")
        span = ((start + number + 1).astype("datetime64[us]") - first).astype(int)
        place = hot[rng.integers(0, len(hot), ROWS)] + rng.normal(0, 150, (ROWS, 2))
        table = pl.DataFrame(
            {
                "source_id": np.arange(number * ROWS, (number + 1) * ROWS).astype(str),
                "time": first + np.sort(rng.integers(0, span, ROWS)).astype("timedelta64[us]"),
                "type": names[rng.choice(KINDS, ROWS, p=shares)],
                "longitude": np.zeros(ROWS),
                "latitude": np.zeros(ROWS),
                "x": np.clip(place[:, 0], x0, x1),
                "y": np.clip(place[:, 1], y0, y1),
            }
        )
        month = str(start + number)
        counts = dict(table["type"].value_counts().rows())
        table.write_parquet(folder / f"{month}.parquet")
        months[month] = {"file": f"{month}.parquet", "rows": ROWS, "types": counts}
    os.sync()  # so that writing these files doesn't go on under what is timed
    write_json(folder / "manifest.json", {"months": months, "dropped": None, "imports": []})


def files(root: Path) -> list[Path]:
    return sorted((root / "cities" / "chicago" / "events").glob("*.parquet"))


def read(root: Path) -> None:
    paths = files(root)
    report(lambda: pl.read_parquet(paths, columns=["time", "type", "x", "y"]).height, times=5)


def polars(root: Path) -> None:
    paths = files(root)
    keys = [
        pl.col("time").dt.truncate("1d"),
        pl.col("type"),
        (pl.col("y") / 500).floor().cast(pl.Int32).alias("row"),
        (pl.col("x") / 500).floor().cast(pl.Int32).alias("column"),
    ]
    report(lambda: pl.scan_parquet(paths).group_by(keys).len().collect().height, times=5)


def grid(root: Path, times: int = 5) -> None:
    os.environ["CRIMECAST_DATA"] = str(root)
    from crimecast.grids.grid import make_grid

    report(
        lambda: make_grid("chicago", 500, "1d", "each")["events"],
        before=lambda: shutil.rmtree(root / "grids", ignore_errors=True),
        times=times,
    )


def rows(root: Path) -> None:
    table = (
        pl.read_parquet(files(root)[0], columns=["time", "type", "x", "y"]).head(20_000).to_pandas()
    )
    names = {name: i for i, name in enumerate(sorted(table["type"].unique()))}
    x0, y0, first = table["x"].min(), table["y"].min(), table["time"].min()

    def loop() -> int:
        cube = np.zeros((31, len(names), 90, 90), dtype=np.int64)
        for _, row in table.iterrows():
            day = (row["time"] - first).days
            cube[
                day, names[row["type"]], int((row["y"] - y0) // 500), int((row["x"] - x0) // 500)
            ] += 1
        return int(cube.sum())

    report(loop, rows=len(table))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--part", choices=["read", "polars", "grid", "rows"])
    parser.add_argument("--root", type=Path)
    options = parser.parse_args()
    if options.part:
        {"read": read, "polars": polars, "grid": grid, "rows": rows}[options.part](options.root)
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make(root, 1)
        found = {
            part: apart(__file__, part, "--root", folder)
            for part in ("read", "polars", "grid", "rows")
        }
        assert found["grid"]["result"] == found["read"]["result"] == MONTHS * ROWS
        whole = found["rows"]["seconds"] * MONTHS * ROWS / found["rows"]["rows"]
        ours = found["grid"]["seconds"]
        result = {
            "events": MONTHS * ROWS,
            "grid_vs_read": ours / found["read"]["seconds"],
            "grid_vs_polars": ours / found["polars"]["seconds"],
            "grid_vs_rows": ours / whole,
            "peak_mb": found["grid"]["peak_mb"],
            "seconds": {
                "grid": ours,
                "read": found["read"]["seconds"],
                "polars": found["polars"]["seconds"],
                "rows": whole,
            },
            "polars_peak_mb": found["polars"]["peak_mb"],
        }
    if options.large:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder), 10)
            large = apart(__file__, "grid", "--root", folder, repeat=1)
            result |= {
                "large_events": large["result"],
                "large_vs_small": large["seconds"] / ours,
                "large_peak_mb": large["peak_mb"],
            }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
