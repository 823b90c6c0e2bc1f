"""A process is known again whatever the clock says, and no other is taken for it."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from crimecast.machine import process
from crimecast.machine.process import born, lives


@pytest.fixture(autouse=True)
def fresh() -> None:
    process._start_of_machine.cache_clear()


def set_clock(monkeypatch: pytest.MonkeyPatch, by: float) -> None:
    """As if the clock was set: the moment at which the machine was started moves with it."""
    true = psutil._pslinux.boot_time
    monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: true() + by)


@pytest.mark.parametrize("by", [0.0, 3600.0, -3600.0, 86_400.0 * 10_000])
def test_a_process_is_known_again(monkeypatch: pytest.MonkeyPatch, by: float) -> None:
    before = born(os.getpid())
    set_clock(monkeypatch, by)
    assert born(os.getpid()) == pytest.approx(before, abs=0.1)
    assert lives(os.getpid(), before)


def test_no_other_is_taken_for_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = born(os.getpid())
    assert not lives(os.getpid(), own - 10)
    assert not lives(2**22 - 1, own)
    # The same number, as long after another start of the machine.
    (tmp_path / "boot_id").write_text("another start\n")
    monkeypatch.setattr(process, "BOOT", tmp_path / "boot_id")
    process._start_of_machine.cache_clear()
    assert not lives(os.getpid(), own)
    assert lives(os.getpid(), born(os.getpid()))


def test_what_earlier_versions_noted_is_known(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clock = psutil.Process().create_time()
    assert lives(os.getpid(), clock)
    monkeypatch.setattr(process, "BOOT", tmp_path / "there is none")
    process._start_of_machine.cache_clear()
    assert born(os.getpid()) == clock
    assert lives(os.getpid(), clock)


def test_one_that_has_ended_lives_no_more() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        began = born(child.pid)
        psutil.Process(child.pid)
        while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
            pass
        assert not lives(child.pid, began)
    assert not lives(child.pid, began)
