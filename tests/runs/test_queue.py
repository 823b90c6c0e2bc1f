"""No run is lost, none is run twice, whatever is killed and whoever queues at once."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from crimecast.designs.spec import parse_design
from crimecast.errors import UserError
from crimecast.machine import courtesy
from crimecast.machine.slots import cpu_slots, fits, gpu_count, slots
from crimecast.runs import queue, search, supervisor
from crimecast.runs.run import Run, delete_run, list_runs, load_run
from crimecast.storage.store import data_root, read_json
from crimecast.training.checkpoints import load
from tests.patience import until
from tests.training.test_training import SMALL, slow_run

KILLS = int(os.environ.get("CRIMECAST_KILLS", "12"))  # 100 in the whole test

APP = """
import random, time
from crimecast.machine import courtesy
from crimecast.runs import supervisor
rng = random.Random(7)
while True:
    supervisor.ensure()
    if rng.random() < 0.1:
        courtesy.ask()  # a page is drawn; the runs rest
    time.sleep(0.2)
"""


def spec(epochs: int) -> str:
    return SMALL.replace("epochs = 3", f"epochs = {epochs}\npatience = {epochs}")


def weights(run: Run) -> dict:
    return load(run.folder / "network.safetensors")[0]


def epochs_of(run: Run) -> list[tuple[str, int]]:
    lines = (run.folder / "metrics.jsonl").read_text().splitlines()
    return [(entry["phase"], entry["epoch"]) for entry in map(json.loads, lines)]


def nobody_supervises() -> None:
    """Wait until the last test's supervisor has left: the next one has this test's environment."""
    until(lambda: not (data_root() / "supervisor.json").exists())


@pytest.mark.long
def test_kills_lose_nothing_and_change_nothing(sample: str) -> None:
    def submit(seed: int) -> str:
        return queue.submit(queue.Request(parse_design(spec(20)), sample, seed=seed, refit=True)).id

    nobody_supervises()  # a number of threads is an arithmetic of its own
    before = {run.id for run in list_runs()}
    undisturbed = [queue.wait(submit(seed)) for seed in range(2)]
    names = [submit(seed) for seed in range(2)]
    rng = random.Random(7)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    app = subprocess.Popen([sys.executable, "-c", APP], env=environment)
    kills = 0
    try:
        while kills < KILLS and any(load_run(name).state != "done" for name in names):
            time.sleep(rng.uniform(0.0, 6.0))
            victim = rng.choice(["worker", "worker", "supervisor", "app"])
            pids = {"app": app.pid}
            running = [run for run in list_runs() if run.state == "running" and run.pid]
            running = [
                run for run in running if run.deaths < 8
            ]  # after ten without an epoch it's over
            if running:
                pids["worker"] = rng.choice(running).pid
            mark = data_root() / "supervisor.json"
            if mark.exists():
                pids["supervisor"] = read_json(mark)["pid"]
            if victim in pids and psutil.pid_exists(pids[victim]):
                psutil.Process(pids[victim]).kill()
                kills += 1
            if app.poll() is not None:
                app = subprocess.Popen([sys.executable, "-c", APP], env=environment)
            if all(load_run(name).state == "done" for name in names):
                names += [
                    submit(seed) for seed in range(2)
                ]  # as long as there is something to kill
        ended = [queue.wait(name) for name in names]
    finally:
        app.kill()
        app.wait()
    assert kills >= min(KILLS, 5)
    for number, run in enumerate(ended):
        same = undisturbed[number % 2]
        assert run.state == "done", run.message
        assert epochs_of(run) == epochs_of(same)
        one, two = weights(same), weights(run)
        assert all(one[name].equal(two[name]) for name in one)
    made = {run.id for run in list_runs()} - before
    assert made == {run.id for run in (*undisturbed, *ended)}


@pytest.mark.long
def test_a_run_rests_while_a_page_is_drawn(sample: str) -> None:
    name = slow_run(sample)
    until(lambda: load_run(name).history())
    process = psutil.Process(load_run(name).pid)
    assert process.status() != psutil.STATUS_STOPPED
    courtesy.ask()
    until(lambda: process.status() == psutil.STATUS_STOPPED, pause=0.005)
    until(lambda: process.status() != psutil.STATUS_STOPPED)
    done = len(load_run(name).history())
    until(lambda: len(load_run(name).history()) > done)
    queue.stop(name)
    assert queue.wait(name).state == "stopped"
    delete_run(name)


SUBMIT = """
import sys
from crimecast.designs.spec import parse_design
from crimecast.runs import queue
for seed in range(int(sys.argv[2])):
    print(queue.submit(queue.Request(parse_design(sys.argv[3]), sys.argv[1], seed=seed)).id, flush=True)
