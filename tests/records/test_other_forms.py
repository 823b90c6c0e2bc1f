"""Forms that cities use and others don't: halves of the day apart, longitudes all round, spaces between fields, a sheet
for each type, tables on their side."""

from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from crimecast import UserError
from crimecast.records.importing import import_file
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
from tests.records.test_rows_of_one import beside


def halved(clock: str, names: str) -> str:
    """Days, clocks of twelve hours as `clock` writes them, and the halves of the day apart."""
    rows = [f"id,date,{names},half,longitude,latitude,type"]
    for i, time in enumerate(TIMES):
        parts = [f"{time:%Y-%m-%d}", time.strftime(clock), f"{time:%p}"]
        rows.append(",".join([str(i), *parts, str(EAST[i]), str(NORTH[i]), "THEFT"]))
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("clock", "names"),
    [("%I:%M", "time"), ("%I%M", "time"), ("%-I,%M", "hour,minute"), ("%-I%M", "time"), ("%H:%M", "time"), ("%-H,%M", "hour,minute"), ("%H%M", "time")],
)  # fmt: skip
def test_halves_of_the_day_in_a_column_of_their_own(run: Run, clock: str, names: str) -> None:
    result, events = run(halved(clock, names))
    assert right(events)
    assert "half_of_day" not in codes(result)


def test_halves_beside_a_whole_moment(run: Run) -> None:
    first, *rows = lines([f"{t:%Y-%m-%d %I:%M}" for t in TIMES]).splitlines()
    halves = [f"{t:%p}"[0].lower() for t in TIMES]
    text = "\n".join([f"{first},am_pm", *(f"{a},{b}" for a, b in zip(rows, halves, strict=True))])
    result, events = run(text)
    assert right(events)
    assert result["columns"]["time"] == ["date", "am_pm"]


def test_longitudes_up_to_360(run: Run) -> None:
    result, events = run(lines(east=[round(360 + value, 5) for value in EAST]))
    assert right(events)
    assert "eastwards" in said(result, "all_round")


def test_fields_that_spaces_separate(run: Run) -> None:
    names = " ".join(f'"{name}"' for name in HEAD.split(","))
    rows = [f'"{i}" {i} "{PLAIN[i]}" {EAST[i]} {NORTH[i]} "THEFT FROM CAR"' for i in range(ROWS)]
    _, events = run("\n".join([names, *rows]), suffix=".txt")
    assert right(events)


def test_a_sheet_for_each_type_says_so(run: Run, tmp_path: Path) -> None:
    frame = pl.DataFrame({"date": TIMES, "longitude": EAST, "latitude": NORTH})
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        half = ROWS // 2
        frame[:half].write_excel(book, worksheet="North")
        frame[half:].write_excel(book, worksheet="South")
    result, _ = run(path)
    assert "'sheet'" in said(result, "no_type")
    result, events = run(path, "--map", "type=sheet", city="other")
    assert sorted(events["type"].unique().to_list()) == ["north", "south"]


def test_a_table_on_its_side_is_refused(data: Path, tmp_path: Path) -> None:
    rows = [line.split(",") for line in lines().splitlines()]
    turned = "\n".join(",".join(column) for column in zip(*rows, strict=True))
    path = tmp_path / "turned.csv"
    path.write_text(turned)
    with pytest.raises(UserError, match="on its side"):
        import_file("town", path, zone="America/Chicago")


@pytest.mark.parametrize(
    ("minutes", "first", "name"), [(15, 0, "quarter_hour"), (15, 1, "time_slot"), (30, 0, "half_hour"), (30, 1, "hour_slot")]
)  # fmt: skip
def test_numbers_of_parts_of_an_hour(run: Run, minutes: int, first: int, name: str) -> None:
    rows = [f"id,date,{name},longitude,latitude,type"]
    for i, time in enumerate(TIMES):
        slot = (60 * time.hour + time.minute) // minutes + first
        rows.append(f"{i},{time:%Y-%m-%d},{slot},{EAST[i]},{NORTH[i]},THEFT")
    _, events = run("\n".join(rows))
    begun = [t.replace(minute=t.minute // minutes * minutes) for t in TIMES]
    assert events["time"].to_list() == sorted(begun)


def test_what_stands_in_other_columns_is_said(run: Run) -> None:
    zones = ["America/New_York" if i % 2 else "America/Chicago" for i in range(ROWS)]
    remarks = ["dates shifted by 364 days", *[""] * (ROWS - 1)]
    expected = {
        "named_zone": beside("clock_of", zones),
        "file_says": beside("remark", remarks),
        "several_times": beside("date2", PLAIN).replace("date,", "date1,", 1),
    }
    for number, (code, text) in enumerate(expected.items()):
        assert code in codes(run(text, city=f"town{number}")[0])


def test_persons_in_one_event_are_no_events(run: Run) -> None:
    result, _ = run(beside("number_of_casualties", [1 + i % 3 for i in range(ROWS)]))
    assert "counted_rows" not in codes(result)


def test_days_of_a_watch_and_clocks_from_dawn_are_said(run: Run) -> None:
    rows = [f"{i},{t:%Y-%m-%d},{t:%H:%M},{EAST[i]},{NORTH[i]},THEFT" for i, t in enumerate(TIMES)]
    for names, code in (("duty_date,time", "night"), ("date,time (Ethiopian)", "other_clock")):
        text = "\n".join([f"id,{names},longitude,latitude,type", *rows])
        assert code in codes(run(text, city=code.replace("_", ""))[0])


def test_clocks_of_the_police(run: Run) -> None:
    assert right(run(lines([f"{t:%d.%m.%Y at %H%M} hrs" for t in TIMES]))[1])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,date,place,type\n" + "\n".join(f"{i},{t},683'304 / 246'2{i % 90 + 10},THEFT" for i, t in enumerate(PLAIN)), "683'304"),
        (lines(head="id,date,x_km,y_km,type"), "kilometres"),
    ],
)  # fmt: skip
def test_places_of_another_form_are_named(data: Path, tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=says):
        import_file("town", path, zone="America/Chicago")
