"""The small process that gives waiting runs their slots: `python -m crimecast.runs.supervisor`.

One a data folder, held to that by a lock. Whoever queues a run sees to it that one is there
(`ensure`); it leaves when nothing waits or runs. Workers are processes of their own: if the
supervisor dies they train on, and the next one finds them in the record. A worker that dies is
queued again and goes on from its last checkpoint. Runs that are for a Ray cluster become its tasks.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from crimecast import UserError
from crimecast.machine import background, courtesy
from crimecast.machine.process import born, lives
from crimecast.machine.slots import WAITING, environment, fits, slots
from crimecast.runs.on_ray import OnRay
from crimecast.runs.run import Run, list_runs, load_run, take_up, update_run
from crimecast.runs.settings import Settings
from crimecast.storage.database import reading, writing
from crimecast.storage.faults import sentence
from crimecast.storage.store import data_root, read_json, write_json

POLL = 0.25  # seconds between looks
STARTING = 3.0  # seconds until a supervisor has left its mark, on a busy machine
IDLE = 5.0  # seconds without work before it leaves
REFUSED = 10.0  # seconds until it looks again where the disk refused it something
SETTLED = 2.0  # seconds without work after which there is time to prepare pages
PREPARED = 3  # runs, the latest
PATIENCE = 120.0  # seconds that a run may take to react to a stop before its process is ended
CUT_OFF = (
    "Its process was ended before it had stopped; resumed, it goes on from its last checkpoint."
)
LOG = 5_000_000, 200_000  # bytes that a log may have, and those that are left of one that has more
DEATHS = 10  # deaths of a run's process without an epoch in between, before it counts as failed


_started: dict[Path, float] = {}  # when this process last started one, by its mark


def ensure() -> None:
    """Start a supervisor for this data folder unless one is there, or was just started from here."""
    mark = data_root() / "supervisor.json"
    try:
        known = read_json(mark)
        if lives(known["pid"], known["started"]):
            return
    except (OSError, ValueError, KeyError):
        pass
    if time.monotonic() - _started.get(mark, -STARTING) < STARTING:
        return
    _started[mark] = time.monotonic()
    background.start("crimecast.runs.supervisor", log=data_root() / "supervisor.log")


def main() -> int:
    """Serve the queue until it is empty for a while; returns at once if another one does."""
    root = data_root()
    lock = FileLock(root / "supervisor.lock")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # nobody is left suspended
    while True:
        try:
            lock.acquire(timeout=1.0)
        except Timeout:
            return 0
        pid = os.getpid()
        write_json(root / "supervisor.json", {"pid": pid, "started": born(pid)})
        serve()
        # The mark goes first: whoever queues a run from here on either finds no mark and starts
        # another supervisor, or queued it before and is seen by the look below.
        (root / "supervisor.json").unlink(missing_ok=True)
        lock.release()
        if not _waiting():
            return 0


def serve() -> None:
    """Give slots and notice deaths, until there was nothing to do for a while."""
    children: dict[str, subprocess.Popen[bytes]] = {}
    ended: list[str] = []  # whose pages can be prepared once there is time
    cluster: OnRay | None = None
    quiet = time.monotonic()
    asked: dict[
        str, float
    ] = {}  # since when runs are known to be asked to stop, whatever the clock says
    for pid in _on_the_processor(list_runs(), children):
        courtesy.wake(pid)  # the supervisor before may have died while they rested

    def look(rests: courtesy.Rests) -> bool:
        """Look after what runs and start what can; whether there was anything to do."""
        nonlocal asked, cluster
        for name in [name for name, child in children.items() if child.poll() is not None]:
            del children[name]
            ended.append(name)
        running = look_after(
            [run for run in list_runs() if run.state in ("running", "interrupted")]
        )
        taken = {run.slot for run in running}
        for slot in slots():
            if slot not in taken and (run := claim(slot)) is not None:
                children[run.id] = spawn(run)
                running.append(run)
        rests.workers = _on_the_processor(running, children)
        asked = {
            run.id: asked.get(run.id, time.monotonic()) for run in running if run.request == "stop"
        }
        for run in running:
            end_if_deaf(run, asked.get(run.id))
            shorten(run.folder / "log.txt")
        cluster = serve_cluster(cluster)
        return bool(running or (cluster is not None and cluster.tasks) or _waiting())

    with courtesy.Rests().given() as rests:
        while time.monotonic() - quiet < IDLE:
            try:
                if look(rests):
                    quiet = time.monotonic()
                elif ended and time.monotonic() - quiet > SETTLED:
                    prepare(ended)
                    ended.clear()
            except OSError as error:  # a full disk, say: it looks again until there is room
                if not (data_root() / "supervisor.json").exists():
                    break  # the whole folder is gone
                print(sentence(error), file=sys.stderr, flush=True)
                time.sleep(REFUSED)
                quiet = time.monotonic()
            time.sleep(POLL)
    if cluster is not None:
        cluster.leave()


def prepare(names: list[str]) -> None:
    """Have what pages show of the latest of these runs worked out, unless CRIMECAST_PREPARE is 0."""
    trained = {run.id for run in list_runs() if run.state == "done"}
    done = [name for name in names if name in trained]
    if done and os.environ.get("CRIMECAST_PREPARE") != "0":
        one = {"OMP_NUM_THREADS": "1", "CRIMECAST_THREADS": "1"}
        log = data_root() / "preparing.log"
        background.start(
            "crimecast.reporting.preparing", *done[-PREPARED:], log=log, environment=one
        )


def _on_the_processor(runs: list[Run], children: dict[str, subprocess.Popen[bytes]]) -> list[int]:
    """The processes of the runs in this machine's CPU slots, also of those that are just starting."""
    held = [run for run in runs if run.state == "running" and (run.slot or "").startswith("cpu")]
    pids = [children[run.id].pid if run.id in children else run.pid for run in held]
    return [pid for pid in pids if pid]


