"""The clock is set by days while runs train: none is lost, done twice or waits for ever.

The processes see the time that a file says, as they would see the machine's: their own sense of it, and
when the machine was started, which is reckoned from it.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crimecast.designs.spec import parse_design
from crimecast.runs import queue
from crimecast.runs.run import list_runs, load_run, update_run
from crimecast.runs.supervisor import claim, look_after
from tests.patience import until
from tests.training.test_training import SMALL

SHIFTED = """
import time
true = time.time
def shift():
    try:
        with open(%r) as file:
            return float(file.read() or 0)
    except (OSError, ValueError):
        return 0.0
time.time = lambda: true() + shift()
import psutil, psutil._pslinux as pslinux
boot = pslinux.boot_time
pslinux.boot_time = psutil.boot_time = lambda: boot() + shift()
"""
LONG = SMALL.replace("epochs = 3", "epochs = 60\npatience = 60")


@pytest.mark.long
def test_the_clock_is_set_while_runs_train(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shift = tmp_path / "shift"
    shift.write_text("0")
    (tmp_path / "sitecustomize.py").write_text(SHIFTED % str(shift))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(Path.cwd())]))
    design = parse_design(LONG)
    names = [queue.submit(queue.Request(design, sample, seed=seed)).id for seed in (1, 2)]

    def epochs() -> int:
        return sum(len(load_run(name).history()) for name in names)

    for days in (3, -3, 400, -20_000, 0):
        before = epochs()
        until(lambda before=before: epochs() > before + 4 or not _active(names), 0.01)
        temporary = shift.with_suffix(".new")
        temporary.write_text(str(days * 86_400.0))
        temporary.replace(shift)
        # What the command line says then, as somebody who has just come.
        told = subprocess.run([sys.executable, "-m", "crimecast", "runs", "--json"], capture_output=True, check=False)  # fmt: skip
        assert told.returncode == 0, told.stderr
    until(lambda: not _active(names), 0.1)
    for name in names:
        run = load_run(name)
        assert (run.state, run.deaths, len(run.history())) == ("done", 0, 60), run.message
        assert run.summary["seconds"] > 0


def _active(names: list[str]) -> bool:
    return any(load_run(name).state not in ("done", "failed", "stopped") for name in names)


@pytest.mark.parametrize("days", [-3.0, 3.0])
def test_a_claim_made_before_the_clock_was_set_is_given_again(
    sample: str, monkeypatch: pytest.MonkeyPatch, days: float
) -> None:
    """Whoever claimed it died before its process was there."""
    monkeypatch.setattr("crimecast.runs.supervisor.ensure", lambda: None)
    name = queue.submit(queue.Request(parse_design(SMALL), sample)).id
    run = claim("cpu:0", name)
    assert run is not None
    assert load_run(name).state == "running"  # it is being started
    update_run(name, started=(run.started or 0) - days * 86_400)
    assert load_run(name).state == "interrupted"
    look_after([load_run(name)])
    assert load_run(name).state == "queued"
    update_run(name, state="stopped")
    assert name in [run.id for run in list_runs()]
