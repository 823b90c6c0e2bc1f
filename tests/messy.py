"""Files of records as cities publish them, made from true events: every form of time, place and container, with dirt.

Nothing of the reader is used here. `make(seed, folder)` writes one file and tells what a right
reading of it holds; `outcome` imports it and says whether it was read right, refused or wrong.
"""

import csv
import gzip
import io
import json
import random
import re
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pyproj
import xlsxwriter

CITIES = [
    # zone, longitude, latitude, UTM zone
    ("America/Chicago", -87.65, 41.85, 32616), ("America/Los_Angeles", -118.3, 34.05, 32611), ("Europe/Berlin", 13.4, 52.5, 32633),
    ("Europe/London", -0.12, 51.5, 32630), ("Australia/Sydney", 151.1, -33.85, 32756), ("America/Sao_Paulo", -46.63, -23.55, 32723),
    ("Asia/Tokyo", 139.7, 35.68, 32654), ("America/New_York", -73.95, 40.7, 32618), ("Africa/Johannesburg", 28.05, -26.2, 32735),
]  # fmt: skip
TYPES = {
    "plain": ["THEFT", "Battery", "robbery", "Motor Vehicle Theft", "Burglary - Forced"],
    "comma": ["Theft, over $500", "Assault", 'Found 5" pipe', "Other; misc", "A|B"],
    "accent": ["Körperverletzung", "Diebstahl", "Sachbeschädigung", "Überfall", "Straße"],
    "japan": ["窃盗", "暴行", "自転車盗", "車上ねらい", "ひったくり"],
    "china": ["盗窃", "抢劫", "诈骗", "故意伤害", "入室盗窃"],
    "korea": ["절도", "강도", "폭력", "살인", "주거 침입"],
    "russia": ["кража", "грабёж", "разбой", "хулиганство", "Мошенничество"],
    "czech": ["krádež", "loupež", "vloupání", "žhářství", "přepadení"],
    "turkey": ["hırsızlık", "gasp", "yağma", "kavga", "şiddet"],
}
OLDER = {  # encodings in which programs there still write
    "plain": ["cp1252", "latin-1"], "comma": ["cp1252", "latin-1"], "accent": ["cp1252", "latin-1", "cp850", "mac_roman"],
    "japan": ["cp932", "euc_jp"], "china": ["gb18030"], "korea": ["cp949"], "russia": ["cp1251", "koi8_r"],
    "czech": ["cp1250", "iso8859_2"], "turkey": ["cp1254"],
}  # fmt: skip


@dataclass
class Messy:
    """A file with its truth: `(time, longitude, latitude, type)` of each event; times to `minutes`."""

    path: Path
    zone: str
    truth: list[tuple[datetime, float, float, str]]
    made_of: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)
    tolerance: float = 2e-5


def _twelve(t: datetime) -> str:
    return f"{t.hour % 12 or 12}:{t.minute:02d} {'AM' if t.hour < 12 else 'PM'}"


def _short(t: datetime) -> str:
    return f"{t.month}/{t.day}/{t.year % 100:02d} {t.hour}:{t.minute:02d}"