def serve_cluster(cluster: OnRay | None) -> OnRay | None:
    """Give runs to the Ray cluster they ask for, one cluster at a time; returns it once connected."""
    if cluster is not None:
        look_after([replace(run, state="interrupted") for run in cluster.look()])
    for row in _queued():
        address = _cluster_of(row)
        if address is None:
            continue
        if cluster is not None and cluster.address != address and not cluster.tasks:
            cluster.leave()
            cluster = None
        try:
            cluster = cluster or OnRay(address)
        except UserError as error:
            update_run(row["id"], state="failed", message=str(error), ended=time.time())
            return None
        if cluster.address != address or not cluster.has_room(load_run(row["id"])):
            break
        if (run := claim(f"ray:{row['id']}", row["id"])) is not None:
            cluster.start(run)
    return cluster


def _queued() -> list[Any]:
    """The waiting runs (id, device, settings), who is next first."""
    with reading() as db:
        return db.execute(
            "select id, device, settings from runs where state = 'queued' order by priority desc, number"
        ).fetchall()


def _cluster_of(row: Any) -> str | None:
    """The address of the Ray cluster that a waiting run is for, None for this machine."""
    return Settings.parse(row["settings"]).cluster or None


def _here(row: Any, slot: str) -> bool:
    """Whether a waiting run is for this machine, and may have a slot."""
    return _cluster_of(row) is None and fits(slot, row["device"])


def _waiting() -> bool:
    return any(_cluster_of(row) or any(_here(row, slot) for slot in slots()) for row in _queued())


def look_after(runs: list[Run]) -> list[Run]:
    """Queue those again whose process is gone; returns the others."""
    alive = []
    for run in runs:
        if run.state == "running":
            alive.append(run)
            continue
        done = len(run.history())
        deaths = run.deaths + 1 if done <= run.epochs_at_death else 1
        over, asked = deaths > DEATHS, run.request == "stop"
        message = (
            f"Its process ended {deaths} times without finishing an epoch (see its log)."
            if over
            else "Its process ended unexpectedly; it goes on from its last checkpoint."
        )
        with writing() as db:
            db.execute(
                "update runs set state = ?, message = ?, deaths = ?, epochs_at_death = ?, pid = null, token = null, slot = null,"
                " ended = ? where id = ? and state = 'running' and token is ?",
                (
                    "stopped" if asked else "failed" if over else "queued",
                    CUT_OFF if asked else message,
                    deaths,
                    done,
                    time.time() if over or asked else None,
                    run.id,
                    run.token,
                ),
            )
    return alive


def end_if_deaf(run: Run, asked: float | None) -> None:
    """End the process of a run that was asked to stop (`asked`: when, by the monotonic clock) and doesn't,
    such as one in an endless loop."""
    if asked is None or time.monotonic() - asked < PATIENCE or not run.pid:
        return
    if run.pid == os.getpid():  # a cluster's, whose tasks are told in another way
        return
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(run.pid)
        for one in (*process.children(recursive=True), process):
            with contextlib.suppress(psutil.Error):
                one.kill()


def shorten(log: Path) -> None:
    """Leave the end of a log that has grown beyond all reading; who writes it goes on behind that."""
    most, left = LOG
    try:
        if log.stat().st_size <= most:
            return
        with log.open("r+b") as file:
            file.seek(-left, os.SEEK_END)
            end = file.read()
            file.seek(0)
            file.write(b"[the beginning was left out]\n" + end)
            file.truncate()
    except OSError:  # not there yet, or the disk is full: another time
        return


def claim(slot: str, name: str | None = None) -> Run | None:
    """The run that is next for a slot, or the one named, now recorded as running there; or None."""
    name = name or next((row["id"] for row in _queued() if _here(row, slot)), None)
    if name is None:
        return None
    with writing() as db:
        taken = db.execute(
            "update runs set state = 'running', started = ?, pid = null, slot = ?, token = ?, request = null,"
            " ended = null where id = ? and state = 'queued'",
            (time.time(), slot, uuid.uuid4().hex, name),
        )
    return load_run(name) if taken.rowcount else None


def spawn(run: Run) -> subprocess.Popen[bytes]:
    """Start a worker for a claimed run; its output goes to the run's log."""
    run.folder.mkdir(parents=True, exist_ok=True)
    waiting = {name: os.environ.get(name, value) for name, value in WAITING.items()}
    child = background.start(
        "crimecast.runs.worker", run.id, run.token or "", log=run.folder / "log.txt",
        environment={**waiting, **environment(run.slot or "cpu:0")},
    )  # fmt: skip
    # Known from here on, it isn't taken for dead where a busy machine lets it take its time to load.
    with contextlib.suppress(psutil.Error, OSError):
        take_up(run.id, run.token or "", child.pid)
    return child


if __name__ == "__main__":
    raise SystemExit(main())
