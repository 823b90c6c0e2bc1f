"""Further kinds as cities publish them: other years, sheets a month, formulas, cut-off files, doubtful axes."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyproj
import pytest

from crimecast.cli import main
from tests.records.test_import_kinds import (
    EAST,
    HEAD,
    NORTH,
    ROWS,
    TIMES,
    Run,
    codes,
    lines,
    right,
)


def japan(t: datetime) -> str:
    return f"令和{t.year - 2018}年{t.month}月{t.day}日"


WRITTEN = {
    "emperor's years": lambda t: f"{japan(t)} {t.hour}時{t.minute:02}分",
    "emperor's years, no space": lambda t: f"{japan(t)}{t.hour}時{t.minute:02}分",
    "emperor's letters": lambda t: f"R{t.year - 2018}.{t.month:02}.{t.day:02} {t:%H:%M}",
    "republic": lambda t: f"{t.year - 1911}/{t.month:02}/{t.day:02} {t:%H:%M}",
    "republic in words": lambda t: f"民國{t.year - 1911}年{t.month}月{t.day}日 {t:%H:%M}",
}


@pytest.mark.parametrize("form", WRITTEN)
def test_years_of_other_eras(run: Run, form: str) -> None:
    result, events = run(lines([WRITTEN[form](t) for t in TIMES]))
    assert right(events)
    assert "other_years" in codes(result)


def test_the_first_year_of_an_era_and_seven_digits(run: Run) -> None:
    days = [t.replace(year=2019, month=6, hour=0, minute=0, day=min(t.day, 30)) for t in TIMES]
    _, events = run(lines([f"令和元年{t.month}月{t.day}日" for t in days]))
    assert events["time"].to_list() == sorted(days)
    _, events = run(lines([f"{t.year - 1911}{t:%m%d}" for t in days]), city="taipei")
    assert events["time"].to_list() == sorted(days)


def test_sheets_with_the_same_columns_are_read_as_one(run: Run, tmp_path: Path) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(str(tmp_path / "months.xlsx"))
    for part in range(3):
        sheet = book.add_worksheet(f"month {part}")
        sheet.write_row(0, 0, ["About", "this"]) if part else None
        sheet.write_row(part, 0, HEAD.split(","))
        for row, i in enumerate(range(part, ROWS, 3)):
            sheet.write_row(
                row + part + 1, 0, [i, f"{TIMES[i]:%Y-%m-%d %H:%M}", EAST[i], NORTH[i], "X"]
            )
    notes = book.add_worksheet("notes")
    for row in range(3):
        notes.write_row(row, 0, ["column", "what it means"])
    book.close()
    result, events = run(tmp_path / "months.xlsx")
    assert right(events)
    said = [n["says"] for n in result["notices"] if n["code"] == "sheets"]
    assert any("3 sheets" in text for text in said)
    assert any("notes" in text for text in said)


def test_texts_written_as_formulas(run: Run) -> None:
    times = [f'"=""{t:%Y-%m-%d %H:%M}"""' for t in TIMES]
    _, events = run(lines(times, kind='="007"'))
    assert right(events)
    assert set(events["type"]) == {"007"}


def test_a_file_that_ends_within_a_field(run: Run) -> None:
    text = lines().replace("THEFT\n", "THEFT\n", 1)
    result, events = run(text.rstrip("\n")[:-3])
    assert events.height == ROWS - 1
    assert "bad_rows" in codes(result)
    whole, events = run(text.rstrip("\n"), city="whole")
    assert events.height == ROWS
    assert "bad_rows" not in codes(whole)


def test_records_as_a_database_writes_them(run: Run) -> None:
    rows = [
        {"_id": {"$oid": f"{i:024x}"}, "date": {"$date": f"{t:%Y-%m-%dT%H:%M:%SZ}"}, "longitude": {"$numberDouble": str(a)}, "latitude": b, "type": "X"}
        for i, (t, a, b) in enumerate(zip(TIMES, EAST, NORTH, strict=True))
    ]  # fmt: skip
    result, events = run("\n".join(map(json.dumps, rows)), suffix=".json", zone="UTC")
    assert right(events), result


def test_lines_are_placed_at_their_middle_and_that_is_said(run: Run) -> None:
    features = [
        {"type": "Feature", "properties": {"date": f"{t}"}, "geometry": {"type": "LineString", "coordinates": [[a, b], [a + 0.001, b]]}}
        for t, a, b in zip(TIMES, EAST, NORTH, strict=True)
    ]  # fmt: skip
    result, events = run(json.dumps({"type": "FeatureCollection", "features": features}), suffix=".geojson")  # fmt: skip
    assert right(events)
    assert "middle" in codes(result)


