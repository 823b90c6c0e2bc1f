"""Training on the processor stands aside while somebody on the same machine waits for a page.

A priority alone doesn't do it: what runs on the next core takes memory bandwidth and caches, and
made pages a third slower. So the app marks that it draws, and a run rests before it goes on, after a
pass forward or backward.
"""

import contextlib
import platform
import time
from pathlib import Path

from crimecast.store import data_root

DRAWING = 0.8  # seconds from a click until its page is drawn, nearly always
LOOK_EVERY = 0.02  # seconds between looks at the mark; a small network steps far more often
SAVED = 60.0  # seconds of rest at most that a run has in hand; it earns them back by working


def ask() -> None:
    """A page begins to be drawn."""
    with contextlib.suppress(OSError):  # a full disk is no reason to show no page
        _mark().touch()


class Rests:
    """One run's rests: in the long run never more than half of its time."""

    def __init__(self) -> None:
        self.mark, self.saved, self.since = _mark(), SAVED, time.time()

    def take(self) -> None:
        """Sleep as long as a page is being drawn."""
        now = time.time()
        if 0 <= now - self.since < LOOK_EVERY:
            return
        self.saved = min(SAVED, self.saved + max(0.0, now - self.since))
        self.since = now
        try:
            left = self.mark.stat().st_mtime + DRAWING - now
        except OSError:
            return
        if 0 < left < 2 * DRAWING:  # from further ahead, it was made before the clock was set back
            rest = min(left, self.saved)
            time.sleep(rest)
            self.saved -= rest
            self.since = time.time()


def _mark() -> Path:
    return data_root() / f"drawing.{platform.node()}"
