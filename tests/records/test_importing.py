"""Files of records go in once, whatever their form, and what is left out is accounted for."""

import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crimecast.cities import load_city
from crimecast.errors import UserError
from crimecast.reading import parquets
from crimecast.reading.files import read_table
from crimecast.records.importing import import_file
from crimecast.records.snapshot import snapshot
from tests.conftest import tiny_csv

MAPPING = {"time": "when", "longitude": "lng", "latitude": "lat", "type": "what"}


def test_records_are_kept_or_dropped_and_nothing_else(town: str) -> None:
    account = snapshot(load_city(town)).report()
    assert account["records"] == 400
    assert account["kept"] + sum(entry["count"] for entry in account["dropped"].values()) == 400
    assert account["dropped"]["no place"]["count"] == 8
    assert account["dropped"]["no place"]["examples"][0]["source_id"] == "7"


def test_reading_a_file_again_doubles_nothing(town: str, tmp_path: Path) -> None:
    before = snapshot(load_city(town)).months
    again = import_file(town, tiny_csv(tmp_path / "town.csv"))
    assert (again["added"], again["corrected"], again["known"]) == (0, 0, 400)
    assert snapshot(load_city(town)).months == before


def test_an_older_state_that_replaces_a_newer_one_is_said(data: Path, tmp_path: Path) -> None:
    def state(name: str, rows: range, sort: str) -> dict[str, Any]:
        path = tmp_path / name
        lines = (f"{i},2020-01-{1 + i // 4:02d} {i % 24:02d}:30,53.5,{9.9 + i / 1000},{sort if i % 3 == 0 else 'arson'}" for i in rows)  # fmt: skip
        path.write_text("\n".join(["id,when,lat,lng,what", *lines]) + "\n")
        return import_file("state", path, zone="Europe/Berlin")

    said = [state("a.csv", range(0, 80), "theft"), state("b.csv", range(20, 120), "robbery")]
    assert [notice for entry in said for notice in entry["notices"]] == []
    older = state("a.csv", range(0, 80), "theft")
    (notice,) = older["notices"]
    assert (notice["code"], notice["rows"], older["corrected"]) == ("older_file", 20, 20)
    assert "ends on 2020-01-20 07:30, before what was here (2020-01-28 14:30)" in notice["says"]
    assert snapshot(load_city("state")).imports[-1]["notices"] == [notice]


@pytest.mark.parametrize("form", ["parquet", "json", "ndjson", "csv;"])
def test_every_form_of_file_gives_the_same_events(data: Path, tmp_path: Path, form: str) -> None:
    source = tiny_csv(tmp_path / "a.csv")
    table = pl.read_csv(source, infer_schema=False)
    other = tmp_path / f"b.{form.rstrip(';')}"
    if form == "parquet":
        table.write_parquet(other)
    elif form == "json":
        table.write_json(other)
    elif form == "ndjson":
        table.write_ndjson(other)
    else:
        table.write_csv(other, separator=";")
    for name, path in (("one", source), ("two", other)):
        import_file(name, path, MAPPING, zone="Europe/Berlin")
    one, two = (
        snapshot(load_city(name)).scan().sort("source_id").collect() for name in ("one", "two")
    )
    assert one.equals(two)


def test_without_ids_equal_rows_of_a_file_are_two_records_but_never_more(
    data: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "date,lat,lon\n" + "2020-01-01 10:00,53.5,9.9\n" * 3 + "2020-01-02 10:00,53.6,9.9\n"
    )
    assert import_file("twins", path, zone="UTC")["added"] == 4
    assert import_file("twins", path)["known"] == 4
    path.write_text("date,lat,lon\n" + "2020-01-01 10:00,53.5,9.9\n" * 5)
    assert import_file("twins", path)["added"] == 2


def test_the_second_row_of_an_id_is_a_duplicate(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "id,date,lat,lon\n1,2020-01-01,53.5,9.9\n1,2020-01-02,53.5,9.9\n2,2020-01-01,53.5,9.8\n"
    )
    import_file("twice", path, zone="UTC")
    account = snapshot(load_city("twice")).report()
    assert (account["kept"], account["dropped"]["duplicate"]["count"]) == (2, 1)
    import_file("twice", path)
    assert snapshot(load_city("twice")).report()["records"] == 3


