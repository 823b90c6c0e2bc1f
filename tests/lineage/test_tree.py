"""Lineage: what was changed is named, and what it did is the paired comparison."""

import pytest

from crimecast.designs.spec import parse_design
from crimecast.errors import UserError
from crimecast.forecasting.forecasts import score_sums
from crimecast.grids.cube import load_cube
from crimecast.judging.scoring import compare
from crimecast.lineage.tree import annotate, changes, effect, known_effect
from crimecast.runs import queue
from crimecast.runs.run import load_run
from tests.runs.here import train
from tests.training.test_training import SMALL

CHANGED = (
    SMALL.replace("lags = [1, 2, 7]", "lags = [1, 2, 3, 7]")
    .replace("channels = 4", "channels = 6\nkernel = 5")
    .replace('[[layer]]\nname = "drop"\nkind = "dropout"\n', "")
    .replace(
        '[[layer]]\nname = "out"',
        '[[layer]]\nname = "more"\nkind = "conv"\nchannels = 3\n[[layer]]\nname = "out"',
    )
)


@pytest.fixture(scope="module")
def pair(sample: str) -> tuple[str, str]:
    parent = train(parse_design(SMALL), sample, epochs=1)
    child = train(parse_design(CHANGED), sample, epochs=1, seed=2, parent=parent.id)
    return parent.id, child.id


def test_changes_are_named_in_words(pair: tuple[str, str]) -> None:
    parent, child = map(load_run, pair)
    made = changes(child, parent)
    assert "lags 1, 2, 7 → 1, 2, 3, 7" in made
    assert "stem.channels 4 → 6" in made
    assert "stem.kernel 3 → 5" in made
    assert "stem.kernel 5 → 3" in changes(parent, child)
    assert "− drop (dropout)" in made
    assert "+ more (conv)" in made
    assert "seed 0 → 2" in made
    assert changes(parent, parent) == []


@pytest.mark.long
def test_the_effect_is_the_paired_comparison_on_validation(
    pair: tuple[str, str], sample: str
) -> None:
    parent, child = map(load_run, pair)
    assert effect(parent) is None
    assert known_effect(child) is None
    made = effect(child)
    assert made is not None
    cube, period = load_cube(sample), (child.settings.train, child.settings.validate)
    expected = compare(*(score_sums(run.id, cube, *period) for run in (child, parent)))
    assert made["difference"] == expected["difference"]
    assert made["interval"] == expected["interval"]
    assert made["on"] == "validation"
    assert known_effect(child) == made
    queue.wait(queue.retry(parent.id).id)
    assert known_effect(load_run(child.id)) is None  # the parent is another network now


def test_runs_can_be_remarked_upon(pair: tuple[str, str]) -> None:
    run = annotate(pair[0], note="wider is <b>no</b> better", pinned=True)
    assert run.note == "wider is <b>no</b> better"
    assert run.pinned is True
    assert annotate(pair[0], archived=True).pinned is True
    with pytest.raises(UserError, match="2,000 characters"):
        annotate(pair[0], note="x" * 2001)
