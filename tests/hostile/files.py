"""Files: every format that is read, with everything in it that the format allows, and broken ones."""

import bz2
import csv
import datetime as dt
import gzip
import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import xlsxwriter
from pyarrow import parquet

from tests.hostile.case import Case, Store
from tests.hostile.values import dumped, mutated, record, scalar, text, value

NAMES = ["*.csv", "a[1].csv", "?.csv", "a b.csv", "-x.csv", "{a}.csv", "~.csv", "$HOME.csv", "a'b.csv", "..csv", "ä\u202e.csv", "x" * 250 + ".csv", "a\udcff.csv", "a\nb.csv"]  # fmt: skip


def make(random: Random, folder: Path, store: Store) -> Case:
    """A file and the command that reads it."""
    name, kind, content = _file(random)
    if random.random() < 0.15:
        content = mutated(random, content)
        kind += ", broken"
    path = folder / name
    try:
        path.write_bytes(content)
    except (OSError, ValueError):
        path = folder / "plain.csv"
        path.write_bytes(content)
    place = random.random()
    if place < 0.12:
        more = (
            []
            if random.random() < 0.5
            else ["--map", f"value={random.choice(['type', 'id', 'x', 'date'])}"]
        )
        return Case(
            f"covariate: {kind}", ["covariate", store.city, str(path), "--name", "cover", *more]
        )
    city = store.city if place < 0.25 else "newtown"
    zone = [] if place < 0.25 or random.random() < 0.1 else ["--tz", "America/Chicago"]
    arguments = ["import", city, str(path), *zone]
    if random.random() < 0.3:
        field = random.choice(["time", "longitude", "latitude", "type", "id", "place", "x"])
        arguments += ["--map", f"{field}={random.choice(['date', 'longitude', 'id', 'type', 'date+id', 'nothing', text(random)])}"]  # fmt: skip
    for flag, choices in (
        ("--crs", ["EPSG:4326", "EPSG:26971", "EPSG:3857", "EPSG:2", "nonsense", "EPSG:4978", "EPSG:5773"]),
        ("--date-format", ["dmy", "mdy", "ymd", "%", "dd/mm/yyyy", "xyz"]),
        ("--encoding", ["utf-8", "latin-1", "utf-16", "rot13", "base64", "zlib", "idna", "punycode", "undefined", "nothing", "utf-7"]),
        ("--delimiter", [",", ";", "tab", "", "ab", "\n", '"', "ä", "\0"]),
    ):  # fmt: skip
        if random.random() < 0.06:
            arguments += [flag, random.choice(choices)]
    return Case(f"import: {kind}", arguments)


def _file(random: Random) -> tuple[str, str, bytes]:
    makers = [(_csv, 24), (_json, 22), (_geojson, 20), (_parquet, 18), (_xlsx, 4), (_packed, 10), (_large, 2)]  # fmt: skip
    return random.choices([m for m, _ in makers], [w for _, w in makers])[0](random)


def _rows(random: Random, count: int | None = None) -> list[dict[str, Any]]:
    wild = random.choice([0.0, 0.02, 0.3, 1.0])
    return [
        record(random, n, wild)
        for n in range(random.choice([0, 1, 3, 30, 120]) if count is None else count)
    ]


