"""The words of a command: names, dates, numbers and options that nobody should give."""

from pathlib import Path
from random import Random

from tests.hostile.case import Case, Store

NAMES = [
    "", " ", ".", "..", "../..", "../../etc", "/etc/passwd", "~", "*", "a*", "[a]", "a" * 64, "a" * 65, "a" * 300, "a" * 5000, "A", "ä", "🙂",
    "a\0b", "\0", "a\nb", "\n", "\udcff\udcfe", "-", "--", "-x", "--json", "con", "sample/", "sample/..", "./sample", "sample\0", "%2e%2e", "a b",
    "stack-1@", "stack-1@0", "stack-1@-1", "stack-1@99999999999999999999", "mean+", "+mean", "mean+" * 60 + "mean", "mean+mean", "truth", "null", "$(id)", "a;b", "a,b",
    "sample-500m-1d-e4ef5e4e/../sample-500m-1d-e4ef5e4e", "sample-500m-1d-e4ef5e4e/cube.zarr",
]  # fmt: skip
DATES = [
    "", "0", "soon", "0001-01-01", "9999-12-31", "99999-01-01", "1677-09-21", "1699-12-31", "2200-01-01", "2199-12-31", "2262-04-12", "2020-02-30", "-1", "1e9",
    "2024-01-01T25:00", "2024-01-01T00:00:00+99:99", "2024-01-01T00:00+14:00", "2024-W01-1", "20240101", "2024-01-01\0", "٢٠٢٤-٠١-٠١", "2024-01-01" * 50, "2024-06-01", "2024-12-31", "nan",
]  # fmt: skip
NUMBERS = [
    "", "0", "-0", "-1", "0.5", "1", "5.5", "1e-300", "1e300", "1e999", "nan", "inf", "-inf", "9" * 24, "9" * 5000, "-" + "9" * 400, "0x10", "1_000", "١٢",
    "2147483648", "9223372036854775808", "1,5", "1e5", "abc", " 7 ", "1j", "true",
]  # fmt: skip
STEPS = ["", "0h", "1h", "5h", "24h", "1d", "0d", "1w", "1mo", "120mo", "121mo", "999999999d", "9" * 22 + "d", "1y", "-1d", "1.5d", "d", "1D", "1d1d", "٣d", "1d\0", "3660d", "600w"]  # fmt: skip
TYPES = ["", ",", "all", "each", "ALL", "burglary", "burglary,burglary", "theft,", ",".join(["burglary"] * 3000), "nothing", "\0", "\udcff", "a" * 5000, "group", "all,burglary", "*"]  # fmt: skip
DESIGNS = ["", ".", "/", "stack", "STACK", "stack_plain", "st_resnet", "nothing", "../designs/stack", "stack.toml", "/dev/null", "/proc/self/environ", "a" * 300, "a" * 300 + ".toml", "x.py", "x.py:", ":x", "x.py:Net", "/etc/passwd", "/tmp", "\0.toml", "\udcff.toml", "*.toml"]  # fmt: skip


