"""Leftovers of work that was cut off: taken away a day later, when nobody works on them any more."""

import os
import re
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from crimecast.storage.bin import empty
from crimecast.storage.store import data_root

AGE = 86_400.0  # seconds without a change, after which nobody holds it
SCRATCH = "crimecast-*"  # what is unpacked lies there, in the folder for temporary files
WRITER = re.compile(
    r"\.(\d+)-[0-9a-f]{8}\.part$|^crimecast-(\d+)-"
)  # as store.replacing and store.scratch name them


def sweep(now: float | None = None) -> list[Path]:
    """Take away half-written files and folders that nothing changed for a day; returns them. Looks at
    most once a day. What a process writes that is still there stays, whatever its date: when the clock is
    set, all that is being written looks days old."""
    now = time.time() if now is None else now
    root = data_root()
    mark = root / ".swept"
    with suppress(OSError):
        if abs(now - mark.stat().st_mtime) < AGE:
            return []
    gone = []
    with suppress(OSError):  # a full or read-only disk: another time
        mark.touch()
        os.utime(mark, (now, now))
        empty()
        left = [*root.rglob(".*.part"), *Path(tempfile.gettempdir()).glob(SCRATCH)]
        for path in left:
            # From further ahead, it was left before the clock was set back.
            if abs(now - _touched(path)) > AGE and _own(path) and not _written(path):
                _remove(path)
                gone.append(path)
    return gone


def _touched(path: Path) -> float:
    """When it, or anything in it, was last changed."""
    latest = 0.0
    with suppress(OSError):
        latest = path.lstat().st_mtime
        for entry in path.rglob("*"):
            latest = max(latest, entry.lstat().st_mtime)
    return latest


def _written(path: Path) -> bool:
    """Whether the process that it is named after is there still, on this machine."""
    writer = WRITER.search(path.name)
    return writer is not None and psutil.pid_exists(int(writer[1] or writer[2]))


def _own(path: Path) -> bool:
    try:
        return path.lstat().st_uid == os.getuid() and not path.is_symlink()
    except OSError:
        return False


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
