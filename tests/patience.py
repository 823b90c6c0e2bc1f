"""How tests wait: as long as what they wait for makes progress, however busy the machine is.

A number of seconds that is plenty on a quiet machine fails on a busy one, where nothing is wrong.
"""

import time
from collections.abc import Callable

import psutil

STILL = 180.0  # seconds in which no process of ours got anything done: then nothing will come
LONGEST = 1800.0  # seconds after which even work that goes on is taken for an endless loop
BROWSER = 900_000  # ms that a browser may take to show what it is to show


def until(condition: Callable[[], object], pause: float = 0.05) -> None:
    """Return once `condition()` holds. Fails when none of the program's processes works any more, or
    when they work for half an hour without it."""
    began = moved = time.monotonic()
    done = work()
    while not condition():
        now = time.monotonic()
        if now - moved > 5 and (more := work()) != done:
            done, moved = more, now
        assert now - moved < STILL, "waited in vain: nothing moves any more"
        assert now - began < LONGEST, "waited in vain: it works, but does not get there"
        time.sleep(pause)


def work() -> float:
    """Seconds of processor time that the program's own processes had so far."""
    total = 0.0
    for process in psutil.process_iter(["cmdline", "cpu_times"]):
        line = process.info["cmdline"] or []
        if any("crimecast" in part or "streamlit" in part for part in line):
            times = process.info["cpu_times"]
            total += round(times.user + times.system, 1)
    return total
