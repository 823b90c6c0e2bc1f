"""Faults at every write: a command is ended, or the disk refuses, at its n-th system call that writes.

strace ends it; a library that is loaded before all others (`refusing.c`) refuses what writes to files of the
data folder, and only that. Commands run in forks of a process that has loaded the program but never used it (the
thread pools of Polars and PyTorch don't survive a fork), so a try takes as long as the command itself.
"""

import ctypes
import errno
import faulthandler
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from filelock import FileLock, Timeout

CALLS = ("write", "pwrite64", "rename", "fsync", "fdatasync", "ftruncate", "mkdir", "unlink", "sendfile", "copy_file_range")  # fmt: skip
REFUSED = ("write", "create", "rename", "sync", "truncate", "mkdir", "unlink")  # as in refusing.c
ERRORS = ("ENOSPC", "EROFS", "EIO")
PATIENCE = 120.0
TOP = Path(__file__).resolve().parents[1]
FIRST = datetime(2015, 1, 1)  # day of what the portals have
MAPS = [word for pair in ("time=when", "longitude=lng", "latitude=lat", "type=what") for word in ("--map", pair)]  # fmt: skip
SPEC = """name = "tiny"
lags = [1, 2]
calendar = ["dow"]
offset = "mean"
[training]
epochs = 1
batch = 16
[[layer]]
name = "stem"
kind = "conv"
channels = 4
kernel = 1
[[layer]]
name = "out"
kind = "head"
"""


DAYS, LATER, A_DAY = 60, 62, 40  # days of records that a portal has at first, and later
PORTAL = """import sys
from tests.live.test_round import rows_of
from tests.portal import Portal
with Portal([row for day in range(int(sys.argv[1])) for row in rows_of(day)]) as portal:
    print(portal.url, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class Fault:
    """At the `number`-th `call` of `work` the process is killed ("KILL"), or gets an error from there on."""

    work: str
    call: str
    number: int
    kind: str


def preloaded() -> bool:
    """Whether this process was started with `refusing.c` in front of everything."""
    return hasattr(ctypes.CDLL(None), "refuse")


def preloading(folder: Path) -> dict[str, str]:
    """Compile `refusing.c` into a folder; the environment of a process that is to have it."""
    library = folder / "refusing.so"
    source = Path(__file__).with_name("refusing.c")
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True)
    return {**os.environ, "LD_PRELOAD": str(library)}


def load() -> None:
    """Load what the commands need, so that forks have it; use none of it."""
    import crimecast.cli
    import crimecast.crawling
    import crimecast.forecasting.forecasts
    import crimecast.live.round
    import crimecast.records.importing
    import crimecast.runs.worker
    import crimecast.storage.sweeping
    import crimecast.training.loop  # noqa: F401


def forked(
    root: Path,
    work: Callable[[], int],
    strace: list[str] | None = None,
    refuse: Fault | None = None,
) -> tuple[int, str]:
    """Run `work` in a fork whose data folder is `root`, traced by strace with these arguments, or refused
    its writes; its exit status (negative: the signal) and what it said on standard error."""
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            status = 70
            try:
                os.environ["CRIMECAST_DATA"] = str(root)
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                os.dup2(said.fileno(), 2)
                sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
                if strace is not None:
                    os.kill(os.getpid(), signal.SIGSTOP)
                faulthandler.dump_traceback_later(
                    PATIENCE - 20, file=sys.stderr
                )  # says where it hangs
                if refuse is not None:
                    code = getattr(errno, refuse.kind)
                    _refuse(root, REFUSED.index(refuse.call), refuse.number, code)
                status = work()
                sys.stderr.flush()
            except BaseException:
                import traceback

                traceback.print_exc()
                sys.stderr.flush()
            finally:
                os._exit(status)
        tracer = None
        if strace is not None:
            os.waitpid(child, os.WUNTRACED)
            command = ["strace", "-f", *strace, "-p", str(child)]
            tracer = subprocess.Popen(command, stderr=subprocess.PIPE)
            assert tracer.stderr is not None
            line = tracer.stderr.readline()  # "Process … attached"
            assert b"attached" in line, line
            os.kill(child, signal.SIGCONT)
        until = time.monotonic() + PATIENCE
        while True:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                break
            if tracer is not None:  # one that came while the tracer was still attaching may be lost
                os.kill(child, signal.SIGCONT)
            if time.monotonic() > until:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                status = signal.SIGALRM
                break
            time.sleep(0.02)
        if tracer is not None:
            tracer.communicate()
        said.seek(0)
        return os.waitstatus_to_exitcode(status), said.read().decode("utf-8", "replace").strip()


def _refuse(root: Path, call: int, number: int, code: int) -> None:
    ctypes.CDLL(None).refuse(str(root).encode(), call, ctypes.c_long(number), code)


@contextmanager
def _quiet() -> Iterator[None]:
    """No supervisor is started; a worker isn't put behind everything else, which takes too long here."""
    with (
        mock.patch("crimecast.runs.supervisor.ensure"),
        mock.patch("psutil.Process.nice"),
        mock.patch("os.sched_setscheduler", create=True),
    ):
        yield


