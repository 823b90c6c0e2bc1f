"""Somebody new goes from a file of records to a decision, in real Chromium; every step is timed.

    python bench/newcomer.py [--json] [--chromium /usr/bin/chromium] [--shots FOLDER]

The file is of a city that no registry knows, its days are written first, and it is brought in under a wrong time
zone. They correct that, grid with the cell that the app advises, train, find the worst place by name, see the layers
there, fork, compare, read tomorrow's ten places, share an address, delete and take back. `life_ms`: from the click to
the first thing drawn on the page; `result_s`: to what was asked for, seconds. All small is good. `life_worst_ms` is to be
500 at most. The figures go to bench/results/newcomer.json.
"""

import argparse
import json
import random
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.chromium import FLAGS, TOP, serve

DAYS, EVENTS = 400, 9_000
WAIT = 120_000  # ms
# Anything new in the page, or the bar at its top, which is there after 0.2 s of its script's work, once a step was begun.
LIFE = """() => {
  window.life = null;
  window.began = performance.now();
  window.watch?.disconnect();
  window.watch = new MutationObserver(changes => {
    const bar = changes.every(one => one.type === 'attributes');
    if (bar && document.querySelector('[data-testid=stApp]').dataset.testScriptState !== 'running') return;
    const at = performance.now() + (bar ? 200 : 0);
    window.life = Math.min(window.life ?? at, at);
  });
  window.watch.observe(document.body, {
    childList: true, characterData: true, subtree: true, attributeFilter: ['data-test-script-state'],
  });
}"""
SETTLED = (
    "() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
    " && document.querySelector('h1') && !document.querySelector('[data-stale=true]')"
)


