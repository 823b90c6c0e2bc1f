"""Kinds of input that cities really publish, through the command line: read right, noticed, or refused in a sentence."""

import gzip
import json
import re
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from crimecast.cities import load_city
from crimecast.cli import main

RNG = np.random.default_rng(7)
ROWS = 300
TIMES = [datetime(2020, 1, 1) + timedelta(minutes=int(m)) for m in RNG.integers(0, 31 * 1440, ROWS)]
PLAIN = [f"{t:%Y-%m-%d %H:%M}" for t in TIMES]
EAST = [round(float(v), 5) for v in RNG.uniform(-87.7, -87.6, ROWS)]
NORTH = [round(float(v), 5) for v in RNG.uniform(41.8, 41.9, ROWS)]
HEAD = "id,date,longitude,latitude,type"
Run = Callable[..., tuple[dict[str, Any], pl.DataFrame]]


def lines(
    times: list[Any] | None = None, east: list[Any] | None = None, north: list[Any] | None = None, head: str = HEAD, sign: str = ",", kind: str = "THEFT"
) -> str:  # fmt: skip
    times = times or PLAIN
    rows = zip(range(ROWS), times, east or EAST, north or NORTH, [kind] * ROWS, strict=True)
    return "\n".join([head, *(sign.join(map(str, row)) for row in rows)]) + "\n"


def codes(result: dict[str, Any]) -> set[str]:
    return {notice["code"] for notice in result["notices"]}


def right(events: pl.DataFrame) -> bool:
    return events["time"].to_list() == sorted(TIMES)


@pytest.mark.parametrize("name", ["offense_date", "date_single", "occurred", "when", "Tatzeit"])
def test_the_only_column_of_times_is_the_time(run: Run, name: str) -> None:
    assert right(run(lines(head=f"id,{name},longitude,latitude,type"))[1])


def test_numbers_that_are_post_codes_are_no_days(run: Run) -> None:
    zips = [str(v) for v in RNG.integers(43000, 44000, ROWS)]
    text = lines(head="id,happened,longitude,latitude,type").splitlines()
    text = [f"{a},{b}" for a, b in zip(["zip", *zips], text, strict=True)]
    assert right(run("\n".join(text))[1])


def test_a_year_long_ago_is_dropped_with_a_reason(run: Run) -> None:
    times = [f"{t:%Y-%m-%d %H:%M}" for t in TIMES]
    result, events = run(lines(["1015-01-03 10:00", *times[1:]]))
    assert result["dropped"] == {"implausible time": 1}
    assert events["time"].min() > datetime(2020, 1, 1)  # type: ignore[operator]


def test_values_that_many_rows_share_far_away_are_no_place(run: Run) -> None:
    for number, (value, share) in enumerate(
        [((-1, -1), 33), ((-1, -1), 2), ((-90.2, 38.6), 33), ((180, -89.9), 30)]
    ):
        east = [value[0] if i % share == 0 else v for i, v in enumerate(EAST)]
        north = [value[1] if i % share == 0 else v for i, v in enumerate(NORTH)]
        result, _ = run(lines(east=east, north=north), city=f"town{number}")
        assert result["dropped"] == {"no place": len(range(0, ROWS, share))}
        assert "placeholders" in codes(result)
        x0, y0, x1, y1 = load_city(f"town{number}").bounds  # type: ignore[misc]
        assert x1 - x0 < 12_000
        assert y1 - y0 < 14_000


def test_exchanged_axes_and_a_lost_sign_are_mended_with_a_word(run: Run) -> None:
    for city, (result, events) in {
        "a": run(lines(east=NORTH, north=EAST), city="a"),
        "b": run(lines(east=[-v for v in EAST]), city="b"),
    }.items():
        assert codes(result) == {"axes_exchanged" if city == "a" else "sign_lost"}
        assert events["longitude"].is_between(-87.7, -87.6).all()


@pytest.mark.parametrize(
    "form",
    ["POINT ({a} {b})", "({b}, {a})", '{{"latitude": "{b}", "longitude": "{a}"}}', '{{"type": "Point", "coordinates": [{a}, {b}]}}', "{b} {a}", "SRID=4326;POINT({a} {b})"],
)  # fmt: skip
def test_places_in_one_column(run: Run, form: str) -> None:
    table = pl.DataFrame(
        {
            "date": [f"{t}" for t in TIMES],
            "where": [form.format(a=a, b=b) for a, b in zip(EAST, NORTH, strict=True)],
        }
    )
    _, events = run(table.write_csv())
    assert right(events)
    assert sorted(events["longitude"]) == pytest.approx(sorted(EAST))
    assert sorted(events["latitude"]) == pytest.approx(sorted(NORTH))


def test_a_counter_is_no_id(run: Run) -> None:
    later = [f"{t + timedelta(days=366):%Y-%m-%d %H:%M}" for t in TIMES]
    for city, head in (("a", "OBJECTID,date,longitude,latitude,type"), ("b", HEAD)):
        run(lines(head=head), city=city)
        second = lines(later, EAST[::-1], NORTH[::-1], head)
        result, events = run(second, city=city)
        assert (result["added"], events.height) == (ROWS, 2 * ROWS)
        assert run(second, city=city)[0]["known"] == ROWS
    assert "ids_reused" in codes(result)


