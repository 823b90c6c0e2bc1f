"""What was left half-written goes after a day, and not before."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from crimecast.storage.store import replacing, scratch
from crimecast.storage.sweeping import AGE, sweep


@pytest.fixture(autouse=True)
def unpacked_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What others unpack at this moment isn't swept away as old."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def leave(path: Path, age: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("half")
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_leftovers_go_after_a_day(data: Path) -> None:
    old = leave(data / "cities" / ".a.toml.12345678.part", 2 * AGE)
    new = leave(data / "cities" / ".b.toml.12345678.part", 60)
    whole = leave(data / "cities" / "c.toml", 2 * AGE)
    folder = data / "grids" / ".town.12345678.part"
    inside = leave(folder / "cube" / "0", 2 * AGE)
    os.utime(inside.parent, (time.time() - 2 * AGE,) * 2)
    os.utime(folder, (time.time() - 2 * AGE,) * 2)
    assert {old, folder} <= set(sweep())
    assert not old.exists()
    assert not folder.exists()
    assert new.exists()
    assert whole.exists()


def test_a_folder_that_is_still_written_to_stays(data: Path) -> None:
    folder = data / "grids" / ".town.12345678.part"
    leave(folder / "0", 10)
    os.utime(folder, (time.time() - 2 * AGE,) * 2)
    assert folder not in sweep()


def test_a_clock_that_was_set(data: Path) -> None:
    """What was left when the clock was a month ahead, or stood at its beginning, goes as well; what is
    whole stays, whatever its date."""
    ahead, beginning = leave(data / ".a.12345678.part", -30 * AGE), data / ".b.12345678.part"
    leave(beginning, time.time())
    whole = [leave(data / "cities" / name, age) for name, age in (("a.toml", -30 * AGE), ("b.toml", time.time()))]  # fmt: skip
    assert {ahead, beginning} <= set(sweep())
    assert all(path.exists() for path in whole)
    # Nor does a look in the future keep from looking again.
    sweep(time.time() + 30 * AGE)
    old = leave(data / ".c.12345678.part", 2 * AGE)
    assert old in sweep()


def test_what_is_being_written_stays_when_the_clock_is_set(data: Path, tmp_path: Path) -> None:
    """Seen from days ahead, all is old; what a process that is there writes is no leftover."""
    ahead = time.time() + 30 * AGE
    with replacing(data / "a.json") as file, replacing(data / "grid") as folder, scratch() as work:
        file.write_text("half")
        folder.mkdir()
        leave(folder / "0", 0)
        unpacked = leave(Path(work) / "b.csv", 0)
        assert sweep(ahead) == []
        assert all(path.exists() for path in (file, folder / "0", unpacked))
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = [
        leave(data / f".a.json.{dead.pid}-12345678.part", 0),
        leave(tmp_path / f"crimecast-{dead.pid}-abcdefgh" / "b.csv", 0).parent,
        # Of a city that is called so, by no process's number.
        leave(data / f".a.{os.getpid()}.12345678.part", 0),
    ]
    assert set(left) <= set(sweep(ahead + 2 * AGE))


def test_it_looks_once_a_day(data: Path) -> None:
    sweep()
    old = leave(data / ".a.12345678.part", 2 * AGE)
    assert sweep() == []
    assert old in sweep(time.time() + 2 * AGE)
