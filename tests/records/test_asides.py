"""What a file says beside its records, and columns that say what places, rows and clocks are: repeated in a notice."""

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from tests.records.test_import_kinds import (
    EAST,
    NORTH,
    PLAIN,
    ROWS,
    TIMES,
    Run,
    codes,
    lines,
    right,
)

DAYS = [f"{t:%Y-%m-%d}" for t in TIMES]
FEATURES = [
    {"type": "Feature", "properties": {"id": 900 + i, "when": PLAIN[i], "type": "THEFT"},
     "geometry": {"type": "Point", "coordinates": [EAST[i], NORTH[i]]}} for i in range(ROWS)
]  # fmt: skip
RECORDS = [{"id": 900 + i, "when": PLAIN[i], "lon": EAST[i], "lat": NORTH[i], "type": "THEFT"} for i in range(ROWS)]  # fmt: skip


def said(result: dict[str, Any], code: str) -> str:
    return " ".join(notice["says"] for notice in result["notices"] if notice["code"] == code)


@pytest.mark.parametrize("comment", ["# All times in UTC.", "# Coordinates in NAD27 (EPSG:4267)", "# Dates were shifted at random for privacy", "# A random sample of 10 % of all calls"])  # fmt: skip
def test_a_comment_above_the_names(run: Run, comment: str) -> None:
    result, events = run(f"{comment}\n{lines()}")
    assert right(events)
    assert comment.strip("# ") in said(result, "file_says")


def test_what_says_nothing_of_the_records_is_not_repeated(run: Run) -> None:
    result, _ = run(
        f"# Downloaded from the open data portal\n{lines()}Source: Fire department,,,,\n"
    )
    assert "file_says" not in codes(result)


def test_units_below_the_names_and_a_footer(run: Run) -> None:
    rows = lines().splitlines()
    result, _ = run("\n".join([rows[0], ",UTC,degrees,degrees,", *rows[1:]]))
    assert "UTC" in said(result, "file_says")
    result, _ = run(
        "\n".join([*rows, '"Source: Fire department. Times are UTC.",,,,']), city="other"
    )
    assert "Times are UTC" in said(result, "file_says")


def test_a_readme_in_an_archive_and_another_sheet(run: Run) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("crimes.csv", lines())
        archive.writestr("README.txt", "Crimes of a town.\nTimes are given in UTC.\n")
    assert "UTC" in said(run(packed.getvalue(), suffix=".zip")[0], "file_says")
    book = io.BytesIO()
    with xlsxwriter.Workbook(book) as workbook:
        for name, rows in (("crimes", [row.split(",") for row in lines().splitlines()]), ("Data dictionary", [["Field", "Meaning"], ["date", "Date and time of the incident (UTC)"]])):  # fmt: skip
            sheet = workbook.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    assert "(UTC)" in said(run(book.getvalue(), suffix=".xlsx", city="other")[0], "sheets")


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"type": "FeatureCollection", "exceededTransferLimit": True, "features": FEATURES}, "incomplete"),
        ({"result": {"total": 25_000, "limit": ROWS, "records": RECORDS}}, "incomplete"),
        ({"hits": {"total": {"value": 25_000}, "hits": [{"_source": row} for row in RECORDS]}}, "incomplete"),
        ({"type": "FeatureCollection", "metadata": {"timezone": "UTC"}, "features": FEATURES}, "file_says"),
        ({"result": {"total": ROWS, "records": RECORDS}}, None),
    ],
)  # fmt: skip
def test_what_a_document_says_around_its_records(
    run: Run, document: dict[str, Any], code: str | None
) -> None:
    result, events = run(json.dumps(document), suffix=".json")
    assert right(events)
    assert codes(result) & {"incomplete", "file_says"} == ({code} if code else set())


def some(odd: str, other: str) -> list[str]:
    return [odd if i % 4 == 0 else other for i in range(ROWS)]


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        ("coordinates_obscured", some("true", "false"), "inexact_places"), ("geoprivacy", some("obscured", "open"), "inexact_places"),
        ("coordinateUncertaintyInMeters", some("28000", "15"), "inexact_places"), ("Addr_type", some("Postal", "PointAddress"), "inexact_places"),
        ("occurrenceStatus", some("ABSENT", "PRESENT"), "not_events"), ("DUPLICATE", some("true", "false"), "not_events"),
        ("status", some("Closed - Duplicate", "Closed"), "not_events"), ("case_classification", some("Not a case", "Confirmed"), "not_events"),
        ("date_shift_days", [str(i % 61 - 30) for i in range(ROWS)], "shifted_dates"), ("timezone_offset", ["-06:00"] * ROWS, "named_offset"),
    ],
)  # fmt: skip
def test_columns_that_say_what_a_row_is(run: Run, name: str, values: list[str], code: str) -> None:
    told = [f"{time},{value}" for time, value in zip(PLAIN, values, strict=True)]
    result, events = run(lines(told, head=f"id,date,{name},longitude,latitude,type"))
    assert right(events)
    assert code in codes(result)
    assert set(events["type"]) == {"theft"}


