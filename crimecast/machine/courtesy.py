"""Training on the processor stands aside while somebody on the same machine waits for a page.

A priority alone doesn't do it: what runs on the next core takes memory bandwidth and caches. With the
lowest priority alone pages take 1.54 times as long beside a run, with these rests 1.11, and the run
keeps 0.54 of its speed instead of 0.96 (bench/results/app.json, two cores, a click every two seconds).
So the app marks that it draws, and the supervisor suspends the runs on the processor meanwhile, at
once, in the middle of a step.
"""

import contextlib
import platform
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from crimecast import UserError
from crimecast.storage.store import data_root

DRAWING = 0.8  # seconds from a click until its page is drawn, nearly always
LOOK_EVERY = 0.01  # seconds between looks at the mark while there are runs that could rest
NO_HURRY = 0.25  # and while there are none
GAP = 1.0  # seconds between two looks at most
SAVED = 60.0  # seconds of rest at most that runs have in hand; they earn them back by working


def ask() -> None:
    """A page begins to be drawn."""
    # Neither a full disk nor a folder that can't be used is a reason to show no page.
    with contextlib.suppress(OSError, UserError):
        mark().touch()


class Rests:
    """The rests of the runs on this machine's processor: in the long run never more than half of
    the time. `workers` are the runs' processes; whoever starts them keeps it up to date.
    """

    def __init__(self) -> None:
        self.mark, self.saved, self.since = mark(), SAVED, time.time()
        self.workers: list[int] = []
        self.resting: list[psutil.Process] = []

    @contextlib.contextmanager
    def given(self) -> Iterator["Rests"]:
        """Look again and again, until the block ends; then nobody is left suspended.

        In a thread of its own: a run that is suspended in the middle of writing to the record holds
        up whoever else writes to it, and must be woken all the same.
        """
        over = threading.Event()

        def watch() -> None:
            while not over.wait(LOOK_EVERY if self.workers else NO_HURRY):
                self.look()

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            over.set()
            thread.join()
            self.wake()

    def look(self) -> None:
        """Suspend the runs if a page is being drawn; wake them when it is there."""
        now = time.time()
        gone = min(max(0.0, now - self.since), GAP)  # more is a clock that was set
        self.saved = min(SAVED, self.saved + (-gone if self.resting else gone))
        self.since = now
        if self._is_drawing(now) and self.saved > 0:
            if not self.resting:
                self.resting = [one for pid in self.workers for one in _suspended(pid)]
        elif self.resting:
            self.wake()

    def wake(self) -> None:
        """Let what was suspended go on."""
        for process in self.resting:
            with contextlib.suppress(psutil.Error):
                process.resume()
        self.resting = []

    def _is_drawing(self, now: float) -> bool:
        try:
            left = self.mark.stat().st_mtime + DRAWING - now
        except OSError:
            return False
        # From further ahead, it was made before the clock was set back.
        return 0 < left < 2 * DRAWING


def wake(pid: int) -> None:
    """Let a run go on that a supervisor suspended and then died."""
    with contextlib.suppress(psutil.Error):
        worker = psutil.Process(pid)
        for process in (worker, *worker.children(recursive=True)):
            process.resume()


def _suspended(pid: int) -> list[psutil.Process]:
    """A run's process and what it started, such as compilers, now suspended."""
    made: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        worker = psutil.Process(pid)
        worker.suspend()  # first: looking for its children takes a while
        made.append(worker)
        for child in worker.children(recursive=True):
            child.suspend()
            made.append(child)
    return made


def mark() -> Path:
    """The file whose time says when a page began to be drawn on this machine."""
    return data_root() / f"drawing.{platform.node()}"
