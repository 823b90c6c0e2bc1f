"""Runs as tasks of a Ray cluster. The supervisor alone touches the record; tasks see only files.

A run waits until the cluster has room for all its workers. Stops are passed on by a file in the
run's folder. A task that dies with its process or its node sends the run back into the queue, and
it goes on from its last checkpoint; so does one whose supervisor died, since Ray ends a task whose
owner is gone.
"""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from crimecast.machine.cluster import connect
from crimecast.machine.process import born
from crimecast.runs import worker
from crimecast.runs.run import Run, load_run, update_run

HANDED_OVER = 120.0  # seconds that a task waits for an earlier one of its run to be gone


@dataclass
class Task:
    """A run on the cluster: what its workers will return, in order of rank."""

    run: Run
    refs: list[Any]
    place: Any
    asks: dict[str, float]
    ended: list[dict[str, Any]] = field(default_factory=list)
    died: bool = False


class OnRay:
    """The runs that this supervisor has on the cluster at one address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.ray = connect(address)
        self.tasks: dict[str, Task] = {}
        # A process of its own for every task: nothing of one run is left for the next.
        self.train = self.ray.remote(max_retries=0, max_calls=1)(train_part)
        self.threads = int(os.environ.get("CRIMECAST_THREADS", "0")) or 1

    def asks(self, run: Run) -> dict[str, float]:
        """What one worker of a run asks for; `auto` is a GPU where the cluster has any."""
        gpu = run.device == "cuda" or (
            run.device == "auto" and self.ray.cluster_resources().get("GPU", 0) > 0
        )
        return {"CPU": 1.0, "GPU": 1.0} if gpu else {"CPU": float(self.threads)}

    def has_room(self, run: Run) -> bool:
        """Whether all workers of a run fit beside what is there."""
        free = dict(self.ray.cluster_resources())
        for task in self.tasks.values():
            for kind, amount in task.asks.items():
                free[kind] = free.get(kind, 0.0) - amount * len(task.refs)
        workers = run.settings.workers
        return all(free.get(kind, 0.0) >= n * workers for kind, n in self.asks(run).items())

    def start(self, run: Run) -> None:
        """Hand a claimed run to the cluster."""
        process = psutil.Process()
        update_run(run.id, pid=process.pid, pid_started=born(process.pid), message="")
        run.folder.mkdir(parents=True, exist_ok=True)
        (run.folder / "stop").unlink(missing_ok=True)
        asks, workers = self.asks(run), run.settings.workers
        place = self.ray.util.placement_group([asks] * workers, strategy="PACK")
        strategy = self.ray.util.scheduling_strategies.PlacementGroupSchedulingStrategy(place)
        options = {"num_cpus": asks["CPU"], "num_gpus": asks.get("GPU", 0)}
        task = self.train.options(scheduling_strategy=strategy, **options)
        refs = [task.remote(run, rank, workers, self.threads) for rank in range(workers)]
        self.tasks[run.id] = Task(run, refs, place, asks)

    def look(self) -> list[Run]:
        """Pass on stops, record what has ended; returns the runs whose process died."""
        died = []
        for name, task in list(self.tasks.items()):
            if load_run(name).request == "stop":
                (task.run.folder / "stop").touch()
            waiting = [ref for ref in task.refs if ref is not None]
            for ref in self.ray.wait(waiting, num_returns=len(waiting), timeout=0)[0]:
                self._note(task, ref)
            if all(ref is None for ref in task.refs):
                del self.tasks[name]
                self.ray.util.remove_placement_group(task.place)
                if task.died:
                    died.append(task.run)
                else:
                    worker.end(name, task.run.token or "", **verdict(task.ended))
        return died

    def _note(self, task: Task, ref: Any) -> None:
        rank = task.refs.index(ref)
        task.refs[rank] = None
        try:
            task.ended.append(self.ray.get(ref))
        except self.ray.exceptions.RayError as error:
            print(f"{task.run.id}, worker {rank}: {type(error).__name__}", file=sys.stderr)
            task.died = True

    def leave(self) -> None:
        """Part from the cluster."""
        self.ray.shutdown()


def verdict(ended: list[dict[str, Any]]) -> dict[str, Any]:
    """How a run ended, from how its workers did, in the order in which they did."""
    failed = [one for one in ended if one["state"] == "failed"]
    return failed[0] if failed else max(ended, key=lambda one: len(one.get("summary", {})))


def train_part(run: Run, rank: int, size: int, threads: int) -> dict[str, Any]:
    """One worker of a run, in a process of the cluster."""
    from crimecast.training.parallel import join, leave

    os.environ["CRIMECAST_THREADS"] = str(threads)
    with (run.folder / "log.txt").open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    psutil.Process().nice(10)
    lock = FileLock(run.folder / f"worker-{rank}.lock" if rank else run.folder / "worker.lock")
    try:
        lock.acquire(timeout=HANDED_OVER)
    except Timeout:
        return {"state": "failed", "message": "Another process still trains it; resume it later."}
    stop: Path = run.folder / "stop"
    group = None
    if size > 1:
        device = worker.pick_device(run.device)
        group = join(rank, size, run.folder / f"meeting-{run.token}", device)
    try:
        return worker.outcome(run, stop.exists, group)
    finally:
        leave()
        lock.release()
