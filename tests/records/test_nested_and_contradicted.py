"""Records in several lists or within others, and columns that contradict what is read: all read, or said."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crimecast.cli import main
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

RECORDS = [
    {"id": 900 + i, "datetime": PLAIN[i], "lon": EAST[i], "lat": NORTH[i], "type": "THEFT"} for i in range(ROWS)
]  # fmt: skip
FEATURES = [
    {
        "type": "Feature", "properties": {"id": row["id"], "datetime": row["datetime"], "type": "THEFT"},
        "geometry": {"type": "Point", "coordinates": [row["lon"], row["lat"]]},
    } for row in RECORDS
]  # fmt: skip


def of_days() -> list[dict[str, Any]]:
    days: dict[str, list[dict[str, Any]]] = {}
    for time, row in zip(PLAIN, RECORDS, strict=True):
        inner = {"time": time[11:], **{key: row[key] for key in ("id", "lon", "lat", "type")}}
        days.setdefault(time[:10], []).append(inner)
    return [{"date": day, "events": events} for day, events in days.items()]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"2020-01": RECORDS[:200], "2020-02": RECORDS[200:]}, "several_lists"),
        ({"data": {"2020": {"01": RECORDS[:100], "02": RECORDS[100:]}}}, "several_lists"),
        ({"result": {"police": {"records": RECORDS[:250]}, "fire": {"records": RECORDS[250:]}}}, "several_lists"),
        ({"a": {"type": "FeatureCollection", "features": FEATURES[:99]}, "b": {"features": FEATURES[99:]}}, "several_lists"),
        (of_days(), "unnested"),
        ([{"page": i, "results": RECORDS[100 * i : 100 * i + 100]} for i in range(3)], "unnested"),
        ([{"type": "FeatureCollection", "features": FEATURES[i::2]} for i in range(2)], None),
        ({"fields": [{"name": n} for n in RECORDS[0]] * 3, "records": RECORDS}, None),
        ({"records": RECORDS, "beats": [{"beat": i, "chief": "x"} for i in range(40)]}, "unread_list"),
    ],
)  # fmt: skip
def test_records_in_several_lists(run: Run, document: Any, said: str | None) -> None:
    result, events = run(json.dumps(document), suffix=".json")
    assert right(events)
    assert set(events["type"]) == {"theft"}
    of_lists = {"several_lists", "unnested", "unread_list", "several_places"}
    assert codes(result) & of_lists == ({said} if said else set())


@pytest.mark.parametrize(
    "place",
    [
        lambda x, y: {"locations": [{"role": "called from", "lat": y + 0.03, "lon": x}, {"role": "scene", "lat": y, "lon": x}]},
        lambda x, y: {"geometry": {"type": "MultiPoint", "coordinates": [[x + 0.03, y], [x, y]]}},
    ],
)  # fmt: skip
def test_several_places_of_one_record_are_said(
    run: Run, place: Callable[[float, float], dict[str, Any]]
) -> None:
    rows = []
    for row in RECORDS:
        plain = {key: row[key] for key in ("id", "datetime", "type")}
        at = place(row["lon"], row["lat"])
        rows.append({"type": "Feature", "properties": plain, **at} if "geometry" in at else {**plain, **at})  # fmt: skip
    result, _ = run(json.dumps(rows), suffix=".json")
    assert "several_places" in codes(result)


DAYS = ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("year", lambda t: t.year), ("Jahr", lambda t: t.year), ("month", lambda t: t.month), ("month", lambda t: f"{t:%B}"),
        ("day_of_week", lambda t: f"{t:%A}"), ("weekday", lambda t: f"{t:%a}".upper()), ("Wochentag", lambda t: DAYS[t.weekday()]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("wrong", [True, False])
def test_years_months_and_weekdays_are_held_against_the_times(
    run: Run, name: str, value: Callable[[Any], Any], wrong: bool
) -> None:
    by = timedelta(days=4 * 365 + 40 + 1) if wrong else timedelta()
    told = [f"{time},{value(t + by)}" for time, t in zip(PLAIN, TIMES, strict=True)]
    result, _ = run(lines(told, head=f"id,date,{name},longitude,latitude,type"))
    assert ("dates_contradict" in codes(result)) == wrong


@pytest.mark.parametrize("name", ["fiscal_year", "birth_year", "report_year", "model_year"])
def test_years_of_something_else_are_not(run: Run, name: str) -> None:
    told = [f"{time},{t.year + 3}" for time, t in zip(PLAIN, TIMES, strict=True)]
    result, _ = run(lines(told, head=f"id,date,{name},longitude,latitude,type"))
    assert "dates_contradict" not in codes(result)


def test_a_header_again_in_another_order_is_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = lines().splitlines()
    path = tmp_path / "stacked.csv"
    turned = [",".join(row.split(",")[i] for i in (0, 4, 2, 3, 1)) for row in rows]
    path.write_text("\n".join([*rows[:150], turned[0], *turned[150:]]))
    assert main(["import", "town", str(path), "--tz", "America/Chicago"]) == 2
    assert "row 150 repeats the header" in capsys.readouterr().err
    path.write_text("\n".join([*rows[:150], HEAD, *rows[150:]]))
    assert main(["import", "town", str(path), "--tz", "America/Chicago"]) == 0


def test_seconds_of_the_day(run: Run) -> None:
    told = [f"{t:%Y-%m-%d},{t.hour * 3600 + t.minute * 60}" for t in TIMES]
    result, events = run(lines(told, head="id,date,seconds,longitude,latitude,type"))
    assert right(events)
    assert "clock_column" in codes(result)


@pytest.mark.parametrize("off", [0.0, 0.2])
def test_points_as_text_are_held_against_the_degrees(run: Run, off: float) -> None:
    told = [f"{t},POINT ({x + off} {y})" for t, x, y in zip(PLAIN, EAST, NORTH, strict=True)]
    result, _ = run(lines(told, head="id,date,the_geom,longitude,latitude,type"))
    assert ("place_column" in codes(result)) == (off > 0)


def test_lists_of_types_in_parquet(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "lists.parquet"
    table = pl.DataFrame(RECORDS).with_columns(type=pl.Series([["Theft"]] * ROWS))
    table.write_parquet(path)
    assert set(run(path)[1]["type"]) == {"theft"}
    several = [["Theft", "Arson"] if i % 3 else ["Theft"] for i in range(ROWS)]
    table.with_columns(type=pl.Series(several)).write_parquet(path)
    assert "several_types" in codes(run(path, city="other")[0])
