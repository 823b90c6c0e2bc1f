"""A file that is read in parts gives what it gives read at once: records, notices and sentences."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
import pytest

from crimecast import UserError
from crimecast.cities import load_city
from crimecast.reading.files import File, opened
from crimecast.reading.parts import Parts, Rows, distinct, earlier, repeats
from crimecast.records.importing import import_file
from crimecast.records.snapshot import snapshot
from tests.few import few
from tests.messy import Messy, make

Opened = Callable[..., Any]
NOW = datetime(2026, 6, 1)


def sliced(table: pl.DataFrame, size: int, folder: Path) -> Rows:
    """A table in parts of `size` rows."""

    def select(names: list[str]) -> Parts[pl.DataFrame]:
        return Parts(
            lambda: (table.select(names)[i : i + size] for i in range(0, table.height, size)),
            folder,
        )

    return Rows(select, dict(table.schema), table.height)


def in_parts(size: int) -> Opened:
    """`opened`, with the rows of any kind of file in parts."""

    @contextmanager
    def open_(*arguments: Any) -> Iterator[File]:
        with opened(*arguments) as file, TemporaryDirectory() as folder:
            table = file.rows.select(file.rows.columns).first
            yield replace(file, rows=sliced(table, size, Path(folder)))

    return open_


def told(name: str, path: Path, zone: str, **options: Any) -> dict[str, Any]:
    """All that an import leaves: what it said, and the city's records and extent."""
    try:
        said = import_file(name, path, zone=zone, now=NOW, **options)
    except UserError as error:
        return {"refused": str(error)}
    city = load_city(name)
    held = snapshot(city)
    order = ["source_id", "time", "type"]
    return {
        **{key: value for key, value in said.items() if key not in ("city", "read_at")},
        "events": held.scan().collect().sort(order).to_dicts(),
        "dropped rows": held.read_dropped().sort(order).to_dicts(),
        "crs": city.crs,
        "bounds": city.bounds,
    }


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[dict, dict]]:
    """What is told of a file read at once, and in parts of so many rows."""

    def go(size: int, name: str, *arguments: Any, **options: Any) -> tuple[dict, dict]:
        found = []
        for how, way in (("whole", opened), ("parts", in_parts(size))):
            monkeypatch.setattr("crimecast.records.importing.opened", way)
            found.append(told(f"{name}_{how}", *arguments, **options))
        return found[0], found[1]

    return go


@pytest.mark.parametrize("first", few(range(0, 40, 10), 0))
def test_messy_files(data: Path, tmp_path: Path, both: Callable, first: int) -> None:
    for seed in range(first, first + 10):
        messy: Messy = make(seed, tmp_path)
        whole, parts = both(29 + seed % 5, f"c{seed}", messy.path, messy.zone, **messy.options)
        assert parts == whole, messy.made_of
        assert whole["events"]
        again = both(41, f"c{seed}", messy.path, messy.zone, **messy.options)
        assert again[0] == again[1], messy.made_of
        assert again[1]["events"] == parts["events"]


RNG = np.random.default_rng(3)
ROWS = 400
MINUTES = np.datetime64("2020-01-01T00:00") + RNG.integers(0, 12 * 1440, ROWS)
DOUBTFUL = [f"{str(t)[8:10]}/{str(t)[5:7]}/2020 {str(t)[11:16]}" for t in MINUTES]
AWARE = [f"{t}:00{'Z' if i % 3 else ''}" for i, t in enumerate(MINUTES)]
CLOCKS = [str(int(str(t)[11:13]) * 100 + int(str(t)[14:16])) for t in MINUTES]
LARGE = 900  # rows of a file in which shares are judged


def table(**columns: Any) -> pl.DataFrame:
    size = len(next(iter(columns.values()))) if columns else ROWS
    rng = np.random.default_rng(size)
    given = {
        "id": [str(i) for i in range(size)],
        "date": [str(t) for t in MINUTES][:size],
        "longitude": [f"{v:.5f}" for v in rng.uniform(-87.7, -87.6, size)],
        "latitude": [f"{v:.5f}" for v in rng.uniform(41.8, 41.9, size)],
        "type": [("theft", "assault")[i % 2] for i in range(size)],
    }
    return pl.DataFrame({**given, **columns})


def spoiled(column: str, rows: range, value: str) -> pl.DataFrame:
    given = table()
    return given.with_columns(
        pl.when(pl.Series([i in rows for i in range(ROWS)]))
        .then(pl.lit(value))
        .otherwise(pl.col(column))
        .alias(column)
    )


