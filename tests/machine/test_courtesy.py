"""Runs on the processor rest while a page is drawn, and not for ever."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from crimecast.machine import courtesy
from crimecast.storage.database import writing
from tests.patience import until


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[float]:
    """The time now, which a test moves on."""
    now = [time.time() + 3600]
    monkeypatch.setenv("CRIMECAST_DATA", str(tmp_path))
    monkeypatch.setattr(courtesy.time, "time", lambda: now[0])
    return now


@pytest.fixture
def worker() -> Iterator[psutil.Popen]:
    """A process with a child, as a run has one while its step is compiled."""
    child = "import time; time.sleep(600)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    made = psutil.Popen([sys.executable, "-c", code], stdin=subprocess.DEVNULL)
    # Until it runs its own program: before that its parent waits for it, and can't be suspended.
    until(lambda: [one.cmdline()[-1:] for one in made.children()] == [[child]])
    family = [made, *made.children()]
    yield made
    for process in family:
        with contextlib.suppress(psutil.Error):
            process.resume()
            process.kill()


def ask(clock: list[float]) -> None:
    courtesy.ask()
    os.utime(courtesy.mark(), (clock[0], clock[0]))


def rests_of(worker: psutil.Popen) -> courtesy.Rests:
    rests = courtesy.Rests()
    rests.workers = [worker.pid]
    return rests


def rest(worker: psutil.Popen, moment: float = 0.05) -> list[bool]:
    """Whether it and its child are suspended; that takes a moment to show."""
    time.sleep(moment)
    return [p.status() == psutil.STATUS_STOPPED for p in (worker, *worker.children())]


def test_a_run_rests_with_its_children_while_a_page_is_drawn(
    clock: list[float], worker: psutil.Popen
) -> None:
    rests = rests_of(worker)
    rests.look()
    until(lambda: rest(worker) == [False, False])  # nobody has asked
    ask(clock)
    clock[0] += 0.3
    rests.look()
    until(lambda: rest(worker) == [True, True])
    clock[0] += courtesy.DRAWING - 0.31
    rests.look()
    until(lambda: rest(worker) == [True, True])
    clock[0] += 0.02
    rests.look()
    until(lambda: rest(worker) == [False, False])


def test_what_a_dead_supervisor_left_suspended_goes_on(
    clock: list[float], worker: psutil.Popen
) -> None:
    ask(clock)
    rests_of(worker).look()
    until(lambda: rest(worker) == [True, True])
    courtesy.wake(worker.pid)
    until(lambda: rest(worker) == [False, False])


def test_a_process_that_is_gone_is_no_fault(clock: list[float], worker: psutil.Popen) -> None:
    rests = rests_of(worker)
    ask(clock)
    rests.workers = [2**22 - 1, worker.pid]
    rests.look()
    until(lambda: rest(worker) == [True, True])
    for process in (*worker.children(), worker):
        process.kill()
    worker.wait()
    clock[0] += courtesy.DRAWING
    rests.look()
    courtesy.wake(worker.pid)
    assert not rests.resting


@pytest.mark.long
def test_whoever_clicks_without_end_has_half_of_the_time(
    clock: list[float], worker: psutil.Popen
) -> None:
    rests, rested, began = rests_of(worker), 0.0, clock[0]
    while clock[0] < began + 2000:
        ask(clock)
        rests.look()
        rested += 0.5 * bool(rests.resting)
        clock[0] += 0.5
    assert rested / 2000 == pytest.approx(0.5, abs=0.5 * courtesy.SAVED / 2000 + 0.01)


def test_a_mark_from_the_future_holds_nothing_up(clock: list[float], worker: psutil.Popen) -> None:
    """Clocks are set back now and then."""
    rests, began = rests_of(worker), clock[0]
    clock[0] += 7200
    ask(clock)
    clock[0] = began + 1
    rests.look()
    assert not rests.resting


@pytest.mark.parametrize("by", [86_400.0, -86_400.0])
def test_a_clock_that_is_set_takes_nobodys_turn(
    clock: list[float], worker: psutil.Popen, by: float
) -> None:
    """Neither is the rest that runs have in hand used up, nor do they rest on."""
    rests = rests_of(worker)
    ask(clock)
    rests.look()
    assert rests.resting
    clock[0] += by
    rests.look()
    assert not rests.resting
    ask(clock)
    clock[0] += 0.1
    rests.look()
    assert rests.resting  # whoever clicks now is not kept waiting


def test_a_clock_that_is_set_back_ends_a_rest(clock: list[float], worker: psutil.Popen) -> None:
    rests, began = rests_of(worker), clock[0]
    ask(clock)
    rests.look()
    clock[0] = began - 7200
    rests.look()
    until(lambda: rest(worker) == [False, False])


def test_nobody_is_left_suspended_by_who_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, worker: psutil.Popen
) -> None:
    monkeypatch.setenv("CRIMECAST_DATA", str(tmp_path))
    courtesy.ask()

    def fails() -> None:
        with rests_of(worker).given():
            assert rest(worker, 0.3) == [True, True]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    until(lambda: rest(worker) == [False, False])


def test_a_run_suspended_while_it_writes_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CRIMECAST_DATA", str(tmp_path))
    code = """
import time
from crimecast.storage.database import writing
with writing() as db:
    print(flush=True)
    time.sleep(0.3)
"""
    with psutil.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as writer:
        writer.stdout.readline()
        rests = rests_of(writer)
        courtesy.ask()
        with rests.given():
            while not rests.resting:
                time.sleep(0.001)
            with writing() as db:  # waits until the writer was woken and is through
                assert db.execute("select count(*) from runs").fetchone()[0] == 0
        assert writer.wait(10) == 0


def test_a_page_is_drawn_even_where_no_mark_can_be_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("CRIMECAST_DATA", str(blocked))
    courtesy.ask()
