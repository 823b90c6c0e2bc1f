"""On a Ray cluster of several nodes: the same weights, whatever dies; the same grids."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psutil
import pytest

from crimecast.designs.spec import parse_design
from crimecast.grids.grid import grid_folder, make_grid, open_grid
from crimecast.runs import queue, search
from crimecast.runs.run import load_run
from crimecast.storage.store import data_root, read_json
from tests.patience import until
from tests.runs.test_queue import epochs_of, spec, weights
from tests.training.test_training import SMALL

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.long


EPOCHS = 24  # of a run that is killed after three


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes with two CPUs each, and a head that runs nothing."""
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("CRIMECAST_THREADS", "1")
        size = {"object_store_memory": 80_000_000}
        made = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **size}
        )
        for _ in range(2):
            made.add_node(num_cpus=2, **size)
        until(lambda: not (data_root() / "supervisor.json").exists())
        yield made
        ray.shutdown()
        made.shutdown()


def submit(sample: str, address: str, epochs: int = 3, **more: Any) -> str:
    return queue.submit(
        queue.Request(parse_design(spec(epochs)), sample, seed=3, cluster=address, **more)
    ).id


def same(one: str, two: str) -> bool:
    a, b = weights(load_run(one)), weights(load_run(two))
    return all(a[name].equal(b[name]) for name in a)


def training_process() -> psutil.Process | None:
    for process in psutil.process_iter(["cmdline"]):
        if any("train_part" in part for part in process.info["cmdline"] or []):
            return process
    return None


def killed_on_the_way(name: str, kill: Callable[[], None]) -> None:
    """Do something terrible after a few epochs, then wait for the end."""
    until(lambda: len(load_run(name).history()) >= 3)
    kill()
    assert load_run(name).state != "done"
    run = queue.wait(name)
    assert run.state == "done", run.message
    assert [epoch for _, epoch in epochs_of(run)] == list(range(1, EPOCHS + 1))


def test_a_run_on_the_cluster_is_the_run_that_it_would_be_here(sample: str, cluster: Any) -> None:
    there, here = submit(sample, cluster.address), submit(sample, "")
    assert queue.wait(there).state == queue.wait(here).state == "done"
    assert load_run(there).settings.cluster == cluster.address
    assert load_run(here).settings.cluster == ""
    assert same(there, here)


def test_runs_survive_their_process_their_node_and_their_supervisor(
    sample: str, cluster: Any
) -> None:
    calm = queue.wait(submit(sample, "", EPOCHS)).id

    def process() -> None:
        training_process().kill()  # type: ignore[union-attr]

    def node() -> None:
        raylet = training_process().parent().pid  # type: ignore[union-attr]
        for one in list(cluster.worker_nodes):
            if any(info.process.pid == raylet for info in one.all_processes["raylet"]):
                cluster.remove_node(one, allow_graceful=False)
                return
        raise AssertionError("no node runs it")

    def supervisor() -> None:
        psutil.Process(read_json(data_root() / "supervisor.json")["pid"]).kill()

    for kill in (process, supervisor, node):
        name = submit(sample, cluster.address, EPOCHS)
        killed_on_the_way(name, kill)
        assert same(name, calm), kill.__name__


def test_several_workers_learn_what_one_does(sample: str, cluster: Any) -> None:
    text = SMALL.replace("epochs = 3", "epochs = 2\npatience = 2\ndeterministic = true")
    text = text.replace('[[layer]]\nname = "drop"\nkind = "dropout"\n', "")
    runs = [
        queue.wait(
            queue.submit(
                queue.Request(
                    parse_design(text), sample, refit=True, cluster=cluster.address, workers=n
                )
            ).id
        )
        for n in (1, 2)
    ]
    assert [run.state for run in runs] == ["done", "done"], [run.message for run in runs]
    assert runs[1].progress()["workers"] == 2
    losses = [[e["training_loss"] for e in run.history()] for run in runs]
    assert np.allclose(*losses, rtol=1e-4)
    one, two = (weights(run) for run in runs)
    for name in one:
        assert np.allclose(one[name], two[name], atol=2e-3), name


def test_a_run_on_the_cluster_can_be_stopped(sample: str, cluster: Any) -> None:
    for workers in (1, 2):
        name = submit(sample, cluster.address, 2000, workers=workers)
        until(lambda name=name: len(load_run(name).history()) >= 1)
        queue.stop(name)
        until(lambda name=name: load_run(name).state == "stopped")
    assert not load_run(name).message


def test_a_search_runs_on_the_cluster(sample: str, cluster: Any) -> None:
    text = SMALL.replace("channels = 4", "channels = { search = [2, 3, 4] }")
    name = search.start(text, sample, 3, epochs=1, cluster=cluster.address)
    found = search.wait(name)
    assert [row["state"] for row in found["runs"]] == ["done"] * 3
    assert all(load_run(r["run"]).settings.cluster == cluster.address for r in found["runs"])


def test_gridding_on_the_cluster_counts_the_same(sample: str, cluster: Any) -> None:
    options = ("sample", 700.0, "1h", "each")
    here = make_grid(*options)
    folder = grid_folder(here["grid"])
    cube = open_grid(here["grid"]).load()
    folder.rename(folder.with_name("aside"))
    (folder.with_name("aside") / "chunks.json").unlink()  # so that nothing of it is used again
    there = make_grid(*options, cluster=cluster.address)
    assert there == here
    assert open_grid(there["grid"]).load().identical(cube)
    assert len(json.loads((folder / "chunks.json").read_text())["sums"]) > 1


def test_a_worker_of_several_dies(sample: str, cluster: Any) -> None:
    name = submit(sample, cluster.address, EPOCHS, workers=2)
    killed_on_the_way(name, lambda: training_process().kill())  # type: ignore[union-attr]