@pytest.mark.parametrize(
    "name",
    ["coordinates_obscured", "geoprivacy", "coordinateUncertaintyInMeters", "Addr_type", "DUPLICATE", "shift"],
)  # fmt: skip
def test_columns_that_say_nothing_against_it(run: Run, name: str) -> None:
    value = {"coordinateUncertaintyInMeters": "10", "Addr_type": "PointAddress"}.get(name, "false")
    result, _ = run(lines([f"{time},{value}" for time in PLAIN], head=f"id,date,{name},longitude,latitude,type"))  # fmt: skip
    assert not codes(result) & {"inexact_places", "not_events", "shifted_dates"}


PARTS = ["Night", "Morning", "Afternoon", "Evening"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("interval", lambda t: t.hour * 4 + t.minute // 15), ("slot", lambda t: t.hour * 4 + t.minute // 15 + 1), ("half", lambda t: t.hour * 2 + t.minute // 30),
        ("period", lambda t: PARTS[t.hour // 6]), ("shift", lambda t: PARTS[t.hour // 6]), ("ALARM", lambda t: f"{t:%Y%m%d%H%M}"),
    ],
)  # fmt: skip
def test_clocks_that_arent_read_are_said(run: Run, name: str, value: Any) -> None:
    told = [f"{day},{value(t)}" for day, t in zip(DAYS, TIMES, strict=True)]
    result, _ = run(lines(told, head=f"id,date,{name},longitude,latitude,type"))
    assert "clock_unread" in codes(result)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["Received"], 0), (["Call Received"], 0), (["Dispatch"], 0), (["Dispatched", "Arrived"], 0), (["Arrived", "Dispatched", "Received", "Cleared"], 2),
    ],
)  # fmt: skip
def test_clocks_of_what_came_after_are_better_than_none(
    run: Run, names: list[str], chosen: int
) -> None:
    clocks = [
        ",".join(f"{t + timedelta(minutes=0 if k == chosen else 7):%H:%M}" for k in range(len(names)))
        for t in TIMES
    ]  # fmt: skip
    told = [f"{day},{clock}" for day, clock in zip(DAYS, clocks, strict=True)]
    result, events = run(lines(told, head=f"id,date,{','.join(names)},longitude,latitude,type"))
    assert right(events)
    assert "clock_column" in codes(result)


def test_tables_that_were_joined_have_two_latitudes(run: Run) -> None:
    told = [f"{time},{y},{x},{y},{x}" for time, x, y in zip(PLAIN, EAST, NORTH, strict=True)]
    text = "\n".join(["id,date,lat_x,lon_x,lat_y,lon_y,type", *(f"{i},{row},THEFT" for i, row in enumerate(told))])  # fmt: skip
    _, events = run(text)
    assert right(events)
    assert events["latitude"].is_between(41.8, 41.9).all()


def test_the_type_is_not_what_a_person_was(run: Run) -> None:
    people = ["driver", "passenger", "pedestrian"]
    told = [f"{time},{people[i % 3]},{['REAR END', 'ANGLE', 'HEAD ON'][i % 3]}" for i, time in enumerate(PLAIN)]  # fmt: skip
    text = "\n".join(["crash,date,person_type,collision_type,longitude,latitude", *(f"{i},{row},{x},{y}" for i, (row, x, y) in enumerate(zip(told, EAST, NORTH, strict=True)))])  # fmt: skip
    _, events = run(text)
    assert "driver" not in set(events["type"])


def test_parts_of_a_date_with_an_i(run: Run) -> None:
    told = [f"{t.year},{t.month},{t.day}" for t in TIMES]
    _, events = run(lines(told, head="id,iyear,imonth,iday,longitude,latitude,type"))
    assert sorted(events["time"].dt.date().to_list()) == sorted(t.date() for t in TIMES)
    assert isinstance(events, pl.DataFrame)


def test_a_total_below_a_day_and_its_clock_costs_its_own_row_alone(run: Run) -> None:
    told = [f"{t:%m/%d/%Y},{t:%H:%M}" for t in TIMES]
    text = lines(told, head="id,Date,Time,longitude,latitude,type") + "Total,300,,,,\n"
    result, events = run(text)
    assert right(events)
    assert result["dropped"] == {"no time": 1}
