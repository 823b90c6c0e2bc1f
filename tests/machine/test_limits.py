"""What a run may take, and that a process can't take more."""

import subprocess
import sys

import pytest

from crimecast.errors import UserError
from crimecast.machine.limits import run_memory, total_memory


def test_a_run_has_its_share_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRIMECAST_CPU_SLOTS", "2")
    assert run_memory() == pytest.approx(0.4 * total_memory(), rel=0.01)
    monkeypatch.setenv("CRIMECAST_RUN_MEMORY", "1.5")
    assert run_memory() == 1_500_000_000


@pytest.mark.parametrize("text", ["a lot", "0", "-3", "nan", "inf", "0x10"])
def test_a_setting_that_is_no_number_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRIMECAST_RUN_MEMORY", text)
    with pytest.raises(UserError, match="CRIMECAST_RUN_MEMORY"):
        run_memory()


@pytest.mark.long
def test_a_process_is_held_to_its_limit() -> None:
    code = """
from crimecast.machine.limits import hold_to
import numpy as np, torch
hold_to(1_000_000_000)
np.ones(50_000_000)
for make in (lambda: np.ones(300_000_000), lambda: torch.ones(300_000_000, dtype=torch.float64)):
    try:
        make()
        print("made")
    except (MemoryError, RuntimeError) as error:
        print("held")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["held", "held"]
