"""A viewer can do nothing but look: whatever an operator is shown is pressed, filled in and chosen in a
viewer's session, as the websocket would carry it, not as buttons that are off would."""

import hashlib
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState

from bench.chromium import TOP
from tests.browser.frontend import Frontend, Shown, Widget, logged_in, state, values_of
from tests.browser.provider import Provider
from tests.conftest import tiny_csv

pytestmark = [pytest.mark.browser, pytest.mark.long]
VIEWS = ("Activations", "Network", "Why", "What if", "Sight", "Attention", "Training", "Likeness", "Weights", "Peaks", "Beside")  # fmt: skip
SECTIONS = ("Scores", "Where", "Hits", "Calibration", "Groups", "Fair use")
# What looking leaves: what is kept so that no page works it out again, marks, locks and logs.
LOOKED = re.compile(
    r"cache/.*|forecasts/.*|scratch/.*|runs/[^/]+/\.?(findings|effect|proof)[^/]*|runs/[^/]+/forecasts/.*"
    r"|drawing\..*|.*\.lock|\.swept|crimecast\.sqlite.*"
)
MARKED = """name = "marked"
lags = [1]
[[layer]]
name = "one"
kind = "conv"
channels = { search = [2, 4] }
[[layer]]
name = "rate"
kind = "head"
"""
WITHOUT = """
from streamlit.runtime.state import widgets
made = widgets.WidgetMetadata
widgets.WidgetMetadata = lambda *given, **more: made(*given, **{**more, "disabled": False})
"""
ACTIONS = {
    "annotate", "crawl", "delete", "forecast the days to come of", "go live in", "grid", "put first", "resume", "search",
    "stop", "stop the crawl of", "take back", "train", "try again", "write",
}  # fmt: skip
# A city with records, a portal and groups, one that is being crawled, and a run in every state. This
# process stands for those that would work on them.
PREPARE = """
import os, sys, time
from dataclasses import replace
from pathlib import Path
import psutil
from crimecast.cities import Source, load_city, write_city
from crimecast.crawling.city import crawl_folder
from crimecast.designs.spec import load_design
from crimecast.diagnose import kept
from crimecast.diagnose.finding import Finding
from crimecast.grids.grid import list_grids, make_grid
from crimecast.records.importing import import_file
from crimecast.runs import queue
from crimecast.runs.run import delete_run, load_run, update_run
from crimecast.sample.shipped import ensure_sample
from crimecast.storage.store import data_root, write_json

pid = int(sys.argv[2])
me = {"pid": pid, "started": psutil.Process(pid).create_time()}
ensure_sample()
columns = {"time": "when", "longitude": "lng", "latitude": "lat", "type": "what"}
source = Source("socrata", "http://127.0.0.1:1", "abcd-1234", {**columns, "source_id": "id"})
for name in ("town", "harbour"):
    import_file(name, Path(sys.argv[1]), columns, zone="Europe/Berlin")
    write_city(replace(load_city(name), sources=(source,), groups={"property": ["Theft"]}))
folder = crawl_folder("harbour")
folder.mkdir(parents=True)
write_json(folder / "progress.json", {"state": "crawling", "rows": 1, "expected": 9, "rate": 1.0, "at": time.time(), "seconds_left": 8.0})
write_json(folder / "process.json", me)
make_grid("town", 1000.0, "1d", "each")
write_json(data_root() / "supervisor.json", me)  # none is started
grid = list_grids("sample")[0]["grid"]
for state in ("queued", "running", "stopped", "failed"):
    run = queue.submit(queue.Request(load_design("stack_plain"), grid, parent="stack-1" if state == "stopped" else None))
    update_run(run.id, state=state, **({"pid": me["pid"], "pid_started": me["started"], "token": "t", "started": time.time()} if state == "running" else {}))
    print(run.id)
thrown = queue.submit(queue.Request(load_design("stack_plain"), grid)).id
update_run(thrown, state="stopped")
delete_run(thrown)
sick = Finding("short_training", None, "low", {"epochs": 1}, "Train longer.", {"training.epochs": 3})
run = load_run("stack-1")
write_json(run.folder / "findings.json", {"stamp": kept._stamp(run), "findings": [sick.row()]})
"""


@dataclass(frozen=True)
class Place:
    """A page and the address it is asked with."""

    page: str
    query: str = ""


