"""The record of every run: its spec, parent, state and scores in SQLite; its files in a folder."""

import json
import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from crimecast import UserError
from crimecast.designs.spec import Design, parse_design, to_toml, with_module
from crimecast.grids.cube import Cube
from crimecast.grids.grid import grid_folder
from crimecast.machine.process import born, lives
from crimecast.runs.settings import Settings
from crimecast.storage.access import accounted, act
from crimecast.storage.bin import Thrown, discarded, throw
from crimecast.storage.database import reading, writing
from crimecast.storage.forms import Damaged, formed
from crimecast.storage.store import data_root, read_json, write_json

STARTING = 30.0  # seconds that a claimed run may take until its process is known
EPOCH = {"epoch", "training_loss", "validation_loss", "seconds"}  # that every epoch's entry holds
STATES = ("queued", "running", "stopped", "done", "failed", "interrupted")


@dataclass(frozen=True)
class Run:
    """One training of a design on a grid. `state` is one of STATES."""

    id: str
    number: int
    name: str
    grid: str
    parent: str | None
    seed: int
    device: str
    spec: str
    settings: Settings
    state: str
    request: str | None
    requested: float | None
    message: str
    created: float
    started: float | None
    ended: float | None
    pid: int | None
    pid_started: float | None
    summary: dict[str, Any]
    priority: int
    slot: str | None
    token: str | None
    deaths: int
    epochs_at_death: int
    pruned: bool
    note: str
    pinned: bool
    archived: bool

    @property
    def folder(self) -> Path:
        """Where its files are: spec, progress, metrics, log and checkpoints."""
        return data_root() / "runs" / self.id

    @property
    def design(self) -> Design:
        """Its design, as it was when the run was made."""
        design = (
            parse_design(self.spec, f"the spec of {self.id}") if self.spec else Design(self.name)
        )
        module = self.settings.module
        return with_module(design, f"{self.folder / 'module.py'}:{module}") if module else design

    def area(self, cube: Cube) -> np.ndarray:
        """(H, W) the study area that it was trained on, which what is shown of its network is drawn
        on; a score's is that of the period judged."""
        return cube.area(self.settings.learnt_until)

    @property
    def active(self) -> bool:
        """Whether it waits for its turn or has it."""
        return self.state in ("queued", "running")

    @property
    def stamp(self) -> int:
        """Changes when its network does, so that nothing old is taken for new."""
        return (self.folder / "network.safetensors").stat().st_mtime_ns

    def progress(self) -> dict[str, Any]:
        """What the worker last wrote: epoch, epochs, step, steps, rate, seconds_left, losses."""
        path = self.folder / "progress.json"
        try:
            return read_json(path, dict[str, Any]) if path.exists() else {}
        except Damaged:  # the worker writes it anew
            return {}

    def history(self) -> list[dict[str, Any]]:
        """One entry an epoch: training and validation loss, seconds."""
        path = self.folder / "metrics.jsonl"
        if not path.exists():
            return []
        entries = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError, RecursionError):  # a line that was torn
                entry = json.loads(line)
                if isinstance(entry, dict) and entry.keys() >= EPOCH:
                    entries.append(entry)
        return entries


def create_run(
    design: Design, grid: str, seed: int, device: str, settings: Settings, parent: str | None
) -> Run:
    """Record a queued run. Raises UserError if there is no such parent."""
    if parent is not None:
        load_run(parent)
    module = None
    if design.module is not None:
        path, _, module = design.module.rpartition(":")
        settings = replace(settings, module=module)
    spec = "" if module else to_toml(design)
    city = str(read_json(grid_folder(grid) / "grid.json")["city"])
    with writing() as db:
        number = db.execute("select coalesce(max(number), 0) + 1 from runs").fetchone()[0]
        gone = discarded()  # what may be taken back
        number = max([number, *(other + 1 for other in gone.values())])
        known = [row["id"] for row in db.execute("select id from runs")]
        name = called(design.name, city, [*known, *gone])
        folder = data_root() / "runs" / name
        folder.mkdir(parents=True, exist_ok=True)
        if module is not None:
            shutil.copy2(path, folder / "module.py")
        (folder / "spec.toml").write_text(spec, encoding="utf-8")
        row = {
            "id": name, "number": number, "name": design.name, "grid": grid, "parent": parent,
            "seed": seed, "device": device, "spec": spec, "settings": json.dumps(settings.row()),
            "state": "queued", "created": time.time(),
        }  # fmt: skip
        marks = ", ".join("?" for _ in row)
        db.execute(f"insert into runs ({', '.join(row)}) values ({marks})", tuple(row.values()))
    return load_run(name)


