"""The small process that does the rounds of live cities by itself: `python -m crimecast.live.keeper`.

One a data folder, held to that by a lock; it leaves when no city is live by itself. The app starts it
whenever a page is drawn, so a restarted server goes on; after missed days the next round catches up, once.
Each round is a process of its own, so that one that fails or hangs harms no other.
"""

import os
import subprocess
import sys
import time
from typing import Any

import psutil
from filelock import FileLock, Timeout

from crimecast import UserError
from crimecast.live.plan import Plan, last_round, live_folder, plan_of
from crimecast.machine import background
from crimecast.storage.access import by_itself
from crimecast.storage.store import data_root, write_json

POLL = 30.0  # seconds between looks
AGAIN = 3600.0  # seconds after a round that failed, at most
LONGEST = 2 * 3600.0  # seconds after which a round is ended
HOUR = 3600.0


def live_cities() -> list[tuple[str, Plan]]:
    """The cities whose rounds are done by themselves."""
    found = []
    for path in sorted(data_root().glob("live/*/plan.json")):
        try:
            plan = plan_of(path.parent.name)
        except UserError:  # its page says what is damaged
            continue
        if plan is not None and plan.rules.on:
            found.append((path.parent.name, plan))
    return found


def is_due(plan: Plan, last: dict[str, Any], now: float) -> bool:
    """Whether a round is to begin at `now` (seconds since 1970)."""
    gone = now - float(last.get("began", 0.0))
    pause = plan.rules.every * HOUR
    # A round that began after now was before the clock was set back.
    return gone < 0 or gone >= (min(AGAIN, pause) if last.get("failed") else pause)


def ensure() -> None:
    """Start a keeper for this data folder if a city is live by itself and none is there."""
    if not live_cities():
        return
    try:
        with FileLock(data_root() / "keeper.lock", timeout=0):
            pass
    except Timeout:
        return
    background.start("crimecast.live.keeper", log=data_root() / "keeper.log")


def main() -> int:
    """Do every round that is due, until no city is live by itself; returns at once if another keeper is there."""
    try:
        with FileLock(data_root() / "keeper.lock", timeout=0):
            while cities := live_cities():
                for city, plan in cities:
                    if is_due(plan, last_round(city), time.time()):
                        go_apart(city)
                time.sleep(POLL)
    except Timeout:
        pass
    return 0


def go_apart(city: str) -> None:
    """A round in a process of its own."""
    began = time.time()
    log = live_folder(city) / "round.log"
    log.unlink(missing_ok=True)  # of one round
    process = background.start("crimecast.live.keeper", city, log=log)
    try:
        status = process.wait(LONGEST)
    except subprocess.TimeoutExpired:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()
        _failed(city, began, f"A round took longer than {LONGEST / HOUR:.0f} hours and was ended.")
        return
    if status and last_round(city).get("began", 0.0) < began:
        _failed(city, began, "The last round ended without a word; round.log has what it said.")


def one_round(city: str) -> int:
    """The body of that process; what went wrong stands in the city's `round.json`."""
    from crimecast.live.round import go_round

    os.nice(10)  # the app and its user come first
    began = time.time()
    try:
        with by_itself():
            go_round(city, guarded=True)
    except UserError as error:
        _failed(city, began, str(error))
        return 1
    return 0


def _failed(city: str, began: float, message: str) -> None:
    write_json(live_folder(city) / "round.json", {"began": began, "said": message, "failed": True})


if __name__ == "__main__":
    raise SystemExit(one_round(sys.argv[1]) if len(sys.argv) > 1 else main())