LOCAL = {  # how a local time is written in one column
    "iso T": lambda t: t.isoformat(),
    "iso blank": lambda t: t.strftime("%Y-%m-%d %H:%M:%S"),
    "iso ms": lambda t: t.strftime("%Y-%m-%dT%H:%M:%S.000"),
    "iso minute": lambda t: t.strftime("%Y-%m-%d %H:%M"),
    "us ampm": lambda t: t.strftime("%m/%d/%Y %I:%M:%S %p"),
    "us short": _short,
    "us bare ampm": lambda t: f"{t.month}/{t.day}/{t.year} {_twelve(t)}",
    "eu slash": lambda t: t.strftime("%d/%m/%Y %H:%M"),
    "eu dot": lambda t: t.strftime("%d.%m.%Y %H:%M"),
    "eu dash": lambda t: t.strftime("%d-%m-%Y %H:%M:%S"),
    "eu dot short": lambda t: t.strftime("%d.%m.%y, %H:%M"),
    "slash ymd": lambda t: t.strftime("%Y/%m/%d %H:%M:%S"),
    "name dmy": lambda t: t.strftime("%d %b %Y %H:%M"),
    "name mdy": lambda t: t.strftime("%b %d, %Y ") + _twelve(t),
    "long": lambda t: t.strftime("%A, %B %d, %Y ") + _twelve(t),
    "oracle": lambda t: t.strftime("%d-%b-%y %I.%M.%S.000000 %p").upper(),
    "compact": lambda t: t.strftime("%Y%m%d%H%M%S"),
    "compact T": lambda t: t.strftime("%Y%m%dT%H%M%S"),
    "ctime": lambda t: t.strftime("%a %b %d %H:%M:%S %Y"),
    "clock first": lambda t: t.strftime("%H:%M %d/%m/%Y"),
    "apache": lambda t: t.strftime("%d/%b/%Y:%H:%M:%S"),
    "excel": lambda t: f"{(t - datetime(1899, 12, 30)) / timedelta(days=1):.8f}",
    "sql micro": lambda t: t.strftime("%Y-%m-%d %H:%M:%S.000000"),
    "underscore": lambda t: t.strftime("%Y-%m-%d_%H:%M:%S"),
    "uhr": lambda t: t.strftime("%d.%m.%Y %H.%M Uhr"),
    "dash us": lambda t: t.strftime("%m-%d-%Y %H:%M"),
    "chinese half": lambda t: t.strftime(f"%Y/%m/%d {'上午' if t.hour < 12 else '下午'} %I:%M:%S"),
    "korean half": lambda t: t.strftime(f"%Y-%m-%d {'오전' if t.hour < 12 else '오후'} %I:%M"),
    "greek half": lambda t: t.strftime(f"%d/%m/%Y %I:%M:%S {'πμ' if t.hour < 12 else 'μμ'}"),
    "spanish half": lambda t: t.strftime(f"%d/%m/%Y %I:%M {'a. m.' if t.hour < 12 else 'p. m.'}"),
    "japanese": lambda t: t.strftime("%Y年%m月%d日 %H時%M分"),
    "buddhist": lambda t: t.strftime(f"%d/%m/{t.year + 543} %H:%M"),
}
AWARE = {  # how a moment with its offset is written
    "zulu": lambda u, _: u.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "utc": lambda u, _: u.strftime("%Y-%m-%d %H:%M:%S UTC"),
    "+00": lambda u, _: u.strftime("%Y-%m-%d %H:%M:%S+00"),
    "+0000": lambda u, _: u.strftime("%Y/%m/%d %H:%M:%S +0000"),
    "+00:00": lambda u, _: u.strftime("%Y-%m-%dT%H:%M:%S.000000+00:00"),
    "own offset": lambda _, a: a.isoformat(),
    "rfc": lambda _, a: a.strftime("%a, %d %b %Y %H:%M:%S %z"),
    "epoch s": lambda u, _: str(int((u - datetime(1970, 1, 1)).total_seconds())),
    "epoch ms": lambda u, _: str(int((u - datetime(1970, 1, 1)).total_seconds() * 1000)),
    "epoch us": lambda u, _: str(int((u - datetime(1970, 1, 1)).total_seconds() * 1_000_000)),
    "epoch float": lambda u, _: f"{(u - datetime(1970, 1, 1)).total_seconds():.1f}",
    "dotnet": lambda u, _: f"/Date({int((u - datetime(1970, 1, 1)).total_seconds() * 1000)})/",
    "javascript": lambda _, a: a.strftime("%a %b %d %Y %H:%M:%S GMT%z"),
}
DAYS = {  # days alone
    "day iso": lambda t: t.strftime("%Y-%m-%d"),
    "day us": lambda t: t.strftime("%m/%d/%Y"),
    "day eu": lambda t: t.strftime("%d/%m/%Y"),
    "day compact": lambda t: t.strftime("%Y%m%d"),
    "day name": lambda t: t.strftime("%d-%b-%Y"),
    "day zulu": lambda t: t.strftime("%Y-%m-%dT00:00:00.000Z"),
    "day week": lambda t: t.strftime("%G-W%V-%u"),
    "day ordinal": lambda t: t.strftime("%Y-%j"),
    "day us midnight": lambda t: t.strftime("%m/%d/%Y 12:00:00 AM"),
}
CLOCKS = {  # a clock in a column of its own
    "hh:mm": lambda t: t.strftime("%H:%M"),
    "ampm": _twelve,
    "hhmm": lambda t: t.strftime("%H%M"),
    "bare hhmm": lambda t: str(t.hour * 100 + t.minute),
    "hhmmss": lambda t: t.strftime("%H%M%S"),
    "hh:mm:ss": lambda t: t.strftime("%H:%M:%S"),
    "h mm": lambda t: f"{t.hour}h{t.minute:02d}",
    "dated": lambda t: t.strftime("1899-12-30 %H:%M:%S"),
    "part": lambda t: f"{(t.hour * 60 + t.minute) / 1440:.10f}",
}
TIME_NAMES = [
    "date",
    "occurred",
    "offense_date",
    "Incident Date/Time",
    "when",
    "DATE_OCC",
    "Tatzeit",
    "start_datetime",
    "fecha_hecho",
    "CMPLNT_FR_DT",
]
EAST_NAMES = ["longitude", "LON", "lng", "Long", "X", "point_x", "LONGITUDE"]
NORTH_NAMES = ["latitude", "LAT", "lat", "Lat", "Y", "point_y", "LATITUDE"]
TYPE_NAMES = ["type", "Primary Type", "category", "Offense", "offense_type"]


