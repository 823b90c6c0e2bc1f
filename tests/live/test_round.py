"""Rounds day by day from a portal: each forecast sealed once, each day scored once, whatever is killed."""

import json
import random
import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crimecast.calendar import clock
from crimecast.cli import main
from crimecast.errors import UserError
from crimecast.forecasting.forecasts import rates
from crimecast.grids.cube import load_cube
from crimecast.grids.grid import grid_folder, list_grids, make_grid
from crimecast.judging.likelihood import log_likelihood
from crimecast.live import round as rounds
from crimecast.live.log import Log
from crimecast.live.plan import go_live, live_folder, plan_of
from crimecast.live.round import go_round
from crimecast.live.standing import said, scores_of, standing
from crimecast.storage.access import Actor, identify
from crimecast.storage.store import data_root
from tests.portal import Portal

FIRST, KNOWN, DAYS = datetime(2015, 1, 1), 60, 12
NAMES = ("decayed_mean", "mean")


def rows_of(day: int, a_day: int = 40) -> list[dict[str, Any]]:
    """What a day brings, added to the portal in the night after it."""
    rng = random.Random(day)
    date = FIRST + timedelta(days=day)
    return [
        {
            ":id": f"row-{day:04d}-{i}",
            ":updated_at": f"{date + timedelta(days=1):%Y-%m-%d}T03:00:01.000Z",
            "id": f"{day:04d}{i:04d}",
            "date": f"{date + timedelta(seconds=rng.randrange(86_400)):%Y-%m-%dT%H:%M:%S}.000",
            "primary_type": rng.choice(["THEFT", "BATTERY"]),
            "latitude": f"{41.85 + rng.gauss(0, 0.03):.6f}",
            "longitude": f"{-87.66 + rng.gauss(0, 0.02):.6f}",
        }
        for i in range(a_day)
    ]


@pytest.fixture
def portal(data: Path) -> Any:
    from crimecast.crawling import crawl_city

    with Portal([row for day in range(KNOWN) for row in rows_of(day)]) as portal:
        crawl_city("chicago", url=portal.url)
        grid = make_grid("chicago", cell=2000)["grid"]
        go_live("chicago", grid, NAMES)
        yield portal


def bring(portal: Portal, day: int) -> None:
    portal.rows |= {row[":id"]: row for row in rows_of(day)}


def kinds() -> dict[str, list[tuple]]:
    """Which forecasts and which scores the log holds."""
    entries = Log(live_folder("chicago")).entries()
    sealed = [
        (e["body"]["name"], e["body"]["steps"][0]["step"])
        for e in entries
        if e["kind"] == "forecast"
    ]
    scored = [(e["body"]["of"], e["body"]["step"]) for e in entries if e["kind"] == "score"]
    return {"forecast": sealed, "score": scored}