def test_rounded_days_of_a_spreadsheet_are_said(run: Run) -> None:
    serial = [(t - datetime(1899, 12, 30)).total_seconds() / 86400 for t in TIMES]
    result, _ = run(lines([f"{v:.2f}" for v in serial]))
    assert "rounded_times" in codes(result)
    result, events = run(lines([f"{v:.5f}" for v in serial]), city="fine")
    assert right(events)
    assert "rounded_times" not in codes(result)


@pytest.mark.parametrize(
    ("names", "doubtful"), [(("x", "y"), True), (("easting", "northing"), False)]
)
def test_axes_that_could_be_exchanged_are_doubted(
    run: Run, names: tuple[str, str], doubtful: bool
) -> None:
    ahead = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:2180", always_xy=True)
    east, north = ahead.transform([v + 106.6 for v in EAST], [v + 10.3 for v in NORTH])
    text = lines(None, [f"{v:.1f}" for v in east], [f"{v:.1f}" for v in north], f"id,date,{names[0]},{names[1]},type")  # fmt: skip
    result, _ = run(text, "--crs", "EPSG:2180", zone="Europe/Warsaw")
    assert ("axes_in_doubt" in codes(result)) is doubtful


def test_records_within_what_a_portal_says_of_them(run: Run) -> None:
    """OpenDataSoft's `fields` and JSON:API's `attributes`, beside the portal's own stamps."""
    own = [
        {"date": f"{t:%Y-%m-%d %H:%M}", "longitude": a, "latitude": b, "type": "X"}
        for t, a, b in zip(TIMES, EAST, NORTH, strict=True)
    ]
    soft = [
        {"datasetid": "crimes", "recordid": f"{i:08x}", "fields": one, "record_timestamp": "2026-01-01T00:00:00Z"}
        for i, one in enumerate(own)
    ]  # fmt: skip
    _, events = run(json.dumps({"nhits": ROWS, "records": soft}), suffix=".json", city="soft")
    assert right(events)
    api = [{"type": "crime", "id": str(i), "attributes": one} for i, one in enumerate(own)]
    _, events = run(json.dumps({"data": api, "links": {}}), suffix=".json", city="api")
    assert right(events)


@pytest.mark.parametrize(
    ("zone", "name"),
    [("Asia/Kolkata", "IST"), ("Asia/Jerusalem", "IST"), ("Asia/Shanghai", "CST"), ("America/Halifax", "AST"), ("America/Chicago", "CT"), ("Australia/Sydney", "AEDT")],
)  # fmt: skip
@pytest.mark.parametrize("form", ["{:%Y-%m-%d %H:%M} NAME", "{:%a %b %d %H:%M:00} NAME {:%Y}"])
def test_an_abbreviation_means_what_the_city_means_by_it(
    run: Run, zone: str, name: str, form: str
) -> None:
    result, events = run(
        lines([form.replace("NAME", name).format(t, t) for t in TIMES]), zone=zone, city="there"
    )
    assert right(events)
    assert "foreign_zone" not in codes(result)


def test_an_abbreviation_of_another_place_is_said(run: Run) -> None:
    result, events = run(lines([f"{t:%Y-%m-%d %H:%M} BST" for t in TIMES]), zone="Asia/Dhaka")
    assert "foreign_zone" in codes(result)
    assert events["time"].to_list() == sorted(t + timedelta(hours=5) for t in TIMES)


@pytest.mark.parametrize("form", ["%m/%d", "%d-%b", "%b %d", "%j", "%d.%m."])
@pytest.mark.parametrize("clock", [True, False])
def test_a_year_in_a_column_of_its_own(run: Run, form: str, clock: bool) -> None:
    spread = [t + timedelta(days=9 * (i % 20)) for i, t in enumerate(TIMES)]
    dates = [f"{t:%Y},{t:{form}}" + (f",{t:%H:%M}" if clock else "") for t in spread]
    day = "day_of_year" if form == "%j" else "date"
    head = f"id,year,{day}" + (",time" if clock else "") + ",longitude,latitude,type"
    _, events = run(lines(dates, head=head))
    wanted = spread if clock else [t.replace(hour=0, minute=0) for t in spread]
    assert events["time"].to_list() == sorted(wanted)


@pytest.mark.parametrize("over", [",When,Where,,What", "Incident,,Place,,Offence"])
def test_names_over_several_columns(run: Run, over: str) -> None:
    assert right(run(over + "\n" + lines())[1])


def test_names_over_several_columns_of_a_sheet(run: Run, tmp_path: Path) -> None:
    import xlsxwriter

    book = xlsxwriter.Workbook(str(tmp_path / "over.xlsx"))
    sheet = book.add_worksheet("all")
    sheet.write_row(0, 0, ["Incident", None, "Place", None, "Offence"])
    sheet.write_row(1, 0, HEAD.split(","))
    for i in range(ROWS):
        sheet.write_row(i + 2, 0, [i, f"{TIMES[i]:%Y-%m-%d %H:%M}", EAST[i], NORTH[i], "X"])
    book.close()
    assert right(run(tmp_path / "over.xlsx")[1])


