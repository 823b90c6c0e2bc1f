"""The supervisor stays as long as anything is under way, whoever has it."""

import os
import time
from typing import Any

import psutil
import pytest
from filelock import FileLock

from crimecast.designs.spec import parse_design
from crimecast.runs import queue, supervisor
from crimecast.runs.run import Run, load_run, update_run
from crimecast.storage.store import data_root
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
