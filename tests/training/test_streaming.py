"""What doesn't fit is mapped from a file and gathered ahead, and changes nothing."""

import os
import time
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from crimecast.designs.build import build
from crimecast.designs.spec import parse_design
from crimecast.errors import UserError
from crimecast.grids.cube import Split, load_cube
from crimecast.grids.grid import grid_folder
from crimecast.storage import arrays
from crimecast.storage.store import data_root
from crimecast.training import loop, streaming
from crimecast.training.plans import fit_plan
from crimecast.training.samples import Samples
from tests.training.test_training import SMALL


def train(sample: str, folder: Path) -> tuple[Samples, dict[str, Any]]:
    folder.mkdir()
    cube, design = load_cube(sample), parse_design(SMALL)
    samples = Samples(cube, design, 300)
    network = build(design, 1, *cube.counts.shape[2:], samples.calendar.shape[1])
    plan = fit_plan(Split(300, 360), samples, 2)
    loop.Trainer(network, samples, design, plan, 0, folder).run(lambda _: None, lambda: False)
    return samples, network.state_dict()


def test_a_run_from_a_file_is_the_run_from_memory(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, weights = train(sample, tmp_path / "memory")
    assert not samples.streamed
    monkeypatch.setattr(arrays, "SHARE", 0.0)
    os.utime(grid_folder(sample))  # its cube is read anew
    streamed, same = train(sample, tmp_path / "file")
    assert streamed.streamed
    os.utime(grid_folder(sample))  # its cube is read anew
    assert isinstance(streamed.cube.counts, np.memmap)
    assert not list((data_root() / "scratch").iterdir())  # nothing is left behind
    assert all(weights[name].equal(same[name]) for name in weights)


def test_what_fits_nowhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(arrays, "SHARE", 0.0)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(1_000_000))
    with pytest.raises(UserError, match="The maps need 0 GB, more than is free"):
        arrays.roomy((1_000_000,), np.float16, "The maps")


def test_batches_come_in_order_and_no_more_than_a_few_ahead() -> None:
    asked: list[int] = []

    def make(part: torch.Tensor) -> int:
        asked.append(int(part))
        return int(part)

    stream = streaming.ahead(make, torch.arange(20).split(1))
    assert next(stream) == 0
    time.sleep(0.1)
    assert len(asked) <= streaming.AHEAD + 1
    assert list(stream) == list(range(1, 20))
