"""Small files that unpack to much, and types that readers trip over."""

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import xlsxwriter
from pyarrow import parquet

from crimecast.errors import UserError
from crimecast.reading.files import read_table


def written(path: Path, **columns: Any) -> Path:
    parquet.write_table(pa.table(columns), path)
    return path


def test_many_rows_that_are_all_the_same(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", type=pa.array(["theft"] * 3_000_000))
    with pytest.raises(UserError, match="unpacks to 3,000,000 rows"):
        read_table(path)


@pytest.mark.long
@pytest.mark.parametrize("as_text", [False, True])
def test_one_long_text_many_times(tmp_path: Path, as_text: bool) -> None:
    long = pa.DictionaryArray.from_arrays(
        pa.array([0] * 10_000, pa.int32()), pa.array(["x" * 60_000])
    )
    path = written(tmp_path / "a.parquet", type=long.cast(pa.string()) if as_text else long)
    with pytest.raises(UserError, match=r"0\.6 GB of text"):
        read_table(path)


def test_gzip_in_a_csv_that_unpacks_to_a_thousand_times_its_size(tmp_path: Path) -> None:
    packed = gzip.compress(b"0,0\n" * 80_000_000, 1)
    (tmp_path / "a.csv").write_bytes(packed)
    with pytest.raises(UserError, match="unpacks to more than"):
        read_table(tmp_path / "a.csv")


def test_a_sheet_that_spans_everything(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        sheet = book.add_worksheet()
        for row, column in ((0, 0), (1, 1), (1_048_575, 16_383)):
            sheet.write(row, column, "a")
    with pytest.raises(UserError, match="save it as CSV"):
        read_table(tmp_path / "a.xlsx")


def test_records_with_keys_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([{f"k{n}": n} for n in range(5_000)]))
    with pytest.raises(UserError, match="5,000 names of fields"):
        read_table(tmp_path / "a.json")


def test_moments_with_an_offset_for_a_zone_are_read(tmp_path: Path) -> None:
    moment = datetime(2020, 1, 1, 12, tzinfo=UTC)
    path = written(tmp_path / "a.parquet", date=pa.array([moment], pa.timestamp("us", "+05:30")))
    assert read_table(path)["date"].to_list() == [moment]


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_moments_beyond_the_calendar_are_none(tmp_path: Path, unit: str) -> None:
    path = written(
        tmp_path / "a.parquet",
        date=pa.array([0, 2**61 if unit != "s" else 2**40], pa.timestamp(unit)),
    )
    assert read_table(path)["date"].to_list() == [datetime(1970, 1, 1), None]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (pa.map_(pa.string(), pa.int64()), [("a", 1)], '{"a": 1}'),
        (pa.list_(pa.int64()), [1, None], "[1]"),
        (pa.list_(pa.list_(pa.int64())), [[1]], "[[1]]"),
        (pa.struct([("a", pa.int64())]), {"a": 1}, '{"a": 1}'),
        (pa.duration("s"), 90, '"0:01:30"'),
        (pa.binary(), b"\xff\x00", "ff00"),
    ],
)
def test_what_is_no_plain_value_is_text(tmp_path: Path, kind: Any, value: Any, text: str) -> None:
    path = written(tmp_path / "a.parquet", what=pa.array([value], kind), n=pa.array([1]))
    assert read_table(path)["what"].to_list() == [text]


def test_a_large_decimal_is_a_number(tmp_path: Path) -> None:
    path = written(tmp_path / "a.parquet", n=pa.array([Decimal("12.5")], pa.decimal128(38, 3)))
    assert read_table(path)["n"].to_list() == [12.5]


@pytest.mark.parametrize(
    "document",
    [
        {"features": [{"geometry": g, "properties": p}]}
        for g in (
            None,
            3,
            "a",
            [],
            [1],
            {},
            {"type": "Point"},
            {"type": "Point", "coordinates": None},
        )
        for p in (None, 3, "a", [], [1], {"date": "2020-01-01"})
    ],
)
def test_geojson_that_is_none_is_read_or_refused(tmp_path: Path, document: Any) -> None:
    (tmp_path / "a.geojson").write_text(json.dumps(document))
    assert read_table(tmp_path / "a.geojson")["longitude"].to_list() == [None]


@pytest.mark.parametrize("encoding", ["zlib", "rot13", "base64", "undefined", "nothing", "\0"])
def test_what_is_no_encoding_of_text(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError):
        read_table(tmp_path / "a.csv", encoding)