FILES: dict[str, tuple[pl.DataFrame, dict[str, Any]]] = {
    "an order that no row tells": (table(date=DOUBTFUL), {}),
    "an order that the user tells": (table(date=DOUBTFUL), {"date_format": "dmy"}),
    "an order that one late row tells": (
        table(date=[*DOUBTFUL[:-20], *["25/01/2020 10:00"] * 20]),
        {},
    ),
    "two orders": (
        table(date=[*DOUBTFUL[:200], *["25/01/2020 10:00"] * 100, *["01/25/2020 10:00"] * 100]),
        {},
    ),
    "offsets in some rows": (table(date=AWARE), {}),
    "a clock of its own": (
        table(date=[str(t)[:10] for t in MINUTES], time=CLOCKS),
        {"mapping": {"time": "date+time"}},
    ),
    "midnight in UTC": (table(date=[f"{str(t)[:10]}T00:00:00Z" for t in MINUTES]), {}),
    "seconds": (table(date=[str(t.astype("datetime64[s]").astype(int)) for t in MINUTES]), {}),
    "months": (table(date=[f"2020-{i % 5 + 1:02d}" for i in range(ROWS)]), {}),
    "months among days": (spoiled("date", range(100, 130), "2020-03"), {}),
    "no times": (spoiled("date", range(0, 30), "soon"), {}),
    "long ago": (spoiled("date", range(17, 19), "1950-01-01 10:00"), {}),
    "ids again": (spoiled("id", range(5, 300, 20), "7"), {}),
    "ids that are missing": (spoiled("id", range(5, 300, 7), ""), {}),
    "no place": (
        spoiled("longitude", range(40, 90), "0").with_columns(
            pl.when(pl.col("longitude") == "0").then(pl.lit("0")).otherwise(pl.col("latitude")).alias("latitude")
        ),
        {},
    ),
    "places far away": (spoiled("longitude", range(40, 90), "-1.0"), {}),
    "grouped digits": (
        table(
            longitude=[f"{447_000 + i:,}.50" for i in range(ROWS)],
            latitude=[f"{4_630_000 + i:,}.25" for i in range(ROWS)],
        ),
        {"crs": "EPSG:32616"},
    ),
    "metres without a system": (
        table(longitude=["447000.5"] * ROWS, latitude=["4630000.5"] * ROWS),
        {},
    ),
    "one place, at noon": (
        table(
            date=[f"2020-01-{i % 28 + 1:02d} 12:00" for i in range(LARGE)],
            longitude=[f"{-87.6 - (i % 3 > 0) * i / 1e5:.5f}" for i in range(LARGE)],
        ),
        {},
    ),
    "records alike": (pl.concat([table().drop("id").head(150)] * 2), {}),
    "no types": (table(type=[""] * ROWS), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", few(FILES, 6))
def test_kinds_of_doubt(data: Path, tmp_path: Path, both: Callable, name: str) -> None:
    content, options = FILES[name]
    path = tmp_path / "file.csv"
    content.write_csv(path)
    whole, parts = both(67, "town", path, "America/Chicago", **options)
    assert parts == whole
    assert ("refused" in whole) == (name in ("an order that no row tells", "two orders", "metres without a system"))  # fmt: skip


def test_corrections_and_counters(data: Path, tmp_path: Path, both: Callable) -> None:
    path = tmp_path / "file.csv"
    table().write_csv(path)
    both(67, "town", path, "America/Chicago")
    later = table().with_columns(
        pl.when(pl.int_range(pl.len()) % 9 == 0)
        .then(pl.lit("2020-03-01T10:00"))
        .otherwise(pl.col("date"))
        .alias("date")
    )
    later.write_csv(path)
    whole, parts = both(67, "town", path, "America/Chicago")
    assert parts == whole
    assert parts["corrected"] == 45
    anew = table(longitude=[f"{-87.61 + i / 1e5:.5f}" for i in range(ROWS)]).with_columns(
        pl.col("date").reverse()
    )
    anew.write_csv(path)
    whole, parts = both(67, "town", path, "America/Chicago")
    assert parts == whole
    assert "ids_reused" in [notice["code"] for notice in parts["notices"]]


def test_keys_over_parts(tmp_path: Path) -> None:
    values = pl.Series("key", RNG.integers(0, 50, 1000).astype(str))
    column = sliced(values.to_frame(), 37, tmp_path).column("key")
    whole = Parts.one(values)
    for function in (earlier, repeats):
        assert pl.concat(function(column)).to_list() == function(whole).first.to_list()
    assert distinct(column) == distinct(whole) == (1000, 50)