def make(seed: int, folder: Path) -> Messy:
    """Write the file of that number."""
    rng = random.Random(seed)
    zone, east, north, utm = rng.choice(CITIES)
    language = rng.choices(list(TYPES), [5, 2, 2, *[0.5] * (len(TYPES) - 3)])[0]
    words = TYPES[language]
    count = rng.randint(60, 160)
    begin = datetime(rng.randint(2005, 2023), rng.randint(1, 12), rng.randint(1, 28))
    span = rng.choice([25, 60, 200, 365, 700])
    events: list[Any] = []
    while len(events) < count:
        utc = begin + timedelta(minutes=rng.randrange(span * 1440))
        aware = utc.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(zone))
        place = (round(east + rng.gauss(0, 0.03), 5), round(north + rng.gauss(0, 0.025), 5))
        events.append((aware, *place, rng.choice(words)))
    order = rng.choice(["sorted", "reversed", "shuffled"])
    if order != "shuffled":
        events.sort(key=lambda event: event[0].timestamp(), reverse=order == "reversed")
    container = rng.choices(
        ["csv", "tsv", "csv.gz", "zip", "xlsx", "json", "ndjson", "geojson", "parquet", "esri"],
        [8, 2, 1, 1, 2, 2, 1, 2, 2, 1],
    )[0]  # fmt: skip
    kind, name, minutes = _time_form(rng, container)
    columns, options = _times(rng, kind, name, events)
    truth_days = minutes == 1440
    places, tolerance = _places(rng, container, events, utm, options)
    made_of = {
        "zone": zone,
        "order": order,
        "container": container,
        "time": f"{kind}: {name}",
        "place": places.pop("form"),
    }
    type_name = rng.choice(TYPE_NAMES)
    columns |= places
    columns[type_name] = [_spaced(rng, event[3]) for event in events]
    ids = rng.choice(["none", "unique", "uuid", "counter", "OBJECTID"])
    made_of["id"] = ids
    if ids != "none":
        start = rng.randint(10**6, 9 * 10**6)
        key = {"unique": "id", "uuid": "incident_id", "counter": "id", "OBJECTID": "OBJECTID"}[ids]
        values = {
            "unique": [str(start + 7 * i) for i in range(count)],
            "uuid": [f"{rng.getrandbits(64):016x}" for _ in range(count)],
            "counter": [str(i) for i in range(count)],
            "OBJECTID": [str(i + 1) for i in range(count)],
        }[ids]
        columns = {key: values, **columns}
    extras = rng.sample(
        ["reported", "updated", "ward", "address", "notes", "zip", "beat"], rng.randint(0, 3)
    )
    for extra in extras:
        columns |= _extra(rng, extra, events)
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    dirt = rng.sample(
        ["no time", "zero place", "minus one", "year 1015", "repeat", "blank type"],
        rng.randint(0, 2),
    )
    truth = [(event[0].replace(tzinfo=None), event[1], event[2], event[3]) for event in events]
    if truth_days:
        truth = [(t.replace(hour=0, minute=0), a, b, c) for t, a, b, c in truth]
    names = list(columns)
    rows, truth = _dirty(
        rng,
        dirt,
        rows,
        truth,
        names,
        places,
        list(_time_names(columns, places, type_name, ids, extras)),
        type_name,
        ids,
    )
    made_of["dirt"] = ", ".join(dirt) or "none"
    made_of["extra"] = ", ".join(extras) or "none"
    path = _write(rng, folder / f"f{seed}", container, names, rows, places, made_of, language)
    return Messy(path, zone, truth, made_of, options, tolerance)