@pytest.fixture
def places(guarded: tuple[str, Path, Provider], tmp_path: Path) -> list[Place]:
    """Every page in every state that shows other buttons, on the data that were prepared."""
    data = guarded[1]
    records = tiny_csv(tmp_path / "town.csv")
    done = subprocess.run(
        [sys.executable, "-c", PREPARE, str(records), str(os.getpid())], cwd=TOP, capture_output=True,
        text=True, check=False, env={**os.environ, "CRIMECAST_DATA": str(data)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    runs = done.stdout.split()
    return [
        Place(""), Place("city", "city=sample"), Place("city", "city=town"), Place("city", "city=harbour"),
        Place("city", "city=chicago"), Place("new_city"), Place("grid", "city=town"),
        Place("grid", "city=sample"), Place("design", "city=town"), Place("design", "city=sample"),
        *(Place("runs", f"city=sample&run={run}") for run in ("stack-1", *runs)),
        *(Place("design", f"city=sample&run={run}&fork={run}") for run in runs[2:]),
        Place("tomorrow"), Place("forecast"), Place("findings", "run=stack-1"), Place("unseen"), Place("help"),
        *(Place("layers", f"run=stack-1&view={view}") for view in VIEWS),
        *(Place("compare", f"run=stack-1&section={section}") for section in SECTIONS),
    ]  # fmt: skip


class Store:
    """The data folder as it was."""

    def __init__(self, root: Path) -> None:
        self.root, self.was = root, self._now(root)

    @staticmethod
    def _now(root: Path) -> dict[str, str]:
        names = {str(path.relative_to(root)): path for path in root.rglob("*")}
        found = {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in names.items()
            if not LOOKED.fullmatch(name) and path.is_file()
        }
        with sqlite3.connect(root / "crimecast.sqlite") as db:
            found["runs"] = repr(db.execute("select * from runs order by id").fetchall())
        return found

    def changes(self) -> list[str]:
        """What is other than it was."""
        now = self._now(self.root)
        return sorted(name for name in self.was | now if self.was.get(name) != now.get(name))


def opened(shown: Shown, tab: str = "") -> list[WidgetState]:
    """States in which whatever can be unfolded is, and tabs of that name are in front."""
    folded = [one for one in shown.widgets.values() if one.kind in ("expandable", "popover")]
    tabs = [one for one in shown.widgets.values() if one.kind == "tab_container"]
    return [state(one, bool_value=True) for one in folded] + [
        state(one, string_value=tab) for one in tabs if tab
    ]


def everything(session: Frontend, place: Place) -> dict[str, tuple[Widget, list[WidgetState]]]:
    """All that a person is shown there, with everything unfolded and each tab in front: by id, with the
    states in which it was seen."""
    shown = session.show(place.page, place.query)
    found: dict[str, tuple[Widget, list[WidgetState]]] = {}
    for tab in ("", *sorted(shown.tabs)):
        states = opened(shown, tab)
        again = session.show(place.page, place.query, states)
        found |= {name: (one, states) for name, one in again.widgets.items() if name not in found}
    return found


def kind_of(widget: Widget) -> tuple[str, str, str]:
    """Names what a widget is for, whichever version of a spec or row of a table it stands at."""
    return widget.kind, widget.label, re.sub(r"\d+", "", widget.id.partition("-")[2][33:])


def forge(
    session: Frontend,
    place: Place,
    known: dict[str, tuple[Widget, list[WidgetState]]],
    marked: bool = False,
) -> Iterator[tuple[str, Shown]]:
    """Press, fill in and choose everything that is known, or first and only a spec with a field `marked`
    for a search, and what then comes to light; each with what it led to."""
    seen = {kind_of(one) for one, _ in known.values()}
    ahead = sorted(known.values(), key=lambda one: one[0].kind == "button")
    if marked:
        ahead = [one for one in ahead if one[0].kind == "text_area"]
    while ahead:
        widget, before = ahead.pop()
        if widget.label in ("Log out", "Log in"):
            continue
        spec = marked and widget.kind == "text_area"
        for given in [state(widget, string_value=MARKED)] if spec else values_of(widget):
            states = [*(one for one in before if one.id != widget.id), given]
            made = session.show(place.page, place.query, states)
            yield f"{widget.kind} {widget.label} {str(given)[-80:]!r}", made
            for one in made.widgets.values():
                if kind_of(one) not in seen:
                    seen.add(kind_of(one))
                    kept = [one for one in states if one.WhichOneof("value") != "trigger_value"]
                    ahead.append((one, kept))


def lines(data: Path) -> list[dict[str, str]]:
    """The audit."""
    path = data / "audit.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(params=["as it is", "were presses of what is off let through"], autouse=True)
def let_through(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:  # fmt: skip
    """Streamlit drops what is sent for a widget that is off. What lies behind has to hold by itself, so
    it is tried without that wall too: only then is there something to refuse."""
    if without := request.param != "as it is":
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "sitecustomize.py").write_text(WITHOUT)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    return without


def test_viewers_look_whatever_they_send(
    let_through: bool,
    guarded: tuple[str, Path, Provider],
    places: list[Place],
) -> None:
    url, data, provider = guarded
    operator = logged_in(url)
    provider.email = "eve@elsewhere.example"
    viewer = logged_in(url)
    if not let_through:  # a page each: what gets through the wall is less than what does without it
        places = [*{place.page: place for place in places}.values()]
    known = {}
    for place in places:
        with Frontend(url, operator) as session:
            known[place] = everything(session, place)
    store, before, wrong = Store(data), len(lines(data)), []
    tried: dict[str, set[tuple[str, str, str]]] = {}
    for place in places:
        specs = any(one.kind == "text_area" for one, _ in known[place].values())
        for marked in (True, False) if specs else (False,):
            with Frontend(url, viewer) as session:
                all_ = known[place] | everything(session, place)
                if not marked and place.page in ("layers", "compare", "runs", "design"):
                    # What stands on every view of a run, or every run's page, is tried on the first of them.
                    before_it = tried.setdefault(place.page, set())
                    all_ = {n: one for n, one in all_.items() if kind_of(one[0]) not in before_it}
                    before_it |= {kind_of(one) for one, _ in all_.values()}
                for what, shown in forge(session, place, all_, marked):
                    if shown.exceptions or any("not foreseen" in one for one in shown.texts):
                        wrong.append((place, what, shown.exceptions, shown.texts))
        changed = [name for name in store.changes() if name != "audit.jsonl"]
        assert changed == [], place
    assert wrong == []
    mine = lines(data)[before:]
    assert {(line["who"], line["outcome"]) for line in mine} == {("eve@elsewhere.example", "refused")}  # fmt: skip
    assert {line["action"] for line in mine} == (ACTIONS if let_through else {"annotate"})
    # The same message in an operator's session does what it says.
    place = Place("grid", "city=town")
    with Frontend(url, operator) as session:
        shown = session.show(place.page, place.query)
        cells, make = shown.labelled("Cell, metres"), shown.labelled("Make the grid")
        session.show(place.page, place.query, [state(cells, double_value=700.0), state(make, trigger_value=True)])  # fmt: skip
    assert any(name.startswith("grids/town-700m") for name in store.changes())
