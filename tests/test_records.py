"""Files in every form and with dirt are read as the events from which they were made, or refused."""

from pathlib import Path

import pytest

from tests.few import few
from tests.messy import make, outcome

FILES = 60  # of the ten thousand that `bench/records.py` tries


@pytest.mark.parametrize("first", few(range(0, FILES, 10)))
def test_messy_files_are_read_right_or_refused(data: Path, tmp_path: Path, first: int) -> None:
    for seed in range(first, first + 10):
        messy = make(seed, tmp_path)
        verdict, said = outcome(messy, f"city{seed}")
        assert verdict == "right", (seed, said, messy.made_of)


def test_the_comparison_can_fail(data: Path, tmp_path: Path) -> None:
    messy = make(1, tmp_path)
    messy.truth[0] = (messy.truth[0][0].replace(year=1999), *messy.truth[0][1:])
    assert outcome(messy, "other")[0] == "wrong"
    messy.truth.pop()
    assert outcome(messy, "fewer")[0] == "wrong"