def test_columns_of_fixed_width_are_refused_in_a_sentence(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        f"{i:<6}{t:%Y-%m-%d}  {a:<10.4f}{b:<10.4f}X"
        for i, t, a, b in zip(range(ROWS), TIMES, EAST, NORTH, strict=True)
    ]
    path = tmp_path / "wide.txt"
    path.write_text("\n".join(["id    date        longitude latitude  type", *rows]))
    assert main(["import", "town", str(path), "--tz", "America/Chicago"]) == 2
    assert "fixed width" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["Körperverletzung Straße", "Überfall", "THEFT"])
def test_the_degree_sign_of_dos(run: Run, kind: str) -> None:
    def sexagesimal(value: float) -> str:
        seconds = round(abs(value) * 3600, 1)
        return f"{int(seconds // 3600)}°{int(seconds // 60 % 60):02}'{seconds % 60:04.1f}"

    text = lines(
        east=[sexagesimal(v) + '""W' for v in EAST], north=[sexagesimal(v) + '""N' for v in NORTH], kind=kind
    ).replace(",87", ',"87').replace(",41°", ',"41°').replace("W,", 'W",').replace("N,", 'N",')  # fmt: skip
    _, events = run(text.encode("cp850"))
    assert right(events)
    assert events["type"].unique().to_list() == [kind.lower()]
    assert sorted(events["longitude"]) == pytest.approx(sorted(EAST), abs=1e-4)


def test_days_as_spreadsheets_count_them_under_a_name_that_says_no_day(run: Run) -> None:
    excel = [f"{(t - datetime(1899, 12, 30)) / timedelta(days=1):.8f}" for t in TIMES]
    _, events = run(lines(excel, head="id,occurred,longitude,latitude,type"))
    assert right(events)


def shifted(t: datetime) -> datetime:
    return t + timedelta(days=1, hours=3)


def parts_of(t: datetime) -> str:
    return f"{t:%Y,%B},{t.day},{t.hour}"


