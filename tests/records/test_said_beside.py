"""What columns that aren't used, names and odd values say: told in a notice, or refused in a sentence."""

import gzip
import io
import tarfile
from datetime import timedelta
from pathlib import Path

import pytest
from pyproj import Transformer

from crimecast.cli import main
from tests.records.test_import_kinds import EAST, NORTH, PLAIN, ROWS, TIMES, Run, codes, lines

HEAD = "id,date,{},longitude,latitude,type"


def beside(values: list[str]) -> list[str]:
    return [f"{time},{value}" for time, value in zip(PLAIN, values, strict=True)]


def every_fifth(odd: str, other: str) -> list[str]:
    return [odd if i % 5 == 0 else other for i in range(ROWS)]


@pytest.mark.parametrize(
    ("name", "values", "code"),
    [
        ("record_status", every_fifth("D", "A"), "not_events"),
        ("disposition", every_fifth("FALSE ALARM", "REPORT TAKEN"), "not_events"),
        ("is_test", every_fifth("1", "0"), "not_events"),
        ("Duplicate", [f"Duplicate of 311-{i}" if i % 5 == 0 else "" for i in range(ROWS)], "not_events"),
        ("n_casos", [str(1 + i % 3) for i in range(ROWS)], "counted_rows"),
        ("qtd", [str(1 + i % 3) for i in range(ROWS)], "counted_rows"),
        ("count", [("<5", "6", "9")[i % 3] for i in range(ROWS)], "counted_rows"),
        ("count", ["-1" if i % 40 == 0 else str(1 + i % 3) for i in range(ROWS)], "counted_rows"),
        ("tz", ["EST5EDT"] * ROWS, "named_zone"),
        ("tz", ["PST"] * ROWS, "named_zone"),
    ],
)  # fmt: skip
def test_a_column_that_is_not_used_and_changes_what_a_row_means(
    run: Run, name: str, values: list[str], code: str
) -> None:
    result, _ = run(lines(beside(values), head=HEAD.format(name)))
    assert code in codes(result)


@pytest.mark.parametrize("name", ["note", "officer_count", "tz", "record_status"])
def test_a_column_that_says_nothing_of_it(run: Run, name: str) -> None:
    values = {"tz": "CST6CDT", "record_status": "A"}.get(name, "2")
    result, _ = run(lines(beside([values] * ROWS), head=HEAD.format(name)))
    assert not {"not_events", "counted_rows", "named_zone", "named_utc"} & set(codes(result))


@pytest.mark.parametrize("name", ["Incident Time (US/Eastern)", "Occurred (PST)"])
def test_times_that_are_named_after_another_zone(run: Run, name: str) -> None:
    result, _ = run(lines(head=f"id,{name},longitude,latitude,type"))
    assert "named_zone" in codes(result)


def test_a_zone_of_the_city_in_a_name_is_none_to_speak_of(run: Run) -> None:
    result, _ = run(lines(head="id,Incident Time (US/Central),longitude,latitude,type"))
    assert "named_zone" not in codes(result)


def test_seconds_named_for_satellites_may_count_from_1980(run: Run) -> None:
    seconds = [int((t - timedelta(days=3657)).timestamp()) for t in TIMES]
    result, _ = run(lines(seconds, head="id,gps_time,longitude,latitude,type"))
    assert "gps_time" in codes(result)


def test_a_column_for_each_hour(run: Run) -> None:
    hours = [",".join("1" if hour == t.hour else "0" for hour in range(24)) for t in TIMES]
    times = [f"{t:%Y-%m-%d},{row}" for t, row in zip(TIMES, hours, strict=True)]
    head = ",".join(f"{hour:02}h" for hour in range(24))
    result, _ = run(lines(times, head=f"id,date,{head},longitude,latitude,type"))
    assert "pivoted" in codes(result)


def test_shares_that_no_chance_makes_are_said_of_few_records_too(run: Run) -> None:
    times = [f"{t:%Y-%m-%d} {'00:00' if i % 4 == 0 else f'{t:%H:%M}'}" for i, t in enumerate(TIMES)]  # fmt: skip
    east = [-87.65 if i % 3 == 0 else v for i, v in enumerate(EAST)]
    north = [41.85 if i % 3 == 0 else v for i, v in enumerate(NORTH)]
    result, _ = run(lines(times, east, north))
    assert {"many_at_midnight", "one_place"} <= set(codes(result))
    result, _ = run(lines(), city="plain")
    assert not {"many_at_midnight", "one_place"} & set(codes(result))


