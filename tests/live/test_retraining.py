"""A live run is trained anew by the rules, forecasts beside the old one, and takes its place by them."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from crimecast.errors import UserError
from crimecast.forecasting.to_come import to_come
from crimecast.grids.cube import Cube, load_cube
from crimecast.grids.grid import make_grid
from crimecast.live import retraining
from crimecast.live.log import Log
from crimecast.live.plan import Plan, Rules, go_live, keep_plan, live_folder, plan_of, put_first
from crimecast.live.retraining import last_of, retrained
from crimecast.runs import queue
from crimecast.runs.run import list_runs, load_run
from crimecast.storage.database import writing
from crimecast.storage.store import write_json

OLD = "stack-1"


@pytest.fixture
def live(sample: str) -> Iterator[tuple[Plan, Log, Cube]]:
    plan = go_live("sample", sample, (OLD, "mean"), {"retrain": 0, "at_drift": False, "switch": "click"})  # fmt: skip
    yield plan, Log(live_folder("sample")), load_cube(sample)
    for path in live_folder("sample").iterdir():
        path.unlink()


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[queue.Request]:
    """What was queued, instead of training it: the run that is there stands for each."""
    asked: list[queue.Request] = []

    def submit(request: queue.Request) -> Any:
        asked.append(request)
        return replace(load_run(OLD), id="stack-9")

    monkeypatch.setattr(queue, "submit", submit)
    return asked


def with_rules(plan: Plan, **rules: Any) -> Plan:
    return replace(plan, rules=replace(plan.rules, **rules))


def scores(log: Log, name: str, gain: float, expected: float, days: int = 80) -> None:
    """Scores of sealed forecasts, as rounds append them."""
    for day in range(days):
        body = {
            "of": 0, "name": name, "step": f"day {day:03d}", "ahead": 1, "events": 40 + day % 3,
            "expected": expected, "log_likelihood": -100.0 + gain + 0.1 * (day % 5), "pit": [0, 1],
        }  # fmt: skip
        log.append("score", body)


def test_nothing_is_done_without_a_rule(live: tuple[Plan, Log, Cube], queued: list) -> None:
    plan, log, cube = live
    assert retrained("sample", plan, log, cube, len(cube.times)) == (plan, [])
    assert queued == []


def test_on_schedule_a_fork_is_queued_once_on_all_that_has_come(
    live: tuple[Plan, Log, Cube], queued: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, log, cube = live
    plan = with_rules(plan, retrain=30)
    old, come = load_run(OLD), len(cube.times)
    monkeypatch.setattr(time, "time", lambda: old.created + 29 * 86_400)
    assert retrained("sample", plan, log, cube, come)[1] == []
    monkeypatch.setattr(time, "time", lambda: old.created + 31 * 86_400)
    _, said = retrained("sample", plan, log, cube, come)
    assert said == ["stack-1 is trained anew as stack-9: the last time is 31 days ago."]
    asked = queued[0]
    assert (asked.design, asked.parent, asked.refit, asked.grid) == (
        old.design,
        OLD,
        True,
        plan.grid,
    )
    held_out = cube.index(asked.validate_until, "") - cube.index(asked.train_until, "")
    assert held_out == old.settings.validate - old.settings.train
    assert cube.index(asked.validate_until, "") == come - 1
    assert retrained("sample", plan, log, cube, come)[1] == []  # asked for, not twice
    assert len(queued) == 1


def test_cut_off_between_asking_and_noting_it_is_not_asked_for_twice(
    live: tuple[Plan, Log, Cube], queued: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, log, cube = live
    plan, old = with_rules(plan, retrain=30), load_run(OLD)
    now = old.created + 31 * 86_400
    monkeypatch.setattr(time, "time", lambda: now)
    write_json(live_folder("sample") / "retraining.json", {"of": OLD, "fork": "", "asked": now, "why": "x"})  # fmt: skip
    made = replace(old, id="stack-9", parent=OLD, created=now + 1, state="queued")
    monkeypatch.setattr(retraining, "list_runs", lambda: [made, old])
    monkeypatch.setattr(retraining, "load_run", lambda name: {OLD: old, "stack-9": made}[name])
    assert retrained("sample", plan, log, cube, 400) == (plan, [])
    assert last_of("sample").fork == "stack-9"  # type: ignore[union-attr]
    assert queued == []
    # Cut off before it was asked for at all.
    write_json(live_folder("sample") / "retraining.json", {"of": OLD, "fork": "", "asked": now, "why": "x"})  # fmt: skip
    monkeypatch.setattr(retraining, "list_runs", lambda: [old])
    retrained("sample", plan, log, cube, 400)
    assert len(queued) == 1


def test_what_cannot_be_trained_anew_is_said_and_the_round_goes_on(
    live: tuple[Plan, Log, Cube], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, log, cube = live
    old = load_run(OLD)
    monkeypatch.setattr(time, "time", lambda: old.created + 31 * 86_400)

    def refused(_request: queue.Request) -> Any:
        raise UserError("There is no room.")

    monkeypatch.setattr(queue, "submit", refused)
    _, said = retrained("sample", with_rules(plan, retrain=30), log, cube, 400)
    assert said == ["stack-1 could not be trained anew (the last time is 31 days ago): There is no room."]  # fmt: skip
    assert last_of("sample") is None
    first = replace(with_rules(plan, retrain=30), names=("mean", OLD))
    assert retrained("sample", first, log, cube, 400)[1] == ["mean is no run, so nothing is trained anew."]  # fmt: skip


def test_a_run_that_was_deleted_is_left_out_with_a_word(live: tuple[Plan, Log, Cube]) -> None:
    plan, log, cube = live
    left, said = retrained("sample", replace(plan, names=("gone-7", OLD, "mean+gone-7")), log, cube, 400)  # fmt: skip
    assert left.names == (OLD,)
    assert said == ["gone-7 was deleted and forecasts no more.", "mean+gone-7 was deleted and forecasts no more."]  # fmt: skip
    assert plan_of("sample") == left
    with pytest.raises(UserError, match="gone-7 was deleted, and nothing else"):
        retrained("sample", replace(plan, names=("gone-7",)), log, cube, 400)


def test_what_does_not_fit_is_refused_and_the_old_plan_stays(
    live: tuple[Plan, Log, Cube], sample: str
) -> None:
    before = plan_of("sample")
    weekly = make_grid("sample", step="1w")["grid"]
    with pytest.raises(UserError, match="trained on steps of 1d, and this grid's are 1w"):
        go_live("sample", weekly, (OLD,))
    with pytest.raises(UserError, match=r"can't be a rule of the rounds \(retrain"):
        go_live("sample", rules={"retrain": -1})
    assert plan_of("sample") == before
    with pytest.raises(UserError, match="trained on steps of 1d"):
        to_come(OLD, weekly, 2)


def test_at_drift(live: tuple[Plan, Log, Cube], queued: list) -> None:
    plan, log, cube = live
    scores(log, OLD, 0.0, expected=41.0)
    assert retrained("sample", with_rules(plan, at_drift=True), log, cube, 400)[1] == []
    scores(log, "mean", 3.0, expected=41.0)  # it falls behind
    assert retrained("sample", plan, log, cube, 400)[1] == []  # no rule
    _, said = retrained("sample", with_rules(plan, at_drift=True), log, cube, 400)
    assert said == ["stack-1 is trained anew as stack-9: stack-1 falls behind mean."]
    assert retrained("sample", with_rules(plan, at_drift=True), log, cube, 400)[1] == []


def test_a_fork_forecasts_beside_the_old_run_and_takes_its_place_by_the_rule(
    live: tuple[Plan, Log, Cube], queued: list, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, log, cube = live
    fork = replace(load_run(OLD), id="stack-9", state="running")
    known = {OLD: load_run(OLD), "stack-9": fork}
    monkeypatch.setattr(retraining, "load_run", lambda name: known[name])
    write_json(live_folder("sample") / "retraining.json", {"of": OLD, "fork": "stack-9", "asked": time.time(), "why": "x"})  # fmt: skip
    assert retrained("sample", plan, log, cube, 400) == (plan, [])
    known["stack-9"] = replace(fork, state="done")
    beside, said = retrained("sample", plan, log, cube, 400)
    assert beside.names == (OLD, "mean", "stack-9")
    assert plan_of("sample") == beside
    assert said == ["stack-9 is trained, and forecasts beside stack-1 from now on."]
    scores(log, OLD, 0.0, 41.0)
    better = with_rules(beside, switch="better")
    assert retrained("sample", better, log, cube, 400) == (better, [])  # nothing tells yet
    scores(log, "stack-9", 3.0, 41.0)
    assert retrained("sample", beside, log, cube, 400) == (beside, [])  # at a click
    switched, said = retrained("sample", better, log, cube, 400)
    assert switched.names == ("stack-9", OLD, "mean")
    assert "has done better than stack-1" in said[0]
    assert retrained("sample", switched, log, cube, 400) == (switched, [])


def test_it_takes_the_place_at_a_word(live: tuple[Plan, Log, Cube]) -> None:
    plan, _, _ = live
    keep_plan("sample", replace(plan, names=(OLD, "mean", "decayed_mean"), rules=Rules(on=False)))
    assert put_first("sample", "decayed_mean").names == ("decayed_mean", OLD, "mean")
    assert last_of("sample") is None


@pytest.mark.long
def test_a_round_trains_anew_in_earnest(live: tuple[Plan, Log, Cube]) -> None:
    """The fork is queued on the grid that is live, and trains."""
    plan, log, cube = live
    keep_plan("sample", with_rules(plan, retrain=1))
    with writing() as db:  # the run that ships may be new
        db.execute("update runs set created = ? where id = ?", (time.time() - 200_000, OLD))
    _, said = retrained("sample", with_rules(plan, retrain=1), log, cube, len(cube.times))
    last = last_of("sample")
    assert last is not None
    assert said
    assert {run.id for run in list_runs()} >= {last.fork}
    assert queue.wait(last.fork).state == "done"
    made, said = retrained("sample", with_rules(plan, retrain=1), log, cube, len(cube.times))
    assert made.names[-1] == last.fork