def _time_names(
    columns: dict, places: dict, type_name: str, ids: str, extras: list[str]
) -> list[str]:
    known = {type_name, *places, "id", "incident_id", "OBJECTID", *EXTRA_NAMES}
    return [name for name in columns if name not in known]


def _spaced(rng: random.Random, text: str) -> str:
    return f" {text} " if rng.random() < 0.02 else text


def _time_form(rng: random.Random, container: str) -> tuple[str, str, int]:
    kind = rng.choices(["local", "aware", "day", "split", "parts", "typed"], [8, 5, 2, 3, 1, 2])[0]
    if kind == "typed" and container not in ("xlsx", "parquet"):
        kind = "local"
    if kind == "local":
        return kind, rng.choice(list(LOCAL)), 1
    if kind == "aware":
        return kind, rng.choice(list(AWARE)), 1
    if kind == "day":
        return kind, rng.choice(list(DAYS)), 1440
    if kind == "split":
        return (
            kind,
            f"{rng.choice(['day iso', 'day us', 'day eu', 'day compact', 'day us midnight', 'day name'])}+{rng.choice(list(CLOCKS))}",
            1,
        )
    return kind, "whole", 1


def _times(
    rng: random.Random, kind: str, name: str, events: list
) -> tuple[dict[str, list], dict[str, Any]]:
    local = [event[0].replace(tzinfo=None) for event in events]
    utc = [event[0].astimezone(ZoneInfo("UTC")).replace(tzinfo=None) for event in events]
    column = rng.choice(TIME_NAMES)
    if kind == "local":
        return {column: [LOCAL[name](t) for t in local]}, {}
    if kind == "aware":
        return {
            column: [AWARE[name](u, event[0]) for u, event in zip(utc, events, strict=True)]
        }, {}
    if kind == "day":
        return {column: [DAYS[name](t) for t in local]}, {}
    if kind == "typed":
        return {column: local}, {}
    if kind == "split":
        day, clock = name.split("+")
        names = rng.choice(
            [
                ("date", "time"),
                ("DATE OCC", "TIME OCC"),
                ("d", "h"),
                ("Date", "Hour of day"),
                ("occurrence_date", "occurrence_time"),
            ]
        )
        options = {"mapping": {"time": "d+h"}} if names == ("d", "h") else {}
        return {
            names[0]: [DAYS[day](t) for t in local],
            names[1]: [CLOCKS[clock](t) for t in local],
        }, options
    parts = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE"]
    return {n: [str(getattr(t, n.lower())) for t in local] for n in parts}, {}


