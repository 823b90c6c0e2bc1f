"""A data folder that a disk, a person or another program damaged."""

import json
import struct
from pathlib import Path
from random import Random

from tests.hostile.case import Case, Store
from tests.hostile.values import dumped, mutated, text, value

TOWN = {"title": "Town", "time_zone": "Europe/Berlin", "crs": "EPSG:32632"}


def make(random: Random, folder: Path, store: Store) -> Case:
    """One file of the data folder changed, and a command that comes by it."""
    kinds = [
        _entry,
        _entry,
        _audit,
        _checkpoint,
        _checkpoint,
        _record,
        _grid,
        _manifest,
        _progress,
        _outline,
    ]
    return random.choice(kinds)(random, store)


def _entry(random: Random, store: Store) -> Case:
    fields = ["title", "time_zone", "crs", "outline", "bounds", "source", "aliases", "groups", "columns", "quirks", "file_crs", "simulated", "unknown", "name", "path"]  # fmt: skip
    content = "".join(f"{k} = {json.dumps(v)}\n" for k, v in TOWN.items())
    key = random.choice(fields)
    odd = random.choice(
        [
            "3",
            "[]",
            "[1]",
            '"x"',
            "true",
            "nan",
            "{}",
            "{a = 1}",
            "[[1, 2]]",
            '["a", "b", "c", "d"]',
            "[{}]",
            "2020-01-01",
        ]
    )
    content = (
        "\n".join(line for line in content.split("\n") if not line.startswith(f"{key} "))
        + f"{key} = {odd}\n"
    )
    made = content.encode()
    if random.random() < 0.3:
        made = mutated(random, made)
    good = [["cities"], ["grid", "sample"], ["runs"], ["import", "sample", "/nowhere.csv"]]
    own = [
        ["grid", "spoilt"],
        ["crawl", "spoilt"],
        ["import", "spoilt", "/nowhere.csv", "--tz", "UTC"],
    ]
    arguments = random.choice([good[0], *good, *own])
    return Case(
        "damage: a city's entry", arguments, {"cities/spoilt.toml": made}, arguments in good[:3]
    )


def _audit(random: Random, store: Store) -> Case:
    torn = random.choice(
        [b'{"time": "2020', b"\xff\xfe", b"\n\n", b"3\n", b"null\n", b"[" * 5000, b"\0" * 100]
    )
    return Case(
        "damage: the audit",
        random.choice([["cities"], ["runs"], ["grid", store.city, "--cell", "900"]]),
        {"audit.jsonl": torn},
        True,
    )


def _looks(random: Random, store: Store) -> list[str]:
    period = ["--grid", store.grid, "--since", "2024-12-01", "--until", "2024-12-02"]
    return random.choice([
        ["forecast", store.run, *period], ["inspect", store.run, "--at", "2024-12-01", "--layer", "stem", "--out", "/tmp/none.npz"],
        ["score", store.run, *period], ["runs", store.run], ["train", store.grid, "--start-from", store.run],
    ])  # fmt: skip


def _checkpoint(random: Random, store: Store) -> Case:
    path = f"runs/{store.run}/network.safetensors"
    content = (store.root / path).read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header, rest = json.loads(content[8 : 8 + length]), content[8 + length :]
    how = random.randrange(8)
    if how == 0:
        header["__metadata__"].pop("digest", None)
    elif how == 1:
        header["__metadata__"].pop("digest", None)
        rest = b"\xff" * len(rest)
    elif how == 2:
        header["__metadata__"] = random.choice(
            [{}, {"note": "3"}, {"note": "null"}, {"note": "[]"}, {"note": text(random)}]
        )
    elif how == 3:
        some = random.choice([k for k in header if k != "__metadata__"])
        header[some] = random.choice([value(random), {**header[some], "shape": [2**40]}, {**header[some], "dtype": "F64"}, {**header[some], "data_offsets": [0, 2**60]}])  # fmt: skip
    elif how == 4:
        rest = mutated(random, rest)
    elif how == 5:
        made = (
            struct.pack("<Q", random.choice([0, 1, 2**63, 2**64 - 1, length + 1, 10**8]))
            + content[8:]
        )
        return Case("damage: a checkpoint", _looks(random, store), {path: made})
    elif how == 6:
        return Case("damage: a checkpoint", _looks(random, store), {path: mutated(random, content)})
    else:
        return Case(
            "damage: a checkpoint",
            _looks(random, store),
            {path: random.choice([None, b"", b"\0" * 8])},
        )
    raw = dumped(header)
    return Case(
        "damage: a checkpoint",
        _looks(random, store),
        {path: struct.pack("<Q", len(raw)) + raw + rest},
    )


