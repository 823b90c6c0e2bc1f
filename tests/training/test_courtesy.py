"""A run on the processor rests while a page is drawn, and not for ever."""

import os
import time
from pathlib import Path

import pytest

from crimecast.training import courtesy


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[float]:
    """The time now, which sleeping moves on; nothing is really waited for."""
    now = [time.time() + 3600]
    monkeypatch.setenv("CRIMECAST_DATA", str(tmp_path))
    monkeypatch.setattr(courtesy.time, "time", lambda: now[0])
    monkeypatch.setattr(courtesy.time, "sleep", lambda s: now.__setitem__(0, now[0] + s))
    return now


def ask(clock: list[float]) -> None:
    courtesy.ask()
    os.utime(courtesy._mark(), (clock[0], clock[0]))


def test_a_step_waits_for_the_page_and_no_longer(clock: list[float]) -> None:
    rests = courtesy.Rests()
    began = clock[0]
    rests.take()
    assert clock[0] == began  # nobody has asked
    ask(clock)
    clock[0] += 0.3  # a step that was under way
    rests.take()
    assert clock[0] == pytest.approx(began + courtesy.DRAWING)
    clock[0] += 0.1
    now = clock[0]
    rests.take()
    assert clock[0] == now


def test_whoever_clicks_without_end_has_half_of_the_time(clock: list[float]) -> None:
    rests, worked, began = courtesy.Rests(), 0.0, clock[0]
    while clock[0] < began + 2000:
        ask(clock)
        clock[0] += 0.05
        worked += 0.05
        rests.take()
    assert worked / 2000 == pytest.approx(0.5, abs=0.5 * courtesy.SAVED / 2000 + 0.01)


def test_a_mark_from_the_future_holds_nothing_up(clock: list[float]) -> None:
    """Clocks are set back now and then."""
    rests, began = courtesy.Rests(), clock[0]
    clock[0] += 7200
    ask(clock)
    clock[0] = began + 1
    rests.take()
    assert clock[0] == began + 1


def test_a_clock_that_is_set_back_ends_no_run(clock: list[float]) -> None:
    rests, began = courtesy.Rests(), clock[0]
    clock[0] = began - 7200
    ask(clock)
    clock[0] += 0.3
    rests.take()
    assert clock[0] == pytest.approx(began - 7200 + courtesy.DRAWING)


def test_a_page_is_drawn_even_where_no_mark_can_be_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("CRIMECAST_DATA", str(blocked))
    courtesy.ask()
