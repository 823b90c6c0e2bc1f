"""How quick the app is in real Chromium: first paint, every switch of page, and both while a run trains.

    python bench/app.py [--data FOLDER] [--rounds N] [--json] [--chromium /usr/bin/chromium]

On all Chicago crimes of 2014 and 2015 from FOLDER, daily, 500 m, with a trained network; without it
on the sample city. `paint_vs_empty`: from asking for the address in a fresh browser to the page's
title, over the same for an empty Streamlit app in the same run (small is fast). `switch_p95_ms`: from a
click in the navigation to the new page drawn and its script ended, over all pages after a first
round; `first_switch_p95_ms` that first round, in which things are computed that
were not prepared when the run ended. `training_ratio`: a page's
median switch while a run trains over that before and after, the median over pages. Some pages show
more while one trains: `training_vs_held` is over the same pages while that run's process is suspended.
`training_kept`: the run's steps a second meanwhile, over those while nobody clicks, since it rests
while a page is drawn. `pages` has the medians: without a run, beside it, and while it is held.
"""

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.chromium import FLAGS, TOP, serve
from crimecast.runs.run import Run, list_runs, load_run
from crimecast.storage.store import data_root, read_json

EMPTY = 'import streamlit as st\nst.title("Empty")\n'
LOOKS = 1500  # ms that a person looks at a page, at least
CUTS = ("2015-07-01", "2015-10-01")
# Everything that says a page is there: its title, its script over, nothing greyed out or half loaded.
DRAWN = """async ([click, title]) => {
  const began = performance.now();
  if (click) {
    const links = [...document.querySelectorAll('[data-testid=stSidebarNavLink], [data-testid=stTopNavLink]')];
    links.find(link => link.innerText.trim().endsWith(click)).click();
  }
  const ready = () => {
    const heads = [...document.querySelectorAll('h1')].map(h => h.innerText.trim());
    const app = document.querySelector('[data-testid=stApp]');
    return heads.includes(title) && app.dataset.testScriptState === 'notRunning'
      && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]');
  };
  while (performance.now() - began < 120000) {
    if (ready()) {
      await new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)));
      if (ready()) return performance.now() - began;
    }
    await new Promise(r => setTimeout(r, 5));
  }
  throw new Error('never drawn: ' + title);
}"""


def prepare(folder: Path | None) -> None:
    """A grid with a trained network, and its forecasts made."""
    from crimecast.designs.spec import load_design
    from crimecast.diagnose.kept import known_findings
    from crimecast.grids.grid import make_grid
    from crimecast.records.importing import import_file
    from crimecast.runs import queue
    from crimecast.sample.shipped import ensure_sample

    ensure_sample()
    if folder is None or any(run.grid.startswith("chicago") for run in list_runs()):
        return
    import_file("chicago", folder / "chicago_crimes_2014_2015.parquet")
    grid = str(make_grid("chicago", 500.0)["grid"])
    run = queue.wait(
        queue.submit(queue.Request(load_design("stack"), grid, *CUTS, epochs=2, device="cpu")).id
    )
    if run.state != "done":
        raise RuntimeError(run.message)
    while known_findings(run) is None or not (run.folder / "proof.json").exists():
        time.sleep(
            1
        )  # pages are prepared when the queue is empty; whoever comes back later finds that


def first_paints(browser: Any, urls: dict[str, tuple[str, str]], rounds: int) -> dict[str, float]:
    """Median ms from navigation to the title, the apps taking turns, each in a fresh browser."""
    times: dict[str, list[float]] = {name: [] for name in urls}
    for number in range(rounds + 1):
        for name, (url, title) in urls.items():
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            page = context.new_page()
            began = time.perf_counter()
            page.goto(url, wait_until="commit")
            page.wait_for_function(
                "title => [...document.querySelectorAll('h1')].some(h => h.innerText.trim() === title)",
                arg=title, polling=10,
            )  # fmt: skip
            if number:  # the first loads modules into the server
                times[name].append(1000 * (time.perf_counter() - began))
            context.close()
    return {name: statistics.median(values) for name, values in times.items()}


def switches(page: Any, titles: list[str], rounds: int) -> dict[str, list[float]]:
    """ms of every switch, by page."""
    times: dict[str, list[float]] = {title: [] for title in titles}
    for _ in range(rounds):
        for title in titles:
            times[title].append(page.evaluate(DRAWN, [title, title]))
            page.wait_for_timeout(LOOKS)  # what draws late is not to fall on the next
    return times


