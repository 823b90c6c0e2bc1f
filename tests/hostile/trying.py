"""Call the command line with a hostile input, and say what is wrong with its answer."""

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from unittest import mock

from tests.conftest import tiny_csv
from tests.hostile.case import Case, Store

MEMORY, SECONDS = 2e9, 30.0
# What every command may write to, and what its own bookkeeping leaves.
FREE = re.compile(
    r"(cache/.*|\.swept|audit\.jsonl|faults\.log|crimecast\.sqlite.*|.*\.lock|supervisor.*)"
)


@dataclass(frozen=True)
class Answer:
    """What a command answered, what is `wrong` with that ("" if nothing), and the trace if it left one."""

    status: int | None
    said: str
    seconds: float
    peak: float
    wrong: str
    trace: str = ""


def prepared(root: Path) -> Store:
    """A data folder with the sample city, its run, and a town without an outline."""
    os.environ["CRIMECAST_DATA"] = str(root)
    from crimecast.grids.grid import list_grids
    from crimecast.records.importing import import_file
    from crimecast.runs.run import list_runs
    from crimecast.sample.shipped import ensure_sample

    ensure_sample()
    mapping = {"time": "when", "longitude": "lng", "latitude": "lat", "type": "what"}
    with tempfile.TemporaryDirectory() as folder:
        path = tiny_csv(Path(folder) / "town.csv")
        import_file("town", path, mapping, zone="Europe/Berlin", now=datetime(2024, 1, 1))
    return Store(root, list_grids("sample")[-1]["grid"], list_runs()[0].id, "town")


class Kept:
    """The data folder as it was: tells what changed, and puts it back."""

    def __init__(self, store: Store) -> None:
        self.store, self.root = store, store.root
        self.files = {path: path.read_bytes() for path in self._walk()}
        self.stamps = {path: self._stamp(path) for path in self.files}

    def _walk(self) -> list[Path]:
        return [Path(at) / name for at, _, names in os.walk(self.root) for name in names]

    @staticmethod
    def _stamp(path: Path) -> tuple[int, int, int]:
        state = path.stat()
        return state.st_size, state.st_mtime_ns, state.st_ino

    def changes(self) -> tuple[list[str], list[str]]:
        """The paths of files that were changed or are gone, and of those that are new."""
        there = set(self._walk())
        changed = [p for p in self.files if p not in there or self._stamp(p) != self.stamps[p]]
        changed = [p for p in changed if p not in there or p.read_bytes() != self.files[p]]
        name = [
            [str(p.relative_to(self.root)) for p in some]
            for some in (changed, there - self.files.keys())
        ]
        return name[0], name[1]

    def restore(self) -> None:
        """Put back what was there, and take away what is new."""
        for path in self._walk():
            if path not in self.files:
                path.unlink()
        for path, content in self.files.items():
            if not path.exists() or self._stamp(path) != self.stamps[path]:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                self.stamps[path] = self._stamp(path)
        for at, folders, _ in os.walk(self.root, topdown=False):
            for folder in folders:
                place = Path(at) / folder
                if not any(place.iterdir()):
                    shutil.rmtree(place)


def tried(case: Case, kept: Kept) -> Answer:
    """Call the command line in this process, hold its answer against what was promised, and put the
    data folder back."""
    from crimecast.cli import main

    for name, content in case.harm.items():
        path = kept.root / name
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
    _forget_peak()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as elsewhere,
        chdir(elsewhere),  # where pictures go that are asked for by a name alone
        caught() as said,
        mock.patch("crimecast.runs.supervisor.ensure"),
        mock.patch("crimecast.runs.search.resume"),
    ):
        try:
            status: int | None = main(case.arguments)
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        except BaseException as error:
            print(f"Traceback: {type(error).__name__}: {error!r}"[:300], file=sys.stderr)
            status = 1
    seconds, peak = time.monotonic() - began, _peak()
    errors = said[1].decode("utf-8", "replace")
    wrong = _wrong(case, status, errors, seconds, peak) or _harm(case, status, kept)
    log = kept.root / "faults.log"
    trace = log.read_text(errors="replace")[-3000:] if wrong and log.exists() else ""
    kept.restore()
    return Answer(status, errors.strip(), round(seconds, 2), peak, wrong, trace)


def _wrong(case: Case, status: int | None, errors: str, seconds: float, peak: float) -> str:
    if "Traceback" in errors or "panicked" in errors:
        return "a traceback"
    if status not in (0, 2):
        return f"exit {status}"
    if "not foreseen" in errors:
        return "not foreseen"
    lines = errors.strip().splitlines()
    if status == 2 and len(lines) != 1:
        return f"{len(lines)} lines on standard error"
    if status == 0 and len(lines) > 1 and case.arguments[0] not in ("steer",):
        return "more said on standard error"
    if case.goes_on and status != 0:
        return "the rest doesn't go on"
    if seconds > SECONDS:
        return "too slow"
    if peak > MEMORY:
        return "too much memory"
    return ""


def _harm(case: Case, status: int | None, kept: Kept) -> str:
    """What was changed that should not have been."""
    changed, new = kept.changes()
    changed = [name for name in changed if not FREE.fullmatch(name) and name not in case.harm]
    new = [name for name in new if not FREE.fullmatch(name) and name not in case.harm]
    if status == 0:
        changed = [name for name in changed if not name.endswith("manifest.json")]
        changed = [
            name for name in changed if not name.startswith(("covariates/", "cities/town.toml"))
        ]
        new = [name for name in new if name.endswith(".part") or ".part/" in name]
    if case.arguments[:1] == ["crawl"]:  # the account of a crawl that failed, which its page shows
        new = [name for name in new if "/crawl/" not in name]
    if changed:
        return f"the store was changed: {changed[0]}"
    return f"something was left: {sorted(new)[0]}" if new else ""


@contextmanager
def caught() -> Iterator[list[bytes]]:
    """Everything that is written to standard output and error, by Python and by libraries."""
    caught: list[bytes] = []
    sys.stdout.flush()
    sys.stderr.flush()
    before = sys.stdout, sys.stderr, os.dup(1), os.dup(2)
    files = [tempfile.TemporaryFile(), tempfile.TemporaryFile()]  # noqa: SIM115 (read and closed below)
    for number, file in enumerate(files, 1):
        os.dup2(file.fileno(), number)
    sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stderr = os.fdopen(os.dup(2), "w", encoding="utf-8", errors="backslashreplace")
    try:
        yield caught
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.close()
        sys.stdout, sys.stderr = before[:2]
        for number, old in enumerate(before[2:], 1):
            os.dup2(old, number)
            os.close(old)
        for file in files:
            file.seek(0)
            caught.append(file.read())
            file.close()


def _forget_peak() -> None:
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def _peak() -> float:
    """Bytes that this process held at most since `_forget_peak`."""
    with open("/proc/self/status") as file:
        return next(float(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
