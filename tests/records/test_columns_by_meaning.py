"""Which column tells when, where and what: files as cities publish them, several columns of each in one file.

Each is read as it was meant, or a notice names the doubt, or it is refused in a sentence.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from crimecast import UserError
from crimecast.cities import load_city
from crimecast.records.importing import import_file
from crimecast.records.snapshot import snapshot

RNG, ROWS = Random(1), 100
TIMES = sorted(
    datetime(2023, 1, 1) + timedelta(minutes=RNG.randrange(150 * 1440)) for _ in range(ROWS)
)
EAST = [round(-87.65 + RNG.uniform(-0.05, 0.05), 5) for _ in TIMES]
NORTH = [round(41.85 + RNG.uniform(-0.05, 0.05), 5) for _ in TIMES]
KINDS = [RNG.choice(["theft", "arson", "burglary"]) for _ in TIMES]
IDS = [1000 + 7 * i for i in range(ROWS)]
ISO = [f"{t:%Y-%m-%d %H:%M}" for t in TIMES]
DAYS = [f"{t:%Y-%m-%d}" for t in TIMES]
LATER = [f"{t + timedelta(days=2, hours=3):%Y-%m-%d %H:%M}" for t in TIMES]
OWN = ["-0500" if t >= datetime(2023, 3, 12, 3) else "-0600" for t in TIMES]  # of Chicago
PLACE = {"lon": EAST, "lat": NORTH}
HOURS = [t.replace(minute=0) for t in TIMES]
Columns = dict[str, list[Any]]


def some(*values: Any) -> list[Any]:
    rng = Random(2)
    return [rng.choice(values) for _ in TIMES]


def dms(value: float) -> list[int]:
    seconds = round(abs(value) * 3600)
    return [(-1 if value < 0 else 1) * (seconds // 3600), seconds // 60 % 60, seconds % 60]


def base(**changes: list[Any]) -> Columns:
    """A plain file with columns before its own: `id`, `type`, `lon`, `lat`."""
    return {"id": IDS, **changes, "type": KINDS, **PLACE}


def placed(name: str, own: str = "event") -> Columns:
    return {
        "id": IDS, "date": ISO, "type": KINDS, f"{name}_lat": [41.85] * ROWS, f"{name}_lon": [-87.62] * ROWS,
        f"{own}_lat": NORTH, f"{own}_lon": EAST,
    }  # fmt: skip


def exchanged(every: int) -> Columns:
    wrong = [i % every == 0 for i in range(ROWS)]
    return {
        "id": IDS, "date": ISO, "type": KINDS,
        "lon": [n if w else e for e, n, w in zip(EAST, NORTH, wrong, strict=True)],
        "lat": [e if w else n for e, n, w in zip(EAST, NORTH, wrong, strict=True)],
    }  # fmt: skip


# What is read right: the columns, and the times that are meant if not TIMES.
RIGHT: dict[str, tuple[Columns, list[datetime]]] = {
    "reported": (base(reported_date=LATER, occurred_date=ISO), TIMES),
    "denver": (
        {
            "OBJECTID": IDS, "OFFENSE_CATEGORY_ID": KINDS, "FIRST_OCCURRENCE_DATE": ISO,
            "LAST_OCCURRENCE_DATE": ["", *LATER[1:]], "REPORTED_DATE": LATER, "GEO_LON": EAST, "GEO_LAT": NORTH,
            "IS_CRIME": [1] * ROWS,
        },
        TIMES,
    ),
    "start": (base(date=LATER, start_time=ISO), TIMES),
    "hour and minute": (
        base(date=DAYS, hour=[t.hour for t in TIMES], minute=[t.minute for t in TIMES]), TIMES,
    ),
    "hour beside a constant clock": (
        base(OCC_DATE=[f"{t.month}/{t.day}/{t.year} 5:00:00 AM" for t in TIMES], OCC_HOUR=[t.hour for t in TIMES]), HOURS,
    ),
    "clock with a dummy day": (
        base(date=[f"{t:%m/%d/%Y} 12:00:00 AM" for t in TIMES], time=[f"1970-01-01T{t:%H:%M}:00Z" for t in TIMES]), TIMES,
    ),
    "clock with another dummy day": (base(date=DAYS, time=[f"2024-02-01 {t:%H:%M}:00" for t in TIMES]), TIMES),
    "são paulo": (
        {
            "NUM_BO": IDS, "DATA_REGISTRO": [f"{t + timedelta(days=1):%d/%m/%Y}" for t in TIMES],
            "DATA_OCORRENCIA_BO": [f"{t:%d/%m/%Y}" for t in TIMES], "HORA_OCORRENCIA_BO": [f"{t:%H:%M}" for t in TIMES],
            "tipo": KINDS, "LONGITUDE": EAST, "LATITUDE": NORTH,
        },
        TIMES,
    ),
    "left quotes": ({k: [f"'{v}'" for v in vs] for k, vs in base(date=ISO).items()}, TIMES),
    "minutes": (base(date=DAYS, minutes=[t.hour * 60 + t.minute for t in TIMES]), TIMES),
    "klo": (base(date=DAYS, Klo=[f"{t.hour}.{t.minute:02d}" for t in TIMES]), TIMES),
    "tijd": (base(date=DAYS, Tijd=[f"{t:%H:%M} u" for t in TIMES]), TIMES),
    "時": (base(date=DAYS, 時=[f"{t.hour}時台" for t in TIMES]), HOURS),
    "home": (placed("home", "incident"), TIMES),
    **{name: (placed(name), TIMES) for name in ("report", "origin", "station", "centroid", "old", "approx")},
    **{
        name: ({"id": IDS, "date": ISO, name: some("car", "van"), "crime": KINDS, **PLACE}, TIMES)
        for name in ("vehicle_type", "property_type", "report_type", "case_type", "call_type", "type_of_day")
    },
    "tipo_via": ({"id": IDS, "date": ISO, "tipo_via": ["calle"] * ROWS, "tipo_delito": KINDS, **PLACE}, TIMES),
    "a number named after the incident": (base(created_date=ISO, incident_district=some(101, 112, 115)), TIMES),
    "one type for all": ({"id": IDS, "date": ISO, "type": ["Crime"] * ROWS, "offense": KINDS, **PLACE}, TIMES),
    "a class beside the offence": ({"id": IDS, "date": ISO, "category": some("Part I", "Part II"), "offense_description": KINDS, **PLACE}, TIMES),
    "call type": ({"id": IDS, "date": ISO, "Call Type": KINDS, **PLACE}, TIMES),
    "german parts": (
        base(Jahr=[t.year for t in TIMES], Monat=[t.month for t in TIMES], Tag=[t.day for t in TIMES], Stunde=[t.hour for t in TIMES]), HOURS,
    ),
    "end of the deed": (base(TATZEIT_ANFANG_DATUM=DAYS, TATZEIT_ANFANG_STUNDE=[t.hour for t in TIMES], TATZEIT_ENDE_DATUM=DAYS, TATZEIT_ENDE_STUNDE=[(t.hour + 3) % 24 for t in TIMES]), HOURS),
    "hour and minut": (base(date=DAYS, timme=[t.hour for t in TIMES], minut=[t.minute for t in TIMES]), TIMES),
    "an hour named time": (base(date=DAYS, time=[t.hour for t in TIMES], minutter=[t.minute for t in TIMES]), TIMES),
    "hour and minute of no name": (base(date=DAYS, 시=[t.hour for t in TIMES], 분=[t.minute for t in TIMES]), TIMES),
    "a clock of no name": (base(date=DAYS, Kl=[f"{t:%H%M}" for t in TIMES]), TIMES),
    "parts with a minuta": (
        base(rok=[t.year for t in TIMES], miesiac=[t.month for t in TIMES], dzien=[t.day for t in TIMES], godzina=[t.hour for t in TIMES], minuta=[t.minute for t in TIMES]),
        TIMES,
    ),
    "a zone in brackets": (base(date=[f"{t:%Y-%m-%d %H:%M} (UTC{own})" for t, own in zip(TIMES, OWN, strict=True)]), TIMES),
    "a remark in brackets": (base(date=[f"{t:%Y-%m-%d %H:%M} (local)" for t in TIMES]), TIMES),
    "kl": (base(dato=DAYS, kl=[f"kl {t:%H%M}" for t in TIMES]), TIMES),
    "a duration": (base(date=DAYS, elapsed=[f"00:{t:%H:%M}" for t in TIMES]), [t.replace(hour=0, minute=0) for t in TIMES]),
    "a premise called type": ({"id": IDS, "date": ISO, "type": some("STREET", "SHOP", "HOME"), "offense": KINDS, **PLACE}, TIMES),
    "offsets that are right": (base(date=ISO, utc_offset=OWN), TIMES),
    "recovered elsewhere": (placed("recovered", "stolen"), TIMES),
    "from and to": (placed("end", "start"), TIMES),
    "how a case stands": ({"id": IDS, "date": ISO, "category": some("OPEN", "CLOSED", "ARREST"), "description": KINDS, **PLACE}, TIMES),
    "every other exchanged": (exchanged(3), TIMES),
    "a few exchanged": (exchanged(20), TIMES),
    "a sign lost": ({**base(date=ISO), "lon": [-e if i % 4 == 0 else e for i, e in enumerate(EAST)]}, TIMES),
}  # fmt: skip


@pytest.fixture
def read(data: Path, tmp_path: Path) -> Callable[..., tuple[set[str], list[tuple[Any, ...]]]]:
    """Import columns as a CSV: the notices' codes and the events, in order."""

    def go(
        columns: Columns, city: str = "town", **given: Any
    ) -> tuple[set[str], list[tuple[Any, ...]]]:
        rows = zip(*columns.values(), strict=True)
        path = tmp_path / f"{city}.csv"
        path.write_text(
            "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]),
            encoding="utf-8",
        )
        said = import_file(city, path, given.pop("mapping", {}), zone="America/Chicago", **given)
        events = (
            snapshot(load_city(city))
            .scan()
            .select("time", "longitude", "latitude", "type")
            .collect()
        )
        return {notice["code"] for notice in said["notices"]}, sorted(
            (time, round(east, 5), round(north, 5), kind)
            for time, east, north, kind in events.rows()
        )

    return go


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_meant_is_read(name: str, read: Callable[..., Any]) -> None:
    columns, times = RIGHT[name]
    assert read(columns)[1] == sorted(zip(times, EAST, NORTH, KINDS, strict=True))