def test_years_of_two_digits_where_another_calendar_is_used(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tehran.csv"
    times = [f"0{1 + i % 2}/{1 + i % 12:02}/{1 + i % 28:02}" for i in range(ROWS)]
    path.write_text(lines(times, [v + 139 for v in EAST], [v - 6 for v in NORTH]))
    assert main(["import", "tehran", str(path), "--tz", "Asia/Tehran"]) == 2
    assert "Persian" in capsys.readouterr().err


def test_ethiopian_years_are_said(run: Run) -> None:
    east, north = [v + 126.4 for v in EAST], [v - 32.85 for v in NORTH]
    times = [f"{t.year - 7}-{t:%m-%d %H:%M}" for t in TIMES]
    result, _ = run(lines(times, east, north), zone="Africa/Addis_Ababa")
    assert "old" in codes(result)


@pytest.mark.parametrize("form", ["text", "bytes"])
def test_points_that_name_their_coordinate_system(run: Run, form: str) -> None:
    import shapely

    x, y = Transformer.from_crs("EPSG:4326", "EPSG:26916", always_xy=True).transform(EAST, NORTH)
    points = shapely.set_srid(shapely.points(x, y), 26916)
    said = [f"SRID=26916;{shapely.to_wkt(p, rounding_precision=3)}" for p in points]
    if form == "bytes":
        said = [shapely.to_wkb(p, hex=True, include_srid=True) for p in points]
    rows = [f"{i},{t},{p},theft" for i, (t, p) in enumerate(zip(PLAIN, said, strict=True))]
    _, events = run("\n".join(["id,date,geom,type", *rows]))
    assert sorted(events["longitude"].to_list()) == pytest.approx(sorted(EAST), abs=1e-5)


def test_numbers_that_stand_for_no_place_are_no_other_system(run: Run) -> None:
    east = [-999 if i % 10 == 0 else v for i, v in enumerate(EAST)]
    north = [-999 if i % 10 == 0 else v for i, v in enumerate(NORTH)]
    result, events = run(lines(east=east, north=north))
    assert "other_unit" not in codes(result)
    assert len(events) == ROWS - ROWS // 10


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("page.csv", b"<html><body><table></table></body></html>", "web page"),
        ("a.tar.gz", b"", "unpack it"),
        ("round.csv", lines(east=[v + 500 for v in EAST]).encode(), "412"),
    ],
)
def test_a_file_that_is_no_table(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, said: str
) -> None:  # fmt: skip
    path = tmp_path / name
    if name.endswith("gz"):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            info = tarfile.TarInfo("a.csv")
            info.size = len(text := lines().encode())
            archive.addfile(info, io.BytesIO(text))
        content = gzip.compress(packed.getvalue())
    path.write_bytes(content)
    assert main(["import", "none", str(path), "--tz", "America/Chicago"]) == 2
    assert said in capsys.readouterr().err


def test_texts_that_stand_for_no_type(run: Run) -> None:
    rows = [f"{i},{t},{a},{b},{('N/A', 'Theft' + chr(0))[i % 2]}" for i, (t, a, b) in enumerate(zip(PLAIN, EAST, NORTH, strict=True))]  # fmt: skip
    result, events = run("\n".join(["id,date,longitude,latitude,type", *rows]))
    assert set(events["type"]) == {"(none given)", "theft"}
    assert "type_missing" in codes(result)


def test_a_system_that_another_column_of_points_names_is_not_theirs(run: Run) -> None:
    import shapely

    x, y = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True).transform(EAST, NORTH)
    points = shapely.to_wkb(shapely.set_srid(shapely.points(x, y), 3857), hex=True, include_srid=True)  # fmt: skip
    both = [f"{t},{p}" for t, p in zip(PLAIN, points, strict=True)]
    _, events = run(lines(both, head="id,date,the_geom_webmercator,lng,lat,type"))
    assert sorted(events["longitude"].to_list()) == pytest.approx(sorted(EAST), abs=1e-5)


def test_how_exact_a_time_is_is_no_clock(run: Run) -> None:
    times = [f"{t:%d %B %Y},{i % 3 + 1}" for i, t in enumerate(TIMES)]
    _, events = run(lines(times, head="id,event_date,time_precision,longitude,latitude,type"))
    assert set(events["time"].dt.hour()) == {0}
    assert set(events["time"].dt.minute()) == {0}


def test_when_a_row_was_added_is_not_when_it_happened(run: Run) -> None:
    later = [f"{t:%Y%m%d},{t + timedelta(days=9):%Y%m%d%H%M%S}" for t in TIMES]
    result, _ = run(lines(later, head="id,SQLDATE,DATEADDED,longitude,latitude,type"))
    assert result["columns"]["time"] == ["SQLDATE"]


def test_degrees_minutes_and_thousandths_of_seconds_in_one_number(run: Run) -> None:
    def whole(value: float) -> str:
        milli = round(abs(value) * 3_600_000)
        degrees, rest = divmod(milli, 3_600_000)
        return f"{degrees}{rest // 60_000:02}{rest % 60_000:05}"

    result, events = run(lines(east=[whole(v) for v in EAST], north=[whole(v) for v in NORTH]))
    assert "minutes_and_seconds" in codes(result)
    assert sorted(events["longitude"].to_list()) == pytest.approx(sorted(EAST), abs=1e-6)


def test_one_post_code_in_every_row_is_no_date(run: Run) -> None:
    times = [f"{t:%m/%d/%Y %I:%M:%S %p},11201" for t in TIMES]
    result, _ = run(lines(times, head="id,Created Date,Incident Zip,longitude,latitude,type"))
    assert result["columns"]["time"] == ["Created Date"]


def test_outside_is_no_side_of_the_earth(run: Run) -> None:
    result, _ = run(lines(beside(["O"] * ROWS), head=HEAD.format("Inside_Outside")))
    assert "side_of_earth" not in codes(result)
