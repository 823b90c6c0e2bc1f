"""What is kept on disk because making it again takes long: named by what made it, and bounded."""

import hashlib
import os
import shutil
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


@lru_cache(maxsize=8)
def code_of(*parts: str) -> bytes:
    """A hash of some of the package's files and folders (`grids/memories.py`, `baselines`): part of
    the name of whatever they made, so that nothing is taken for what other code would make."""
    made = hashlib.blake2b(digest_size=16)
    for part in parts:
        place = PACKAGE / part
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            made.update(path.read_bytes())
    return made.digest()


def used(entry: Path) -> None:
    """Note that an entry, a file or a folder, was read."""
    os.utime(entry)


def forget(entries: Iterable[Path], bound: float) -> None:
    """Drop the entries that were used least recently until the rest holds at most `bound` bytes."""
    total = 0
    for entry in sorted(entries, key=_used_at, reverse=True):
        total += _size(entry)
        if total > bound:
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


def _used_at(entry: Path) -> float:
    try:
        return entry.stat().st_mtime
    except OSError:  # another process dropped it
        return 0.0


def _size(entry: Path) -> int:
    files = entry.iterdir() if entry.is_dir() else [entry]
    try:
        return sum(file.stat().st_size for file in files)
    except OSError:
        return 0
