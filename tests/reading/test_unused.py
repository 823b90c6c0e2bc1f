"""Forms that cities publish in which a record meant something else than what was read, without a word."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crimecast.cities.city import load_city
from crimecast.records.importing import import_file
from crimecast.records.snapshot import snapshot

ZONE = "Pacific/Auckland"


def lines(head: str, row: Any, count: int = 240) -> str:
    rng = np.random.default_rng(0)
    made = [head]
    for i in range(count):
        place = f"{-36.85 + rng.normal(0, 0.02):.5f},{174.76 + rng.normal(0, 0.02):.5f}"
        day = f"2019-{1 + i % 12:02d}-{1 + i % 28:02d}"
        made.append(row(i, day, place, rng))
    return "\n".join(made) + "\n"


def brought(tmp_path: Path, text: str, zone: str = ZONE, crs: str | None = None) -> tuple[dict[str, Any], Any]:  # fmt: skip
    path = tmp_path / "f.csv"
    path.write_text(text, encoding="utf-8")
    made = import_file("far", path, {}, zone=zone, **({"crs": crs} if crs else {}))
    events = snapshot(load_city("far")).scan().collect().sort("time")
    return made, events


def codes(made: dict[str, Any]) -> set[str]:
    return {notice["code"] for notice in made["notices"]}


@pytest.mark.parametrize("every", [4, 15, 60])
@pytest.mark.parametrize(("unknown", "column"), [(99, "hour"), (25, "OCC_HOUR"), (9999, "Time")])
def test_a_code_for_an_unknown_clock_says_nothing_of_the_others(
    data: Path, tmp_path: Path, every: int, unknown: int, column: str
) -> None:
    hhmm = unknown == 9999
    text = lines(f"date,{column},type,lat,lon", lambda i, day, place, rng: f"{day},{unknown if i % every == 0 else i % 24 * (100 if hhmm else 1)},theft,{place}")  # fmt: skip
    made, events = brought(tmp_path, text)
    assert len(events) == 240 - len(range(0, 240, every))
    hours = events["time"].dt.hour().to_list()
    assert sorted(hours) == sorted(i % 24 for i in range(240) if i % every)
    assert "no_clock" in codes(made)


@pytest.mark.parametrize(
    ("written", "minute"), [("{h}.{m:02d}", lambda m: m), ("{h}.{q}", lambda m: m // 15 * 15)]
)
def test_hours_with_a_point_have_minutes(data: Path, tmp_path: Path, written: str, minute: Any) -> None:  # fmt: skip
    text = lines("date,time,type,lat,lon", lambda i, day, place, rng: f"{day},{written.format(h=i % 24, m=i * 7 % 60, q=[0, 25, 5, 75][i * 7 % 60 // 15])},theft,{place}")  # fmt: skip
    _, events = brought(tmp_path, text)
    found = sorted(zip(events["time"].dt.hour(), events["time"].dt.minute(), strict=True))
    assert found == sorted((i % 24, minute(i * 7 % 60)) for i in range(240))


SAID = {
    "counted_rows": lines("date,crime,lat,lon,n", lambda i, day, place, rng: f"{day} 10:00,theft,{place},{1 + i % 5}"),
    "half_of_day": lines("date,ampm,type,lat,lon", lambda i, day, place, rng: f"{day},{'AM' if i % 2 else 'PM'},theft,{place}"),
    "side_of_earth": lines("date,type,lat,lat_dir,lon,lon_dir", lambda i, day, place, rng: f"{day} 10:00,theft,{place.split(',')[0][1:]},S,{place.split(',')[1]},E"),
    "clock_unread": lines("Incident Date,Hour,type,lat,lon", lambda i, day, place, rng: f"{day},{i % 12}-{i % 12 + 1},theft,{place}"),
    "named_utc": lines("date_utc,type,lat,lon", lambda i, day, place, rng: f"{day} {i % 24:02d}:00,theft,{place}"),
    "first_of_month": lines("date,type,lat,lon", lambda i, day, place, rng: f"{day[:8]}01,theft,{place}"),
    "same_id": lines("report_number,date,offense,lat,lon", lambda i, day, place, rng: f"R{i // 2},{day[:8]}05 10:00,{'theft' if i % 2 else 'robbery'},{place}"),
}  # fmt: skip


@pytest.mark.parametrize("code", SAID)
def test_what_is_left_out_is_said(data: Path, tmp_path: Path, code: str) -> None:
    assert code in codes(brought(tmp_path, SAID[code])[0])


@pytest.mark.parametrize("between", ["-", " - "])
def test_of_a_range_the_start_is_taken(data: Path, tmp_path: Path, between: str) -> None:
    text = lines("Incident Date,Time Range,type,lat,lon", lambda i, day, place, rng: f"{day},{i % 23:02d}00{between}{i % 23 + 1:02d}00,theft,{place}")  # fmt: skip
    _, events = brought(tmp_path, text)
    assert sorted(events["time"].dt.hour()) == sorted(i % 23 for i in range(240))


@pytest.mark.parametrize("day", ["1900-01-01", "1970-01-01"])
def test_a_day_on_which_programs_let_time_begin_is_none(data: Path, tmp_path: Path, day: str) -> None:  # fmt: skip
    text = lines("date,type,lat,lon", lambda i, own, place, rng: f"{day if i % 20 == 3 else own} 00:00,theft,{place}")  # fmt: skip
    made, events = brought(tmp_path, text)
    assert events["time"].dt.year().unique().to_list() == [2019]
    assert made["dropped"] == {"implausible time": 12}


def test_hours_without_am_and_pm_are_noticed(data: Path, tmp_path: Path) -> None:
    text = lines("when,type,lat,lon", lambda i, day, place, rng: f"{day} {1 + i % 12:02d}:30,theft,{place}")  # fmt: skip
    assert "half_of_day" in codes(brought(tmp_path, text)[0])


def test_an_ordinary_file_is_told_none_of_it(data: Path, tmp_path: Path) -> None:
    text = lines("id,date,type,lat,lon,beat,victim_count", lambda i, day, place, rng: f"{i + 9},{day} {i % 24:02d}:{i % 60:02d},theft,{place},{i % 7},{i % 3}")  # fmt: skip
    assert codes(brought(tmp_path, text)[0]) & set(SAID) == set()


def test_one_column_of_decimal_commas_is_no_place(data: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{1 + i % 28:02d}.03.2019 10:00;Diebstahl;{391_000 + rng.normal(0, 900):.2f};{5_820_000 + rng.normal(0, 900):.2f}".replace(".", ",").replace(",03,2019", ".03.2019") for i in range(60)]  # fmt: skip
    text = "DATUM;DELIKT;RECHTSWERT;HOCHWERT\n" + "\n".join(rows) + "\n"
    made, events = brought(tmp_path, text, "Europe/Berlin", "EPSG:25833")
    assert (made["columns"]["longitude"], made["columns"]["latitude"]) == (["RECHTSWERT"], ["HOCHWERT"])  # fmt: skip
    assert abs(events["longitude"].median() - 13.39) < 0.1
    assert abs(events["latitude"].median() - 52.52) < 0.1


def test_metres_exchanged_within_the_land_are_turned(data: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f"2020-03-{1 + i % 28:02d} 10:00,theft,{487_000 + rng.normal(0, 900):.0f},{121_000 + rng.normal(0, 900):.0f}" for i in range(60)]  # fmt: skip
    made, events = brought(tmp_path, "date,offence,X,Y\n" + "\n".join(rows) + "\n", "Europe/Amsterdam", "EPSG:28992")  # fmt: skip
    assert "axes_exchanged" in codes(made)
    assert abs(events["latitude"].median() - 52.37) < 0.1


def test_degrees_with_spaces_keep_their_side(data: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [f'2020-03-{1 + i % 28:02d} 10:00,theft,"36 50 {rng.uniform(0, 59):.2f} S","174 45 {rng.uniform(0, 59):.2f} E"' for i in range(60)]  # fmt: skip
    _, events = brought(tmp_path, "date,type,lat,lon\n" + "\n".join(rows) + "\n")
    assert abs(events["latitude"].median() + 36.84) < 0.02


def test_some_rows_in_metres_are_said(data: Path, tmp_path: Path) -> None:
    text = lines("date,type,lat,lon", lambda i, day, place, rng: f"{day} 10:00,theft,{place if i % 4 else '5920000,1757000'}")  # fmt: skip
    assert "other_unit" in codes(brought(tmp_path, text)[0])


def test_degrees_are_taken_where_there_are_metres_too(data: Path, tmp_path: Path) -> None:
    text = lines("date,type,x,y,LAT_WGS84,LONG_WGS84", lambda i, day, place, rng: f"{day} 10:00,theft,1757000.{i},5920000.{i},{place}")  # fmt: skip
    made, _ = brought(tmp_path, text)
    assert made["columns"]["longitude"] == ["LONG_WGS84"]


def test_years_and_months_in_columns(data: Path, tmp_path: Path) -> None:
    text = lines("Year,Month,type,lat,lon", lambda i, day, place, rng: f"{day[:4]},{int(day[5:7])},theft,{place}")  # fmt: skip
    made, events = brought(tmp_path, text)
    assert "months_only" in codes(made)
    assert events["time"].dt.month().n_unique() == 12
