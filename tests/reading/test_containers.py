"""Compressed files are unpacked within bounds."""

import gzip
import zipfile
from pathlib import Path

import polars as pl
import pytest

from crimecast.errors import UserError
from crimecast.reading import containers
from crimecast.reading.files import opened, read_table


def test_a_file_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"0,0\n" * 1_000_000))
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"a,b\n" + b"0,0\n" * 1_000_000)
    monkeypatch.setattr(containers, "MOST_BYTES", 3_000_000)
    for name in ("bomb.csv.gz", "bomb.zip"):
        with pytest.raises(UserError, match="unpacks to more than"):
            read_table(tmp_path / name)


@pytest.mark.parametrize("content", [b"\x1f\x8bbroken", b"PK\x03\x04broken"])
def test_what_cant_be_unpacked_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(UserError, match="can't be unpacked"):
        read_table(tmp_path / "a.zip")


def test_packed_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(gzip.compress(b"a,b\n1,2\n")))
    with pytest.raises(UserError, match="packed more than once"):
        read_table(tmp_path / "a.csv.gz")


def test_several_tables_of_a_zip_are_one_if_they_are_alike(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("1.csv", "a,b\n1,2\n")
        archive.writestr("2.csv", "b,a\n3,4\n")
    assert read_table(tmp_path / "a.zip")["a"].to_list() == ["1", "4"]
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("1.csv", "a,b\n1,2\n")
        archive.writestr("2.csv", "c,d\n3,4\n")
    with pytest.raises(UserError, match=r"1\.csv, 2\.csv"):
        read_table(tmp_path / "b.zip")


def test_a_large_text_is_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(f'{i},"a""b, {i}"\n' for i in range(1000))
    (tmp_path / "a.csv").write_text("a,b\n" + lines + "1,2,3\n")
    whole = read_table(tmp_path / "a.csv")
    monkeypatch.setattr("crimecast.reading.files.AT_ONCE", 1000)
    monkeypatch.setattr("crimecast.reading.delimited.PART", 500)
    monkeypatch.setattr("crimecast.reading.delimited.LINES", 10)
    with opened(tmp_path / "a.csv") as file:
        parts = list(file.rows.select(["b", "a"]))
        assert len(parts) > 10
        assert [notice.code for notice in file.notices] == ["bad_rows"]
        assert file.rows.height == 1000
        assert pl.concat(parts).equals(whole.select("b", "a"))
    with pytest.raises(UserError, match=r"a\.csv holds more than is read at once"):
        read_table(tmp_path / "a.csv")


def test_records_as_lists_beside_their_fields(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        '{"fields": [{"id": "id"}, {"id": "type"}], "records": [["1", "theft"], ["2", "fraud"]]}'
    )
    assert read_table(path).to_dicts() == [
        {"id": "1", "type": "theft"},
        {"id": "2", "type": "fraud"},
    ]