"""


@pytest.mark.long
def test_two_processes_queue_at_once(sample: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """25 runs each, on two slots: all are done, in the order of their numbers, two at a time."""
    nobody_supervises()
    monkeypatch.setenv("CRIMECAST_CPU_SLOTS", "2")
    each = 25 if KILLS >= 100 else 5
    command = [sys.executable, "-c", SUBMIT, sample, str(each), spec(1)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    names = [name for one in both for name in one.communicate()[0].split()]
    assert len(set(names)) == 2 * each
    ended = sorted((queue.wait(name) for name in names), key=lambda run: run.number)
    assert [run.state for run in ended] == ["done"] * len(ended)
    starts = [run.started for run in ended]
    assert starts == sorted(starts)
    for run in ended:
        beside = [o for o in ended if o.started < run.ended and run.started < o.ended]
        assert (
            max(
                sum(o.started <= t < o.ended for o in beside)
                for t in (run.started, run.ended - 1e-6)
            )
            <= 2
        )
        assert len(epochs_of(run)) == 1
    until(lambda: not (data_root() / "supervisor.json").exists())


@pytest.mark.long
def test_the_order_of_the_queue_can_be_changed(sample: str) -> None:
    first = slow_run(sample)
    until(lambda: load_run(first).state == "running")
    waiting = [
        queue.submit(queue.Request(parse_design(spec(1)), sample, seed=s)).id for s in range(3)
    ]
    queue.put_first(waiting[2])
    with pytest.raises(UserError, match="only a queued run"):
        queue.put_first(first)
    queue.stop(waiting[0])
    assert load_run(waiting[0]).state == "stopped"
    queue.stop(first)
    ended = [queue.wait(name) for name in waiting[1:]]
    assert ended[1].started < ended[0].started
    assert queue.wait(queue.resume(waiting[0]).id).state == "done"


@pytest.mark.long
def test_a_run_is_tried_again_from_the_beginning(sample: str) -> None:
    run = queue.wait(queue.submit(queue.Request(parse_design(spec(2)), sample, seed=5)).id)
    before = weights(run)
    again = queue.wait(queue.retry(run.id).id)
    assert again.state == "done"
    assert epochs_of(again) == [("fit", 1), ("fit", 2)]
    assert all(before[name].equal(weights(again)[name]) for name in before)


@pytest.mark.long
def test_a_second_worker_finds_the_run_taken(sample: str) -> None:
    name = slow_run(sample)
    until(lambda: len(load_run(name).history()) >= 1)
    run = load_run(name)
    command = [sys.executable, "-m", "crimecast.runs.worker", name, run.token]
    assert subprocess.run(command, check=False, cwd=Path(__file__).parents[2]).returncode == 0
    assert load_run(name).pid == run.pid
    assert load_run(name).state == "running"
    queue.stop(name)
    until(lambda: load_run(name).state == "stopped")


@pytest.mark.long
def test_only_one_supervisor_serves(sample: str) -> None:
    supervisor.ensure()
    mark = data_root() / "supervisor.json"
    until(mark.exists)
    pid = read_json(mark)["pid"]
    command = [sys.executable, "-m", "crimecast.runs.supervisor"]
    done = subprocess.run(command, check=False, cwd=Path(__file__).parents[2], timeout=60)
    assert done.returncode == 0
    assert not mark.exists() or read_json(mark)["pid"] == pid


@pytest.mark.parametrize("seed", [-1, 2**32, 2**63, 10**24])
def test_what_no_library_takes_for_a_seed_is_refused(sample: str, seed: int) -> None:
    before = list_runs()
    for ask in (
        lambda: queue.submit(queue.Request(parse_design(spec(1)), sample, seed=seed)),
        lambda: search.start(spec(1), sample, 3, seed),
    ):
        with pytest.raises(UserError, match="A seed is a whole number from 0 to 4,294,957,295"):
            ask()
    assert list_runs() == before


def test_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("CRIMECAST_CPU_SLOTS", "2")
    gpu_count.cache_clear()
    try:
        assert slots() == ["cpu:0", "cpu:1"]
        assert fits("cpu:0", "auto")
        assert not fits("cpu:0", "cuda")
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
        gpu_count.cache_clear()
        assert slots() == ["cuda:0", "cuda:1", "cpu:0", "cpu:1"]
        assert fits("cuda:1", "auto")
        assert not fits("cpu:0", "auto")
        assert fits("cpu:0", "cpu")
        monkeypatch.setenv("CRIMECAST_CPU_SLOTS", "none")
        with pytest.raises(UserError, match="CRIMECAST_CPU_SLOTS"):
            cpu_slots()
    finally:
        gpu_count.cache_clear()
