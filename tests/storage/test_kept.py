"""What is kept is bounded, the least recently used goes first, and other code gives another name."""

import os
from pathlib import Path

import pytest

from crimecast.storage import kept


def entry(home: Path, name: str, size: int, at: float) -> Path:
    path = home / name
    path.write_bytes(b"x" * size)
    os.utime(path, (at, at))
    return path


def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    old, middle, new = (entry(tmp_path, str(i), 10, 1000.0 + i) for i in range(3))
    kept.used(old)
    kept.forget(tmp_path.iterdir(), 20)
    assert [path.exists() for path in (old, middle, new)] == [True, False, True]


def test_folders_count_with_what_they_hold(tmp_path: Path) -> None:
    for name, at in (("a", 1000.0), ("b", 2000.0)):
        (tmp_path / name).mkdir()
        entry(tmp_path / name, "maps.npy", 100, at)
        os.utime(tmp_path / name, (at, at))
    kept.forget(tmp_path.iterdir(), 150)
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_an_entry_that_another_process_dropped_is_no_error(tmp_path: Path) -> None:
    kept.forget([tmp_path / "gone", entry(tmp_path, "there", 10, 1.0)], 100)
    assert (tmp_path / "there").exists()


def test_a_change_of_any_file_of_a_folder_changes_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "baselines" / "deep").mkdir(parents=True)
    (tmp_path / "baselines" / "deep" / "one.py").write_text("1")
    (tmp_path / "two.py").write_text("2")
    monkeypatch.setattr(kept, "PACKAGE", tmp_path)

    def code() -> bytes:
        kept.code_of.cache_clear()
        return kept.code_of("baselines", "two.py")

    seen = {code()}
    (tmp_path / "baselines" / "deep" / "one.py").write_text("1 ")
    seen.add(code())
    (tmp_path / "two.py").write_text("3")
    seen.add(code())
    kept.code_of.cache_clear()
    assert len(seen) == 3