def _csv(random: Random) -> tuple[str, str, bytes]:
    name = random.choice([*NAMES, "a.csv", "a.tsv", "a.txt", "A.CSV"])
    rows = _rows(random)
    out = io.StringIO()
    names = random.choice([
        ["id", "date", "longitude", "latitude", "type"], ["id"] * 5, [""] * 5, ["date", "date", "x", "x", "type"],
        [text(random) for _ in range(5)],
    ])  # fmt: skip
    sign = random.choice([",", ";", "\t", "|"])
    writer = csv.writer(
        out,
        delimiter=sign,
        quoting=random.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        escapechar="\\",
    )
    writer.writerow(names)
    for row in rows:
        writer.writerow([row.get(k) for k in ("id", "date", "longitude", "latitude", "type")])
    made = out.getvalue()
    how = random.randrange(10)
    if how == 0:
        made = ",".join(f"c{i}" for i in range(3000)) + "\n" + ",".join("1" * 3000)
    elif how == 1:
        made = made.replace("theft", '"the"ft')
    elif how == 2:
        made = made + '"' + "x,\n" * 200
    elif how == 3:
        made = made.replace("\n", random.choice(["\r", "\0", "\n\n", "\u2028"]))
    elif how == 4:
        made = "".join(random.choice([",", "\n", '"', "1", "a", ";", " "]) for _ in range(400))
    coded = made.encode(
        random.choice(["utf-8", "utf-8", "utf-16", "utf-32", "latin-1", "utf-16-le", "cp037"]),
        "replace",
    )
    return name, "csv", random.choice([b"", b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\0\0"]) + coded


def _json(random: Random) -> tuple[str, str, bytes]:
    rows: Any = _rows(random)
    name = random.choice(["a.json", "a.json", "a.geojson", "a.csv", "a.jsonl", "a.ndjson"])
    how = random.randrange(13)
    if how == 0:
        return (
            name,
            "json lines",
            b"\n".join(dumped(r if random.random() < 0.9 else value(random)) for r in rows),
        )
    if how == 1:
        depth = random.choice([500, 5000, 100_000])
        sign = random.choice([(b"[", b"]"), (b'{"a":', b"}")])
        return name, "json, deep", sign[0] * depth + b"1" + sign[1] * depth
    if how == 2:
        return (
            name,
            "json, long number",
            b'[{"id": ' + b"9" * random.choice([400, 5000, 200_000]) + b"}]",
        )
    if how == 3:
        return (
            name,
            "json, own keys",
            dumped([{f"k{n}": n} for n in range(random.choice([50, 3000, 20_000]))]),
        )
    if how == 4:
        rows = {k: [r[k] for r in rows] for k in ("id", "date", "longitude", "latitude", "type")}
        if random.random() < 0.5:
            rows[random.choice([*rows])] = value(random)
    elif how == 5:
        rows = {"columns": value(random), "data": value(random), "meta": value(random)}
    elif how == 6:
        rows = {"meta": {"view": {"columns": random.choice([value(random), [{"name": "date"}, {"name": 3}, 3]])}}, "data": random.choice([value(random), [[1, 2], 3, None]])}  # fmt: skip
    elif how == 7:
        rows = {"spatialReference": random.choice([value(random), {"wkid": scalar(random)}]), "features": [{"attributes": random.choice([r, value(random)]), "geometry": random.choice([value(random), {"x": scalar(random), "y": scalar(random)}, {"points": value(random)}])} for r in rows]}  # fmt: skip
    elif how == 8:
        rows = value(random, 5)
    elif how == 9:
        rows = [{"_source": random.choice([r, value(random)])} for r in rows]
    elif how == 10:
        rows = [list(r.values()) for r in rows] + [value(random)]
    elif how == 11:
        rows = [{**r, text(random): value(random), "": value(random)} for r in rows]
    return name, "json", dumped(rows)


def _geojson(random: Random) -> tuple[str, str, bytes]:
    def shape() -> Any:
        form = random.choice(
            [
                "Point",
                "MultiPoint",
                "LineString",
                "Polygon",
                "GeometryCollection",
                "Nothing",
                3,
                None,
            ]
        )
        point: Any = [-87.65, 41.85]
        places: Any = random.choice([point, [point], [[point]], [[[point]]], [], [[]], [None], [1], ["a", "b"], [1e999, 2], [None, None], value(random)])  # fmt: skip
        return {"type": form, "coordinates": places, "geometries": random.choice([value(random), [{"type": "Point", "coordinates": value(random)}], [None]])}  # fmt: skip

    features: list[Any] = [
        {"type": random.choice(["Feature", "Feature", None, 3]), "properties": r, "geometry": {"type": "Point", "coordinates": [r["longitude"], r["latitude"]]}}
        for r in _rows(random)
    ]  # fmt: skip
    for feature in features:
        if random.random() < 0.3:
            feature["geometry"] = random.choice([value(random), shape()])
        if random.random() < 0.2:
            feature["properties"] = value(random)
    document: Any = {"type": "FeatureCollection", "features": features}
    if random.random() < 0.3:
        document[random.choice(["features", "crs", "type", "bbox"])] = value(random)
    if random.random() < 0.2:
        document["crs"] = {"type": "name", "properties": random.choice([value(random), {"name": random.choice([text(random), 3, "urn:ogc:def:crs:EPSG::99999999", "EPSG:26971"])}])}  # fmt: skip
    if random.random() < 0.1:
        document = random.choice(
            [features, features[0] if features else {}, {"features": features, "attributes": 3}]
        )
    return random.choice(["a.geojson", "a.json"]), "geojson", dumped(document)


def _parquet(random: Random) -> tuple[str, str, bytes]:
    count = random.choice([0, 1, 30])
    good: dict[str, Any] = {
        "id": pa.array(range(count)),
        "date": pa.array(
            [dt.datetime(2020, 1, 1 + n % 28) for n in range(count)], pa.timestamp("us")
        ),
        "longitude": pa.array([-87.65] * count, pa.float64()),
        "latitude": pa.array([41.85] * count, pa.float64()),
        "type": pa.array(["theft"] * count, pa.string()),
    }
    far = random.choice([2**62, -(2**62), 2**40, -(2**31), 0])
    odd = [
        lambda: pa.array([[1, None]] * count, pa.list_(pa.int64())),
        lambda: pa.array([[[]]] * count, pa.list_(pa.list_(pa.string()))),
        lambda: pa.array([{"a": 1, "b": [None]}] * count, pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))])),
        lambda: pa.array([[{"a": b"x"}]] * count, pa.list_(pa.struct([("a", pa.binary())]))),
        lambda: pa.array([b"\xff\x00"] * count, pa.binary()),
        lambda: pa.array([b"\xff\x00"] * count, pa.binary(2)),
        lambda: pa.array([far] * count, pa.duration(random.choice(["s", "ms", "us", "ns"]))),
        lambda: pa.array([far] * count, pa.timestamp(random.choice(["s", "ms", "us", "ns"]), random.choice([None, "UTC", "America/Chicago", "+05:30"]))),
        lambda: pa.array([far % 2**31] * count, pa.date32()),
        lambda: pa.array([random.choice([-5, 10**5, 86_399_999])] * count, pa.time32("ms")),
        lambda: pa.array([far] * count, pa.time64("us")),
        lambda: pa.array([None] * count, pa.null()),
        lambda: pa.array([True] * count),
        lambda: pa.array([Decimal("9" * 38)] * count, pa.decimal128(38, 0)),
        lambda: pa.array([Decimal("9" * 70)] * count, pa.decimal256(76, 3)),
        lambda: pa.array([float(random.choice(["nan", "inf", "-inf", "1e308"]))] * count),
        lambda: pa.array(["x" * 10_000] * count).dictionary_encode(),
        lambda: pa.array([text(random).encode("utf-8", "replace").decode() for _ in range(count)], pa.string()),
        lambda: pa.array([[("a", 1)]] * count, pa.map_(pa.string(), pa.int64())),
        lambda: pa.array([far % 2**63] * count, pa.uint64()),
        lambda: pa.array([1.0] * count, pa.float16()),
    ]  # fmt: skip
    for key in [*good]:
        if random.random() < 0.35:
            good[key] = random.choice(odd)()
    if random.random() < 0.2:
        good["more"] = random.choice(odd)()
    names = [*good]
    if random.random() < 0.1:
        names[random.randrange(5)] = random.choice(
            ["", "id", text(random).encode("utf-8", "replace").decode()]
        )
    out = io.BytesIO()
    try:
        parquet.write_table(pa.Table.from_arrays([*good.values()], names=names), out)
    except (pa.ArrowException, OverflowError, ValueError):
        return "a.parquet", "parquet", b"PAR1"
    return "a.parquet", "parquet", out.getvalue()