def test_degrees_minutes_and_seconds_in_columns(read: Callable[..., Any]) -> None:
    parts = {
        f"{axis}_{unit}": [dms(v)[number] for v in values]
        for axis, values in (("lat", NORTH), ("lon", EAST))
        for number, unit in enumerate(("deg", "min", "sec"))
    }
    events = read({"id": IDS, "date": ISO, "type": KINDS, **parts})[1]
    wanted = sorted(zip(TIMES, EAST, NORTH, KINDS, strict=True))
    for one, other in zip(events, wanted, strict=True):
        assert (one[0], one[3]) == (other[0], other[3])
        assert one[1:3] == pytest.approx(other[1:3], abs=2e-4)


def test_letters_that_were_encoded_twice(read: Callable[..., Any]) -> None:
    words = ["violación", "robo"] * 50
    codes, events = read({**base(date=ISO), "type": [w.encode().decode("cp1252") for w in words]})
    assert {kind for *_, kind in events} == set(words)
    assert "encoded_twice" in codes


NOTICED: dict[str, tuple[Columns, str]] = {
    "time_column": (base(reported_date=ISO, occurred_date=ISO[:5] + [""] * 95), "time_column"),
    "only reported": (base(reported_date=ISO), "time_column"),
    "one place": ({"id": IDS, "date": ISO, "type": KINDS, "lon": [-87.6] * 95 + EAST[:5], "lat": [41.8] * 95 + NORTH[:5]}, "one_place"),
    "hours to 24": (base(date=DAYS, hour=[t.hour + 1 for t in TIMES]), "hours_to_24"),
    "lost halves": (base(date=[f"{t:%m/%d/%Y %I:%M}" for t in TIMES]), "half_of_day"),
    "parts of the day": (base(date=DAYS, franja=some("noche", "tarde")), "clock_unread"),
    "type once": ({**base(date=ISO), "type": [k if i % 25 == 0 else "" for i, k in enumerate(KINDS)]}, "type_missing"),
    "a column a type": ({"date": ISO, **PLACE, "theft": some(0, 0, 1), "burglary": some(0, 1), "robbery": some(0, 2)}, "pivoted"),
    "further types": ({"id": IDS, "date": ISO, "offense_1": KINDS, "offense_2": some("", "fraud"), **PLACE}, "several_types"),
    "types in one text": ({**base(date=ISO), "type": [k + "; fraud" * (i % 5 == 0) for i, k in enumerate(KINDS)]}, "several_types"),
    "a column of the zone": (base(date=ISO, tz=["UTC"] * ROWS), "named_utc"),
    "hours of another zone": (
        base(OccDate=[f"{t - timedelta(hours=6):%Y-%m-%d %H:%M}" for t in TIMES], OccHour=[t.hour for t in TIMES]), "hours_contradict",
    ),
    "a column of offsets": (base(date=ISO, utc_offset=["+0100"] * ROWS), "named_utc"),
    "weeks": (base(week_start=[f"{t - timedelta(days=t.weekday()):%Y-%m-%d}" for t in TIMES], weekday=[f"{t:%A}" for t in TIMES]), "weeks_only"),
    "months and days apart": (base(month=[f"{t:%Y-%m}" for t in TIMES], day_of_month=[t.day for t in TIMES], time=[f"{t:%H:%M}" for t in TIMES]), "months_only"),
    "weekdays for days": (base(year=[t.year for t in TIMES], month=[t.month for t in TIMES], day=[t.isoweekday() for t in TIMES]), "first_of_month"),
    "a short name of a clock": (base(date=DAYS, zz=[f"{t.hour} a {t.hour + 1}" for t in TIMES]), "clock_unread"),
    "coarse places": ({**base(date=ISO), "lon": [round(v, 1) for v in EAST], "lat": [round(v, 1) for v in NORTH]}, "rounded_places"),
    "dates in the first row of a day": (base(date=[d if i % 4 == 0 else "" for i, d in enumerate(ISO)]), "left_out"),
    "seconds since 2001": (base(date=[int((t - datetime(2001, 1, 1)).total_seconds()) for t in TIMES]), "old"),
    "a total": ({**base(date=ISO), "type": [*KINDS[:-1], "Total"]}, "totals"),
    "deleted": (base(date=ISO, status=some("OPEN", "DELETED")), "not_events"),
    "unfounded": (base(date=ISO, unfounded=some("Y", "N")), "not_events"),
    "no crime": (base(date=ISO, is_crime=some(0, 1)), "not_events"),
    "all hours": (base(date=DAYS, wann=[(7 * i) % 24 for i in range(ROWS)]), "clock_unread"),
    "another place": ({"id": IDS, "date": ISO, "type": KINDS, "a_lat": NORTH, "a_lon": EAST, "b_lat": NORTH[::-1], "b_lon": EAST[::-1]}, "place_column"),
    "another datum": ({"id": IDS, "date": ISO, "type": KINDS, "lon_ED50": EAST, "lat_ED50": NORTH}, "datum"),
    "urgency": ({"id": IDS, "date": ISO, "class": some("P1", "P2", "P3"), **PLACE}, "type_column"),
    "supplements": (base(date=ISO, supplement_no=some(0, 0, 0, 1)), "supplements"),
    "standard time in summer": (base(date=[f"{t + timedelta(days=60):%Y-%m-%d %H:%M} CST" for t in TIMES]), "standard_alone"),
    "its offset in summer": (base(date=[f"{t + timedelta(days=60):%Y-%m-%dT%H:%M}:00-06:00" for t in TIMES]), "standard_alone"),
    "another zone in a column": (base(date=ISO, timezone=["America/New_York"] * ROWS), "named_zone"),
    "standard time in a column": (base(date=ISO, tz=["CST"] * ROWS), "standard_alone"),
    "standard time in a name": ({"id": IDS, "date_(CST)": ISO, "type": KINDS, **PLACE}, "standard_alone"),
    "a row a unit": ({"unit": [i % 2 for i in range(ROWS)], **{k: [v[i // 2 * 2] for i in range(ROWS)] for k, v in base(date=ISO).items() if k != "id"}}, "alike"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOTICED)
def test_what_is_doubtful_is_said(name: str, read: Callable[..., Any]) -> None:
    columns, code = NOTICED[name]
    assert code in read(columns)[0]


@pytest.mark.parametrize(
    "more",
    [
        {}, {"status_code": ["A"] * ROWS}, {"disposition": some("A", "P")}, {"shift": some("D", "N")}, {"beat": some(111, 2512)},
        {"response_hours": some(*range(20))}, {"zip": some(60601, 60610, 60622)}, {"victims": some(0, 1, 2)}, {"end_hour": some(*range(24))},
        {"home_lon": [-87.9] * ROWS, "home_lat": [41.5] * ROWS}, {"x_feet": [1.1e6 + i for i in range(ROWS)], "y_feet": [1.8e6 + i for i in range(ROWS)]},
    ],
)  # fmt: skip
def test_a_plain_file_says_nothing(more: Columns, read: Callable[..., Any]) -> None:
    assert read(base(date=ISO, **more))[0] == set()


@pytest.mark.parametrize(
    "more",
    [
        {"beat": [f"{i % 25 + 1:02d}{i % 3 + 11}" for i in range(ROWS)]}, {"ward": some(*range(1, 51))}, {"age": some(*range(18, 80))},
        {"house": some(*range(100, 2400))}, {"district": some(*range(1, 24)), "area": some(*range(1, 40))},
    ],
)  # fmt: skip
def test_numbers_that_are_no_clocks_are_taken_for_none(
    more: Columns, read: Callable[..., Any]
) -> None:
    said, events = read(base(date=DAYS, **more))
    assert said == set()
    assert {event[0].hour for event in events} == {0}


def test_a_winter_in_standard_time_says_nothing(read: Callable[..., Any]) -> None:
    columns = base(date=[f"{datetime(2023, 1, 1) + (t - TIMES[0]) / 3:%Y-%m-%d %H:%M} CST" for t in TIMES])  # fmt: skip
    assert "standard_alone" not in read(columns)[0]


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (base(date=DAYS), "coarser_file"),
        (base(date=[f"{t:%Y-%m-%d %H:00}" for t in TIMES]), "coarser_file"),
        ({**base(date=ISO), "lon": ["" if i % 4 == 0 else v for i, v in enumerate(EAST)]}, "lost"),
        ({**base(date=DAYS), "id": [f"R{i}" for i in IDS]}, "told_before"),
        (base(date=[f"{t + timedelta(hours=1):%Y-%m-%d %H:%M}" for t in TIMES]), "clock_moved"),
        ({**base(date=ISO), "type": [kind[:3].upper() for kind in KINDS]}, "types_renamed"),
        ({"date": [f"{t:%Y-%m-%d %H:00}" for t in TIMES], "type": KINDS, **PLACE}, "told_before"),
    ],
)
def test_a_second_file_that_knows_less_is_said(
    second: Columns, code: str, read: Callable[..., Any]
) -> None:
    read(base(date=ISO))
    assert code in read(second)[0]


def test_a_clock_that_a_mapping_leaves_out_is_said(read: Callable[..., Any]) -> None:
    columns = base(Дата=[f"{t:%d.%m.%Y}" for t in TIMES], Час=[f"{t:%H:%M}" for t in TIMES])
    assert "clock_unread" in read(columns, mapping={"time": "Дата"})[0]


@pytest.mark.parametrize(
    ("dates", "says"),
    [
        ([f"{t:%d/%m/%Y %H:%M}" if t.day > 12 else f"{t.year}-{t.day:02d}-{t.month:02d} {t:%H:%M}" for t in TIMES], "spreadsheet"),
        ([(t - datetime(1970, 1, 1)).days for t in TIMES], "counted from another day"),
        ([(t - datetime(1960, 1, 1)).days for t in TIMES], "counted from another day"),
    ],
)  # fmt: skip
def test_dates_that_a_program_spoilt_are_refused(
    dates: list[Any], says: str, read: Callable[..., Any]
) -> None:
    with pytest.raises(UserError, match=says):
        read(base(date=dates))


def test_a_tenth_that_is_there_under_other_ids_is_said(read: Callable[..., Any]) -> None:
    read({name: values[:15] for name, values in base(date=ISO).items()})
    assert "told_before" in read({**base(date=ISO), "id": [f"x-{i}" for i in IDS]})[0]


@pytest.mark.parametrize("change", ["point", "zeros", "none", "rounded", "renamed"])
def test_records_that_are_there_under_other_ids_are_said(
    change: str, read: Callable[..., Any]
) -> None:
    first, second = base(date=ISO), base(date=ISO)
    if change == "point":
        second["id"] = [f"{i}.0" for i in IDS]
    elif change == "zeros":
        second["id"] = [f"0{i}" for i in IDS]
    elif change == "none":
        del first["id"]
    else:
        del first["id"], second["id"]
        if change == "rounded":
            second |= {"lon": [round(v, 4) for v in EAST], "lat": [round(v, 4) for v in NORTH]}
        else:
            second["type"] = [f"{kind} (all)" for kind in KINDS]
    assert "told_before" not in read(first)[0]
    assert "told_before" in read(second)[0]
