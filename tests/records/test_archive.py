"""The archive: merging, taking out, and states that are kept for who still reads them."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from crimecast import UserError
from crimecast.cities import City, load_city
from crimecast.records import archive
from crimecast.records.archive import merge, remove
from crimecast.records.snapshot import archive_folder, snapshot
from crimecast.storage.store import read_json, write_json


def events(city: City, ids: range, day: int = 3, kind: str = "theft") -> pl.DataFrame:
    """Events of one day of January 2020 in the middle of a city."""
    place = snapshot(city).scan().select("longitude", "latitude", "x", "y").first().collect()
    row = place.row(0, named=True)
    rows = [
        {
            "source_id": f"new-{i}", "time": datetime(2020, 1, day, i % 24), "type": kind,
            "longitude": row["longitude"], "latitude": row["latitude"], "x": row["x"], "y": row["y"],
            "reason": None,
        }
        for i in ids
    ]  # fmt: skip
    schema = {**snapshot(city).scan().collect_schema(), "reason": pl.String}
    return pl.DataFrame(rows, schema=schema).select(list(schema))


def test_what_is_merged_is_added_corrected_or_known(town: str) -> None:
    city = load_city(town)
    before = snapshot(city).report()["records"]
    assert merge(city, events(city, range(5)), "one")["added"] == 5
    entry = merge(city, events(city, range(8), kind="assault"), "two")
    assert (entry["added"], entry["corrected"], entry["known"]) == (3, 5, 0)
    entry = merge(city, events(city, range(8), kind="assault"), "two")
    assert (entry["added"], entry["corrected"], entry["known"]) == (0, 0, 8)
    account = snapshot(city).report()
    assert account["records"] == before + 8
    assert [one["origin"] for one in account["imports"]][-3:] == ["one", "two", "two"]
    assert remove(city, ["new-0", "new-7", "not there"]) == 2
    assert snapshot(city).report()["records"] == before + 6


def test_a_snapshot_is_read_on_after_a_merge(town: str) -> None:
    city = load_city(town)
    old = snapshot(city)
    before = old.scan().collect(), old.read_dropped(), old.report()
    # A file that is older than any time of grace, replaced only now.
    for path in archive_folder(city).glob("*.parquet"):
        past = (datetime.now(UTC) - timedelta(days=30)).timestamp()
        os.utime(path, (past, past))
    for number in range(3):
        merge(city, events(city, range(number, number + 1)), "later")
    assert snapshot(city).scan().collect().height == before[0].height + 3
    assert old.scan().collect().equals(before[0])
    assert old.read_dropped().equals(before[1])
    assert old.report() == before[2]


def test_files_go_when_nobody_can_be_reading_them(
    town: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = load_city(town)
    folder = archive_folder(city)
    monkeypatch.setattr(archive, "KEEP", timedelta(0))
    stray = folder / "2020-01.0123456789ab.parquet"
    stray.write_bytes(b"left of a merge that was cut off")
    for number in range(3):
        merge(city, events(city, range(number, number + 1)), "later")
    current = snapshot(city)
    used = {path.name for path in current.files.values()} | {current.dropped}
    left = {path.name for path in folder.glob("*.parquet")}
    # The files of the state before last are gone; those of the last go with the next merge.
    assert left - used == set(read_json(folder / "manifest.json")["replaced"])
    assert len(left - used) == 1


def test_an_older_manifest_opens(town: str) -> None:
    city = load_city(town)
    path: Path = archive_folder(city) / "manifest.json"
    old = {key: value for key, value in read_json(path).items() if key != "replaced"}
    archive.write_json(path, old)
    assert merge(city, events(city, range(2)), "one")["added"] == 2


@pytest.mark.parametrize("name", ["202;3-0", "2023-13", "x"])
def test_a_manifest_of_months_that_are_none_is_damaged(town: str, name: str) -> None:
    path = archive_folder(load_city(town)) / "manifest.json"
    stored = read_json(path)
    month = sorted(stored["months"])[0]
    for months in (
        {name: stored["months"][month]},
        {month: {**stored["months"][month], "file": f"{name}.parquet"}},
    ):
        write_json(path, {**stored, "months": months})
        with pytest.raises(UserError, match="months that are none"):
            snapshot(load_city(town))
