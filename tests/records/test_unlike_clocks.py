"""Clocks, zones, dates and signs that lie: what is named after UTC beside a day, hours by their end, two signs."""

from datetime import timedelta
from pathlib import Path

import pytest

from crimecast.cli import main
from tests.records.test_import_kinds import EAST, NORTH, TIMES, Run, codes, lines, right

AWAY = timedelta(hours=6)  # Chicago's winter, in which all of these times lie
ROWS = range(len(TIMES))


def two(first: list[str], second: list[str]) -> list[str]:
    return [f"{a},{b}" for a, b in zip(first, second, strict=True)]


@pytest.mark.parametrize(
    "head", ["date,Time (GMT)", "Incident Date,Incident Time (UTC)", "date_utc,time_utc"]
)
def test_a_clock_named_after_utc_beside_a_day(run: Run, head: str) -> None:
    utc = [t + AWAY for t in TIMES]
    times = two([f"{t:%Y-%m-%d}" for t in utc], [f"{t:%H:%M}" for t in utc])
    result, events = run(lines(times, head=f"id,{head},longitude,latitude,type"))
    assert right(events)
    assert "named_utc" in codes(result)


def test_a_day_of_utc_beside_a_local_clock_is_said(run: Run) -> None:
    times = two([f"{t + AWAY:%Y-%m-%d}" for t in TIMES], [f"{t:%H:%M}" for t in TIMES])
    result, _ = run(lines(times, head="id,date_utc,time_local,longitude,latitude,type"))
    assert "named_utc" in codes(result)


@pytest.mark.parametrize(("head", "hours"), [("Occurred (UTC-6)", 0), ("Occurred (UTC-5)", 1), ("Occurred (UTC)", 6)])  # fmt: skip
def test_hours_from_utc_in_a_name(run: Run, head: str, hours: int) -> None:
    times = [f"{t + timedelta(hours=hours):%Y-%m-%d %H:%M}" for t in TIMES]
    result, events = run(lines(times, head=f"id,{head},longitude,latitude,type"))
    assert right(events)
    assert ("named_utc" in codes(result)) == (hours != 0)


def test_zones_that_differ_by_row_are_said(run: Run) -> None:
    zones = ["UTC" if i % 2 else "CST" for i in ROWS]
    times = two([f"{t:%Y-%m-%d %H:%M}" for t in TIMES], zones)
    result, _ = run(lines(times, head="id,date,tz,longitude,latitude,type"))
    assert "named_utc" in codes(result)


def test_an_hour_named_by_its_end(run: Run) -> None:
    times = two([f"{t:%Y-%m-%d}" for t in TIMES], [str(t.hour + 1) for t in TIMES])
    _, events = run(lines(times, head="id,date,hour_ending,longitude,latitude,type"))
    assert events["time"].to_list() == sorted(t.replace(minute=0) for t in TIMES)


def test_dates_of_two_signs_that_a_spreadsheet_turned_are_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times = [f"{t:%m/%d/%Y %H:%M}" if t.day > 12 else f"{t:%d-%m-%Y %H:%M}" for t in TIMES]
    path = tmp_path / "turned.csv"
    path.write_text(lines(times))
    assert main(["import", "turned", str(path), "--tz", "America/Chicago"]) == 2
    assert "turned the dates" in capsys.readouterr().err


def test_both_signs_lost(run: Run) -> None:
    south = [(abs(a) - 10.6, abs(b) - 29.8) for a, b in zip(EAST, NORTH, strict=True)]
    rows = [f"{i},{t:%Y-%m-%d %H:%M},{a},{b},theft" for i, (t, (a, b)) in enumerate(zip(TIMES, south, strict=True))]  # fmt: skip
    result, events = run("\n".join(["id,date,longitude,latitude,type", *rows]), zone="America/Lima")
    assert "sign_lost" in codes(result)
    assert float(events["latitude"].max()) < 0
    assert float(events["longitude"].max()) < 0