@pytest.mark.long
def test_every_day_is_sealed_once_and_scored_once_whatever_is_killed(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, killed = random.Random(3), 0

    def deadly(function: Callable[..., Any], chance: float) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if rng.random() < chance / 2:
                raise KeyboardInterrupt
            made = function(*arguments, **options)
            if rng.random() < chance / 2:
                raise KeyboardInterrupt
            return made

        return call

    monkeypatch.setattr(Log, "append", deadly(Log.append, 0.06))
    monkeypatch.setattr(Log, "keep", deadly(Log.keep, 0.1))
    for name in ("make_grid", "kept", "_extended"):
        monkeypatch.setattr(rounds, name, deadly(getattr(rounds, name), 0.2))
    for day in range(KNOWN, KNOWN + DAYS):
        if day > KNOWN:
            bring(portal, day - 1)
        while True:
            try:
                go_round("chicago", url=portal.url)
                break
            except KeyboardInterrupt:
                killed += 1
    assert killed >= 10
    log = Log(live_folder("chicago"))
    log.verify()
    made = kinds()
    dates = [f"{FIRST + timedelta(days=KNOWN + i):%Y-%m-%d}" for i in range(DAYS)]
    assert sorted(made["forecast"]) == sorted((name, date) for name in NAMES for date in dates)
    assert len(set(made["score"])) == len(made["score"])
    # Every step of every forecast up to the day before the last round.
    assert len(made["score"]) == len(NAMES) * sum(min(7, DAYS - 1 - i) for i in range(DAYS))
    # A grid that a round made and nothing was trained on goes with the next.
    assert len(list_grids("chicago")) == 2


@pytest.mark.long
def test_the_prospective_score_is_the_retrospective_one(portal: Portal) -> None:
    for day in range(KNOWN, KNOWN + 5):
        go_round("chicago", url=portal.url)
        bring(portal, day)
    go_round("chicago", url=portal.url)
    log = Log(live_folder("chicago"))
    plan = plan_of("chicago")
    assert plan is not None
    cube = load_cube(plan.grid)
    for name in NAMES:
        by_step = scores_of(log)[name]
        assert len(by_step) == 5
        for step in range(KNOWN, KNOWN + 5):
            area = cube.area(step)
            rate = rates(name, cube, step, step + 1)[0][:, area].astype(np.float64)
            expected = log_likelihood(cube.counts[step][:, area], rate).sum()
            assert by_step[cube.label(step)]["log_likelihood"] == pytest.approx(expected, rel=1e-4)


def test_missed_days_are_caught_up_with_once(portal: Portal) -> None:
    first = go_round("chicago", url=portal.url)
    assert (first["sealed"], first["scored"], first["new_events"]) == (2, 0, 0)
    for day in range(KNOWN, KNOWN + 3):
        bring(portal, day)
    late = go_round("chicago", url=portal.url)
    assert (late["sealed"], late["scored"], late["new_events"]) == (2, 6, 120)
    again = go_round("chicago", url=portal.url)
    assert (again["sealed"], again["scored"], again["new_events"]) == (0, 0, 0)


def test_a_changed_byte_stops_the_round_and_is_said_by_verify(
    portal: Portal, capsys: pytest.CaptureFixture
) -> None:
    go_round("chicago", url=portal.url)
    assert main(["live", "chicago", "--verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == 2
    path = live_folder("chicago") / "log.jsonl"
    text = path.read_text()
    at = re.search(r'"expected": \d', text).end() - 1
    path.write_text(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :])
    assert main(["live", "chicago", "--verify"]) == 2
    assert "changed at entry 0" in capsys.readouterr().err
    with pytest.raises(UserError, match="changed at entry 0"):
        go_round("chicago", url=portal.url)


def test_a_grid_that_was_taken_away_is_named_and_another_may_be_chosen(portal: Portal) -> None:
    go_round("chicago", url=portal.url)
    old = plan_of("chicago").grid
    shutil.move(grid_folder(old), data_root() / "aside")
    with pytest.raises(
        UserError, match=f"{old}, which was live in Chicago, isn't there any more. Choose another"
    ):
        go_round("chicago", url=portal.url)
    new = make_grid("chicago", 1000.0)["grid"]
    assert go_round("chicago", new, ("decayed_mean",), url=portal.url)["grid"] == new


def test_one_that_fails_is_named_and_the_others_forecast(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, kept = go_live("chicago", names=NAMES), rounds.kept

    def failing(name: str, *given: Any) -> Any:
        if name == NAMES[0]:
            raise IndexError("of a module of somebody's own")
        return kept(name, *given)

    monkeypatch.setattr(rounds, "kept", failing)
    result = go_round("chicago", url=portal.url)
    assert result["sealed"] == len(made.names) - 1
    assert any(
        f"{NAMES[0]} made no forecast: Something went wrong" in one for one in result["notices"]
    )
    monkeypatch.setattr(rounds, "kept", kept)  # once it is mended
    assert go_round("chicago", url=portal.url)["sealed"] == 1
    go_live("chicago", names=NAMES[:1])
    monkeypatch.setattr(rounds, "kept", failing)
    with pytest.raises(UserError, match="made no forecast"):
        go_round("chicago", url=portal.url)


def test_the_command_says_what_was_done(portal: Portal, capsys: pytest.CaptureFixture) -> None:
    assert main(["live", "chicago", "--once", "--json", "--url", portal.url]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["sealed"], result["scored"], result["new_events"]) == (2, 0, 0)
    feed = json.loads((live_folder("chicago") / "tomorrow.json").read_text())
    assert len(feed["steps"]) == 7
    assert main(["live", "chicago", "--once", "--run", "nobody"]) == 2
    assert "no run called 'nobody'" in capsys.readouterr().err


def test_a_viewer_may_not_do_a_round(portal: Portal) -> None:
    identify(lambda: Actor("ann", False))
    try:
        with pytest.raises(UserError, match="an operator must"):
            go_round("chicago", url=portal.url)
    finally:
        identify(None)
    assert kinds() == {"forecast": [], "score": []}


def test_a_forecast_that_falls_behind_or_drifts_is_named(data: Path, tmp_path: Path) -> None:
    log, rng = Log(tmp_path / "log"), np.random.default_rng(2)
    for day in range(80):
        for name, gain, expected in (("stack-9", -1.5, 30.0), ("mean", 0.0, 40.0)):
            body = {
                "of": 0, "name": name, "step": f"day {day:02d}", "ahead": 1, "events": int(rng.poisson(40)),
                "expected": expected, "log_likelihood": -90 + gain + float(rng.normal()), "pit": [0, 1],
            }  # fmt: skip
            log.append("score", body)
    lines = said(standing(log))
    assert lines == ["stack-9 falls behind mean.", "stack-9 drifts: more come than expected."]


@pytest.mark.long
def test_a_clock_that_is_set_back_and_forward_ends_no_round(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day, shift in enumerate([0, -400, 400, -1, 0, -20_000], KNOWN):
        now = datetime(2024, 5, 1, 6, tzinfo=UTC) + timedelta(days=day - KNOWN + shift)
        monkeypatch.setattr(clock, "now", lambda now=now: now)
        go_round("chicago", url=portal.url)
        bring(portal, day)
    log = Log(live_folder("chicago"))
    assert log.verify() == len(log.entries())
    made = kinds()
    dates = [f"{FIRST + timedelta(days=KNOWN + i):%Y-%m-%d}" for i in range(6)]
    assert sorted(made["forecast"]) == sorted((name, date) for name in NAMES for date in dates)
    assert len(made["score"]) == len(set(made["score"])) == len(NAMES) * sum(range(6))
