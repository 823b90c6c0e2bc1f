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
    run,
)

__all__ = ["run"]


def halved(clock: str, names: str) -> str:
    """Days, clocks of twelve hours as `clock` writes them, and the halves of the day apart."""
    rows = [f"id,date,{names},half,longitude,latitude,type"]
    for i, time in enumerate(TIMES):
        parts = [f"{time:%Y-%m-%d}", time.strftime(clock), f"{time:%p}"]
        rows.append(",".join([str(i), *parts, str(EAST[i]), str(NORTH[i]), "THEFT"]))
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("clock", "names"),
    [("%I:%M", "time"), ("%I%M", "time"), ("%-I,%M", "hour,minute"), ("%-I%M", "time"), ("%H:%M", "time")],
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
        frame[:half].write_excel(book, worksheet="Theft")
        frame[half:].write_excel(book, worksheet="Assault")
    result, _ = run(path)
    assert "'sheet'" in said(result, "no_type")
    result, events = run(path, "--map", "type=sheet", city="other")
    assert sorted(events["type"].unique().to_list()) == ["assault", "theft"]


def test_a_table_on_its_side_is_refused(data: Path, tmp_path: Path) -> None:
    rows = [line.split(",") for line in lines().splitlines()]
    turned = "\n".join(",".join(column) for column in zip(*rows, strict=True))
    path = tmp_path / "turned.csv"
    path.write_text(turned)
    with pytest.raises(UserError, match="on its side"):
        import_file("town", path, zone="America/Chicago")
