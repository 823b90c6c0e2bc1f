"""Every page on a city whose names are all hostile: they are shown as they are, and nothing is asked of
anybody but the server."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from bench.chromium import TOP
from pages.parts.text import NOTHING
from tests.browser.conftest import App
from tests.browser.test_loop import go, settle
from tests.patience import BROWSER

pytestmark = pytest.mark.browser
ADDRESS = "http://evil.test:8088"
EVIL = (
    f"![x]({ADDRESS}/a.png) [l]({ADDRESS}) <img src={ADDRESS}/b.png onerror=window.hacked=1>"
    f" {ADDRESS}/c www.evil.test :material/home: :streamlit: :red[r] $x$ `c` **b** <a href='{ADDRESS}'>"
)
PAGES = [
    "", "city", "new_city", "grid", "design", "runs", "tomorrow", "forecast", "layers", "layers?view=Network", "layers?view=Why",
    "layers?view=What if", "layers?view=Sight", "layers?view=Training", "layers?view=Likeness", "layers?view=Weights",
    "layers?view=Peaks", "layers?view=Beside", "findings", "compare", "compare?section=Groups",
    "compare?section=Fair use", "compare?section=Hits", "compare?section=Calibration", "compare?section=Where",
    "unseen", "help",
]  # fmt: skip
DESIGN = f"""name = {json.dumps(EVIL[:80])}
lags = [1, 2]
[training]
epochs = 1
[[layer]]
name = "one"
kind = "conv"
channels = 2
[[layer]]
name = "rate"
kind = "head"
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, Path]]:
    """An app with such a city, its grid, a trained run with a note, and a crawl that failed."""
    folder = tmp_path_factory.mktemp("hostile")
    running = App(folder / "data")
    records = folder / "<img src=x> `c` $x$ :streamlit:.csv"
    rows = [
        [f"2024-{1 + i % 6:02d}-{1 + i % 28:02d} 12:00", f"{EVIL} {i % 2}", f"{3 + i % 9 * 0.01}", f"{50 + i % 7 * 0.01}", "x"]
        for i in range(600)
    ]  # fmt: skip
    heads = ["when", "what", "lng", "lat", EVIL]
    records.write_text(
        "\n".join(",".join(f'"{cell}"' for cell in row) for row in [heads, *rows]), encoding="utf-8"
    )
    square = {"type": "Polygon", "coordinates": [[[2.9, 49.9], [3.2, 49.9], [3.2, 50.2], [2.9, 50.2], [2.9, 49.9]]]}  # fmt: skip
    outline = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"name": EVIL}, "geometry": square}]}  # fmt: skip
    script = f"""
import json, sys
from pathlib import Path
from dataclasses import replace
from crimecast.cities import City, Source, load_city, write_city
from crimecast.cities.city import write_outline
from crimecast.crawling.city import crawl_folder
from crimecast.grids.grid import make_grid
from crimecast.records.importing import import_file
from crimecast.lineage.tree import annotate
from crimecast.designs.spec import parse_design
from crimecast.runs.run import list_runs
from crimecast.runs import queue
evil = {EVIL!r}
mapping = {{"time": "when", "type": "what", "longitude": "lng", "latitude": "lat"}}
outline = write_outline("evil", {outline!r})
import_file("evil", Path({str(records)!r}), mapping, "EPSG:4326", "Europe/Paris", title=evil, outline=outline)
city = load_city("evil")
write_city(replace(city, quirks=(evil,), groups={{evil: [evil + " 0"]}},
    sources=(Source("socrata", "https://portal.test/" + evil, evil, mapping, since=evil),)))
folder = crawl_folder("evil"); folder.mkdir(parents=True, exist_ok=True)
(folder / "progress.json").write_text(json.dumps(
    {{"state": "failed", "rows": 0, "expected": 0, "rate": 0.0, "at": 0, "message": evil}}))
for types in ("all", "each"):
    made = make_grid("evil", 2000.0, "1d", types)
run = queue.submit(queue.Request(parse_design({DESIGN!r}), made["grid"]))
annotate(run.id, note=evil)
print(run.id)
"""
    environment = {**os.environ, "CRIMECAST_DATA": str(running.data)}

    def python(*arguments: str) -> None:
        done = subprocess.run([sys.executable, *arguments], cwd=TOP, env=environment, capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stderr

    python("-c", script)
    yield running, records
    running.stop()


class Watch:
    """What a browser asks for that is not the server's."""

    def __init__(self, browser: Any, app: App) -> None:
        self.context = browser.new_context(viewport={"width": 1440, "height": 900})
        self.context.set_default_timeout(BROWSER)
        self.out: list[str] = []
        own = (app.url, app.url.replace("http", "ws"), "data:", "blob:")
        self.context.on(
            "request", lambda r: None if r.url.startswith(own) else self.out.append(r.url)
        )
        self.page: Page = self.context.new_page()
        self.page.on(
            "websocket", lambda s: None if s.url.startswith(own) else self.out.append(s.url)
        )
        self.page.on(
            "console", lambda m: self.out.append(m.text) if "Content Security" in m.text else None
        )

    def check(self, where: str) -> None:
        """Nothing left, nothing ran, nothing became a link, a picture, an icon or a formula."""
        page = self.page
        assert self.out == [], where
        assert page.evaluate("window.hacked") is None, where
        for wrong in ("img[src*='evil.test']", "img[alt='Streamlit logo']", ".katex", "svg a"):
            assert page.locator(wrong).count() == 0, (where, wrong)
        links = page.evaluate(
            "() => [...document.querySelectorAll('a')].map(a => a.href).filter(h => h && !h.startsWith(location.origin))"
        )
        assert links == [], where
        for style in ("code", "strong"):
            assert page.locator(style).get_by_text(re.compile("^[bc]$")).count() == 0, where


@pytest.fixture
def watch(browser: Any, hostile: tuple[App, Path]) -> Iterator[Watch]:
    watching = Watch(browser, hostile[0])
    yield watching
    watching.context.close()


def run_of(app: App) -> str:
    """The run, when it is trained."""
    for _ in range(120):
        done = subprocess.run(
            [sys.executable, "-m", "crimecast", "runs", "--json"], cwd=TOP,
            env={**os.environ, "CRIMECAST_DATA": str(app.data)}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        mine = [run for run in json.loads(done.stdout) if run["grid"].startswith("evil")]
        if mine[0]["state"] == "done":
            return str(mine[0]["run"])
        assert mine[0]["state"] in ("queued", "running"), mine
        threading.Event().wait(1)
    raise AssertionError("it does not train")


def test_every_page(watch: Watch, hostile: tuple[App, Path]) -> None:
    app, _ = hostile
    run = quote(run_of(app))
    for where in PAGES:
        at = f"{where}{'&' if '?' in where else '?'}city=evil&run={run}"
        go(watch.page, app, at)
        closed = watch.page.locator("[data-testid=stExpander] details:not([open]) summary:visible")
        for _ in range(closed.count()):
            closed.first.click()
            settle(watch.page)
        settle(watch.page)
        watch.check(where)
        for tab in watch.page.get_by_role("tab").all():
            tab.click()
            settle(watch.page)
            watch.check(where)
        for helped in watch.page.locator("[data-testid=stTooltipIcon]:visible").all()[:12]:
            helped.hover()
            watch.check(where)
    assert watch.page.goto(f"{app.url}/city?city=evil")
    # The names are read as they were written (an unseen mark breaks what looks like an address).
    shown = watch.page.get_by_text("Worth knowing").locator("xpath=following::li[1]")
    assert shown.inner_text().replace(NOTHING, "") == EVIL


def test_a_file_whose_columns_are_hostile(watch: Watch, hostile: tuple[App, Path]) -> None:
    app, records = hostile
    for where in ("new_city", "city?city=evil"):
        go(watch.page, app, where)
        watch.page.get_by_role("tab", name="From a file").click()
        watch.page.locator(
            "input[type=file]:visible, [data-testid=stFileUploader] input"
        ).first.set_input_files(records)
        watch.page.get_by_text("as guessed").last.wait_for()
        settle(watch.page)
        watch.check(where)


def test_an_address_that_is_hostile(watch: Watch, hostile: tuple[App, Path]) -> None:
    go(watch.page, hostile[0], "new_city")
    watch.page.get_by_label("Address").fill(f"ftp://{EVIL}")
    watch.page.get_by_label("Address").press("Enter")
    watch.page.get_by_text("is not a web address").wait_for()
    watch.check("new_city")