@pytest.mark.parametrize(
    "names",
    [
        ("REPORT_YEAR,REPORT_MONTH,REPORT_DAY,REPORT_HOUR", "OCC_YEAR,OCC_MONTH,OCC_DAY,OCC_HOUR"),
        ("reportedyear,reportedmonth,reportedday,reportedhour", "occurrenceyear,occurrencemonth,occurrenceday,occurrencehour"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("first", [0, 1])
def test_of_two_times_in_parts_the_one_that_happened(
    run: Run, names: tuple[str, str], first: int
) -> None:
    both = [(parts_of(shifted(t)), parts_of(t)) for t in TIMES]
    order = (first, 1 - first)
    times = [",".join(pair[i] for i in order) for pair in both]
    head = f"id,{','.join(names[i] for i in order)},longitude,latitude,type"
    _, events = run(lines(times, head=head))
    assert events["time"].to_list() == sorted(t.replace(minute=0) for t in TIMES)


@pytest.mark.parametrize(
    ("head", "minutes"),
    [
        ("call_received,dispatched,arrived,cleared", (0, 4, 9, 60)),
        ("Received DateTime,Entry DateTime", (0, 47)),
        ("Closed Date,Created Date", (4700, 0)),
    ],
)
def test_of_several_stages_the_first(run: Run, head: str, minutes: tuple[int, ...]) -> None:
    times = [",".join(f"{t + timedelta(minutes=m):%Y-%m-%d %H:%M}" for m in minutes) for t in TIMES]
    result, events = run(lines(times, head=f"id,{head},longitude,latitude,type"))
    assert right(events)
    assert "time_column" in codes(result)


@pytest.mark.parametrize(
    ("head", "form"),
    [
        ("year_month,day,time", "{:%Y-%m,%d,%H:%M}"),
        ("yyyymm,day,time", "{:%Y%m,%d,%H:%M}"),
        ("year,month,day,time", "{:%Y,%m,%d,%H:%M}"),
        ("year,month,day,time", "{:%Y,%m,%d,%-H%M}"),
        ("Yıl,Ay,Gün,Saat", "{:%Y,%m,%d,%H:%M}"),
    ],
)
def test_parts_with_a_clock(run: Run, head: str, form: str) -> None:
    _, events = run(
        lines([form.format(t) for t in TIMES], head=f"id,{head},longitude,latitude,type")
    )
    assert right(events)


TURKISH = ["Ocak", "Şubat"]
FORMS = {
    "Turkish, weekday behind": lambda t: f"{t.day} {TURKISH[t.month - 1]} {t.year} {['Pazartesi', 'Salı', 'Çarşamba', 'Perşembe', 'Cuma', 'Cumartesi', 'Pazar'][t.weekday()]} {t:%H:%M}",
    "Japanese weekday": lambda t: f"{t:%Y/%m/%d}({'月火水木金土日'[t.weekday()]}) {t:%H:%M}",
    "era, weekday and half of the day": lambda t: f"{japan(t)}({'月火水木金土日'[t.weekday()]}) {'午後' if t.hour > 11 else '午前'}{t.hour % 12}時{t.minute}分",
    "Korean": lambda t: f"{t.year}. {t.month}. {t.day}. {'오후' if t.hour > 11 else '오전'} {t.hour % 12 or 12}:{t:%M}",
    "Polish": lambda t: f"{t.day} {['stycznia', 'lutego'][t.month - 1]} {t.year} r. godz. {t:%H:%M}",
    "Finnish": lambda t: f"{t.day}.{t.month}.{t.year} klo {t:%H.%M}",
    "Hungarian": lambda t: f"{t.year}. jan. {t.day}. {t:%H:%M}",
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_dates_as_other_languages_write_them(run: Run, form: str) -> None:
    assert right(run(lines([FORMS[form](t) for t in TIMES]))[1])


def test_a_few_records_of_any_day_raise_no_alarm(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for city in range(6):
        rows = ["id,date,longitude,latitude,type"]
        for i, minute in enumerate(rng.integers(0, 365 * 24, 600)):
            t = datetime(2021, 1, 1) + timedelta(hours=int(minute))
            a, b = rng.uniform(-87.7, -87.6), rng.uniform(41.8, 41.9)
            rows.append(f"{i},{t:%Y-%m-%d %H:%M},{a:.5f},{b:.5f},X")
        result, _ = run("\n".join(rows), city=f"calm{city}")
        assert not codes(result) & {"first_of_month", "first_of_year", "many_at_midnight", "many_at_noon"}  # fmt: skip


def test_quotes_after_a_backslash(run: Run) -> None:
    text = lines(head="id,date,longitude,latitude,type,note").splitlines()
    both = [f'{row},"said \\"no\\", then left"' for row in text[1:]]
    assert right(run("\n".join([text[0], *both]))[1])
    folders = [f'{row},"C:\\folder\\"' for row in text[1:]]
    assert right(run("\n".join([text[0], *folders]), city="folders")[1])


@pytest.mark.parametrize("head", ["occurred (UTC)", "occurred_utc", "GMT time"])
def test_a_column_named_after_utc(run: Run, head: str) -> None:
    times = [f"{t + timedelta(hours=6):%Y-%m-%d %H:%M}" for t in TIMES]
    result, events = run(lines(times, head=f"id,{head},longitude,latitude,type"))
    assert right(events)
    assert "named_utc" in codes(result)
    marked = [f"{t + timedelta(hours=6):%Y-%m-%dT%H:%M}Z" for t in TIMES]
    result, events = run(lines(marked, head=f"id,{head},longitude,latitude,type"), city="marked")
    assert right(events)
    assert "named_utc" not in codes(result)


def test_seconds_that_lost_their_digits_are_said(run: Run) -> None:
    epoch = datetime(1970, 1, 1)
    stamps = [f"{(t + timedelta(hours=6) - epoch).total_seconds() * 1000:.5E}" for t in TIMES]
    result, _ = run(lines(stamps))
    assert "rounded_times" in codes(result)


def test_sorts_of_rows_and_corners_are_said_and_fiscal_years_are_none(
    run: Run, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = lines(head="id,date,longitude,latitude,offence").splitlines()
    sorts = [f"{row},{'ARREST' if i % 3 else 'INCIDENT'}" for i, row in enumerate(rows[1:])]
    assert "several_sorts" in codes(run("\n".join([rows[0] + ",record_type", *sorts]))[0])
    box = lines(head="id,date,lon_min,lat_min,type").splitlines()
    boxes = [f"{row},{a + 0.01},{b + 0.01}" for row, a, b in zip(box[1:], EAST, NORTH, strict=True)]
    text = "\n".join([box[0] + ",lon_max,lat_max", *boxes])
    assert "corner" in codes(run(text, city="boxes")[0])
    fiscal = [f"{t.year + (t.month > 6)},{t.month},{t.day}" for t in TIMES]
    path = tmp_path / "fiscal.csv"
    path.write_text(lines(fiscal, head="id,fiscal_year,month,day,longitude,latitude,type"))
    assert main(["import", "fiscal", str(path), "--tz", "America/Chicago"]) == 2
    assert "No column was found for the time" in capsys.readouterr().err