def make(random: Random, folder: Path, store: Store) -> Case:
    """A command with some of its words wrong."""

    def name(good: str) -> str:
        return good if random.random() < 0.55 else random.choice(NAMES)

    def maybe(flag: str, some: list[str], chance: float = 0.35) -> list[str]:
        return [flag, random.choice(some)] if random.random() < chance else []

    grid, run = name(store.grid), name(store.run)
    since = random.choice(DATES) if random.random() < 0.4 else "2024-12-01"
    until = random.choice(DATES) if random.random() < 0.4 else "2024-12-03"
    period = ["--grid", grid, "--since", since, "--until", until]
    out = str(folder / random.choice(["f.nc", "f.parquet", "f.geojson", "f.tif", "f.npz", "f.html", "f.docx", "f", "no/f.nc", "a" * 300 + ".nc", "f\0.nc", "\udcff.nc", "f.onnx"]))  # fmt: skip
    commands = {
        "grid": ["grid", name(store.city), *maybe("--cell", [*NUMBERS, "500", "2000"], 0.6), *maybe("--step", STEPS, 0.6), *maybe("--types", TYPES), *maybe("--since", DATES), *maybe("--until", DATES), *maybe("--heatmaps", [str(folder / "h"), "", "/dev/null", "/proc/x"], 0.1)],
        "train": ["train", grid, *maybe("--design", DESIGNS, 0.9), *maybe("--seed", NUMBERS), *maybe("--epochs", NUMBERS), *maybe("--train-until", DATES, 0.2), *maybe("--validate-until", DATES, 0.2), *maybe("--fork", NAMES, 0.15), *maybe("--start-from", NAMES, 0.15), *maybe("--leave-out", NUMBERS, 0.2), *maybe("--workers", NUMBERS, 0.15), *maybe("--device", ["cpu", "tpu", "cuda", ""], 0.2)],
        "forecast": ["forecast", random.choice([run, "mean", *NAMES]), *period, *(["--out", out] if random.random() < 0.5 else [])],
        "score": ["score", *random.choices(["mean", run, *NAMES], k=random.choice([1, 2, 3])), *period],
        "runs": ["runs", run, *([random.choice(["stop", "resume", "first", "dance", ""])] if random.random() < 0.5 else [])],
        "inspect": ["inspect", run, *maybe("--at", [*DATES, "2024-12-01"], 0.9), *maybe("--layer", ["stem", *NAMES], 0.6), "--out", out],
        "report": ["report", name("nobody"), "--out", out, *maybe("--against", ["mean", *NAMES], 0.5)],
        "diagnose": ["diagnose", name("nobody")],
        "export": ["export", run, *maybe("--network", [out, "", "x.onnx.txt", "/dev/null"], 0.5), *maybe("--tensorboard", ["", "/dev/null", "\0", str(folder / "t")], 0.5)],
        "crawl": ["crawl", random.choice(["sample", "newtown", *NAMES]), *maybe("--since", DATES), *maybe("--until", DATES), *maybe("--page-size", NUMBERS)],
        "portal": ["crawl", "chicago", "--url", random.choice(["", "x", "http://", "http://[::1/abcd-1234", "file:///etc/passwd", "ftp://127.0.0.1", "http://127.0.0.1:1", "http://127.0.0.1:99999", "http://a b", "http://\0", "//", "http://" + "a" * 300, "http://user:pw@127.0.0.1:1/"])],
        "search": ["search", grid, *maybe("--design", DESIGNS, 0.7), *maybe("--trials", NUMBERS), *maybe("--seed", NUMBERS)],
        "import": ["import", name("newtown"), random.choice(["", ".", "/", "/dev/null", "/dev/zero", "/proc/self/mem", "/proc/self/maps", "no.csv", "*.csv", "a" * 300 + ".csv", "\0.csv", "\udcff.csv", str(folder), str(folder / "..")]), *maybe("--tz", ["", "Mars/Base", "UTC", "../../etc/passwd", "/etc/localtime", "\0", "a" * 300, "America", "Europe/Berlin"], 0.7), *maybe("--map", ["", "=", "a=", "=a", "time", "time=x+y+z", "time=+", "nothing=x", "time=" + "a" * 3000], 0.4), *maybe("--crs", ["", "EPSG:", "EPSG:99999999999", "+proj=nothing", "{}", "a" * 9000, "\0"], 0.3)],
        "nothing": [random.choice(["", "dance", "\0", "\udcff", "-h-", "--", "-1", "grid\0", "x" * 5000])],
        "cities": ["cities", *maybe("--json", ["x", "--json", ""], 0.5)],
    }  # fmt: skip
    kind = random.choice([*commands, "grid", "train", "grid", "train", "import"])
    return Case(f"words: {kind}", commands[kind] + (["--json"] if random.random() < 0.2 else []))