def _places(
    rng: random.Random, container: str, events: list, utm: int, options: dict
) -> tuple[dict[str, Any], float]:
    east, north = [event[1] for event in events], [event[2] for event in events]
    if container in ("geojson", "esri"):
        return {"form": "geometry", "_east": east, "_north": north}, 2e-5
    form = rng.choices(
        ["columns", "lat first", "decimal comma", "hemisphere", "minutes", "wkt", "pair", "dict", "geojson text", "metres", "exchanged", "square", "packed seconds"],
        [8, 3, 2, 1, 1, 2, 2, 1, 1, 1, 1, 1, 0.5],
    )[0]  # fmt: skip
    number = rng.randrange(len(EAST_NAMES))
    x, y = EAST_NAMES[number], NORTH_NAMES[number]
    text = lambda values: [f"{v:.5f}" for v in values]  # noqa: E731
    if form == "columns":
        return {"form": form, x: text(east), y: text(north)}, 2e-5
    if form == "lat first":
        return {"form": form, y: text(north), x: text(east)}, 2e-5
    if form == "decimal comma":
        return {
            "form": form,
            x: [v.replace(".", ",") for v in text(east)],
            y: [v.replace(".", ",") for v in text(north)],
        }, 2e-5
    if form == "hemisphere":
        return {
            "form": form,
            x: [f"{abs(v):.5f}° {'E' if v >= 0 else 'W'}" for v in east],
            y: [f"{abs(v):.5f}° {'N' if v >= 0 else 'S'}" for v in north],
        }, 2e-5  # fmt: skip
    if form == "minutes":
        return {
            "form": form,
            x: [_dms(v, "EW") for v in east],
            y: [_dms(v, "NS") for v in north],
        }, 2e-5
    if form == "metres":
        a, b = pyproj.Transformer.from_crs(4326, utm, always_xy=True).transform(east, north)
        options["crs"] = f"EPSG:{utm}"
        return {"form": form, "X": [f"{v:.2f}" for v in a], "Y": [f"{v:.2f}" for v in b]}, 3e-5
    if form == "packed seconds":
        return {"form": form, x: [_packed(v) for v in east], y: [_packed(v) for v in north]}, 2e-4
    if form == "exchanged":
        return {"form": form, "longitude": text(north), "latitude": text(east)}, 2e-5
    column = rng.choice(["location", "point", "geom", "Lage", "coordinates"])
    written = {
        "wkt": lambda a, b: f"POINT ({a} {b})",
        "pair": lambda a, b: f"({b}, {a})",
        "square": lambda a, b: f"[{b}, {a}]",
        "dict": lambda a, b: json.dumps(
            {"latitude": str(b), "longitude": str(a), "human_address": ""}
        ),
        "geojson text": lambda a, b: json.dumps({"type": "Point", "coordinates": [a, b]}),
    }[form]
    return {"form": form, column: [written(a, b) for a, b in zip(east, north, strict=True)]}, 2e-5


def _dms(value: float, sides: str) -> str:
    seconds = round(abs(value) * 3600, 2)
    degree, rest = divmod(seconds, 3600)
    minute, second = divmod(rest, 60)
    return f"{int(degree)}°{int(minute):02d}'{second:05.2f}\"{sides[0] if value >= 0 else sides[1]}"


def _packed(value: float) -> str:
    seconds = round(abs(value) * 3600)
    return f"{'-' if value < 0 else ''}{seconds // 3600}.{seconds // 60 % 60:02d}{seconds % 60:02d}"


EXTRA_NAMES = (
    "Date Reported",
    "updated_on",
    "Ward",
    "Block Address",
    "Remarks",
    "zip_code",
    "Beat",
)


