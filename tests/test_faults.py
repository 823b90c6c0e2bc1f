"""A command is ended, or the disk refuses, at a write: nothing is half there, and it goes on afterwards."""

import shutil
from pathlib import Path
from random import Random

import pytest

from tests.conftest import COMPULSORY
from tests.faulting import Bench


@pytest.mark.long
def test_some_faults_of_every_work(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        assert not COMPULSORY, "strace must be installed"
        pytest.skip("strace isn't installed")
    bench = Bench(tmp_path)
    for work in bench.works:
        every = bench.faults(works=(work,))
        assert {fault.call for fault in every} >= {"write"}
        for fault in Random(0).sample(every, min(3, len(every))):
            assert not (wrong := bench.tried(fault)), (fault, wrong)