def test_a_corrected_record_replaces_the_old_one(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,date,lat,lon\n1,2020-01-01,53.5,9.9\n2,2020-01-05,0,0\n")
    import_file("late", path, zone="UTC")
    path.write_text("id,date,lat,lon\n1,2020-02-03,53.5,9.9\n2,2020-01-05,53.5,9.91\n")
    assert import_file("late", path)["corrected"] == 2
    city = load_city("late")
    assert snapshot(city).scan().collect().height == 2
    assert snapshot(city).read_dropped().is_empty()
    assert set(snapshot(city).months) == {"2020-01", "2020-02"}


def test_metres_and_withheld_places(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    path.write_text(
        "TYPE,YEAR,MONTH,DAY,HOUR,MINUTE,X,Y\nTheft,2020,1,1,0,5,490320.3,5458600\nTheft,2020,1,1,0,6,0,0\n"
    )
    result = import_file("vancouver", path, crs="EPSG:32610", zone="America/Vancouver")
    assert result["dropped"] == {"no place": 1}
    city = load_city("vancouver")
    event = snapshot(city).scan().collect().to_dicts()[0]
    assert city.crs == "EPSG:32610"
    assert (event["x"], event["y"]) == pytest.approx((490320.3, 5458600), abs=0.01)
    assert (event["longitude"], event["latitude"]) == pytest.approx((-123.133, 49.280), abs=0.002)


def test_one_mistyped_place_does_not_make_the_city_a_continent(data: Path, tmp_path: Path) -> None:
    path = tiny_csv(tmp_path / "a.csv")
    path.write_text(path.read_text() + "9999,2020-01-01 10:00,-87.6,41.8,Theft\n")
    result = import_file("town", path, MAPPING, zone="Europe/Berlin")
    assert result["dropped"]["outside the city"] == 1
    x0, _, x1, _ = load_city("town").bounds
    assert x1 - x0 < 30_000


def test_the_future_is_no_time_for_records(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,date,lat,lon\n1,2020-01-01,53.5,9.9\n2,2999-01-05,53.5,9.9\n3,,53.5,9.9\n")
    assert import_file("soon", path, zone="UTC")["dropped"] == {"in the future": 1, "no time": 1}


@pytest.mark.parametrize(
    ("name", "content", "options", "text"),
    [
        ("a.csv", None, {}, "There is no file"),
        ("a.xls", "x", {}, "is not a kind of file"),
        ("a.csv", "", {}, "can't be read|holds no rows"),
        ("a.csv", "date,lat,lon\n", {}, "holds no rows"),
        ("a.parquet", "not parquet", {}, "can't be read as PARQUET"),
        ("a.json", "{", {}, "can't be read as JSON"),
        ("a.csv", "a,b\n1,2\n", {}, "No column was found for the time"),
        ("a.csv", "date,lat,lon\n2020-01-01,1,2\n", {"zone": "Mars"}, "not a time zone"),
        ("a.csv", "date,lat,lon\n2020-01-01,1,2\n", {"crs": "EPSG:1"}, "not a coordinate reference system"),
        ("a.csv", "date,lat,lon\n2020-01-01,x,y\n", {}, "No row has a place"),
    ],
)  # fmt: skip
def test_bad_files_leave_nothing_behind(
    data: Path, tmp_path: Path, name: str, content: str | None, options: dict[str, str], text: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=text):
        import_file("nowhere", path, **{"zone": "UTC", **options})
    with pytest.raises(UserError, match="no city called"):
        load_city("nowhere")
    assert not list(data.rglob("*.parquet"))


def test_an_unknown_city_needs_a_time_zone(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="To make it from a file, add --tz"):
        import_file("nowhere", tiny_csv(tmp_path / "a.csv"), MAPPING)


def test_a_name_cannot_leave_the_data_folder(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="can't be a name"):
        import_file("../../etc", tiny_csv(tmp_path / "a.csv"), MAPPING, zone="UTC")


def test_a_failure_while_writing_leaves_the_old_records(
    town: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = load_city(town)
    before = snapshot(city).scan().collect()
    monkeypatch.setattr(
        "crimecast.records.archive.write_json",
        lambda *_: (_ for _ in ()).throw(OSError("disk full")),
    )
    with pytest.raises(OSError, match="disk full"):
        import_file(town, tiny_csv(tmp_path / "more.csv", seed=5, count=600))
    assert snapshot(city).scan().collect().equals(before)


def test_a_small_file_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb.parquet"
    pl.DataFrame({f"c{i}": [0] for i in range(9)}).select(
        pl.all().repeat_by(200_000).explode()
    ).write_parquet(path)
    assert path.stat().st_size < 50_000
    assert read_table(path).shape == (200_000, 9)
    monkeypatch.setattr(parquets, "MOST_VALUES", 1_000_000)
    with pytest.raises(UserError, match="split it into parts"):
        read_table(path)


def test_a_file_nested_too_deeply_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * 200_000, encoding="utf-8")
    with pytest.raises(UserError, match="nested too deeply"):
        read_table(path)


@pytest.mark.parametrize(
    "beside", ["notes.txt", "datapackage.json", "data_dictionary.csv", "readme.csv"]
)
def test_what_describes_the_data_is_no_table_of_them(
    beside: str, data: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "town.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(tiny_csv(tmp_path / "town.csv"), "export/town.csv")
        archive.writestr(f"export/{beside}", '{"field": "meaning"}' if beside.endswith("json") else "field,meaning\nid,number\n")  # fmt: skip
    assert import_file("packed", packed, MAPPING, zone="Europe/Berlin")["read"] == 400