def _record(random: Random, store: Store) -> Case:
    content = (store.root / "crimecast.sqlite").read_bytes()
    made = random.choice(
        [
            b"",
            b"no database",
            content[:100],
            content[: len(content) // 2],
            mutated(random, content),
            b"\0" * 4096,
        ]
    )
    return Case(
        "damage: the record",
        random.choice([["runs"], ["runs", store.run], ["cities"]]),
        {"crimecast.sqlite": made},
    )


def _json_of(random: Random, content: bytes) -> bytes:
    document = json.loads(content)
    how = random.random()
    if how < 0.3:
        return mutated(random, content)
    if how < 0.5 or not isinstance(document, dict):
        return dumped(value(random))
    key = random.choice([*document])
    if how < 0.7:
        document.pop(key)
    else:
        document[key] = value(random)
    return dumped(document)


def _grid(random: Random, store: Store) -> Case:
    folder = f"grids/{store.grid}"
    files = sorted(
        p.relative_to(store.root).as_posix()
        for p in (store.root / folder).rglob("*")
        if p.is_file()
    )
    path = random.choice([f"{folder}/grid.json", *files])
    content = (store.root / path).read_bytes()
    is_json = path.endswith((".json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"))
    made = random.choice(
        [None, b"", _json_of(random, content) if is_json else mutated(random, content)]
    )
    period = ["--grid", store.grid, "--since", "2024-12-01", "--until", "2024-12-02"]
    return Case("damage: a grid", random.choice([["forecast", "mean", *period], ["grid", "sample"], ["train", store.grid, "--design", "stack"], ["grid", "sample", "--cell", "700"]]), {path: made})  # fmt: skip


def _manifest(random: Random, store: Store) -> Case:
    path = f"cities/{random.choice(['sample', store.city])}/events/manifest.json"
    city = path.split("/")[1]
    content = (store.root / path).read_bytes()
    commands = [["cities"], ["grid", city, "--cell", "800"]]
    if random.random() < 0.3:
        months = sorted((store.root / path).parent.glob("20*.parquet"))
        month = random.choice(months)
        broken = random.choice([None, b"", mutated(random, month.read_bytes())])
        return Case(
            "damage: a month",
            random.choice(commands),
            {month.relative_to(store.root).as_posix(): broken},
        )
    return Case("damage: a manifest", random.choice(commands), {path: _json_of(random, content)})


def _progress(random: Random, store: Store) -> Case:
    name = random.choice(["progress.json", "metrics.jsonl"])
    path = f"runs/{store.run}/{name}"
    content = (store.root / path).read_bytes()
    made = _json_of(random, content) if name == "progress.json" else random.choice([mutated(random, content), b"3}\n", b"{}\n", b'{"a": 1}', content[:-30]])  # fmt: skip
    return Case(
        "damage: a run's files",
        ["runs", *([store.run] if random.random() < 0.7 else [])],
        {path: made},
    )


def _outline(random: Random, store: Store) -> Case:
    entry = (
        "".join(f"{k} = {json.dumps(v)}\n" for k, v in TOWN.items())
        + 'outline = "spoilt.geojson"\n'
    )
    made = random.choice([None, dumped(value(random)), dumped({"features": value(random)}), dumped({"features": [{"properties": value(random), "geometry": value(random)}]})])  # fmt: skip
    harm = {"cities/spoilt.toml": entry.encode(), "cities/spoilt.geojson": made}
    return Case("damage: an outline", random.choice([["cities"], ["grid", "spoilt"]]), harm)