def test_marks_of_seconds_are_no_quotes(run: Run) -> None:
    def written(value: float, ends: str) -> str:
        whole = round(abs(value) * 36_000)
        degrees, rest = divmod(whole, 36_000)
        return f"{degrees}°{rest // 600:02}'{rest % 600 / 10:04.1f}\"{ends}"

    north, east = [written(v, "N") for v in NORTH], [written(v, "W") for v in EAST]
    _, events = run(lines(north=north, east=east))
    assert right(events)
    assert events["latitude"].is_between(41.79, 41.91).all()
    assert events["longitude"].is_between(-87.71, -87.59).all()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (lines([f"{t:%d%H%MZ%b%y}".upper() for t in TIMES]), "'date' is named so, but what it holds, such as '"),
        (lines(east=[round(v * 1e6) for v in EAST], north=[round(v * 1e6) for v in NORTH]), "divided by 1,000,000"),
    ],
)  # fmt: skip
def test_what_is_refused_is_shown(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: str, said: str
) -> None:
    path = tmp_path / "refused.csv"
    path.write_text(rows)
    assert main(["import", "refused", str(path), "--tz", "America/Chicago"]) == 2
    assert said in capsys.readouterr().err


def a_year(shift: int) -> list[str]:
    """Days of a whole year in three columns, their months counted from 1 + `shift`."""
    days = [t + timedelta(days=30 * (i % 12)) for i, t in enumerate(TIMES)]
    return [f"{t.year},{t.month + shift},{t.day}" for t in days]


HEAD = "id,year,month,day,longitude,latitude,type"


def test_months_counted_from_0_are_read_one_higher_and_said(run: Run) -> None:
    result, events = run(lines(a_year(-1), head=HEAD))
    _, plain = run(lines(a_year(0), head=HEAD), city="other")
    assert events["time"].to_list() == plain["time"].to_list()
    assert "from_zero" in codes(result)


def test_a_month_0_that_may_also_stand_for_none_is_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times = [f"2020,{i % 6},{i % 28 + 1}" for i in ROWS]
    path = tmp_path / "half.csv"
    path.write_text(lines(times, head=HEAD))
    assert main(["import", "half", str(path), "--tz", "America/Chicago"]) == 2
    assert "the month 0" in capsys.readouterr().err


def test_degrees_and_minutes_in_one_number(run: Run) -> None:
    east, north = (
        [f"{int(abs(v)) * 100 + abs(v) % 1 * 60:.4f}" for v in values] for values in (EAST, NORTH)
    )
    result, events = run(lines(east=east, north=north))
    assert {"minutes_and_seconds", "sign_lost"} <= set(codes(result))
    assert abs(float(events["longitude"].mean()) - sum(EAST) / len(EAST)) < 1e-5  # type: ignore[arg-type]
    assert abs(float(events["latitude"].mean()) - sum(NORTH) / len(NORTH)) < 1e-5  # type: ignore[arg-type]


def test_gradians_by_their_name_are_refused_and_by_their_place_said(
    run: Run, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    east, north = ([v / 0.9 for v in values] for values in (EAST, NORTH))
    path = tmp_path / "gon.csv"
    path.write_text(lines(east=east, north=north, head="id,date,lon_gon,lat_gon,type"))
    assert main(["import", "gon", str(path), "--tz", "America/Chicago"]) == 2
    assert "0.9" in capsys.readouterr().err
    porto = [(v + 79.05) / 0.9 for v in EAST]  # in degrees they lie in the sea
    result, _ = run(lines(east=porto, north=north), zone="Europe/Lisbon")
    assert any("As gradians" in notice["says"] for notice in result["notices"])


def test_of_two_datums_the_new_one_is_taken(run: Run) -> None:
    both = [f"{a + 0.003},{b - 0.003},{a}" for a, b in zip(EAST, NORTH, strict=True)]
    _, events = run(lines(east=both, head="id,date,lon_tokyo,lat_tokyo,lon_jgd,lat_jgd,type"))
    assert sorted(events["longitude"].to_list()) == pytest.approx(sorted(EAST), abs=1e-5)
