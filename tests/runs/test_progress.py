"""What is said of a run that waits, trains, or has fallen silent; on a terminal, while one waits."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from crimecast.designs.spec import load_design
from crimecast.runs import progress, queue
from crimecast.runs.run import Run, create_run, delete_run, load_run, update_run, write_progress
from crimecast.runs.settings import Settings
from tests.patience import until

TOP = Path(__file__).parents[2]
HALFWAY = {
    "epoch": 3, "epochs": 4, "step": 10, "steps": 20, "steps_a_second": 2.0, "seconds_left": 15.0,
    "note": "",
}  # fmt: skip


@pytest.fixture
def run(sample: str) -> Iterator[Run]:
    """A run that says it is in the middle of its third epoch."""
    known = create_run(
        load_design("stack"), sample, 0, "cpu", Settings(9, 10, "2023-01-10", "2023-01-11", 1), None
    )
    update_run(known.id, state="stopped")  # nobody is to train it
    write_progress(known, HALFWAY)
    yield replace(known, state="running", started=time.time() - 3600)
    delete_run(known.id)


def test_how_far_it_is(run: Run) -> None:
    assert progress.line(run) == "epoch 3 of 4 · 2.0 batches a second · 15 s left at most"
    assert progress.share(run) == pytest.approx(2.5 / 4)
    assert progress.line(replace(run, state="queued")) == "waiting for its turn"
    write_progress(run, {**HALFWAY, "note": "compiling its step"})
    assert progress.line(run) == "epoch 3 of 4 · compiling its step"


def test_a_run_that_says_nothing_any_more(run: Run) -> None:
    path = run.folder / "progress.json"
    before = time.time() - progress.SILENT - 60
    os.utime(path, (before, before))
    assert progress.line(run) == "no sign of life for 6 min; its log may say why"
    # Resumed a moment ago: it has said nothing yet, which is no wonder.
    assert progress.line(replace(run, started=time.time())).startswith("epoch 3 of 4")
    path.unlink()
    assert progress.line(replace(run, started=time.time())) == "starting"
    assert progress.line(run).startswith("no sign of life for 60 min")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (0, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (7200, "2.0 h")],
)
def test_seconds_in_words(seconds: float | None, words: str) -> None:
    assert progress.time_left(seconds) == words


def terminal_of(*command: str) -> tuple[subprocess.Popen[bytes], int]:
    """The command with its standard error on a terminal, and the terminal's other end."""
    here, there = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-m", "crimecast", *command],
        cwd=TOP, stdout=subprocess.DEVNULL, stderr=there,
    )  # fmt: skip
    os.close(there)
    return started, here


def read_until(terminal: int, words: str) -> str:
    """What the terminal shows, at least until those words; the kernel cuts it into pieces."""
    text = ""
    while words not in text:
        until(lambda: select.select([terminal], [], [], 0)[0])
        text += os.read(terminal, 1024).decode(errors="replace")
    return text


@pytest.mark.long
def test_a_terminal_shows_it_and_may_leave(sample: str) -> None:
    started, terminal = terminal_of("train", sample, "--design", "stack", "--wait")
    try:
        said = read_until(terminal, "left at most")
        assert "\n" not in said  # one line, written over and over
        name = said.split("\x1b[K")[1].split(":")[0]
        started.send_signal(signal.SIGINT)
        assert f"{name} trains on in the background." in read_until(terminal, "background.")
        assert started.wait() == 130
        assert load_run(name).state == "running"
    finally:
        started.kill()
        os.close(terminal)
    queue.stop(name)
    assert queue.wait(name).state == "stopped"
    delete_run(name)