def _extra(rng: random.Random, extra: str, events: list) -> dict[str, list]:
    size = len(events)
    if extra == "reported":
        return {
            "Date Reported": [
                (e[0] + timedelta(days=rng.randint(0, 9))).strftime("%Y-%m-%d") for e in events
            ]
        }
    if extra == "updated":
        return {
            "updated_on": [
                (e[0] + timedelta(days=rng.randint(20, 90))).strftime("%m/%d/%Y %I:%M:%S %p")
                for e in events
            ]
        }
    if extra == "ward":
        return {"Ward": [str(rng.randint(1, 50)) for _ in range(size)]}
    if extra == "address":
        return {
            "Block Address": [
                f"{rng.randint(1, 99)}XX N {rng.choice(['STATE ST, APT', 'Main', 'O’Hare Rd'])}\nUNIT {rng.randint(1, 9)}"
                for _ in range(size)
            ]
        }
    if extra == "notes":
        return {
            "Remarks": [rng.choice(["", 'said "stop"', "a, b; c", "none"]) for _ in range(size)]
        }
    if extra == "zip":
        return {"zip_code": [str(rng.randint(40000, 46000)) for _ in range(size)]}
    return {"Beat": [f"{rng.randint(100, 2535):04d}" for _ in range(size)]}


def _dirty(
    rng: random.Random,
    dirt: list[str],
    rows: list[list],
    truth: list,
    names: list[str],
    places: dict,
    times: list[str],
    type_name: str,
    ids: str,
) -> tuple[list[list], list]:
    """Rows that no right reading keeps, or keeps once; the truth changes only where a type is emptied."""
    position = {name: number for number, name in enumerate(names)}
    key = next(
        (position[name] for name in ("id", "incident_id", "OBJECTID") if name in position), None
    )

    def another(row: list) -> list:
        row = list(row)
        if key is not None:
            row[key] = (
                f"9{rng.randint(10**7, 10**8)}" if ids != "uuid" else f"{rng.getrandbits(64):016x}"
            )
        return row

    bad = []
    for what in sorted(dirt):  # a type is emptied before rows are repeated, so that both are alike
        for _number in range(rng.randint(3, 5)):
            row = another(rng.choice(rows))
            if what == "no time":
                for name in times:
                    row[position[name]] = None if not isinstance(row[position[name]], str) else ""
            elif what in ("zero place", "minus one"):
                value = 0 if what == "zero place" else -1
                for name in places:
                    row[position[name]] = _null_place(
                        row[position[name]], value, name in ("_east", "_north")
                    )
            elif what == "year 1015":
                if (
                    len(times) != 1
                    or not isinstance(row[position[times[0]]], str)
                    or row[position[times[0]]][:2] != "20"
                ):
                    continue
                row[position[times[0]]] = "1015" + row[position[times[0]]][4:]
                if row[position[times[0]]][4:5] not in "-/":
                    continue
            elif what == "repeat":
                if ids in ("none", "OBJECTID"):
                    continue
                row = list(rng.choice(rows))
            elif what == "blank type":
                number = rng.randrange(len(truth))
                rows[number][position[type_name]] = ""
                truth[number] = (*truth[number][:3], "(none given)")
                continue
            bad.append(row)
    for row in bad:
        rows.insert(
            rng.randint(0, len(rows)), row
        )  # after the truth was told by its place in `rows`
    return rows, truth


def _null_place(value: Any, number: int, is_number: bool) -> Any:
    if is_number:
        return float(number)
    text = str(value)
    if text.startswith("POINT"):
        return f"POINT ({number} {number})"
    if text.startswith("("):
        return f"({number}, {number})"
    if text.startswith("["):
        return f"[{number}, {number}]"
    if "human" in text:
        return json.dumps({"latitude": str(number), "longitude": str(number)})
    if text.startswith("{"):
        return json.dumps({"type": "Point", "coordinates": [number, number]})
    return str(number)


