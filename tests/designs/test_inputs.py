"""A design's input maps follow the grid's step."""

import numpy as np
import pytest

from crimecast.calendar.steps import Step
from crimecast.designs.inputs import for_step, map_inputs
from crimecast.designs.spec import load_design
from crimecast.grids.memories import Memory, recall
from crimecast.runs import queue
from crimecast.runs.run import delete_run


def kinds(step: str) -> set[str]:
    made = map_inputs(for_step(load_design("stack"), Step.parse(step)))
    return {one.memory.of for one in made if one.memory}


@pytest.mark.parametrize(
    ("step", "told_apart"), [("6h", {"hour", "weekday"}), ("1d", {"weekday"}), ("1w", set())]
)
def test_a_step_tells_apart_what_is_shorter(step: str, told_apart: set[str]) -> None:
    assert kinds(step) == {"all", "season", "first"} | told_apart


@pytest.mark.parametrize(("step", "of"), [("1d", "hour"), ("1w", "hour"), ("1w", "weekday")])
def test_what_is_left_out_is_there_already(step: str, of: str) -> None:
    length = Step.parse(step)
    counts = np.random.default_rng(0).poisson(1.0, (40, 1, 3, 4)).astype(np.int64)
    times = np.datetime64("2024-01-01", "h") + np.arange(40) * np.timedelta64(
        round(24 * length.days), "h"
    )
    both = [Memory(30.0), Memory(30.0, of=of)]
    for sums, mass in recall(counts, both, times, length, np.ones((3, 4), dtype=bool)):
        assert np.array_equal(sums[0], sums[1])
        assert mass[0] == mass[1]


def test_a_run_is_of_the_design_for_its_grid(sample: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crimecast.runs.supervisor.ensure", lambda: None)
    shipped = load_design("stack")
    run = queue.submit(queue.Request(shipped, sample, device="cpu"))
    delete_run(queue.stop(run.id).id)
    assert run.design == for_step(shipped, Step(1, "d"))
    assert run.design != shipped
