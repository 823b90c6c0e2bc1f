"""Files read again another way: other zone, coordinates, columns, order of dates; all of it or nothing."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pyproj
import pytest

from crimecast import UserError
from crimecast.cities import City, load_city
from crimecast.grids.correcting import correct_city
from crimecast.grids.grid import list_grids, make_grid
from crimecast.live.plan import go_live
from crimecast.records import correcting, originals
from crimecast.records.archive import merge
from crimecast.records.correcting import Correction
from crimecast.records.importing import import_file
from crimecast.records.snapshot import snapshot
from tests.records.test_import_kinds import EAST, NORTH, ROWS, TIMES, lines

ZONE = "America/Chicago"
UTC = [f"{t:%Y-%m-%dT%H:%M:00Z}" for t in TIMES]


def events() -> pl.DataFrame:
    return snapshot(load_city("town")).scan().sort("time", "source_id").collect()


def bring(path: Path, text: str, zone: str = ZONE, **more: object) -> None:
    path.write_text(text)
    import_file("town", path, zone=zone, **more)  # type: ignore[arg-type]


def as_if_right(data: Path, tmp_path: Path, text: str, zone: str, **more: object) -> pl.DataFrame:
    """What the file gives in another city, read right at once."""
    path = tmp_path / "right.csv"
    path.write_text(text)
    import_file("other", path, zone=zone, **more)  # type: ignore[arg-type]
    return snapshot(load_city("other")).scan().sort("time", "source_id").collect()


def test_a_wrong_zone_is_put_right_as_if_it_had_been_right_at_once(
    data: Path, tmp_path: Path
) -> None:
    bring(tmp_path / "a.csv", lines(UTC), zone="Asia/Tokyo")
    assert events()["time"].to_list() == sorted(t + timedelta(hours=9) for t in TIMES)
    grid = make_grid("town", 1000.0, "1d", "all")
    made = correct_city("town", Correction(zone=ZONE))
    assert load_city("town").time_zone == ZONE
    assert events().equals(as_if_right(data, tmp_path, lines(UTC), ZONE))
    assert made["outdated"] == [grid["grid"]]
    assert "outdated" in list_grids("town")[0]
    with pytest.raises(UserError, match="corrected"):
        go_live("town", grid["grid"], ("decayed_mean",))
    again = make_grid("town", 1000.0, "1d", "all")
    assert again["grid"] != grid["grid"]
    assert "outdated" not in next(g for g in list_grids("town") if g["grid"] == again["grid"])


def test_wrong_coordinates_are_put_right(data: Path, tmp_path: Path) -> None:
    to = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:26916", always_xy=True)
    x, y = to.transform(EAST, NORTH)
    text = lines(east=[f"{v:.2f}" for v in x], north=[f"{v:.2f}" for v in y])
    bring(tmp_path / "a.csv", text, crs="EPSG:26915")  # the next zone
    assert abs(events()["longitude"].mean() - EAST[0]) > 3  # type: ignore[operator]
    correct_city("town", Correction(crs="EPSG:26916"))
    right = as_if_right(data, tmp_path, text, ZONE, crs="EPSG:26916")
    assert events().equals(right)
    assert load_city("town").bounds == load_city("other").bounds
    assert load_city("town").crs == load_city("other").crs


def test_another_column_and_another_order(data: Path, tmp_path: Path) -> None:
    first = datetime(2020, 1, 1)
    days = [first + timedelta(days=i % 12, hours=i % 24) for i in range(ROWS)]
    text = lines([f"{t:%d/%m/%Y %H:%M},{t + timedelta(days=1):%d/%m/%Y %H:%M}" for t in days], head="id,reported,occurred,longitude,latitude,type")  # fmt: skip
    bring(tmp_path / "a.csv", text, mapping={"time": "reported"}, date_format="mdy")
    correct_city("town", Correction({"time": "occurred"}, date_format="dmy"))
    assert events()["time"].to_list() == sorted(t + timedelta(days=1) for t in days)
    # And what was corrected is where the next correction begins.
    correct_city("town", Correction(zone="America/New_York"))
    assert events()["time"].to_list() == sorted(t + timedelta(days=1) for t in days)


def test_several_files_one_of_them_twice(data: Path, tmp_path: Path) -> None:
    rows = lines(UTC).splitlines()
    for name, part in (("a", rows[1:200]), ("b", rows[150:]), ("a", rows[1:200])):
        bring(tmp_path / f"{name}.csv", "\n".join([rows[0], *part]), zone="Asia/Tokyo")
    assert len(originals.originals(load_city("town"))) == 2
    correct_city("town", Correction(zone=ZONE))
    assert events().equals(as_if_right(data, tmp_path, lines(UTC), ZONE))
    bring(tmp_path / "c.csv", lines(UTC), zone=ZONE)  # what is brought in later is known
    assert snapshot(load_city("town")).imports[-1]["known"] == ROWS


def test_what_cannot_be_read_so_leaves_all_as_it_was(data: Path, tmp_path: Path) -> None:
    bring(tmp_path / "a.csv", lines(UTC))
    before, entry = events(), load_city("town")
    for wrong in (
        Correction({"time": "type"}),
        Correction({"time": "nothing"}),
        Correction(crs="EPSG:1"),
        Correction(zone="Mars/Here"),
    ):
        with pytest.raises(UserError):
            correct_city("town", wrong)
    assert events().equals(before)
    assert load_city("town") == entry


def test_nothing_is_kept_of_persons(data: Path, tmp_path: Path) -> None:
    rows = lines(head="id,date,longitude,latitude,type").splitlines()
    more = ",victim_age,suspect_name,date_of_birth,offense_description,reported_date,crime_category"
    text = "\n".join(
        [
            rows[0] + more,
            *(f"{row},{i},John {i},1980-01-{i % 28 + 1:02},Smith hit Jones {i},2020-02-01,A{i % 3}" for i, row in enumerate(rows[1:])),
        ]
    )  # fmt: skip
    bring(tmp_path / "a.csv", text)
    (path, _), *_ = originals.originals(load_city("town"))
    assert set(pl.read_parquet(path).columns) == {
        "id", "date", "longitude", "latitude", "type", "reported_date", "crime_category",
    }  # fmt: skip
    assert "John" not in str(path.read_bytes())


def test_records_of_a_portal_are_not_read_again(data: Path, tmp_path: Path) -> None:
    bring(tmp_path / "a.csv", lines(UTC))
    for path in originals.folder(load_city("town")).glob("*.parquet"):
        path.unlink()
    with pytest.raises(UserError, match="nothing is kept"):
        correct_city("town", Correction(zone=ZONE))
    with pytest.raises(UserError, match="comes with the app"):
        correct_city("sample", Correction(zone=ZONE))


@pytest.mark.parametrize("at", ["merge", "adopt", "write_city"])
def test_cut_off_anywhere_it_is_as_before_or_as_after(
    data: Path, tmp_path: Path, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(tmp_path / "a.csv", lines(UTC), zone="Asia/Tokyo")
    before = events()

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(correcting, at, die)
        with pytest.raises(KeyboardInterrupt):
            correct_city("town", Correction(zone=ZONE))
    make_grid("town", 1000.0, "1d", "all")  # whoever uses the records first mends the entry
    if at == "write_city":
        assert load_city("town").time_zone == ZONE
        assert events()["time"].to_list() == sorted(t - timedelta(hours=6) for t in TIMES)
    else:
        assert load_city("town").time_zone == "Asia/Tokyo"
        assert events().equals(before)
    correct_city("town", Correction(zone=ZONE))
    assert events().equals(as_if_right(data, tmp_path, lines(UTC), ZONE))


def test_what_is_brought_in_meanwhile_is_not_lost(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(tmp_path / "a.csv", lines(UTC), zone="Asia/Tokyo")
    adopt = correcting.adopt

    def late(city: City, *given: Any) -> None:  # as a crawl, which doesn't wait for imports, would
        merge(city, snapshot(city).scan().with_columns(source_id=pl.lit("x") + pl.col("source_id"), reason=pl.lit(None, pl.String)).collect(), "portal")  # fmt: skip
        adopt(city, *given)

    monkeypatch.setattr(correcting, "adopt", late)
    with pytest.raises(UserError, match="meanwhile"):
        correct_city("town", Correction(zone=ZONE))
    assert events().height == 2 * ROWS
    make_grid("town", 1000.0, "1d", "all")
    assert load_city("town").time_zone == "Asia/Tokyo"


def test_what_was_said_of_a_file_is_kept_when_it_is_brought_in_again(
    data: Path, tmp_path: Path
) -> None:
    days = [f"{t:%d/%m/%Y %H:%M},{t + timedelta(days=3):%d/%m/%Y %H:%M}" for t in TIMES]
    text = lines(days, head="id,occurred,recorded,longitude,latitude,type")
    bring(tmp_path / "a.csv", text, mapping={"time": "recorded"}, date_format="dmy")
    before = events()
    bring(tmp_path / "a.csv", text)
    assert events().equals(before)
    correct_city("town", Correction(zone="America/New_York"))
    assert events()["time"].equals(before["time"])


def test_of_several_files_those_with_the_column_are_read_by_it(data: Path, tmp_path: Path) -> None:
    both = [f"{t:%Y-%m-%d %H:%M},{t + timedelta(days=3):%Y-%m-%d %H:%M}" for t in TIMES]
    rows = lines(both, head="id,occurred,recorded,longitude,latitude,type").splitlines()
    bring(tmp_path / "a.csv", "\n".join(rows[:150]), mapping={"time": "recorded"})
    later = lines().splitlines()
    bring(tmp_path / "b.csv", "\n".join([later[0], *later[150:]]), mapping={"time": "date"})
    correct_city("town", Correction({"time": "occurred"}))
    assert events()["time"].to_list() == sorted(TIMES)
    with pytest.raises(UserError, match="No file of the city has the column nowhere"):
        correct_city("town", Correction({"time": "nowhere"}))


def test_a_column_whose_name_holds_a_zero_byte(data: Path, tmp_path: Path) -> None:
    text = lines(head="\0\ufeffid,da\0te,longitude,latitude,type")
    bring(tmp_path / "a.csv", text, mapping={"time": "da\0te"})
    assert events()["time"].to_list() == sorted(TIMES)
    correct_city("town", Correction(zone="America/New_York"))
    assert events()["time"].to_list() == sorted(TIMES)
