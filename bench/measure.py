"""Run a part of a bench in a process of its own: its seconds and its peak memory."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))  # a bench runs from the project's own files, installed or not


def apart(script: str, part: str, *arguments: str, repeat: int = 3) -> dict[str, Any]:
    """Run `script --part PART ARGUMENTS` several times; the median seconds, the largest peak (MB)."""
    runs = []
    for _ in range(repeat):
        command = [sys.executable, "-W", "ignore", script, "--part", part, *arguments]
        environment = {**os.environ, "PYTHONPATH": str(TOP)}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=TOP, env=environment
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    middle = sorted(runs, key=lambda run: run["seconds"])[len(runs) // 2]
    return {**middle, "peak_mb": max(run["peak_mb"] for run in runs)}


def report(
    work: Callable[[], Any], before: Callable[[], Any] = lambda: None, times: int = 1, **more: Any
) -> None:
    """Time `work` in this process; print its median seconds and the peak memory as JSON.

    With `times` above one it is run once before, so that files are in memory and compiled code is
    loaded for every peer; `before` clears the way for each run and is not timed.
    """
    seconds = []
    for number in range(times if times == 1 else times + 1):
        before()
        began = time.perf_counter()
        result = work()
        if times == 1 or number:
            seconds.append(time.perf_counter() - began)
    middle = sorted(seconds)[len(seconds) // 2]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": middle, "peak_mb": peak, "result": result, **more}))
