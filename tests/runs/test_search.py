"""Searches: marks are read, trials are runs, bad ones are stopped, an interrupted search goes on."""

import os
import signal

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crimecast.errors import UserError
from crimecast.runs import search
from crimecast.storage.store import read_json
from tests.patience import until
from tests.training.test_training import SMALL

MARKED = SMALL.replace("channels = 4", "channels = { search = [2, 4, 6] }").replace(
    "batch = 32", "batch = 32\nlearning_rate = { search = { low = 1e-4, high = 1e-2, log = true } }"
)


def test_marks_are_found_and_filled() -> None:
    assert search.marked(MARKED) == {
        "training.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "layer.stem.channels": [2, 4, 6],
    }
    design = search.filled(MARKED, {"training.learning_rate": 0.005, "layer.stem.channels": 6})
    assert design.training.learning_rate == 0.005
    assert design.layers[0].options["channels"] == 6


@given(st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=4, unique=True), min_size=1))
def test_lists_can_be_searched_too(choices: list[list[int]]) -> None:
    text = SMALL.replace("lags = [1, 2, 7]", f"lags = {{ search = {choices} }}")
    assert search.marked(text) == {"lags": choices}
    assert list(search.filled(text, {"lags": choices[-1]}).lags) == choices[-1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SMALL, "Nothing is marked"),
        (SMALL.replace("channels = 4", "channels = { search = 4 }"), "layer.stem.channels"),
        (SMALL.replace("batch = 32", "batch = { search = { low = 9, high = 3 } }"), "below"),
        (SMALL.replace("channels = 4", "channels = { search = [4, 0] }"), "stem"),
        ("name = ", "not valid TOML"),
    ],
)
def test_what_cannot_be_searched_is_refused(sample: str, text: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        search.start(text, sample, 2)


def test_a_trial_found_by_its_number_is_the_one_that_was_asked_for() -> None:
    """Whatever the study's own trial says and does, the one that is found does too."""
    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=1))
    first, second = study.ask(), study.ask()
    first.report(1.0, step=0)
    study.tell(first, 1.0)
    second.suggest_int("width", 1, 9)
    found = search.trial_of(study, second.number)
    assert (found.number, found.params) == (second.number, second.params)
    assert not found.should_prune()
    found.report(2.0, step=0)
    assert study.trials[second.number].intermediate_values == {0: 2.0}
    assert second.should_prune()
    assert found.should_prune()
    study.tell(found.number, 2.0)
    assert study.trials[second.number].value == 2.0


@pytest.mark.long
def test_a_search_goes_on_after_its_process_was_killed(sample: str) -> None:
    name = search.start(MARKED, sample, 3, epochs=2)
    until(lambda: search.trials(name))
    os.kill(read_json(search.folder(name) / "process.json")["pid"], signal.SIGKILL)
    until(lambda: not search.running(name))
    assert search.report(name)["state"] == "interrupted"
    search.resume(name)
    found = search.wait(name)
    assert len(found["runs"]) == 3
    done = [row for row in found["runs"] if row["state"] == "done"]
    best = min(done, key=lambda row: row["validation_loss"])
    assert found["best"] == best["run"]
    for run, trial in search.trials(name):
        assert run.design.layers[0].options["channels"] == trial.values["layer.stem.channels"]


def test_a_bad_trial_is_stopped_early() -> None:
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(2, 0))
    asked: list[str] = []

    class Fake:
        id, request, summary = "x", None, {"validation_loss": 1.0}

        def __init__(self, state: str, losses: list[float], pruned: bool = False) -> None:
            self.state, self.losses, self.pruned = state, losses, pruned
            self.active = state in ("queued", "running")

        def history(self) -> list[dict[str, object]]:
            return [{"phase": "fit", "validation_loss": loss} for loss in self.losses]

    for _ in range(2):
        assert search.follow(study, study.ask(), Fake("done", [2.0, 1.0]))  # type: ignore[arg-type]
    original, search.queue.prune = search.queue.prune, lambda name: asked.append(name)  # type: ignore[assignment,return-value]
    try:
        trial = study.ask()
        assert not search.follow(study, trial, Fake("running", [1.5]))  # type: ignore[arg-type]
        assert not asked
        assert not search.follow(study, trial, Fake("running", [1.5, 3.0]))  # type: ignore[arg-type]
        assert asked == ["x"]
        assert search.follow(study, trial, Fake("stopped", [1.5, 3.0], True))  # type: ignore[arg-type]
        assert study.get_trials()[-1].state.name == "PRUNED"
    finally:
        search.queue.prune = original