def call(*arguments: str) -> int:
    """One command, in this process."""
    from crimecast.cli import main

    with _quiet():
        try:
            return main(list(arguments))
        except SystemExit as end:
            return int(end.code or 0)


def train(grid: str, spec: Path) -> int:
    """Queue a run and be its worker."""
    from crimecast.runs import worker
    from crimecast.runs.run import list_runs, load_run
    from crimecast.runs.supervisor import claim

    os.environ["CRIMECAST_THREADS"] = "1"
    status = call("train", grid, "--design", str(spec), "--train-until", "2020-02-10", "--validate-until", "2020-02-20")  # fmt: skip
    if status:
        return status
    with _quiet():
        try:
            name = list_runs()[0].id
            run = claim("cpu:0", name)
            if run is None or run.token is None:
                return 3
            worker.main(name, run.token)
            return 0 if load_run(name).state in ("done", "stopped", "failed") else 2
        except OSError:  # what a supervisor, and whoever looks, meet too, and live through
            return 2


def portal(days: int) -> str:
    """A portal with so many days of records, in a process that ends with this one; its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", PORTAL, str(days)], cwd=TOP, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    return process.stdout.readline().strip()


class Bench:
    """A data folder with a town, its grid and a run, and a city that is live, copied for every try."""

    def __init__(self, top: Path) -> None:
        from tests.conftest import tiny_csv

        load()
        # What is swept "days later" must not be what another process unpacks just now.
        (top / "scratch").mkdir()
        tempfile.tempdir = str(top / "scratch")
        self.top, self.base = top, top / "base"
        self.first, self.more, self.spec = tiny_csv(top / "a.csv"), top / "b.csv", top / "tiny.toml"
        text = tiny_csv(top / "b.csv", seed=1).read_text()
        self.more.write_text(re.sub(r"(?m)^(\d)", r"b\1", text))
        self.spec.write_text(SPEC)
        zone = ["--tz", "Europe/Berlin"]
        before, later = portal(DAYS), portal(LATER)
        names = ["--run", "decayed_mean", "--run", "mean"]
        for step in (
            ["import", "town", str(self.first), *MAPS, *zone],
            ["grid", "town", "--cell", "1000"],
            ["crawl", "chicago", "--url", before],
            ["grid", "chicago", "--cell", "2000"],
            ["live", "chicago", "--once", *names, "--url", before],
        ):
            status, said = forked(self.base, lambda step=step: call(*step))  # type: ignore[misc]
            assert status == 0, (step, status, said)
        self.grid = next((self.base / "grids").glob("town-*")).name
        status, said = forked(self.base, lambda: train(self.grid, self.spec))
        assert status == 0, ("train", status, said)
        self.run = next(p.name for p in (self.base / "runs").iterdir() if "tiny-" in p.name)
        self.works: dict[str, Callable[[], int]] = {
            "first import": lambda: call("import", "other", str(self.first), *MAPS, *zone),
            "import": lambda: call("import", "town", str(self.more), *MAPS),
            "grid": lambda: call("grid", "town", "--cell", "500"),
            "train": lambda: train(self.grid, self.spec),
            "delete": lambda: call("runs", self.run, "delete"),
            "crawl": lambda: call("crawl", "chicago", "--url", later),
            "live": lambda: call("live", "chicago", "--once", "--url", later),
        }

    def killing(self, work: str) -> Counter[str]:
        """How often the main thread of a work calls what writes, when nothing goes wrong."""
        log = self.top / "trace.txt"
        root = self._copy()
        status, said = forked(
            root, self.works[work], ["-e", f"trace={','.join(CALLS)}", "-o", str(log)]
        )
        assert status == 0, (work, status, said)
        lines = log.read_text(errors="replace").splitlines()
        main = lines[0].split()[0]
        found: Counter[str] = Counter()
        for line in lines:
            pid, _, rest = line.partition(" ")
            if pid == main and "(" in rest:
                found[rest.strip().split("(")[0]] += 1
        return Counter({name: count for name, count in found.items() if name in CALLS})

    def refusing(self, work: str) -> Counter[str]:
        """How often a work writes to files of the data folder, in each way, when nothing goes wrong."""
        root, log = self._copy(), self.top / "counts.json"

        def counted() -> int:
            _refuse(root, -1, 0, 0)
            status = self.works[work]()
            own = ctypes.CDLL(None).refused_calls
            log.write_text(json.dumps({name: own(i) for i, name in enumerate(REFUSED)}))
            return status

        status, said = forked(root, counted)
        assert status == 0, (work, status, said)
        return Counter(json.loads(log.read_text()))

    def _copy(self) -> Path:
        root = self.top / "tried"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(self.base, root)
        return root

    def tried(self, fault: Fault) -> str:
        """What is wrong after a fault; "" if nothing is."""
        root = self._copy()
        if fault.kind == "KILL":
            kill = f"inject={fault.call}:signal=KILL:when={fault.number}"
            inject = ["-e", f"trace={fault.call}", "-e", kill, "-o", os.devnull]
            status, said = forked(root, self.works[fault.work], inject)
        else:  # once the disk refuses it goes on refusing
            status, said = forked(root, self.works[fault.work], refuse=fault)
        if fault.kind == "KILL":
            if status not in (-signal.SIGKILL, 0):
                return f"exit {status}: {said[-300:]}"
        elif status not in (0, 2):
            return f"exit {status}: {said[-300:]}"
        elif fault.work == "train":  # what its worker says is the run's log
            pass
        elif "Traceback" in said or "not foreseen" in said:
            return f"not a sentence: {said[-600:]}"
        elif status == 2 and len(said.splitlines()) != 1:
            return f"{len(said.splitlines())} lines: {said[-300:]}"
        status, said = forked(root, lambda: self._check(fault.work, root))
        return "" if status == 0 else said[-600:]

    def _check(self, work: str, root: Path) -> int:
        """Everything opens, nothing is half there, no lock stays, and the work can be done now."""
        from crimecast.cities import load_city
        from crimecast.forecasting.forecasts import rates
        from crimecast.grids.cube import load_cube
        from crimecast.grids.grid import list_grids
        from crimecast.live.log import Log
        from crimecast.live.plan import live_folder
        from crimecast.records.snapshot import snapshot
        from crimecast.runs.run import list_runs
        from crimecast.storage.access import audit
        from crimecast.storage.sweeping import sweep

        def events(city: str) -> int:
            held = snapshot(load_city(city))
            count = held.scan().collect().height
            assert count == sum(held.rows.values())
            return count + held.read_dropped().height

        assert call("cities", "--json") == 0
        assert call("runs", "--json") == 0
        for lock in root.rglob("*.lock"):
            try:
                FileLock(lock, timeout=0).acquire().lock.release()
            except Timeout:
                raise AssertionError(f"{lock.name} is held") from None
        assert events("town") in ({400, 800} if work == "import" else {400})
        if (root / "cities" / "other.toml").exists():
            assert events("other") == 400
        crawled = {DAYS * A_DAY, LATER * A_DAY} if work in ("crawl", "live") else {DAYS * A_DAY}
        assert events("chicago") in crawled
        log = Log(live_folder("chicago"))
        log.verify()
        for grid in [*list_grids("town"), *list_grids("chicago")]:
            assert int(load_cube(grid["grid"]).counts.sum()) == grid["events"]
        for run in list_runs(self.grid):
            assert run.state in ("queued", "running", "interrupted", "done", "stopped", "failed"), (
                run.state
            )
            run.history()
            run.progress()
            if run.state == "done":
                assert rates(run.id, load_cube(run.grid), 55, 57).shape[0] == 2
        audit()
        if work == "delete" and not any(run.id == self.run for run in list_runs()):
            assert True
        else:
            assert self.works[work]() == 0, "it doesn't go on"
        expected = {
            "first import": ("other", 400), "import": ("town", 800),
            "crawl": ("chicago", LATER * A_DAY), "live": ("chicago", LATER * A_DAY),
        }.get(work)  # fmt: skip
        if expected:
            assert events(expected[0]) == expected[1]
        if work == "grid":
            assert {entry["cell"] for entry in list_grids("town")} == {500.0, 1000.0}
        if work == "live":
            log.verify()
            made = [e["body"] for e in log.entries() if e["kind"] == "forecast"]
            sealed = sorted((body["name"], body["steps"][0]["step"]) for body in made)
            days = [f"{FIRST + timedelta(days=day):%Y-%m-%d}" for day in (DAYS, LATER)]
            assert sealed == [(name, day) for name in ("decayed_mean", "mean") for day in days], (
                sealed
            )
        if work == "delete":
            assert not any(run.id == self.run for run in list_runs())
        if work == "train":
            assert any(run.state == "done" and run.id != self.run for run in list_runs(self.grid))
        sweep(time.time() + 3 * 86_400)
        left = [str(path.relative_to(root)) for path in root.rglob("*.part")]
        assert not left, left
        return 0

    def faults(
        self, kinds: tuple[str, ...] = ("KILL", *ERRORS), works: tuple[str, ...] = ()
    ) -> list[Fault]:
        """Every fault that there can be, of each kind at each call of each work."""
        kills, errors = ("KILL",) * ("KILL" in kinds), tuple(set(kinds) - {"KILL"})
        return [
            Fault(work, name, number, kind)
            for work in works or tuple(self.works)
            for own, counts in ((kills, self.killing), (sorted(errors), self.refusing))
            if own
            for name, count in sorted(counts(work).items())
            for number in range(1, count + 1)
            for kind in own
        ]


def summary(results: list[tuple[Fault, str]]) -> dict[str, Any]:
    """Counts by work and kind, and what fell."""
    tried = Counter(
        f"{fault.work}, {'kill' if fault.kind == 'KILL' else 'error'}" for fault, _ in results
    )
    fell = [{**vars(fault), "wrong": wrong} for fault, wrong in results if wrong]
    return {
        "faults": sum(fault.kind != "KILL" for fault, _ in results),
        "kills": sum(fault.kind == "KILL" for fault, _ in results),
        "tried": dict(sorted(tried.items())),
        "fallen": len(fell),
        "fell": json.loads(json.dumps(fell)),
    }