def test_without_an_id_time_place_and_type_make_a_record(run: Run) -> None:
    text = lines(head="number,date,longitude,latitude,type").splitlines()
    for status in ("open", "closed"):
        body = [line.partition(",")[2] + f",{status}" for line in text[1:]]
        result, events = run("\n".join(["date,longitude,latitude,type,status", *body]))
    assert (result["known"], events.height) == (ROWS, ROWS)


def test_encodings_are_found(run: Run) -> None:
    for number, name in enumerate(["latin-1", "utf-16", "utf-8-sig", "utf-16-le"]):
        _, events = run(lines(kind="Körperverletzung").encode(name), city=f"town{number}")
        assert set(events["type"]) == {"körperverletzung"}
    late = lines().replace("THEFT\n", "THEFT\n", 1)[:-6] + "Körper\n"
    assert "körper" in set(run(late.encode("latin-1"), city="late")[1]["type"])


def test_minutes_and_seconds_behind_the_point(run: Run) -> None:
    east, north = ([round(abs(v) * 3600) for v in side] for side in (EAST, NORTH))
    packed = [
        [f"{v // 3600}.{v // 60 % 60:02d}{v % 60:02d}" for v in side] for side in (east, north)
    ]
    result, events = run(lines(east=[f"-{v}" for v in packed[0]], north=packed[1]))
    assert sorted(events["longitude"]) == pytest.approx(sorted(-v / 3600 for v in east))
    assert sorted(events["latitude"]) == pytest.approx(sorted(v / 3600 for v in north))
    assert "minutes_and_seconds" in codes(result)


def test_four_decimals_that_are_none_stay_what_they_are(run: Run) -> None:
    east, north = ([round(v, 4) for v in side] for side in (EAST, NORTH))
    result, events = run(lines(east=east, north=north))
    assert sorted(events["longitude"]) == pytest.approx(sorted(east))
    assert "minutes_and_seconds" not in codes(result)


def test_two_columns_of_one_name_are_said(run: Run) -> None:
    text = lines(head=HEAD + ",date").splitlines()
    both = [text[0], *(f"{line},2021-03-04" for line in text[1:])]
    result, events = run("\n".join(both))
    assert right(events)
    assert "two_columns" in codes(result)
    same = [text[0], *(f"{line},{line.split(',')[1]}" for line in text[1:])]
    assert "two_columns" not in codes(run("\n".join(same), city="other")[0])


def test_local_clocks_that_say_they_are_utc_are_noticed_in_a_few_hundred_rows(run: Run) -> None:
    # As many at each hour as San Francisco's police had from February to July 2026.
    shares = [
        57,
        33,
        27,
        16,
        12,
        10,
        16,
        25,
        37,
        41,
        43,
        44,
        35,
        50,
        52,
        56,
        58,
        62,
        64,
        57,
        52,
        50,
        53,
        49,
    ]
    rng = np.random.default_rng(3)
    hours = rng.choice(24, ROWS, p=np.array(shares) / sum(shares))
    times = [datetime(2020, 1, 1 + i % 31, h, i % 59 + 1) for i, h in enumerate(hours)]
    labelled, _ = run(lines([f"{t:%Y-%m-%dT%H:%M:%SZ}" for t in times]))
    assert "rhythm" in codes(labelled)
    plain, _ = run(lines([f"{t:%Y-%m-%dT%H:%M:%S}" for t in times]), city="other")
    assert "rhythm" not in codes(plain)


