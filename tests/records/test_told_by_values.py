"""What values tell where names don't: types by offences, placeholders by one instant, midnights of another clock."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
import xlsxwriter

from tests.records.test_asides import said
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

OFFENCES = ("THEFT", "ROBBERY", "ASSAULT")


def typed(place: str, offence: str, values: tuple[str, ...] = OFFENCES) -> str:
    """Records with a column of places that is named for a type, before that of the offences."""
    rows = [f"date,longitude,latitude,{place},{offence}"]
    for i in range(ROWS):
        where = ("Park", "Street", "Shop", "Home")[i % 4]
        rows.append(f"{PLAIN[i]},{EAST[i]},{NORTH[i]},{where},{values[i % len(values)]}")
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("place", "offence", "values"),
    [
        ("rodzaj miejsca", "przestępstwo", ("kradzież", "rozbój")),
        ("тип места", "преступление", ("кража", "разбой")),
        ("loại địa điểm", "tội danh", ("trộm cắp", "cướp giật")),
        ("ประเภทสถานที่", "ฐานความผิด", ("ลักทรัพย์", "ปล้นทรัพย์")),
        ("tipo_local", "natureza", ("FURTO", "ROUBO")),
        ("tipo de arma", "conducta", ("hurto", "lesiones")),
        ("unit type", "nature of call", OFFENCES),
    ],
)
def test_the_type_is_what_names_offences(
    run: Run, place: str, offence: str, values: tuple[str, ...]
) -> None:
    result, events = run(typed(place, offence, values))
    assert result["columns"]["type"] == [offence]
    assert set(events["type"]) == {value.lower() for value in values}
    assert f"'{offence}'" in said(result, "type_column")


def test_a_type_that_is_named_so_and_holds_offences_stays(run: Run) -> None:
    result, _ = run(typed("place", "type"))
    assert result["columns"]["type"] == ["type"]
    assert "type_column" not in codes(result)


@pytest.mark.parametrize(
    "spellings",
    [
        ("Körperverletzung", "Ko\u0308rperverletzung"),
        ("Körperverletzung", "K&ouml;rperverletzung"),
        ("theft &amp; fraud", "THEFT & FRAUD"),
    ],
)
def test_types_that_look_the_same_are_one(run: Run, spellings: tuple[str, str]) -> None:
    _, events = run(typed("place", "type", spellings))
    assert events["type"].n_unique() == 1
    assert "&amp;" not in events["type"][0]


def test_lines_of_two_encodings(run: Run) -> None:
    rows = lines(kind="Körperverletzung").splitlines()
    coded = [row.encode("utf-8" if i % 2 else "cp1252") for i, row in enumerate(rows)]
    result, events = run(b"\n".join(coded))
    assert set(events["type"]) == {"körperverletzung"}
    assert "cp1252" in said(result, "encoding")


@pytest.mark.parametrize("instant", ["1969-12-31 19:00", "2000-01-01 00:00"])
def test_many_rows_of_one_instant_long_ago_have_no_time(run: Run, instant: str) -> None:
    result, events = run(lines([instant] * 26 + PLAIN[26:]))
    assert result["dropped"] == {"implausible time": 26}
    assert events["time"].to_list() == sorted(TIMES[26:])


def in_utc(zone: str) -> list[datetime]:
    """The midnights on which the days of TIMES begin in a zone, in UTC."""
    days = (datetime(t.year, t.month, t.day, tzinfo=ZoneInfo(zone)) for t in TIMES)
    return [day.astimezone(UTC) for day in days]


@pytest.mark.parametrize("zone", ["America/Chicago", "Asia/Tokyo"])
def test_midnights_of_the_city_written_in_utc_are_its_days(run: Run, zone: str) -> None:
    result, events = run(lines([f"{t:%Y-%m-%d %H:%M:%S}" for t in in_utc(zone)]), zone=zone)
    assert result["precision"] == "day"
    assert events["time"].to_list() == sorted(datetime(t.year, t.month, t.day) for t in TIMES)
    assert "midnights" in said(result, "utc_dates")
    head, *rows = lines([f"{t:%Y-%m-%d %H:%M:%S}" for t in in_utc(zone)]).splitlines()
    clocks = "\n".join(f"{row},{t:%H:%M}" for row, t in zip(rows, TIMES, strict=True))
    assert right(run(f"{head},time\n{clocks}", zone=zone, city="other")[1])


def test_a_clock_of_another_day_is_left(run: Run) -> None:
    rows = ["occ_date,rep_date,rep_time,longitude,latitude,type"]
    for i, t in enumerate(TIMES):
        reported = t + timedelta(days=2, hours=5)
        rows.append(f"{t:%Y-%m-%d},{reported:%Y-%m-%d},{reported:%H:%M},{EAST[i]},{NORTH[i]},THEFT")
    result, events = run("\n".join(rows))
    assert (result["columns"]["time"], result["precision"]) == (["occ_date"], "day")
    assert events["time"].to_list() == sorted(datetime(t.year, t.month, t.day) for t in TIMES)


def test_a_clock_beside_its_own_day_is_read(run: Run) -> None:
    rows = ["occ_date,occ_time,rep_date,rep_time,longitude,latitude,type"]
    for i, t in enumerate(TIMES):
        rows.append(f"{t:%Y-%m-%d},{t:%H:%M},{t:%Y-%m-%d},{t:%H:%M},{EAST[i]},{NORTH[i]},THEFT")
    assert right(run("\n".join(rows))[1])


@pytest.mark.parametrize("what", ["format", "sheet", "comment", "1904"])
def test_what_a_workbook_says_beside_its_cells_is_repeated(
    run: Run, tmp_path: Path, what: str
) -> None:
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path, {"date_1904": what == "1904"}) as book:
        sheet = book.add_worksheet("Times in UTC" if what == "sheet" else "Crimes")
        form = 'yyyy-mm-dd hh:mm "UTC"' if what == "format" else "yyyy-mm-dd hh:mm"
        dated = book.add_format({"num_format": form} if what != "1904" else {})
        for column, name in enumerate(("date", "longitude", "latitude", "type")):
            sheet.write(0, column, name)
        if what == "comment":
            sheet.write_comment(0, 0, "All times are in UTC")
        for i, time in enumerate(TIMES):
            sheet.write_datetime(i + 1, 0, time, dated)
            sheet.write_row(i + 1, 1, [EAST[i], NORTH[i], "THEFT"])
    result, _ = run(path)
    assert ("1904" if what == "1904" else "UTC") in said(result, "sheets")


def test_a_file_that_is_named_after_utc_says_so(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "crimes_UTC.csv"
    path.write_text(lines())
    assert "crimes_UTC.csv" in said(run(path)[0], "file_says")
    path.write_text(lines([f"{t:%Y-%m-%dT%H:%M}Z" for t in TIMES]))
    assert "file_says" not in codes(run(path, city="other")[0])


def test_numbers_that_were_not_given_yet_are_none(run: Run) -> None:
    first, *rows = lines().splitlines()
    rows = [f"PENDING,{row.partition(',')[2]}" if i % 3 else row for i, row in enumerate(rows)]
    result, events = run("\n".join([first, *rows]))
    assert right(events)
    assert not result["dropped"]


def test_a_city_across_the_line_where_dates_change(run: Run) -> None:
    east = [(value + 87.65) + 180 for value in EAST]
    east = [round(value - 360 if value > 180 else value, 5) for value in east]
    result, events = run(lines(east=east, north=[v - 58.7 for v in NORTH]), zone="Pacific/Fiji")
    assert right(events)
    assert "axes_mixed" not in codes(result)
    assert sorted(events["longitude"].round(5)) == sorted(east)


@pytest.mark.parametrize(
    "form",
    ["%Y-%m-%dT%H", "%Y%m%d%H%M%S-0600", "%H giờ %M ngày %d/%m/%Y", "%d/%m/%Y a las %H:%M horas", "%Y-%m-%d %H:%M [America/Chicago]"],
)  # fmt: skip
def test_forms_that_are_read_too(run: Run, form: str) -> None:
    times = [t.replace(minute=0) if form.endswith("T%H") else t for t in TIMES]
    _, events = run(lines([t.strftime(form) for t in times]))
    assert events["time"].to_list() == sorted(times)


@pytest.mark.parametrize("form", ["{:%Y-%m-%dT%H:%M:%S}/{:%Y-%m-%dT%H:%M:%S}", "{:%Y-%m-%d %H:%M} - {:%H:%M}", "{:%Y-%m-%d %H:%M}–{:%H:%M}"])  # fmt: skip
def test_of_spans_the_beginning_is_taken_and_said(run: Run, form: str) -> None:
    times = [form.format(t, t + timedelta(minutes=40)) for t in TIMES]
    result, events = run(lines(times))
    assert right(events)
    assert "beginning" in said(result, "spans")


def test_an_offset_is_no_span(run: Run) -> None:
    result, events = run(lines([f"{t:%Y-%m-%d %H:%M}-06:00" for t in TIMES]))
    assert right(events)
    assert "spans" not in codes(result)


def test_a_sheet_for_each_offence_is_the_type(run: Run, tmp_path: Path) -> None:
    frame = pl.DataFrame({"date": TIMES, "longitude": EAST, "latitude": NORTH})
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        frame[: ROWS // 2].write_excel(book, worksheet="Theft")
        frame[ROWS // 2 :].write_excel(book, worksheet="Assault")
    result, events = run(path)
    assert result["columns"]["type"] == ["sheet"]
    assert sorted(events["type"].unique().to_list()) == ["assault", "theft"]


@pytest.mark.parametrize("name", ["time_utc", "event_gmt"])
def test_seconds_since_1970_are_converted_once_whatever_they_are_called(
    run: Run, name: str
) -> None:
    zone = ZoneInfo("America/Chicago")
    seconds = [int(t.replace(tzinfo=zone).timestamp()) for t in TIMES]
    result, events = run(lines(seconds, head=f"id,{name},longitude,latitude,type"))
    assert right(events)
    assert "named_utc" not in codes(result)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("Time (ET)", "America/Denver"), ("timestamp_pacific", "America/Denver"), ("time_cet", "Europe/London"), ("time (IST)", "Asia/Dhaka"),
        ("time_singapore", "Asia/Tokyo"), ("hora_brasilia", "America/Manaus"), ("日時（日本時間）", "Asia/Shanghai"), ("giờ Bắc Kinh", "Asia/Bangkok"),
    ],
)  # fmt: skip
def test_a_time_that_is_named_after_another_zone_says_so(run: Run, name: str, zone: str) -> None:
    result, _ = run(lines(head=f"id,{name},longitude,latitude,type"), zone=zone)
    assert name in said(result, "named_zone")


@pytest.mark.parametrize("name", ["Time (CT)", "central_time", "time_chicago"])
def test_a_time_that_is_named_after_its_own_zone_says_nothing(run: Run, name: str) -> None:
    assert "named_zone" not in codes(run(lines(head=f"id,{name},longitude,latitude,type"))[0])


@pytest.mark.parametrize(("form", "unit"), [("%Y-%m-%d %H:%M", "minute"), ("%Y-%m-%d", "day")])
def test_many_rows_of_one_minute_or_day_are_said(run: Run, form: str, unit: str) -> None:
    spread_out = [t + timedelta(days=7 * (i % 40)) for i, t in enumerate(TIMES)]
    times = [t.strftime(form) for t in spread_out]
    assert "many_at_once" not in codes(run(lines(times))[0])
    odd = datetime(2020, 6, 15, 12, 34).strftime(form)
    assert f"same {unit}" in said(run(lines([odd] * 45 + times[45:]), city="other")[0], "many_at_once")  # fmt: skip


@pytest.mark.parametrize(
    "form", ["{0}時～{1}時", "{0}-{1}h", "H{0}", "[{0},{1})", "{0}. Stunde", "[{0}h-{1}h["]
)
def test_hours_in_forms_that_are_not_read_are_said(run: Run, form: str) -> None:
    first, *rows = lines([f"{t:%Y-%m-%d}" for t in TIMES]).splitlines()
    hours = [f'"{form.format(t.hour, t.hour + 1)}"' for t in TIMES]
    text = "\n".join([f"{first},slot", *(f"{a},{b}" for a, b in zip(rows, hours, strict=True))])
    assert "'slot'" in said(run(text)[0], "clock_unread")


@pytest.mark.parametrize(
    ("encoding", "kind"),
    [("iso2022_jp", "自転車盗"), ("hz", "盗窃"), ("utf-7", "Lesão corporal")],
)
def test_encodings_whose_bytes_are_all_ascii(run: Run, encoding: str, kind: str) -> None:
    result, events = run(lines(kind=kind).encode(encoding))
    assert set(events["type"]) == {kind.lower()}
    assert "such as" in said(result, "encoding")


@pytest.mark.parametrize(("since", "is_said"), [(24_107, True), (25_569, False)])
def test_days_that_are_years_from_the_ids(run: Run, since: int, is_said: bool) -> None:
    rows = ["id,date,longitude,latitude,type"]
    for i in range(300):
        day = (date(2022, 1, 1) - date(1970, 1, 1)).days + since + i * 2 + (i * 37 % 1440) / 1440
        rows.append(
            f"{2022 + (i > 182)}-{10000 + i},{day:.6f},{-79.38 + i % 17 / 1000:.4f},{43.65 + i % 13 / 1000:.4f},Robbery"
        )
    result, _ = run("\n".join(rows), zone="America/Toronto")
    assert ("id_years" in codes(result)) == is_said


def test_a_clock_of_the_day_of_an_export(run: Run) -> None:
    rows = ["id,Datum,Uhrzeit,longitude,latitude,type"]
    for i in range(200):
        at = datetime(2021, 1, 1) + timedelta(minutes=i * 2311)
        rows.append(
            f"{i},{at:%d.%m.%Y},2023-02-0{3 + i % 2} {at:%H:%M:%S},{13.4 + i % 17 / 1000:.4f},{52.5 + i % 13 / 1000:.4f},Raub"
        )
    result, frame = run("\n".join(rows), zone="Europe/Berlin")
    assert result["columns"]["time"] == ["Datum", "Uhrzeit"]
    assert frame["time"].to_list() == [
        datetime(2021, 1, 1) + timedelta(minutes=i * 2311) for i in range(200)
    ]


def test_what_was_before_in_nearly_every_row_is_said(run: Run) -> None:
    rows = ["incident_date,committed,longitude,latitude,type"]
    for i in range(100):
        at = datetime(2021, 1, 1) + timedelta(minutes=i * 2311)
        rows.append(
            f"{at + timedelta(minutes=90 + i)},{at},{-87.6 + i % 17 / 1000:.4f},{41.8 + i % 13 / 1000:.4f},theft"
        )
    result, _ = run("\n".join(rows))
    assert any(
        "'committed' is before 'incident_date'" in notice["says"] for notice in result["notices"]
    )


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("lon_corrected", "", "corrections"),
        ("geocode_score", "98", "place_quality"),
        ("match_type", "rooftop", "place_quality"),
    ],
)
def test_corrections_and_qualities_that_are_not_used_are_said(
    run: Run, column: str, value: str, code: str
) -> None:
    rows = [f"date,longitude,latitude,type,{column}"]
    for i in range(100):
        rows.append(
            f"2021-01-{1 + i % 28:02d} 10:{i % 60:02d},{-87.6 + i % 17 / 1000:.4f},{41.8 + i % 13 / 1000:.4f},theft,{'12' if i % 9 == 0 else value}"
        )
    result, _ = run("\n".join(rows))
    assert code in codes(result)


def test_ids_written_otherwise_and_rows_written_again(run: Run) -> None:
    rows = [
        f"HX2021-{1000 + i},2021-01-{1 + i % 28:02d} {i % 24:02d}:{i % 60:02d},{-87.6 + i / 9000:.4f},{41.8 + i % 13 / 1000:.4f},theft"
        for i in range(100)
    ]
    head = "id,date,longitude,latitude,type"
    loud = [row.replace("HX", "hx") for row in rows[:30]]
    other = [row.replace("HX2021-", "HX2021-9") for row in rows[:30]]
    assert "ids_alike" in codes(run("\n".join([head, *rows, *loud]))[0])
    assert "alike" in codes(run("\n".join([head, *rows, *other]), city="second")[0])
    assert not {"alike", "ids_alike"} & set(codes(run("\n".join([head, *rows]), city="third")[0]))


def test_dates_at_a_fixed_hour_of_utc_beside_a_clock(run: Run) -> None:
    rows, true = ["id,date,clock,longitude,latitude,type"], []
    for i in range(300):
        at = datetime(2021, 1, 1, 14, 44) + timedelta(days=i, minutes=i % 240)
        true.append(at)
        rows.append(
            f"{i},{at:%Y/%m/%d} 05:00:00+00,{at:%H:%M},{-87.6 + i % 17 / 1000:.4f},{41.8 + i % 13 / 1000:.4f},theft"
        )
    _, frame = run("\n".join(rows))
    assert frame["time"].to_list() == true


def test_parts_of_a_day_among_hours_and_minutes(run: Run) -> None:
    rows, true = ["id,date,time,longitude,latitude,type"], []
    for i in range(200):
        at = datetime(2021, 1, 1) + timedelta(days=i, minutes=7 * (i + 60) % 1440)
        true.append(at)
        clock = f"{at:%H%M}" if i < 120 else f"{(at.hour * 60 + at.minute) / 1440:.5f}"
        rows.append(
            f"{i},{at:%Y-%m-%d},{clock},{-87.6 + i % 17 / 1000:.4f},{41.8 + i % 13 / 1000:.4f},theft"
        )
    _, frame = run("\n".join(rows))
    assert frame["time"].to_list() == true


def test_the_same_records_to_the_minute_and_to_the_second_are_told_before(run: Run) -> None:
    head, coarse, fine = "date,longitude,latitude,type", [], []
    for i in range(60):
        at = datetime(2021, 1, 1, 9, 13) + timedelta(minutes=i * 731)
        place = f"{-87.6 + i % 17 / 1000:.4f},{41.8 + i % 13 / 1000:.4f},theft"
        coarse.append(f"{at:%Y-%m-%d %H:%M},{place}")
        fine.append(f"{at:%Y-%m-%d %H:%M}:{1 + i % 58:02d},{place}")
    run("\n".join([head, *coarse]))
    result, _ = run("\n".join([head, *fine]))
    assert "told_before" in codes(result)
