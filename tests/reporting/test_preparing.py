"""When a training has ended, what its pages show first is worked out beside, and kept where they look for it."""

import os
from pathlib import Path

import numpy as np
import pytest

from crimecast.designs.spec import parse_design
from crimecast.diagnose.kept import known_findings
from crimecast.forecasting import to_come
from crimecast.forecasting.forecasts import is_stored
from crimecast.forecasting.unseen import unseen_period
from crimecast.grids.cube import load_cube
from crimecast.runs import queue, supervisor
from crimecast.runs.run import load_run
from crimecast.storage.store import data_root
from crimecast.views import tomorrow
from tests.patience import until
from tests.training.test_training import SMALL


def test_pages_of_a_run_that_has_ended_are_prepared(
    sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    until(
        lambda: not (data_root() / "supervisor.json").exists()
    )  # the next one has this environment
    monkeypatch.setenv("CRIMECAST_PREPARE", "1")
    design = parse_design(SMALL.replace("epochs = 3", "epochs = 1"))
    run = queue.wait(queue.submit(queue.Request(design, sample)).id)
    assert run.state == "done"
    until(lambda: known_findings(load_run(run.id)) is not None)
    until(lambda: list(Path(run.folder).glob("*proof*")))
    monkeypatch.setattr(to_come, "ahead", lambda *_: pytest.fail("worked out again"))
    tomorrow._views.clear()
    first = tomorrow.tomorrow_view(run.id, sample)
    assert np.isfinite(first.without).all()
    assert is_stored("mean", load_cube(sample), *unseen_period(run))
    assert not (data_root() / "preparing.log").read_text()


def test_only_what_is_done_and_only_where_it_is_wanted(
    sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(supervisor.background, "start", lambda module, *names, **_: asked.append(names))  # fmt: skip
    assert os.environ["CRIMECAST_PREPARE"] == "0"
    supervisor.prepare(["stack-1"])
    monkeypatch.delenv("CRIMECAST_PREPARE")
    supervisor.prepare(["nobody-7"])
    assert asked == []
    supervisor.prepare(["nobody-7", "stack-1"])
    assert asked == [("stack-1",)]