def test_the_column_that_comes_nearest_is_named(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = [f"{t:%Y-%m-%d %H:%M}" if i % 3 == 0 else "see note" for i, t in enumerate(TIMES)]
    path = tmp_path / "a.csv"
    path.write_text(lines(odd, head=HEAD.replace("date", "seen_at")))
    assert main(["import", "town", str(path), "--tz", "America/Chicago"]) == 2
    assert "'seen_at' comes nearest: 33%" in capsys.readouterr().err


def test_broken_rows_are_left_out_and_counted_with_their_lines(run: Run) -> None:
    text = lines().splitlines()
    text[5] += ",more"
    text[9] = text[9].rsplit(",", 1)[0] + ',"THEFT'
    text[20] = text[20].rsplit(",", 1)[0] + ',"THEFT\nAND ""MORE"""'
    text[30] = text[30].rsplit(",", 1)[0] + ',5" PIPE'
    result, events = run("\n".join(text))
    assert events.height == ROWS - 2
    assert {'theft and "more"', "5 pipe"} <= set(events["type"])
    (notice,) = result["notices"]
    assert (notice["code"], notice["rows"]) == ("bad_rows", 2)
    assert "6, 10" in notice["says"]


def test_a_broken_row_costs_nothing_across_blocks(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crimecast.reading.encodings.blocks.__defaults__", (4096,))
    text = lines().splitlines()
    text = [
        line.rsplit(",", 1)[0] + ',"A\nB"' if i % 3 == 1 else line for i, line in enumerate(text)
    ]
    text[150] = 'x,y,z,w,"never closed'
    result, events = run("\n".join(text))
    assert (events.height, result["notices"][0]["rows"]) == (ROWS - 1, 1)


def test_decimal_commas_titles_and_footers(run: Run) -> None:
    text = lines(
        east=[str(v).replace(".", ",") for v in EAST], north=[str(v).replace(".", ",") for v in NORTH], sign=";", head=HEAD.replace(",", ";")
    )  # fmt: skip
    _, events = run(f"Crimes of 2020;;;;\n\n{text}Total: 300\n")
    assert right(events)
    assert sorted(events["longitude"]) == pytest.approx(sorted(EAST))


def test_packed_files_and_spreadsheets(run: Run, tmp_path: Path) -> None:
    import xlsxwriter

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("README.txt", "what this is")
        archive.writestr("crimes.csv", lines())
    book = xlsxwriter.Workbook(str(tmp_path / "a.xlsx"))
    sheet = book.add_worksheet()
    sheet.write_row(1, 0, HEAD.split(","))
    dated = book.add_format({"num_format": "d/m/yy h:mm"})
    for i in range(ROWS):
        sheet.write_datetime(i + 2, 1, TIMES[i], dated)
        sheet.write_row(i + 2, 2, [EAST[i], NORTH[i], "X"])
    book.close()
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(lines().encode()))
    for number, name in enumerate(["a.zip", "a.xlsx", "a.csv.gz"]):
        assert right(run(tmp_path / name, city=f"town{number}")[1])


def test_geojson_with_dirt_and_esri_json(run: Run) -> None:
    features: list[Any] = [
        {"type": "Feature", "properties": {"date": f"{t}"}, "geometry": {"type": "Point", "coordinates": [a, b]}}
        for t, a, b in zip(TIMES, EAST, NORTH, strict=True)
    ]  # fmt: skip
    features[0]["geometry"]["coordinates"] = []
    features[1]["geometry"] = {"type": "MultiPoint", "coordinates": [[EAST[1], NORTH[1]]]}
    features[2]["geometry"] = None
    result, events = run(
        json.dumps({"type": "FeatureCollection", "features": features}), suffix=".geojson"
    )
    assert (result["dropped"], events.height) == ({"no place": 2}, ROWS - 2)
    rows = [
        {"attributes": {"OBJECTID": i, "date": f"{t}"}, "geometry": {"x": a, "y": b}}
        for i, (t, a, b) in enumerate(zip(TIMES, EAST, NORTH, strict=True))
    ]
    esri = {
        "fields": [{"name": "OBJECTID"}, {"name": "date"}],
        "spatialReference": {"wkid": 4326},
        "features": rows,
    }
    assert right(run(json.dumps(esri), suffix=".json", city="esri")[1])


def test_another_zone_than_that_of_the_places_is_said_and_the_right_one_proposed(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert codes(run(lines(), zone="Europe/Berlin")[0]) == {"zone"}
    (tmp_path / "b.csv").write_text(lines())
    assert main(["import", "other", str(tmp_path / "b.csv")]) == 2
    assert "add --tz America/Chicago" in capsys.readouterr().err


def test_times_of_a_file_in_another_zone_become_those_of_the_city(run: Run) -> None:
    run(lines(), city="chi")
    utc = [f"{t + timedelta(days=31, hours=6):%Y-%m-%d %H:%M}" for t in TIMES]
    text = lines(utc, head="number,date,longitude,latitude,type")
    _, events = run(text, city="chi", zone="UTC")
    assert events["time"].to_list()[ROWS:] == sorted(t + timedelta(days=31) for t in TIMES)


@pytest.mark.parametrize(
    ("content", "options", "text"),
    [
        (lines([f"{t.day % 12 + 1:02d}/03/2021" for t in TIMES]), [], r"month first or day first|day first or month first.*--date-format"),
        (lines([f"{t:%d/%m/%Y}" for t in TIMES]), ["--date-format", "mdy"], "can't be month first"),
        (lines([f"{t:%H:%M}" for t in TIMES]), [], "No column was found for the time.*--map time=COLUMN"),
        (lines(east=[445_000 + i for i in range(ROWS)], north=[4_630_000 + i for i in range(ROWS)]), [], "EPSG:32616.*--crs"),
        (lines(), ["--encoding", "klingon"], "not an encoding"),
        (lines(), ["--delimiter", "ab"], "one sign, or tab"),
        (lines(), ["--date-format", "hello"], "is not an order"),
    ],
)  # fmt: skip
def test_what_cant_be_known_is_refused_in_a_sentence(
    data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str,
    options: list[str],
    text: str,
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    assert main(["import", "town", str(path), "--tz", "America/Chicago", *options]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert re.search(text, said), said
    assert not list(data.rglob("*.parquet"))


def test_months_alone_make_no_finer_grid(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert "months_only" in codes(run(lines([f"{t:%Y-%m}" for t in TIMES]))[0])
    assert main(["grid", "town", "--step", "1d"]) == 2
    assert "grid of months" in capsys.readouterr().err
    assert main(["grid", "town", "--step", "1mo", "--json"]) == 0
