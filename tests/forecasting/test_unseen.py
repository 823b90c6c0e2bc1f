"""What is unseen is cut right, and the gain there is that of those cells and steps alone."""

from dataclasses import replace

import numpy as np
import pytest

from crimecast.forecasting.forecasts import rates
from crimecast.forecasting.unseen import (
    RIVAL,
    find_break,
    gain,
    gain_map,
    trials,
    unseen_period,
    verdict,
)
from crimecast.grids.cube import load_cube
from crimecast.judging.scoring import scores, step_sums
from crimecast.runs.run import load_run, update_run


def test_the_trials_of_a_run(sample: str) -> None:
    run = load_run("stack-1")
    first, last = unseen_period(run)
    made = trials(run)
    assert [trial.name for trial in made] == ["later time"]
    assert (made[0].first, made[0].last) == (run.settings.validate, len(load_cube(sample).times))
    made = trials(run, when=first + 40)
    assert [(t.first, t.last) for t in made[1:]] == [(first, first + 40), (first + 40, last)]


def test_places_left_out_are_judged_alone(sample: str) -> None:
    run = load_run("stack-1")
    before = run.settings
    update_run("stack-1", settings=replace(before, left_out=0.2))
    try:
        trial = trials(load_run("stack-1"))[1]
    finally:
        update_run("stack-1", settings=before)
    assert trial.name == "left-out places"
    assert 0.15 < trial.cells.sum() / trial.cube.area(trial.first).sum() < 0.35
    span, cells = slice(trial.first, trial.last), trial.cells
    made = gain("stack-1", trial)
    counts, times = trial.cube.counts[span], trial.cube.times[span]
    one, other = (
        scores(step_sums(counts, rates(name, trial.cube, trial.first, trial.last), cells, times))
        for name in ("stack-1", RIVAL)
    )
    key = "log_likelihood_per_event"
    assert made["difference"] == pytest.approx(one[key] - other[key])
    where = gain_map("stack-1", trial)
    assert np.isnan(where[~cells]).all()
    assert np.nansum(where) / counts[..., cells].sum() == pytest.approx(
        made["difference"], rel=1e-3
    )


def test_a_planted_break_is_found(sample: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = load_run("stack-1")
    first, last = unseen_period(run)
    cube = load_cube(sample)
    counts = cube.counts.copy()
    counts[first + 60 :] *= 2
    level = np.repeat(cube.counts[:first].mean(axis=0)[None], last - first, axis=0)
    monkeypatch.setattr(
        "crimecast.forecasting.unseen.load_cube", lambda _: replace(cube, counts=counts)
    )
    monkeypatch.setattr("crimecast.forecasting.unseen.rates", lambda *_: level)
    assert abs(find_break(run) - (first + 60)) <= 2


def test_the_verdict_names_the_best_in_its_worst_trial() -> None:
    def pair(difference: float, word: str) -> dict:
        return {"difference": difference, "verdict": word}

    table = {
        "a": {"later time": pair(0.009, "better"), "another city": pair(-0.02, "worse")},
        "b": {"later time": pair(0.004, "better"), "another city": pair(0.001, "not to be told apart")},
    }  # fmt: skip
    text = verdict(table)
    assert text.startswith("b generalises best: better than weighted pasts on later time")
    assert "not to be told apart from weighted pasts on another city" in text
    assert verdict(
        {"a": {"later time": pair(-0.02, "worse")}, "b": {"later time": pair(-0.004, "worse")}}
    ) == (
        "None is better than weighted pasts; b comes closest: worse than weighted pasts on later time."
    )
    alone = verdict({"a": table["a"]})
    assert alone.startswith("a is better than weighted pasts on later time")
    assert verdict({"a": {}}) == "There is nothing to compare yet."


def test_a_last_day_that_the_records_do_not_cover_is_left_out(
    sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, cube = load_run("stack-1"), load_cube(sample)
    last = len(cube.times)
    assert unseen_period(run)[1] == last
    monkeypatch.setattr("crimecast.forecasting.unseen.complete_steps", lambda _: last - 1)
    assert unseen_period(run) == (run.settings.validate, last - 1)
    assert trials(run)[0].last == last - 1
    # Where nothing else is left, the validation period is what it is judged on.
    monkeypatch.setattr(
        "crimecast.forecasting.unseen.complete_steps", lambda _: run.settings.validate
    )
    assert unseen_period(run) == (run.settings.train, run.settings.validate)
