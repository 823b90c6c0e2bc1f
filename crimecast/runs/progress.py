"""How far a run is, in words: for the pages and for a terminal."""

import time

from crimecast.runs.run import Run

SILENT = 300.0  # seconds without a word from a run's process after which it is said


def time_left(seconds: float | None) -> str:
    """Seconds in words: 40 s, 3 min, 2.0 h; a dash while nobody knows."""
    if seconds is None:
        return "–"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def share(run: Run) -> float:
    """How much of a run is done, 0 to 1."""
    at = run.progress()
    if not at:
        return 0.0
    return min(1.0, ((at["epoch"] - 1) + at["step"] / at["steps"]) / at["epochs"])


def silence(run: Run) -> float:
    """Seconds since the process of a run that trains was last heard of."""
    path = run.folder / "progress.json"
    heard = path.stat().st_mtime if path.exists() else 0.0
    return max(0.0, time.time() - max(heard, run.started or 0.0))


def line(run: Run) -> str:
    """What a run that waits or trains is doing, in one line."""
    at = run.progress()
    if run.state == "queued":
        return "waiting for its turn"
    if (quiet := silence(run)) > SILENT:
        return f"no sign of life for {time_left(quiet)}; its log may say why"
    if not at:
        return "starting"
    if at.get("note"):
        return f"epoch {at['epoch']} of {at['epochs']} · {at['note']}"
    return (
        f"epoch {at['epoch']} of {at['epochs']} · {at['steps_a_second']:.1f} batches a second · "
        f"{time_left(at['seconds_left'])} left at most"
    )