def records(path: Path) -> Path:
    """Thefts and burglaries round three places of a town on the Elbe, more of them on Fridays."""
    rng = random.Random(5)
    places = [(9.44, 53.59, 0.012), (9.48, 53.61, 0.006), (9.46, 53.57, 0.02)]
    lines = ["Aktenzeichen;Tatzeit;Delikt;Länge;Breite"]
    for number in range(EVENTS):
        day = rng.randrange(DAYS)
        day += (
            (4 - (datetime(2022, 1, 1) + timedelta(days=day)).weekday()) % 7
            if rng.random() < 0.1
            else 0
        )
        when = datetime(2022, 1, 1) + timedelta(days=day, minutes=int(rng.gauss(1080, 240)) % 1440)
        east, north, wide = rng.choices(places, (5, 3, 2))[0]
        kind = rng.choice(["Diebstahl", "Diebstahl", "Einbruch"])
        lines.append(
            f"{number};{when:%d.%m.%Y %H:%M};{kind};{rng.gauss(east, wide):.5f};{rng.gauss(north, wide / 1.6):.5f}"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


class Newcomer:
    """A browser, and what each step took."""

    def __init__(self, page: Any, url: str, shots: Path | None) -> None:
        self.page, self.url, self.shots = page, url, shots
        self.steps: list[dict[str, Any]] = []

    def step(self, what: str, do: Callable[[], object] | None, done: Callable[[], object]) -> None:
        """Begin a step (None: it is only waited for), and wait for what it is to lead to."""
        self.page.wait_for_timeout(400)
        self.page.wait_for_function(SETTLED, timeout=WAIT)
        self.page.evaluate(LIFE)
        began = time.perf_counter()
        if do is not None:
            do()
        done()
        result = time.perf_counter() - began
        life = do and self.page.evaluate("() => window.life && window.life - window.began")
        self.steps.append(
            {"step": what, "life_ms": life and round(life), "result_s": round(result, 2)}
        )
        self.page.wait_for_function(SETTLED, timeout=WAIT)
        if self.shots:
            name = f"{len(self.steps):02d} {what}".replace(" ", "_")
            self.page.screenshot(path=self.shots / f"{name}.png")

    def menu(self, title: str) -> None:
        """Go to a page by the menu."""
        self.page.locator("[data-testid=stSidebarNavLink]", has_text=title).first.click()

    def see(self, text: str | re.Pattern[str]) -> Callable[[], object]:
        """Waits until it can be read."""
        return lambda: self.page.get_by_text(text).first.wait_for(timeout=WAIT)

    def press(self, name: str) -> Callable[[], object]:
        """Presses a button."""
        return lambda: self.page.get_by_role("button", name=name, exact=True).last.click()

    def choose(self, label: str, option: str) -> None:
        """One of a list."""
        box = self.page.get_by_role("combobox", name=label).last
        wanted = self.page.get_by_role("option", name=option, exact=True)
        while not wanted.is_visible():  # the list closes where the page is still being drawn
            box.click()
            box.fill(option)
            self.page.wait_for_timeout(300)
        wanted.click()
        self.page.wait_for_timeout(400)  # until the page has begun to answer
        self.page.wait_for_function(SETTLED)


def go(new: Newcomer, file: Path) -> None:
    """All of it."""
    page = new.page
    new.step("new city", lambda: new.menu("New city"), new.see("From a file"))
    page.get_by_role("tab", name="From a file").click()
    new.step(
        "a file is looked at",
        lambda: page.locator("input[type=file]").first.set_input_files(file),
        new.see("Which column is what"),
    )
    page.locator(".places canvas").last.wait_for(timeout=WAIT)
    page.get_by_role("textbox", name="The city's name").last.fill("Stade")
    page.keyboard.press("Enter")
    page.wait_for_function(SETTLED)
    new.choose("Time zone", "America/New_York")
    new.step("brought in", new.press("Add the city"), new.see(re.compile("records read, ")))
    new.step("the city", lambda: page.get_by_role("link", name="Go to the city").click(), new.see("Correct, rename or delete"))  # fmt: skip
    page.get_by_text("Correct, rename or delete").last.click()
    page.get_by_role("combobox", name="Time zone").last.wait_for(timeout=WAIT)
    page.wait_for_function(SETTLED)
    new.choose("Time zone", "Europe/Berlin")
    new.choose("Dates are written", "day first")
    new.step("corrected", new.press("Read again"), new.see(re.compile("Files read again: 1")))
    new.step("the grid's page", lambda: new.menu("Grid"), new.see("Cell, metres"))
    page.get_by_role("spinbutton", name="Cell, metres").fill("100")
    page.keyboard.press("Tab")
    new.step(
        "a first grid", new.press("Make the grid"), new.see("would do, or more types together")
    )
    said = page.get_by_text("would do, or more types together").first.inner_text()
    found = re.search(r"Cells of ([\d,]+) m", said)
    assert found, said
    page.get_by_role("spinbutton", name="Cell, metres").fill(found[1].replace(",", ""))
    page.keyboard.press("Tab")
    new.step("the advised grid", new.press("Make the grid"), new.see(re.compile(rf"stade-{found[1].replace(',', '')}m-1d")))  # fmt: skip
    new.step("the design", lambda: new.menu("Design & train"), new.see("Train it"))
    new.step(
        "training begins",
        new.press("Train"),
        new.see(re.compile("batches a second|starting|waiting")),
    )
    new.step("trained", None, lambda: page.get_by_role("link", name="See its layers").wait_for(timeout=WAIT))  # fmt: skip
    new.step("where it was wrong", lambda: new.menu("Forecast"), new.see("Where it lost most"))
    table = page.locator("[data-testid=stDataFrame]").nth(1)
    new.step(
        "the worst place by name",
        lambda: table.click(position={"x": 20, "y": 55}),
        lambda: page.get_by_text("Its events in this step").wait_for(timeout=WAIT),
    )
    new.step("its layers", new.press("See what the layers do here"), lambda: page.locator(".gallery .panel canvas").first.wait_for(timeout=WAIT))  # fmt: skip
    run = re.search(r"run=([\w-]+)", page.url)
    assert run, page.url
    new.step("a fork", lambda: page.goto(re.sub("/layers.*", f"/design?fork={run[1]}&run={run[1]}", page.url)), new.see("Train it"))  # fmt: skip
    page.get_by_role("tab", name="Inputs & training").click()
    box = page.get_by_role("textbox", name="Blurs")
    box.wait_for(timeout=WAIT)
    box.fill("0, 1")
    page.keyboard.press("Enter")
    page.wait_for_function(SETTLED)
    new.step(
        "the fork trains",
        new.press("Train"),
        new.see(re.compile("batches a second|starting|waiting")),
    )
    new.step("the fork is trained", None, lambda: page.get_by_role("link", name="See its layers").wait_for(timeout=WAIT))  # fmt: skip
    new.step(
        "compared",
        lambda: new.menu("Compare"),
        new.see(re.compile(r"better than|worse than|told apart from|None is better")),
    )
    new.step("tomorrow", lambda: new.menu("Tomorrow"), new.see("Ten places to look at"))
    address = page.url
    new.step("a shared address", lambda: page.goto(address), new.see("Ten places to look at"))
    new.step("the runs", lambda: new.menu("Runs"), new.see("Train again"))
    page.get_by_role("button", name="Delete", exact=True).click()
    new.step("deleted", new.press("Delete it"), lambda: page.get_by_text("Delete it").wait_for(state="hidden", timeout=WAIT))  # fmt: skip
    new.step("the bin", lambda: new.menu("Overview"), new.see("Bin: 1 deleted"))
    page.get_by_text("Bin: 1 deleted").click()
    new.step("taken back", new.press("Take back"), lambda: page.get_by_text("Bin: 1 deleted").wait_for(state="hidden", timeout=WAIT))  # fmt: skip


def main() -> None:
    """Serve an empty data folder, send them in, print."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--shots", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server, url = serve(TOP / "app.py", Path(folder) / "data")
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=options.chromium, args=FLAGS)
                page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
                page.set_default_timeout(WAIT)
                page.goto(url)
                page.wait_for_function(SETTLED)
                new = Newcomer(page, url, options.shots)
                go(new, records(Path(folder) / "stade.csv"))
                browser.close()
        finally:
            server.terminate()
    document = {
        "steps": new.steps,
        "life_worst_ms": max(step["life_ms"] or 0 for step in new.steps),
        "minutes": round(sum(step["result_s"] for step in new.steps) / 60, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }
    print(json.dumps(document, indent=1) if options.json else document)


if __name__ == "__main__":
    main()
