"""Two sessions on the same runs: what one says of a run is not taken back by another that looks on."""

import sqlite3
from pathlib import Path

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.browser.conftest import App
from tests.browser.frontend import Frontend, Shown, state

pytestmark = pytest.mark.browser
RUNS = "city=sample&run=stack-1"


def said(data: Path, run: str) -> tuple[str, int, int]:
    """Note, pin and put away, as they are stored."""
    with sqlite3.connect(data / "crimecast.sqlite") as db:
        return db.execute("select note, pinned, archived from runs where id = ?", (run,)).fetchone()


def kept(shown: Shown, **other: WidgetState) -> list[WidgetState]:
    """What a browser sends with every message: the widgets as it has them, some changed."""
    note, pin = shown.labelled("Note"), shown.labelled("Pin")
    own = {"Note": state(note, string_value=note.said.value or note.said.default), "Pin": state(pin, bool_value=pin.said.value)}  # fmt: skip
    return [*(own | other).values()]


def test_who_looks_on_takes_nothing_back(app: App) -> None:
    with Frontend(app.url) as one, Frontend(app.url) as other:
        first, second = one.show("runs", RUNS), other.show("runs", RUNS)
        one.show("runs", RUNS, kept(first, Note=state(first.labelled("Note"), string_value="seen")))
        assert said(app.data, "stack-1")[0] == "seen"
        second = other.show("runs", RUNS, kept(second))  # drawn again, as for any click
        assert said(app.data, "stack-1") == ("seen", 0, 0)
        other.show("runs", RUNS, kept(second, Pin=state(second.labelled("Pin"), bool_value=True)))
        assert said(app.data, "stack-1") == ("seen", 1, 0)
        one.show("runs", RUNS, kept(first, Note=state(first.labelled("Note"), string_value="")))
        assert said(app.data, "stack-1") == ("", 1, 0)
        last = one.show("runs", RUNS).labelled("Pin")
        one.show("runs", RUNS, [state(last, bool_value=False)])
        assert said(app.data, "stack-1") == ("", 0, 0)