def called(design: str, city: str, known: list[str]) -> str:
    """The name of a city's next run, which counts within the city. `known` are the names that all runs
    have. Those of the sample city stand without it.

    >>> called("Stack", "sample", ["stack-1", "boston-stack-7"]), called("stack", "boston", ["stack-1"])
    ('stack-2', 'boston-stack-1')
    """
    before = "" if city == "sample" else f"{city}-"
    own = (re.fullmatch(re.escape(before) + r"[a-z0-9_]+-(\d+)", name) for name in known)
    number = 1 + max((int(one[1]) for one in own if one), default=0)
    return f"{before}{re.sub(r'[^a-z0-9_]+', '_', design.lower())[:40]}-{number}"


def _from_row(row: Any) -> Run:
    values = dict(row)
    what = f"The record of the run {values.get('id')}"
    values["settings"] = Settings.parse(values["settings"], what)
    try:
        values["summary"] = json.loads(values["summary"])
    except (ValueError, TypeError):
        raise Damaged(f"{what} is damaged: its summary is no JSON.") from None
    values |= {key: bool(values[key]) for key in ("pruned", "pinned", "archived")}
    run = formed(Run, values, what)
    if run.state == "running" and not _alive(run):
        return replace(run, state="interrupted", message="Its process ended before the run did.")
    return run


def _alive(run: Run) -> bool:
    if run.pid is None:
        # Claimed, its process is being started; a moment ahead is one before the clock was set back.
        return abs(time.time() - (run.started or 0)) < STARTING
    return lives(run.pid, run.pid_started or 0.0)


def load_run(name: str) -> Run:
    """The run of that name. Raises UserError that lists some known ones."""
    row = None
    if name.isascii():  # as all of them are
        with reading() as db:
            row = db.execute("select * from runs where id = ?", (name,)).fetchone()
    if row is None:
        known = ", ".join(run.id for run in list_runs()[:8]) or "none yet"
        raise UserError(f"There is no run called '{name}'. Known runs: {known}.")
    return _from_row(row)


def list_runs(grid: str | None = None) -> list[Run]:
    """All runs, newest first."""
    with reading() as db:
        rows = db.execute("select * from runs order by number desc").fetchall()
    runs = [_from_row(row) for row in rows]
    return [run for run in runs if grid is None or run.grid == grid]


def update_run(name: str, **values: Any) -> None:
    """Set columns of a run's row; all others stay as another process may just have set them."""
    if "settings" in values:
        values["settings"] = json.dumps(values["settings"].row())
    if "summary" in values:
        values["summary"] = json.dumps(values["summary"])
    fields = ", ".join(f"{key} = ?" for key in values)
    with writing() as db:
        db.execute(f"update runs set {fields} where id = ?", (*values.values(), name))


def take_up(name: str, token: str, pid: int) -> bool:
    """Record a process as the run's own, if its claim still stands. Raises psutil.Error if it is gone."""
    with writing() as db:
        taken = db.execute(
            "update runs set pid = ?, pid_started = ?, message = '' where id = ? and token = ? and state = 'running'",
            (pid, born(pid), name, token),
        )
        return taken.rowcount == 1


@accounted
def delete_run(name: str) -> Thrown:
    """Move a run and its files to the bin. Raises UserError while it is running or others are forked from it."""
    run = load_run(name)
    act("delete", name)
    if run.state == "running":
        raise UserError(f"{name} is running: stop it before deleting it.")
    children = [other.id for other in list_runs() if other.parent == name]
    if children:
        raise UserError(f"{', '.join(children)} was forked from {name}: delete that first.")
    return throw("run", name, [run.folder], [name])


def write_progress(run: Run, values: dict[str, Any]) -> None:
    """Replace the run's progress file."""
    write_json(run.folder / "progress.json", values)