def _write(
    rng: random.Random,
    stem: Path,
    container: str,
    names: list[str],
    rows: list[list],
    places: dict,
    made_of: dict[str, str],
    language: str,
) -> Path:
    if container in ("csv", "tsv", "csv.gz", "zip"):
        text = _delimited(rng, names, rows, made_of, "\t" if container == "tsv" else None)
        choices = ["utf-8", "utf-8-sig", "utf-16"]
        for older in OLDER[language]:
            try:
                text.encode(older)
                choices.append(older)
            except UnicodeEncodeError:
                pass
        weights = [6, 2, 1, *[2 / len(OLDER[language])] * len(OLDER[language])]
        encoding = rng.choices(choices, weights[: len(choices)])[0]
        made_of["encoding"] = encoding
        content = text.encode(encoding)
        if container == "csv.gz":
            path = stem.with_suffix(".csv.gz")
            path.write_bytes(gzip.compress(content))
        elif container == "zip":
            path = stem.with_suffix(".zip")
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("export/crimes.csv", content)
        else:
            path = stem.with_suffix(f".{container}")
            path.write_bytes(content)
        return path
    if container == "xlsx":
        path = stem.with_suffix(".xlsx")
        book = xlsxwriter.Workbook(str(path))
        sheet = book.add_worksheet()
        dated = book.add_format(
            {"num_format": rng.choice(["dd/mm/yyyy hh:mm", "yyyy-mm-dd hh:mm:ss", "m/d/yy h:mm"])}
        )
        for column, name in enumerate(names):
            sheet.write_string(0, column, name)
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                if isinstance(value, datetime):
                    sheet.write_datetime(number, column, value, dated)
                elif value not in (None, ""):
                    text = str(value)
                    plain = re.fullmatch(r"-?(0|[1-9]\d{0,12})(\.\d+)?", text) is not None
                    sheet.write_number(
                        number, column, float(value)
                    ) if plain else sheet.write_string(number, column, str(value))
        book.close()
        return path
    records = [dict(zip(names, row, strict=True)) for row in rows]
    if container == "parquet":
        path = stem.with_suffix(".parquet")
        data: dict[str, Any] = {}
        for number, name in enumerate(names):
            values = [row[number] for row in rows]
            whole = [v for v in values if v not in (None, "")]
            if (
                whole
                and all(
                    isinstance(v, str) and v.lstrip("-").isdigit() and (v == "0" or v[0] != "0")
                    for v in whole
                )
                and rng.random() < 0.5
            ):
                values = [None if v in (None, "") else int(v) for v in values]
            data[name] = values
        pl.DataFrame(data, strict=False).write_parquet(path)
        return path
    if container in ("json", "ndjson"):
        path = stem.with_suffix(f".{container}")
        wrapped = rng.choice(["list", "data", "result"]) if container == "json" else "lines"
        made_of["json"] = wrapped
        if wrapped == "lines":
            text = "\n".join(json.dumps(r, ensure_ascii=rng.random() < 0.5) for r in records)
        else:
            document: Any = {
                "list": records,
                "data": {"count": len(records), "data": records},
                "result": {
                    "success": True,
                    "result": {"fields": [{"id": n} for n in names], "records": records},
                },
            }[wrapped]
            text = json.dumps(document)
        path.write_text(text, encoding="utf-8")
        return path
    path = stem.with_suffix(".geojson" if container == "geojson" else ".json")
    features = []
    for record in records:
        a, b = record.pop("_east"), record.pop("_north")
        if container == "geojson":
            shape = (
                {"type": "MultiPoint", "coordinates": [[a, b]]}
                if rng.random() < 0.05
                else {"type": "Point", "coordinates": [a, b]}
            )
            features.append({"type": "Feature", "properties": record, "geometry": shape})
        else:
            features.append({"attributes": record, "geometry": {"x": a, "y": b}})
    top: dict[str, Any] = {"features": features}
    if container == "geojson":
        top |= {"type": "FeatureCollection"}
    else:
        top |= {
            "geometryType": "esriGeometryPoint",
            "spatialReference": {"wkid": 4326},
            "fields": [{"name": n, "type": "esriFieldTypeString"} for n in names[:2]],
        }
    path.write_text(json.dumps(top), encoding="utf-8")
    return path


