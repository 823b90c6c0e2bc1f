"""Looking into a network: what catching every layer costs, and how quickly a gallery follows the step.

    python bench/inspect.py [--json] [--chromium /usr/bin/chromium]

`capture_vs_forward` (times, small is fast; 1 is the limit): a forward pass with every layer caught,
over one without, on a 64-channel network and 64×64 cells, medians of interleaved passes; beside it
the same pass logged by TorchLens, which keeps every operation (`torchlens_vs_forward`).
`gallery_p50_ms`, `gallery_p95_ms`: in real Chromium, from an arrow key on the step slider of the
Layers page to 64 channels of 64×64 drawn for the new step. Beside them the same gallery made with
`st.pyplot` and with one Plotly figure a channel (`pyplot_p50_ms`, `plotly_p50_ms`), in the same run.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.chromium import FLAGS, TOP, serve

SPEC = """
name = "wide"
lags = [1, 2, 3, 7]
calendar = ["dow"]
[training]
epochs = 1
[[layer]]
name = "first"
kind = "conv"
channels = 64
activation = "gelu"
[[layer]]
name = "second"
kind = "conv"
channels = 64
norm = "group"
activation = "gelu"
[[layer]]
name = "third"
kind = "conv"
channels = 64
activation = "gelu"
[[layer]]
name = "log_rate"
kind = "head"
"""
MOVES = 60


def city(folder: Path) -> str:
    """A made-up city of 64×64 cells with a network trained on it for one epoch; the grid's name."""
    import numpy as np
    import polars as pl

    from crimecast.designs.spec import parse_design
    from crimecast.grids.grid import make_grid
    from crimecast.records.importing import import_file
    from crimecast.runs import queue

    rng = np.random.default_rng(0)
    count, side = 60_000, 63 * 500
    x, y = (rng.uniform(1, side - 1, count) for _ in range(2))
    x[:2], y[:2] = [1, side - 1], [1, side - 1]
    days = rng.integers(0, 200, count)
    table = pl.DataFrame(
        {
            "when": [f"2020-{1 + d // 28:02d}-{1 + d % 28:02d} 12:00" for d in days], "x": 400_000 + x,
            "y": 5_600_000 + y, "what": ["theft"] * count,
        }
    )  # fmt: skip
    path = folder / "made.parquet"
    table.write_parquet(path)
    names = {"time": "when", "longitude": "x", "latitude": "y", "type": "what"}
    import_file("made", path, names, "EPSG:32632", "Europe/Berlin")
    grid = str(make_grid("made", 500.0)["grid"])
    run = queue.wait(queue.submit(queue.Request(parse_design(SPEC), grid, device="cpu")).id)
    if run.state != "done":
        raise RuntimeError(run.message)
    return grid


def capture_cost() -> dict[str, float]:
    """Seconds of a forward pass, without and with every layer caught, taking turns."""
    import torch
    import torchlens

    from crimecast.inspect.activations import capture
    from crimecast.inspect.subject import subject
    from crimecast.runs.run import list_runs

    one = subject(list_runs()[0])
    batch = one.batch([100, 101, 102, 103])
    names = list(one.layers)
    plain, caught = [], []
    with torch.no_grad():
        for number in range(45):
            began = time.perf_counter()
            one.network(batch.history, batch.calendar, batch.static)
            middle = time.perf_counter()
            with capture(one.network, names):
                one.network(batch.history, batch.calendar, batch.static)
            if number >= 5:
                plain.append(middle - began)
                caught.append(time.perf_counter() - middle)
    theirs = []
    for _ in range(7):
        began = time.perf_counter()
        with torch.no_grad():
            torchlens.trace(one.network, [batch.history, batch.calendar, batch.static])
        theirs.append(time.perf_counter() - began)
    return {
        "forward_ms": 1000 * statistics.median(plain),
        "captured_ms": 1000 * statistics.median(caught),
        "torchlens_ms": 1000 * statistics.median(theirs[2:]),
    }


DRAWN = """(before) => new Promise((done) => {
  const began = performance.now();
  const look = () => {
    const now = READ;
    if (now && now !== before) requestAnimationFrame(() => done(performance.now() - began));
    else if (performance.now() - began > 15000) done(15000);
    else requestAnimationFrame(look);
  };
  look();
})"""
# The component has a shadow root, which a query from outside doesn't enter.
OURS = """(() => {
  const deep = (root) => {
    const found = root.querySelector(".maps");
    if (found) return found;
    for (const e of root.querySelectorAll("*")) {
      const inner = e.shadowRoot && deep(e.shadowRoot);
      if (inner) return inner;
    }
    return null;
  };
  if (!window.__maps?.isConnected) window.__maps = deep(document);
  return window.__maps?.dataset.drawn;
})()"""
THEIRS = "[...document.querySelectorAll('[data-testid=stCaptionContainer]')].map((e) => e.textContent).find((t) => t.startsWith('drawn'))"


def follow(page: Any, read: str, moves: int) -> list[float]:
    """Milliseconds from each arrow key to the new step drawn."""
    slider = page.locator("input[type=range]").first
    slider.wait_for(state="attached")
    slider.focus()
    times = []
    for number in range(moves):
        before = page.evaluate(f"() => {read}")
        waiting = DRAWN.replace("READ", read)
        # The clock starts in the browser, before the key is pressed.
        page.evaluate(f"(b) => {{ window.__drawn = ({waiting})(b); }}", before)
        page.keyboard.press("ArrowRight")
        took = page.evaluate("() => window.__drawn")
        if number >= 3:
            times.append(took)
        page.wait_for_timeout(60)
    return times


def gallery(data: Path, grid: str, chromium: str) -> dict[str, float]:
    """The Layers page and its peers in one browser."""
    from playwright.sync_api import sync_playwright

    made: dict[str, float] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        process, address = serve(TOP / "app.py", data)
        try:
            page.goto(f"{address}/layers?city=made&grid={grid}&layer=second&step=2020-03-02")
            page.wait_for_function(f"() => {OURS}", timeout=60_000)
            page.wait_for_timeout(3000)
            times = follow(page, OURS, MOVES)
        finally:
            process.terminate()
        made["gallery_p50_ms"] = statistics.median(times)
        made["gallery_p95_ms"] = statistics.quantiles(times, n=20)[-1]
        process, address = serve(TOP / "bench" / "gallery_peer.py", data)
        try:
            for kind in ("pyplot", "plotly"):
                page.goto(f"{address}/?kind={kind}")
                page.wait_for_function(f"() => {THEIRS}", timeout=60_000)
                page.wait_for_timeout(3000)
                made[f"{kind}_p50_ms"] = statistics.median(follow(page, THEIRS, 10))
        finally:
            process.terminate()
        browser.close()
    return made


def main() -> None:
    """Measure both, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["CRIMECAST_DATA"] = str(folder / "data")
        grid = city(folder)
        drawn = gallery(folder / "data", grid, options.chromium)  # before torch has threads here
        cost = capture_cost()
        document = {
            "capture_vs_forward": round(cost["captured_ms"] / cost["forward_ms"], 3),
            "torchlens_vs_forward": round(cost["torchlens_ms"] / cost["forward_ms"], 2),
            **{k: round(v, 1) for k, v in drawn.items()},
            **{k: round(v, 2) for k, v in cost.items()},
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
    print(json.dumps(document, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
