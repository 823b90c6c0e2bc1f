"""Rounds by themselves: begun when they are due, once, and what went wrong with one is told."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crimecast.errors import UserError
from crimecast.live import keeper
from crimecast.live import round as rounds
from crimecast.live.plan import Plan, Rules, go_live, last_round, live_folder, plan_of
from crimecast.live.round import go_round
from crimecast.live.standing import state_of
from crimecast.storage.store import data_root, read_json, write_json
from tests.patience import until

HOUR = 3600.0


def plan(**rules: object) -> Plan:
    return Plan("grid", ("mean",), rules=Rules(**rules))  # type: ignore[arg-type]


@given(st.floats(0.25, 168), st.floats(0, 400), st.booleans())
def test_a_round_is_due_after_its_hours_and_a_failed_one_within_one(
    every: float, gone: float, failed: bool
) -> None:
    last = {"began": 0.0, "failed": failed}
    now = gone * HOUR
    assert keeper.is_due(plan(every=every), last, now) == (
        gone * HOUR >= (min(every, 1.0) if failed else every) * HOUR
    )


def test_the_first_round_is_due_at_once_and_one_after_the_clock_was_set_back() -> None:
    assert keeper.is_due(plan(), {}, time.time())
    assert keeper.is_due(plan(), {"began": time.time() + 9 * HOUR}, time.time())


def test_cities_that_are_live_by_themselves(sample: str) -> None:
    assert keeper.live_cities() == []
    go_live("sample", sample, ("mean",))
    assert keeper.live_cities() == []
    go_live("sample", rules={"on": True, "every": 2.0})
    assert keeper.live_cities() == [("sample", plan_of("sample"))]
    go_live("sample", rules={"retrain": 30})  # what isn't given stays
    kept = plan_of("sample")
    assert kept is not None
    assert (kept.rules.on, kept.rules.every, kept.rules.retrain) == (True, 2.0, 30)
    go_live("sample", rules={"on": False})
    assert keeper.live_cities() == []


@pytest.mark.parametrize("rules", [{"every": 0.0}, {"retrain": -1}, {"switch": "never"}, {"on": "maybe"}])  # fmt: skip
def test_rules_that_make_no_sense_are_refused(sample: str, rules: dict[str, object]) -> None:
    go_live("sample", sample, ("mean",))
    before = plan_of("sample")
    with pytest.raises(UserError):
        go_live("sample", rules=rules)
    assert plan_of("sample") == before


def test_a_plan_from_before_there_were_rules_is_read(sample: str) -> None:
    path = live_folder("sample") / "plan.json"
    write_json(path, {"grid": sample, "names": ["mean"], "own": False})
    assert plan_of("sample") == Plan(sample, ("mean",))


@pytest.mark.long
def test_a_keeper_does_a_round_and_leaves_when_none_is_wanted(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = tmp_path / "feed"
    command = f"cp $CRIMECAST_FEED {feed}; echo $CRIMECAST_CITY >> {feed}.city"
    monkeypatch.setenv("CRIMECAST_AFTER_ROUND", command)
    go_live("sample", sample, ("mean",), {"on": True})
    keeper.ensure()
    keeper.ensure()  # a second one leaves at once
    folder = live_folder("sample")
    until(lambda: (folder / "round.json").exists() and Path(f"{feed}.city").exists())
    told = last_round("sample")
    assert "forecasts sealed" in told["said"]
    assert not told.get("failed")
    assert read_json(feed)["name"] == "mean"
    assert Path(f"{feed}.city").read_text() == "sample\n"  # once
    assert state_of("sample").startswith("Live: ")
    go_live("sample", rules={"on": False})
    lock = data_root() / "keeper.lock"
    assert lock.exists()


def test_a_command_after_a_round_is_ended_in_time_and_its_failure_told(
    sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_live("sample", sample, ("mean",))
    monkeypatch.setenv("CRIMECAST_AFTER_ROUND", "exit 3")
    assert go_round("sample")["notices"][-1] == "The command after the round failed (exit 3)."
    monkeypatch.setattr(rounds, "PATIENCE", 0.2)
    monkeypatch.setenv("CRIMECAST_AFTER_ROUND", "sleep 600")
    assert "was ended after" in go_round("sample")["notices"][-1]


def test_no_plan_brings_a_command(sample: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder may come from somebody else: what is in it is never run."""
    monkeypatch.delenv("CRIMECAST_AFTER_ROUND", raising=False)
    rules = {"on": False, "then": "touch /tmp/harm"}
    write_json(live_folder("sample") / "plan.json", {"grid": sample, "names": ["mean"], "rules": rules})  # fmt: skip
    assert plan_of("sample") == Plan(sample, ("mean",))


def test_a_round_that_fails_says_so(sample: str, monkeypatch: pytest.MonkeyPatch) -> None:
    go_live("sample", sample, ("mean",))
    monkeypatch.setattr(os, "nice", lambda _: 0)  # this process is not a round's own
    assert keeper.one_round("sample") == 0
    plan_file = live_folder("sample") / "plan.json"
    plan_file.write_text(plan_file.read_text().replace(sample, "gone"))
    assert keeper.one_round("sample") == 1
    assert last_round("sample")["failed"]
    assert state_of("sample").startswith("Live, but the last round failed: ")
    assert "gone" in state_of("sample")