def _xlsx(random: Random) -> tuple[str, str, bytes]:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"strings_to_numbers": random.random() < 0.5}) as book:
        for _ in range(random.choice([1, 1, 3])):
            sheet = book.add_worksheet()
            for n, row in enumerate(_rows(random, random.choice([0, 1, 20]))):
                for m, entry in enumerate(row.values()):
                    kept = entry if isinstance(entry, str | bool) or entry is None else str(entry)
                    sheet.write(
                        random.choice([n, n, n + 1_000_000]), random.choice([m, m, 16_000]), kept
                    )
    return random.choice(["a.xlsx", "a.csv", "a.xls", "a.ods"]), "xlsx", out.getvalue()


def _packed(random: Random) -> tuple[str, str, bytes]:
    inner, kind, content = random.choice([_csv, _json, _parquet])(random)
    how = random.randrange(6)
    if how < 3:
        packers: list[Callable[[bytes], bytes]] = [gzip.compress, bz2.compress, lzma.compress]
        packed = packers[how](content)
        name = inner[-60:] + random.choice([".gz", ".bz2", ".xz", ".csv", ""])
        return random.choice([name, "a.csv"]), f"{kind}, packed", packed
    if how == 3:
        packed = gzip.compress(b"a,b\n" + b"0,0\n" * random.choice([10, 4_000_000]))
        for _ in range(random.choice([0, 1, 3])):
            packed = gzip.compress(packed)
        return random.choice(["a.csv", "a.csv.gz", "a.json"]), "bomb", packed
    out = io.BytesIO()
    with zipfile.ZipFile(
        out, "w", random.choice([zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
    ) as archive:
        for n in range(random.choice([0, 1, 1, 2, 40])):
            name = random.choice([f"{n}.csv", "../../a.csv", "/etc/a.csv", "a/" * 30 + "a.csv", "a.csv", "x" * 300 + ".csv", "a\\b.csv", "a.zip", ".csv", "ä*.csv", "con.parquet"])  # fmt: skip
            archive.writestr(zipfile.ZipInfo(name), content)
    return random.choice(["a.zip", "a.csv", "a.csv.zip"]), "zip", out.getvalue()


def _large(random: Random) -> tuple[str, str, bytes]:
    """Small files that unpack to much."""
    how = random.randrange(4)
    if how == 0:
        return "a.parquet", "many rows", _many_rows(random.choice([20_000_000, 120_000_000]))
    if how == 1:
        long = pa.DictionaryArray.from_arrays(
            pa.array([0] * 100_000, pa.int32()), pa.array(["x" * 60_000])
        )
        date = pa.array([dt.datetime(2020, 1, 1)] * 100_000, pa.timestamp("us"))
        place = pa.array([1.5] * 100_000)
        out = io.BytesIO()
        parquet.write_table(
            pa.table({"type": long, "date": date, "longitude": place, "latitude": place}), out
        )
        return "a.parquet", "long dictionary", out.getvalue()
    if how == 2:
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        made = packer.compress(b"date,longitude,latitude,type\n")
        lines = b"2020-01-01,-87.6,41.8,theft\n" * 100_000
        for _ in range(1100):
            made += packer.compress(lines)
        return "a.csv", "gzip in csv", made + packer.flush()
    rows = [{f"k{n}": 1, "date": "2020-01-01"} for n in range(30_000)]
    return "a.json", "own keys", json.dumps(rows).encode()


_made: dict[int, bytes] = {}


def _many_rows(count: int) -> bytes:
    if count not in _made:
        part = 2_000_000
        table = pa.table({
            "date": pa.array([1577836800] * 1000, pa.timestamp("s")), "longitude": [-87.65] * 1000,
            "latitude": [41.85] * 1000, "type": pa.array(["theft"] * 1000),
        })  # fmt: skip
        whole = pa.concat_tables([table] * (part // 1000))
        out = io.BytesIO()
        with parquet.ParquetWriter(out, table.schema, compression="zstd") as writer:
            for _ in range(count // part):
                writer.write_table(whole, row_group_size=part)
        _made[count] = out.getvalue()
    return _made[count]
