"""A command is ended, or the disk refuses, at a write: nothing is half there, and it goes on afterwards."""

import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.conftest import COMPULSORY
from tests.faulting import Bench, preloading

TOP = Path(__file__).parents[1]


@pytest.mark.long
def test_some_faults_of_every_work(tmp_path: Path) -> None:
    for program in ("strace", "cc"):
        if shutil.which(program) is None:
            assert not COMPULSORY, f"{program} must be installed"
            pytest.skip(f"{program} isn't installed")
    # In a process of its own: the works are forks, and other tests may have left threads behind.
    code = f"from pathlib import Path; from tests.test_faults import some; some(Path({str(tmp_path)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TOP, capture_output=True, text=True, check=False,
        env=preloading(tmp_path),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def some(folder: Path) -> None:
    """Three faults of every work. Raises AssertionError where one did harm."""
    bench = Bench(folder)
    for work in bench.works:
        every = bench.faults(works=(work,))
        assert {fault.call for fault in every} >= {"write"}
        for fault in Random(0).sample(every, min(3, len(every))):
            assert not (wrong := bench.tried(fault)), (fault, wrong)