def _delimited(
    rng: random.Random,
    names: list[str],
    rows: list[list],
    made_of: dict[str, str],
    sign: str | None,
) -> str:
    sign = sign or rng.choices([",", ";", "\t", "|"], [6, 2, 1, 1])[0]
    out = io.StringIO()
    end = rng.choice(["\n", "\r\n"])
    writer = csv.writer(
        out,
        delimiter=sign,
        lineterminator=end,
        quoting=rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    )
    mess = rng.choices(
        [
            "none",
            "long row",
            "short row",
            "open quote",
            "title",
            "footer",
            "header again",
            "blank lines",
        ],
        [6, 1, 1, 1, 1, 1, 1, 1],
    )[0]
    made_of["delimiter"], made_of["lines"] = {"\t": "tab"}.get(sign, sign), mess
    if mess == "title":
        out.write(f"Crime export 2024{end}")
    writer.writerow(names)
    for number, row in enumerate(rows):
        if number == len(rows) // 2:
            if mess == "long row":
                writer.writerow([*row, "more", "and more"])
            elif mess == "short row" and len(names) > 3:
                writer.writerow(row[:2])
            elif mess == "open quote" and len(names) > 3:
                out.write(
                    sign.join(f"v{i}" for i in range(len(names) - 1)) + sign + '"never closed' + end
                )
            elif mess == "header again":
                writer.writerow(names)
            elif mess == "blank lines":
                out.write(end + end)
        writer.writerow(["" if value is None else value for value in row])
    if mess == "footer" and len(names) > 2:
        out.write(f"{len(rows)} records{end}")
    return out.getvalue()


def outcome(messy: Messy, name: str) -> tuple[str, str]:
    """`right`, `refused` or `wrong`, with what was said or differs. The city `name` is made anew."""
    from crimecast.cities import load_city
    from crimecast.errors import UserError
    from crimecast.records.importing import import_file
    from crimecast.records.snapshot import snapshot

    try:
        result = import_file(
            name, messy.path, zone=messy.zone, now=datetime(2026, 6, 1), **messy.options
        )
    except UserError as error:
        return "refused", str(error)
    kept = snapshot(load_city(name)).scan()
    found = kept.select("time", "longitude", "latitude", "type").collect().rows()
    said = ", ".join(notice["code"] for notice in result["notices"])
    return _compare(messy, found, said)


def _compare(messy: Messy, found: list, said: str) -> tuple[str, str]:
    if len(found) != len(messy.truth):
        return "wrong", f"{len(found)} events for {len(messy.truth)}; said: {said}"
    wanted = [(t, a, b, " ".join(c.lower().split())) for t, a, b, c in messy.truth]
    clocks = Counter((t, c) for t, _, _, c in wanted)
    if Counter((t, c) for t, _, _, c in found) != clocks:
        odd = next(iter((Counter((t, c) for t, _, _, c in found) - clocks).items()))
        return "wrong", f"no event {odd[0]}; said: {said}"
    by_place = sorted(wanted, key=lambda e: (e[0], e[3], e[1], e[2]))
    for a, b in zip(by_place, sorted(found, key=lambda e: (e[0], e[3], e[1], e[2])), strict=True):
        if _near(a, b, messy.tolerance) or any(
            w[0] == b[0] and w[3] == b[3] and _near(w, b, messy.tolerance) for w in wanted
        ):
            continue
        return "wrong", f"{b} is at another place than {a}; said: {said}"
    return "right", said


def _near(a: tuple, b: tuple, tolerance: float) -> bool:
    return abs(a[1] - b[1]) <= tolerance and abs(a[2] - b[2]) <= tolerance
