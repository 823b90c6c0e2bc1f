"""Two apps and a command line on one data folder, all writing at once: nothing is lost or half there."""

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from bench.chromium import TOP
from crimecast.cities import load_city
from crimecast.grids.cube import load_cube
from crimecast.grids.grid import list_grids
from crimecast.records.snapshot import snapshot, whole
from crimecast.runs import queue
from crimecast.runs.run import list_runs
from tests.browser.conftest import App
from tests.browser.frontend import Frontend, Shown, state

pytestmark = [pytest.mark.browser, pytest.mark.long]
ROUNDS, FILES, ROWS = 8, 6, 300
DESIGN = """name = "quick"
lags = [1, 2]
[training]
epochs = 1
[[layer]]
name = "rate"
kind = "head"
"""


@pytest.fixture
def apps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[App]]:
    """Two servers that start, and are first looked at, at the same moment on the same empty data folder."""
    data = tmp_path / "data"
    monkeypatch.setenv("CRIMECAST_DATA", str(data))
    with ThreadPoolExecutor(2) as pool:
        running = list(pool.map(App, [data] * 2))
        list(pool.map(looked_at, running))
    yield running
    for app in running:
        app.stop()


def looked_at(app: App) -> None:
    """A first look, which makes the sample city."""
    with Frontend(app.url) as session:
        sound(session.show())


def called(*words: str) -> str:
    """The command line in a process of its own; what it printed."""
    command = [sys.executable, "-m", "crimecast", *words]
    done = subprocess.run(
        command, cwd=TOP, capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def records(path: Path, number: int) -> Path:
    """A file of records that no other file has; the last third corrects those of the file before."""
    first = number * ROWS - (ROWS // 3 if number else 0)
    rows = [
        f"{i},2020-{1 + i % 3:02d}-{1 + i % 28:02d} {i % 24:02d}:00,{9.9 + 0.0003 * (i % 97):.4f},{53.5 + 0.0003 * (i % 89):.4f},{'Theft' if number % 2 else 'Assault'}"
        for i in range(first, (number + 1) * ROWS)
    ]
    path.write_text("\n".join(["id,when,lng,lat,what", *rows]) + "\n")
    return path


def bring_in(path: Path) -> None:
    columns = ("time=when", "longitude=lng", "latitude=lat", "type=what", "source_id=id")
    maps = [word for column in columns for word in ("--map", column)]
    called("import", "town", str(path), *maps, "--tz", "Europe/Berlin")


def sound(shown: Shown) -> Shown:
    """What a page showed, if nothing went wrong."""
    assert shown.exceptions == []
    assert not [one for one in shown.texts if "not foreseen" in one]
    return shown


def say(app: App, label: str, values: list[str | bool]) -> None:
    """Say one thing after the other of the shipped run, as a browser would."""
    query = "city=sample&run=stack-1"
    with Frontend(app.url) as session:
        for value in values:
            widget = sound(session.show("runs", query)).labelled(label)
            said = {"string_value": value} if isinstance(value, str) else {"bool_value": value}
            sound(session.show("runs", query, [state(widget, **said)]))


def make_grids(app: App, cells: list[float]) -> None:
    """Press *Make the grid* for cells of these sizes."""
    with Frontend(app.url) as session:
        for cell in cells:
            shown = sound(session.show("grid", "city=town"))
            size, make = shown.labelled("Cell, metres"), shown.labelled("Make the grid")
            states = [state(size, double_value=cell), state(make, trigger_value=True)]
            sound(session.show("grid", "city=town", states))


def train(grid: str, design: Path, seed: int) -> str:
    """Queue a run from the command line, and wait for it; its name."""
    words = ("train", grid, "--design", str(design), "--seed", str(seed), "--json", "--wait")
    return str(json.loads(called(*words))["run"])


def test_all_that_was_said_is_there_in_the_end(apps: list[App], tmp_path: Path) -> None:
    one, other = apps
    bring_in(records(tmp_path / "0.csv", 0))
    design = tmp_path / "quick.toml"
    design.write_text(DESIGN)
    grid = list_grids("sample")[-1]["grid"]
    cells = [[float(150 + 50 * i) for i in range(start, 2 * ROUNDS, 2)] for start in (0, 1)]
    notes: list[str | bool] = [f"note {i}" for i in range(ROUNDS)]
    pins: list[str | bool] = [i % 2 == 0 for i in range(ROUNDS - 1)]
    with ThreadPoolExecutor(20) as pool:
        runs = [pool.submit(train, grid, design, seed) for seed in range(4)]
        rest = [
            pool.submit(say, one, "Note", notes), pool.submit(say, other, "Pin", pins),
            pool.submit(make_grids, one, cells[0]), pool.submit(make_grids, other, cells[1]),
            *(pool.submit(bring_in, records(tmp_path / f"{i}.csv", i)) for i in range(1, FILES)),
        ]  # fmt: skip
        for done in rest:
            done.result()
        trained = [run.result() for run in runs]

    with sqlite3.connect(one.data / "crimecast.sqlite") as db:
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
        said = db.execute("select note, pinned from runs where id = 'stack-1'").fetchone()
    assert said == (notes[-1], int(pins[-1]))
    assert len(set(trained)) == len(trained)
    assert {run.id: run.state for run in list_runs(grid)} == dict.fromkeys(("stack-1", *trained), "done")  # fmt: skip

    with whole(load_city("town")):
        ids = pl.read_parquet([*snapshot(load_city("town")).files.values()])["source_id"]
    assert sorted(ids.cast(int)) == list(range(FILES * ROWS))
    made = {grid["grid"]: grid for grid in list_grids("town")}
    assert {grid["cell"] for grid in made.values()} >= {*cells[0], *cells[1]}
    for name, about in made.items():
        assert load_cube(name).counts.sum() == about["events"] <= FILES * ROWS

    audit = [json.loads(line) for line in (one.data / "audit.jsonl").read_text().splitlines()]
    counts = Counter((line["action"], line["outcome"]) for line in audit)
    assert counts["annotate", "begun"] == len(notes) + len(pins)
    assert counts["train", "begun"] == len(trained)
    assert not [key for key in counts if key[1] in ("refused", "failed")]
    left = [path for path in one.data.rglob("*") if ".part" in path.name or path.suffix == ".tmp"]
    assert left == []
    queue.wait(trained[0])
    for app in apps:
        with Frontend(app.url) as session:
            for page in ("", "city", "grid", "runs"):
                sound(session.show(page, "city=town"))
