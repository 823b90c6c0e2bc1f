"""The supervisor stays as long as anything is under way, whoever has it."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock

from crimecast.designs.spec import parse_design
from crimecast.runs import queue, supervisor
from crimecast.runs.run import Run, delete_run, load_run, update_run
from crimecast.storage.store import data_root, write_json
from tests.training.test_training import SMALL

IDLE = 0.2  # seconds


class Cluster:
    """Takes a run and has done it three looks later."""

    address = "nowhere:1"

    def __init__(self, address: str) -> None:
        self.tasks: dict[str, int] = {}
        self.left_behind: list[str] | None = None

    def has_room(self, run: Run) -> bool:
        return True

    def start(self, run: Run) -> None:
        update_run(run.id, pid=os.getpid(), pid_started=psutil.Process().create_time())
        self.tasks[run.id] = 3
        time.sleep(2 * IDLE)

    def look(self) -> list[Run]:
        for name in list(self.tasks):
            self.tasks[name] -= 1
            if not self.tasks[name]:
                del self.tasks[name]
                update_run(name, state="done", pid=None, ended=time.time())
        return []

    def leave(self) -> None:
        self.left_behind = list(self.tasks)


def test_it_does_not_leave_a_cluster_that_was_just_given_a_run(
    sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []

    def cluster(address: str) -> Cluster:
        made.append(Cluster(address))
        return made[-1]

    monkeypatch.setattr(supervisor, "OnRay", cluster)
    monkeypatch.setattr(supervisor, "ensure", lambda: None)
    monkeypatch.setattr(supervisor, "IDLE", IDLE)  # over once the run is handed on
    monkeypatch.setattr(supervisor, "POLL", IDLE / 10)
    with FileLock(data_root() / "supervisor.lock").acquire(timeout=60):  # no other one is here
        name = queue.submit(queue.Request(parse_design(SMALL), sample, cluster=Cluster.address)).id
        supervisor.serve()
    assert [one.left_behind for one in made] == [[]]
    assert load_run(name).state == "done"


DEAF = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(flush=True)
while True:
    time.sleep(0.01)
"""


@pytest.mark.long
def test_a_run_that_does_not_react_to_a_stop_is_ended(
    sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "ensure", lambda: None)
    name = queue.submit(queue.Request(parse_design(SMALL), sample)).id
    with psutil.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        started = process.create_time()
        update_run(name, state="running", token="x", pid=process.pid, pid_started=started)
        supervisor.end_if_deaf(load_run(name), None)
        assert process.is_running()  # nobody asked it to stop
        queue.stop(name)
        supervisor.end_if_deaf(load_run(name), time.monotonic())
        assert process.is_running()  # it may still react
        # How long ago that was the clock doesn't tell: it may have been set.
        update_run(name, requested=time.time() - supervisor.PATIENCE - 1)
        supervisor.end_if_deaf(load_run(name), time.monotonic())
        assert process.is_running()
        update_run(name, requested=time.time() + 86_400)
        supervisor.end_if_deaf(load_run(name), time.monotonic() - supervisor.PATIENCE - 1)
        process.wait(30)
    assert load_run(name).state == "interrupted"
    supervisor.look_after([load_run(name)])
    run = load_run(name)
    assert (run.state, run.deaths) == ("stopped", 1)
    assert "ended before it had stopped" in run.message
    delete_run(name)


def test_a_log_keeps_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LOG", (1000, 100))
    path = tmp_path / "log.txt"
    supervisor.shorten(path)  # not there yet
    with path.open("ab") as log:
        log.write(b"x" * 990)
        log.flush()
        supervisor.shorten(path)
        assert path.stat().st_size == 990
        log.write(b"y" * 50)
        log.flush()
        supervisor.shorten(path)
        log.write(b"z")  # who writes it goes on at its end
    text = path.read_bytes()
    assert text == b"[the beginning was left out]\n" + b"x" * 50 + b"y" * 50 + b"z"


def test_it_stays_while_the_disk_is_full(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, seconds in (("IDLE", 0.4), ("POLL", 0.01), ("REFUSED", 0.3)):
        monkeypatch.setattr(supervisor, name, seconds)
    write_json(data / "supervisor.json", {"pid": 1, "started": 1.0})
    looks: list[int] = []

    def full(runs: list[Run]) -> list[Run]:
        looks.append(len(runs))
        if len(looks) < 4:  # for longer than it stays without work
            raise OSError(errno.ENOSPC, "No space left on device")
        return runs

    monkeypatch.setattr(supervisor, "look_after", full)
    supervisor.serve()
    assert len(looks) > 3  # it looked again when there was room
    assert capsys.readouterr().err.count("disk is full") == 3
    looks.clear()
    (data / "supervisor.json").unlink()  # and the folder with it, say
    supervisor.serve()
    assert len(looks) == 1


def test_a_run_whose_process_takes_long_to_load_is_left_to_it(
    sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the machine is so busy that half a minute isn't enough to load torch."""
    monkeypatch.setattr(supervisor, "ensure", lambda: None)
    monkeypatch.setattr("crimecast.runs.run.STARTING", 0.0)
    name = queue.submit(queue.Request(parse_design(SMALL), sample)).id
    run = supervisor.claim("here", name)
    assert run is not None
    with psutil.Popen([sys.executable, "-c", DEAF], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        monkeypatch.setattr(supervisor.background, "start", lambda *_, **__: process)
        supervisor.spawn(run)
        supervisor.look_after([load_run(name)])
        assert (load_run(name).state, load_run(name).pid) == ("running", process.pid)
        process.kill()
        process.wait(30)
    supervisor.look_after([load_run(name)])
    assert (load_run(name).state, load_run(name).deaths) == ("queued", 1)
    delete_run(name)