def speed(run: Run, work: Callable[[], Any]) -> tuple[float, Any]:
    """The steps a second that a run takes while `work` is done, and what that gives."""

    def done() -> int:
        at = load_run(run.id).progress() or {"epoch": 1, "steps": 0, "step": 0}
        return (at["epoch"] - 1) * at["steps"] + at["step"]

    before, began = done(), time.perf_counter()
    made = work()
    return (done() - before) / (time.perf_counter() - began), made


@contextlib.contextmanager
def held(run: Run) -> Iterator[None]:
    """The run's process does nothing, and the supervisor, who would wake it, neither."""
    supervisor = psutil.Process(read_json(data_root() / "supervisor.json")["pid"])
    both = [supervisor, psutil.Process(run.pid)]
    for process in both:
        process.suspend()
    try:
        yield
    finally:
        for process in both:
            process.resume()


def median_ratio(some: dict[str, list[float]], others: dict[str, list[float]]) -> float:
    """The median over pages of the ratio of a page's medians."""
    each = [statistics.median(some[t]) / statistics.median(others[t]) for t in some]
    return round(statistics.median(each), 2)


def p95(times: dict[str, list[float]]) -> float:
    values = sorted(value for one in times.values() for value in one)
    return values[min(len(values) - 1, int(0.95 * len(values)))]


def main() -> None:
    """Prepare, serve, drive, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = options.root or Path(temporary)
        os.environ["CRIMECAST_DATA"] = str(root.resolve())
        prepare(options.data)
        document = measure(options, Path(temporary))
    if options.json:
        print(json.dumps(document, indent=1))
    else:
        print(", ".join(f"{k} {v}" for k, v in document.items()))


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Drive both apps."""
    from playwright.sync_api import sync_playwright

    from crimecast.runs import queue

    (folder / "empty.py").write_text(EMPTY)
    servers: list[subprocess.Popen[bytes]] = []
    try:
        data = Path(os.environ["CRIMECAST_DATA"])
        server, app = serve(TOP / "app.py", data)
        servers.append(server)
        server, empty = serve(folder / "empty.py", data)
        servers.append(server)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=options.chromium, args=FLAGS)
            run = next(run for run in list_runs() if run.state == "done")
            query = f"?city={run.grid.split('-')[0]}&grid={run.grid}&run={run.id}"
            urls = {"empty": (empty, "Empty"), "app": (app + query, "Overview")}
            paint = first_paints(browser, urls, options.rounds)
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            page.goto(app + query)
            page.evaluate(DRAWN, ["", "Overview"])
            links = page.locator("[data-testid=stSidebarNavLink]").all_inner_texts()
            titles = [text.strip().splitlines()[-1] for text in links]
            once = switches(page, titles, 1)
            again = switches(page, titles, options.rounds)
            endless = replace(run.design, training=replace(run.design.training, patience=10_000))
            busy = queue.submit(queue.Request(endless, run.grid, epochs=10_000, device="cpu"))
            while not (load_run(busy.id).progress() or {}).get("step"):  # its inputs are made
                page.wait_for_timeout(500)
            free, _ = speed(busy, lambda: page.wait_for_timeout(20_000))
            kept, trained = speed(busy, lambda: switches(page, titles, options.rounds))
            with held(load_run(busy.id)):
                still = switches(page, titles, options.rounds)
            queue.stop(busy.id)
            queue.wait(busy.id)
            for title, values in switches(page, titles, options.rounds).items():
                again[title] += values  # before and after: a server's moods are not the run's doing
            browser.close()
    finally:
        for server in servers:
            server.terminate()
    return {
        "paint_vs_empty": round(paint["app"] / paint["empty"], 2),
        "first_paint_ms": round(paint["app"]), "empty_first_paint_ms": round(paint["empty"]),
        "switch_p95_ms": round(p95(again)), "first_switch_p95_ms": round(p95(once)),
        "training_ratio": median_ratio(trained, again),
        "training_vs_held": median_ratio(trained, still),
        "training_kept": round(kept / free, 2),
        "training_switch_p95_ms": round(p95(trained)),
        "grid": run.grid,
        "peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        "pages": {
            t: [round(statistics.median(one[t])) for one in (again, trained, still)] for t in titles
        },
        "first_time": {t: round(values[0]) for t, values in once.items()},
    }  # fmt: skip


if __name__ == "__main__":
    main()
