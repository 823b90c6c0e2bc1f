"""Rows that are no events of their own, and what is written in one number: read right, or said."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from crimecast.cli import main
from tests.records.test_asides import said
from tests.records.test_import_kinds import (
    EAST,
    HEAD,
    NORTH,
    PLAIN,
    ROWS,
    TIMES,
    Run,
    codes,
    lines,
    right,
)


def beside(name: str, values: list[object]) -> str:
    """The plain file with one column more."""
    first, *rows = lines().splitlines()
    return "\n".join([f"{first},{name}", *(f"{a},{b}" for a, b in zip(rows, values, strict=True))])


def test_steps_of_one_incident(run: Run) -> None:
    rows = ["incident,status,stamp,longitude,latitude,type"]
    for i, time in enumerate(TIMES):
        for step, minutes in enumerate((0, 7, 14)):
            at = f"{time + timedelta(minutes=minutes):%Y-%m-%d %H:%M}"
            rows.append(f"E{i},{['CALL', 'SENT', 'THERE'][step]},{at},{EAST[i]},{NORTH[i]},THEFT")
    result, events = run("\n".join(rows))
    assert events.height == 3 * ROWS
    assert f"{ROWS} events" in said(result, "steps_of_one")


def test_an_address_that_comes_again_is_no_incident(run: Run) -> None:
    where = [i % 60 for i in range(ROWS)]
    text = lines(east=[EAST[i] for i in where], north=[NORTH[i] for i in where]).splitlines()
    rows = [f"{text[0]},address", *(f"{row},{i} Main St" for row, i in zip(text[1:], where, strict=True))]  # fmt: skip
    assert "steps_of_one" not in codes(run("\n".join(rows))[0])


def test_rows_that_take_others_back(run: Run) -> None:
    result, _ = run(beside("quantite", [-1 if i % 9 == 0 else 1 for i in range(ROWS)]))
    assert "taken back" in said(result, "cancelled")
    result, _ = run(beside("crime_committed", [i % 5 > 0 for i in range(ROWS)]), city="other")
    assert "crime_committed" in said(result, "not_events")


def test_what_is_deleted_a_test_or_of_another_clock(run: Run) -> None:
    result, _ = run(beside("action (A=added D=deleted)", ["AD"[i % 9 == 0] for i in range(ROWS)]))
    assert "'d'" in said(result, "not_events")
    notes = ["TEST RECORD - DO NOT COUNT" if i % 40 == 0 else "" for i in range(ROWS)]
    assert "test record" in said(run(beside("remarks", notes), city="two")[0], "not_events")
    clocks = ["local" if i < ROWS // 2 else "UTC" for i in range(ROWS)]
    assert "UTC" in said(run(beside("written", clocks), city="three")[0], "named_utc")


def test_hours_until_a_day_then_hours_and_minutes(run: Run) -> None:
    middle = datetime(2020, 1, 16)
    clocks = [f"{t.hour}" if t < middle else f"{t:%H%M}" for t in TIMES]
    rows = zip(range(ROWS), [f"{t:%Y-%m-%d}" for t in TIMES], clocks, EAST, NORTH, strict=True)
    text = "\n".join(["id,day,time,longitude,latitude", *(",".join(map(str, row)) for row in rows)])
    result, events = run(text)
    true = sorted(t.replace(minute=0) if t < middle else t for t in TIMES)
    assert events["time"].to_list() == true
    assert "clock_two_ways" in codes(result)


@pytest.mark.parametrize("offset", ["-360", "-21600", "-0600", "-06:00", "UTC-6"])
def test_offsets_of_the_citys_own_clocks(run: Run, offset: str) -> None:
    result, events = run(beside("utc_offset", [offset] * ROWS))
    assert right(events)
    assert "the offsets that America/Chicago has" in said(result, "named_offset")


def test_times_of_utc_by_a_name_with_a_number(run: Run) -> None:
    times = [f"{t + timedelta(hours=6):%Y-%m-%d %H:%M}" for t in TIMES]
    result, events = run(lines(times, head="id,time_utc0,longitude,latitude,type"))
    assert right(events)
    assert codes(result) == {"named_utc"}


def test_degrees_minutes_and_seconds_in_one_number(run: Run) -> None:
    def packed(value: float) -> str:
        seconds = round(abs(value) * 3600, 2)
        degrees, minutes = int(seconds // 3600), int(seconds // 60 % 60)
        return f"{degrees}{minutes:02d}{seconds % 60:05.2f}"

    east, north = ([packed(v) for v in side] for side in (EAST, NORTH))
    result, events = run(lines(east=east, north=north))
    assert codes(result) == {"minutes_and_seconds", "sign_lost"}
    assert np.allclose(np.sort(events["longitude"]), np.sort(EAST), atol=1e-5)
    result, _ = run(
        lines(east=[f"{v}W" for v in east], north=[f"{v}N" for v in north]), city="other"
    )
    assert codes(result) == {"minutes_and_seconds"}


def test_a_night_that_is_named_by_its_first_day(run: Run) -> None:
    rows = zip(range(ROWS), [f"{t:%Y-%m-%d},{t:%H:%M}" for t in TIMES], EAST, NORTH, strict=True)
    text = ["id,night_of,time,longitude,latitude", *(",".join(map(str, row)) for row in rows)]
    assert "a day later" in said(run("\n".join(text))[0], "night")


def test_the_place_of_an_incident_before_that_of_a_station(run: Run) -> None:
    first, *rows = lines(head="id,date,einsatz_lon,einsatz_lat,type").splitlines()
    text = [f"wache_lon,wache_lat,{first}", *(f"-87.64,41.85,{row}" for row in rows)]
    result, _ = run("\n".join(text))
    assert result["columns"]["longitude"] == ["einsatz_lon"]


def test_two_units_under_one_coordinate_system(run: Run) -> None:
    feet = [(1_170_000 + 60 * i, 1_890_000 + 50 * i) for i in range(ROWS)]
    mixed = [(x, y) if i < ROWS // 2 else (x * 0.3048, y * 0.3048) for i, (x, y) in enumerate(feet)]
    result, _ = run(lines(east=[x for x, _ in mixed], north=[y for _, y in mixed]), "--crs", "EPSG:3435")  # fmt: skip
    assert "other_unit" in codes(result)
    assert "axes_exchanged" not in codes(result)


def test_years_to_come_are_of_another_calendar(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(lines([text.replace("2020", "2077") for text in PLAIN]))
    assert main(["import", "town", str(path), "--tz", "America/Chicago"]) == 2
    assert "its times are of 2077" in capsys.readouterr().err


def test_what_of_a_time_in_parts_could_not_be_read(run: Run) -> None:
    rows = [
        f"{i},{t.year},{t.month},{t.day},{99 if i % 9 == 0 else t.hour},{t.minute},{EAST[i]},{NORTH[i]}"
        for i, t in enumerate(TIMES)
    ]
    head = HEAD.replace("date", "year,month,day,hour,minute").replace(",type", "")
    assert " 99 " in said(run("\n".join([head, *rows]))[0], "unread_times")
